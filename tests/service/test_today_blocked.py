"""What cannot be done now, by which rule, and what would unblock it."""

from datetime import UTC, date, datetime, timedelta

from service.calendars import freeze_calendar
from service.today import Tally
from tests.service.sheets import kinds, sheet, week
from tests.service.world import MONDAY, World, database_template, quiet_logs, world
from workflows.commands import SetCalendar
from workflows.law_facts import ImportedLawFacts
from workflows.rep import rep_id

__all__ = ["database_template", "quiet_logs", "week", "world"]


def test_calls_outside_the_prospects_hours_are_blocked_until_they_open(world: World) -> None:
    world.rep()
    world.register(1, timezone="America/Los_Angeles", law=ImportedLawFacts(region="US-CA"))
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        world.ok("note-sent", "V-0000", "--attest-all")
    world.at(MONDAY + timedelta(days=8))
    found = sheet(world)
    assert found.items == ()
    (blocked,) = found.blocked
    assert (blocked.kind, blocked.rule) == ("call", "contact_hours")
    assert blocked.why == "it is Tue 07:00 where they live (US-CA), outside the hours for calls"
    assert blocked.unblock == "call from Tue 2026-01-13 12:00 on"
    assert found.calls == Tally(done=0, planned=1, capacity=5)
    world.at(datetime(2026, 1, 13, 17, 0, tzinfo=UTC))
    assert kinds(sheet(world).items) == [("call", "V-0000")]


def test_a_promised_call_waits_for_the_working_day_to_begin(week: World, world: World) -> None:
    del week
    world.register(1)
    world.at(datetime(2026, 1, 14, 15, 0, tzinfo=UTC))
    with world.worker():
        world.ok("note-sent", "V-0005", "--attest-all")
    world.at(datetime(2026, 1, 22, 11, 0, tzinfo=UTC))
    (blocked,) = (each for each in sheet(world).blocked if each.key == "V-0005")
    assert blocked.why == "the promised call opens with the working day"
    assert blocked.unblock == "it comes by itself Thu 2026-01-22 08:00"


def test_a_promised_call_that_is_refused_says_by_which_rule(week: World) -> None:
    week.register(1)
    week.at(MONDAY + timedelta(days=9))
    with week.worker():
        week.ok("note-sent", "V-0005", "--attest-all")
        week.ok("opt-out", "V-0005", "--channel", "call")
    week.at(datetime(2026, 1, 22, 15, 0, tzinfo=UTC))
    calls = sheet(week).calls.planned
    with week.worker():
        week.refused(1, "call", "V-0005", "--outcome", "voicemail")
    found = sheet(week)
    (blocked,) = (each for each in found.blocked if each.key == "V-0005")
    assert (blocked.rule, blocked.why) == ("call_reachable", "The prospect opted out of contact by call.")
    assert blocked.unblock == "asked again Fri 2026-01-23 08:00; the promise ends Thu 2026-02-05 18:00"
    assert (blocked.kind, found.calls.planned) == (None, calls)
    week.at(datetime(2026, 2, 5, 23, 30, tzinfo=UTC))
    assert "V-0005" not in {each.key for each in sheet(week).blocked}
    assert week.lead(week.leads[5]).state == "queued"


def test_a_call_is_not_missed_on_a_day_on_which_nobody_may_call(world: World) -> None:
    """dan works on Saturdays, when his prospects may not be called: Saturday says so and counts no call, Monday has it."""
    world.replans = True
    world.rep()
    world.register(1)
    calendar = freeze_calendar("US", "", "America/New_York", date(2025, 1, 1), date(2028, 12, 31), weekdays=range(1, 7))
    world.hand_in(rep_id("dan"), SetCalendar(rep="dan", calendar=calendar, playbook="five-five-five"))
    with world.worker():
        world.ok("note-sent", "V-0000", "--attest-all")
    world.at(datetime(2026, 1, 10, 15, 0, tzinfo=UTC))
    found = sheet(world)
    (blocked,) = found.blocked
    assert (blocked.kind, blocked.rule) == (None, "contact_hours")
    assert blocked.unblock.startswith("asked again Mon 2026-01-12 08:00; the promise ends ")
    assert (found.calls, found.minutes_planned) == (Tally(done=0, planned=0, capacity=5), 0)
    world.at(datetime(2026, 1, 12, 15, 0, tzinfo=UTC))
    assert kinds(sheet(world).items) == [("call", "V-0000")]


def test_a_promised_call_that_nobody_made_due_points_at_the_service(week: World) -> None:
    week.register(1)
    week.at(MONDAY + timedelta(days=9))
    with week.worker():
        week.ok("note-sent", "V-0005", "--attest-all")
    week.clock.move(datetime(2026, 1, 22, 15, 0, tzinfo=UTC))
    (blocked,) = (each for each in sheet(week).blocked if each.key == "V-0005")
    assert (blocked.why, blocked.unblock) == ("the promised call is due, but no worker has got to it", "thaw status")


def test_held_leads_are_blocked_with_the_way_out(week: World) -> None:
    with week.worker():
        week.ok("hold", "V-0000", "--reason", "needs_address")
        week.ok("hold", "V-0001", "--reason", "legal_review", "--until", "2026-02-02")
    blocked = {each.key: each for each in sheet(week).blocked}
    assert blocked["V-0000"].why == "on hold: needs address"
    assert blocked["V-0000"].unblock == "put the new address into the CRM, then thaw release V-0000"
    assert blocked["V-0001"].why == "on hold until Mon 2026-02-02: legal review"
    assert "V-0000" not in {item.key for item in sheet(week).items}
