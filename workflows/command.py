"""The base of all commands, and the types of their fields, which every family of commands shares."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.:-]{0,79}$")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
Minutes = Annotated[int, msgspec.Meta(ge=0, le=1440)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]

Mode = Literal["handwritten_note", "call", "email", "post", "courier", "fax", "text_message", "other"]
Medium = Literal["hand_written", "typed", "printed", "robot_pen"]
DeclineKind = Literal["no", "hold", "meeting_cancelled", "went_silent", "lost_to_competitor"]
CallOutcome = Literal["connected", "voicemail", "no_answer", "gatekeeper", "not_now"]
ReplyIntent = Literal["interested", "proceed", "changed", "later", "cannot", "no", "unread"]
DropReason = Literal["never_qualified", "duplicate", "out_of_business", "deceased", "no_lawful_channel"]
HoldReason = Literal["rep_absent", "prospect_out_of_office", "needs_address", "legal_review", "manual"]
RescheduleReason = Literal["holiday", "quiet_hours", "capacity", "prospect_asked", "rep_absent"]
PlaybookStep = Literal["note", "promised_call", "later_call"]
StepOnto = Literal["queue", "promised_call"]


class Reference(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words kept outside the log: the document's id and SHA-256 over its salt and text, in hexadecimal."""

    document_id: UUID
    commitment: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


#: What a person says in words of their own is kept outside the log; a program says it in a code word of a fixed vocabulary.
Said = Slug | Reference


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="command"):
    """The base of all commands. *occurred_at* is when it happened in the world; absent, the moment it is applied."""

    occurred_at: Moment | None = None


def due_of(command: Command, now: datetime) -> datetime:
    """Return when *command*, which follows from a decision at *now*, is due: one that has a ``not_before`` waits for it."""
    not_before: datetime | None = getattr(command, "not_before", None) or None
    return max(now, not_before.astimezone(UTC)) if not_before else now
