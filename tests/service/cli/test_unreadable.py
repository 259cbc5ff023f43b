"""A log of which a body was altered so that it is no event: every command that rests on it says so in a sentence."""

from pathlib import Path

import pytest

from tests.service.world import WHY, World

LEAD, DAY = "V-0000", ("--on", "2026-01-05")

#: Deeper than anybody decodes; cut off; two events in one body.
HOWS = {"deep": "left(body, -1) || ',\"zz\":' || repeat('[', 100000)", "cut": "left(body, -5)", "two": "body || ',' || body"}

#: By the type of the events that are altered: commands that rest on them.
READERS = {
    "revival_queued": (("leads",), ("why", LEAD, 1), ("accountability",)),
    "heads_recorded": (("checkpoint", "--heads"), ("export", *WHY, LEAD, "-o", "one.zip")),
    "key_in_force": (("operations",), ("checkpoint",)),
}


@pytest.mark.parametrize("how", HOWS)
def test_what_cannot_be_read_is_said_in_a_sentence(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The status is 1, and the sentence says what to run next, which names the event; an export has it as it stands."""
    monkeypatch.chdir(tmp_path)
    world.environ["THAW_HOME"] = str(tmp_path / "home")
    world.rep()
    world.register()
    world.ok("keys", "init", "--name", "example.com/thaw")
    world.ok("checkpoint", "--heads")
    world.sql("ALTER TABLE events DISABLE TRIGGER USER")
    world.sql("CREATE TABLE kept AS SELECT position, body FROM events")
    for type_, commands in READERS.items():
        world.sql(f"UPDATE events SET body = {HOWS[how]} WHERE type = '{type_}'")
        for command in commands:
            said = world.refused(1, *command)
            assert said.startswith("thaw: the log cannot be folded: "), (command, said)
            assert said.endswith(". Run `thaw verify`\n")
        assert f"({type_}, version " in world.refused(1, "verify")
        world.ok("export", *WHY, "--range", "1:5", "--opened", "--force", "-o", "some.zip")
        world.sql("UPDATE events SET body = kept.body FROM kept WHERE kept.position = events.position")


def test_a_text_that_is_named_by_no_id_is_exported_as_it_stands(world: World, tmp_path: Path) -> None:
    """What is wrong there the verifier of the bundle says."""
    world.environ["THAW_HOME"] = str(tmp_path / "home")
    world.rep()
    world.register()
    world.ok("keys", "init", "--name", "example.com/thaw")
    world.ok("checkpoint")
    world.sql("ALTER TABLE events DISABLE TRIGGER USER")
    world.sql('UPDATE events SET body = replace(body, \'"document_id":"\', \'"document_id":"no\')')
    world.ok("export", *WHY, "--range", "1:4", "--opened", "-o", tmp_path / "some.zip")
    assert "WRONG        event 3 (lead_registered, " in world.refused(1, "verify-bundle", tmp_path / "some.zip")
