"""A rep's days under what the team and the rep do otherwise than the playbook: merged, published, and pinned by the rep."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from models import playbooks
from models.database import Connection
from service.playbooks import record_published
from service.wording import plain
from workflows.codec import canonical
from workflows.law_table import LawTable
from workflows.layers import merged
from workflows.limits import Layers, Limits
from workflows.playbook_review import Remark, review
from workflows.playbooks import MADE_FOR, Playbook, decode_playbook
from workflows.rep import rep_id

#: What the numbers are called where people read them.
CALLED: Mapping[str, str] = {
    "notes": "notes", "calls": "promised calls", "follow_up_touches": "follow-ups", "catch_up_calls": "catch-up calls",
    "minutes": "minutes", "opens": "calls from", "closes": "calls until", "weekdays": "calls on weekdays",
}  # fmt: skip


def layered(base: Playbook, layers: Layers | None, **changes: Any) -> Layers:
    """Return *layers* over *base*, with *changes*."""
    known = {name: getattr(layers, name) for name in layers.__struct_fields__} if layers else {}
    return Layers(**{**known, **changes, "base": base.id, "digest": base.pin.digest})


def told_layers(layers: Layers) -> str:
    """Return in a sentence what a rep does otherwise than the playbook, layer by layer."""
    team = f"team {plain(layers.team, 80)}" if layers.team else ""
    each = ((layers.of_team, team), (layers.own, "rep"))
    said = [f"{told_limits(limits)} ({where})" for limits, where in each if limits != Limits()]
    rest = f"{'the rest' if said else 'all'} as {plain(layers.base, 80)} has them"
    return f"{f'In {team}' if team else 'Numbers of a day'}: {'; '.join([*said, rest])}."


def told_limits(limits: Limits) -> str:
    """Return the numbers of one layer as people read them."""
    return ", ".join(f"{CALLED[name]} {shown_value(name, value)}" for name, value in msgspec.to_builtins(limits).items())


def shown_value(name: str, value: int | Sequence[int]) -> str:
    """Return the value of the number called *name*: times as a clock shows them, days with commas between."""
    if not isinstance(value, int):
        return ",".join(map(str, value))
    return f"{value // 60:02}:{value % 60:02}" if name in ("opens", "closes") else str(value)


def is_plain(layers: Layers) -> bool:
    """Tell whether nothing is done otherwise, so that the rep follows the playbook as it is; a team alone changes nothing."""
    return layers.of_team == Limits() and layers.own == Limits() and not layers.team


class UnmadeError(ValueError):
    """No playbook can be made of what the layers say; the message is a sentence for whoever asked for it."""


def playbook_of(connection: Connection, rep: str, base: Playbook, layers: Layers) -> Playbook:
    """Return the playbook of *rep*'s days: the one that is published already where it says the same, or its next version.

    Raises
    ------
    UnmadeError
        When it has no next version, or what comes of the layers is no playbook.
    """
    id_ = playbook_id(base, rep)
    newest = playbooks.newest_playbook(connection, id_)
    if newest and newest == merged(base, layers, playbook_id=id_, version=newest.version):
        return newest
    made = merged(base, layers, playbook_id=id_, version=_version_after(newest) if newest else "1.0.0")
    try:
        return decode_playbook(canonical(made))
    except msgspec.ValidationError as error:
        raise UnmadeError(f"what comes of it is no playbook: {error}") from error


def _version_after(playbook: Playbook) -> str:
    """Return the next version: 1.0.9999 is followed by 1.1.0."""
    number = int("".join(f"{int(part):04}" for part in playbook.version.split("."))) + 1
    if number == 10**12:
        raise UnmadeError(f"{playbook.id}@{playbook.version} is the last version that there can be: follow another playbook")
    digits = f"{number:012}"
    return ".".join(str(int(digits[at : at + 4])) for at in (0, 4, 8))


def playbook_id(base: Playbook, rep: str) -> str:
    """Return the id of the playbook of *rep*'s days over *base*, whatever characters a name has."""
    name = rep if re.fullmatch(r"[a-z0-9_-]{1,30}", rep) else rep_id(rep).hex[:12]
    return f"{base.id[:40]}{MADE_FOR}{name}"


def wrong_with(playbook: Playbook, table: LawTable) -> Remark | None:
    """Return why nobody could work by *playbook*, None when nothing speaks against it."""
    return next((remark for remark in review(playbook, table) if remark.level == "refuse"), None)


def publish(connection: Connection, made: Iterable[Playbook], *, now: datetime, by: str) -> None:
    """Publish those of the playbooks *made* that are not, and say so in the log.

    The last thing in its transaction: from the first that the log is told of until the commit nobody else can write to it.
    """
    for playbook in [each for each in made if playbooks.publish(connection, each)]:
        record_published(connection, playbook, now=now, by=by)
