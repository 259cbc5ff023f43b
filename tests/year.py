"""The course of a year: three reps, two thousand cold leads, and what befalls them beside the day's work.

`Course` is lived at full length in memory, and at a tenth of its length and number through the broker and the database.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from uuid import UUID

from msgspec.structs import replace

from service.calendars import freeze_calendar
from service.office import Office
from service.playbooks import shipped_playbooks
from workflows.calendars import Absence, Calendar
from workflows.codec import derived_id
from workflows.commands import Command, MigratePlaybook, OptOut, SetCalendar
from workflows.playbooks import Playbook
from workflows.rep import rep_id

START = date(2026, 1, 5)

#: So far apart that no rep's day is planned while another one's calls come due: a plan names the log that it rests on, and of
#: what happens at one moment the service may do either first.
ZONES = {"dan": "Asia/Kolkata", "eve": "Asia/Karachi", "flo": "America/New_York"}

#: Cold leads of each rep.
LEADS = 667

#: Two weeks that are known before, from 9 March on, and three working days that nobody knew of.
LEAVE, SICK = range(63, 75), range(150, 155)

#: On these days some opt out, and a new version of the playbook is published.
OPT_OUTS, NEW_VERSION = 60, 120

SHIPPED = shipped_playbooks()["five-five-five"][0]


def playbook(attempts: int, budget: int = 600) -> Playbook:
    """Return the shipped playbook with room for every follow-up, so many attempts before a breakup, and minutes a day."""
    minutes = replace(SHIPPED.capacity.minutes, budget=budget)
    capacity = replace(SHIPPED.capacity, follow_up_touches=20, minutes=minutes)
    tries = replace(SHIPPED.attempts, max=attempts, max_when_important=attempts)
    return replace(SHIPPED, version="2.0.0", attempts=tries, capacity=capacity)


class Course:
    """What happens on which day, *scale* times shorter and with as many times fewer leads."""

    def __init__(self, scale: int = 1) -> None:
        self.days = 365 // scale
        self.leads = -(-LEADS // scale)
        """Of each rep."""
        self._scale = scale
        leave = self._absence(LEAVE, "leave")
        self.calendars = {rep: self._calendar(rep, *((leave,) if rep == "eve" else ())) for rep in ZONES}
        """Those in force; an office that is given this mapping goes by them."""
        self.sick = {START + timedelta(days=number // scale) for number in SICK}
        self.moved: set[UUID] = set()
        """Leads that follow the new version."""

    def live(self, office: Office, publish: Callable[[Playbook], None], each_day: Callable[[date], None]) -> None:
        """Live through all of it. A playbook is published by *publish*, and *each_day* is told of each day once it is over."""
        for number in range(self.days):
            if number == OPT_OUTS // self._scale:
                office.hand_in(list(self._opt_outs()), "crm")
            if number == NEW_VERSION // self._scale:
                self._new_version(office, publish)
            if number == SICK[0] // self._scale:
                self._fall_ill(office)
            day = START + timedelta(days=number)
            office.live(day)
            each_day(day)

    def _opt_outs(self) -> Iterator[tuple[UUID, Command]]:
        """Every fortieth lead wants to hear nothing more, whatever is planned with it."""
        for rep in ZONES:
            yield from ((derived_id("lead", rep, number), OptOut()) for number in range(3, self.leads, 40))

    def _new_version(self, office: Office, publish: Callable[[Playbook], None]) -> None:
        """Some of those who never answered follow a newer version from here on."""
        old = office.playbook
        newer = replace(old, version="2.1.0", capacity=replace(old.capacity, calls=5))
        publish(newer)
        leads = office.simulation.books.leads.values()
        self.moved = {lead.id for lead in sorted(leads, key=lambda lead: lead.id) if lead.state == "no_response"}
        follow = MigratePlaybook(playbook=newer.id, version=newer.version, digest=newer.pin.digest)
        office.hand_in([(id_, follow) for id_ in sorted(self.moved)], "manager:ann")

    def _fall_ill(self, office: Office) -> None:
        """Flo does not come in, on a day that is planned already."""
        self.calendars["flo"] = self._calendar("flo", self._absence(SICK, "sick"))
        command = SetCalendar(rep="flo", calendar=self.calendars["flo"], playbook=office.playbook.id)
        office.hand_in([(rep_id("flo"), command)], "manager:ann")

    def _absence(self, days: range, reason: str) -> Absence:
        first, last = days[0] // self._scale, days[-1] // self._scale
        return Absence(first=START + timedelta(days=first), last=START + timedelta(days=last), reason=reason)

    def _calendar(self, rep: str, *absences: Absence) -> Calendar:
        horizon = START - timedelta(days=366), START + timedelta(days=1100)
        return freeze_calendar("US", "", ZONES[rep], *horizon, absences=absences)
