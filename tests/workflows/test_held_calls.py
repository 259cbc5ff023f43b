"""Calls on hold in the plan of a day: nobody makes them, so they take no place and hold up no notes."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from tests.workflows import office as offices
from tests.workflows.office import CALENDARS, PLAYBOOK, Office
from tests.workflows.test_cover import all_is_derived, write_all
from workflows.books import Book, Books
from workflows.commands import Hold
from workflows.events import CallRescheduled, DayPlanned, Used
from workflows.law_facts import ImportedLawFacts
from workflows.rep import rep_id

#: The calls that two notes promised for two days before are not made; two more open on this day.
DAY = date(2026, 1, 15)
STRICT = replace(PLAYBOOK, capacity=replace(PLAYBOOK.capacity, catch_up_calls=0))


def plan_with_overdue_calls(*, hold: bool) -> tuple[Office, DayPlanned, Used]:
    """Return the plan of the day of eve, whose overdue calls are on *hold* if that is said."""
    office = Office(40, STRICT, {"dan": CALENDARS["dan"], "eve": CALENDARS["dan"]})
    write_all(office, date(2026, 1, 12))
    office.simulation.run_until(datetime(2026, 1, 14, 23, 30, tzinfo=UTC))
    late = [lead for lead in office.simulation.books.leads.values() if (lead.owner, lead.state) == ("eve", "call_due")]
    assert 2 == sum(lead.call_on == date(2026, 1, 13) for lead in late)
    for lead in late if hold else ():
        office.hand_in((lead.id, Hold(reason="manual")), who="manager:ann")
    office.simulation.run_until(datetime(2026, 1, 15, 23, tzinfo=UTC))
    (plan,) = [each for each in office.log if isinstance(each.data, DayPlanned) and each.data.day == DAY
               and each.stream_id == rep_id("eve")]  # fmt: skip
    assert isinstance(plan.data, DayPlanned)
    assert plan.used
    return office, plan.data, plan.used


def test_overdue_calls_take_the_places_of_the_day_but_on_hold_they_take_none() -> None:
    """The two that open on the day have to move only where somebody makes the older ones; the plan says what it left out."""
    for hold, moved, held in ((False, 2, 0), (True, 0, 4)):
        office, plan, used = plan_with_overdue_calls(hold=hold)
        assert (moved, held) == (len(plan.rescheduled), used.held)
        all_is_derived(office)


def test_a_plan_of_before_is_made_again_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """It took calls on hold for calls to make, and says nothing of them."""
    read = Books.book

    def of_before(*given: Any) -> Book:
        return replace(read(*given), resting=False)

    with monkeypatch.context() as patch:
        patch.setattr(Books, "book", of_before)
        office, plan, used = plan_with_overdue_calls(hold=True)
    assert (2, UNSET) == (len(plan.rescheduled), used.held)
    all_is_derived(office)


@pytest.mark.parametrize("lawful", [True, False])
def test_a_call_that_is_moved_is_not_put_on_a_holiday_of_the_law(lawful: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Monday 19 January is one in Louisiana, on which dan and eve work. A plan of before did not ask, and is made again so."""
    read, told = Books.book, offices.registration
    law = ImportedLawFacts(region="US-LA")
    with monkeypatch.context() as patch:
        patch.setattr(offices, "registration", lambda number: replace(told(number), law=law, timezone="America/Chicago"))
        patch.setattr(Books, "book", lambda *given: replace(read(*given), lawful=lawful))
        office, _, used = plan_with_overdue_calls(hold=False)
    assert used.lawful is (lawful or UNSET)
    moved = [each.data.call_on for each in office.log if isinstance(each.data, CallRescheduled)]
    assert moved
    assert (date(2026, 1, 19) in moved) is not lawful
    all_is_derived(office)
