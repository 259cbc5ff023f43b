"""What follows from a command for a sales event as it stands. Pure: who may have a seat is decided in `workflows.seats`."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from workflows import campaign_commands as c
from workflows import campaign_events as e
from workflows import seats
from workflows.command import Command, Reference
from workflows.context import Refused, Superseded
from workflows.invitation_answers import Said
from workflows.invitation_playbook import EventRules
from workflows.sales_event import SalesEvent
from workflows.sentences import spoken

#: Commands that bring words about the event.
_BRING_TEXTS = (c.DescribeEvent, c.ApproveObservers, c.RevokeApproval, c.CancelEvent, c.ExcludeCompany)


def decide_sales_event(
    event: SalesEvent | None,
    command: c.SalesEventCommand,
    *,
    now: datetime,
    rules: EventRules,
    characters: int | None,
    gone: Collection[UUID] = (),
    texts: Sequence[str] = (),
) -> Said | Refused | Superseded:
    """Decide *command*.

    *characters* are those of the description that it brings; None when there is none, or it was erased. *gone* are those of
    `seats.asked_about` who opted out or were erased; *texts* the commitments of what an erasure would remove.
    """
    if isinstance(command, c.AnnounceEvent):
        return _announce(event, command, now, rules, characters)
    if event is None:
        return Refused(rule="unknown_event", reason="This event is not known; announce it first.")
    if event.erased_at and isinstance(command, _BRING_TEXTS):
        reason = "What was written about it was erased; announce it again under another name."
        return Refused(rule="erased", reason=reason)
    match command:
        case c.EraseEventTexts():
            return _erase(event, command, now, texts)
        case c.DescribeEvent():
            return _described(command.description, characters, rules)
        case c.ApproveObservers():
            return _approve(event, command, now, gone)
        case c.TakeSeat():
            return _seats(event, command, seats.take(event, command, now, gone))
        case c.GiveSeatBack() if command.campaign_id and command.lead_id not in (*event.seated, *event.waiting):
            # Whoever says that they cannot come may have accepted through another campaign, or never.
            return Superseded(reason="this person has no seat, and does not wait for one")
        case c.GiveSeatBack():
            return _seats(event, command, seats.give_back(event, command, now, gone))
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


def _erase(event: SalesEvent, command: c.EraseEventTexts, now: datetime, texts: Sequence[str]) -> Said | Refused:
    # What was erased once is erased again, even where a restored backup does not know that the event was cancelled.
    if not event.cancelled and event.starts_at > now and not command.first_erased_at:
        reason = f"It is to come on {spoken(event.starts_at.date())}, and letters name it: cancel it first."
        return Refused(rule="over", reason=reason, inputs={"starts_at": event.starts_at.isoformat()})
    if not texts:
        return Refused(rule="texts_left", reason="Nothing that was written about it is left.")
    return Said(data=(e.EventTextsErased(reason=command.reason, documents=tuple(texts)),))


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
        timezone=command.timezone,
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


def _approve(event: SalesEvent, command: c.ApproveObservers, now: datetime, gone: Collection[UUID]) -> Said | Refused:
    """Record the approval; where it brings seats, the line moves up."""
    if event.cancelled:
        return Refused(rule="not_cancelled", reason="It was cancelled; announce it again under another name.")
    if event.starts_at <= now:
        return Refused(rule="upcoming", reason=f"It began on {spoken(event.starts_at.date())}, so nobody can come any more.")
    if command.approved_on > now.date() + timedelta(days=1):
        reason = f"Nobody can have approved it on {spoken(command.approved_on)}, which is still to come."
        return Refused(rule="not_in_the_future", reason=reason, inputs={"approved_on": str(command.approved_on)})
    granted = command.seats or event.announced_seats
    if granted < len(event.seated):
        reason = f"{len(event.seated)} seats are taken already, and the host grants {granted}: give some back first."
        return Refused(rule="seats_taken", reason=reason, inputs={"seats": granted, "taken": len(event.seated)})
    approved = e.ObserversApproved(
        approver=command.approver, approved_on=command.approved_on, limits=command.limits, seats=granted
    )
    moved = seats.moved_up(event, now, gone, seats=granted)
    return Said(data=(approved, *moved), proposals=_without_seat(event, moved))


def _withdrawn(event: SalesEvent) -> tuple[tuple[UUID, Command], ...]:
    return tuple((campaign, c.WithdrawEvent(event_id=event.id, anew=True)) for campaign in event.campaigns)


def _seats(
    event: SalesEvent, command: c.TakeSeat | c.GiveSeatBack, found: tuple[seats.SeatEvent, ...] | Refused
) -> Said | Refused:
    if isinstance(found, Refused):
        return found
    # The campaign that asks for a seat to be given back knows.
    known = (command.lead_id, command.campaign_id) if isinstance(command, c.GiveSeatBack) and command.campaign_id else None
    return Said(data=found, proposals=_without_seat(event, found, known))


def _without_seat(
    event: SalesEvent, found: Iterable[seats.SeatEvent], known: tuple[UUID, UUID] | None = None
) -> tuple[tuple[UUID, Command], ...]:
    """Tell the campaigns of those who lost a seat or a place in the line, so that they may ask again; *known* is a lead and
    the campaign that knows it.

    Somebody who accepted through two campaigns has one seat, in the name of the first: whose letters name the event is told.
    """
    return tuple(
        (campaign, c.RecordSeatBack(lead_id=each.lead_id, event_id=event.id))
        for each in found
        if isinstance(each, e.SeatGivenBack)
        for campaign in sorted({event.asked_by[str(each.lead_id)], *event.campaigns})
        if (each.lead_id, campaign) != known
    )
