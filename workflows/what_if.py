"""The recorded history again under other playbooks: the same people, the same outcomes, other plans and timers.

* Registrations, changed data, changed owners and calendars come when they came.
* What happened to a lead before its first touch happens when it happened.
* A touch is made when the run asks for it: as many working days after the day it was asked for, at the same time of day, and
  after as many askings in vain, as recorded. It has to be of the kind that was recorded next.
* What followed from a touch follows as many days after it, at the same time of day; dates within it move as far.
* Where the attempts are spent sooner than they were, the recorded breakup comes forward over attempts that nobody answered.
* What a team or a rep did otherwise than a replaced playbook, they do otherwise than the one in its place.
* An outcome that never happened is not invented. A touch that history does not have is counted, and its lead stops: what would
  have come of it is unknown. (Of a note, the promised call is still counted, since its slot is taken.) The same where a
  recorded touch is refused under the other rules, where the attempts are spent and nobody ever decided on a breakup, and where
  the log ends: of a touch made s days earlier, the last s days are unknown.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import partial
from heapq import heappop, heappush
from itertools import count
from uuid import UUID

from workflows import horizon
from workflows.calendars import Calendar
from workflows.codec import derived_id
from workflows.commands import Command, MarkNoteSent, MigratePlaybook, SetCalendar
from workflows.events import DayPlanned, Recorded
from workflows.lead import Lead
from workflows.parts import Part, Unknown, day_of, moved, shifted
from workflows.playbooks import Playbook
from workflows.script_reader import Reader
from workflows.scripts import MOVED, Act, Given, Script, ask_kind, ask_of, standing_day, step_of, touch_named
from workflows.simulation import Simulation
from workflows.touches import Tally, TouchKind

#: The state in which a lead is when a kind of touch can be made.
_READY = {
    "note": "note_due", "call": "call_due", "follow_up": "call_due", "touch": "no_response", "breakup": "no_response",
    "nurture": "nurture",
}  # fmt: skip

#: The states of a lead between a note and the end of its promise.
_OF_A_NOTE = ("note_due", "note_sent", "call_due")

#: Behind all positions of the log.
_LAST = 2**63


class WhatIf:
    """One run. *playbooks* take the place of those with their ids from *since* on; without any, history runs as it was."""

    def __init__(self, reader: Reader, playbooks: Iterable[Playbook], since: datetime) -> None:
        self.tally = Tally()
        self.plans: list[tuple[UUID, DayPlanned]] = []
        """Each with the stream of its rep, in the order of the log; a day may be planned again."""
        self.unknown: dict[UUID, Unknown] = {}
        """By lead, of those whose run stopped."""
        self._reader = reader
        self._replaced = {playbook.id: playbook for playbook in playbooks}
        self._since = since
        self._ends = reader.ends or since
        self._parts: dict[UUID, Part] = {}
        self._agenda: list[tuple[datetime, int, int, Callable[[], object]]] = []
        self._numbers = count()
        self._simulation = Simulation(since, watch=self._watch)

    def run(self, before: Iterable[Recorded] = ()) -> None:
        """Run from *since* to the end of the log; *before* are the events that were recorded until *since*, in order.

        Raises
        ------
        SimulationError, FoldError
            When the log cannot be gone on with.
        """
        for playbook in self._reader.playbooks.values():
            self._simulation.know(playbook)
        asked = [given.command for given in self._reader.office]
        # What the layers of teams and reps make of a replaced playbook is made again of the one in its place.
        made = {c.playbook for c in asked if isinstance(c, SetCalendar) and c.layers and c.layers.base in self._replaced}
        for at, playbook in self._reader.published:
            if playbook.id not in self._replaced and playbook.id not in made:
                self._at(at, partial(self._simulation.publish, playbook))
        self._do_until(self._since)
        for recorded in before:
            self._simulation.take(recorded)
            if lead := self._simulation.books.leads.get(recorded.stream_id):
                self.tally.take(recorded, lead, self._simulation.calendar(lead.owner), counted=False)
        self._simulation.resume(self._replaced)
        for given in (*self._reader.office, *self._reader.unmoved):
            replaced = isinstance(given.command, MigratePlaybook) and given.command.playbook in self._replaced
            if given.at > self._since and not replaced:
                self._at(given.at, partial(self._submit, given, given.command), given.position)
        for lead_id, script in self._reader.scripts.items():
            self._begin(lead_id, script)
        self._do_until(self._ends)

    def lead(self, lead_id: UUID) -> Lead | None:
        """Return a lead as the run left it; None for one that stopped, or that the run did not come to."""
        return self._simulation.books.leads.get(lead_id)

    def _do_until(self, moment: datetime) -> None:
        """Let the service and the agenda do each thing in its turn; where both are due, the service goes first."""
        run = self._simulation
        while True:
            due, planned = run.next_due(), self._agenda[0][0] if self._agenda else None
            if due is not None and due <= min(planned or moment, moment):
                run.move(max(run.now, due))
            elif planned is not None and planned <= moment:
                run.move(planned)
                heappop(self._agenda)[-1]()
            else:
                return

    def _at(self, moment: datetime, do: Callable[[], object], position: int = 0) -> None:
        """Put something on the agenda; what was recorded at one moment keeps its order there, by *position* in the log."""
        heappush(self._agenda, (max(moment, self._simulation.now), position, next(self._numbers), do))

    def _submit(self, given: Given, command: Command) -> str | None:
        """Hand in a command now; return the rule that refused it, if one did."""
        if given.stream_id in self.unknown:
            return None
        id_ = derived_id("what if", next(self._numbers))
        message = self._simulation.submit(id_, given.stream_id, command, asked_by=given.actor, used=given.used)
        self._simulation.move(self._simulation.now)
        return message.rule if message.outcome == "refused" else None

    def _begin(self, lead_id: UUID, script: Script) -> None:
        """Take up a lead where it stood when the run began."""
        part = self._parts[lead_id] = Part(lead_id, script)
        part.begin(self._since)
        self._follow(part)
        lead, act = self.lead(lead_id), part.next_act
        if lead and act and part.answers(ask_kind(act.kind)):
            self._answer(lead, part, part.number + 1)

    def _watch(self, recorded: Recorded) -> None:
        if isinstance(recorded.data, DayPlanned):
            self.plans.append((recorded.stream_id, recorded.data))
        lead_ = self._simulation.books.leads.get(recorded.stream_id)
        if lead_ is None:
            return
        part = self._parts[lead_.id]
        calendar = self._simulation.calendar(lead_.owner)
        self.tally.take(recorded, lead_, calendar, known=not part.assumed, called=part.making)
        if part.assumed and lead_.state not in _OF_A_NOTE:
            self._stop_soon(lead_.id, "touch", "it left the promised call of a note that the log does not hold")
        elif asked := ask_of(recorded, lead_, self._simulation.pinned(lead_), self._today(lead_), self._reader.table):
            self._asked(lead_, asked[0], asked[1] or self._today(lead_))
        elif part.pending and isinstance(recorded.data, MOVED):
            self._intend(lead_, part, part.pending[0])

    def _asked(self, lead: Lead, kind: str, day: date) -> None:
        """Answer when the run asks for a touch: one that was recorded, was asked for in vain, or that nobody knows of."""
        part = self._parts[lead.id]
        if kind == "breakup":
            if not part.asks[kind]:
                part.note_ask(kind, day)
                self._spent(lead, part)
            return
        part.note_ask(kind, day)
        if part.is_beyond(kind):
            self._beyond(lead, part, kind, max(day, self._today(lead)))
        elif part.answers(kind):
            self._answer(lead, part, part.number + 1)

    def _spent(self, lead: Lead, part: Part) -> None:
        """Nothing more will be asked for but the breakup: find it, or stop where the log no longer says what people did."""
        ahead, act = part.breakup_ahead(), part.next_act
        if ahead == part.number + 1:
            if act and act.asked:
                self._answer(lead, part, ahead)
        elif part.stretch.asked("breakup"):
            # It was owed here already, and people did something else.
            return
        elif ahead is not None:
            self._answer(lead, part, ahead)
        else:
            moment = shifted(act.given.at, part.days, self._calendar(lead)) if act else self._simulation.now
            self._at(moment, partial(self._undecided, part, part.number))

    def _beyond(self, lead: Lead, part: Part, kind: str, day: date) -> None:
        """Count a touch that history does not have; a note is written and its call counted, and then the lead stops."""
        if kind == "note" and not part.assumed:
            self._at(
                horizon.moment(self._calendar(lead), day, self._calendar(lead).day_ends), partial(self._assume_note, lead.id)
            )
            return
        counted: TouchKind = "nurture" if kind == "nurture" else "call" if kind == "call" else "follow_up"
        self.tally.add(lead, counted, day, known=False)
        self._stop_soon(lead.id, "touch", f"the run asks for a {touch_named(kind)}, and the log holds none at this point")

    def _assume_note(self, lead_id: UUID) -> None:
        lead = self.lead(lead_id)
        playbook = self._simulation.pinned(lead) if lead else None
        if lead is None or playbook is None or lead.state != "note_due":
            return
        self._parts[lead_id].assumed = True
        command = MarkNoteSent(medium="hand_written", attested=playbook.checks.note, minutes=playbook.capacity.minutes.note)
        if rule := self._submit(Given(self._simulation.now, 0, lead_id, command, f"rep:{lead.owner}", None), command):
            self._stop_soon(lead_id, "refused", f"a note that is not in the log is refused by {rule}")

    def _answer(self, lead: Lead, part: Part, number: int) -> None:
        """Plan what people did once they were asked for the touch with which stretch *number* begins, and the touch."""
        act = part.script.stretches[number].act
        if act is None:
            return
        kind = ask_kind(act.kind)
        days = (part.asked_for[kind] - act.asked_on).days
        # Asked again after all, it has been handed in already.
        ahead = [item for item in act.prelude if (days or item.at > self._since) and part.asks[kind] == act.missed + 1]
        part.prelude = len(ahead)
        for item in ahead:
            moment = shifted(item.at, days, self._calendar(lead))
            self._at(moment, partial(self._hand_in_prelude, part, number, item, days), item.position)
        self._intend(lead, part, number)

    def _intend(self, lead: Lead, part: Part, number: int) -> None:
        """Plan to make the touch with which stretch *number* begins: as late after it was asked for as it was recorded."""
        act = part.script.stretches[number].act
        if act is None:
            return
        calendar = self._calendar(lead)
        asked_for = part.asked_for.get(ask_kind(act.kind)) or self._today(lead)
        day = max(day_of(act, asked_for, standing_day(lead, act.kind, asked_for), calendar), self._today(lead))
        token = next(self._numbers)
        part.pending = number, token
        moment = shifted(act.given.at, (day - act.day).days, calendar)
        self._at(moment, partial(self._make, part, token), act.given.position)

    def _make(self, part: Part, token: int) -> None:
        """Make the touch that was planned, if the lead still waits for it; one on hold goes on when it is released."""
        lead = self.lead(part.lead_id)
        if part.pending is None or part.pending[1] != token or lead is None or part.prelude:
            return
        act = part.script.stretches[part.pending[0]].act
        if act is None or lead.state != _READY[act.kind.partition(":")[0]]:
            part.pending = None
        elif act.held or lead.hold is None:
            self._carry_out(lead, part, part.pending[0], act)

    def _make_unasked(self, part: Part, number: int) -> None:
        lead, act = self.lead(part.lead_id), part.next_act
        if lead and act and part.number == number:
            self._carry_out(lead, part, number + 1, act)

    def _carry_out(self, lead: Lead, part: Part, number: int, act: Act) -> None:
        for stretch in part.script.stretches[part.number + 1 : number]:
            for item in stretch.items:
                self._submit(item, item.command)
        # What the touch leads to belongs to the new stretch already.
        part.enter(number, (self._today(lead) - act.day).days)
        part.making = True
        rule = self._submit(act.given, moved(act.given.command, part.days, self._calendar(lead), self._simulation.now))
        part.making = False
        if rule:
            self._stop_soon(lead.id, "refused", f"the recorded {touch_named(act.kind)} is refused by {rule}")
            return
        self._follow(part)

    def _follow(self, part: Part) -> None:
        """Plan what followed from the touch with which the present stretch began, and stop where the log ends."""
        lead = self.lead(part.lead_id)
        calendar = self._calendar(lead) if lead else horizon.PLAIN
        for item in part.stretch.items:
            if part.days or item.at > self._since:
                self._at(shifted(item.at, part.days, calendar), partial(self._hand_in, part, item, part.days), item.position)
        act = part.next_act
        if act and not act.asked:
            moment = shifted(act.given.at, part.days, calendar)
            self._at(moment, partial(self._make_unasked, part, part.number), act.given.position)
        if part.days < 0:
            # After all that was recorded at that moment.
            self._at(shifted(self._ends, part.days, calendar), partial(self._run_out, part, part.number), _LAST)

    def _hand_in(self, part: Part, item: Given, days: int) -> None:
        if lead := self.lead(part.lead_id):
            rule = self._submit(item, moved(item.command, days, self._calendar(lead), self._simulation.now))
            if rule and (step := step_of(item.command)):
                self._stop_soon(lead.id, "refused", f"the recorded {step} is refused by {rule}")

    def _hand_in_prelude(self, part: Part, number: int, item: Given, days: int) -> None:
        if part.number < number:
            self._hand_in(part, item, days)
            part.prelude -= 1
            lead = self.lead(part.lead_id)
            if lead and part.pending:
                self._intend(lead, part, part.pending[0])

    def _run_out(self, part: Part, number: int) -> None:
        if part.number == number and not part.assumed:
            days = "1 day" if part.days == -1 else f"{-part.days} days"
            why = f"its last touch came {days} earlier than recorded, and what followed is known to the log's end only"
            self._stop(part.lead_id, "log_ends", why)

    def _undecided(self, part: Part, number: int) -> None:
        lead = self.lead(part.lead_id)
        if part.number == number and part.pending is None and lead and lead.state == "no_response":
            self._stop(part.lead_id, "decision", "its attempts are spent, and the log holds no decision on a breakup here")

    def _stop_soon(self, lead_id: UUID, code: str, why: str) -> None:
        """Stop a lead as soon as what is happening at this moment is over."""
        self._at(self._simulation.now, partial(self._stop, lead_id, code, why))

    def _stop(self, lead_id: UUID, code: str, why: str) -> None:
        if lead_id not in self.unknown and self.lead(lead_id):
            self.unknown[lead_id] = Unknown(at=self._simulation.now, code=code, why=why)
            self._simulation.forget(lead_id)

    def _calendar(self, lead: Lead) -> Calendar:
        return self._simulation.calendar(lead.owner) or horizon.PLAIN

    def _today(self, lead: Lead) -> date:
        return horizon.local_day(self._calendar(lead), self._simulation.now)
