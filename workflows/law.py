"""What contact law says of one person on one day: hours for calls, do-not-call registers, and consent.

Pure; asked at the moment of action, in the prospect's region. Law is a floor: a playbook's hours may only be narrower.
"""

from datetime import date, timedelta
from functools import lru_cache

from msgspec import UNSET

from workflows.codec import canonical
from workflows.commands import Mode
from workflows.context import Refused
from workflows.events import Scalar
from workflows.law_facts import NOTHING, LawFacts
from workflows.law_table import CallHours, ImpliedConsent, LawTable, Register, Span
from workflows.lead import Lead
from workflows.regions import is_known
from workflows.sentences import spoken, words

#: Dates are not looked at beyond this one, which can only be a slip of the pen.
_FAR = date(2199, 12, 31)


def law_of(lead: Lead) -> LawFacts:
    """Return what is known of the person behind *lead*."""
    return lead.law or NOTHING


def region_of(lead: Lead) -> str | None:
    """Return where the person is; None when nobody knows."""
    return law_of(lead).region or None


def rows_for(table: LawTable, region: str | None) -> tuple[CallHours, ...]:
    """Return the rows of *table* that bind in *region*, all of which have to allow a call: where it is unknown, every row.

    A country without its state may be any of its states. A code that is none counts as unknown.
    """
    if region is None or not is_known(region):
        return table.hours
    country = region.partition("-")[0]
    if region == country:
        found = tuple(row for row in table.hours if row.region.partition("-")[0] == country)
    else:
        found = tuple(row for row in table.hours if row.region in (region, country))
    return found or tuple(row for row in table.hours if row.region == "*")


@lru_cache(maxsize=512)
def hours_in(table: LawTable, region: str | None) -> CallHours:
    """Return the rows that bind in *region* as one: the hours that all of them allow, with the sources of all."""
    rows = rows_for(table, region)
    return CallHours(
        region=region or "",
        weekday=_shared([row.weekday for row in rows]),
        saturday=_shared([row.saturday for row in rows]),
        sunday=_shared([row.sunday for row in rows]),
        holidays=all(row.holidays for row in rows),
        source="; ".join(row.source for row in rows),
    )


def _shared(spans: list[Span]) -> Span:
    allowed = [span for span in spans if span]
    if len(allowed) < len(spans):
        return None
    opens, closes = max(span[0] for span in allowed), min(span[1] for span in allowed)
    return (opens, closes) if opens < closes else None


@lru_cache(maxsize=4096)
def window(region: str | None, day: date, table: LawTable) -> Span:
    """Return from when until when, in minutes of the prospect's *day*, somebody in *region* may be called; None: not at all."""
    return span_of(hours_in(table, region), day)


def span_of(row: CallHours, day: date) -> Span:
    """Return the hours of *row* on *day*; None: no calls."""
    if not row.holidays and is_holiday(day):
        return None
    return {6: row.saturday, 7: row.sunday}.get(day.isoweekday(), row.weekday)


@lru_cache(maxsize=1024)
def is_holiday(day: date) -> bool:
    """Tell whether *day* is a public holiday of the United States, or the weekday on which one is kept."""
    return day in {kept for year in (day.year, day.year + 1) for holiday in _holidays(year) for kept in _kept(holiday)}


def _holidays(year: int) -> tuple[date, ...]:
    fixed = ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25))
    # The month, the weekday, and which of them; the last one of May.
    moving = ((1, 1, 3), (2, 1, 3), (9, 1, 1), (10, 1, 2), (11, 4, 4))
    last_of_may = date(year, 5, 31)
    return (
        *(date(year, month, day) for month, day in fixed),
        *(_nth(year, month, weekday, number) for month, weekday, number in moving),
        last_of_may - timedelta(days=last_of_may.isoweekday() - 1),
    )


def _nth(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.isoweekday()) % 7 + 7 * (number - 1))


def _kept(holiday: date) -> tuple[date, ...]:
    moved = {6: -1, 7: 1}.get(holiday.isoweekday(), 0)
    return holiday, holiday + timedelta(days=moved)


def refuses(lead: Lead, mode: Mode, day: date, table: LawTable | None) -> Refused | None:
    """Return why the law refuses *mode* with *lead* on *day*; None when it does not, or no *table* was in force."""
    if table is None:
        return None
    facts = law_of(lead)
    if mode == "call":
        return _register_refuses(facts, day, table)
    if mode == "email":
        return _consent_lacks(facts, day, table)
    if mode in table.express and mode not in (facts.consents or ()):
        reason = f"{words(mode).capitalize()} needs express consent, and none is recorded; ask for it in another way first."
        return Refused(rule="express_consent", reason=reason, inputs={"mode": mode})
    return None


def lawful_modes(lead: Lead, day: date, table: LawTable | None) -> tuple[Mode, ...]:
    """Return the lead's modes without those that the law refuses on *day*."""
    return tuple(mode for mode in lead.modes if refuses(lead, mode, day, table) is None)


def _register_refuses(facts: LawFacts, day: date, table: LawTable) -> Refused | None:
    if not facts.consumer and not facts.dnc_listed:
        return None
    checked = facts.dnc_checked_on or None
    inputs: dict[str, Scalar] = {"region": facts.region or None, "dnc_checked_on": str(checked) if checked else None}
    if facts.dnc_listed:
        reason = "The number is on the do-not-call register: write, or have a newer look-up say otherwise."
        return Refused(rule="do_not_call", reason=reason, inputs=inputs)
    register = register_for(table, facts.region or None)
    if register is None:
        return None
    until = relationship_until(facts, register)
    if until and day <= until:
        return None
    # A look-up later than the day in question comes with a date that was corrected: it is good as well.
    if checked and (day - checked).days <= register.check_days:
        return None
    last = f"the last look-up is of {spoken(checked)}" if checked else "the number was never looked up"
    reason = (
        f"A consumer's number must have been looked up in the do-not-call register within {register.check_days} days before "
        f"the call, and {last}: look it up, then `thaw law dnc-checked`."
    )
    return Refused(rule="do_not_call_check", reason=reason, inputs={**inputs, "day": str(day), "days": register.check_days})


def _consent_lacks(facts: LawFacts, day: date, table: LawTable) -> Refused | None:
    region = facts.region or None
    rules = consents_for(table, region)
    if not rules or "email" in (facts.consents or ()):
        return None
    until = _good_until(facts, rules)
    if until and day <= until:
        return None
    why = f"expired on {spoken(until)}" if until else "was never given: no purchase and no inquiry is recorded"
    inputs: dict[str, Scalar] = {"region": region, "consent_expires_on": str(until) if until else None}
    if table.mail_where_unknown is UNSET or (region and is_known(region)):
        reason = f"The consent to mail that a purchase or an inquiry implies there {why}; call or write by post instead."
        return Refused(rule="consent_expired", reason=reason, inputs=inputs)
    there = f" ({region} is no region)" if region else ""
    reason = (
        f"Nobody knows where they live{there}, so mail needs the consent of the strictest country, and the one that a purchase "
        f"or an inquiry implies {why}. Say where they live, with `thaw law set LEAD --region US-FL` or an import that has a "
        "region, or record their consent with `--consent email --evidence TEXT`; or call or write by post."
    )
    return Refused(rule="region_unknown", reason=reason, inputs=inputs)


def consents_for(table: LawTable, region: str | None) -> tuple[ImpliedConsent, ...]:
    """Return the rows on consent to mail that bind in *region*, all of which have to allow it; empty where mail needs none.

    Where the region is unknown every row does, unless the *table* says otherwise.
    """
    if table.mail_where_unknown is not UNSET and (region is None or not is_known(region)):
        return table.implied
    return tuple(rule for rule in table.implied if (region or "").partition("-")[0] == rule.country)


def _good_until(facts: LawFacts, rules: tuple[ImpliedConsent, ...]) -> date | None:
    """Return the last day on which each of *rules* allows mail; None where one of them never did."""
    ends = [relationship_until(facts, rule) for rule in rules]
    known = [end for end in ends if end]
    return min(known, default=None) if len(known) == len(ends) else None


def register_for(table: LawTable, region: str | None) -> Register | None:
    """Return the register that binds in *region*; where that is unknown or no such code, the strictest."""
    if region is None or not is_known(region):
        return min(table.registers, key=lambda register: (register.check_days, canonical(register)), default=None)
    return next((register for register in table.registers if register.country == region.partition("-")[0]), None)


def relationship_until(facts: LawFacts, rule: Register | ImpliedConsent) -> date | None:
    """Return the last day of the business relationship under *rule*; None when there never was one."""
    ends = []
    if facts.purchased_on is not UNSET:
        ends.append(_months_later(facts.purchased_on, rule.purchase_months))
    if facts.inquired_on is not UNSET:
        ends.append(_months_later(facts.inquired_on, rule.inquiry_months))
    return max(ends, default=None)


def consent_expires_on(facts: LawFacts, table: LawTable) -> date | None:
    """Return the last day on which mail may go out by implied consent; None where that is not asked for or never was given."""
    if "email" in (facts.consents or ()):
        return None
    return _good_until(facts, consents_for(table, facts.region or None))


def _months_later(day: date, months: int) -> date:
    day = min(day, _FAR)
    month = day.year * 12 + day.month - 1 + months
    year, number = divmod(month, 12)
    following = date(year + (number == 11), (number + 1) % 12 + 1, 1)
    return date(year, number + 1, min(day.day, (following - timedelta(days=1)).day))
