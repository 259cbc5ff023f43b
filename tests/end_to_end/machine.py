"""What a person does at a terminal: ``thaw up`` in one window, single commands in another, and the power switch."""

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from service.clocks import DrivenClock
from service.demo.sample import write_sample
from service.embedded import Servers, discover
from tests.stage import MARK, ROOT, SECONDS, processes_of, until

#: Monday, 00:00 in New York.
MONDAY = datetime(2026, 1, 5, 5, 0, tzinfo=UTC)

REP = "dana"


class Window:
    """``thaw up`` in a terminal window."""

    def __init__(self, environ: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "service", "up"], cwd=ROOT, env=environ, stdout=output, stderr=output,
                start_new_session=True,
            )  # fmt: skip
        until(lambda: self.said("up: ") or self.process.poll() is not None, "thaw up is up")
        assert self.process.poll() is None, self.log.read_text()

    def said(self, words: str) -> bool:
        """Whether *words* were printed."""
        return words in self.log.read_text()

    def press_ctrl_c(self) -> int:
        """Interrupt as a terminal does, all that stands in the window's group, and return the exit code."""
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(SECONDS)

    def kill(self) -> None:
        """Kill -9 it."""
        self.process.kill()
        self.process.wait(SECONDS)


class Machine:
    """A machine with one THAW_HOME, on a clock that the test drives."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.mark = uuid4().hex
        self.clock = DrivenClock(folder / "clock")
        self.clock.move(MONDAY)
        self.windows: list[Window] = []
        ours = {name: value for name, value in os.environ.items() if not name.startswith("THAW_")}
        told = {"THAW_HOME": str(self.home), "THAW_CLOCK_FILE": str(folder / "clock"), "THAW_LOG": "json", MARK: self.mark}
        self.environ = ours | told | environ

    def up(self) -> Window:
        """Start ``thaw up`` and return once it says that it runs."""
        self.windows.append(Window(self.environ, self.folder / f"up-{len(self.windows)}.log"))
        return self.windows[-1]

    def thaw(self, *arguments: object) -> str:
        """Run a command, which is to succeed, and return what it printed."""
        argv = [sys.executable, "-m", "service", *map(str, arguments)]
        done = subprocess.run(argv, cwd=ROOT, env=self.environ, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, f"{done.args}: {done.stdout}{done.stderr}"
        return done.stdout

    def said(self, *arguments: object) -> Any:
        """Do the same with ``--json`` and return the object."""
        return json.loads(self.thaw(*arguments, "--json").splitlines()[-1])

    def take_in(self, leads: int) -> None:
        """Import invented leads, and wait until they are known."""
        sample = self.folder / "leads.csv"
        write_sample(sample, leads=leads, seed=1, before=date(2026, 1, 5), rep=REP)
        self.thaw("import", sample, "--mapping", ROOT / "mappings" / "leads.toml", "--wait")

    def servers(self) -> Servers:
        """Return the embedded servers, once they run."""
        until(lambda: discover(self.home), "the embedded servers run")
        found = discover(self.home)
        assert found is not None
        return found

    def processes(self) -> dict[int, str]:
        """Return all processes that Thaw has on this machine."""
        return processes_of(self.mark, self.home)

    def close(self) -> None:
        """Interrupt what still runs; nothing may be left."""
        for window in self.windows:
            if window.process.poll() is None:
                window.press_ctrl_c()
        until(lambda: not self.processes(), "all processes of Thaw are gone")
