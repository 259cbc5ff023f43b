"""``thaw import`` of many generated leads: rows per second and the most memory that it held, in a process of its own."""

import csv
import os
import random
import subprocess
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import text

from models.database import transaction
from tests.benchmarks.figures import Figure
from tests.benchmarks.stage import ROOT, Stage, Stopwatch, engine_of

TITLE = "Import"

MAPPING = ROOT / "mappings" / "leads.toml"

REPS = ("Dana Hill", "Ann Lee", "Bo Castillo", "Cleo Park", "Eve Moreau")
STREETS = ("Main Street", "Oak Avenue", "Cedar Lane", "Harbor Road", "Lakeview Drive")
CITIES = (("Denver", "80202"), ("Austin", "78701"), ("Portland", "97201"), ("Columbus", "43004"), ("Tampa", "33601"))
STAGES = ("Old",) * 14 + ("Lost",) * 4 + ("Client", "On hold")


class Ran(NamedTuple):
    """What a child process took."""

    seconds: float
    memory_mb: float
    """The most that was resident at any moment."""


def run(stage: Stage) -> tuple[list[Figure], list[str]]:
    """Measure and return the figures, with a note on the file."""
    count = stage.size(100_000, 500)
    with tempfile.TemporaryDirectory(prefix="thaw-bench-") as folder, stage.database() as url, stage.namespace() as namespace:
        file = Path(folder) / "leads.csv"
        write_leads(file, count, datetime.now(UTC).date())
        told = {"THAW_DATABASE_URL": url, "THAW_REDIS_URL": stage.redis_url, "THAW_NAMESPACE": namespace, "THAW_HOME": folder}
        first = thaw(["import", str(file), "--mapping", str(MAPPING)], told)
        with engine_of(url) as engine, transaction(engine) as connection:
            taken_in = connection.scalar(text("SELECT count(*) FROM contacts"))
        if taken_in != count:
            raise RuntimeError(f"{taken_in} of {count} leads were taken in")
        again = thaw(["import", str(file), "--mapping", str(MAPPING)], told)
        megabytes = file.stat().st_size / 2**20
    figures = [
        Figure("import.rows_per_second", "rows taken in", count / first.seconds, "/s"),
        Figure("import.memory_mb", "memory at most", first.memory_mb, "MB", 300, at_most=True),
        Figure("import.again_rows_per_second", "rows of the same file again, all unchanged", count / again.seconds, "/s"),
    ]
    return figures, [f"{count:,} rows, {megabytes:.0f} MB"]


def thaw(arguments: list[str], told: dict[str, str]) -> Ran:
    """Run a command of Thaw in a process of its own and return what it took."""
    return ran([sys.executable, "-m", "service", *arguments], told)


#: A process begins with the memory of the one that started it, which is this small program then and not the whole benchmark.
_LAUNCHER = (
    "import resource, subprocess, sys; status = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL); "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss); sys.exit(status)"
)


def ran(command: list[str], told: dict[str, str]) -> Ran:
    """Run any command in the same way."""
    watch = Stopwatch()
    launched = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, *command],
        cwd=ROOT,
        env={**os.environ, **told},
        stdout=subprocess.PIPE,
        check=False,
    )
    seconds = watch.seconds
    if launched.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {launched.returncode}; its output above says why")
    # ru_maxrss is in kilobytes, and on macOS in bytes (getrusage(2)).
    return Ran(seconds, int(launched.stdout) / (2**20 if sys.platform == "darwin" else 2**10))


def write_leads(file: Path, count: int, today: date) -> None:
    """Write a CSV file of *count* people, the same for the same day."""
    dice = random.Random(count)
    with file.open("w", newline="", encoding="utf-8") as out:
        rows = csv.DictWriter(out, list(_lead(dice, 0, today)))
        rows.writeheader()
        rows.writerows(_lead(dice, number, today) for number in range(count))


def _lead(dice: random.Random, number: int, today: date) -> dict[str, object]:
    city, postcode = dice.choice(CITIES)
    met = today - timedelta(days=dice.randint(200, 1_500))
    stage = dice.choice(STAGES)
    lost = stage in ("Lost", "On hold")
    return {
        "id": f"B-{number:06}", "rep": REPS[number % len(REPS)], "name": f"Person {number:06} Example",
        "company": f"Company {number % 900:03}", "street": f"{dice.randint(1, 9_999)} {dice.choice(STREETS)}", "city": city,
        "postcode": postcode, "country": "US", "phone": f"+1 303 555 {number % 10_000:04}",
        "email": f"person.{number:06}@example.com", "time_zone": "America/Denver", "fact_1": "sails on Sundays",
        "fact_2": "has two dogs", "fact_3": "", "last_meeting_place": f"the {city} fair", "last_meeting_date": met,
        "last_meeting_topic": "a larger place", "interested_in": "the two-bedroom plan", "last_contact_date": met,
        "stage": stage, "lost_on": met if lost else "", "lost_reason": "price" if lost else "",
        "call_again_on": today + timedelta(days=90) if stage == "On hold" else "", "keep_in_touch": "yes" if lost else "",
        "minutes": dice.randint(10, 600), "value": dice.randint(500, 90_000), "qualified": dice.choice(("yes", "")),
    }  # fmt: skip
