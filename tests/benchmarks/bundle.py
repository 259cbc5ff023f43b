"""Bundles, as an auditor meets them: written by `thaw export`, checked by the enclosed verifier on Python alone.

Each runs in a process of its own, so that the most memory that it held can be told. Beside them what nobody can beat: SHA-256
of the file as a whole, and of each body in it, in a bare loop.
"""

import hashlib
import sys
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid5

from sqlalchemy import text

from models.database import Engine, transaction
from models.events import append, chained
from models.playbooks import publish
from service.keys import KeyFiles
from service.playbooks import record_published
from service.settings import Settings
from tests.benchmarks.copies import REPS
from tests.benchmarks.figures import Figure
from tests.benchmarks.imports import ran, thaw
from tests.benchmarks.stage import ROOT, Stage, Stopwatch
from tests.workflows.life import CALENDAR, LEAD_ID, PLAYBOOK, START
from workflows.books import Book
from workflows.codec import GENESIS, canonical
from workflows.commands import SetCalendar
from workflows.events import Recorded
from workflows.handle import Carrier
from workflows.rep import handle_rep, rep_id

VERIFIER = ROOT / "service" / "bundle" / "verify.py"


def measure(stage: Stage, url: str, home: Path, count: int) -> list[Figure]:
    """Export a range and the whole log of *count* events, signed with the key in *home*, and check both offline."""
    told = {"THAW_DATABASE_URL": url, "THAW_REDIS_URL": stage.redis_url, "THAW_HOME": str(home)}
    key = str(KeyFiles(Settings(home=str(home))).known()[-1])
    figures = []
    ranged = min(stage.size(100_000, 200), count // 2)
    asked = {"range": ["--range", f"{count // 4 + 1}:{count // 4 + ranged}"], "whole": ["--all"]}
    for name, events in (("range", ranged), ("whole", count)):
        path = home / f"{name}.zip"
        exported = thaw(["export", *asked[name], "-o", str(path), "--reason", "to be measured"], told)
        checked = ran([sys.executable, "-I", "-S", str(VERIFIER), str(path), "--key", key], {})
        what = f"a range of {events:,} events" if name == "range" else "the whole log"
        figures += [
            Figure(f"audit.{name}_exported_per_second", f"events of {what} exported", events / exported.seconds, "/s"),
            Figure(f"audit.{name}_export_mb", "  memory at most", exported.memory_mb, "MB"),
            Figure(f"audit.{name}_offline_per_second", "  checked offline, decisions too", events / checked.seconds, "/s"),
            Figure(f"audit.{name}_offline_mb", "  memory at most", checked.memory_mb, "MB"),
        ]
    whole = home / "whole.zip"
    hashed = _hashed_per_second(whole)
    offline = figures[-2].value
    return [
        *figures,
        Figure("audit.file_mb", "size of the bundle of the whole log", whole.stat().st_size / 2**20, "MB"),
        Figure("audit.file_digest_mb_per_second", "SHA-256 of that file as a whole", _digested_per_second(whole), "MB/s"),
        Figure("audit.bodies_hashed_per_second", "its bodies unpacked, and hashed by hashlib in a bare loop", hashed, "/s"),
        Figure("audit.hashing_over_offline", "that / checked offline", hashed / offline, "x"),
    ]


def freeze_calendars(engine: Engine, reps: int = REPS) -> None:
    """Make the first so many reps known, so that decisions find their calendars in the log."""
    with transaction(engine) as connection:
        publish(connection, PLAYBOOK)
        frozen = list(_calendars(reps))
        append(connection, [chained(recorded, GENESIS) for recorded, _ in frozen])
        connection.execute(_CARRIED, [{"id": recorded.message_id, "body": body, "now": START} for recorded, body in frozen])


def say_published(engine: Engine) -> None:
    """Say in the log that the rules were published, as `thaw verify` asks; that stream is no lead's, and is not folded."""
    with transaction(engine) as connection:
        record_published(connection, PLAYBOOK, now=START, by="manager:bench")


#: What froze a calendar, as a worker leaves its message: the event does not repeat the command.
_CARRIED = text("""
    INSERT INTO messages (id, stream_id, actor_name, body, asked_by, correlation_id, due_at, settled_at, outcome)
    SELECT message_id, stream_id, 'rep', :body, actor, correlation_id, :now, :now, 'applied' FROM events WHERE message_id = :id
""")


def _calendars(reps: int) -> Iterator[tuple[Recorded, str]]:
    """Yield what freezes the calendar of each rep, and the body of the message that asked for it."""
    for number in range(reps):
        name = f"rep-{number:03}"
        now = START - timedelta(days=1)
        id_ = uuid5(LEAD_ID, name)
        carrier = Carrier(
            message_id=id_, stream_id=rep_id(name), actor="rep", correlation_id=id_, causation_id=None, recorded_at=now
        )
        command = SetCalendar(rep=name, calendar=CALENDAR, playbook=PLAYBOOK.id)
        handled = handle_rep(None, command, now=now, calendar=None, playbook=PLAYBOOK, book=Book(), carrier=carrier)
        for recorded in handled.recorded:
            yield recorded, canonical(command).decode()


def _digested_per_second(path: Path) -> float:
    """Return the megabytes."""
    watch = Stopwatch()
    with path.open("rb") as file:
        hashlib.file_digest(file, "sha256")
    return path.stat().st_size / 2**20 / watch.seconds


def _hashed_per_second(path: Path) -> float:
    watch, count = Stopwatch(), 0
    with zipfile.ZipFile(path) as bundle, bundle.open("events.ndjson") as bodies:
        for body in bodies:
            hashlib.sha256(body).digest()
            count += 1
    return count / watch.seconds
