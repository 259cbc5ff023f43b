"""Reviving and keeping in touch: what may be pursued, what a conversation comes to, months, and who introduces us."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from tests.workflows.life import (
    DECLINE,
    HOMEWORK,
    PURSUED,
    WORDS,
    Life,
    call_command,
    life_in,
    make_ready,
    note_command,
    touch_command,
)
from workflows import commands as c
from workflows import events as e
from workflows import pursuit_commands as p
from workflows.commands import Mode
from workflows.cut_bait import checklist, open_modes
from workflows.nurture_months import nurture_months
from workflows.playbooks import Audience, Playbook
from workflows.proposals import begins_by_call
from workflows.pursuit_events import IntroductionRequested

NURTURED: Playbook = replace(PURSUED, timers=replace(PURSUED.timers, requeue_days=2000))


def test_an_unqualified_lead_needs_an_audited_override() -> None:
    """A1-2: it does not enter the queue, neither after a no nor from nurture, unless somebody says why; that is stored."""
    life = life_in("declined", playbook=PURSUED)
    make_ready_but_for_worth(life)
    assert life.do(c.QueueRevival()).rule == "qualified"
    life.fire("triage")
    life.must(HOMEWORK)
    assert life.fire("requeue").rule == "qualified"
    (queued,) = life.must(c.QueueRevival(reason="job_change", override=WORDS), "manager:ann")
    assert isinstance(queued, e.RevivalQueued)
    assert queued.override == WORDS
    strict = replace(PURSUED, audience=Audience(require_qualified=True))
    assert life_in("registered", playbook=strict).do(c.QueueRevival()).rule == "qualified"


def make_ready_but_for_worth(life: Life) -> None:
    life.must(c.RecordReason(kind="real", reason="lost_trust", evidence="call-7", words=WORDS))
    life.must(c.RecordStrategy(strategy=WORDS, missed_last_time=WORDS))
    life.must(c.AnswerImportance(importance=3))
    life.must(HOMEWORK)
    life.wait(days=95)


def test_a_fresh_relationship_begins_with_a_call() -> None:
    """A1-4: with contact in the last 90 days the first step is a call, and a stale one gets a note first."""
    life = life_in("queued", playbook=PURSUED)
    assert not begins_by_call(life.lead, PURSUED, life.now)
    assert life.do(call_command(life), "planner").rule == "fresh_relationship"
    life._lead = replace(life.lead, last_contact_at=life.now - timedelta(days=30))
    assert begins_by_call(life.lead, PURSUED, life.now)
    life.must(call_command(life), "planner")


def test_a_touch_brings_something_new_and_leaves_time() -> None:
    """A1-5, A1-7: nothing new, or the same again, is refused; so are two touches within two working days."""
    life = life_in("no_response", playbook=PURSUED).wait(days=7)
    life.must(touch_command("video"))
    assert life.wait(days=1).do(touch_command("study")).rule == "touch_gap"
    assert life.wait(days=6).do(touch_command("video")).rule == "new_value"
    assert life.do(replace(note_command(life), value_item=None), "planner").rule == "new_value"


def test_a_conversation_comes_to_something_or_says_why_not() -> None:
    """A1-14: a decision or a dated next step; otherwise a reason, which stands in the event."""
    life = life_in("call_due", playbook=PURSUED)
    talk = c.RecordCall(outcome="connected", personal_topic_first=True, minutes=11)
    assert life.do(talk).rule == "decision_or_next_step"
    (connected,) = life.must(replace(talk, override=WORDS))
    assert isinstance(connected, e.CallConnected)
    assert connected.override == WORDS
    assert life.lead.timers["next_step"].due_at > life.now


def test_attempts_end_and_somebody_must_decide() -> None:
    """A1-15: after six unanswered attempts no other is made, and the answer says that a decision is due."""
    life = life_in("no_response", playbook=PURSUED).wait(days=7)
    life._lead = replace(life.lead, attempts=6)
    refused = life.do(touch_command("video"))
    assert (refused.rule, "decide about the breakup" in (refused.reason or "")) == ("attempts_left", True)


@pytest.mark.parametrize("reason", ["job_change", "revisit", "event"])
def test_a_change_brings_somebody_back_from_nurture(reason: str) -> None:
    """A1-16: a job move, a day that was named, or an event requeues, and speaks for now in the score."""
    life = life_in("nurture", playbook=NURTURED)
    (queued,) = life.must(c.QueueRevival(reason=reason))
    assert isinstance(queued, e.RevivalQueued)
    assert queued.score.trigger == PURSUED.weights.trigger


def test_a_day_that_was_named_requeues_by_itself() -> None:
    """A1-16, A3-5: whoever said when to come back is in the queue on that day."""
    life = life_in("call_due", playbook=NURTURED)
    day = life.today + timedelta(days=50)
    life.must(c.RecordCall(outcome="not_now", revisit_on=day))
    assert life.fire("revisit").recorded[-1].state == "queued"
    assert life.today >= day


@pytest.mark.parametrize("named", [True, False])
def test_later_is_left_alone_until_then(named: bool) -> None:
    """A3-5: "later" sets the day to come back on, or 60 days without one; until then nothing lapses."""
    life = life_in("nurture", playbook=NURTURED)
    day = life.today + timedelta(days=80 if named else 60)
    (reply,) = life.must(c.RecordReply(channel="email", intent="later", revisit_on=day if named else None))
    assert isinstance(reply, e.ReplyReceived)
    assert (reply.revisit_on, life.lead.revisit_on, life.lead.next_step_on) == (day, day, day)
    assert life.lead.timers["lapse"].due_at.date() > day
    life.must(c.RecordReply(channel="email", intent="changed"))
    assert life.lead.state == "re_engaged"


def sent(number: int, mode: Mode = "email", kind: str = "report") -> c.SendNurtureTouch:
    return c.SendNurtureTouch(mode=mode, asset=f"issue-{number}", attested=PURSUED.checks.nurture, kind=kind)


def test_keeping_in_touch_goes_by_mail_and_by_post_with_newsletters_too() -> None:
    """A3-3: both channels, and kinds of things that the playbook names, a newsletter among them; nothing twice."""
    life = life_in("nurture", playbook=NURTURED)
    life.must(c.UpdateContact(contact=WORDS, modes=("email", "post", "courier")))
    (touch,) = life.must(sent(1, kind="newsletter"))
    assert isinstance(touch, e.NurtureTouchSent)
    assert touch.kind == "newsletter"
    life.wait(days=35).must(sent(2, "post", kind="report"))
    life.wait(days=35)
    assert life.do(sent(2)).rule == "new_asset"
    assert life.do(sent(3, "courier")).rule == "nurture_mode"
    assert life.do(sent(3, kind="fridge_magnet")).rule == "asset_kind_known"


def test_every_month_has_its_touch_or_its_reason() -> None:
    """A3-4: over a year each calendar month holds one touch, or the reason why not: left out, not done, no way, on hold."""
    life = life_in("nurture", playbook=NURTURED)
    for number in range(1, 14):
        life.fire("nurture_touch")
        if number == 3:
            life.must(p.SkipNurture(reason="nothing_new"))
        elif number == 8:
            life.must(c.UpdateContact(contact=WORDS, modes=("call",)))
        elif number == 10:
            life.must(c.UpdateContact(contact=WORDS, modes=("email",)))
            life.must(sent(number))
            life.must(c.Hold(reason="manual"))
            life.wait(days=62).must(c.Release())
        elif number not in (5, 9):
            life.must(sent(number))
    months = nurture_months(life.history, life.now, UTC)
    whys = [month.why for month in months]
    assert "unexplained" not in whys
    assert whys[:10] == [
        "began" if months[0].why == "began" else "sent", "sent", "sent", "skipped", "sent", "not_sent", "sent", "sent",
        "no_permitted_mode", "no_permitted_mode",
    ]  # fmt: skip
    assert whys.count("on_hold") == 1 or whys.count("on_hold") == 2
    assert months[3].detail == "nothing_new"
    assert len({month.month for month in months}) == len(months)


def test_the_month_is_the_prospects() -> None:
    """A3-4: what is still June for the rep is July in Tokyo, and there two touches are in different months."""
    life = life_in("nurture", playbook=NURTURED)
    life._lead = replace(
        life.lead, timezone="Asia/Tokyo", nurture_touched_at=datetime(2026, 6, 29, 12, tzinfo=UTC), last_touch_at=None
    )
    life.now = datetime(2026, 6, 30, 14, tzinfo=UTC)
    assert life.do(sent(2)).rule == "once_a_month"
    life.now = datetime(2026, 6, 30, 16, tzinfo=UTC)
    life.must(sent(2))


def test_two_touches_a_year_and_183_days_or_an_alert_with_a_name() -> None:
    """A1-12: without touches an alert that names the owner comes after 183 days, again and again; each touch begins anew."""
    life = life_in("nurture", playbook=NURTURED)
    began = life.now
    (alert,) = (each.data for each in life.fire("nurture_floor").recorded)
    assert alert == e.NurtureFloorReached(owner="dan")
    assert (life.now - began).days in (182, 183)
    life.must(sent(1))
    assert life.lead.timers["nurture_floor"].due_at <= life.now + timedelta(days=183)


def test_somebody_who_knows_them_introduces_us() -> None:
    """A3-6: connectors with relation and strength; asking one is a mode that a breakup waits for; a reply is credited."""
    life = life_in("no_response", playbook=PURSUED)
    assert life.do(p.RequestIntroduction(connector=1)).rule == "connector_known"
    (named,) = life.must(c.IntroduceConnector(connector=WORDS, relation="colleague", strength=3))
    assert isinstance(named, e.ConnectorIntroduced)
    assert (named.relation, named.strength) == ("colleague", 3)
    assert "introduction" in open_modes(life.lead, PURSUED, life.lead.modes)
    (asked,) = life.must(p.RequestIntroduction(connector=1, minutes=4))
    assert asked == IntroductionRequested(connector=WORDS.document_id, minutes=4)
    assert checklist(life.lead, PURSUED, life.lead.modes).connector == "asked"
    assert life.lead.attempts == 1
    assert life.do(c.RecordReply(channel="call", introduced_by=2)).rule == "connector_known"
    (reply,) = life.must(c.RecordReply(channel="call", introduced_by=1))
    assert isinstance(reply, e.ReplyReceived)
    assert reply.introduced_by == UUID(int=7)


def test_nobody_who_declined_is_forgotten_when_silence_follows() -> None:
    """A3-1: interest and two unanswered contacts: `went_silent` is a decline of its own, and leads to nurture."""
    life = life_in("no_response", playbook=PURSUED)
    life.must(replace(DECLINE, kind="went_silent", stated_reason="no_answer"))
    assert life.lead.decline
    assert life.lead.decline.kind == "went_silent"
    assert life.fire("triage").recorded[-1].state == "nurture"


def test_what_these_rules_use_survives_a_round_trip() -> None:
    """Every event of these lives reads back as it was written."""
    life = life_in("breakup_sent", playbook=PURSUED)
    make_ready(life_in("declined"))
    for recorded in life.history:
        assert msgspec.json.decode(msgspec.json.encode(recorded), type=e.Recorded) == recorded
