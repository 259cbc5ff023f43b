"""What the days of reps followed: decisions name it, and what they name has to be what the rep's own stream says."""

from collections.abc import Collection, Iterator, Mapping, Set
from functools import lru_cache
from typing import NamedTuple

from workflows.commands import Reassign
from workflows.cover import acting
from workflows.events import Recorded
from workflows.invitation_streams import Stream
from workflows.law_guards import narrows
from workflows.lead import Lead
from workflows.playbooks import Playbook
from workflows.slotting import takes_slots


class Followed(NamedTuple):
    """A calendar and a playbook that a rep's days followed together, by their digests."""

    rep: str
    calendar: str
    playbook: str


def never_followed(state: Stream | None, recorded: Recorded, followed: Collection[Followed]) -> Iterator[tuple[str, str]]:
    """Yield each field of *recorded*, with the digest in it, that names a playbook which that rep's days never followed.

    *state* is the stream before it; *followed* is all that reps ever followed.
    """
    used, command = recorded.used, recorded.command
    if used is None:
        return
    theirs = used.colleague
    if theirs and Followed(theirs.rep, theirs.calendar, theirs.followed) not in followed:
        yield "used.colleague.followed", theirs.followed
    if not used.followed:
        return
    if isinstance(command, Reassign):
        # The new owner's, whose calendar it does not look at.
        known = (command.owner, used.followed) in {(each.rep, each.playbook) for each in followed}
    else:
        by = acting(state, command) if isinstance(state, Lead) and command else ""
        known = Followed(by, used.calendar or "", used.followed) in followed
    if not known:
        yield "used.followed", used.followed


@lru_cache(maxsize=1)
def _by_calendar(followed: frozenset[Followed]) -> Mapping[tuple[str, str], Set[str]]:
    """Return the digests of the playbooks by rep and calendar; each decision of a log asks for them."""
    found: dict[tuple[str, str], set[str]] = {}
    for each in followed:
        found.setdefault((each.rep, each.calendar), set()).add(each.playbook)
    return found


def left_out(
    state: Stream | None, recorded: Recorded, followed: Collection[Followed], playbooks: Mapping[str, Playbook]
) -> str | None:
    """Return the digest of the playbook that *recorded* should name as what the rep's days followed, None when it need not.

    Of another owner for a lead with something planned it stands beside their calendar. Else it has to be named where the rep
    never followed the lead's own with that calendar.
    """
    used, command, pin = recorded.used, recorded.command, recorded.playbook
    if used is None or used.followed or command is None or pin is None or not isinstance(state, Lead):
        return None
    if isinstance(command, Reassign):
        return used.colleague.followed if used.colleague and used.colleague.followed != pin.digest else None
    own = playbooks.get(pin.digest)
    theirs = _by_calendar(frozenset(followed)).get((acting(state, command), used.calendar or ""), set())
    if own is None or not theirs or pin.digest in theirs:
        return None
    slots = takes_slots(command)
    asked = all(slots or (each in playbooks and narrows(command, state, own, playbooks[each])) for each in theirs)
    return min(theirs) if asked else None
