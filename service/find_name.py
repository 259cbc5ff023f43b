"""People by their names, for whoever has no id at hand; and those who were probably meant by a name that nobody has."""

from collections.abc import Sequence

from rapidfuzz import fuzz, utils

from models import contacts
from models.contacts import Contact
from models.database import Connection
from service.wording import field_of, key_of_id

#: Longer texts are no names.
_CHARACTERS_MAX = 100

#: So many letters of a word in a name are taken to be right even when the rest is misspelt.
_BEGINNING = 3

#: How many candidates are compared, and how many of them named.
_COMPARED, NAMED = 2000, 3

#: From here on a name or id is like enough to ask whether it was meant, of 100.
_LIKE = 70


def called(connection: Connection, text: str) -> list[Contact]:
    """Return those whose whole name or id in the CRM is *text*, in capital or small letters; of many the first few."""
    return contacts.find_by_name(connection, text, NAMED + 1) if len(text) <= _CHARACTERS_MAX else []


def resembling(connection: Connection, text: str) -> list[Contact]:
    """Return those who may have been meant by *text*, which is nobody's name: the likeliest first, and few."""
    if len(text) > _CHARACTERS_MAX:
        return []
    beginnings = [word[:_BEGINNING] for word in text.split() if len(word) >= _BEGINNING and word.isalpha()]
    found = contacts.find_resembling(connection, beginnings, text, _COMPARED)
    scored = sorted(((_alike(text, each), each) for each in found), key=lambda scored: -scored[0])
    return [each for score, each in scored if score >= _LIKE][:NAMED]


def _alike(text: str, contact: Contact) -> float:
    # One word of a name is as good as all of them; of an id every sign counts.
    by_name = fuzz.WRatio(text, field_of(contact.fields, "name"), processor=utils.default_process)
    return max(by_name, fuzz.ratio(text.casefold(), contact.external_id.casefold()))


def listed(found: Sequence[Contact]) -> str:
    """Return people as a sentence names them: what to type for each, with the name."""
    named = [f"{key_of_id(each.lead_id, each)} ({field_of(each.fields, 'name') or 'no name'})" for each in found[:NAMED]]
    return " or ".join([*named, *(["somebody else"] if len(found) > NAMED else [])])
