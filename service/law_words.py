"""What contact law said of a decision, and of a day on which nobody was called, in words."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from msgspec import UNSET

from service.times import shown_day
from service.wording import words
from workflows import horizon
from workflows.law import consents_for, hours_in, is_holiday, refuses, region_of, register_for, rows_for, span_of
from workflows.law_facts import LawFacts, LawUsed
from workflows.law_table import TABLES, CallHours, ImpliedConsent, LawTable, Register, Span
from workflows.lead import Lead
from workflows.regions import PARTS, is_known, meant_by
from workflows.telephone import Telephone

#: So many days ahead the next hour for a call is looked for.
AHEAD = 30


def where(region: str | None) -> str:
    """Return a region as sentences name it."""
    return region or "an unknown region"


def place(region: str | None) -> str:
    """Return a region with what it might be taken for: the code of a country is often that of a state as well."""
    if region is None:
        return "region unknown"
    if not is_known(region):
        return f"region {region}, which is none and counts as unknown"
    if state := meant_by(region) if "-" not in region else "":
        return f"region {region}, the country and not {state}"
    return f"region {region}, of which no state is known" if region in PARTS else f"region {region}"


def known(facts: LawFacts, by: str = "") -> str:
    """Return what contact law knows of somebody, in words; *by* says who named the region."""
    said = [f"{place(facts.region or None)}{f' ({by})' if by else ''}"]
    if facts.consumer is not UNSET:
        said.append("a consumer" if facts.consumer else "a company")
    if facts.purchased_on:
        said.append(f"last purchase on {shown_day(facts.purchased_on)}")
    if facts.inquired_on:
        said.append(f"last inquiry on {shown_day(facts.inquired_on)}")
    if facts.dnc_checked_on:
        listed = "listed there" if facts.dnc_listed else "not listed"
        said.append(f"looked up in the do-not-call register on {shown_day(facts.dnc_checked_on)}, {listed}")
    if facts.consents is not UNSET:
        said.append(f"express consent to {', '.join(map(words, facts.consents)) or 'nothing'}")
    return "; ".join(said)


def clock(span: Span) -> str:
    """Return hours of a day for calls."""
    return f"{span[0] // 60:02}:{span[0] % 60:02} to {span[1] // 60:02}:{span[1] % 60:02}" if span else "no calls"


def week(row: CallHours) -> str:
    """Return the hours of a row for a working day, a Saturday and a Sunday, and whether holidays are like other days."""
    holidays = "" if row.holidays else ", not on public holidays"
    return f"{clock(row.weekday)}; Saturday {clock(row.saturday)}; Sunday {clock(row.sunday)}{holidays}"


def register(row: Register) -> str:
    """Return what a register asks."""
    return f"consumers: do-not-call look-up within {row.check_days} days, but for {_lasts(row)}"


def consent(row: ImpliedConsent) -> str:
    """Return what mail needs under a row."""
    return f"mail: {_lasts(row)}, or express consent"


def _lasts(row: Register | ImpliedConsent) -> str:
    return f"{row.purchase_months} months after a purchase, {row.inquiry_months} after an inquiry"


def read_at(source: str) -> str:
    """Return the source of a row, with where it was read apart from the rule itself."""
    return source.replace(" [", " (read at ").replace("]", ")")


def comes_to(lead: Lead, table: LawTable) -> str:
    """Return where *lead* lives as far as anybody knows, and the hours for calls that follow."""
    region = region_of(lead)
    return f"Calls by their own clock, {place(region)}: {week(hours_in(table, region))}."


def closed(region: str | None, day: date, table: LawTable) -> str | None:
    """Return why nobody in *region* may be called on their *day*; None where some hour is allowed."""
    hours = hours_in(table, region)
    if span_of(hours, day):
        return None
    rows = [row.region for row in rows_for(table, region) if not span_of(row, day)]
    which = "a public holiday" if not hours.holidays and is_holiday(day) else f"a {day:%A}"
    return f"No calls on {shown_day(day)}, {which}, by the rows {', '.join(rows)}."


def decided_by(used: LawUsed) -> Iterator[str]:
    """Yield which table, which of its rows and which clock a decision was held against."""
    table = TABLES.get(used.table)
    if table is None:
        yield f"a table that is not known here, SHA-256 {used.table}"
        return
    rows = rows_for(table, used.region)
    known_there = used.region and is_known(used.region)
    named = ", ".join(row.region for row in rows) if known_there else "all, because the region is unknown"
    yield f"table {table.version}, hours by the rows {named}; SHA-256 {used.table}"
    if used.offset is not UNSET:
        for row in rows if known_there else ():
            yield f"hours: row {row.region}, {read_at(row.source)}"
        hours, minutes = divmod(abs(used.offset) // 60, 60)
        zones = f", zone database {used.zones}" if used.zones else ""
        yield f"their clock in {where(used.region)}: UTC{'-' if used.offset < 0 else '+'}{hours:02}:{minutes:02}{zones}"
    if found := register_for(table, used.region):
        yield f"do-not-call register: row {found.country}, {read_at(found.source)}"
    for implied in consents_for(table, used.region):
        yield f"consent to mail: row {implied.country}, {read_at(implied.source)}"


def no_call(lead: Lead, telephone: Telephone, on: date, by: str) -> str | None:
    """Return why the law, or the hours of the playbook within it, do not let *by*, of whose days *telephone* knows, call *lead*
    on the day *on*; None when they do.
    """
    region, calendar = region_of(lead), telephone.calendar
    unlawful = refuses(lead, "call", on, telephone.table)
    if unlawful:
        return f"{unlawful.rule}, in {where(region)}: {unlawful.reason}"
    if telephone.opening(lead, on):
        return None
    opens = next_opening(lead, telephone, on + timedelta(days=1))
    begins = horizon.moment(calendar, on, calendar.day_starts).replace(tzinfo=None)
    there = begins + timedelta(seconds=telephone.clock(lead, on).offset)
    closed = f"contact_hours, in {where(region)}: {shown_day(on)} has no hour for a call; it was {there:%H:%M} there"
    after = f"the next opens on {shown_day(opens.date())} at {opens:%H:%M} there" if opens else "none opens within a month"
    return f"{closed} as {by}'s day began, and {after}"


def next_opening(lead: Lead, telephone: Telephone, first: date) -> datetime | None:
    """Return the first time from the day *first* on, by their clock, at which *lead* may be called; None: not for a month."""
    days = (first + timedelta(days=number) for number in range(AHEAD))
    working = (day for day in days if horizon.is_working(telephone.calendar, day))
    return next((there for day in working if (there := telephone.opening(lead, day))), None)
