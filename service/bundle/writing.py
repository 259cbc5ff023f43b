"""One bundle while it is written, in one snapshot of the database: events, proofs, what they rest on, and the manifest."""

import json
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime
from importlib.metadata import version
from importlib.resources import files
from typing import Any
from uuid import UUID

import msgspec

from models import bundle, checkpoints, events, heads, tree, wordings
from models.checkpoints import CheckpointRow
from models.database import Connection
from models.heads import RecordedHeads
from models.merges import merged_with
from service.bundle.archive import Archive, BundleError
from service.bundle.heads import HeadProofs
from service.bundle.opened import References
from service.bundle.selection import Chosen, Selection, choose, names_of
from service.keys import SigningKey
from service.wording import count
from workflows.codec import canonical, digest
from workflows.notes import Note, parse_checkpoint, parse_note

FORMAT = "thaw-bundle-1"

#: What is in every bundle as it stands in this folder.
ENCLOSED = ("FORMAT.txt", "verify.py")


class OvertakenError(BundleError):
    """Behind the newest checkpoint texts went that it commits to: without the event that says why they would be missed."""


Progress = Callable[[int, int], None]
"""``(events written, events in all)``."""


class Writing:
    """One bundle while it is written, in one snapshot of the database."""

    def __init__(
        self, connection: Connection, archive: Archive, selection: Selection, opened: bool, progress: Progress
    ) -> None:
        """Look up what is signed, and choose by it.

        Raises
        ------
        BundleError
            When nothing signed covers what is asked for, or contact data is under way that texts would have to match.
        OvertakenError
            When a checkpoint signed anew would help.
        """
        self._connection = connection
        self._archive = archive
        self._selection = selection
        self.opened = opened
        self._progress = progress
        self._playbooks: set[str] = set()
        self._wordings: set[str] = set()
        self.checkpoint = self._newest_checkpoint()
        self.heads = self._recorded_heads()
        self.behind = self._count_behind()
        at = self.heads.position if self.heads else None
        self.chosen: Chosen = choose(connection, selection, self.checkpoint.size, heads_at=at)
        self.texts: int | None = None
        self.asked = 0
        if opened and selection.kind != "range":
            self._refuse_overtaken(selection.leads or None)
        self.elsewhere = tuple(sorted(merged_with(connection, selection.leads))) if selection.leads else ()

    def _refuse_overtaken(self, leads: Sequence[UUID] | None) -> None:
        """Refuse to write texts where those that went would look as if somebody kept them back."""
        if bundle.texts_changed_behind(self._connection, self.checkpoint.size, leads):
            raise OvertakenError(
                f"somebody was erased, or contact data replaced, behind the newest checkpoint, which is over "
                f"{self.checkpoint.size} events: wait for the next one, or leave out --opened"
            )
        if under_way := bundle.contacts_under_way(self._connection, leads):
            what = f"{count(under_way, 'message')} with new contact data"
            how = "waits for a worker, or is dead" if under_way == 1 else "wait for a worker, or are dead"
            raise BundleError(
                f"{what} {how}, and no event commits to that data yet: see `thaw status`, and try again later, or leave out "
                "--opened"
            )

    def _newest_checkpoint(self) -> CheckpointRow:
        found = checkpoints.newest(self._connection)
        if found is None or found.size == 0:
            raise BundleError(
                "nothing of the log is signed yet: run `thaw keys init` where the clock runs, and `thaw checkpoint`"
            )
        head, last = events.head_position(self._connection), self._selection.last
        if last > head:
            raise BundleError(f"the log has {head} events: the range cannot end at {last}")
        if last > found.size:
            raise BundleError(f"the newest checkpoint is over {found.size} events, and no key is here to sign one up to {last}")
        return found

    def _recorded_heads(self) -> RecordedHeads | None:
        """Return the recorded heads that prove whole leads complete."""
        if self._selection.kind != "leads":
            return None
        found = heads.newest(self._connection, before=self.checkpoint.size)
        if found is None:
            raise BundleError("no heads of streams are signed, which prove a history complete: run `thaw checkpoint --heads`")
        return found

    def _count_behind(self) -> int:
        if self._selection.kind == "range":
            return 0
        if self._selection.kind == "all":
            return events.head_position(self._connection) - self.checkpoint.size
        newest = bundle.positions_of(self._connection, self._selection.leads, events.head_position(self._connection))
        return sum(position > self.checkpoint.size for position in newest)

    def write(self, now: datetime, signing: Sequence[SigningKey], kept_sizes: Sequence[int]) -> None:
        """Write every file, the manifest last."""
        self._write_leads()
        self._write_events()
        # Those of a log of another name, from before the key was lost or a backup restored, are proved by `--kept` alone.
        name, size = _name_of(self.checkpoint), self.checkpoint.size
        earlier = [row for row in checkpoints.milestones(self._connection, before=size) if _name_of(row) == name]
        self._archive.add("checkpoint.note", self.checkpoint.note.encode())
        with self._archive.member("checkpoints.ndjson") as member:
            for row in earlier:
                member.write(canonical({"note": row.note}) + b"\n")
        with self._archive.member("tree.ndjson") as member:
            gaps = self.chosen.between([row.size for row in earlier] + list(kept_sizes))
            for (level, number), hash_ in tree.cover(self._connection, gaps):
                member.write(b'[%d,%d,"%s"]\n' % (level, number, hash_.hex().encode()))
        for name, body in sorted(bundle.playbook_texts(self._connection, self._playbooks).items()):
            self._archive.add(f"playbooks/{name}.json", body.encode())
        for name, body in sorted(wordings.texts_of(self._connection, self._wordings).items()):
            self._archive.add(f"wordings/{name}.txt", body.encode())
        for name in ENCLOSED:
            self._archive.add(name, (files("service.bundle") / name).read_bytes())
        self._write_manifest(now, signing)

    def _write_leads(self) -> None:
        if self.heads is None:
            return
        own = bundle.heads_of(self._connection, self._selection.leads, self.heads.data.size)
        proofs = HeadProofs(self._connection, self.heads.data, len(own))
        with self._archive.member("leads.ndjson") as member:
            for lead in sorted(self._selection.leads):
                if lead not in own:
                    raise BundleError(f"lead {lead} came after what is signed: run `thaw checkpoint --heads`")
                member.write(canonical({"lead": str(lead), "head": proofs.prove(own[lead])}) + b"\n")

    def _write_events(self) -> None:
        """Write bodies and index, and gather what the bodies name."""
        with tempfile.TemporaryFile() as index, tempfile.TemporaryFile() as referred:
            references = References(referred)
            with self._archive.member("events.ndjson") as member:
                for number, row in enumerate(self._rows(), start=1):
                    member.write(row.body + b"\n")
                    index.write(self._index_line(row))
                    self._take_names(row, references)
                    if number % bundle.CHUNK_ROWS == 0:
                        self._progress(number, len(self.chosen))
            index.seek(0)
            with self._archive.member("index.ndjson") as member:
                while piece := index.read(1 << 18):
                    member.write(piece)
            if self.opened:
                with self._archive.member("opened.ndjson") as member:
                    self.texts = references.write(self._connection, member)

    def _rows(self) -> Any:
        for run in self.chosen.runs:
            yield from bundle.read_rows(self._connection, run)

    def _index_line(self, row: bundle.BundledRow) -> bytes:
        """Return the event's line; the hash before it only where the bundle does not hold that event."""
        before = b""
        if row.previous_position is not None and row.previous_hash and not self.chosen.holds(row.previous_position):
            before = b',"%s"' % row.previous_hash
        return b'[%d,"%s",%s,"%s"%s]\n' % (row.position, row.stream_id, row.version, row.hash, before)

    def _take_names(self, row: bundle.BundledRow, references: References) -> None:
        names = names_of(row.body)
        if names.playbook:
            self._playbooks.add(names.playbook.digest)
        if names.data.layers:
            self._playbooks.add(names.data.layers.digest)
        if names.used and names.used.followed:
            self._playbooks.add(names.used.followed)
        if names.used and names.used.colleague:
            self._playbooks.add(names.used.colleague.followed)
        self._wordings |= set(names.used.wording.values()) if names.used else set()
        self._wordings |= {said.rpartition(":")[2] for said in (names.data.wording, names.data.footer) if said}
        asked = self._selection.kind != "leads" or UUID(row.stream_id.decode()) in self._leads
        self.asked += asked
        if self.opened and asked:
            references.gather(row.stream_id, row.body)

    @property
    def _leads(self) -> frozenset[UUID]:
        return frozenset(self._selection.leads)

    def _write_manifest(self, now: datetime, signing: Sequence[SigningKey]) -> None:
        signed = parse_checkpoint(parse_note(self.checkpoint.note).text)
        manifest = {
            "format": FORMAT,
            "made_at": now.isoformat(timespec="seconds").replace("+00:00", "Z"),
            "release": f"thaw {version('thaw')}",
            "selection": _told(self._selection),
            "events": len(self.chosen),
            "opened": self.opened,
            "checkpoint": {"origin": signed.origin, "size": signed.size, "root": signed.root.hex()},
            "heads": self.heads.position if self.heads else None,
            "files": [msgspec.to_builtins(listed) for listed in self._archive.listed],
        }
        raw = (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()
        self._archive.add("manifest.json", raw)
        if signing:
            # Its second line is no number, so that this can never be taken for a checkpoint.
            text = f"{FORMAT}\n{signing[0].verifier.name}\nsha256 {digest(raw)}\n"
            note = Note(text, tuple(key.sign(text) for key in signing))
            self._archive.add("manifest.note", str(note).encode())


def _name_of(checkpoint: CheckpointRow) -> str:
    return checkpoint.note.partition("\n")[0]


def _told(selection: Selection) -> dict[str, Any]:
    """Return a selection as the manifest says it; which leads those are stands in ``leads.ndjson``."""
    if selection.kind == "leads":
        return {"kind": "leads", "leads": len(selection.leads)}
    if selection.kind == "range":
        return {"kind": "range", "first": selection.first, "last": selection.last}
    return {"kind": "all"}
