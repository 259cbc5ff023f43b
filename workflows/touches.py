"""The touches in a run of events, recorded or simulated: by lead, kind and day, and how long things took between them."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Literal, NamedTuple, get_args
from uuid import UUID

import msgspec

from workflows import horizon
from workflows.calendars import Calendar
from workflows.events import Recorded, event_type
from workflows.lead import Lead
from workflows.transitions import CALL_ROWS

TouchKind = Literal["note", "call", "follow_up", "breakup", "nurture"]
TOUCH_KINDS: tuple[TouchKind, ...] = get_args(TouchKind)

_ROWS: dict[str, TouchKind] = {"T10": "note", "T25": "follow_up", "T27": "breakup", "T32": "nurture"}


class Touch(NamedTuple):
    """Something that we did to reach a lead. A ``call`` is one that a note promised; all other calls are ``follow_up``."""

    lead_id: UUID
    owner: str
    kind: TouchKind
    day: date
    known: bool = True
    """What came of it is in the log."""


class Milestone(msgspec.Struct, frozen=True):
    """An event that moved a lead, on the owner's day."""

    event: str
    row: str
    day: date
    actor: str


class Tally:
    """Counts what a run of events did. Events before the *counted* ones are taken in for what they lead to."""

    def __init__(self) -> None:
        self.touches: list[Touch] = []
        """In the order of the events."""
        self.gap_days: Counter[int] = Counter()
        """Calendar days from a note to the call that it promised: how often each."""
        self.queued_days: list[int] = []
        """Calendar days in the queue before a first touch was planned, one for each time a lead left it so."""
        self.trails: dict[UUID, list[Milestone]] = {}
        self._promised: dict[UUID, date] = {}
        self._queued: dict[UUID, date] = {}

    def take(
        self,
        recorded: Recorded,
        lead: Lead,
        calendar: Calendar | None,
        *,
        counted: bool = True,
        known: bool = True,
        called: bool = True,
    ) -> None:
        """Take in an event of *lead*, which is as the event left it; *calendar* is its owner's.

        Without *called* nobody called, even where the row is that of a call: a decline can come while a call is due.
        """
        if recorded.row is None:
            return
        day = horizon.local_day(calendar or horizon.PLAIN, recorded.occurred_at)
        kind = self._kind(recorded, lead.id)
        if counted:
            milestone = Milestone(event_type(recorded.data), recorded.row, day, recorded.actor)
            self.trails.setdefault(lead.id, []).append(milestone)
            if kind and (called or recorded.row not in CALL_ROWS):
                self.add(lead, kind, day, known=known)
            if recorded.row in ("T07", "T08") and lead.id in self._queued:
                self.queued_days.append((day - self._queued[lead.id]).days)
        self._remember(recorded, lead, day)

    def add(self, lead: Lead, kind: TouchKind, day: date, *, known: bool) -> None:
        """Count a touch."""
        self.touches.append(Touch(lead.id, lead.owner, kind, day, known))
        if kind == "call" and lead.id in self._promised:
            self.gap_days[(day - self._promised[lead.id]).days] += 1

    def _kind(self, recorded: Recorded, lead_id: UUID) -> TouchKind | None:
        if recorded.row in CALL_ROWS:
            return "call" if lead_id in self._promised else "follow_up"
        return _ROWS.get(recorded.row or "")

    def _remember(self, recorded: Recorded, lead: Lead, day: date) -> None:
        if recorded.row == "T10":
            self._promised[lead.id] = day
        elif recorded.state not in ("note_sent", "call_due"):
            self._promised.pop(lead.id, None)
        if recorded.state == "queued":
            self._queued[lead.id] = day
        else:
            self._queued.pop(lead.id, None)


def by_period(touches: Iterable[Touch], monthly: bool) -> dict[date, Counter[TouchKind]]:
    """Return how many touches of each kind fell into each month, or each week, by its first day; earliest first."""
    found: dict[date, Counter[TouchKind]] = {}
    for touch in touches:
        found.setdefault(period_of(touch.day, monthly), Counter())[touch.kind] += 1
    return dict(sorted(found.items()))


def period_of(day: date, monthly: bool) -> date:
    """Return the first of the month of *day*, or the Monday of its week."""
    return day.replace(day=1) if monthly else date.fromordinal(day.toordinal() - day.weekday())
