"""Whom a plan may propose to call on which day: the prospect's hours, the law, and the clocks that it took them by."""

from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType

from msgspec import UNSET, UnsetType

from workflows import law, time_zones
from workflows.calendars import Calendar
from workflows.contact_hours import clock_of, opening
from workflows.cover import Colleague
from workflows.law_facts import Clock, LawUsed
from workflows.law_table import DIGEST, TABLES, LawTable
from workflows.layers import narrowed
from workflows.lead import Lead
from workflows.playbook_sections import ContactHours
from workflows.playbooks import Playbook


class Telephone:
    """Answers for one plan, and remembers what it looked up."""

    def __init__(
        self,
        calendar: Calendar,
        playbook: Playbook,
        given: LawUsed | UnsetType | None,
        elsewhere: Mapping[date, Colleague] = MappingProxyType({}),
        of_leads: Mapping[str, ContactHours] = MappingProxyType({}),
    ) -> None:
        """Take what a plan made again rested on; unset for one of before there was a law table, None for one made now.

        *playbook* is that of the rep's days. *elsewhere* says on which days a colleague calls, by whose calendar and in whose
        hours that is; *of_leads* when the leads of a playbook may be called at all, by its digest.
        """
        self.calendar = calendar
        self._elsewhere = elsewhere
        self._of_leads = of_leads
        self.playbook = playbook
        self.table: LawTable | None = None if given is UNSET else TABLES[given.table if given else DIGEST]
        self._digest = None if given is UNSET else given.table if given else DIGEST
        self._given = _clocks(given)
        self._zones: str | UnsetType = given.zones if given else time_zones.zone_database()
        self._clocks: dict[str, Clock] = {}
        self._open: dict[tuple[str, str | None, str | None, date], datetime | None] = {}

    def may_call(self, lead: Lead, day: date) -> bool:
        """Tell whether the law and the prospect's hours leave a working minute of *day* to call *lead*."""
        return self.opening(lead, day) is not None and law.refuses(lead, "call", day, self.table) is None

    def opening(self, lead: Lead, day: date) -> datetime | None:
        """Return the first time by the prospect's clock in the working hours of *day* that is one for calls, if any is."""
        region, followed = law.region_of(lead), lead.playbook.digest if lead.playbook else None
        key = lead.timezone, region, followed, day
        if key not in self._open:
            hours = self._hours(followed, day)
            self._open[key] = opening(hours, self.clock(lead, day), day, self._of(day), region, self.table) if hours else None
        return self._open[key]

    def _hours(self, followed: str | None, day: date) -> ContactHours | None:
        """Return when whoever calls on *day* may call a lead of the playbook *followed*; None for never."""
        caller = self._elsewhere.get(day, self.playbook)
        theirs = self._of_leads.get(followed) if followed else None
        return narrowed(theirs, caller.contact_hours) if theirs else caller.contact_hours

    def may_call_today(self, lead: Lead, today: date) -> bool:
        """Tell the same of a call that is made on the day of the plan, of which plans of old did not ask."""
        return self.table is None or self.may_call(lead, today)

    def clock(self, lead: Lead, day: date) -> Clock:
        """Return the prospect's clock during the working *day*."""
        name = f"{lead.timezone} {day}"
        if name not in self._clocks:
            self._clocks[name] = self._given.get(name) or clock_of(lead.timezone, day, self._of(day))
        return self._clocks[name]

    def _of(self, day: date) -> Calendar:
        return self._elsewhere[day].calendar if day in self._elsewhere else self.calendar

    def used(self) -> LawUsed | UnsetType:
        """Return what the answers rested on."""
        if self._digest is None:
            return UNSET
        known = dict(sorted(self._clocks.items()))
        shifts = {name: clock for name, clock in known.items() if clock.shift_at is not UNSET}
        offsets = {name: clock.offset for name, clock in known.items()}
        return LawUsed(table=self._digest, zones=self._zones, offsets=offsets, shifts=shifts or UNSET)


def _clocks(given: LawUsed | UnsetType | None) -> dict[str, Clock]:
    if not given:
        return {}
    return {name: Clock(offset=offset) for name, offset in (given.offsets or {}).items()} | (given.shifts or {})
