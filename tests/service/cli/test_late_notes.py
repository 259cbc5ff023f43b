"""Notes that are written later than planned: the sheet, the check and the record say one day, whatever is recorded first."""

import re
from datetime import date, timedelta

import pytest

from tests.service.cli.test_five import NOTE
from tests.service.world import MONDAY, World

WHY = ("--why", "a short week", "--as", "manager:ann")


def promised(world: World) -> dict[str, date]:
    """Return the day that the sheet says for each note."""
    found = (
        (item["key"], re.search(r"will call on \w+ (\S+)", " ".join(item["notes"])))
        for item in world.said("today", "--rep", "dan")["items"]
        if item["kind"] == "note"
    )
    return {key: date.fromisoformat(said[1]) for key, said in found if said}


def record(world: World, order: list[int]) -> None:
    """Record the notes in *order*: each promises what the first sheet said, and the sheet says so until then."""
    said = promised(world)
    assert len(said) == len(order)
    for number in order:
        key = f"V-{number:04}"
        assert promised(world) == {each: said[each] for each in promised(world)}
        dated = NOTE.replace("I'll call you next week.", f"I will call you on {said[key].day} January.")
        assert "pass    future_call" in world.thaw("check", key, "--text", dated).output
        world.ok("note-sent", key, "--attest-all")
        assert world.lead(world.leads[number]).call_on == said[key]


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1, 0], [3, 6, 0, 4, 1, 5, 2]])
def test_late_notes_promise_what_the_sheet_says_in_any_order(world: World, order: list[int]) -> None:
    """A4-10: three slots of the usual day are left for five late notes; the other two keep the slots that they have."""
    world.rep()
    world.register(5)
    world.at(MONDAY + timedelta(days=1))
    world.register(2)
    world.at(MONDAY + timedelta(days=2))
    said = promised(world)
    assert sorted(said.values()) == [date(2026, 1, 13)] * 2 + [date(2026, 1, 14)] * 5
    assert {said["V-0005"], said["V-0006"]} == {date(2026, 1, 14)}
    with world.worker():
        record(world, order)


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 1, 2, 0]])
def test_notes_that_lost_their_day_promise_what_the_sheet_says(world: World, order: list[int]) -> None:
    """A4-10: of four calls whose day became leave, two find the usual day free and two the day after."""
    world.rep()
    with world.worker():
        world.ok("rep", "limit", "dan", "--notes", 4, "--calls", 4, *WHY)
    world.register(4)
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        world.ok("rep", "set", "dan", "--absence", "2026-01-13:2026-01-13")
        world.ok("rep", "limit", "dan", "--calls", 2, *WHY)
        assert sorted(promised(world).values()) == [date(2026, 1, 14)] * 2 + [date(2026, 1, 15)] * 2
        record(world, order)
