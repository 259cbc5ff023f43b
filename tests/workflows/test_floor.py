"""The floor: two touches in any year and no silence above 183 days, for whoever waits or rests."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.service.bundle.rules import follow
from tests.workflows.life import CALENDAR, PURSUED, Life, life_in
from workflows import commands as c
from workflows.accountability import Accountability, Diaries
from workflows.floor import FLOOR_YEAR, breach

KNOWN = datetime(2026, 1, 5, 15, tzinfo=UTC)
NURTURED = replace(PURSUED, timers=replace(PURSUED.timers, requeue_days=3000))
ITEMS = PURSUED.value_items


@settings(deadline=None)
@given(st.lists(st.integers(0, 1500), max_size=12), st.integers(0, 1500))
def test_the_floor_is_broken_by_half_a_year_of_silence_or_a_year_with_one_touch(days: list[int], now: int) -> None:
    """A1-12: the two clauses, each by a count of its own; nobody is owed a year before it is over."""
    found = breach(KNOWN, [KNOWN + timedelta(days=day) for day in days], KNOWN + timedelta(days=now), 183)
    past = [day for day in days if day <= now]
    silent = now - max(past, default=0)
    poor = now > 365 and len([day for day in past if day > now - 365]) < 2
    assert (found is not None) is (silent > 183 or poor)
    if found:
        assert (found.silent_days, found.too_long) == (silent, silent > 183)
        assert found.since <= KNOWN + timedelta(days=now)
        assert not breach(KNOWN, [KNOWN + timedelta(days=day) for day in past], found.since - timedelta(days=1), 183) or past


def touch(life: Life, number: int) -> None:
    life.must(c.SendNurtureTouch(mode="email", asset=ITEMS[number], attested=PURSUED.checks.nurture))


def test_who_touches_only_at_the_floor_still_does_so_twice_in_any_year() -> None:
    """A1-12: two silences of 183 days would be a year with one touch, so the second timer comes a day sooner."""
    life, touched = life_in("nurture", playbook=NURTURED), []
    for number in range(6):
        assert life.fire("nurture_floor").answer == "applied"
        touched.append(life.today)
        touch(life, number)
    gaps = [(after - before).days for before, after in pairwise(touched)]
    assert max(gaps) <= 183
    assert all((after - before).days <= 365 for before, after in zip(touched, touched[2:], strict=False))
    assert breach(KNOWN, [at.occurred_at for at in life.history if at.row == "T32"], life.now, 183) is None
    assert follow(life.history, playbooks=[NURTURED], calendars=[CALENDAR])[0] == []


def test_the_silence_before_nurture_counts() -> None:
    """A1-12: who comes to nurture from a breakup was last turned to before it, and the floor's timer counts from there."""
    life = life_in("breakup_sent", playbook=NURTURED)
    last = life.lead.last_touch_at
    assert last is not None
    assert life.fire("breakup_window").answer == "applied"
    assert CALENDAR.local_day(life.lead.timers["nurture_floor"].due_at) == CALENDAR.local_day(last) + timedelta(days=183)
    life = life_in("nurture", playbook=NURTURED)
    assert life.lead.last_touch_at is None
    assert CALENDAR.local_day(life.lead.timers["nurture_floor"].due_at) == life.today + timedelta(days=183)
    assert follow(life.history, playbooks=[NURTURED], calendars=[CALENDAR])[0] == []


def test_the_manager_counts_who_waits_in_the_queue_for_too_long() -> None:
    """A1-12: a queued lead is counted on the day on which half a year was over, for its owner, until somebody turns to it."""
    playbook = replace(PURSUED, timers=replace(PURSUED.timers, queue_age_days=400))
    life = life_in("queued", playbook=playbook)
    known = {playbook.pin.digest: playbook}
    for days, counted in ((183, 0), (184, 1), (300, 1)):
        figures = Accountability(Diaries({"dan": [CALENDAR]}), known, now=life.history[0].recorded_at + timedelta(days=days))
        figures.take(life.history)
        assert sum(each["below_the_floor"] for each in figures.figures.values()) == counted
        assert [place.day for place, each in figures.figures.items() if each["below_the_floor"]] == [date(2026, 7, 7)] * counted
    assert FLOOR_YEAR.days == 365
