"""Dead messages: what ended without an answer, why, and another try."""

from collections.abc import Sequence
from uuid import UUID

import click
import msgspec

from models import attempts, messages, operations, views
from models.database import Connection, transaction
from models.messages import MessageState
from service.cli.app import App, InputError, json_option, pass_app
from service.cli.operator import by_option, operator, reason_option, required_reason
from service.find import digits_span
from service.wording import count, plain

#: Of each error so many messages are printed; ``--json`` has all.
MOST = 10


class DeadShown(msgspec.Struct, frozen=True, kw_only=True):
    """A dead message."""

    id: UUID
    stream_id: UUID
    actor: str
    asked_by: str
    attempts: int
    error: str
    command: msgspec.Raw
    traceback: str | None = None


class DeadGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Dead messages that ended with the same error."""

    error: str
    """Its first line."""
    messages: tuple[DeadShown, ...]
    """Newest first."""


@click.group()
def dead() -> None:
    """Messages that failed too often: nothing is lost, and each may be tried again."""


@dead.command("list")
@json_option
@pass_app
def list_(app: App, as_json: bool) -> None:
    """List dead messages by their error, the most frequent first."""
    with transaction(app.service.engine) as connection:
        groups = _grouped(attempts.list_dead(connection))
    if as_json:
        app.print_json({"groups": groups})
        return
    for group in groups:
        click.echo(f"{count(len(group.messages), 'message')}: {plain(group.error, 300)}")
        for message in group.messages[:MOST]:
            click.echo(f"  {message.id}  {message.actor}  {count(message.attempts, 'attempt')}  {plain(message.asked_by, 40)}")
        if len(group.messages) > MOST:
            click.echo(f"  and {len(group.messages) - MOST} more")
    click.echo("`thaw dead show ID` shows one, `thaw dead retry ID` tries it again" if groups else "no message is dead")


def _grouped(found: Sequence[MessageState]) -> list[DeadGroup]:
    by_error: dict[str, list[DeadShown]] = {}
    for message in found:
        by_error.setdefault((message.error or "no error was kept").partition("\n")[0], []).append(_shown(message))
    groups = [DeadGroup(error=error, messages=tuple(group)) for error, group in by_error.items()]
    return sorted(groups, key=lambda group: (-len(group.messages), group.error))


def _shown(message: MessageState, *, traceback: bool = False) -> DeadShown:
    return DeadShown(
        id=message.id,
        stream_id=message.stream_id,
        actor=message.actor_name,
        asked_by=message.asked_by,
        attempts=message.attempts,
        error=message.error or "",
        command=msgspec.Raw(message.body.encode()),
        traceback=message.traceback if traceback else None,
    )


@dead.command()
@click.argument("id_", metavar="ID")
@json_option
@pass_app
def show(app: App, id_: str, as_json: bool) -> None:
    """Show one dead message with its command and traceback; ID may be its first 8 digits."""
    with transaction(app.service.engine) as connection:
        message = messages.find(connection, _meant(connection, id_))
    assert message is not None  # noqa: S101  # _meant has just found it
    if as_json:
        app.print_json(_shown(message, traceback=True))
        return
    click.echo(f"message   {message.id}, asked for by {plain(message.asked_by, 80)}, {count(message.attempts, 'attempt')}")
    click.echo(f"stream    {message.stream_id}")
    click.echo(f"actor     {message.actor_name}")
    click.echo(f"command   {message.body}")
    click.echo(f"error     {plain(message.error or 'none was kept', 1000)}")
    click.echo(f"\n{message.traceback}" if message.traceback else "there is no traceback: its worker was gone each time")


@dead.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "every", is_flag=True, help="All of them.")
@reason_option
@by_option
@json_option
@pass_app
def retry(app: App, ids: tuple[str, ...], every: bool, reason: str | None, by: str | None, as_json: bool) -> None:
    """Give dead messages a fresh set of attempts; the clock rings them again. The log says who did it and why."""
    if bool(ids) == every:
        raise InputError("name the messages to try again, or say --all" if not ids else "name messages or say --all, not both")
    why = required_reason(reason, "the disk was full")
    with transaction(app.service.engine) as connection:
        meant = None if every else [_meant(connection, typed) for typed in ids]
        revived = operations.retry_dead(connection, meant, reason=why, now=app.service.now(), by=operator(by))
    if as_json:
        app.print_json({"revived": revived})
    else:
        click.echo(f"{count(len(revived), 'message')} revived: the clock rings {'it' if len(revived) == 1 else 'them'} again")


def _meant(connection: Connection, typed: str) -> UUID:
    span = digits_span(typed.strip())
    found = views.dead_between(connection, *span, limit=2) if span else []
    if len(found) > 1:
        raise InputError(f"{typed!r} may mean {found[0]} or {found[1]}: name one in full")
    if not found:
        known = _known(connection, typed)
        raise InputError(known or f"no dead message has the id {plain(typed, 60)!r}; see `thaw dead list`")
    return found[0]


def _known(connection: Connection, typed: str) -> str:
    """Say what became of a message that is not dead, when *typed* is the whole id of one."""
    span = digits_span(typed.strip())
    message = messages.find(connection, span[0]) if span and span[0] == span[1] else None
    if message is None:
        return ""
    return f"message {message.id} is not dead: it is {message.outcome or 'not settled yet'}"


COMMANDS = (dead,)
