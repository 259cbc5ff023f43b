"""One lead on one page: the last touch, what is next, what was blocked."""

from datetime import timedelta

import pytest

from tests.service.world import MONDAY, World


@pytest.fixture
def called(world: World) -> World:
    """A lead with a note in the post since Tuesday, not reached on the promised day; another one was never planned."""
    world.rep()
    for value in (4, 4, 3, 3, 3, 1, 0):
        world.take_in(value_band=value)
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        world.ok("note-sent", "V-0000", "--attest-all", "--minutes", 9)
        world.refused(1, "call", "V-0000", "--outcome", "voicemail")
    world.at(MONDAY + timedelta(days=8))
    with world.worker():
        world.ok("call", "V-0000", "--outcome", "voicemail", "--minutes", 2)
    return world


def test_the_page_says_why_the_last_touch_was_what_is_next_and_what_was_blocked(called: World) -> None:
    lines = [" ".join(line.split()) for line in called.ok("explain", "V-0000").splitlines()]
    assert lines[0] == "Ada Amberfield on Tue 2026-01-13, times in America/New_York"
    assert any(line.startswith("last touch ") and "no_response (T19) by rep:dan" in line for line in lines)
    assert "because rep:dan handed it in" in lines
    assert any(line.startswith("next ") for line in lines)
    assert any(line.startswith("that day ") for line in lines)


def test_an_earlier_day_is_told_as_it_was(called: World) -> None:
    """Neither what came later nor what is next by now is on the page of that day; what was refused then is."""
    said = called.said("explain", "V-0000", "--on", "2026-01-06")
    assert said["last_touch"]["event"]["data"]["type"] == "note_sent"
    assert said["next"]["what"] == "the call that the note promised"
    assert "2026-01-13" in said["next"]["when"]
    assert said["day"]["refusals"][0]["data"]["rule"] == "no_transition"
    lines = [" ".join(line.split()) for line in called.ok("explain", "V-0000", "--on", "2026-01-06").splitlines()]
    assert any(line.startswith("blocked event 5, by no_transition: ") for line in lines)
    assert not any("no_response" in line for line in lines)


def test_who_was_never_touched_is_told_why(called: World) -> None:
    said = called.said("explain", "V-0006", "--on", "2026-01-06")
    assert said["last_touch"] is None
    assert said["day"]["reasons"]
    assert "not touched" in called.ok("explain", "V-0006", "--on", "2026-01-06")


@pytest.mark.parametrize(
    ("day", "sentence"),
    [("2026-02-02", "Mon 2026-02-02 is yet to come"), ("2025-12-31", "was not known yet on Wed 2025-12-31")],
)
def test_a_day_outside_the_history_is_refused(called: World, day: str, sentence: str) -> None:
    assert sentence in called.refused(2, "explain", "V-0000", "--on", day)


def test_a_release_says_so_where_the_day_of_the_call_has_no_slot_left(world: World) -> None:
    """What was promised stays, and no slot is kept for it: whoever releases is told, and so is who asks what comes next."""
    world.rep()
    world.register(2)
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        for number in (0, 1):
            world.ok("note-sent", f"V-000{number}", "--attest-all")
        (later,) = [n for n in (0, 1) if world.lead(world.leads[n]).slots[0].ordinal == 2]
        world.ok("hold", f"V-000{later}", "--reason", "manual")
        world.ok(
            "rep",
            "limit",
            "dan",
            "--calls",
            1,
            "--notes",
            1,
            "--catch-up-calls",
            0,
            "--why",
            "Dan is ill.",
            "--as",
            "manager:ann",
        )
        said = world.ok("release", f"V-000{later}")
    assert "next: the call that the note promised, without a slot yet, on Tue 2026-01-13." in said
    why = "no slot of Tue 2026-01-13 is kept for it: that day's plan has room for it or moves it"
    assert why in world.ok("explain", f"V-000{later}")
    assert "without a slot" not in world.ok("explain", f"V-000{1 - later}")
