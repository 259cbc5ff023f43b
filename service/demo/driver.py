"""Drives the half year: moves the clock, waits until the service is done, lets the scripted rep work, and moves on.

Only the clock and the person are simulated. The servers, the worker process, the clock process, the broker and every message
are the real ones, and the driver talks to them the way the command line does.
"""

import time
from datetime import date, datetime
from uuid import UUID

from actors.submit import Submission, submit
from models import contacts, leads, messages
from models.database import transaction
from service.clocks import DrivenClock
from service.demo.script import ScriptedRep
from service.wiring import Service
from workflows.calendars import Calendar
from workflows.codec import derived_id
from workflows.commands import Command, Reference, SetCalendar
from workflows.rep import rep_id

#: The states in which the rep owes something, or may do something, today.
OPEN_STATES = ("call_due", "note_due", "no_response", "re_engaged", "meeting_booked", "nurture")

#: Local minutes at which the clock stops on each day: the plan is made, the day starts, the rep works, the day ends.
PLAN, START, WORK, AFTER, END = 360, 480, 780, 900, 1080

STALLED_SECONDS = 60.0


class StalledError(Exception):
    """The service did not finish its work in time; the message says what was left."""


class Driver:
    """One rep's half year."""

    def __init__(self, service: Service, clock: DrivenClock, rep: str, calendar: Calendar) -> None:
        self._service = service
        self._clock = clock
        self._rep = rep
        self._calendar = calendar
        #: Every command that the driver handed in and that was accepted.
        self.submitted: list[UUID] = []

    def introduce_rep(self, playbook_id: str) -> None:
        """Freeze the rep's calendar into the log, and wait until the service knows it."""
        command = SetCalendar(rep=self._rep, calendar=self._calendar, playbook=playbook_id)
        self._hand_in({rep_id(self._rep): [command]}, asked_by="manager:ann")
        self.settle()

    def live(self, script: ScriptedRep, day: date) -> None:
        """Live through *day*."""
        for minute in (PLAN, START):
            self.move(self._calendar.moment(day, minute))
        if self._calendar.is_working(day):
            for minute in (WORK, AFTER):
                # Twice: what is done in the first round can owe a second step, such as closing a breakup.
                self.move(self._calendar.moment(day, minute))
                self._work(script, day)
        self.move(self._calendar.moment(day, END))

    def move(self, moment: datetime) -> None:
        """Set the time to *moment* and wait until nothing is due any more."""
        self._clock.move(moment)
        self.settle()

    def settle(self) -> None:
        """Wait until every message that is due is settled.

        Raises
        ------
        StalledError
            When nothing moved for a minute.
        """
        left, since = -1, time.monotonic()
        while True:
            with transaction(self._service.engine) as connection:
                due = messages.unsettled_due(connection, now=self._clock())
            if due == 0:
                return
            if due != left:
                left, since = due, time.monotonic()
            elif time.monotonic() - since > STALLED_SECONDS:
                raise StalledError(f"{due} messages were due at {self._clock()} and did not settle: see `thaw status`")
            time.sleep(0.005)

    def _work(self, script: ScriptedRep, day: date) -> None:
        with transaction(self._service.engine) as connection:
            owned = leads.owned_leads(connection, self._rep, OPEN_STATES)
            people = {id_: c.fields for id_, c in contacts.find_contacts(connection, [lead.id for lead in owned]).items()}
        work: dict[UUID, list[Command]] = {}
        for lead, command in script.work(owned, people, day):
            work.setdefault(lead.id, []).append(command)
        self._hand_in(work, asked_by=f"rep:{self._rep}")

    def _hand_in(self, work: dict[UUID, list[Command]], *, asked_by: str) -> None:
        """Hand in each lead's first command together, then each lead's second, and so on."""
        while work:
            round_ = {lead_id: commands[0] for lead_id, commands in work.items()}
            submissions = [
                Submission(
                    id=derived_id("demo", lead_id, self._clock(), len(self.submitted) + number),
                    stream_id=lead_id,
                    command=command,
                    asked_by=asked_by,
                )
                for number, (lead_id, command) in enumerate(round_.items())
            ]
            submit(self._service.engine, self._service.bell, submissions, now=self._clock())
            self.submitted += [submission.id for submission in submissions]
            self.settle()
            work = {lead_id: commands[1:] for lead_id, commands in work.items() if commands[1:]}

    def keep(self, lead_id: UUID, kind: str, text: str) -> Reference:
        """Keep words in ``documents`` and return their reference."""
        with transaction(self._service.engine) as connection:
            return contacts.save_document(connection, derived_id("document", lead_id, kind), lead_id, kind, text)
