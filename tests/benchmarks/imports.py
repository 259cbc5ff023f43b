"""Importing a large file of leads: rows per second, and the most memory that the command takes."""

import json
import os
import resource
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

from service.demo.sample import write_sample
from tests.benchmarks.figures import Figure
from tests.benchmarks.stage import ROOT, Stage, Stopwatch

TITLE = "Import of leads from CSV"

MEMORY_MB = 300.0
MAPPING = ROOT / "mappings" / "leads.toml"


def run(stage: Stage) -> tuple[list[Figure], list[str]]:
    """Import the file twice through the command line and return the figures."""
    rows = stage.size(100_000, 1_000)
    with stage.database() as url, stage.namespace() as namespace, tempfile.TemporaryDirectory() as folder:
        sample = Path(folder) / "leads.csv"
        write_sample(sample, leads=rows, seed=1, before=date(2026, 1, 5), rep="dana")
        size_mb = sample.stat().st_size / 2**20
        told = {"THAW_DATABASE_URL": url, "THAW_REDIS_URL": stage.redis_url, "THAW_NAMESPACE": namespace, "THAW_HOME": folder}
        created, created_mb = _import(sample, told, rows, "created")
        unchanged, unchanged_mb = _import(sample, told, rows, "unchanged")
    figures = [
        Figure("import.created_per_second", "rows that are new", created, "/s"),
        Figure("import.unchanged_per_second", "the same rows again", unchanged, "/s"),
        Figure("import.peak_mb", "peak memory of the command", max(created_mb, unchanged_mb), "MB", MEMORY_MB, at_most=True),
    ]
    return figures, [f"{rows:,} rows, {size_mb:,.0f} MB; whole process, start included"]


def _import(sample: Path, told: dict[str, str], rows: int, expected: str) -> tuple[float, float]:
    """Run ``thaw import`` and return its rows per second and its peak memory in MB."""
    command = [sys.executable, "-m", "tests.benchmarks.imports", str(sample), "--mapping", str(MAPPING), "--json"]
    watch = Stopwatch()
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **told}, stdout=subprocess.PIPE, text=True, check=True)
    seconds = watch.seconds
    report, peak = done.stdout.strip().splitlines()[-2:]
    if json.loads(report)["totals"][expected] != rows:
        raise RuntimeError(f"not all rows were {expected}: {report[:300]}")
    return rows / seconds, float(peak)


def main() -> None:
    """Be ``thaw import`` with these arguments, and then print the peak memory of this process in MB."""
    from service.cli import main as thaw

    try:
        thaw(["import", *sys.argv[1:]], prog_name="thaw")
    finally:
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        sys.stdout.write(f"{kilobytes / (1024 if sys.platform != 'darwin' else 2**20)}\n")


if __name__ == "__main__":
    main()
