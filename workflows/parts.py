"""Where one lead is in a run of its recorded history, and recorded commands moved in time with the touch that they followed."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from workflows import horizon
from workflows.calendars import Calendar
from workflows.commands import (
    AnswerImportance,
    Command,
    CompleteHomework,
    IntroduceConnector,
    Qualify,
    RecordOffer,
    RecordReason,
    RecordStrategy,
)
from workflows.homework_commands import AnticipateNeed, OpenHistory, ReviewDecline, UncoverOpportunity
from workflows.scripts import Act, Script, Stretch, ask_kind, working_days_after

#: What is recorded of a lead and is no contact with it.
_FACTS = (
    RecordOffer, Qualify, AnswerImportance, RecordReason, RecordStrategy, CompleteHomework, IntroduceConnector, OpenHistory,
    AnticipateNeed, UncoverOpportunity, ReviewDecline,
)  # fmt: skip


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """Where the run of a lead stopped, because the log does not say how it would have gone on."""

    at: datetime
    code: str
    """``touch``: the log holds no such touch at this point. ``refused``: the other rules refuse the recorded one.
    ``decision``: no decision on a breakup. ``log_ends``: the log does not go on for as long as the run."""
    why: str
    """A clause for people."""


@dataclass
class Part:
    """One lead in a run."""

    lead_id: UUID
    script: Script
    number: int = 0
    """Of the stretch it is in."""
    days: int = 0
    """How many days later than recorded this stretch began; negative for earlier."""
    asks: Counter[str] = field(default_factory=Counter)
    """What the run asked for in this stretch."""
    asked_for: dict[str, date] = field(default_factory=dict)
    """The day for which each kind was last asked."""
    pending: tuple[int, int] | None = None
    """The number of the stretch whose touch is to be made, and what tells this intention from those given up since."""
    making: bool = False
    """The touch with which the stretch begins is being made."""
    prelude: int = 0
    """How many commands that were handed in between the asking and the touch are still to come."""
    assumed: bool = False
    """Its last note is one that history does not have."""

    @property
    def stretch(self) -> Stretch:
        """The stretch it is in."""
        return self.script.stretches[self.number]

    @property
    def next_act(self) -> Act | None:
        """The touch that was recorded next."""
        return self.script.stretches[self.number + 1].act if self.number + 1 < len(self.script.stretches) else None

    def begin(self, since: datetime) -> None:
        """Stand where the lead stood at the moment *since*."""
        self.number = sum(stretch.act is not None and stretch.act.given.at <= since for stretch in self.script.stretches)
        for ask in self.stretch.asks:
            if ask.at <= since:
                self.note_ask(ask.kind, ask.day)

    def note_ask(self, kind: str, day: date) -> None:
        """Note that the run asked for a touch."""
        self.asks[kind] += 1
        self.asked_for[kind] = day

    def answers(self, kind: str) -> bool:
        """Tell whether the last asking for *kind* is the one that the recorded next touch answered."""
        act = self.next_act
        return act is not None and act.asked and ask_kind(act.kind) == kind and self.asks[kind] > act.missed

    def is_beyond(self, kind: str) -> bool:
        """Tell whether the last asking for *kind* is one that the log does not hold in this stretch, answered or in vain."""
        act = self.next_act
        recorded = act is not None and ask_kind(act.kind) == kind
        return self.assumed or not (recorded or self.asks[kind] <= len(self.stretch.asked(kind)))

    def enter(self, number: int, days: int) -> None:
        """Begin another stretch, so many *days* later than recorded."""
        self.number, self.days, self.pending, self.prelude = number, days, None, 0
        self.asks.clear()
        self.asked_for.clear()

    def breakup_ahead(self) -> int | None:
        """Return the number of the stretch that begins with the breakup, if only unanswered attempts lie before it.

        What is still to come of the present stretch counts too, where attempts are left out behind it.
        """
        for number in range(self.number + 1, len(self.script.stretches)):
            stretch = self.script.stretches[number]
            if stretch.act and stretch.act.kind == "breakup":
                return number
            items = stretch.items if number > self.number + 1 else [*self.stretch.items, *stretch.items]
            if not (stretch.act and stretch.act.silent and all(isinstance(item.command, _FACTS) for item in items)):
                return None
        return None


def day_of(act: Act, asked_for: date, stands: date, calendar: Calendar) -> date:
    """Return the day on which the touch *act* is to be made that was *asked_for* one day and now *stands* for another.

    Asked for as recorded, and moved no further, it is made when it was: it will also be moved as recorded, and the *calendar*
    may have become another since it was asked for, or still become another.
    """
    if asked_for == act.asked_on and stands in act.stood:
        return act.day
    return working_days_after(calendar, stands, act.late) + timedelta(days=act.days_beside)


def shifted(moment: datetime, days: int, calendar: Calendar) -> datetime:
    """Return the moment so many *days* later, at the same time of day by the clock of *calendar*."""
    if not days:
        return moment
    day = horizon.local_day(calendar, moment)
    since_midnight = moment - horizon.moment(calendar, day, 0)
    return horizon.moment(calendar, day + timedelta(days=days), 0) + since_midnight


def moved(command: Command, days: int, calendar: Calendar, now: datetime) -> Command:
    """Return *command* with the days and moments in it moved by as many *days*; it is never dated after *now*."""
    if not days:
        return command
    changes: dict[str, date] = {}
    for name in command.__struct_fields__:
        value = getattr(command, name)
        if isinstance(value, datetime):
            later = shifted(value, days, calendar)
            changes[name] = min(later, now) if name == "occurred_at" else later
        elif isinstance(value, date):
            changes[name] = value + timedelta(days=days)
    return msgspec.structs.replace(command, **changes)
