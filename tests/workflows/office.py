"""An office in the simulation: two reps, many leads, and people who do this and that with them, by the throw of a die."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from uuid import UUID

from msgspec.structs import replace

from tests.workflows.life import WORDS
from tests.workflows.player import sensible
from workflows.calendars import Absence, Calendar, zone_offsets
from workflows.capacity import Capacity
from workflows.codec import canonical, derived_id
from workflows.commands import Command, Hold, MarkNoteSent, QueueRevival, Reassign, RecordCall, RegisterLead, SetCalendar
from workflows.events import Recorded, decode_recorded
from workflows.law_facts import ImportedLawFacts
from workflows.lead import Lead
from workflows.playbooks import Playbook
from workflows.rep import rep_id
from workflows.simulation import Simulation

#: A Monday, half past six in the evening in New York: nothing is planned before the next day.
MONDAY = datetime(2026, 1, 5, 23, 30, tzinfo=UTC)
REPS = ("dan", "eve")
CHECKS = ("personal_fact", "reminds_who_we_are", "future_call", "not_form_letter")
PLAYBOOK = Playbook(
    schema=1, id="five-five-five", version="1.0.0", title="5+5+5", source="a test", capacity=Capacity(notes=2, calls=2),
    value_items=tuple(f"item-{number}" for number in range(9)),
)  # fmt: skip
FIRST, LAST = date(2025, 1, 1), date(2028, 12, 31)
LEAVE = Absence(first=date(2026, 1, 19), last=date(2026, 1, 23))
CALENDARS = {
    "dan": Calendar(timezone="America/New_York", first=FIRST, last=LAST, offsets=zone_offsets("America/New_York", FIRST, LAST)),
    "eve": Calendar(timezone="Europe/Paris", first=FIRST, last=LAST, offsets=zone_offsets("Europe/Paris", FIRST, LAST),
                    absences=(LEAVE,)),
}  # fmt: skip


def registration(number: int) -> RegisterLead:
    """Return the registration of a cold lead that is queued at once; the scores differ."""
    return RegisterLead(
        owner=REPS[number % 2],
        source="crm",
        playbook=PLAYBOOK.id,
        contact=WORDS,
        modes=("handwritten_note", "call", "email"),
        timezone="America/Chicago" if number % 2 == 0 else "Europe/Berlin",
        law=ImportedLawFacts(region="US"),
        qualified=True,
        value_band=number % 5,
        stage_depth=number % 4,
        minutes_invested=number * 13,
        then=(QueueRevival(),),
    )


def days_work(leads: Iterable[Lead], now: datetime, dice: Random, *, wild: float = 0.1) -> list[tuple[UUID, Command]]:
    """Return what people do at this moment: most notes and calls that are due, and with a chance of *wild* anything at all."""
    work: list[tuple[UUID, Command]] = []
    for lead in sorted(leads, key=lambda lead: lead.id):
        throw = dice.random()
        if lead.state == "note_due" and throw < 0.35:
            late = timedelta(days=1) if throw < 0.1 else timedelta()
            attested = CHECKS if throw > 0.03 else CHECKS[:1]
            work.append((lead.id, MarkNoteSent(medium="hand_written", attested=attested, occurred_at=now - late)))
        elif lead.state == "call_due" and throw < 0.5:
            work.append((lead.id, RecordCall(outcome="voicemail", minutes=7)))
        elif throw > 1 - wild:
            options = [command for command, _ in sensible(lead, now.date(), now)]
            options += [Hold(reason="manual", until=(now + timedelta(days=3)).date()), Reassign(owner=dice.choice(REPS))]
            work += [(lead.id, command) for command in dice.sample(options, 2)]
    return work


class Office:
    """A simulation with two reps and *leads* leads; `log` holds what it recorded, in order."""

    def __init__(self, leads: int, playbook: Playbook = PLAYBOOK, calendars: Mapping[str, Calendar] = CALENDARS) -> None:
        self.calendars = calendars
        self.log: list[Recorded] = []
        self.playbook = playbook
        self.playbooks = [playbook]
        self.simulation = Simulation(MONDAY, [playbook], self.log.append)
        self._handed_in = 0
        for rep, calendar in calendars.items():
            self.hand_in((rep_id(rep), SetCalendar(rep=rep, calendar=calendar, playbook=playbook.id)), who="manager:ann")
        for number in range(leads):
            self.hand_in((derived_id("lead", number), registration(number)), who="import")

    def hand_in(self, *work: tuple[UUID, Command], who: str = "rep:dan") -> None:
        """Hand in commands, one after the other."""
        for stream_id, command in work:
            self._handed_in += 1
            self.simulation.submit(derived_id("office", self._handed_in), stream_id, command, asked_by=who)
            self.simulation.move(self.simulation.now)

    def follow(self, rep: str, playbook: Playbook) -> None:
        """Let the days of *rep* follow another *playbook*."""
        self.playbooks.append(playbook)
        self.simulation.publish(playbook)
        command = SetCalendar(rep=rep, calendar=self.calendars[rep], playbook=playbook.id)
        self.hand_in((rep_id(rep), command), who="manager:ann")

    def live(self, days: int, dice: Random, *, wild: float = 0.1) -> None:
        """Live through *days* days, with two rounds of work on each."""
        today = self.simulation.now
        for number in range(1, days + 1):
            morning = datetime.combine((today + timedelta(days=number)).date(), time(15, 30), tzinfo=UTC)
            for moment, who in ((morning, "rep:dan"), (morning + timedelta(hours=4), "manager:ann")):
                self.simulation.run_until(moment)
                self.hand_in(*days_work(self.simulation.books.leads.values(), moment, dice, wild=wild), who=who)

    def taken_up(self) -> "Office":
        """Return another office that goes on from this one's log."""
        other = Office(0, self.playbook)
        other.log.clear()
        other.simulation = Simulation(MONDAY, [self.playbook], other.log.append)
        for recorded in self.read_back():
            other.simulation.take(recorded)
            other.log.append(recorded)
        other.simulation.resume({})
        other.simulation.run_until(self.simulation.now)
        other._handed_in = self._handed_in
        return other

    def read_back(self) -> list[Recorded]:
        """Return the log as it is read from its bytes."""
        return [decode_recorded(canonical(recorded)) for recorded in self.log]


def with_capacity(notes: int, version: str = "1.1.0") -> Playbook:
    """Return the playbook with another number of notes and calls a day."""
    capacity = replace(PLAYBOOK.capacity, notes=notes, calls=notes)
    return replace(PLAYBOOK, version=version, capacity=capacity)
