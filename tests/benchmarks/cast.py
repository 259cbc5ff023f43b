"""Reps and leads for the benchmarks, brought into being by the real code in large batches, and a mix of work for them."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import TypeVar
from uuid import UUID

from actors.apply import Applier
from actors.submit import Submission, stage
from models.database import Engine, transaction
from models.messages import Ring
from models.playbooks import publish
from service.clocks import wall_clock
from workflows.calendars import Calendar, zone_offsets
from workflows.capacity import Capacity
from workflows.codec import derived_id
from workflows.commands import (
    AnswerImportance,
    Command,
    MarkNoteSent,
    QueueRevival,
    RecordDecline,
    Reference,
    RegisterLead,
    ScheduleNote,
    SetCalendar,
)
from workflows.law_facts import ImportedLawFacts
from workflows.playbooks import Playbook
from workflows.rep import rep_id

T = TypeVar("T")

#: Room for a hundred notes a day and rep, so that a few reps are enough for thousands of leads on one day.
PLAYBOOK = Playbook(
    schema=1,
    id="bench",
    version="1.0.0",
    title="A benchmark",
    source="tests/benchmarks",
    capacity=Capacity(notes=100, calls=100),
    value_items=("report", "video", "study"),
)
REPS = tuple(f"rep-{number:02}" for number in range(1, 21))
WORDS = Reference(document_id=UUID(int=7), commitment="a" * 64)

SETUP_BATCH = 500


def every_day(today: date) -> Calendar:
    """Return a calendar in UTC of which each day is worked, so that the benchmarks mean the same on a Sunday."""
    first, last = date(today.year - 1, 1, 1), date(today.year + 2, 12, 31)
    return Calendar(
        timezone="UTC", weekdays=(1, 2, 3, 4, 5, 6, 7), first=first, last=last, offsets=zone_offsets("UTC", first, last)
    )


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield *items* in lists of *size*, the last one shorter."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def lead_id(number: int) -> UUID:
    """Return the stream of the lead with this number."""
    return derived_id("lead", "bench", str(number))


def asked(label: str, stream_id: UUID, command: Command) -> Submission:
    """Return *command* for a stream; *label* tells it from others on that stream."""
    return Submission(id=derived_id("bench", stream_id, label), stream_id=stream_id, command=command, asked_by="rep:bench")


def register(number: int) -> Submission:
    """Return the command that makes a lead known, owned by one of `REPS`."""
    command = RegisterLead(
        owner=REPS[number // len(KINDS) % len(REPS)],
        source="bench",
        playbook=PLAYBOOK.id,
        contact=WORDS,
        modes=("handwritten_note", "call", "email"),
        timezone="UTC",
        law=ImportedLawFacts(region="US"),
        stage_depth=number % 6,
        value_band=number % 5,
        minutes_invested=number % 600,
    )
    return asked("register", lead_id(number), command)


def hire(engine: Engine) -> None:
    """Publish the playbook and make the reps known."""
    with transaction(engine) as connection:
        publish(connection, PLAYBOOK)
    calendar = every_day(datetime.now(UTC).date())
    commands = [asked("hire", rep_id(rep), SetCalendar(rep=rep, calendar=calendar, playbook=PLAYBOOK.id)) for rep in REPS]
    apply(engine, commands)


def apply(engine: Engine, submissions: Iterable[Submission]) -> None:
    """Stage and apply *submissions* here and now, in batches, as a worker would."""
    applier = Applier(engine, wall_clock)
    for chunk in chunks(submissions, SETUP_BATCH):
        applier.apply(hand_in(engine, chunk))


def hand_in(engine: Engine, submissions: Sequence[Submission]) -> list[Ring]:
    """Stage *submissions* in one transaction and return what to ring."""
    with transaction(engine) as connection:
        return stage(connection, submissions, now=wall_clock())


#: One in five each: decline, importance, note sent; two in five register a new lead.
KINDS = ("register", "importance", "register", "decline", "note_sent")


def prepare(engine: Engine, count: int) -> list[Submission]:
    """Bring leads to where a mix of *count* commands finds them, and return the mix: each command is applied with one event."""
    hire(engine)
    kinds = [(number, KINDS[number % len(KINDS)]) for number in range(count)]
    known = [number for number, kind in kinds if kind != "register"]
    planned = [number for number, kind in kinds if kind == "note_sent"]
    today = datetime.now(UTC).date()
    plan = ScheduleNote(note_on=today, call_on=today + timedelta(days=PLAYBOOK.capacity.call_after_note_days))
    apply(engine, map(register, known))
    apply(engine, (asked("queue", lead_id(number), QueueRevival()) for number in planned))
    apply(engine, (asked("plan", lead_id(number), plan) for number in planned))
    work: dict[str, Command] = {
        "importance": AnswerImportance(importance=3),
        "decline": RecordDecline(kind="no", stated_reason="price", minutes=12),
        "note_sent": MarkNoteSent(medium="hand_written", attested=PLAYBOOK.checks.note, text=WORDS, minutes=8),
    }
    return [register(number) if kind == "register" else asked(kind, lead_id(number), work[kind]) for number, kind in kinds]
