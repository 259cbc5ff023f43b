"""Playbook, then team, then rep: which number is in force, and that hours driven by law only ever become narrower."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from service.bundle import verify
from tests.workflows.office import PLAYBOOK
from workflows.codec import canonical
from workflows.layers import LoosenedError, check_narrower, merged, narrowed, numbers
from workflows.limits import Layers, Limits
from workflows.playbooks import ContactHours

NARROW = replace(PLAYBOOK, contact_hours=ContactHours(opens=540, closes=1140, weekdays=(1, 2, 3, 4, 5)))

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
    data = {"layers": json.loads(canonical(both))}
    known = {each.pin.digest: json.loads(canonical(each)) for each in (NARROW, made)}
    verify.check_layers(data, {"digest": made.pin.digest}, known, found)
    assert found.found == []


def test_a_playbook_that_the_layers_do_not_make_is_found_by_the_verifier() -> None:
    """Three notes were ordered, and the playbook that was pinned has five."""
    both = layers(own=Limits(notes=1))
    forged = merged(NARROW, layers(), playbook_id="five.of.dan", version="1.0.0")
    found = verify.Differences()
    known = {each.pin.digest: json.loads(canonical(each)) for each in (NARROW, forged)}
    verify.check_layers({"layers": json.loads(canonical(both))}, {"digest": forged.pin.digest}, known, found)
    assert [("layers.capacity.notes", 2, 1)] == found.found


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
