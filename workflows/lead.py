"""The lead as its events leave it, and the rep as his calendar leaves him. Both are projections, never edited by hand."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from workflows.codec import derived_id
from workflows.commands import CallOutcome, HoldReason, Mode, Reference, Said
from workflows.decline import Decline as Decline
from workflows.events import PlaybookPin, Remainder, Slot
from workflows.law_facts import LawFacts
from workflows.limits import Layers
from workflows.mail_commands import MailPurpose
from workflows.priority import Score, ScoreBasis

State = Literal[
    "registered", "declined", "queued", "note_due", "note_sent", "call_due", "no_response", "breakup_sent", "nurture",
    "re_engaged", "meeting_booked", "won", "dropped", "do_not_contact",
]  # fmt: skip

#: What stands as the state in events on streams that are no lead's.
BESIDE_LEADS: frozenset[str] = frozenset({"rep", "service", "campaign", "sales_event"})

#: States in which nobody owes the next move; every other state has a pending message (design invariant 4).
RESTING: frozenset[State] = frozenset({"registered", "won", "dropped", "do_not_contact"})

#: States in which nothing waits to be thawed: reaching one ends a hold.
ENDS_HOLD: frozenset[State] = RESTING - {"registered"}


def lead_id(source: str, external_id: str) -> UUID:
    """Return the stream of the lead that the CRM called *source* knows as *external_id*."""
    return derived_id("lead", source, external_id)


class Timer(msgspec.Struct, frozen=True, kw_only=True):
    """An armed timer: when it is due, and the version of the event that armed it."""

    due_at: datetime
    armed_version: int


class HoldState(msgspec.Struct, frozen=True, kw_only=True):
    """Why the timers are frozen, since when, until when, and what each keeps."""

    reason: HoldReason
    since: datetime
    until: date | None
    remaining: tuple[Remainder, ...]


class MailState(msgspec.Struct, frozen=True, kw_only=True):
    """The last mail that the service was to send."""

    id: UUID
    purpose: MailPurpose
    status: Literal["queued", "sending", "deferred", "unconfirmed", "sent", "refused", "returned", "bounced"]
    """``returned`` came back for a passing reason and is sent again; ``bounced`` came back for good."""
    text: Reference
    asset: str | None
    attested: tuple[str, ...]
    minutes: int
    attempt: int = 0
    """Conversations with a server so far."""
    kind: str | UnsetType = UNSET
    """What sort of thing *asset* is, if that was said."""


class TakenIn(msgspec.Struct, frozen=True, kw_only=True):
    """A duplicate that was merged into the lead: which one, and the version of the event that merged it there."""

    lead_id: UUID
    version: int


class Lead(msgspec.Struct, frozen=True, kw_only=True):
    """A lead at a version: the fold of its first *version* events."""

    id: UUID
    version: int
    state: State
    owner: str
    source: str
    playbook: PlaybookPin | None
    recorded_at: datetime
    """When the last event was recorded."""
    entered_at: datetime
    """When the present state was entered (the occurrence of that event)."""
    modes: tuple[Mode, ...]
    """Permitted and reachable modes; an opt-out removes its mode."""
    modes_refused: tuple[Mode, ...] = ()
    """Modes that the person opted out of, in name order: no update of the contact brings them back, only new consent."""
    timezone: str
    open_opportunity: bool
    stage_depth: int
    """How far the sale once came: 0 (never met) to 5 (about to sign)."""
    value_band: int
    """0 (unknown) to 4 (largest)."""
    minutes_invested: int
    """Minutes of work that went into the lead, those before it was registered included."""
    last_contact_at: datetime | None
    """The last two-way contact."""
    hold: HoldState | None = None
    timers: dict[str, Timer] = {}
    """By name; those that act on their own have a pending message, the others are dates that people see."""
    slots: tuple[Slot, ...] = ()
    """Reserved and not yet used."""
    score: Score | None = None
    decline: Decline | None = None
    revisit_on: date | None = None
    """The day that the prospect named, or that a hold without one got; forgotten when the lead enters the queue."""
    reason_probed_at: datetime | None = None
    homework_at: datetime | None = None
    strategy_at: datetime | None = None
    offer_at: datetime | None = None
    qualified: bool | None = None
    importance: int | None = None
    has_connector: bool = False
    queued_at: datetime | None = None
    """When it last entered the queue."""
    called_at: datetime | None = None
    """When it was last called."""
    note_on: date | None = None
    note_sent_at: datetime | None = None
    call_on: date | None = None
    """The day of the call that is scheduled, promised or due."""
    promised_on: date | None = None
    """The day first promised or agreed for the present call; a reschedule leaves it."""
    promised: bool = False
    """The call was promised by a note (else it belongs to the follow-up class)."""
    promise_missed: bool = False
    slips: int = 0
    """How often the present call was rescheduled."""
    attempts: int = 0
    """Touches since the last two-way contact that went unanswered, 0 or more; a new pursuit counts anew."""
    modes_tried: tuple[str, ...] = ()
    """Modes of those attempts, or the ways within a mode, each once, in the order first used."""
    last_mode: Mode | None = None
    last_touch_at: datetime | None = None
    last_outcome: CallOutcome | Literal["lapsed"] | None = None
    value_items_used: tuple[str, ...] = ()
    value_item: str | None = None
    """The value item chosen for the scheduled touch."""
    breakup_voicemail_at: datetime | None = None
    breakup_email_at: datetime | None = None
    cut_bait: Literal["breakup", "one_more_try", "nurture"] | None = None
    meeting_at: datetime | None = None
    next_step: Said | None = None
    next_step_on: date | None = None
    nurture_touch_owed: bool = False
    nurture_touched_at: datetime | None = None
    stage_moved_at: datetime | UnsetType = UNSET
    """When the sale last came further, where that was recorded."""
    modes_waived: tuple[str, ...] | UnsetType = UNSET
    """Modes and ways that this pursuit does without, in the order in which they were waived."""
    attempts_granted: int | UnsetType = UNSET
    """So many attempts may be made in all, because a person wanted one more than the playbook has."""
    connectors: tuple[UUID, ...] | UnsetType = UNSET
    """The documents that say who knows the prospect, oldest first."""
    connector_denied: bool | UnsetType = UNSET
    """Nobody is known who knows the prospect, as somebody said."""
    term_on: date | UnsetType = UNSET
    """The day from which the terms of a call count that was put off for another reason than our own lack of capacity."""
    history_at: datetime | UnsetType = UNSET
    """When the account's history was last opened; a new decline closes it."""
    needs: tuple[str, ...] | UnsetType = UNSET
    """Value items that anticipated needs gave this lead, in the order in which they were foreseen."""
    opportunity_at: datetime | UnsetType = UNSET
    """When a conversation last uncovered one."""
    erased_at: datetime | UnsetType = UNSET
    """When all personal data was erased; not there for anybody else, so that their rows stand as they did."""
    invitations: tuple[UUID, ...] | UnsetType = UNSET
    """The campaigns whose letters they got, in their order."""
    mail: MailState | UnsetType = UNSET
    """Not there for whom the service never had a mail to send."""
    law: LawFacts | UnsetType = UNSET
    """What contact law asks about the person."""
    score_basis: ScoreBasis | UnsetType = UNSET
    """What the score rests on beside the fields above; not there for whom it was never worked out anew."""
    consent_lapsed: bool | UnsetType = UNSET
    """There once a consent to mail is over: true where mail went from the modes with it and comes back with a new one, false
    where no address is known."""
    ended_as: Literal["won", "dropped"] | UnsetType = UNSET
    """What it was when it was merged, if that was an end: as that it stands again."""
    merged_into: UUID | UnsetType = UNSET
    """There once it was found to be a duplicate: the lead as which the person goes on."""
    formerly_into: tuple[UUID, ...] | UnsetType = UNSET
    """There once it stands again, although it was merged (T53): into which leads, which are the same person all the same."""
    duplicates: tuple[TakenIn, ...] | UnsetType = UNSET
    """The leads that were merged into this one, in the order in which they were taken in."""
    call_by: str | UnsetType = UNSET
    """The colleague who makes the call that is planned or promised; not there when its owner does."""


def caller_of(lead: Lead) -> str:
    """Return who makes the call that is planned, promised or due: the owner, unless a colleague does."""
    return lead.call_by or lead.owner


def at_work(lead: Lead) -> str:
    """Return whose day it is to turn to *lead*: its owner's, or that of the colleague who makes the promised call."""
    return caller_of(lead) if lead.state in ("note_sent", "call_due") else lead.owner


def basis_of(lead: Lead) -> ScoreBasis:
    """Return what a lead's score rests on; releases before this one stored no more of it than the points tell."""
    return lead.score_basis or ScoreBasis(trigger=lead.score is not None and lead.score.trigger > 0, unanswered=0)


class Rep(msgspec.Struct, frozen=True, kw_only=True):
    """A rep at a version: the calendar in force and the last planned day."""

    id: UUID
    version: int
    name: str
    recorded_at: datetime
    calendar_digest: str
    playbook: PlaybookPin | None
    calendar_at: datetime | None = None
    """When the calendar in force was asked for."""
    timers: dict[str, Timer] = {}
    planned_on: date | None = None
    layers: Layers | UnsetType = UNSET
    """Of what the playbook was made, where a team or the rep does something otherwise."""
