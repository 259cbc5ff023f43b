"""Values of every command and event, drawn from the types themselves, so that a new field is drawn without a word here."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache
from typing import Any, get_args

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from tests.workflows.life import CALENDAR, MONDAY, START
from workflows.calendars import Absence, Calendar, Holiday
from workflows.commands import AnyCommand
from workflows.events import AnyEvent, Recorded

CALENDARS = (
    CALENDAR,
    Calendar(
        timezone="Asia/Tokyo",
        first=date(2025, 1, 1),
        last=date(2027, 12, 31),
        holidays=(Holiday(day=date(2026, 1, 12), name="Coming of Age Day"),),
        absences=(Absence(first=date(2026, 1, 5), last=date(2026, 1, 23)),),
    ),
    Calendar(timezone="UTC", first=date(2026, 1, 1), last=date(2026, 2, 28), weekdays=(6, 7)),
)
ZONES = (UTC, timezone(timedelta(hours=9)), timezone(timedelta(hours=-7)))


def near_days() -> st.SearchStrategy[date]:
    """Draw days around the time at which lives are lived, sometimes far off."""
    near = st.integers(-40, 400).map(lambda number: MONDAY + timedelta(days=number))
    return st.one_of(*[near] * 9, st.dates())


def near_moments() -> st.SearchStrategy[datetime]:
    """Draw moments with a time zone, mostly around the time at which lives are lived."""
    near = st.builds(
        lambda minutes, zone: (START + timedelta(minutes=minutes)).astimezone(zone),
        st.integers(-90_000, 300_000),
        st.sampled_from(ZONES),
    )
    far = st.datetimes(timezones=st.just(UTC))
    return st.one_of(*[near] * 9, far)


@cache
def values(type_: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for every value that msgspec would accept as a *type_*."""
    return _drawn(inspect.type_info(type_))


def _drawn(info: Any) -> st.SearchStrategy[Any]:
    return _DRAWN[type(info)](info)


def _integers(info: inspect.IntType) -> st.SearchStrategy[int]:
    # Canonical numbers stay below 2**53; every range of ours is inclusive.
    low = info.ge if info.ge is not None else -(2**53) + 1
    return st.integers(low, info.le if info.le is not None else 2**53 - 1)


def _texts(info: inspect.StrType) -> st.SearchStrategy[str]:
    if info.pattern is None:
        return st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    # In Python a "$" also matches before a line feed at the end, which msgspec's expression does not.
    drawn = st.from_regex(info.pattern.replace("$", r"\Z"), fullmatch=True)
    return drawn.map(lambda text: text[: info.max_length or 80])


def _structs(info: inspect.StructType) -> st.SearchStrategy[Any]:
    if info.cls is Calendar:
        return st.sampled_from(CALENDARS)
    return st.fixed_dictionaries({field.name: _drawn(field.type) for field in info.fields}).map(lambda kw: info.cls(**kw))


_DRAWN: dict[type, Callable[[Any], st.SearchStrategy[Any]]] = {
    inspect.Metadata: lambda info: _drawn(info.type),
    inspect.NoneType: lambda _: st.none(),
    inspect.BoolType: lambda _: st.booleans(),
    inspect.IntType: _integers,
    inspect.StrType: _texts,
    inspect.DateTimeType: lambda _: near_moments(),
    inspect.DateType: lambda _: near_days(),
    inspect.UUIDType: lambda _: st.uuids(),
    inspect.LiteralType: lambda info: st.sampled_from(info.values),
    inspect.UnionType: lambda info: st.one_of([_drawn(inner) for inner in info.types]),
    inspect.VarTupleType: lambda info: st.lists(_drawn(info.item_type), max_size=3).map(tuple),
    # Keys are ASCII: beyond it, RFC 8785 sorts by UTF-16 and our codec by UTF-8.
    inspect.DictType: lambda info: st.dictionaries(
        _drawn(info.key_type).filter(str.isascii), _drawn(info.value_type), max_size=3
    ),
    inspect.StructType: _structs,
}


COMMANDS: tuple[type[msgspec.Struct], ...] = get_args(AnyCommand)
EVENTS: tuple[type[msgspec.Struct], ...] = get_args(AnyEvent)


def commands() -> st.SearchStrategy[Any]:
    """Draw any command, each kind as often as any other."""
    return st.sampled_from(COMMANDS).flatmap(values)


def events() -> st.SearchStrategy[Any]:
    """Draw any event, each kind as often as any other."""
    return st.sampled_from(EVENTS).flatmap(values)


@cache
def recorded() -> st.SearchStrategy[Recorded]:
    """Draw any recorded event, with any command."""
    fields = {
        field.encode_name: _drawn(field.type)
        for field in inspect.type_info(Recorded).fields  # type: ignore[attr-defined]  # a struct has fields
        if field.name not in ("data", "command")
    }
    return st.fixed_dictionaries({**fields, "data": events(), "command": st.one_of(st.none(), commands())}).map(
        lambda kw: Recorded(**kw)
    )
