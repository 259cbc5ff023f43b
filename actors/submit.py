"""The way in: a command becomes a row in ``messages`` and, right after the commit, a ring."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from actors.bell import Bell
from actors.library import Library, UnknownPlaybookError
from models import messages
from models.database import Connection, Engine, transaction
from models.messages import NewMessage, Ring
from workflows.actor_names import actor_name
from workflows.codec import canonical
from workflows.commands import Command, MigratePlaybook, SetCalendar, command_kind, decode_command


class UnsoundCommandError(ValueError):
    """No worker could ever apply a command: it is out of bounds, or its playbook is not what it says. Nothing was accepted."""


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A command for a stream. The same *id* again is answered with what became of the first."""

    id: UUID
    stream_id: UUID
    command: Command
    asked_by: str
    """``rep:dan``, ``manager:ann``, ``crm``, ``import`` …"""


def stage(connection: Connection, submissions: Sequence[Submission], *, now: datetime, rung: bool = True) -> list[Ring]:
    """Write *submissions* in the caller's transaction and return the rings to ring after its commit.

    With *rung* false they are left to the clock process, which is right for very many.

    Raises
    ------
    CommandReusedError
        When an id was used before for another command.
    UnsoundCommandError
        When a command is out of bounds; a struct that is made in a program is not looked at before it is read again. Or when
        days or a lead are to follow what is not published so, or was made for a rep.
    """
    new = [
        NewMessage(
            id=each.id,
            stream_id=each.stream_id,
            actor_name=actor_name(each.command),
            body=_body(each.command),
            asked_by=each.asked_by,
            correlation_id=each.id,
            causation_id=None,
            due_at=now,
            rung=rung,
        )
        for each in submissions
    ]
    # Behind the look at their bounds: what is out of these PostgreSQL may not even take for a question.
    _check_playbooks(connection, [each.command for each in submissions])
    staged = messages.stage(connection, new)
    return [Ring(m.id, m.stream_id, m.actor_name, m.correlation_id, 1) for m in new if rung and m.id in staged]


def submit(engine: Engine, bell: Bell, submissions: Sequence[Submission], *, now: datetime) -> None:
    """Accept *submissions*: commit them, then ring. With Redis away they are accepted all the same.

    Raises
    ------
    CommandReusedError, UnsoundCommandError
        When an id was used before for another command, or a command is out of bounds; then none is accepted.
    """
    with transaction(engine) as connection:
        rings = stage(connection, submissions, now=now)
    bell.ring_soon(rings)


def _check_playbooks(connection: Connection, commands: Sequence[Command]) -> None:
    """Look whether the playbooks are there that *commands* have reps or leads follow: published, they never change or go."""
    named = [command for command in commands if isinstance(command, (SetCalendar, MigratePlaybook))]
    if not named:
        return
    library = Library()
    newest = {c.playbook for c in named if isinstance(c, SetCalendar) and not c.digest}
    library.load(connection, newest=newest, digests={c.digest for c in named if c.digest}, reps=())
    for command in named:
        try:
            library.meant(command) if isinstance(command, SetCalendar) else library.entered(command)
        except UnknownPlaybookError as error:
            raise UnsoundCommandError(f"{command_kind(command)} was not accepted: {error}") from error


def _body(command: Command) -> bytes:
    body = canonical(command)
    try:
        decode_command(body)
    except msgspec.ValidationError as error:
        said, _, path = str(error).partition(" - at `$")
        field = path.strip(".`") or "it"
        sentence = f"{command_kind(command)} was not accepted: {field} is wrong, {said[:1].lower()}{said[1:]}"
        raise UnsoundCommandError(sentence) from error
    return body
