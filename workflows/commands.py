"""What may be asked: imperative, and refusable. A command becomes the body of a row in ``messages``.

No field holds personal data. Words that people write (a note, a reason, an answer) are kept in ``documents`` and reach a
command as a `Reference`: the document's id and a salted commitment, so that erasure removes the words and leaves the log whole.
"""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from workflows.calendars import Calendar
from workflows.law_facts import LawFacts

Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.:-]{0,79}$")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
Minutes = Annotated[int, msgspec.Meta(ge=0, le=1440)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]

Mode = Literal["handwritten_note", "call", "email", "post", "courier", "fax", "text_message", "other"]
Medium = Literal["hand_written", "typed", "printed", "robot_pen"]
DeclineKind = Literal["no", "hold", "meeting_cancelled", "went_silent", "lost_to_competitor"]
CallOutcome = Literal["connected", "voicemail", "no_answer", "gatekeeper", "not_now"]
ReplyIntent = Literal["interested", "proceed", "changed", "later", "no"]
DropReason = Literal["never_qualified", "duplicate", "out_of_business", "deceased", "no_lawful_channel"]
HoldReason = Literal["rep_absent", "prospect_out_of_office", "needs_address", "legal_review", "manual"]
RescheduleReason = Literal["holiday", "quiet_hours", "capacity", "prospect_asked", "rep_absent"]


class Reference(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words kept outside the log: the document's id and SHA-256 over its salt and text, in hexadecimal."""

    document_id: UUID
    commitment: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


#: What a person says in words of their own is kept outside the log; a program says it in a code word of a fixed vocabulary.
Said = Slug | Reference


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="command"):
    """The base of all commands. *occurred_at* is when it happened in the world; absent, the moment it is applied."""

    occurred_at: Moment | None = None


class RegisterLead(Command, frozen=True, kw_only=True, tag="register_lead"):
    """Make a lead known (T01). *then* holds the commands to stage once it is registered, in that order."""

    owner: Name
    source: Name
    playbook: Slug
    contact: Reference
    modes: tuple[Mode, ...] = ()
    """Permitted and reachable modes: a handwritten note needs a postal address, a call a telephone number."""
    timezone: str = ""
    """The prospect's IANA time zone; empty when unknown, and then the owner's zone is used."""
    open_opportunity: bool = False
    client: bool = False
    last_contact_on: date | None = None
    """Day of the last two-way contact in the CRM."""
    stage_depth: Annotated[int, msgspec.Meta(ge=0, le=5)] = 0
    value_band: Annotated[int, msgspec.Meta(ge=0, le=4)] = 0
    minutes_invested: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)] = 0
    qualified: bool | None = None
    suppressed: bool = False
    """The person is on the suppression list: registered straight into do_not_contact."""
    then: "tuple[RecordDecline | QueueRevival | MarkWon, ...]" = ()
    law: LawFacts | msgspec.UnsetType = msgspec.UNSET


class UpdateContact(Command, frozen=True, kw_only=True, tag="update_contact"):
    """Say that the contact's data changed; the data itself is in ``contacts`` under *contact*. What is unset stays as it is."""

    contact: Reference
    modes: tuple[Mode, ...] = ()
    timezone: str = ""
    open_opportunity: bool = False
    last_contact_on: date | msgspec.UnsetType | None = msgspec.UNSET
    """Day of the last two-way contact in the CRM; None when the CRM knows of none (any more)."""
    last_contact_before: date | msgspec.UnsetType | None = msgspec.UNSET
    """What the CRM said of that before."""
    stage_depth: Annotated[int, msgspec.Meta(ge=0, le=5)] | msgspec.UnsetType = msgspec.UNSET
    value_band: Annotated[int, msgspec.Meta(ge=0, le=4)] | msgspec.UnsetType = msgspec.UNSET
    minutes_added: Annotated[int, msgspec.Meta(ge=-10_000_000, le=10_000_000)] | msgspec.UnsetType = msgspec.UNSET
    """So many more minutes were invested than the CRM said before; negative for fewer."""
    law: LawFacts | msgspec.UnsetType = msgspec.UNSET


class RecordDecline(Command, frozen=True, kw_only=True, tag="record_decline"):
    """The prospect said no, held, cancelled or went silent (T02, T17, T30, T38, T41, T44, T50)."""

    kind: DeclineKind
    stated_reason: Slug
    real_reason: Slug | None = None
    revisit_on: date | None = None
    keep_in_touch_requested: bool = False
    words: Reference | None = None
    minutes: Minutes = 0


class QueueRevival(Command, frozen=True, kw_only=True, tag="queue_revival"):
    """Put a lead in the queue for capacity (T03, T04, T34, T46)."""

    reason: Slug = "stale"


class Drop(Command, frozen=True, kw_only=True, tag="drop"):
    """Cut a lead loose (T06, T35); a manager's decision."""

    reason: DropReason


class ScheduleNote(Command, frozen=True, kw_only=True, tag="schedule_note"):
    """The planner's proposal to write on *note_on* and to call on *call_on* (T07, T24)."""

    note_on: date
    call_on: date
    value_item: Slug | None = None
    """New value to bring; needed once the lead has not responded (T24), unused on the first note."""


class ScheduleCall(Command, frozen=True, kw_only=True, tag="schedule_call"):
    """The planner's proposal to call on *call_on* in the follow-up class (T08, T23)."""

    call_on: date
    value_item: Slug | None = None


class ScheduleTouch(Command, frozen=True, kw_only=True, tag="schedule_touch"):
    """The planner's proposal to try another mode than a call or a note on *touch_on*, in the follow-up class."""

    touch_on: date
    mode: Mode
    value_item: Slug


class MarkNoteSent(Command, frozen=True, kw_only=True, tag="mark_note_sent"):
    """The rep posted the note (T10). *attested* names the content checks that the rep vouches for."""

    medium: Medium
    attested: tuple[Slug, ...] = ()
    override: Reference | None = None
    """The reason for sending in spite of a failed check; stored and listed."""
    text: Reference | None = None
    minutes: Minutes = 0
    fact: Annotated[int, msgspec.Meta(ge=1, le=50)] | msgspec.UnsetType = msgspec.UNSET
    """Which of the lead's personal facts the note uses, where it does so in other words; counted from 1."""


class RecordReturn(Command, frozen=True, kw_only=True, tag="record_return"):
    """The note came back undelivered (T14)."""


class RecordCall(Command, frozen=True, kw_only=True, tag="record_call"):
    """What came of a call (T15, T18, T19). A two-way conversation needs a decision or a dated next step (A1-14)."""

    outcome: CallOutcome
    personal_topic_first: bool = False
    decision: Said | None = None
    next_step: Said | None = None
    next_step_on: date | None = None
    revisit_on: date | None = None
    keep_in_touch_requested: bool = False
    minutes: Minutes = 0
    words: Reference | None = None


class RescheduleCall(Command, frozen=True, kw_only=True, tag="reschedule_call"):
    """Move a promised call to another working day, with the reason (T20)."""

    call_on: date
    reason: RescheduleReason


class RecordReply(Command, frozen=True, kw_only=True, tag="record_reply"):
    """The prospect wrote or rang first (T13, T21, T26, T29, T30, T33, T45, T49, T50)."""

    channel: Mode
    intent: ReplyIntent = "interested"
    automatic: bool = False
    """An automatic reply is no reply: it is refused, and the lead may be held instead."""
    stated_reason: Slug | None = None
    revisit_on: date | None = None
    campaign_id: UUID | None = None
    event_id: UUID | None = None
    words: Reference | None = None


class SendTouch(Command, frozen=True, kw_only=True, tag="send_touch"):
    """A touch in another mode while the prospect is silent (T25)."""

    mode: Mode
    value_item: Slug
    attested: tuple[Slug, ...] = ()
    text: Reference | None = None
    minutes: Minutes = 0
    override: Reference | msgspec.UnsetType = msgspec.UNSET
    """The reason for sending in spite of a failed check; stored and listed."""


class LeaveBreakupVoicemail(Command, frozen=True, kw_only=True, tag="leave_breakup_voicemail"):
    """The first half of a breakup."""

    minutes: Minutes = 0


class SendBreakupEmail(Command, frozen=True, kw_only=True, tag="send_breakup_email"):
    """The second half of a breakup; *monitored_reply_address* because it asks for a reply."""

    monitored_reply_address: bool
    text: Reference | None = None
    minutes: Minutes = 0
    override: Reference | msgspec.UnsetType = msgspec.UNSET
    """The reason for sending in spite of a failed check; stored and listed."""


class ConfirmCutBait(Command, frozen=True, kw_only=True, tag="confirm_cut_bait"):
    """A person decides on the cut-bait card: break up, try once more, or nurture."""

    choice: Literal["breakup", "one_more_try", "nurture"]
    reason: Reference | None = None


class SendBreakup(Command, frozen=True, kw_only=True, tag="send_breakup"):
    """Close the pursuit: both halves are out (T27)."""


class StartNurture(Command, frozen=True, kw_only=True, tag="start_nurture"):
    """Hand a lead to long-term nurture (T05, T28). *waiver* is the reason for doing without a breakup."""

    waiver: Reference | None = None


class SendNurtureTouch(Command, frozen=True, kw_only=True, tag="send_nurture_touch"):
    """A value touch by mail or post in nurture (T32)."""

    mode: Mode
    asset: Slug
    attested: tuple[Slug, ...] = ()
    minutes: Minutes = 0


class BookMeeting(Command, frozen=True, kw_only=True, tag="book_meeting"):
    """A meeting is in the calendar (T16, T36)."""

    meeting_at: Moment
    minutes: Minutes = 0


class RecordMeeting(Command, frozen=True, kw_only=True, tag="record_meeting"):
    """The meeting took place (T42)."""

    decision: Said | None = None
    next_step: Said | None = None
    next_step_on: date | None = None
    minutes: Minutes = 0


class MarkWon(Command, frozen=True, kw_only=True, tag="mark_won"):
    """The CRM's deal was won (T37, T40, T51)."""


class OptOut(Command, frozen=True, kw_only=True, tag="opt_out"):
    """The person wants no more contact: in *channel*, or at all when it is absent (T48). Always accepted."""

    channel: Mode | None = None


class RegrantConsent(Command, frozen=True, kw_only=True, tag="regrant_consent"):
    """Evidenced consent after an opt-out (T47); a manager's decision."""

    evidence: Reference
    modes: tuple[Mode, ...]


class EraseLead(Command, frozen=True, kw_only=True, tag="erase_lead"):
    """Erase all personal data of a lead, for good. Always accepted; a second time it does nothing."""

    reason: Reference
    """Why: the only words about the lead that stay."""
    first_erased_at: Moment | None = None
    """When it was erased first, if a restored backup brought the data back and it is erased again."""


class Hold(Command, frozen=True, kw_only=True, tag="hold"):
    """Freeze a lead's timers; they keep their remainder."""

    reason: HoldReason
    until: date | None = None


class Release(Command, frozen=True, kw_only=True, tag="release"):
    """Thaw a held lead's timers."""


class Reassign(Command, frozen=True, kw_only=True, tag="reassign"):
    """Give a lead to another rep."""

    owner: Name


class RecordReason(Command, frozen=True, kw_only=True, tag="record_reason"):
    """Why the prospect said no: as stated, or the real one with its evidence (A2-6)."""

    kind: Literal["stated", "real"]
    reason: Slug
    evidence: Said | None = None
    """Id of the call or mail that it comes from; a real reason needs one, and the prospect's words."""
    words: Reference | None = None
    minutes: Minutes = 0


class CompleteHomework(Command, frozen=True, kw_only=True, tag="complete_homework"):
    """The account was researched: one answer per homework field of the playbook, and dated sources (A2-9, A2-10)."""

    answers: dict[Slug, Reference]
    sources: tuple[date, ...]
    """Publication days of the sources read; the text of each is part of the answers."""
    minutes: Minutes = 0


class RecordStrategy(Command, frozen=True, kw_only=True, tag="record_strategy"):
    """The strategy for this account and what was missed last time (A2-3, A2-4)."""

    strategy: Reference
    missed_last_time: Reference


class RecordOffer(Command, frozen=True, kw_only=True, tag="record_offer"):
    """The solution and the benefit that were agreed on; a breakup names both (A1-9)."""

    solution: Reference
    benefit: Reference


class Qualify(Command, frozen=True, kw_only=True, tag="qualify"):
    """Say whether the lead was good to begin with (A1-2)."""

    qualified: bool
    evidence: Reference | None = None


class AnswerImportance(Command, frozen=True, kw_only=True, tag="answer_importance"):
    """How important is this sale, 1 to 5 (A3-7)."""

    importance: Annotated[int, msgspec.Meta(ge=1, le=5)]


class IntroduceConnector(Command, frozen=True, kw_only=True, tag="introduce_connector"):
    """Someone who knows the prospect (A3-6); who it is stays in the referenced document."""

    connector: Reference


class RecordLaw(Command, frozen=True, kw_only=True, tag="record_law"):
    """Say what contact law asks about the person. What is unset stays as it is."""

    law: LawFacts
    evidence: Reference | None = None
    """Where a consent comes from; needed for one."""


class MigratePlaybook(Command, frozen=True, kw_only=True, tag="migrate_playbook"):
    """Move a lead to the published version with *digest*; a manager's decision."""

    playbook: Slug
    version: Annotated[str, msgspec.Meta(pattern=r"^\d{1,4}\.\d{1,4}\.\d{1,4}$")]
    digest: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class FireTimer(Command, frozen=True, kw_only=True, tag="fire_timer"):
    """A durable timer came due. It acts only while the version that armed it is still the timer's."""

    timer: Slug
    armed_version: Annotated[int, msgspec.Meta(ge=1)]


class SetCalendar(Command, frozen=True, kw_only=True, tag="set_calendar"):
    """Freeze a rep's working calendar into the log; the first one makes the rep known."""

    rep: Name
    calendar: Calendar
    playbook: Slug


class PlanDay(Command, frozen=True, kw_only=True, tag="plan_day"):
    """Plan what is left of a rep's day once more: somebody to turn to came into the queue after its plan was made."""


LeadCommand = (
    RegisterLead | UpdateContact | RecordDecline | QueueRevival | Drop | ScheduleNote | ScheduleCall | MarkNoteSent
    | RecordReturn | RecordCall | RescheduleCall | RecordReply | SendTouch | LeaveBreakupVoicemail | SendBreakupEmail
    | ConfirmCutBait | SendBreakup | StartNurture | SendNurtureTouch | BookMeeting | RecordMeeting | MarkWon | OptOut
    | RegrantConsent | EraseLead
    | Hold | Release | Reassign | RecordReason | CompleteHomework | RecordStrategy | RecordOffer | Qualify
    | AnswerImportance | IntroduceConnector | MigratePlaybook | FireTimer
    | ScheduleTouch | RecordLaw
)  # fmt: skip
AnyCommand = LeadCommand | SetCalendar | PlanDay

_decoder: msgspec.json.Decoder[AnyCommand] = msgspec.json.Decoder(AnyCommand)
_list_decoder: msgspec.json.Decoder[list[AnyCommand]] = msgspec.json.Decoder(list[AnyCommand])


def decode_command(body: bytes | str) -> AnyCommand:
    """Return the command in *body*.

    Raises
    ------
    msgspec.ValidationError
        With the path of the field that is wrong, when *body* is not a command.
    """
    return _decoder.decode(body)


def decode_commands(body: bytes | str) -> list[AnyCommand]:
    """Return the commands in the JSON array *body*; raises as `decode_command` does."""
    return _list_decoder.decode(body)


def command_kind(command: Command) -> str:
    """Return the command's tag, such as ``mark_note_sent``."""
    return str(type(command).__struct_config__.tag)
