"""What operators do stands in the log: who, what, and why; and nothing of it is left when the act itself failed."""

import hashlib
import os
import pwd
import socket
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from actors.committer import MAX_ATTEMPTS
from models import attempts, operations
from models.database import transaction
from models.messages import Ring
from service.operations import record_export
from tests.service.imports.office import COLUMNS, MAPPING, row
from tests.service.world import MONDAY, World
from workflows.commands import AnswerImportance
from workflows.operations import RETRIED_MAX, MessagesRetried, RecordsExported, Retried
from workflows.service_stream import SERVICE_ID

ME = f"os:{pwd.getpwuid(os.geteuid()).pw_name}"


@pytest.fixture
def lived(world: World) -> World:
    """Two leads with a history of a week."""
    world.rep()
    world.register(2)
    world.at(MONDAY + timedelta(days=7))
    return world


def died(world: World, number: int = 1) -> list[UUID]:
    """Leave messages of the first lead dead."""
    ids = [UUID(world.said("importance", "V-0000", 4, "--no-wait")["message_id"]) for _ in range(number)]
    with transaction(world.engine) as connection:
        for id_ in ids:
            attempts.bury(connection, id_, error="OSError: the moon is full")
    return ids


def test_a_retry_stands_in_the_log_with_who_did_it_and_why(lived: World) -> None:
    """The lead's own history shows it, before and after the message is applied; the reason itself is not in the log."""
    (id_,) = died(lived)
    lived.ok("dead", "retry", id_, "--reason", "the moon waned", "--by", "ann")
    (shown,) = lived.said("operations")["operations"]
    assert (shown["by"], shown["reason"]) == ("ops:ann", "the moon waned")
    assert shown["data"]["messages"] == [
        {
            "message_id": str(id_), "stream_id": str(lived.leads[0]), "actor_name": "importance_answered",
            "attempts": 0, "deliveries": 0, "rings": 1, "error": "OSError",
        }
    ]  # fmt: skip
    how = "was dead after 0 failed attempts, 1 ring, the last error OSError"
    told = f"message {id_} (importance_answered) {how}; ops:ann tried it again Mon 2026-01-12 10:00:00: the moon waned"
    assert told in " ".join(lived.ok("replay", "V-0000").split())
    assert "tried it again" not in lived.ok("replay", "V-0001")
    assert "tried it again" not in lived.ok("replay", "V-0000", "--at", "1")
    lived.work()
    assert told in " ".join(lived.ok("why", "V-0000").split())
    assert lived.said("why", "V-0000")["retries"][0]["reason"] == "the moon waned"
    assert lived.said("why", "V-0000", "1")["retries"] == []
    with transaction(lived.engine) as connection:
        assert "waned" not in str(connection.exec_driver_sql("SELECT string_agg(body, '') FROM events").scalar())
    assert lived.ok("verify").endswith(": nothing is wrong\n")


def test_all_attempts_of_a_message_are_told_with_worker_and_error(lived: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails ten times and is dead, is tried again, fails once more and is applied: nothing of that is forgotten."""
    id_ = UUID(lived.said("importance", "V-0000", 3, "--no-wait")["message_id"])
    ring = Ring(id_, lived.leads[0], "importance_answered", id_, 1)

    def full(_: object) -> list[Ring]:
        raise OSError("the moon is full")

    with monkeypatch.context() as broken:
        broken.setattr(lived.applier, "apply", full)
        for _ in range(MAX_ATTEMPTS):
            lived.committer.apply_all([ring])
        assert lived.said("status")["messages"]["dead"] == 1
        lived.ok("dead", "retry", id_, "--reason", "the moon waned", "--by", "ann")
        lived.committer.apply_all([ring])
    lived.committer.apply_all([ring])
    shown = lived.ok("why", "V-0000")
    told = " ".join(shown.split())
    worker = f"{socket.gethostname()}:{os.getpid()}"
    assert "1 failed attempt since it was last tried again, 10 failed attempts before that; " in told
    assert f"; applied, by worker {worker}; on the database's clock" in told
    assert "error the last one of it: OSError: the moon is full" in told
    assert "was dead after 10 failed attempts, 1 ring, the last error OSError; ops:ann tried it again" in told
    said = lived.said("why", "V-0000")
    assert (said["message"]["worker"], said["message"]["attempts"]) == (worker, 1)
    assert lived.said("why", "V-0000", "1")["message"]["worker"] == worker
    (retry,) = said["retries"]
    assert (retry["attempts"], retry["deliveries"], retry["rings"], retry["error"]) == (10, 0, 1, "OSError")
    assert lived.ok("verify").endswith(": nothing is wrong\n")


def test_what_an_older_release_did_not_record_is_said_to_be_missing(lived: World) -> None:
    """Rows without a worker, and retries without their attempts, are read as they are."""
    (id_,) = died(lived)
    older = Retried(message_id=id_, stream_id=lived.leads[0], actor_name="importance_answered")
    with transaction(lived.engine) as connection:
        attempts.retry_dead(connection)
        kept = operations.keep_reason(connection, "the moon waned")
        acted = MessagesRetried(messages=(older,), reason=kept)
        operations.append(connection, acted, now=lived.clock(), by="ops:ann")
    lived.work()
    lived.sql("UPDATE messages SET worker = NULL, error = NULL")
    told = " ".join(lived.ok("why", "V-0000").split())
    assert "; refused, worker not recorded; on the database's clock" in told
    assert "was dead, after how many attempts was not recorded; ops:ann tried it again" in told
    assert lived.said("why", "V-0000")["retries"][0]["attempts"] is None


def test_without_a_reason_nothing_is_tried_again(lived: World) -> None:
    died(lived)
    assert "why? Say it with --reason, such as --reason 'the disk was full'" in lived.refused(2, "dead", "retry", "--all")
    assert "it is empty" in lived.refused(2, "dead", "retry", "--all", "--reason", " ")
    assert lived.said("status")["messages"]["dead"] == 1
    assert lived.ok("operations") == "nothing was done\n"


def test_whoever_says_no_name_is_the_user_of_the_machine(lived: World) -> None:
    died(lived)
    lived.ok("dead", "retry", "--all", "--reason", "x")
    assert f"  {ME} tried 1 dead message again: " in lived.ok("operations")
    assert "is no name" in lived.refused(2, "dead", "retry", "--all", "--reason", "x", "--by", "a\nb")


def test_a_retry_of_nothing_leaves_nothing(lived: World) -> None:
    lived.ok("dead", "retry", "--all", "--reason", "x")
    assert lived.said("operations")["operations"] == []


def test_many_retries_are_parted_into_several_events(lived: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """No event grows without limit; together they name each message once."""
    monkeypatch.setattr(operations, "RETRIED_MAX", 2)
    assert RETRIED_MAX == 500
    ids = died(lived, 5)
    lived.ok("dead", "retry", "--all", "--reason", "x")
    shown = lived.said("operations")["operations"]
    assert [len(each["data"]["messages"]) for each in shown] == [2, 2, 1]
    assert sorted(str(id_) for id_ in ids) == [m["message_id"] for each in shown for m in each["data"]["messages"]]


def test_a_retry_that_fails_leaves_no_trace(lived: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Act and record are one transaction."""
    died(lived)

    def full(*_: object, **__: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr(operations, "append", full)
    lived.refused(3, "dead", "retry", "--all", "--reason", "x")
    assert lived.said("status")["messages"]["dead"] == 1
    with transaction(lived.engine) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM documents").scalar() == 0


def test_an_erased_reason_is_said_to_be(lived: World) -> None:
    """Reasons can be erased like all that people wrote, and the log still verifies."""
    died(lived)
    lived.ok("dead", "retry", "--all", "--reason", "Mrs Smith rang")
    lived.sql("DELETE FROM documents")
    assert "        the reason was erased\n" in lived.ok("operations")
    assert "and the reason was erased" in " ".join(lived.ok("replay", "V-0000").split())
    assert lived.ok("verify").endswith(": nothing is wrong\n")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """An export of two leads, and its mapping."""
    export, mapping = tmp_path / "export.csv", tmp_path / "mapping.toml"
    lines = [",".join(COLUMNS), *(",".join(row(number).values()) for number in (1, 2))]
    export.write_text("\n".join(lines))
    mapping.write_text(MAPPING)
    return export, mapping


def test_an_import_stands_in_the_log_with_the_digests_of_its_files(world: World, files: tuple[Path, Path]) -> None:
    """Who holds the files can tell that they are these; what it staged can be found by the correlation id."""
    export, mapping = files
    report = world.said("import", export, "--mapping", mapping, "--by", "ann")
    (shown,) = world.said("operations")["operations"]
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    assert shown["by"] == "ops:ann"
    assert [shown["data"]["file"], shown["data"]["mapping"]] == digests
    assert {name: shown["data"][name] for name in report["totals"]} == report["totals"]
    assert shown["data"]["messages"] == report["messages"]
    (event,) = world.events(SERVICE_ID)
    assert str(event.correlation_id) == report["correlation_id"]
    assert f"ops:ann imported crm, 2 rows: 2 created; file SHA-256 {digests[0]}" in world.ok("operations")


def test_an_import_says_why_where_somebody_said_so(world: World, files: tuple[Path, Path]) -> None:
    """The words stand beside the log; without them, and where nothing was imported, there are none."""
    export, mapping = files
    world.ok("import", export, "--mapping", mapping, "--dry-run", "--reason", "to see")
    world.ok("import", export, "--mapping", mapping, "--reason", "the fair of Oakwood", "--by", "ann")
    (shown,) = world.said("operations")["operations"]
    assert (shown["by"], shown["reason"]) == ("ops:ann", "the fair of Oakwood")
    assert "        because: the fair of Oakwood\n" in world.ok("operations")
    with transaction(world.engine) as connection:
        assert "Oakwood" not in str(connection.exec_driver_sql("SELECT string_agg(body, '') FROM events").scalar())
        kept = connection.exec_driver_sql("SELECT body FROM documents WHERE kind = 'operator_reason'").scalars().all()
    assert kept == ["the fair of Oakwood"]
    export.write_text(export.read_text().replace("A-2", "A-3"))
    world.ok("import", export, "--mapping", mapping)
    last = world.said("operations")["operations"][-1]
    assert (last["reason"], "reason" in last["data"]) == (None, False)
    assert "it is empty" in world.refused(2, "import", export, "--mapping", mapping, "--reason", " ")


def test_an_import_that_changes_nothing_leaves_nothing(world: World, files: tuple[Path, Path]) -> None:
    """A dry run, a rejected file, and the same file again are no acts."""
    export, mapping = files
    world.ok("import", export, "--mapping", mapping, "--dry-run")
    good = export.read_text()
    export.write_text(good + "\nA-3,")
    world.refused(1, "import", export, "--mapping", mapping)
    assert world.said("operations")["operations"] == []
    export.write_text(good)
    for _ in range(2):
        world.ok("import", export, "--mapping", mapping)
    assert len(world.said("operations")["operations"]) == 1


def test_keys_rebuilds_and_later_acts_are_listed_in_order(lived: World, tmp_path: Path) -> None:
    """Each with its sentence, and with --since only what came then or later."""
    lived.environ["THAW_KEY_FILE"] = str(tmp_path / "signing.key")
    first = lived.ok("keys", "init", "--name", "example.com/thaw", "--by", "ann").strip()
    second = lived.ok("keys", "rotate", "--by", "bob").split()[1]
    lived.ok("rebuild", "--reason", "a drill")
    lived.at(lived.clock() + timedelta(days=1))
    lived.ok("rebuild")
    told = lived.ok("operations")
    assert f"ops:ann put the key {first} in force\n" in told
    assert f"ops:bob put the key {second} in force, in place of {first}\n" in told
    assert f"{ME} rebuilt the projections from " in told
    assert "        because: a drill\n" in told
    day = lived.clock().date().isoformat()
    assert len(lived.said("operations", "--since", day)["operations"]) == 1
    assert len(lived.said("operations")["operations"]) == 4
    assert lived.ok("operations", "--since", "2026-12-01") == "nothing was done since then\n"
    assert "is no time" in lived.refused(2, "operations", "--since", "whenever")
    assert lived.ok("verify").endswith(": nothing is wrong\n")


def test_a_key_that_the_log_does_not_know_is_recorded_before_it_signs(lived: World, tmp_path: Path) -> None:
    """A key made while no service could be reached is no secret for long."""
    lived.environ["THAW_KEY_FILE"] = str(tmp_path / "signing.key")
    there, lived.environ["THAW_DATABASE_URL"] = lived.environ["THAW_DATABASE_URL"], "postgresql://nobody@127.0.0.1:1/none"
    made = lived.thaw("keys", "init")
    assert made.exit_code == 0
    assert "the log does not say so yet, and will once it is signed with this key: " in made.stderr
    lived.environ["THAW_DATABASE_URL"] = there
    lived.ok("checkpoint", "--by", "ann")
    (shown,) = lived.said("operations")["operations"]
    assert (shown["by"], shown["data"]["key"]) == ("ops:ann", made.stdout.strip())


def test_an_export_is_recorded_in_one_transaction_with_what_goes_with_it(lived: World) -> None:
    made = RecordsExported(
        scope="leads", leads=(lived.leads[0],), first=None, last=None, events=9, opened=True, size_bytes=12_345,
        digest="ab" * 32, reason=None,
    )  # fmt: skip
    with transaction(lived.engine) as connection:
        record_export(connection, made, reason="a complaint", now=lived.clock(), by="ops:ann")
    told = lived.ok("operations")
    who = lived.leads[0].hex[:8]
    assert f"ops:ann exported 1 lead ({who}): 9 events, with names and texts, 12,345 bytes; SHA-256 {'ab' * 32}\n" in told
    assert "because: a complaint\n" in told


def test_a_later_migration_and_a_published_playbook_are_recorded_and_the_first_ones_are_not(lived: World) -> None:
    """What happened to a database that was there before is an act; a new one begins with an empty log."""
    lived.sql("ALTER TABLE playbooks DISABLE TRIGGER ALL")
    lived.sql("DELETE FROM playbooks WHERE id = 'five-five-five'")
    lived.ok("migrate", "--by", "ann")
    (shown,) = lived.said("operations")["operations"]
    assert shown["did"].startswith("published five-five-five@1.0.0, SHA-256 ")


def test_acts_and_heads_share_a_stream_without_a_gap(lived: World, tmp_path: Path) -> None:
    """Whoever appends finds the newest event, of whatever kind; a book of any moment leaves the stream out."""
    lived.environ["THAW_KEY_FILE"] = str(tmp_path / "signing.key")
    lived.ok("keys", "init")
    lived.ok("checkpoint", "--heads")
    lived.ok("rebuild")
    lived.ok("checkpoint", "--heads")
    kinds = [type(each.data).__name__ for each in lived.events(SERVICE_ID)]
    assert kinds == ["KeyInForce", "HeadsRecorded", "ProjectionsRebuilt", "HeadsRecorded"]
    lived.hand_in(lived.leads[0], AnswerImportance(importance=2))
    assert lived.said("verify")["whole"]
    assert sum(lived.said("leads")["counts"].values()) == 2
    assert "nothing differs" in lived.ok("rederive", "--all")
