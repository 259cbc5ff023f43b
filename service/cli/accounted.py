"""What a figure of ``thaw accountability`` counts: each lead with its event, and of what was done in spite of a rule, why."""

from datetime import date
from uuid import UUID

import click
import msgspec

from models import contacts
from models.database import Connection
from service.cli.app import App
from service.cut_bait import name_of_id
from service.times import shown_day
from service.wording import plain
from workflows.accountability import Figure, Place
from workflows.commands import Reference
from workflows.events import Recorded


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a figure counts."""

    rep: str
    day: date
    lead: str
    """How to call the person, as far as the contact is open to who asks."""
    lead_id: UUID
    version: int
    """Of the event, as `thaw why LEAD VERSION` takes it; of what is still open, the newest."""
    count: int
    reason: str
    """Of an override, where it is open to who asks."""


class Traced:
    """Keeps what one figure counts while all is counted."""

    def __init__(self, figure: Figure | None, rep: str | None, first: date, last: date) -> None:
        self._figure = figure
        self._rep = rep
        self._days = first, last
        self._found: list[tuple[Place, int, Recorded]] = []

    def take(self, place: Place, figure: Figure, number: int, recorded: Recorded) -> None:
        """Keep what is asked for."""
        if figure == self._figure and self._days[0] <= place.day <= self._days[1] and self._rep in (None, place.rep):
            self._found.append((place, number, recorded))

    def listed(self, connection: Connection) -> list[Counted]:
        """Return what was kept with names and reasons, by rep and day."""
        people = contacts.find_contacts(connection, [recorded.stream_id for _, _, recorded in self._found])
        given = [reason for _, _, recorded in self._found if (reason := _override(recorded))]
        texts = contacts.find_documents(connection, [each.document_id for each in given]) if people else {}
        found = sorted(self._found, key=lambda each: (each[0], each[2].recorded_at, each[2].stream_id))
        return [
            Counted(
                rep=place.rep,
                day=place.day,
                lead=name_of_id(recorded.stream_id, people),
                lead_id=recorded.stream_id,
                version=recorded.version,
                count=number,
                reason=texts.get(reason.document_id, "") if (reason := _override(recorded)) else "",
            )
            for place, number, recorded in found
        ]


def _override(recorded: Recorded) -> Reference | None:
    given = getattr(recorded.data, "override", None) or getattr(recorded.command, "override", None)
    return given if isinstance(given, Reference) else None


def print_listed(app: App, figure: Figure, listed: list[Counted], *, as_json: bool) -> None:
    """Print a line for each thing counted, with the command that explains it, and the sum."""
    if as_json:
        app.print_json(listed)
        return
    for each in listed:
        number = f"{each.count} min  " if figure.startswith("minutes") else ""
        reason = f"  “{plain(each.reason, 400)}”" if each.reason else ""
        explained = f"thaw why {each.lead_id} {each.version}"
        click.echo(f"{plain(each.rep)}  {shown_day(each.day)}  {number}{each.lead}  ({explained}){reason}")
    click.echo(f"{sum(each.count for each in listed)} {figure.replace('_', ' ')}")
