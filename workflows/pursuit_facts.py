"""What a cut-bait card shows, and what of the team's queue it rests on: as they stand in the log."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from workflows.command import Slug

Count = Annotated[int, msgspec.Meta(ge=0)]

#: Why a lead is proposed: it brings less an hour than the queue, its attempts are spent, it was never important, or it is among
#: those that bring least of more than the coming days hold.
Ground = Literal["below_the_queue", "attempts_spent", "low_importance", "over_capacity"]

#: What is known of connectors: nobody asked; none; known, but not asked for an introduction; asked.
ConnectorAnswer = Literal["unasked", "none", "known", "asked"]


class Alike(msgspec.Struct, frozen=True, kw_only=True):
    """How many queued leads are alike in all that their return per hour is worked out from."""

    stage_depth: Annotated[int, msgspec.Meta(ge=0, le=5)]
    value_band: Annotated[int, msgspec.Meta(ge=0, le=4)]
    important: bool
    leads: Count


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """How many silent leads that wait for their next attempt bring the same an hour."""

    return_per_hour: Count
    leads: Count


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """The team's queue as the first *position* events of the log leave it."""

    position: Count
    alike: tuple[Alike, ...]
    """Ascending by stage, value and importance."""
    next_lead: UUID | None
    """Who is first in the owner's own queue, and would take the time that is freed."""
    owed: tuple[Owed, ...] | UnsetType = UNSET
    """The owner's silent leads whose next attempt is due, the least return first; absent where nobody looked yet."""
    room: Count | UnsetType = UNSET
    """So many of them the follow-up slots of the coming days hold."""


class Checklist(msgspec.Struct, frozen=True, kw_only=True):
    """What was done before somebody is let go (A3-8)."""

    modes_tried: tuple[Slug, ...]
    modes_waived: tuple[Slug, ...]
    modes_open: tuple[Slug, ...]
    """Permitted and neither tried nor waived."""
    value_items: Count
    """How many things of value were brought."""
    connector: ConnectorAnswer
    importance: int | None
    nurture_modes: tuple[Slug, ...]
    """By which keeping in touch is permitted."""


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What was shown to whoever decided: every part of the arithmetic, in integers."""

    value: Count
    """Of the sale, from its band, in whole units of the playbook's currency."""
    chance: Count
    """Of the sale after the unanswered attempts, in basis points, rounded down."""
    attempts: Count
    most: Count
    """Attempts that this lead may get."""
    minutes_needed: Count
    """For the steps that are left."""
    minutes_spent: Count
    minutes_lost: Count
    """Minutes spent times the chance that nothing comes of them, rounded down (A3-10)."""
    return_per_hour: Count
    """In the unit of *value*."""
    median: Count | None
    """Return per hour in the middle of the team's queue; None when nobody is queued."""
    queued: Count
    grounds: tuple[Ground, ...]
    """Why it is proposed; empty when nothing speaks for it."""
    next_lead: UUID | None
    checklist: Checklist
