"""The simulation and the service, side by side: the same commands at the same moments leave the same log, byte for byte.

On one side PostgreSQL, the real clock's claims and the real transaction; on the other `workflows.simulation`. Ids of messages
are compared too, and what each message came to, the slots, and the leads as they stand.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from random import Random
from uuid import UUID

import pytest
from msgspec.structs import replace

from models import events, playbooks, rings
from models.database import transaction
from models.messages import Ring
from service.calendars import freeze_calendar
from service.playbooks import shipped_playbooks
from tests.desk import Desk, registration
from tests.workflows.office import REPS, days_work
from workflows.calendars import Absence
from workflows.codec import canonical, derived_id
from workflows.commands import Command, SetCalendar, decode_command
from workflows.events import CommandRefused, DayPlanned, NoteScheduled, Recorded
from workflows.rep import rep_id
from workflows.simulation import Simulation


class Both:
    """A desk and a simulation to which the same happens."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.log: list[Recorded] = []
        self.simulation = Simulation(desk.now, [playbook for playbook, _ in shipped_playbooks().values()], self.log.append)
        self._handed_in = 0
        # The desk has hired its first rep already.
        for id_, stream_id, body, who in desk.ask(
            "SELECT id, stream_id, body, asked_by FROM messages WHERE causation_id IS NULL"
        ):
            assert isinstance(id_, UUID)
            assert isinstance(stream_id, UUID)
            self.simulation.submit(id_, stream_id, decode_command(str(body)), asked_by=str(who))
            self.simulation.move(desk.now)

    def hand_in(self, *work: tuple[UUID, Command], who: str = "rep:dan") -> None:
        """Hand in commands together, each for a stream, and let both sides finish."""
        rings: list[Ring] = []
        for stream_id, command in work:
            self._handed_in += 1
            id_ = derived_id("both", self._handed_in)
            rings += self.desk.submit(stream_id, command, who=who, id_=id_)
            self.simulation.submit(id_, stream_id, command, asked_by=who)
        self._work(rings)
        self.simulation.move(self.desk.now)

    def move(self, moment: datetime) -> None:
        """Set both clocks to *moment*; what came due meanwhile is applied at that moment, as after downtime."""
        self.desk.clock.moment = moment
        self._work([])
        self.simulation.move(moment)

    def run_until(self, moment: datetime) -> None:
        """Let both do each thing when it is due."""
        while (due := self.simulation.next_due()) is not None and due <= moment:
            self.move(due)
        self.move(moment)

    def _work(self, rings: Sequence[Ring]) -> None:
        """Apply what is rung, what the commits ring, and then what the clock claims, until there is nothing left."""
        while rings or (rings := self._claimed()):
            rings = self.desk.applier.apply(rings)

    def _claimed(self) -> list[Ring]:
        with transaction(self.desk.engine) as connection:
            return rings.claim_due(connection, now=self.desk.now, limit=10_000)

    def compare(self) -> None:
        """Everything that the one wrote, the other has."""
        with transaction(self.desk.engine) as connection:
            written = [row.body for row in events.read_log(connection)]
        simulated = [canonical(recorded).decode() for recorded in self.log]
        for position, (one, other) in enumerate(zip(written, simulated, strict=False), start=1):
            assert one == other, f"the events at position {position} differ"
        assert len(written) == len(simulated)
        held = self.simulation.books.slots()
        assert self.desk.ask("SELECT rep, kind, day, ordinal, lead_id FROM slots ORDER BY 1, 2, 3, 4") == [
            (slot.rep, slot.kind, slot.day, slot.ordinal, held[slot]) for slot in sorted(held)
        ]
        assert self._messages() == sorted(
            (
                m.id,
                m.stream_id,
                canonical(m.command).decode(),
                m.asked_by,
                m.correlation_id,
                m.causation_id,
                m.due_at,
                m.outcome,
            )
            for m in self.simulation.messages.values()
        )
        leads = self.simulation.books.leads
        assert self.desk.ask("SELECT id, body FROM leads ORDER BY id") == [
            (id_, canonical(leads[id_]).decode()) for id_ in sorted(leads)
        ]

    def _messages(self) -> list[tuple[object, ...]]:
        columns = "id, stream_id, body, asked_by, correlation_id, causation_id, due_at, outcome"
        return list(self.desk.ask(f"SELECT {columns} FROM messages ORDER BY id"))


@pytest.fixture
def both(desk: Desk) -> Both:
    """Two reps on both sides, the second with a week of leave and in another time zone, and ninety leads of theirs."""
    desk.replans = True
    both = Both(desk)
    first, last = (desk.now - timedelta(days=400)).date(), (desk.now + timedelta(days=800)).date()
    leave = Absence(first=(desk.now + timedelta(days=14)).date(), last=(desk.now + timedelta(days=18)).date())
    calendar = freeze_calendar("US", "", "America/Los_Angeles", first, last, absences=(leave,))
    both.hand_in(
        (rep_id("eve"), SetCalendar(rep="eve", calendar=calendar, playbook="multi-channel-revival")), who="manager:ann"
    )
    new = [
        (
            derived_id("lead", number),
            replace(
                registration(REPS[number % 2]), value_band=number % 5, stage_depth=number % 4, minutes_invested=number * 13
            ),
        )
        for number in range(90)
    ]
    both.hand_in(*new, who="import")
    return both


@pytest.mark.parametrize("seed", [1, 2])
def test_the_simulation_leaves_the_log_that_the_service_leaves(both: Both, seed: int) -> None:
    """Three weeks of two reps: plans, notes, calls, replies, holds, late entries, refusals, other owners, two lost days."""
    dice = Random(seed)
    today = both.desk.now
    for number in range(1, 24):
        morning = datetime.combine((today + timedelta(days=number)).date(), time(15, 30), tzinfo=today.tzinfo)
        if number in (7, 8):
            continue  # nothing runs; the plans and calls of these two days come due together afterwards
        (both.move if number == 9 else both.run_until)(morning)
        both.hand_in(*days_work(both.simulation.books.leads.values(), both.desk.now, dice))
        both.run_until(morning + timedelta(hours=5))
        both.hand_in(*days_work(both.simulation.books.leads.values(), both.desk.now, dice), who="manager:ann")
    both.compare()
    kinds = {type(recorded.data).__name__ for recorded in both.log}
    assert {"DayPlanned", "CallDue", "CommandRefused", "LeadReassigned", "LeadReleased", "NoteSlotReleased"} <= kinds
    assert len(both.log) > 600
    planned = Counter((recorded.stream_id, recorded.data.day) for recorded in both.log if isinstance(recorded.data, DayPlanned))
    assert max(planned.values()) > 1, "some day was planned again"


@pytest.mark.parametrize("zone_of_eve", ["America/Los_Angeles", "America/New_York"])
def test_a_colleague_who_covers_comes_out_alike(desk: Desk, zone_of_eve: str) -> None:
    """Two reps cover for each other while each is on leave: the same plans, slots and events, across both reps' days.

    In one zone both plan at the same moment, and nothing that is planned is refused for want of a slot.
    """
    desk.replans = True
    both = Both(desk)
    shipped = next(playbook for playbook, _ in shipped_playbooks().values() if playbook.id == "five-five-five")
    covering = replace(shipped, version="1.9.0", capacity=replace(shipped.capacity, long_gap="colleague"))
    with transaction(desk.engine) as connection:
        playbooks.publish(connection, covering)
    both.simulation.publish(covering)
    first, last = (desk.now - timedelta(days=400)).date(), (desk.now + timedelta(days=800)).date()
    zones = {"dan": "America/New_York", "eve": zone_of_eve}
    leave = {
        "dan": Absence(first=date(2026, 1, 21), last=date(2026, 2, 3), cover="eve"),
        "eve": Absence(first=date(2026, 1, 9), last=date(2026, 1, 20), cover="dan"),
    }
    for rep, zone in zones.items():
        calendar = freeze_calendar("US", "", zone, first, last, absences=(leave[rep],))
        both.hand_in((rep_id(rep), SetCalendar(rep=rep, calendar=calendar, playbook=covering.id)), who="manager:ann")
    # Dan has few leads at first, so that his days have room for eve's calls.
    both.hand_in(*((derived_id("lead", n), registration(REPS[n % 10 > 0])) for n in range(60)), who="import")
    dice, today = Random(3), desk.now
    for number in range(1, 24):
        morning = datetime.combine((today + timedelta(days=number)).date(), time(15, 30), tzinfo=today.tzinfo)
        both.run_until(morning)
        if number == 8:
            both.hand_in(*((derived_id("lead", n), registration("dan")) for n in range(60, 90)), who="import")
        both.hand_in(*days_work(both.simulation.books.leads.values(), desk.now, dice))
        both.run_until(morning + timedelta(hours=5))
        both.hand_in(*days_work(both.simulation.books.leads.values(), desk.now, dice), who="manager:ann")
    both.compare()
    refused = {each.data.rule for each in both.log if isinstance(each.data, CommandRefused) and each.actor == "planner"}
    assert "call_slot_free" not in refused
    covered = {each.data.call_by for each in both.log if isinstance(each.data, NoteScheduled) and each.data.call_by}
    assert {"dan", "eve"} == covered
