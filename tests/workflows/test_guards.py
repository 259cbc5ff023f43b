"""Each guard refuses what it is there to refuse, with a sentence for people, and lets everything else pass."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from tests.workflows.life import (
    CALENDAR,
    HOMEWORK,
    INTO,
    LEAD_ID,
    MAIL_ID,
    MERGE,
    NOTELESS,
    PLAYBOOK,
    PURSUED,
    WORDS,
    life_in,
    queue_breakup_mail,
    sent_command,
    take_in,
)
from tests.workflows.promotion import CAMPAIGN, letter, passed
from workflows import commands as c
from workflows import context
from workflows import homework_commands as h
from workflows import mail_commands as m
from workflows import pursuit_commands as p
from workflows.calendars import Absence, Calendar
from workflows.campaign_commands import ProposeCold
from workflows.capacity import Capacity
from workflows.checks import GUARDS_OF_MAIL, INVITATION_CHECKS
from workflows.contact_hours import clock_of, overlap
from workflows.ending_guards import working_minutes
from workflows.events import Slot, Verdict
from workflows.guards import GUARDS
from workflows.law_facts import LawFacts
from workflows.lead import HoldState, Lead, MailState, TakenIn
from workflows.merge_commands import MergeLead
from workflows.merge_events import OtherLead
from workflows.playbook_sections import Ask, ContactHours, Drop
from workflows.playbooks import Attempts, Audience, Checks, Homework, Playbook, Reason
from workflows.suppression import Entry, verdict

NOW = datetime(2026, 1, 7, 15, tzinfo=UTC)
TODAY = date(2026, 1, 7)
FRIDAY = date(2026, 1, 9)
PLANNED = date(2026, 1, 14)
RECENT, LONG_AGO = NOW - timedelta(days=10), NOW - timedelta(days=400)
HELD = HoldState(reason="manual", since=RECENT, until=None, remaining=())
NOTE = c.ScheduleNote(note_on=TODAY, call_on=PLANNED, value_item="report")
CALL = c.ScheduleCall(call_on=TODAY, value_item="report")
MOVE = c.RescheduleCall(call_on=FRIDAY, reason="capacity")
TOUCH = c.SendTouch(mode="email", value_item="report", attested=PLAYBOOK.checks.touch)
MAIL = c.SendNurtureTouch(mode="email", asset="report", attested=PLAYBOOK.checks.nurture)
TALK = c.RecordCall(outcome="connected", personal_topic_first=True, next_step="send", next_step_on=TODAY)
DECLINE = life_in("declined").lead.decline
AWAY = msgspec.structs.replace(CALENDAR, absences=(Absence(first=TODAY, last=FRIDAY),))
ILL = msgspec.structs.replace(CALENDAR, absences=(Absence(first=date(2026, 1, 2), last=date(2026, 1, 5)),))
SHORT = Calendar(timezone="UTC", first=date(2026, 1, 1), last=date(2026, 1, 10))


def mail(status: Any, id_: UUID = MAIL_ID, asset: str | None = None) -> dict[str, Any]:
    """Return the field of a lead whose last mail is at *status*."""
    return {"mail": MailState(id=id_, purpose="breakup", status=status, text=WORDS, asset=asset, attested=(), minutes=0)}


SEND_MAIL = m.SendMail(mail=MAIL_ID, purpose="breakup", attempt=1)
REPORT = m.ReportMail(mail=MAIL_ID, outcome="sent")
BOUNCE = m.RecordBounce(mail=MAIL_ID, permanent=True, status="5.1.1")

LET_GO = c.ConfirmCutBait(choice="nurture", reason=WORDS)
ONE_MORE = c.ConfirmCutBait(choice="one_more_try")
TRIED: dict[str, Any] = {
    "modes": ("call", "email"),
    "modes_tried": ("call", "email"),
    "value_items_used": ("report",),
    "connector_denied": True,
    "importance": 3,
}


KNOWN = OtherLead(known=True)


def playbook(**sections: Any) -> Playbook:
    return msgspec.structs.replace(PLAYBOOK, **sections)


@dataclass(frozen=True)
class Case:
    """One question to a guard: the lead's fields, the command, and what else is given."""

    command: Any
    lead: Mapping[str, Any] = field(default_factory=dict)
    actor: str = "rep:dan"
    playbook: Playbook = PLAYBOOK
    calendar: Calendar | None = CALENDAR
    free: tuple[Slot, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    into: OtherLead | None = KNOWN
    rule: str = ""


#: To the version that the lead follows already.
MIGRATE = c.MigratePlaybook(playbook="life", version="1.0.0", digest=PLAYBOOK.pin.digest)


#: Asks for all that the shipped playbook asks for before anybody who said no is contacted.
STRICT = playbook(homework=Homework(cite_sources=True, min_needs=1, study_first=True), reason=Reason(in_their_words=True))
CITED = msgspec.structs.replace(HOMEWORK, cited=(h.Source(published_on=HOMEWORK.sources[0], where=WORDS),))
PLAN = c.RecordStrategy(strategy=WORDS, missed_last_time=WORDS)
WHY = h.AskWhy(outcome="answered", answers={"ideal_solution": WORDS})
REVIEW = h.ReviewDecline(changed=False, finding=WORDS)
NEED = h.AnticipateNeed(item="roof-2027", need=WORDS, rationale=WORDS)
BLUNT = c.RecordDecline(kind="no", stated_reason="price", real_reason="lost_trust")


#: Promised for last Wednesday, so late since yesterday evening.
LATE = c.FireTimer(timer="call_late", armed_version=1)
DUE = {"state": "call_due", "promised_on": date(2025, 12, 31), "entered_at": datetime(2025, 12, 31, 15, tzinfo=UTC)}


EXPIRY = c.FireTimer(timer="consent_expires", armed_version=1)


def ask(guard: str, case: Case) -> context.Refused | None:
    base: Lead = life_in("queued").lead
    lead = msgspec.structs.replace(base, **case.lead)
    given = context.Context(
        now=NOW,
        actor=case.actor,
        calendar=case.calendar,
        playbook=case.playbook,
        free=case.free,
        verdicts=case.verdicts,
        into=case.into,
    )
    return GUARDS[guard](context.facts(lead, case.command, given), case.command)


def slot(kind: Any, day: date, rep: str = "dan") -> Slot:
    return Slot(rep=rep, kind=kind, day=day, ordinal=1)


def listed(kind: Any, channel: Any = None) -> Verdict:
    """Return the verdict on somebody with one entry on the suppression list."""
    return verdict([Entry(kind=kind, channel=channel, reason="opted_out", since=TODAY)])


def failed(check: str) -> Verdict:
    return Verdict(check=check, passed=False, source="similarity", inputs={"score": 81})


QUEUE = c.QueueRevival()
MAPPED: c.MigratePlaybook = msgspec.structs.replace(MIGRATE, step="note", onto="queue")
ONTO_CALL: c.MigratePlaybook = msgspec.structs.replace(MIGRATE, step="note", onto="promised_call")

REFUSES: list[tuple[str, Case]] = [
    ("manager", Case(c.Drop(reason="duplicate"))),
    ("person", Case(c.ConfirmCutBait(choice="breakup"), actor="planner")),
    ("not_held", Case(NOTE, {"hold": HELD})),
    ("held", Case(c.Release())),
    ("hold_ends_ahead", Case(c.Hold(reason="manual", until=TODAY))),
    ("another_owner", Case(c.Reassign(owner="dan"))),
    ("another_playbook", Case(MIGRATE)),
    ("another_lead", Case(MergeLead(into=LEAD_ID))),
    ("another_lead", Case(take_in(duplicate=LEAD_ID))),
    ("into_known", Case(MERGE, into=None)),
    ("into_known", Case(MERGE, into=OtherLead(known=False))),
    ("into_not_erased", Case(MERGE, into=OtherLead(known=True, erased=True))),
    ("into_not_merged", Case(MERGE, into=OtherLead(known=True, merged_into=LEAD_ID))),
    ("not_taken_in", Case(take_in(3), {"duplicates": (TakenIn(lead_id=INTO, version=3),)})),
    ("not_taken_in", Case(take_in(2), {"duplicates": (TakenIn(lead_id=INTO, version=3),)})),
    ("another_playbook", Case(MIGRATE, {"playbook": None})),
    ("step_kept", Case(MIGRATE, {"state": "note_due"}, playbook=playbook(capacity=Capacity(notes=0)))),
    ("step_kept", Case(MIGRATE, {"state": "call_due", "promised": True}, playbook=playbook(capacity=Capacity(calls=0)))),
    ("owned", Case(QUEUE, {"owner": ""})),
    ("owner_present", Case(QUEUE, calendar=AWAY)),
    ("no_open_opportunity", Case(QUEUE, {"open_opportunity": True}, rule="active_prospect")),
    ("stale", Case(QUEUE, {"last_contact_at": RECENT})),
    ("rotation", Case(QUEUE, {"called_at": RECENT, "queued_at": LONG_AGO})),
    ("qualified", Case(QUEUE, {"qualified": None})),
    ("qualified", Case(QUEUE, {"qualified": False})),
    ("qualified_if_required", Case(QUEUE, playbook=playbook(audience=Audience(require_qualified=True)), rule="qualified")),
    ("reason_probed", Case(QUEUE, {"reason_probed_at": None})),
    ("homework_fresh", Case(QUEUE, {"homework_at": None})),
    ("homework_fresh", Case(QUEUE, {"homework_at": LONG_AGO})),
    ("homework_refreshed", Case(QUEUE, {"decline": DECLINE, "homework_at": LONG_AGO}, rule="homework_fresh")),
    ("strategy_recorded", Case(QUEUE)),
    ("importance_answered", Case(QUEUE)),
    ("rested", Case(QUEUE, {"decline": DECLINE})),
    ("rested", Case(QUEUE, {"decline": DECLINE, "revisit_on": FRIDAY})),
    ("mode_left", Case(QUEUE, {"modes": ()})),
    ("not_suppressed", Case(NOTE, verdicts=(listed("email"),))),
    ("not_suppressed", Case(NOTE, verdicts=(listed("phone"),))),
    ("not_suppressed", Case(MAIL, verdicts=(listed("person", "email"),))),
    ("not_suppressed", Case(sent_command(), verdicts=(listed("post", "post"),))),
    (
        "not_suppressed",
        Case(c.SendBreakupEmail(monitored_reply_address=True, attested=("breakup_parts",)), verdicts=(listed("crm"),)),
    ),
    ("owner_was_present", Case(LATE, DUE, calendar=ILL)),
    ("owner_was_present", Case(LATE, DUE | {"term_on": TODAY})),
    ("note_promised", Case(c.RecordReturn(), {"state": "call_due"})),
    ("note_was_sent", Case(c.RecordReturn())),
    ("said_no", Case(REVIEW)),
    ("questions_known", Case(h.AskWhy(outcome="answered", answers={"shoe_size": WORDS}))),
    ("questions_known", Case(msgspec.structs.replace(WHY, outcome="not_reached"))),
    ("history_opened", Case(PLAN, {"decline": DECLINE}, playbook=STRICT)),
    ("account_studied", Case(QUEUE, {"decline": DECLINE, "homework_at": RECENT}, playbook=STRICT)),
    ("account_studied", Case(QUEUE, {"decline": DECLINE, "strategy_at": RECENT}, playbook=STRICT)),
    ("account_studied", Case(MAIL, {"decline": DECLINE, "strategy_at": RECENT}, playbook=STRICT)),
    ("sources_cited", Case(HOMEWORK, playbook=STRICT)),
    ("sources_cited", Case(msgspec.structs.replace(CITED, sources=(TODAY,)), playbook=STRICT)),
    ("needs_anticipated", Case(CITED, playbook=STRICT)),
    ("new_need", Case(NEED, {"needs": ("roof-2027",)})),
    ("new_need", Case(msgspec.structs.replace(NEED, item="report"))),
    ("real_reason_evidence", Case(BLUNT, playbook=STRICT, rule="reason_evidence")),
    ("homework_answered", Case(c.CompleteHomework(answers={"future_need": WORDS}, sources=()))),
    ("homework_sources", Case(msgspec.structs.replace(HOMEWORK, sources=(date(2024, 1, 1), date(2026, 2, 1))))),
    ("reason_evidence", Case(c.RecordReason(kind="real", reason="no_need", words=WORDS))),
    ("first_touch_is_note", Case(NOTE, playbook=playbook(first_touch="call"))),
    ("first_touch_is_note", Case(NOTE, {"called_at": RECENT}, rule="rotation")),
    ("fresh_relationship", Case(CALL, {"last_contact_at": LONG_AGO})),
    ("planned_day", Case(c.ScheduleCall(call_on=date(2026, 1, 6)))),
    ("planned_day", Case(c.ScheduleCall(call_on=date(2026, 1, 10)))),
    ("planned_day", Case(CALL, calendar=None, rule="calendar_known")),
    ("planned_day", Case(c.ScheduleCall(call_on=FRIDAY + timedelta(days=9)), calendar=SHORT, rule="calendar_known")),
    ("promise_day", Case(c.ScheduleNote(note_on=TODAY, call_on=FRIDAY))),
    ("promise_day", Case(NOTE, calendar=SHORT, rule="calendar_known")),
    ("promise_gap", Case(c.ScheduleNote(note_on=TODAY, call_on=TODAY + timedelta(days=11)))),
    ("note_slot", Case(NOTE, free=(slot("note", FRIDAY), slot("note", TODAY, "eve")), rule="note_slot_free")),
    ("call_slot", Case(NOTE, free=(slot("follow_up", PLANNED),), rule="call_slot_free")),
    ("follow_up_slot", Case(CALL, free=(slot("promised_call", TODAY),), rule="call_slot_free")),
    ("same_call_slot", Case(MOVE, {"promised": True}, free=(slot("follow_up", FRIDAY),), rule="call_slot_free")),
    ("later_day", Case(MOVE, {"call_on": FRIDAY})),
    ("later_day", Case(MOVE, {"call_on": PLANNED})),
    ("contact_hours", Case(c.ScheduleCall(call_on=date(2026, 1, 10)))),
    ("contact_hours", Case(QUEUE, playbook=playbook(contact_hours=ContactHours(opens=60, closes=120)))),
    ("contact_hours", Case(c.ScheduleCall(call_on=date(2026, 1, 19)), {"law": LawFacts(region="US-AL")})),
    ("consent_over", Case(EXPIRY, {"law": LawFacts(region="CA-ON", inquired_on=date(2025, 7, 7))})),
    ("consent_over", Case(EXPIRY, {"law": LawFacts(region="US-NY", inquired_on=date(2024, 7, 7))})),
    ("law_facts", Case(c.RecordLaw(law=LawFacts(purchased_on=FRIDAY)), rule="not_in_the_future")),
    ("law_facts", Case(c.RecordLaw(law=LawFacts(consents=("fax",))), rule="consent_evidence")),
    ("law_facts", Case(c.RecordLaw(law=LawFacts(dnc_listed=False)), rule="register_answer")),
    ("call_reachable", Case(CALL, {"law": LawFacts(dnc_listed=True)}, rule="do_not_call")),
    ("call_reachable", Case(CALL, {"law": LawFacts(region="US-FL", consumer=True)}, rule="do_not_call_check")),
    ("email_reachable", Case(QUEUE, {"law": LawFacts(region="CA-ON")}, rule="consent_expired")),
    ("mode_permitted", Case(c.SendTouch(mode="fax", value_item="study"), {"modes": ("fax",)}, rule="express_consent")),
    ("attempts_left", Case(CALL, {"attempts": 6})),
    ("attempts_left", Case(CALL, {"attempts": 9, "importance": 5})),
    ("new_value", Case(c.ScheduleCall(call_on=TODAY))),
    ("new_value", Case(TOUCH, {"value_items_used": ("report",)})),
    ("new_mode", Case(CALL, {"last_mode": "call", "modes_tried": ("call",)})),
    ("touch_gap", Case(CALL, {"last_touch_at": NOW - timedelta(days=1)})),
    ("touch_gap", Case(NOTE, {"last_touch_at": NOW - timedelta(days=1)})),
    ("touch_gap", Case(TOUCH, {"last_touch_at": NOW - timedelta(days=1)})),
    ("note_reachable", Case(NOTE, {"modes": ("call",)})),
    ("call_reachable", Case(CALL, {"modes": ("email",), "modes_refused": ("call",)})),
    (
        "email_reachable",
        Case(c.SendBreakupEmail(monitored_reply_address=True, attested=("breakup_parts",)), {"modes": ("call",)}),
    ),
    ("mode_permitted", Case(TOUCH, {"modes": ("call",)})),
    ("note_wanted", Case(sent_command(), {"modes": ("call",), "modes_refused": ("handwritten_note",)})),
    ("touch_mode", Case(c.SendTouch(mode="call", value_item="report"))),
    ("hand_written", Case(c.MarkNoteSent(medium="typed", attested=("hand_written",), override=WORDS))),
    ("content_checks", Case(c.MarkNoteSent(medium="hand_written"), rule="check.personal_fact")),
    ("content_checks", Case(sent_command(), verdicts=(failed("not_form_letter"),), rule="check.not_form_letter")),
    ("content_checks", Case(c.SendTouch(mode="email", value_item="report"), rule="check.recalls_prior_interest")),
    ("content_checks", Case(c.SendNurtureTouch(mode="email", asset="report"), rule="check.one_click_unsubscribe")),
    ("content_checks", Case(c.LeaveBreakupVoicemail(), rule="check.mentions_mail")),
    ("content_checks", Case(c.LeaveBreakupVoicemail(attested=("breakup_parts",)), rule="check.mentions_mail")),
    ("content_checks", Case(c.LeaveBreakupVoicemail(text=WORDS), rule="check.mentions_mail")),
    ("content_checks", Case(c.SendBreakupEmail(monitored_reply_address=True), rule="check.breakup_parts")),
    (
        "content_checks",
        Case(
            c.SendBreakupEmail(monitored_reply_address=True, attested=("breakup_parts",)),
            verdicts=(failed("breakup_parts"),),
            rule="check.breakup_parts",
        ),
    ),
    (
        "not_before_planned",
        Case(
            c.RecordCall(outcome="voicemail", occurred_at=RECENT),
            {"state": "call_due", "call_on": TODAY, "entered_at": NOW},
            rule="before_it_was_due",
        ),
    ),
    (
        "not_before_planned",
        Case(
            c.RecordMeeting(occurred_at=RECENT),
            {"state": "meeting_booked", "meeting_at": NOW, "entered_at": NOW},
            rule="before_it_was_due",
        ),
    ),
    ("human_reply", Case(c.RecordReply(channel="email", automatic=True))),
    ("personal_topic_first", Case(c.RecordCall(outcome="connected", decision="yes"))),
    ("decision_or_next_step", Case(c.RecordCall(outcome="connected", next_step="send"))),
    ("decision_or_next_step", Case(c.RecordCall(outcome="connected", next_step_on=FRIDAY))),
    ("decision_or_next_step", Case(msgspec.structs.replace(TALK, next_step_on=TODAY - timedelta(days=1)))),
    ("later_date_or_keep_in_touch", Case(c.RecordCall(outcome="not_now"))),
    ("later_date_or_keep_in_touch", Case(c.RecordCall(outcome="not_now", revisit_on=TODAY))),
    ("meeting_ahead", Case(c.BookMeeting(meeting_at=NOW))),
    ("meeting_ahead", Case(c.BookMeeting(meeting_at=NOW + timedelta(days=1)), {"meeting_at": NOW + timedelta(days=1)})),
    ("next_step_overdue", Case(QUEUE, {"next_step_on": TODAY})),
    ("breakup_halves", Case(c.SendBreakup(), {"breakup_voicemail_at": RECENT})),
    ("breakup_halves_together", Case(c.SendBreakup(), {"breakup_voicemail_at": RECENT, "breakup_email_at": NOW})),
    ("attempts_made", Case(c.SendBreakup(), {"attempts": 2})),
    ("as_its_mail", Case(c.LeaveBreakupVoicemail(attested=("mentions_mail",)), {"attempts": 2}, rule="attempts_made")),
    ("modes_tried", Case(c.SendBreakup(), {"modes_tried": ("call",)})),
    ("offer_known", Case(c.SendBreakup())),
    ("cut_bait_confirmed", Case(c.SendBreakup(), {"cut_bait": "one_more_try"})),
    ("monitored_reply_address", Case(c.SendBreakupEmail(monitored_reply_address=False, attested=("breakup_parts",)))),
    ("breakup_impossible_or_waived", Case(c.StartNurture())),
    ("idle", Case(ProposeCold())),
    ("idle", Case(ProposeCold(), {"open_opportunity": True, "stage_moved_at": RECENT})),
    ("idle", Case(ProposeCold(), {"open_opportunity": True, "stage_moved_at": LONG_AGO, "next_step_on": FRIDAY})),
    ("one_invitation", Case(letter(), {"invitations": (CAMPAIGN,)})),
    ("audience", Case(letter(), {"state": "won"})),
    ("audience", Case(letter(audience="client"))),
    ("content_checks", Case(letter(), rule="check.event_left")),
    ("not_suppressed", Case(letter(), verdicts=(listed("post", "post"),))),
    ("new_asset", Case(MAIL, {"value_items_used": ("report",)})),
    ("once_a_month", Case(MAIL, {"nurture_touched_at": datetime(2026, 1, 2, 15, tzinfo=UTC)})),
    ("drop_reason_of_declined", Case(c.Drop(reason="no_lawful_channel"), rule="drop_reason")),
    ("drop_reason_of_nurture", Case(c.Drop(reason="no_lawful_channel"), rule="drop_reason")),
    ("drop_reason_of_nurture", Case(c.Drop(reason="duplicate"), {"modes": ()}, rule="drop_reason")),
    ("not_suppressed", Case(SEND_MAIL, verdicts=(listed("person", "email"),))),
    ("breakup_mail_open", Case(queue_breakup_mail(), {"breakup_email_at": RECENT})),
    ("breakup_mail_open", Case(SEND_MAIL, mail("queued") | {"breakup_email_at": RECENT, "breakup_voicemail_at": RECENT})),
    ("new_asset", Case(SEND_MAIL, mail("queued", asset="report") | {"value_items_used": ("report",)})),
    ("new_asset", Case(SEND_MAIL, mail("returned", asset="report") | {"value_items_used": ("report", "video")})),
    ("once_a_month", Case(SEND_MAIL, mail("deferred", asset="video") | {"nurture_touched_at": NOW})),
    ("no_mail_under_way", Case(queue_breakup_mail(), mail("sending"))),
    ("no_mail_under_way", Case(queue_breakup_mail(), mail("unconfirmed"))),
    ("mail_waiting", Case(SEND_MAIL)),
    ("mail_waiting", Case(SEND_MAIL, mail("sent"))),
    ("mail_waiting", Case(SEND_MAIL, mail("queued", UUID(int=9)))),
    ("mail_under_way", Case(REPORT)),
    ("mail_under_way", Case(REPORT, mail("queued"))),
    ("mail_under_way", Case(REPORT, mail("sending", UUID(int=9)))),
    ("not_back_yet", Case(BOUNCE, mail("bounced"))),
    ("not_back_yet", Case(BOUNCE, mail("returned"))),
]

RESTED = {"decline": DECLINE, "revisit_on": TODAY}
PASSES: list[tuple[str, Case]] = [
    ("another_lead", Case(MERGE)),
    ("another_lead", Case(take_in())),
    ("into_known", Case(MERGE)),
    ("into_not_erased", Case(MERGE)),
    ("into_not_merged", Case(MERGE)),
    ("not_taken_in", Case(take_in())),
    ("not_taken_in", Case(take_in(4), {"duplicates": (TakenIn(lead_id=INTO, version=3),)})),
    ("breakup_mail_open", Case(queue_breakup_mail())),
    ("breakup_mail_open", Case(queue_breakup_mail(), {"breakup_email_at": LONG_AGO, "breakup_voicemail_at": NOW})),
    (
        "new_asset",
        Case(SEND_MAIL, mail("returned", asset="report") | {"value_items_used": ("report",), "nurture_touched_at": NOW}),
    ),
    (
        "once_a_month",
        Case(SEND_MAIL, mail("returned", asset="report") | {"value_items_used": ("report",), "nurture_touched_at": NOW}),
    ),
    ("no_mail_under_way", Case(queue_breakup_mail())),
    ("no_mail_under_way", Case(queue_breakup_mail(), mail("queued"))),
    ("mail_waiting", Case(SEND_MAIL, mail("queued"))),
    ("mail_waiting", Case(SEND_MAIL, mail("deferred"))),
    ("mail_waiting", Case(SEND_MAIL, mail("returned"))),
    ("mail_under_way", Case(REPORT, mail("sending"))),
    ("mail_under_way", Case(REPORT, mail("unconfirmed"))),
    ("not_back_yet", Case(BOUNCE)),
    ("not_back_yet", Case(BOUNCE, mail("bounced", UUID(int=9)))),
    ("manager", Case(c.Drop(reason="duplicate"), actor="manager:ann")),
    ("person", Case(c.ConfirmCutBait(choice="breakup"))),
    ("not_held", Case(NOTE)),
    ("held", Case(c.Release(), {"hold": HELD})),
    ("hold_ends_ahead", Case(c.Hold(reason="manual"))),
    ("hold_ends_ahead", Case(c.Hold(reason="manual", until=FRIDAY))),
    ("another_owner", Case(c.Reassign(owner="eve"))),
    ("owned", Case(QUEUE)),
    ("owner_present", Case(QUEUE)),
    ("not_suppressed", Case(NOTE)),
    ("not_suppressed", Case(NOTE, verdicts=(verdict([]),))),
    ("not_suppressed", Case(NOTE, verdicts=(listed("person", "email"),))),
    ("not_suppressed", Case(MAIL, verdicts=(listed("phone"),))),
    ("not_suppressed", Case(CALL, verdicts=(listed("phone"), verdict([])))),
    ("no_open_opportunity", Case(QUEUE)),
    (
        "no_open_opportunity",
        Case(QUEUE, {"open_opportunity": True}, playbook=playbook(audience=Audience(exclude_open_opportunity=False))),
    ),
    ("stale", Case(QUEUE, {"last_contact_at": None})),
    ("stale", Case(QUEUE, {"last_contact_at": NOW - timedelta(days=90)})),
    ("rotation", Case(QUEUE, {"called_at": LONG_AGO, "queued_at": None})),
    ("qualified", Case(QUEUE, {"qualified": True})),
    ("qualified_if_required", Case(QUEUE)),
    ("reason_probed", Case(QUEUE, {"reason_probed_at": RECENT})),
    ("homework_fresh", Case(QUEUE, {"homework_at": RECENT})),
    ("homework_refreshed", Case(QUEUE, {"decline": None})),
    ("strategy_recorded", Case(QUEUE, {"strategy_at": RECENT})),
    ("importance_answered", Case(QUEUE, {"importance": 1})),
    ("rested", Case(QUEUE, RESTED)),
    ("rested", Case(QUEUE, {"decline": None})),
    ("mode_left", Case(QUEUE)),
    ("homework_answered", Case(HOMEWORK)),
    ("homework_sources", Case(HOMEWORK)),
    ("reason_evidence", Case(c.RecordReason(kind="real", reason="no_need", evidence="call-1", words=WORDS))),
    ("first_touch_is_note", Case(NOTE)),
    ("fresh_relationship", Case(CALL, {"last_contact_at": RECENT})),
    ("fresh_relationship", Case(CALL, {"called_at": RECENT})),
    ("fresh_relationship", Case(CALL, {"last_contact_at": None}, playbook=playbook(first_touch="call"))),
    ("planned_day", Case(CALL)),
    ("promise_day", Case(NOTE)),
    ("promise_gap", Case(NOTE)),
    (
        "promise_gap",
        Case(
            c.ScheduleNote(note_on=TODAY, call_on=TODAY + timedelta(days=30)),
            playbook=playbook(capacity=msgspec.structs.replace(PLAYBOOK.capacity, long_gap="accept")),
        ),
    ),
    ("note_slot", Case(NOTE, free=(slot("note", TODAY),))),
    ("call_slot", Case(NOTE, free=(slot("promised_call", PLANNED),))),
    ("follow_up_slot", Case(CALL, free=(slot("follow_up", TODAY),))),
    ("same_call_slot", Case(MOVE, free=(slot("follow_up", FRIDAY),))),
    ("later_day", Case(MOVE, {"call_on": TODAY})),
    ("later_day", Case(c.RescheduleCall(call_on=FRIDAY, reason="prospect_asked"), {"call_on": PLANNED})),
    ("contact_hours", Case(CALL)),
    ("contact_hours", Case(CALL, {"timezone": "America/Los_Angeles"})),
    ("contact_hours", Case(c.ScheduleCall(call_on=date(2026, 1, 19)), {"law": LawFacts(region="US-FL")})),
    ("consent_over", Case(EXPIRY, {"law": LawFacts(region="CA-ON", inquired_on=date(2025, 7, 6))})),
    ("law_facts", Case(c.RecordLaw(law=LawFacts(consents=("fax",)), evidence=WORDS))),
    ("email_reachable", Case(QUEUE, {"law": LawFacts(region="CA-ON", consents=("email",))})),
    ("attempts_left", Case(CALL, {"attempts": 8, "importance": 4})),
    ("new_value", Case(TOUCH, {"value_items_used": ("video",)})),
    ("new_mode", Case(CALL, {"last_mode": "email"})),
    ("new_mode", Case(CALL, {"last_mode": "call", "modes_tried": ("call", "email", "courier")})),
    ("new_mode", Case(NOTE, {"last_mode": "call", "modes_tried": ("call",)})),
    ("new_mode", Case(CALL, {"last_mode": "call", "modes": ("call", "handwritten_note")})),
    ("new_mode", Case(CALL, {"last_mode": "call"}, playbook=playbook(attempts=Attempts(modes=("call",))))),
    ("touch_gap", Case(CALL, {"last_touch_at": NOW - timedelta(days=2)})),
    ("touch_gap", Case(TOUCH, {"last_touch_at": None})),
    ("note_reachable", Case(NOTE)),
    ("call_reachable", Case(CALL)),
    ("email_reachable", Case(c.SendBreakupEmail(monitored_reply_address=True, attested=("breakup_parts",)))),
    ("mode_permitted", Case(TOUCH)),
    ("note_wanted", Case(sent_command(), {"modes": ("call",)})),
    ("touch_mode", Case(TOUCH)),
    ("hand_written", Case(sent_command())),
    ("another_playbook", Case(msgspec.structs.replace(MIGRATE, digest="0" * 64))),
    ("step_kept", Case(MIGRATE, {"state": "queued"}, playbook=playbook(capacity=Capacity(notes=0)))),
    ("step_kept", Case(MIGRATE, {"state": "call_due"}, playbook=playbook(capacity=Capacity(calls=0)))),
    ("content_checks", Case(sent_command())),
    ("content_checks", Case(c.MarkNoteSent(medium="hand_written", override=WORDS), verdicts=(failed("future_call"),))),
    ("content_checks", Case(c.MarkNoteSent(medium="hand_written"), playbook=playbook(checks=Checks(note=())))),
    ("content_checks", Case(c.LeaveBreakupVoicemail(attested=("mentions_mail",)))),
    ("content_checks", Case(c.LeaveBreakupVoicemail(override=WORDS))),
    ("content_checks", Case(c.LeaveBreakupVoicemail(text=WORDS), verdicts=passed(["mentions_mail"]))),
    ("content_checks", Case(c.SendBreakupEmail(monitored_reply_address=True, attested=("breakup_parts",)))),
    ("content_checks", Case(TOUCH)),
    ("content_checks", Case(MAIL)),
    ("content_checks", Case(c.SendNurtureTouch(mode="post", asset="report"))),
    (
        "not_before_planned",
        Case(
            c.RecordCall(outcome="voicemail", occurred_at=RECENT),
            {"state": "call_due", "call_on": RECENT.date(), "entered_at": NOW},
        ),
    ),
    ("not_before_planned", Case(sent_command(), {"state": "note_due", "note_on": FRIDAY, "entered_at": RECENT})),
    ("human_reply", Case(c.RecordReply(channel="email"))),
    ("personal_topic_first", Case(TALK)),
    ("decision_or_next_step", Case(TALK)),
    ("decision_or_next_step", Case(c.RecordMeeting(decision="yes"))),
    ("later_date_or_keep_in_touch", Case(c.RecordCall(outcome="not_now", revisit_on=FRIDAY))),
    ("later_date_or_keep_in_touch", Case(c.RecordCall(outcome="not_now", keep_in_touch_requested=True))),
    ("meeting_ahead", Case(c.BookMeeting(meeting_at=NOW + timedelta(days=1)))),
    ("meeting_ahead", Case(c.BookMeeting(meeting_at=NOW - timedelta(hours=1), occurred_at=RECENT))),
    ("next_step_overdue", Case(QUEUE, {"next_step_on": TODAY - timedelta(days=1)})),
    ("owner_was_present", Case(LATE, DUE)),
    ("owner_was_present", Case(LATE)),
    ("note_promised", Case(c.RecordReturn(), {"state": "call_due", "promised": True})),
    ("note_promised", Case(c.RecordReturn(), {"state": "note_sent"})),
    ("note_was_sent", Case(c.RecordReturn(), {"note_sent_at": RECENT})),
    ("hand_written", Case(c.MarkNoteSent(medium="robot_pen"), playbook=playbook(checks=Checks(media=("robot_pen",))))),
    ("said_no", Case(REVIEW, {"decline": DECLINE})),
    ("questions_known", Case(WHY)),
    ("questions_known", Case(h.AskWhy(outcome="not_reached", answers={}))),
    ("history_opened", Case(PLAN, {"decline": DECLINE, "history_at": RECENT}, playbook=STRICT)),
    ("history_opened", Case(PLAN, playbook=STRICT)),
    ("history_opened", Case(PLAN, {"decline": DECLINE})),
    ("account_studied", Case(QUEUE, {"decline": DECLINE, "strategy_at": RECENT, "homework_at": RECENT}, playbook=STRICT)),
    ("account_studied", Case(QUEUE, playbook=STRICT)),
    ("sources_cited", Case(CITED, playbook=STRICT)),
    ("sources_cited", Case(HOMEWORK)),
    ("needs_anticipated", Case(CITED, {"needs": ("roof-2027",)}, playbook=STRICT)),
    ("new_need", Case(NEED)),
    ("real_reason_evidence", Case(msgspec.structs.replace(BLUNT, words=WORDS), playbook=STRICT)),
    ("real_reason_evidence", Case(BLUNT)),
    ("breakup_halves", Case(c.SendBreakup(), {"breakup_voicemail_at": RECENT, "breakup_email_at": RECENT})),
    (
        "breakup_halves_together",
        Case(c.SendBreakup(), {"breakup_voicemail_at": RECENT, "breakup_email_at": RECENT + timedelta(hours=5)}),
    ),
    ("breakup_halves_together", Case(c.SendBreakup())),
    ("attempts_made", Case(c.SendBreakup(), {"attempts": 3})),
    (
        "as_its_mail",
        Case(
            c.LeaveBreakupVoicemail(attested=("mentions_mail",)),
            {"attempts": 3, "modes_tried": ("call", "email"), "offer_at": RECENT, "cut_bait": "breakup"},
        ),
    ),
    ("modes_tried", Case(c.SendBreakup(), {"modes_tried": ("call", "email")})),
    ("offer_known", Case(c.SendBreakup(), {"offer_at": RECENT})),
    ("cut_bait_confirmed", Case(c.SendBreakup(), {"cut_bait": "breakup"})),
    ("monitored_reply_address", Case(c.SendBreakupEmail(monitored_reply_address=True, attested=("breakup_parts",)))),
    ("breakup_impossible_or_waived", Case(c.StartNurture(waiver=WORDS))),
    ("breakup_impossible_or_waived", Case(c.StartNurture(), {"modes": ("call",)})),
    ("breakup_impossible_or_waived", Case(c.StartNurture(), {"cut_bait": "nurture"})),
    ("idle", Case(ProposeCold(), {"open_opportunity": True, "stage_moved_at": LONG_AGO})),
    ("one_invitation", Case(letter())),
    ("one_invitation", Case(letter(), {"invitations": (MAIL_ID,)})),
    ("audience", Case(letter())),
    ("audience", Case(letter(audience="client"), {"state": "won"})),
    ("content_checks", Case(letter(), verdicts=passed(INVITATION_CHECKS))),
    ("new_asset", Case(MAIL)),
    ("once_a_month", Case(MAIL, {"nurture_touched_at": datetime(2025, 12, 31, 15, tzinfo=UTC)})),
    ("once_a_month", Case(MAIL)),
    ("drop_reason_of_declined", Case(c.Drop(reason="deceased"))),
    ("drop_reason_of_nurture", Case(c.Drop(reason="out_of_business"))),
    ("drop_reason_of_nurture", Case(c.Drop(reason="no_lawful_channel"), {"modes": ()})),
]


REFUSES += [
    ("may_migrate", Case(MIGRATE, {"state": "no_response"}, rule="manager")),
    ("step_mapped", Case(MAPPED, {"state": "note_due"})),
    ("step_mapped", Case(MAPPED, {"state": "call_due", "promised": True}, playbook=NOTELESS)),
    ("step_kept", Case(MAPPED, {"state": "note_sent"}, rule="step_mapped")),
    ("step_kept", Case(ONTO_CALL, {"state": "note_sent"}, playbook=NOTELESS)),
    ("step_kept", Case(ONTO_CALL, {"state": "note_due"}, playbook=playbook(capacity=Capacity(notes=0)))),
    ("connector_answered", Case(QUEUE, playbook=playbook(ask=Ask(connector=True)))),
    ("importance_allows", Case(LET_GO, playbook=playbook(drop=Drop(decides="manager")), rule="manager_lets_go")),
    ("importance_allows", Case(c.StartNurture(waiver=WORDS), {"importance": 5}, playbook=PURSUED)),
    ("importance_allows", Case(LET_GO, {"importance": 5}, playbook=PURSUED)),
    ("everything_tried", Case(LET_GO, TRIED | {"importance": None}, playbook=PURSUED)),
    ("everything_tried", Case(LET_GO, TRIED | {"modes": ("email", "other")}, playbook=PURSUED)),
    ("everything_tried", Case(LET_GO, TRIED | {"modes": ("call",)}, playbook=PURSUED)),
    ("everything_tried", Case(LET_GO, TRIED | {"value_items_used": ()}, playbook=PURSUED)),
    ("everything_tried", Case(LET_GO, TRIED | {"has_connector": True, "connectors": (WORDS.document_id,)}, playbook=PURSUED)),
    ("everything_tried", Case(LET_GO, TRIED | {"has_connector": True}, playbook=PURSUED)),
    ("cut_bait_reason", Case(c.ConfirmCutBait(choice="breakup"), playbook=PURSUED)),
    ("one_more_is_new", Case(ONE_MORE, {"value_items_used": PURSUED.value_items}, playbook=PURSUED)),
    ("one_more_is_new", Case(ONE_MORE, {"modes": ("call",), "last_mode": "call"}, playbook=PURSUED)),
    ("actions_listed", Case(c.AnswerImportance(importance=4), playbook=PURSUED)),
    ("way_known", Case(msgspec.structs.replace(TOUCH, way="linkedin"), playbook=PURSUED)),
    ("mode_open", Case(p.WaiveMode(mode="fax", reason=WORDS), playbook=PURSUED)),
    ("connector_known", Case(p.RequestIntroduction(connector=1))),
    ("human_reply", Case(c.RecordReply(channel="email", introduced_by=1), rule="connector_known")),
    ("asset_kind_known", Case(msgspec.structs.replace(MAIL, kind="fridge_magnet"), playbook=PURSUED)),
    ("nurture_mode", Case(msgspec.structs.replace(MAIL, mode="courier"), playbook=PURSUED)),
    ("nurture_owed", Case(p.SkipNurture(reason="nothing_new"))),
    ("nurtured_and_good", Case(QUEUE, {"decline": DECLINE, "qualified": None}, playbook=PURSUED, rule="qualified")),
    ("modes_tried", Case(c.SendBreakup(), TRIED | {"modes_tried": ("call", "fax")}, playbook=PURSUED)),
    (
        "once_a_month",
        Case(MAIL, {"nurture_touched_at": datetime(2025, 12, 31, 23, tzinfo=UTC), "timezone": "Asia/Tokyo"}, playbook=PURSUED),
    ),
]
PASSES += [
    ("may_migrate", Case(MIGRATE, actor="manager:ann")),
    ("step_mapped", Case(MAPPED, {"state": "note_sent"}, playbook=NOTELESS)),
    ("step_kept", Case(ONTO_CALL, {"state": "note_sent"}, playbook=playbook(capacity=Capacity(notes=0)))),
    ("connector_answered", Case(QUEUE)),
    ("connector_answered", Case(QUEUE, {"has_connector": True}, playbook=playbook(ask=Ask(connector=True)))),
    ("importance_answered", Case(QUEUE, playbook=playbook(ask=Ask(importance=False)))),
    ("importance_allows", Case(LET_GO, playbook=playbook(drop=Drop(decides="manager")), actor="manager:ann")),
    ("importance_allows", Case(LET_GO, {"importance": 5}, actor="manager:ann", playbook=PURSUED)),
    ("importance_allows", Case(ONE_MORE, {"importance": 5}, playbook=PURSUED)),
    ("importance_allows", Case(LET_GO, {"importance": 4}, playbook=PURSUED)),
    ("everything_tried", Case(LET_GO, TRIED, playbook=PURSUED)),
    ("everything_tried", Case(msgspec.structs.replace(LET_GO, override=WORDS), playbook=PURSUED)),
    ("everything_tried", Case(ONE_MORE, playbook=PURSUED)),
    ("cut_bait_reason", Case(LET_GO, playbook=PURSUED)),
    ("cut_bait_reason", Case(ONE_MORE, playbook=PURSUED)),
    ("one_more_is_new", Case(ONE_MORE, {"last_mode": "call"}, playbook=PURSUED)),
    ("one_more_is_new", Case(ONE_MORE, {"value_items_used": PURSUED.value_items, "needs": ("new-roof",)}, playbook=PURSUED)),
    ("actions_listed", Case(c.AnswerImportance(importance=4, actions=(WORDS,)), playbook=PURSUED)),
    ("actions_listed", Case(c.AnswerImportance(importance=3), playbook=PURSUED)),
    ("way_known", Case(msgspec.structs.replace(TOUCH, mode="other", way="linkedin"), playbook=PURSUED)),
    ("way_known", Case(TOUCH)),
    ("mode_open", Case(p.WaiveMode(mode="courier", reason=WORDS), playbook=PURSUED)),
    ("connector_known", Case(p.RequestIntroduction(connector=1), {"connectors": (WORDS.document_id,)})),
    ("asset_kind_known", Case(msgspec.structs.replace(MAIL, kind="newsletter"), playbook=PURSUED)),
    ("nurture_mode", Case(msgspec.structs.replace(MAIL, mode="post"), playbook=PURSUED)),
    ("nurture_mode", Case(msgspec.structs.replace(MAIL, mode="courier"))),
    ("nurture_owed", Case(p.SkipNurture(reason="nothing_new"), {"nurture_touch_owed": True})),
    ("nurtured_and_good", Case(QUEUE, {"decline": DECLINE, "qualified": True}, playbook=PURSUED)),
    ("nurtured_and_good", Case(QUEUE, {"qualified": None}, playbook=PURSUED)),
    ("nurtured_and_good", Case(c.QueueRevival(override=WORDS), {"decline": DECLINE}, playbook=PURSUED)),
    ("qualified", Case(c.QueueRevival(override=WORDS), {"qualified": False})),
    ("decision_or_next_step", Case(c.RecordMeeting(override=WORDS))),
    ("modes_tried", Case(c.SendBreakup(), TRIED, playbook=PURSUED)),
    (
        "once_a_month",
        Case(MAIL, {"nurture_touched_at": datetime(2026, 1, 1, 5, tzinfo=UTC), "timezone": "America/Denver"}, playbook=PURSUED),
    ),
]


def _ids(cases: list[tuple[str, Case]]) -> list[str]:
    return [f"{guard}-{number}" for number, (guard, _) in enumerate(cases)]


@pytest.mark.parametrize(("guard", "case"), REFUSES, ids=_ids(REFUSES))
def test_a_guard_refuses(guard: str, case: Case) -> None:
    """The answer names its rule, says why in a sentence, and lists what it looked at as plain values."""
    refused = ask(guard, case)
    assert refused is not None
    assert (case.rule or guard) == refused.rule
    assert refused.reason.endswith(".")
    assert len(refused.reason.split()) > 2
    assert all(isinstance(value, (str, int, bool, type(None))) for value in refused.inputs.values())


@pytest.mark.parametrize(("guard", "case"), PASSES, ids=_ids(PASSES))
def test_a_guard_passes(guard: str, case: Case) -> None:
    """What the rule allows goes through."""
    assert ask(guard, case) is None


def test_every_guard_is_seen_to_refuse_and_to_pass() -> None:
    """No guard of the table goes untried."""
    assert set(GUARDS) == {guard for guard, _ in REFUSES} == {guard for guard, _ in PASSES}


@pytest.mark.parametrize("guard", GUARDS_OF_MAIL)
def test_a_voicemail_asks_each_guard_that_is_recorded_as_asked(monkeypatch: pytest.MonkeyPatch, guard: str) -> None:
    """What stands with its event as asked is what was asked, by the same guards as of the mail (A1-3, A1-9)."""
    passes = {"attempts": 3, "modes_tried": ("call", "email"), "offer_at": RECENT, "cut_bait": "breakup"}
    voicemail = Case(c.LeaveBreakupVoicemail(attested=("mentions_mail",)), passes)
    assert ask("as_its_mail", voicemail) is None
    no = context.Refused(rule=guard, reason="No.", inputs={})
    monkeypatch.setitem(GUARDS, guard, lambda _facts, _command: no)
    assert no == ask("as_its_mail", voicemail)


def test_an_open_opportunity_is_refused_as_an_active_prospect() -> None:
    """The refusal names the requirement that it stands on (A4-1)."""
    refused = ask("no_open_opportunity", Case(QUEUE, {"open_opportunity": True}))
    assert refused
    assert "A4-1" in refused.reason


def test_a_missing_verdict_says_what_is_missing() -> None:
    """A check that nobody made is refused as that, not as a failure."""
    refused = ask("content_checks", Case(c.MarkNoteSent(medium="hand_written", attested=PLAYBOOK.checks.note[:2])))
    assert refused
    assert "check.future_call" == refused.rule
    assert "neither attested nor overridden" in refused.reason


def test_contact_hours_follow_the_prospects_own_clock() -> None:
    """A day of the rep's is good if some working minute of it is within the prospect's hours and weekdays."""

    def meets(hours: ContactHours, timezone: str, day: date) -> bool:
        return overlap(hours, clock_of(timezone, day, CALENDAR), day, CALENDAR)

    hours = ContactHours(opens=540, closes=600, weekdays=(1, 2, 3, 4, 5))
    assert meets(hours, "America/New_York", TODAY)
    assert meets(hours, "America/Los_Angeles", TODAY)
    assert not meets(hours, "Europe/London", TODAY)
    assert meets(ContactHours(), "Asia/Tokyo", date(2026, 1, 8)) is False
    assert meets(ContactHours(closes=1440), "Pacific/Kiritimati", date(2026, 1, 9)) is False
    assert meets(ContactHours(weekdays=(6,), closes=1440), "Pacific/Kiritimati", date(2026, 1, 9))
    assert meets(ContactHours(weekdays=(7,)), "", date(2026, 1, 11))
    assert meets(ContactHours(), "Not/AZone", TODAY)


def test_working_minutes_leave_out_nights_and_weekends() -> None:
    """From Friday 17:00 to Monday 09:00 of the rep's clock there are two working hours."""
    lead = life_in("queued").lead
    given = context.Context(now=NOW, actor="rep:dan", calendar=CALENDAR, playbook=PLAYBOOK)
    known = context.facts(lead, QUEUE, given)
    friday, monday = CALENDAR.moment(FRIDAY, 17 * 60), CALENDAR.moment(date(2026, 1, 12), 9 * 60)
    assert 120 == working_minutes(known, friday, monday)
    assert 0 == working_minutes(known, friday + timedelta(hours=4), friday + timedelta(hours=30))
    assert working_minutes(known, LONG_AGO, NOW) > 8 * 60
