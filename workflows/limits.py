"""What a team or a rep does otherwise than the playbook: playbook, then team, then rep (methods.md section 3).

Numbers of the day are anybody's to set. The hours in which prospects are called are driven by law, and each layer can only
narrow what the ones above it leave. What comes of the layers is a playbook, published as any other, so that each plan and each
decision about slots pins the numbers that it went by (`workflows.layers`).
"""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from workflows.capacity import Minutes, PerDay
from workflows.command import Name, Reference, Slug

MinuteOfDay = Annotated[int, msgspec.Meta(ge=0, le=1440)]


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One layer; what is unset stays as the layer above has it."""

    notes: PerDay | UnsetType = UNSET
    calls: PerDay | UnsetType = UNSET
    follow_up_touches: PerDay | UnsetType = UNSET
    catch_up_calls: PerDay | UnsetType = UNSET
    minutes: Minutes | UnsetType = UNSET
    """The budget of a day."""
    opens: MinuteOfDay | UnsetType = UNSET
    closes: MinuteOfDay | UnsetType = UNSET
    """When prospects may be called, in minutes after midnight of their own time zone."""
    weekdays: tuple[Annotated[int, msgspec.Meta(ge=1, le=7)], ...] | UnsetType = UNSET


class Layers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a rep's days are made of."""

    base: Slug
    """The playbook below all layers, by its id."""
    digest: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    """Of the version of it that was merged."""
    team: Name | UnsetType = UNSET
    of_team: Limits = Limits()
    own: Limits = Limits()
    why: Reference | UnsetType = UNSET
    """Why they were set, in somebody's own words; kept outside the log."""
