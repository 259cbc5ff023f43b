"""``thaw nurture months``: what was sent in each calendar month, or why nothing was."""

import click

from models import views
from service.cli.answers import typed_errors
from service.cli.app import App, json_option, pass_app
from service.cli.look import owners_zone
from service.find import find_lead
from service.history import read_history
from service.wording import plain, words
from workflows import time_zones
from workflows.nurture_months import nurture_months


@click.command()
@click.argument("lead")
@json_option
@pass_app
def months(app: App, lead: str, as_json: bool) -> None:
    """Show each calendar month in nurture, by the prospect's clock: what was sent, or the reason why nothing was."""
    with typed_errors(), views.snapshot(app.service.engine) as connection:
        found = find_lead(connection, lead)
        history = read_history(connection, found.lead.id)
        zone = (time_zones.zone_named(found.lead.timezone) if found.lead.timezone else None) or owners_zone(
            connection, found.lead
        )
        told = nurture_months((entry.recorded for entry in history.entries), app.service.now(), zone)
    if as_json:
        app.print_json({"months": told, "trouble": history.trouble})
        return
    if not told:
        click.echo(f"{found.name} was never in nurture")
    for month in told:
        detail = f": {plain(month.detail, 80)}" if month.detail else ""
        click.echo(f"{month.month}  {words(month.why)}{detail}")
