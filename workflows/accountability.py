"""What each rep did on each day, and what became of what was promised, counted from the events alone.

Three rules decide where something counts. Work counts on the day on which it happened, for the rep who owned the lead then; a
call that a colleague makes for an owner who is away, for the colleague. A promise counts for the owner who gave it, on the day
that the note named, whatever became of it later. And what was not done on a day on which whoever was to do it turned out to be
away is *absent*, never missed: that is read from the newest calendar, so that a sick day entered late counts.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Literal, NamedTuple, get_args

from workflows.calendars import Calendar, CalendarHorizonError
from workflows.events import (
    BreakupEmailSent,
    BreakupVoicemailLeft,
    CallConnected,
    CommandRefused,
    CutBaitConfirmed,
    LeadDeclined,
    LeadRegistered,
    NoteSent,
    Recorded,
    ReEngaged,
    ReplyReceived,
    RevivalQueued,
)
from workflows.floor import FLOOR_STATES, breach, is_touch
from workflows.fold import fold
from workflows.homework import reason_unverified
from workflows.lead import Lead, caller_of
from workflows.minutes import LET_GO_ROWS, released
from workflows.playbooks import Playbook
from workflows.transitions import CALL_ROWS

Figure = Literal[
    "notes", "notes_missed", "notes_absent", "calls", "promised", "kept", "late", "broken", "promises_absent", "lifted", "open",
    "follow_ups", "breakups", "nurture_touches", "decisions_yes", "decisions_no", "minutes", "minutes_released", "overrides",
    "unverified", "introductions", "reasons_unverified", "below_the_floor",
    "from_photo",
]  # fmt: skip
FIGURES: tuple[Figure, ...] = get_args(Figure)

#: What a promise can come to; the figure ``promised`` is the sum of these.
ENDS: tuple[Figure, ...] = ("kept", "late", "broken", "promises_absent", "lifted", "open")

_SERVICE = frozenset({"planner", "clock", "import"})


class Place(NamedTuple):
    """Where a figure counts."""

    rep: str
    day: date


#: Told of each thing that is counted: where, as what, how much, and by which event; for what is still open, by the newest.
Trace = Callable[[Place, Figure, int, Recorded], None]


class Diaries:
    """The working calendars that each rep has had: the newest that covers a day is asked about it."""

    def __init__(self, calendars: Mapping[str, Sequence[Calendar]]) -> None:
        """*calendars* by rep, in the order in which they were frozen."""
        self._calendars = {rep: tuple(reversed(frozen)) for rep, frozen in calendars.items()}

    def day(self, rep: str, moment: datetime) -> date:
        """Return the rep's day at *moment*; the day in UTC where no calendar covers it."""
        for calendar in self._calendars.get(rep, ()):
            try:
                return calendar.local_day(moment)
            except CalendarHorizonError:
                continue
        return moment.astimezone(UTC).date()

    def covering(self, rep: str, day: date) -> Calendar | None:
        """Return the newest calendar that holds *day*."""
        return next((each for each in self._calendars.get(rep, ()) if each.first <= day <= each.last), None)

    def away(self, rep: str, day: date) -> bool:
        """Tell whether *day* turned out to be none on which *rep* worked; where no calendar covers it, nobody was away."""
        calendar = self.covering(rep, day)
        return calendar is not None and not calendar.is_working(day)


class Accountability:
    """The figures by rep and day, while histories of leads come in."""

    def __init__(
        self,
        diaries: Diaries,
        playbooks: Mapping[str, Playbook],
        trace: Trace = lambda *_: None,
        now: datetime | None = None,
    ) -> None:
        """*playbooks* by the digests that events pin; without its own a promise has no grace, and a cut releases nothing.

        *now* is when who has heard too little from us is counted, on the day since which it is so; without it nobody is.
        """
        self._now = now
        self.figures: dict[Place, Counter[Figure]] = {}
        self._trace = trace
        self._diaries = diaries
        self._playbooks = playbooks

    def take(self, history: Iterable[Recorded]) -> None:
        """Count the whole history of one stream, oldest event first; a stream that is no lead's counts nothing."""
        lead: Lead | None = None
        promise: Place | None = None
        known, touches = None, []
        for recorded in history:
            if lead is None and not isinstance(recorded.data, LeadRegistered):
                return
            before, lead = lead, fold(lead, recorded)
            self._at = recorded
            if before is None:
                known = recorded.recorded_at
                continue
            if is_touch(recorded):
                touches.append(recorded.occurred_at)
            self._count_work(before, recorded)
            if promise and (end := self._end_of(promise, before, recorded)):
                self._add(promise, end)
                promise = None
            if isinstance(recorded.data, NoteSent):
                promise = Place(before.owner, recorded.data.call_on)
                self._add(promise, "promised")
        if promise:
            self._add(promise, "open")
        if lead and lead.decline and (playbook := self._playbook(lead)) and reason_unverified(lead, playbook):
            self._add(Place(lead.owner, self._diaries.day(lead.owner, lead.decline.at)), "reasons_unverified")
        if lead and known:
            self._count_floor(lead, known, touches)

    def _count_floor(self, lead: Lead, known: datetime, touches: list[datetime]) -> None:
        playbook = self._playbook(lead)
        if playbook is None or self._now is None or lead.state not in FLOOR_STATES:
            return
        heard = [*touches, lead.last_contact_at] if lead.last_contact_at else touches
        broken = breach(known, heard, self._now, playbook.timers.nurture_floor_days)
        if broken:
            self._add(Place(lead.owner, self._diaries.day(lead.owner, broken.since)), "below_the_floor")

    def _count_work(self, before: Lead, recorded: Recorded) -> None:
        who = caller_of(before) if recorded.row in CALL_ROWS else before.owner
        done = Place(who, self._diaries.day(who, recorded.occurred_at))
        for figure in _work(before, recorded):
            self._add(done, figure)
        self._add(done, "minutes", getattr(recorded.data, "minutes", 0))
        if recorded.row in LET_GO_ROWS and (playbook := self._playbook(before)):
            self._add(done, "minutes_released", released(before, recorded, playbook))
        # A note that went back into the queue with another owner was missed by nobody.
        if recorded.row == "T11" and recorded.command and before.note_on:
            away = self._diaries.away(before.owner, before.note_on)
            self._add(Place(before.owner, before.note_on), "notes_absent" if away else "notes_missed")

    def _end_of(self, promise: Place, before: Lead, recorded: Recorded) -> Figure | None:
        """Return what the promise came to with this event, None while it is open."""
        # Whether it was kept, and who was away, is asked of whoever was to call.
        called = Place(caller_of(before), promise.day)
        if recorded.row in CALL_ROWS:
            if self._diaries.day(called.rep, recorded.occurred_at) <= self._grace_ends(before, called):
                return "kept"
            return "promises_absent" if self._diaries.away(*called) else "late"
        if recorded.row == "T54":
            return "broken"
        if recorded.row == "T22":
            return "promises_absent" if self._diaries.away(*called) else "broken"
        if recorded.row and recorded.state not in ("note_sent", "call_due"):
            # The prospect came first, said no or opted out, or the note came back.
            return "lifted"
        return None

    def _grace_ends(self, lead: Lead, promise: Place) -> date:
        """Return the last day on which a promised call is kept."""
        calendar, playbook = self._diaries.covering(*promise), self._playbook(lead)
        days = playbook.timers.call_grace_working_days if playbook else 0
        try:
            return calendar.add_working_days(promise.day, days) if calendar and days else promise.day
        except CalendarHorizonError:
            return promise.day

    def _playbook(self, lead: Lead) -> Playbook | None:
        return self._playbooks.get(lead.playbook.digest) if lead.playbook else None

    def _add(self, place: Place, figure: Figure, count: int = 1) -> None:
        if count:
            self.figures.setdefault(place, Counter())[figure] += count
            self._trace(place, figure, count, self._at)


def _work(before: Lead, recorded: Recorded) -> Iterable[Figure]:
    """Yield what one event says was done."""
    row, data = recorded.row, recorded.data
    if isinstance(data, NoteSent):
        yield "notes"
        if data.photo:
            yield "from_photo"
    elif row in CALL_ROWS:
        yield "calls" if before.promised else "follow_ups"
    elif row == "T25":
        yield "follow_ups"
    elif row == "T27":
        yield "breakups"
    elif row == "T32":
        yield "nurture_touches"
    if isinstance(data, ReplyReceived) and data.introduced_by:
        yield "introductions"
    yield from _decision(before, recorded)
    verdicts = recorded.used.verdicts if recorded.used and not isinstance(data, CommandRefused) else ()
    if any(verdict.source == "overridden" for verdict in verdicts) or _overrides(data):
        yield "overrides"
    if isinstance(data, (NoteSent, BreakupVoicemailLeft, BreakupEmailSent)) and not data.text:
        yield "unverified"


def _overrides(data: object) -> bool:
    """Tell whether a rule that is no check of a text was overridden, with a reason."""
    return isinstance(data, (RevivalQueued, CallConnected, ReEngaged, CutBaitConfirmed)) and bool(data.override)


def _decision(before: Lead, recorded: Recorded) -> Iterable[Figure]:
    """Yield the decision that was obtained: a clear answer of the prospect to us, a no as good as a yes (A1-15)."""
    data = recorded.data
    if recorded.actor in _SERVICE or before.state == "registered":
        return
    if isinstance(data, LeadDeclined):
        if data.kind == "no":
            yield "decisions_no"
    elif (recorded.row and recorded.state in ("meeting_booked", "won")) or getattr(data, "decision", None):
        yield "decisions_yes"
