"""``thaw what-if`` over a history in PostgreSQL: rules that say the same give no difference, and what differs is true."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from service.what_if import ASSUMPTIONS
from tests.service.world import MONDAY, World
from workflows.commands import RecordReply

SAME = """
schema = 1
id = "five-five-five"
version = "1.1.0"
title = "Ours"
source = "us"
extends = ["five-five-five@1.0.0"]
"""


@pytest.fixture
def busy(world: World) -> World:
    """Three weeks of one rep with eight leads: notes, calls, a refusal, an answer, a hold, an opt-out."""
    # In the evening, when nothing is planned any more: what comes in during a day would be planned on that day, one by one.
    world.clock.move(MONDAY + timedelta(hours=9))
    world.rep()
    for value in (4, 4, 4, 4, 4, 2, 1, 1):
        world.take_in(value_band=value)
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        for number in range(5):
            world.ok("note-sent", f"V-{number:04}", "--attest-all", "--minutes", 9)
        world.ok("hold", "V-0004", "--reason", "legal_review", "--until", "2026-01-09")
    world.at(MONDAY + timedelta(days=2))
    with world.worker():
        world.ok("note-sent", "V-0005", "--attest-all")
        world.ok("opt-out", "V-0007")
    for day in range(3, 9):
        world.at(MONDAY + timedelta(days=day))
    with world.worker():
        world.ok("call", "V-0000", "--outcome", "voicemail")
        world.refused(1, "call", "V-0001", "--outcome", "connected")
        world.ok("decline", "V-0003", "--kind", "no", "--stated-reason", "price")
    for day in range(9, 22):
        world.at(MONDAY + timedelta(days=day))
    return world


def touches(said: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = [each for each in said["touches"] if each["kind"] == kind]
    return dict(found)


def counts(world: World) -> list[int]:
    with world.engine.connect() as connection:
        tables = ("events", "messages", "playbooks", "leads", "documents")
        return [int(connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()) for table in tables]


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    return tmp_path / "mine.toml"


@pytest.mark.parametrize("since", [(), ("--since", "2026-01-08")])
def test_rules_that_say_the_same_give_no_difference(busy: World, mine: Path, since: tuple[str, ...]) -> None:
    """Another version that changes nothing: no lead goes another way, and each run has every touch of the log on its day."""
    mine.write_text(SAME)
    said = busy.said("what-if", mine, *since)
    assert (said["affected"], said["stopped"], said["samples"], said["left_out"]) == (0, {}, [], 0)
    assert said["capacity_recorded"] == said["capacity_what_if"]
    for each in said["touches"]:
        assert (each["recorded"], 0, 0) == (each["what_if"], each["made_up"], each["unknown"])
    assert (said["brought_back"], said["leads"]) == (said["recorded"], 8)
    assert said["recorded"] == (2 if since else 8)
    assert "nothing differs for any of 8 leads" in busy.ok("what-if", mine, *since)


def test_merges_come_out_as_they_did(busy: World, mine: Path) -> None:
    """The run tells the other lead by itself, and passes on what was said to a merged one: nothing is handed in twice."""
    with busy.worker():
        busy.ok("merge", "V-0006", "--into", "V-0005", "--as", "manager:ann")
        busy.ok("merge", "V-0003", "--into", "V-0002", "--as", "manager:ann")
        busy.ok("opt-out", "V-0006")
    busy.hand_in(busy.leads[3], RecordReply(channel="email"), who="inbox")
    for day in range(22, 30):
        busy.at(MONDAY + timedelta(days=day))
    assert ["dropped", "do_not_contact"] == [busy.lead(busy.leads[number]).state for number in (3, 5)]
    mine.write_text(SAME)
    said = busy.said("what-if", mine)
    assert (said["affected"], said["stopped"], said["samples"], said["left_out"]) == (0, {}, [], 0)


def test_fewer_notes_a_day_put_notes_off_and_their_calls(busy: World, mine: Path) -> None:
    """With two notes a day instead of five the same people get the same notes later."""
    mine.write_text(SAME + "[capacity]\nnotes = 2\ncalls = 2\n")
    before = counts(busy)
    said = busy.said("what-if", mine)
    assert said["playbook"] == "five-five-five@1.1.0"
    assert said["in_place_of"] == ["five-five-five@1.0.0"]
    assert touches(said, "note")["recorded"] == 6
    assert said["affected"] > 2
    queue = said["timing"][0]
    assert queue["recorded"]["median"] < queue["what_if"]["median"]
    assert said["assumptions"] == list(ASSUMPTIONS)
    sample = said["samples"][0]
    assert sample["recorded"] != sample["what_if"]
    assert {"event", "row", "day", "actor"} == sample["recorded"].keys()
    shown = busy.ok("what-if", mine, "--samples", 1)
    assert f"{said['affected']} of 8 go another way" in shown
    assert f"… and {said['affected'] - 1} more" in shown
    assert "brings back 8 of 8 touches of the log on their days" in shown
    assert before == counts(busy), "the question left something behind"


@pytest.mark.parametrize("since", [(), ("--since", "2026-01-06")])
def test_what_a_rep_does_otherwise_is_done_otherwise_than_the_other_playbook(
    world: World, mine: Path, since: tuple[str, ...]
) -> None:
    """Dan makes fewer follow-ups, and later three notes: the other two notes a day are his too, until he has his own number."""
    why = ("--why", "Dan works half days.", "--as", "manager:ann")
    world.clock.move(MONDAY + timedelta(hours=9))
    world.rep()
    world.register(8)
    with world.worker():
        world.ok("rep", "limit", "dan", "--follow-ups", 3, *why)
    world.at(MONDAY + timedelta(days=1))
    mine.write_text(SAME + "[capacity]\nnotes = 2\n")
    said = world.said("what-if", mine, *since)
    assert (said["capacity_recorded"]["notes"], said["capacity_what_if"]["notes"]) == (5, 2)
    with world.worker():
        world.ok("rep", "limit", "dan", "--notes", 3, *why)
    world.at(MONDAY + timedelta(days=2))
    said = world.said("what-if", mine, *since)
    assert said["capacity_what_if"]["notes"] == 2 + 3
    mine.write_text(SAME)
    assert world.said("what-if", mine, *since)["affected"] == 0


def test_a_touch_that_nobody_made_is_counted_and_its_outcome_is_unknown(busy: World, mine: Path) -> None:
    """Rules that ask for more than the log holds: the touch is made up, the lead stops there, and no answer is invented."""
    mine.write_text(SAME + "[checks]\nnote = ['personal_fact', 'one_click_unsubscribe']\n")
    said = busy.said("what-if", mine)
    assert said["stopped"] == {"refused": 6}
    assert (touches(said, "note")["what_if"], touches(said, "note")["unknown"]) == (0, 6)
    assert "6 stop at a recorded touch that the other rules refuse" in busy.ok("what-if", mine)


def test_a_question_without_an_answer_gets_one_sentence(busy: World, mine: Path) -> None:
    """A playbook that nobody follows, a wrong day, and a playbook that is none end with status 2."""
    for text, options, sentence in (
        (SAME.replace('id = "five-five-five"', 'id = "nobodys-own"'), (), "no lead of the log follows nobodys-own; there is"),
        (SAME, ("--since", "2026-02-30"), "'2026-02-30' is no time"),
        (SAME, ("--since", "2027-02-01"), "nothing was recorded from 2027-02-01 00:00 UTC on"),
        (SAME + "[capacity]\nnotes = 0\n", (), "capacity.notes: "),
        (
            SAME + "[timers]\nqueue_age_days = 'soon'\n",
            (),
            "mine.toml: line 9, timers.queue_age_days: Expected `int`, got `str`",
        ),
    ):
        mine.write_text(text)
        assert sentence in busy.refused(2, "what-if", mine, *options)


def test_an_empty_log_and_one_that_cannot_be_read_have_no_answer(world: World, mine: Path) -> None:
    """Nothing recorded, and a history that somebody cut, are said, not run."""
    mine.write_text(SAME)
    assert "nothing is recorded yet" in world.refused(2, "what-if", mine)
    world.rep()
    world.register(2)
    world.sql("ALTER TABLE events DISABLE TRIGGER ALL")
    world.sql("DELETE FROM events WHERE type = 'lead_registered'")
    assert "run `thaw verify`" in world.refused(2, "what-if", mine)


def test_a_sales_event_beside_the_leads_changes_nothing(busy: World, mine: Path) -> None:
    """What is on the streams of events and campaigns is no lead's, and a run leaves it aside."""
    mine.write_text(SAME)
    starts = ("--starts", "2026-03-09T09:00", "--seats", 12, "--title", "Spring days", "--host", "Harbour Mills")
    about = "Two days in which a sales team learns to ask better questions."
    with busy.worker():
        busy.ok("event", "add", "spring", "--kind", "training", *starts, "--description", about, "--as", "manager:ann")
    assert busy.said("what-if", mine)["affected"] == 0
