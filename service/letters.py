"""Letters of a campaign, written from a template and from what is known of each person; a template has a version of its own."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from models import contacts, wordings
from models.database import Connection
from service.times import moment_and_zone
from service.wording import hidden_in, plain, words
from workflows import time_zones
from workflows.campaign_commands import AudienceKey
from workflows.codec import derived_id
from workflows.sales_event import SalesEvent
from workflows.wordings import FORMS, Wording, WordingError, read_wording

#: Wordings that are letters to people who are invited.
LETTERS = tuple(name for name, form in FORMS.items() if "events" in form.required)

_MARK = re.compile(r"\{([^{}]*)\}")


class LetterError(ValueError):
    """A letter cannot be written; the message says what is missing."""


def read_template(audience: AudienceKey, text: str) -> Wording:
    """Return *text*, of somebody's own, as the letter to people of *audience*.

    Raises
    ------
    LetterError
        When it could not be published as one: it asks for what nobody knows, or lacks what it must say.
    """
    try:
        return read_wording("invite-client" if audience == "client" else "invite-declined", text)
    except WordingError as error:
        raise LetterError(str(error)) from error


def approved_template(connection: Connection, name: str) -> Wording:
    """Return the template called *name* that is in force.

    Raises
    ------
    LetterError
        When there is none, or it is no letter to anybody invited.
    """
    if name not in LETTERS:
        raise LetterError(f"there is no letter called {plain(name, 80)}; give a file with one, or name {' or '.join(LETTERS)}")
    return wordings.latest(connection, name)


def written(template: Wording, values: Mapping[str, str]) -> str:
    """Return the letter.

    Raises
    ------
    LetterError
        When one of the values that the template asks for is not known, or nobody could print it: there is homework to do.
    """
    for mark in dict.fromkeys(_MARK.findall(template.text)):
        if found := hidden_in(values.get(mark, "")):
            raise LetterError(f"the {words(mark)} holds {found}, which no letter may have; correct it where it comes from")
    missing = next((mark for mark in _MARK.findall(template.text) if not values.get(mark, "").strip()), None)
    if missing is not None:
        raise LetterError(f"the {words(missing)} is not known")
    return _MARK.sub(lambda mark: values[mark[1]], template.text)


class Said(NamedTuple):
    """What is said of a sales event, in words."""

    title: str
    host: str
    place: str
    description: str


def said_of(connection: Connection, events: Sequence[SalesEvent]) -> dict[UUID, Said]:
    """Return what is said of *events*; a text that is not there is empty."""
    references = {event.id: (event.title, event.host, event.place, event.description) for event in events}
    ids = [each.document_id for four in references.values() for each in four if each]
    found = contacts.find_documents(connection, ids)
    return {id_: Said(*(found.get(each.document_id, "") if each else "" for each in four)) for id_, four in references.items()}


def letter_id(campaign_id: UUID, lead_id: UUID, tries: int) -> UUID:
    """Return the message that sends a person's letter: one for each writing of it, so that the same again sends nothing."""
    return derived_id("letter", campaign_id, lead_id, tries)


def document_id(message_id: UUID) -> UUID:
    """Return under what the text of such a letter is kept."""
    return derived_id("document", message_id, "invitation")


def kept_letter(connection: Connection, message_id: UUID) -> str:
    """Return a letter as it was kept; empty when it was erased."""
    return contacts.find_document(connection, document_id(message_id)) or ""


def attachment(events: Sequence[SalesEvent], said: Mapping[UUID, Said], zone: ZoneInfo) -> str:
    """Return the list of *events*, in their order, with a description of each; *zone* is that of an event that names none."""
    return "\n\n".join(_entry(number, event, said[event.id], zone) for number, event in enumerate(events, start=1))


def _entry(number: int, event: SalesEvent, said: Said, zone: ZoneInfo) -> str:
    where = f"at {said.host}" + (f", {said.place}" if said.place else "")
    begins = moment_and_zone(event.starts_at, zone_of_event(event) or zone)
    return f"{number}. {said.title}\n   {begins}, {where}\n   {' '.join(said.description.split())}"


def zone_of_event(event: SalesEvent) -> ZoneInfo | None:
    """Return the time zone of the place where *event* is; None of one that was announced without."""
    return time_zones.zone_named(event.timezone) if event.timezone else None
