"""What the service decided comes out again, and what was changed behind its back does not."""

import json
from datetime import timedelta

import pytest

from tests.service.world import MONDAY, World


@pytest.fixture
def busy(world: World) -> World:
    """Two weeks of two reps: notes, calls, refusals, a hold, an opt-out, another owner, and plans every day."""
    world.rep()
    world.rep("eve")
    for value in (4, 4, 4, 4, 4, 1, 1, 1, 1):
        world.take_in(value_band=value)
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        for number in range(5):
            world.ok("note-sent", f"V-{number:04}", "--attest-all", "--minutes", 9)
        world.refused(1, "call", "V-0008", "--outcome", "voicemail")
        world.ok("hold", "V-0004", "--reason", "legal_review", "--until", "2026-01-09")
        world.ok("opt-out", "V-0006", "--channel", "email")
        world.ok("reassign", "V-0001", "eve")
    world.at(MONDAY + timedelta(days=8))
    with world.worker():
        world.ok("call", "V-0000", "--outcome", "voicemail")
        world.refused(1, "call", "V-0002", "--outcome", "connected")
        world.ok("decline", "V-0003", "--kind", "no", "--stated-reason", "price")
    world.at(MONDAY + timedelta(days=15))
    return world


@pytest.fixture
def small(world: World) -> World:
    """One lead with a note in the post: four events."""
    world.rep()
    world.register(1)
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        world.ok("note-sent", "V-0000", "--attest-all", "--minutes", 9)
    return world


def test_everything_comes_out_again(busy: World) -> None:
    said = busy.said("rederive", "--all")
    assert (said["mismatches"], said["differing"]) == ([], 0)
    with busy.engine.connect() as connection:
        assert said["events"] + said["left_out"] == connection.exec_driver_sql("SELECT count(*) FROM events").scalar_one()
    assert said["left_out"] > 10
    shown = busy.ok("rederive", "--all").splitlines()
    assert shown[0].endswith("of 11 streams derived again: nothing differs")
    assert shown[1] == f"not re-derived: {said['left_out']} events (plans of a day, heads of streams)"


def test_one_lead_is_derived_alone(small: World) -> None:
    said = small.said("rederive", "V-0000")
    assert (said["streams"], said["events"], said["mismatches"]) == (1, len(small.events(small.leads[0])), [])


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ('"minutes":9,"override"', "data.minutes"),
        ('"row":"T10"', "row"),
        ('"call_on":"2026-01-13"', "data.call_on"),
    ],
)
def test_a_change_behind_its_back_is_named(small: World, change: str, found: str) -> None:
    """Each in the event alone; the command beside it still says what was asked."""
    to = {"data.minutes": '"minutes":1,"override"', "row": '"row":"T11"', "data.call_on": '"call_on":"2026-01-14"'}[found]
    small.sql("ALTER TABLE events DISABLE TRIGGER ALL")
    change_in_event = (
        "UPDATE events SET body = regexp_replace(body, %(old)s, %(new)s, 'g') WHERE version = 4 AND stream_id = %(id)s"
    )
    small.sql(change_in_event, old=change, new=to, id=small.leads[0])
    said = small.refused(1, "rederive", "V-0000")
    assert f"DIFFERS  event 4 (note_sent) of V-0000: {found} is " in said
    assert "when derived again\n" in said
    shown = json.loads(small.refused(1, "rederive", "--all", "--json").splitlines()[-1])
    assert (str(small.leads[0]), 4, found) in {(m["stream_id"], m["version"], m["field"]) for m in shown["mismatches"]}


def test_an_edited_playbook_is_found(small: World) -> None:
    small.sql("ALTER TABLE playbooks DISABLE TRIGGER ALL")
    small.sql("UPDATE playbooks SET body = replace(body, '\"stale_after_days\":90', '\"stale_after_days\":91')")
    said = small.refused(1, "rederive", "V-0000")
    assert "playbook.digest is " in said


def test_a_missing_playbook_is_found(small: World) -> None:
    small.sql("ALTER TABLE playbooks DISABLE TRIGGER ALL")
    small.sql("DELETE FROM playbooks")
    assert "playbook is what it names in the log and cannot be found" in small.refused(1, "rederive", "V-0000")


def test_a_body_that_is_no_event_is_found(small: World) -> None:
    small.sql("ALTER TABLE events DISABLE TRIGGER ALL")
    small.sql("UPDATE events SET body = '{}' WHERE version = 2 AND stream_id = %(id)s", id=small.leads[0])
    assert "body is unreadable: Object missing required field" in small.refused(1, "rederive", "--all")


def test_somebody_has_to_be_named(world: World) -> None:
    assert "name a lead, or all with --all" in world.refused(2, "rederive")
    assert "name a lead, or all with --all" in world.refused(2, "rederive", "V-0000", "--all")
