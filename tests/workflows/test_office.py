"""Laws of whole logs, on random offices: what is recorded is what a fold says, and every decision comes out again."""

from collections import defaultdict
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workflows.office import CALENDARS, Office
from workflows.as_of import happened_by, in_order
from workflows.books import Books
from workflows.codec import canonical
from workflows.events import Recorded
from workflows.fold import fold
from workflows.handle import calendar_digest
from workflows.lead import RESTING, Lead
from workflows.rederive import Library, rederive, rederive_book_decisions
from workflows.timers import fires


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(5, 45), st.floats(0, 0.4))
@settings(max_examples=25, deadline=None)
def test_a_whole_log_is_what_its_events_say(seed: int, leads: int, days: int, wild: float) -> None:
    """Any office: states at every event, both senses of as-of, slots, timers, and all decisions and plans."""
    office = Office(leads)
    office.live(days, Random(seed), wild=wild)
    log = office.read_back()
    assert [canonical(one) for one in log] == [canonical(other) for other in office.log]
    streams: dict[UUID, list[Recorded]] = defaultdict(list)
    for recorded in log:
        streams[recorded.stream_id].append(recorded)
    held = {slot: id_ for lead in office.simulation.books.leads.values() for slot in lead.slots for id_ in [lead.id]}
    assert held.items() <= office.simulation.books.slots().items()
    for history in streams.values():
        if history[0].state != "rep":
            folds_to_what_was_recorded(history, office.simulation.books.leads[history[0].stream_id])
    everything_is_derived_again(streams, log, office)


def folds_to_what_was_recorded(history: list[Recorded], lived: Lead) -> None:
    """The fold after n events has the state that event n recorded; as recorded and as occurred agree if nothing was late."""
    lead: Lead | None = None
    late = False
    for number, recorded in enumerate(history, start=1):
        lead = fold(lead, recorded)
        assert (number, recorded.state) == (lead.version, lead.state)
        late = late or recorded.occurred_at != recorded.recorded_at
        if not late:
            assert lead == in_order(happened_by(history[:number], recorded.recorded_at, number))[-1].after
    assert canonical(lead) == canonical(lived)
    if lived.state not in RESTING:
        assert any(fires(name) for name in lived.timers)


def everything_is_derived_again(streams: dict[UUID, list[Recorded]], log: list[Recorded], office: Office) -> None:
    """Not one field of one decision differs, and no event is left out."""
    calendars = {calendar_digest(calendar): calendar for calendar in office.calendars.values()}
    library = Library(calendars, {playbook.pin.digest: playbook for playbook in office.playbooks})
    found = [rederive(history, library) for history in streams.values()]
    plans = [plan for stream in found for plan in stream.book_decisions]
    assert [] == [each for stream in found for each in stream.mismatches]
    assert [] == [each for _, mismatches in rederive_book_decisions(log, plans, library) for each in mismatches]
    assert len(log) == sum(stream.events for stream in found) + sum(len(plan.recorded) for plan in plans)


def test_a_log_that_is_taken_in_goes_on_as_it_would_have() -> None:
    """Half a log read by a second simulation, and the other half lived by both, leaves the same log."""
    first = Office(8)
    first.live(12, Random(4))
    again = first.taken_up()
    for office in (first, again):
        office.live(10, Random(5))
    same = ("correlation_id", "causation_id")  # of a timer that was armed before the log was taken in nothing more is known
    assert [_without(one, same) for one in first.log] == [_without(other, same) for other in again.log]


def _without(recorded: Recorded, names: tuple[str, ...]) -> dict[str, object]:
    return {name: getattr(recorded, name) for name in recorded.__struct_fields__ if name not in names}


def test_a_lead_that_is_forgotten_holds_its_slots_and_does_nothing() -> None:
    """The simulation goes on without it, and nobody else gets what it has."""
    office = Office(6)
    office.live(3, Random(1))
    lead = next(lead for lead in office.simulation.books.leads.values() if lead.slots)
    office.simulation.forget(lead.id)
    seen = len(office.log)
    office.live(20, Random(2))
    assert lead.id not in {recorded.stream_id for recorded in office.log[seen:]}
    assert lead.id not in office.simulation.books.leads
    slots = office.simulation.books.slots()
    assert [lead.id] * len(lead.slots) == [slots[slot] for slot in lead.slots]


@pytest.mark.parametrize("number", [0, 3])
def test_books_are_those_of_the_log_so_far(number: int) -> None:
    """Taken in event by event, the book of a rep holds who stands where, and what is taken of the days ahead."""
    office = Office(6)
    office.live(5, Random(number))
    books = Books()
    for recorded in office.log:
        books.take(recorded)
    for rep in CALENDARS:
        today = CALENDARS[rep].local_day(office.simulation.now)
        assert office.simulation.books.book(rep, today) == books.book(rep, today)
    assert len(office.log) == books.position
