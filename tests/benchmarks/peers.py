"""The `eventsourcing` library beside us, in an environment of its own: measured where it can be installed, else left out."""

import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from tests.benchmarks.stage import Stage

REQUIREMENT = "eventsourcing[postgres]==9.5.6"

INSTALL_SECONDS = 90

#: Aggregates of so many events each, which is what a lead has.
PROGRAM = """
import os, sys, time
names = [f"POSTGRES_{name}" for name in ("HOST", "PORT", "USER", "PASSWORD", "DBNAME")]
os.environ.update(zip(names, sys.stdin.read().split("\\n")), PERSISTENCE_MODULE="eventsourcing.postgres")
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

class Lead(Aggregate):
    @event("Registered")
    def __init__(self, owner): self.owner, self.touches = owner, 0
    @event("Touched")
    def touch(self, item): self.touches += 1

streams, events = int(sys.argv[1]), 15
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
os._exit(0)
"""


def replay_rate(stage: Stage) -> float | str:
    """Return how many events per second `eventsourcing` replays, or why that is not known."""
    if stage.quick:
        return "this is a quick run"
    with tempfile.TemporaryDirectory(prefix="thaw-bench-") as folder, stage.database() as url:
        python = str(Path(folder) / "bin" / "python")
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", REQUIREMENT]
        try:
            subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True, timeout=INSTALL_SECONDS)
            subprocess.run(install, check=True, capture_output=True, timeout=INSTALL_SECONDS)
            parts = urlsplit(url)
            answers = (parts.hostname, parts.port, parts.username, parts.password, parts.path.lstrip("/"))
            ran = subprocess.run(
                [python, "-c", PROGRAM, "200"],
                input="\n".join(map(str, answers)),
                text=True,
                check=True,
                capture_output=True,
                timeout=INSTALL_SECONDS,
            )
        except (OSError, subprocess.SubprocessError) as error:
            return f"it could not be installed or run ({type(error).__name__})"
        return float(ran.stdout)
