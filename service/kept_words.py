"""The words behind an event: texts lie beside the log, where they can be erased, and the log refers to them."""

from collections.abc import Iterator
from uuid import UUID

import msgspec

from models import contacts
from models.database import Connection
from workflows.command import Reference
from workflows.commands import Command
from workflows.events import CommandRefused, Event, Recorded


def references(value: object) -> Iterator[UUID]:
    """Yield the documents that *value* refers to, in its order."""
    match value:
        case Reference(document_id=document_id):
            yield document_id
        case dict():
            for each in value.values():
                yield from references(each)
        case tuple():
            for each in value:
                yield from references(each)
        case Event() | msgspec.Struct():
            for name in value.__struct_fields__:
                # A photo is no words; `thaw note-photo` gives it back.
                if name != "photo":
                    yield from references(getattr(value, name))


def referred(recorded: Recorded, command: Command | None) -> tuple[UUID, ...]:
    """Return the documents that an event refers to, of a refusal those of its *command*; a contact is none."""
    said = command if isinstance(recorded.data, CommandRefused) else recorded.data
    return tuple(dict.fromkeys(each for each in references(said) if each != recorded.stream_id))


def kept_words(connection: Connection, documents: tuple[UUID, ...]) -> tuple[str | None, ...] | None:
    """Return the words of each of *documents*, None of one that is not kept any more; None where this login may read none."""
    if documents and not contacts.are_open(connection):
        return None
    found = contacts.find_documents(connection, documents) if documents else {}
    return tuple(found.get(each) for each in documents)
