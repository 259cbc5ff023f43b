"""``thaw operations``: what operators did to the service itself."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import click

from models import views
from service.cli.answers import typed_errors
from service.cli.app import App, json_option, pass_app
from service.find import find_lead
from service.history import History, read_history
from service.operations import OperationShown, concerns, operation_lines, read_operations
from service.times import TimeError, parse_day, parse_moment, zone_of


@click.command("operations")
@click.option("--since", metavar="WHEN", help="Only from then on: 2026-03-09T14:30, 2026-03-09, in UTC.")
@click.option("--lead", help="Only exports that hold events of this lead, and retries of its messages: who was given it?")
@json_option
@pass_app
def operations_(app: App, since: str | None, lead: str | None, as_json: bool) -> None:
    """List what operators did: dead messages retried, imports, exports, pauses, keys, playbooks, rebuilds, migrations.

    These acts stand in the log itself, on the service's own stream, with who did them and why. Times are in UTC.
    """
    zone = zone_of(None)
    with typed_errors(), views.snapshot(app.service.engine) as connection:
        found = read_operations(connection, _since(since, zone, app.service.now()) if since else None)
        if lead:
            history = read_history(connection, find_lead(connection, lead).lead.id)
            found = [shown for shown in found if _concerns(shown, history)]
    if as_json:
        app.print_json({"operations": found})
        return
    for shown in found:
        for line in operation_lines(shown, zone):
            click.echo(line)
    if not found:
        click.echo("nothing was done" + (" with this lead" if lead else "") + (" since then" if since else ""))


def _concerns(shown: OperationShown, history: History) -> bool:
    """Tell whether the act had to do with the lead of *history*, as far as it had come by then."""
    before = [entry.row.position for entry in history.entries if entry.row.position < shown.position]
    return bool(before) and concerns(shown.data, history.entries[0].recorded.stream_id, before)


def _since(typed: str, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the moment that *typed* names, the beginning of it for a day alone."""
    try:
        return datetime.combine(parse_day(typed), time(), zone)
    except TimeError:
        return parse_moment(typed, zone, now)


COMMANDS = (operations_,)
