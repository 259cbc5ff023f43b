"""The section ``[pursuit]`` of a playbook: how far a silent lead is pursued, and by what it is measured against the queue."""

from typing import Annotated

import msgspec

from workflows.command import Mode, Slug
from workflows.priority import ReturnWeights

Value = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
Importance = Annotated[int, msgspec.Meta(ge=1, le=6)]
"""From which importance on; 6 is never."""


class Pursuit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A playbook without this section has none of these rules: its leads are decided as they were before there were any."""

    every_mode_before_breakup: bool = True
    """A breakup waits until every permitted mode was tried or waived."""
    ways: dict[Slug, Mode] = {}
    """Ways within a mode that count for themselves, such as a social network within ``other``, each with its mode."""
    actions_from_importance: Importance = 4
    """From here on whoever answers says what else they are willing to do."""
    manager_from_importance: Importance = 5
    """From here on only a manager lets a lead go."""
    silent_after: Annotated[int, msgspec.Meta(ge=1, le=50)] = 2
    """Unanswered contacts after which somebody who was interested is proposed as gone silent."""
    propose_after: Annotated[int, msgspec.Meta(ge=1, le=50)] = 3
    """Unanswered attempts after which a lead may be proposed for the cut-bait card."""
    days_ahead: Annotated[int, msgspec.Meta(ge=1, le=60)] = 5
    """When more silent leads wait for their next attempt than so many working days hold, the least return is proposed."""
    low_importance: Annotated[int, msgspec.Meta(ge=0, le=5)] = 2
    """Up to this importance a lead is proposed whatever it returns."""
    lost_minutes_alert: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 240
    """Minutes spent, times the chance that nothing comes of them, from which on the manager is told."""
    value_by_band: tuple[Value, Value, Value, Value, Value] = (1_000, 2_000, 5_000, 10_000, 25_000)
    """Worth of a sale by value band 0 to 4, in whole units of one currency."""
    chance: ReturnWeights = ReturnWeights()
    asset_kinds: tuple[Slug, ...] = ("newsletter", "report", "article", "video", "case_study", "event", "tool")
    """What keeps us in touch; another kind of thing is refused."""
