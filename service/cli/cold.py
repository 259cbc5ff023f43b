"""``thaw cold`` and ``thaw stage``: open deals that stand still, and how far each has come."""

from datetime import datetime
from uuid import UUID

import click
import msgspec

from actors.submit import Submission, submit
from models import campaigns, contacts
from models.database import transaction
from service.cli.answers import await_settled, typed_errors
from service.cli.app import App, InputError, json_option, pass_app
from service.cli.event_shown import PLAYBOOK
from service.cli.forms import Ask, Form, shell_command
from service.cli.typed import WHO
from service.find import find_playbook, find_rep
from service.wording import count, key_of, name_of, plain
from workflows.campaign_commands import MoveStage, ProposeCold
from workflows.codec import derived_id
from workflows.cold import idle_days, idle_since, is_cold

STAGE = Form(
    "stage",
    MoveStage,
    "The sale came further, or fell back.",
    {"stage_depth": Ask("", argument=True)},
)


class ColdDeal(msgspec.Struct, frozen=True, kw_only=True):
    """An open deal that stands still."""

    lead_id: UUID
    key: str
    name: str
    rep: str
    idle_since: datetime
    idle_days: int


@click.command()
@click.option("--rep", "rep_name", help="Only this rep's deals.")
@click.option("--days", type=click.IntRange(1, 3650), help="Cold is what did not move for more days. Default: the playbook's.")
@click.option("--propose", is_flag=True, help="Record each as proposed; say then what became of it with `thaw decline`.")
@click.option("--as", "who", type=WHO, metavar="WHO", help="Who proposes: rep:NAME or manager:NAME. Default: the deal's owner.")
@json_option
@pass_app
def cold(app: App, rep_name: str | None, days: int | None, propose: bool, who: str | None, as_json: bool) -> None:
    """List open deals that do not move and have nothing planned: they cannot be counted on."""
    now = app.service.now()
    with typed_errors(), transaction(app.service.engine) as connection:
        rep = find_rep(connection, rep_name).name if rep_name else None
        rules = find_playbook(connection, PLAYBOOK).invitation
        if days is None and not rules:
            raise InputError(f"the playbook {PLAYBOOK} does not say what is cold; say it with --days")
        most = days or (rules.cold_after_days if rules else 0)
        found = [lead for lead in campaigns.open_deals(connection) if rep in (None, lead.owner) and is_cold(lead, most, now)]
        people = contacts.find_contacts(connection, [lead.id for lead in found])
    found.sort(key=lambda lead: (idle_since(lead), lead.id))
    if propose:
        proposals = [
            Submission(
                # Once for as long as it stands still: the same proposal again is the same message.
                id=derived_id("cold", lead.id, idle_since(lead), most),
                stream_id=lead.id,
                command=ProposeCold(after_days=most),
                asked_by=who or f"rep:{lead.owner}",
            )
            for lead in found
        ]
        with typed_errors():
            submit(app.service.engine, app.service.bell, proposals, now=now)
        for proposal in proposals:
            await_settled(app.service, proposal.id)
    shown = [
        ColdDeal(
            lead_id=lead.id,
            key=key_of(lead, people.get(lead.id)),
            name=name_of(lead, people.get(lead.id)),
            rep=lead.owner,
            idle_since=idle_since(lead),
            idle_days=idle_days(lead, now),
        )
        for lead in found
    ]
    if as_json:
        app.print_json({"after_days": most, "proposed": propose, "cold": shown})
        return
    for each in shown:
        click.echo(f"{each.key:<12} {each.name} ({plain(each.rep)}): {count(each.idle_days, 'day')} without a step forward")
    told = " proposed as cold" if propose else " cold"
    click.echo(f"{count(len(shown), 'open deal')}{told}: no step forward for more than {most} days, and nothing planned")


COMMANDS = (cold, shell_command(STAGE))
