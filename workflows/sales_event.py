"""A sales event: its own stream and fold. Its row is locked by each decision, so no seat is given away twice."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from workflows import campaign_events as e
from workflows.codec import canonical, derived_id, digest
from workflows.command import Reference
from workflows.events import PlaybookPin, Recorded

#: The state of every event on such a stream.
STATE = "sales_event"


class SalesEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A sales event at a version."""

    id: UUID
    version: int
    name: str
    kind: str
    starts_at: datetime
    announced_seats: int
    seats: int
    """As announced, or as the host approved."""
    title: Reference
    host: Reference
    place: Reference | None
    description: Reference | None = None
    characters: int = 0
    """Of the description."""
    approved: bool = False
    approver: Reference | None = None
    approved_on: date | None = None
    limits: Reference | None = None
    cancelled: bool = False
    excluded: tuple[Reference, ...] = ()
    """Companies from which nobody may come."""
    campaigns: tuple[UUID, ...] = ()
    """Whose letters name it."""
    seated: tuple[UUID, ...] = ()
    waiting: tuple[UUID, ...] = ()
    """Who asked when all seats were taken, the first first."""
    asked_by: dict[str, UUID] = {}
    """The campaign of everybody seated or waiting."""
    timezone: str | msgspec.UnsetType = msgspec.UNSET
    """Of the place; not there for an event that was announced without."""
    erased_at: datetime | msgspec.UnsetType = msgspec.UNSET
    """When its texts were last erased; not there for any other."""
    playbook: PlaybookPin | None
    recorded_at: datetime


def sales_event_id(name: str) -> UUID:
    """Return the stream of the sales event called *name*."""
    return derived_id("sales_event", name)


def facts_of(event: SalesEvent) -> e.EventFacts:
    """Return what decisions about letters look at."""
    said = (event.title, event.host, event.place, event.description, event.starts_at)
    return e.EventFacts(
        id=event.id,
        version=event.version,
        kind=event.kind,
        starts_at=event.starts_at,
        approved=event.approved,
        cancelled=event.cancelled,
        seats_left=max(0, event.seats - len(event.seated)),
        characters=event.characters,
        content=digest(canonical((*said, event.timezone) if event.timezone else said)),
    )


def fold_sales_event(event: SalesEvent | None, recorded: Recorded) -> SalesEvent:
    """Return the sales event after *recorded*, the next of its stream.

    Raises
    ------
    ValueError
        When the stream does not begin with sales_event_announced.
    """
    data = recorded.data
    if event is None:
        if not isinstance(data, e.SalesEventAnnounced):
            raise ValueError(f"the stream of a sales event starts with sales_event_announced, not with {data}")
        return SalesEvent(
            id=recorded.stream_id,
            version=recorded.version,
            name=data.name,
            kind=data.kind,
            starts_at=data.starts_at,
            announced_seats=data.seats,
            seats=data.seats,
            title=data.title,
            host=data.host,
            place=data.place,
            timezone=data.timezone,
            playbook=recorded.playbook,
            recorded_at=recorded.recorded_at,
        )
    if isinstance(data, e.EventTextsErased):
        return replace(event, version=recorded.version, recorded_at=recorded.recorded_at, erased_at=recorded.recorded_at)
    change = _CHANGES.get(type(data))
    changes = change(event, data) if change else {}
    return replace(event, version=recorded.version, recorded_at=recorded.recorded_at, **changes)


def _listed(event: SalesEvent, data: e.EventListed) -> dict[str, Any]:
    return {"campaigns": (*(id_ for id_ in event.campaigns if id_ != data.campaign_id), data.campaign_id)}


def _approved(_: SalesEvent, data: e.ObserversApproved) -> dict[str, Any]:
    said = {name: getattr(data, name) for name in ("seats", "limits", "approver", "approved_on")}
    return {"approved": True, **said}


def _seated(event: SalesEvent, data: e.SeatTaken) -> dict[str, Any]:
    return {
        "seated": (*event.seated, data.lead_id),
        "waiting": _without(event.waiting, data.lead_id),
        "asked_by": event.asked_by | {str(data.lead_id): data.campaign_id},
    }


def _waits(event: SalesEvent, data: e.SeatWaitedFor) -> dict[str, Any]:
    asked_by = event.asked_by | {str(data.lead_id): data.campaign_id}
    return {"waiting": (*event.waiting, data.lead_id), "asked_by": asked_by}


def _gave_back(event: SalesEvent, data: e.SeatGivenBack) -> dict[str, Any]:
    return {
        "seated": _without(event.seated, data.lead_id),
        "waiting": _without(event.waiting, data.lead_id),
        "asked_by": {id_: by for id_, by in event.asked_by.items() if id_ != str(data.lead_id)},
    }


#: What an event changes, by its type; one that is missing changes nothing.
_CHANGES: dict[type, Callable[[SalesEvent, Any], dict[str, Any]]] = {
    e.EventDescribed: lambda _, data: {"description": data.description, "characters": data.characters},
    e.ObserversApproved: _approved,
    e.ApprovalRevoked: lambda _event, _data: {"approved": False},
    e.EventCancelled: lambda _event, _data: {"cancelled": True},
    e.CompanyExcluded: lambda event, data: {"excluded": (*event.excluded, data.company)},
    e.EventListed: _listed,
    e.SeatTaken: _seated,
    e.SeatWaitedFor: _waits,
    e.SeatGivenBack: _gave_back,
}


def _without(ids: tuple[UUID, ...], gone: UUID) -> tuple[UUID, ...]:
    return tuple(id_ for id_ in ids if id_ != gone)
