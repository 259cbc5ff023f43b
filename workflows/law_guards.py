"""Guards of contact law, and what a decision that asked them rested on."""

from datetime import date, datetime, timedelta
from typing import Literal

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from workflows import horizon, time_zones
from workflows.commands import (
    AnyCommand,
    Command,
    MarkNoteSent,
    Mode,
    RecordLaw,
    ScheduleCall,
    ScheduleNote,
    ScheduleTouch,
    SendBreakupEmail,
    SendNurtureTouch,
    SendTouch,
    UpdateContact,
)
from workflows.contact_hours import clock_of, overlap
from workflows.context import Context, Facts, Refused, in_utc
from workflows.events import AnyEvent, ConsentExpired, ContactUpdated, LawRecorded
from workflows.law import consent_expires_on, law_of, lawful_modes, refuses, region_of
from workflows.law_facts import Clock, LawFacts, LawUsed, merged
from workflows.law_table import DIGEST, TABLES, LawTable
from workflows.layers import narrowed
from workflows.lead import RESTING, Lead, State
from workflows.playbook_sections import ContactHours
from workflows.playbooks import Playbook
from workflows.sentences import WEEKDAYS, spoken
from workflows.timers import at_its_hour
from workflows.transitions import row_for, trigger

#: Guards that ask the law table. What they were told is recorded with the decision.
_ASKING = frozenset({
    "contact_hours", "call_reachable", "email_reachable", "mode_permitted", "law_facts", "consent_over", "modes_tried",
    "mode_open", "everything_tried", "breakup_impossible_or_waived", "drop_reason_of_declined", "drop_reason_of_nurture",
})  # fmt: skip

#: Days for which a time zone is asked; any other is refused as a slip of the pen.
_FIRST, _LAST = date(1970, 1, 2), date(2199, 12, 31)


def table_of(context: Context) -> LawTable | None:
    """Return the law table of a decision; None for one that was made before there was any."""
    if context.law is UNSET:
        return None
    return TABLES[context.law.table if context.law else DIGEST]


def judged_by(lead: Lead, command: AnyCommand, context: Context, entered: State) -> LawUsed | UnsetType:
    """Return what a decision was held against that led to *entered*; unset where no rule asked, or no table was in force."""
    row, given = row_for(lead.state, trigger(command)), context.law
    guards = row.guards if row else ()
    if given is UNSET or (_ASKING.isdisjoint(guards) and not _may_arm(lead, command, entered)):
        return UNSET
    used = LawUsed(table=given.table if given else DIGEST, region=region_of(lead))
    if "contact_hours" not in guards:
        return used
    today = horizon.local_day(context.calendar or horizon.PLAIN, in_utc(context.now))
    clock = _clock(lead, _day_of_touch(lead, command, today, today), context)
    if clock is None:
        return used
    zones = (given.zones if given else UNSET) or time_zones.zone_database()
    return replace(used, zones=zones, offset=clock.offset, shift_at=clock.shift_at, shift_to=clock.shift_to)


def _may_arm(lead: Lead, command: AnyCommand, entered: State) -> bool:
    """Tell whether a decision may begin or end a consent to mail without a guard that asks."""
    if isinstance(command, UpdateContact):
        return command.law is not UNSET
    known = law_of(lead)
    dated = known.purchased_on is not UNSET or known.inquired_on is not UNSET
    return dated and lead.state in RESTING and entered not in RESTING


def _clock(lead: Lead, day: date, context: Context) -> Clock | None:
    given = context.law
    if not _FIRST <= day <= _LAST:
        return None
    if given and given.offset is not UNSET and (given.shift_at is UNSET) == (given.shift_to is UNSET):
        return Clock(offset=given.offset, shift_at=given.shift_at, shift_to=given.shift_to)
    calendar = context.colleague.calendar if context.colleague else context.calendar
    return clock_of(lead.timezone, day, calendar or horizon.PLAIN)


def contact_hours(facts: Facts, command: Command) -> Refused | None:
    """Refuse a call on a day whose working hours never meet the prospect's contact hours, or none that the law allows."""
    lead, table = facts.lead, table_of(facts.context)
    day = _day_of_touch(lead, command, facts.today, facts.day)
    clock, region = _clock(lead, day, facts.context) or Clock(offset=0), region_of(lead)
    hours, caller = facts.playbook.contact_hours, facts.context.colleague or facts.context.followed
    both = narrowed(hours, caller.contact_hours) if caller else hours
    if both and overlap(both, clock, day, facts.call_calendar, region, table):
        return None
    lives = f"where they live ({region or 'an unknown region'})" if table else "where they live"
    reason = f"On {spoken(day)} there is no working hour in which this prospect may be called {lives}."
    inputs = {"day": str(day), "timezone": lead.timezone or None}
    if caller and overlap(hours, clock, day, facts.call_calendar, region, table):
        rep, own = facts.rep_of("promised_call"), caller.contact_hours
        reason = f"On {spoken(day)} this prospect may be called, but not in the hours in which {rep} may call: {_spoken(own)}."
        inputs = {**inputs, "rep": rep}
    return Refused(rule="contact_hours", reason=reason, inputs={**inputs, "region": region} if region else inputs)


def _spoken(hours: ContactHours) -> str:
    opens, closes = (f"{minute // 60:02}:{minute % 60:02}" for minute in (hours.opens, hours.closes))
    days = ", ".join(WEEKDAYS[number - 1] for number in sorted(hours.weekdays))
    return f"{opens} to {closes} there, on {days}"


def hours_of(playbook: Playbook, followed: Playbook | None) -> ContactHours | None:
    """Return when leads of *playbook* may be called by a rep who follows another: in the hours of both, None for never."""
    return narrowed(playbook.contact_hours, followed.contact_hours) if followed else playbook.contact_hours


def narrows(command: Command, lead: Lead, playbook: Playbook, followed: Playbook) -> bool:
    """Tell whether a decision about hours for calls rests on those of the rep's playbook, too."""
    row = row_for(lead.state, trigger(command))
    return row is not None and "contact_hours" in row.guards and playbook.contact_hours != followed.contact_hours


def unlawful(facts: Facts, mode: Mode, command: Command) -> Refused | None:
    """Refuse a touch by *mode* that the law refuses on its day."""
    day = _day_of_touch(facts.lead, command, facts.today, facts.day)
    return refuses(facts.lead, mode, day, table_of(facts.context))


def lawful_now(facts: Facts) -> tuple[Mode, ...]:
    """Return the lead's modes without those that the law refuses today."""
    return lawful_modes(facts.lead, facts.today, table_of(facts.context))


def _day_of_touch(lead: Lead, command: Command, today: date, occurred_on: date) -> date:
    """Return the day on which somebody is called, or is to be, or something goes out."""
    match command:
        case ScheduleCall(call_on=day) | ScheduleNote(call_on=day) | ScheduleTouch(touch_on=day):
            return day
        case MarkNoteSent():
            return lead.call_on or today
        case SendTouch() | SendNurtureTouch() | SendBreakupEmail():
            return occurred_on
    return today


def law_facts(facts: Facts, command: RecordLaw) -> Refused | None:
    """Refuse what is still to come, a consent without evidence, and the answer of a register without its day."""
    law, today = command.law, facts.today
    for name in ("purchased_on", "inquired_on", "dnc_checked_on"):
        day = getattr(law, name)
        if day is not UNSET and day > today:
            reason = f"{spoken(day)} is still to come; record it once it has happened."
            return Refused(rule="not_in_the_future", reason=reason, inputs={"field": name, "day": str(day)})
    if law.consents and command.evidence is None:
        reason = "An express consent needs its evidence: who said so, when and how."
        return Refused(rule="consent_evidence", reason=reason, inputs={"consents": " ".join(law.consents)})
    if (law.dnc_listed is UNSET) != (law.dnc_checked_on is UNSET):
        reason = "A look-up in the register has a day and an answer: listed or clear."
        return Refused(rule="register_answer", reason=reason, inputs={})
    checked, known = law.dnc_checked_on, facts.lead.law and facts.lead.law.dnc_checked_on
    if checked is not UNSET and known and checked < known:
        reason = f"A newer look-up, of {spoken(known)}, is recorded already; it stays."
        return Refused(rule="newer_check", reason=reason, inputs={"day": str(checked), "known": str(known)})
    return None


def consent_over(facts: Facts, _: Command) -> Refused | None:
    """Refuse to end a consent to mail that is good still, or that nobody asks for."""
    last = last_day_of_consent(facts, law_of(facts.lead))
    if last and last < facts.today:
        return None
    reason = f"The consent to mail is good until {spoken(last)}." if last else "No consent to mail runs out here."
    return Refused(rule="consent_over", reason=reason, inputs={"consent_expires_on": str(last) if last else None})


def last_day_of_consent(facts: Facts, known: LawFacts) -> date | None:
    """Return the last day on which mail may go out by implied consent to whom *known* is known; None where there is no such."""
    table = table_of(facts.context)
    return consent_expires_on(known, table) if table else None


def law_recorded(facts: Facts, command: RecordLaw) -> LawRecorded:
    """Return what the log says of what was learnt, and whether mail is a mode again by it."""
    return LawRecorded(law=command.law, evidence=command.evidence, mail_again=mail_again(facts, command.law))


def mail_again(facts: Facts, said: LawFacts | UnsetType) -> Literal[True] | UnsetType:
    """Return whether what was *said* makes a consent to mail good again that was over; unset where it does not."""
    lead, table = facts.lead, table_of(facts.context)
    if said is UNSET or table is None or lead.consent_lapsed is UNSET or "email" in lead.modes_refused:
        return UNSET
    after = replace(lead, law=merged(lead.law, said))
    return True if refuses(after, "email", facts.today, table) is None else UNSET


def consent_expired(facts: Facts, _: Command) -> ConsentExpired:
    """Return what the log says of a consent to mail that is over."""
    return ConsentExpired(expired_on=last_day_of_consent(facts, law_of(facts.lead)) or facts.today)


def consent_ends(facts: Facts, data: AnyEvent) -> datetime | None:
    """Return when the consent to mail is over that *data* leaves; None when none runs out, or it has done so already.

    Asked of what was learnt of somebody who is worked on, and of whatever makes somebody worked on again.
    """
    known = law_of(facts.lead)
    if isinstance(data, (LawRecorded, ContactUpdated)):
        if data.law is UNSET or facts.lead.state in RESTING:
            return None
        known = merged(known, data.law)
    last = last_day_of_consent(facts, known)
    if last is None or (facts.lead.consent_lapsed is not UNSET and last < facts.today):
        return None
    return at_its_hour("consent_expires", last + timedelta(days=1), facts.calendar)
