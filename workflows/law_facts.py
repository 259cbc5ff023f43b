"""What contact law asks about a person, as the log knows it, and what a decision on it rested on."""

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from workflows.regions import is_known

#: ISO 3166-2 (``US-FL``), or a country alone (``DE``).
Region = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]

#: Modes to which a person can say yes in so many words.
ConsentMode = Literal["email", "fax", "text_message"]


class ImportedLawFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of it an import may say, as in `LawFacts`; the rest needs a person, whose word `law_facts` judges."""

    region: Region | UnsetType = UNSET
    consumer: bool | UnsetType = UNSET
    region_assumed: Literal[True] | UnsetType = UNSET
    """The row says no region, and this is what the mapping names for such rows: a region that is known stays."""
    assumed_before: Region | UnsetType = UNSET
    """What the mapping named for such rows in the import before: that one does not stay."""


class LawFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known; what is unset is not known, or stays as it was."""

    region: Region | UnsetType = UNSET
    consumer: bool | UnsetType = UNSET
    """A private person, not a company."""
    purchased_on: date | UnsetType = UNSET
    """The last purchase from us."""
    inquired_on: date | UnsetType = UNSET
    """The last inquiry with us."""
    dnc_checked_on: date | UnsetType = UNSET
    """When the number was last looked up in the national do-not-call register."""
    dnc_listed: bool | UnsetType = UNSET
    """What that look-up said."""
    consents: tuple[ConsentMode, ...] | UnsetType = UNSET
    """Modes to which the person agreed expressly."""


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """A prospect's clock during one working day of a rep's."""

    offset: int
    """How many seconds it was ahead of UTC as the working day began."""
    shift_at: datetime | UnsetType = UNSET
    """When it was put forward or back within the working day; unset on all other days."""
    shift_to: int | UnsetType = UNSET
    """How many seconds it was ahead of UTC from then on."""


class LawUsed(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision took from outside the log to judge by contact law."""

    table: str
    """SHA-256 of the law table."""
    region: str | None = None
    zones: str | UnsetType = UNSET
    """The version of the time zone database that was asked."""
    offset: int | UnsetType = UNSET
    """How many seconds the prospect's clock was ahead of UTC at the start of the rep's working day in question."""
    shift_at: datetime | UnsetType = UNSET
    shift_to: int | UnsetType = UNSET
    """As in `Clock`."""
    offsets: dict[str, int] | UnsetType = UNSET
    """A plan's: the same by time zone and day, such as ``America/Denver 2026-03-09``. Of another owner: by the day alone."""
    shifts: dict[str, Clock] | UnsetType = UNSET
    """By the same names, clocks that were put forward or back within the day; unset where none was."""


NOTHING = LawFacts()


def merged(known: LawFacts | UnsetType, said: LawFacts) -> LawFacts:
    """Return what is known after *said*."""
    new = {name: value for name in said.__struct_fields__ if (value := getattr(said, name)) is not UNSET}
    return msgspec.structs.replace(known or NOTHING, **new)


def imported(said: ImportedLawFacts | UnsetType, known: LawFacts | UnsetType = UNSET) -> LawFacts | UnsetType:
    """Return what an import *said* about somebody of whom the rest is *known*, as events keep it."""
    if said is UNSET:
        return UNSET
    region = known.region if known else UNSET
    stays = said.region_assumed and region and is_known(region) and region != said.assumed_before
    return LawFacts(region=UNSET if stays else said.region, consumer=said.consumer)
