"""``thaw cut-bait``: who costs more than they will bring, for a person to decide; ``thaw alerts``: what to hear of."""

import click

from models import views
from service.cli.answers import typed_errors
from service.cli.app import App, json_option, pass_app
from service.cut_bait import read_alerts, read_cards
from service.doubles import read_doubles
from service.find import find_rep
from service.wording import count, plain

_limit_option = click.option(
    "--limit", type=click.IntRange(min=1), default=10, show_default=True, help="So many are printed; --json has all."
)


@click.command("cut-bait")
@click.option("--rep", "rep_name", help="Whose leads; without it, the whole team's.")
@_limit_option
@json_option
@pass_app
def cut_bait(app: App, rep_name: str | None, limit: int, as_json: bool) -> None:
    """Propose whom to let go: what one more hour brings against the queue, and what was tried. A person decides.

    What brings least an hour comes first. What an hour brings is the value of the sale times its chance over the minutes still
    needed, in the currency in which the playbook has value_by_band. Nobody is ever given up by the service itself.
    """
    with typed_errors(), views.snapshot(app.service.engine) as connection:
        cards = read_cards(connection, app.service.now(), find_rep(connection, rep_name).name if rep_name else None)
    if as_json:
        app.print_json({"cards": cards})
        return
    if not cards:
        click.echo("nobody is proposed for letting go")
    for shown in cards[:limit]:
        click.echo(f"{plain(shown.name)} ({shown.key}), {plain(shown.owner)}: {'; '.join(shown.why)}")
        for line in shown.lines:
            click.echo(f"    {plain(line)}")
        for command in shown.commands:
            click.echo(f"    $ {command}")
    if cards:
        click.echo("what an hour brings is in the currency of the playbook's value_by_band")
    _total(len(cards), limit, "lead is", "leads are", "proposed for letting go")


def _total(number: int, limit: int, one: str, many: str, what: str) -> None:
    """Say how many there are in all, and how to see those that were not printed."""
    if number:
        more = f"; not shown: {number - limit} (--limit {number} shows all)" if number > limit else ""
        click.echo(f"{count(number, one, many)} {what}{more}")


@click.command()
@click.option("--rep", "rep_name", help="Whose leads; without it, the whole team's.")
@_limit_option
@json_option
@pass_app
def alerts(app: App, rep_name: str | None, limit: int, as_json: bool) -> None:
    """List much time for little hope, who has gone silent, who heard nothing from us for long, and who may be known twice."""
    with typed_errors(), views.snapshot(app.service.engine) as connection:
        owner = find_rep(connection, rep_name).name if rep_name else None
        found = [*read_alerts(connection, app.service.now(), owner), *read_doubles(connection, owner)]
    if as_json:
        app.print_json({"alerts": found})
        return
    if not found:
        click.echo("nothing to be alarmed at")
    for alert in found[:limit]:
        click.echo(f"{plain(alert.owner)}: {plain(alert.name)} ({alert.key}) {plain(alert.says)} [{alert.rule}]")
        click.echo(f"    $ {alert.command}")
    _total(len(found), limit, "alert", "alerts", "in all")


COMMANDS = (cut_bait, alerts)
