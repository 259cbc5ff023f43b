"""What a decision on the stream of a campaign or of a sales event says, when it does not refuse."""

from uuid import UUID

import msgspec

from workflows import campaign_events as e
from workflows.command import Command
from workflows.context import Refused, Superseded, TooEarly
from workflows.events import Effects


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision puts into the log, and the commands that it stages on other streams."""

    data: tuple[e.CampaignEvent | e.SalesEventEvent, ...]
    effects: Effects = Effects()
    """Of the first event."""
    proposals: tuple[tuple[UUID, Command], ...] = ()


Answer = Said | Refused | Superseded | TooEarly
