"""``thaw today``, as it is printed."""

import itertools
import re
import shlex
from datetime import timedelta
from pathlib import Path

import pytest

from service.cli.sheet import MOST
from tests.desk import WORDS
from tests.service.world import MONDAY, World
from workflows.commands import RecordDecline
from workflows.law_facts import ImportedLawFacts

MAPPINGS = Path(__file__).parents[3] / "mappings"


@pytest.fixture
def tuesday(world: World) -> World:
    """A Tuesday morning on which dan has notes to write to V-0000 and V-0001."""
    world.rep()
    world.register(2)
    world.at(MONDAY + timedelta(days=1))
    return world


def test_the_example_of_the_readme_is_imported_and_planned(world: World) -> None:
    """The two leads in ``mappings/`` fit the mapping beside them: one to write to, and one to ask why."""
    shown = world.ok("import", MAPPINGS / "leads.csv", "--mapping", MAPPINGS / "leads.toml", "--dry-run")
    assert "(found out); a dry run, so that all below is what would happen\n          2 created\n" in shown
    assert shown.endswith(" 2 leads would be accepted. New with a calendar would be 1 rep.\n")
    world.ok("import", MAPPINGS / "leads.csv", "--mapping", MAPPINGS / "leads.toml")
    world.work()
    world.at(MONDAY + timedelta(days=1))
    assert [("note", "V-0001"), ("reason", "V-0002")] == [(i["kind"], i["key"]) for i in world.said("today")["items"]]


def test_the_page_ends_with_what_to_type_and_that_works(tuesday: World) -> None:
    """Followed to the letter, the page empties itself."""
    with tuesday.worker():
        for left in (2, 1):
            lines = tuesday.ok("today", "--rep", "dan").splitlines()
            assert lines[0] == "dan, Tue 2026-01-06, 10:00 in America/New_York"
            assert lines[1] == f"Calls 0/0  Notes {2 - left}/2  Follow-ups 0/0  Replies 0  ~16 min of 2h30"
            command = lines[lines.index(next(line for line in lines if line.startswith("first: NOTE "))) + 1]
            tuesday.ok(*shlex.split(command)[1:])
    assert "\nnothing to do\n" in tuesday.ok("today", "--rep", "dan")


def test_each_item_of_the_page_stands_with_the_line_to_type(tuesday: World) -> None:
    """A4-12: what does an item stands below it, and with ``--lines`` all that may be typed instead."""
    declined = tuesday.register(1, queued=False)[0]
    tuesday.hand_in(declined, RecordDecline(kind="no", stated_reason="price"))
    tuesday.at(MONDAY + timedelta(days=2))
    said = tuesday.said("today")["items"]
    assert {item["kind"] for item in said} == {"note", "reason"}
    for options, most in (((), 1), (("--lines",), None)):
        shown = tuesday.ok("today", *options)
        below = [
            [line.strip().removeprefix("$ ") for line in block.splitlines() if line.startswith("               $ ")]
            for block in re.split(r"^ *\d+ (?=[A-Z])", shown, flags=re.MULTILINE)[1:]
        ]
        assert below == [item["commands"][:most] for item in said]
        assert ("\nfirst: NOTE " in shown) == bool(most)


def test_a_note_to_write_says_where_it_goes(world: World) -> None:
    """It goes by post: the envelope is written from the page, on one line and in the order of the CRM."""
    world.rep()
    world.take_in(person={"name": "Ada", "address": "14 Amberfield Lane\nSpring\x1b[2Jfield\n12345", "country": "US"})
    world.take_in(person={"name": "Bela"})
    world.at(MONDAY + timedelta(days=1))
    said = {item["name"]: item["notes"] for item in world.said("today")["items"]}
    assert said["Ada"][-1] == "post to: 14 Amberfield Lane, Spring[2Jfield, 12345, US"
    assert not any(note.startswith("post to") for note in said["Bela"])


def test_the_page_is_the_same_each_time(tuesday: World) -> None:
    assert tuesday.ok("today") == tuesday.ok("today")
    said = tuesday.said("today")
    assert [item["kind"] for item in said["items"]] == ["note", "note"]
    assert said["items"][0]["commands"][0].startswith("thaw note-sent V-000")


def test_the_page_of_a_day_to_come(tuesday: World) -> None:
    shown = tuesday.ok("today", "--on", "2026-01-19")
    assert shown.startswith("dan, Mon 2026-01-19, as it stands Tue 2026-01-06 10:00 in America/New_York\n")
    assert "\nno working day: holiday: Martin Luther King Jr. Day\n" in shown
    assert "\nnot planned yet\n" in tuesday.ok("today", "--on", "2026-01-20")
    assert "\nnot planned yet: that happens at 06:00\n" in tuesday.ok("today", "--on", "2026-01-07")


def test_a_page_without_work_says_who_waits_and_when_the_next_plan_is_made(world: World) -> None:
    """On a weekend with a queue, and on a day whose plan is overdue because nothing runs, nobody is told that all is done."""
    world.rep()
    world.at(MONDAY + timedelta(days=5))
    assert "\nnothing to do\nnobody is in the queue; the next plan is made Mon 2026-01-12 06:00\n" in world.ok("today")
    world.register(2)
    assert "\nnothing to do\n2 leads in the queue; the next plan is made Mon 2026-01-12 06:00\n" in world.ok("today")
    world.clock.move(MONDAY + timedelta(days=7))
    shown = world.ok("today")
    assert "\nnot planned yet: that was due at 06:00, and happens as soon as a clock and a worker run (`thaw up`)\n" in shown
    assert (
        "\n2 leads in the queue; the plan of Mon 2026-01-12 06:00 is still to be made: a clock and a worker have to run\n"
        in shown
    )
    world.work()
    assert "NOTE" in world.ok("today")


def test_what_is_blocked_says_how_to_unblock_it(tuesday: World) -> None:
    with tuesday.worker():
        tuesday.ok("opt-out", "V-0000", "--channel", "handwritten_note")
    shown = tuesday.ok("today")
    assert (
        "\n-- blocked (1)\n    Ada Amberfield (V-0000): The prospect opted out of contact by handwritten note. [note_wanted]\n"
        in shown
    )
    assert "        to unblock: leave the note unwritten; thaw reply or thaw decline, if they said so\n" in shown


def test_a_pile_of_homework_is_cut_and_counted(world: World) -> None:
    world.rep()
    for lead_id in world.register(18, queued=False):
        world.hand_in(lead_id, RecordDecline(kind="no", stated_reason="price", real_reason="lost_trust", words=WORDS))
    world.at(MONDAY + timedelta(days=4))
    shown = world.ok("today")
    assert "    HOMEWORK   and 3 more (--json lists them)\n" in shown
    assert "    of the homework, 10 of 18 fit into the day\n" in shown
    assert len(world.said("today")["items"]) == 18


def test_what_is_printed_is_numbered_without_gaps_and_by_kinds(world: World) -> None:
    """Where a pile is cut, the count goes on with what stands below it, and says there how much was cut."""
    world.rep()
    for lead_id in world.register(17, queued=False):
        world.hand_in(lead_id, RecordDecline(kind="no", stated_reason="price"))
    world.register(2)
    world.at(MONDAY + timedelta(days=1))
    lines = [line for line in world.ok("today").splitlines() if re.match(r" *\d+ [A-Z]|    [A-Z]", line)]
    numbers = [int(line[:3]) for line in lines if line[:3].strip()]
    assert numbers == list(range(1, len(numbers) + 1))
    heads = [line[4:14].strip() for line in lines]
    assert heads == [head for head, group in itertools.groupby(heads) for _ in group]
    assert len([head for head, _ in itertools.groupby(heads)]) == len(set(heads))
    assert lines[heads.index("REASON") + MOST] == "    REASON     and 2 more (--json lists them)"


def test_a_call_that_waits_for_its_hour_stands_with_the_calls(world: World) -> None:
    """In the order of their hours, behind those that can be made now; what nobody can do stands below, as blocked."""
    world.rep()
    world.take_in(timezone="America/Los_Angeles", law=ImportedLawFacts(region="US-CA"))
    world.take_in(timezone="America/Denver", law=ImportedLawFacts(region="US-CO"))
    world.take_in()
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        for number in range(3):
            world.ok("note-sent", f"V-000{number}", "--attest-all")
        world.at(MONDAY + timedelta(days=8))
        shown = world.ok("today")
        calls = [line for line in shown.splitlines() if " CALL " in line and not line.startswith("first")]
        outside = "outside the hours for calls"
        assert calls[1:] == [
            f"  2 CALL       Bela Brookhollow (V-0001): from 11:00 on: it is Tue 08:00 where they live (US-CO), {outside}",
            f"  3 CALL       Ada Amberfield (V-0000): from 12:00 on: it is Tue 07:00 where they live (US-CA), {outside}",
        ]
        assert calls[0].startswith("  1 CALL       Cora Cinderwell (V-0002): promised by the note of ")
        assert "blocked" not in shown
        assert "nothing to do" not in shown


def test_names_and_facts_cannot_write_on_the_page(world: World) -> None:
    world.rep()
    world.take_in(person={"name": "Ada\x1b[31m\n  1 CALL", "facts": ["a\rb", "\u202ec"]}, external_id="V 1'; rm -rf /")
    world.at(MONDAY + timedelta(days=1))
    shown = world.ok("today")
    assert not any(character in shown for character in "\x1b\r\u202e")
    assert "  1 NOTE       Ada[31m 1 CALL (" in shown
    assert f"\n  thaw note-sent {world.leads[0].hex[:12]} --attest-all\n" in shown


def test_whose_day_must_be_clear(world: World) -> None:
    assert "thaw: there is no rep yet: `thaw rep set NAME …`" in world.refused(2, "today")
    world.rep("dan")
    assert world.ok("today").startswith("dan, Mon 2026-01-05, 10:00 in America/New_York\n")
    world.rep("ann")
    assert "thaw: whose day? Name the rep with --rep: ann, dan" in world.refused(2, "today")
    assert "thaw: no rep is called 'dna'; did you mean dan?" in world.refused(2, "today", "--rep", "dna")
    assert "Sun 2026-01-04 is over" in world.refused(2, "today", "--rep", "dan", "--on", "2026-01-04")
    assert "'tomorrow' is no day; write it like 2026-03-09" in world.refused(2, "today", "--on", "tomorrow")
