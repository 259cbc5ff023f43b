"""The letter as it leaves: for whom, with what is known, and with the very list of that moment."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from tests.workflows.life import LEAD_ID
from tests.workflows.promotion import RULES, SOME, START
from workflows.campaign_events import EventFacts
from workflows.event_list import attachment_digest, upcoming, why_not
from workflows.invitation_checks import Read, verdicts

FIRST = EventFacts(
    id=LEAD_ID, version=2, kind="training", starts_at=START + timedelta(days=30), approved=True, cancelled=False, seats_left=3,
    characters=60, content=SOME,
)  # fmt: skip
SECOND = replace(FIRST, id=UUID(int=9), kind="open_house", starts_at=START + timedelta(days=20))
LISTED = (SECOND.id, FIRST.id)
LIST = "1. Open house\n   An evening among colleagues.\n\n2. Better questions\n   Two days of better questions."
DECLINED = f"Dear Ada,\n\nOakwood Mills was busy with a new desk. We couldn\u2019t move ahead then. See for yourself!\n\n{LIST}"
CLIENT = f"Dear Ada,\n\nThank you for letting us work with Oakwood Mills. See first-hand:\n\n{LIST}"
READ = Read(
    audience="declined",
    text=DECLINED,
    values={"company": "Oakwood Mills", "last_meeting_topic": "a new desk"},
    titles={FIRST.id: "Better questions", SECOND.id: "Open house"},
    descriptions={FIRST.id: "Two days of better questions.", SECOND.id: "An evening among colleagues."},
    listed=LISTED,
    attachment=attachment_digest([SECOND, FIRST]),
)


def failed(read: Read = READ, events: tuple[EventFacts, ...] = (FIRST, SECOND), hidden: tuple[UUID, ...] = ()) -> set[str]:
    """Return the checks that a letter does not pass."""
    found = verdicts(read, events, hidden, RULES, (), START)
    assert all(verdict.passed or verdict.reason for verdict in found)
    return {verdict.check for verdict in found if not verdict.passed}


def test_a_letter_that_is_right_passes() -> None:
    """A0-4, A0-6, A0-11: both openings, each for its audience, with the list in the order of the days."""
    assert set() == failed()
    assert set() == failed(replace(READ, audience="client", text=CLIENT))


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"text": CLIENT}, "invitation_opening"),
        ({"audience": "client"}, "invitation_opening"),
        ({"text": DECLINED.replace("See for yourself!", "")}, "invitation_opening"),
        ({"text": DECLINED.replace("a new desk", "something")}, "invitation_values"),
        ({"text": DECLINED.replace("Oakwood Mills", "You") + " Oakwood Mills"}, "invitation_values"),
        ({"values": {"company": "Oakwood Mills"}}, "invitation_values"),
        ({"text": DECLINED.replace("Open house", "A house")}, "list_whole"),
        ({"text": DECLINED.replace("Two days of better questions.", "")}, "list_whole"),
        ({"listed": LISTED[::-1]}, "event_list"),
        ({"attachment": SOME}, "event_list"),
    ],
)
def test_what_is_wrong_with_a_letter_is_named(change: dict[str, Any], check: str) -> None:
    """A0-4, A0-6, A0-8, A0-11: opening, values before the list, and every event with its description."""
    assert check in failed(replace(READ, **change))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"approved": False}, "not_approved"),
        ({"cancelled": True}, "cancelled"),
        ({"seats_left": 0}, "full"),
        ({"kind": "party"}, "other_type"),
        ({"starts_at": START + timedelta(days=14) - timedelta(seconds=1)}, "too_soon"),
        ({"characters": 19}, "not_described"),
        ({"characters": 601}, "not_described"),
    ],
)
def test_a_list_that_is_not_of_now_is_refused(change: dict[str, Any], why: str) -> None:
    """A0-5, A0-6, A0-7, A0-8: what changed between writing and sending makes the letter be written anew."""
    changed = replace(SECOND, **change)
    assert why == why_not(changed, RULES.events, (), START)
    assert {"described" if why == "not_described" else "event_list"} <= failed(events=(FIRST, changed))


def test_an_event_is_hidden_from_a_company_that_its_host_excludes() -> None:
    """A0-9: the list of such a person is shorter, and where nothing is left there is no letter."""
    assert "event_list" in failed(hidden=(FIRST.id,))
    alone = replace(READ, listed=(SECOND.id,), attachment=attachment_digest([SECOND]))
    assert set() == failed(alone, hidden=(FIRST.id,))
    assert "event_left" in failed(hidden=LISTED)


def test_events_at_the_limit_are_listed_and_types_are_chosen() -> None:
    """A0-5, A0-15: fourteen days are enough, and a campaign may name the types of its list."""
    edge = replace(FIRST, starts_at=START + timedelta(days=14), characters=20)
    assert [edge, SECOND] == upcoming([SECOND, edge], RULES.events, (), START)
    assert [SECOND] == upcoming([SECOND, edge], RULES.events, ("open_house",), START)
