"""What layers make of a playbook: its id is kept for it, its versions can be read, and nobody's text is lost."""

import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from actors.submit import UnsoundCommandError
from models.database import transaction
from models.playbooks import PublishedError, newest_playbook, publish
from tests.service.cli.test_limits import ANN, WHY, office, reasons_kept
from tests.service.cli.test_playbook import BOTH, MINE
from tests.service.world import World
from workflows.commands import MigratePlaybook
from workflows.playbooks import Playbook

__all__ = ["office"]


def as_published(world: World, version: str) -> Playbook:
    """Publish a playbook under the id of dan's, as somebody could by hand before such ids were kept for what is made."""
    with transaction(world.engine) as connection:
        newest = newest_playbook(connection, "five-five-five")
        assert newest
        theirs = replace(newest, id="five-five-five.of.dan", version=version, title="Theirs")
        publish(connection, theirs)
    return theirs


def test_ids_of_what_is_made_for_a_rep_are_not_to_be_taken(world: World, tmp_path: Path) -> None:
    """Neither checked as right nor published; the sentence says what such ids are for."""
    (tmp_path / "mine.toml").write_text(MINE.replace('id = "five-five-five"', 'id = "five-five-five.of.dan"'))
    before = world.ok("playbook", "list")
    for typed in (("validate", tmp_path / "mine.toml"), ("publish", tmp_path / "mine.toml", *BOTH)):
        said = world.refused(2, "playbook", *typed)
        assert "line 3, id: '.of.' is kept for what `thaw rep limit` and `thaw team set` make of a playbook" in said
    assert world.ok("playbook", "list") == before


@pytest.mark.parametrize(("theirs", "ours"), [("1.0.9999", "1.1.0"), ("1.9999.9999", "2.0.0"), ("1.2.3", "1.2.4")])
def test_each_version_is_followed_by_one_that_can_be_read(office: World, theirs: str, ours: str) -> None:
    """A number has four digits at most."""
    world = office
    as_published(world, theirs)
    with world.worker():
        world.ok("rep", "limit", "dan", "--notes", 3, *WHY, *ANN)
    assert f"five-five-five.of.dan@{ours}" in world.ok("playbook", "list")
    assert f"playbook   five-five-five.of.dan@{ours}" in world.ok("rep", "show", "dan")
    assert world.said("rederive", "--all")["mismatches"] == []


def test_where_no_version_is_left_nothing_is_changed(office: World) -> None:
    """For one rep of a team none is left: the sentence names the rep, and the others keep theirs too."""
    world = office
    with world.worker():
        for rep in ("dan", "eve"):
            world.ok("rep", "limit", rep, "--team", "north", *WHY, *ANN)
    as_published(world, "9999.9999.9999")
    before, reasons = world.ok("playbook", "list"), reasons_kept(world)
    said = world.refused(2, "team", "set", "north", "--notes", 3, *WHY, *ANN)
    assert "dan: five-five-five.of.dan@9999.9999.9999 is the last version that there can be" in said
    assert "Nothing was changed" in said
    assert (world.ok("playbook", "list"), reasons_kept(world)) == (before, reasons)


def test_who_publishes_another_text_in_the_same_moment_is_told(world: World) -> None:
    """Both looked before either had published: the second waits for the first, and is not told that his text stands."""
    with transaction(world.engine) as connection:
        newest = newest_playbook(connection, "five-five-five")
    assert newest
    texts = [replace(newest, version="7.0.0", title=title) for title in ("First", "Second", "First")]
    said: list[object] = []

    def second(playbook: Playbook) -> None:
        try:
            with transaction(world.service) as other:
                said.append(publish(other, playbook))
        except PublishedError as error:
            said.append(str(error))

    with transaction(world.service) as connection:
        assert publish(connection, texts[0])
        waiting = [threading.Thread(target=second, args=(playbook,)) for playbook in texts[1:]]
        for thread in waiting:
            thread.start()
        for thread in waiting:
            thread.join(timeout=0.3)
        assert said == []
    for thread in waiting:
        thread.join(timeout=20)
    told = "five-five-five@7.0.0 is published already and never changes; give the new content a higher version"
    assert sorted(map(str, said)) == sorted([told, "False"])
    with transaction(world.engine) as connection:
        kept = newest_playbook(connection, "five-five-five")
    assert kept == texts[0]


def test_no_lead_follows_what_was_made_for_one_rep(office: World) -> None:
    """Not dan's and not eve's: the command says what to name instead, and no message that moves them is accepted."""
    world = office
    with world.worker():
        world.ok("rep", "limit", "dan", "--weekdays", "1", *WHY, *ANN)
    for dry in ((), ("--dry-run",)):
        said = world.refused(2, "playbook", "migrate", "five-five-five@1.0.0", "five-five-five.of.dan", *ANN, *dry)
        assert "five-five-five.of.dan was made for the days of one rep: name what it was made of, five-five-five" in said
    with transaction(world.engine) as connection:
        made = newest_playbook(connection, "five-five-five.of.dan")
    assert made
    move = MigratePlaybook(playbook=made.id, version=made.version, digest=made.pin.digest)
    with pytest.raises(UnsoundCommandError, match=r"five-five-five\.of\.dan was made for the days of one rep"):
        world.hand_in(world.leads[0], move, who="manager:ann")
    followed = {pin.id for id_ in world.leads if (pin := world.lead(id_).playbook)}
    assert followed == {"five-five-five"}
