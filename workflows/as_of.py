"""A lead's events in the order in which they happened, which is not always the order in which they were entered.

As recorded is what the service knew: the fold of the first events of the log. As occurred is what was true, as far as anybody
has said since: the fold of the events that had happened, each at its time, those of one moment in the order of their versions.
Only what is in the log is folded. Where an entry that came late makes a later event one that the table has no row for, that
event is folded all the same, and `Happened.odd` says so.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from workflows.events import Recorded, event_type
from workflows.fold import fold
from workflows.lead import Lead, State
from workflows.transitions import ASIDES, ROWS


class Happened(NamedTuple):
    """An event at its place in the order of occurrence."""

    recorded: Recorded
    after: Lead
    """The lead after it, in that order; its version is the highest of the events folded so far."""
    odd: str
    """Why the event could not have come here, had everything been entered at once; empty when it could."""


def happened_by(history: Sequence[Recorded], moment: datetime, version: int | None = None) -> list[Recorded]:
    """Return the events of *history* that had happened by *moment*, oldest first, the registration always first.

    Of those that happened at *moment* itself only the ones up to *version* count, when that is named.
    """
    by_then = [
        recorded
        for recorded in history
        if recorded.occurred_at < moment
        or (recorded.occurred_at == moment and (version is None or recorded.version <= version))
    ]
    if by_then and by_then[0].version != 1:
        # What happened to a lead before it was registered: without its registration there is nothing that it happened to.
        by_then.insert(0, history[0])
    return sorted(by_then, key=lambda recorded: (recorded.version != 1, recorded.occurred_at, recorded.version))


def in_order(events: Iterable[Recorded]) -> list[Happened]:
    """Fold *events*, as `happened_by` returns them.

    Raises
    ------
    FoldError
        When the first does not register the lead.
    """
    folded: list[Happened] = []
    lead: Lead | None = None
    for recorded in events:
        odd = _odd(lead, recorded)
        # What does not move the lead leaves it in the state that it has in this order, not in the one of the recording.
        stays = lead is not None and recorded.row is None
        after = fold(lead, replace(recorded, state=lead.state) if lead and stays else recorded)
        if lead and lead.version > after.version:
            after = replace(after, version=lead.version)
        if lead and lead.recorded_at > after.recorded_at:
            after = replace(after, recorded_at=lead.recorded_at)
        folded.append(Happened(recorded, after, odd))
        lead = after
    return folded


def _odd(lead: Lead | None, recorded: Recorded) -> str:
    """Say what is odd about *recorded* coming when *lead* stands as it does: no row of the table leads from there to there."""
    kind = event_type(recorded.data)
    if lead is None or recorded.row is None or _possible(lead.state, kind, recorded.state):
        return ""
    return (
        f"event {recorded.version} ({kind}, {recorded.row}) does not lead from {lead.state} to {recorded.state}, and "
        f"{lead.state} is where the lead was by what had happened before it"
    )


def _possible(state: State, kind: str, after: str) -> bool:
    """Tell whether an event of this *kind* may leave *state* for *after*, by whichever row it would have been."""
    return any(row.event == kind and state in row.sources and (row.target or state) == after for row in (*ROWS, *ASIDES))
