"""Keys, checkpoints and verification on the command line."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.service.world import MONDAY, WHY, World
from workflows.notes import parse_key, parse_note, split_notes


@pytest.fixture
def signing(world: World, tmp_path: Path) -> World:
    """A service with two leads, a key, and a file to which checkpoints go."""
    world.environ["THAW_KEY_FILE"] = str(tmp_path / "keys" / "signing.key")
    world.environ["THAW_CHECKPOINT_FILE"] = str(tmp_path / "notes")
    world.rep()
    world.register(2)
    world.at(MONDAY + timedelta(days=7))
    world.ok("keys", "init", "--name", "example.com/thaw")
    return world


def test_keys_are_made_shown_and_replaced_and_never_printed(signing: World) -> None:
    """The public keys are printed, the one in force last; the private one never is."""
    first = signing.ok("keys", "show").strip()
    assert "example.com/thaw" == parse_key(first).name
    assert "replace it with `thaw keys rotate`" in signing.refused(2, "keys", "init")
    old, new = signing.said("keys", "rotate")["verifier_keys"]
    assert first == old
    assert [old, new] == signing.ok("keys", "show").split()
    assert "run `thaw checkpoint`" in signing.refused(2, "keys", "rotate")
    signing.ok("checkpoint")
    signing.ok("keys", "rotate")
    key = Path(signing.environ["THAW_KEY_FILE"])
    private = key.read_text().split("+", 4)[4].strip()
    for arguments in (("keys", "show"), ("checkpoint",), ("settings",), ("verify", "--json")):
        assert private not in signing.ok(*arguments)
    in_force = signing.ok("keys", "show").split()[-1:]
    key.with_name("signing.key.verifiers").unlink()
    assert in_force == signing.ok("keys", "show").split()


def test_without_a_key_the_command_to_run_is_said(world: World, tmp_path: Path) -> None:
    """Nobody can sign without a key, and somebody who verifies is told what is not covered."""
    world.environ["THAW_KEY_FILE"] = str(tmp_path / "none")
    for arguments in (("checkpoint",), ("keys", "show"), ("keys", "rotate")):
        assert "make one with `thaw keys init`" in world.refused(2, *arguments)
    assert "nothing is signed" in world.thaw("verify").stderr


def test_status_says_that_the_clock_of_postgresql_went_back(signing: World) -> None:
    """The newest checkpoint is of tomorrow: its age is not said, and a line says what that means."""
    signing.ok("checkpoint")
    signing.sql("ALTER TABLE checkpoints DISABLE TRIGGER USER")
    assert "clock went back" not in signing.ok("status")
    signing.sql("UPDATE checkpoints SET made_at = clock_timestamp() + interval '3 days'")
    shown = signing.ok("status")
    assert "events, dated ahead of now\n" in shown
    assert "! PostgreSQL's clock went back, or ran ahead before: by it the newest checkpoint is made in 2 days\n" in shown


@pytest.mark.parametrize("moment", ["infinity", "-infinity", "0044-03-15 BC", "20000-01-01"])
def test_a_moment_that_nobody_can_read_keeps_nobody_from_signing_and_verifying(
    signing: World, tmp_path: Path, moment: str
) -> None:
    """Whoever writes it into the tables of checkpoints would stop status, verification, the notary and every export."""
    signing.ok("checkpoint", "--heads")
    signing.register(1)
    signing.ok("checkpoint")
    for table, column in (("checkpoints", "made_at"), ("checkpoint_deliveries", "delivered_at")):
        signing.sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        signing.sql(f"UPDATE {table} SET {column} = %(at)s", at=moment)
        signing.sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    signing.sql("INSERT INTO checkpoint_failures VALUES ('file', 3, 'away', %(at)s, 2)", at=moment)
    assert "not sent to file since" in signing.ok("status")
    signing.register(1)
    signing.ok("checkpoint")
    signing.ok("export", *WHY, "V-0000", "-o", tmp_path / "one.zip")
    signing.ok("verify")


def test_a_key_that_is_lost_is_replaced_for_the_same_log(signing: World) -> None:
    """Its public half is still shown and still vouches; the clock and `thaw status` do not pass over that nothing is signed."""
    old = signing.ok("keys", "show").strip()
    signing.ok("checkpoint", "--heads")
    path = Path(signing.environ["THAW_KEY_FILE"])
    path.chmod(0o644)
    assert "chmod 600" in signing.refused(2, "checkpoint")
    assert old in signing.thaw("keys", "show").stdout
    path.unlink()
    for arguments in (("checkpoint",), ("keys", "show"), ("keys", "rotate")):
        assert "example.com/thaw was signed with it: put its copy back" in signing.refused(2, *arguments)
    assert old in signing.thaw("keys", "show").stdout
    made = signing.thaw("keys", "init")
    assert (0, "example.com/thaw") == (made.exit_code, parse_key(made.stdout.strip()).name)
    assert "all lines of `thaw keys show`" in made.stderr
    signing.ok("checkpoint")
    assert [old, made.stdout.strip()] == signing.ok("keys", "show").split()
    assert "nothing is wrong" in signing.ok("verify")


def test_status_says_that_nothing_is_signed_any_more(signing: World) -> None:
    """What came since the newest checkpoint is behind it for a minute, and not for hours."""
    signing.ok("checkpoint")
    signing.register(1)
    assert "nothing was signed" not in signing.thaw("status").stdout
    signing.sql("ALTER TABLE checkpoints DISABLE TRIGGER ALL; UPDATE checkpoints SET made_at = made_at - interval '3 hours'")
    assert "! nothing was signed for 3 h, and " in signing.thaw("status").stdout


def test_a_checkpoint_is_printed_sent_and_kept(signing: World) -> None:
    """The note on the screen is the one in the file; with nothing new the same is printed again and not sent twice."""
    note = signing.ok("checkpoint", "--heads")
    assert "example.com/thaw\n" in parse_note(note).text
    assert [note] == split_notes(Path(signing.environ["THAW_CHECKPOINT_FILE"]).read_text())
    assert note == signing.ok("checkpoint")
    said = signing.said("checkpoint")
    assert (False, note) == (said["made"], said["note"])
    assert [note] == split_notes(Path(signing.environ["THAW_CHECKPOINT_FILE"]).read_text())
    assert signing.ok("verify").startswith(f"1 checkpoint, the newest over {said['size']} events\n{said['size']} events in 4 ")


def test_the_first_thing_that_is_signed_is_the_key(world: World, tmp_path: Path) -> None:
    """An otherwise empty log says which key signs it, and that has a checkpoint."""
    world.environ["THAW_KEY_FILE"] = str(tmp_path / "signing.key")
    assert parse_key(world.ok("keys", "init").strip()).name.startswith("thaw/")
    assert 1 == world.said("checkpoint")["size"]


def test_what_came_after_a_checkpoint_is_checked_alone(signing: World, tmp_path: Path) -> None:
    """With a note that was kept elsewhere, and its key, only later events are checked one by one."""
    kept = tmp_path / "kept"
    kept.write_text(signing.ok("checkpoint"))
    key = signing.ok("keys", "show").strip()
    kept.write_text(kept.read_text().rstrip("\n"))  # as it comes out of some mail programs
    size = signing.said("checkpoint")["size"]
    signing.register(1)
    said = signing.said("verify", "--since", kept)
    assert (True, size, size + 2, 1) == (said["whole"], said["since"], said["events"], said["streams"])
    shown = signing.ok("verify", "--since", kept)
    assert f"{size + 2} events, one by one in the 1 stream that went on behind {size}: nothing is wrong\n" in shown
    assert (
        f"not compared: columns, rows, slots, timers, calendars, messages and texts of streams without an event behind {size}; "
        in shown
    )

    del signing.environ["THAW_KEY_FILE"]
    signing.environ["THAW_HOME"] = str(tmp_path / "auditor")
    assert "name it with --key" in signing.refused(2, "verify", "--since", kept)
    assert "signatures were not checked" in signing.ok("verify")
    assert signing.said("verify", "--since", kept, "--key", key)["signatures_checked"]
    other = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert "not signed by any key" in signing.refused(2, "verify", "--since", kept, "--key", other)
    assert "--key a+b+AA==: the verifier key is not one of Ed25519; give a whole line" in signing.refused(
        2, "verify", "--key", "a+b+AA=="
    )
    kept.write_text("hello\n")
    assert "holds what is no checkpoint" in signing.refused(2, "verify", "--since", kept, "--key", key)
    kept.write_text("\n")
    assert "holds no checkpoint" in signing.refused(2, "verify", "--since", kept, "--key", key)


def test_who_has_only_the_newest_key_is_told_which_other_to_pass(signing: World, tmp_path: Path) -> None:
    """After a rotation an honest log has checkpoints of two keys; with both of them nothing is wrong."""
    signing.ok("checkpoint")
    first, second = signing.said("keys", "rotate")["verifier_keys"]
    for _ in range(2):
        signing.register(1)
        signing.ok("checkpoint")
    signing.environ |= {"THAW_KEY_FILE": "", "THAW_CHECKPOINT_FILE": "", "THAW_HOME": str(tmp_path / "auditor")}
    shown = signing.refused(1, "verify", "--key", second)
    name, digits, _ = first.split("+", 2)
    assert (
        f"not signed by any key that is known here, but by {name}+{digits}: `thaw verify` takes that with --key, too" in shown
    )
    assert "nothing is wrong" in signing.ok("verify", "--key", second, "--key", first)


def test_a_rollback_is_found_by_the_file_of_sent_checkpoints(signing: World) -> None:
    """A log cut behind the database's back contradicts the newest sent note, and is not signed again."""
    signing.ok("checkpoint")
    for statement in (
        "ALTER TABLE events DISABLE TRIGGER ALL",
        "ALTER TABLE checkpoints DISABLE TRIGGER ALL",
        "DELETE FROM events WHERE position = (SELECT position FROM log_head)",
        "UPDATE log_head SET position = position - 1",
        "DELETE FROM checkpoints",
    ):
        signing.sql(statement)
    result = signing.thaw("verify", "--json")
    assert 1 == result.exit_code
    assert "outside_ahead" in [f["code"] for f in json.loads(result.stdout.splitlines()[-1])["findings"]]
    assert "it was cut, or is an old backup" in signing.refused(3, "checkpoint")


def test_the_clock_process_signs_and_sends(signing: World) -> None:
    """Where a key is, ``thaw clock`` makes a checkpoint by itself, posts it, and ends when it is told to."""
    posted: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in the base
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.timeout = 60
        environ = signing.environ | {"THAW_CHECKPOINT_WEBHOOK": f"http://127.0.0.1:{server.server_port}/"}
        clock = subprocess.Popen([sys.executable, "-m", "service", "clock"], env=os.environ | environ)
        server.handle_request()
        clock.terminate()
        assert 0 == clock.wait(60)
    assert posted == [signing.ok("checkpoint")]
    assert signing.ok("verify").endswith(": nothing is wrong\n")
