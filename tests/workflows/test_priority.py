"""The point score and its order, and the return per hour: exact on integers, and never lowered by past effort."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.priority import (
    DayClass,
    ReturnWeights,
    Score,
    ScoreInputs,
    Weights,
    doublings_of_time,
    rank,
    return_per_hour,
    score,
)

inputs = st.builds(
    ScoreInputs,
    stage_depth=st.integers(0, 5),
    value_band=st.integers(0, 4),
    minutes_invested=st.integers(0, 10_000),
    importance=st.integers(1, 5),
    trigger=st.booleans(),
    has_connector=st.booleans(),
    unanswered=st.integers(0, 12),
    structural=st.booleans(),
)
points = st.integers(0, 20)
weights = st.builds(Weights, **dict.fromkeys(Weights.__struct_fields__, points))


@settings(deadline=None)
@given(inputs, weights)
def test_the_parts_add_up_to_the_score(lead: ScoreInputs, weight: Weights) -> None:
    """The total is the sum of its parts, so that a page can show "score 42 = stage 12 + value 9 + ..."."""
    parts = msgspec.structs.asdict(score(lead, weight))
    total = parts.pop("total")
    assert total == sum(parts.values())


@settings(deadline=None)
@given(inputs, weights, st.integers(0, 5), st.integers(0, 10_000))
def test_past_effort_never_lowers_a_score(lead: ScoreInputs, weight: Weights, stage: int, minutes: int) -> None:
    """A deeper stage or more time invested, all else equal, gives at least as many points (A1-1)."""
    more = msgspec.structs.replace(
        lead, stage_depth=max(lead.stage_depth, stage), minutes_invested=max(lead.minutes_invested, minutes)
    )
    assert score(more, weight).total >= score(lead, weight).total


@settings(deadline=None)
@given(inputs)
def test_the_default_weights_are_the_published_formula(lead: ScoreInputs) -> None:
    """The defaults give the formula of methods.md 6.4."""
    time = next(power for power in range(20) if 2 ** (power + 1) > 1 + lead.minutes_invested // 60)
    expected = (
        4 * lead.stage_depth
        + 3 * lead.value_band
        + 2 * min(3, time)
        + 3 * lead.importance
        + 6 * lead.trigger
        + 4 * lead.has_connector
        - 3 * lead.unanswered
        - 5 * lead.structural
    )
    assert score(lead, Weights()).total == expected


@settings(deadline=None)
@given(st.integers(0, 10**12))
def test_doublings_are_exact(minutes: int) -> None:
    """The result is the one whole number k with 2**k <= 1 + hours < 2**(k+1), part hours included."""
    doublings = doublings_of_time(minutes)
    hours = Fraction(minutes, 60)
    assert 2**doublings <= 1 + hours < 2 ** (doublings + 1)


def test_rank_goes_by_score_then_silence_then_id() -> None:
    """Most points first, then never contacted, then the longest silence, then the lower id."""
    low = score(ScoreInputs(stage_depth=0, value_band=0, minutes_invested=0, importance=1), Weights())
    high = msgspec.structs.replace(low, total=low.total + 1)
    then = datetime(2026, 1, 5, tzinfo=UTC)
    expected: list[tuple[Score, datetime | None, UUID]] = [
        (high, then, UUID(int=9)),
        (low, None, UUID(int=8)),
        (low, then - timedelta(seconds=1), UUID(int=7)),
        (low, then, UUID(int=1)),
        (low, then, UUID(int=2)),
    ]
    shuffled = expected[::-1]
    assert sorted(shuffled, key=lambda lead: rank(*lead)) == expected


def test_the_classes_of_a_day_are_numbered_as_published() -> None:
    """Replies come first and nurture exceptions last, one to nine."""
    assert [item.value for item in DayClass] == list(range(1, 10))
    assert DayClass.REPLIES < DayClass.PROMISED_CALLS < DayClass.NOTES < DayClass.FOLLOW_UPS


@settings(deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 5), st.integers(0, 12), st.integers(1, 10_000), st.integers(0, 10_000))
def test_return_per_hour_is_exact_and_rounded_down_once(
    value: int, stage: int, unanswered: int, minutes: int, keeps: int
) -> None:
    """It is the whole part of value times chance over hours, computed with fractions."""
    weight = ReturnWeights(per_unanswered=keeps)
    chance = Fraction(weight.by_stage[stage], 10_000) * Fraction(keeps, 10_000) ** unanswered
    assert return_per_hour(value, stage, unanswered, minutes, weight) == value * chance / Fraction(minutes, 60) // 1


def test_unanswered_attempts_and_minutes_needed_lower_the_return() -> None:
    """Each unanswered attempt leaves 60 % of the chance, and twice the minutes half the return."""
    assert return_per_hour(1_000_000, 5, 0, 60, ReturnWeights()) == 500_000
    assert return_per_hour(1_000_000, 5, 1, 60, ReturnWeights()) == 300_000
    assert return_per_hour(1_000_000, 5, 1, 120, ReturnWeights()) == 150_000


def test_a_return_needs_time_to_divide_by() -> None:
    """Steps that take no time have no return per hour."""
    with pytest.raises(ValueError, match="at least a minute"):
        return_per_hour(1, 0, 0, 0, ReturnWeights())


def test_weights_from_a_playbook_are_checked() -> None:
    """A negative weight would let effort lower a score, and an unknown one is a mistake: both are refused."""
    for text in ('{"stage": -1}', '{"stagge": 4}'):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(text, type=Weights)
    for text in ('{"by_stage": [0, 0, 0, 0, 0, 10001]}', '{"per_unanswered": -1}'):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(text, type=ReturnWeights)
