"""Objections on a rep's sheet: what people said, what was closed by it, and what to type where they meant more."""

from collections.abc import Iterator

from models import contacts, leads, views
from models.database import Connection
from service.sheet.desk import Desk
from service.sheet.found import Item
from service.times import shown_moment
from service.wording import key_of, name_of, plain, words
from workflows import horizon
from workflows.events import ChannelOptedOut, OptedOut, Recorded
from workflows.objections import asks_erasure

#: So many working days of the rep an objection stands on the sheet, the day itself not counted.
SHOWN_DAYS = 3

#: Characters of what somebody wrote that the sheet shows.
MOST_SAID = 300


def objections(connection: Connection, desk: Desk) -> Iterator[Item]:
    """Yield what people objected to lately, the oldest first, without what the rep typed and who is erased."""
    if not desk.is_today:
        return
    since = horizon.moment(desk.calendar, horizon.before(desk.calendar, desk.day, SHOWN_DAYS), 0)
    # Consent that came after an objection settles it: the newest of both counts.
    said = views.said_since(connection, desk.rep.name, since, ("opted_out", "channel_opted_out", "consent_regranted"))
    of_others = [each for each in said if each.actor != f"rep:{desk.rep.name}"]
    people = contacts.find_contacts(connection, [each.stream_id for each in of_others])
    for each in of_others:
        lead = leads.find_lead(connection, each.stream_id)
        if lead is None or lead.erased_at or not isinstance(each.data, (OptedOut, ChannelOptedOut)):
            continue
        typed, text = key_of(lead, people.get(lead.id)), _text(connection, each)
        notes, commands = [f"they wrote: “{plain(text, MOST_SAID)}”"] if text else [], []
        if isinstance(each.data, ChannelOptedOut) and lead.state != "do_not_contact":
            commands.append(f"thaw opt-out {typed}")
            notes.append(f"read it: only {_way(each)}? If they want no contact at all: {commands[0]}")
        if asks_erasure(text):
            commands.append(f"thaw erase {typed} --reason TEXT --by NAME")
            notes.append(f"they ask that their data be deleted: {commands[-1]}")
        yield Item(
            kind="objection",
            lead_id=lead.id,
            key=typed,
            name=name_of(lead, people.get(lead.id)),
            why=f"no more {_way(each)} since {shown_moment(each.occurred_at, desk.zone)}, told by {each.actor}",
            notes=tuple(notes),
            commands=tuple(commands),
        )


def _way(recorded: Recorded) -> str:
    return words(recorded.data.channel) if isinstance(recorded.data, ChannelOptedOut) else "contact at all"


def _text(connection: Connection, recorded: Recorded) -> str:
    kept = recorded.data.words if isinstance(recorded.data, (OptedOut, ChannelOptedOut)) else None
    return (contacts.find_document(connection, kept.document_id) or "") if kept else ""
