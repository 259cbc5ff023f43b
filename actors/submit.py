"""The way in: a command becomes a row in ``messages`` and, right after the commit, a ring."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from actors.bell import Bell
from models import messages
from models.database import Connection, Engine, transaction
from models.messages import NewMessage, Ring
from workflows.actor_names import actor_name
from workflows.codec import canonical
from workflows.commands import Command


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
    """
    new = [
        NewMessage(
            id=each.id,
            stream_id=each.stream_id,
            actor_name=actor_name(each.command),
            body=canonical(each.command),
            asked_by=each.asked_by,
            correlation_id=each.id,
            causation_id=None,
            due_at=now,
            rung=rung,
        )
        for each in submissions
    ]
    staged = messages.stage(connection, new)
    return [Ring(m.id, m.stream_id, m.actor_name, m.correlation_id, 1) for m in new if rung and m.id in staged]


def submit(engine: Engine, bell: Bell, submissions: Sequence[Submission], *, now: datetime) -> None:
    """Accept *submissions*: commit them, then ring. With Redis away they are accepted all the same.

    Raises
    ------
    CommandReusedError
        When an id was used before for another command; then none is accepted.
    """
    with transaction(engine) as connection:
        rings = stage(connection, submissions, now=now)
    bell.ring_soon(rings)
