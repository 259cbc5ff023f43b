"""Everything that the sheet of one rep's day is made from, read at one moment."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

from actors.library import Library
from models import contacts, leads, playbooks, slots, suppressions, views, wordings
from models.contacts import Contact
from models.database import Connection
from service.next_action import steps_of
from service.times import zone_of
from workflows import horizon
from workflows.calendars import Calendar
from workflows.commands import AnyCommand, MarkNoteSent, command_kind
from workflows.context import Context, Refused, facts
from workflows.cover import Colleague
from workflows.decide import decide
from workflows.events import NoteSent, Recorded, ReplyReceived, Slot
from workflows.guards import refusals
from workflows.lead import Lead, Rep
from workflows.playbooks import Playbook
from workflows.slotting import call_promised, free_slots
from workflows.suppression import Entry, verdict
from workflows.transitions import row_for

#: States in which a rep may have something to do.
_STATES = ("note_due", "note_sent", "call_due", "no_response", "re_engaged", "meeting_booked", "declined")

#: Events of which the newest says how a lead came to be re-engaged.
_CONTACTS = ("reply_received", "call_connected", "re_engaged", "meeting_outcome_missed")


@dataclass(frozen=True)
class Desk:
    """One rep's leads with all that is known of them, and the day in question."""

    rep: Rep
    calendar: Calendar
    zone: ZoneInfo
    day: date
    now: datetime
    playbook: Playbook
    """The rep's own; leads may follow others."""
    leads: tuple[Lead, ...]
    """Those that may have something to do, best score first; held ones apart."""
    held: tuple[Lead, ...]
    people: Mapping[UUID, Contact]
    playbooks: Mapping[str, Playbook]
    """By digest."""
    notes: Mapping[UUID, Recorded]
    """The newest ``note_sent`` of each lead that is called after one."""
    note_texts: Mapping[UUID, str]
    reply_texts: Mapping[UUID, str]
    """What those wrote who answered last, where it is kept."""
    contacts: Mapping[UUID, Recorded]
    """The newest two-way contact of each lead that is re-engaged."""
    refusals: Mapping[UUID, Recorded]
    """The refusal of each promised call that was due and is to be asked for again."""
    listed: Mapping[UUID, Sequence[Entry]]
    """What the suppression list holds of the people; those who are not on it are missing."""
    reviews: tuple[Lead, ...]
    """Those whose no is to be looked at again by the end of the day, the longest due first."""
    steps: Mapping[UUID, str]
    """The agreed next steps that are kept as texts, by lead."""
    late_call: str
    """How a call begins that comes late, with the field ``promised_day``."""
    callers: Mapping[str, Colleague]
    """The colleagues who make calls that notes of the day promise, and those for whom the rep calls."""
    free: Mapping[UUID, Collection[Slot]]
    """By lead to whom there is a note to write: the slots that are free for its call."""

    @property
    def is_today(self) -> bool:
        """Whether the sheet is about the present day."""
        return self.day == horizon.local_day(self.calendar, self.now)

    def of(self, *states: str) -> list[Lead]:
        """Return the leads in *states*."""
        return [lead for lead in self.leads if lead.state in states]

    def due(self, lead: Lead, timer: str) -> bool:
        """Tell whether a timer that people see is due by the end of the day."""
        armed = lead.timers.get(timer)
        return armed is not None and self.local_day(armed.due_at) <= self.day

    def local_day(self, moment: datetime) -> date:
        """Return the rep's date at *moment*."""
        return horizon.local_day(self.calendar, moment)

    def promised_on(self, lead: Lead) -> date:
        """Return the day of the call that a note to *lead* promises when it goes out on the sheet's day."""
        by = self.callers.get(lead.call_by or "")
        caller, calendar = (by.name, by.calendar) if by else (lead.owner, self.calendar)
        return call_promised(lead, self.day, calendar, self.playbook.capacity, caller, self.free.get(lead.id, ()))[0]

    def playbook_of(self, lead: Lead) -> Playbook:
        """Return the playbook that *lead* follows."""
        return self.playbooks.get(lead.playbook.digest, self.playbook) if lead.playbook else self.playbook

    def refusal(self, lead: Lead, command: AnyCommand) -> Refused | None:
        """Ask the machine whether it would refuse *command* of the rep now; it alone knows the rules."""
        answer = decide(lead, command, self._context(lead))
        return answer if isinstance(answer, Refused) else None

    def all_refusals(self, lead: Lead, command: AnyCommand) -> tuple[Refused, ...]:
        """Return what each guard of the row says that *command* answers to, and not the first alone."""
        row = row_for(lead.state, command_kind(command))
        return tuple(refusals(row.guards, facts(lead, command, self._context(lead)))) if row else ()

    def _context(self, lead: Lead) -> Context:
        return Context(
            now=self.now,
            actor=f"rep:{self.rep.name}",
            calendar=self.calendar,
            playbook=self.playbook_of(lead),
            followed=self.playbook,
            verdicts=(verdict(self.listed.get(lead.id, ())),),
        )


def read_desk(connection: Connection, rep: Rep, calendar: Calendar, day: date, now: datetime) -> Desk:
    """Read what the sheet of *day* is made from."""
    owned = [lead for lead in leads.owned_leads(connection, rep.name, _STATES) if not _called_by_another(lead)]
    owned += views.calls_for_others(connection, rep.name)
    nurtured = (*views.nurture_owed(connection, rep.name), *views.revisits_due(connection, rep.name, day))
    candidates = [*owned, *{lead.id: lead for lead in nurtured}.values()]
    active = [lead for lead in candidates if not lead.hold and _concerns(lead, day, calendar)]
    held = views.held(connection, rep.name)
    reviews = views.reviews_due(connection, rep.name, horizon.moment(calendar, day, calendar.day_ends))
    digests = {lead.playbook.digest for lead in (*active, *reviews) if lead.playbook} | {
        rep.playbook.digest if rep.playbook else ""
    }
    known = playbooks.playbooks_by_digest(connection, list(digests))
    notes = views.latest(connection, [lead.id for lead in active if lead.state in ("call_due", "note_sent")], ["note_sent"])
    answered = views.latest(connection, [lead.id for lead in active if lead.state == "re_engaged"], _CONTACTS)
    asked = {lead.id: lead.timers.get("call_after_note") for lead in active if lead.state == "note_sent"}
    followed = known[rep.playbook.digest] if rep.playbook else next(iter(known.values()))
    callers = _callers(connection, active, rep.name)
    unwritten = [lead for lead in active if lead.state == "note_due"]
    sent = MarkNoteSent(medium="hand_written")
    looked = followed.capacity, horizon.moment(calendar, day, calendar.day_starts), partial(slots.taken_on, connection)
    return Desk(
        rep=rep,
        calendar=calendar,
        zone=zone_of(calendar),
        day=day,
        now=now,
        playbook=followed,
        leads=tuple(active),
        held=tuple(held),
        people=contacts.find_contacts(connection, [lead.id for lead in (*active, *held, *reviews)]),
        playbooks=known,
        notes=notes,
        note_texts=_texts(connection, notes),
        reply_texts=_texts(connection, answered),
        contacts=answered,
        refusals=views.refusals_at(connection, {id_: timer.armed_version for id_, timer in asked.items() if timer}),
        listed=suppressions.entries_of(connection, [lead.id for lead in active]),
        reviews=tuple(reviews),
        steps=steps_of(connection, active),
        late_call=wordings.latest(connection, "late-call").text,
        callers=callers,
        free={
            lead.id: free_slots(lead, sent, calendar, *looked, callers.get(lead.call_by or ""), lambda: unwritten)
            for lead in unwritten
        },
    )


def _callers(connection: Connection, leads_: Sequence[Lead], rep: str) -> dict[str, Colleague]:
    named, library = {lead.call_by for lead in leads_ if lead.call_by and lead.state == "note_due"}, Library()
    named |= {lead.owner for lead in leads_ if lead.owner != rep}
    if named:
        library.load(connection, newest=(), digests=(), reps=named)
    return {name: colleague for name in named if (colleague := library.colleague(name))}


def _called_by_another(lead: Lead) -> bool:
    """Tell whether a colleague makes the call that comes next; it stands on the colleague's sheet."""
    return lead.state in ("note_sent", "call_due") and bool(lead.call_by)


def _concerns(lead: Lead, day: date, calendar: Calendar) -> bool:
    """Tell whether *lead* may stand on the sheet of *day*; after an import thousands of declined ones do not."""
    if lead.state in ("call_due", "note_sent"):
        return lead.call_on is not None and lead.call_on <= day
    if lead.state == "declined":
        armed = (lead.timers.get(name) for name in ("reason_probe", "homework"))
        return any(timer and horizon.local_day(calendar, timer.due_at) <= day for timer in armed)
    return True


def _texts(connection: Connection, notes: Mapping[UUID, Recorded]) -> dict[UUID, str]:
    texts: dict[UUID, str] = {}
    for lead_id, recorded in notes.items():
        match recorded.data:
            case NoteSent(text=reference) | ReplyReceived(words=reference):
                pass
            case _:
                reference = None
        text = contacts.find_document(connection, reference.document_id) if reference else None
        if text:
            texts[lead_id] = text
    return texts
