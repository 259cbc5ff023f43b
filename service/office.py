"""An office that exists nowhere: reps who do the day's work, and prospects who answer by the throw of a die.

The service in it is the real one, without servers and on a clock of its own: `workflows.simulation` plans, decides and records.
People are invented, and so is what they answer: of a hundred attempts, calls or mails, as many are answered as the answer rate
says.
"""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import UNSET

from service.demo.script import OUTCOMES, ScriptedRep
from service.playbooks import shipped_playbooks
from workflows.accountability import Accountability, Diaries, Figure, Place
from workflows.calendars import Calendar
from workflows.codec import derived_id, digest
from workflows.commands import Command, QueueRevival, RecordReply, Reference, RegisterLead, SendTouch, SetCalendar
from workflows.events import Recorded
from workflows.law_facts import ImportedLawFacts
from workflows.lead import Lead, State
from workflows.playbooks import Playbook
from workflows.rep import rep_id
from workflows.simulation import Simulation

#: The states in which the rep owes something, or may do something, today.
_OPEN: tuple[State, ...] = ("call_due", "note_due", "no_response", "re_engaged", "meeting_booked", "nurture")

#: Local minutes at which a rep works; twice, because what is done first can owe a second step, such as closing a breakup.
_WORK = (780, 900)

_UNANSWERED = frozenset({"voicemail", "no_answer", "gatekeeper"})

_TOUCHES: tuple[Figure, ...] = ("notes", "calls", "follow_ups")

_PERSON: dict[str, Any] = {
    "name": "Ada Amberfield", "facts": ["your tomatoes had won at the county fair"], "last_meeting_place": "the open house",
}  # fmt: skip


class Week(NamedTuple):
    """What all reps did in a week."""

    first: date
    """Its Monday."""
    figures: Mapping[Figure, int]
    people: int
    """Leads that somebody turned to for the first time."""


class Office:
    """Reps with a book of leads each, under one playbook."""

    def __init__(
        self,
        playbook: Playbook,
        calendars: Mapping[str, Calendar],
        *,
        start: date,
        leads: int,
        answer_rate: float,
        seed: int,
        country: str | None = None,
    ) -> None:
        """Begin at midnight of *start* (UTC) with *leads* cold leads for each rep of *calendars*; *answer_rate* is 0 to 1.

        The prospects live in *country*, by ISO 3166-1; None: nobody knows where.
        """
        self.log: list[Recorded] = []
        """All events, in the order of the log."""
        self.playbook = playbook
        self.calendars = calendars
        self.answer_rate = answer_rate
        self._seed = seed
        self._country = country
        self._handed_in = 0
        self.simulation = Simulation(datetime.combine(start, time(), UTC), [playbook], self.log.append)
        for other, _ in shipped_playbooks().values():
            self.simulation.know(other)
        outcomes = answering(answer_rate)
        self._scripts = {rep: ScriptedRep(seed, playbook, calendar, reference, outcomes) for rep, calendar in calendars.items()}
        for rep, calendar in calendars.items():
            command = SetCalendar(rep=rep, calendar=calendar, playbook=playbook.id)
            self.hand_in([(rep_id(rep), command)], "manager:ann")
        numbered = ((rep, number) for rep in calendars for number in range(leads))
        new = [(derived_id("lead", *which), self._registration(*which, start)) for which in numbered]
        self.hand_in(new, "import")

    def live(self, day: date) -> None:
        """Live through *day*: plans are made, reps work, prospects answer."""
        rounds = [(calendar.moment(day, minute), rep) for rep, calendar in self.calendars.items() for minute in _WORK]
        for moment, rep in sorted(rounds):
            self.run_until(moment)
            if self.calendars[rep].is_working(day):
                self._work(rep, day)
        self.run_until(max(calendar.moment(day, calendar.day_ends) for calendar in self.calendars.values()))

    def weeks(self) -> list[Week]:
        """Return what was done, week by week, oldest first."""
        histories: dict[UUID, list[Recorded]] = defaultdict(list)
        for recorded in self.log:
            histories[recorded.stream_id].append(recorded)
        figures: dict[date, dict[Figure, int]] = defaultdict(lambda: defaultdict(int))
        people: dict[date, int] = defaultdict(int)
        diaries = Diaries({rep: [calendar] for rep, calendar in self.calendars.items()})
        for history in histories.values():
            counted = Accountability(diaries, {self.playbook.pin.digest: self.playbook})
            counted.take(history)
            for place, counts in counted.figures.items():
                for figure, number in counts.items():
                    figures[_monday(place.day)][figure] += number
            if touched := [place for place, counts in counted.figures.items() if any(counts[name] for name in _TOUCHES)]:
                people[_monday(min(touched, key=_day_of).day)] += 1
        return [Week(first, dict(figures[first]), people[first]) for first in sorted(figures)]

    def _registration(self, rep: str, number: int, start: date) -> RegisterLead:
        dice = self._dice(rep, number, "lead")
        return RegisterLead(
            owner=rep,
            source="office",
            playbook=self.playbook.id,
            contact=reference(derived_id("lead", rep, number), "contact", ""),
            modes=("handwritten_note", "call", "email", "post"),
            timezone=self.calendars[rep].timezone,
            law=ImportedLawFacts(region=self._country) if self._country else UNSET,
            last_contact_on=start - timedelta(days=dice.randint(100, 900)),
            stage_depth=dice.randint(0, 5),
            value_band=dice.randint(0, 4),
            minutes_invested=dice.randint(0, 900),
            qualified=True,
            then=(QueueRevival(),),
        )

    def _work(self, rep: str, day: date) -> None:
        standing = (lead for name in _OPEN for lead in self.simulation.books.standing(rep, name))
        work = self._scripts[rep].work(sorted(standing, key=lambda lead: lead.id), defaultdict(lambda: _PERSON), day)
        done = list(work)
        self.hand_in([(lead.id, command) for lead, command in done], f"rep:{rep}")
        sent = [(lead, command) for lead, command in done if isinstance(command, SendTouch)]
        answers = [(lead.id, RecordReply(channel=command.mode)) for lead, command in sent if self._answers(lead)]
        self.hand_in(answers, f"rep:{rep}")

    def _answers(self, lead: Lead) -> bool:
        return self._dice(lead.id, "touch", lead.attempts).random() < self.answer_rate

    def _throw(self, lead: Lead, about: str, day: date) -> float:
        """Return a throw of the die, 0 to 1, for *lead* on *day*."""
        return self._dice(lead.id, about, day).random()

    def _standing(self, rep: str, state: State) -> list[Lead]:
        """Return the leads of *rep* in *state*, by id."""
        return sorted(self.simulation.books.standing(rep, state), key=lambda lead: lead.id)

    def _everybody(self, rep: str) -> list[Lead]:
        return sorted((lead for lead in self.simulation.books.leads.values() if lead.owner == rep), key=lambda lead: lead.id)

    def _due(self, rep: str, lead: Lead, timer: str, day: date) -> bool:
        """Tell whether a date that people see is due by the end of *day*."""
        armed = lead.timers.get(timer)
        return armed is not None and self.calendars[rep].local_day(armed.due_at) <= day

    def hand_in(self, work: Sequence[tuple[UUID, Command]], who: str) -> None:
        """Hand in commands together, each for a stream, and let the service finish."""
        for stream_id, command in work:
            self._handed_in += 1
            self.simulation.submit(derived_id("office", self._handed_in), stream_id, command, asked_by=who)
        self.simulation.move(self.simulation.now)

    def run_until(self, moment: datetime) -> None:
        """Let the service do each thing when it is due, up to *moment*."""
        self.simulation.run_until(moment)

    def _dice(self, *about: object) -> random.Random:
        return random.Random(":".join(map(str, (self._seed, *about))))  # noqa: S311  # a simulation, no secret


def answering(rate: float) -> list[tuple[str, int]]:
    """Return the outcomes of a call, so shared out that *rate* (0 to 1) of all calls is answered."""
    answered = sum(share for name, share in OUTCOMES if name not in _UNANSWERED)
    rest = sum(share for name, share in OUTCOMES if name in _UNANSWERED)
    parts = round(rate * 1000)
    return [
        (name, share * (1000 - parts) * answered if name in _UNANSWERED else share * parts * rest) for name, share in OUTCOMES
    ]


def reference(lead_id: UUID, kind: str, _text: str) -> Reference:
    """Stand in for words that are kept nowhere."""
    id_ = derived_id("document", lead_id, kind)
    return Reference(document_id=id_, commitment=digest(id_.bytes))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _day_of(place: Place) -> date:
    return place.day
