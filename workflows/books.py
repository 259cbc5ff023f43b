"""The book that a plan looks at: a rep's leads in five states and what is taken of each day. And all books, kept by events."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from operator import attrgetter, itemgetter
from uuid import UUID

import msgspec
from msgspec.structs import replace

from workflows.capacity import Load
from workflows.codec import canonical, digest
from workflows.commands import Mode
from workflows.cover import Colleague
from workflows.events import Recorded, Slot, SlotKind
from workflows.fold import fold
from workflows.law_facts import LawUsed
from workflows.lead import BESIDE_LEADS, Lead, State, at_work
from workflows.playbook_sections import ContactHours
from workflows.priority import rank

#: Slots are reserved at most one promise ahead; the longest promise with leave in it lies well within this many days.
HORIZON_DAYS = 120

_LOADS: dict[SlotKind, str] = {"note": "notes", "promised_call": "calls", "follow_up": "follow_ups"}


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan looks at."""

    queued: tuple[Lead, ...] = ()
    silent: tuple[Lead, ...] = ()
    """Leads in ``no_response``."""
    called: tuple[Lead, ...] = ()
    """Leads in ``call_due`` whom the rep calls: own ones, and those of a colleague who is away."""
    opening: tuple[Lead, ...] | None = ()
    """Leads in ``note_sent`` whose promised call the rep makes and whose day has come: the plan of a morning comes before the
    hour at which they open. None in plans of an earlier release, which did not look at them and are made again as they were."""
    engaged: tuple[Lead, ...] = ()
    """Leads in ``re_engaged``."""
    parted: tuple[Lead, ...] = ()
    """Leads in ``breakup_sent``."""
    probed: tuple[Lead, ...] | None = ()
    """Those who said no and are to be asked why by the end of the day after; None in plans of an earlier release, which kept no
    minutes for that and are made again as they were."""
    charged: bool = True
    """Whether the day is charged with the minutes of the engaged and of breakups. Plans of an earlier release were not, and are
    made again as they were."""
    counted: bool = True
    """Whether it is known which calls hold no slot of their day. In plans of an earlier release each was taken to hold one, and
    they are made again as they were."""
    resting: bool = True
    """Whether calls on hold are left out. Plans of an earlier release took them for calls to make, and are made again as they
    were."""
    lawful: bool = True
    """Whether a call that is moved passes over days on which law and hours forbid it. Plans of an earlier release did not ask,
    and are made again as they were."""
    carried: bool = True
    """Whether it is known which calls of earlier days hold a slot of this one, as another owner gets them. Plans of an earlier
    release took a place more for each, and are made again as they were."""
    loads: Mapping[date, Load] = {}
    """Of the planned day and `HORIZON_DAYS` after it."""
    suppressed: Mapping[UUID, tuple[Mode, ...]] = {}
    """Modes that the suppression list refuses the queued and silent leads; the log does not hold this, so the plan does."""
    law: LawUsed | msgspec.UnsetType | None = None
    """What a plan made again was held against by contact law; unset when there was no law table then. None: it is made now."""
    colleague: Colleague | None = None
    """Who makes the calls that notes of the day promise, with what is taken of their days; None when the rep does."""
    contact_hours: Mapping[str, ContactHours] = {}
    """When the leads of each of `playbooks_of` may be called, whoever calls; by digest."""
    position: int | None = None
    """All else is what the first *position* events of the log come to; None where there is no log."""


def playbooks_of(book: Book) -> set[str]:
    """Return the digests of the playbooks of the leads in *book* whom a plan may have called, or whose call it may move."""
    asked = (*book.queued, *book.silent, *book.called, *(book.opening or ()))
    return {lead.playbook.digest for lead in asked if lead.playbook}


def reachable(book: Book) -> Book:
    """Return *book* with its leads without the modes that the suppression list refuses them: no slot is planned in vain."""

    def left(lead: Lead) -> Lead:
        refused = book.suppressed.get(lead.id, ())
        return replace(lead, modes=tuple(mode for mode in lead.modes if mode not in refused)) if refused else lead

    if not book.suppressed:
        return book
    return replace(book, queued=tuple(map(left, book.queued)), silent=tuple(map(left, book.silent)))


def probed_until(today: date) -> datetime:
    """Return before when a reason is to be asked for, so that the book of *today* holds the lead, whatever the time zone."""
    return datetime.combine(today + timedelta(days=2), time(), tzinfo=UTC)


def _asked_by(lead: Lead, until: datetime) -> bool:
    armed = lead.timers.get("reason_probe")
    return armed is not None and armed.due_at < until


def loads_of(slots: Iterable[tuple[SlotKind, date]]) -> dict[date, Load]:
    """Return what *slots*, those that are reserved or used, take of each day."""
    counts: dict[date, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_LOADS.values(), 0))
    for kind, day in slots:
        counts[day][_LOADS[kind]] += 1
    return {day: Load(**by_kind) for day, by_kind in counts.items()}


def in_turn(queued: Sequence[Lead]) -> list[Lead]:
    """Return leads in the order in which their turn comes: by score, and those without one last."""
    scored = [(rank(lead.score, lead.last_contact_at, lead.id), lead) for lead in queued if lead.score]
    return [lead for _, lead in sorted(scored, key=itemgetter(0))] + sorted(
        (lead for lead in queued if not lead.score), key=attrgetter("id")
    )


def book_digest(book: Book) -> str:
    """Return SHA-256 of a book's canonical form: the queue in its order, and each other lead, with their versions; the loads.

    With its version a lead's whole history up to there is named, scores and their parts included.
    """
    named = {
        "queued": [(lead.id, lead.version) for lead in in_turn(book.queued)],
        "silent": sorted((lead.id, lead.version) for lead in book.silent),
        "called": sorted((lead.id, lead.version) for lead in book.called),
        "loads": {str(day): load for day, load in book.loads.items()},
    }
    if book.opening is not None:
        named["opening"] = sorted((lead.id, lead.version) for lead in book.opening)
    if book.colleague:
        named["colleague"] = {str(day): load for day, load in book.colleague.loads.items()}
    if book.charged:
        named["engaged"] = sorted((lead.id, lead.version) for lead in book.engaged)
        named["parted"] = sorted((lead.id, lead.version) for lead in book.parted)
    if book.probed is not None:
        named["probed"] = sorted((lead.id, lead.version) for lead in book.probed)
    return digest(canonical(named))


def _place(lead: Lead) -> tuple[str, State]:
    return at_work(lead), lead.state


class Books:
    """All leads, and all slots that are reserved or used, as the events so far leave them.

    Memory is one folded lead per lead, about 3 kB.
    """

    def __init__(self) -> None:
        self.leads: dict[UUID, Lead] = {}
        self.position = 0
        """How many events were taken in."""
        self._standing: dict[tuple[str, State], dict[UUID, Lead]] = defaultdict(dict)
        self._slots: dict[str, dict[date, dict[Slot, UUID]]] = defaultdict(lambda: defaultdict(dict))

    def take(self, recorded: Recorded) -> None:
        """Take in the next event of the log, of whichever stream.

        Raises
        ------
        FoldError
            When it is a lead's and cannot be folded.
        """
        if recorded.state not in BESIDE_LEADS:
            self.put(fold(self.leads.get(recorded.stream_id), recorded))
        self.record(recorded)

    def put(self, lead: Lead) -> None:
        """Put a lead where its owner and state say; one that has changed leaves the place it had."""
        before = self.leads.get(lead.id)
        if before is not None and _place(before) != _place(lead):
            del self._standing[_place(before)][lead.id]
        self.leads[lead.id] = self._standing[_place(lead)][lead.id] = lead

    def record(self, recorded: Recorded) -> None:
        """Take in what else an event moves: its slots, and the position of the log."""
        self.position += 1
        for slot in recorded.effects.released:
            self._slots[slot.rep][slot.day].pop(slot, None)
        for slot in recorded.effects.reserved:
            self._slots[slot.rep][slot.day][slot] = recorded.stream_id

    def drop(self, lead_id: UUID) -> None:
        """Leave a lead out from now on; the slots that it has stay taken."""
        lead = self.leads.pop(lead_id)
        del self._standing[_place(lead)][lead_id]

    def standing(self, owner: str, state: State) -> Collection[Lead]:
        """Return *owner*'s leads in *state*, in no order that means anything; those to be called are whoever's who calls."""
        return self._standing[owner, state].values() if (owner, state) in self._standing else ()

    def taken(self, rep: str, days: Iterable[date]) -> set[Slot]:
        """Return the slots of *rep* that are reserved or used on *days*."""
        by_day = self._slots.get(rep, {})
        return {slot for day in days if day in by_day for slot in by_day[day]}

    def slots(self) -> dict[Slot, UUID]:
        """Return all slots that are reserved or used, each with its lead."""
        return {slot: id_ for by_day in self._slots.values() for held in by_day.values() for slot, id_ in held.items()}

    def loads(self, rep: str, today: date) -> dict[date, Load]:
        """Return what is taken of the days of *rep*, of *today* and `HORIZON_DAYS` after it."""
        last = today + timedelta(days=HORIZON_DAYS)
        by_day = self._slots.get(rep, {})
        ahead = (slot for day, slots in by_day.items() if today <= day <= last for slot in slots)
        return loads_of((slot.kind, slot.day) for slot in ahead)

    def book(self, rep: str, today: date, colleague: Colleague | None = None) -> Book:
        """Return the book of *rep* for a plan of *today*, and a *colleague*'s days as they are then."""
        return Book(
            queued=tuple(self.standing(rep, "queued")),
            silent=tuple(self.standing(rep, "no_response")),
            called=tuple(self.standing(rep, "call_due")),
            opening=tuple(lead for lead in self.standing(rep, "note_sent") if lead.call_on and lead.call_on <= today),
            engaged=tuple(self.standing(rep, "re_engaged")),
            parted=tuple(self.standing(rep, "breakup_sent")),
            probed=tuple(lead for lead in self.standing(rep, "declined") if _asked_by(lead, probed_until(today))),
            loads=self.loads(rep, today),
            colleague=replace(colleague, loads=self.loads(colleague.name, today)) if colleague else None,
            position=self.position,
        )
