"""Forged logs with every hash made anew: what a rep's days followed otherwise than the log says is named, by both checkers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.database import transaction
from models.playbooks import newest_playbook
from service.bundle.verify import UNDERIVED
from tests.service.bundle.forge import Forged, checked
from tests.service.cli.test_cover import covered
from tests.service.cli.test_limits import ANN, WHY, newer
from tests.service.world import WHY as REASON
from tests.service.world import World
from workflows.codec import canonical

__all__ = ["covered"]

Body = dict[str, Any]


def forged(
    world: World, folder: Path, chosen: Callable[[Body], bool], change: Callable[[Body], object]
) -> tuple[set[str], str]:
    """Change the first event that is *chosen*; return the fields that `rederive` names, and what the verifier says of it."""
    world.environ["THAW_HOME"] = str(folder / "home")
    world.ok("keys", "init", "--name", "example.com/thaw")
    world.ok("export", *REASON, "--all", "-o", folder / "all.zip")
    bundle = Forged((folder / "all.zip").read_bytes())
    number = bundle.at(chosen)
    body = bundle.lines("events.ndjson")[number][:-1]
    changed = json.loads(body)
    change(changed)
    bundle.change(number, body, canonical(changed))
    bundle.rehash()
    report = checked(bundle.listed_anew(), bundle.sign_whole(folder / "other"))
    named = f"event {bundle.index()[number][0]} ("
    found = [each.sentence for each in report.findings if each.code == UNDERIVED and each.sentence.startswith(named)]
    world.sql("ALTER TABLE events DISABLE TRIGGER USER")
    position = bundle.index()[number][0]
    world.sql("UPDATE events SET body = %(b)s WHERE position = %(p)s", b=canonical(changed).decode(), p=position)
    result = world.thaw("rederive", "--all", "--json")
    assert (result.exit_code, report.status != 0) == (1, True)
    return {each["field"] for each in json.loads(result.stdout)["mismatches"]}, "\n".join(found)


def of(kind: str, *fields: str) -> Callable[[Body], bool]:
    """Return what chooses an event of a *kind* that has *fields* in what it used or says."""
    return lambda body: (
        body["data"]["type"] == kind and all(name in {**body["data"], **(body["used"] or {})} for name in fields)
    )


def digest_of(world: World, playbook: str) -> str:
    with transaction(world.engine) as connection:
        found = newest_playbook(connection, playbook)
    assert found
    return found.pin.digest


@pytest.mark.parametrize("kind", ["note_scheduled", "day_planned"])
def test_a_colleague_who_follows_another_playbook(covered: World, tmp_path: Path, kind: str) -> None:
    """Her numbers bind the promise; another playbook of the house that nobody ever gave her."""
    other = digest_of(covered, "multi-channel-revival")

    def change(body: Body) -> None:
        body["used"]["colleague"]["followed"] = other

    fields, said = forged(covered, tmp_path, of(kind, "colleague"), change)
    assert "used.colleague.followed" in fields
    assert "used.colleague.followed is " in said
    assert "a playbook that eve followed before" in said


def test_a_rep_who_follows_another_playbook(world: World, tmp_path: Path) -> None:
    """A slot was taken by numbers that were not the rep's any more."""
    world.rep()
    with world.worker():
        world.ok("rep", "limit", "dan", "--notes", 2, *WHY, *ANN)
    world.register(3)
    world.replans = True
    world.at(world.clock().replace(day=6))
    other = digest_of(world, "five-five-five")

    def change(body: Body) -> None:
        body["used"]["followed"] = other

    fields, said = forged(world, tmp_path, of("note_scheduled", "followed"), change)
    assert "used.followed" in fields
    assert "a playbook that dan followed before" in said


@pytest.mark.parametrize(("kind", "named"), [("note_scheduled", ()), ("lead_reassigned", ("colleague",))])
def test_a_rep_whose_playbook_is_not_named_any_more(world: World, tmp_path: Path, kind: str, named: tuple[str, ...]) -> None:
    """As if the lead's own had bound: the log before it tells that dan's days never followed it, or what eve's do."""
    for rep in ("dan", "eve"):
        world.rep(rep)
        with world.worker():
            world.ok("rep", "limit", rep, "--notes", 2, *WHY, *ANN)
    world.register(3)
    world.replans = True
    world.at(world.clock().replace(day=6))
    if kind == "lead_reassigned":
        with world.worker():
            for number in range(3):
                world.ok("reassign", f"V-000{number}", "eve", *ANN)
    fields, said = forged(world, tmp_path, of(kind, "followed", *named), lambda body: body["used"].pop("followed"))
    assert "used.followed" in fields
    assert "used.followed" in said


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        (lambda data: data.pop("layers"), "data.layers", "what five-five-five.of.dan was made of follows"),
        (lambda data: data["layers"]["own"].update(opens=480), "data.layers", "data.layers.own.opens is 480"),
        (lambda data: data["layers"]["own"].update(weekdays=[1, 7]), "data.layers", "own.weekdays is [1, 7], and what lies wi"),
        (lambda data: data["layers"]["own"].update(opens=1200, closes=1300), "data.layers", "data.layers.own"),
        (lambda data: data.update(playbook="five-five-five"), "data.playbook", "five-five-five.of.dan"),
    ],
)  # fmt: skip
def test_layers_that_were_taken_away_or_widened(
    world: World, tmp_path: Path, change: Callable[[Body], object], field: str, says: str
) -> None:
    """What is pinned stays what was made for dan; hours that the merge cuts off say something that nobody may."""
    world.rep()
    with world.worker():
        world.ok("rep", "limit", "dan", "--notes", 3, *WHY, *ANN)
    fields, said = forged(
        world, tmp_path, lambda body: ".of." in ((body["playbook"] or {}).get("id", "")), lambda body: change(body["data"])
    )
    assert field in fields
    assert says in said


def test_hours_that_stand_since_they_were_right_are_honest(world: World, tmp_path: Path) -> None:
    """The playbook narrowed them later: neither checker has anything against them."""
    world.rep()
    world.register(1)
    with world.worker():
        world.ok("rep", "limit", "dan", "--closes", "18:00", *WHY, *ANN)
        newer(world, closes=1020)
        world.ok("rep", "set", "dan")
    assert world.said("rederive", "--all")["mismatches"] == []
    world.bundles_hold(tmp_path, "V-0000")


def test_a_bundle_of_a_lead_holds_what_its_rep_followed(world: World, tmp_path: Path) -> None:
    """Two playbooks with one calendar: the second, by which the note was planned, is proved there, and nothing else passes."""
    world.rep()
    with world.worker():
        for notes in (3, 2):
            world.ok("rep", "limit", "dan", "--notes", notes, *WHY, *ANN)
    world.register(1)
    world.at(world.clock().replace(day=6))
    world.bundles_hold(tmp_path, "V-0000")
    bundle = Forged((tmp_path / "1.zip").read_bytes())
    number = bundle.at(of("note_scheduled", "followed"))
    before = json.loads(bundle.lines("events.ndjson")[number])["used"]["followed"]
    assert before == digest_of(world, "five-five-five.of.dan")
    bundle.change(number, before.encode(), digest_of(world, "five-five-five").encode())
    report = checked(bundle.listed_anew(), "")
    assert any("a playbook that dan followed before" in each.sentence for each in report.findings)
