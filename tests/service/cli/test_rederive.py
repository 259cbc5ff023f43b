"""What the service decided comes out again, and what was changed behind its back does not."""

import json
from datetime import timedelta
from uuid import UUID

import pytest

from tests.service.world import MONDAY, World
from workflows.events import DayPlanned
from workflows.rep import rep_id


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
    """Every event of the log belongs to a decision that is made again, plans of a day among them."""
    said = busy.said("rederive", "--all")
    assert (said["mismatches"], said["differing"]) == ([], 0)
    assert said["events"] == events_in_log(busy)
    assert (said["plans"], said["calendars"], said["refused"]) == (plans_in_log(busy), 2, 2)
    assert said["plans"] > 10
    shown = busy.ok("rederive", "--all").splitlines()
    assert shown[0].endswith("of 11 streams derived again: nothing differs")
    carried_out = said["decisions"] - said["plans"] - 4
    assert shown[1] == f"of them: {carried_out} carried out, 2 refused, 2 calendars frozen, {said['plans']} days planned"


def events_in_log(world: World) -> int:
    with world.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM events").scalar_one())


def plans_in_log(world: World) -> int:
    with world.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM events WHERE type = 'day_planned'").scalar_one())


def test_a_plan_that_was_changed_is_named(busy: World) -> None:
    """A lead that was put into the plan behind the planner's back, with every other byte left as it was."""
    plan = next(event for event in busy.events(rep_id("dan")) if isinstance(event.data, DayPlanned) and event.data.notes)
    assert isinstance(plan.data, DayPlanned)
    busy.sql("ALTER TABLE events DISABLE TRIGGER ALL")
    change = "UPDATE events SET body = replace(body, %(old)s, %(new)s) WHERE stream_id = %(id)s AND version = %(version)s"
    values = {"old": str(plan.data.notes[0]), "new": str(UUID(int=7)), "id": plan.stream_id, "version": plan.version}
    busy.sql(change, **values)
    said = busy.refused(1, "rederive", "--all")
    assert f"DIFFERS  event {plan.version} (day_planned) of rep dan: data.notes is " in said


def test_a_lead_that_was_scored_otherwise_is_seen_in_the_plans_that_saw_it(busy: World) -> None:
    """A score that was raised in the log afterwards does not lead to the plans that were made."""
    busy.sql("ALTER TABLE events DISABLE TRIGGER ALL")
    change = "UPDATE events SET body = replace(body, '\"total\":', '\"total\":9') WHERE stream_id = %(id)s AND version = 2"
    busy.sql(change, id=busy.leads[7])
    said = busy.refused(1, "rederive", "--all")
    assert "(day_planned) of rep dan: data.notes is " in said


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
