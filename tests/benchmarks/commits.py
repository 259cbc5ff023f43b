"""Rows as large as an event, committed one by one by psycopg with nothing above it: what one commit costs on this machine.

``python -m tests.benchmarks.commits`` is one of the connections; it reads its order from the standard input.
"""

import subprocess
import sys
import time

import msgspec
import psycopg

from tests.benchmarks.stage import ROOT, Stage, Stopwatch


class Order(msgspec.Struct):
    """What one connection is to do."""

    url: str
    seconds: float
    begins: float
    """When all connections begin, in seconds of the epoch."""


def commits(stage: Stage, connections: int) -> float:
    """Return how many rows per second are committed one by one over so many connections, each in a process of its own."""
    with stage.database() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE rows (id bigserial PRIMARY KEY, body text NOT NULL)")
        order = Order(url, seconds=0.2 if stage.quick else 2.0, begins=time.time() + 0.5 + 0.1 * connections)
        command = [sys.executable, "-m", "tests.benchmarks.commits"]
        processes = [
            subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(connections)
        ]
        for process in processes:
            assert process.stdin is not None
            process.stdin.write(msgspec.json.encode(order))
            process.stdin.close()
        return sum(_answer(process) for process in processes)


def _answer(process: "subprocess.Popen[bytes]") -> float:
    with process:
        assert process.stdout is not None
        return float(process.stdout.read())


def main() -> None:
    """Commit rows for as long as ordered, and print how many that were per second."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    with psycopg.connect(order.url, autocommit=True) as connection:
        time.sleep(max(0.0, order.begins - time.time()))
        watch, rows = Stopwatch(), 0
        while watch.seconds < order.seconds:
            connection.execute("INSERT INTO rows (body) VALUES (%s)", ("x" * 900,))
            rows += 1
        sys.stdout.write(str(rows / watch.seconds))


if __name__ == "__main__":
    main()
