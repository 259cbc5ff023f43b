"""Reads a log and writes down, lead by lead, what people did: see `workflows.scripts`."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from msgspec import UNSET

from workflows import horizon
from workflows.books import Books
from workflows.calendars import Calendar
from workflows.commands import (
    AnyCommand,
    EraseLead,
    MarkNoteSent,
    MigratePlaybook,
    Reassign,
    RecordCall,
    RegisterLead,
    SendNurtureTouch,
    SendTouch,
    SetCalendar,
    UpdateContact,
)
from workflows.events import CalendarFrozen, CommandRefused, DayPlanned, Recorded
from workflows.law_table import LawTable
from workflows.lead import BESIDE_LEADS, Lead
from workflows.merging import is_passed_on
from workflows.playbooks import Playbook
from workflows.scripts import (
    MOVED,
    Act,
    Ask,
    Given,
    Move,
    Script,
    Stretch,
    ask_kind,
    ask_of,
    call_kind,
    standing_day,
    step_of,
    working_days_after,
)
from workflows.touches import Tally
from workflows.transitions import CALL_ROWS

#: Who the service itself is when it asks for something.
_SERVICE = frozenset({"planner", "clock"})

#: What is about the office or the lead's data, and not an answer to any touch.
_UNMOVED = (RegisterLead, UpdateContact, Reassign, SetCalendar, MigratePlaybook, EraseLead)

_TOUCH_ACTS = (MarkNoteSent, RecordCall, SendTouch, SendNurtureTouch)


class Reader:
    """Reads a log in order and writes the scripts. *playbooks* are those that its events pin, by digest.

    What was done from *since* on is counted; what the law left to try is told by *table*.
    """

    def __init__(self, playbooks: Mapping[str, Playbook], since: datetime, table: LawTable) -> None:
        self.table = table
        self.scripts: dict[UUID, Script] = {}
        self.office: list[Given] = []
        """Calendars of reps, in order."""
        self.unmoved: list[Given] = []
        """Registrations, changed data and changed owners, in order."""
        self.published: list[tuple[datetime, Playbook]] = []
        """When each playbook version was first used."""
        self.books = Books()
        self.calendars: dict[str, Calendar] = {}
        self.ends: datetime | None = None
        """When the last event of a lead or rep was recorded."""
        self.tally = Tally()
        self.plans: list[tuple[UUID, DayPlanned]] = []
        """Each with the stream of its rep, in the order of the log; a day may be planned again."""
        self.playbooks = playbooks
        self._since = since
        self._pinned: set[str] = set()
        self._followed: set[UUID] = set()
        """Messages that registrations staged: they come with the registration again."""

    def take(self, recorded: Recorded) -> None:
        """Take in the next event of the log.

        Raises
        ------
        FoldError, KeyError
            When the log cannot be folded, or a playbook that it pins is not there.
        """
        before = self.books.leads.get(recorded.stream_id)
        self.books.take(recorded)
        if recorded.state in BESIDE_LEADS - {"rep"}:
            # What the service itself, campaigns and sales events say moves no lead; what they ask of one stands with the lead.
            return
        self.ends = max(self.ends or recorded.recorded_at, recorded.recorded_at)
        if recorded.playbook and recorded.playbook.digest not in self._pinned:
            self._pinned.add(recorded.playbook.digest)
            self.published.append((recorded.recorded_at, self.playbooks[recorded.playbook.digest]))
        if recorded.state == "rep":
            self._take_of_rep(recorded)
            return
        lead = self.books.leads[recorded.stream_id]
        script = self.scripts.setdefault(lead.id, Script())
        if recorded.command is not None and self._is_given(recorded):
            self._give(script, recorded, recorded.command, before)
        self._ask(script, recorded, lead)
        self.tally.take(recorded, lead, self.calendars.get(lead.owner), counted=recorded.recorded_at > self._since)

    def calendar_of(self, lead: Lead) -> Calendar:
        """Return the calendar of a lead's owner, a plain one for an owner who has none."""
        return self.calendars.get(lead.owner) or horizon.PLAIN

    def _take_of_rep(self, recorded: Recorded) -> None:
        match recorded.data:
            case CalendarFrozen(rep=rep, calendar=calendar, playbook=playbook, layers=layers):
                self.calendars[rep] = calendar
                digest = recorded.playbook.digest if recorded.playbook else UNSET
                command = SetCalendar(rep=rep, calendar=calendar, playbook=playbook, digest=digest, layers=layers)
                self.office.append(
                    Given(recorded.recorded_at, self.books.position, recorded.stream_id, command, recorded.actor, recorded.used)
                )
            case DayPlanned() as plan if recorded.recorded_at > self._since:
                self.plans.append((recorded.stream_id, plan))

    def _is_given(self, recorded: Recorded) -> bool:
        """Tell whether somebody outside handed this in, and not the service, a registration or a lead that was merged."""
        followed = recorded.causation_id is not None and recorded.causation_id in self._followed
        followed = followed or (recorded.command is not None and is_passed_on(recorded.command))
        # Its playbook sent a silent lead to another one.
        followed = followed or (isinstance(recorded.command, MigratePlaybook) and recorded.causation_id is not None)
        if followed or isinstance(recorded.command, RegisterLead):
            self._followed.add(recorded.message_id)
        return not followed and recorded.actor not in _SERVICE

    def _give(self, script: Script, recorded: Recorded, command: AnyCommand, before: Lead | None) -> None:
        given = Given(recorded.recorded_at, self.books.position, recorded.stream_id, command, recorded.actor, recorded.used)
        if isinstance(command, _UNMOVED):
            self.unmoved.append(given)
            return
        refused = isinstance(recorded.data, CommandRefused)
        kind = None if refused or before is None else _act_kind(script, recorded, command, before)
        if kind and before:
            act = self._act(script.last, given, kind, before, silent=recorded.row in ("T19", "T25"))
            script.stretches.append(Stretch(act))
        elif not (refused and (isinstance(command, _TOUCH_ACTS) or step_of(command))):
            script.last.items.append(given)

    def _act(self, last: Stretch, given: Given, kind: str, before: Lead, *, silent: bool) -> Act:
        calendar = self.calendar_of(before)
        day = horizon.local_day(calendar, given.at)
        asks = last.asked(ask_kind(kind))
        if asks:
            moves = [move for move in last.moves if move.position > asks[-1].position]
            stood = [asks[-1].day, *(standing_day(move.lead, kind, asks[-1].day) for move in moves)]
        else:
            stood = [last.act.day if last.act else day]
        late = horizon.between(calendar, stood[-1], day)
        prelude = [item for item in last.items if asks and item.position > asks[-1].position]
        last.items = last.items[: len(last.items) - len(prelude)]
        return Act(
            given=given,
            kind=kind,
            day=day,
            asked=bool(asks),
            missed=max(0, len(asks) - 1),
            stood=tuple(stood),
            late=late,
            days_beside=(day - working_days_after(calendar, stood[-1], late)).days,
            silent=silent,
            held=before.hold is not None,
            asked_on=asks[-1].day if asks else day,
            prelude=tuple(prelude),
        )

    def _ask(self, script: Script, recorded: Recorded, lead: Lead) -> None:
        if script.last.asks and isinstance(recorded.data, MOVED):
            script.last.moves.append(Move(self.books.position, lead))
        today = horizon.local_day(self.calendar_of(lead), recorded.recorded_at)
        asked = ask_of(recorded, lead, self.playbooks[lead.playbook.digest] if lead.playbook else None, today, self.table)
        # That the attempts are spent is said once: the decision is owed from then on.
        if asked and (asked[0] != "breakup" or not script.last.asked("breakup")):
            script.last.asks.append(Ask(asked[0], asked[1] or today, recorded.recorded_at, self.books.position))


def _act_kind(script: Script, recorded: Recorded, command: AnyCommand, before: Lead) -> str | None:
    """Return the kind of touch that an applied command made, None when it made none."""
    if isinstance(command, MarkNoteSent):
        return "note"
    if recorded.row in CALL_ROWS:
        return call_kind(before)
    if isinstance(command, SendTouch):
        return f"touch:{command.mode}"
    if isinstance(command, SendNurtureTouch):
        return f"nurture:{command.mode}"
    within = script.last.act is not None and script.last.act.kind == "breakup"
    return "breakup" if step_of(command) == "breakup" and not within else None
