"""Leads that are one person, because one was merged into the other: how to call them, and what to say of them."""

from collections.abc import Collection, Iterator
from uuid import UUID

from models import contacts, merges, views
from models.database import Connection
from service.wording import key_of_id, name_of
from workflows.lead import Lead


def called(connection: Connection, ids: Collection[UUID]) -> dict[UUID, str]:
    """Return what to type for each of the leads *ids*, with the person's name where that is known."""
    known = contacts.find_contacts(connection, list(ids))
    leads = {lead.id: lead for lead in views.find_leads(connection, list(ids))}
    keys = {id_: key_of_id(id_, known.get(id_)) for id_ in ids}
    return {
        id_: f"{key} ({name_of(leads[id_], known.get(id_))})" if id_ in leads and id_ in known else key
        for id_, key in keys.items()
    }


def merged_lines(connection: Connection, lead: Lead) -> Iterator[tuple[str, str]]:
    """Yield, with labels, into which lead *lead* was merged, and which it took in; nothing of most leads."""
    taken = [each.lead_id for each in lead.duplicates or ()]
    end = merges.survivor(connection, lead).id
    into = lead.merged_into or None
    names = called(connection, {id_ for id_ in (*taken, into, end) if id_})
    if into:
        on = f", and that one into {names[end]}" if end not in (into, lead.id) else ""
        yield "merged", f"into {names[into]}{on}: the person goes on as that lead, {end if end != lead.id else into}"
    for number, id_ in enumerate(taken):
        yield "" if number else "took in", f"{names[id_]}, whose history is a stream of its own: {id_}"
