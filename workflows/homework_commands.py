"""What may be asked about somebody who said no: the history, the question why, needs to come, the yearly review."""

from datetime import date
from typing import Literal

import msgspec

from workflows.command import Command, Minutes, Mode, Reference, Said, Slug


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A press release, annual report or article that was read (A2-10)."""

    published_on: date
    where: Reference
    """Its address, or where else it stands."""


class OpenHistory(Command, frozen=True, kw_only=True, tag="open_history"):
    """The history of the account was read before anything else was done (A2-3)."""


class AskWhy(Command, frozen=True, kw_only=True, tag="ask_why"):
    """A contact with no other purpose than to learn why they said no (A2-5); *answers* by the playbook's questions (A2-7)."""

    outcome: Literal["answered", "not_reached"]
    mode: Mode = "call"
    answers: dict[Slug, Reference]
    words: Reference | None = None
    minutes: Minutes = 0


class UncoverOpportunity(Command, frozen=True, kw_only=True, tag="uncover_opportunity"):
    """A conversation, whatever it was about, showed that there is something to sell (A2-8)."""

    what: Reference
    source: Said
    """The conversation that it came up in, such as "call of 9 March"."""
    minutes: Minutes = 0


class AnticipateNeed(Command, frozen=True, kw_only=True, tag="anticipate_need"):
    """Something that they will need, whether or not they see it, and why (A2-11)."""

    item: Slug
    """What a touch would bring about it: from here on a value item of this lead."""
    need: Reference
    rationale: Reference
    minutes: Minutes = 0


class ReviewDecline(Command, frozen=True, kw_only=True, tag="review_decline"):
    """The no was looked at again, as each is once a year (A2-1)."""

    changed: bool
    """Something changed at the prospect's side, so that it is worth while to ask again."""
    finding: Reference
    minutes: Minutes = 0


HomeworkCommand = OpenHistory | AskWhy | UncoverOpportunity | AnticipateNeed | ReviewDecline
