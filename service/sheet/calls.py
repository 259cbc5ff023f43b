"""Calls and other touches of a day: promised ones and later attempts, and the hours in which the prospect may be called."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from string import Template

from service.law_words import where
from service.sheet.desk import Desk
from service.sheet.found import Blocked, Found, Kind, blocked, business, face, facts, key, met, reach, unverified
from service.times import shown_day, shown_moment
from service.wording import plain, words
from workflows import time_zones
from workflows.commands import RecordCall, SendTouch
from workflows.contact_hours import permitted
from workflows.events import CommandRefused, NoteSent
from workflows.law import refuses, region_of
from workflows.law_guards import hours_of
from workflows.law_table import CURRENT
from workflows.lead import Lead
from workflows.playbook_sections import Topic
from workflows.proposals import NOT_AS_TOUCH, next_mode, next_value_item, touch_planned

#: How far ahead the next permitted hour is looked for, in steps of a quarter of an hour.
_QUARTERS = 7 * 24 * 4


def promised_calls(desk: Desk) -> Iterable[Found]:
    """Yield the calls that notes promised, the oldest promise first."""
    due = [lead for lead in desk.of("call_due") if lead.promised] + desk.of("note_sent")
    for lead in sorted(due, key=lambda lead: (lead.promised_on or lead.call_on, lead.id)):
        yield _call(desk, lead, "call", _promise(desk, lead))


def _promise(desk: Desk, lead: Lead) -> str:
    note = desk.notes.get(lead.id)
    by = f" by the note of {shown_day(desk.local_day(note.occurred_at))}" if note else ""
    moved = f", moved to {shown_day(lead.call_on)}" if lead.call_on and lead.call_on != lead.promised_on else ""
    late = "; it is late, begin with an apology" if lead.promise_missed else ""
    # Whoever calls for a colleague reads first whose lead it is, and that the note named the caller.
    owner = desk.callers.get(lead.owner)
    away = owner is None or owner.calendar.absence_on(desk.day)
    stands = f"while {lead.owner} is away" if away else f"although {lead.owner} is back"
    whose = f"{lead.owner}'s lead, you call {stands}: the note names you; " if lead.owner != desk.rep.name else ""
    return f"{whose}promised{by} for {shown_day(lead.promised_on or desk.day)}{moved}{late}"


def _sorry(desk: Desk, lead: Lead) -> str:
    if not lead.promise_missed or lead.promised_on is None:
        return ""
    said = Template(desk.late_call).substitute(promised_day=shown_day(lead.promised_on))
    return f"open with: “{plain(said, 300)}”"


def _call(desk: Desk, lead: Lead, kind: Kind, why: str) -> Found:
    span = _hours(desk, lead, desk.now)
    until = f", until {span[1] // 60:02}:{span[1] % 60:02}" if span else ""
    local = f"their time {_there(desk, lead):%H:%M}{until}" if desk.is_today else ""
    topics: dict[Topic, tuple[str, ...]] = {
        "personal_topic": (facts(desk, lead),),
        "shared_history": (met(desk, lead), unverified(desk, lead)),
        "business": (business(desk, lead),),
    }
    return Found(
        lead=lead,
        kind=kind,
        why=why,
        # Who it is and what was written; then what to speak of, something personal before business (A4-11).
        notes=(
            _sorry(desk, lead),
            ", ".join(part for part in (reach(desk, lead), local, face(desk, lead)) if part),
            _note(desk, lead) if lead.promised else "",
            *(line for topic in desk.playbook_of(lead).call.script for line in topics[topic]),
        ),
        commands=(
            f"thaw call {key(desk, lead)} --outcome connected --topic TEXT --next-step TEXT --next-step-on DAY",
            f"thaw call {key(desk, lead)} --outcome voicemail",
        ),
        tries=RecordCall(outcome="voicemail"),
    )


def _note(desk: Desk, lead: Lead) -> str:
    """Return what the note says; of one that a photo shows, its two sentences and what shows the rest."""
    text, sent = desk.note_texts.get(lead.id), desk.notes.get(lead.id)
    if not text:
        return ""
    if sent is None or not isinstance(sent.data, NoteSent) or not sent.data.photo:
        return f"note: {plain(text, 160)}"
    said = " … ".join(f"“{plain(sentence, 160)}”" for sentence in text.splitlines())
    return f"note: {said}; the rest stands in a photo: thaw note-photo {key(desk, lead)} -o FILE"


def follow_ups(desk: Desk) -> Iterable[Found]:
    """Yield later attempts: scheduled calls, then the touches in other modes that are planned for the day."""
    for lead in desk.of("call_due"):
        if not lead.promised:
            bring = f", bring {lead.value_item}" if lead.value_item else ""
            yield _call(desk, lead, "follow_up", f"attempt {lead.attempts + 1}: call{bring}")
    for lead in desk.of("no_response"):
        if touch_planned(lead, desk.day):
            yield from _touch(desk, lead)


def _touch(desk: Desk, lead: Lead) -> Iterable[Found]:
    playbook = desk.playbook_of(lead)
    # A touch that is planned is no call and no note: for those a slot of their own is planned.
    mode = next_mode(lead, playbook, desk.day, CURRENT, without=NOT_AS_TOUCH)
    value = next_value_item(lead, playbook)
    if mode and value and not (lead.breakup_voicemail_at or lead.breakup_email_at):
        yield Found(
            lead=lead,
            kind="follow_up",
            why=f"attempt {lead.attempts + 1}: {words(mode)}, bring {value}",
            notes=(reach(desk, lead), facts(desk, lead)),
            commands=(f"thaw touch {key(desk, lead)} --mode {mode} --value-item {value} --attest-all",),
            tries=SendTouch(mode=mode, value_item=value, attested=playbook.checks.touch),
        )


def not_due(desk: Desk, lead: Lead) -> Blocked:
    """Say why a call that is promised for today, or was for a day before, is not on the list yet."""
    timer = lead.timers.get("call_after_note")
    if timer is None or timer.due_at <= desk.now:
        return blocked(
            desk, lead, "call", "call_after_note", "the promised call is due, but no worker has got to it", "thaw status"
        )
    comes = shown_moment(timer.due_at, desk.zone)
    last = desk.refusals.get(lead.id)
    if last and isinstance(last.data, CommandRefused):
        first = (
            "put the number into the CRM: " if last.data.rule == "call_reachable" and "call" not in lead.modes_refused else ""
        )
        ends = lead.timers.get("call_expiry")
        else_ = f"; the promise ends {shown_moment(ends.due_at, desk.zone)}" if ends else ""
        # It is no call of a day on which it may not be made.
        return blocked(desk, lead, None, last.data.rule, last.data.reason, f"{first}asked again {comes}{else_}")
    why = "the promised call opens with the working day"
    return blocked(desk, lead, "call", "call_after_note", why, f"it comes by itself {comes}", timer.due_at)


def out_of_hours(desk: Desk, found: Found) -> Blocked | None:
    """Say when a call may be made that may not be made at this hour of the prospect's day."""
    lead = found.lead
    if not isinstance(found.tries, RecordCall):
        return None
    if unlawful := refuses(lead, "call", desk.day, CURRENT):
        return blocked(desk, lead, found.kind, unlawful.rule, unlawful.reason, f"thaw law show {key(desk, lead)}")
    if _may_be_called(desk, lead, desk.now):
        return None
    start = desk.now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    quarters = (start + timedelta(minutes=15 * number) for number in range(_QUARTERS))
    opens = next((moment for moment in quarters if moment > desk.now and _may_be_called(desk, lead, moment)), None)
    when = f"call from {shown_moment(opens, desk.zone)} on" if opens else "no hour of the next days fits"
    there = f"{_there(desk, lead):%a %H:%M}"
    why = f"it is {there} where they live ({where(region_of(lead))}), outside the hours for calls"
    return blocked(desk, lead, found.kind, "contact_hours", why, when, opens)


def _may_be_called(desk: Desk, lead: Lead, moment: datetime) -> bool:
    span, there = _hours(desk, lead, moment), _there(desk, lead, moment)
    return span is not None and span[0] <= there.hour * 60 + there.minute < span[1]


def _hours(desk: Desk, lead: Lead, moment: datetime) -> tuple[int, int] | None:
    """Return from when until when, in minutes of their day, playbook and law allow a call on the prospect's day of *moment*."""
    there = _there(desk, lead, moment).date()
    hours = hours_of(desk.playbook_of(lead), desk.playbook)
    return permitted(hours, there, region_of(lead), CURRENT) if hours else None


def _there(desk: Desk, lead: Lead, moment: datetime | None = None) -> datetime:
    """Return *moment*, by default now, by the clock on the prospect's wall."""
    zone = time_zones.zone_named(lead.timezone) if lead.timezone else None
    return (moment or desk.now).astimezone(zone or desk.zone)
