"""The opened personal data of a bundle: texts with their salts, so that anybody can make the log's commitments again."""

import json
from collections.abc import Iterator, Set
from itertools import islice
from typing import IO, Any
from uuid import UUID

import msgspec

from models import bundle
from models.database import Connection
from service.bundle.archive import Member
from workflows.codec import canonical
from workflows.commands import Reference

#: So many references are looked up at a time.
CHUNK = 2_000


class _Body(msgspec.Struct, frozen=True):
    data: Any


_bodies = msgspec.json.Decoder(_Body)


class References:
    """The texts that events refer to, in a temporary file, in the order of the events."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def gather(self, lead: bytes, body: bytes) -> None:
        """Take what an event of *lead* refers to."""
        if b'"commitment"' not in body:
            return
        try:
            found = [msgspec.convert(each, Reference) for each in _references(_bodies.decode(body).data)]
        except (msgspec.DecodeError, RecursionError):
            return  # no event: the verifier says so
        for each in found:
            self._file.write(json.dumps([lead.decode(), str(each.document_id), each.commitment]).encode() + b"\n")

    def write(self, connection: Connection, member: Member) -> int:
        """Write the texts that are still kept to *member*, and return how many those are."""
        self._file.seek(0)
        lines = iter(self._file)
        written = 0
        while some := list(islice(lines, CHUNK)):
            asked = dict.fromkeys(tuple(json.loads(line)) for line in some)
            ids = {UUID(id_) for _, id_, _ in asked}
            alone = bundle.long_texts(connection, ids)
            texts = _kept(connection, ids - alone)
            for lead, id_, commitment in asked:
                # A photo is in memory by itself.
                found = (_kept(connection, {UUID(id_)}) if UUID(id_) in alone else texts).get((id_, commitment))
                if found:
                    line = {"commitment": commitment, "lead": lead, "salt": found.salt.hex(), "text": found.text}
                    member.write(canonical(line) + b"\n")
                    written += 1
        return written


def _kept(connection: Connection, ids: Set[UUID]) -> dict[tuple[str, str], bundle.Opened]:
    return {(str(each.id), each.commitment): each for each in bundle.find_texts(connection, ids)}


def _references(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.keys() == {"commitment", "document_id"}:
            yield value
        else:
            for each in value.values():
                yield from _references(each)
    elif isinstance(value, list):
        for each in value:
            yield from _references(each)
