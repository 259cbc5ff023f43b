"""What a playbook says of campaigns of invitations: audiences, which events may be listed, and how fast letters leave."""

from typing import Annotated, Literal

import msgspec

from workflows.campaign_commands import AudienceKey
from workflows.command import Slug

Days = Annotated[int, msgspec.Meta(ge=0, le=3650)]
Characters = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
PerDay = Annotated[int, msgspec.Meta(ge=1, le=1000)]

#: What a letter may need to know of a person.
Fact = Literal["company", "last_meeting_topic"]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class DeclinedBetween(_Section, frozen=True, kw_only=True):
    """The period in which somebody decided not to buy, in days before the campaign is planned."""

    from_days_ago: Days = 540
    to_days_ago: Days = 30

    def __post_init__(self) -> None:
        """Refuse a period that ends before it begins."""
        if self.from_days_ago < self.to_days_ago:
            raise ValueError(f"from_days_ago ({self.from_days_ago}) must not be less than to_days_ago ({self.to_days_ago})")


class InvitedAudience(_Section, frozen=True, kw_only=True):
    """One of the two audiences, with its own letter."""

    key: AudienceKey
    template: Slug
    requires: tuple[Fact, ...] = ("company",)
    on_reply: Literal["re_engaged", "solidified"]
    """What an answer to this letter counts as."""
    declined_between: DeclinedBetween | None = None
    active_client: bool = False

    def __post_init__(self) -> None:
        """Refuse an audience that mixes the two."""
        if (self.key == "client") != self.active_client or (self.key == "declined") != (self.declined_between is not None):
            raise ValueError('the audience "declined" has declined_between, and the audience "client" active_client = true')
        if (self.on_reply == "solidified") != (self.key == "client"):
            raise ValueError("a client's reply is solidified, and a declined prospect's is re_engaged")


class EventRules(_Section, frozen=True, kw_only=True):
    """Which events a letter may list."""

    min_lead_days: Days = 14
    """Calendar days from the letter to the start of an event, at least."""
    types: tuple[Slug, ...] = ("training", "open_house", "media_event", "other")
    description_least: Characters = 20
    description_most: Characters = 600


class Pacing(_Section, frozen=True, kw_only=True):
    """How many letters may leave: what comes back by telephone has to be answered."""

    letters_per_rep_per_day: PerDay = 10
    calls_per_hundred_letters: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 20
    """Return calls to expect; they must fit into the rep's follow-up touches of a day."""

    def per_day(self, follow_up_touches: int) -> int:
        """Return how many letters of a rep leave on a working day, at least 1: a rep without capacity still gets through."""
        if not self.calls_per_hundred_letters:
            return self.letters_per_rep_per_day
        return max(1, min(self.letters_per_rep_per_day, follow_up_touches * 100 // self.calls_per_hundred_letters))


class Invitation(_Section, frozen=True, kw_only=True):
    """A campaign's rules."""

    mode: Literal["post", "email"] = "post"
    audiences: tuple[InvitedAudience, ...]
    events: EventRules = EventRules()
    pacing: Pacing = Pacing()
    cold_after_days: Days = 30
    """An open deal that did not move for longer, with nothing planned, is proposed as cold."""

    def __post_init__(self) -> None:
        """Refuse an audience that is named twice, or none at all."""
        keys = [audience.key for audience in self.audiences]
        if not keys or len(set(keys)) < len(keys):
            raise ValueError("audiences must name each audience once, and one at least")

    def audience(self, key: AudienceKey) -> InvitedAudience | None:
        """Return the rules of one audience."""
        return next((audience for audience in self.audiences if audience.key == key), None)
