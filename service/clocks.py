"""The one place that reads the time. Everything else is handed a clock."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

Now = Callable[[], datetime]


def wall_clock() -> datetime:
    """Return the time of this machine, in UTC."""
    return datetime.now(UTC)


class ClockError(Exception):
    """The file that should hold the time does not; the message says what it holds and what would be right."""


class DrivenClock:
    """A clock that stands still until it is moved, shared by processes through a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self) -> datetime:
        """Return the time in the file.

        Raises
        ------
        ClockError
            When there is no such file, or no time with its offset from UTC in it.
        """
        try:
            written = self._path.read_text().strip()
            moment = datetime.fromisoformat(written)
        except FileNotFoundError as error:
            raise ClockError(f"THAW_CLOCK_FILE names {self._path}, and there is no such file") from error
        except ValueError as error:
            raise ClockError(f"{self._path} holds {written[:80]!r}; write a time such as 2026-01-05T15:00:00+00:00") from error
        if moment.tzinfo is None:
            raise ClockError(f"{self._path} holds {written!r} without an offset from UTC; write {written}+00:00, say")
        return moment.astimezone(UTC)

    def move(self, moment: datetime) -> None:
        """Set the time; a reader sees the old or the new one, never a mixture."""
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        draft.write_text(moment.astimezone(UTC).isoformat())
        draft.replace(self._path)


def clock_for(clock_file: str) -> Now:
    """Return the clock that the setting ``THAW_CLOCK_FILE`` names."""
    return DrivenClock(Path(clock_file)) if clock_file else wall_clock
