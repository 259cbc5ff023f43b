"""From what a person typed to the lead, the rep or the playbook that is meant; or a sentence that says what would be right."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import NamedTuple
from uuid import UUID

from models import contacts, erasure, leads, playbooks, views
from models.contacts import Contact
from models.database import Connection
from service.find_name import called, listed, resembling
from service.wording import name_of, plain
from workflows.lead import Lead, Rep, lead_id
from workflows.playbooks import Playbook

#: Fewer digits of an id than this are more likely a slip than a lead.
PREFIX_DIGITS = 8

#: How many of several matches are named.
_NAMED = 5


class FindError(LookupError):
    """Nothing, or more than one thing, is meant by what was typed; the message says what would be right."""


class Found(NamedTuple):
    """A lead, with the person behind it where that is known and not erased."""

    lead: Lead
    contact: Contact | None

    @property
    def name(self) -> str:
        """How to call the person."""
        return name_of(self.lead, self.contact)


def find_lead(connection: Connection, typed: str, *, by_name: bool = True) -> Found:
    """Return the lead that *typed* means: its id, the first 8 or more digits of it, the CRM's id for it, or the whole name.

    The CRM's id may have its source before it, as in ``crm:00Q5e``. A name counts where one alone has it; without *by_name* it
    never does, and the error says whose it is.

    Raises
    ------
    FindError
        When no lead or more than one is meant.
    """
    text = typed.strip()
    if not text:
        raise FindError(f"which lead? Name {_names(connection)}")
    known = _by_external_id(connection, text)
    ids = dict.fromkeys([*(contact.lead_id for contact in known), *_derived(connection, text), *_by_digits(connection, text)])
    found = views.find_leads(connection, list(ids))
    if not found and not known and storable(text):
        found = _erased(connection, text)
    if len(found) == 1:
        lead = found[0]
        return Found(lead, contacts.find_contacts(connection, [lead.id]).get(lead.id))
    if found:
        raise FindError(_ambiguous(connection, text, found))
    if known:
        raise FindError(
            f"{plain(text, 80)!r} was taken in, but is not registered yet: no worker has got to it; see `thaw status`"
        )
    people = called(connection, text) if storable(text) else []
    if by_name and len(people) == 1 and (named := views.find_leads(connection, [people[0].lead_id])):
        return Found(named[0], people[0])
    raise FindError(_unknown(connection, text, people, by_name=by_name))


def _erased(connection: Connection, text: str) -> list[Lead]:
    """Return the erased leads that the CRM calls *text*: no table has that any more, but their ids are made of it."""
    named = [(source, text.removeprefix(f"{source}:")) for source in erasure.sources(connection)]
    found = views.find_leads(connection, [lead_id(source, external_id) for source, external_id in named])
    return [lead for lead in found if lead.erased_at]


def _by_external_id(connection: Connection, text: str) -> list[Contact]:
    if not storable(text):
        return []
    found = contacts.find_by_external_id(connection, text)
    # Sources and ids may both hold colons, so that every one may be where the source ends.
    for colon in (match.start() for match in re.finditer(":", text)):
        found += contacts.find_by_external_id(connection, text[colon + 1 :], source=text[:colon])
    return found


def _derived(connection: Connection, text: str) -> list[UUID]:
    """Return the ids that leads called *text* would have, where contacts are closed to us: they follow from the CRM's."""
    if contacts.are_open(connection) or not storable(text):
        return []
    split = [(text[: match.start()], text[match.end() :]) for match in re.finditer(":", text)]
    return [lead_id(source, id_) for source, id_ in [*((each, text) for each in views.sources(connection)), *split]]


#: Of what `is_rep_name` accepts, in words.
REP_NAMES = "1 to 80 printable characters on one line, no blank before or behind them"
REP_NAME_CHARACTERS_MAX = 80


def is_rep_name(text: str) -> bool:
    """Tell whether *text* may name a rep, wherever the name comes from."""
    return text == text.strip() != "" and len(text) <= REP_NAME_CHARACTERS_MAX and storable(text) and text.isprintable()


def storable(text: str) -> bool:
    """Tell whether PostgreSQL could hold *text* at all: no NUL, and no bytes that are not UTF-8."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _by_digits(connection: Connection, text: str) -> list[UUID]:
    span = digits_span(text)
    return views.leads_between(connection, *span, limit=_NAMED + 1) if span else []


def digits_span(text: str) -> tuple[UUID, UUID] | None:
    """Return the first and the last id that begin with the hexadecimal digits *text*; None when it is too short or no id."""
    digits = text.replace("-", "").lower()
    if not re.fullmatch(rf"[0-9a-f]{{{PREFIX_DIGITS},32}}", digits):
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))


def _ambiguous(connection: Connection, text: str, found: Sequence[Lead]) -> str:
    people = contacts.find_contacts(connection, [lead.id for lead in found])
    named = [
        f"{lead.id} ({plain(f'{person.source}:{person.external_id}', 60)})" if (person := people.get(lead.id)) else str(lead.id)
        for lead in found[:_NAMED]
    ]
    more = " and others" if len(found) > _NAMED else ""
    return f"{plain(text, 80)!r} may mean {' or '.join(named)}{more}: name one of them in full"


def _unknown(connection: Connection, text: str, people: Sequence[Contact], *, by_name: bool) -> str:
    if len(people) > 1:
        return f"{plain(text, 80)!r} may mean {listed(people)}: type the id of the one that is meant"
    if people or (storable(text) and (people := resembling(connection, text))):
        hint = f"did you mean {listed(people)}?"
    elif re.fullmatch(r"[0-9a-fA-F]+", digits := text.replace("-", "")) and len(digits) < PREFIX_DIGITS:
        hint = f"of an id, type at least the first {PREFIX_DIGITS} digits"
    elif beside := re.match("(rep|campaign|event):.", text):
        hint = f"what is asked here is asked of a lead, and that names a {beside[1]}"
    elif storable(text) and leads.find_rep(connection, text):
        hint = f"a rep is called so: where one can be meant, write rep:{plain(text, 80)}"
    else:
        hint = f"name {_names(connection, by_name=by_name)}"
    return f"no lead is known as {plain(text, 80)!r}; {hint}"


def _names(connection: Connection, *, by_name: bool = True) -> str:
    """Return what may be typed for a lead."""
    ids = "its id, the first 8 digits of it"
    named = by_name and contacts.are_open(connection)
    return f"{ids}, the CRM's id for it, or the whole name" if named else f"{ids}, or the CRM's id for it"


def find_rep(connection: Connection, name: str) -> Rep:
    """Return the rep called *name*.

    Raises
    ------
    FindError
        When nobody is called so; the message names who is.
    """
    rep = leads.find_rep(connection, name) if storable(name) else None
    if rep is None:
        known = [other.name for other in leads.list_reps(connection)]
        raise FindError(f"no rep is called {plain(name, 80)!r}{there_is(name, known, 'make one known with `thaw rep set`')}")
    return rep


def find_playbook(connection: Connection, typed: str) -> Playbook:
    """Return the newest published version of the playbook called *typed*.

    Raises
    ------
    FindError
        When none is published; the message names those that are.
    """
    playbook = playbooks.newest_playbook(connection, typed) if storable(typed) else None
    if playbook is None:
        known = playbooks.playbook_ids(connection)
        raise FindError(f"no playbook called {plain(typed, 80)!r} is published{there_is(typed, known, 'run `thaw migrate`')}")
    return playbook


def there_is(typed: str, known: Iterable[str], if_none: str) -> str:
    """Return the end of a sentence about an unknown name: the one that was probably meant, or those that there are."""
    names = list(known)
    if not names:
        return f"; there is none yet: {if_none}"
    near = get_close_matches(typed, names, n=1)
    others = "" if len(names) > _NAMED else f"; there is {', '.join(names)}"
    return f"; did you mean {near[0]}?" if near else others
