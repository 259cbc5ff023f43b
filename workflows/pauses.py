"""Pauses: whose messages wait. What is paused at a moment is a fold of the service's own stream."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from workflows.commands import Reference
from workflows.events import Recorded
from workflows.operations import WorkPaused, WorkResumed

#: Stands for all actors that may be paused.
EVERYTHING = "*"

#: Applied whatever is paused: that a prospect wants no more contact, under this lead or a duplicate, has answered, or is to be
#: erased.
NEVER_PAUSED = frozenset({
    "opted_out", "channel_opted_out", "duplicate_taken_in", "reply_received", "event_rsvp_received", "erased",
})  # fmt: skip


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """One actor's messages wait, or those of `EVERYTHING`."""

    actor: str
    since: datetime
    by: str
    reason: Reference
    version: int
    """Of the event, in the service's own stream."""


def fold_pauses(history: Iterable[Recorded]) -> dict[str, Pause]:
    """Return what is paused after *history*, the events of the service's own stream, oldest first."""
    pauses: dict[str, Pause] = {}
    for recorded in history:
        match recorded.data:
            case WorkPaused(actors=actors, reason=reason):
                for actor in actors:
                    pauses[actor] = Pause(
                        actor=actor,
                        since=recorded.recorded_at,
                        by=recorded.actor,
                        reason=reason,
                        version=recorded.version,
                    )
            case WorkResumed(actors=actors):
                for actor in list(pauses) if EVERYTHING in actors else actors:
                    pauses.pop(actor, None)
    return pauses
