"""Commands of the pursuit and of letting go: what is waived, who could introduce us, and a month without a value touch."""

from typing import Annotated

import msgspec

from workflows.command import Command, Minutes, Reference, Slug

#: One of several, counted from 1.
Number = Annotated[int, msgspec.Meta(ge=1, le=50)]

#: How well a connector knows the prospect: 1 (by name) to 3 (a friend).
Strength = Annotated[int, msgspec.Meta(ge=1, le=3)]


class WaiveMode(Command, frozen=True, kw_only=True, tag="waive_mode"):
    """Do without one mode, or way of one, before a breakup (A1-3)."""

    mode: Slug
    """A mode, a way that the playbook names, or ``introduction``."""
    reason: Reference


class DenyConnector(Command, frozen=True, kw_only=True, tag="deny_connector"):
    """Nobody is known who knows the prospect: it was asked, and that is the answer (A3-8)."""


class RequestIntroduction(Command, frozen=True, kw_only=True, tag="request_introduction"):
    """One of the lead's connectors was asked for an introduction (A3-6)."""

    connector: Number
    minutes: Minutes = 0


class SkipNurture(Command, frozen=True, kw_only=True, tag="skip_nurture"):
    """This month's value touch is left out, for a reason (A3-4)."""

    reason: Slug
    words: Reference | None = None


PursuitCommand = WaiveMode | DenyConnector | RequestIntroduction | SkipNurture
