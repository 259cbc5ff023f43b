"""Why an event is there, and why a lead was left alone."""

from datetime import timedelta

import pytest

from tests.service.world import MONDAY, World
from workflows.calendars import Absence
from workflows.commands import Hold, PlanDay, Release
from workflows.rep import rep_id
from workflows.transitions import ROWS


@pytest.fixture
def called(world: World) -> World:
    """Seven leads; the five best have a note of Tuesday, and V-0000's is in the post and its call has come due."""
    world.rep()
    for value in (4, 4, 3, 3, 3, 1, 0):
        world.take_in(value_band=value)
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        world.ok("note-sent", "V-0000", "--attest-all", "--minutes", 9)
    world.at(MONDAY + timedelta(days=8))
    return world


def test_an_event_says_who_asked_by_which_message_and_by_which_rule(called: World) -> None:
    shown = called.ok("why", "V-0000", "4")
    assert "UNSET" not in shown
    message = called.events(called.leads[0])[3].message_id
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert lines[0].startswith("Ada Amberfield, event 4 at position ")
    assert "4 Tue 2026-01-06 10:00:00 note_sent (T10) by rep:dan -> note_sent" in lines
    assert any(
        line.startswith("asked mark note sent, by rep:dan: occurred at 2026-01-06 15:00:00 UTC, medium") for line in lines
    )
    assert "because rep:dan handed it in" in lines
    assert any(line.startswith(f"message {message}, Dramatiq actor note_sent: rung ") for line in lines)
    assert "rule T10: note_due --mark_note_sent--> note_sent" in lines
    assert f"asked of {', '.join(next(row for row in ROWS if row.id == 'T10').guards)}" in lines
    assert any(line.startswith("playbook five-five-five@1.0.0, SHA-256 ") for line in lines)
    assert "check personal_fact: passed, attested by rep:dan" in lines
    assert any(
        line.startswith(f"caused call_due for {called.leads[0]}, due Tue 2026-01-13 08:00: applied: call_due") for line in lines
    )


def test_the_newest_event_is_meant_without_a_number(called: World) -> None:
    """A timer's event names the event that armed it."""
    said = called.said("why", "V-0000")
    assert (said["event"]["version"], said["row"]["id"], said["message"]["asked_by"]) == (5, "T12", "clock")
    assert "because    timer call_after_note, armed by event 4, due Tue 2026-01-13 08:00, fired\n" in called.ok("why", "V-0000")


def test_the_words_that_were_written_are_shown_as_long_as_they_are_kept(called: World) -> None:
    """Which text? To read it changes nothing, and an erasure takes the words and not the event."""
    with called.worker():
        called.ok("reply", "V-0000", "--channel", "call", "--words", "call me in May,\nplease")
    shown = called.ok("why", "V-0000")
    assert "text       “call me in May, please”\n" in shown
    assert shown == called.ok("why", "V-0000")
    assert ["call me in May,\nplease"] == called.said("why", "V-0000")["texts"]
    number = str(len(called.events(called.leads[0])))
    called.ok("erase", "V-0000", "--reason", "asked for it by letter")
    assert "text       not kept any more\n" in called.ok("why", called.leads[0], number)
    assert "text " not in called.ok("why", called.leads[0], "1")


def test_a_proposal_names_the_plan_that_made_it(called: World) -> None:
    said = called.said("why", "V-0000", "3")
    assert said["cause"]["data"]["type"] == "day_planned"
    assert called.leads[0].hex in [id_.replace("-", "") for id_ in said["cause"]["data"]["notes"]]
    assert "of the rep (day_planned, Tue 2026-01-06 10:00) staged it\n" in called.ok("why", "V-0000", "3")
    assert [slot["kind"] for slot in said["used"]["free"]] == ["note", "promised_call"]


def test_a_refusal_names_its_rule_and_its_inputs(called: World) -> None:
    with called.worker():
        called.refused(1, "call", "V-0000", "--outcome", "connected")
    shown = called.ok("why", "V-0000")
    assert "rule       personal_topic_first refused: Log the personal topic" in shown
    assert "inputs     personal topic first no\n" in shown


def test_a_part_that_changes_while_a_lead_waits_moves_it_to_its_place(world: World) -> None:
    """A1-1: the last of seven is told to be near the end of the sale, and the next plan takes it first."""
    world.rep()
    for value in (4, 4, 3, 3, 3, 1, 0):
        world.take_in(value_band=value)
    with world.worker():
        world.ok("stage", "V-0006", 5)
        world.ok("importance", "V-0006", 5, "--action", "fly there")
    assert "score      37 = stage 20 + time 2 + importance 15\n" in world.ok("lead", "V-0006")
    assert "moved score 37 = stage 20 + time 2 + importance 15" in " ".join(world.ok("why", "V-0006").split())
    assert "moved score 31 = stage 20 + time 2 + importance 9" in " ".join(world.ok("why", "V-0006", "3").split())
    world.at(MONDAY + timedelta(days=1))
    (first, *_) = world.said("why-not", "V-0005", "--on", "2026-01-06")["instead"]
    assert (str(world.leads[6]), 37) == (first["lead_id"], first["score"]["total"])


def test_an_event_that_is_not_there_is_said_so(called: World) -> None:
    assert "event 9: there are the events 1 to 5" in called.refused(2, "why", "V-0000", "9")
    assert "'yore' is no event of Ada Amberfield: name it by its number, 1 to 5" in called.refused(2, "why", "V-0000", "yore")


def test_who_waits_learns_who_was_planned_instead_and_with_which_score(called: World) -> None:
    shown = called.ok("why-not", "V-0006", "--on", "2026-01-06")
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert max(map(len, shown.splitlines())) <= 120
    turn = "because it was number 7 of 7 that waited for a note, by score, of equals the longest untouched first, and 5 notes"
    assert f"{turn} could be planned it was queued" in " ".join(lines)
    assert "score 23 = stage 12 + time 2 + importance 9" in lines
    assert "note for Ada Amberfield (V-0000), score 35 = stage 12 + value 12 + time 2 + importance 9" in lines
    said = called.said("why-not", "V-0006", "--on", "2026-01-06")
    assert (said["state"], len(said["instead"]), said["touched"]) == ("queued", 5, [])
    assert [each["score"]["total"] for each in said["instead"]] == sorted(
        (each["score"]["total"] for each in said["instead"]), reverse=True
    )


def test_a_plan_that_was_made_again_counts_what_the_first_one_chose(world: World) -> None:
    """Four notes stand already when two leads are released: the second plan has room for one, which is not all of the day."""
    world.rep()
    world.register(6)
    for late in world.leads[4:]:
        world.hand_in(late, Hold(reason="manual"))
    world.at(MONDAY + timedelta(days=1))
    for late in world.leads[4:]:
        world.hand_in(late, Release())
    world.hand_in(rep_id("dan"), PlanDay())
    left = next(lead for lead in map(world.lead, world.leads) if lead.state == "queued")
    said = world.said("why-not", str(left.id), "--on", "2026-01-06")
    assert [each["kind"] for each in said["instead"]] == ["note"] * 5
    turn = "it was number 2 of 2 that waited for a note, by score, of equals the longest untouched first"
    could = f"{turn}, and 1 note could be planned beside 4 planned before"
    assert said["reasons"][0].startswith(could), said["reasons"]


def test_what_is_still_to_be_done_today_is_no_omission(called: World) -> None:
    """On the day itself a call or a touch is to be made; from the next day on it was."""
    called.at(MONDAY + timedelta(days=8))
    call = "its call {} to be made on Tue 2026-01-13, and nobody {} logged it"
    assert call.format("is", "has") in called.said("explain", "V-0000")["day"]["reasons"]
    assert call.format("is", "has") in called.said("why-not", "V-0000", "--on", "2026-01-13")["reasons"]
    called.at(MONDAY + timedelta(days=9))
    assert call.format("was", "had") in called.said("why-not", "V-0000", "--on", "2026-01-13")["reasons"]
    assert call.format("was", "has") in called.said("explain", "V-0000")["day"]["reasons"]


def test_a_lead_that_was_touched_says_so(called: World) -> None:
    said = called.said("why-not", "V-0000", "--on", "2026-01-06")
    assert [event["data"]["type"] for event in said["touched"]] == ["note_sent"]
    assert "touched    it was: event 4, note_sent, Tue 2026-01-06 10:00\n" in called.ok(
        "why-not", "V-0000", "--on", "2026-01-06"
    )


def test_a_planned_note_that_nobody_wrote_is_named(called: World) -> None:
    said = called.said("why-not", "V-0001", "--on", "2026-01-06")
    assert "it was chosen that day; see the refusals, and the events that followed" in said["reasons"]
    said = called.said("why-not", "V-0000", "--on", "2026-01-12")
    assert "it was note sent; next was: the call that the note promised on Tue 2026-01-13" in said["reasons"]


def test_holds_refusals_and_refused_modes_are_reasons(called: World) -> None:
    called.at(MONDAY + timedelta(days=9))
    with called.worker():
        called.ok("opt-out", "V-0006", "--channel", "call")
        called.refused(1, "call", "V-0006", "--outcome", "voicemail")
        called.ok("hold", "V-0006", "--reason", "legal_review", "--until", "2026-02-02")
    called.at(MONDAY + timedelta(days=11))
    said = called.said("why-not", "V-0006", "--on", "2026-01-16")
    assert said["reasons"][0].startswith("it was on hold (legal review) since Wed 2026-01-14 10:00 until Mon 2026-02-02")
    assert "the prospect had refused contact by call" in said["reasons"]
    (refusal,) = called.said("why-not", "V-0006", "--on", "2026-01-14")["refusals"]
    assert refusal["data"]["rule"] == "no_transition"


def test_a_lead_without_an_address_could_not_be_proposed(world: World) -> None:
    world.rep()
    world.register(1, modes=("call", "email"))
    world.at(MONDAY + timedelta(days=1))
    reason = "it could not be proposed: its first touch needs a postal address and a telephone number, and it may be reached by"
    assert f"{reason} call, email" in world.said("why-not", "V-0000", "--on", "2026-01-06")["reasons"]


def test_a_lead_that_came_after_the_plan_says_so(world: World) -> None:
    """The rep was made known on Monday at ten, and planned at once; the lead was taken in behind that."""
    world.rep()
    world.register(1)
    said = world.said("why-not", "V-0000", "--on", "2026-01-05")
    assert said["reasons"][0] == "it entered the queue after the plan of that day had been made"
    assert (said["state"], said["instead"]) == ("queued", [])


def test_days_off_and_days_before_are_reasons(world: World) -> None:
    world.at(MONDAY)
    world.rep(absences=(Absence(first=(MONDAY + timedelta(days=1)).date(), last=(MONDAY + timedelta(days=2)).date()),))
    world.register(1)
    world.at(MONDAY + timedelta(days=4))
    reasons = world.said("why-not", "V-0000", "--on", "2026-01-06")["reasons"]
    assert reasons[0].startswith("dan did not work that day: absence")
    said = world.said("why-not", "V-0000", "--on", "2026-01-04")
    assert (said["state"], said["reasons"]) == (None, ["it was not known yet: it was registered Mon 2026-01-05 10:00"])


def test_whom_each_plan_of_a_day_chose_is_told(world: World) -> None:
    """Six come in one after the other: each plan adds its note, and the one who is left over learns of all five."""
    world.replans = True
    world.rep()
    world.register(6)
    left = next(lead for lead in map(world.lead, world.leads) if lead.state == "queued")
    said = world.said("why-not", str(left.id), "--on", "2026-01-05")
    assert {chosen["lead_id"] for chosen in said["instead"]} == {str(id_) for id_ in world.leads} - {str(left.id)}
    assert all(chosen["score"] for chosen in said["instead"])
    assert said["reasons"][0] == "it entered the queue after the plan of that day had been made"


def test_a_day_to_come_has_no_reasons_yet(world: World) -> None:
    """Whoever asks about it hears that, and which day it is."""
    world.rep()
    world.register()
    said = world.refused(2, "why-not", "V-0000", "--on", "2026-08-04")
    assert "Tue 2026-08-04 is yet to come, and nobody can say how it will go. Today is Mon 2026-01-05" in said
