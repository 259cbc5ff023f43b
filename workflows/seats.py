"""Who has a seat at a sales event, and who is next in the line. Pure.

Seats never exceed what the host grants; the line is first come, first served, and nobody who comes later passes it; nobody who
opted out, was erased, or said that they cannot come holds a seat, and nobody gets one at what was cancelled or has begun.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from workflows import campaign_commands as c
from workflows import campaign_events as e
from workflows.context import Refused
from workflows.sales_event import SalesEvent
from workflows.sentences import spoken

SeatEvent = e.SeatTaken | e.SeatWaitedFor | e.SeatGivenBack

#: Commands whose decisions rest on who opted out or was erased meanwhile.
MOVE_SEATS = (c.TakeSeat, c.GiveSeatBack, c.ApproveObservers)


def asked_about(event: SalesEvent, command: object) -> tuple[UUID, ...]:
    """Return of whom a decision on *command* asks whether they opted out or were erased: whoever may get a seat by it."""
    if not isinstance(command, MOVE_SEATS):
        return ()
    return (*event.waiting, command.lead_id) if isinstance(command, c.TakeSeat) else event.waiting


def moved_up(
    event: SalesEvent, now: datetime, gone: Collection[UUID], *, seats: int, leaving: UUID | None = None
) -> tuple[SeatEvent, ...]:
    """Return how the line moves up into *seats* once *leaving* has left; those of *gone* leave the line without a seat."""
    if event.cancelled or event.starts_at <= now:
        return ()
    taken = sum(lead_id != leaving for lead_id in event.seated)
    moved: list[SeatEvent] = []
    for lead_id in event.waiting:
        if lead_id == leaving:
            continue
        if taken >= seats:
            break
        if lead_id in gone:
            moved.append(e.SeatGivenBack(lead_id=lead_id, had_seat=False))
            continue
        taken += 1
        campaign = event.asked_by[str(lead_id)]
        moved.append(e.SeatTaken(lead_id=lead_id, campaign_id=campaign, left=seats - taken, from_waiting=True))
    return tuple(moved)


def take(event: SalesEvent, command: c.TakeSeat, now: datetime, gone: Collection[UUID]) -> tuple[SeatEvent, ...] | Refused:
    """Give whoever asks a seat, or the last place in the line; the line comes first."""
    if refused := _may_come(event, command.lead_id, now, gone):
        return refused
    if command.lead_id in (*event.seated, *event.waiting):
        had = "has a seat" if command.lead_id in event.seated else "is in the line for a seat"
        return Refused(rule="one_seat", reason=f"This person {had} already.")
    moved = moved_up(event, now, gone, seats=event.seats)
    taken = len(event.seated) + sum(isinstance(each, e.SeatTaken) for each in moved)
    asked: SeatEvent
    if taken >= event.seats:
        place = len(event.waiting) - len(moved) + 1
        asked = e.SeatWaitedFor(lead_id=command.lead_id, campaign_id=command.campaign_id, waiting=place)
    else:
        asked = e.SeatTaken(lead_id=command.lead_id, campaign_id=command.campaign_id, left=event.seats - taken - 1)
    return (*moved, asked)


def _may_come(event: SalesEvent, lead_id: UUID, now: datetime, gone: Collection[UUID]) -> Refused | None:
    if event.cancelled or not event.approved:
        reason = "It was cancelled." if event.cancelled else "Its host does not take observers any more."
        return Refused(rule="attendable", reason=reason)
    if event.starts_at <= now:
        return Refused(rule="upcoming", reason=f"It began on {spoken(event.starts_at.date())}.")
    if lead_id in gone:
        return Refused(rule="wants_contact", reason="This person opted out or was erased, and so holds no seat.")
    return None


def give_back(
    event: SalesEvent, command: c.GiveSeatBack, now: datetime, gone: Collection[UUID]
) -> tuple[SeatEvent, ...] | Refused:
    """Free a seat or a place in the line; the next in the line gets the seat, while the host takes observers."""
    had = command.lead_id in event.seated
    if not had and command.lead_id not in event.waiting:
        return Refused(rule="has_seat", reason="This person has no seat, and does not wait for one.")
    back = e.SeatGivenBack(lead_id=command.lead_id, had_seat=had)
    if not event.approved:
        return (back,)
    return (back, *moved_up(event, now, gone, seats=event.seats, leaving=command.lead_id))
