"""What may be asked: imperative, and refusable. A command becomes the body of a row in ``messages``.

No field holds personal data. Words that people write (a note, a reason, an answer) are kept in ``documents`` and reach a
command as a `Reference`: the document's id and a salted commitment, so that erasure removes the words and leaves the log whole.
"""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from workflows import campaign_commands as campaigns
from workflows import homework_commands as homework
from workflows import mail_commands as mail
from workflows import merge_commands as merges
from workflows import pursuit_commands as pursuit
from workflows.calendars import Calendar
from workflows.command import (
    CallOutcome as CallOutcome,
)
from workflows.command import (
    Command as Command,
)
from workflows.command import (
    DeclineKind as DeclineKind,
)
from workflows.command import (
    DropReason as DropReason,
)
from workflows.command import (
    HoldReason as HoldReason,
)
from workflows.command import (
    Medium as Medium,
)
from workflows.command import (
    Minutes as Minutes,
)
from workflows.command import (
    Mode as Mode,
)
from workflows.command import (
    Moment as Moment,
)
from workflows.command import (
    Name as Name,
)
from workflows.command import (
    PlaybookStep as PlaybookStep,
)
from workflows.command import (
    Reference as Reference,
)
from workflows.command import (
    ReplyIntent as ReplyIntent,
)
from workflows.command import (
    RescheduleReason as RescheduleReason,
)
from workflows.command import (
    Said as Said,
)
from workflows.command import (
    Slug as Slug,
)
from workflows.command import (
    StepOnto as StepOnto,
)
from workflows.law_facts import ImportedLawFacts, LawFacts
from workflows.limits import Layers


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
    law: ImportedLawFacts | msgspec.UnsetType = msgspec.UNSET


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
    law: ImportedLawFacts | msgspec.UnsetType = msgspec.UNSET


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
    override: Reference | msgspec.UnsetType = msgspec.UNSET
    """Why a lead is pursued although nobody has qualified it (A1-2); stored and listed."""


class Drop(Command, frozen=True, kw_only=True, tag="drop"):
    """Cut a lead loose (T06, T35); a manager's decision."""

    reason: DropReason
    words: Reference | msgspec.UnsetType = msgspec.UNSET
    """Why, in words of one's own."""


class ScheduleNote(Command, frozen=True, kw_only=True, tag="schedule_note"):
    """The planner's proposal to write on *note_on* and to call on *call_on* (T07, T24)."""

    note_on: date
    call_on: date
    value_item: Slug | None = None
    """New value to bring; needed once the lead has not responded (T24), unused on the first note."""
    call_by: Name | msgspec.UnsetType = msgspec.UNSET
    """The colleague who is to call while the owner is away; absent when the owner calls."""


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
    photo: Reference | msgspec.UnsetType = msgspec.UNSET
    """A photo of the note; then *text* holds only its two key sentences."""


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
    override: Reference | msgspec.UnsetType = msgspec.UNSET
    """Why nothing came of a conversation, neither a decision nor a dated next step; stored and listed."""
    personal_topic: Reference | msgspec.UnsetType = msgspec.UNSET
    """Which personal topic it began with (A4-11)."""


class RescheduleCall(Command, frozen=True, kw_only=True, tag="reschedule_call"):
    """Move a promised call to another working day, with the reason (T20)."""

    call_on: date
    reason: RescheduleReason
    not_before: Moment | msgspec.UnsetType = msgspec.UNSET
    """Of a plan that moves a call which opens later on the same day: decided once it is open."""


class RecordReply(Command, frozen=True, kw_only=True, tag="record_reply"):
    """The prospect wrote or rang first (T13, T21, T26, T29, T30, T33, T45, T49, T50)."""

    channel: Mode
    intent: ReplyIntent = "interested"
    """``unread``: only a program has read it so far."""
    automatic: bool = False
    """An automatic reply is no reply: it is refused, and the lead may be held instead."""
    stated_reason: Slug | None = None
    revisit_on: date | None = None
    campaign_id: UUID | None = None
    event_id: UUID | None = None
    words: Reference | None = None
    introduced_by: pursuit.Number | msgspec.UnsetType = msgspec.UNSET
    """Which of the lead's connectors brought them to us (A3-6), counted from 1."""
    through: tuple[UUID, ...] | msgspec.UnsetType = msgspec.UNSET
    """Merged leads by which it was passed on to this one, in that order."""


class SendTouch(Command, frozen=True, kw_only=True, tag="send_touch"):
    """A touch in another mode while the prospect is silent (T25)."""

    mode: Mode
    value_item: Slug
    attested: tuple[Slug, ...] = ()
    text: Reference | None = None
    minutes: Minutes = 0
    override: Reference | msgspec.UnsetType = msgspec.UNSET
    """The reason for sending in spite of a failed check; stored and listed."""
    way: Slug | msgspec.UnsetType = msgspec.UNSET
    """The way within that mode, one of those that the playbook names, such as a social network (A1-3)."""


class LeaveBreakupVoicemail(Command, frozen=True, kw_only=True, tag="leave_breakup_voicemail"):
    """The first half of a breakup."""

    minutes: Minutes = 0
    text: Reference | msgspec.UnsetType = msgspec.UNSET
    """What was said; it mentions the mail (A1-9)."""
    override: Reference | msgspec.UnsetType = msgspec.UNSET
    """The reason for leaving it in spite of a failed check; stored and listed."""
    attested: tuple[Slug, ...] | msgspec.UnsetType = msgspec.UNSET
    """The content checks that somebody vouches for, of a voicemail whose words are not kept."""


class SendBreakupEmail(Command, frozen=True, kw_only=True, tag="send_breakup_email"):
    """The second half of a breakup; *monitored_reply_address* because it asks for a reply."""

    monitored_reply_address: bool
    text: Reference | None = None
    minutes: Minutes = 0
    override: Reference | msgspec.UnsetType = msgspec.UNSET
    """The reason for sending in spite of a failed check; stored and listed."""
    attested: tuple[Slug, ...] | msgspec.UnsetType = msgspec.UNSET
    """As of a voicemail."""


class ConfirmCutBait(Command, frozen=True, kw_only=True, tag="confirm_cut_bait"):
    """A person decides on the cut-bait card: break up, try once more, or nurture."""

    choice: Literal["breakup", "one_more_try", "nurture"]
    reason: Reference | None = None
    override: Reference | msgspec.UnsetType = msgspec.UNSET
    """Why the lead is let go although not everything on the checklist was tried; stored and listed."""


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
    kind: Slug | msgspec.UnsetType = msgspec.UNSET
    """What sort of thing it is, one of the playbook's, such as newsletter (A3-3)."""


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
    override: Reference | msgspec.UnsetType = msgspec.UNSET
    """Why nothing came of it, neither a decision nor a dated next step; stored and listed."""


class MarkWon(Command, frozen=True, kw_only=True, tag="mark_won"):
    """The CRM's deal was won (T37, T40, T51)."""


class OptOut(Command, frozen=True, kw_only=True, tag="opt_out"):
    """The person wants no more contact: in *channel*, or at all when it is absent (T48). Always accepted."""

    channel: Mode | None = None
    through: tuple[UUID, ...] | msgspec.UnsetType = msgspec.UNSET
    """Merged leads by which it was passed on to this one, in that order."""
    words: Reference | msgspec.UnsetType = msgspec.UNSET
    """What they said."""


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
    cited: tuple[homework.Source, ...] | msgspec.UnsetType = msgspec.UNSET
    """Where each source stands, such as its address, in the order of *sources*."""


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
    actions: tuple[Reference, ...] | msgspec.UnsetType = msgspec.UNSET
    """What else one is willing to do for it."""


class IntroduceConnector(Command, frozen=True, kw_only=True, tag="introduce_connector"):
    """Someone who knows the prospect (A3-6); who it is stays in the referenced document."""

    connector: Reference
    relation: Slug | msgspec.UnsetType = msgspec.UNSET
    """How they know each other, as a short word such as colleague."""
    strength: pursuit.Strength | msgspec.UnsetType = msgspec.UNSET


class RecordLaw(Command, frozen=True, kw_only=True, tag="record_law"):
    """Say what contact law asks about the person. What is unset stays as it is."""

    law: LawFacts
    evidence: Reference | None = None
    """Where a consent comes from; needed for one."""


class MigratePlaybook(Command, frozen=True, kw_only=True, tag="migrate_playbook"):
    """Move a lead to the published version with *digest*; a manager's decision, unless its playbook sends the silent there."""

    playbook: Slug
    version: Annotated[str, msgspec.Meta(pattern=r"^\d{1,4}\.\d{1,4}\.\d{1,4}$")]
    digest: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
    step: PlaybookStep | msgspec.UnsetType = msgspec.UNSET
    """The lead's step, which that version lacks; with it goes *onto*."""
    onto: StepOnto | msgspec.UnsetType = msgspec.UNSET
    """Where the lead goes on instead."""


class FireTimer(Command, frozen=True, kw_only=True, tag="fire_timer"):
    """A durable timer came due. It acts only while the version that armed it is still the timer's."""

    timer: Slug
    armed_version: Annotated[int, msgspec.Meta(ge=1)]


class SetCalendar(Command, frozen=True, kw_only=True, tag="set_calendar"):
    """Freeze a rep's working calendar into the log; the first one makes the rep known."""

    rep: Name
    calendar: Calendar
    playbook: Slug
    digest: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")] | msgspec.UnsetType = msgspec.UNSET
    """Of the version of *playbook* that is meant; without it the newest is, when this is decided."""
    layers: Layers | msgspec.UnsetType = msgspec.UNSET
    """Of what *playbook* was made, where a team or the rep does something otherwise; absent where that is one as it is."""


class PlanDay(Command, frozen=True, kw_only=True, tag="plan_day"):
    """Plan what is left of a rep's day once more: somebody to turn to came into the queue after its plan was made."""


LeadCommand = (
    RegisterLead | UpdateContact | RecordDecline | QueueRevival | Drop | ScheduleNote | ScheduleCall | MarkNoteSent
    | RecordReturn | RecordCall | RescheduleCall | RecordReply | SendTouch | LeaveBreakupVoicemail | SendBreakupEmail
    | ConfirmCutBait | SendBreakup | StartNurture | SendNurtureTouch | BookMeeting | RecordMeeting | MarkWon | OptOut
    | RegrantConsent | EraseLead
    | Hold | Release | Reassign | RecordReason | CompleteHomework | RecordStrategy | RecordOffer | Qualify
    | AnswerImportance | IntroduceConnector | MigratePlaybook | FireTimer
    | ScheduleTouch | campaigns.LeadCommand | mail.MailCommand | pursuit.PursuitCommand
    | homework.HomeworkCommand | RecordLaw | merges.MergeCommand
)  # fmt: skip
AnyCommand = LeadCommand | SetCalendar | PlanDay | campaigns.CampaignCommand | campaigns.SalesEventCommand

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
