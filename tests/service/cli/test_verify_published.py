"""What is in force, changed by somebody with all rights on the database: wordings, calendars, playbooks."""

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from models import playbooks, wordings
from models.database import Connection
from models.findings import Finding
from models.verify_beside import verify_beside
from models.verify_published import Release, verify_published
from service.playbooks import record_published, this_release
from service.wordings import record_wording
from tests.service.cli.test_cover import COVERING, LEAVE
from tests.service.cli.test_verify_beside import NOTE, tampered
from tests.service.cli.test_wording import BOTH, LATE, file, text_of
from tests.service.world import MONDAY, World
from workflows.codec import digest
from workflows.phrase_lists import TEXT
from workflows.rep import rep_id

ANN = ("--why", "Dan works half days until Easter.", "--as", "manager:ann")
LATER, EVIL = LATE + "Forgive me.\n", "Buy now, $promised_day or never.\n"
PHRASES = TEXT.replace("[empty]\n", '[empty]\nhoping_well = ["hope you are well"]\n')
NAMED = {
    "late": digest(LATE.encode()),
    "later": digest(LATER.encode()),
    "evil": digest(EVIL.encode()),
    "text": EVIL,
    "shipped": digest(text_of("late-call").encode()),
    "footer": digest(text_of("mail-footer").encode()),
    "phrases": digest(PHRASES.encode()),
}


@pytest.fixture
def house(world: World, tmp_path: Path) -> World:
    """Wordings published twice and again, phrases by which a note was checked, a rep with cover, and one with a layer."""
    world.rep()
    world.rep("eve")
    world.register(3)
    for published in (LATE, LATER, LATE, LATER):
        world.ok("wording", "publish", "late-call", file(tmp_path, published), *BOTH)
    world.ok("wording", "publish", "phrases", file(tmp_path, PHRASES), *BOTH)
    (tmp_path / "cover.toml").write_text(COVERING)
    world.ok("playbook", "publish", tmp_path / "cover.toml", *BOTH)
    with world.worker():
        world.ok(*LEAVE, "--cover", "eve")
        world.ok("rep", "limit", "eve", "--notes", 2, *ANN)
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        world.ok("note-sent", "V-0000", "--text", NOTE.replace("I will call", "My colleague Eve will call"))
    return world


_INSERT = (
    "INSERT INTO wordings (number, name, digest, body, shipped) VALUES ({number}, '{name}', '{digest}', '{body}', {shipped})"
)

#: By what somebody does: what is found, and words of the sentence that says so.
ATTACKS = {
    _INSERT.format(number=1000, name="late-call", digest="{evil}", body=EVIL, shipped="false"):
        ("wording_unpublished", "late-call with the digest {evil} stands among the team's own, and no event says that it was"),
    _INSERT.format(number=1000, name="late-call", digest="{late}", body=LATE, shipped="false"):
        ("wording_differs", "own publications of the wording late-call, number 5 is none by the log, and {late} by the table"),
    _INSERT.format(number=1000, name="late-call", digest="{evil}", body=EVIL, shipped="true"):
        ("wording_unpublished", "late-call with the digest {evil} stands among those of releases; this one brings another"),
    "UPDATE wordings SET number = number + 1000 WHERE digest = '{late}' AND number = (SELECT max(number) - 2 FROM wordings)":
        ("wording_differs", "late-call, number 3 is {late} by the log, and {later} by the table"),
    "UPDATE wordings SET shipped = true WHERE digest = '{late}'":
        ("wording_unpublished", "late-call with the digest {late} stands among those of releases"),
    "UPDATE wordings SET shipped = false WHERE digest = '{shipped}'":
        ("wording_unpublished", "late-call with the digest {shipped} stands among the team's own"),
    "UPDATE wordings SET name = 'breakup' WHERE digest = '{later}'":
        ("wording_unpublished", "the wording breakup with the digest {later} stands among the team's own"),
    "UPDATE wordings SET name = 'breakup' WHERE digest = '{phrases}'":
        ("wording_differs", "(wording_published, version 5 of {service}): of the team's own publications of"),
    "DELETE FROM wordings WHERE number = (SELECT max(number) - 1 FROM wordings)":
        ("wording_differs", "late-call, number 4 is {later} by the log, and none by the table"),
    "DELETE FROM wordings WHERE name = 'mail-footer'":
        ("wording_missing", "mail-footer of this release, with the digest {footer}, is not kept"),
    "UPDATE calendars SET body = replace(body, '\"cover\":\"eve\"', '\"cover\":\"zoe\"')":
        ("calendar_differs", "{dan}): the calendar {cover} is not the one that was frozen: its digest differs"),
    "DELETE FROM calendars WHERE digest = '{cover}'":
        ("calendar_differs", "{dan}): the calendar {cover} that it froze is not kept"),
    "INSERT INTO calendars SELECT '{evil}', body FROM calendars LIMIT 1":
        ("calendar_differs", "the calendar {evil} is not the one that was frozen"),
    "INSERT INTO calendars VALUES ('{evil}', '{text}')":
        ("calendar_differs", "the calendar {evil} was never frozen: no event names it"),
    "INSERT INTO playbooks (digest, id, version, body) SELECT '{evil}', id, '1.1.7', replace(body, '1.1.0', '1.1.7') "
    "FROM playbooks WHERE (id, version) = ('five-five-five', '1.1.0')":
        ("playbook_unpublished", "no event says that the playbook five-five-five@1.1.7 with the digest {evil} was published"),
    "INSERT INTO playbooks (digest, id, version, body) SELECT '{evil}', id, '0.9.0', replace(body, '1.0.0', '0.9.0') "
    "FROM playbooks WHERE (id, version) = ('five-five-five', '1.0.0')":
        ("playbook_unpublished", "no event says that the playbook five-five-five@0.9.0"),
    "INSERT INTO playbooks (digest, id, version, body) SELECT '{evil}', id, '1.0.7', replace(body, '1.0.0', '1.0.7') "
    "FROM playbooks WHERE id = 'five-five-five.of.eve'":
        ("playbook_unpublished", "no event says that the playbook five-five-five.of.eve@1.0.7"),
    "UPDATE playbooks SET version = '1.0.9' WHERE id = 'five-five-five.of.eve'":
        ("playbook_unpublished", "no event says that the playbook five-five-five.of.eve@1.0.9"),
}  # fmt: skip


#: By which the phrases were not published by the time of the note: where their event stands now, something else does.
_PHRASES = "type = 'wording_published' AND body LIKE '%%{phrases}%%'"
AFTERWARDS = (
    f"UPDATE events SET position = position + 100000 WHERE {_PHRASES}",
    f'UPDATE events SET body = replace(body, \'"wording":"phrases"\', \'"wording":"breakup"\') WHERE {_PHRASES}',
)


def found(connection: Connection) -> list[Finding]:
    """Return what is found, which is the same when only the streams that went on are looked at."""
    everything = verify_published(connection, this_release())
    assert len(set(everything)) == len(everything), "said twice"
    since = verify_published(connection, this_release(), streams=[rep_id("dan"), rep_id("eve")])
    assert [each for each in everything if "never frozen" not in each.sentence] == since
    return everything


def test_each_change_of_what_is_in_force_is_found_and_named(house: World) -> None:
    """Nothing is wrong with what was lived; each change has a finding of its kind, in words."""
    with house.engine.connect() as connection:
        assert found(connection) == [] == verify_beside(connection)
        cover = connection.exec_driver_sql("SELECT calendar FROM reps WHERE name = 'dan'").scalar_one()
        service = connection.exec_driver_sql(
            "SELECT stream_id FROM events WHERE type = 'wording_published' LIMIT 1"
        ).scalar_one()
        names = {**NAMED, "cover": cover, "dan": rep_id("dan"), "service": service}
        for attack, (code, words) in ATTACKS.items():
            with tampered(connection, attack.format_map(names)):
                seen = found(connection)
            assert any(each.code == code and words.format_map(names) in each.sentence for each in seen), (attack, seen)
        assert found(connection) == []


def test_a_wording_that_came_after_the_decision_is_found(house: World) -> None:
    """A note was checked by phrases that nobody had published by then, or under another name."""
    names = {**NAMED, "lead": house.leads[0]}
    with house.engine.connect() as connection:
        for attack in AFTERWARDS:
            with tampered(connection, attack.format_map(names)):
                seen = [each for each in verify_beside(connection) if each.code == "wording_differs"]
            (one,) = seen
            assert one.stream_id == house.leads[0]
            assert "which was not published under that name by then" in one.sentence


def test_what_an_older_release_brought_is_no_forgery(house: World) -> None:
    """What came before the log is known by what came since; another of that name is not, nor is what was put before it."""
    release = this_release()
    old = next(each for each in release.wordings if each.name == "late-call")
    newer = old._replace(digest=digest(EVIL.encode()), text=EVIL)
    pursuit = next(each for each in release.playbooks if each.id == "five-five-five")
    next_one = replace(pursuit, version="2.0.0")
    later = Release(
        [newer if each is old else each for each in release.wordings],
        [next_one if each is pursuit else each for each in release.playbooks],
    )
    with house.engine.connect() as connection:
        # Not migrated to yet.
        said = {(each.code, "late-call" in each.sentence) for each in verify_published(connection, later)}
        assert said == {("wording_missing", True), ("wording_unpublished", True), ("playbook_unpublished", False)}
        assert wordings.publish(connection, newer, shipped=True)
        record_wording(connection, newer, now=MONDAY, by="operator")
        assert playbooks.publish(connection, next_one)
        record_published(connection, next_one, now=MONDAY, by="operator")
        assert verify_published(connection, later) == []
        assert wordings.publish(connection, old._replace(digest=NAMED["late"], text=LATE), shipped=True)
        assert playbooks.publish(connection, replace(pursuit, version="1.0.7"))
        seen = verify_published(connection, later)
        assert [each.code for each in seen] == ["wording_unpublished"] * 2 + ["playbook_unpublished"] * 2


def test_the_command_names_what_is_in_force_unpublished(house: World) -> None:
    """`thaw verify` ends with 1 and the sentence."""
    house.ok("verify")
    house.sql("ALTER TABLE calendars DISABLE TRIGGER USER")
    house.sql('UPDATE calendars SET body = replace(body, \'"cover":"eve"\', \'"cover":"zoe"\')')
    assert "is not the one that was frozen: its digest differs [calendar_differs]" in house.refused(1, "verify")
