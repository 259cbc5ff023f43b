"""Looking at a lead and replaying it, whole or altered."""

import json
from datetime import timedelta

import pytest
from msgspec.structs import replace

from service.next_action import next_action
from service.times import zone_of
from tests.service.world import MONDAY, World
from workflows.transitions import STATES


@pytest.fixture
def called(world: World) -> World:
    """The Tuesday on which dan owes V-0000 the call that his note of the week before promised."""
    world.rep()
    world.register(1)
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        world.ok("note-sent", "V-0000", "--attest-all", "--at", "2026-01-06T09:00", "--minutes", 9)
    world.at(MONDAY + timedelta(days=8))
    return world


def test_a_lead_says_where_it_stands_and_what_comes_next_and_why(called: World) -> None:
    shown = called.ok("lead", "V-0000")
    assert shown.splitlines()[:6] == [
        "Ada Amberfield (crm:V-0000)",
        f"lead       {called.leads[0]}, version 5",
        "state      call_due since Tue 2026-01-13 10:00",
        "owner      dan, times in America/New_York",
        "playbook   five-five-five@1.0.0",
        "score      29 = stage 12 + value 6 + time 2 + importance 9",
    ]
    assert "next       call, as promised on Tue 2026-01-13 (rep)\n" in shown
    assert "\n           timer call_expiry, armed by event 5, fires Wed 2026-01-28 18:00 and sets off T22\n" in shown
    assert "\n           promised call slot 1 of Tue 2026-01-13 is kept for it\n" in shown
    assert "promise    a call on Tue 2026-01-13\n" in shown
    assert "events     5 Tue 2026-01-13 10:00 call_due (T12) by clock\n" in shown
    assert shown.endswith("1 Mon 2026-01-05 10:00 lead_registered (T01) by import\n")


def test_json_holds_the_folded_lead(called: World) -> None:
    said = called.said("lead", called.leads[0].hex[:8])
    assert (said["name"], said["external_id"], said["trouble"]) == ("Ada Amberfield", "crm:V-0000", "")
    assert (said["lead"]["state"], said["next"]["by"]) == ("call_due", "rep")
    assert [event["version"] for event in said["last_events"]] == [5, 4, 3, 2, 1]


def test_a_lead_on_hold_says_until_when(called: World) -> None:
    with called.worker():
        called.ok("hold", "V-0000", "--reason", "legal_review", "--until", "2026-02-02")
    shown = called.ok("lead", "V-0000")
    assert "next       on hold (legal review), until Mon 2026-02-02: nothing moves before it is released (rep)\n" in shown
    assert "hold       legal review since Tue 2026-01-13 10:00 until Mon 2026-02-02\n" in shown


def test_every_state_has_a_next_action(called: World) -> None:
    """With and without timers, whatever the fold may have left."""
    lead = called.lead(called.leads[0])
    bare = replace(lead, timers={}, slots=(), call_on=None, promised_on=None)
    for state in STATES:
        for other in (replace(lead, state=state), replace(bare, state=state)):
            coming = next_action(other, zone_of(None))
            assert coming.what
            assert coming.why


def test_names_cannot_write_on_other_lines(world: World) -> None:
    world.rep()
    world.take_in(person={"name": "Ada\x1b[2J\nstate      won\u202e", "facts": ["a\x07b", 7, None]}, external_id="x\ty")
    shown = world.ok("lead", f"{world.leads[0]}")
    assert shown.splitlines()[0] == "Ada[2J state won (crm:x y)"
    assert not any(character in shown for character in "\x1b\x07\u202e\t")


def test_a_replay_tells_every_event(called: World) -> None:
    shown = called.ok("replay", "V-0000")
    lines = shown.splitlines()
    assert lines[0] == "  1  Mon 2026-01-05 10:00:00  lead_registered (T01) by import -> registered"
    sent = lines.index("  4  Tue 2026-01-06 10:00:00  note_sent (T10) by rep:dan -> note_sent")
    assert lines[sent + 1] == f"     message {called.events(called.leads[0])[3].message_id}"
    assert lines[sent + 2] == "     happened Tue 2026-01-06 09:00"
    assert "armed call_after_note for Tue 2026-01-13 08:00; ended note_slot; used note slot" in " ".join(shown.split())
    assert max(map(len, lines)) <= 127
    assert lines[-1] == "chain      whole: 5 events, and each hash follows from the event before it"


def test_a_replay_gives_the_lead_as_it_was(called: World) -> None:
    """By event and by the time of recording; a day means its end."""
    for at, version, state in (
        ("1", 1, "registered"),
        ("3", 3, "note_due"),
        ("2026-01-05", 2, "queued"),
        ("2026-01-06T09:59", 2, "queued"),
        ("2026-01-06T10:00", 4, "note_sent"),
        ("2026-01-06T16:00+01:00", 4, "note_sent"),
        ("2026-01-12", 4, "note_sent"),
        ("today", 5, "call_due"),
    ):
        said = called.said("replay", "V-0000", "--at", at)
        assert (said["version"], said["lead"]["state"], len(said["events"])) == (version, state, version), at
        assert said["whole"]


def test_the_newest_replay_is_the_projection(called: World) -> None:
    said = called.said("replay", "V-0000")
    assert said["lead"] == called.said("lead", "V-0000")["lead"]


def test_moments_outside_the_history_are_said_so(called: World) -> None:
    assert "--at 9: there are the events 1 to 5" in called.refused(2, "replay", "V-0000", "--at", "9")
    assert "--at 0: there are the events 1 to 5" in called.refused(2, "replay", "V-0000", "--at", "0")
    said = called.refused(2, "replay", "V-0000", "--at", "2026-01-04")
    assert "--at 2026-01-04: nothing was recorded by then; the first event is of Mon 2026-01-05 10:00" in said
    assert "is no time" in called.refused(2, "replay", "V-0000", "--at", "yore")
    ahead = "thaw: '2027-01-01' is yet to come, and nobody knows what will be recorded by then; it is Tue 2026-01-13 10:00\n"
    for arguments in (("replay", "V-0000", "--at"), ("replay", "V-0000", "--as", "occurred", "--at"), ("leads", "--at"),
                      ("diff", "V-0000", "1")):  # fmt: skip
        assert called.refused(2, *arguments, "2027-01-01") == ahead
    assert "no lead is known as 'V-17'" in called.refused(2, "replay", "V-17")


@pytest.mark.parametrize(
    ("tampering", "version", "found"),
    [
        ("UPDATE events SET body = replace(body, '\"minutes\":9', '\"minutes\":1') WHERE version = 4", 4, "its hash does not"),
        ("UPDATE events SET hash = sha256('') WHERE version = 3", 3, "its hash does not follow"),
        ("DELETE FROM events WHERE version = 2 AND stream_id = '{lead}'", 3, "version 2 is missing before it"),
        ("DELETE FROM events WHERE version = 1 AND stream_id = '{lead}'", 2, "version 1 is missing before it"),
    ],
    ids=range(4),
)
def test_a_history_that_was_altered_is_not_believed(called: World, tampering: str, version: int, found: str) -> None:
    """What comes before the first wrong event is shown; the status is 1."""
    called.sql("ALTER TABLE events DISABLE TRIGGER ALL")
    called.sql(f"{tampering} AND stream_id = '{{lead}}'".format(lead=called.leads[0]))
    said = called.refused(1, "replay", "V-0000")
    assert f"chain      BROKEN at event {version} at position" in said
    assert found in said
    as_json = json.loads(called.refused(1, "replay", "V-0000", "--json").splitlines()[-1])
    assert not as_json["whole"]
    assert len(as_json["events"]) < version
    assert f"WRONG      event {version} at position" in called.ok("lead", "V-0000")
    for told in (("explain", "V-0000"), ("why-not", "V-0000", "--on", "2026-01-05"), ("why", "V-0000")):
        explained = called.refused(1 if version > 2 else 2, *told)
        assert ("chain      BROKEN at " if version > 2 else "is missing before it") in explained


def test_the_chart_is_a_state_diagram(world: World) -> None:
    drawn = world.ok("chart")
    assert drawn.startswith("stateDiagram-v2\n")
    assert "note_due --> note_sent: note_sent" in drawn
