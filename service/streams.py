"""Streams that are no lead's, as people name them: ``rep:dana``, ``campaign:spring``, ``event:open-house``."""

from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from models import campaigns, leads, views
from models.database import Connection
from service.find import FindError, there_is
from service.history import StreamHistory, read_stream_history
from service.times import zone_of
from service.wording import plain
from workflows.campaign import campaign_id
from workflows.rep import rep_id
from workflows.sales_event import sales_event_id

_IDS = {"rep": rep_id, "campaign": campaign_id, "event": sales_event_id}


class Named(NamedTuple):
    """A stream that was named by its kind."""

    id: UUID
    kind: str
    """``rep``, ``campaign`` or ``event``."""
    name: str


def stream_named(typed: str) -> Named | None:
    """Return the stream that *typed* names, as in ``campaign:spring``; None when it names a lead."""
    kind, colon, name = typed.strip().partition(":")
    return Named(_IDS[kind](name), kind, name) if colon and kind in _IDS and name else None


def read_named(connection: Connection, named: Named) -> StreamHistory:
    """Return the whole history of a stream.

    Raises
    ------
    FindError
        When there is no such stream; the message names those of its kind.
    """
    history = read_stream_history(connection, named.id)
    if history.entries or history.trouble:
        return history
    known = sorted(f"{named.kind}:{name}" for name in _known(connection, named.kind))
    typed = f"{named.kind}:{named.name}"
    raise FindError(f"{plain(typed, 80)} is not known{there_is(typed, known, 'see `thaw --help`')}")


def _known(connection: Connection, kind: str) -> list[str]:
    if kind == "rep":
        return [rep.name for rep in leads.list_reps(connection)]
    if kind == "campaign":
        return [campaign.name for campaign in campaigns.list_campaigns(connection)]
    return [event.name for event in campaigns.list_sales_events(connection)]


def zone_of_stream(connection: Connection, named: Named) -> ZoneInfo:
    """Return the time zone in which times of a stream are read: a rep's own, else that of the first rep, by name."""
    names = [named.name] if named.kind == "rep" else [rep.name for rep in leads.list_reps(connection)][:1]
    return zone_of(views.calendar_of(connection, names[0]) if names else None)
