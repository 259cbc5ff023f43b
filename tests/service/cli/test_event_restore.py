"""What was written about a sales event and erased does not come back from a backup unnoticed."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from service import event_erasing
from service.ledger import Ledger
from service.settings import Settings
from tests.service.campaigns import ANN, Office, ask
from tests.service.cli.test_erase import copy_database, ledger, owner, restore
from tests.service.world import MONDAY, World
from workflows.campaign_events import EventTextsErased
from workflows.sales_event import sales_event_id

ID = sales_event_id("spring-training")
ERASE = ("event", "erase", "spring-training", "--reason", "asked for it by letter", *ANN)
SENTENCE = "what was written about 1 sales event and erased, as "


@pytest.fixture
def announced(world: World) -> World:
    """One event, approved and to come."""
    with world.worker():
        Office(world).event(place="1 Mill Lane")
    return world


@pytest.fixture
def backup(announced: World) -> Iterator[str]:
    """Yield the name of a copy of the database, from before the event was cancelled."""
    name = f"{database(announced)}_backup"
    copy_database(announced, database(announced), name)
    yield name
    with psycopg.connect(urlsplit(owner(announced))._replace(path="/postgres").geturl(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def database(world: World) -> str:
    return urlsplit(owner(world)).path.removeprefix("/")


def erase(world: World) -> None:
    with world.worker():
        world.ok("event", "cancel", "spring-training", "--reason", "Jane Host is ill", *ANN)
        world.ok(*ERASE)


def texts(world: World) -> list[object]:
    """Return what is written about the event, but for reasons of erasures."""
    return [
        row[0] for row in ask(world, f"SELECT body FROM documents WHERE lead_id = '{ID}' AND body <> 'asked for it by letter'")
    ]


def receipts(world: World) -> list[EventTextsErased]:
    return [each.data for each in world.events(ID) if isinstance(each.data, EventTextsErased)]


def test_after_a_restore_nothing_is_served_until_the_texts_are_erased_again(announced: World, backup: str) -> None:
    """The backup knows the host, and not that the event was cancelled; the ledger knows that the host was erased."""
    erase(announced)
    assert texts(announced) == []
    intended, erased = ledger(announced)
    assert [intended["of"], intended["kind"], erased["of"], erased["kind"]] == ["event", "intended", "event", "erased"]
    assert "Harbour" not in json.dumps(ledger(announced))
    listed = announced.ok("erasures", "list")
    assert f"{ID}  2026-01-05  what was written about a sales event: erased\n1 erasure; the ledger is " in listed
    announced.clock.move(MONDAY + timedelta(days=3))
    restore(announced, backup)
    assert "Harbour Mills" in texts(announced)
    for command in (("today", "--rep", "dan"), ("event", "show", "spring-training"), ("worker",), ("clock",)):
        said = announced.refused(3, *command)
        assert SENTENCE in said
        assert "`thaw erasures reapply`" in said
    assert announced.ok("verify").endswith(": nothing is wrong\n")
    assert "a sales event: BACK in this database" in announced.refused(1, "erasures", "list")
    (again,) = announced.said("erasures", "reapply", "--by", "pia")["erased"]
    assert (again["lead_id"], again["of"], again["reapplied"]) == (str(ID), "event", True)
    assert (again["erased_at"], again["documents"]) == (erased["at"], len(receipts(announced)[0].documents))
    assert texts(announced) == []
    last = announced.events(ID)[-1]
    assert (last.actor, f"{last.recorded_at:%Y-%m-%d}") == ("operator:pia", "2026-01-08")
    assert ledger(announced)[-1]["reapplied_at"].startswith("2026-01-08")
    assert announced.said("erasures", "reapply") == {"erased": []}
    assert "the words about it were erased on" in announced.ok("event", "show", "spring-training")
    assert announced.ok("verify").endswith(": nothing is wrong\n")
    assert "nothing differs" in announced.ok("rederive", "--all")
    assert "the projections are what the log says" in announced.ok("rebuild", "--check")


def test_what_was_written_after_an_erasure_and_erased_too_is_not_forgotten(announced: World) -> None:
    """A backup from between two erasures has the receipt of the first, and the texts of the second."""
    erase(announced)
    with announced.worker():
        announced.refused(1, "event", "describe", "spring-training", "--text", "Two days with Jane Host, who teaches us.", *ANN)
    name = f"{database(announced)}_between"
    copy_database(announced, database(announced), name)
    try:
        with announced.worker():
            announced.ok(*ERASE)
        assert len(receipts(announced)) == 2
        announced.ok("today", "--rep", "dan")
        restore(announced, name)
        assert len(texts(announced)) == 1
        assert SENTENCE in announced.refused(3, "today", "--rep", "dan")
        assert "erased again: what was written about sales event" in announced.ok("erasures", "reapply")
        assert texts(announced) == []
        announced.ok("today", "--rep", "dan")
    finally:
        with psycopg.connect(urlsplit(owner(announced))._replace(path="/postgres").geturl(), autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def test_an_erasure_that_a_worker_did_later_is_noted_at_the_next_start(announced: World, backup: str) -> None:
    """Whoever asked did not wait: the intention holds nobody up, and becomes a receipt; so it counts after a restore."""
    with announced.worker():
        announced.ok("event", "cancel", "spring-training", "--reason", "Jane Host is ill", *ANN)
    announced.ok(*ERASE, "--no-wait")
    announced.ok("today", "--rep", "dan")
    assert "a sales event: asked for, and waits for a worker" in announced.ok("erasures", "list")
    announced.work()
    assert [line["kind"] for line in ledger(announced)] == ["intended"]
    announced.ok("today", "--rep", "dan")
    assert [line["kind"] for line in ledger(announced)] == ["intended", "erased"]
    restore(announced, backup)
    assert SENTENCE in announced.refused(3, "today", "--rep", "dan")


def test_killed_before_it_is_noted_the_intention_is_enough(
    announced: World, backup: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends behind the commit, a worker erases, and a backup of before comes back before anybody looked."""
    with announced.worker(), monkeypatch.context() as dying:
        announced.ok("event", "cancel", "spring-training", "--reason", "Jane Host is ill", *ANN)
        dying.setattr(event_erasing, "_end", lambda *_: None)
        announced.ok(*ERASE)
    assert [line["kind"] for line in ledger(announced)] == ["intended"]
    restore(announced, backup)
    assert SENTENCE in announced.refused(3, "today", "--rep", "dan")
    announced.ok("erasures", "reapply")
    assert texts(announced) == []
    announced.ok("today", "--rep", "dan")


def test_a_refused_erasure_leaves_nothing_in_the_ledger_that_stands(announced: World, backup: str) -> None:
    """The event is to come: nothing is erased, and nothing is to be repeated."""
    with announced.worker():
        assert "refused (over)" in announced.refused(1, *ERASE)
    assert [line["kind"] for line in ledger(announced)] == ["intended", "withdrawn"]
    assert Ledger(Settings(home=announced.environ["THAW_HOME"])).texts() == []
    restore(announced, backup)
    announced.ok("today", "--rep", "dan")


def test_a_ledger_that_is_new_learns_of_texts_what_the_database_knows(announced: World) -> None:
    erase(announced)
    path = Path(announced.environ["THAW_HOME"]) / "erasures.ledger"
    (_, erased) = ledger(announced)
    path.unlink()
    assert "erased, and not in the ledger: `thaw erasures reapply` notes it there\n" in announced.ok("erasures", "list")
    assert announced.ok("erasures", "reapply") == "nobody is back who was erased\n"
    assert ledger(announced) == [erased]


def test_lines_of_before_are_read_as_they_were(world: World, tmp_path: Path) -> None:
    """They say nothing of what was erased: it was a lead."""
    path = tmp_path / "old.ledger"
    old = (
        '{"kind":"erased","lead_id":"5fe9aec3-b97b-5c13-a790-5ca2cea2b1c6","message_id":"00000000-0000-4000-8000-000000000001",'
        '"at":"2026-01-06T15:00:00Z","reason":{"document_id":"00000000-0000-4000-8000-000000000002","commitment":"'
        + "0"
        * 64
        + '"},'
        '"event":"' + "1" * 64 + '"}\n'
    )
    path.write_text(old)
    world.environ["THAW_ERASURE_LEDGER"] = str(path)
    found = Ledger(Settings(erasure_ledger=str(path)))
    assert (len(found.entries()), found.texts()) == (1, [])
    assert "not known to this database; an import refuses it" in world.ok("erasures", "list")
    assert path.read_text() == old
