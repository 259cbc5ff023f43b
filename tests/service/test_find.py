"""What a person typed, and the lead that it means."""

from uuid import UUID

import pytest

from models.contacts import new_contact, save_contacts
from models.database import transaction
from service.find import FindError, find_lead, find_playbook, find_rep
from tests.service.world import World, database_template, quiet_logs, world
from workflows.lead import lead_id

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
        ("", "which lead? Name its id, the first 8 digits of it, the CRM's id for it, or the whole name"),
        ("abcdef0", "no lead is known as 'abcdef0'; of an id, type at least the first 8 digits"),
        ("V-17", "no lead is known as 'V-17'; name its id, the first 8 digits of it, the CRM's id for it, or the whole name"),
        ("00000000-0000-0000-0000-000000000000", "no lead is known as '00000000-0000-0000-0000-000000000000'; name its"),
        ("'; DROP TABLE leads; --", "no lead is known as"),
        ("rep:dan", "no lead is known as 'rep:dan'; what is asked here is asked of a lead, and that names a rep"),
        ("\x00", "no lead is known as ''; name"),
        ("\udcff", "no lead is known as ''; name"),
        ("::", "no lead is known as '::'; name"),
        ("שלום\u202e🍅", "no lead is known as 'שלום🍅'; name"),
        ("x" * 1_000_000, "no lead is known as 'xxx"),
    ],
    ids=range(11),
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


def test_a_lead_is_found_by_the_name_that_it_alone_has(world: World) -> None:
    """In capital or small letters; and so by the CRM's id."""
    world.take_in(id_=ONE, external_id="V-0042", person={"name": "Ada Amberfield"})
    world.take_in(id_=TWO, external_id="V-0043", person={"name": "Bela Brookhollow"})
    assert {found(world, typed) for typed in ("Ada Amberfield", "ada amberfield", "v-0042")} == {ONE}
    assert not_found(world, "Ada") == "no lead is known as 'Ada'; did you mean V-0042 (Ada Amberfield)?"


def test_a_name_that_several_have_is_nobodys(world: World) -> None:
    """Whoever types it is told what to type."""
    for id_, external_id in ((ONE, "a"), (TWO, "b")):
        world.take_in(id_=id_, external_id=external_id, person={"name": "Ada Amberfield"})
    expected = "'ada amberfield' may mean a (Ada Amberfield) or b (Ada Amberfield): type the id of the one that is meant"
    assert not_found(world, "ada amberfield") == expected


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Ada", "V-0042 (Ada Amberfield)"),
        ("amberfield", "V-0042 (Ada Amberfield)"),
        ("Ada Amberfeld", "V-0042 (Ada Amberfield)"),
        ("V-42", "V-0042 (Ada Amberfield)"),
        ("v-00043", "V-0043 (Bela Brookhollow)"),
    ],
)
def test_whoever_was_probably_meant_is_named(world: World, typed: str, meant: str) -> None:
    world.take_in(id_=ONE, external_id="V-0042", person={"name": "Ada Amberfield"})
    world.take_in(id_=TWO, external_id="V-0043", person={"name": "Bela Brookhollow"})
    assert not_found(world, typed) == f"no lead is known as {typed!r}; did you mean {meant}?"


def test_of_many_that_are_alike_a_few_are_named(world: World) -> None:
    """The others are not listed: this is no way to read the book."""
    for number in range(6):
        world.take_in(external_id=f"V-{number}", person={"name": f"Ada {'ABCDEF'[number] * 4}field"})
    assert not_found(world, "Ada").count("(Ada ") == 3


def test_nobody_is_erased_by_a_name(world: World) -> None:
    """Of people with the same name one may be known here and the other be meant."""
    world.take_in(id_=ONE, external_id="V-0042", person={"name": "Ada Amberfield"})
    with transaction(world.engine) as connection, pytest.raises(FindError) as error:
        find_lead(connection, "Ada Amberfield", by_name=False)
    assert str(error.value) == "no lead is known as 'Ada Amberfield'; did you mean V-0042 (Ada Amberfield)?"
    said = world.refused(2, "erase", "Ada Amberfield", "--reason", "asked to")
    assert said == "thaw: no lead is known as 'Ada Amberfield'; did you mean V-0042 (Ada Amberfield)?\n"


def test_names_are_neither_taken_nor_told_where_contacts_are_closed(world: World) -> None:
    """An auditor without names learns from no answer who is here: wrong and right names are answered alike."""
    id_ = world.take_in(id_=lead_id("crm", "V-0042"), external_id="V-0042", person={"name": "Ada Amberfield"})
    with transaction(world.engine) as connection:
        connection.exec_driver_sql("SET LOCAL ROLE thaw_auditor")
        connection.info.clear()  # what this login may read was asked for the owner
        for typed in ("Ada Amberfield", "Amberfield", "Zoe"):
            with pytest.raises(FindError) as error:
                find_lead(connection, typed)
            hint = "name its id, the first 8 digits of it, or the CRM's id for it"
            assert str(error.value) == f"no lead is known as {typed!r}; {hint}"
        assert find_lead(connection, "V-0042").lead.id == id_
        connection.info.clear()


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
