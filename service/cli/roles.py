"""``thaw roles``: who may do what in the database, and how a login becomes one of them."""

from collections.abc import Iterator

import click

from migrations import access
from migrations.access import AUDITOR, OPENED, PRIVILEGES, ROLES, SERVICE, Lacking, Login
from models.database import transaction
from service.cli.app import App, json_option, pass_app
from service.wording import plain

_HOW = f"""\
Made by whoever may make roles, with names and passwords of yours:
  CREATE ROLE thaw_app LOGIN PASSWORD '…'; GRANT {SERVICE} TO thaw_app;
  CREATE ROLE ada LOGIN PASSWORD '…'; GRANT {AUDITOR} TO ada;
and for an auditor who may see names, addresses and texts besides:
  GRANT {OPENED} TO ada;"""


@click.command()
@json_option
@pass_app
def roles(app: App, as_json: bool) -> None:
    """Print the roles that the migrations made in PostgreSQL, who has them, and how to give one to a login.

    Roles belong to the whole cluster. `--json` holds what each may do with every table.
    """
    with transaction(app.service.engine) as connection:
        found, login = access.members(connection), access.login(connection)
        lacking = access.lacking(connection)
    if as_json:
        may = {table: {role: sorted(allowed.of(role)) for role in ROLES} for table, allowed in PRIVILEGES.items()}
        app.print_json({"login": login._asdict(), "members": found, "lacking": lacking._asdict(), "privileges": may})
        return
    for line in _lines(found, login):
        click.echo(line)
    warn_of(lacking)


def _lines(found: dict[str, tuple[str, ...]], login: Login) -> Iterator[str]:
    for role, purpose in ROLES.items():
        yield f"{role:<20} {purpose}"
        who = ", ".join(plain(name, 80) for name in found.get(role, ()))
        yield f"{'':<20} {f'given to: {who}' if who else 'given to nobody' if role in found else 'not there'}"
    yield f"{'this login':<20} {plain(login.name, 80)}: {_rights(login)}"
    yield _HOW


def _rights(login: Login) -> str:
    if login.owner:
        return "the owner, who migrates; the service should run as a member of thaw_service"
    return ", ".join(login.roles) or "none of these"


def warn_of(lacking: Lacking) -> None:
    """Say on standard error what an administrator has yet to do."""
    if lacking.statements:
        click.echo("! the roles are not complete, and this login may not complete them; have an administrator run:", err=True)
        for statement in lacking.statements:
            click.echo(f"!   {statement};", err=True)
    for trouble in lacking.troubles:
        click.echo(f"! {plain(trouble, 500)}", err=True)


COMMANDS = (roles,)
