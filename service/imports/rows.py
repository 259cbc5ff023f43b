"""From the cells of a record to a lead, or to everything that is wrong with it."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar

import msgspec

from service.imports import values
from service.imports.mapping import Contact, Mapping, Treatment
from service.imports.problems import RowError, Unreadable, did_you_mean, shown
from service.imports.reader import Record
from service.imports.where import Where
from service.times import zone_or_utc
from workflows.commands import DeclineKind, Mode

T = TypeVar("T")

#: The most that a command may carry (`workflows.commands.RegisterLead`).
MINUTES_MAX = 10_000_000


class Registration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a row says of a lead besides the personal data. Kept with the contact, so that the next import sees what changed."""

    owner: str
    modes: tuple[Mode, ...] = ()
    timezone: str = ""
    region: str = ""
    region_assumed: bool = False
    """The mapping says it, because the row does not."""
    consumer: bool | None = None
    last_contact_on: date | None = None
    stage_depth: int = 0
    value_band: int = 0
    minutes_invested: int = 0
    qualified: bool | None = None
    treat_as: str = "registered"
    kind: DeclineKind | None = None
    stated_reason: str | None = None
    on: date | None = None
    """Day of the decline or of the win."""
    revisit_on: date | None = None
    keep_in_touch: bool = False
    queue: bool = False


class Row(NamedTuple):
    """A row that can be imported."""

    line: int
    external_id: str
    fields: dict[str, Any]
    """The personal data: texts and lists of texts."""
    registration: Registration


class Interpreter:
    """Reads records as a mapping says. After each, `errors` and `warnings` tell what was found."""

    def __init__(self, mapping: Mapping, header: Sequence[str], now: datetime) -> None:
        self._mapping = mapping
        self._at = {name: index for index, name in reversed(list(enumerate(header)))}
        self._now = now
        self._cells: list[str] = []
        self._harmless = False
        """No field of the row is too long or holds a control character."""
        self._line = 0
        self._replace = mapping.replace
        self._first_lines: dict[str, int] = {}
        self._today: dict[str, date] = {}
        self._day_columns = mapping.date_columns()
        self._days: dict[str, date | None] = {}
        self._treatments = {name.strip().casefold(): each for name, each in mapping.stages.treat.items()}
        self._day = values.day_reader(mapping.dates.format)
        self._number = values.number_reader(mapping.value.decimal, mapping.value.thousands) if mapping.value else None
        self._timezone = values.remembered(values.timezone)
        self._where = Where(mapping)
        self._contact_readers = self._readers(mapping.contact)
        self.errors: list[RowError] = []
        """What is wrong with the last row, in the order of the mapping."""
        self.warnings: list[str] = []
        """Codes (`service.imports.report.WARNINGS`) of what may be wrong with the last row."""

    def _readers(self, contact: Contact) -> list[tuple[str, str, Callable[[str], str]]]:
        """Return which field of the contact comes from which column, and by what, for those that the mapping has."""
        phone = values.phone_reader(self._mapping.phones.calling_code, self._mapping.phones.trunk_prefix)
        readers: list[tuple[str, str, Callable[[str], str]]] = [
            ("name", contact.name, values.text),
            ("company", contact.company, values.text),
            ("product", contact.product, values.text),
            ("country", contact.country, values.remembered(values.country)),
            ("phone", contact.phone, phone),
            ("email", contact.email, values.email),
            ("last_meeting_place", contact.last_meeting_place, values.text),
            ("last_meeting_topic", contact.last_meeting_topic, values.text),
            ("prior_interest", contact.prior_interest, values.text),
            ("photo", contact.photo, values.text),
        ]
        return [each for each in readers if each[1]]

    def read(self, record: Record) -> Row | None:
        """Return the row of *record*, or None when `errors` says why it is rejected."""
        self.errors, self.warnings = [], []
        self._line, self._cells = record.line, [cell.strip() for cell in record.cells]
        # One look at all fields at once: hardly a row needs one at each.
        together = "".join(self._cells)
        self._harmless = len(together) <= values.FIELD_CHARACTERS_MAX and together.isprintable()
        if record.damage:
            self._reject(self._damaged_column(), record.damage.code, "", record.damage.message, record.damage.suggestion)
            return None
        external_id = self._external_id()
        owner = self._owner()
        self._read_days(owner)
        fields = self._contact()
        registration = self._registration(owner, fields)
        return None if self.errors else Row(record.line, external_id, fields, registration)

    def _damaged_column(self) -> str:
        """Name the column whose field is not UTF-8, if that is what is wrong."""
        for name, index in self._at.items():
            if index < len(self._cells) and any("\udc80" <= c <= "\udcff" for c in self._cells[index]):
                return name
        return ""

    def _reject(self, column: str, code: str, value: str, message: str, suggestion: str) -> None:
        error = RowError(line=self._line, column=column, code=code, value=shown(value), message=message, suggestion=suggestion)
        self.errors += [error] if error not in self.errors else []

    def _text(self, column: str) -> str:
        """Return what stands in *column*, replaced as the mapping says; empty when there is no such column."""
        value = self._cells[self._at[column]] if column else ""
        if column in self._replace and value in self._replace[column]:
            self.warnings.append("replaced_value")
            return self._replace[column][value]
        return value

    def _take(self, column: str, read: Callable[[str], T]) -> T | None:
        """Return what *read* makes of the field, None when it is empty or was rejected."""
        if not column or not (value := self._cells[self._at[column]]):
            return None
        if column in self._replace:
            value = self._text(column)
        try:
            return read(value if self._harmless else values.plain(value))
        except Unreadable as problem:
            self._reject(column, problem.code, value, problem.message, problem.suggestion)
            return None

    def _external_id(self) -> str:
        column = self._mapping.external_id
        found = len(self.errors)
        value = self._take(column, values.record_id)
        if value is None:
            if len(self.errors) == found:
                self._reject(column, "empty_id", "", "The row has no id.", "Give it one of its own that never changes.")
            return ""
        first = self._first_lines.setdefault(value, self._line)
        if first != self._line:
            message = f"The same id stands on line {first:,} already."
            self._reject(column, "duplicate_id", value, message, "Remove one of the two rows, or give one its own id.")
        return value

    def _owner(self) -> str:
        owner = self._mapping.owner
        if owner.name:
            return owner.name
        found = len(self.errors)
        name = self._take(owner.column, values.rep_name)
        if name is None and len(self.errors) == found:
            self._reject(owner.column, "empty_owner", "", "Nobody owns this lead.", "Name the rep whose lead it is.")
        return name or ""

    def _read_days(self, owner: str) -> None:
        """Read all days of the row, each column once, though several keys may use it."""
        zone = self._mapping.calendar_of(owner).timezone
        today = self._today.get(zone)
        if today is None:
            today = self._today[zone] = self._now.astimezone(zone_or_utc(zone)).date()
        for column, may_lie_ahead in self._day_columns.items():
            day = self._days[column] = self._take(column, self._day)
            if day is not None and day > today and not may_lie_ahead:
                message = f"This day is still to come; today is {today}."
                self._reject(column, "future_date", self._text(column), message, "Correct the day, or leave it empty.")

    def _contact(self) -> dict[str, Any]:
        contact = self._mapping.contact
        fields: dict[str, Any] = {}
        for key, column, read in self._contact_readers:
            if value := self._take(column, read):
                fields[key] = value
            elif key in {"name", "company"}:
                self.warnings.append(f"no_{key}")
        if lines := [line for column in contact.address if (line := self._take(column, values.text))]:
            fields["address"] = "\n".join(lines)
        if facts := [fact for column in contact.facts if (fact := self._take(column, values.text))]:
            fields["facts"] = facts
        if met_on := self._days.get(contact.last_meeting_on):
            fields["last_meeting_on"] = met_on.isoformat()
        return fields

    def _modes(self, fields: dict[str, Any]) -> tuple[Mode, ...]:
        """Return the ways to reach the lead: those for which the row has an address or a number."""
        modes: list[Mode] = []
        if "address" in fields:
            # A city alone is no address: the street comes first in the mapping.
            if self._text(self._mapping.contact.address[0]):
                modes += ["handwritten_note", "post"]
            else:
                self.warnings.append("incomplete_address")
        if phone := fields.get("phone"):
            modes.append("call")
            self.warnings += values.phone_warnings(phone)
        if "email" in fields:
            modes.append("email")
        if not modes:
            self.warnings.append("unreachable")
        return tuple(modes)

    def _registration(self, owner: str, fields: dict[str, Any]) -> Registration:
        mapping = self._mapping
        treatment = self._treatment()
        contacts = [day for column in mapping.dates.last_contact if (day := self._days[column])]
        declined = treatment.treat_as == "declined"
        modes = self._modes(fields)
        region, assumed = self._where.read(self._take, self.warnings, mailed="email" in modes)
        return Registration(
            owner=owner,
            modes=modes,
            timezone=self._take(mapping.timezone.column, self._timezone) or mapping.timezone.name,
            region=region,
            region_assumed=assumed,
            consumer=self._take(mapping.consumer, values.yes_no),
            last_contact_on=max(contacts, default=None),
            stage_depth=treatment.stage_depth,
            value_band=self._value_band(),
            minutes_invested=self._minutes(),
            qualified=self._take(mapping.qualified, values.yes_no),
            treat_as=treatment.treat_as,
            kind=treatment.kind if declined else None,
            stated_reason=self._stated_reason(treatment) if declined else None,
            on=self._day_of(treatment),
            revisit_on=self._days.get(treatment.revisit_on) if declined else None,
            keep_in_touch=bool(self._take(treatment.keep_in_touch, values.yes_no)) if declined else False,
            queue=treatment.queue,
        )

    def _treatment(self) -> Treatment:
        stages = self._mapping.stages
        if not stages.column:
            return stages.otherwise or Treatment()
        stage = self._text(stages.column)
        treatment = self._treatments.get(stage.casefold(), stages.otherwise)
        if treatment is None:
            hint = did_you_mean(stage[: values.NAME_CHARACTERS_MAX], stages.treat) or f" Known are: {', '.join(stages.treat)}."
            suggestion = f"{hint.strip()} Or say in the mapping, at stages.treat, how it is treated."
            message = "The mapping does not know this stage." if stage else "The stage is empty."
            self._reject(stages.column, "unknown_stage", stage, message, suggestion)
        return treatment or Treatment()

    def _day_of(self, treatment: Treatment) -> date | None:
        if not treatment.on:
            return None
        day = self._days[treatment.on]
        if day is None and not self._text(treatment.on):
            what = "decline" if treatment.treat_as == "declined" else "win"
            self._reject(treatment.on, "empty_date", "", f"The day of the {what} is missing.", "Fill it in.")
        return day

    def _stated_reason(self, treatment: Treatment) -> str:
        reason = self._text(treatment.reason_column)
        if not reason:
            return treatment.stated_reason
        folded = {name.casefold(): code for name, code in treatment.reasons.items()}
        code = folded.get(reason.casefold())
        if code is None:
            message = "The mapping does not know this reason."
            suggestion = f"Say in the mapping, at reasons, what it stands for. Known are: {', '.join(treatment.reasons)}."
            self._reject(treatment.reason_column, "unknown_reason", reason, message, suggestion)
        return code or treatment.stated_reason

    def _value_band(self) -> int:
        if not self._mapping.value or not self._number:
            return 0
        amount = self._take(self._mapping.value.column, self._number)
        return 0 if amount is None else bisect_right(self._mapping.value.bands, amount)

    def _minutes(self) -> int:
        minutes = self._mapping.minutes
        if minutes.column:
            return min(self._take(minutes.column, values.count) or 0, MINUTES_MAX)
        since, until = self._days.get(minutes.since), self._days.get(minutes.until)
        if since is None or until is None:
            return 0
        if until < since:
            message = f"This day lies before {since} in “{minutes.since}”."
            self._reject(minutes.until, "date_order", self._text(minutes.until), message, "Correct one of the two days.")
        return min((until - since).days * minutes.per_day, MINUTES_MAX)
