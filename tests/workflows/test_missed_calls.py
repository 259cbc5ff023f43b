"""Missed calls go first the next day (methods.md 6.3, 6.4): the oldest promise before today's own, which open later."""

from datetime import UTC, date, datetime, time, timedelta

from tests.workflows.office import CALENDARS, CHECKS, PLAYBOOK, Office
from tests.workflows.test_cover import all_is_derived
from workflows.commands import MarkNoteSent, RecordCall
from workflows.events import CallRescheduled
from workflows.lead import Lead

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
    monday = date(2026, 1, 22)
    assert [date(2026, 1, 20)] * 2 + [date(2026, 1, 21)] * 2 == made[monday]
    moved = [each.data for each in office.log if isinstance(each.data, CallRescheduled)]
    assert [(date(2026, 1, 22), "capacity")] * 2 == [(each.previous_call_on, each.reason) for each in moved[:2]]
    assert max(map(len, made.values())) == PLAYBOOK.capacity.calls + PLAYBOOK.capacity.catch_up_calls
    all_is_derived(office)
