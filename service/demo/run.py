"""One run of the demonstration, from an empty database to its figures."""

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from migrations.runner import current_revision
from models import events, messages
from models.database import Connection, transaction
from models.playbooks import publish
from models.verify import Verified, verify
from service.calendars import freeze_calendar
from service.clocks import DrivenClock
from service.demo.driver import Driver, StalledError
from service.demo.report import Figures, Touches, figures, nth, read_touches
from service.demo.sample import write_sample
from service.demo.script import ScriptedRep
from service.embedded import EmbeddedServerError, discover
from service.imports.mapping_file import read_mapping
from service.imports.run import Wish, run_import
from service.pepper import open_pepper
from service.playbooks import shipped_playbooks
from service.settings import CLOCK, Settings
from service.wiring import Service
from workflows.calendars import Absence, Calendar
from workflows.playbooks import Playbook

REP, COUNTRY, TIMEZONE = "dana", "US", "America/New_York"
LEADS = 700
MAPPING = Path(__file__).parents[2] / "mappings" / "leads.toml"
START, END = date(2026, 1, 5), date(2026, 7, 3)

#: A run with leave goes on after `END` until the 600th promised call is made, but no longer than this.
LAST = date(2026, 8, 31)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to run."""

    seed: int = 555
    leave: tuple[Absence, ...] = ()
    long_gap: Literal["skip", "accept"] = "skip"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    figures: Figures
    touches: Touches
    calendar: Calendar
    verified: Verified
    end: date


def playbook_for(plan: Plan) -> Playbook:
    """Return the shipped 5+5+5, or a higher version of it with the plan's rule for long gaps."""
    shipped = shipped_playbooks()["five-five-five"][0]
    if plan.long_gap == shipped.capacity.long_gap:
        return shipped
    capacity = msgspec.structs.replace(shipped.capacity, long_gap=plan.long_gap)
    return msgspec.structs.replace(shipped, version="1.1.0", capacity=capacity)


def calendar_for(plan: Plan) -> Calendar:
    """Return Dana's working calendar, with the plan's leave."""
    first, last = START - timedelta(days=366), START + timedelta(days=1095)
    return freeze_calendar(COUNTRY, "", TIMEZONE, first, last, absences=plan.leave)


def live_through(service: Service, clock: DrivenClock, plan: Plan, progress: Callable[[date, int], None]) -> Result:
    """Import the sample, live through the half year day by day, and count what the log says."""
    began = time.monotonic()
    calendar, playbook = calendar_for(plan), playbook_for(plan)
    with transaction(service.engine) as connection:
        publish(connection, playbook)
    driver = Driver(service, clock, REP, calendar)
    driver.introduce_rep(playbook.id)
    import_sample(service, plan)
    driver.settle()
    script = ScriptedRep(plan.seed, playbook, calendar, driver.keep)
    day, touches = START, None
    while day <= END or (plan.leave and day <= LAST and not _has_600(service, calendar)):
        driver.live(script, day)
        progress(day, len(driver.submitted))
        day += timedelta(days=1)
    with transaction(service.engine) as connection:
        touches = read_touches(connection, calendar)
        verified = verify(connection)
        counted = figures(
            touches,
            calendar,
            start=START,
            end=END,
            events=events.head_position(connection),
            messages=messages.count(connection),
            mismatches=len(verified.findings),
            lost=messages.lost(connection, driver.submitted, now=clock()),
            seconds=time.monotonic() - began,
        )
    return Result(figures=counted, touches=touches, calendar=calendar, verified=verified, end=day - timedelta(days=1))


def import_sample(service: Service, plan: Plan) -> None:
    """Write the sample and import it, as ``thaw import`` does."""
    with tempfile.TemporaryDirectory() as folder:
        sample = Path(folder) / "leads.csv"
        write_sample(sample, leads=LEADS, seed=plan.seed, before=START, rep=REP)
        pepper = open_pepper(service.settings, service.engine)
        result = run_import(service.engine, sample, read_mapping(MAPPING), Wish(), pepper=pepper, now=service.now())
    if result.report.totals.created != LEADS:
        raise StalledError(f"only {result.report.totals.created} of {LEADS} sample leads were accepted: {result.report.errors}")
    service.bell.ring_soon(result.rings)


def _has_600(service: Service, calendar: Calendar) -> bool:
    with transaction(service.engine) as connection:
        promises = read_touches(connection, calendar).promises
    calls = sorted(promise.call_on for promise in promises if promise.call_on)
    return nth(calls, 600) is not None


def is_empty(connection: Connection) -> bool:
    """Whether this database was never migrated, or no event was ever recorded in it."""
    return current_revision(connection) is None or events.head_position(connection) == 0


@contextmanager
def fresh_home(settings: Settings) -> Iterator[tuple[Settings, DrivenClock]]:
    """Yield settings for an empty home of the demonstration's own, with a clock that stands before its first day."""
    home = settings.home_path / "demo"
    if discover(home) is not None:
        raise EmbeddedServerError(f"a demonstration is running already in {home}: wait for it, or name another THAW_HOME")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True, mode=0o700)
    clock_file = home / CLOCK
    clock = DrivenClock(clock_file)
    clock.move(datetime(START.year, START.month, START.day, 5, tzinfo=UTC) - timedelta(days=1))
    yield (
        msgspec.structs.replace(
            settings,
            home=str(home),
            namespace="thaw-demo",
            clock_file=str(clock_file),
            clock_poll_ms=10,
            log_level="warning",
        ),
        clock,
    )


@contextmanager
def in_background(run: Callable[[], None], stop: Callable[[], None]) -> Iterator[None]:
    """Run *run* in a thread while the block lasts, then *stop* it."""
    thread = threading.Thread(target=run, name="supervisor")
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join()
