"""Which lead comes first: the order of a rep's day, the point score with its parts, and what an hour returns.

All arithmetic is on integers, so that a replay on any machine gives the same score and the same order.
"""

from datetime import UTC, datetime
from enum import IntEnum
from typing import Annotated
from uuid import UUID

import msgspec

BASIS_POINTS = 10_000
"""One whole, in basis points."""

Weight = Annotated[int, msgspec.Meta(ge=0, le=1000)]
"""Points for one unit of an input. Never negative: stage and time invested may only raise a score."""
Rank = tuple[int, bool, datetime, UUID]


class DayClass(IntEnum):
    """The fixed classes of a day's work; a lower number is done first, whatever the scores."""

    REPLIES = 1
    PROMISED_CALLS = 2
    HALF_DONE_BREAKUPS = 3
    OVERDUE_NEXT_STEPS = 4
    NOTES = 5
    REASON_PROBES = 6
    FOLLOW_UPS = 7
    HOMEWORK = 8
    NURTURE = 9


class Weights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Points per unit of each input; playbook data, to be fitted from outcomes."""

    stage: Weight = 4
    value: Weight = 3
    time_invested: Weight = 2
    """Per doubling of the hours invested."""
    doublings: Annotated[int, msgspec.Meta(ge=0, le=20)] = 3
    """Doublings of the hours invested that count at most; 3 is reached at seven hours."""
    importance: Weight = 3
    trigger: Weight = 6
    connector: Weight = 4
    unanswered: Weight = 3
    """Taken off per unanswered attempt."""
    structural: Weight = 5
    """Taken off when the real reason is one that no revival changes."""


class ScoreInputs(msgspec.Struct, frozen=True, kw_only=True):
    """What a score is made of; stored with the score so that it can be explained and worked out again."""

    stage_depth: Annotated[int, msgspec.Meta(ge=0, le=5)]
    """How far the sale once came: 0 (never met) to 5 (about to sign)."""
    value_band: Annotated[int, msgspec.Meta(ge=0, le=4)]
    """0 (unknown) to 4 (largest)."""
    minutes_invested: Annotated[int, msgspec.Meta(ge=0)]
    importance: Annotated[int, msgspec.Meta(ge=1, le=5)]
    """The rep's answer to "how important is this sale?", 1 to 5."""
    trigger: bool = False
    """A revisit date, a job change or a fitting event speaks for now."""
    has_connector: bool = False
    """A person known to both sides can introduce us."""
    unanswered: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Attempts without an answer since the last two-way contact."""
    structural: bool = False
    """The real reason for the no is structural, such as no need."""


class ScoreBasis(msgspec.Struct, frozen=True, kw_only=True):
    """What a score rests on that the lead shows no more once it is in the queue."""

    trigger: bool
    """What brought it into the queue speaks for now."""
    unanswered: Annotated[int, msgspec.Meta(ge=0)]
    """Attempts of earlier pursuits without an answer since the last two-way contact."""


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """A score with its parts in points: `total` is their sum; `unanswered` and `structural` are never positive."""

    total: int
    stage: int
    value: int
    time_invested: int
    importance: int
    trigger: int
    connector: int
    unanswered: int
    structural: int


def score(inputs: ScoreInputs, weights: Weights) -> Score:
    """Score a lead. More stage depth or more time invested never lowers the total."""
    parts = {
        "stage": weights.stage * inputs.stage_depth,
        "value": weights.value * inputs.value_band,
        "time_invested": weights.time_invested * min(weights.doublings, doublings_of_time(inputs.minutes_invested)),
        "importance": weights.importance * inputs.importance,
        "trigger": weights.trigger * inputs.trigger,
        "connector": weights.connector * inputs.has_connector,
        "unanswered": -weights.unanswered * inputs.unanswered,
        "structural": -weights.structural * inputs.structural,
    }
    return Score(total=sum(parts.values()), **parts)


def doublings_of_time(minutes: int) -> int:
    """Return floor(log2(1 + hours)), exactly.

    Part hours need no rounding rule: the floor of a logarithm to base 2 is that of the whole part of its argument, so
    whole hours give the same as hours with fractions.
    """
    return (1 + minutes // 60).bit_length() - 1


def rank(score: Score, last_contact_at: datetime | None, lead_id: UUID) -> Rank:
    """Return a key that sorts the lead to take first to the front.

    Highest score first; then the longest since the last contact, never having been in contact being the longest; then
    the lead id, so that no two leads are ever equal.
    """
    contacted = last_contact_at is not None
    return -score.total, contacted, last_contact_at or datetime(1, 1, 1, tzinfo=UTC), lead_id


Chance = Annotated[int, msgspec.Meta(ge=0, le=BASIS_POINTS)]


class ReturnWeights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How likely a sale is, in basis points (10,000 is certain); playbook data, to be fitted from outcomes."""

    by_stage: tuple[Chance, Chance, Chance, Chance, Chance, Chance] = (200, 500, 1000, 2000, 3500, 5000)
    """Chance of a sale by stage depth 0 to 5, before any unanswered attempt."""
    per_unanswered: Chance = 6000
    """What remains of the chance after each unanswered attempt."""


def return_per_hour(value: int, stage_depth: int, unanswered: int, minutes_needed: int, weights: ReturnWeights) -> int:
    """Return what one more hour on this lead is expected to bring, for the cut-bait card.

    Parameters
    ----------
    value
        Worth of the sale in the smallest unit of its currency, such as cents.
    stage_depth
        0 to 5.
    unanswered
        Attempts without an answer, 0 or more.
    minutes_needed
        Rep time that the remaining steps would take, at least 1.

    Returns
    -------
    int
        The same unit as `value`, per hour, rounded down once at the end.

    Raises
    ------
    ValueError
        If `minutes_needed` is below 1.
    """
    if minutes_needed < 1:
        raise ValueError(f"The remaining steps need at least a minute; got {minutes_needed}.")
    numerator: int = value * weights.by_stage[stage_depth] * weights.per_unanswered**unanswered * 60
    denominator: int = BASIS_POINTS ** (unanswered + 1) * minutes_needed
    return numerator // denominator
