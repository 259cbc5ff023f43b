"""What may be asked of a sales event and of a campaign of invitations to such events; and of a lead, the letter itself.

Titles, descriptions, hosts, people who approved and companies that are kept out are words that people write: each stands in
``documents`` and is named here by its `Reference`.
"""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from workflows.command import Command, Mode, Moment, Reference, Slug

AudienceKey = Literal["declined", "client"]
Digest = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
Seats = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
Timezone = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_+/-]{1,64}$")]
Tries = Annotated[int, msgspec.Meta(ge=0)]
RsvpAnswer = Literal["accepts", "asks", "cannot"]
LetterOutcome = Literal["sent", "refused"]


class AnnounceEvent(Command, frozen=True, kw_only=True, tag="announce_event"):
    """Make a sales event known: a training, an open house, whatever type the playbook lists."""

    name: Slug
    playbook: Slug = "event-invitation"
    kind: Slug
    starts_at: Moment
    seats: Seats
    """For outside observers, as far as the host grants them."""
    title: Reference
    host: Reference
    """The client at whose house it takes place."""
    place: Reference | None = None
    description: Reference | None = None
    timezone: Timezone | msgspec.UnsetType = msgspec.UNSET
    """Of the place, by its IANA name: what letters say the time in."""


class DescribeEvent(Command, frozen=True, kw_only=True, tag="describe_event"):
    """Say briefly what the programme is about (A0-8)."""

    description: Reference


class ApproveObservers(Command, frozen=True, kw_only=True, tag="approve_observers"):
    """The host agreed to outside observers (A0-7): who, on which day, and within which limits."""

    approver: Reference
    approved_on: date
    limits: Reference | None = None
    seats: Seats | None = None
    """How many observers the host takes; absent, as many as were announced."""


class RevokeApproval(Command, frozen=True, kw_only=True, tag="revoke_approval"):
    """The host takes the approval back."""

    reason: Reference | None = None


class CancelEvent(Command, frozen=True, kw_only=True, tag="cancel_event"):
    """The event does not take place."""

    reason: Reference | None = None


class ExcludeCompany(Command, frozen=True, kw_only=True, tag="exclude_company"):
    """The host does not want observers from this company, such as a competitor (A0-9)."""

    company: Reference


class EraseEventTexts(Command, frozen=True, kw_only=True, tag="erase_event_texts"):
    """Remove for good what people wrote about an event: host, approver, place, title, descriptions, limits and reasons."""

    reason: Reference
    """Stays, so it names nobody."""
    first_erased_at: Moment | UnsetType = UNSET
    """When they were erased first, if a restored backup brought them back and they are erased again."""


class ListEvent(Command, frozen=True, kw_only=True, tag="list_event"):
    """A letter of the campaign named this event."""

    campaign_id: UUID


class TakeSeat(Command, frozen=True, kw_only=True, tag="take_seat"):
    """Somebody who was invited wants to come."""

    lead_id: UUID
    campaign_id: UUID


class GiveSeatBack(Command, frozen=True, kw_only=True, tag="give_seat_back"):
    """Somebody who had a seat, or waited for one, does not come."""

    lead_id: UUID
    campaign_id: UUID | msgspec.UnsetType = msgspec.UNSET
    """The campaign that asks, because it was answered so; any other hears of it."""


class PlanCampaign(Command, frozen=True, kw_only=True, tag="plan_campaign"):
    """Begin a campaign: whom to write to. Absent dates come from the playbook, counted from today."""

    name: Slug
    playbook: Slug = "event-invitation"
    declined_from: date | None = None
    declined_to: date | None = None
    audiences: tuple[AudienceKey, ...] = ("declined", "client")
    types: tuple[Slug, ...] = ()
    """Types of events that the list may hold; all when empty."""


class DrawAudience(Command, frozen=True, kw_only=True, tag="draw_audience"):
    """Ask the whole log who belongs to the audience, and who of them gets no letter, and why (A0-3)."""


class StartCampaign(Command, frozen=True, kw_only=True, tag="start_campaign"):
    """Let the letters leave, so many a day."""


class RecordLetter(Command, frozen=True, kw_only=True, tag="record_letter"):
    """What became of one letter, as the lead's own stream decided."""

    lead_id: UUID
    outcome: LetterOutcome
    audience: AudienceKey
    rule: Slug | None = None
    """Which rule refused."""
    events: tuple[UUID, ...] = ()
    wording: Digest | None = None
    """Of the template that the letter was made from."""
    tries: Tries | msgspec.UnsetType = msgspec.UNSET
    """Which writing of the letter this is about."""


class RecordRsvp(Command, frozen=True, kw_only=True, tag="record_rsvp"):
    """Somebody who got a letter answered about one of its events (A0-10)."""

    lead_id: UUID
    event_id: UUID
    channel: Mode
    answer: RsvpAnswer = "accepts"
    words: Reference | None = None


class WithdrawEvent(Command, frozen=True, kw_only=True, tag="withdraw_event"):
    """An event that letters named may not be attended any more: whoever was invited must be told."""

    event_id: UUID
    anew: bool | msgspec.UnsetType = msgspec.UNSET
    """It was revoked or cancelled now: who was told of an earlier time is told again. Else a letter crossed that, and only who
    does not know is told."""


class RecordSeatBack(Command, frozen=True, kw_only=True, tag="record_seat_back"):
    """Somebody who answered that they come has no seat, and no place in the line: for another reason than a later answer."""

    lead_id: UUID
    event_id: UUID


class TellInvitee(Command, frozen=True, kw_only=True, tag="tell_invitee"):
    """Somebody who was invited to a withdrawn event was told."""

    lead_id: UUID
    event_id: UUID


class SendInvitation(Command, frozen=True, kw_only=True, tag="send_invitation"):
    """The letter of a campaign leaves for one person. Decided on the lead's own stream, as it stands at that moment."""

    campaign_id: UUID
    audience: AudienceKey
    mode: Mode
    events: tuple[UUID, ...]
    """Those on the attached list, in its order."""
    attachment: Digest
    """Of the list (see `workflows.event_list.attachment_digest`)."""
    wording: Digest
    text: Reference
    tries: Tries | msgspec.UnsetType = msgspec.UNSET
    """How often it was refused before, and written anew."""
    footer: Digest | msgspec.UnsetType = msgspec.UNSET
    """Of one that goes by mail: digest of the wording below it."""


class MoveStage(Command, frozen=True, kw_only=True, tag="move_stage"):
    """The CRM says how far the sale has come: 0 (never met) to 5 (about to sign)."""

    stage_depth: Annotated[int, msgspec.Meta(ge=0, le=5)]


class ProposeCold(Command, frozen=True, kw_only=True, tag="propose_cold"):
    """An open deal did not move for more than so many days, and nothing is planned (A0-2); a person decides what it is."""

    after_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 30


LeadCommand = SendInvitation | MoveStage | ProposeCold
SalesEventCommand = (
    AnnounceEvent | DescribeEvent | ApproveObservers | RevokeApproval | CancelEvent | ExcludeCompany | ListEvent | TakeSeat
    | GiveSeatBack | EraseEventTexts
)  # fmt: skip
CampaignCommand = (
    PlanCampaign | DrawAudience | StartCampaign | RecordLetter | RecordRsvp | WithdrawEvent | TellInvitee | RecordSeatBack
)  # fmt: skip
