"""What comes next for a lead, when, and why: one answer for the command line, the day's sheet and the pages."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from models import contacts
from models.database import Connection
from service.times import shown_day, shown_moment
from service.wording import plain, words
from workflows.commands import Reference
from workflows.homework import told_why_at
from workflows.lead import Lead, Timer
from workflows.timers import fires
from workflows.transitions import row_for


class NextAction(msgspec.Struct, frozen=True, kw_only=True):
    """The next move on a lead, and whose it is."""

    what: str
    by: str
    """``rep``, ``planner``, ``prospect``, ``service`` or ``nobody``."""
    when: str
    """A day or a moment by the owner's clock, with ``on``, ``by`` or ``from`` before it; empty when no day is set."""
    why: tuple[str, ...]
    """The timers, the rows of the transition table and the slots behind it, a sentence each."""

    @property
    def sentence(self) -> str:
        """What and when, without the reason."""
        return f"{self.what} {self.when}".rstrip()


def next_action(lead: Lead, zone: ZoneInfo, steps: Mapping[UUID, str] = MappingProxyType({})) -> NextAction:
    """Return what comes next for *lead*, with times by the clock in *zone*, and agreed steps in the words of `steps_of`."""
    if lead.erased_at:
        return NextAction(
            what=f"nothing: everything about this person was erased on {lead.erased_at.date()}",
            by="nobody",
            when="",
            why=("an erased person is never contacted",),
        )
    if lead.merged_into:
        return NextAction(
            what=f"nothing: it was merged into lead {lead.merged_into.hex[:12]}",
            by="nobody",
            when="",
            why=("the person goes on as that lead",),
        )
    if lead.state == "re_engaged" and not lead.hold:
        return _re_engaged(lead, zone, steps)
    if lead.hold:
        until = f"until {shown_day(lead.hold.until)}" if lead.hold.until else "with no end set"
        return NextAction(
            what=f"on hold ({words(lead.hold.reason)}), {until}: nothing moves before it is released",
            by="rep",
            when="",
            why=_why(lead, zone, "hold_until", "hold_review"),
        )
    return _BY_STATE[lead.state](lead, zone)


def steps_of(connection: Connection, leads: Sequence[Lead]) -> dict[UUID, str]:
    """Return the next steps that were agreed on in words of their own, by lead; erased and closed ones are missing."""
    if not contacts.are_open(connection):
        return {}
    kept = {lead.next_step.document_id: lead.id for lead in leads if isinstance(lead.next_step, Reference)}
    found = contacts.find_documents(connection, list(kept))
    return {kept[document_id]: plain(body, 80) for document_id, body in found.items()}


def step_of(lead: Lead, steps: Mapping[UUID, str]) -> str:
    """Return the next step that was agreed on, in the words of `steps_of`; empty when there is none."""
    if isinstance(lead.next_step, Reference):
        return steps.get(lead.id, "the next step")
    return words(lead.next_step) if lead.next_step else ""


def _why(lead: Lead, zone: ZoneInfo, *timers: str) -> tuple[str, ...]:
    parts = [_timer(lead, name, timer, zone) for name in timers if (timer := lead.timers.get(name))]
    parts += [f"{words(slot.kind)} slot {slot.ordinal} of {shown_day(slot.day)} is kept for it" for slot in lead.slots]
    return tuple(parts) or ("no timer is armed",)


def _timer(lead: Lead, name: str, timer: Timer, zone: ZoneInfo) -> str:
    when = shown_moment(timer.due_at, zone)
    armed = f"timer {name}, armed by event {timer.armed_version}"
    if not fires(name):
        return f"{armed}, is a date for people: {when}"
    row = row_for(lead.state, f"fire_timer:{name}")
    return f"{armed}, fires {when}" + (f" and sets off {row.id or row.event}" if row else "")


def _due(lead: Lead, name: str, zone: ZoneInfo, word: str = "by") -> str:
    timer = lead.timers.get(name)
    return f"{word} {shown_moment(timer.due_at, zone)}" if timer else ""


def _on(day: date | None) -> str:
    return f"on {shown_day(day)}" if day else ""


def _by_colleague(lead: Lead) -> str:
    return f", made by {lead.call_by} while {lead.owner} is away," if lead.call_by else ""


def _note_due(lead: Lead, zone: ZoneInfo) -> NextAction:
    return NextAction(
        what=f"write and post the note{f', which names {lead.call_by} as who calls' if lead.call_by else ''}",
        by="rep",
        when=_due(lead, "note_slot", zone) or _on(lead.note_on),
        why=_why(lead, zone, "note_slot"),
    )


def _note_sent(lead: Lead, zone: ZoneInfo) -> NextAction:
    moved = f" for {shown_day(lead.promised_on)}" if lead.promised_on and lead.call_on != lead.promised_on else ""
    by = _by_colleague(lead) or ("," if moved else "")
    why = _why(lead, zone, "call_after_note", "call_expiry")
    if lead.call_on and not any(slot.day == lead.call_on for slot in lead.slots):
        # A release, or another owner, found none left: nothing is lost, but the day may change.
        by = f"{by.rstrip(',')}, without a slot yet,"
        why = (*why, f"no slot of {shown_day(lead.call_on)} is kept for it: that day's plan has room for it or moves it")
    return NextAction(what=f"the call that the note promised{moved}{by}", by="rep", when=_on(lead.call_on), why=why)


def _call_due(lead: Lead, zone: ZoneInfo) -> NextAction:
    what = "call, as promised" if lead.promised else "call"
    if lead.promised and lead.call_on != lead.promised_on and lead.promised_on:
        what = f"call, promised for {shown_day(lead.promised_on)},"
    why = _why(lead, zone, "call_grace", "call_late", "call_expiry")
    what += _by_colleague(lead)
    return NextAction(what=what, by="rep", when=_on(lead.call_on), why=why)


def _no_response(lead: Lead, zone: ZoneInfo) -> NextAction:
    halves = (lead.breakup_voicemail_at, lead.breakup_email_at)
    why = _why(lead, zone, "next_attempt", "response_window")
    if all(halves):
        return NextAction(what="send the breakup: both halves are out", by="rep", when="", why=why)
    if any(halves):
        missing = "email" if lead.breakup_voicemail_at else "voicemail"
        return NextAction(what=f"finish the breakup: its {missing} is missing", by="rep", when="", why=why)
    if lead.cut_bait in ("breakup", "nurture"):
        what = "break up: voicemail and email" if lead.cut_bait == "breakup" else "hand over to nurture"
        return NextAction(what=what, by="rep", when="", why=("it was decided on the cut-bait card", *why))
    when = _due(lead, "next_attempt", zone, "from")
    return NextAction(what="another attempt, in another mode and with something new", by="planner", when=when, why=why)


def _re_engaged(lead: Lead, zone: ZoneInfo, steps: Mapping[UUID, str]) -> NextAction:
    step = step_of(lead, steps)
    what = f"{step}, as agreed," if step else "agree on a next step"
    return NextAction(what=what, by="rep", when=_due(lead, "next_step", zone), why=_why(lead, zone, "next_step", "lapse"))


def _declined(lead: Lead, zone: ZoneInfo) -> NextAction:
    why = _why(lead, zone, "reason_probe", "homework", "triage")
    told = told_why_at(lead)
    if "reason_probe" in lead.timers and told:
        what = f"record why they really said no: they answered {shown_moment(told, zone)}"
        return NextAction(what=what, by="rep", when="", why=why)
    if "reason_probe" in lead.timers:
        return NextAction(what="ask why they really said no", by="rep", when=_due(lead, "reason_probe", zone), why=why)
    if "homework" in lead.timers:
        return NextAction(what="do the homework on the account", by="rep", when=_due(lead, "homework", zone), why=why)
    return NextAction(what="nurture, unless somebody queues it", by="service", when=_due(lead, "triage", zone, "on"), why=why)


def _nurture(lead: Lead, zone: ZoneInfo) -> NextAction:
    why = _why(lead, zone, "nurture_touch", "nurture_floor", "revisit", "requeue")
    if lead.nurture_touch_owed:
        return NextAction(what="send this month's value touch, which is owed", by="rep", when="", why=why)
    return NextAction(what="the next value touch", by="service", when=_due(lead, "nurture_touch", zone, "on"), why=why)


def _meeting(lead: Lead, zone: ZoneInfo) -> NextAction:
    when = f"on {shown_moment(lead.meeting_at, zone)}" if isinstance(lead.meeting_at, datetime) else ""
    return NextAction(
        what="hold the meeting and record what came of it", by="rep", when=when, why=_why(lead, zone, "meeting_outcome")
    )


def _queued(lead: Lead, zone: ZoneInfo) -> NextAction:
    return NextAction(
        what="wait for a free slot",
        by="planner",
        when="",
        why=("the planner takes the best score first", *_why(lead, zone, "queue_age")),
    )


def _breakup(lead: Lead, zone: ZoneInfo) -> NextAction:
    return NextAction(
        what="wait for a reply to the breakup",
        by="prospect",
        when=_due(lead, "breakup_window", zone, "until"),
        why=_why(lead, zone, "breakup_window"),
    )


def _rest(what: str) -> Callable[[Lead, ZoneInfo], NextAction]:
    return lambda lead, zone: NextAction(
        what=what, by="nobody", when="", why=(f"{words(lead.state)} is a resting state", *_why(lead, zone))
    )


_BY_STATE: dict[str, Callable[[Lead, ZoneInfo], NextAction]] = {
    "registered": _rest("nothing, until somebody queues it"),
    "declined": _declined,
    "queued": _queued,
    "note_due": _note_due,
    "note_sent": _note_sent,
    "call_due": _call_due,
    "no_response": _no_response,
    "breakup_sent": _breakup,
    "nurture": _nurture,
    "meeting_booked": _meeting,
    "won": _rest("nothing: the deal is won"),
    "dropped": _rest("nothing: it was dropped"),
    "do_not_contact": _rest("nothing: no contact is wanted"),
}
