"""`thaw rep limit` and `thaw team`: numbers of a rep's days otherwise than the playbook has them, with who and why."""

import re
import threading
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec import UNSET
from msgspec.structs import replace
from sqlalchemy import text

from actors.submit import Submission, stage
from models import leads
from models.database import transaction
from models.playbooks import newest_playbook, playbooks_by_digest
from service.limits import CALLED, publish
from tests.service.sheets import sheet
from tests.service.world import MONDAY, World
from workflows.commands import SetCalendar
from workflows.events import CalendarFrozen, DayPlanned
from workflows.layers import HOURS, NUMBERS
from workflows.limits import Layers, Limits
from workflows.rep import rep_id

ANN = ("--as", "manager:ann")
WHY = ("--why", "Dan works half days until Easter.")

OTHER = Layers(base="five-five-five", digest="0" * 64, own=Limits(calls=1))


@pytest.fixture
def office(world: World) -> World:
    """Dan and eve, each with eight leads."""
    world.rep()
    world.rep("eve")
    world.register(8)
    world.register(8, owner="eve")
    return world


def frozen(world: World, rep: str = "dan") -> CalendarFrozen:
    return [each.data for each in world.events(rep_id(rep)) if isinstance(each.data, CalendarFrozen)][-1]


def reasons_kept(world: World) -> int:
    with transaction(world.engine) as connection:
        return connection.scalar(text("SELECT count(*) FROM documents WHERE kind = 'operator_reason'")) or 0


def no_reason_without_event(world: World) -> bool:
    named = {each.data.layers.why.document_id for each in world.events(rep_id("dan"))
             if isinstance(each.data, CalendarFrozen) and each.data.layers and each.data.layers.why}  # fmt: skip
    with transaction(world.engine) as connection:
        return named == set(connection.scalars(text("SELECT id FROM documents WHERE kind = 'operator_reason'")))


def planned(world: World, rep: str = "dan") -> int:
    return [len(each.data.notes) for each in world.events(rep_id(rep)) if isinstance(each.data, DayPlanned)][-1]


def test_what_a_rep_does_otherwise_binds_the_plan_and_is_recorded_with_who_and_why(office: World) -> None:
    """Three notes instead of five; the plan pins the numbers that it went by, and all of it can be made again."""
    world = office
    with world.worker():
        world.ok("rep", "limit", "dan", "--notes", 3, "--calls", 3, *WHY, *ANN)
    world.at(MONDAY + timedelta(days=1))
    assert (planned(world), planned(world, "eve")) == (3, 5)
    assert len([item for item in sheet(world).items if item.kind == "note"]) == 3
    layers, last = frozen(world).layers, world.events(rep_id("dan"))[-1]
    assert layers
    assert (layers.own.notes, layers.base) == (3, "five-five-five")
    assert layers.why
    assert last.playbook
    assert last.playbook.id == "five-five-five.of.dan"
    assert "manager:ann" in {each.actor for each in world.events(rep_id("dan"))}
    shown = world.ok("rep", "show", "dan")
    assert "notes 3 (rep)" in shown
    assert "follow-ups 5 (playbook)" in shown
    assert world.said("rederive", "--all")["mismatches"] == []
    world.ok("verify")


def test_a_team_comes_between_playbook_and_rep(office: World) -> None:
    """Two reps in a team: both have its number, but for what one of them has of his own."""
    world = office
    with world.worker():
        for rep in ("dan", "eve"):
            world.ok("rep", "limit", rep, "--team", "north", *WHY, *ANN)
        world.ok("rep", "limit", "dan", "--notes", 2, *WHY, *ANN)
        world.ok("team", "set", "north", "--notes", 4, "--closes", "18:00", *WHY, *ANN)
    line = "north: 2 reps (dan, eve); notes 4, calls until 18:00\n"
    assert line == world.ok("team", "list")
    dan, eve = world.ok("team", "show", "north").removeprefix(line).splitlines()
    assert dan.startswith("  dan: notes 2 (rep), promised calls 5 (playbook), ")
    assert eve.startswith("  eve: notes 4 (team north), promised calls 5 (playbook), ")
    assert [2, 4] == [numbers[0][1] for numbers in world.said("team", "show", "north")["numbers"].values()]
    assert "no team is called 'south': north" in world.refused(2, "team", "show", "south")
    assert "notes 2 (rep)" in world.ok("rep", "show", "dan")
    assert "notes 4 (team north)" in world.ok("rep", "show", "eve")
    assert "calls until 18:00 (team north)" in world.ok("rep", "show", "eve")
    world.at(MONDAY + timedelta(days=1))
    assert (planned(world), planned(world, "eve")) == (2, 4)
    assert world.said("rederive", "--all")["mismatches"] == []


def test_the_answer_says_what_was_set(office: World) -> None:
    """By whom each number is: the rep, the team, or the playbook again once it is cleared; a calendar alone says no more."""
    world = office
    with world.worker():
        said = world.ok("rep", "limit", "dan", "--notes", 3, "--opens", "10:00", *WHY, *ANN)
        assert said.endswith(" Numbers of a day: notes 3, calls from 10:00 (rep); the rest as five-five-five has them.\n"), said
        for rep in ("dan", "eve"):
            world.ok("rep", "limit", rep, "--team", "north", *WHY, *ANN)
        dan, eve = world.ok("team", "set", "north", "--notes", 4, *WHY, *ANN).splitlines()
        rest = "the rest as five-five-five has them."
        assert dan.endswith(f" In team north: notes 4 (team north); notes 3, calls from 10:00 (rep); {rest}")
        assert eve.endswith(f" In team north: notes 4 (team north); {rest}")
        world.ok("team", "set", "north", "--clear", *WHY, *ANN)
        said = world.ok("rep", "limit", "dan", "--clear", "--team", "", *WHY, *ANN)
        assert said.endswith(" Numbers of a day: all as five-five-five has them.\n"), said
        assert "five-five-five has" not in world.ok("rep", "set", "fay", "--timezone", "America/New_York")
    assert "Default: the rep." in world.ok("rep", "set", "--help")


def test_hours_are_only_narrowed_and_nothing_is_half_applied(office: World) -> None:
    """Against the playbook, and against the team; no event and no playbook is left of what was refused."""
    world = office
    with world.worker():
        world.ok("rep", "limit", "dan", "--team", "north", *WHY, *ANN)
        world.ok("team", "set", "north", "--closes", "17:00", *WHY, *ANN)
    before = world.ok("playbook", "list")
    said = world.refused(2, "rep", "limit", "dan", "--closes", "19:00", *WHY, *ANN)
    assert "closes 19:00 of the rep is wider than 17:00 of team north" in said
    assert "can only be narrowed" in said
    assert "wider than" in world.refused(2, "team", "set", "north", "--opens", "06:00", *WHY, *ANN)
    assert "no note is ever written" in world.refused(2, "rep", "limit", "dan", "--calls", 0, *WHY, *ANN)
    eve = ("--as", "rep:eve")
    assert "a rep's numbers are set by a manager, or by the rep: --as rep:dan" in world.refused(
        2, "rep", "limit", "dan", "--notes", 3, *WHY, *eve
    )
    assert "is set by a manager" in world.refused(2, "team", "set", "north", "--notes", 3, *WHY, *eve)
    assert "Nothing fits into a day of 0 minutes" in world.refused(2, "rep", "limit", "dan", "--minutes", 0, *WHY, *ANN)
    assert world.ok("playbook", "list") == before
    assert "calls until 17:00 (team north)" in world.ok("rep", "show", "dan")


def test_narrower_hours_hold_where_a_call_is_listed(office: World, tmp_path: Path) -> None:
    """Calls of a rep who may call from noon on alone: before that the sheet says when."""
    world = office
    with world.worker():
        world.ok("rep", "limit", "dan", "--opens", "13:00", *WHY, *ANN)
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        for item in sheet(world).items:
            world.ok("note-sent", item.key, "--attest-all")
    world.at(MONDAY + timedelta(days=8))
    assert any("outside the hours for calls" in each.why for each in sheet(world).blocked)
    assert world.said("rederive", "--all")["mismatches"] == []
    world.bundles_hold(tmp_path, "V-0000", "V-0001")


def test_why_not_names_the_hours_by_which_the_plan_went(world: World) -> None:
    """Dan calls on Fridays alone: notes of Tuesday promise a call of Tuesday, so that plan and answer both name the hours."""
    world.rep()
    with world.worker():
        world.ok("rep", "limit", "dan", "--weekdays", "5", "--why", "mornings at school", *ANN)
    world.register(1)
    world.at(MONDAY + timedelta(days=1))
    said = world.said("why-not", "V-0000", "--on", "2026-01-06")
    assert [("note", 4, "no_stock"), ("note", 1, "hours")] == [
        (each["kind"], each["count"], each["code"]) for each in said["shortfalls"]
    ]
    reason = said["reasons"][0]
    assert reason.startswith("it could not be called: contact_hours, in US-IL: Tue 2026-01-13 has no hour for a call")
    assert "the next opens on Fri 2026-01-16 at " in reason
    assert "fewer notes: On 2026-01-13 no working hour of the rep is one for calls" in world.ok("today", "--rep", "dan")


def test_it_goes_on_when_the_calendar_changes_and_ends_when_it_is_cleared(office: World) -> None:
    """`rep set` keeps what was set; `--clear` without numbers gives those of the playbook back, and says why in the log."""
    world = office
    with world.worker():
        world.ok("rep", "limit", "dan", "--notes", 3, *WHY, *ANN)
        world.ok("rep", "set", "dan", "--absence", "2026-03-09:2026-03-20")
        layers = frozen(world).layers
        assert layers
        assert layers.own.notes == 3
        world.ok("rep", "limit", "dan", "--clear", *WHY, *ANN)
        cleared = frozen(world).layers
        assert cleared
        assert cleared.own == Limits()
        assert cleared.why
        assert cleared.why != layers.why
        assert "notes 5 (playbook)" in world.ok("rep", "show", "dan")
        world.ok("rep", "set", "dan")
    assert (frozen(world).playbook, frozen(world).layers) == ("five-five-five", UNSET)
    assert no_reason_without_event(world)
    world.ok("verify")


def newer(world: World, *, closes: int = 1200, version: str = "9.0.0") -> None:
    """Publish a version of 5+5+5 that has four notes a day, and in which calls end at *closes*."""
    with transaction(world.engine) as connection:
        newest = newest_playbook(connection, "five-five-five")
        assert newest
        made = replace(newest, version=version, capacity=replace(newest.capacity, notes=4))
        made = replace(made, contact_hours=replace(made.contact_hours, closes=closes))
        publish(connection, [made], now=MONDAY, by="manager:ann")


def test_the_numbers_shown_and_changed_are_those_of_the_version_that_is_followed(office: World) -> None:
    """A newer version is published and nobody has taken it: `rep limit`, `team set` and clearing leave it to `rep set`."""
    world = office
    newer(world)
    with world.worker():
        assert "notes 5 (playbook)" in world.ok("rep", "show", "dan")
        world.ok("rep", "limit", "dan", "--calls", 3, "--team", "north", *WHY, *ANN)
        assert "notes 5 (playbook)" in world.ok("rep", "show", "dan")
        world.ok("team", "set", "north", "--minutes", 140, *WHY, *ANN)
        assert "notes 5 (playbook)" in world.ok("rep", "show", "dan")
        world.ok("team", "set", "north", "--clear", *WHY, *ANN)
        world.ok("rep", "limit", "dan", "--clear", "--team", "", *WHY, *ANN)
        move = ("playbook", "migrate", "five-five-five@1.0.0", "five-five-five@9.0.0", "--dry-run")
        assert world.said(*move)["reps"] == ["dan", "eve"]
        shown = world.ok(*move)
        made = r"the days of dan are planned by five-five-five\.of\.dan@1\.0\.\d+, made of five-five-five@1\.0\.0, until"
        assert re.search(made, shown), shown
        assert "the days of eve are planned by five-five-five@1.0.0 until" in shown
        layers = frozen(world).layers
        assert layers
        with transaction(world.engine) as connection:
            assert playbooks_by_digest(connection, [layers.digest])[layers.digest].version != "9.0.0"
        assert "notes 5 (playbook)" in world.ok("rep", "show", "dan")
        world.ok("rep", "set", "dan")
    assert "notes 4 (playbook)" in world.ok("rep", "show", "dan")
    assert world.said("rederive", "--all")["mismatches"] == []


def test_a_team_is_changed_for_all_of_its_reps_or_for_nobody(office: World) -> None:
    """Handed in together, so that what becomes of one says nothing against the others; a second change waits for the first."""
    world = office
    with world.worker():
        for rep in ("dan", "eve"):
            world.ok("rep", "limit", rep, "--team", "north", *WHY, *ANN)
    playbooks = world.ok("playbook", "list")
    world.ok("pause", "--all", "--reason", "we clean the stage", "--by", "ops:tom")
    answers = world.ok("team", "set", "north", "--notes", 4, *WHY, *ANN).splitlines()
    assert [line.partition(" as ")[0] for line in answers] == ["dan: accepted", "eve: accepted"]
    published, reasons = world.ok("playbook", "list"), reasons_kept(world)
    assert published != playbooks
    for typed in (
        ("team", "set", "north", "--calls", 3, *WHY, *ANN), ("rep", "limit", "eve", "--notes", 1, *WHY, *ANN),
        ("rep", "set", "eve", "--absence", "2026-03-09:2026-03-20"),
    ):  # fmt: skip
        assert "by manager:ann on 2026-01-05 at 15:00 UTC is handed in and not settled yet" in world.refused(2, *typed)
    assert world.ok("playbook", "list") == published
    assert reasons_kept(world) == reasons
    world.ok("resume", "--all", "--by", "ops:tom")
    world.work()
    with world.worker():
        world.ok("rep", "limit", "eve", "--notes", 1, *WHY, *ANN)
    assert [frozen(world, rep).layers.of_team.notes for rep in ("dan", "eve")] == [4, 4]  # type: ignore[union-attr]
    assert "notes 1 (rep)" in world.ok("rep", "show", "eve")


def test_nobody_changes_what_a_rep_follows_beside_another_who_does(office: World) -> None:
    """Of two who read the same layers at the same moment, the second waits and reads what the first said."""
    world = office
    done = []
    with transaction(world.engine) as connection:
        leads.change_reps(connection)
        second = threading.Thread(target=lambda: done.append(world.thaw("rep", "limit", "dan", "--notes", 3, *WHY, *ANN)))
        second.start()
        second.join(timeout=0.3)
        assert second.is_alive()
        first = SetCalendar(rep="dan", calendar=frozen(world).calendar, playbook="five-five-five", layers=OTHER)
        stage(connection, [Submission(id=uuid4(), stream_id=rep_id("dan"), command=first, asked_by="manager:ann")], now=MONDAY)
    second.join(timeout=20)
    assert done[0].exit_code == 2
    assert "is handed in and not settled yet" in done[0].output


def test_a_team_whose_reps_differ_is_said_to(office: World) -> None:
    """One of them has other numbers of the team: nobody's are taken for the team's, until all are said again."""
    world = office
    with world.worker():
        for rep in ("dan", "eve"):
            world.ok("rep", "limit", rep, "--team", "north", *WHY, *ANN)
        world.ok("team", "set", "north", "--notes", 4, *WHY, *ANN)
    calendar, layers = frozen(world).calendar, frozen(world).layers
    assert layers
    other = replace(layers, of_team=Limits(notes=2))
    made = SetCalendar(rep="dan", calendar=calendar, playbook="five-five-five.of.dan", layers=other)
    world.honest = False
    world.hand_in(rep_id("dan"), made)
    assert "north: 2 reps (dan, eve); its reps have different numbers of it" in world.ok("team", "list")
    assert "have different numbers of it" in world.refused(2, "team", "set", "north", "--calls", 3, *WHY, *ANN)
    with world.worker():
        world.ok("team", "set", "north", "--clear", "--calls", 3, *WHY, *ANN)
    assert "north: 2 reps (dan, eve); promised calls 3" in world.ok("team", "list")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("team", "set", "south", "--notes", "3"), "nobody is in team 'south'"),
        (("rep", "limit", "zoe", "--notes", "3"), "zoe"),
        (("rep", "limit", "dan", "--team", "a\nb"), "is no name for a team"),
        *(
            ((*before, "--opens", time), "a time of the prospect's day as in 09:30, 00:00 to 24:00")
            for before in (("rep", "limit", "dan"), ("team", "set", "south"))
            for time in ("9", "9" * 5000 + ":00", "9:60", "24:01", "\uff19:00", "9:0\uff10", "-1:00", "009:00")
            if before[0] == "rep" or time == "9:60"
        ),
        (("rep", "limit", "dan", "--weekdays", "mon"), "numbers 1 (Monday) to 7 (Sunday)"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(office: World, typed: tuple[str, ...], said: str) -> None:
    """What was wrong, and what would be right."""
    assert said in office.refused(2, *typed, *WHY, *ANN)


def test_every_number_has_a_name_for_people() -> None:
    """What may be set is what is shown."""
    assert {*NUMBERS, *HOURS} == set(CALLED)


def test_what_was_said_before_stands_when_the_playbook_narrows_the_hours(office: World) -> None:
    """Only what is typed now can be refused: an absence is none of the hours, and no team is named where there is none."""
    world = office
    with world.worker():
        world.ok("rep", "limit", "dan", "--closes", "18:00", *WHY, *ANN)
        newer(world, closes=1020)
        for typed in (
            ("rep", "set", "dan", "--absence", "2026-03-09:2026-03-20"),
            ("rep", "set", "dan", "--email", "Dan Miller <dan@example.com>"),
            ("rep", "limit", "dan", "--notes", 3, *WHY, *ANN),
            ("rep", "limit", "dan", "--team", "north", *WHY, *ANN),
            ("team", "set", "north", "--calls", 4, *WHY, *ANN),
        ):
            world.ok(*typed)
    assert frozen(world).calendar.absences
    shown = world.ok("rep", "show", "dan")
    assert "calls until 17:00 (playbook)" in shown
    assert "notes 3 (rep)" in shown
    said = world.refused(2, "rep", "limit", "dan", "--closes", "18:00", *WHY, *ANN)
    assert "closes 18:00 of the rep is wider than 17:00 of five-five-five@9.0.0" in said
    with world.worker():
        world.ok("team", "set", "north", "--closes", "16:30", *WHY, *ANN)
    assert "calls until 16:30 (team north)" in world.ok("rep", "show", "dan")
    said = world.refused(2, "team", "set", "north", "--closes", "18:30", *WHY, *ANN)
    assert "closes 18:30 of team north is wider than 17:00 of five-five-five@9.0.0" in said
    said = world.refused(2, "rep", "limit", "dan", "--opens", "17:30", *WHY, *ANN)
    assert "dan: the rep would have no hour left in which anybody may be called. Nothing was changed." in said
    said = world.refused(2, "rep", "limit", "dan", "--opens", "08:00", *WHY, *ANN)
    assert "opens 08:00 of the rep is wider than 09:00 of five-five-five@9.0.0" in said
    assert world.said("rederive", "--all")["mismatches"] == []
