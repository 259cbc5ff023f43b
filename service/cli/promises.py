"""``thaw promises``: what notes promised and nobody kept yet, for whoever answers for the reps."""

from collections.abc import Iterator
from datetime import date, datetime
from uuid import UUID

import click
import msgspec

from models import contacts, leads, views
from models.database import Connection, transaction
from service.cli.answers import typed_errors
from service.cli.app import App, json_option, pass_app
from service.find import find_rep
from service.times import shown_day
from service.wording import count, key_of, name_of, plain
from workflows import horizon
from workflows.calendars import Calendar
from workflows.lead import Lead


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """A call that a note promised and whose day has come."""

    rep: str
    lead_id: UUID
    key: str
    name: str
    promised_on: date
    call_on: date
    """Where it stands now; it may have been moved."""
    working_days_late: int
    """Of the rep, who owes nothing on a day away."""
    in_grace: bool
    """Made now it still counts as kept."""
    missed: bool
    """Late enough that the log says so, and that the call begins with an apology."""


@click.command()
@click.option("--rep", "rep_name", help="Only this rep's.")
@json_option
@pass_app
def promises(app: App, rep_name: str | None, as_json: bool) -> None:
    """List the promised calls that are not made yet though their day is over, the longest overdue first.

    The playbook's days of grace (one working day, as a rule) are part of a promise. Days on which the rep is away do not count.
    """
    now = app.service.now()
    with typed_errors(), transaction(app.service.engine) as connection:
        names = [find_rep(connection, rep_name).name] if rep_name else [rep.name for rep in leads.list_reps(connection)]
        late = sorted(
            (each for name in names for each in _late(connection, name, now)), key=lambda each: -each.working_days_late
        )
    if as_json:
        app.print_json({"promises": late})
        return
    for each in late:
        days = each.working_days_late
        late_by = "in its days of grace" if each.in_grace else f"{count(days, 'working day')} late"
        told = "; begin with an apology" if each.missed else ""
        click.echo(f"{plain(each.rep)}: {each.name} ({each.key}), promised for {shown_day(each.promised_on)}, {late_by}{told}")
    if not late:
        click.echo("no promised call whose day is over waits to be made")


def _late(connection: Connection, rep: str, now: datetime) -> Iterator[Promise]:
    calendar = views.calendar_of(connection, rep) or horizon.PLAIN
    today = horizon.local_day(calendar, now)
    due = [lead for lead in leads.owned_leads(connection, rep, ["call_due"]) if lead.promised and not lead.hold]
    people = contacts.find_contacts(connection, [lead.id for lead in due])
    for lead in due:
        days = _days_late(lead, today, calendar)
        if lead.promised_on and lead.call_on and days:
            yield Promise(
                rep=rep,
                lead_id=lead.id,
                key=key_of(lead, people.get(lead.id)),
                name=name_of(lead, people.get(lead.id)),
                promised_on=lead.promised_on,
                call_on=lead.call_on,
                working_days_late=days,
                in_grace="call_grace" in lead.timers and lead.timers["call_grace"].due_at >= now,
                missed=lead.promise_missed,
            )


def _days_late(lead: Lead, today: date, calendar: Calendar) -> int:
    """Return how many of the rep's working days ended since the one on which the call was promised."""
    return horizon.between(calendar, lead.promised_on, today) if lead.promised_on and lead.promised_on < today else 0


COMMANDS = (promises,)
