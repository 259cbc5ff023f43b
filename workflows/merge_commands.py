"""A lead that turns out to be the same person as another: it is merged into that one, which is told what it has to know."""

from datetime import date
from typing import Annotated
from uuid import UUID

import msgspec

from workflows.command import Command, Mode, Moment, Slug
from workflows.decline import Decline


class DuplicateFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the other lead has to know of a duplicate, so that no wrong is done to the person. No personal data."""

    do_not_contact: bool
    """The person wants no contact at all."""
    won: bool
    """The person is a client."""
    modes_refused: tuple[Mode, ...]
    """Modes that the person opted out of."""
    do_not_call_on: date | None
    """The day of the look-up that found the number in the do-not-call register; absent when none did."""
    open_opportunity: bool
    decline: Decline | None
    revisit_on: date | None
    """The day that the prospect named."""
    last_contact_at: Moment | None
    """The last two-way contact."""
    last_touch_at: Moment | None
    called_at: Moment | None
    nurture_touched_at: Moment | None
    value_items_used: tuple[Slug, ...]
    invitations: tuple[UUID, ...]
    """The campaigns whose letters they got."""


class MergeLead(Command, frozen=True, kw_only=True, tag="merge_lead"):
    """The lead is a duplicate of the lead *into*, which goes on alone (T52); a manager's decision."""

    into: UUID


class TakeInDuplicate(Command, frozen=True, kw_only=True, tag="take_in_duplicate"):
    """Another lead was merged into this one, which learns what was known there (T53). Staged by the merge itself."""

    duplicate: UUID
    version: Annotated[int, msgspec.Meta(ge=1)]
    """Of the event that merged it, in its own stream."""
    facts: DuplicateFacts


MergeCommand = MergeLead | TakeInDuplicate
