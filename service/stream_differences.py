"""Two folds of a rep, a campaign or a sales event beside each other: what differs, in words for people."""

from collections.abc import Iterator
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from service.differences import Difference, shown
from service.wording import plain, words
from workflows.commands import Reference
from workflows.events import PlaybookPin
from workflows.invitation_streams import Stream
from workflows.lead import Timer

#: Fields that say how far a stream was folded, not how it stands.
_BOOKKEEPING = frozenset({"id", "version", "recorded_at"})

#: Structs that a lead has too, and that are shown as there.
_KNOWN = (Timer, Reference, PlaybookPin)


def stream_differences(before: Stream, after: Stream, zone: ZoneInfo) -> tuple[Difference, ...]:
    """Return what differs between two folds of one stream, in the order in which it has its fields; times are in *zone*.

    What it has many of, such as a campaign's letters, is told one by one, and only what is new, gone or another.
    """
    found: list[Difference] = []
    for field in type(before).__struct_fields__:
        old, new = getattr(before, field), getattr(after, field)
        if old == new or field in _BOOKKEEPING:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            keys = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
            found += [Difference(field=f"{field}.{key}", before=_of(old, key, zone), after=_of(new, key, zone)) for key in keys]
        elif isinstance(new, tuple):
            old = old if isinstance(old, tuple) else ()
            moved = "; ".join(_moved(old, new, zone)) or "in another order"
            found.append(Difference(field=field, before=str(len(old)), after=f"{len(new)}: {moved}"))
        else:
            found.append(Difference(field=field, before=_told(old, zone), after=_told(new, zone)))
    return tuple(found)


def _of(each: dict[str, object], key: str, zone: ZoneInfo) -> str:
    return _told(each.get(key), zone)


def _moved(old: tuple[object, ...], new: tuple[object, ...], zone: ZoneInfo) -> Iterator[str]:
    for verb, some, others in (("new", new, old), ("gone", old, new)):
        if found := [_told(each, zone) for each in some if each not in others]:
            yield f"{verb} {plain(', '.join(found), 300)}"


def _told(value: object, zone: ZoneInfo) -> str:
    match value:
        case UUID():
            return str(value)
        case tuple():
            return " ".join(_told(each, zone) for each in value) or "none"
        case msgspec.Struct() if not isinstance(value, _KNOWN):
            named = ((name, getattr(value, name)) for name in value.__struct_fields__)
            return ", ".join(f"{words(name)} {_told(each, zone)}" for name, each in named if each not in (None, (), 0))
    return shown(value, zone)
