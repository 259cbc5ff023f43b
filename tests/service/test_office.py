"""The invented office: what a week holds, and how the load of follow-ups comes out."""

from datetime import date, timedelta

import pytest

from service.calendars import freeze_calendar
from service.demo.script import OUTCOMES
from service.office import Office, answering
from service.playbooks import shipped_playbooks
from workflows.codec import canonical
from workflows.events import NurtureStarted, NurtureTouchSent, TouchSent

START = date(2026, 1, 5)
CALENDAR = freeze_calendar("US", "", "America/New_York", date(2025, 1, 1), date(2028, 12, 31))
PLAYBOOK = shipped_playbooks()["five-five-five"][0]


def _lived(
    days: int, *, reps: int = 1, rate: float = 0.4, leads: int = 60, seed: int = 1, country: str | None = "US"
) -> Office:
    calendars = {f"rep-{number}": CALENDAR for number in range(reps)}
    office = Office(PLAYBOOK, calendars, start=START, leads=leads, answer_rate=rate, seed=seed, country=country)
    for number in range(days):
        office.live(START + timedelta(days=number))
    return office


def test_five_notes_and_five_promised_calls_a_day_for_each_rep() -> None:
    """A4-3, A4-4: the second week is whole, the third has a holiday."""
    weeks = {week.first: week for week in _lived(21, reps=2, leads=90).weeks()}
    second, third = weeks[date(2026, 1, 12)], weeks[date(2026, 1, 19)]
    assert (second.figures["calls"], second.figures["kept"]) == (50, 50)
    assert third.figures["notes"] == third.figures["calls"] == third.people == 40


def test_where_nobody_knows_where_prospects_live_they_are_called_and_kept_in_touch_with_by_post() -> None:
    """Nobody is stranded: whoever does not answer goes to nurture without a breakup, which could not be mailed."""
    log = _lived(120, rate=0.0, leads=10, country=None).log
    begun = {each.stream_id: each.data.reason for each in log if isinstance(each.data, NurtureStarted)}
    assert (10, {"breakup_impossible"}) == (len(begun), set(begun.values()))
    assert {"post"} == {each.data.mode for each in log if isinstance(each.data, NurtureTouchSent)}
    sent = [each for each in log if isinstance(each.data, TouchSent) and each.data.mode == "email"]
    assert [] == sent


def test_the_same_seed_is_the_same_log_and_another_one_is_not() -> None:
    logs = [[canonical(recorded) for recorded in _lived(14, seed=seed).log] for seed in (1, 1, 2)]
    assert logs[0] == logs[1]
    assert logs[0] != logs[2]


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.5, 1.0])
def test_of_all_calls_as_many_are_answered_as_asked_for(rate: float) -> None:
    shares = dict(answering(rate))
    silent = shares["voicemail"] + shares["no_answer"] + shares["gatekeeper"]
    assert list(shares) == [name for name, _ in OUTCOMES]
    assert 1 - silent / sum(shares.values()) == pytest.approx(rate)
