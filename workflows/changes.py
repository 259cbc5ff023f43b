"""What each event changes in a lead besides its state, timers and slots. Facts in, fields out; nothing is decided here."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, get_args

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from workflows import events as e
from workflows import homework, mail, merging
from workflows import pursuit_events as pursuit
from workflows.campaign_events import InvitationSent, StageMoved
from workflows.commands import Mode
from workflows.law_facts import merged
from workflows.lead import Decline, HoldState, Lead

#: The mode that reaches a connector instead of the prospect.
INTRODUCTION = "introduction"

_ALL_MODES: tuple[Mode, ...] = tuple(sorted(get_args(Mode)))

Changes = dict[str, Any]
Change = Callable[[Lead, datetime, Any, Changes], None]
"""Takes the lead before the event, the moment at which it occurred, the event, and the fields to fill in."""


def _contact(lead: Lead, at: datetime, changes: Changes) -> None:
    """Note a two-way contact: the count of unanswered attempts starts anew."""
    last = lead.last_contact_at
    changes["last_contact_at"] = at if last is None or at > last else last
    if lead.score_basis:
        changes["score_basis"] = replace(lead.score_basis, unanswered=0)
    _afresh(changes)


def _afresh(changes: Changes) -> None:
    changes["attempts"] = 0
    changes["modes_tried"] = ()
    changes["modes_waived"] = changes["attempts_granted"] = UNSET
    changes["cut_bait"] = changes["breakup_voicemail_at"] = changes["breakup_email_at"] = None


def _spend(lead: Lead, data: Any, changes: Changes) -> None:
    changes["minutes_invested"] = lead.minutes_invested + data.minutes


def _touched(lead: Lead, at: datetime, mode: Mode, item: str | None, changes: Changes, way: str | UnsetType = UNSET) -> None:
    """Note a touch in *mode*, by a *way* within it if one is named, which brought the value *item* if any."""
    changes["last_touch_at"] = at
    changes["last_mode"] = mode
    _tried(lead, (mode, way) if way else (mode,), changes)
    if item and item not in lead.value_items_used:
        changes["value_items_used"] = (*lead.value_items_used, item)
    changes["value_item"] = None


def _tried(lead: Lead, modes: tuple[str, ...], changes: Changes) -> None:
    new = tuple(mode for mode in modes if mode not in lead.modes_tried)
    if new:
        changes["modes_tried"] = (*lead.modes_tried, *new)


def _called(lead: Lead, at: datetime, changes: Changes) -> None:
    """Note a call: a touch of its own if the lead was due for one."""
    changes["called_at"] = at
    _touched(lead, at, "call", lead.value_item, changes)


def _contact_updated(lead: Lead, at: datetime, data: e.ContactUpdated, changes: Changes) -> None:
    lapsed = lead.consent_lapsed is not UNSET and not data.mail_again
    gone = (*lead.modes_refused, "email") if lapsed else lead.modes_refused
    changes["consent_lapsed"] = "email" in data.modes if lapsed else UNSET
    changes["modes"] = tuple(mode for mode in data.modes if mode not in gone)
    changes["timezone"] = data.timezone
    changes["open_opportunity"] = data.open_opportunity
    for field in ("stage_depth", "value_band", "score"):
        if (value := getattr(data, field)) is not UNSET:
            changes[field] = value
    if data.stage_depth is not UNSET and data.stage_depth > lead.stage_depth:
        changes["stage_moved_at"] = _latest(lead.stage_moved_at, at)
    if data.law is not UNSET:
        changes["law"] = merged(lead.law, data.law)
    if data.minutes_added is not UNSET:
        changes["minutes_invested"] = max(0, lead.minutes_invested + data.minutes_added)
    if data.last_contact_on is not UNSET:
        changes["last_contact_at"] = _last_contact(lead, data.last_contact_on, data.last_contact_before or None)


def _stage_moved(lead: Lead, at: datetime, data: StageMoved, changes: Changes) -> None:
    """Change the stage; only a step forward is movement."""
    changes["stage_depth"] = data.stage_depth
    if data.stage_depth > data.previous:
        changes["stage_moved_at"] = _latest(lead.stage_moved_at, at)


def _invited(lead: Lead, _: datetime, data: InvitationSent, changes: Changes) -> None:
    changes["invitations"] = (*(lead.invitations or ()), data.campaign_id)


def _latest(before: datetime | UnsetType, at: datetime) -> datetime:
    return at if before is UNSET else max(before, at)


def _last_contact(lead: Lead, said: date | None, before: date | None) -> datetime | None:
    """Return the last contact once the CRM says it was on the day *said*: it corrects itself, and not what happened here."""
    at = moment_of(said)
    if lead.last_contact_at is None or lead.last_contact_at == moment_of(before):
        return at
    return max(lead.last_contact_at, at) if at else lead.last_contact_at


def moment_of(day: date | None) -> datetime | None:
    """Return the moment that stands for a *day* of which the CRM knows no hour."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None


def _declined(lead: Lead, at: datetime, data: e.LeadDeclined, changes: Changes) -> None:
    if lead.state == "call_due":
        _called(lead, at, changes)
    if data.kind != "went_silent":
        _contact(lead, at, changes)
    _spend(lead, data, changes)
    changes["decline"] = Decline(
        kind=data.kind,
        stated_reason=data.stated_reason,
        at=at,
        revisit_on=data.revisit_on,
        keep_in_touch_requested=data.keep_in_touch_requested,
        real_reason=data.real_reason,
    )
    changes["revisit_on"] = data.revisit_on
    # A new no wants a new answer to why, and a new strategy; the homework ages by its own date.
    changes["reason_probed_at"] = at if data.real_reason else None
    changes["strategy_at"] = None
    changes["history_at"] = UNSET


def _queued(_lead: Lead, at: datetime, data: e.RevivalQueued, changes: Changes) -> None:
    changes["score"] = data.score
    changes["score_basis"] = data.basis
    changes["queued_at"] = at
    changes["revisit_on"] = None
    _afresh(changes)


def _nurture(lead: Lead, at: datetime, data: e.NurtureStarted, changes: Changes) -> None:
    if lead.state == "call_due":
        _called(lead, at, changes)
        _contact(lead, at, changes)
        changes["last_outcome"] = "not_now"
    if data.revisit_on:
        changes["revisit_on"] = data.revisit_on
    changes["nurture_touch_owed"] = False
    _spend(lead, data, changes)


def _note_scheduled(_lead: Lead, _at: datetime, data: e.NoteScheduled, changes: Changes) -> None:
    changes["note_on"] = data.note_on
    changes["call_by"] = data.call_by
    changes["call_on"] = changes["promised_on"] = data.call_on
    changes["value_item"] = data.value_item
    changes["promised"] = changes["promise_missed"] = False
    changes["slips"] = 0
    changes["term_on"] = UNSET


def _call_scheduled(_lead: Lead, _at: datetime, data: e.CallScheduled, changes: Changes) -> None:
    changes["note_on"] = None
    changes["call_on"] = changes["promised_on"] = data.call_on
    changes["value_item"] = data.value_item
    changes["promised"] = changes["promise_missed"] = False
    changes["slips"] = 0
    changes["term_on"] = UNSET


def _note_sent(lead: Lead, at: datetime, data: e.NoteSent, changes: Changes) -> None:
    _touched(lead, at, "handwritten_note", lead.value_item, changes)
    _spend(lead, data, changes)
    changes["note_sent_at"] = at
    changes["call_on"] = changes["promised_on"] = data.call_on
    changes["promised"] = True


def _returned(lead: Lead, _at: datetime, _data: e.NoteReturned, changes: Changes) -> None:
    # Until the contact is updated, nothing reaches that address.
    changes["modes"] = tuple(mode for mode in lead.modes if mode not in ("handwritten_note", "post"))


def _reply(lead: Lead, at: datetime, data: e.ReplyReceived, changes: Changes) -> None:
    _contact(lead, at, changes)
    if data.revisit_on:
        changes["revisit_on"] = data.revisit_on
    if lead.state != "re_engaged":
        changes["next_step"] = changes["next_step_on"] = None
    if data.next_step_on:
        changes["next_step_on"] = data.next_step_on


def _connected(lead: Lead, at: datetime, data: e.CallConnected, changes: Changes) -> None:
    _called(lead, at, changes)
    _contact(lead, at, changes)
    _agreed(lead, data, changes)
    changes["last_outcome"] = "connected"


def _agreed(lead: Lead, data: e.CallConnected | e.ReEngaged, changes: Changes) -> None:
    _spend(lead, data, changes)
    changes["next_step"] = data.next_step
    changes["next_step_on"] = data.next_step_on


def _meeting(lead: Lead, at: datetime, data: e.MeetingBooked, changes: Changes) -> None:
    if lead.state == "call_due":
        _called(lead, at, changes)
    _contact(lead, at, changes)
    _spend(lead, data, changes)
    changes["meeting_at"] = data.meeting_at
    changes["next_step"] = changes["next_step_on"] = None


def _met(lead: Lead, at: datetime, data: e.ReEngaged, changes: Changes) -> None:
    _contact(lead, at, changes)
    _agreed(lead, data, changes)


def _no_response(lead: Lead, at: datetime, data: e.NoResponse, changes: Changes) -> None:
    _spend(lead, data, changes)
    changes["last_outcome"] = data.outcome
    if data.outcome == "lapsed":
        _afresh(changes)
        changes["next_step"] = changes["next_step_on"] = None
    else:
        _called(lead, at, changes)
        changes["attempts"] = lead.attempts + 1


def _rescheduled(lead: Lead, _at: datetime, data: e.CallRescheduled, changes: Changes) -> None:
    changes["call_on"] = data.call_on
    changes["slips"] = lead.slips + 1
    if data.reason != "capacity":
        changes["term_on"] = data.call_on


def _touch(lead: Lead, at: datetime, data: e.TouchSent, changes: Changes) -> None:
    _touched(lead, at, data.mode, data.value_item, changes, data.way)
    _spend(lead, data, changes)
    changes["attempts"] = lead.attempts + 1


def _nurture_touch(lead: Lead, at: datetime, data: e.NurtureTouchSent, changes: Changes) -> None:
    _touched(lead, at, data.mode, data.asset, changes)
    _spend(lead, data, changes)
    changes["nurture_touched_at"] = at
    changes["nurture_touch_owed"] = False


def _voicemail(lead: Lead, at: datetime, data: e.BreakupVoicemailLeft, changes: Changes) -> None:
    _spend(lead, data, changes)
    changes["breakup_voicemail_at"] = at


def _email(lead: Lead, at: datetime, data: e.BreakupEmailSent, changes: Changes) -> None:
    _spend(lead, data, changes)
    changes["breakup_email_at"] = at


def _regranted(lead: Lead, _at: datetime, data: e.ConsentRegranted, changes: Changes) -> None:
    changes["modes"] = data.modes
    changes["modes_refused"] = tuple(mode for mode in lead.modes_refused if mode not in data.modes)


def _opted_out(_lead: Lead, _at: datetime, _data: e.OptedOut, changes: Changes) -> None:
    changes["modes"] = ()
    changes["modes_refused"] = _ALL_MODES


def _channel_opted_out(lead: Lead, _at: datetime, data: e.ChannelOptedOut, changes: Changes) -> None:
    # A note comes by post, so an objection to post covers it; who minds the notes may still like a printed study.
    gone: set[Mode] = {"post", "handwritten_note"} if data.channel == "post" else {data.channel}
    changes["modes"] = tuple(mode for mode in lead.modes if mode not in gone)
    changes["modes_refused"] = tuple(sorted(gone.union(lead.modes_refused)))


def _erased(lead: Lead, _at: datetime, data: e.LeadErased, changes: Changes) -> None:
    changes["erased_at"] = data.erased_at
    mail.ended_by_erasure(lead, changes)


def _held(lead: Lead, at: datetime, data: e.LeadHeld, changes: Changes) -> None:
    changes["hold"] = HoldState(reason=data.reason, since=at, until=data.until, remaining=data.remaining)
    if lead.state == "note_due":
        # Nothing is promised yet; when it is released, the call is its owner's again.
        changes["call_by"] = UNSET


def _reassigned(lead: Lead, _at: datetime, data: e.LeadReassigned, changes: Changes) -> None:
    changes["owner"] = data.owner
    # Whoever has the lead now makes its calls.
    changes["call_by"] = UNSET
    if data.call_on:
        changes["call_on"] = data.call_on
        changes["slips"] = lead.slips + 1


def _released(_lead: Lead, _at: datetime, data: e.LeadReleased, changes: Changes) -> None:
    changes["hold"] = None
    if data.note_on:
        changes["note_on"] = data.note_on
    if data.call_on:
        changes["call_on"] = data.call_on


def _stated_reason(lead: Lead, _at: datetime, data: e.StatedReasonRecorded, changes: Changes) -> None:
    # What people say first disguises the truth: the question why stays open.
    _spend(lead, data, changes)
    if lead.decline:
        changes["decline"] = replace(lead.decline, stated_reason=data.reason)


def _real_reason(lead: Lead, at: datetime, data: e.RealReasonRecorded, changes: Changes) -> None:
    _spend(lead, data, changes)
    changes["reason_probed_at"] = at
    if lead.decline:
        changes["decline"] = replace(lead.decline, real_reason=data.reason)


def _homework(lead: Lead, at: datetime, data: e.HomeworkCompleted, changes: Changes) -> None:
    _spend(lead, data, changes)
    changes["homework_at"] = at


def _decided(lead: Lead, _at: datetime, data: e.CutBaitConfirmed, changes: Changes) -> None:
    changes["cut_bait"] = data.choice
    if data.choice == "one_more_try" and data.card and lead.attempts >= data.card.most:
        changes["attempts_granted"] = lead.attempts + 1
    if data.override and data.card:
        # Whoever lets go in spite of what is open does without it, and has said why.
        changes["modes_waived"] = (*(lead.modes_waived or ()), *data.card.checklist.modes_open)


def _connector(lead: Lead, _at: datetime, data: e.ConnectorIntroduced, changes: Changes) -> None:
    changes["has_connector"] = True
    if data.relation and data.connector.document_id not in (lead.connectors or ()):
        changes["connectors"] = (*(lead.connectors or ()), data.connector.document_id)


def _introduction(lead: Lead, _at: datetime, data: pursuit.IntroductionRequested, changes: Changes) -> None:
    _spend(lead, data, changes)
    _tried(lead, (INTRODUCTION,), changes)


def _waived(lead: Lead, _at: datetime, data: pursuit.ModeWaived, changes: Changes) -> None:
    changes["modes_waived"] = (*(lead.modes_waived or ()), data.mode)


def _law(lead: Lead, _at: datetime, data: e.LawRecorded, changes: Changes) -> None:
    changes["law"] = merged(lead.law, data.law)
    if data.mail_again:
        changes["modes"] = (*lead.modes, "email") if lead.consent_lapsed else lead.modes
        changes["consent_lapsed"] = UNSET


def _consent_over(lead: Lead, _at: datetime, _data: e.ConsentExpired, changes: Changes) -> None:
    changes["modes"] = tuple(mode for mode in lead.modes if mode != "email")
    changes["consent_lapsed"] = "email" in lead.modes or lead.consent_lapsed is True


def _fact(field: str, value: Callable[[datetime, Any], Any]) -> Change:
    """Return the change of an event that sets one *field*."""

    def change(_lead: Lead, at: datetime, data: Any, changes: Changes) -> None:
        changes[field] = value(at, data)

    return change


#: By the type of the event; one that is missing changes nothing but what every event does.
CHANGES: dict[type, Change] = {
    e.ContactUpdated: _contact_updated,
    e.LeadDeclined: _declined,
    e.RevivalQueued: _queued,
    e.NurtureStarted: _nurture,
    e.NoteScheduled: _note_scheduled,
    e.CallScheduled: _call_scheduled,
    e.NoteSent: _note_sent,
    e.NoteReturned: _returned,
    e.ReplyReceived: _reply,
    e.CallConnected: _connected,
    e.MeetingBooked: _meeting,
    e.ReEngaged: _met,
    e.NoResponse: _no_response,
    e.CallRescheduled: _rescheduled,
    e.TouchSent: _touch,
    e.BreakupVoicemailLeft: _voicemail,
    e.BreakupEmailSent: _email,
    e.NurtureTouchSent: _nurture_touch,
    e.ConsentRegranted: _regranted,
    e.OptedOut: _opted_out,
    e.ChannelOptedOut: _channel_opted_out,
    e.LeadErased: _erased,
    e.LeadHeld: _held,
    e.LeadReleased: _released,
    e.StatedReasonRecorded: _stated_reason,
    e.RealReasonRecorded: _real_reason,
    e.HomeworkCompleted: _homework,
    e.LawRecorded: _law,
    e.ConsentExpired: _consent_over,
    e.CallPromiseMissed: _fact("promise_missed", lambda _at, _data: True),
    e.CutBaitConfirmed: _decided,
    e.NurtureTouchDue: _fact("nurture_touch_owed", lambda _at, _data: True),
    e.StrategyRecorded: _fact("strategy_at", lambda at, _data: at),
    e.OfferRecorded: _fact("offer_at", lambda at, _data: at),
    e.LeadQualified: _fact("qualified", lambda _at, data: data.qualified),
    e.ImportanceAnswered: _fact("importance", lambda _at, data: data.importance),
    e.ConnectorIntroduced: _connector,
    pursuit.ConnectorDenied: _fact("connector_denied", lambda _at, _data: True),
    pursuit.IntroductionRequested: _introduction,
    pursuit.ModeWaived: _waived,
    pursuit.NurtureTouchSkipped: _fact("nurture_touch_owed", lambda _at, _data: False),
    StageMoved: _stage_moved,
    InvitationSent: _invited,
    e.LeadReassigned: _reassigned,
    **mail.CHANGES,
    **homework.CHANGES,
    **merging.CHANGES,
}
