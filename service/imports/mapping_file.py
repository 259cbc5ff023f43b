"""Reading a mapping: TOML, typed, and free of contradictions before the first row is looked at."""

import tomllib
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, get_args

import msgspec
from msgspec.structs import fields

from service.calendars import CalendarError, freeze_calendar, iana_zones
from service.find import REP_NAME_CHARACTERS_MAX, REP_NAMES, is_rep_name
from service.imports.mapping import Mapping, RepCalendar, Stages, Treatment, Value
from service.imports.problems import MappingError, did_you_mean
from service.imports.values import is_region
from workflows.codec import digest
from workflows.regions import COUNTRIES, meant_by


def read_mapping(path: Path) -> Mapping:
    """Return the mapping in the file *path*.

    Raises
    ------
    MappingError
        When the file is missing, no TOML, or a key in it is wrong; the message names the key.
    """
    return read_with_digest(path)[0]


def read_with_digest(path: Path) -> tuple[Mapping, str]:
    """Do the same, and return SHA-256 of the file besides, in hexadecimal."""
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise MappingError("mapping", f"The mapping {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise MappingError("mapping", f"The mapping {path} is not text in UTF-8.") from error
    return parse_mapping(text, path.name), digest(raw)


def parse_mapping(text: str, name: str = "mapping") -> Mapping:
    """Return the mapping written in *text*; *name* is what errors call it.

    Raises
    ------
    MappingError
        When the text is no TOML or a key in it is wrong; the message names the key.
    """
    raw: dict[str, Any] = {}
    try:
        raw = tomllib.loads(text)
        mapping = msgspec.convert(raw, Mapping, strict=True)
    except tomllib.TOMLDecodeError as error:
        raise MappingError("mapping", f"The mapping {name} is not TOML: {error}.") from error
    except RecursionError:
        raise MappingError("mapping", f"The mapping {name} cannot be read: a value in it is nested too deeply.") from None
    except msgspec.ValidationError as error:
        raise MappingError("mapping", f"The mapping {name} is wrong at {_located(str(error), raw)}") from error
    except ValueError as error:  # an integer of thousands of digits
        raise MappingError("mapping", f"The mapping {name} cannot be read: {error}.") from error
    for key, complaint in _contradictions(mapping):
        raise MappingError("mapping", f"The mapping {name} is wrong at {key}: {complaint}")
    return mapping


#: The parts of a mapping, by where msgspec says that they stand.
_PARTS: dict[str, type[msgspec.Struct]] = {
    **{each.name: each.type for each in fields(Mapping) if isinstance(each.type, type(msgspec.Struct))},
    "": Mapping, "calendars[...]": RepCalendar, "value": Value, "stages.treat[...]": Treatment, "stages.otherwise": Treatment,
}  # fmt: skip


def _located(complaint: str, raw: dict[str, Any]) -> str:
    """Turn msgspec's ``what - at `$.path` `` into ``path: what``, with the stage of *raw* that it is about, and a hint."""
    what, _, where = complaint.partition(" - at ")
    where = where.strip("`").removeprefix("$").removeprefix(".")
    key = where.replace("[...]", f".{_wrong_stage(raw)}", 1) if where.startswith("stages.treat[...]") else where
    key = key or "the top level"
    part, _, last = where.rpartition(".")
    if what.startswith("Object contains unknown field") and where in _PARTS:
        hint = did_you_mean(what.split("`")[1], [each.name for each in fields(_PARTS[where])])
    elif what.startswith("Invalid enum value") and part in _PARTS:
        *others, most = next((map(repr, get_args(each.type)) for each in fields(_PARTS[part]) if each.name == last), ["?"])
        what, hint = f"{what}; it takes {', '.join(others)} or {most}", ""
    else:
        hint = ""
    for theirs, ours in (
        ("Object contains unknown field", "there is no key"),
        ("Object missing required field", "missing key"),
    ):
        what = what.replace(theirs, ours)
    return f"{key}: {what[:1].lower()}{what[1:]}.{hint}"


def _wrong_stage(raw: dict[str, Any]) -> str:
    """Return the first stage that is not treated as any stage may be; stages are tables in *raw*."""
    for name, each in raw["stages"]["treat"].items():
        try:
            msgspec.convert(each, Treatment, strict=True)
        except msgspec.ValidationError:
            return str(name)
    return "[...]"


def _contradictions(mapping: Mapping) -> Iterator[tuple[str, str]]:
    if bool(mapping.owner.column) == bool(mapping.owner.name):
        yield "owner", "name the column that holds the rep, or one name for all rows; not both."
    if mapping.owner.name and not is_rep_name(mapping.owner.name):
        yield "owner.name", f"{mapping.owner.name[:REP_NAME_CHARACTERS_MAX]!r} is no name for a rep: {REP_NAMES}."
    yield from _bad_calendars(mapping)
    if mapping.timezone.name and mapping.timezone.name not in iana_zones():
        yield "timezone.name", f"there is no time zone {mapping.timezone.name!r}; write one like Europe/Berlin."
    yield from _bad_regions(mapping)
    if not _usable_format(mapping.dates.format):
        yield "dates.format", f"{mapping.dates.format!r} does not describe a whole day; write one like %d.%m.%Y."
    if mapping.minutes.column and mapping.minutes.per_day:
        yield "minutes", "name a column with minutes, or count days with since, until and per_day; not both."
    if mapping.minutes.per_day and not (mapping.minutes.since and mapping.minutes.until):
        yield "minutes", "per_day needs since and until, the columns with the first and the last day."
    if mapping.value and any(a >= b for a, b in zip(mapping.value.bands, mapping.value.bands[1:], strict=False)):
        yield "value.bands", "the amounts must ascend."
    if mapping.value and mapping.value.decimal == mapping.value.thousands:
        yield "value.thousands", "it cannot be the same sign as decimal."
    yield from _bad_stages(mapping.stages)
    yield from _bad_replacements(mapping)


def _bad_regions(mapping: Mapping) -> Iterator[tuple[str, str]]:
    country, unless_said = mapping.region_country, mapping.region_unless_said
    if country and country not in COUNTRIES:
        yield "region_country", f"{country!r} is no country; write its code, such as US."
    for key in ("region_country", "region_country_column"):
        if getattr(mapping, key) and not mapping.region:
            yield key, "say which column holds the states: region."
        if getattr(mapping, key) and mapping.region == mapping.contact.country:
            yield key, "the column of region is the one of contact.country, and holds countries."
    if unless_said and not is_region(unless_said):
        hint = meant_by(unless_said) or "it by ISO 3166-2, such as US-FL or CA-ON, or a country alone, such as DE"
        yield "region_unless_said", f"{unless_said!r} is no region; write {hint}."


def _bad_replacements(mapping: Mapping) -> Iterator[tuple[str, str]]:
    known = mapping.columns()
    for column in mapping.replace:
        if column not in known:
            yield f"replace.{column}", f"no key of the mapping uses that column.{did_you_mean(column, known)}"
        # What is written here is not looked at again, row by row.
        if bad := next((new for new in mapping.replace[column].values() if not new.isprintable() or new != new.strip()), None):
            yield f"replace.{column}", f"{bad!r} holds a line break, a control character or blanks around it."


def _bad_calendars(mapping: Mapping) -> Iterator[tuple[str, str]]:
    named = {"calendar": mapping.calendar} | {f"calendars.{rep}": each for rep, each in mapping.calendars.items()}
    for key, place in named.items():
        try:
            freeze_calendar(place.country, place.region, place.timezone, date(2024, 1, 1), date(2024, 1, 31))
        except CalendarError as error:
            yield key, str(error)


def _bad_stages(stages: Stages) -> Iterator[tuple[str, str]]:
    if stages.treat and not stages.column:
        yield "stages.column", "say which column holds the stage."
    if stages.column and not stages.treat:
        yield "stages.treat", "say how the stages of that column are treated."
    folded = [name.strip().casefold() for name in stages.treat]
    if len(set(folded)) < len(folded):
        yield "stages.treat", "a stage is listed twice (upper and lower case count as the same)."
    entries = [(f"stages.treat.{name}", each) for name, each in stages.treat.items()]
    for key, treatment in [*entries, ("stages.otherwise", stages.otherwise or Treatment())]:
        if treatment.treat_as == "client" and treatment.queue:
            yield f"{key}.queue", "a client is not a cold lead and cannot be queued."
        if treatment.treat_as not in {"declined", "client"} and treatment.on:
            yield f"{key}.on", "only a decline or a win has a day."
        if treatment.reason_column and not treatment.reasons:
            yield f"{key}.reasons", "say which code each reason of that column stands for."


def _usable_format(form: str) -> bool:
    sample = date(2013, 12, 31)
    try:
        return datetime.strptime(sample.strftime(form), form).date() == sample  # noqa: DTZ007  # only its day is used
    except (ValueError, UnicodeEncodeError):
        return False
