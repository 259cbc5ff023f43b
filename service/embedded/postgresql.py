"""The embedded PostgreSQL: made with initdb, then started on loopback TCP behind a SCRAM password."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from service.embedded.errors import EmbeddedServerError
from service.embedded.programs import POSTGRESQL, find_program
from service.embedded.server import Server, server_environment
from service.keeper import Order

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    # A million timers with their indexes fit in; memory is taken only as it is used.
    "shared_buffers": "512MB",
    # After each checkpoint the first change of a page writes all of it, so they come no more often than they have to.
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "fsync": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    # Without DETAIL and CONTEXT, which quote the rows at fault: people's data has no place in a log.
    "log_error_verbosity": "terse",
    "jit": "off",
}
"""Given on the command line, which outranks files: a new release of Thaw changes them without touching the data."""

FAULTS = ("ERROR:  ", "FATAL:  ", "PANIC:  ", "initdb: error: ", "initdb: ")
"""What stands before the reason in a line of postgres or initdb."""

READY_LINE = 7
"""The line of postmaster.pid with the state of the server, counted from 0 (LOCK_FILE_LINE_PM_STATUS in pidfile.h)."""


class PostgreSQL(Server):
    """The database ``thaw``, owned by the superuser ``thaw``."""

    title = "PostgreSQL"
    folder_name = "postgresql"

    @property
    def url(self) -> str:
        """``postgresql://thaw:…@127.0.0.1:…/thaw``."""
        return f"postgresql://thaw:{self.folder.password()}@127.0.0.1:{self.port}/thaw"

    @property
    def service_url(self) -> str:
        """``postgresql://thaw_app:…@127.0.0.1:…/thaw``: a login without the owner's rights, once `thaw migrate` made it."""
        return f"postgresql://thaw_app:{self.folder.secret('service-password')}@127.0.0.1:{self.port}/thaw"

    def _set_up(self, lock: int) -> None:
        if self.folder.data.exists():
            self._check_owner()
            self._check_version(lock)
        else:
            self._make_data(lock)
        # We hold the lock that every process of an earlier server held, so none is alive and this file is stale.
        # PostgreSQL itself would believe the file if another process had the number by now, as in a new container.
        (self.folder.data / "postmaster.pid").unlink(missing_ok=True)

    def _make_data(self, lock: int) -> None:
        """Run initdb in a draft that only becomes the data when it is complete: an interrupted one starts over."""
        draft = self.folder.path / "data.draft"
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir(mode=0o700)
        password = self.folder.path / "initdb.password"
        password.unlink(missing_ok=True)
        with os.fdopen(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self.folder.password() + "\n")
            if self.account is not None:
                self.account.give(file.fileno())
                self.account.give(draft)
        try:
            # The builtin C.UTF-8: sorted by code point, whatever locales the system has.
            locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
            access = (
                "--username=thaw",
                "--pwfile=../initdb.password",
                "--auth-host=scram-sha-256",
                "--auth-local=reject",
            )
            self._run(lock, draft, ["initdb", "-D", self._data_argument(draft), "--no-instructions", *locale, *access])
            single = [
                "postgres",
                "--single",
                "-D",
                self._data_argument(draft),
                "-c",
                "log_checkpoints=off",
                "template1",
            ]
            self._run(lock, draft, single, statements="CREATE DATABASE thaw\n")
        except EmbeddedServerError:
            shutil.rmtree(draft)
            raise
        finally:
            password.unlink()
        draft.rename(self.folder.data)

    def _run(self, lock: int, folder: Path, argv: list[str], *, statements: str = "") -> str:
        """Run one program of PostgreSQL in *folder* to its end and return what it said."""
        outcome = subprocess.run(  # noqa: S603 (a program of the wheel, no shell)
            [find_program(POSTGRESQL, argv[0], self.account), *argv[1:]],
            input=statements,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd=folder,
            env=server_environment(),
            user=self.account.user if self.account else None,
            group=self.account.group if self.account else None,
            extra_groups=[] if self.account else None,
            pass_fds=[lock],
        )
        # A single-user server goes on after a failed statement.
        faults = [line.partition(mark)[2] for line in outcome.stderr.splitlines() for mark in FAULTS if mark in line]
        if outcome.returncode != 0 or faults:
            reason = (faults or outcome.stderr.strip().splitlines() or [f"exit code {outcome.returncode}"])[0]
            raise EmbeddedServerError(f"PostgreSQL could not set up its data in {self.folder.path}: {reason}.")
        return outcome.stdout

    def _check_version(self, lock: int) -> None:
        theirs = (self.folder.data / "PG_VERSION").read_text().strip()
        ours = self._run(lock, self.folder.data, ["postgres", "--version"]).split()[-1].split(".")[0]
        if theirs != ours:
            raise EmbeddedServerError(
                f"The data in {self.folder.data} were written by PostgreSQL {theirs}; the installed package "
                f"{POSTGRESQL.distribution} has PostgreSQL {ours}. Install the earlier package, or move the data with "
                f"pg_dump."
            )

    def _data_argument(self, folder: Path) -> str:
        """Return a name of *folder*, where the program is started, that works however long or closed the way to it is.

        PostgreSQL goes to its data by an absolute path, and crashes over one of more than a thousand bytes. Our parent
        folders may be closed to ``nobody``, as /root is. On Linux /proc/self/cwd leads to where a process already is
        without walking through its parents.
        """
        return "/proc/self/cwd" if sys.platform == "linux" else str(folder)

    def _order(self, lock: int) -> Order:
        program = find_program(POSTGRESQL, "postgres", self.account)
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        argv = [str(program), "-D", self._data_argument(self.folder.data), "-p", str(self.port), *settings]
        # SIGINT is PostgreSQL's fast shutdown: it ends the sessions and writes a checkpoint.
        return self._data_order(argv, lock, stop_signal=signal.SIGINT, grace_seconds=30.0)

    def _is_ready(self, pid: int) -> bool:
        """Read the state as pg_ctl does."""
        try:
            lines = (self.folder.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > READY_LINE and lines[0].strip() == str(pid) and lines[READY_LINE].strip() == "ready"
