"""Other libraries beside us, each in an environment of its own: measured where it can be installed, else left out.

`eventsourcing` replays aggregates. `auditchain` (MIT, 0.3.0 of September 2026) is the nearest to our verification that we
found: a hash chain in PostgreSQL, verified record by record, with inclusion proofs over a Merkle tree. Looked at and left out:
tamperlog, tamperloom, matrym-hashchain, ujex-audit-chain and pamoja-audit (logs in files or memory), pymerkle (a tree alone),
hashchain and logchain (last released in 2019 and 2021), immudb-py (a client of a database that verifies itself).
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.benchmarks.stage import Stage

EVENTSOURCING = "eventsourcing[postgres]==9.5.6"
AUDITCHAIN = "auditchain[postgres]==0.3.0"

TIME_LIMIT_SECONDS = 90

#: Aggregates of so many events each, which is what a lead has.
REPLAY = """
import os, sys, time
names = [f"POSTGRES_{name}" for name in ("HOST", "PORT", "USER", "PASSWORD", "DBNAME")]
os.environ.update(zip(names, sys.stdin.readline().split()), PERSISTENCE_MODULE="eventsourcing.postgres")
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

class Lead(Aggregate):
    @event("Registered")
    def __init__(self, owner): self.owner, self.touches = owner, 0
    @event("Touched")
    def touch(self, item): self.touches += 1

streams, events = 200, 15
app = Application()
leads = [Lead("rep") for _ in range(streams)]
for lead in leads:
    for number in range(events - 1): lead.touch(f"item-{number}")
    app.save(lead)
best = None
for _ in range(2):
    began = time.perf_counter()
    for lead in leads: app.repository.get(lead.id)
    best = min(filter(None, (best, time.perf_counter() - began)))
print(streams * events / best)
sys.stdout.flush()
os._exit(0)
"""

#: Each line of the input behind the first is what one record carries.
VERIFY = """
import asyncio, json, sys, time
from auditchain import AuditLog, PostgresBackend

async def main():
    host, port, user, password, database = sys.stdin.readline().split()
    carried = [json.loads(line) for line in sys.stdin]
    async with AuditLog(PostgresBackend(f"postgresql://{user}:{password}@{host}:{port}/{database}")) as log:
        for start in range(0, len(carried), 1000):
            await log.append_many([("rep", "event", "lead", each) for each in carried[start : start + 1000]])
        seconds = []
        for _ in range(2):
            began = time.perf_counter()
            report = await log.verify(expected_count=len(carried))
            seconds.append(time.perf_counter() - began)
            assert report.ok, report
        began = time.perf_counter()
        await log.inclusion_proof(len(carried) // 2)
        print(len(carried) / min(seconds), time.perf_counter() - began)

asyncio.run(main())
"""


class ChainRates(NamedTuple):
    """What `auditchain` takes for a log of *records*."""

    records: int
    verified_per_second: float
    proof_seconds: float
    """For the proof that one record is among them."""


@cache
def replay_rate(stage: Stage) -> float | str:
    """Return how many events per second `eventsourcing` replays, or why that is not known."""
    answer = _run(stage, EVENTSOURCING, REPLAY, ())
    return answer if isinstance(answer, str) else answer[0]


def chain_rates(stage: Stage, bodies: Sequence[bytes]) -> ChainRates | str:
    """Return how fast `auditchain` verifies a log whose records carry *bodies*, or why that is not known."""
    answer = _run(stage, AUDITCHAIN, VERIFY, bodies)
    return answer if isinstance(answer, str) else ChainRates(len(bodies), answer[0], answer[1])


def _run(stage: Stage, requirement: str, program: str, lines: Sequence[bytes]) -> list[float] | str:
    """Install *requirement* in a folder that is thrown away and return the numbers that *program* prints, or why it has not."""
    if stage.quick:
        return "this is a quick run"
    with tempfile.TemporaryDirectory(prefix="thaw-bench-") as folder, stage.database() as url:
        python = str(Path(folder) / "bin" / "python")
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", requirement]
        parts = urlsplit(url)
        where = " ".join(map(str, (parts.hostname, parts.port, parts.username, parts.password, parts.path.lstrip("/"))))
        try:
            for command in ([sys.executable, "-m", "venv", folder], install):
                subprocess.run(command, check=True, capture_output=True, timeout=TIME_LIMIT_SECONDS)
            ran = subprocess.run(
                [python, "-c", program],
                input=b"\n".join((where.encode(), *lines)),
                check=True,
                capture_output=True,
                timeout=TIME_LIMIT_SECONDS,
            )
        except (OSError, subprocess.SubprocessError) as error:
            return f"it could not be installed or run ({type(error).__name__})"
        return [float(number) for number in ran.stdout.split()]
