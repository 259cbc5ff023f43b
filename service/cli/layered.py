"""What the days of a rep follow: the playbook, what the team does otherwise, what the rep does, merged and published."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from msgspec import UNSET, UnsetType

from models import leads, messages, operations, playbooks
from models.contacts import save_document
from models.database import Connection
from service.cli.answers import typed_errors
from service.cli.app import InputError
from service.find import find_playbook
from service.limits import CALLED, UnmadeError, is_plain, layered, playbook_of, publish, shown_value, wrong_with
from service.wording import plain
from workflows.commands import SetCalendar, decode_command
from workflows.law_table import CURRENT
from workflows.layers import NOTHING, LoosenedError, Number, Said, check_narrower, is_made, numbers
from workflows.lead import Rep
from workflows.limits import Layers
from workflows.playbooks import Playbook
from workflows.rep import rep_id

#: The playbook of a rep who follows none yet.
USUAL = "five-five-five"


class Settled(NamedTuple):
    """What a rep's days follow from now on."""

    playbook: str
    digest: str | UnsetType
    """Of its version; unset in what an earlier release had accepted."""
    layers: Layers | UnsetType = UNSET
    made: Playbook | None = None
    """To publish, if it is not; None where nothing is layered."""


class Change(NamedTuple):
    """A change of a rep that is handed in and not settled yet."""

    command: SetCalendar
    asked_by: str


def check_may_set(rep: str, who: str) -> None:
    """Look whether *who* may set the numbers of the days of *rep*, one by one or all of them by another playbook.

    Raises `InputError` when neither a manager nor the rep does.
    """
    if not who.startswith("manager:") and who != f"rep:{rep}":
        raise InputError(
            f"--as {plain(who, 80)}: a rep's numbers are set by a manager, or by the rep: --as rep:{plain(rep, 80)}"
        )


def begin_change(connection: Connection, names: Sequence[str], *, but: UUID | None = None) -> list[Change]:
    """Let nobody else change reps, and return what is handed in for the reps *names* and not settled yet.

    Each change says the whole calendar and all layers of a rep, so that one that does not know of another would undo it. *but*
    is the message of a change that is handed in again. Before reading the reps.
    """
    leads.change_reps(connection)
    waiting = messages.waiting_on(connection, [rep_id(name) for name in names])
    changes = [(decode_command(each.body), each.asked_by) for each in waiting if each.id != but]
    return [Change(command, asked_by) for command, asked_by in changes if isinstance(command, SetCalendar)]


def under_way(change: Change) -> InputError:
    """Return the error of changing a rep while a *change* is not settled."""
    command = change.command
    at = f" on {command.occurred_at:%Y-%m-%d at %H:%M} UTC" if command.occurred_at else ""
    return InputError(
        f"a change of {plain(command.rep, 80)} by {plain(change.asked_by, 80)}{at} is handed in and not settled yet: look at "
        f"`thaw rep show {plain(command.rep, 80)}` once it is, and say yours again; `thaw status` says whether any worker "
        "runs. Nothing was changed."
    )


def settle(
    connection: Connection,
    rep: Rep,
    base: Playbook,
    *,
    change: Mapping[str, Any] = MappingProxyType({}),
    said: Said = NOTHING,
    why: str | None = None,
) -> Settled | None:
    """Return what the days of *rep* come to over *base* with a *change* of its layers, to be published by `publish_made`.

    None where nothing is layered. Of what the layers come to only what is *said* now can be wrong.

    Raises `InputError` when a layer would widen what it may only narrow, or when nobody could work by what comes of it.
    """
    known = rep.layers or None
    if known is None and not change:
        return None
    kept = {"why": save_document(connection, uuid4(), rep.id, operations.REASON, why)} if why else {}
    wanted = layered(base, known, **change, **kept)
    if is_plain(wanted) and not why:
        return Settled(base.id, base.pin.digest)
    # Cleared with a reason, the layers stay for the event that says so, over the very version that was followed.
    made = _made_of(connection, rep.name, base, wanted, said)
    return Settled(made.id, made.pin.digest, wanted, made)


def publish_made(connection: Connection, settled: Iterable[Settled | None], *, now: datetime, who: str) -> None:
    """Publish the playbooks that were made for what was *settled*; the last thing before it is handed in."""
    try:
        publish(connection, [each.made for each in settled if each and each.made], now=now, by=who)
    except playbooks.PublishedError as error:
        raise InputError(f"{error}. Nothing was changed.") from error


def newest_base(connection: Connection, rep: Rep, named: str | None) -> Playbook:
    """Return the newest version of the playbook below the layers of *rep*, or of the one that is *named* instead."""
    known = rep.layers.base if rep.layers else rep.playbook.id if rep.playbook else USUAL
    return to_follow(connection, named or known)


def to_follow(connection: Connection, named: str) -> Playbook:
    """Return the newest version of the playbook called *named*, which was not made of another for some rep."""
    with typed_errors():
        found = find_playbook(connection, named)
    check_for_all(found, named)
    return found


def check_for_all(playbook: Playbook, named: str) -> None:
    """Look whether anybody may follow *playbook*, called *named*; raises `InputError` when it was made for one rep."""
    if is_made(playbook):
        below = playbook.extends[0].partition("@")[0]
        raise InputError(f"{plain(named, 80)} was made for the days of one rep: name what it was made of, {below}")


def followed_base(connection: Connection, rep: Rep) -> Playbook:
    """Return the version below the layers of *rep* that the days follow now."""
    digest = rep.layers.digest if rep.layers else rep.playbook.digest if rep.playbook else None
    found = playbooks.playbooks_by_digest(connection, [digest]) if digest else {}
    return found[digest] if digest in found else newest_base(connection, rep, None)


def _made_of(connection: Connection, rep: str, base: Playbook, layers: Layers, said: Said) -> Playbook:
    try:
        check_narrower(base, layers, said)
    except LoosenedError as error:
        raise InputError(f"{plain(rep, 80)}: {error}. Nothing was changed.") from error
    try:
        made = playbook_of(connection, rep, base, layers)
    except UnmadeError as error:
        raise InputError(f"{plain(rep, 80)}: {error}. Nothing was changed.") from error
    wrong = wrong_with(made, CURRENT)
    if wrong:
        raise InputError(f"{plain(rep, 80)}: {wrong.field}: {wrong.says} Nothing was changed.")
    return made


def numbers_of(connection: Connection, rep: Rep) -> tuple[Number, ...]:
    """Return the numbers of the days of *rep*, each with the layer that it comes from."""
    base = followed_base(connection, rep)
    return tuple(numbers(base, layered(base, rep.layers or None)))


def number_lines(found: Sequence[Number], team: str | None) -> list[str]:
    """Return the numbers as people read them: ``notes 3 (rep)``."""
    return [f"{CALLED[each.name]} {shown_value(each.name, each.value)} ({_where(each, team)})" for each in found]


def _where(number: Number, team: str | None) -> str:
    return f"team {plain(team, 80)}" if number.where == "team" and team else number.where
