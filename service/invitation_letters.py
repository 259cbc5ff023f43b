"""Letters of a campaign, written from a template and from what is known of each person; a template has a version of its own."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from models import contacts
from models.database import Connection
from service.times import shown_moment
from service.wording import plain, words
from workflows.sales_event import SalesEvent

#: What a template may ask for.
FIELDS = ("name", "company", "last_meeting_topic", "rep", "events")

_MARK = re.compile(r"\{([^{}]*)\}")


class LetterError(ValueError):
    """A letter cannot be written; the message says what is missing."""


class Template(NamedTuple):
    """The wording of one audience's letter."""

    text: str
    digest: str
    """SHA-256 of the text; it stands with each letter that was written from it."""


def read_template(text: str) -> Template:
    """Return the template in *text*.

    Raises
    ------
    LetterError
        When it asks for what nobody knows, or leaves out the list of events.
    """
    marks = _MARK.findall(text)
    unknown = next((mark for mark in marks if mark not in FIELDS), None)
    if unknown is not None:
        raise LetterError(f"{{{plain(unknown, 40)}}} is unknown in a letter; it may have {', '.join(FIELDS)}")
    if "events" not in marks:
        raise LetterError("the letter has no {events}, where the list of events is to stand")
    return Template(text, hashlib.sha256(text.encode()).hexdigest())


def shipped_template(name: str) -> Template:
    """Return the template called *name* that comes with Thaw.

    Raises
    ------
    LetterError
        When there is none.
    """
    path = files("workflows") / "wording" / f"{name}.txt"
    if not path.is_file():
        raise LetterError(f"no wording called {name} comes with Thaw; give one with --wording")
    return read_template(path.read_text())


def written(template: Template, values: Mapping[str, str]) -> str:
    """Return the letter.

    Raises
    ------
    LetterError
        When one of the values that the template asks for is not known: then there is homework to do first.
    """
    missing = next((mark for mark in _MARK.findall(template.text) if not values.get(mark, "").strip()), None)
    if missing is not None:
        raise LetterError(f"the {words(missing)} is not known")
    return _MARK.sub(lambda mark: values[mark[1]], template.text)


class EventWords(NamedTuple):
    """What is said of a sales event, in words."""

    title: str
    host: str
    place: str
    description: str


def words_of_events(connection: Connection, events: Sequence[SalesEvent]) -> dict[UUID, EventWords]:
    """Return what is said of *events*; a text that is not there is empty."""
    references = {event.id: (event.title, event.host, event.place, event.description) for event in events}
    ids = [each.document_id for four in references.values() for each in four if each]
    found = contacts.find_documents(connection, ids)
    return {
        id_: EventWords(*(found.get(each.document_id, "") if each else "" for each in four)) for id_, four in references.items()
    }


def attachment(events: Sequence[SalesEvent], said: Mapping[UUID, EventWords], zone: ZoneInfo) -> str:
    """Return the list of *events*, in their order, with a description of each."""
    return "\n\n".join(_entry(number, event, said[event.id], zone) for number, event in enumerate(events, start=1))


def _entry(number: int, event: SalesEvent, said: EventWords, zone: ZoneInfo) -> str:
    where = f"at {said.host}" + (f", {said.place}" if said.place else "")
    return f"{number}. {said.title}\n   {shown_moment(event.starts_at, zone)}, {where}\n   {' '.join(said.description.split())}"
