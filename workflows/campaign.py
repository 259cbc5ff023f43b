"""A campaign of invitations: its own stream and fold. Its decisions are in `workflows.campaign_decisions`."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec.structs import replace

from workflows import campaign_events as e
from workflows.campaign_commands import AudienceKey, RsvpAnswer
from workflows.codec import derived_id
from workflows.events import PlaybookPin, Recorded
from workflows.lead import Timer
from workflows.timers import RELEASE_LETTERS

#: The state of every event on such a stream.
STATE = "campaign"

#: The timer that releases a day's letters.
RELEASE = RELEASE_LETTERS

Status = Literal["waiting", "released", "sent", "excluded"]


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One person of the audience, and what became of the letter."""

    audience: AudienceKey
    rep: str
    status: Status
    reason: str | None = None
    """Why there is none."""
    events: tuple[UUID, ...] = ()
    """Those that it listed, once it was sent."""
    wording: str | None = None
    released_on: date | None = None
    """The rep's date."""
    tries: int = 0
    """How often it was refused and is to be written anew."""


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """An answer to a letter."""

    lead_id: UUID
    event_id: UUID
    audience: AudienceKey
    answer: RsvpAnswer
    effect: Literal["re_engaged", "solidified"]
    wording: str | None
    at: datetime


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign at a version."""

    id: UUID
    version: int
    name: str
    declined_from: date
    declined_to: date
    audiences: tuple[AudienceKey, ...]
    types: tuple[str, ...]
    drawn: bool = False
    started: bool = False
    letters: dict[str, Letter] = {}
    """By the lead's id: everybody in the audience."""
    events: tuple[UUID, ...] = ()
    """Those that letters named, in the order of their first mention."""
    withdrawn: tuple[UUID, ...] = ()
    """Those of them that may not be attended any more."""
    to_tell: tuple[tuple[UUID, UUID], ...] = ()
    """Who was invited to a withdrawn event and does not know yet: lead and event."""
    told: tuple[tuple[UUID, UUID], ...] = ()
    """Who knows by now."""
    responses: tuple[Response, ...] = ()
    seats_lost: tuple[tuple[UUID, UUID], ...] | msgspec.UnsetType = msgspec.UNSET
    """Who answered that they come and has no seat, nor a place in the line, for it: lead and event."""
    timers: dict[str, Timer] = {}
    playbook: PlaybookPin | None
    recorded_at: datetime

    def count(self, *statuses: Status) -> int:
        """Return how many people have one of *statuses*."""
        return sum(letter.status in statuses for letter in self.letters.values())


def campaign_id(name: str) -> UUID:
    """Return the stream of the campaign called *name*."""
    return derived_id("campaign", name)


def fold_campaign(campaign: Campaign | None, recorded: Recorded) -> Campaign:
    """Return the campaign after *recorded*, the next event of its stream.

    Raises
    ------
    ValueError
        When the stream does not begin with campaign_planned.
    """
    data = recorded.data
    if campaign is None:
        if not isinstance(data, e.CampaignPlanned):
            raise ValueError(f"the stream of a campaign starts with campaign_planned, not with {data}")
        return Campaign(
            id=recorded.stream_id,
            version=recorded.version,
            name=data.name,
            declined_from=data.declined_from,
            declined_to=data.declined_to,
            audiences=data.audiences,
            types=data.types,
            playbook=recorded.playbook,
            recorded_at=recorded.recorded_at,
        )
    changes: dict[str, Any] = {"version": recorded.version, "recorded_at": recorded.recorded_at}
    effects = recorded.effects
    if effects.armed or effects.cancelled:
        timers = {name: timer for name, timer in campaign.timers.items() if name not in effects.cancelled}
        armed = {name: Timer(due_at=due, armed_version=recorded.version) for name, due in effects.armed.items()}
        changes["timers"] = timers | armed
    match data:
        case e.AudienceDrawn():
            changes["drawn"] = True
            changes["letters"] = campaign.letters | {str(row.lead_id): _letter(row) for row in data.rows}
        case e.CampaignStarted():
            changes["started"] = True
        case e.LettersReleased():
            changes["letters"] = campaign.letters | _released(campaign, data)
        case e.LetterRecorded():
            changes |= _recorded(campaign, data)
        case e.RsvpReceived() | e.SeatLost():
            changes |= _answered(campaign, recorded, data)
        case e.EventWithdrawn() | e.InviteeTold():
            changes |= _told(campaign, data)
    return replace(campaign, **changes)


def _answered(campaign: Campaign, recorded: Recorded, data: e.RsvpReceived | e.SeatLost) -> dict[str, Any]:
    one, lost = (data.lead_id, data.event_id), campaign.seats_lost
    if isinstance(data, e.SeatLost):
        return {"seats_lost": (*(lost or ()), one)}
    responses = (*campaign.responses, _response(recorded, data))
    if not lost or data.answer == "asks":
        return {"responses": responses}
    return {"responses": responses, "seats_lost": tuple(pair for pair in lost if pair != one)}


def _response(recorded: Recorded, data: e.RsvpReceived) -> Response:
    return Response(
        lead_id=data.lead_id,
        event_id=data.event_id,
        audience=data.audience,
        answer=data.answer,
        effect=data.effect,
        wording=data.wording,
        at=recorded.occurred_at,
    )


def _told(campaign: Campaign, data: e.EventWithdrawn | e.InviteeTold) -> dict[str, Any]:
    if isinstance(data, e.EventWithdrawn):
        withdrawn = tuple(id_ for id_ in campaign.withdrawn if id_ != data.event_id)
        tell = tuple((lead_id, data.event_id) for lead_id in data.tell)
        told_again = tuple(pair for pair in campaign.told if pair not in tell)
        return {"withdrawn": (*withdrawn, data.event_id), "to_tell": (*campaign.to_tell, *tell), "told": told_again}
    told = (data.lead_id, data.event_id)
    return {"to_tell": tuple(pair for pair in campaign.to_tell if pair != told), "told": (*campaign.told, told)}


def _letter(row: e.AudienceRow) -> Letter:
    return Letter(audience=row.audience, rep=row.rep, status=row.status, reason=row.reason)


def _released(campaign: Campaign, data: e.LettersReleased) -> dict[str, Letter]:
    released = {}
    for id_ in map(str, data.letters):
        letter = campaign.letters[id_]
        released[id_] = replace(letter, status="released", released_on=data.days[letter.rep])
    return released


def _recorded(campaign: Campaign, data: e.LetterRecorded) -> dict[str, Any]:
    letter = replace(
        campaign.letters[str(data.lead_id)],
        audience=data.audience,
        status=data.status,
        reason=data.reason,
        events=data.events,
        wording=data.wording,
        tries=campaign.letters[str(data.lead_id)].tries + (data.status == "released"),
    )
    return {
        "letters": campaign.letters | {str(data.lead_id): letter},
        "events": (*campaign.events, *(id_ for id_ in data.events if id_ not in campaign.events)),
        "withdrawn": tuple(id_ for id_ in campaign.withdrawn if id_ not in data.events),
    }
