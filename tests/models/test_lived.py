"""At every moment of a random life the fold of the log that far is the row that was committed then, byte for byte."""

from datetime import timedelta
from random import Random
from uuid import UUID

from models.database import transaction
from models.events import read_stream
from tests.desk import Desk
from tests.workflows.life import CALENDAR
from tests.workflows.player import pursuing, sensible
from workflows.codec import canonical
from workflows.commands import Command, MarkWon, QueueRevival, RecordDecline, RecordReply, StartNurture
from workflows.events import decode_recorded
from workflows.fold import fold
from workflows.lead import Lead

STEPS = 25

#: What ends a pursuit or begins it anew; seldom, so that lives come far.
ENDS = RecordDecline, RecordReply, MarkWon, StartNurture, QueueRevival


def test_the_log_folds_to_each_row_that_was_committed(desk: Desk) -> None:
    """Commands of all kinds, refused ones among them, timers, and the planner; each row is read after each transaction."""
    random = Random(1)
    leads = desk.note_due(4)
    committed: dict[UUID, dict[int, str]] = {lead_id: {} for lead_id in leads}
    for _ in range(STEPS):
        for lead_id in leads:
            desk.submit(lead_id, *drawn(random, desk, lead_id))
        while rings := desk.due():
            desk.committer.apply_all(rings)
            for lead_id in leads:
                look(desk, lead_id, committed[lead_id])
        desk.clock.moment += timedelta(hours=random.choice((1, 24, 100)))
    reached = set()
    for lead_id in leads:
        rows = committed[lead_id]
        assert len(rows) > STEPS / 2
        replayed: Lead | None = None
        with transaction(desk.engine) as connection:
            history = [decode_recorded(row.body.encode()) for row in read_stream(connection, lead_id)]
        for recorded in history:
            replayed = fold(replayed, recorded)
            lived = rows.pop(recorded.version, None)
            assert lived is None or lived == canonical(replayed).decode(), recorded.version
            reached.add(recorded.state if lived else None)
        assert {} == rows
    assert reached >= {"note_sent", "call_due"}


def drawn(random: Random, desk: Desk, lead_id: UUID) -> list[Command]:
    """Return a command that makes sense for the lead, or none."""
    lead = desk.lead(lead_id)
    options = [command for command, _ in sensible(lead, CALENDAR.local_day(desk.now), desk.now) + pursuing(lead)]
    # Those that lead on come first.
    command = random.choice(options[: random.choice((1, 4, len(options)))])
    return [] if isinstance(command, ENDS) and random.random() < 0.95 else [command]


def look(desk: Desk, lead_id: UUID, committed: dict[int, str]) -> None:
    """Keep the row as it stands, by the version of the lead."""
    ((version, body),) = desk.ask("SELECT version, body FROM leads WHERE id = :id", id=lead_id)
    assert body == committed.setdefault(int(str(version)), str(body))
