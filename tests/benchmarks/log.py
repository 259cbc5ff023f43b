"""A log of whole lives: leads driven one after another through the pure machine, and written with their chain.

The lives are those that the machine's own tests know. Each lead has slots of its own, so that the projections can be rebuilt.
What would take hours to live is written again under other leads' ids (`tests.benchmarks.copies`).

``python -m tests.benchmarks.log`` is one of the processes that write a long log; it reads its order from the standard input.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from models.database import Engine, transaction
from models.events import Appended, append, chained, head_position
from models.rebuild import Rebuilt, rebuild
from tests.benchmarks.cast import chunks
from tests.benchmarks.copies import COPIES_MOST, copies, correlation_id, message_id, standing
from tests.benchmarks.stage import ROOT, engine_of
from tests.workflows.life import (
    CONNECTED,
    DECLINE,
    OPEN_REPLY,
    ROADS,
    SLOT_KINDS,
    VOICEMAIL,
    Life,
    make_ready,
    note_command,
    sent_command,
)
from workflows import commands as c
from workflows.codec import GENESIS
from workflows.context import Context
from workflows.events import Slot
from workflows.handle import Carrier, Outcome, handle
from workflows.law_facts import ImportedLawFacts

#: A longer log is not lived as a whole: a tenth of so many events are, and then written again as those of other leads.
LIVED_EVENTS_MOST = 1_000_000
COPIED_EVENTS = LIVED_EVENTS_MOST // 10

#: No more can be had of so few lives.
EVENTS_MOST = COPIED_EVENTS * COPIES_MOST

CHUNK_EVENTS = 5_000

#: Where all live: whoever lives nowhere is not called on any state's holiday.
REGION = ImportedLawFacts(region="US-IL")

#: Within so many events those of different leads alternate: reading a stream jumps about in the table, as it really does.
BLOCK_EVENTS = 20_000


class OneOfMany(Life):
    """A life with a stream, a rep and slots of its own."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._id, self._rep, self._ordinal = standing(number)

    def context(self, actor: str = "rep:dan", *, planning: bool = True) -> Context:
        """What a decision made now is given; free slots only where it may take some."""
        days = (self.today + timedelta(days=number) for number in range(12 if planning else 0))
        free = tuple(Slot(rep=self._rep, kind=kind, day=day, ordinal=self._ordinal) for day in days for kind in SLOT_KINDS)
        return Context(now=self.now, actor=actor, calendar=self.calendar, playbook=self.playbook, free=free)

    def do(self, command: c.AnyCommand, actor: str = "rep:dan") -> Outcome:
        """Give *command* and live with what comes of it."""
        if isinstance(command, c.RegisterLead):
            command = replace(command, owner=self._rep, law=REGION)
        carrier = Carrier(
            message_id=message_id(self._id, len(self.history)),
            stream_id=self._id,
            actor=actor,
            correlation_id=correlation_id(self._id),
            causation_id=self.history[-1].message_id if self.history else None,
            recorded_at=self.now,
        )
        planning = isinstance(command, (c.ScheduleNote, c.ScheduleCall, c.ScheduleTouch))
        outcome = handle(self._lead, command, self.context(actor, planning=planning), carrier)
        self._lead = outcome.lead
        self.history.extend(outcome.recorded)
        return outcome


def _broken_up(life: Life) -> None:
    """Two touches and a breakup, then nurture with its monthly touches, and the queue again."""
    ROADS["breakup_sent"](life)
    life.fire("breakup_window")
    for _ in range(4):
        life.fire("nurture_touch")
    life.fire("nurture_floor")
    life.fire("requeue")
    life.do(c.QueueRevival())


def _won(life: Life) -> None:
    """A note, a call, a conversation, a meeting, the deal."""
    ROADS["call_due"](life)
    life.must(CONNECTED)
    life.must(c.BookMeeting(meeting_at=life.now + timedelta(days=6)))
    life.wait(days=6).must(c.RecordMeeting(decision="buys", minutes=50))
    life.must(c.MarkWon(), "crm")


def _said_no(life: Life) -> None:
    """A no, the homework on it, a refusal for haste, rest, the queue, a note, a call, and no again."""
    ROADS["declined"](life)
    make_ready(life)
    life.do(c.QueueRevival())
    life.wait(days=100).must(c.QueueRevival())
    life.must(note_command(life), "planner")
    life.must(sent_command())
    life.fire("call_after_note")
    life.must(VOICEMAIL)
    life.must(OPEN_REPLY)
    life.must(DECLINE)


def _held(life: Life) -> None:
    """A hold and its release, a note that was not written, and the queue."""
    ROADS["queued"](life)
    life.must(c.Hold(reason="manual"))
    life.wait(days=12).must(c.Release())
    life.must(note_command(life), "planner")
    life.fire("note_slot")
    life.must(note_command(life), "planner")
    life.must(sent_command())
    life.must(c.RecordReturn())


LIVES: tuple[Callable[[Life], None], ...] = (_broken_up, _won, _said_no, _broken_up, _held)


def lives(count: int, *, first: int = 0, step: int = 1, times: int = 1) -> Iterator[Appended]:
    """Yield at least *count* chained events: whole lives, those of some hundred leads at a time mixed as time mixes them.

    The leads have the numbers *first*, *first* + *step* and so on. All is yielded so many *times*, under other leads' ids.
    """
    events, number = 0, first
    while events < count:
        block: list[Appended] = []
        begin = number
        while len(block) < min(BLOCK_EVENTS, count - events):
            block += _life(number)
            number += step
        block.sort(key=lambda appended: appended.recorded.recorded_at)
        yield from block
        events += len(block)
        for copy in range(1, times):
            yield from copies(block, range(begin, number, step), copy)


def _life(number: int) -> Iterator[Appended]:
    life = OneOfMany(number)
    LIVES[number % len(LIVES)](life.wait(minutes=number % 50_000))
    hash_ = GENESIS
    for recorded in life.history:
        appended = chained(recorded, hash_)
        hash_ = appended.hash
        yield appended


def write_log(engine: Engine, count: int, *, first: int = 0, step: int = 1, times: int = 1) -> int:
    """Append whole lives of at least *count* events, so many *times*, and return the position of the last one."""
    last = 0
    for chunk in chunks(lives(count, first=first, step=step, times=times), CHUNK_EVENTS):
        with transaction(engine) as connection:
            last = append(connection, chunk)
    return last


class Order(msgspec.Struct):
    """What one of the writing processes is to do: `write_log` with these arguments."""

    url: str
    count: int
    first: int
    step: int
    times: int


class Written(NamedTuple):
    """A long log."""

    events: int
    times: int
    """So many times each life is in it: once where all of them were lived."""


def write_log_together(url: str, count: int, *, processes: int = 2) -> Written:
    """Do the same in so many processes, as workers do, with an empty log: write at least *count* events, or nearly."""
    command = [sys.executable, "-m", "tests.benchmarks.log"]
    times = 1 if count <= LIVED_EVENTS_MOST else -(-count // COPIED_EVENTS)
    orders = [Order(url, count // times // processes, first, processes, times) for first in range(processes)]
    writers = []
    for order in orders:
        writer = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)
        assert writer.stdin is not None
        writer.stdin.write(msgspec.json.encode(order))
        writer.stdin.close()
        writers.append(writer)
    statuses = [writer.wait() for writer in writers]
    if any(statuses):
        raise RuntimeError("the log could not be written; the output above says why")
    with engine_of(url) as engine, transaction(engine) as connection:
        return Written(head_position(connection), times)


def make_projections(engine: Engine) -> Rebuilt:
    """Make every projection from the log."""
    with transaction(engine) as connection:
        return rebuild(connection)


if __name__ == "__main__":
    asked = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    with engine_of(asked.url) as writing:
        write_log(writing, asked.count, first=asked.first, step=asked.step, times=asked.times)
