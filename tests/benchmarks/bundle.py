"""Bundles of the whole log: events per second exported, and verified offline by the verifier that bundles enclose.

Beside them how fast `hashlib` alone hashes the same bodies, from memory and one by one: what no verifier can beat.
"""

import hashlib
import io
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid5

from models.database import Engine, transaction
from models.events import append, chained
from models.playbooks import publish
from service.bundle import verify
from service.bundle.export import export
from service.bundle.selection import Selection
from service.keys import KeyFiles
from service.notary import Notary
from service.settings import Settings
from tests.benchmarks.figures import Figure
from tests.benchmarks.log import REPS, make_projections, write_log
from tests.benchmarks.stage import Stage, Stopwatch, engine_of
from tests.workflows.life import CALENDAR, LEAD_ID, PLAYBOOK, START
from workflows.books import Book
from workflows.codec import GENESIS
from workflows.commands import SetCalendar
from workflows.events import Recorded
from workflows.handle import Carrier
from workflows.rep import handle_rep, rep_id

TITLE = "Bundles, one process"


def run(stage: Stage) -> tuple[list[Figure], list[str]]:
    """Measure and return the figures, with a note on the bundle."""
    with stage.database() as url, engine_of(url) as engine, tempfile.TemporaryDirectory(prefix="thaw-bench-") as home:
        _freeze_calendars(engine)
        write_log(engine, stage.size(100_000, 2_000))
        make_projections(engine)
        keys = KeyFiles(Settings(home=home))
        known = keys.init("thaw/bench")
        notary = Notary(engine, lambda: START, keys, [])
        notary.make(wait=True)
        path = Path(home) / "all.zip"
        watch = Stopwatch()
        made = export(engine, Selection(kind="all"), path, keys=keys, notary=notary, now=START)
        exported = made.events / watch.seconds
        watch = Stopwatch()
        with path.open("rb") as file:
            report = verify.check(file, [verify.parse_key(str(known))], [])
        verified = made.events / watch.seconds
        if report.status:
            raise RuntimeError(f"the bundle was found to be wrong: {verify.as_text(report, path.name)}")
        hashed = _hashed_per_second(path)
    figures = [
        Figure("bundle.exported_per_second", "events exported", exported, "/s"),
        Figure("bundle.verified_per_second", "events verified offline, each decision made again", verified, "/s"),
        Figure("bundle.hashed_per_second", "bodies hashed by hashlib in a bare loop", hashed, "/s"),
        Figure("bundle.hashing_over_verifying", "hashed / verified", hashed / verified, "x"),
    ]
    return figures, [f"{made.events:,} events in {made.bytes / made.events:,.0f} bytes each"]


def _freeze_calendars(engine: Engine) -> None:
    """Make the reps known, so that decisions find their calendars in the log."""
    with transaction(engine) as connection:
        publish(connection, PLAYBOOK)
        append(connection, [chained(recorded, GENESIS) for recorded in _calendars()])


def _calendars() -> Iterator[Recorded]:
    for number in range(REPS):
        name = f"rep-{number:03}"
        now = START - timedelta(days=1)
        id_ = uuid5(LEAD_ID, name)
        carrier = Carrier(
            message_id=id_, stream_id=rep_id(name), actor="rep", correlation_id=id_, causation_id=None, recorded_at=now
        )
        command = SetCalendar(rep=name, calendar=CALENDAR, playbook=PLAYBOOK.id)
        yield from handle_rep(
            None, command, now=now, calendar=None, playbook=PLAYBOOK, book=Book(), carrier=carrier
        ).recorded  # fmt: skip


def _hashed_per_second(path: Path) -> float:
    bodies = zipfile.ZipFile(io.BytesIO(path.read_bytes())).read("events.ndjson").splitlines()
    watch = Stopwatch()
    for body in bodies:
        hashlib.sha256(body).digest()
    return len(bodies) / watch.seconds
