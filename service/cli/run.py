"""Running the service: servers, schema, workers, clock; alone or all together."""

import os
import shutil
import signal
import sys
import threading
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

import click
import msgspec

from actors.clock import Clock
from migrations import access
from migrations.access import Lacking
from migrations.runner import Migrator
from migrations.runner import migrate as run_migrations
from models.database import make_engine, transaction
from service.cli.app import App, json_logs_option, json_option, pass_app
from service.cli.operator import by_option, operator
from service.cli.roles import warn_of
from service.clocks import clock_for
from service.destinations import destinations
from service.embedded import EmbeddedServers, discover
from service.embedded.watch import watched
from service.keys import KeyFiles
from service.notary import Notary
from service.pepper import fill_keys
from service.playbooks import publish_shipped
from service.settings import Settings, environment
from service.supervisor import Child, Supervisor
from service.wiring import connect, embedded_login, owner_url, resolve_urls, worker_environment

#: How often the mailbox is read, in seconds.
MAILBOX_SECONDS = 60


@click.command()
@json_logs_option
@pass_app
def up(app: App, as_json: bool) -> None:
    """Run everything: servers if none are named, migrations, workers and clock, restarted when they die."""
    if as_json:
        app.log_as_json()
    with own_servers(app.settings) as servers:
        if servers is not None:
            click.echo(f"servers: PostgreSQL and Valkey in {app.settings.home_path}", err=True)
        warn_of(bring_up_to_date(app.settings).lacking)
        connect(app.settings, name="thaw up").engine.dispose()
        click.echo("up: workers and clock run; stop with Ctrl-C", err=True)
        moved = True
        while moved:
            supervisor = Supervisor(children(app.settings))
            with watched(servers, supervisor.stop) as watch:
                supervisor.run()
            # A server that had to take another port is one that workers and clock must be told of anew.
            moved = watch is not None and watch.has_moved


def own_servers(settings: Settings) -> AbstractContextManager[EmbeddedServers | None]:
    """Return the embedded servers that the settings ask for, to be entered; nothing when both are external."""
    if settings.database_url and settings.redis_url:
        return nullcontext()
    return EmbeddedServers(settings.home_path, database=not settings.database_url, redis=not settings.redis_url)


def servers_at_hand(settings: Settings) -> AbstractContextManager[EmbeddedServers | None]:
    """Return the embedded servers, to be entered, unless they run already or none are asked for."""
    return nullcontext() if discover(settings.home_path) else own_servers(settings)


class Migrated(NamedTuple):
    """The schema before and after, and what an administrator has yet to do about the roles."""

    before: str | None
    after: str
    lacking: Lacking


def bring_up_to_date(settings: Settings, by: str = "") -> Migrated:
    """Migrate the database, publish the shipped playbooks and key contacts for *by*; make the embedded server's login.

    The log says what was done to a database that was there before; a new one begins with an empty log.
    """
    engine = make_engine(owner_url(settings), application_name="thaw migrate")
    try:
        migrator = Migrator(by or operator(None), clock_for(settings.clock_file)())
        before, after = run_migrations(engine, migrator)
        publish_shipped(engine, migrator if before else None)
        fill_keys(settings, engine)
        with transaction(engine) as connection:
            login = embedded_login(settings)
            if login:
                access.make_login(connection, *login, access.SERVICE)
            return Migrated(before, after, access.lacking(connection))
    finally:
        engine.dispose()


def children(settings: Settings) -> list[Child]:
    """Return the processes that ``thaw up`` keeps running."""
    database_url, redis_url = resolve_urls(settings)
    told = environment(msgspec.structs.replace(settings, database_url=database_url, redis_url=redis_url))
    thaw = [sys.executable, "-m", "service"]
    workers = [Child(f"worker-{number}", [*thaw, "worker"], told) for number in range(1, settings.worker_processes + 1)]
    if settings.public_url:
        workers.append(Child("unsubscribe", [*thaw, "unsubscribe-server"], told))
    if settings.imap_url:
        workers.append(Child("inbox", [*thaw, "inbound", "--imap", "--every", str(MAILBOX_SECONDS)], told))
    return [*workers, Child("clock", [*thaw, "clock"], told)]


@click.command()
@json_logs_option
@pass_app
def worker(app: App, as_json: bool) -> None:
    """Run one worker process: the stock ``dramatiq`` command line with our settings."""
    if as_json:
        app.log_as_json()
    # Should the service refuse to serve, it says so here and not in a traceback of dramatiq's.
    app.service.engine.dispose()
    program = shutil.which("dramatiq", path=str(Path(sys.executable).parent)) or "dramatiq"
    arguments = [
        program, "service.worker:broker", "--processes", "1", "--threads", str(app.settings.worker_threads),
        "--skip-logging", "--worker-shutdown-timeout", "15000",
        # The master looks at its worker only after this time or its start: one that dies while it starts is missed until then.
        "--worker-fork-timeout", "1000",
    ]  # fmt: skip
    # The process becomes dramatiq itself: nothing stands between it and whoever supervises it.
    os.execvpe(program, arguments, worker_environment(os.environ | environment(app.settings)))  # noqa: S606  # our own program, and no shell


@click.command()
@json_logs_option
@pass_app
def clock(app: App, as_json: bool) -> None:
    """Run the clock process: due messages to the workers, and signed checkpoints of the log once there is a key."""
    if as_json:
        app.log_as_json()
    service = connect(app.settings, name="thaw clock")
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    # Connections of its own name: `thaw status` counts those of the clock.
    notary_engine = make_engine(resolve_urls(app.settings)[0], pool_size=1, application_name="thaw notary")
    notary = Notary(notary_engine, service.clock, KeyFiles(app.settings), destinations(app.settings))
    notes = threading.Thread(target=notary.run, args=(stopping,), name="notary")
    notes.start()
    try:
        Clock(service.engine, service.bell, service.clock, poll_seconds=app.settings.clock_poll_ms / 1000).run(stopping)
    finally:
        stopping.set()
        notes.join()
        notary_engine.dispose()


@click.command()
@json_option
@pass_app
def servers(app: App, as_json: bool) -> None:
    """Print the URLs of PostgreSQL and Redis, for psql and redis-cli. They hold passwords."""
    database_url, redis_url = owner_url(app.settings), resolve_urls(app.settings)[1]
    if as_json:
        app.print_json({"database_url": database_url, "redis_url": redis_url})
        return
    click.echo(f"psql {database_url}")
    click.echo(f"redis-cli -u {redis_url}")


@click.command()
@by_option
@json_option
@pass_app
def migrate(app: App, by: str | None, as_json: bool) -> None:
    """Bring the database to the schema of this release, and publish the shipped playbooks.

    Run it with the login that owns the tables; `thaw roles` says as whom the service should run.
    """
    done = bring_up_to_date(app.settings, operator(by))
    if as_json:
        app.print_json(done._asdict() | {"lacking": done.lacking._asdict()})
    else:
        nothing = done.before == done.after
        click.echo(f"schema {done.after}, nothing to do" if nothing else f"schema {done.before or 'empty'} -> {done.after}")
    warn_of(done.lacking)


@click.command()
@json_option
@pass_app
def settings(app: App, as_json: bool) -> None:
    """Print the effective settings, passwords masked."""
    shown = app.settings.shown()
    if as_json:
        app.print_json(shown)
        return
    for name, value in shown.items():
        click.echo(f"{name}={value}")


COMMANDS = (up, worker, clock, servers, migrate, settings)
