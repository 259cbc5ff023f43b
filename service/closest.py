"""The text that another one is too much like, found again and shown beside it: whom it was for, when, and its words."""

import textwrap
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import zip_longest
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from actors.mail_checks import mail_of
from models import contacts, texts
from models.database import Connection
from service.wording import plain
from workflows.checks import checked_text
from workflows.commands import AnyCommand
from workflows.events import Scalar
from workflows.mail_text import read_mail
from workflows.sentences import spoken

#: Of each of the two columns, in characters: both and what stands between them fit into 80.
_COLUMN = 37

#: More lines of a text are not shown: two texts that are alike are so long before.
_MOST_LINES = 60


class Closest(msgspec.Struct, frozen=True, kw_only=True):
    """A text of the team that another one is like."""

    document: UUID
    per_mille: int
    """How like; 1000 is the very same."""
    lead: str | None = None
    """What is typed for its lead; None where that is not known to this login, or no longer."""
    written_on: date | None = None
    """By the clock of the rep whose text was checked."""
    text: str | None = None
    """None where this login may not read texts, or it was erased."""
    closed: bool = False
    """This login may not read texts."""


def closest_of(connection: Connection, inputs: Mapping[str, Scalar], zone: ZoneInfo) -> Closest | None:
    """Return the text that a check named in its *inputs*; None when it named none."""
    named = inputs.get("closest_document")
    if not isinstance(named, str):
        return None
    document, per_mille = UUID(named), int(inputs.get("closest") or 0)
    if not texts.are_open(connection):
        return Closest(document=document, per_mille=per_mille, closed=True)
    written = texts.find_texts(connection, [document]).get(document)
    if written is None:
        return Closest(document=document, per_mille=per_mille)
    contact = contacts.find_contacts(connection, [written.lead_id]).get(written.lead_id)
    return Closest(
        document=document,
        per_mille=per_mille,
        lead=contact.external_id if contact else str(written.lead_id),
        written_on=written.written_at.astimezone(zone).date() if written.written_at else None,
        text=written.body,
    )


def words_of_command(connection: Connection, command: AnyCommand) -> str | None:
    """Return the words that *command* was checked by; None when it has none, they were erased, or this login may not read."""
    found = checked_text(command)
    if found is None or not texts.are_open(connection):
        return None
    written = texts.find_texts(connection, [found[1].document_id]).get(found[1].document_id)
    if written is None:
        return None
    return read_mail(written.body.encode()).words if mail_of(command) else written.body


def side_by_side(mine: str, closest: Closest) -> Iterator[str]:
    """Yield the lines that show *mine* beside the *closest* text, or why that is not shown."""
    alike = f"{closest.per_mille / 10:.0f} % the same"
    if closest.text is None:
        why = "this login may not read texts" if closest.closed else "it was erased"
        yield f"closest: document {closest.document}, {alike}; {why}"
        return
    lead = plain(closest.lead or "", 80)
    when = f", {spoken(closest.written_on)}" if closest.written_on else ""
    yield f"closest: {lead}{when}, {alike} but for names, days, greeting, sign-off and promise of a call"
    columns = (_wrapped("this text", mine), _wrapped(f"to {plain(lead, 30)}", closest.text))
    for number, (left, right) in enumerate(zip_longest(*columns, fillvalue="")):
        if number == _MOST_LINES:
            yield "  …"
            return
        yield f"  {left:<{_COLUMN}} | {right}".rstrip()


def _wrapped(title: str, text: str) -> Iterator[str]:
    yield title
    for line in text.strip().splitlines()[:_MOST_LINES]:
        yield from textwrap.wrap(plain(line, _COLUMN * _MOST_LINES), _COLUMN) or [""]
