"""What is kept of a decline: the last one counts."""

from datetime import date

import msgspec

from workflows.command import DeclineKind, Moment


class Decline(msgspec.Struct, frozen=True, kw_only=True):
    """The last decline."""

    kind: DeclineKind
    stated_reason: str
    at: Moment
    revisit_on: date | None
    keep_in_touch_requested: bool
    real_reason: str | None = None
