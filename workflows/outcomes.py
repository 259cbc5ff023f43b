"""What an accepted command puts into the log: the data of each event, by its stored name."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from workflows import commands as c
from workflows import events as e
from workflows import homework, law_guards, mail, merging
from workflows import pursuit_outcomes as pursuit
from workflows.campaign_events import InvitationSent, StageMoved
from workflows.cold import cold_proposed
from workflows.context import Facts, in_utc
from workflows.handover import handover
from workflows.law_facts import imported
from workflows.scoring import changed, entering, score_of
from workflows.slotting import promise, resumed
from workflows.timers import freeze

Builder = Callable[[Facts, Any], e.AnyEvent]


def _declined(facts: Facts, command: c.RecordDecline) -> e.LeadDeclined:
    revisit_on = command.revisit_on
    if revisit_on is None and command.kind in ("hold", "meeting_cancelled"):
        # Not now, and no date: the day on which to ask again counts from the decline, even when that is logged late.
        revisit_on = facts.day + timedelta(days=facts.playbook.timers.revisit_days)
    return e.LeadDeclined(
        kind=command.kind,
        stated_reason=command.stated_reason,
        real_reason=command.real_reason,
        revisit_on=revisit_on,
        keep_in_touch_requested=command.keep_in_touch_requested,
        words=command.words,
        minutes=command.minutes,
    )


def _queued(facts: Facts, command: c.QueueRevival | c.FireTimer) -> e.RevivalQueued:
    reason = command.timer if isinstance(command, c.FireTimer) else command.reason
    override = msgspec.UNSET if isinstance(command, c.FireTimer) else command.override
    points, basis = entering(facts, reason)
    return e.RevivalQueued(
        reason=reason, score=points, override=override, basis=basis if facts.context.rescores else msgspec.UNSET
    )


def _nurture(facts: Facts, command: c.StartNurture | c.RecordCall | c.FireTimer) -> e.NurtureStarted:
    match command:
        case c.RecordCall():
            return e.NurtureStarted(reason="not_now", revisit_on=command.revisit_on, minutes=command.minutes)
        case c.FireTimer():
            return e.NurtureStarted(reason=command.timer)
    if facts.lead.state != "no_response":
        return e.NurtureStarted(reason="chosen", waiver=command.waiver)
    possible = {"call", "email"} <= set(law_guards.lawful_now(facts))
    return e.NurtureStarted(reason="breakup_waived" if possible else "breakup_impossible", waiver=command.waiver)


def _note_sent(facts: Facts, command: c.MarkNoteSent) -> e.NoteSent:
    call_on, _, gap_reason = promise(facts)
    return e.NoteSent(
        medium=command.medium,
        call_on=call_on,
        attested=command.attested,
        override=command.override,
        text=command.text,
        minutes=command.minutes,
        gap_reason=gap_reason,
        photo=command.photo,
    )


def _reply(facts: Facts, command: c.RecordReply) -> e.ReplyReceived:
    later = bool(facts.playbook.pursuit) and command.intent == "later"
    revisit_on = command.revisit_on
    if later and revisit_on is None:
        # "Later" without a day is a hold without a day.
        revisit_on = facts.day + timedelta(days=facts.playbook.timers.revisit_days)
    return e.ReplyReceived(
        introduced_by=facts.lead.connectors[command.introduced_by - 1]
        if command.introduced_by and facts.lead.connectors
        else msgspec.UNSET,
        next_step_on=revisit_on if later and revisit_on else msgspec.UNSET,
        channel=command.channel,
        intent=command.intent,
        revisit_on=revisit_on,
        campaign_id=command.campaign_id,
        event_id=command.event_id,
        words=command.words,
    )


def _objection(command: c.Command) -> c.Reference | msgspec.UnsetType:
    # An erasure and a merge opt out, too, and nobody says anything then.
    return command.words if isinstance(command, c.OptOut) else msgspec.UNSET


def _connected(_: Facts, command: c.RecordCall) -> e.CallConnected:
    return e.CallConnected(
        personal_topic_first=command.personal_topic_first or bool(command.personal_topic),
        decision=command.decision,
        next_step=command.next_step,
        next_step_on=command.next_step_on,
        minutes=command.minutes,
        words=command.words,
        override=command.override,
        personal_topic=command.personal_topic,
    )


def _no_response(_: Facts, command: c.RecordCall | c.FireTimer) -> e.NoResponse:
    if isinstance(command, c.FireTimer):
        return e.NoResponse(outcome="lapsed", minutes=0)
    return e.NoResponse(outcome=command.outcome, minutes=command.minutes)


def _erased(facts: Facts, command: c.EraseLead) -> e.LeadErased:
    held = facts.context.holdings or e.Holdings()
    first = command.first_erased_at
    return e.LeadErased(
        reason=command.reason,
        contact=held.contact,
        documents=held.documents,
        messages=held.messages,
        erased_at=in_utc(first) if first else facts.now,
        reapplied=first is not None,
    )


def _held(facts: Facts, command: c.Hold) -> e.LeadHeld:
    until = command.until
    if until is None and command.reason == "prospect_out_of_office":
        until = facts.today + timedelta(days=facts.playbook.timers.out_of_office_days)
    timers = sorted(facts.lead.timers.items())
    remaining = tuple(freeze(name, timer.due_at, facts.now, facts.calendar) for name, timer in timers)
    return e.LeadHeld(reason=command.reason, until=until, remaining=remaining)


def _released(facts: Facts, _: object) -> e.LeadReleased:
    note_on, call_on, _slots = resumed(facts)
    return e.LeadReleased(note_on=note_on, call_on=call_on)


def _rescheduled(facts: Facts, command: c.RescheduleCall) -> e.CallRescheduled:
    return e.CallRescheduled(call_on=command.call_on, previous_call_on=_call_on(facts), reason=command.reason)


def _reassigned(facts: Facts, command: c.Reassign) -> e.LeadReassigned:
    taken, calls = handover(facts, command.owner), facts.lead.call_by
    reason = taken.reason if facts.context.explains or not taken.queued else None
    return e.LeadReassigned(
        owner=command.owner,
        previous_owner=facts.lead.owner,
        call_on=taken.call_on or msgspec.UNSET,
        previous_call_on=_call_on(facts) if taken.call_on else msgspec.UNSET,
        reason=reason or msgspec.UNSET,
        cover_ended=calls if calls and calls != command.owner and facts.context.colleague else msgspec.UNSET,
    )


def _contact_updated(facts: Facts, command: c.UpdateContact) -> e.ContactUpdated:
    law = imported(command.law, facts.lead.law)
    event = e.ContactUpdated(
        contact=command.contact,
        modes=command.modes,
        timezone=command.timezone,
        open_opportunity=command.open_opportunity,
        last_contact_on=command.last_contact_on,
        last_contact_before=command.last_contact_before,
        stage_depth=command.stage_depth,
        value_band=command.value_band,
        minutes_added=command.minutes_added,
        law=law,
        mail_again=law_guards.mail_again(facts, law),
    )
    lead = facts.lead
    if facts.context.rescores or lead.state != "queued" or lead.score is None:
        return event
    points = score_of(replace(lead, **changed(lead, facts, event)), facts)
    return event if points == lead.score else replace(event, score=points)


def _touch(_: Facts, command: c.SendTouch) -> e.TouchSent:
    return e.TouchSent(
        mode=command.mode,
        value_item=command.value_item,
        attested=command.attested,
        text=command.text,
        minutes=command.minutes,
        way=command.way,
    )


def _nurture_touch(_: Facts, command: c.SendNurtureTouch) -> e.NurtureTouchSent:
    return e.NurtureTouchSent(
        mode=command.mode, asset=command.asset, attested=command.attested, minutes=command.minutes, kind=command.kind
    )


def _met(_: Facts, command: c.RecordMeeting) -> e.ReEngaged:
    return e.ReEngaged(
        decision=command.decision,
        next_step=command.next_step,
        next_step_on=command.next_step_on,
        minutes=command.minutes,
        override=command.override,
    )


def _homework(_: Facts, command: c.CompleteHomework) -> e.HomeworkCompleted:
    return e.HomeworkCompleted(answers=command.answers, sources=command.sources, minutes=command.minutes, cited=command.cited)


def _reason(_: Facts, command: c.RecordReason) -> e.StatedReasonRecorded | e.RealReasonRecorded:
    if command.kind == "real" and command.evidence and command.words:
        return e.RealReasonRecorded(
            reason=command.reason, evidence=command.evidence, words=command.words, minutes=command.minutes
        )
    return e.StatedReasonRecorded(reason=command.reason, words=command.words, minutes=command.minutes)


def _call_on(facts: Facts) -> date:
    return facts.lead.call_on or facts.today


BUILDERS: dict[str, Builder] = {
    "lead_declined": _declined,
    "revival_queued": _queued,
    "nurture_started": _nurture,
    "lead_dropped": pursuit.dropped,
    "note_scheduled": lambda _, command: e.NoteScheduled(
        note_on=command.note_on, call_on=command.call_on, value_item=command.value_item, call_by=command.call_by
    ),
    "call_scheduled": lambda _, command: e.CallScheduled(call_on=command.call_on, value_item=command.value_item),
    "touch_scheduled": lambda _, command: e.TouchScheduled(
        touch_on=command.touch_on, mode=command.mode, value_item=command.value_item
    ),
    "note_sent": _note_sent,
    "note_slot_released": lambda facts, _: e.NoteSlotReleased(note_on=facts.lead.note_on or facts.today),
    "call_due": lambda facts, _: e.CallDue(call_on=_call_on(facts)),
    "reply_received": _reply,
    "note_returned": lambda _facts, _: e.NoteReturned(),
    "call_connected": _connected,
    "meeting_booked": lambda _, command: e.MeetingBooked(meeting_at=in_utc(command.meeting_at), minutes=command.minutes),
    "no_response": _no_response,
    "call_rescheduled": _rescheduled,
    "call_promise_expired": lambda facts, _: e.CallPromiseExpired(call_on=_call_on(facts)),
    "call_promise_missed": lambda facts, _: e.CallPromiseMissed(call_on=_call_on(facts)),
    "touch_sent": _touch,
    "response_window_closed": lambda _facts, _: e.ResponseWindowClosed(),
    "breakup_voicemail_left": lambda _, command: e.BreakupVoicemailLeft(minutes=command.minutes, text=command.text),
    "breakup_email_sent": lambda _, command: e.BreakupEmailSent(text=command.text, minutes=command.minutes),
    "cut_bait_confirmed": pursuit.decided,
    "breakup_sent": lambda facts, _: e.BreakupSent(attempts=facts.lead.attempts),
    "nurture_touch_due": pursuit.touch_due,
    "nurture_floor_reached": lambda facts, _: e.NurtureFloorReached(owner=facts.lead.owner),
    "nurture_touch_sent": _nurture_touch,
    "lead_won": lambda _facts, _: e.LeadWon(),
    "re_engaged": _met,
    "meeting_outcome_missed": lambda _facts, _: e.MeetingOutcomeMissed(),
    "consent_regranted": lambda _, command: e.ConsentRegranted(evidence=command.evidence, modes=command.modes),
    "opted_out": lambda _, command: e.OptedOut(words=_objection(command)),
    "channel_opted_out": lambda _, command: e.ChannelOptedOut(channel=command.channel, words=_objection(command)),
    "lead_erased": _erased,
    "lead_held": _held,
    "lead_released": _released,
    "hold_review_due": lambda _facts, _: e.HoldReviewDue(),
    "lead_reassigned": _reassigned,
    "contact_updated": _contact_updated,
    "stated_reason_recorded": _reason,
    "real_reason_recorded": _reason,
    "homework_completed": _homework,
    "strategy_recorded": lambda _, command: e.StrategyRecorded(
        strategy=command.strategy, missed_last_time=command.missed_last_time
    ),
    "offer_recorded": lambda _, command: e.OfferRecorded(solution=command.solution, benefit=command.benefit),
    "lead_qualified": lambda _, command: e.LeadQualified(qualified=command.qualified, evidence=command.evidence),
    "importance_answered": lambda _, command: e.ImportanceAnswered(importance=command.importance, actions=command.actions),
    "playbook_migrated": lambda facts, command: e.PlaybookMigrated(
        previous=facts.lead.playbook, step=command.step, onto=command.onto
    ),
    "stage_moved": lambda facts, command: StageMoved(stage_depth=command.stage_depth, previous=facts.lead.stage_depth),
    "cold_proposed": cold_proposed,
    "event_invitation_sent": lambda _, command: InvitationSent(
        campaign_id=command.campaign_id,
        audience=command.audience,
        mode=command.mode,
        events=command.events,
        attachment=command.attachment,
        wording=command.wording,
        text=command.text,
        footer=command.footer,
    ),
    "connector_introduced": lambda _, command: e.ConnectorIntroduced(
        connector=command.connector, relation=command.relation, strength=command.strength
    ),
    **mail.BUILDERS,
    **pursuit.BUILDERS,
    **homework.BUILDERS,
    **merging.BUILDERS,
    "law_recorded": law_guards.law_recorded,
    "consent_expired": law_guards.consent_expired,
}


def outcome(event: str, facts: Facts) -> e.AnyEvent:
    """Return the data of the *event* that the command of *facts* brings about."""
    return BUILDERS[event](facts, facts.command)


def registered(command: c.RegisterLead) -> e.LeadRegistered:
    """Return the first event of a lead."""
    return e.LeadRegistered(
        owner=command.owner,
        source=command.source,
        contact=command.contact,
        modes=command.modes,
        timezone=command.timezone,
        open_opportunity=command.open_opportunity,
        client=command.client,
        last_contact_on=command.last_contact_on,
        stage_depth=command.stage_depth,
        value_band=command.value_band,
        minutes_invested=command.minutes_invested,
        qualified=command.qualified,
        law=imported(command.law),
    )
