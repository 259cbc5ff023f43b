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
    "migrate_playbook": "playbook_migrated",
    "record_law": "law_recorded",
    "set_calendar": "calendar_frozen",
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


def actor_name(command: Command) -> str:
    """Return the name of the actor that carries *command*, one of `ACTORS`."""
    if isinstance(command, FireTimer):
        return _ACTORS.get(trigger(command), _UNKNOWN_TIMER)
    return _ACTORS.get(trigger(command)) or _ACTORS[command_kind(command)]
