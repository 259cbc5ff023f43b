"""Checkpoints that somebody keeps, for which a bundle is asked to hold a proof: those for which it could not are refused."""

from collections.abc import Sequence

from service.bundle.archive import BundleError
from workflows.notes import Checkpoint


def refuse_future(kept: Sequence[Checkpoint], head: int) -> None:
    """Refuse what is over more events than the *head* of the log.

    Raises
    ------
    BundleError
        When there is one.
    """
    most = _most(kept)
    if most > head:
        raise BundleError(
            f"the checkpoint that was kept is over {most} events, and the log has only {head}: it is of another log, or this "
            "one was put back to an earlier state (`thaw verify --since` says more)"
        )


def refuse_unsigned(kept: Sequence[Checkpoint], size: int) -> None:
    """Refuse what is over more events than the checkpoint of *size* events that the bundle is under.

    Raises
    ------
    BundleError
        When there is one.
    """
    most = _most(kept)
    if most > size:
        raise BundleError(
            f"the newest checkpoint is over {size} events, fewer than the {most} of the one that was kept: sign one with "
            "`thaw checkpoint`, where the key is"
        )


def _most(kept: Sequence[Checkpoint]) -> int:
    return max((checkpoint.size for checkpoint in kept), default=0)
