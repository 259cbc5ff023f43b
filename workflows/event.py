"""The base of all events, which `workflows.events` and `workflows.operations` share."""

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """The base of all events."""
