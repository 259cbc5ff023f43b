"""A playbook's text: TOML of its own, with the fields that it takes over from others, checked field by field."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect

from workflows.playbooks import MADE_FOR, Playbook

#: What a playbook says of itself, and never takes over.
_OWN = frozenset({"schema", "id", "version", "title", "source", "extends"})

Fields = dict[str, Any]


class PlaybookError(ValueError):
    """A playbook's text is not a playbook; the message names line, field and value, and what would be right."""


class Source(NamedTuple):
    """The text of a playbook that others may take fields from."""

    exactly: str
    """``id@version``."""
    text: str


#: Finds a playbook by ``id`` (the newest version) or ``id@version``; None when there is none.
Find = Callable[[str], Source | None]


def read_playbook(text: str, find: Find) -> Playbook:
    """Return the playbook written in *text*, whole: with all that it takes over from the playbooks that it extends.

    Raises
    ------
    PlaybookError
        When the text is no TOML, a field is wrong, or what it extends is unknown, goes round in a circle or contradicts itself.
    """
    said = _parsed(text)
    whole, extended = _whole(said, find, ())
    _settle_goto(whole, find, text)
    try:
        playbook = msgspec.convert({**whole, "extends": extended}, Playbook, strict=True)
    except msgspec.ValidationError as error:
        raise PlaybookError(_explained(str(error), text, whole)) from error
    if MADE_FOR in playbook.id:
        says = f"{MADE_FOR!r} is kept for what `thaw rep limit` and `thaw team set` make of a playbook; choose another id"
        raise PlaybookError(f"line {_line_of('id', text)}, id: {says}; it is {playbook.id!r}")
    return playbook


def json_schema() -> Fields:
    """Return the JSON Schema of a playbook's text, for editors: what is not said there is taken over, or has its default."""
    schema = msgspec.json.schema(Playbook)
    written = schema["$defs"]["Playbook"]
    written["required"] = sorted(_OWN - {"extends"})
    # A text may name a playbook without its version, and then means the newest.
    written["properties"]["extends"]["items"] = {"type": "string"}
    return schema


def _parsed(text: str) -> Fields:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlaybookError(f"not TOML: {error}") from error
    except RecursionError:
        raise PlaybookError("not TOML that can be read: a value is nested too deeply") from None
    except ValueError as error:  # an integer of thousands of digits
        raise PlaybookError(f"not TOML that can be read: {error}") from error


def _whole(said: Fields, find: Find, above: tuple[str, ...]) -> tuple[Fields, list[str]]:
    """Return all fields of what is *said*, and what it extends, exactly."""
    names = said.get("extends", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise PlaybookError("extends: it must be a list of playbooks, such as ['multi-channel-revival']")
    taken: Fields = {}
    origins: dict[str, str] = {}
    extended = []
    for name in names:
        source = find(name)
        if source is None:
            raise PlaybookError(f"extends: no playbook {name!r} is published; see `thaw playbook list`")
        if source.exactly in above:
            raise PlaybookError(f"extends: {' extends '.join((*above, source.exactly))} again")
        fields, further = _whole(_parsed(source.text), find, (*above, source.exactly))
        _take_over(taken, {key: value for key, value in fields.items() if key not in _OWN}, source.exactly, origins, said)
        extended += [name for name in (source.exactly, *further) if name not in extended]
    return _overlaid(taken, said), extended


def _settle_goto(whole: Fields, find: Find, text: str) -> None:
    """Put the exact version into ``on_no_response.goto``: what is published means one playbook for good."""
    section = whole.get("on_no_response")
    named = section.get("goto") if isinstance(section, dict) else None
    if not isinstance(section, dict) or not isinstance(named, str):
        return
    id_ = named.partition("@")[0]
    below, made_for, _ = id_.rpartition(MADE_FOR)
    source = None if made_for or id_ == whole.get("id") else find(named)
    if source is None:
        why = "is not published; see `thaw playbook list`"
        if made_for:
            why = f"was made for the days of one rep, and no lead follows it; name what it was made of, {below!r}"
        elif id_ == whole.get("id"):
            why = "goes to itself"
        line = _line_of("on_no_response.goto", text)
        where = f"line {line}, " if line else ""
        raise PlaybookError(f"{where}on_no_response.goto: the playbook {named!r} {why}")
    whole["on_no_response"] = {**section, "goto": source.exactly}


def _take_over(taken: Fields, fields: Fields, origin: str, origins: dict[str, str], said: Fields) -> None:
    """Take *fields* of *origin* into *taken*; two origins may not say different things of which nothing is *said*."""
    own = dict(_leaves(said))
    known = dict(_leaves(taken))
    for path, value in _leaves(fields):
        if path in known and known[path] != value and path not in own:
            raise PlaybookError(
                f"{path}: {origins[path]} says {known[path]!r} and {origin} says {value!r}; say in this playbook which holds"
            )
        origins.setdefault(path, origin)
    merged = _overlaid(fields, taken)
    taken.clear()
    taken.update(merged)


def _overlaid(below: Fields, above: Fields) -> Fields:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _overlaid(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged


def _leaves(fields: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in fields.items():
        at = f"{path}.{key}" if path else key
        if isinstance(value, dict):
            yield from _leaves(value, at)
        else:
            yield at, value


def _explained(error: str, text: str, whole: Fields) -> str:
    """Say which line, field and value msgspec's *error* is about."""
    said, _, at = error.partition(" - at `$.")
    path = at.rstrip("`")
    if unknown := re.search(r"unknown field `(.+)`", said):
        said = f"there is no such field; {_meant(unknown[1], path)}"
        path = f"{path}.{unknown[1]}" if path else unknown[1]
        line = _line_of(path, text)
        return f"line {line}, {path}: {said}" if line else f"{path}: {said}"
    value: Any = whole
    for key in re.findall(r"[^.\[\]]+", path):
        value = value.get(key, "") if isinstance(value, dict) else ""
    line = _line_of(re.sub(r"\[[^\[\]]*\]$", "", path), text)
    where = f"line {line}, {path}" if line else path
    if said.startswith("Invalid enum value"):
        said += _instead(re.sub(r"\[[^\]]*\]", "[", path))
        value = ""
    given = f"; it is {value!r}" if isinstance(value, (str, int, float, bool)) and value != "" else ""
    return f"{where}: {said}{given}" if where else said


def _meant(unknown: str, section: str) -> str:
    """Return where a field of this name belongs, which one was probably meant, or those that *section* has."""
    known = _fields_at(section)
    for other in _sections():
        if unknown in _fields_at(other):
            return f"it belongs into [{other}]" if other else "it belongs before the first section"
    if near := get_close_matches(unknown, known, n=1):
        return f"did you mean {near[0]}?"
    return f"{f'[{section}]' if section else 'a playbook'} has {', '.join(known)}"


def _sections() -> Iterator[str]:
    yield ""
    yield from (name for name in _fields_at("") if _fields_at(name))


def _fields_at(path: str) -> list[str]:
    """Return the names of the fields at *path*, such as ``capacity.minutes`` or ``invitation.audiences[0]``; of none none."""
    at: inspect.Type = inspect.type_info(Playbook)
    for key in re.findall(r"[^.\[]+|\[", re.sub(r"\[[^\]]*\]", "[", path)):
        at = _within(at, key)
    found = _struct(at)
    return [field.name for field in found.fields] if found else []


def _within(at: inspect.Type, key: str) -> inspect.Type:
    match at:
        case inspect.UnionType():
            return _within(_struct(at) or inspect.AnyType(), key)
        case inspect.StructType(fields=fields):
            return next((field.type for field in fields if field.name == key), inspect.AnyType())
        case inspect.VarTupleType(item_type=item) | inspect.ListType(item_type=item) if key == "[":
            return item
    return at


def _instead(path: str) -> str:
    """Return which words the field at *path* takes; ``[`` stands for any item of a list."""
    at: inspect.Type = inspect.type_info(Playbook)
    for key in re.findall(r"[^.\[]+|\[", path):
        at = _within(at, key)
    kinds = at.types if isinstance(at, inspect.UnionType) else (at,)
    known = [str(value) for kind in kinds if isinstance(kind, inspect.LiteralType) for value in kind.values]
    return f"; it may be {', '.join(known)}" if known else ""


def _struct(at: inspect.Type) -> inspect.StructType | None:
    kinds = at.types if isinstance(at, inspect.UnionType) else (at,)
    return next((kind for kind in kinds if isinstance(kind, inspect.StructType)), None)


def _line_of(path: str, text: str) -> int | None:
    """Return the line of *text* on which the field at *path* is written; None when it stands nowhere."""
    *section, key = re.findall(r"[^.\[\]]+", path) or [""]
    current: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$", line)
        if header:
            current = header[1].split(".")
            if current == [*section, key]:
                return number
        elif current == section and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line):
            return number
    return None
