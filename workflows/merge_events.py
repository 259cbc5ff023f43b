"""What happened to a lead that was merged into another, and to the other one."""

from uuid import UUID

import msgspec

from workflows.event import Event
from workflows.merge_commands import DuplicateFacts


class OtherLead(msgspec.Struct, frozen=True, kw_only=True):
    """What was known of the lead into which another was to be merged, as that was decided."""

    known: bool
    merged_into: UUID | None = None
    erased: bool = False


class LeadMerged(Event, frozen=True, kw_only=True, tag="lead_merged"):
    """The lead is a duplicate and ends here: the person goes on as the lead *into*."""

    into: UUID
    facts: DuplicateFacts
    """What the other lead is told."""


class DuplicateTakenIn(Event, frozen=True, kw_only=True, tag="duplicate_taken_in"):
    """A duplicate was merged into this lead, and of what was known there the stricter holds from here on."""

    duplicate: UUID
    version: int
    """Of `LeadMerged` in the duplicate's stream."""
    facts: DuplicateFacts


MergeEvent = LeadMerged | DuplicateTakenIn
