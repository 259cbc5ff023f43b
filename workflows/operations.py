"""What operators did: events on the service's own stream, appended in the transaction of the act itself.

They change no lead. An operator's reason is words that a person wrote, and so stands in ``documents``, not here.
"""

from typing import Annotated, Literal
from uuid import UUID

import msgspec

from workflows.commands import Name, Reference, Slug
from workflows.event import Event
from workflows.law_facts import Region

Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
"""SHA-256 in hexadecimal."""

Count = Annotated[int, msgspec.Meta(ge=0)]

#: So many messages stand in one event at most; of more that are retried at once there are several events.
RETRIED_MAX = 500


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """A dead message that got another set of attempts. What had become of the set before is absent in older events."""

    message_id: UUID
    stream_id: UUID
    actor_name: Slug
    attempts: Count | msgspec.UnsetType = msgspec.UNSET
    """Failures."""
    deliveries: Count | msgspec.UnsetType = msgspec.UNSET
    """From which nobody came back; it is dead because of them where there were too many."""
    rings: Count | msgspec.UnsetType = msgspec.UNSET
    error: Annotated[str, msgspec.Meta(pattern="^[A-Za-z_][A-Za-z0-9_]{0,99}$")] | msgspec.UnsetType = msgspec.UNSET
    """The class of the last error, ``OSError``; its words may be about a person. Absent where there was none."""


class MessagesRetried(Event, frozen=True, kw_only=True, tag="messages_retried"):
    """Dead messages are tried again."""

    messages: tuple[Retried, ...]
    """By id."""
    reason: Reference


class LeadsImported(Event, frozen=True, kw_only=True, tag="leads_imported"):
    """A file of leads was taken in, and changed something; the messages that it staged have this event's correlation id."""

    source: Name
    file: Digest
    """Of the file, byte for byte."""
    mapping: Digest
    """Of the mapping's file."""
    rows: Count
    """The sum of the next five."""
    created: Count
    updated: Count
    unchanged: Count
    suppressed: Count
    """Of people whose data was erased."""
    rejected: Count
    messages: Count
    """Commands that were staged."""
    reason: Reference | msgspec.UnsetType = msgspec.UNSET
    """Absent where none was given, and in imports of before there was one."""
    region_unless_said: Region | msgspec.UnsetType = msgspec.UNSET
    """The region that the mapping names for rows that say none."""
    regions_assumed: Count | msgspec.UnsetType = msgspec.UNSET
    """Rows for which it stands; each command that has it from there says so."""


class RecordsExported(Event, frozen=True, kw_only=True, tag="records_exported"):
    """Part of the log was handed out."""

    scope: Literal["leads", "range", "all"]
    leads: tuple[UUID, ...]
    """By id, where it was asked for leads."""
    first: Count | None
    """Position of the first event, where it was asked for a range."""
    last: Count | None
    events: Count
    opened: bool
    """Whether names, addresses and texts went with it."""
    size_bytes: Count
    digest: Digest
    """Of the file that was handed out."""
    reason: Reference | None


class WorkPaused(Event, frozen=True, kw_only=True, tag="work_paused"):
    """Messages of these actors wait from here on."""

    actors: tuple[str, ...]
    """In name order; ``*`` for all that may be paused."""
    reason: Reference


class WorkResumed(Event, frozen=True, kw_only=True, tag="work_resumed"):
    """Messages of these actors are worked on again."""

    actors: tuple[str, ...]
    reason: Reference | None


class KeyInForce(Event, frozen=True, kw_only=True, tag="key_in_force"):
    """Another key signs checkpoints from here on."""

    key: str
    """The public half, as C2SP writes a verifier key."""
    replaces: str | None


class PlaybookPublished(Event, frozen=True, kw_only=True, tag="playbook_published"):
    """A version of a playbook may be pinned from here on."""

    playbook: Slug
    version: str
    digest: Digest
    approved_by: Name | msgspec.UnsetType = msgspec.UNSET
    """The second person, for a playbook of the team's own; who published it is the event's actor."""


class WordingPublished(Event, frozen=True, kw_only=True, tag="wording_published"):
    """A wording is used from here on."""

    wording: Slug
    digest: Digest
    """SHA-256 of its text."""
    approved_by: Name | msgspec.UnsetType = msgspec.UNSET
    """The second person, for wording of the team's own; who published it is the event's actor."""


class ProjectionsRebuilt(Event, frozen=True, kw_only=True, tag="projections_rebuilt"):
    """Leads, reps, slots and calendars were made anew from the log."""

    events: Count
    """That were read."""
    leads: Count
    reps: Count
    slots: Count
    timers: Count
    """That were missing, and were staged again."""
    reason: Reference | None
    campaigns: Count | msgspec.UnsetType = msgspec.UNSET
    sales_events: Count | msgspec.UnsetType = msgspec.UNSET


class SchemaMigrated(Event, frozen=True, kw_only=True, tag="schema_migrated"):
    """The database was brought to another schema."""

    before: str
    after: str


Operation = (
    MessagesRetried | LeadsImported | RecordsExported | WorkPaused | WorkResumed | KeyInForce | PlaybookPublished
    | ProjectionsRebuilt | SchemaMigrated | WordingPublished
)  # fmt: skip
