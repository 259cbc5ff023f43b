"""From what a person typed to the campaign or the sales event that is meant."""

from uuid import UUID

from models import campaigns
from models.database import Connection
from service.find import FindError, there_is
from service.wording import plain
from workflows.campaign import Campaign, campaign_id
from workflows.sales_event import SalesEvent, sales_event_id


def find_campaign(connection: Connection, name: str) -> Campaign:
    """Return the campaign called *name*.

    Raises
    ------
    FindError
        When none is called so; the message names those that are.
    """
    found = campaigns.find_campaign(connection, campaign_id(name))
    if found is None:
        known = [campaign.name for campaign in campaigns.list_campaigns(connection)]
        hint = there_is(name, known, "plan one with `thaw campaign plan`")
        raise FindError(f"no campaign is called {plain(name, 80)!r}{hint}")
    return found


def find_sales_event(connection: Connection, name: str) -> SalesEvent:
    """Return the sales event called *name*.

    Raises
    ------
    FindError
        When none is called so; the message names those that are.
    """
    found = campaigns.find_sales_event(connection, sales_event_id(name))
    if found is None:
        known = sorted(event.name for event in campaigns.list_sales_events(connection))
        hint = there_is(name, known, "announce one with `thaw event add`")
        raise FindError(f"no event is called {plain(name, 80)!r}{hint}")
    return found


def names_of_events(connection: Connection) -> dict[UUID, str]:
    """Return the names of all sales events by id."""
    return {event.id: event.name for event in campaigns.list_sales_events(connection)}
