"""The private key stays in its file: no command, log line, traceback or table has any form of it."""

import base64
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from service.cli import main
from service.keys import KeyFileError, KeyFiles
from service.logs import set_up_logs
from service.notary import Notary
from service.settings import Settings
from tests.service.world import MONDAY, World, database_template, quiet_logs, world
from tests.stage import until

__all__ = ["database_template", "quiet_logs", "world"]


def forms(path: Path) -> list[str]:
    """Return every way in which the key in the file at *path* may be written."""
    raw = base64.b64decode(path.read_text().strip().removeprefix("PRIVATE+KEY+").split("+", 2)[2])
    seed = raw[1:]
    encoded = [base64.b64encode(raw), base64.urlsafe_b64encode(raw), base64.b64encode(seed), base64.urlsafe_b64encode(seed)]
    texts = [each.decode().rstrip("=")[2:-2] for each in encoded]
    return [*texts, seed.hex(), seed.hex().upper(), repr(seed)[2:-1], str(list(seed))[1:-1]]


def database_text(world: World) -> Iterator[str]:
    """Yield all rows of all tables as text."""
    with world.engine.connect() as connection:
        for (table,) in connection.exec_driver_sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").all():
            yield from connection.exec_driver_sql(f"SELECT t::text FROM {table} t").scalars()


@pytest.fixture
def signing(world: World, tmp_path: Path) -> World:
    """A service with a history and a key."""
    world.environ |= {
        "THAW_KEY_FILE": str(tmp_path / "signing.key"),
        "THAW_CHECKPOINT_FILE": str(tmp_path / "notes"),
        "THAW_LOG_LEVEL": "debug",
    }
    world.rep()
    world.register(2)
    world.at(MONDAY + timedelta(days=2))
    world.ok("keys", "init", "--name", "example.com/thaw")
    return world


def test_no_command_and_no_table_shows_the_key(signing: World) -> None:
    """Over the whole life of two keys, whatever is printed on either stream."""
    path, printed, secrets = Path(signing.environ["THAW_KEY_FILE"]), "", []
    commands = [[name] for name in ("settings", "operations", "status", "verify", "roles")]
    commands += [["keys", "show"], ["checkpoint", "--heads"], ["keys", "rotate"], ["keys", "rotate"], ["keys", "init"]]
    for command in [*commands, ["checkpoint"], *commands]:
        for options in ([], ["--json"]):
            secrets += forms(path)
            result = signing.thaw(*command, *options)
            printed += result.output
            if result.exc_info:
                printed += str(result.exc_info)
    path.chmod(0o644)
    printed += signing.refused(2, "checkpoint")
    path.chmod(0o600)
    path.write_text(path.read_text().strip()[:-3])
    printed += signing.refused(2, "checkpoint")
    assert set(main.commands) >= {command[0] for command in commands}
    assert "example.com/thaw+" in printed
    everywhere = [printed, *database_text(signing), Path(signing.environ["THAW_CHECKPOINT_FILE"]).read_text()]
    assert len(set(secrets)) > 16
    assert [secret for secret in set(secrets) if any(secret in text for text in everywhere)] == []


@pytest.mark.parametrize("form", ["json", "console"])
def test_the_clock_process_does_not_log_the_key(signing: World, tmp_path: Path, form: str) -> None:
    """At the most talkative level, while it signs, and while it cannot."""
    path = Path(signing.environ["THAW_KEY_FILE"])
    secrets, log = forms(path), tmp_path / "log"
    environ = os.environ | signing.environ | {"THAW_LOG": form, "THAW_CHECKPOINT_WEBHOOK": "http://127.0.0.1:1/"}
    with log.open("wb") as output:
        clock = subprocess.Popen([sys.executable, "-m", "service", "clock"], env=environ, stdout=output, stderr=output)
    try:
        until(lambda: "checkpoint_unsent" in log.read_text(), "a checkpoint is made")
        path.chmod(0o644)
        signing.register(1)
        signing.sql("ALTER TABLE checkpoints DISABLE TRIGGER ALL")
        signing.sql("UPDATE checkpoints SET made_at = made_at - interval '1 hour'")
        until(lambda: "notary_waits" in log.read_text(), "the key cannot be used")
    finally:
        clock.terminate()
        clock.wait(60)
    assert [secret for secret in secrets if secret in log.read_text()] == []


def test_a_traceback_does_not_show_what_the_functions_hold(
    signing: World, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither rendering prints local variables, among which the key is for a moment."""
    files = KeyFiles(Settings(key_file=signing.environ["THAW_KEY_FILE"]))
    secrets = forms(files.path)
    notary = Notary(signing.engine, signing.clock, files, ())
    monkeypatch.setattr("service.notary.signed", lambda _, keys: keys[0].no_such_thing)
    for form in ("json", "console"):
        set_up_logs(Settings(log=form, log_level="debug"))
        try:
            notary.make(wait=True)
        except AttributeError:
            structlog.get_logger().exception("it_failed")
            logging.getLogger("library").exception("it failed")
    files.path.write_text(files.path.read_text()[:-4])
    try:
        files.signing()
    except KeyFileError:
        structlog.get_logger().exception("it_failed")
    said = capfd.readouterr()
    assert "Traceback (most recent call last)" in said.err
    assert [secret for secret in secrets if secret in said.out + said.err] == []
