"""Leads that may be one person under two ids, for a manager to look at: nobody is merged by the service itself."""

from models import contacts, doubles, views
from models.database import Connection
from service.cut_bait import Alert
from service.wording import key_of, name_of, shared


def read_doubles(connection: Connection, owner: str | None = None) -> list[Alert]:
    """Return an alert for each lead that may be the person of another one, of *owner* or of the team."""
    found = doubles.doubles(connection, owner)
    ids = list({id_ for each in found for id_ in (each.lead_id, each.into)})
    people = contacts.find_contacts(connection, ids)
    leads = {lead.id: lead for lead in views.find_leads(connection, ids)}
    alerts = []
    for double in found:
        lead, into = leads[double.lead_id], leads[double.into]
        typed, typed_into = key_of(lead, people.get(lead.id)), key_of(into, people.get(into.id))
        alerts.append(
            Alert(
                rule="suspected_double",
                lead_id=lead.id,
                key=typed,
                name=name_of(lead, people.get(lead.id)),
                owner=lead.owner,
                says=f"may be the person of {name_of(into, people.get(into.id))} ({typed_into}): {shared(double.kinds)}",
                command=f"thaw merge {typed} --into {typed_into} --as manager:NAME",
            )
        )
    return alerts
