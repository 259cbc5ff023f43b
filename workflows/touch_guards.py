"""Guards on what people do and report: notes, calls, replies, touches and meetings."""

from datetime import date

from workflows import horizon
from workflows.campaign_commands import SendInvitation
from workflows.commands import (
    BookMeeting,
    Command,
    MarkNoteSent,
    Mode,
    RecordCall,
    RecordMeeting,
    RecordReply,
    ScheduleTouch,
    SendNurtureTouch,
    SendTouch,
)
from workflows.context import Facts, Refused, in_utc
from workflows.events import Scalar
from workflows.law_guards import unlawful
from workflows.pursuit_guards import connector_known
from workflows.sentences import coded, spoken, words

_TOUCH_MODES: tuple[Mode, ...] = ("email", "courier", "fax", "other")


def _reachable(facts: Facts, mode: Mode, rule: str, lacking: str) -> Refused | None:
    if mode in facts.lead.modes:
        return None
    if mode in facts.lead.modes_refused:
        reason = f"The prospect opted out of contact by {words(mode)}."
    else:
        reason = f"{lacking} is known for this prospect."
    return Refused(rule=rule, reason=reason, inputs={"mode": mode, "opted_out": mode in facts.lead.modes_refused})


def note_reachable(facts: Facts, _: Command) -> Refused | None:
    """Refuse a note without a postal address or against an opt-out."""
    return _reachable(facts, "handwritten_note", "note_reachable", "No postal address")


def call_reachable(facts: Facts, command: Command) -> Refused | None:
    """Refuse a call without a number, against an opt-out or the law, and a note that would promise one."""
    refused = _reachable(facts, "call", "call_reachable", "No telephone number") or unlawful(facts, "call", command)
    if refused and isinstance(command, MarkNoteSent):
        reason = f"{refused.reason.removesuffix('.')}: do not send a note that promises a call."
        return Refused(rule=refused.rule, reason=reason, inputs=refused.inputs)
    return refused


def email_reachable(facts: Facts, command: Command) -> Refused | None:
    """Refuse a mail without an address, against an opt-out, or without the consent that the law wants."""
    return _reachable(facts, "email", "email_reachable", "No mail address") or unlawful(facts, "email", command)


def mode_permitted(facts: Facts, command: SendTouch | ScheduleTouch | SendNurtureTouch | SendInvitation) -> Refused | None:
    """Refuse a touch in a mode that is not permitted, by the person or by the law, or not reachable."""
    lacking = f"No way to reach them by {words(command.mode)}"
    return _reachable(facts, command.mode, "mode_permitted", lacking) or unlawful(facts, command.mode, command)


def note_wanted(facts: Facts, _: MarkNoteSent) -> Refused | None:
    """Refuse a note to somebody who opted out of notes after it was planned."""
    if "handwritten_note" not in facts.lead.modes_refused:
        return None
    return _reachable(facts, "handwritten_note", "note_wanted", "No postal address")


def touch_mode(_: Facts, command: SendTouch | ScheduleTouch) -> Refused | None:
    """Refuse a touch in a mode that has its own way here."""
    if command.mode in _TOUCH_MODES:
        return None
    reason = f"A {words(command.mode)} is not logged as a touch; calls and notes are planned and logged as such."
    return Refused(rule="touch_mode", reason=reason, inputs={"mode": command.mode})


def hand_written(facts: Facts, command: MarkNoteSent) -> Refused | None:
    """Refuse anything but the rep's own hand, whatever is attested; a robot's pen counts only where the playbook says so.

    And a photo of the note that comes alone: no program can read it.
    """
    if command.medium in facts.playbook.checks.media:
        return _with_sentences(command)
    reason = f"The note has to be written by hand; this one was {words(command.medium)}."
    return Refused(rule="hand_written", reason=reason, inputs={"medium": command.medium})


def _with_sentences(command: MarkNoteSent) -> Refused | None:
    if not command.photo or command.text is not None:
        return None
    reason = "A photo of a note comes with its two key sentences, which the checks read."
    return Refused(rule="photo_sentences", reason=reason, inputs={"photo": True, "text": False})


def not_before_planned(facts: Facts, _: Command) -> Refused | None:
    """Refuse an outcome dated before the day it was planned for and before the day it was planned: logging late is normal."""
    lead = facts.lead
    entered = horizon.local_day(facts.calendar, lead.entered_at)
    planned: dict[str, date | None] = {"note_due": lead.note_on, "call_due": lead.call_on}
    if lead.state == "meeting_booked" and lead.meeting_at:
        planned["meeting_booked"] = horizon.local_day(facts.calendar, lead.meeting_at)
    earliest = min(entered, planned.get(lead.state) or entered)
    if facts.day >= earliest:
        return None
    reason = f"This is dated {spoken(facts.day)}, but it was not due before {spoken(earliest)}."
    return Refused(rule="before_it_was_due", reason=reason, inputs={"day": str(facts.day), "earliest": str(earliest)})


def human_reply(facts: Facts, command: Command) -> Refused | None:
    """Refuse an automatic answer: it says nothing about the prospect's will; and an introduction by nobody known."""
    if not isinstance(command, RecordReply):
        return None
    if not command.automatic:
        return connector_known(facts, command)
    reason = "An automatic reply is not an answer; hold the lead until the prospect is back instead."
    return Refused(rule="human_reply", reason=reason, inputs={"automatic": True})


def personal_topic_first(_: Facts, command: RecordCall) -> Refused | None:
    """Refuse a conversation that did not begin with something personal."""
    if command.personal_topic_first or command.personal_topic:
        return None
    reason = "Log the personal topic that the call began with; business comes last."
    return Refused(rule="personal_topic_first", reason=reason, inputs={"personal_topic_first": False})


def decision_or_next_step(facts: Facts, command: RecordCall | RecordMeeting) -> Refused | None:
    """Refuse a conversation that led to nothing: a decision, or a next step with its day; an override says why (A1-14)."""
    dated = command.next_step is not None and command.next_step_on is not None and command.next_step_on >= facts.today
    if command.decision or dated or command.override:
        return None
    reason = "What came of it? Record a decision, or a next step with a day from today on."
    next_step_on = str(command.next_step_on or "")
    inputs: dict[str, Scalar] = {"decision": None, "next_step": coded(command.next_step), "next_step_on": next_step_on}
    return Refused(rule="decision_or_next_step", reason=reason, inputs=inputs)


def later_date_or_keep_in_touch(facts: Facts, command: RecordCall) -> Refused | None:
    """Refuse "not now" without a later day or a wish to stay in touch: that is a no."""
    if command.keep_in_touch_requested or (command.revisit_on and command.revisit_on > facts.today):
        return None
    reason = "When shall we come back? Record a later day, or that they asked to keep in touch; else it is a no."
    inputs: dict[str, Scalar] = {"revisit_on": str(command.revisit_on or ""), "keep_in_touch_requested": False}
    return Refused(rule="later_date_or_keep_in_touch", reason=reason, inputs=inputs)


def meeting_ahead(facts: Facts, command: BookMeeting) -> Refused | None:
    """Refuse a meeting that was over when it was booked, or that is in the calendar already."""
    at = in_utc(command.meeting_at)
    if at > facts.occurred_at and at != facts.lead.meeting_at:
        return None
    reason = "This meeting is in the calendar already." if at == facts.lead.meeting_at else "The meeting must lie ahead."
    return Refused(rule="meeting_ahead", reason=reason, inputs={"meeting_at": at.isoformat()})


def next_step_overdue(facts: Facts, _: Command) -> Refused | None:
    """Refuse to give up on a conversation whose next step is still to come."""
    step_on = facts.lead.next_step_on
    if step_on is None or facts.today > step_on:
        return None
    reason = f"The next step is on {spoken(step_on)}."
    return Refused(rule="next_step_overdue", reason=reason, inputs={"next_step_on": str(step_on)})
