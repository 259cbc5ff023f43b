"""Playbooks from the command line: checked, published for good, compared, and leads moved from one to the next."""

import json
import re
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from service.playbooks import shipped_playbooks
from tests.service.world import MONDAY, World
from workflows.events import PlaybookMigrated
from workflows.operations import PlaybookPublished
from workflows.service_stream import SERVICE_ID

GUIDE = Path(__file__).parents[3] / "docs" / "playbooks.md"

MINE = """
schema = 1
id = "five-five-five"
version = "1.1.0"
title = "Ours"
source = "us"
extends = ["five-five-five@1.0.0"]

[timers]
queue_age_days = 100
"""


#: Who publishes, and who approves.
BOTH = ("--as", "manager:ann", "--approved-by", "manager:bob")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A file with a newer version of the shipped playbook."""
    (tmp_path / "mine.toml").write_text(MINE)
    return tmp_path / "mine.toml"


def test_the_shipped_playbooks_are_published(world: World) -> None:
    """Each method is one, and the first is whole with what it takes over from the others."""
    published = [each["playbook"] for each in world.said("playbook", "list")]
    assert {"five-five-five@1.0.0", "multi-channel-revival@1.0.0", "real-reason@1.0.0", "keep-in-touch@1.0.0"} <= set(published)
    whole = world.said("playbook", "show", "five-five-five")
    assert (whole["capacity"]["notes"], whole["attempts"]["max"], whole["homework"]["min_sources"]) == (5, 6, 1)
    assert "Jeff Shore" in world.ok("playbook", "show", "five-five-five@1.0.0")
    assert "did you mean five-five-five@1.0.0?" in world.refused(2, "playbook", "show", "five-five-fve@1.0.0")


def test_the_guide_prints_what_its_own_playbooks_do(world: World, tmp_path: Path) -> None:
    """The file above a transcript is the one that was typed: checked word for word, and of the what-if by all that it names."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    shown = [(text, blocks[number + 1][1]) for number, (kind, text) in enumerate(blocks) if kind == "toml"]
    (mine, validated), (eight, what_if) = shown
    for file, text, (command, _, printed) in (
        ("mine.toml", mine, validated.partition("\n")),
        ("eight.toml", eight, what_if.partition("\n")),
    ):
        (tmp_path / file).write_text(text)
        assert command.endswith(f" {file}")
        said = world.ok("playbook", "validate", tmp_path / file)
        pin = said.partition(" ")[0]
        assert (printed == said) if file == "mine.toml" else printed.startswith(f"what if    {pin} had been in force from ")
    capacity = tomllib.loads(eight)["capacity"]
    assert capacity == {"notes": 8, "calls": 8}
    assert "eight notes and eight promised calls a day instead of five" in GUIDE.read_text()


def test_a_playbook_is_checked_before_it_is_published(world: World, mine: Path) -> None:
    """What would do nothing good is refused with its field; nothing of it is published."""
    assert world.said("playbook", "validate", mine)["playbook"] == "five-five-five@1.1.0"
    assert "at 40% answered, a rep's day brings 6.9 later attempts and 0.2 breakups" in world.ok("playbook", "validate", mine)
    mine.write_text(MINE + "[capacity]\nnotes = 0\n")
    assert "REFUSED    capacity.notes" in world.refused(1, "playbook", "validate", mine)
    assert "Nothing was published" in world.refused(2, "playbook", "publish", mine, *BOTH)
    for section, field in (
        ('[attempts]\nmodes = ["handwritten_note", "fax"]\n', "attempts.modes"),
        ("[capacity]\nfollow_up_touches = 0\n", "capacity.follow_up_touches"),
    ):
        mine.write_text(MINE + section)
        assert f"REFUSED    {field}" in world.refused(1, "playbook", "validate", mine)
        assert f"{field}: " in (said := world.refused(2, "playbook", "publish", mine, *BOTH))
        assert "Nothing was published" in said
    mine.write_text(MINE.replace("100", '"soon"'))
    assert "line 10, timers.queue_age_days: Expected `int`, got `str`" in world.refused(2, "playbook", "publish", mine, *BOTH)
    mine.write_bytes(b"\xff\xfe")
    assert "not UTF-8" in world.refused(2, "playbook", "validate", mine)
    assert len([p for p in world.said("playbook", "list") if p["playbook"].startswith("five")]) == 1


def test_a_published_version_never_changes(world: World, mine: Path) -> None:
    """Invariant 7: the same again is harmless, another content under the same version is refused."""
    assert world.said("playbook", "publish", mine, *BOTH)["new"]
    assert not world.said("playbook", "publish", mine, *BOTH)["new"]
    assert "a second person" in world.refused(2, "playbook", "publish", mine, *BOTH[:3], "manager:Ann")
    (published,) = (event for event in world.events(SERVICE_ID) if isinstance(event.data, PlaybookPublished))
    assert isinstance(published.data, PlaybookPublished)
    assert (published.actor, published.data.approved_by, published.data.version) == ("manager:ann", "manager:bob", "1.1.0")
    mine.write_text(MINE.replace("100", "101"))
    assert "is published already and never changes" in world.refused(2, "playbook", "publish", mine, *BOTH)
    differences = world.said("playbook", "diff", "five-five-five@1.0.0", "five-five-five@1.1.0")
    fields = [each["field"] for each in differences]
    assert fields == ["extends", "source", "timers.queue_age_days", "title", "version"]
    assert "timers.queue_age_days: 270 -> 100" in world.ok("playbook", "diff", "five-five-five@1.0.0", "five-five-five")


def test_leads_stay_with_their_version_until_they_are_moved(world: World, mine: Path) -> None:
    """A dry run says what would move, and moves nothing."""
    world.rep()
    world.register(2)
    world.ok("playbook", "publish", mine, *BOTH)
    lead = world.leads[0]
    before = world.lead(lead)
    assert before.playbook
    assert before.playbook.version == "1.0.0"
    move = ("playbook", "migrate", "five-five-five@1.0.0", "five-five-five@1.1.0")
    dry = world.said(*move, "--dry-run")
    assert [each["state"] for each in dry["leads"]] == ["queued", "queued"]
    assert list(dry["leads"][0]["timers"]) == ["queue_age"]
    world.work()
    assert world.lead(lead) == before
    assert "only a manager" in world.refused(2, *move)
    handed_in = world.ok(*move, "--as", "manager:ann")
    assert "2 leads handed in" in handed_in
    assert "the days of dan are planned by five-five-five@1.0.0 until `thaw rep set dan`" in handed_in
    world.work()
    after = world.lead(lead)
    assert after.playbook
    assert after.playbook.version == "1.1.0"
    assert (before.timers["queue_age"].due_at - after.timers["queue_age"].due_at).days == 170
    assert isinstance(world.events(lead)[-1].data, PlaybookMigrated)
    assert world.said("rederive", "--all")["mismatches"] == []
    assert world.said("verify")["findings"] == []
    left = world.said(*move, "--dry-run")
    assert (left["leads"], left["reps"]) == ([], ["dan"])
    world.rep()
    assert world.said(*move, "--dry-run")["reps"] == []


def test_a_lead_on_a_missing_step_goes_where_it_is_mapped(world: World, tmp_path: Path) -> None:
    """Refused when a lead stands on a step the new version lacks, unless a mapping is given: the dry run shows it first."""
    world.rep()
    world.register(2)
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        world.ok("note-sent", "V-0000", "--attest-all")
    callers = MINE.replace("extends", 'first_touch = "call"\nextends') + "[capacity]\nnotes = 0\n"
    (tmp_path / "callers.toml").write_text(callers)
    world.ok("playbook", "publish", tmp_path / "callers.toml", *BOTH)
    move = ("playbook", "migrate", "five-five-five@1.0.0", "five-five-five@1.1.0")
    assert "0 leads would move, 2 stay" in world.ok(*move, "--dry-run")
    for wrong, says in (
        ("nots=queue", "there is no step 'nots'; there is note, promised_call, later_call"),
        ("note=won", "from note a lead can go on to queue or promised_call"),
        ("later_call=promised_call", "from later_call a lead can go on to queue"),
    ):
        assert says in world.refused(2, *move, "--dry-run", "--map", wrong)
    assert "note is mapped already" in world.refused(2, *move, "--dry-run", "--map", "note=queue", "--map", "note=queue")
    dry = world.ok(*move, "--dry-run", "--map", "note=promised_call")
    assert "note_sent): note -> promised call\n" in dry
    assert "note_due): stays: five-five-five@1.1.0 has no notes, and from note due it cannot go on to promised call" in dry
    assert "note_sent): note -> queue (the promise of the call ends)" in world.ok(*move, "--dry-run", "--map", "note=queue")
    assert [world.lead(id_).state for id_ in world.leads] == ["note_sent", "note_due"]
    world.ok(*move, "--as", "manager:ann", "--map", "note=promised_call")
    world.work()
    assert [world.lead(id_).playbook.version for id_ in world.leads] == ["1.1.0", "1.0.0"]  # type: ignore[union-attr]  # both have one
    world.ok(*move, "--as", "manager:ann", "--map", "note=queue")
    world.work()
    assert [world.lead(id_).state for id_ in world.leads] == ["note_sent", "queued"]
    moved = world.events(world.leads[1])[-1].data
    assert isinstance(moved, PlaybookMigrated)
    assert (moved.step, moved.onto) == ("note", "queue")
    (tmp_path / "callers.toml").write_text(callers.replace("1.1.0", "1.2.0") + "calls = 0\n")
    world.ok("playbook", "publish", tmp_path / "callers.toml", *BOTH)
    again = ("playbook", "migrate", "five-five-five@1.1.0", "five-five-five@1.2.0", "--map", "note=queue")
    world.ok(*again, "--as", "manager:ann")
    world.work()
    assert [world.lead(id_).state for id_ in world.leads] == ["queued", "queued"]
    lines = world.said("accountability", "--from", "2026-01-05", "--to", "2026-01-16", "--rep", "dan")["lines"]
    assert sum(line["figures"].get("broken", 0) for line in lines) == 1
    assert world.said("rederive", "--all")["mismatches"] == []
    assert world.said("verify")["findings"] == []


def test_silence_leads_to_the_playbook_that_is_named(world: World, tmp_path: Path) -> None:
    """A1-3: whoever does not answer the promised call follows it, by an event; nobody else does; and it derives again."""
    world.rep()
    (tmp_path / "to.toml").write_text(MINE + '[on_no_response]\ngoto = "multi-channel-revival"\n')
    world.ok("playbook", "publish", tmp_path / "to.toml", *BOTH)
    assert "multi-channel-revival@1.0.0" in json.dumps(world.said("playbook", "show", "five-five-five@1.1.0"))
    world.register(2)
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        for key in ("V-0000", "V-0001"):
            world.ok("note-sent", key, "--attest-all")
    world.at(MONDAY + timedelta(days=8))
    with world.worker():
        world.ok("call", "V-0000", "--outcome", "voicemail")
    world.work()
    followed = [lead.playbook and lead.playbook.id for lead in map(world.lead, world.leads)]
    assert ["multi-channel-revival", "five-five-five"] == followed
    moved = world.events(world.leads[0])[-1]
    assert isinstance(moved.data, PlaybookMigrated)
    assert moved.actor == "rep:dan"
    assert world.said("rederive", "--all")["mismatches"] == []
    assert world.said("verify")["findings"] == []
    (tmp_path / "what.toml").write_text(MINE.replace("1.1.0", "3.0.0") + '[on_no_response]\ngoto = "multi-channel-revival"\n')
    assert world.said("what-if", tmp_path / "what.toml")["playbook"] == "five-five-five@3.0.0"
    assert "five-five-five@3.0.0" in world.ok("playbook", "simulate", tmp_path / "what.toml", "--weeks", 3, "--reps", 1)


def test_the_schema_knows_every_field_that_shipped_playbooks_say(world: World) -> None:
    """Issue of playbooks: an editor finds a field that there is not, and one that is out of its range."""
    schema = json.loads(world.ok("playbook", "schema"))
    defs = schema["$defs"]
    for _, text in shipped_playbooks().values():
        for name, value in tomllib.loads(text).items():
            found = defs["Playbook"]["properties"][name]
            if isinstance(value, dict) and "$ref" in found:
                assert value.keys() <= defs[found["$ref"].rpartition("/")[2]]["properties"].keys()
    assert defs["Playbook"]["additionalProperties"] is False
    assert defs["Timers"]["properties"]["nurture_day"] == {"type": "integer", "minimum": 1, "maximum": 28}
    assert defs["Playbook"]["required"] == ["id", "schema", "source", "title", "version"]
