"""Which leads are one person because they were merged: from the duplicate to the lead that goes on, and from any to all."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Connection, text

from models import leads, views
from workflows.lead import Lead


def survivor(connection: Connection, lead: Lead) -> Lead:
    """Return the lead as which the person of *lead* goes on: itself, unless it was merged.

    Itself, too, while two merges cross each other, so that nobody goes on yet: then it is asked for by whom it was meant.
    """
    found, passed = lead, {lead.id}
    while found.merged_into:
        following = leads.find_lead(connection, found.merged_into)
        if following is None or following.id in passed:
            return lead
        passed.add(following.id)
        found = following
    return found


def merged_with(connection: Connection, lead_ids: Iterable[UUID]) -> set[UUID]:
    """Return all other leads of the people behind *lead_ids*, as merges say; looks at every lead."""
    asked = set(lead_ids)
    known, waiting = set(asked), sorted(asked)
    while waiting:
        found = set(_into(connection, waiting)) | set(_from(connection, waiting))
        waiting = sorted(found - known)
        known |= found
    return known - asked


def survivors(connection: Connection, lead_ids: Iterable[UUID]) -> dict[UUID, Lead]:
    """Return those of *lead_ids* that were merged, each with the lead as which its person goes on."""
    merged = connection.scalars(_merged, {"ids": list(lead_ids)}).all()
    return {lead.id: survivor(connection, lead) for lead in views.find_leads(connection, merged)}


def _into(connection: Connection, ids: list[UUID]) -> Iterable[UUID]:
    found = views.find_leads(connection, ids)
    return [each for lead in found for each in (lead.merged_into, *(lead.formerly_into or ())) if each]


# A merged lead is in one of two states. The key stands in a body only where it is set, and a text holds its quotes escaped.
_is_merged = """state IN ('dropped', 'do_not_contact') AND body LIKE '%"merged\\_into":"%'"""
_merged = text(f"SELECT id FROM leads WHERE id = ANY(:ids) AND {_is_merged} ORDER BY id")
_merged_into = text(f"""
    SELECT id FROM leads WHERE {_is_merged}
       AND CAST(CAST(body AS jsonb) ->> 'merged_into' AS uuid) = ANY(:ids) ORDER BY id
""")

# One that stands again may be in any state by now.
_formerly_into = text("""
    SELECT id FROM leads WHERE body LIKE '%"formerly\\_into":["%'
       AND CAST(body AS jsonb) -> 'formerly_into' ?| CAST(:names AS text[]) ORDER BY id
""")


def _from(connection: Connection, ids: list[UUID]) -> Iterable[UUID]:
    yield from connection.scalars(_merged_into, {"ids": ids})
    yield from connection.scalars(_formerly_into, {"names": [str(each) for each in ids]})
