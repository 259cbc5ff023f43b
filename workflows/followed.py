"""What the days of reps followed: decisions name it, and what they name has to be what the rep's own stream says."""

from collections.abc import Collection, Iterator
from typing import NamedTuple

from workflows.commands import Reassign
from workflows.cover import acting
from workflows.events import Recorded
from workflows.invitation_streams import Stream
from workflows.lead import Lead


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
