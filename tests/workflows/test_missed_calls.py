"""Missed calls go first the next day (methods.md 6.3, 6.4): the oldest promise before today's own, which open later."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from msgspec.structs import replace

from tests.workflows.office import CALENDARS, CHECKS, PLAYBOOK, Office
from tests.workflows.test_cover import all_is_derived
from workflows.calendars import Absence
from workflows.codec import derived_id
from workflows.commands import Hold, MarkNoteSent, RecordCall, RescheduleCall, SetCalendar
from workflows.events import CallRescheduled
from workflows.lead import Lead
from workflows.rep import rep_id

CALENDAR = CALENDARS["dan"]


def live(office: Office, until: date, missed: date) -> dict[date, list[date]]:
    """Live up to and including *until*, each note written and each call of dan's made but on the day *missed*.

    Return for each day the days for which the calls that were made on it had been promised, in their order.
    """
    made: dict[date, list[date]] = {}
    while (today := office.simulation.now.date()) < until:
        today += timedelta(days=1)
        office.simulation.run_until(datetime.combine(today, time(18, 30), tzinfo=UTC))
        for lead in sorted(office.simulation.books.leads.values(), key=_oldest):
            if lead.owner == "dan" and lead.state == "note_due":
                office.hand_in((lead.id, MarkNoteSent(medium="hand_written", attested=CHECKS)))
            elif (
                lead.owner == "dan"
                and lead.state == "call_due"
                and lead.promised
                and (lead.call_on or date.max) <= today != missed
            ):
                made.setdefault(today, []).append(lead.promised_on or today)
                office.hand_in((lead.id, RecordCall(outcome="voicemail")))
    return made


def _oldest(lead: Lead) -> tuple[date, str]:
    return lead.promised_on or date.max, str(lead.id)


def test_the_oldest_promises_are_called_first_and_todays_own_wait() -> None:
    """Two calls a day and two more to catch up: after a missed day its two and two of today's are made, and none twice late."""
    missed = date(2026, 1, 20)
    office = Office(60, PLAYBOOK)
    made = live(office, date(2026, 1, 30), missed)
    after = CALENDAR.next_working_day(missed)
    assert [missed, missed] == made[after][:2], "the day after begins with what was missed"
    late = [(day, promised) for day, promises in made.items() for promised in promises if day != promised]
    assert late
    assert {1} == {CALENDAR.working_days_between(promised, day) for day, promised in late}, "one working day late, never more"


def test_a_day_that_cannot_take_all_moves_its_own_calls_and_not_the_older_ones() -> None:
    """Two days missed: their four calls fill the day, and those promised for it go to later days, with the reason."""
    office = Office(60, PLAYBOOK)
    live(office, date(2026, 1, 19), date(2026, 1, 1))
    for number in (20, 21):
        office.simulation.run_until(datetime(2026, 1, number, 23, tzinfo=UTC))
    made = live(office, date(2026, 1, 30), date(2026, 1, 1))
    thursday = date(2026, 1, 22)
    assert [date(2026, 1, 20)] * 2 + [date(2026, 1, 21)] * 2 == made[thursday]
    moved = [each.data for each in office.log if isinstance(each.data, CallRescheduled)]
    assert [(thursday, "capacity")] * 2 == [(each.previous_call_on, each.reason) for each in moved[:2]]
    assert max(map(len, made.values())) == PLAYBOOK.capacity.calls + PLAYBOOK.capacity.catch_up_calls
    all_is_derived(office)


def promised(office: Office) -> tuple[Lead, datetime]:
    """Live until some note of dan's is sent, and return its lead with the moment at which its call opens."""
    live(office, date(2026, 1, 12), date(2026, 1, 1))
    sent = [lead for lead in office.simulation.books.leads.values() if lead.owner == "dan" and lead.state == "note_sent"]
    one = min(sent, key=_oldest)
    return one, one.timers["call_after_note"].due_at


def planned_move(opens: datetime) -> RescheduleCall:
    """Return the move that a plan proposes of a call that opens later on its day."""
    call_on = CALENDAR.add_working_days(opens.date(), 3)
    return RescheduleCall(call_on=call_on, reason="capacity", not_before=opens + timedelta(minutes=1))


def test_a_planned_move_that_comes_before_the_call_has_opened_waits_for_it() -> None:
    """After downtime both are due, and the move is asked first: the call opens, and is then moved; nothing is refused."""
    office = Office(60, PLAYBOOK)
    one, opens = promised(office)
    office.simulation.run_until(opens - timedelta(minutes=1))
    asked = office.simulation.submit(derived_id("move", 1), one.id, planned_move(opens), asked_by="planner")
    office.simulation.move(opens + timedelta(hours=1))
    history = [each.data for each in office.log if each.stream_id == one.id]
    assert ["CallDue", "CallRescheduled"] == [type(data).__name__ for data in history[-2:]]
    assert "applied" == asked.outcome
    all_is_derived(office)


@pytest.mark.parametrize("on_hold", [False, True])
def test_a_planned_move_of_a_call_that_does_not_open_leaves_no_event(on_hold: bool) -> None:
    """Dan turns out to be ill, and the call is put off; or the lead is held: nothing is left to move."""
    office = Office(60, PLAYBOOK)
    one, opens = promised(office)
    if on_hold:
        office.hand_in((one.id, Hold(reason="manual")), who="manager:ann")
    else:
        ill = Absence(first=opens.date(), last=opens.date(), reason="sick")
        office.calendars = {**CALENDARS, "dan": replace(CALENDAR, absences=(ill,))}
        command = SetCalendar(rep="dan", calendar=office.calendars["dan"], playbook=PLAYBOOK.id)
        office.hand_in((rep_id("dan"), command), who="manager:ann")
    office.simulation.run_until(opens + timedelta(minutes=1))
    known = office.simulation.lead(one.id)
    asked = office.simulation.submit(derived_id("move", 1), one.id, planned_move(opens), asked_by="planner")
    office.simulation.move(opens + timedelta(minutes=1))
    assert ("superseded", known) == (asked.outcome, office.simulation.lead(one.id))
