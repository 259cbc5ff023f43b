"""Changes of a rep: none undoes another, and each pins the version of the playbook that was meant."""

import threading
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from click.testing import Result
from msgspec.structs import replace

from actors.submit import Submission, UnsoundCommandError, stage
from models import leads
from models.database import transaction
from models.playbooks import newest_playbook, playbooks_by_digest, publish
from service.calendars import freeze_calendar
from service.playbooks import record_published
from tests.service.cli.test_limits import ANN, WHY, frozen, newer
from tests.service.world import MONDAY, World
from workflows.calendars import Absence
from workflows.commands import SetCalendar
from workflows.playbooks import Playbook
from workflows.rep import rep_id

MARCH, APRIL = ("--absence", "2026-03-09:2026-03-20"), ("--absence", "2026-04-06:2026-04-10")


def followed(world: World) -> Playbook:
    """Return the playbook that dan's days follow."""
    with transaction(world.engine) as connection:
        rep = leads.find_rep(connection, "dan")
        assert rep
        assert rep.playbook
        return playbooks_by_digest(connection, [rep.playbook.digest])[rep.playbook.digest]


def paused(world: World, *typed: str) -> None:
    """Hand something in that no worker takes yet."""
    world.ok("pause", "--all", "--reason", "we clean the stage", "--by", "ops:tom")
    assert "accepted as " in world.ok(*typed)


def resumed(world: World) -> None:
    """Let workers take what waits."""
    world.ok("resume", "--all", "--by", "ops:tom")
    world.work()


def test_two_changes_of_a_calendar_in_the_same_moment_do_not_undo_one_another(world: World) -> None:
    """The second waits for the first, reads that it is on its way, and is told who made it; said again it comes on top."""
    world.rep()
    done: list[Result] = []
    with transaction(world.engine) as connection:
        leads.change_reps(connection)
        second = threading.Thread(target=lambda: done.append(world.thaw("rep", "set", "dan", *APRIL)))
        second.start()
        second.join(timeout=0.5)
        assert second.is_alive()
        away = (Absence(first=date(2026, 3, 9), last=date(2026, 3, 20)),)
        first = SetCalendar(rep="dan", calendar=replace(frozen(world).calendar, absences=away), playbook="five-five-five")
        new = Submission(id=UUID(int=1), stream_id=rep_id("dan"), command=first, asked_by="manager:ann")
        stage(connection, [new], now=world.clock())
    second.join(timeout=20)
    assert done[0].exit_code == 2
    assert "a change of dan by manager:ann is handed in and not settled yet: look at `thaw rep show dan`" in done[0].output
    world.work()
    with world.worker():
        world.ok("rep", "set", "dan", *APRIL)
    assert len(frozen(world).calendar.absences) == 2


def test_who_types_a_second_change_too_early_is_told(world: World) -> None:
    """Two days away, typed one after the other while nothing is applied: the first is kept, and nothing of the second."""
    world.rep()
    paused(world, "rep", "set", "dan", *MARCH)
    said = world.refused(2, "rep", "set", "dan", *APRIL, "--email", "Dan Miller <dan@example.com>")
    assert "a change of dan by rep:dan on 2026-01-05 at 15:00 UTC is handed in and not settled yet" in said
    with transaction(world.engine) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM mailboxes").scalar() == 0
    resumed(world)
    assert [each.first.month for each in frozen(world).calendar.absences] == [3]
    with world.worker():
        world.ok("rep", "set", "dan", *APRIL)
    assert [each.first.month for each in frozen(world).calendar.absences] == [3, 4]


def test_the_version_that_was_meant_is_pinned(world: World) -> None:
    """A newer one is published between typing and applying; a command of an earlier release has the newest of its moment."""
    world.rep()
    paused(world, "rep", "set", "dan", *MARCH)
    newer(world)
    resumed(world)
    assert (followed(world).version, frozen(world).playbook) == ("1.0.0", "five-five-five")
    world.rep()
    assert followed(world).version == "9.0.0"
    assert world.said("rederive", "--all")["mismatches"] == []


def test_what_was_merged_is_pinned_though_another_is_published_meanwhile(world: World) -> None:
    """Somebody has published under the id of what is made for dan, between typing and applying."""
    world.rep()
    paused(world, "rep", "limit", "dan", "--notes", "3", *WHY, *ANN)
    with transaction(world.engine) as connection:
        made = newest_playbook(connection, "five-five-five.of.dan")
        assert made
        publish(connection, replace(made, version="1.0.1", capacity=replace(made.capacity, notes=9)))
    resumed(world)
    assert followed(world) == made
    assert world.said("rederive", "--all")["mismatches"] == []


def test_the_same_entry_again_has_the_same_answer_though_a_newer_version_came(world: World) -> None:
    """What was meant the first time is meant still, with layers and without."""
    world.rep()
    with world.worker():
        for number in (1, 2):
            typed = ("rep", "set", "dan", *MARCH, "--id", str(UUID(int=number)))
            answer = world.ok(*typed)
            newer(world, version=f"{number}0.0.0")
            assert world.ok(*typed) == answer
            world.ok("rep", "limit", "dan", "--notes", 3, *WHY, *ANN)
    assert "notes 3 (rep)" in world.ok("rep", "show", "dan")


def test_nobody_follows_what_was_made_for_another_rep(world: World) -> None:
    """It is named by what it was made of; a command that says otherwise is not accepted."""
    world.rep()
    world.rep("eve")
    with world.worker():
        world.ok("rep", "limit", "eve", "--notes", 3, *WHY, *ANN)
    said = world.refused(2, "rep", "set", "dan", "--playbook", "five-five-five.of.eve")
    assert "five-five-five.of.eve was made for the days of one rep: name what it was made of, five-five-five" in said
    command = SetCalendar(rep="dan", calendar=frozen(world).calendar, playbook="five-five-five.of.eve")
    with pytest.raises(UnsoundCommandError, match="made for one rep, and nothing says what of: follow what it extends"):
        world.hand_in(rep_id("dan"), command)
    assert followed(world).id == "five-five-five"


def test_the_log_is_told_last_of_what_was_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """From then on nobody else can write to it: the calendars of the whole team are frozen before."""
    done = list[str]()
    world.rep()
    world.rep("eve")
    with world.worker():
        for rep in ("dan", "eve"):
            world.ok("rep", "limit", rep, "--team", "north", *WHY, *ANN)

        def noted(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
            def called(*given: Any, **named: Any) -> Any:
                done.append(name)
                return function(*given, **named)

            return called

        monkeypatch.setattr("service.cli.reps.freeze_calendar", noted("frozen", freeze_calendar))
        monkeypatch.setattr("service.limits.record_published", noted("told", record_published))
        world.ok("team", "set", "north", "--notes", 4, *WHY, *ANN)
        assert done == ["frozen", "frozen", "told", "told"]
        world.ok("rep", "set", "dan", "--playbook", "keep-in-touch", *ANN)
        assert done[4:] == ["frozen", "told"]


def test_after_a_clock_that_ran_ahead_it_is_said_that_no_day_is_planned(world: World) -> None:
    """Status and sheet name the day up to which that clock has planned; before it was put back nothing is said."""
    world.rep()
    world.at(MONDAY + timedelta(days=7))
    assert {} == world.said("status")["planned_ahead"]
    world.clock.move(MONDAY)
    assert {"dan": "2026-01-12"} == world.said("status")["planned_ahead"]
    said = "! a clock ran ahead and planned for dan up to 2026-01-12: no day until then is planned any more\n"
    assert said in world.ok("status")
    said = "what that clock planned is not planned again, and until 2026-01-12 no day is"
    assert said in world.ok("today", "--rep", "dan")


def test_nobody_sets_the_numbers_of_another_rep(world: World) -> None:
    """One by one, by another playbook, or by leaving the team for which a manager set them."""
    world.rep()
    with world.worker():
        world.ok("rep", "limit", "dan", "--team", "north", *WHY, *ANN)
        world.ok("team", "set", "north", "--notes", 2, *WHY, *ANN)
        before = frozen(world)
        said = world.refused(2, "rep", "set", "dan", "--playbook", "keep-in-touch", "--as", "rep:zoe")
        assert "--as rep:zoe: a rep's numbers are set by a manager, or by the rep: --as rep:dan" in said
        for team in ("", "south"):
            said = world.refused(2, "rep", "limit", "dan", "--team", team, *WHY, "--as", "rep:dan")
            assert "--as rep:dan: in which team a rep is, and so what the team sets, is said by a manager" in said
        assert frozen(world) == before
        world.ok("rep", "set", "dan", "--playbook", "keep-in-touch", "--as", "rep:dan")
        world.ok("rep", "set", "dan", "--absence", "2026-03-09:2026-03-20", "--as", "rep:zoe")
        world.ok("rep", "limit", "dan", "--team", "", *WHY, *ANN)


def test_after_a_clock_that_ran_ahead_a_rep_can_be_changed_again(world: World) -> None:
    """The sheet says that the clock is behind the log, before the calendar is frozen anew and after it."""
    world.rep()
    world.clock.move(MONDAY + timedelta(days=800))
    with world.worker():
        world.ok("rep", "set", "dan", "--absence", "2028-05-01:2028-05-05")
    world.clock.move(MONDAY)
    said = world.refused(2, "today", "--rep", "dan")
    assert "the calendar of dan begins on " in said
    assert "the clock is behind the log: it says 2026-01-05 15:00 UTC, and dan has an event of 2028-03-15" in said
    with world.worker():
        world.ok("rep", "set", "dan", "--absence", "2026-05-01:2026-05-05")
        world.ok("rep", "limit", "dan", "--notes", 3, "--why", "part time", "--as", "manager:ann")
    assert "the clock is behind the log" in world.ok("today", "--rep", "dan")
    assert "2026-05-01" in world.ok("rep", "show", "dan")
    assert world.said("rederive", "--all")["mismatches"] == []


def test_status_goes_on_where_somebody_wrote_days_that_there_are_not(world: World) -> None:
    """PostgreSQL takes infinity for a day; `thaw verify` is to say what is wrong, and ops to see the rest."""
    world.rep()
    world.sql("UPDATE reps SET body = jsonb_set(body::jsonb, '{planned_on}', '\"infinity\"')")
    world.sql("UPDATE calendars SET body = jsonb_set(body::jsonb, '{last}', '\"-infinity\"')")
    said = world.said("status")
    assert {"dan": "9999-12-31"} == said["planned_ahead"]
    assert "ended on 0001-01-01" in said["calendars"][0]
