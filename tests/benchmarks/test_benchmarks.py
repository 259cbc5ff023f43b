"""The benchmarks run, at a size at which nothing is measured, and say what they did in one JSON object."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.servers import ServersUnderTest

ROOT = Path(__file__).parents[2]


def test_every_benchmark_runs_and_the_last_line_is_json(servers: ServersUnderTest) -> None:
    """All four print their figures; which aims were met says nothing at this size."""
    told = {"THAW_DATABASE_URL": servers.database_url, "THAW_REDIS_URL": servers.redis_url}
    command = [sys.executable, "-m", "tests.benchmarks", "--quick"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **told}, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr[-2000:]
    last = json.loads(done.stdout.strip().splitlines()[-1])
    for key in ("transitions.over_noop", "replay.folded_per_second", "timers.claim_ratio", "import.peak_mb"):
        assert last[key] > 0
