"""What has happened in the pursuit and in letting go. The state stays with all of these."""

from uuid import UUID

from workflows.command import Reference, Slug
from workflows.event import Event


class ModeWaived(Event, frozen=True, kw_only=True, tag="mode_waived"):
    """A mode, or a way of one, is not tried in this pursuit."""

    mode: Slug
    reason: Reference


class ConnectorDenied(Event, frozen=True, kw_only=True, tag="connector_denied"):
    """Nobody is known who knows the prospect."""


class IntroductionRequested(Event, frozen=True, kw_only=True, tag="introduction_requested"):
    """A connector was asked for an introduction."""

    connector: UUID
    """The id of the document that says who it is."""
    minutes: int
    """Minutes that asking took, 0 to 1440."""


class NurtureTouchSkipped(Event, frozen=True, kw_only=True, tag="nurture_touch_skipped"):
    """A month goes by without its value touch, for this reason."""

    reason: Slug
    words: Reference | None


PursuitEvent = ModeWaived | ConnectorDenied | IntroductionRequested | NurtureTouchSkipped
