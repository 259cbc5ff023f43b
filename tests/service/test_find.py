"""What a person typed, and the lead that it means."""

from uuid import UUID

import pytest

from models.contacts import new_contact, save_contacts
from models.database import transaction
from service.find import FindError, find_lead, find_playbook, find_rep
from tests.service.world import World, database_template, quiet_logs, world

__all__ = ["database_template", "quiet_logs", "world"]

ONE, TWO = UUID("abcdef01-0000-4000-8000-000000000001"), UUID("abcdef01-0000-4000-8000-000000000002")


def found(world: World, typed: str) -> UUID:
    with transaction(world.engine) as connection:
        return find_lead(connection, typed).lead.id


def not_found(world: World, typed: str) -> str:
    with transaction(world.engine) as connection, pytest.raises(FindError) as error:
        find_lead(connection, typed)
    return str(error.value)


def test_a_lead_is_known_by_many_names(world: World) -> None:
    world.take_in(id_=ONE, external_id="0042")
    names = (str(ONE), ONE.hex, ONE.hex.upper(), "abcdef01", "ABCDEF01-0000", "0042", " 0042 ", "crm:0042")
    assert {found(world, typed) for typed in names} == {ONE}


def test_two_leads_that_begin_alike_are_told_apart(world: World) -> None:
    world.take_in(id_=ONE, external_id="a")
    world.take_in(id_=TWO, external_id="b")
    assert not_found(world, "abcdef01") == (f"'abcdef01' may mean {ONE} (crm:a) or {TWO} (crm:b): name one of them in full")
    assert found(world, f"{TWO}") == TWO


def test_two_crms_may_use_the_same_id(world: World) -> None:
    world.take_in(id_=ONE, source="crm", external_id="42")
    world.take_in(id_=TWO, source="old:crm", external_id="42")
    assert "may mean" in not_found(world, "42")
    assert (found(world, "crm:42"), found(world, "old:crm:42")) == (ONE, TWO)


def test_an_external_id_that_looks_like_the_digits_of_another_lead_is_ambiguous(world: World) -> None:
    world.take_in(id_=ONE, external_id="x")
    world.take_in(id_=UUID(int=7), external_id="abcdef01")
    assert "may mean" in not_found(world, "abcdef01")
    assert found(world, "crm:abcdef01") == UUID(int=7)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", "which lead? Name its id, the first 8 digits of it, or the CRM's id for it"),
        ("abcdef0", "no lead is known as 'abcdef0'; of an id, type at least the first 8 digits"),
        ("V-17", "no lead is known as 'V-17'; name its id, the first 8 digits of it, or the CRM's id for it"),
        ("00000000-0000-0000-0000-000000000000", "no lead is known as '00000000-0000-0000-0000-000000000000'; name its"),
        ("'; DROP TABLE leads; --", "no lead is known as"),
        ("\x00", "no lead is known as ''; name"),
        ("\udcff", "no lead is known as ''; name"),
        ("::", "no lead is known as '::'; name"),
        ("שלום\u202e🍅", "no lead is known as 'שלום🍅'; name"),
        ("x" * 1_000_000, "no lead is known as 'xxx"),
    ],
    ids=range(10),
)
def test_what_means_nobody_is_said_so(world: World, typed: str, expected: str) -> None:
    assert not_found(world, typed).startswith(expected)


def test_a_lead_that_no_worker_has_registered_yet_is_said_so(world: World) -> None:
    with transaction(world.engine) as connection:
        save_contacts(connection, [new_contact(ONE, "crm", "42", {"name": "Ada"})])
    assert not_found(world, "42") == (
        "'42' was taken in, but is not registered yet: no worker has got to it; see `thaw status`"
    )


def test_an_erased_person_still_has_a_lead(world: World) -> None:
    world.take_in(id_=ONE)
    world.sql("DELETE FROM contacts")
    with transaction(world.engine) as connection:
        assert find_lead(connection, "abcdef01").name == "lead abcdef01"


def test_reps_and_playbooks_are_suggested(world: World) -> None:
    with transaction(world.engine) as connection:
        with pytest.raises(FindError, match="no rep is called 'dan'; there is none yet: make one known with `thaw rep set`"):
            find_rep(connection, "dan")
        with pytest.raises(FindError, match="no playbook called 'fivefive' is published; did you mean five-five-five\\?"):
            find_playbook(connection, "fivefive")
        with pytest.raises(FindError, match="no playbook called 'z' is published; there is event-invitation, five-five-five"):
            find_playbook(connection, "z")
    world.rep("dan")
    world.rep("ann")
    with transaction(world.engine) as connection:
        assert find_rep(connection, "dan").name == "dan"
        with pytest.raises(FindError, match="no rep is called 'Zoe'; there is ann, dan"):
            find_rep(connection, "Zoe")
        with pytest.raises(FindError, match="no rep is called ''"):
            find_rep(connection, "\x00")
