"""The transition table: the 54 rows that move a lead, and beside it the rows of events that leave the state as it is.

`decide`, the chart and the documentation all come from these two tuples. A *trigger* is what sets a row off: a command's tag,
with a discriminator after a colon where the command alone does not say which row is meant (what came of a call, whether a
reply says no, which timer fired). At most one row stands for a state and a trigger, so the machine is deterministic.
"""

from typing import get_args

import msgspec

from workflows.commands import Command, FireTimer, MigratePlaybook, OptOut, RecordCall, RecordReason, RecordReply, command_kind
from workflows.events import SlotKind
from workflows.lead import RESTING, State
from workflows.mail_commands import ReportMail, SendMail

STATES: tuple[State, ...] = get_args(State)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a table."""

    id: str = ""
    """``T01`` to ``T54``; empty for a row that leaves the state as it is."""
    sources: tuple[State, ...]
    """Empty when there is no lead yet."""
    event: str
    """The stored name of the event."""
    target: State | None = None
    """None when the state stays whatever it is; a target among the sources may be the state it leaves."""
    triggers: tuple[str, ...]
    guards: tuple[str, ...] = ()
    """Ids in `workflows.guards.GUARDS`, in the order in which they are asked; the first that refuses is the answer."""
    arms: tuple[str, ...] = ()
    """Timers in `workflows.timers.TIMERS`. A row that enters another state cancels all that it does not arm."""
    cancels: tuple[str, ...] = ()
    """Timers that a row ends without leaving the state."""
    uses: tuple[SlotKind, ...] = ()
    """Slots that the touch takes up. A row that enters another state releases all that it neither uses nor keeps."""
    keeps: tuple[SlotKind, ...] = ()


def trigger(command: Command) -> str:
    """Return what *command* sets off, such as ``record_call:unanswered``."""
    kind = command_kind(command)
    match command:
        case RecordCall(outcome="connected" | "not_now" as outcome):
            return f"{kind}:{outcome}"
        case RecordCall():
            return f"{kind}:unanswered"
        case RecordReply(intent=intent):
            return f"{kind}:no" if intent == "no" else f"{kind}:open"
        case OptOut(channel=channel):
            return f"{kind}:channel" if channel else f"{kind}:all"
        case RecordReason(kind=reason):
            return f"{kind}:{reason}"
        case FireTimer(timer=timer):
            return f"{kind}:{timer}"
        case MigratePlaybook(onto="queue"):
            return f"{kind}:queue"
        case SendMail(purpose=purpose):
            return f"{kind}:{purpose}"
        case ReportMail(outcome=outcome):
            return f"{kind}:{outcome}"
    return kind


_NURTURE = ("nurture_touch", "nurture_floor", "requeue", "revisit")
_DECLINED = ("reason_probe", "homework", "triage", "review")
_ENGAGED = ("next_step", "lapse")
_SILENT = ("next_attempt", "response_window")
_CALL: tuple[SlotKind, ...] = ("promised_call", "follow_up")
_NOTE_PLAN = (
    "not_suppressed",
    "note_reachable",
    "call_reachable",
    "planned_day",
    "promise_day",
    "promise_gap",
    "contact_hours",
    "note_slot",
    "call_slot",
)
_CALL_PLAN = ("not_suppressed", "call_reachable", "planned_day", "contact_hours", "follow_up_slot")
_NEXT_TRY = ("attempts_left", "new_value", "new_mode", "touch_gap")
_MERGE = ("manager", "another_lead", "into_known", "into_not_erased", "into_not_merged", "not_held", "no_mail_under_way")
_MAY_GO_OUT = ("not_held", "not_suppressed", "email_reachable", "mail_waiting")
_PURSUED: tuple[State, ...] = ("declined", "queued", "note_due", "note_sent", "call_due", "no_response", "nurture")
_QUEUE_OR_NOTE: tuple[State, ...] = ("registered", "declined", "queued", "note_due")

# fmt: off
ROWS: tuple[Row, ...] = (
    Row(id="T01", sources=(), event="lead_registered", target="registered", triggers=("register_lead",)),
    Row(id="T02", sources=("registered",), event="lead_declined", target="declined", triggers=("record_decline",),
        guards=("real_reason_evidence",), arms=_DECLINED),
    Row(id="T03", sources=("registered",), event="revival_queued", target="queued", triggers=("queue_revival",),
        guards=("no_open_opportunity", "account_studied", "stale", "rotation", "qualified_if_required"), arms=("queue_age",)),
    Row(id="T04", sources=("declined",), event="revival_queued", target="queued", triggers=("queue_revival",),
        guards=("no_open_opportunity", "reason_probed", "homework_fresh", "strategy_recorded", "qualified",
                "importance_answered", "connector_answered", "rested", "mode_left"), arms=("queue_age",)),
    Row(id="T05", sources=("declined",), event="nurture_started", target="nurture",
        triggers=("fire_timer:triage", "start_nurture"), arms=_NURTURE),
    Row(id="T06", sources=("declined",), event="lead_dropped", target="dropped", triggers=("drop",),
        guards=("manager", "drop_reason_of_declined")),
    Row(id="T07", sources=("queued",), event="note_scheduled", target="note_due", triggers=("schedule_note",),
        guards=("not_held", "no_open_opportunity", "first_touch_is_note", *_NOTE_PLAN), arms=("note_slot",)),
    Row(id="T08", sources=("queued",), event="call_scheduled", target="call_due", triggers=("schedule_call",),
        guards=("not_held", "no_open_opportunity", "fresh_relationship", *_CALL_PLAN),
        arms=("call_grace", "call_expiry")),
    Row(id="T09", sources=("queued",), event="nurture_started", target="nurture", triggers=("fire_timer:queue_age",),
        arms=_NURTURE),
    Row(id="T10", sources=("note_due",), event="note_sent", target="note_sent", triggers=("mark_note_sent",),
        guards=("hand_written", "not_suppressed", "note_wanted", "call_reachable", "not_before_planned", "content_checks"),
        arms=("call_after_note",), uses=("note",), keeps=("promised_call",)),
    Row(id="T11", sources=("note_due",), event="note_slot_released", target="queued", triggers=("fire_timer:note_slot",),
        arms=("queue_age",)),
    Row(id="T12", sources=("note_sent",), event="call_due", target="call_due", triggers=("fire_timer:call_after_note",),
        guards=("not_held", "owned", "not_suppressed", "call_reachable", "owner_present", "contact_hours"),
        arms=("call_grace", "call_late", "call_expiry"), keeps=("promised_call",)),
    Row(id="T13", sources=("note_sent",), event="reply_received", target="re_engaged", triggers=("record_reply:open",),
        guards=("human_reply",), arms=_ENGAGED),
    Row(id="T14", sources=("note_sent", "call_due"), event="note_returned", target="queued", triggers=("record_return",),
        guards=("note_promised", "not_before_planned"), arms=("queue_age",)),
    Row(id="T15", sources=("call_due",), event="call_connected", target="re_engaged", triggers=("record_call:connected",),
        guards=("not_before_planned", "personal_topic_first", "decision_or_next_step"), arms=_ENGAGED, uses=_CALL),
    Row(id="T16", sources=("call_due",), event="meeting_booked", target="meeting_booked", triggers=("book_meeting",),
        guards=("meeting_ahead",), arms=("meeting_outcome",), uses=_CALL),
    Row(id="T17", sources=("call_due",), event="lead_declined", target="declined", triggers=("record_decline",),
        guards=("real_reason_evidence",), arms=_DECLINED, uses=_CALL),
    Row(id="T18", sources=("call_due",), event="nurture_started", target="nurture", triggers=("record_call:not_now",),
        guards=("not_before_planned", "later_date_or_keep_in_touch"), arms=_NURTURE, uses=_CALL),
    Row(id="T19", sources=("call_due",), event="no_response", target="no_response", triggers=("record_call:unanswered",),
        guards=("not_before_planned",), arms=_SILENT, uses=_CALL),
    Row(id="T20", sources=("call_due",), event="call_rescheduled", target="call_due", triggers=("reschedule_call",),
        guards=("not_held", "later_day", "planned_day", "same_call_slot"),
        arms=("call_grace", "call_late", "call_expiry")),
    Row(id="T21", sources=("call_due",), event="reply_received", target="re_engaged", triggers=("record_reply:open",),
        guards=("human_reply",), arms=_ENGAGED),
    Row(id="T22", sources=("call_due", "note_sent"), event="call_promise_expired", target="queued",
        triggers=("fire_timer:call_expiry",), guards=("owner_was_present",), arms=("queue_age",)),
    Row(id="T23", sources=("no_response",), event="call_scheduled", target="call_due", triggers=("schedule_call",),
        guards=("not_held", *_NEXT_TRY, *_CALL_PLAN), arms=("call_grace", "call_expiry")),
    Row(id="T24", sources=("no_response",), event="note_scheduled", target="note_due", triggers=("schedule_note",),
        guards=("not_held", *_NEXT_TRY, *_NOTE_PLAN), arms=("note_slot",)),
    Row(id="T25", sources=("no_response",), event="touch_sent", target="no_response", triggers=("send_touch",),
        guards=("touch_mode", "way_known", "not_suppressed", "mode_permitted", "attempts_left", "new_value", "touch_gap",
                "content_checks"),
        arms=_SILENT, uses=("follow_up",)),
    Row(id="T26", sources=("no_response",), event="reply_received", target="re_engaged", triggers=("record_reply:open",),
        guards=("human_reply",), arms=_ENGAGED),
    Row(id="T27", sources=("no_response",), event="breakup_sent", target="breakup_sent", triggers=("send_breakup",),
        guards=("breakup_halves", "breakup_halves_together", "attempts_made", "modes_tried", "offer_known",
                "cut_bait_confirmed"), arms=("breakup_window",)),
    Row(id="T28", sources=("no_response",), event="nurture_started", target="nurture", triggers=("start_nurture",),
        guards=("breakup_impossible_or_waived", "importance_allows"), arms=_NURTURE),
    Row(id="T29", sources=("breakup_sent",), event="reply_received", target="re_engaged", triggers=("record_reply:open",),
        guards=("human_reply",), arms=_ENGAGED),
    Row(id="T30", sources=("breakup_sent",), event="lead_declined", target="declined",
        triggers=("record_decline", "record_reply:no"), guards=("real_reason_evidence",), arms=_DECLINED),
    Row(id="T31", sources=("breakup_sent",), event="nurture_started", target="nurture",
        triggers=("fire_timer:breakup_window",), arms=_NURTURE),
    Row(id="T32", sources=("nurture",), event="nurture_touch_sent", target="nurture", triggers=("send_nurture_touch",),
        guards=("nurture_mode", "not_suppressed", "mode_permitted", "account_studied", "asset_kind_known", "new_asset",
                "once_a_month", "content_checks"),
        arms=("nurture_touch", "nurture_floor")),
    Row(id="T33", sources=("nurture",), event="reply_received", target="re_engaged", triggers=("record_reply:open",),
        guards=("human_reply",), arms=_ENGAGED),
    Row(id="T34", sources=("nurture",), event="revival_queued", target="queued",
        triggers=("fire_timer:requeue", "fire_timer:revisit", "queue_revival"),
        guards=("no_open_opportunity", "nurtured_and_good", "homework_refreshed", "account_studied", "mode_left"),
        arms=("queue_age",)),
    Row(id="T35", sources=("nurture",), event="lead_dropped", target="dropped", triggers=("drop",),
        guards=("manager", "drop_reason_of_nurture")),
    Row(id="T36", sources=("re_engaged",), event="meeting_booked", target="meeting_booked", triggers=("book_meeting",),
        guards=("meeting_ahead",), arms=("meeting_outcome",)),
    Row(id="T37", sources=("re_engaged",), event="lead_won", target="won", triggers=("mark_won",)),
    Row(id="T38", sources=("re_engaged",), event="lead_declined", target="declined",
        triggers=("record_decline", "record_reply:no"), guards=("real_reason_evidence",), arms=_DECLINED),
    Row(id="T39", sources=("re_engaged",), event="no_response", target="no_response", triggers=("fire_timer:lapse",),
        guards=("next_step_overdue",), arms=_SILENT),
    Row(id="T40", sources=("meeting_booked",), event="lead_won", target="won", triggers=("mark_won",)),
    Row(id="T41", sources=("meeting_booked",), event="lead_declined", target="declined",
        triggers=("record_decline", "record_reply:no"), guards=("real_reason_evidence",), arms=_DECLINED),
    Row(id="T42", sources=("meeting_booked",), event="re_engaged", target="re_engaged", triggers=("record_meeting",),
        guards=("not_before_planned", "decision_or_next_step"), arms=_ENGAGED),
    Row(id="T43", sources=("meeting_booked",), event="meeting_outcome_missed", target="re_engaged",
        triggers=("fire_timer:meeting_outcome",), arms=_ENGAGED),
    Row(id="T44", sources=("won",), event="lead_declined", target="declined", triggers=("record_decline",),
        guards=("real_reason_evidence",), arms=_DECLINED),
    Row(id="T45", sources=("dropped",), event="reply_received", target="re_engaged", triggers=("record_reply:open",),
        guards=("human_reply",), arms=_ENGAGED),
    Row(id="T46", sources=("dropped",), event="revival_queued", target="queued", triggers=("queue_revival",),
        guards=("manager", "account_studied"), arms=("queue_age",)),
    Row(id="T47", sources=("do_not_contact",), event="consent_regranted", target="registered",
        triggers=("regrant_consent",), guards=("manager",)),
    Row(id="T48", sources=tuple(state for state in STATES if state != "do_not_contact"), event="opted_out",
        target="do_not_contact", triggers=("opt_out:all",)),
    Row(id="T49", sources=_QUEUE_OR_NOTE, event="reply_received", target="re_engaged", triggers=("record_reply:open",),
        guards=("human_reply",), arms=_ENGAGED),
    Row(id="T50", sources=("queued", "note_due", "note_sent", "no_response", "nurture"), event="lead_declined",
        target="declined", triggers=("record_decline", "record_reply:no"), guards=("real_reason_evidence",), arms=_DECLINED),
    Row(id="T51", sources=("registered", "declined", "queued", "note_due", "note_sent", "call_due", "no_response",
                           "breakup_sent", "nurture", "dropped"), event="lead_won", target="won", triggers=("mark_won",)),
    Row(id="T52", sources=tuple(state for state in STATES if state != "do_not_contact"), event="lead_merged",
        target="dropped", triggers=("merge_lead",), guards=_MERGE),
    # A lead that takes in a duplicate while it is merged itself: see `workflows.merging`.
    Row(id="T53", sources=("dropped",), event="duplicate_taken_in", target="registered",
        triggers=("take_in_duplicate:merged",), guards=("another_lead", "not_taken_in")),
    # A manager moves a lead to a playbook that lacks its step, and says that it is to begin again there.
    Row(id="T54", sources=("note_due", "note_sent", "call_due"), event="playbook_migrated", target="queued",
        triggers=("migrate_playbook:queue",), guards=("manager", "another_playbook", "step_mapped"), arms=("queue_age",)),
)

_CONTACTABLE = tuple(state for state in STATES if state != "do_not_contact")

ASIDES: tuple[Row, ...] = (
    Row(sources=STATES, event="contact_updated", triggers=("update_contact",), arms=("consent_expires",),
        cancels=("consent_expires",)),
    Row(sources=("re_engaged",), event="reply_received", triggers=("record_reply:open",), guards=("human_reply",),
        arms=_ENGAGED),
    Row(sources=("meeting_booked", "won"), event="reply_received", triggers=("record_reply:open",),
        guards=("human_reply",)),
    Row(sources=("meeting_booked",), event="meeting_booked", triggers=("book_meeting",), guards=("meeting_ahead",),
        arms=("meeting_outcome",)),
    Row(sources=("call_due",), event="call_promise_missed", triggers=("fire_timer:call_late",),
        guards=("owner_was_present",)),
    Row(sources=("declined", "queued", "note_due", "no_response", "breakup_sent", "nurture", "re_engaged", "meeting_booked",
                 "won", "dropped"), event="note_returned", triggers=("record_return",), guards=("note_was_sent",)),
    Row(sources=("no_response",), event="response_window_closed", triggers=("fire_timer:response_window",),
        arms=("response_window",)),
    Row(sources=("no_response",), event="touch_scheduled", triggers=("schedule_touch",),
        guards=("not_held", "touch_mode", "not_suppressed", "mode_permitted", "attempts_left", "new_value", "touch_gap",
                "planned_day", "follow_up_slot")),
    Row(sources=("no_response",), event="breakup_voicemail_left", triggers=("leave_breakup_voicemail",),
        guards=("not_suppressed", "call_reachable", "as_its_mail", "content_checks")),
    Row(sources=("no_response",), event="breakup_email_sent", triggers=("send_breakup_email",),
        guards=("not_suppressed", "email_reachable", "monitored_reply_address", "content_checks")),
    Row(sources=("no_response",), event="cut_bait_confirmed", triggers=("confirm_cut_bait",),
        guards=("person", "importance_allows", "one_more_is_new", "everything_tried", "cut_bait_reason")),
    Row(sources=("nurture",), event="nurture_touch_due", triggers=("fire_timer:nurture_touch",), arms=("nurture_touch",)),
    Row(sources=("nurture",), event="nurture_floor_reached", triggers=("fire_timer:nurture_floor",),
        arms=("nurture_floor",)),
    Row(sources=_CONTACTABLE, event="lead_held", triggers=("hold",), guards=("not_held", "hold_ends_ahead"),
        arms=("hold_until", "hold_review")),
    Row(sources=_CONTACTABLE, event="lead_released", triggers=("release", "fire_timer:hold_until"), guards=("held",)),
    Row(sources=_CONTACTABLE, event="hold_review_due", triggers=("fire_timer:hold_review",), guards=("held",),
        arms=("hold_review",)),
    Row(sources=STATES, event="lead_reassigned", triggers=("reassign",), guards=("another_owner",),
        arms=("call_after_note", "call_grace")),
    Row(sources=STATES, event="stated_reason_recorded", triggers=("record_reason:stated",)),
    Row(sources=STATES, event="real_reason_recorded", triggers=("record_reason:real",), guards=("reason_evidence",),
        cancels=("reason_probe",)),
    Row(sources=STATES, event="homework_completed", triggers=("complete_homework",),
        guards=("homework_answered", "homework_sources", "sources_cited", "needs_anticipated"), cancels=("homework",)),
    Row(sources=STATES, event="strategy_recorded", triggers=("record_strategy",),
        guards=("history_opened", "content_checks")),
    Row(sources=STATES, event="offer_recorded", triggers=("record_offer",)),
    Row(sources=STATES, event="lead_qualified", triggers=("qualify",)),
    Row(sources=STATES, event="importance_answered", triggers=("answer_importance",), guards=("actions_listed",)),
    Row(sources=STATES, event="connector_introduced", triggers=("introduce_connector",)),
    Row(sources=STATES, event="connector_denied", triggers=("deny_connector",)),
    Row(sources=_PURSUED, event="introduction_requested", triggers=("request_introduction",), guards=("connector_known",)),
    Row(sources=("no_response",), event="mode_waived", triggers=("waive_mode",), guards=("person", "mode_open")),
    Row(sources=("nurture",), event="nurture_touch_skipped", triggers=("skip_nurture",), guards=("person", "nurture_owed")),
    Row(sources=STATES, event="history_opened", triggers=("open_history",)),
    Row(sources=_CONTACTABLE, event="why_asked", triggers=("ask_why",),
        guards=("not_suppressed", "mode_permitted", "said_no", "questions_known"), arms=("reason_probe",)),
    Row(sources=STATES, event="opportunity_uncovered", triggers=("uncover_opportunity",)),
    Row(sources=STATES, event="need_anticipated", triggers=("anticipate_need",), guards=("new_need",)),
    Row(sources=_CONTACTABLE, event="decline_reviewed", triggers=("review_decline",), guards=("said_no",),
        arms=("review",)),
    Row(sources=STATES, event="law_recorded", triggers=("record_law",), guards=("law_facts",), arms=("consent_expires",),
        cancels=("consent_expires",)),
    Row(sources=tuple(state for state in STATES if state not in RESTING), event="consent_expired",
        triggers=("fire_timer:consent_expires",), guards=("consent_over",)),
    Row(sources=STATES, event="playbook_migrated", triggers=("migrate_playbook",),
        guards=("may_migrate", "another_playbook", "step_kept")),
    Row(sources=_CONTACTABLE, event="channel_opted_out", triggers=("opt_out:channel",)),
    Row(sources=STATES, event="stage_moved", triggers=("move_stage",)),
    Row(sources=_CONTACTABLE, event="cold_proposed", triggers=("propose_cold",), guards=("idle",)),
    Row(sources=_CONTACTABLE, event="event_invitation_sent", triggers=("send_invitation",),
        guards=("not_held", "not_suppressed", "mode_permitted", "one_invitation", "audience", "content_checks")),
    Row(sources=STATES, event="lead_erased", triggers=("erase_lead",)),
    Row(sources=("do_not_contact",), event="lead_merged", triggers=("merge_lead",), guards=_MERGE),
    Row(sources=STATES, event="duplicate_taken_in", triggers=("take_in_duplicate",), guards=("another_lead", "not_taken_in"),
        arms=("revisit",)),
    Row(sources=("no_response",), event="mail_queued", triggers=("queue_breakup_mail",),
        guards=("not_held", "not_suppressed", "email_reachable", "monitored_reply_address", "attempts_made", "modes_tried",
                "offer_known", "cut_bait_confirmed", "breakup_mail_open", "no_mail_under_way", "content_checks")),
    Row(sources=("nurture",), event="mail_queued", triggers=("queue_nurture_mail",),
        guards=("not_held", "not_suppressed", "email_reachable", "account_studied", "asset_kind_known", "new_asset",
                "once_a_month", "no_mail_under_way", "content_checks")),
    Row(sources=("no_response",), event="mail_sending", triggers=("send_mail:breakup",),
        guards=(*_MAY_GO_OUT, "cut_bait_confirmed", "breakup_mail_open")),
    Row(sources=("nurture",), event="mail_sending", triggers=("send_mail:nurture",),
        guards=(*_MAY_GO_OUT, "account_studied", "new_asset", "once_a_month")),
    Row(sources=STATES, event="mail_sent", triggers=("report_mail:sent",), guards=("mail_under_way",)),
    Row(sources=STATES, event="mail_refused", triggers=("report_mail:refused",), guards=("mail_under_way",)),
    Row(sources=STATES, event="mail_deferred", triggers=("report_mail:deferred",), guards=("mail_under_way",)),
    Row(sources=STATES, event="mail_unconfirmed", triggers=("report_mail:unconfirmed",), guards=("mail_under_way",)),
    # What a mail that went out amounts to: the second event of `mail_sent`.
    Row(sources=("no_response",), event="breakup_email_sent", triggers=("mail_sent:breakup",)),
    Row(sources=("nurture",), event="nurture_touch_sent", triggers=("mail_sent:nurture",),
        arms=("nurture_touch", "nurture_floor")),
    Row(sources=STATES, event="mail_bounced", triggers=("record_bounce",), guards=("not_back_yet",)),
)
# fmt: on

#: What sets off a touch: its decision is given what the suppression list says at that moment, and records it.
TOUCHES = frozenset(name for row in (*ROWS, *ASIDES) if "not_suppressed" in row.guards for name in row.triggers)

#: Rows by which a call that was due is made, whatever came of it.
CALL_ROWS = frozenset(row.id for row in ROWS if "promised_call" in row.uses)

_BY_TRIGGER: dict[tuple[State, str], Row] = {
    (state, name): row for row in (*ASIDES, *ROWS) for state in row.sources for name in row.triggers
}
_BY_EVENT: dict[str, Row] = {row.event: row for row in reversed(ASIDES)}


def row_for(state: State, name: str) -> Row | None:
    """Return the row that the trigger called *name* sets off in *state*, if there is one."""
    return _BY_TRIGGER.get((state, name))


def aside(event: str) -> Row:
    """Return the row of an *event* that leaves the state as it is."""
    return _BY_EVENT[event]


#: What the planner, the clock and other leads ask for, and what may be done to a lead wherever it stands.
_NO_WAY_ON = frozenset({"fire_timer", "schedule_note", "schedule_call", "merge_lead", "take_in_duplicate", "migrate_playbook"})


def possible(state: State) -> tuple[str, ...]:
    """Return the commands that people may give in *state* and that would move the lead, in the order of the table."""
    names = (name.partition(":")[0] for row in ROWS if state in row.sources for name in row.triggers)
    return tuple(dict.fromkeys(name for name in names if name not in _NO_WAY_ON))
