"""A rep who does each day exactly what the plan says, simulated day by day over the pure planner."""

from datetime import date, timedelta
from itertools import count
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from workflows.planner import (
    Candidate,
    Capacity,
    DayPlan,
    FollowUp,
    Load,
    OpenCall,
    PlannedNote,
    plan_day,
)
from workflows.priority import Score, ScoreInputs, Weights, score

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from workflows.calendars import Calendar

SAME_SCORE = score(ScoreInputs(stage_depth=2, value_band=2, minutes_invested=90, importance=3), Weights())


def new_lead(number: int, points: Score = SAME_SCORE) -> Candidate:
    return Candidate(lead_id=UUID(int=number), score=points, last_contact_at=None, first_touch="note")


class MadeCall(msgspec.Struct, frozen=True, kw_only=True):
    """A promised call, and the day on which it was really made."""

    lead_id: UUID
    note_on: date
    promised_on: date
    made_on: date


class PerfectRep:
    """Applies each plan: reserves its slots, moves what it moves, writes its notes and makes its calls."""

    def __init__(self, calendar: "Calendar", capacity: Capacity | None = None) -> None:
        self.calendar = calendar
        self.capacity = capacity or Capacity()
        self.loads: dict[date, Load] = {}
        self.open: dict[UUID, OpenCall] = {}
        self.notes: list[PlannedNote] = []
        self.calls: list[MadeCall] = []
        self._stock = (new_lead(number) for number in count(1))

    def plan(self, day: date, candidates: "Iterable[Candidate]" = (), follow_ups: "Iterable[FollowUp]" = ()) -> DayPlan:
        return plan_day(day, self.calendar, self.capacity, self.loads, self.open.values(), candidates, follow_ups)

    def stock(self, leads: int = 12) -> list[Candidate]:
        """Return leads that nobody has written to yet."""
        return [next(self._stock) for _ in range(leads)]

    def reserve(self, plan: DayPlan) -> None:
        """Take the slots of a plan and move its calls, as the service does in one transaction."""
        day = plan.day
        for moved in plan.reschedules:
            call = self.open[moved.lead_id]
            kind = "follow_ups" if call.note_on is None else "calls"
            if moved.from_day == day:
                self._add(day, kind, -1)
            self._add(moved.to_day, kind, 1)
            self.open[moved.lead_id] = msgspec.structs.replace(call, due_on=moved.to_day)
        for note in plan.notes:
            self._add(day, "notes", 1)
            self._add(note.call_on, "calls", 1)
            self.open[note.lead_id] = OpenCall(lead_id=note.lead_id, promised_on=note.call_on, note_on=note.note_on)
        self._add(day, "follow_ups", len(plan.calls) + len(plan.follow_ups))
        self.notes += plan.notes

    def make_calls(self, plan: DayPlan) -> None:
        """Make the calls of the day; a carried-over one takes a slot of the day on which it is made."""
        for call in plan.open_calls:
            if call.due != plan.day:
                self._add(plan.day, "follow_ups" if call.note_on is None else "calls", 1)
            del self.open[call.lead_id]
            if call.note_on is not None:
                self.calls.append(
                    MadeCall(lead_id=call.lead_id, note_on=call.note_on, promised_on=call.promised_on, made_on=plan.day)
                )

    def work(self, first: date, last: date, missed: "Iterable[date]" = ()) -> "Iterator[DayPlan]":
        """Work every day from `first` to `last`, except that on missed days nothing happens at all."""
        missed = set(missed)
        for passed in range((last - first).days + 1):
            day = first + timedelta(days=passed)
            if day not in missed:
                plan = self.plan(day, self.stock())
                self.reserve(plan)
                self.make_calls(plan)
                yield plan

    def notes_on(self, day: date) -> int:
        return sum(note.note_on == day for note in self.notes)

    def calls_on(self, day: date) -> int:
        return sum(call.made_on == day for call in self.calls)

    def _add(self, day: date, kind: str, slots: int) -> None:
        load = self.loads.get(day, Load())
        self.loads[day] = msgspec.structs.replace(load, **{kind: getattr(load, kind) + slots})
