"""What the planner looks at, read from the projections."""

from datetime import date, timedelta

from msgspec.structs import replace

from models import leads, slots, suppressions
from models.database import Connection
from workflows.lead import Lead, Rep
from workflows.planner import Load
from workflows.rep import Book
from workflows.suppression import refused_by, verdict

#: Slots are reserved at most one promise ahead; the longest promise with leave in it lies well within this many days.
HORIZON_DAYS = 120


def read_book(connection: Connection, rep: Rep, today: date) -> Book:
    """Return *rep*'s leads that a plan for *today* may touch, and what is taken of today and the days after it."""
    return Book(
        queued=_reachable(connection, leads.owned_leads(connection, rep.name, ["queued"])),
        silent=_reachable(connection, leads.owned_leads(connection, rep.name, ["no_response"])),
        called=tuple(leads.owned_leads(connection, rep.name, ["call_due"])),
        loads=_loads(slots.taken(connection, rep=rep.name, first=today, last=today + timedelta(days=HORIZON_DAYS))),
    )


def _reachable(connection: Connection, owned: list[Lead]) -> tuple[Lead, ...]:
    """Return *owned* without the modes that the suppression list refuses: no slot is planned for what would be refused."""
    listed = suppressions.entries_of(connection, [lead.id for lead in owned])
    refused = {lead_id: refused_by(verdict(entries)) for lead_id, entries in listed.items()}
    return tuple(
        replace(lead, modes=tuple(mode for mode in lead.modes if mode not in refused[lead.id])) if lead.id in refused else lead
        for lead in owned
    )


def _loads(taken: list[slots.Taken]) -> dict[date, Load]:
    counts: dict[date, dict[str, int]] = {}
    for slot in taken:
        by_kind = counts.setdefault(slot.day, {})
        by_kind[slot.kind] = by_kind.get(slot.kind, 0) + 1
    return {
        day: Load(notes=by_kind.get("note", 0), calls=by_kind.get("promised_call", 0), follow_ups=by_kind.get("follow_up", 0))
        for day, by_kind in counts.items()
    }
