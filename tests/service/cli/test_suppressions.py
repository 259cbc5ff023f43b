"""``thaw suppressions``: who is on the list is told without saying who it is, and what is added counts from then on."""

from datetime import timedelta

import pytest

from tests.service.world import MONDAY, World

ADA = {"email": "ada@example.com"}


@pytest.fixture
def known(world: World) -> World:
    """Ada and Bela; notes to both are due."""
    world.rep()
    world.take_in(person=ADA)
    world.take_in()
    world.at(MONDAY + timedelta(days=1))
    return world


def test_an_objection_is_found_by_lead_by_mail_and_by_number(known: World) -> None:
    assert known.ok("suppressions", "check", "V-0000") == "not on the list\n"
    with known.worker():
        known.ok("opt-out", "V-0000")
    for asked in (("V-0000",), ("--email", "ADA@example.com")):
        said = known.refused(1, "suppressions", "check", *asked)
        assert said.endswith("text message\n")
        assert "2026-01-06  opted out  nothing at all" in said
    by_number = known.refused(1, "suppressions", "check", "--phone", "555 000-0000", "--country", "US")
    assert by_number.endswith("nothing goes out by call, fax, text message\n")
    assert known.ok("suppressions", "check", "--email", "bela@example.com") == "not on the list\n"
    listed = known.ok("suppressions", "list")
    assert listed.endswith("4 entries; a person has several\n")
    assert not [word for word in ("Ada", "ada@", "555", "V-0000") if word in listed]
    assert {"crm", "email", "phone", "person"} == {each["kind"] for each in known.said("suppressions", "list")["entries"]}


def test_who_opted_out_before_there_was_a_list_gets_onto_it(known: World) -> None:
    """Their keys are worked out when they are first needed, and their objections with them."""
    with known.worker():
        known.ok("opt-out", "V-0000", "--channel", "email")
    known.sql("UPDATE contacts SET keys = NULL")
    known.sql("DELETE FROM suppressions")
    said = known.refused(1, "suppressions", "check", "V-0000")
    assert said.endswith("nothing goes out by email\n")


def test_what_is_added_keeps_the_next_note_from_going_out(known: World) -> None:
    """The sheet of the day says why, and the machine refuses."""
    known.ok("suppressions", "check", "V-0000")
    assert "added      nothing at all" in known.ok("suppressions", "add", "--email", "Ada@Example.com")
    today = known.ok("today", "--rep", "dan")
    assert "This person is on the suppression list since Tue 6 Jan 2026: nothing goes out by handwritten note." in today
    with known.worker():
        said = known.refused(1, "note-sent", "V-0000", "--attest-all")
        assert "refused (not_suppressed)" in said
        known.ok("note-sent", "V-0001", "--attest-all")
    why = known.ok("why", "V-0001", "4")
    assert "check not_suppressed: passed, suppressions" in why


def test_a_telephone_number_alone_stops_calls_on_it(known: World) -> None:
    known.ok("suppressions", "check", "V-0000")
    known.ok("suppressions", "add", "--phone", "+1 555 000 0001", "--channel", "call")
    with known.worker():
        assert "nothing goes out by call" in known.refused(1, "note-sent", "V-0001", "--attest-all")
    assert known.refused(2, "suppressions", "add", "--phone", "+15550000001", "--channel", "email").startswith(
        "thaw: a telephone number says nothing of email"
    )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("check",), "name somebody: --email, --phone, or both"),
        (("check", "V-0000", "--email", "ada@example.com"), "not both"),
        (("add", "--email", "nobody"), "This is no email address."),
        (("add", "--phone", "555 000 0001"), "which country?"),
        (("add", "--phone", "5550000001", "--country", "Atlantis"), "There is no such country."),
        (("rekey",), "needs no other secret"),
    ],
)
def test_what_does_not_fit_is_said_in_a_sentence(known: World, arguments: tuple[str, ...], says: str) -> None:
    known.ok("suppressions", "check", "V-0000")
    assert says in known.refused(2, "suppressions", *arguments)
