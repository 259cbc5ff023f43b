"""One codec: what we write is RFC 8785, comes back as it was, and holds no float anywhere."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import inspect

from service.bundle import verify
from tests.workflows.strategies import COMMANDS, EVENTS, commands, events, recorded, values
from workflows.codec import GENESIS, canonical, chain_hash, derived_id, digest
from workflows.commands import decode_command
from workflows.events import AnyEvent, Recorded, decode_recorded
from workflows.lead import Lead, Rep
from workflows.playbooks import Playbook


@settings(max_examples=75, deadline=None)
@given(events())
def test_canonical_is_rfc_8785(event: Any) -> None:
    """Our bytes are the ones that the rfc8785 package makes of the same data."""
    assert rfc8785.dumps(msgspec.to_builtins(event)) == canonical(event)


@settings(max_examples=50, deadline=None)
@given(commands())
def test_a_command_comes_back_as_it_was(command: Any) -> None:
    """A command read from its bytes is the command, and writes the same bytes."""
    again = decode_command(canonical(command))
    assert (command, canonical(command)) == (again, canonical(again))


@settings(max_examples=75, deadline=None)
@given(recorded())
def test_a_recorded_event_comes_back_as_it_was(event: Recorded) -> None:
    """An event read from its bytes is the event, and writes the same bytes, which are RFC 8785."""
    body = canonical(event)
    assert (event, body) == (decode_recorded(body), canonical(decode_recorded(body)))
    assert rfc8785.dumps(msgspec.to_builtins(event)) == body


@settings(max_examples=40, deadline=None)
@given(values(Lead))
def test_a_lead_comes_back_as_it_was(lead: Lead) -> None:
    """A lead read from its bytes is the lead, and writes the same bytes."""
    again = msgspec.json.decode(canonical(lead), type=Lead)
    assert (lead, canonical(lead)) == (again, canonical(again))


def _types_in(info: Any, seen: set[type]) -> set[type]:
    found = {type(info)}
    for name in getattr(info, "__struct_fields__", ()):
        value = getattr(info, name)
        if name == "fields":
            found |= {kind for field in value for kind in _types_in(field.type, seen)} if info.cls not in seen else set()
            seen.add(info.cls)
        elif isinstance(value, inspect.Type):
            found |= _types_in(value, seen)
        elif isinstance(value, tuple):
            found |= {kind for one in value if isinstance(one, inspect.Type) for kind in _types_in(one, seen)}
    return found


@pytest.mark.parametrize("type_", [*COMMANDS, *EVENTS, AnyEvent, Recorded, Lead, Rep, Playbook], ids=str)
def test_nothing_holds_a_float(type_: Any) -> None:
    """Numbers are integers everywhere: floats have no one canonical form across languages."""
    kinds = _types_in(inspect.type_info(type_), set())
    assert not kinds & {inspect.FloatType, inspect.AnyType, inspect.DecimalType}, kinds


@pytest.mark.parametrize("cls", [*COMMANDS, *EVENTS], ids=lambda cls: cls.__name__)
def test_unknown_fields_are_refused(cls: type[msgspec.Struct]) -> None:
    """A misspelt field is an error, not silence."""
    assert cls.__struct_config__.forbid_unknown_fields


# RFC 8785, 3.2.3: the order of keys, by UTF-16 units; 3.2.2.2: how strings are written.
SORTED = '{"\\r":"Carriage Return","1":"One","\x80":"Control","ö":"O","€":"Euro","😀":"Smiley","\ufb33":"Dalet"}'
STRING = '\u20ac$\u000f\nA\'\u0042"\\\\"/', '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'


@pytest.mark.parametrize("canonical", [canonical, verify.canonical], ids=["service", "verifier"])
def test_the_order_and_the_strings_of_rfc_8785_come_out(canonical: Callable[[Any], bytes]) -> None:
    """The published vectors, of our codec and of the verifier in a bundle, which share no code."""
    value = json.loads(SORTED)
    backwards = dict(reversed(value.items()))
    assert SORTED.encode() == canonical(backwards)
    assert f"[{SORTED},1]".encode() == canonical([backwards, 1])
    assert STRING[1].encode() == canonical(STRING[0])


@given(st.dictionaries(st.text(st.sampled_from("aé€\uffff\ufb33😀🚀"), max_size=3), st.integers(-3, 3) | st.text(max_size=2)))
def test_any_keys_are_in_the_order_of_rfc_8785(value: dict[str, Any]) -> None:
    """Names of reps are keys too, and may hold whatever prints."""
    assert rfc8785.dumps(value) == canonical(value) == verify.canonical(value)


def test_times_without_a_zone_are_refused() -> None:
    """A command that does not say which clock it means is no command."""
    with pytest.raises(msgspec.ValidationError, match="occurred_at"):
        decode_command(b'{"command":"mark_won","occurred_at":"2026-01-05T10:00:00"}')


def test_the_chain_starts_from_zero_bytes_and_depends_on_all_before() -> None:
    """A hash covers its body and everything before it."""
    first = chain_hash(GENESIS, b"a")
    assert 32 == len(GENESIS) == len(first)
    assert chain_hash(first, b"b") != chain_hash(GENESIS, b"b")
    assert digest(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_derived_ids_are_stable_and_distinct() -> None:
    """The same parts give the same id on any machine; parts do not run into one another."""
    assert derived_id("a", "b") == derived_id("a", "b")
    assert derived_id("ab", "c") != derived_id("a", "bc")
