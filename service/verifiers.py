"""The streams verified by several processes, all of which see the database at one and the same moment.

``python -m service.verifiers`` is one of them. It reads an `Order` from its standard input, and writes an `Answer` for each of
its parts, on a line of its own. It ends with its order, or with the next answer when there is nobody left to take it.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from models import events, views
from models.database import Connection, ModelError, make_engine
from models.replay import Ids, parts
from models.verify import MOST
from models.verify_part import Part, verify_part

#: A shorter log is verified before further processes would have started.
TOGETHER_EVENTS = 100_000

#: About so many events are in a part: progress is told after each, and none is left waiting for a long last one.
PART_EVENTS = 50_000

#: No more parts than these are made, whatever the head of the log says, which may be altered too.
PARTS_MOST = 1_000

#: No more processes are started of ourselves, however many processors there are: each needs a session on PostgreSQL.
PROCESSES_MOST = 8

#: How long a process that has answered everything may take to end.
END_SECONDS = 10.0

#: Where the packages are: the other processes are to run this very code.
_ROOT = Path(__file__).parents[1]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is to verify."""

    database_url: str
    snapshot: str
    parts: list[Ids]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a part, or why nothing did."""

    part: Part | None = None
    trouble: str = ""


class VerifierEndedError(ModelError):
    """A process ended before it had verified its parts; nothing is known of them."""


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def verifiers(connection: Connection, processes: int | None = None) -> Iterator[Iterator[Part] | None]:
    """Yield the parts that *processes* verify, as they come; None when this process is to verify all alone.

    *connection* is in a `views.snapshot`. Of ourselves we start as many processes as there are processors, for long logs only.
    The processes are gone when the block ends.

    Raises
    ------
    VerifierEndedError
        From the iterator, when one was killed or failed.
    ModelError
        From the iterator, when PostgreSQL refused one of them.
    """
    count = events.head_position(connection)
    if processes is None:
        processes = min(processors(), PROCESSES_MOST) if count >= TOGETHER_EVENTS else 1
    if processes == 1:
        yield None
        return
    # The same number of parts for each.
    all_parts = parts(processes * max(1, min(count // PART_EVENTS, PARTS_MOST) // processes))
    url = connection.engine.url.render_as_string(hide_password=False)
    snapshot = views.export(connection)
    with ExitStack() as stack:
        started = [
            stack.enter_context(_started(Order(database_url=url, snapshot=snapshot, parts=all_parts[number::processes])))
            for number in range(processes)
        ]
        yield _answers(started, len(all_parts))
        for process in started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(END_SECONDS)


@contextmanager
def _started(order: Order) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a process with *order*, which is given on no command line: it holds a password. Kill it at the end of the block."""
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "service.verifiers"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        # A Ctrl-C is for us, who kill it then.
        start_new_session=True,
    ) as process:
        assert process.stdin is not None  # noqa: S101  # asked for above
        try:
            # Where nobody reads, the process has ended, which is noticed by the answers that are missing.
            with contextlib.suppress(BrokenPipeError), process.stdin as stdin:
                stdin.write(msgspec.json.encode(order))
            yield process
        finally:
            process.kill()


def _answers(started: Sequence["subprocess.Popen[bytes]"], count: int) -> Iterator[Part]:
    """Yield *count* parts, in the order in which they were given out by turns."""
    for number in range(count):
        process = started[number % len(started)]
        assert process.stdout is not None  # noqa: S101  # asked for when it was started
        line = process.stdout.readline()
        if not line.endswith(b"\n"):
            raise VerifierEndedError(
                f"a process that verified a part of the log has ended (status {process.wait()}), so not all was verified: "
                f"see that there is memory enough, and try again"
            )
        answer = msgspec.json.decode(line, type=Answer)
        if answer.part is None:
            raise ModelError(answer.trouble)
        yield answer.part


def main() -> None:
    """Carry out the order on the standard input."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    with contextlib.suppress(BrokenPipeError):  # whoever asked is gone
        try:
            _carry_out(order)
        except ModelError as error:
            _tell(Answer(trouble=str(error)))


def _carry_out(order: Order) -> None:
    engine = make_engine(order.database_url, application_name="thaw verify")
    with views.snapshot(engine, exported=order.snapshot) as connection:
        for ids in order.parts:
            _tell(Answer(part=verify_part(connection, ids, most=MOST)))


def _tell(answer: Answer) -> None:
    line = msgspec.json.encode(answer) + b"\n"
    while line:
        # Nothing is left in a buffer that Python would try to write once more while it exits.
        line = line[os.write(sys.stdout.fileno(), line) :]


if __name__ == "__main__":
    main()
