"""What the days of a rep follow: the playbook, what the team does otherwise, what the rep does, merged and published."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from msgspec import UNSET, UnsetType

from models import leads, messages, operations
from models.contacts import save_document
from models.database import Connection
from service.cli.answers import typed_errors
from service.cli.app import InputError
from service.find import find_playbook
from service.limits import is_plain, layered, playbook_of, publish, wrong_with
from service.wording import plain
from workflows.commands import SetCalendar, decode_command
from workflows.law_table import CURRENT
from workflows.layers import LoosenedError, Number, check_narrower, numbers
from workflows.lead import Rep
from workflows.limits import Layers
from workflows.playbooks import Playbook
from workflows.rep import rep_id

#: What the numbers are called where people read them.
CALLED: Mapping[str, str] = {
    "notes": "notes", "calls": "promised calls", "follow_up_touches": "follow-ups", "catch_up_calls": "catch-up calls",
    "minutes": "minutes", "opens": "calls from", "closes": "calls until", "weekdays": "calls on weekdays",
}  # fmt: skip


class Settled(NamedTuple):
    """What a rep's days follow from now on."""

    playbook: str
    layers: Layers | UnsetType


def begin_change(connection: Connection, names: Sequence[str], *, but: UUID | None = None) -> list[SetCalendar]:
    """Let nobody else change what reps' days follow, and return what is handed in for the reps *names* and not settled yet.

    Each change says all layers of a rep, so that one that does not know of another would undo it. *but* is the message of a
    change that is handed in again. Before reading the reps.
    """
    leads.change_reps(connection)
    waiting = messages.waiting_bodies(connection, [rep_id(name) for name in names])
    commands = [decode_command(body) for id_, body in waiting.items() if id_ != but]
    return [command for command in commands if isinstance(command, SetCalendar)]


def under_way(change: SetCalendar) -> InputError:
    """Return the error of saying anew what the days of a rep follow while a *change* of that is not settled."""
    return InputError(
        f"a change of what the days of {plain(change.rep, 80)} follow is handed in and not settled yet: say it again once it "
        "is; `thaw status` says whether any worker runs. Nothing was changed."
    )


def settle(
    connection: Connection,
    rep: Rep,
    *,
    base: str | None,
    now: datetime,
    who: str,
    change: Mapping[str, Any] = MappingProxyType({}),
    why: str | None = None,
) -> Settled | None:
    """Publish what the days of *rep* come to under *base* with a *change* of its layers; None where nothing is layered.

    The last thing in its transaction. Raises `InputError` when a layer would widen what it may only narrow, or when nobody
    could work by what comes of it.
    """
    known = rep.layers or None
    if known is None and not change:
        return None
    kept = {"why": save_document(connection, uuid4(), rep.id, operations.REASON, why)} if why else {}
    found, wanted = wanted_of(connection, rep, base, {**change, **kept})
    if is_plain(wanted):
        return Settled(found.id, UNSET)
    made = made_of(connection, rep.name, found, wanted)
    publish(connection, made, now=now, by=who)
    return Settled(made.id, wanted)


def wanted_of(connection: Connection, rep: Rep, base: str | None, change: Mapping[str, Any]) -> tuple[Playbook, Layers]:
    """Return the playbook below all layers of *rep*, and the layers with *change*."""
    known = rep.layers or None
    below = base or (known.base if known else rep.playbook.id if rep.playbook else "five-five-five")
    with typed_errors():
        found = find_playbook(connection, below)
    return found, layered(found, known, **change)


def made_of(connection: Connection, rep: str, base: Playbook, layers: Layers) -> Playbook:
    """Return what *layers* make of *base* for the rep called *rep*; nothing is published. Raises as `settle` does."""
    try:
        check_narrower(base, layers)
    except LoosenedError as error:
        raise InputError(f"{plain(rep, 80)}: {error}. Nothing was changed.") from error
    made = playbook_of(connection, rep, base, layers)
    wrong = wrong_with(made, CURRENT)
    if wrong:
        raise InputError(f"{plain(rep, 80)}: {wrong.field}: {wrong.says} Nothing was changed.")
    return made


def numbers_of(connection: Connection, rep: Rep) -> tuple[Number, ...]:
    """Return the numbers of the days of *rep*, each with the layer that it comes from."""
    with typed_errors():
        found, layers = wanted_of(connection, rep, None, {})
    return tuple(numbers(found, layers))


def number_lines(found: Sequence[Number], team: str | None) -> list[str]:
    """Return the numbers as people read them: ``notes 3 (rep)``."""
    return [f"{CALLED[each.name]} {shown_value(each.name, each.value)} ({_where(each, team)})" for each in found]


def _where(number: Number, team: str | None) -> str:
    return f"team {plain(team, 80)}" if number.where == "team" and team else number.where


def shown_value(name: str, value: int | Sequence[int]) -> str:
    """Return the value of the number called *name*: times as a clock shows them, days with commas between."""
    if not isinstance(value, int):
        return ",".join(map(str, value))
    return f"{value // 60:02}:{value % 60:02}" if name in ("opens", "closes") else str(value)
