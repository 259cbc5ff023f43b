"""A year in the life: three reps, two thousand leads and 365 days in memory, with the rules that hold on every one of them."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from service.calendars import freeze_calendar
from service.office import Office
from service.playbooks import shipped_playbooks
from workflows.calendars import Absence
from workflows.codec import derived_id
from workflows.commands import Command, MigratePlaybook, OptOut
from workflows.events import (
    CallScheduled,
    CommandRefused,
    NoteScheduled,
    NoteSent,
    PlaybookMigrated,
    PlaybookPin,
    Recorded,
    RevivalQueued,
    event_type,
)
from workflows.lead import RESTING
from workflows.playbooks import Playbook
from workflows.timers import fires, timer_message_id

START = date(2026, 1, 5)
DAYS = 365
LEADS = 2000
ZONES = {"dan": "America/New_York", "eve": "America/Chicago", "flo": "America/Los_Angeles"}
LEAVE = {"eve": (Absence(first=date(2026, 3, 9), last=date(2026, 3, 20)),)}

#: Events by which somebody turns to the prospect.
TOUCHES = frozenset({"note_sent", "touch_sent", "nurture_touch_sent", "breakup_voicemail_left", "breakup_email_sent"})

SHIPPED = shipped_playbooks()["five-five-five"][0]


def playbook(attempts: int) -> Playbook:
    """Return the shipped playbook with room for every follow-up, and so many attempts before a breakup."""
    capacity = replace(SHIPPED.capacity, follow_up_touches=20, minutes=replace(SHIPPED.capacity.minutes, budget=600))
    return replace(SHIPPED, attempts=replace(SHIPPED.attempts, max=attempts, max_when_important=attempts), capacity=capacity)


class Year:
    """An office that is watched every day."""

    def __init__(self, attempts: int = 6, leads: int = LEADS // 3) -> None:
        calendars = {
            rep: freeze_calendar(
                "US", "", zone, START - timedelta(days=366), START + timedelta(days=1100), absences=LEAVE.get(rep, ())
            )
            for rep, zone in ZONES.items()
        }
        self.office = Office(playbook(attempts), calendars, start=START, leads=leads, answer_rate=0.4, seed=1)
        self.calendars = calendars
        self.day = START
        self.seen = 0
        self.opted_out: set[UUID] = set()
        self.pins: dict[UUID, PlaybookPin | None] = {}

    def live(self, days: int) -> None:
        """Live through the first *days* days, or what is left of them, and hold every invariant after each."""
        while self.day < START + timedelta(days=days):
            self.office.live(self.day)
            self._nobody_is_forgotten(self._read_the_day())
            self._nobody_is_planned_past_capacity(self.day)
            self.day += timedelta(days=1)

    def _read_the_day(self) -> set[UUID]:
        new, self.seen = self.office.log[self.seen :], len(self.office.log)
        for recorded in new:
            self._no_touch_after_an_opt_out(recorded)
            self._pins_change_by_events_only(recorded)
            self._calls_follow_notes(recorded)
        return {recorded.stream_id for recorded in new}

    def _nobody_is_forgotten(self, changed: set[UUID]) -> None:
        """Invariant 4."""
        books, messages = self.office.simulation.books, self.office.simulation.messages
        for lead in (books.leads[id_] for id_ in changed if id_ in books.leads):
            if lead.state not in RESTING:
                waiting = (
                    messages[timer_message_id(lead.id, name, timer.armed_version)]
                    for name, timer in lead.timers.items()
                    if fires(name)
                )
                assert any(message.outcome is None for message in waiting), f"{lead.state} {lead.id} waits for nothing"

    def _no_touch_after_an_opt_out(self, recorded: Recorded) -> None:
        """Invariant 5."""
        kind = event_type(recorded.data)
        assert not (kind in TOUCHES and recorded.stream_id in self.opted_out), f"{kind} after an opt-out"
        if kind == "opted_out":
            self.opted_out.add(recorded.stream_id)

    def _calls_follow_notes(self, recorded: Recorded) -> None:
        """Invariant 6: a promised call is five working days of the rep after its note, or says why not."""
        data = recorded.data
        if isinstance(data, NoteScheduled | NoteSent):
            lead = self.office.simulation.books.leads[recorded.stream_id]
            calendar = self.calendars[lead.owner]
            written = data.note_on if isinstance(data, NoteScheduled) else calendar.local_day(recorded.occurred_at)
            assert data.call_on == calendar.add_working_days(written, 5) or getattr(data, "gap_reason", None)
        if isinstance(data, NoteScheduled):
            kinds = sorted(slot.kind for slot in recorded.effects.reserved)
            assert kinds == ["note", "promised_call"]
        if isinstance(data, CallScheduled):
            assert [slot.kind for slot in recorded.effects.reserved] == ["follow_up"]

    def _pins_change_by_events_only(self, recorded: Recorded) -> None:
        """Invariant 7; a refusal names the version that refused, and the lead stays with its own."""
        if isinstance(recorded.data, CommandRefused):
            return
        before = self.pins.get(recorded.stream_id)
        if before is not None and recorded.playbook != before:
            assert isinstance(recorded.data, PlaybookMigrated | RevivalQueued)
        self.pins[recorded.stream_id] = recorded.playbook

    def _nobody_is_planned_past_capacity(self, day: date) -> None:
        """Invariant 6."""
        capacity = self.office.playbook.capacity
        for rep in ZONES:
            taken: dict[tuple[date, str], int] = defaultdict(int)
            for slot in self.office.simulation.books.taken(rep, (day + timedelta(days=ahead) for ahead in range(60))):
                taken[slot.day, slot.kind] += 1
                assert self.calendars[rep].is_working(slot.day)
            most = {
                "note": capacity.notes,
                "promised_call": capacity.calls + capacity.catch_up_calls,
                "follow_up": capacity.follow_up_touches,
            }
            assert all(number <= most[kind] for (_, kind), number in taken.items())


def _opt_outs() -> Iterator[tuple[UUID, Command]]:
    """Every fortieth lead wants to hear nothing more, whatever is planned with it."""
    for rep in ZONES:
        yield from ((derived_id("lead", rep, number), OptOut()) for number in range(3, LEADS // 3, 40))


def test_every_rule_holds_on_every_day_of_a_year() -> None:
    """A1-11, A4-6: invariants 4 to 7 of the design, with leave, opt-outs, and a new version of the playbook in the middle."""
    year = Year()
    year.live(60)
    year.office.hand_in(list(_opt_outs()), "crm")
    newer = replace(year.office.playbook, version="1.1.0", capacity=replace(year.office.playbook.capacity, calls=5))
    year.office.simulation.publish(newer)
    followers = [id_ for id_, lead in year.office.simulation.books.leads.items() if lead.state == "no_response"][:20]
    follow = MigratePlaybook(playbook=newer.id, version=newer.version, digest=newer.pin.digest)
    year.office.hand_in([(id_, follow) for id_ in followers], "manager:ann")
    year.live(DAYS)
    assert len(year.opted_out) == 51
    assert year.seen > 40_000
    moved = {recorded.stream_id for recorded in year.office.log if isinstance(recorded.data, PlaybookMigrated)}
    assert moved == set(followers)


@pytest.mark.parametrize(("attempts", "touches", "breakups"), [(3, 4.8, 1.1), (6, 6.9, 0.2)])
def test_silence_brings_the_load_that_arithmetic_says(attempts: int, touches: float, breakups: float) -> None:
    """At 40 % answered, follow-ups and breakups per rep and day are what 5 calls a day leave over, within a tenth."""
    year = Year(attempts)
    year.live(182)
    weeks = year.office.weeks()[8:26]
    days = sum(week.figures["calls"] for week in weeks) / 5
    assert sum(week.figures["follow_ups"] for week in weeks) / days == pytest.approx(touches, rel=0.1)
    assert sum(week.figures.get("breakups", 0) for week in weeks) / days == pytest.approx(breakups, abs=0.1 * touches)
