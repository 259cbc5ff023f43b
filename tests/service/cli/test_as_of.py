"""The past in two senses, what changed between two moments, and the whole book at any of them."""

import re
from datetime import date, timedelta

import pytest

from models import book
from tests.service.world import MONDAY, World

TUESDAY = MONDAY + timedelta(days=8)


@pytest.fixture
def late(world: World) -> World:
    """A reply that came on Monday and was logged on Wednesday, after the call had come due on Tuesday."""
    world.rep()
    world.register(2)
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        world.ok("note-sent", "V-0000", "--attest-all", "--minutes", 9)
    world.at(TUESDAY + timedelta(days=1))
    with world.worker():
        world.ok("reply", "V-0000", "--channel", "email", "--at", "2026-01-12T11:00")
    return world


def test_both_senses_agree_where_nothing_was_late(late: World) -> None:
    """Up to the day before the note was posted."""
    for moment in ("1", "2", "2026-01-05"):
        recorded = late.said("replay", "V-0000", "--at", moment)
        occurred = late.said("replay", "V-0000", "--at", moment, "--as", "occurred")
        assert (recorded["lead"], recorded["events"]) == (occurred["lead"], occurred["events"])
        assert (occurred["differs"], occurred["odd"], occurred["sense"]) == ([], [], "occurred")
        shown = late.ok("replay", "V-0000", "--at", moment, "--as", "occurred")
        assert "was the last by then; the lead as it occurred does not differ from it\n" in shown


def test_what_was_entered_late_stands_where_it_happened(late: World) -> None:
    """On Monday evening the prospect had answered, and nobody here knew."""
    assert "note_sent" == late.said("replay", "V-0000", "--at", "2026-01-12")["lead"]["state"]
    occurred = late.said("replay", "V-0000", "--at", "2026-01-12", "--as", "occurred")
    assert "re_engaged" == occurred["lead"]["state"]
    assert {"field": "state", "before": "note_sent", "after": "re_engaged"} in occurred["differs"]
    assert [] == occurred["odd"]
    shown = late.ok("replay", "V-0000", "--at", "2026-01-12", "--as", "occurred")
    assert "recorded   event 4 was the last by then; where it differs, recorded -> occurred:\n" in shown
    assert "           state                   note_sent -> re_engaged\n" in shown


def test_what_could_not_have_followed_is_named(late: World) -> None:
    """The call of Tuesday came due after the answer of Monday: it is folded as it is recorded, and said to be odd."""
    shown = late.ok("replay", "V-0000", "--as", "occurred")
    assert "state      call_due since Tue 2026-01-13 " in shown
    assert (
        "odd        event 5 (call_due, T12) does not lead from re_engaged to call_due, and re_engaged is where the lead"
        in shown
    )
    assert "           state                   re_engaged -> call_due\n" in shown


def test_a_moment_before_everything_is_said_so(late: World) -> None:
    said = late.refused(2, "replay", "V-0000", "--at", "2026-01-04", "--as", "occurred")
    assert "--at 2026-01-04: nothing had happened by then; the first event is of Mon 2026-01-05 10:00" in said
    assert "--at 9: there are the events 1 to 6" in late.refused(2, "replay", "V-0000", "--at", "9", "--as", "occurred")
    for sense in ("recorded", "occurred"):
        said = late.refused(2, "diff", "V-0000", "1", "whenever", "--as", sense)
        assert said.startswith("thaw: B: ")
        assert said.endswith("; or the number of an event\n")
    assert "B 2026-01-04: nothing was recorded by then" in late.refused(2, "diff", "V-0000", "1", "2026-01-04")


def test_a_difference_names_fields_and_events(late: World) -> None:
    shown = late.ok("diff", "V-0000", "2026-01-05", "2026-01-06")
    lines = shown.splitlines()
    assert lines[0] == "Ada Amberfield: event 2 -> event 4, as recorded"
    assert "  state                   queued -> note_sent" in lines
    assert "  promised on             none -> Tue 2026-01-13" in lines
    assert "  timer queue_age         Fri 2026-10-02 08:00 (armed by event 2) -> none" in lines
    assert "2 events between them:" in lines
    assert "  4  Tue 2026-01-06 10:00:00  note_sent (T10) by rep:dan -> note_sent" in lines


def test_a_difference_shows_days_as_days_and_texts_as_documents(world: World) -> None:
    """A day of which nobody knows the hour is that day in every zone; words kept apart are named by their document."""
    world.rep()
    world.register(1, last_contact_on=date(2024, 3, 2))
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        world.ok("note-sent", "V-0000", "--attest-all")
        world.at(TUESDAY)
        step = ("--next-step", "Send the plan of the roof", "--next-step-on", "2026-01-15", "--minutes", 12)
        world.ok("call", "V-0000", "--outcome", "connected", "--personal-first", *step)
    shown = world.ok("diff", "V-0000", "1", "2026-01-13")
    assert "  last contact at         Sat 2024-03-02 -> Tue 2026-01-13 10:00\n" in shown
    assert re.search(r"\n  next step               none -> \[document [0-9a-f]{8}\]\n", shown)
    assert not re.search("Reference|UNSET|[(]document_id", shown)


def test_a_difference_reads_both_ways_and_in_both_senses(late: World) -> None:
    there = late.said("diff", "V-0000", "2", "4")
    back = late.said("diff", "V-0000", "4", "2")
    assert {(d["field"], d["before"], d["after"]) for d in there["differs"]} == {
        (d["field"], d["after"], d["before"]) for d in back["differs"]
    }
    assert there["between"] == back["between"]
    assert "event 4 -> event 2, as recorded, back in time\n" in late.ok("diff", "V-0000", "4", "2")
    assert "back in time" not in late.ok("diff", "V-0000", "2", "4")
    assert "; a rep is called so: where one can be meant, write rep:dan" in late.refused(2, "diff", "dan", "1", "2")
    occurred = late.said("diff", "V-0000", "2026-01-11", "2026-01-12", "--as", "occurred")
    assert ["reply_received"] == [event["data"]["type"] for event in occurred["between"]]
    assert "  nothing differs\n0 events between them\n" in late.ok("diff", "V-0000", "2026-01-11", "2026-01-12")


def test_the_book_is_what_it_was(late: World) -> None:
    """At every moment at which something was recorded, each lead is in the state that its last event recorded."""
    moments = sorted({event.recorded_at for lead in late.leads for event in late.events(lead)})
    for moment in moments:
        said = late.said("leads", "--at", moment.isoformat())
        expected: dict[str, tuple[str, int]] = {}
        for lead in late.leads:
            by_then = [event for event in late.events(lead) if event.recorded_at <= moment]
            expected |= {str(lead): (by_then[-1].state, by_then[-1].version)} if by_then else {}
        assert {lead["lead_id"]: (lead["state"], lead["version"]) for lead in said["leads"]} == expected
        assert sum(said["counts"].values()) == len(expected)


def test_a_standing_is_what_the_fold_says(late: World) -> None:
    """The quick way and the whole fold agree at every moment: states, since when, owners, holds and their ends."""
    late.rep("eve")
    with late.worker():
        late.ok("hold", "V-0001", "--reason", "legal_review")
        late.ok("reassign", "V-0001", "eve")
        late.ok("hold", "V-0000", "--reason", "manual")
        late.ok("release", "V-0000")
        late.ok("opt-out", "V-0001")
        late.ok("erase", "V-0001", "--reason", "They asked for it in writing.")
    moments = {event.recorded_at for lead in late.leads for event in late.events(lead)}
    with late.engine.connect() as connection:
        for moment in sorted(moments):
            quick = list(book.standings_at(connection, moment, chunk=3))
            whole = list(book.leads_at(connection, moment, chunk=2))
            assert [(s.id, s.version, s.state, s.since, s.owner, s.held) for s in quick] == [
                (lead.id, lead.version, lead.state, lead.entered_at, lead.owner, lead.hold.reason if lead.hold else None)
                for lead in whole
            ]
        for position in range(1, 12):
            then = {lead.id: lead.version for lead in book.leads_at(connection, max(moments), before=position)}
            assert sum(then.values()) <= position - 1


def test_the_book_of_today_is_the_projection(late: World) -> None:
    said = late.said("leads")
    assert {lead["lead_id"]: lead["state"] for lead in said["leads"]} == {str(id_): late.lead(id_).state for id_ in late.leads}


def test_the_book_can_be_narrowed(late: World) -> None:
    shown = late.ok("leads", "--at", "2026-01-06T10:00", "--state", "note_sent")
    first, total = shown.splitlines()
    assert first == "V-0000         Ada Amberfield         note_sent       since Tue 2026-01-06 10:00  dan, event 4"
    assert total.startswith("2 leads as of Tue 2026-01-06 10:00:00 in America/New_York: ")
    for arguments in (("leads", "--owner", "dna"), ("leads", "--owner", "dna", "--json")):
        assert "no rep is called 'dna'; did you mean dan?" in late.refused(2, *arguments)
    assert {"counts": {}, "leads": []}.items() <= late.said("leads", "--owner", "dan", "--at", "2020-01-01").items()
    assert "0 leads as of Sun 2026-01-04 23:59:59 in America/New_York\n" == late.ok("leads", "--at", "2026-01-04")


def test_a_book_that_cannot_be_folded_is_said_so(late: World) -> None:
    late.sql("ALTER TABLE events DISABLE TRIGGER ALL")
    late.sql(f"DELETE FROM events WHERE version = 1 AND stream_id = '{late.leads[0]}'")
    assert "the log cannot be folded" in late.refused(1, "leads")
