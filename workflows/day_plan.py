"""The words of planning: what the planner is told about leads, and the plan that it answers with."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from workflows.commands import Mode
from workflows.priority import Score

MoveReason = Literal["capacity", "rep_absent", "holiday"]
ShortfallKind = Literal["note", "call", "follow_up"]
ShortfallCode = Literal[
    "not_working", "absence", "no_stock", "backlog", "no_call_slot", "long_gap", "budget", "capacity", "hours"
]  # fmt: skip


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A queued lead."""

    lead_id: UUID
    score: Score
    last_contact_at: datetime | None
    first_touch: Literal["note", "call"]
    """"call" for a relationship fresh enough to call without a note."""


class FollowUp(msgspec.Struct, frozen=True, kw_only=True):
    """A lead in `no_response` whose next attempt is due."""

    lead_id: UUID
    score: Score
    since: datetime
    """The last touch; among equal scores the oldest goes first."""
    mode: Mode
    """"handwritten_note" needs a note slot and promises a call like a first note; all others need a follow-up slot."""
    instead: Mode | None = None
    """Of a note: another mode that was not tried yet, if the day has no slot for the note. None: the pursuit would stand still
    without it, and so it goes before notes to people who are new."""


class OpenCall(msgspec.Struct, frozen=True, kw_only=True):
    """A lead in `call_due`, wherever its call stands now."""

    lead_id: UUID
    promised_on: date
    """The day that was promised or agreed; it stays when the planner moves the call."""
    note_on: date | None
    """When the note that promised the call was written; None for a call of the follow-up class."""
    due_on: date | None = None
    """The day to which the planner moved the call, if it did."""
    reserved: bool = True
    """Whether it holds a slot of its day; nobody may have had one left when it got that day."""
    carried: bool = False
    """Whether it is overdue and holds a slot of the planned day: whoever it went over to had one left."""

    @property
    def due(self) -> date:
        """The day on whose list the call stands."""
        return self.due_on or self.promised_on


class PlannedNote(msgspec.Struct, frozen=True, kw_only=True):
    """A note to write, with the promised call whose slot it owns."""

    lead_id: UUID
    note_on: date
    call_on: date
    score: Score
    call_by: str | UnsetType = UNSET
    """The colleague who calls, if the rep does not."""


class PlannedCall(msgspec.Struct, frozen=True, kw_only=True):
    """A first call without a note, in a follow-up slot."""

    lead_id: UUID
    call_on: date
    score: Score


class PlannedFollowUp(msgspec.Struct, frozen=True, kw_only=True):
    """A later attempt, in a follow-up slot."""

    lead_id: UUID
    mode: Mode
    on: date
    score: Score


class Reschedule(msgspec.Struct, frozen=True, kw_only=True):
    """A call that leaves its day for a later one with room."""

    lead_id: UUID
    from_day: date
    to_day: date
    reason: MoveReason


class Shortfall(msgspec.Struct, frozen=True, kw_only=True):
    """`count` touches of one kind fewer than could have been, and why."""

    kind: ShortfallKind
    count: int
    code: ShortfallCode
    detail: str
    """A sentence for the rep and the manager."""


class DayPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The plan of one rep's day; every collection is in the order in which to do it."""

    day: date
    open_calls: tuple[OpenCall, ...]
    """Calls to make on this day that were scheduled before: promised ones first, the oldest promise first."""
    notes: tuple[PlannedNote, ...]
    calls: tuple[PlannedCall, ...]
    follow_ups: tuple[PlannedFollowUp, ...]
    reschedules: tuple[Reschedule, ...]
    """Oldest promise first."""
    shortfalls: tuple[Shortfall, ...]
    backlog: int
    """Promised calls, due by this day, that this day cannot take."""
    minutes: int
    """Minutes of the day that are taken when the plan is carried out; past the budget only by what comes before notes."""
