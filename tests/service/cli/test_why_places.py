"""Why capacity kept a lead from being touched: its turn in the line, and who held each slot of the day with which score."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from service import why_not
from tests.service.world import MONDAY, PEOPLE, World
from workflows.calendars import Absence
from workflows.commands import Hold, Reassign, Release
from workflows.lead import Lead

TUESDAY, WEDNESDAY, THURSDAY, FRIDAY = (MONDAY + timedelta(days=days) for days in (1, 2, 3, 4))


@pytest.fixture
def silent(world: World) -> World:
    """Seven were called on Tuesday and Wednesday and did not answer; on Friday five of them have a slot."""
    return called_in_vain(world)


def called_in_vain(world: World, last: datetime = FRIDAY, **more: Any) -> World:
    """Live until *last*, with leads of which *more* is known."""
    world.rep(playbook="multi-channel-revival")
    for value in (4, 4, 3, 3, 3, 1, 0):
        world.take_in(value_band=value, playbook="multi-channel-revival", **more)
    world.at(TUESDAY)
    assert [world.lead(id_).state for id_ in world.leads] == ["call_due"] * 5 + ["queued"] * 2
    for day, numbers in ((TUESDAY, range(5)), (WEDNESDAY, range(5, 7))):
        world.at(day)
        with world.worker():
            for number in numbers:
                world.ok("call", f"V-{number:04}", "--outcome", "voicemail")
    world.at(last)
    return world


def slots_of(said: dict[str, Any], kind: str, day: str) -> list[dict[str, Any]]:
    return [each for each in said["places"] if (each["kind"], each["day"]) == (kind, day)]


def test_who_waits_for_a_call_learns_the_turn(silent: World) -> None:
    """On Tuesday nobody was silent yet: of seven to call, five could be."""
    reasons = silent.said("why-not", "V-0006", "--on", "2026-01-06")["reasons"]
    assert reasons[0] == (
        "it was number 7 of 7 that waited for a follow-up slot, by score, "
        "of equals the longest untouched first, and 5 follow-ups could be planned; "
        "2026-01-06 holds no more follow-ups"
    )


def test_a_silent_lead_that_capacity_kept_out_learns_its_turn(silent: World) -> None:
    """The line is the planner's own: whoever is behind its end was not planned, and the day's slots are others'."""
    said = silent.said("why-not", "V-0006", "--on", "2026-01-09")
    chosen = [each["lead_id"] for each in said["instead"]]
    assert (said["state"], len(chosen)) == ("no_response", 5)
    turn, stood = said["reasons"]
    assert turn == (
        "it was number 7 of 7 that waited for a follow-up slot, by score, "
        "of equals the longest untouched first, and 5 follow-ups could be planned; "
        "2026-01-09 holds no more follow-ups"
    )
    assert stood == "it was no response, ready for another attempt since Fri 2026-01-09 08:00"
    held = slots_of(said, "follow_up", "2026-01-09")
    assert ([each["ordinal"] for each in held], {each["lead_id"] for each in held}) == ([1, 2, 3, 4, 5], set(chosen))
    assert all(each["by_plan"] and each["score"]["total"] >= said["score"]["total"] for each in held)
    shown = [" ".join(line.split()) for line in silent.ok("why-not", "V-0006", "--on", "2026-01-09").splitlines()]
    first = silent.leads.index(UUID(held[0]["lead_id"]))
    score = held[0]["score"]["total"]
    slot = f"follow up slot 1 of Fri 2026-01-09: {PEOPLE[first]} (V-{first:04}), score {score}, by this plan"
    assert any(slot in line for line in shown)
    assert sum(line.endswith(": free") for line in shown) == 5 + 5 + 5, "notes, and the promised calls of two days"
    assert silent.said("why-not", "V-0005", "--on", "2026-01-09")["reasons"][0].startswith("it was number 6 of 7 ")


def test_a_chosen_touch_that_nobody_made_is_no_matter_of_capacity(silent: World) -> None:
    reasons = silent.said("why-not", "V-0000", "--on", "2026-01-09")["reasons"]
    assert reasons[0] == "a touch is planned for today, and nobody has logged it"
    assert not any("waited for a follow-up" in reason for reason in reasons)


def test_whose_next_mode_is_a_note_learns_that_notes_of_others_took_the_slots(world: World) -> None:
    """A1-3: a note is what is left to try, and five are written a day."""
    called_in_vain(world, last=WEDNESDAY, modes=("call", "handwritten_note"))
    for lead in world.leads:
        world.hand_in(lead, Hold(reason="manual"))
    for day, numbers in ((THURSDAY, range(5, 7)), (FRIDAY, range(5))):
        world.at(day)
        for number in numbers:
            world.hand_in(world.leads[number], Release())
    world.at(MONDAY + timedelta(days=7))
    note = "a note was next, and 5 notes of others took the slots of that day"
    assert note in world.said("why-not", "V-0006", "--on", "2026-01-12")["reasons"]
    planned = "a note was planned for that day; see the refusals, and the events that followed"
    assert planned in world.said("why-not", "V-0000", "--on", "2026-01-12")["reasons"]
    early = world.said("why-not", "V-0006", "--on", "2026-01-09")["reasons"]
    assert early[0].startswith("the next attempt was not due before Mon 2026-01-12")
    assert note.partition(",")[0] not in " ".join(early)


def test_calls_promised_on_an_earlier_day_are_named_with_their_holders(world: World) -> None:
    """Three of eve's promises for the 14th came to dan; his notes of Wednesday promise that day too: it has room for two."""
    world.rep()
    world.rep("eve", absences=(Absence(first=(MONDAY + timedelta(days=8)).date(), last=(MONDAY + timedelta(days=8)).date()),))
    hers = [world.take_in(owner="eve", value_band=1) for _ in range(3)]
    world.at(TUESDAY)
    for id_ in hers:
        assert str(world.lead(id_).call_on) == "2026-01-14"
        world.hand_in(id_, Reassign(owner="dan"), who="manager:ann")
    for value in (4, 4, 3, 2):
        world.take_in(value_band=value)
    world.at(WEDNESDAY)
    said = world.said("why-not", "V-0005", "--on", "2026-01-07")
    assert said["reasons"][0] == (
        "it was number 3 of 4 that waited for a note, by score, "
        "of equals the longest untouched first, and 2 notes could be planned; "
        "2026-01-14 has no free slot for the promised call"
    )
    held = slots_of(said, "promised_call", "2026-01-14")
    assert {each["lead_id"] for each in held if not each["by_plan"]} == {str(id_) for id_ in hers}
    assert {each["lead_id"] for each in held if each["by_plan"]} == {each["lead_id"] for each in said["instead"]}
    assert (len(held), sum(each["by_plan"] for each in held)) == (5, 2)
    assert {each["since"][:10] for each in held if not each["by_plan"]} == {"2026-01-06"}
    assert all(each["score"]["total"] for each in held)
    shown = world.ok("why-not", "V-0005", "--on", "2026-01-07")
    assert f"promised call slot 1 of Wed 2026-01-14: {held[0]['lead_id'][:8]}" not in shown
    assert ", since Tue 2026-01-06 10:00\n" in shown
    assert "note slot 3 of Wed 2026-01-07: free\n" in shown


def test_of_the_book_only_what_is_told_of_is_kept(silent: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other reps' leads pass by: memory grows with one rep's book, and not with everybody's."""
    silent.rep("eve", playbook="multi-channel-revival")
    others = {silent.take_in(owner="eve", playbook="multi-channel-revival") for _ in range(3)}
    silent.at(FRIDAY + timedelta(days=3))
    kept: list[UUID] = []
    leads_then = why_not._leads_then

    def noted(*given: Any) -> dict[UUID, Lead]:
        found = leads_then(*given)
        kept.extend(found)
        return found

    monkeypatch.setattr(why_not, "_leads_then", noted)
    silent.ok("why-not", "V-0006", "--on", "2026-01-12")
    assert set(kept) >= set(silent.leads[:7]) - others
    assert others.isdisjoint(kept)
