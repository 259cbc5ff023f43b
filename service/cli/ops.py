"""Is all well, and the projections made again from the log."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models import events, operations, views
from models.database import Connection, transaction
from models.findings import Finding
from models.rebuild import Rebuilt
from models.rebuild import rebuild as rebuild_projections
from models.verify import verify as verify_log
from service.cli.app import REFUSED, UNAVAILABLE, App, json_option, pass_app
from service.cli.operator import by_option, operator, reason_option
from service.health import Checkpoints, Status, read_status
from service.pauses import pause_lines
from service.times import shown_age, shown_moment, zone_of
from service.verifiers import verifiers
from service.wiring import connect
from service.wording import count, plain
from workflows.operations import ProjectionsRebuilt


@click.command()
@json_option
@pass_app
@click.pass_context
def status(ctx: click.Context, app: App, as_json: bool) -> None:
    """Print the health of the service: servers, workers, clock, queue, messages and leads.

    Exit status 3 when PostgreSQL or Redis is away, or the schema is not this release's.
    """
    # The schema is reported here rather than insisted on, so that there is something to print in any case.
    found = read_status(connect(app.settings, name="thaw status", schema_checked=False, redis_needed=False))
    if as_json:
        app.print_json(found)
    else:
        for line in _status_lines(found):
            click.echo(line)
    if not found.reachable:
        ctx.exit(UNAVAILABLE)


def _status_lines(found: Status) -> Iterator[str]:
    yield f"postgresql  {found.postgresql or plain(found.postgresql_trouble, 300)}"
    if found.postgresql:
        yield f"schema      {found.schema_trouble or found.schema}"
    yield f"redis       {plain(found.redis_trouble, 300) or 'reachable'}"
    if not found.redis_trouble:
        yield f"workers     {count(found.workers, 'process', 'processes')} seen in the last {found.worker_seconds} s"
        yield f"queue       ready {found.ready}, in flight {found.in_flight}"
    if found.messages:
        m = found.messages
        yield f"clock       {count(found.clocks, 'process', 'processes')} connected to PostgreSQL"
        yield (
            f"messages    waiting {m.waiting}, due {m.due}, rung {m.rung}, failing {m.failing}, overdue {m.overdue}, "
            f"dead {m.dead}"
        )
        for line in pause_lines(found.pauses, zone_of(None)):
            yield f"paused      {line}"
        if found.pauses:
            yield f"{'':<12}{count(m.paused, 'message waits', 'messages wait')} for that; opt-outs and replies do not"
        yield f"oldest due  {shown_age(m.oldest_seconds) if m.due or m.rung else 'nothing is due'}"
        yield from _checkpoint_lines(found.checkpoints)
        by_state = ", ".join(f"{plain(state, 80)} {number}" for state, number in found.leads.items())
        yield f"leads       {sum(found.leads.values())}{f': {by_state}' if by_state else ''}"
        yield f"mail        {found.mail}; {found.mail_waiting} waiting"
    for hint in found.hints:
        yield f"! {hint}"


def _checkpoint_lines(found: Checkpoints | None) -> Iterator[str]:
    if found is None:
        return
    made = f"{shown_age(found.age_seconds)} ago" if found.age_seconds >= 0 else "dated ahead of now"
    yield f"checkpoint  over {count(found.newest, 'event')}, {made}"
    for each in found.unsent:
        since = f"since {shown_moment(each.since, zone_of(None))} ({count(each.times, 'try', 'tries')})"
        yield f"{'':<12}not sent to {plain(each.destination, 80)} {since}: {plain(each.error, 300)}"


def _verified(app: App) -> list[Finding]:
    with (
        views.snapshot(app.service.engine) as connection,
        verifiers(connection) as parts,
        progress_bar(connection, "verifying") as progress,
    ):
        return verify_log(connection, progress=progress, parts=parts).findings


@click.command()
@click.option("--check", is_flag=True, help="Change nothing: compare, and end with status 1 when something differs.")
@reason_option
@by_option
@json_option
@pass_app
@click.pass_context
def rebuild(ctx: click.Context, app: App, check: bool, reason: str | None, by: str | None, as_json: bool) -> None:
    """Make leads, reps, slots and calendars again from the log alone, and stage timers that are missing or wrong.

    Workers wait meanwhile. Contacts, documents and playbooks are left alone: they are no projections. The log says who did it.
    """
    if check:
        _check(ctx, app, as_json)
        return
    try:
        with transaction(app.service.engine) as connection, progress_bar(connection, "rebuilding") as progress:
            rebuilt = rebuild_projections(connection, progress=progress)
            kept = operations.keep_reason(connection, reason) if reason else None
            done = ProjectionsRebuilt(**rebuilt._asdict(), reason=kept)
            operations.append(connection, done, now=app.service.now(), by=operator(by))
    except ValueError as error:
        # A body that is no event, or an event that does not follow from the one before it; all was rolled back.
        _give_up(ctx, f"the log cannot be folded, and nothing was changed: {plain(str(error), 300)}. Run `thaw verify`.")
    if as_json:
        app.print_json(rebuilt._asdict())
    else:
        click.echo(_rebuilt_line(rebuilt))


def _rebuilt_line(rebuilt: Rebuilt) -> str:
    made = f"{count(rebuilt.leads, 'lead')}, {count(rebuilt.reps, 'rep')} and {count(rebuilt.slots, 'slot')}"
    staged = f"{count(rebuilt.timers, 'timer')} that were missing or wrong are staged"
    timers = staged if rebuilt.timers else "no timer was missing or wrong"
    return f"rebuilt {made} from {count(rebuilt.events, 'event')}; {timers}"


def _check(ctx: click.Context, app: App, as_json: bool) -> None:
    findings = _verified(app)
    with transaction(app.service.engine) as connection:
        differences = [finding.sentence for finding in findings] + views.wrong_calendars(connection)
    if as_json:
        app.print_json({"same": not differences, "differences": differences})
    else:
        for difference in differences:
            click.echo(f"DIFFERS  {plain(difference, 1_000)}")
        click.echo("the projections differ from the log" if differences else "the projections are what the log says")
    if differences:
        ctx.exit(REFUSED)


def _give_up(ctx: click.Context, sentence: str) -> NoReturn:
    click.echo(f"thaw: {sentence}", err=True)
    ctx.exit(REFUSED)


@contextmanager
def progress_bar(connection: Connection, what: str) -> Iterator[Callable[[int], None]]:
    """Show how many events are done when somebody watches, and nothing in a pipe."""
    of = events.head_position(connection)
    with bar(what) as update:
        yield lambda done: update(done, of)


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how many of how many are done when somebody watches, and nothing in a pipe."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, of: progress.update(task, completed=done, total=of)


COMMANDS = (status, rebuild)
