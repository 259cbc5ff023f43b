"""Short sections of a playbook: what a rep is asked, who lets go and after what, how a call goes, what comes after silence.

A playbook that was published before a field was there decides by its default, which is what the machine did then.
"""

from typing import Annotated, Literal

import msgspec

from workflows.command import Slug

#: What must be done before somebody is let go (A3-8).
Done = Literal["modes_tried", "value_offered", "connector_tried", "importance_answered", "nurture_in_place"]

#: What a call goes through.
Topic = Literal["personal_topic", "shared_history", "business"]

#: What waits for the homework on an account that said no.
Contact = Literal["note", "call", "touch"]

Step = Annotated[int, msgspec.Meta(ge=1, le=5)]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Importance(_Section, frozen=True, kw_only=True):
    """What the answer to "how important is this sale?" counts as, 1 to 5."""

    usual: Step = 3
    """What a lead counts with until its rep has answered."""
    high_from: Annotated[int, msgspec.Meta(ge=1, le=6)] = 4
    """From here on a lead gets ``attempts.max_when_important``; 6 is never."""


class Ask(_Section, frozen=True, kw_only=True):
    """What a rep has to answer before somebody who said no enters the queue again."""

    importance: bool = True
    """How important the sale is (A3-7)."""
    connector: bool = False
    """Who knows them, or that nobody does (A3-6)."""


class Drop(_Section, frozen=True, kw_only=True):
    """Letting a silent lead go."""

    checklist: tuple[Done, ...] = ("modes_tried", "value_offered", "connector_tried", "importance_answered", "nurture_in_place")
    """What must be done before, or overridden; asked only where there is ``[pursuit]``."""
    decides: Literal["rep", "manager"] = "rep"
    """Who may."""


class Call(_Section, frozen=True, kw_only=True):
    """The call that a note promised."""

    script: tuple[Topic, ...] = ("personal_topic", "shared_history", "business")
    """In which order the day's sheet puts what to speak of; what is left out is not shown."""


class OnNoResponse(_Section, frozen=True, kw_only=True):
    """What comes after a promised call that nobody answered."""

    goto: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.:-]{0,79}(@\d{1,4}\.\d{1,4}\.\d{1,4})?$")] | None = None
    """The playbook that a lead follows from then on, ``id@version`` once published; without one it stays with its own."""


#: Real reasons that no revival changes, unless a playbook says others.
STRUCTURAL: tuple[Slug, ...] = ("no_need", "not_a_fit", "out_of_scope")


class ContactHours(_Section, frozen=True, kw_only=True):
    """When a prospect may be called, in minutes after midnight of the prospect's own time zone, on these ISO weekdays."""

    opens: Annotated[int, msgspec.Meta(ge=0, le=1439)] = 540
    closes: Annotated[int, msgspec.Meta(ge=1, le=1440)] = 1200
    weekdays: tuple[Annotated[int, msgspec.Meta(ge=1, le=7)], ...] = (1, 2, 3, 4, 5)

    def __post_init__(self) -> None:
        """Refuse hours in which nobody could ever be called."""
        if self.opens >= self.closes:
            raise ValueError(f"opens ({self.opens}) must come before closes ({self.closes}), in minutes after midnight")
        if not self.weekdays:
            raise ValueError("weekdays must name at least one day, 1 (Monday) to 7 (Sunday)")
