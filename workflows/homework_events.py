"""What happened around a no: its history was opened, the question why asked, a need foreseen, the no reviewed."""

from typing import Literal

from workflows.command import Mode, Reference, Said, Slug
from workflows.event import Event


class HistoryOpened(Event, frozen=True, kw_only=True, tag="history_opened"):
    """Somebody read the account's history. The state stays."""

    seen: int
    """The version up to which it was read."""


class WhyAsked(Event, frozen=True, kw_only=True, tag="why_asked"):
    """They were asked why they said no, or were not reached. The state stays."""

    outcome: Literal["answered", "not_reached"]
    mode: Mode
    answers: dict[Slug, Reference]
    """By question; an answer that was not given is missing."""
    words: Reference | None
    minutes: int
    """Minutes that it took, 0 to 1440."""


class OpportunityUncovered(Event, frozen=True, kw_only=True, tag="opportunity_uncovered"):
    """A conversation showed that there is something to sell. The state stays."""

    what: Reference
    source: Said
    minutes: int
    """Minutes that it took, 0 to 1440."""


class NeedAnticipated(Event, frozen=True, kw_only=True, tag="need_anticipated"):
    """Something that they will need was foreseen; *item* is a value item of this lead from here on. The state stays."""

    item: Slug
    need: Reference
    rationale: Reference
    minutes: int
    """Minutes that it took, 0 to 1440."""


class DeclineReviewed(Event, frozen=True, kw_only=True, tag="decline_reviewed"):
    """The no was looked at again. The state stays."""

    changed: bool
    finding: Reference
    minutes: int
    """Minutes that it took, 0 to 1440."""


HomeworkEvent = HistoryOpened | WhyAsked | OpportunityUncovered | NeedAnticipated | DeclineReviewed
