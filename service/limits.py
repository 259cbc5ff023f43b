"""A rep's days under what the team and the rep do otherwise than the playbook: merged, published, and pinned by the rep."""

import re
from datetime import datetime
from typing import Any

from models import playbooks
from models.database import Connection
from service.playbooks import record_published
from workflows.law_table import LawTable
from workflows.layers import merged
from workflows.limits import Layers, Limits
from workflows.playbook_review import Remark, review
from workflows.playbooks import Playbook
from workflows.rep import rep_id


def layered(base: Playbook, layers: Layers | None, **changes: Any) -> Layers:
    """Return *layers* over *base*, with *changes*."""
    known = {name: getattr(layers, name) for name in layers.__struct_fields__} if layers else {}
    return Layers(**{**known, **changes, "base": base.id, "digest": base.pin.digest})


def is_plain(layers: Layers) -> bool:
    """Tell whether nothing is done otherwise, so that the rep follows the playbook as it is; a team alone changes nothing."""
    return layers.of_team == Limits() and layers.own == Limits() and not layers.team


def playbook_of(connection: Connection, rep: str, base: Playbook, layers: Layers) -> Playbook:
    """Return the playbook of *rep*'s days: the one that is published already where it says the same, or its next version."""
    id_ = playbook_id(base, rep)
    newest = playbooks.newest_playbook(connection, id_)
    if newest is None:
        return merged(base, layers, playbook_id=id_, version="1.0.0")
    same = merged(base, layers, playbook_id=id_, version=newest.version)
    if same == newest:
        return newest
    major, minor, patch = newest.version.split(".")
    return merged(base, layers, playbook_id=id_, version=f"{major}.{minor}.{int(patch) + 1}")


def playbook_id(base: Playbook, rep: str) -> str:
    """Return the id of the playbook of *rep*'s days over *base*, whatever characters a name has."""
    name = rep if re.fullmatch(r"[a-z0-9_-]{1,30}", rep) else rep_id(rep).hex[:12]
    return f"{base.id[:40]}.of.{name}"


def wrong_with(playbook: Playbook, table: LawTable) -> Remark | None:
    """Return why nobody could work by *playbook*, None when nothing speaks against it."""
    return next((remark for remark in review(playbook, table) if remark.level == "refuse"), None)


def publish(connection: Connection, playbook: Playbook, *, now: datetime, by: str) -> None:
    """Publish *playbook* unless it is, and say so in the log; the last thing in its transaction."""
    if playbooks.publish(connection, playbook):
        record_published(connection, playbook, now=now, by=by)
