"""Which Dramatiq actor carries a command. An actor is called after the transition; six have the names that everybody uses."""

from workflows.commands import Command, FireTimer, command_kind
from workflows.transitions import trigger

_ACTORS = {
    "register_lead": "register",
    "update_contact": "contact_updated",
    "record_decline": "decline",
    "queue_revival": "revival_queued",
    "drop": "dropped",
    "schedule_note": "note_scheduled",
    "schedule_call": "call_scheduled",
    "schedule_touch": "touch_scheduled",
    "mark_note_sent": "note_sent",
    "record_return": "note_returned",
    "record_call:connected": "call_connected",
    "record_call:unanswered": "no_response",
    "record_call:not_now": "nurture",
    "reschedule_call": "call_rescheduled",
    "record_reply:open": "reply_received",
    "record_reply:no": "reply_received",
    "send_touch": "touch_sent",
    "leave_breakup_voicemail": "breakup_voicemail_left",
    "send_breakup_email": "breakup_email_sent",
    "confirm_cut_bait": "cut_bait_confirmed",
    "send_breakup": "breakup_sent",
    "start_nurture": "nurture",
    "send_nurture_touch": "nurture_touch_sent",
    "book_meeting": "meeting_booked",
    "record_meeting": "re_engaged",
    "mark_won": "won",
    "opt_out:all": "opted_out",
    "opt_out:channel": "channel_opted_out",
    "regrant_consent": "consent_regranted",
    "erase_lead": "erased",
    "merge_lead": "merged",
    "take_in_duplicate": "duplicate_taken_in",
    "hold": "held",
    "release": "released",
    "reassign": "reassigned",
    "record_reason:stated": "reason_recorded",
    "record_reason:real": "reason_recorded",
    "complete_homework": "homework_completed",
    "record_strategy": "strategy_recorded",
    "record_offer": "offer_recorded",
    "qualify": "qualified",
    "answer_importance": "importance_answered",
    "introduce_connector": "connector_introduced",
    "deny_connector": "connector_denied",
    "request_introduction": "introduction_requested",
    "waive_mode": "mode_waived",
    "skip_nurture": "nurture_touch_skipped",
    "open_history": "history_opened",
    "ask_why": "why_asked",
    "uncover_opportunity": "opportunity_uncovered",
    "anticipate_need": "need_anticipated",
    "review_decline": "decline_reviewed",
    "migrate_playbook": "playbook_migrated",
    "move_stage": "stage_moved",
    "propose_cold": "cold_proposed",
    "send_invitation": "event_invitation_sent",
    "announce_event": "sales_event_announced",
    "describe_event": "event_described",
    "approve_observers": "observers_approved",
    "revoke_approval": "approval_revoked",
    "cancel_event": "event_cancelled",
    "exclude_company": "company_excluded",
    "erase_event_texts": "event_texts_erased",
    "list_event": "event_listed",
    "take_seat": "seat_taken",
    "give_seat_back": "seat_given_back",
    "plan_campaign": "campaign_planned",
    "draw_audience": "audience_drawn",
    "start_campaign": "campaign_started",
    "record_letter": "letter_recorded",
    "record_rsvp": "event_rsvp_received",
    "withdraw_event": "event_withdrawn",
    "tell_invitee": "invitee_told",
    "record_seat_back": "seat_lost",
    "fire_timer:release_letters": "letters_released",
    "queue_breakup_mail": "mail_queued",
    "queue_nurture_mail": "mail_queued",
    "send_mail": "mail_sending",
    "report_mail": "mail_reported",
    "record_bounce": "mail_bounced",
    "record_law": "law_recorded",
    "set_calendar": "calendar_frozen",
    "fire_timer:consent_expires": "consent_expired",
    "fire_timer:triage": "nurture",
    "fire_timer:queue_age": "nurture",
    "fire_timer:breakup_window": "nurture",
    "fire_timer:revisit": "revival_queued",
    "fire_timer:requeue": "revival_queued",
    "fire_timer:note_slot": "note_slot_released",
    "fire_timer:call_after_note": "call_due",
    "fire_timer:call_late": "call_promise_missed",
    "fire_timer:call_expiry": "call_promise_expired",
    "fire_timer:response_window": "response_window_closed",
    "fire_timer:nurture_touch": "nurture_touch_due",
    "fire_timer:nurture_floor": "nurture_floor_reached",
    "fire_timer:lapse": "no_response",
    "fire_timer:meeting_outcome": "meeting_outcome_missed",
    "fire_timer:hold_until": "released",
    "fire_timer:hold_review": "hold_review_due",
    "fire_timer:plan_day": "day_planned",
    "plan_day": "day_planned",
}

#: For a timer that nobody knows: it is answered, and does nothing.
_UNKNOWN_TIMER = "timer_fired"

#: All names of actors, in name order.
ACTORS: tuple[str, ...] = tuple(sorted({*_ACTORS.values(), _UNKNOWN_TIMER}))

#: Those that carry the commands for reps.
FOR_REPS = frozenset({_ACTORS["set_calendar"], _ACTORS["fire_timer:plan_day"]})

#: Those whose decisions look at the whole log, and so go before all that changes it.
LOOK_AT_THE_LOG = FOR_REPS | {_ACTORS["draw_audience"]}

#: Those that begin a stream: there is nothing to lock yet.
BEGIN = frozenset({_ACTORS[command] for command in ("register_lead", "announce_event", "plan_campaign")})

#: The one that plans a note: its slots are taken once it is decided, a colleague's among them.
PLANS_A_NOTE = _ACTORS["schedule_note"]

#: The one that moves a call: planned for one that opens later today, it waits for that.
MOVES_A_CALL = _ACTORS["reschedule_call"]

#: Those that talk to the world, on a queue of their own (`actors.deliveries`).
DELIVERIES = frozenset({_ACTORS["send_mail"]})


def actor_name(command: Command) -> str:
    """Return the name of the actor that carries *command*, one of `ACTORS`."""
    if isinstance(command, FireTimer):
        return _ACTORS.get(trigger(command), _UNKNOWN_TIMER)
    return _ACTORS.get(trigger(command)) or _ACTORS[command_kind(command)]
