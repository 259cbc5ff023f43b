"""What is paused, in sentences."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

import msgspec

from models import operations, pauses
from models.database import Connection
from service.operations import paused_names
from service.times import shown_moment
from service.wording import plain
from workflows.pauses import EVERYTHING, NEVER_PAUSED


class PauseShown(msgspec.Struct, frozen=True, kw_only=True):
    """An actor whose messages wait."""

    actor: str
    """``*`` for all that may be paused."""
    since: datetime
    by: str
    reason: str | None
    """None when it was erased."""


def read_pauses(connection: Connection) -> tuple[PauseShown, ...]:
    """Return what is paused, by name."""
    rows = pauses.read_pauses(connection)
    reasons = operations.reasons_of(connection, [row.reason for row in rows])
    return tuple(PauseShown(actor=r.actor, since=r.since, by=r.by, reason=reasons.get(r.reason)) for r in rows)


def pause_of(found: tuple[PauseShown, ...], actor: str) -> PauseShown | None:
    """Return the pause by which messages of *actor* wait, None when they do not."""
    by_name = {each.actor: each for each in found}
    return by_name.get(actor) or (None if actor in NEVER_PAUSED else by_name.get(EVERYTHING))


def pause_lines(found: tuple[PauseShown, ...], zone: ZoneInfo) -> Iterator[str]:
    """Yield a sentence for each pause; what was paused at once stands together."""

    def act(shown: PauseShown) -> tuple[datetime, str, str | None]:
        return shown.since, shown.by, shown.reason or ""

    for (since, by, reason), group in groupby(sorted(found, key=act), key=act):
        names = paused_names(tuple(each.actor for each in group))
        yield f"{names} since {shown_moment(since, zone)} by {plain(by, 80)}: {plain(reason or 'the reason was erased', 300)}"
