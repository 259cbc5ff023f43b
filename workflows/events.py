"""What has happened: past-tense facts, and the envelope in which each stands in the log.

The envelope (`Recorded`) is the canonical, hashed body of a row in ``events``. It carries everything that a replay needs, the
state reached and the timers and slots moved included, so that `workflows.fold.fold` never consults the transition table: a
later table cannot change the past. What the decision itself used (`command`, `context`) stands beside the first event of
each decision, so that it can be derived again.
"""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from workflows import campaign_events as campaigns
from workflows import homework_events as homework
from workflows import mail_events as mail
from workflows import merge_events as merges
from workflows import pursuit_events as pursuit
from workflows.calendars import Calendar
from workflows.commands import (
    AnyCommand,
    CallOutcome,
    DeclineKind,
    DropReason,
    HoldReason,
    Medium,
    Mode,
    Name,
    PlaybookStep,
    Reference,
    ReplyIntent,
    RescheduleReason,
    Said,
    Slug,
    StepOnto,
)
from workflows.event import Event as Event
from workflows.homework_commands import Source
from workflows.law_facts import LawFacts, LawUsed
from workflows.limits import Layers
from workflows.operations import Operation
from workflows.priority import Score, ScoreBasis
from workflows.pursuit_facts import Card, Checklist, Queue

#: Version of the event shapes in this module. An upcaster joins `decode_recorded` when a shape changes.
SCHEMA = 1

SlotKind = Literal["note", "promised_call", "follow_up"]
Scalar = str | int | bool | None
Level = Literal["pass", "info", "warn", "refuse"]


class Slot(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One unit of a rep's capacity on a working day. *ordinal* counts from 1 within rep, kind and day."""

    rep: Name
    kind: SlotKind
    day: date
    ordinal: Annotated[int, msgspec.Meta(ge=1, le=1000)]


class LeadRegistered(Event, frozen=True, kw_only=True, tag="lead_registered"):
    """A lead became known (T01)."""

    owner: Name
    source: Name
    contact: Reference
    modes: tuple[Mode, ...]
    timezone: str
    open_opportunity: bool
    client: bool
    last_contact_on: date | None
    stage_depth: int
    """How far the sale once came: 0 (never met) to 5 (about to sign)."""
    value_band: int
    """0 (unknown) to 4 (largest)."""
    minutes_invested: int
    """Minutes of work before the registration, 0 to 10 million."""
    qualified: bool | None
    law: LawFacts | msgspec.UnsetType = msgspec.UNSET


class ContactUpdated(Event, frozen=True, kw_only=True, tag="contact_updated"):
    """The contact's data changed, or what the CRM says of the sale. What is unset stays as it is."""

    contact: Reference
    modes: tuple[Mode, ...]
    timezone: str
    open_opportunity: bool
    last_contact_on: date | msgspec.UnsetType | None = msgspec.UNSET
    last_contact_before: date | msgspec.UnsetType | None = msgspec.UNSET
    stage_depth: int | msgspec.UnsetType = msgspec.UNSET
    value_band: int | msgspec.UnsetType = msgspec.UNSET
    minutes_added: int | msgspec.UnsetType = msgspec.UNSET
    score: Score | msgspec.UnsetType = msgspec.UNSET
    """Of a lead that waits in the queue, when what changed moves it; later releases say it in the effects, as of all events."""
    law: LawFacts | msgspec.UnsetType = msgspec.UNSET
    mail_again: bool | msgspec.UnsetType = msgspec.UNSET
    """True where the law that binds now makes a consent to mail good again that had expired."""


class LeadDeclined(Event, frozen=True, kw_only=True, tag="lead_declined"):
    """The prospect said no, held, cancelled or went silent."""

    kind: DeclineKind
    stated_reason: Slug
    real_reason: Slug | None
    revisit_on: date | None
    keep_in_touch_requested: bool
    words: Reference | None
    minutes: int
    """Minutes that the talk took, 0 to 1440."""


class RevivalQueued(Event, frozen=True, kw_only=True, tag="revival_queued"):
    """The lead waits for capacity, with the score that orders it."""

    reason: Slug
    score: Score
    override: Reference | UnsetType = UNSET
    """Why a lead is pursued that nobody has qualified."""
    basis: ScoreBasis | UnsetType = UNSET
    """What the score rests on that no later event shows; absent where scores were not worked out anew yet."""


class NurtureStarted(Event, frozen=True, kw_only=True, tag="nurture_started"):
    """Long-term value touches begin."""

    reason: Slug
    revisit_on: date | None = None
    waiver: Reference | None = None
    minutes: int = 0
    """Minutes that the call that led here took, 0 to 1440."""


class LeadDropped(Event, frozen=True, kw_only=True, tag="lead_dropped"):
    """The lead was cut loose."""

    reason: DropReason
    words: Reference | UnsetType = UNSET
    checklist: Checklist | UnsetType = UNSET
    """What had been done, as it was shown."""


class NoteScheduled(Event, frozen=True, kw_only=True, tag="note_scheduled"):
    """A note and its promised call own their slots."""

    note_on: date
    call_on: date
    value_item: Slug | None
    call_by: Name | UnsetType = UNSET
    """The colleague who is to call, and whose slot it is; absent when the owner calls."""


class CallScheduled(Event, frozen=True, kw_only=True, tag="call_scheduled"):
    """A call owns a slot in the follow-up class."""

    call_on: date
    value_item: Slug | None


class TouchScheduled(Event, frozen=True, kw_only=True, tag="touch_scheduled"):
    """A touch in another mode than a call or a note owns a slot in the follow-up class. The state stays."""

    touch_on: date
    mode: Mode
    value_item: Slug


class NoteSent(Event, frozen=True, kw_only=True, tag="note_sent"):
    """The note is in the post, and the call is promised for *call_on*."""

    medium: Medium
    call_on: date
    attested: tuple[Slug, ...]
    override: Reference | None
    text: Reference | None
    minutes: int
    """Minutes that writing it took, 0 to 1440."""
    gap_reason: Literal["slot_kept", "next_free_slot"] | None = None
    """Why the call is not the playbook's number of working days after the note, when it is not: the note went out on
    another day than planned, and that day's call slot was taken."""
    photo: Reference | msgspec.UnsetType = msgspec.UNSET
    """A photo of the note, of which *text* then holds only the two key sentences."""


class NoteSlotReleased(Event, frozen=True, kw_only=True, tag="note_slot_released"):
    """The note was not written in time."""

    note_on: date


class CallDue(Event, frozen=True, kw_only=True, tag="call_due"):
    """The promised day has come."""

    call_on: date


class ReplyReceived(Event, frozen=True, kw_only=True, tag="reply_received"):
    """The prospect wrote or rang first."""

    channel: Mode
    intent: ReplyIntent
    revisit_on: date | None
    campaign_id: UUID | None
    event_id: UUID | None
    words: Reference | None
    introduced_by: UUID | UnsetType = UNSET
    """The document that says which connector brought them to us."""
    next_step_on: date | UnsetType = UNSET
    """When to come back, of somebody who said later: until then nothing is owed (A3-5)."""


class NoteReturned(Event, frozen=True, kw_only=True, tag="note_returned"):
    """The note came back: the promise is void."""


class CallConnected(Event, frozen=True, kw_only=True, tag="call_connected"):
    """A two-way conversation, with its decision or dated next step."""

    personal_topic_first: bool
    decision: Said | None
    next_step: Said | None
    next_step_on: date | None
    minutes: int
    """Minutes that the call took, 0 to 1440."""
    words: Reference | None
    override: Reference | UnsetType = UNSET
    """Why nothing came of it."""
    personal_topic: Reference | UnsetType = UNSET


class MeetingBooked(Event, frozen=True, kw_only=True, tag="meeting_booked"):
    """A meeting is in the calendar."""

    meeting_at: datetime
    minutes: int
    """Minutes that the call or mail took, 0 to 1440."""


class NoResponse(Event, frozen=True, kw_only=True, tag="no_response"):
    """An attempt went unanswered, or a next step lapsed."""

    outcome: CallOutcome | Literal["lapsed"]
    minutes: int
    """Minutes that the attempt took, 0 to 1440."""


class CallRescheduled(Event, frozen=True, kw_only=True, tag="call_rescheduled"):
    """The call moved to another day."""

    call_on: date
    previous_call_on: date
    reason: RescheduleReason


class CallPromiseExpired(Event, frozen=True, kw_only=True, tag="call_promise_expired"):
    """The promise is stale; a fresh note is needed before calling."""

    call_on: date


class CallPromiseMissed(Event, frozen=True, kw_only=True, tag="call_promise_missed"):
    """The promised call is late; the manager is told. The state stays."""

    call_on: date


class TouchSent(Event, frozen=True, kw_only=True, tag="touch_sent"):
    """A touch in another mode went out."""

    mode: Mode
    value_item: Slug
    attested: tuple[Slug, ...]
    text: Reference | None
    minutes: int
    """Minutes that the touch took, 0 to 1440."""
    way: Slug | UnsetType = UNSET


class ResponseWindowClosed(Event, frozen=True, kw_only=True, tag="response_window_closed"):
    """Nobody answered within the window. The state stays; the planner or a person acts."""


class BreakupVoicemailLeft(Event, frozen=True, kw_only=True, tag="breakup_voicemail_left"):
    """The first half of a breakup is done. The state stays."""

    minutes: int
    """Minutes that the call took, 0 to 1440."""
    text: Reference | UnsetType = UNSET


class BreakupEmailSent(Event, frozen=True, kw_only=True, tag="breakup_email_sent"):
    """The second half of a breakup is done. The state stays."""

    text: Reference | None
    minutes: int
    """Minutes that writing it took, 0 to 1440."""


class CutBaitConfirmed(Event, frozen=True, kw_only=True, tag="cut_bait_confirmed"):
    """A person decided on the cut-bait card. The state stays."""

    choice: Literal["breakup", "one_more_try", "nurture"]
    reason: Reference | None
    card: Card | UnsetType = UNSET
    """What it was decided on (A3-12)."""
    override: Reference | UnsetType = UNSET
    """Why the lead is let go although not everything on the checklist was tried."""


class BreakupSent(Event, frozen=True, kw_only=True, tag="breakup_sent"):
    """Voicemail and mail are out; the next move is the prospect's."""

    attempts: int
    """Unanswered touches that came before it, 0 or more."""


class NurtureTouchDue(Event, frozen=True, kw_only=True, tag="nurture_touch_due"):
    """The month's value touch is owed. The state stays."""

    gap: Literal["account_not_studied", "no_permitted_mode", "not_sent"] | UnsetType = UNSET
    """Why the month before went by without one, when it did (A3-4)."""


class NurtureFloorReached(Event, frozen=True, kw_only=True, tag="nurture_floor_reached"):
    """The longest allowed silence is over without a touch; its owner is told. The state stays."""

    owner: Name


class NurtureTouchSent(Event, frozen=True, kw_only=True, tag="nurture_touch_sent"):
    """A value touch went out."""

    mode: Mode
    asset: Slug
    attested: tuple[Slug, ...]
    minutes: int
    """Minutes that the touch took, 0 to 1440."""
    kind: Slug | UnsetType = UNSET


class LeadWon(Event, frozen=True, kw_only=True, tag="lead_won"):
    """The deal was won."""


class ReEngaged(Event, frozen=True, kw_only=True, tag="re_engaged"):
    """A meeting took place; a next step or decision is recorded (T42)."""

    decision: Said | None
    next_step: Said | None
    next_step_on: date | None
    minutes: int
    """Minutes that the meeting took, 0 to 1440."""
    override: Reference | UnsetType = UNSET
    """Why nothing came of it."""


class MeetingOutcomeMissed(Event, frozen=True, kw_only=True, tag="meeting_outcome_missed"):
    """Nobody said what came of the meeting."""


class ConsentRegranted(Event, frozen=True, kw_only=True, tag="consent_regranted"):
    """Contact is allowed again, with evidence."""

    evidence: Reference
    modes: tuple[Mode, ...]


class OptedOut(Event, frozen=True, kw_only=True, tag="opted_out"):
    """The person wants no contact at all."""

    words: Reference | UnsetType = UNSET
    """What they said, where it is kept."""


class ChannelOptedOut(Event, frozen=True, kw_only=True, tag="channel_opted_out"):
    """The person wants no contact in one mode. The state stays."""

    channel: Mode
    words: Reference | UnsetType = UNSET


class LeadErased(Event, frozen=True, kw_only=True, tag="lead_erased"):
    """The receipt of an erasure: what was held about the person is gone, and with it the salts of all commitments here.
    The state stays."""

    reason: Reference
    contact: str | None
    """The commitment to the contact that was erased; absent when there was none."""
    documents: tuple[str, ...]
    """The commitments to the texts that were erased, in order."""
    messages: Annotated[int, msgspec.Meta(ge=0)]
    """How many messages were emptied."""
    erased_at: datetime
    """When it was erased first; earlier than this event when *reapplied*."""
    reapplied: bool
    """A restored backup had brought the data back."""


class LeadHeld(Event, frozen=True, kw_only=True, tag="lead_held"):
    """The timers are frozen; *remaining* is what each keeps."""

    reason: HoldReason
    until: date | None
    remaining: "tuple[Remainder, ...]"


class LeadReleased(Event, frozen=True, kw_only=True, tag="lead_released"):
    """The timers run again with their remainders; a note or call that was planned gets a new day with them."""

    note_on: date | None = None
    call_on: date | None = None


class HoldReviewDue(Event, frozen=True, kw_only=True, tag="hold_review_due"):
    """A hold without an end has lasted long; its owner is told. The state stays."""


class LeadReassigned(Event, frozen=True, kw_only=True, tag="lead_reassigned"):
    """Another rep owns the lead."""

    owner: Name
    previous_owner: Name
    call_on: date | UnsetType = UNSET
    """The new day of the call, where the new owner has no slot on the one that it had."""
    previous_call_on: date | UnsetType = UNSET
    reason: RescheduleReason | UnsetType = UNSET
    """Why it has none there. Without a new day: nor on any of the days that were looked at, so that the call has no slot. Of a
    note that goes back into the queue: why it does not fit into the new owner's days."""
    cover_ended: Name | UnsetType = UNSET
    """The colleague who was to make the call for the owner before, and does not for this one."""


class StatedReasonRecorded(Event, frozen=True, kw_only=True, tag="stated_reason_recorded"):
    """What the prospect gave as the reason."""

    reason: Slug
    words: Reference | None
    minutes: int
    """Minutes that asking took, 0 to 1440."""


class RealReasonRecorded(Event, frozen=True, kw_only=True, tag="real_reason_recorded"):
    """Why the prospect really said no, with evidence."""

    reason: Slug
    evidence: Said
    words: Reference
    minutes: int
    """Minutes that finding out took, 0 to 1440."""


class HomeworkCompleted(Event, frozen=True, kw_only=True, tag="homework_completed"):
    """Every homework field is answered from at least one dated source."""

    answers: dict[Slug, Reference]
    sources: tuple[date, ...]
    minutes: int
    """Minutes that the homework took, 0 to 1440."""
    cited: tuple[Source, ...] | UnsetType = UNSET


class StrategyRecorded(Event, frozen=True, kw_only=True, tag="strategy_recorded"):
    """The strategy for this account, and what was missed last time."""

    strategy: Reference
    missed_last_time: Reference


class OfferRecorded(Event, frozen=True, kw_only=True, tag="offer_recorded"):
    """The agreed solution and benefit."""

    solution: Reference
    benefit: Reference


class LeadQualified(Event, frozen=True, kw_only=True, tag="lead_qualified"):
    """Whether the lead was good to begin with."""

    qualified: bool
    evidence: Reference | None


class ImportanceAnswered(Event, frozen=True, kw_only=True, tag="importance_answered"):
    """How important this sale is, 1 to 5."""

    importance: int
    actions: tuple[Reference, ...] | UnsetType = UNSET
    """What else one is willing to do for it."""


class ConnectorIntroduced(Event, frozen=True, kw_only=True, tag="connector_introduced"):
    """Someone who knows the prospect was named."""

    connector: Reference
    relation: Slug | UnsetType = UNSET
    strength: int | UnsetType = UNSET
    """How well they know each other: 1 (by name) to 3 (friends)."""


class LawRecorded(Event, frozen=True, kw_only=True, tag="law_recorded"):
    """What contact law asks about the person was answered, in part or whole. The state stays."""

    law: LawFacts
    evidence: Reference | None
    mail_again: bool | UnsetType = UNSET
    """True where the consent to mail is good again that had expired: mail is a mode once more."""


class ConsentExpired(Event, frozen=True, kw_only=True, tag="consent_expired"):
    """The consent to mail that a purchase or an inquiry implied is over: mail is no mode any more. The state stays."""

    expired_on: date
    """The last day on which it was good."""


class PlaybookMigrated(Event, frozen=True, kw_only=True, tag="playbook_migrated"):
    """The lead follows another published version from here on, the one that this event pins. The state stays, unless the lead
    went back into the queue because that version lacks its step (T54).
    """

    previous: "PlaybookPin | None"
    step: PlaybookStep | UnsetType = UNSET
    """The step that the version lacks, where it was mapped to another."""
    onto: StepOnto | UnsetType = UNSET


class CommandRefused(Event, frozen=True, kw_only=True, tag="command_refused"):
    """An answer, not an error: which rule refused, on which inputs. The state stays."""

    refused: Slug
    """The kind of the refused command."""
    rule: Slug
    reason: str
    inputs: dict[str, Scalar]


class CalendarFrozen(Event, frozen=True, kw_only=True, tag="calendar_frozen"):
    """A rep's working calendar, whole, as the planner uses it from now on."""

    rep: Name
    calendar: Calendar
    digest: str
    playbook: Slug
    layers: Layers | UnsetType = UNSET
    """Of what *playbook* was made: a playbook, what the team does otherwise, and what the rep does; absent for neither."""


class DayPlanned(Event, frozen=True, kw_only=True, tag="day_planned"):
    """What the planner proposed for a rep's day, and why not more."""

    day: date
    notes: tuple[UUID, ...]
    calls: tuple[UUID, ...]
    follow_ups: tuple[UUID, ...]
    """Later calls."""
    touches: tuple[UUID, ...]
    """Later attempts in other modes."""
    rescheduled: tuple[UUID, ...]
    shortfalls: "tuple[Shortfall, ...]"
    queued: int
    """Leads that waited in the rep's queue when the plan was made."""


class HeadsRecorded(Event, frozen=True, kw_only=True, tag="heads_recorded"):
    """The newest event of every stream, as one Merkle root: see `workflows.heads`. It stands on the service's own stream."""

    size: Annotated[int, msgspec.Meta(ge=0)]
    """The heads are those of the first *size* events of the log."""
    streams: Annotated[int, msgspec.Meta(ge=0)]
    root: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Shortfall(msgspec.Struct, frozen=True, kw_only=True):
    """*count* touches of *kind* fewer than the playbook's capacity, because of *code*."""

    kind: str
    count: int
    code: str
    detail: str


class Remainder(msgspec.Struct, frozen=True, kw_only=True):
    """What a frozen timer keeps: whole working days of the rep (and the minute of the day), or seconds."""

    timer: Slug
    working_days: int | None = None
    minute: int | None = None
    seconds: int | None = None


LeadEvent = (
    LeadRegistered | ContactUpdated | LeadDeclined | RevivalQueued | NurtureStarted | LeadDropped | NoteScheduled
    | CallScheduled | NoteSent | NoteSlotReleased | CallDue | ReplyReceived | NoteReturned | CallConnected | MeetingBooked
    | NoResponse | CallRescheduled | CallPromiseExpired | CallPromiseMissed | TouchSent | ResponseWindowClosed
    | BreakupVoicemailLeft | BreakupEmailSent | CutBaitConfirmed | BreakupSent | NurtureTouchDue | NurtureFloorReached
    | NurtureTouchSent | LeadWon | ReEngaged | MeetingOutcomeMissed | ConsentRegranted | OptedOut | ChannelOptedOut
    | LeadErased
    | LeadHeld | LeadReleased | HoldReviewDue | LeadReassigned | StatedReasonRecorded | RealReasonRecorded
    | HomeworkCompleted | StrategyRecorded | OfferRecorded | LeadQualified | ImportanceAnswered | ConnectorIntroduced
    | PlaybookMigrated | CommandRefused | TouchScheduled | campaigns.LeadEvent | mail.MailEvent | pursuit.PursuitEvent
    | homework.HomeworkEvent | LawRecorded | ConsentExpired | merges.MergeEvent
)  # fmt: skip
AnyEvent = (
    LeadEvent | CalendarFrozen | DayPlanned | HeadsRecorded | Operation | campaigns.CampaignEvent | campaigns.SalesEventEvent
)


class Effects(msgspec.Struct, frozen=True, kw_only=True):
    """What the event moved besides the state: timers by name, and slots."""

    armed: dict[str, datetime] = {}
    cancelled: tuple[str, ...] = ()
    """Timers that were armed and are no more, in name order; one that fired is among them."""
    reserved: tuple[Slot, ...] = ()
    released: tuple[Slot, ...] = ()
    """Slots given back unused."""
    used: tuple[Slot, ...] = ()
    """Slots taken up by the touch they were for: no longer the lead's, and never given to anybody else."""
    frozen: "tuple[Remainder, ...] | None" = None
    """While a lead is held: what its timers keep from now on, in name order; absent when the event leaves that alone."""
    score: Score | UnsetType = UNSET
    """The score with its parts from now on, where the event changes one; absent otherwise."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a check of a text said: attested by a person, or computed from the named inputs (`workflows.content`)."""

    check: Slug
    passed: bool
    source: str
    inputs: dict[str, Scalar] = {}
    level: Level | msgspec.UnsetType = msgspec.UNSET
    """How much it matters, of a computed one: only what is at ``refuse`` has not passed."""
    score: int | msgspec.UnsetType | None = msgspec.UNSET
    """What the rule compared with its thresholds, in the unit of the rule; per mille for likeness."""
    reason: str | msgspec.UnsetType | None = msgspec.UNSET
    """What is the matter, for a person; no word of the text is in it."""


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """What was held about a person when it was erased: commitments and counts, nothing of the data itself."""

    contact: str | None = None
    documents: tuple[str, ...] = ()
    messages: int = 0


class ColleagueUsed(msgspec.Struct, frozen=True, kw_only=True):
    """A colleague who calls for an owner who is away: by which calendar and whose capacity the call was reserved."""

    rep: Name
    calendar: str
    """Digest."""
    followed: str
    """Digest of the playbook that the colleague's days follow."""


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """What the decision used that the stream's own history does not hold."""

    now: datetime
    calendar: str | None
    """Digest of the rep's frozen calendar; its content is in the rep's own stream."""
    verdicts: tuple[Verdict, ...] = ()
    free: tuple[Slot, ...] = ()
    """Slots that were offered to the decision as free: those that it took, or that a refused proposal could have taken. None
    else could have changed it."""
    holdings: Holdings | UnsetType = UNSET
    """Of a lead's erasure only; all other bodies stand as they did before there were any. Of an event's texts the receipt says
    it; it stood here, too, in logs of before."""
    followed: str | msgspec.UnsetType = msgspec.UNSET
    """Digest of the playbook whose capacity bound a decision about slots: the rep's, when it is not the lead's own."""
    position: int | msgspec.UnsetType = msgspec.UNSET
    """A plan rests on the first *position* events of the log, and on nothing else; other decisions leave it out."""
    suppressed: dict[str, tuple[Mode, ...]] | msgspec.UnsetType = msgspec.UNSET
    """A plan's: modes that the suppression list refused leads in its book, by the lead's id; absent when it refused none."""
    book: str | msgspec.UnsetType = msgspec.UNSET
    """A plan's: SHA-256 of what it took from them, the leads in the order of their scores and the load of each day (see
    `workflows.books.book_digest`)."""
    beside: int | UnsetType = UNSET
    """A plan's: minutes of the day that people who answered and breakups take (see `workflows.minutes`); absent where they were
    not charged yet."""
    probes: int | UnsetType = UNSET
    """A plan's: minutes of the day that are kept for asking why people said no; absent where none were kept yet."""
    opening: int | UnsetType = UNSET
    """A plan's: how many promised calls it knew that open later on its day; absent where it did not look at them yet."""
    unreserved: int | UnsetType = UNSET
    """A plan's: how many calls stood on its day without a slot of it; absent where each was still taken to hold one."""
    held: int | UnsetType = UNSET
    """A plan's: how many calls on hold it left out; absent where they were still taken for calls to make."""
    lawful: bool | UnsetType = UNSET
    """A plan's: calls that it moves pass over days on which law and hours forbid them; absent where it did not ask."""
    overdue: int | UnsetType = UNSET
    """A plan's: how many calls of earlier days held a slot of its day; absent where each still took another place."""
    events: tuple[campaigns.EventFacts, ...] | UnsetType = UNSET
    """Of a decision about letters: the sales events that were known, by id."""
    people: dict[str, campaigns.PersonFacts] | UnsetType = UNSET
    """Of an audience that was drawn: what was known of each person in it, by the lead's id."""
    reps: dict[str, campaigns.RepFacts] | UnsetType = UNSET
    """Of letters that were released: by what each rep's day was paced."""
    queue: Queue | UnsetType = UNSET
    """Of a decision on a cut-bait card: the team's queue, with which the lead was compared."""
    law: LawUsed | msgspec.UnsetType = msgspec.UNSET
    """Of a touch, a plan and an audience's draw: what contact law it was held against; absent where there was no table yet."""
    asked: tuple[Slug, ...] | UnsetType = UNSET
    """Of a half of a breakup: the checks that it needs whatever its playbook says, and of the voicemail the guards of its mail;
    absent where none were asked for yet."""
    gone: tuple[UUID, ...] | UnsetType = UNSET
    """Of a decision about seats: those in the line, or asking, who opted out or were erased; absent when nobody was."""
    wording: dict[str, str] | UnsetType = UNSET
    """Of a decision for which words were checked: by name the digest of each wording by which that was done; absent where
    wording had no versions yet."""
    into: merges.OtherLead | UnsetType = UNSET
    """Of a merge: what was known of the lead into which it was to be."""
    colleague: ColleagueUsed | UnsetType = UNSET
    """Of a plan, a note that is scheduled and one that is sent: who makes the promised call instead of the owner. Of another
    owner for a lead with something planned: that one; absent where their days were not looked at yet."""


class PlaybookPin(msgspec.Struct, frozen=True, kw_only=True):
    """The published playbook version in force; *digest* is SHA-256 of its canonical text."""

    id: str
    version: str
    digest: str


class Recorded(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One event as it stands in the log."""

    stream_id: UUID
    version: int
    """1, 2, 3 … within the stream."""
    schema: int
    occurred_at: datetime
    recorded_at: datetime
    message_id: UUID
    """The message, and so the Dramatiq message, that carried the transition."""
    actor: str
    """Who asked: ``rep:dan``, ``manager:ann``, ``crm``, ``planner``, ``clock``, ``import``."""
    correlation_id: UUID
    causation_id: UUID | None
    playbook: PlaybookPin | None
    row: str | None
    """The row of the transition table, ``T10``; absent for events that do not change the state."""
    state: str
    """The state after the event."""
    effects: Effects
    data: AnyEvent
    command: AnyCommand | None
    used: Used | None


_decoder: msgspec.json.Decoder[Recorded] = msgspec.json.Decoder(Recorded)


class UnreadableEventError(msgspec.ValidationError):
    """A body in the log is not an event of a known schema: it was altered, or a later release wrote it."""


def decode_recorded(body: bytes) -> Recorded:
    """Return the event in *body*.

    Raises
    ------
    UnreadableEventError
        When *body* is not an event of a known schema.
    """
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableEventError(str(error)) from error


def event_type(event: Event) -> str:
    """Return the event's stored name, such as ``note_sent``."""
    return str(type(event).__struct_config__.tag)
