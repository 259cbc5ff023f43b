"""A day's minutes besides the slots: what was logged, what work takes as a rule, and what people who answered are owed."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflows.life import (
    CALENDAR,
    DECLINE,
    HOMEWORK,
    OPEN_REPLY,
    PLAYBOOK,
    REAL_REASON,
    VOICEMAIL,
    WORDS,
    Life,
    life_in,
    ready_to_break_up,
    sent_command,
    touch_command,
)
from workflows import commands as c
from workflows.capacity import Capacity, MinuteCosts
from workflows.homework_commands import AskWhy, ReviewDecline
from workflows.lead import Lead
from workflows.minutes import beside_slots, kept_for_probes, released, spent, that_fit

COSTS = MinuteCosts()


@pytest.mark.parametrize(
    ("state", "command", "minutes"),
    [
        ("note_due", sent_command(), 8),
        ("call_due", VOICEMAIL, 12),
        ("call_due", DECLINE, 12),
        ("call_due", c.RecordCall(outcome="voicemail", minutes=3), 3),
        ("no_response", c.LeaveBreakupVoicemail(attested=("mentions_mail",)), 3),
        ("no_response", c.SendBreakupEmail(monitored_reply_address=True, attested=("breakup_parts",), minutes=20), 20),
        ("declined", AskWhy(outcome="not_reached", answers={}), 6),
        ("declined", HOMEWORK, 15),
        ("declined", ReviewDecline(changed=False, finding=WORDS), 5),
        ("nurture", c.SendNurtureTouch(mode="email", asset="study", attested=PLAYBOOK.checks.nurture), 4),
        ("registered", DECLINE, 0),
        ("note_sent", OPEN_REPLY, 0),
    ],
)
def test_what_was_done_takes_what_was_logged_or_else_the_usual_minutes(state: str, command: c.Command, minutes: int) -> None:
    life = life_in(state)
    # A voicemail is not asked here whether its breakup may go.
    life.asked = ("mentions_mail",)
    life.must(command)  # type: ignore[arg-type]  # every command class is a member of AnyCommand
    assert minutes == spent(life.history[-1], COSTS)


def test_a_touch_takes_a_follow_ups_minutes() -> None:
    life = life_in("no_response").wait(days=7)
    life.must(touch_command())
    assert 6 == spent(life.history[-1], COSTS)


def engaged(lead: Lead, day: date) -> int:
    return beside_slots([lead], [], day, CALENDAR, COSTS)


def test_who_answered_is_owed_the_next_word_at_once_and_who_agreed_on_a_day_on_that_day() -> None:
    """A3-9: six minutes from the answer on, or from the agreed day on; none before it, and none on hold."""
    reply = life_in("re_engaged")
    assert 6 == engaged(reply.lead, reply.today)
    reply.must(c.Hold(reason="manual"))
    assert 0 == engaged(reply.lead, reply.today)
    talk = life_in("call_due")
    on = talk.today + timedelta(days=2)
    talk.must(c.RecordCall(outcome="connected", personal_topic_first=True, next_step="send", next_step_on=on))
    for day, minutes in ((talk.today, 0), (on - timedelta(days=1), 0), (on, 6), (on + timedelta(days=9), 6)):
        assert minutes == engaged(talk.lead, day)
    talk.wait(hours=1).must(OPEN_REPLY)
    assert 6 == engaged(talk.lead, talk.today)


def test_a_breakup_takes_its_halves_from_its_decision_on_and_on_the_day_on_which_each_is_done() -> None:
    """A3-9: voicemail and email take half of a breakup's minutes each, done or to be done; a day later nothing is left."""
    life = life_in("no_response")

    def minutes(of: Life = life, later: int = 0) -> int:
        return beside_slots([], [of.lead], of.today + timedelta(days=later), CALENDAR, COSTS)

    assert 0 == minutes()
    life.must(c.ConfirmCutBait(choice="one_more_try", reason=WORDS))
    assert 0 == minutes()
    life.must(c.ConfirmCutBait(choice="breakup"))
    assert (6, 6) == (minutes(), minutes(later=1))
    life.asked = ("mentions_mail",)
    life.must(c.LeaveBreakupVoicemail(attested=("mentions_mail",)))
    assert (6, 3) == (minutes(), minutes(later=1))
    life.must(c.SendBreakupEmail(monitored_reply_address=True, attested=("breakup_parts",)))
    assert (6, 0) == (minutes(), minutes(later=1))
    closed = life_in("breakup_sent")
    assert (6, 0) == (minutes(closed), minutes(closed, later=1))


@pytest.mark.parametrize("breakup", [6, 7])
def test_what_a_breakup_takes_is_what_was_planned_for_it(breakup: int) -> None:
    """An odd number of minutes is parted once, and nothing of it is lost: together, and half by half."""
    costs, life = MinuteCosts(breakup=breakup), life_in("no_response")
    life.must(c.ConfirmCutBait(choice="breakup"))
    tomorrow = life.today + timedelta(days=1)
    assert breakup == beside_slots([], [life.lead], tomorrow, CALENDAR, costs)
    life.asked = ("mentions_mail",)
    life.must(c.LeaveBreakupVoicemail(attested=("mentions_mail",)))
    left = spent(life.history[-1], costs)
    assert breakup - left == beside_slots([], [life.lead], tomorrow, CALENDAR, costs)
    life.must(c.SendBreakupEmail(monitored_reply_address=True, attested=("breakup_parts",)))
    assert breakup == left + spent(life.history[-1], costs) == beside_slots([], [life.lead], life.today, CALENDAR, costs)


def freed(life: Life, command: c.AnyCommand) -> int:
    """Return what letting go by *command* frees."""
    before = life.lead
    life.must(command)
    return released(before, life.history[-1], PLAYBOOK)


def test_letting_go_frees_the_attempts_that_were_left_and_what_is_not_made_of_a_breakup() -> None:
    """A1-13: six attempts of six minutes, and two halves of three: with a breakup they were made, without one they are not."""
    sent = life_in("no_response")
    ready_to_break_up(sent)
    assert 3 * 6 == freed(sent, c.SendBreakup())
    assert sent.fire("breakup_window").answer == "applied"
    assert 0 == released(sent.lead, sent.history[-1], PLAYBOOK)
    assert 5 * 6 + 6 == freed(life_in("no_response"), c.StartNurture(waiver=WORDS))
    begun = life_in("no_response")
    begun.asked = ("mentions_mail",)
    begun.must(c.LeaveBreakupVoicemail(attested=("mentions_mail",)))
    assert 5 * 6 + 3 == freed(begun, c.StartNurture(waiver=WORDS))
    assert 0 == freed(life_in("note_sent"), OPEN_REPLY)


def test_whoever_is_to_be_asked_why_has_minutes_kept_from_that_day_on() -> None:
    """A3-9: six minutes each, for two a day at most; none before the day, none on hold, none once the reason is known."""
    life = life_in("declined")

    def kept(*leads: Lead, later: int = 1) -> int:
        return kept_for_probes(leads, life.today + timedelta(days=later), CALENDAR, Capacity())

    assert (0, 6) == (kept(life.lead, later=0), kept(life.lead))
    assert (12, 12) == (kept(*[life.lead] * 2), kept(*[life.lead] * 9))
    life.must(c.Hold(reason="manual"))
    assert 0 == kept(life.lead)
    life.must(c.Release())
    life.must(REAL_REASON)
    assert 0 == kept(life.lead)


@given(
    st.dictionaries(st.sampled_from(["reason", "homework", "review", "nurture", "call"]), st.integers(0, 40)),
    st.integers(-60, 200),
    st.builds(MinuteCosts, **dict.fromkeys(("reason", "homework", "review", "nurture"), st.integers(0, 20))),
)
def test_what_fits_into_the_rest_of_a_day_never_takes_more_of_it(
    waiting: dict[str, int], minutes: int, costs: MinuteCosts
) -> None:
    """A3-9: nor more than waits; and of nothing that waits one more would fit."""
    fits = that_fit(waiting, minutes, costs)
    taken = sum(number * getattr(costs, kind) for kind, number in fits.items())
    assert taken <= max(0, minutes)
    for kind, number in fits.items():
        assert number <= waiting.get(kind, 0)
        assert number == waiting.get(kind, 0) or taken + getattr(costs, kind) > minutes
