"""Another playbook over the recorded history, beside the same run under the playbooks in force: what would differ.

Both runs make the same assumptions (`workflows.what_if`), so that what differs between them is the playbook's doing alone; how
well the run under the recorded playbooks brings the log back is said beside it.
"""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from statistics import median
from typing import NamedTuple
from uuid import UUID

import msgspec

from models import frozen
from models.database import Connection
from workflows.events import DayPlanned, Recorded
from workflows.law_table import CURRENT
from workflows.parts import Unknown
from workflows.playbooks import Playbook
from workflows.script_reader import Reader
from workflows.simulation import SimulationError
from workflows.touches import TOUCH_KINDS, Milestone, Tally, Touch, TouchKind, by_period
from workflows.what_if import WhatIf

#: Periods are weeks up to so many days, and months beyond.
WEEKS_DAYS = 92

#: What both runs take for granted, a sentence each.
ASSUMPTIONS = (
    "Data, owners and calendars change when they did; what came before a lead's first touch came when it did.",
    "A touch is made as many working days after it is asked for as it was, and what followed from it follows as long after.",
    "Attempts that nobody answered may be left out before a breakup that people decided on; others never are.",
    "No outcome is invented: where the log has no such touch or decision, or the other rules refuse it, the lead's run stops.",
    "The service is never down or paused.",
)


class WhatIfError(ValueError):
    """The question has no answer; the message says why."""


class TouchesShown(msgspec.Struct, frozen=True, kw_only=True):
    """Touches of one kind."""

    kind: TouchKind
    recorded: int
    """Under the playbooks in force."""
    what_if: int
    """Under the other one, as far as is known; *made_up* among them."""
    made_up: int
    """Asked for and not in the log: what would have come of them is unknown."""
    unknown: int
    """Recorded of leads whose run stopped before: whether they would have been made is unknown."""


class PeriodShown(msgspec.Struct, frozen=True, kw_only=True):
    """All touches of a week or month."""

    first: date
    recorded: int
    what_if: int


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """How long something took, in calendar days."""

    number: int
    median: float
    most: int


class TimingShown(msgspec.Struct, frozen=True, kw_only=True):
    """How long something took under both; None where it never happened."""

    what: str
    recorded: Span | None
    what_if: Span | None


class CapacityShown(msgspec.Struct, frozen=True, kw_only=True):
    """What the plans of all reps and days come to, under one of both."""

    plans: int
    notes: int
    calls: int
    follow_ups: int
    """Later attempts by call or in other modes."""
    put_off: int
    short: dict[str, int]
    """Touches fewer than the playbook's capacity, by kind and why."""
    waiting: int
    """Leads in the queues when the newest plan of each rep was made."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A lead that goes another way, and the first step at which it does."""

    lead_id: UUID
    recorded: Milestone | None
    what_if: Milestone | None
    unknown: Unknown | None
    """Where and why its run stopped."""


class WhatIfShown(msgspec.Struct, frozen=True, kw_only=True):
    """What ``thaw what-if --json`` prints."""

    playbook: str
    digest: str
    in_place_of: tuple[str, ...]
    since: datetime
    until: datetime
    events: int
    leads: int
    left_out: int
    """Leads whose run stops under the recorded playbooks already, so that nothing can be compared."""
    affected: int
    """Leads that go another way; those whose run stops are among them."""
    stopped: dict[str, int]
    """Leads whose run stops because the log does not say how it would have gone on, by why."""
    touches: tuple[TouchesShown, ...]
    periods: tuple[PeriodShown, ...]
    """Those with a touch, earliest first."""
    monthly: bool
    timing: tuple[TimingShown, ...]
    capacity_recorded: CapacityShown
    capacity_what_if: CapacityShown
    samples: tuple[Sample, ...]
    """Those that differ first, by the day."""
    brought_back: int
    """Recorded touches that the run under the recorded playbooks has on the same day too."""
    recorded: int
    """Touches in the log."""
    assumptions: tuple[str, ...] = ASSUMPTIONS


class _Side(NamedTuple):
    """One of the two runs."""

    tally: Tally
    plans: list[tuple[UUID, DayPlanned]]
    unknown: dict[UUID, Unknown]


def what_if(
    connection: Connection,
    playbook: Playbook,
    *,
    since: datetime | None = None,
    samples: int = 10,
    progress: Callable[[int], None] = lambda _: None,
) -> WhatIfShown:
    """Run the log from *since* (else its beginning) on under *playbook* in place of all versions with its id.

    All leads, and all that people did, are in memory.

    Raises
    ------
    WhatIfError
        When nothing was recorded since then, nobody follows such a playbook, or the log cannot be gone on with.
    """
    began = frozen.began_at(connection)
    if began is None:
        raise WhatIfError("nothing is recorded yet, so there is no history to run again")
    start = max(since or began, began) - timedelta(microseconds=1)
    library = frozen.read_library(connection)
    reader = Reader(library.playbooks, start, CURRENT)
    try:
        for number, recorded in enumerate(frozen.log_in_order(connection), start=1):
            reader.take(recorded)
            progress(number)
    except KeyError as error:
        raise WhatIfError(f"no playbook with the digest {error.args[0]} is published; run `thaw verify`") from error
    except ValueError as error:
        raise WhatIfError(f"the log cannot be read: {error}; run `thaw verify`") from error
    if reader.ends is None or reader.ends <= start:
        raise WhatIfError(f"nothing was recorded from {since or start:%Y-%m-%d %H:%M} UTC on")
    replaced = sorted({f"{p.id}@{p.version}" for _, p in reader.published if p.id == playbook.id})
    if not replaced:
        known = sorted({p.id for _, p in reader.published})
        raise WhatIfError(f"no lead of the log follows {playbook.id}; there is {', '.join(known) or 'none'}")
    control, other = (_run(connection, reader, given, start) for given in ((), (playbook,)))
    return _shown(reader, control, other, playbook, tuple(replaced), start, samples)


def _run(connection: Connection, reader: Reader, playbooks: Sequence[Playbook], since: datetime) -> _Side:
    run = WhatIf(reader, playbooks, since)
    try:
        run.run(_before(connection, since))
    except (ValueError, KeyError, SimulationError) as error:
        raise WhatIfError(f"the log cannot be gone on with: {error}; run `thaw verify`") from error
    return _Side(run.tally, run.plans, run.unknown)


def _before(connection: Connection, since: datetime) -> Iterator[Recorded]:
    """Yield what was recorded until *since*; of two moments that changed places, each event counts by its own."""
    return (recorded for recorded in frozen.log_in_order(connection) if recorded.recorded_at <= since)


def _shown(
    reader: Reader, control: _Side, other: _Side, playbook: Playbook, replaced: tuple[str, ...], since: datetime, samples: int
) -> WhatIfShown:
    until = reader.ends or since
    monthly = until - since > timedelta(days=WEEKS_DAYS)
    differing = [sample for lead in reader.scripts if (sample := _compared(lead, control, other))]
    differing.sort(key=lambda sample: (_first_day(sample), sample.lead_id))
    mine, theirs = ([t for t in side.tally.touches if t.lead_id not in control.unknown] for side in (control, other))
    log = Counter(reader.tally.touches)
    return WhatIfShown(
        playbook=f"{playbook.id}@{playbook.version}",
        digest=playbook.pin.digest,
        in_place_of=replaced,
        since=since + timedelta(microseconds=1),
        until=until,
        events=reader.books.position,
        leads=len(reader.scripts),
        left_out=len(control.unknown),
        affected=len(differing),
        stopped=dict(sorted(Counter(sample.unknown.code for sample in differing if sample.unknown).items())),
        touches=tuple(_touches(kind, mine, theirs, other.unknown) for kind in TOUCH_KINDS),
        periods=tuple(_periods(mine, theirs, monthly)),
        monthly=monthly,
        timing=_timing(control.tally, other.tally),
        capacity_recorded=_capacity(control.plans),
        capacity_what_if=_capacity(other.plans),
        samples=tuple(differing[:samples]),
        brought_back=(log & Counter(control.tally.touches)).total(),
        recorded=log.total(),
    )


def _compared(lead_id: UUID, control: _Side, other: _Side) -> Sample | None:
    """Return where a lead goes another way, None when it does not, or is left out."""
    before, after = (side.tally.trails.get(lead_id, []) for side in (control, other))
    unknown = other.unknown.get(lead_id)
    if lead_id in control.unknown or (before == after and unknown is None):
        return None
    at = next((n for n, (one, two) in enumerate(zip(before, after, strict=False)) if one != two), min(len(before), len(after)))
    return Sample(
        lead_id=lead_id,
        recorded=before[at] if at < len(before) else None,
        what_if=after[at] if at < len(after) else None,
        unknown=unknown,
    )


def _first_day(sample: Sample) -> date:
    days = [milestone.day for milestone in (sample.recorded, sample.what_if) if milestone]
    return min(days, default=sample.unknown.at.date() if sample.unknown else date.max)


def _touches(kind: TouchKind, before: list[Touch], after: list[Touch], stopped: Container[UUID]) -> TouchesShown:
    mine, theirs = ([touch for touch in side if touch.kind == kind] for side in (before, after))
    missing = Counter(touch.lead_id for touch in mine if touch.lead_id in stopped)
    missing.subtract(touch.lead_id for touch in theirs if touch.lead_id in stopped and touch.known)
    return TouchesShown(
        kind=kind,
        recorded=len(mine),
        what_if=len(theirs),
        made_up=sum(not touch.known for touch in theirs),
        unknown=sum(number for number in missing.values() if number > 0),
    )


def _periods(before: Iterable[Touch], after: Iterable[Touch], monthly: bool) -> Iterator[PeriodShown]:
    one, two = by_period(before, monthly), by_period(after, monthly)
    for first in sorted({*one, *two}):
        totals = [side[first].total() if first in side else 0 for side in (one, two)]
        yield PeriodShown(first=first, recorded=totals[0], what_if=totals[1])


def _timing(before: Tally, after: Tally) -> tuple[TimingShown, ...]:
    queued = TimingShown(
        what="in the queue before a first touch", recorded=_span(before.queued_days), what_if=_span(after.queued_days)
    )
    gaps = [_span(list(tally.gap_days.elements())) for tally in (before, after)]
    return queued, TimingShown(what="from a note to its call", recorded=gaps[0], what_if=gaps[1])


def _span(days: Sequence[int]) -> Span | None:
    return Span(number=len(days), median=median(days), most=max(days)) if days else None


def _capacity(plans: Sequence[tuple[UUID, DayPlanned]]) -> CapacityShown:
    short: Counter[str] = Counter()
    newest: dict[UUID, DayPlanned] = {}
    for rep, plan in plans:
        newest[rep] = plan
        for each in plan.shortfalls:
            short[f"{each.kind} ({each.code})"] += each.count
    made = [plan for _, plan in plans]
    return CapacityShown(
        plans=len(plans),
        notes=sum(len(plan.notes) for plan in made),
        calls=sum(len(plan.calls) for plan in made),
        follow_ups=sum(len(plan.follow_ups) + len(plan.touches) for plan in made),
        put_off=sum(len(plan.rescheduled) for plan in made),
        short=dict(sorted(short.items())),
        waiting=sum(plan.queued for plan in newest.values()),
    )
