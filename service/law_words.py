"""What contact law said of a decision, and of a day on which nobody was called, in words."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from msgspec import UNSET

from service.times import shown_day
from workflows import horizon
from workflows.law import refuses, region_of, rows_for
from workflows.law_facts import LawUsed
from workflows.law_table import TABLES
from workflows.lead import Lead
from workflows.telephone import Telephone

#: So many days ahead the next hour for a call is looked for.
_AHEAD = 30


def where(region: str | None) -> str:
    """Return a region as sentences name it."""
    return region or "an unknown region"


def decided_by(used: LawUsed) -> Iterator[str]:
    """Yield which table, which of its rows and which clock a decision was held against."""
    table = TABLES.get(used.table)
    if table is None:
        yield f"a table that is not known here, SHA-256 {used.table}"
        return
    rows = rows_for(table, used.region)
    named = ", ".join(row.region for row in rows) if used.region else "all, because the region is unknown"
    yield f"table {table.version}, hours by the rows {named}; SHA-256 {used.table}"
    if used.offset is not UNSET:
        for row in rows if used.region else ():
            yield f"hours: row {row.region}, {row.source}"
        hours, minutes = divmod(abs(used.offset) // 60, 60)
        zones = f", zone database {used.zones}" if used.zones else ""
        yield f"their clock in {where(used.region)}: UTC{'-' if used.offset < 0 else '+'}{hours:02}:{minutes:02}{zones}"
    country = (used.region or "").partition("-")[0]
    for register in table.registers:
        if country in ("", register.country):
            yield f"do-not-call register: row {register.country}, {register.source}"
    for implied in table.implied:
        if country == implied.country:
            yield f"consent to mail: row {implied.country}, {implied.source}"


def no_call(lead: Lead, telephone: Telephone, on: date) -> str | None:
    """Return why the law, or the hours of the playbook within it, let nobody call *lead* on the day *on*; None when they do."""
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
    return f"{closed} as {lead.owner}'s day began, and {after}"


def next_opening(lead: Lead, telephone: Telephone, first: date) -> datetime | None:
    """Return the first time from the day *first* on, by their clock, at which *lead* may be called; None: not for a month."""
    days = (first + timedelta(days=number) for number in range(_AHEAD))
    working = (day for day in days if horizon.is_working(telephone.calendar, day))
    return next((there for day in working if (there := telephone.opening(lead, day))), None)
