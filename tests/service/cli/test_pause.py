"""Pausing and resuming on the command line: what is printed, what is refused, and what everybody sees meanwhile."""

from datetime import timedelta

import pytest

from tests.service.world import MONDAY, World


@pytest.fixture
def lived(world: World) -> World:
    """Two leads on the morning after their first day, when one note is planned for each."""
    world.rep()
    world.register(2)
    world.at(MONDAY + timedelta(days=1))
    return world


def test_what_is_handed_in_meanwhile_is_accepted_and_waits(lived: World) -> None:
    """Nobody waits for an answer that cannot come; the one who resumes is told how many there are."""
    assert lived.ok("pause", "importance_answered", "--reason", "a wrong list", "--by", "ann") == (
        "paused importance_answered; what was in hand is done. 0 messages wait now\n"
    )
    told = lived.ok("importance", "V-0000", 3)
    assert told.startswith("accepted as ")
    paused = "importance_answered since Tue 2026-01-06 15:00 by ops:ann: a wrong list"
    assert told.endswith(f"; it is applied when that is resumed; paused, in UTC: {paused}\n")
    status = lived.ok("status")
    assert f"\npaused      {paused}\n            1 message waits for that; opt-outs and replies do not\n" in status
    assert "due 0, " in status
    assert "oldest due  nothing is due\n" in status
    assert lived.said("status")["pauses"][0]["reason"] == "a wrong list"
    assert "! paused: importance_answered since Tue 2026-01-06 10:00 by ops:ann: a wrong list\n" in lived.ok("today")
    resumed = lived.ok("resume", "importance_answered", "--by", "bob")
    assert resumed == "resumed importance_answered: 1 message to be rung by the clock\n"
    lived.work()
    assert lived.lead(lived.leads[0]).importance == 3
    assert "paused" not in lived.ok("status")
    acts = lived.ok("operations")
    assert "ops:ann paused importance_answered\n        because: a wrong list\n" in acts
    assert "ops:bob resumed importance_answered\n" in acts


def test_opt_outs_are_applied_at_once_whatever_is_paused(lived: World) -> None:
    lived.ok("pause", "--all", "--reason", "x")
    with lived.worker():
        assert lived.ok("opt-out", "V-0000").startswith("applied: opted_out.")
        assert lived.ok("note-sent", "V-0001", "--attest-all").startswith("accepted as ")
    assert "paused      everything that may be paused since " in lived.ok("status")
    assert "opted_out is never paused: what prospects say is applied at once" in lived.refused(
        2, "pause", "opted_out", "--reason", "x"
    )


def test_what_was_paused_together_stands_together(lived: World) -> None:
    lived.ok("pause", "note_sent", "call_due", "--reason", "x", "--by", "ann")
    lived.ok("pause", "day_planned", "--reason", "y", "--by", "ann")
    shown = lived.ok("status")
    assert "paused      call_due, note_sent since " in shown
    assert "paused      day_planned since " in shown
    assert lived.said("resume", "--all")["resumed"] == ["call_due", "day_planned", "note_sent"]


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (("pause",), "name actors, or say --all"),
        (("pause", "call_due", "--all"), "name actors or say --all, not both"),
        (("pause", "--all"), "why? Say it with --reason, such as --reason 'the price list is wrong'"),
        (("pause", "cal_due", "--reason", "x"), "no actor is called 'cal_due'; did you mean call_due?"),
        (("resume",), "name actors, or say --all"),
        (("resume", "call_due"), "call_due is not paused; nothing is"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_paused_or_resumed_is_said_in_a_sentence(lived: World, command: tuple[str, ...], sentence: str) -> None:
    before = lived.said("verify")["events"]
    assert sentence in lived.refused(2, *command)
    assert lived.said("verify")["events"] == before


def test_a_part_of_everything_cannot_be_resumed_alone(lived: World) -> None:
    lived.ok("pause", "--all", "--reason", "x")
    assert "call_due waits with everything else: `thaw resume --all`" in lived.refused(2, "resume", "call_due")
    assert lived.ok("pause", "--all", "--reason", "x").startswith("that was paused before; nothing was changed.")
    lived.ok("resume", "--all")
    assert lived.ok("resume", "--all") == "nothing is paused\n"
