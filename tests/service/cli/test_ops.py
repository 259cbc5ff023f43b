"""The health of the service, verification, and the rebuild."""

import json
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import redis

from migrations.runner import newest_revision
from models import attempts, rings
from models.database import transaction
from service.calendars import freeze_calendar
from tests.service.world import MONDAY, World
from workflows.commands import AnswerImportance, SetCalendar
from workflows.rep import rep_id


@pytest.fixture
def lived(world: World) -> World:
    """Two leads with a history of a week, and no message due."""
    world.rep()
    world.register(2)
    world.at(MONDAY + timedelta(days=7))
    return world


def test_status_counts_what_ops_watch(lived: World) -> None:
    shown = lived.ok("status")
    assert f"\nschema      {newest_revision()}\nredis       reachable\nworkers     0 processes seen in the last 20 s\n" in shown
    assert "due 0, rung 0, failing 0, overdue 0, dead 0\noldest due  nothing is due\nleads       2: " in shown
    assert "! no worker was seen: nothing is applied until `thaw worker` runs\n" in shown


def test_status_sees_what_waits_and_what_failed(lived: World) -> None:
    before = lived.said("status")
    ids = [UUID(lived.said("importance", "V-0000", 3, "--no-wait")["message_id"]) for _ in range(3)]
    with transaction(lived.engine) as connection:
        attempts.fail(connection, ids[0], error="OSError", traceback="", max_attempts=10)
        attempts.fail(connection, ids[1], error="OSError", traceback="", max_attempts=1)
    lived.sql("UPDATE messages SET ring_again_at = NULL WHERE id = %(id)s", id=ids[2])
    lived.sql("UPDATE messages SET ring_again_at = clock_timestamp() - interval '1 second' WHERE id = %(id)s", id=ids[0])
    lived.clock.move(lived.clock() + timedelta(hours=3))
    said = lived.said("status")
    counted = said["messages"]
    assert {name: counted[name] for name in ("due", "rung", "failing", "overdue", "dead")} == dict.fromkeys(
        ("due", "rung", "failing", "overdue", "dead"), 1
    )
    assert counted["waiting"] == before["messages"]["waiting"]
    assert counted["oldest_seconds"] == 3 * 3600
    assert said["ready"] == before["ready"] + 3
    assert "oldest due  3 h\n" in lived.ok("status")
    assert "! dead messages wait for somebody: `thaw dead list`\n" in lived.ok("status")


def test_a_calendar_that_ends_soon_is_said_by_status_and_by_the_sheet(lived: World) -> None:
    """Sixty days before dan's calendar ends, and not a day earlier, both say what to do."""
    sentence = (
        "the calendar of dan ends on 2026-03-31, and nothing is planned beyond it: `thaw rep set dan` freezes three more years"
    )
    short = freeze_calendar("US", "", "America/New_York", date(2025, 1, 1), date(2026, 3, 31))
    lived.hand_in(rep_id("dan"), SetCalendar(rep="dan", calendar=short, playbook="five-five-five"))
    lived.at(datetime(2026, 1, 29, 15, 0, tzinfo=UTC))
    assert sentence not in lived.ok("status")
    assert sentence not in lived.ok("today", "--rep", "dan")
    lived.clock.move(datetime(2026, 1, 30, 15, 0, tzinfo=UTC))
    assert f"! {sentence}\n" in lived.ok("status")
    assert [sentence] == lived.said("status")["calendars"]
    assert f"! {sentence}\n" in lived.ok("today", "--rep", "dan")
    with lived.worker():
        lived.ok("rep", "set", "dan")
    assert sentence not in lived.ok("status")


def test_status_sees_workers_by_their_heartbeats(lived: World) -> None:
    with redis.Redis.from_url(lived.environ["THAW_REDIS_URL"]) as client:
        seconds, micros = client.time()
        now = seconds * 1000 + micros // 1000
        key = f"{lived.environ['THAW_NAMESPACE']}:__heartbeats__"
        client.zadd(key, {"alive": now, "gone": now - 60_000})
    assert "workers     1 process seen in the last 20 s\n" in lived.ok("status")


def test_status_without_redis_still_tells_the_rest(lived: World) -> None:
    lived.environ["THAW_REDIS_URL"] = "redis://127.0.0.1:1/0"
    said = lived.refused(3, "status")
    assert "redis       Redis is not reachable: " in said
    assert "leads       2: " in said
    assert "! nothing is lost while Redis is away: what is accepted now is applied when it is back\n" in said


def test_status_without_postgresql_still_tells_the_rest(lived: World) -> None:
    lived.environ["THAW_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    said = lived.refused(3, "status")
    assert said.startswith("postgresql  PostgreSQL is not reachable: ")
    assert "redis       reachable\n" in said
    assert json.loads(lived.refused(3, "status", "--json"))["messages"] is None


def test_status_at_another_schema_says_what_to_run(lived: World) -> None:
    lived.sql("DELETE FROM alembic_version")
    needed = f"schema      the database is empty, and this release needs {newest_revision()}: run `thaw migrate`\n"
    assert needed in lived.refused(3, "status")


def test_a_whole_log_is_verified(lived: World) -> None:
    said = lived.said("verify")
    assert (said["whole"], said["streams"], said["findings"]) == (True, 3, [])
    assert lived.ok("verify") == f"{said['events']} events in 3 streams: nothing is wrong\n"


def test_an_altered_log_is_found_and_the_first_wrong_event_named_first(lived: World) -> None:
    lived.sql("ALTER TABLE events DISABLE TRIGGER ALL")
    lived.sql("UPDATE events SET body = body || ' ' WHERE position IN (2, 4)")
    result = lived.thaw("verify", "--json")
    assert result.exit_code == 1
    findings = json.loads(result.stdout.splitlines()[-1])["findings"]
    assert (findings[0]["code"], findings[0]["position"]) == ("hash_differs", 2)
    lines = lived.refused(1, "verify").splitlines()
    assert lines[0].startswith("WRONG  event 2 (")
    assert lines[-1].endswith(": something is wrong")


def test_the_check_changes_nothing_and_finds_what_differs(lived: World) -> None:
    assert lived.ok("rebuild", "--check") == "the projections are what the log says\n"
    lived.sql("UPDATE leads SET owner = 'eve' WHERE id = %(id)s", id=lived.leads[0])
    lived.sql("UPDATE calendars SET body = replace(body, 'US', 'CA')")
    said = lived.refused(1, "rebuild", "--check")
    assert f"DIFFERS  the row of {lived.leads[0]} in leads is not what its events fold to: owner\n" in said
    assert "DIFFERS  the calendar of dan is not what its digest says\n" in said
    assert said.endswith("the projections differ from the log\n")
    assert json.loads(lived.refused(1, "rebuild", "--check", "--json"))["same"] is False
    assert lived.refused(1, "rebuild", "--check") == said


def test_the_projections_are_made_again_from_the_log(lived: World) -> None:
    before = lived.said("lead", "V-0000")
    lived.sql("TRUNCATE leads, reps, slots, calendars")
    lived.sql("DELETE FROM messages WHERE settled_at IS NULL")
    said = lived.said("rebuild")
    assert (said["leads"], said["reps"], said["timers"] > 0) == (2, 1, True)
    assert lived.said("lead", "V-0000") == before
    assert lived.ok("verify").endswith(": nothing is wrong\n")
    assert lived.ok("rebuild").endswith("; no timer was missing or wrong\n")


def test_a_log_that_cannot_be_folded_is_left_alone(lived: World) -> None:
    lived.sql("ALTER TABLE events DISABLE TRIGGER ALL")
    lived.sql("UPDATE events SET body = '{}' WHERE position = 2")
    said = lived.refused(1, "rebuild")
    assert said.startswith("thaw: the log cannot be folded, and nothing was changed: ")
    assert said.endswith("Run `thaw verify`.\n")
    assert lived.lead(lived.leads[0]).owner == "dan"


def test_an_empty_log_is_whole(world: World) -> None:
    assert world.ok("verify") == "0 events in 0 streams: nothing is wrong\n"
    assert world.ok("rebuild") == "rebuilt 0 leads, 0 reps and 0 slots from 0 events; no timer was missing or wrong\n"


def test_dead_messages_are_listed_shown_and_tried_again(lived: World) -> None:
    ids = [lived.hand_in(uuid4(), AnswerImportance(importance=3)) for _ in range(2)]
    for id_, error in ((ids[0], "UnknownStreamError: lead x\nis not known"), (ids[1], "OSError: the moon is full")):
        with transaction(lived.engine) as connection:
            attempts.bury(connection, id_, error=error)
    listed = lived.ok("dead", "list")
    assert "1 message: OSError: the moon is full\n" in listed
    assert f"  {ids[0]}  importance_answered  1 attempt  rep:dan\n" in listed
    groups = lived.said("dead", "list")["groups"]
    assert [group["error"] for group in groups] == ["OSError: the moon is full", "UnknownStreamError: lead x"]
    assert groups[0]["messages"][0]["command"] == {
        "command": "answer_importance", "importance": 3, "occurred_at": None,
    }  # fmt: skip

    shown = lived.ok("dead", "show", ids[0].hex[:8])
    assert f"message   {ids[0]}, asked for by rep:dan, 1 attempt\n" in shown
    assert "UnknownStreamError" in shown
    assert "Traceback (most recent call last)" in lived.said("dead", "show", ids[0])["traceback"]

    assert lived.ok("dead", "retry", ids[0], "--reason", "mended") == "1 message revived: the clock rings it again\n"
    with transaction(lived.engine) as connection:
        assert rings.claim_due(connection, now=lived.clock(), limit=10)[0].message_id == ids[0]
    assert lived.said("dead", "retry", "--all", "--reason", "mended")["revived"] == [str(ids[1])]
    assert lived.ok("dead", "list") == "no message is dead\n"


def test_what_is_not_dead_is_said_so(lived: World) -> None:
    settled = lived.hand_in(lived.leads[0], AnswerImportance(importance=3))
    assert f"message {settled} is not dead: it is applied" in lived.refused(2, "dead", "retry", settled, "--reason", "x")
    assert "no dead message has the id '17'; see `thaw dead list`" in lived.refused(2, "dead", "show", "17")
    assert "name the messages to try again, or say --all" in lived.refused(2, "dead", "retry")
    assert "name messages or say --all, not both" in lived.refused(2, "dead", "retry", settled, "--all")
    assert lived.ok("dead", "retry", "--all", "--reason", "x") == "0 messages revived: the clock rings them again\n"


def test_dead_messages_whose_ids_begin_alike_are_told_apart(lived: World) -> None:
    ids = UUID("abcdef01-0000-4000-8000-000000000001"), UUID("abcdef01-0000-4000-8000-000000000002")
    for id_ in ids:
        lived.ok("importance", "V-0000", 3, "--no-wait", "--id", id_)
        with transaction(lived.engine) as connection:
            attempts.bury(connection, id_, error="OSError")
    assert f"'abcdef01' may mean {ids[0]} or {ids[1]}: name one in full" in lived.refused(2, "dead", "show", "abcdef01")
    assert "there is no traceback: its worker was gone each time\n" in lived.ok("dead", "show", ids[1])
