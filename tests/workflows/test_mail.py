"""Mail that the service sends, as decisions: who may have which, what each outcome leaves, and when it is tried again."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec.structs import replace

from tests.service.bundle.rules import follow
from tests.workflows.life import (
    CALENDAR,
    DECLINE,
    HOMEWORK,
    MAIL_ID,
    PLAYBOOK,
    PURSUED,
    WORDS,
    Life,
    life_in,
    queue_breakup_mail,
    queue_nurture_mail,
    touch_command,
)
from workflows import commands as c
from workflows.command import due_of
from workflows.events import Verdict, event_type
from workflows.handle import Outcome
from workflows.homework_commands import OpenHistory
from workflows.mail import AGAIN_MINUTES, again, may_go_on
from workflows.mail_commands import MailOutcome, QueueNurtureMail, RecordBounce, ReportMail, SendMail
from workflows.playbooks import Homework


def ready_for_the_mail() -> Life:
    """Return a silent lead whose breakup is decided, with the voicemail left and the mail to come."""
    life = life_in("no_response")
    for item in ("video", "study"):
        life.wait(days=7).must(touch_command(item))
    life.must(c.RecordOffer(solution=WORDS, benefit=WORDS))
    life.must(c.ConfirmCutBait(choice="breakup"))
    life.must(c.LeaveBreakupVoicemail(attested=("mentions_mail",), minutes=3))
    return life


def types(outcome: Outcome) -> list[str]:
    return [event_type(each.data) for each in outcome.recorded]


def send(life: Life, outcome: MailOutcome, attempt: int = 1, **said: Any) -> Outcome:
    """Hold the conversation number *attempt* about the mail that waits."""
    mail = life.lead.mail
    assert mail
    life.must(SendMail(mail=mail.id, purpose=mail.purpose, attempt=attempt))
    return life.do(ReportMail(mail=mail.id, outcome=outcome, **said))


def test_the_mail_of_a_breakup_is_its_second_half_once_it_is_out() -> None:
    """A1-9: queued it counts for nothing; taken over by a server it is the second half, and the breakup may be closed."""
    life = ready_for_the_mail()
    queued = life.do(queue_breakup_mail())
    assert (["mail_queued"], (SendMail(mail=MAIL_ID, purpose="breakup", attempt=1),)) == (types(queued), queued.follow_ups)
    assert "breakup_halves" == life.do(c.SendBreakup()).rule
    minutes = life.lead.minutes_invested
    assert ["mail_sent", "breakup_email_sent"] == types(send(life, "sent", code=250, status="2.0.0"))
    assert minutes + 5 == life.lead.minutes_invested
    assert ["breakup_sent"] == types(life.do(c.SendBreakup()))


def test_a_breakup_goes_out_only_when_all_that_it_says_is_true() -> None:
    """A1-9: three attempts, solution and benefit known, somebody reads the answers, and a person decided."""
    life = life_in("no_response")
    assert "attempts_made" == life.do(queue_breakup_mail()).rule
    for item in ("video", "study"):
        life.wait(days=7).must(touch_command(item))
    unread = msgspec.structs.replace(queue_breakup_mail(), monitored_reply_address=False)
    assert "monitored_reply_address" == life.do(unread).rule
    assert "offer_known" == life.do(queue_breakup_mail()).rule
    life.must(c.RecordOffer(solution=WORDS, benefit=WORDS))
    assert "cut_bait_confirmed" == life.do(queue_breakup_mail()).rule


def test_a_breakup_by_mail_leaves_the_door_open() -> None:
    """A1-10: it leads to nurture, and a reply a year later still reopens."""
    life = ready_for_the_mail()
    life.must(queue_breakup_mail())
    send(life, "sent")
    life.must(c.SendBreakup())
    assert "applied" == life.fire("breakup_window").answer
    life.wait(days=365).must(c.RecordReply(channel="email"))
    assert "re_engaged" == life.lead.state


def test_a_value_touch_by_mail_names_what_it_brings_and_counts_when_it_is_out() -> None:
    """A1-12, A3-3: an asset not used before, once a month; the timers of the next months count from the mail that went out."""
    life = life_in("nurture")
    touched = life.lead.nurture_touched_at
    life.must(queue_nurture_mail(life))
    assert touched == life.lead.nurture_touched_at
    outcome = send(life, "sent")
    assert ["mail_sent", "nurture_touch_sent"] == types(outcome)
    assert {"nurture_touch", "nurture_floor"} == set(outcome.recorded[1].effects.armed)
    assert ("study",) == life.lead.value_items_used
    assert "new_asset" == life.do(queue_nurture_mail(life)).rule
    other = msgspec.structs.replace(queue_nurture_mail(life), asset="video")
    assert "once_a_month" == life.do(other).rule


@pytest.mark.parametrize("check", ["one_click_unsubscribe", "postal_address"])
def test_a_value_touch_without_what_the_law_asks_for_does_not_go_out(check: str) -> None:
    """A3-3: unless the mail can be unsubscribed and carries a postal address, it is refused."""
    life = life_in("nurture")
    life.verdicts = (Verdict(check=check, passed=False, source="the mail"),)
    assert f"check.{check}" == life.do(queue_nurture_mail(life)).rule


def test_no_reason_stands_above_the_law() -> None:
    """An override passes a doubtful wording, and no mail without a way out or our address."""
    life = ready_for_the_mail()
    reasoned = msgspec.structs.replace(queue_breakup_mail(), override=WORDS)
    life.verdicts = (Verdict(check="postal_address", passed=False, source="the mail"),)
    assert "check.postal_address" == life.do(reasoned).rule
    life.verdicts = (Verdict(check="right_name", passed=False, source="the mail"),)
    life.must(reasoned)
    found, tally = follow(life.history, playbooks=[PLAYBOOK], calendars=[CALENDAR])
    assert ([], len(life.history)) == (found, tally.derived)


@pytest.mark.parametrize(
    ("between", "rule"),
    [
        (c.OptOut(), "no_transition"),
        (c.OptOut(channel="email"), "email_reachable"),
        (c.RecordReply(channel="call"), "no_transition"),
        (c.Hold(reason="prospect_out_of_office"), "not_held"),
        (c.EraseLead(reason=WORDS), "erased"),
        (QueueNurtureMail(mail=UUID(int=9), text=WORDS, asset="video", attested=("one_click_unsubscribe", "postal_address")),
         "mail_waiting"),
    ],
)  # fmt: skip
def test_permission_is_asked_when_the_mail_goes_out(between: Any, rule: str) -> None:
    """What came after the mail was made prevents it: an objection, a reply, a hold, an erasure, another mail."""
    life = life_in("nurture")
    life.must(queue_nurture_mail(life))
    life.must(between)
    assert rule == life.do(SendMail(mail=MAIL_ID, purpose="nurture", attempt=1)).rule


def verified(life: Life) -> None:
    """Have the verifier of auditors come to the same."""
    found, tally = follow(life.history, playbooks=[life.playbook], calendars=[CALENDAR])
    assert ([], len(life.history)) == (found, tally.derived)


def test_no_value_mail_goes_to_whom_nobody_studied_after_a_no() -> None:
    """A2-3, A2-9: it is not written, and one that waits since before the no does not go out, until the account was studied."""
    life = life_in("nurture", playbook=replace(PLAYBOOK, homework=Homework(study_first=True)))
    life.must(queue_nurture_mail(life))
    life.must(DECLINE)
    life.must(c.StartNurture())
    late = SendMail(mail=MAIL_ID, purpose="nurture", attempt=1)
    assert [life.do(command).rule for command in (late, queue_nurture_mail(life))] == ["account_studied"] * 2
    life.must(OpenHistory())
    life.must(HOMEWORK)
    assert life.do(late).rule == "account_studied"
    life.must(c.RecordStrategy(strategy=WORDS, missed_last_time=WORDS))
    life.must(late)
    verified(life)


def test_a_breakup_that_went_out_by_hand_stops_the_mail_that_waits() -> None:
    """A1-9: one breakup, one mail; whoever wrote first is enough."""
    life = ready_for_the_mail()
    life.must(queue_breakup_mail())
    life.must(c.SendBreakupEmail(monitored_reply_address=True, attested=("breakup_parts",)))
    assert "breakup_mail_open" == life.do(SendMail(mail=MAIL_ID, purpose="breakup", attempt=1)).rule
    assert "breakup_mail_open" == life.do(queue_breakup_mail()).rule
    verified(life)


def test_a_mail_too_long_before_its_voicemail_is_sent_once_more() -> None:
    """A1-9: the halves belong together, and the older one is done again."""
    life = ready_for_the_mail()
    life.must(c.SendBreakupEmail(monitored_reply_address=True, attested=("breakup_parts",)))
    life.wait(days=14).must(c.LeaveBreakupVoicemail(attested=("mentions_mail",)))
    assert "breakup_halves_together" == life.do(c.SendBreakup()).rule
    life.must(queue_breakup_mail())
    send(life, "sent")
    life.must(c.SendBreakup())
    verified(life)


def test_the_mail_of_a_breakup_that_is_off_does_not_go_out_in_the_next_one() -> None:
    """It names the attempts of a pursuit that an answer ended; a new one begins at none."""
    life = ready_for_the_mail()
    life.must(queue_breakup_mail())
    life.must(c.RecordReply(channel="call"))
    life._lead = msgspec.structs.replace(life.lead, state="no_response")
    assert "cut_bait_confirmed" == life.do(SendMail(mail=MAIL_ID, purpose="breakup", attempt=1)).rule


@pytest.mark.parametrize(
    ("asset", "days", "rule"), [("video", 0, "once_a_month"), ("study", 0, "new_asset"), ("study", 40, "new_asset")]
)
def test_a_touch_by_hand_stops_the_value_mail_that_waits(asset: str, days: int, rule: str) -> None:
    """A3-3, A3-4: not the same thing twice, nor two in a month, asked when the mail goes out."""
    life = life_in("nurture")
    life.must(queue_nurture_mail(life))
    life.must(c.SendNurtureTouch(mode="courier", asset=asset))
    life.wait(days=days)
    assert rule == life.do(SendMail(mail=MAIL_ID, purpose="nurture", attempt=1)).rule
    verified(life)


def test_a_value_mail_that_came_back_goes_out_again_unless_something_else_did() -> None:
    """Its own touch is no reason against itself; another one since then is."""
    for between, rule in ((None, None), (c.SendNurtureTouch(mode="courier", asset="video"), "new_asset")):
        life = life_in("nurture")
        life.must(queue_nurture_mail(life))
        send(life, "sent")
        life.must(RecordBounce(mail=MAIL_ID, permanent=False, status="4.2.2"))
        if between:
            life.wait(days=32).must(between)
        assert rule == life.do(SendMail(mail=MAIL_ID, purpose="nurture", attempt=2)).rule
        verified(life)


def test_the_minutes_of_a_mail_that_came_back_count_once() -> None:
    """A3-7: it was written once, however often it has to be sent."""
    life = life_in("nurture")
    invested = life.lead.minutes_invested
    life.must(msgspec.structs.replace(queue_nurture_mail(life), minutes=12))
    send(life, "sent")
    life.must(RecordBounce(mail=MAIL_ID, permanent=False, status="4.2.2"))
    send(life, "sent", attempt=2)
    assert invested + 12 == life.lead.minutes_invested
    verified(life)


def test_the_kind_of_a_value_mail_is_judged_and_kept() -> None:
    """A3-3: as with a touch by hand, it is one of the playbook's."""
    life = life_in("nurture", playbook=PURSUED)
    magnet = msgspec.structs.replace(queue_nurture_mail(life), kind="fridge_magnet")
    assert "asset_kind_known" == life.do(magnet).rule
    life.must(msgspec.structs.replace(magnet, kind="newsletter"))
    touched = send(life, "sent").recorded[1].data
    assert "newsletter" == getattr(touched, "kind", None)
    verified(life)


@pytest.mark.parametrize("field", ["breakup_email_at", "nurture_touched_at"])
def test_a_touch_by_hand_while_the_server_is_spoken_to_holds_the_mail_back(field: str) -> None:
    life = ready_for_the_mail() if field == "breakup_email_at" else life_in("nurture")
    life.must(queue_breakup_mail() if field == "breakup_email_at" else queue_nurture_mail(life))
    purpose = life.lead.mail.purpose if life.lead.mail else "breakup"
    command = SendMail(mail=MAIL_ID, purpose=purpose, attempt=1)
    life.must(command)
    assert may_go_on(life.lead, life.lead, command, ())
    assert not may_go_on(life.lead, life.lead, command, ("email",))
    by_hand = msgspec.structs.replace(life.lead, **{field: life.now})
    assert not may_go_on(life.lead, by_hand, command, ())


def test_a_mail_is_sent_once() -> None:
    """While it is on its way, and once it is out, nothing sends it again."""
    life = life_in("nurture")
    life.must(queue_nurture_mail(life))
    again_ = SendMail(mail=MAIL_ID, purpose="nurture", attempt=1)
    life.must(again_)
    assert "mail_waiting" == life.do(again_).rule
    life.must(ReportMail(mail=MAIL_ID, outcome="sent"))
    assert "mail_waiting" == life.do(again_).rule
    assert "mail_under_way" == life.do(ReportMail(mail=MAIL_ID, outcome="sent")).rule


def test_what_nobody_knows_the_end_of_is_settled_by_a_person() -> None:
    """It blocks the next mail until somebody has looked; then it was sent, or it is not."""
    life = life_in("nurture")
    life.must(queue_nurture_mail(life))
    send(life, "unconfirmed")
    other = msgspec.structs.replace(queue_nurture_mail(life), asset="video")
    assert "no_mail_under_way" == life.do(other).rule
    assert ["mail_sent", "nurture_touch_sent"] == types(life.do(ReportMail(mail=MAIL_ID, outcome="sent")))


def test_a_server_that_takes_nothing_is_asked_again_ever_more_rarely_and_then_no_more() -> None:
    life = life_in("nurture")
    life.must(queue_nurture_mail(life))
    deferred = send(life, "deferred", code=451, status="4.7.1", reason="greylisted")
    (next_,) = deferred.follow_ups
    assert isinstance(next_, SendMail)
    assert (2, life.now + timedelta(minutes=5)) == (next_.attempt, due_of(next_, life.now))
    waits = [again(attempt) or timedelta(0) for attempt in range(1, len(AGAIN_MINUTES) + 1)]
    assert waits == sorted(waits)
    assert again(len(AGAIN_MINUTES) + 1) is None


def test_a_mail_that_was_out_when_they_answered_is_no_touch() -> None:
    """They replied while it was on its way: that it went out is recorded, and moves nothing."""
    life = life_in("nurture")
    life.must(queue_nurture_mail(life))
    life.must(SendMail(mail=MAIL_ID, purpose="nurture", attempt=1))
    life.must(c.RecordReply(channel="call"))
    assert ["mail_sent"] == types(life.do(ReportMail(mail=MAIL_ID, outcome="sent")))


def test_a_mail_that_comes_back_for_good_takes_the_address_away() -> None:
    """Until the contact is updated; and the half of the breakup was never there."""
    life = ready_for_the_mail()
    life.must(queue_breakup_mail())
    send(life, "sent")
    bounced = life.do(RecordBounce(mail=MAIL_ID, permanent=True, status="5.1.1"))
    assert (["mail_bounced"], ()) == (types(bounced), bounced.follow_ups)
    assert "email" not in life.lead.modes
    assert "breakup_halves" == life.do(c.SendBreakup()).rule
    assert "email_reachable" == life.do(queue_breakup_mail()).rule
    assert "not_back_yet" == life.do(RecordBounce(mail=MAIL_ID, permanent=True, status="5.1.1")).rule
    life.must(c.UpdateContact(contact=WORDS, modes=("call", "email")))
    life.must(queue_breakup_mail())


def test_a_mail_that_comes_back_from_a_full_mailbox_is_sent_again() -> None:
    """A day later, three times in all; the address stays."""
    life = ready_for_the_mail()
    life.must(queue_breakup_mail())
    for attempt in (1, 2, 3):
        send(life, "sent", attempt)
        bounced = life.do(RecordBounce(mail=MAIL_ID, permanent=False, status="4.2.2"))
        assert ("email" in life.lead.modes, attempt < 3) == (True, bool(bounced.follow_ups))
    assert life.lead.mail
    assert "bounced" == life.lead.mail.status


def test_a_command_waits_for_its_own_moment_and_never_for_one_that_is_past() -> None:
    """Whichever has one: a mail that is tried again, a call that a plan moves once it is open. Others are due at once."""
    now = datetime(2026, 1, 5, 15, tzinfo=UTC)
    elsewhere = ZoneInfo("America/New_York")
    move = c.RescheduleCall(call_on=now.date(), reason="capacity")
    again_ = SendMail(mail=MAIL_ID, purpose="breakup", attempt=2)
    assert [now] * 3 == [due_of(each, now) for each in (move, again_, c.RecordReturn())]
    for command in (move, again_):
        for hours in (-3, 0, 3):
            due = due_of(replace(command, not_before=(now + timedelta(hours=hours)).astimezone(elsewhere)), now)
            assert (now + timedelta(hours=max(0, hours)), UTC) == (due, due.tzinfo)
