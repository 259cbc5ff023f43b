"""Playbook, then team, then rep: which number is in force, and that hours driven by law only ever become narrower."""

import json
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Struct
from msgspec.structs import replace

from service.bundle import verify
from tests.workflows.office import CALENDARS, MONDAY, PLAYBOOK
from workflows.books import Book
from workflows.codec import canonical
from workflows.commands import SetCalendar
from workflows.handle import Carrier, calendar_digest
from workflows.invitation_playbook import Invitation, InvitedAudience
from workflows.layers import LoosenedError, check_narrower, merged, narrowed, numbers
from workflows.limits import Layers, Limits
from workflows.playbook_sections import ContactHours
from workflows.playbooks import Playbook, decode_playbook
from workflows.pursuit_playbook import Pursuit
from workflows.rederive import Library, Mismatch, rederive
from workflows.rep import handle_rep, rep_id

NARROW = replace(PLAYBOOK, contact_hours=ContactHours(opens=540, closes=1140, weekdays=(1, 2, 3, 4, 5)))
CALENDAR = next(iter(CALENDARS.values()))

unset = st.just(UNSET)
limits = st.builds(
    Limits,
    notes=unset | st.integers(0, 9), calls=unset | st.integers(0, 9), follow_up_touches=unset | st.integers(0, 9),
    catch_up_calls=unset | st.integers(0, 9), minutes=unset | st.integers(0, 600),
    opens=unset | st.integers(0, 1440), closes=unset | st.integers(0, 1440),
    weekdays=unset | st.lists(st.integers(1, 7), min_size=1, unique=True).map(sorted).map(tuple),
)  # fmt: skip


def layers(team: Limits | None = None, own: Limits | None = None) -> Layers:
    return Layers(base=NARROW.id, digest=NARROW.pin.digest, team="north", of_team=team or Limits(), own=own or Limits())


def as_frozen(both: Layers | None, pinned: Playbook) -> tuple[Any, Any]:
    """Return the data and the pin of a calendar_frozen, as the verifier reads them."""
    data = {"playbook": pinned.id} | ({"layers": json.loads(canonical(both))} if both else {})
    return data, json.loads(canonical(pinned.pin))


@given(limits, limits)
def test_each_number_is_that_of_the_lowest_layer_and_hours_only_narrow(team: Limits, own: Limits) -> None:
    """Whatever the layers say, and the verifier makes the same of them."""
    both = layers(team, own)
    made = merged(NARROW, both, playbook_id="five.of.dan", version="1.0.0")
    for name in ("notes", "calls", "follow_up_touches", "catch_up_calls"):
        said = [getattr(layer, name) for layer in (own, team, NARROW.capacity)]
        assert getattr(made.capacity, name) == next(value for value in said if value is not UNSET)
    budgets = (own.minutes, team.minutes, NARROW.capacity.minutes.budget)
    assert made.capacity.minutes.budget == next(value for value in budgets if value is not UNSET)
    assert narrowed(NARROW.contact_hours, made.contact_hours) == made.contact_hours, "no layer widens what follows from law"
    assert replace(made.capacity, minutes=NARROW.capacity.minutes).call_after_note_days == NARROW.capacity.call_after_note_days
    found = verify.Differences()
    known = {each.pin.digest: json.loads(canonical(each)) for each in (NARROW, made)}
    verify.check_layers(*as_frozen(both, made), known, found)
    assert found.found == []


def test_a_playbook_that_the_layers_do_not_make_is_found_by_the_verifier() -> None:
    """Three notes were ordered, and the playbook that was pinned has five."""
    both = layers(own=Limits(notes=1))
    forged = merged(NARROW, layers(), playbook_id="five.of.dan", version="1.0.0")
    found = verify.Differences()
    known = {each.pin.digest: json.loads(canonical(each)) for each in (NARROW, forged)}
    verify.check_layers(*as_frozen(both, forged), known, found)
    assert [("layers.capacity.notes", 2, 1)] == found.found


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("weights", {"weights": replace(NARROW.weights, trigger=NARROW.weights.trigger + 1)}),
        ("timers", {"timers": replace(NARROW.timers, requeue_days=1)}),
        ("checks", {"checks": replace(NARROW.checks, note=())}),
        ("pursuit", {"pursuit": Pursuit(silent_after=9)}),
        ("capacity", {"capacity": replace(NARROW.capacity, notes=9)}),
    ],
)
def test_a_playbook_that_changes_anything_else_is_found(field: str, change: dict[str, Any]) -> None:
    """Points, timers, checks: layers set numbers of a day and hours; the verifier and `thaw rederive` both see more."""
    both = layers(own=Limits(calls=1))
    forged = replace(merged(NARROW, both, playbook_id="five.of.dan", version="1.0.0"), **change)
    found = verify.Differences()
    known = {each.pin.digest: json.loads(canonical(each)) for each in (NARROW, forged)}
    verify.check_layers(*as_frozen(both, forged), known, found)
    assert {name.split(".")[1] for name, *_ in found.found} == {field}
    fields = {mismatch.field.split(".")[1] for mismatch in frozen_with(both, forged)}
    assert fields == {field}
    assert not frozen_with(both, merged(NARROW, both, playbook_id="five.of.dan", version="1.0.0"))


def frozen_with(both: Layers, playbook: Playbook) -> tuple[Mismatch, ...]:
    """Return what `rederive` finds in a calendar that was frozen with *both* layers and pins *playbook*."""
    command = SetCalendar(rep="dan", calendar=CALENDAR, playbook=playbook.id, layers=both)
    carrier = Carrier(
        message_id=UUID(int=1), stream_id=rep_id("dan"), actor="manager:ann", correlation_id=UUID(int=1), causation_id=None,
        recorded_at=MONDAY,
    )  # fmt: skip
    outcome = handle_rep(None, command, now=MONDAY, calendar=None, playbook=playbook, book=Book(), carrier=carrier)
    playbooks = {each.pin.digest: each for each in (NARROW, playbook)}
    return rederive(outcome.recorded, Library({calendar_digest(CALENDAR): CALENDAR}, playbooks)).mismatches


def test_what_an_older_playbook_leaves_out_has_its_default() -> None:
    """One from before there were weights, minutes of a breakup and the rules of pursuit: the service fills them in."""
    body = json.loads(canonical(NARROW))
    body["capacity"]["minutes"].pop("breakup")
    for name in ("weights", "attempts", "pursuit"):
        body.pop(name, None)
    old = decode_playbook(canonical(body))
    both = replace(layers(own=Limits(notes=1)), digest=old.pin.digest)
    for forged in (False, True):
        made = merged(old, both, playbook_id="five.of.dan", version="1.0.0")
        made = replace(made, attempts=replace(made.attempts, max=7)) if forged else made
        known = {old.pin.digest: body, made.pin.digest: json.loads(canonical(made))}
        found = verify.Differences()
        verify.check_layers(*as_frozen(both, made), known, found)
        assert found.found == ([("layers.attempts.max", 7, 6)] if forged else [])


def test_the_verifier_has_the_defaults_of_playbooks() -> None:
    """All of them, section by section; what a playbook must say has none."""
    plain = json.loads(canonical(Playbook(schema=1, id="a", version="1.0.0", title="", source="", pursuit=Pursuit())))
    plain["invitation"] = defaults_of(Invitation) | {"audiences": [defaults_of(InvitedAudience)]}
    own = {"schema", "id", "version", "title", "source", "extends"}
    assert {name: value for name, value in plain.items() if name not in own} == verify._OF_PLAYBOOKS


def defaults_of(section: type[Struct]) -> dict[str, Any]:
    fields = [field for field in msgspec.structs.fields(section) if not field.required]
    return {field.encode_name: json.loads(canonical(field.default)) for field in fields}


@pytest.mark.parametrize(
    ("team", "own", "said"),
    [
        ({"opens": 480}, {}, "opens 08:00 of team north is wider than 09:00 of five-five-five@1.0.0"),
        ({"closes": 1080}, {"closes": 1100}, "closes 18:20 of the rep is wider than 18:00 of team north"),
        ({}, {"weekdays": (1, 6)}, "weekday 6 of the rep is none of those of"),
        ({"opens": 1140}, {}, "calls would open at 19:00 and close at 19:00"),
    ],
)
def test_hours_are_never_widened(team: dict[str, object], own: dict[str, object], said: str) -> None:
    """One sentence names the layer, what it wants, and what the layer above has."""
    with pytest.raises(LoosenedError, match=said):
        check_narrower(NARROW, layers(Limits(**team), Limits(**own)))  # type: ignore[arg-type]  # some fields of the struct


def test_each_number_says_where_it_comes_from() -> None:
    """The rep's own before the team's, and the team's before the playbook's."""
    found = {each.name: each[1:] for each in numbers(NARROW, layers(Limits(notes=4, calls=4), Limits(notes=3, opens=600)))}
    assert (found["notes"], found["calls"], found["minutes"]) == ((3, "rep"), (4, "team"), (150, "playbook"))
    assert (found["opens"], found["closes"]) == ((600, "rep"), (1140, "playbook"))


def test_hours_that_a_layer_could_not_narrow_come_from_above() -> None:
    """A later version of the playbook contradicts or outdoes the layers: whose hours are in force is said, not who asked."""
    both = layers(Limits(opens=480, closes=1080), Limits(opens=1100, weekdays=(1, 2)))
    found = {each.name: each[1:] for each in numbers(NARROW, both)}
    # The team's 08:00 is earlier than the playbook's 09:00; the rep's hours would begin after the team's end.
    assert (found["opens"], found["closes"]) == ((540, "playbook"), (1080, "team"))
    assert found["weekdays"] == ((1, 2, 3, 4, 5), "playbook")
    found = {each.name: each[1:] for each in numbers(NARROW, layers(own=Limits(opens=540, weekdays=(5, 6))))}
    assert (found["opens"], found["weekdays"]) == ((540, "rep"), ((5,), "rep"))
