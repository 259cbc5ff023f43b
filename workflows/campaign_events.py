"""What has happened to sales events and campaigns, and what their decisions looked at."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from workflows.campaign_commands import AudienceKey, Digest, RsvpAnswer, Seats, Timezone
from workflows.command import Mode, Name, Reference, Slug
from workflows.event import Event

Count = Annotated[int, msgspec.Meta(ge=0)]
RowStatus = Literal["waiting", "excluded"]


class EventFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision about letters looks at of one sales event."""

    id: UUID
    version: int
    kind: Slug
    starts_at: datetime
    approved: bool
    cancelled: bool
    seats_left: Count
    characters: Count
    """Of its description; 0 when there is none."""
    content: Digest
    """Of what the list says of it: title, host, place, description and start."""


class PersonFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a person apart from the log: whether it is there, never what it says."""

    company: bool = False
    last_meeting_topic: bool = False
    same_as: UUID | None = None
    """The first, by id, of several leads that are one person; absent when there is one only."""
    suppressed: tuple[Mode, ...] = ()


class RepFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What pacing looks at of one rep."""

    calendar: Digest | None
    follow_up_touches: Count


class AudienceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One person of the audience."""

    lead_id: UUID
    audience: AudienceKey
    rep: Name
    status: RowStatus
    reason: Slug | None = None
    """Why there is no letter."""


class SalesEventAnnounced(Event, frozen=True, kw_only=True, tag="sales_event_announced"):
    """A sales event became known."""

    name: Slug
    kind: Slug
    starts_at: datetime
    seats: Seats
    title: Reference
    host: Reference
    place: Reference | None
    timezone: Timezone | msgspec.UnsetType = msgspec.UNSET


class EventDescribed(Event, frozen=True, kw_only=True, tag="event_described"):
    """Its brief description, of so many characters."""

    description: Reference
    characters: Count


class ObserversApproved(Event, frozen=True, kw_only=True, tag="observers_approved"):
    """The host agreed to outside observers."""

    approver: Reference
    approved_on: date
    limits: Reference | None
    seats: Seats


class ApprovalRevoked(Event, frozen=True, kw_only=True, tag="approval_revoked"):
    """The host's approval is void; the campaigns whose letters named the event are told."""

    reason: Reference | None
    campaigns: tuple[UUID, ...]


class EventCancelled(Event, frozen=True, kw_only=True, tag="event_cancelled"):
    """The event does not take place; the campaigns whose letters named it are told."""

    reason: Reference | None
    campaigns: tuple[UUID, ...]


class CompanyExcluded(Event, frozen=True, kw_only=True, tag="company_excluded"):
    """Nobody from this company may come."""

    company: Reference


class EventTextsErased(Event, frozen=True, kw_only=True, tag="event_texts_erased"):
    """The receipt: the texts and their salts are gone, and nobody can test a guess against what is left of them here."""

    reason: Reference
    documents: tuple[str, ...]
    """Their commitments, in order."""


class EventListed(Event, frozen=True, kw_only=True, tag="event_listed"):
    """A campaign's letters name the event from here on."""

    campaign_id: UUID
    withdrawn: bool
    """It may not be attended any more: the campaign is told so."""


class SeatTaken(Event, frozen=True, kw_only=True, tag="seat_taken"):
    """One of the seats is taken."""

    lead_id: UUID
    campaign_id: UUID
    left: Count
    from_waiting: bool = False


class SeatWaitedFor(Event, frozen=True, kw_only=True, tag="seat_waited_for"):
    """All seats are taken: whoever asked is next when one is given back."""

    lead_id: UUID
    campaign_id: UUID
    waiting: Count


class SeatGivenBack(Event, frozen=True, kw_only=True, tag="seat_given_back"):
    """A seat, or a place in the line for one, is free again."""

    lead_id: UUID
    had_seat: bool


class CampaignPlanned(Event, frozen=True, kw_only=True, tag="campaign_planned"):
    """A campaign became known, with the days between which people declined to whom it writes, both included."""

    name: Slug
    declined_from: date
    declined_to: date
    audiences: tuple[AudienceKey, ...]
    types: tuple[Slug, ...]


class AudienceDrawn(Event, frozen=True, kw_only=True, tag="audience_drawn"):
    """Who belongs to the audience: only what is new or otherwise than at the last draw stands in *rows*."""

    rows: tuple[AudienceRow, ...]
    audience: Count
    """All rows of the campaign after this draw: those that wait, were released, were sent, and are excluded."""
    excluded: Count
    added: Count


class CampaignStarted(Event, frozen=True, kw_only=True, tag="campaign_started"):
    """Letters leave from here on."""

    events: tuple[UUID, ...]
    """Those that could be listed at that moment."""


class LettersReleased(Event, frozen=True, kw_only=True, tag="letters_released"):
    """Letters that may leave on this day, by rep."""

    days: dict[Name, date]
    """Each rep's own date."""
    letters: tuple[UUID, ...]
    waiting: Count
    """Letters that wait for a later day."""


class LetterRecorded(Event, frozen=True, kw_only=True, tag="letter_recorded"):
    """What became of a letter: sent, excluded with the reason, or to be written again."""

    lead_id: UUID
    status: Literal["sent", "excluded", "released"]
    audience: AudienceKey
    reason: Slug | None
    events: tuple[UUID, ...]
    wording: Digest | None


class RsvpReceived(Event, frozen=True, kw_only=True, tag="event_rsvp_received"):
    """Somebody answered about an event: credited to this campaign, the event, and the audience that the letter was for."""

    lead_id: UUID
    event_id: UUID
    audience: AudienceKey
    answer: RsvpAnswer
    channel: Mode
    effect: Literal["re_engaged", "solidified"]
    wording: Digest | None


class EventWithdrawn(Event, frozen=True, kw_only=True, tag="event_withdrawn"):
    """Letters named an event that may not be attended any more; *tell* are the people who got them."""

    event_id: UUID
    tell: tuple[UUID, ...]


class InviteeTold(Event, frozen=True, kw_only=True, tag="invitee_told"):
    """One of them knows."""

    lead_id: UUID
    event_id: UUID


class InvitationSent(Event, frozen=True, kw_only=True, tag="event_invitation_sent"):
    """The letter left, with the list of events attached. The lead's state stays."""

    campaign_id: UUID
    audience: AudienceKey
    mode: Mode
    events: tuple[UUID, ...]
    attachment: Digest
    wording: Digest
    text: Reference
    footer: Digest | msgspec.UnsetType = msgspec.UNSET
    """Of one that went by mail: digest of the wording below it."""


class StageMoved(Event, frozen=True, kw_only=True, tag="stage_moved"):
    """The sale came further, or fell back. The lead's state stays."""

    stage_depth: int
    previous: int


class ColdProposed(Event, frozen=True, kw_only=True, tag="cold_proposed"):
    """An open deal stands still: somebody is to say what became of it. The lead's state stays."""

    idle_since: datetime
    idle_days: Count


class SeatLost(Event, frozen=True, kw_only=True, tag="seat_lost"):
    """Somebody who answered that they come has no seat, and no place in the line; asked anew, the same answer counts anew."""

    lead_id: UUID
    event_id: UUID


LeadEvent = InvitationSent | StageMoved | ColdProposed
SalesEventEvent = (
    SalesEventAnnounced | EventDescribed | ObserversApproved | ApprovalRevoked | EventCancelled | CompanyExcluded | EventListed
    | SeatTaken | SeatWaitedFor | SeatGivenBack | EventTextsErased
)  # fmt: skip
CampaignEvent = (
    CampaignPlanned | AudienceDrawn | CampaignStarted | LettersReleased | LetterRecorded | RsvpReceived | EventWithdrawn
    | InviteeTold | SeatLost
)  # fmt: skip
