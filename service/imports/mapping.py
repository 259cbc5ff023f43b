"""What a mapping may say: which column means what. `service.imports.mapping_file` reads and checks one."""

from collections.abc import Iterator
from typing import Annotated, Literal

import msgspec

from workflows.commands import DeclineKind, Name, Slug

Column = Annotated[str, msgspec.Meta(max_length=1000)]
"""The name of a column, as in the header; empty for none."""


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Owner(_Section, frozen=True, kw_only=True):
    """Whose lead it is: the rep named in *column*, or always *name*."""

    column: Column = ""
    name: Name | None = None


class RepCalendar(_Section, frozen=True, kw_only=True):
    """Where a rep works, for those whom Thaw does not know yet; see `service.calendars.freeze_calendar`."""

    country: str = ""
    region: str = ""
    timezone: str


class Zone(_Section, frozen=True, kw_only=True):
    """The prospect's IANA time zone: from *column*, and *name* where that is empty."""

    column: Column = ""
    name: str = ""


class Contact(_Section, frozen=True, kw_only=True):
    """Columns with personal data. An address, a phone number and an email address each open a way to reach the lead."""

    name: Column = ""
    company: Column = ""
    product: Column = ""
    address: tuple[Column, ...] = ()
    """Kept as one text, a line for each column that is not empty, in this order."""
    country: Column = ""
    phone: Column = ""
    email: Column = ""
    facts: tuple[Column, ...] = ()
    """Personal facts, one in each column."""
    last_meeting_place: Column = ""
    last_meeting_on: Column = ""
    last_meeting_topic: Column = ""
    prior_interest: Column = ""
    photo: Column = ""
    """Where a picture of the person is; the call sheet begins with name and face."""


class Phones(_Section, frozen=True, kw_only=True):
    """How numbers without a leading + become international (E.164)."""

    calling_code: Annotated[str, msgspec.Meta(pattern=r"^([1-9][0-9]{0,2})?$")] = ""
    """Such as "1" or "44"; empty leaves national numbers as they are, with a warning."""
    trunk_prefix: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{0,2}$")] = ""
    """What is dialled before a national number and falls away abroad: "0" in most of Europe, nothing in Italy."""


class Dates(_Section, frozen=True, kw_only=True):
    """How days are written, and which of them are contacts."""

    format: str = "%Y-%m-%d"
    """As in Python's ``strptime``."""
    last_contact: tuple[Column, ...] = ()
    """Days of two-way contacts, in any order; the latest counts."""


class Invested(_Section, frozen=True, kw_only=True):
    """Minutes already spent on the lead: in *column*, or *per_day* for each day from *since* to *until*, as a stand-in."""

    column: Column = ""
    since: Column = ""
    until: Column = ""
    """A row in which it is empty counts as no time, because a number that grows daily would change the row daily."""
    per_day: Annotated[int, msgspec.Meta(ge=0, le=1440)] = 0


class Value(_Section, frozen=True, kw_only=True):
    """What the deal is worth."""

    column: Column
    bands: Annotated[tuple[int, ...], msgspec.Meta(min_length=1, max_length=4)]
    """The least amounts of bands 1 to 4, ascending; less than the first is band 0."""
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'"] = ""


class Treatment(_Section, frozen=True, kw_only=True):
    """What a stage of the CRM means here."""

    treat_as: Literal["registered", "declined", "client", "open"] = "registered"
    kind: DeclineKind = "no"
    stated_reason: Slug = "not_recorded"
    reason_column: Column = ""
    """Holds the stated reason, to be found in *reasons*; where it is empty, *stated_reason* stands."""
    reasons: dict[str, Slug] = {}
    on: Column = ""
    """The day of the decline or of the win."""
    revisit_on: Column = ""
    keep_in_touch: Column = ""
    """Whether the prospect asked us to keep in touch, yes or no."""
    stage_depth: Annotated[int, msgspec.Meta(ge=0, le=5)] = 0
    queue: bool = False
    """Ask for a place in the queue right away."""


class Stages(_Section, frozen=True, kw_only=True):
    """How stages are treated; a stage that is not listed is treated as *otherwise*, or rejected without one."""

    column: Column = ""
    treat: dict[str, Treatment] = {}
    otherwise: Treatment | None = None


class Mapping(_Section, frozen=True, kw_only=True):
    """All of a mapping: one for each kind of export, written once and kept."""

    source: Name
    """Name of the CRM or list. Together with the external id it names a lead for good: never change it."""
    playbook: Slug
    external_id: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    owner: Owner
    calendar: RepCalendar
    calendars: dict[Name, RepCalendar] = {}
    """By rep, for those who work elsewhere."""
    delimiter: Literal["", ",", ";", "\t", "|"] = ""
    """Empty: found out."""
    contact: Contact = Contact()
    phones: Phones = Phones()
    timezone: Zone = Zone()
    region: Column = ""
    """Where the person is, by ISO 3166-2, such as US-FL, or a country; unknown regions get the strictest contact law."""
    region_country: str = ""
    """The country whose states *region* holds without it, such as US: then CA is California, and without this it is Canada."""
    region_country_column: Column = ""
    """The same, row by row; where it is empty, *region_country* stands, and where *region* is empty, the country alone."""
    region_unless_said: str = ""
    """The region of rows that say none."""
    consumer: Column = ""
    """Whether it is a private person, yes or no."""
    dates: Dates = Dates()
    minutes: Invested = Invested()
    value: Value | None = None
    qualified: Column = ""
    stages: Stages = Stages()
    replace: dict[Column, dict[str, str]] = {}
    """By column: what is written in the file, and what it stands for."""

    def calendar_of(self, rep: str) -> RepCalendar:
        """Return where *rep* works."""
        return self.calendars.get(rep, self.calendar)

    def treatments(self) -> list[Treatment]:
        """Return all treatments, *otherwise* last."""
        return [*self.stages.treat.values(), *([self.stages.otherwise] if self.stages.otherwise else [])]

    def date_columns(self) -> dict[str, bool]:
        """Return the columns that hold days, and whether such a day may lie in the future."""
        treatments = self.treatments()
        past = [*self.dates.last_contact, self.minutes.since, self.minutes.until, self.contact.last_meeting_on]
        ahead = [treatment.revisit_on for treatment in treatments]
        return {c: True for c in ahead if c} | {c: False for c in (*past, *(t.on for t in treatments)) if c}

    def columns(self) -> tuple[str, ...]:
        """Return the columns that the file must have, in the order of the mapping."""
        return tuple(dict.fromkeys(column for column in self._columns() if column))

    def _columns(self) -> Iterator[str]:
        yield from (self.external_id, self.owner.column)
        contact = self.contact
        yield from (contact.name, contact.company, contact.product, *contact.address, contact.country, contact.phone)
        yield from (contact.email, *contact.facts, contact.last_meeting_place, contact.last_meeting_topic)
        yield from (
            contact.prior_interest,
            contact.photo,
            self.timezone.column,
            self.minutes.column,
            self.qualified,
            self.stages.column,
        )
        yield from (self.region, self.region_country_column, self.consumer)
        yield self.value.column if self.value else ""
        for treatment in self.treatments():
            yield from (treatment.reason_column, treatment.keep_in_touch)
        yield from self.date_columns()
