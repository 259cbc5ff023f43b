"""The end of an import's transaction: calendars for new reps, messages, contacts. Or the same only counted."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple
from uuid import UUID

import msgspec

from models import imports, messages
from models.database import Connection
from models.imports import ChangedRow, Compared
from models.merges import survivors
from models.messages import CommandReusedError, NewMessage, Ring
from service.calendars import freeze_calendar
from service.imports.mapping import Mapping, RepCalendar
from service.imports.orders import Orders, reference
from service.imports.problems import ConflictError
from service.imports.rows import Registration
from workflows.actor_names import actor_name
from workflows.calendars import Calendar
from workflows.codec import canonical, derived_id
from workflows.commands import Command, RegisterLead, SetCalendar
from workflows.lead import Lead
from workflows.rep import rep_id

ASKED_BY = "import"

#: It carries every `RegisterLead`, whatever that says: the names of actors follow the kind of the command.
REGISTER_ACTOR = actor_name(RegisterLead(owner="-", source="-", playbook="-", contact=reference(UUID(int=0), "")))

#: More new and changed leads than this are left to the clock process to ring, instead of holding up the command line.
RUNG_LEADS_MAX = 500

#: A new rep's calendar reaches this many days back and ahead.
DAYS_BACK, DAYS_AHEAD = 366, 3 * 366

_registration = msgspec.json.Decoder(Registration)


class MergedRow(NamedTuple):
    """A changed row of a lead that was merged, and the lead as which its person goes on."""

    line: int
    lead_id: UUID


class Writer:
    """Writes what a comparison found, or with *apply* false finds out what it would write."""

    def __init__(
        self,
        connection: Connection,
        mapping: Mapping,
        orders: Orders,
        *,
        now: datetime,
        correlation_id: UUID,
        apply: bool,
    ) -> None:
        self._connection = connection
        self._mapping = mapping
        self._orders = orders
        self._now = now
        self._correlation_id = correlation_id
        self._apply = apply
        self._rung = False
        self.new_reps: list[str] = []
        """Who gets a calendar, in name order."""
        self.messages = 0
        """How many are staged."""
        self.merged: list[MergedRow] = []
        """Changed rows of leads that were merged into others, by line."""
        self.rings: list[Ring] = []
        """To ring after the commit; empty when it is left to the clock."""

    def write(self, compared: Compared) -> None:
        """Stage and write everything.

        Raises
        ------
        ConflictError
            When another program wrote some of these leads since they were compared; the caller rolls back.
        """
        self._rung = compared.created + compared.updated <= RUNG_LEADS_MAX
        self._give_calendars()
        self._create(compared.created)
        try:
            self._update(compared.updated)
        except CommandReusedError as error:
            raise _conflict() from error
        if self._apply and compared.created and imports.erased_meanwhile(self._connection):
            raise _conflict()

    def _give_calendars(self) -> None:
        """Stage calendars for owners who have none."""
        streams = {rep_id(name): name for name in imports.owners(self._connection)}
        waiting = imports.streams_with_messages(self._connection, list(streams))
        self.new_reps = [name for stream, name in streams.items() if stream not in waiting]
        self.messages += len(self.new_reps)
        if not self._apply:
            return
        new = []
        for name in self.new_reps:
            calendar = _calendar(self._mapping.calendar_of(name), self._now)
            command = SetCalendar(rep=name, calendar=calendar, playbook=self._mapping.playbook, occurred_at=self._now)
            message_id = derived_id("import", "calendar", name, canonical(command).decode())
            new.append(self._message(message_id, rep_id(name), command))
        self._stage(new)

    def _create(self, expected: int) -> None:
        self.messages += expected
        if not self._apply or not expected:
            return
        staged = imports.stage_created(
            self._connection,
            actor_name=REGISTER_ACTOR,
            asked_by=ASKED_BY,
            correlation_id=self._correlation_id,
            due_at=self._now,
            rung=self._rung,
        )
        if staged < expected or imports.add_created(self._connection, self._mapping.source) < expected:
            raise _conflict()
        if self._rung:
            self.rings += imports.created_rings(
                self._connection, actor_name=REGISTER_ACTOR, correlation_id=self._correlation_id
            )

    def _update(self, expected: int) -> None:
        for page in imports.changed_rows(self._connection) if expected else ():
            goes_on = survivors(self._connection, [row.lead_id for row in page])
            new = [message for row in page for message in self._change(row, goes_on.get(row.lead_id))]
            self.messages += len(new)
            if self._apply:
                self._stage(new)
        if self._apply and expected and imports.replace_updated(self._connection) < expected:
            raise _conflict()

    def _change(self, row: ChangedRow, goes_on: Lead | None) -> Iterator[NewMessage]:
        before, after = _registration.decode(row.before) if row.before else None, _registration.decode(row.after)
        first, *then = self._orders.update(before, after, reference(row.lead_id, row.commitment))
        message_id = derived_id("import", row.lead_id, row.known_commitment, row.commitment)
        if goes_on is None or goes_on.id == row.lead_id:
            yield self._message(message_id, row.lead_id, first, then)
            return
        self.merged.append(MergedRow(row.line, goes_on.id))
        yield self._message(message_id, row.lead_id, first)
        if told := self._orders.of_the_person(then):
            yield self._message(derived_id(message_id, "merged"), goes_on.id, told[0], told[1:])

    def _message(self, message_id: UUID, stream_id: UUID, command: Command, then: Sequence[Command] = ()) -> NewMessage:
        return NewMessage(
            id=message_id,
            stream_id=stream_id,
            actor_name=actor_name(command),
            body=canonical(command),
            asked_by=ASKED_BY,
            correlation_id=self._correlation_id,
            causation_id=None,
            due_at=self._now,
            rung=self._rung,
            then=canonical(then) if then else None,
        )

    def _stage(self, new: Sequence[NewMessage]) -> None:
        staged = messages.stage(self._connection, new)
        self.rings += [Ring(m.id, m.stream_id, m.actor_name, m.correlation_id, 1) for m in new if m.rung and m.id in staged]


def _conflict() -> ConflictError:
    return ConflictError(
        "conflict",
        "Another program wrote or erased some of these leads at the same moment. Nothing was imported.",
        "Run it again.",
    )


@cache
def _calendar(place: RepCalendar, now: datetime) -> Calendar:
    today = now.date()
    first, last = today - timedelta(days=DAYS_BACK), today + timedelta(days=DAYS_AHEAD)
    return freeze_calendar(place.country, place.region, place.timezone, first, last)
