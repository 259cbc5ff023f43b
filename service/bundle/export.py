"""Making a bundle: sign what is not signed yet, and anew while texts change; have it written, and record that it was."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from models import bundle, checkpoints, contacts, events, heads, views
from models.database import Engine, transaction
from service.bundle.archive import BundleError, Listed, new_archive, refuse_destination
from service.bundle.kept import refuse_future, refuse_unsigned
from service.bundle.selection import Selection
from service.bundle.writing import OvertakenError, Progress, Writing
from service.keys import KeyFiles
from service.notary import Notary
from service.operations import record_export
from workflows.notes import Checkpoint
from workflows.operations import RecordsExported

#: So often is a checkpoint signed anew where somebody is erased behind each.
_TRIES = 5


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What was written."""

    path: str
    sha256: str
    """Of the whole file, in hexadecimal."""
    bytes: int
    events: int
    """Those that were asked for, and those that they rest on."""
    asked: int
    """Those that were asked for."""
    checkpoint: int
    """The checkpoint is over so many events of the log."""
    heads: int | None
    """Whole leads: complete as of this event of the log."""
    behind: int
    """Events that were asked for, or all of the log, behind the checkpoint: they are not in the bundle."""
    texts: int | None
    """Opened texts; None when none were asked for."""
    signed: bool
    """Whether the manifest is signed, which takes a key at hand."""
    elsewhere: tuple[UUID, ...]
    """Leads of the same people, as merges say, whose histories are streams of their own and not in the bundle."""
    recorded: int | None
    """The event of the log that says that this was handed out; None for a login that may only read."""


def export(
    engine: Engine,
    selection: Selection,
    path: Path,
    *,
    keys: KeyFiles,
    notary: Notary,
    now: datetime,
    opened: bool = False,
    kept: Sequence[Checkpoint] = (),
    force: bool = False,
    by: str | None = None,
    reason: str | None = None,
    progress: Progress = lambda _done, _of: None,
) -> Exported:
    """Write the bundle of *selection* to *path*, and return what was written.

    Where a key is at hand and the newest checkpoint does not cover what is asked for, a checkpoint is signed first, and before
    it, for leads, the heads of all streams are recorded, so that their histories are complete as of now. *kept* are checkpoints
    that somebody keeps elsewhere, for which the bundle is to hold a proof. The log records that *by* hands it out, and the
    *reason*, before the file gets its name; not where nobody is named, nor by a login that may only read.

    Raises
    ------
    BundleError
        When nothing signed covers what is asked for or was *kept*, and there is no key; when *kept* is over more than the log
        has; when nothing can be put at *path*: then nothing was signed either; or when texts are changing that it would have to
        hold.
    KeyFileError
        When the key at hand cannot be used.
    ModelError, OSError
        When PostgreSQL refused or the disk is full; nothing is left behind.
    """
    refuse_destination(path, force=force)
    with transaction(engine) as connection:
        may_record = by is not None and bundle.may_append(connection)
        if opened and not contacts.are_open(connection):
            raise BundleError("this login may not read personal data: leave out --opened, or be given thaw_auditor_opened")
        refuse_future(kept, events.head_position(connection))
    for tries_left in reversed(range(_TRIES)):
        _sign_what_is_not_covered(engine, selection, keys, notary, by or "operator")
        signing = keys.signing() if keys.exist else []
        try:
            with new_archive(path, force=force) as archive:
                with views.snapshot(engine) as connection:
                    writing = Writing(connection, archive, selection, opened, progress)
                    refuse_unsigned(kept, writing.checkpoint.size)
                    writing.write(now, signing, [checkpoint.size for checkpoint in kept])
                sealed = archive.seal()
                recorded = None
                if by is not None and may_record:
                    with transaction(engine) as connection:
                        made = _handed_out(selection, writing, sealed)
                        recorded = record_export(connection, made, reason=reason, now=now, by=by)
            break
        except OvertakenError:
            if not (keys.exist and tries_left):
                raise
    return Exported(
        path=str(path),
        sha256=sealed.sha256,
        bytes=sealed.bytes,
        events=len(writing.chosen),
        asked=writing.asked,
        checkpoint=writing.checkpoint.size,
        heads=writing.heads.data.size if writing.heads else None,
        behind=writing.behind,
        texts=writing.texts,
        signed=bool(signing),
        elsewhere=writing.elsewhere,
        recorded=recorded,
    )


def _sign_what_is_not_covered(engine: Engine, selection: Selection, keys: KeyFiles, notary: Notary, by: str) -> None:
    if not keys.exist or _is_covered(engine, selection):
        return
    if selection.kind == "leads":
        notary.record_heads(by, wait=True)
    notary.make(wait=True)
    notary.send()


def _handed_out(selection: Selection, writing: Writing, sealed: Listed) -> RecordsExported:
    ranged = selection.kind == "range"
    return RecordsExported(
        scope=selection.kind,
        leads=tuple(sorted(selection.leads)),
        first=selection.first if ranged else None,
        last=selection.last if ranged else None,
        events=len(writing.chosen),
        opened=writing.opened,
        size_bytes=sealed.bytes,
        digest=sealed.sha256,
        reason=None,
    )


def _is_covered(engine: Engine, selection: Selection) -> bool:
    """Whether what was signed covers all that is asked for: of leads also that nothing of theirs has come since."""
    with transaction(engine) as connection:
        newest, head = checkpoints.newest(connection), events.head_position(connection)
        if newest is None or selection.kind == "range":
            return newest is not None and selection.last <= newest.size
        recorded = heads.newest(connection, before=newest.size) if selection.kind == "leads" else None
        whole = recorded is not None and recorded.data.size + 1 == recorded.position == head
        return head <= newest.size and (whole or selection.kind == "all")
