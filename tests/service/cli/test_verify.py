"""`thaw verify` in several processes: it says what one alone says of one moment, and nothing when one of them fails."""

import contextlib
import json
import signal
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from migrations.access import AUDITOR
from models import views
from service import verifiers
from tests.logins import Logins
from tests.service.world import MONDAY, World


@pytest.fixture
def lived(world: World) -> World:
    """Return a service with a rep and a few leads in two states."""
    world.rep()
    world.register(5)
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        world.ok("note-sent", "V-0000", "--attest-all")
        world.refused(1, "call", "V-0002", "--outcome", "voicemail")
    return world


#: Done to the events of one lead, to those of another, to rows, to the slots, to the messages.
ATTACKS = (
    "UPDATE events SET body = body || ' ' WHERE stream_id = '{1}' AND version > 1",
    "UPDATE events SET actor = 'rep:eve' WHERE type = 'note_sent'",
    "UPDATE log_head SET position = position + 1000000000000000",
    "UPDATE leads SET owner = 'eve'",
    "UPDATE reps SET calendar = 'other'",
    "DELETE FROM slots",
    "DELETE FROM messages WHERE settled_at IS NULL",
)


def test_processes_find_what_one_finds(lived: World, logins: Logins) -> None:
    """With an auditor's login: the same events, streams and findings in the same order, before and after tampering."""
    lived.environ["THAW_DATABASE_URL"] = logins.url(lived.environ["THAW_DATABASE_URL"], AUDITOR)
    before = lived.said("verify", "--processes", 1)
    assert before["whole"]
    assert lived.said("verify", "--processes", 3) == before
    for attack in ATTACKS:
        lived.sql(f"SET session_replication_role = replica; {attack.format(*lived.leads)}")
        lived.sql("SET session_replication_role = DEFAULT")
    found = lived.refused(1, "verify", "--json", "--processes", 1)
    codes = {finding["code"] for finding in json.loads(found.splitlines()[-1])["findings"]}
    assert codes >= {"hash_differs", "copy_differs", "head_differs", "projection_differs", "slot_differs", "forgotten"}
    assert lived.refused(1, "verify", "--json", "--processes", 3) == found


def test_other_tables_than_the_migrations_made_are_not_read(lived: World) -> None:
    """They are named, and nothing is said of what stands in them; a trigger that is off is named beside all else."""
    lived.sql("ALTER TABLE events DISABLE TRIGGER events_append_only")
    lived.sql("UPDATE reps SET calendar = 'other'")
    found = json.loads(lived.refused(1, "verify", "--json"))
    assert {"schema_differs", "projection_differs"} == {finding["code"] for finding in found["findings"]}
    lived.sql("ALTER TABLE events RENAME TO all_events")
    lived.sql("CREATE VIEW events AS SELECT * FROM all_events WHERE position < 5")
    shown = lived.refused(1, "verify").splitlines()
    assert shown[0] == "WRONG  events is no table that lasts, but something in the place of one [schema_differs]"
    assert shown[-1] == "nothing else was compared: these are not the tables that the migrations made. Something is wrong"
    found = json.loads(lived.refused(1, "verify", "--json"))
    assert (False, False, {"schema_differs"}) == (found["whole"], found["read"], {each["code"] for each in found["findings"]})


def test_what_happens_meanwhile_is_not_seen(lived: World) -> None:
    """The processes see the moment of the one that asked, whenever they begin."""
    with views.snapshot(lived.engine) as connection, verifiers.verifiers(connection, 2) as parts:
        before = connection.exec_driver_sql("SELECT count(*) FROM events").scalar_one()
        lived.register(6)
        assert parts is not None
        assert before == sum(part.events for part in parts)
    with views.snapshot(lived.engine) as connection:
        assert before < connection.exec_driver_sql("SELECT count(*) FROM events").scalar_one()


@pytest.mark.parametrize("answers", [0, 1])
def test_a_process_that_is_killed_is_an_error(
    lived: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: int
) -> None:
    """One that dies before its first answer or after it: the command says so, and nothing of the log."""
    dying = tmp_path / "python"
    dying.write_text(f'#!/bin/sh\n"{sys.executable}" "$@" | head -n {answers}\nkill -9 $$\n')
    dying.chmod(stat.S_IRWXU)
    monkeypatch.setattr(verifiers, "PART_EVENTS", 5)
    monkeypatch.setattr(sys, "executable", str(dying))
    said = lived.refused(3, "verify", "--processes", 2)
    assert "has ended (status -9), so not all was verified" in said
    assert "nothing is wrong" not in said


def test_a_process_that_postgresql_refuses_is_an_error(lived: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What PostgreSQL said to it is what the command says."""
    monkeypatch.setattr(views, "export", lambda _: "00000000-00000000-1")
    said = lived.refused(3, "verify", "--processes", 2)
    assert "PostgreSQL refused: " in said
    assert "snapshot" in said
    assert "nothing is wrong" not in said


class Noted(subprocess.Popen[bytes]):
    """A process that is known to the test."""

    all: ClassVar[list["Noted"]] = []

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.all.append(self)


def test_on_a_ctrl_c_no_process_is_left(lived: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the block ends early the processes are killed, whatever they were at."""
    monkeypatch.setattr(subprocess, "Popen", Noted)
    with (
        views.snapshot(lived.engine) as connection,
        contextlib.suppress(KeyboardInterrupt),
        verifiers.verifiers(connection, 2),
    ):
        assert [None, None] == [process.poll() for process in Noted.all]
        raise KeyboardInterrupt
    assert [-signal.SIGKILL] * 2 == [process.returncode for process in Noted.all]


def test_since_reads_in_order_and_says_so(lived: World, tmp_path: Path) -> None:
    """The two options exclude each other."""
    note = tmp_path / "note"
    note.write_text("")
    assert "--processes is for the whole log" in lived.refused(2, "verify", "--since", note, "--processes", 2)
