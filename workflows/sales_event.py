"""A sales event: its own stream, fold and decisions. Its row is locked by each decision, so no seat is given away twice."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec.structs import replace

from workflows import campaign_commands as c
from workflows import campaign_events as e
from workflows.codec import canonical, derived_id, digest
from workflows.command import Command, Reference
from workflows.context import Refused
from workflows.events import PlaybookPin, Recorded
from workflows.invitation_playbook import EventRules
from workflows.sentences import spoken

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
    playbook: PlaybookPin | None
    recorded_at: datetime


def sales_event_id(name: str) -> UUID:
    """Return the stream of the sales event called *name*."""
    return derived_id("sales_event", name)


def facts_of(event: SalesEvent) -> e.EventFacts:
    """Return what decisions about letters look at."""
    said = [event.title, event.host, event.place, event.description, event.starts_at]
    return e.EventFacts(
        id=event.id,
        version=event.version,
        kind=event.kind,
        starts_at=event.starts_at,
        approved=event.approved,
        cancelled=event.cancelled,
        seats_left=max(0, event.seats - len(event.seated)),
        characters=event.characters,
        content=digest(canonical(said)),
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
            playbook=recorded.playbook,
            recorded_at=recorded.recorded_at,
        )
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


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision puts into the log, and the commands that it stages on other streams."""

    data: tuple[e.SalesEventEvent, ...]
    proposals: tuple[tuple[UUID, Command], ...] = ()


def decide_sales_event(
    event: SalesEvent | None, command: c.SalesEventCommand, *, now: datetime, rules: EventRules, characters: int | None
) -> Said | Refused:
    """Decide *command*. *characters* are those of the description that it brings; None when there is none, or it was erased."""
    if isinstance(command, c.AnnounceEvent):
        return _announce(event, command, now, rules, characters)
    if event is None:
        return Refused(rule="unknown_event", reason="This event is not known; announce it first.")
    match command:
        case c.DescribeEvent():
            return _described(command.description, characters, rules)
        case c.ApproveObservers():
            return _approve(event, command, now)
        case c.TakeSeat():
            return _seat(event, command, now)
        case c.GiveSeatBack():
            return _give_back(event, command)
    return _decide_listing(event, command)


def _decide_listing(
    event: SalesEvent, command: c.RevokeApproval | c.CancelEvent | c.ExcludeCompany | c.ListEvent
) -> Said | Refused:
    match command:
        case c.RevokeApproval() if not event.approved:
            return Refused(rule="approved", reason="The host has not approved observers, so there is nothing to take back.")
        case c.RevokeApproval():
            said = e.ApprovalRevoked(reason=command.reason, campaigns=event.campaigns)
            return Said(data=(said,), proposals=_withdrawn(event))
        case c.CancelEvent() if event.cancelled:
            return Refused(rule="not_cancelled", reason="It was cancelled already.")
        case c.CancelEvent():
            cancelled = e.EventCancelled(reason=command.reason, campaigns=event.campaigns)
            return Said(data=(cancelled,), proposals=_withdrawn(event))
        case c.ExcludeCompany():
            return Said(data=(e.CompanyExcluded(company=command.company),))
        case c.ListEvent():
            gone = event.cancelled or not event.approved
            listed = e.EventListed(campaign_id=command.campaign_id, withdrawn=gone)
            back = ((command.campaign_id, c.WithdrawEvent(event_id=event.id)),) if gone else ()
            return Said(data=(listed,), proposals=back)


def _announce(
    event: SalesEvent | None, command: c.AnnounceEvent, now: datetime, rules: EventRules, characters: int | None
) -> Said | Refused:
    if event is not None:
        reason = f"An event called {command.name} is known already; choose another name."
        return Refused(rule="already_announced", reason=reason, inputs={"version": event.version})
    if command.kind not in rules.types:
        reason = f"{command.kind} is no type of event; the playbook has {', '.join(rules.types)}."
        return Refused(rule="event_type", reason=reason, inputs={"kind": command.kind})
    starts_at = command.starts_at.astimezone(UTC)
    if starts_at <= now:
        reason = f"It starts on {spoken(starts_at.date())}, which is over."
        return Refused(rule="upcoming", reason=reason, inputs={"starts_at": starts_at.isoformat()})
    first = e.SalesEventAnnounced(
        name=command.name,
        kind=command.kind,
        starts_at=starts_at,
        seats=command.seats,
        title=command.title,
        host=command.host,
        place=command.place,
    )
    if command.description is None:
        return Said(data=(first,))
    described = _described(command.description, characters, rules)
    return described if isinstance(described, Refused) else Said(data=(first, *described.data))


def _described(description: Reference, characters: int | None, rules: EventRules) -> Said | Refused:
    if characters is None:
        return Refused(rule="description_kept", reason="The text of the description is not there, so nobody could read it.")
    if not rules.description_least <= characters <= rules.description_most:
        wanted = f"{rules.description_least} to {rules.description_most} characters"
        reason = f"The description has {characters} characters; {wanted} are wanted."
        return Refused(rule="description_length", reason=reason, inputs={"characters": characters})
    return Said(data=(e.EventDescribed(description=description, characters=characters),))


def _approve(event: SalesEvent, command: c.ApproveObservers, now: datetime) -> Said | Refused:
    if command.approved_on > now.date() + timedelta(days=1):
        reason = f"Nobody can have approved it on {spoken(command.approved_on)}, which is still to come."
        return Refused(rule="not_in_the_future", reason=reason, inputs={"approved_on": str(command.approved_on)})
    seats = command.seats or event.announced_seats
    if seats < len(event.seated):
        reason = f"{len(event.seated)} seats are taken already, and the host grants {seats}: give some back first."
        return Refused(rule="seats_taken", reason=reason, inputs={"seats": seats, "taken": len(event.seated)})
    approved = e.ObserversApproved(
        approver=command.approver, approved_on=command.approved_on, limits=command.limits, seats=seats
    )
    return Said(data=(approved,))


def _withdrawn(event: SalesEvent) -> tuple[tuple[UUID, Command], ...]:
    return tuple((campaign, c.WithdrawEvent(event_id=event.id)) for campaign in event.campaigns)


def _seat(event: SalesEvent, command: c.TakeSeat, now: datetime) -> Said | Refused:
    if event.cancelled or not event.approved:
        reason = "Its host does not take observers any more." if not event.cancelled else "It was cancelled."
        return Refused(rule="attendable", reason=reason)
    if event.starts_at <= now:
        return Refused(rule="upcoming", reason=f"It began on {spoken(event.starts_at.date())}.")
    if command.lead_id in (*event.seated, *event.waiting):
        had = "has a seat" if command.lead_id in event.seated else "is in the line for a seat"
        return Refused(rule="one_seat", reason=f"This person {had} already.")
    left = event.seats - len(event.seated)
    if left <= 0:
        return Said(
            data=(e.SeatWaitedFor(lead_id=command.lead_id, campaign_id=command.campaign_id, waiting=len(event.waiting) + 1),)
        )
    return Said(data=(e.SeatTaken(lead_id=command.lead_id, campaign_id=command.campaign_id, left=left - 1),))


def _give_back(event: SalesEvent, command: c.GiveSeatBack) -> Said | Refused:
    had = command.lead_id in event.seated
    if not had and command.lead_id not in event.waiting:
        return Refused(rule="has_seat", reason="This person has no seat, and does not wait for one.")
    back = e.SeatGivenBack(lead_id=command.lead_id, had_seat=had)
    if not had or not event.waiting or len(event.seated) > event.seats:
        return Said(data=(back,))
    first = event.waiting[0]
    campaign = event.asked_by[str(first)]
    left = event.seats - len(event.seated)
    return Said(data=(back, e.SeatTaken(lead_id=first, campaign_id=campaign, left=left, from_waiting=True)))
