"""``thaw erase`` and ``thaw erasures``: one answer however often it is asked, and nobody back from a backup unnoticed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from service.ledger import Ledger
from service.settings import Settings
from tests.service.world import MONDAY, World
from tests.stage import ROOT
from workflows.events import event_type

REASON = ("--reason", "asked for it by letter of 3 March")
TWIN = {"name": "Ada Amberfield", "email": "ada@example.com"}


@pytest.fixture
def lived(world: World) -> World:
    """Ada as V-0000 and V-0001, Cora who shares her telephone as V-0002, and Dirk; dan has written to all."""
    world.rep()
    world.take_in(person=TWIN)
    world.take_in(person=TWIN | {"phone": "+15550109999"})
    world.take_in(person={"phone": "+15550000000"})
    world.take_in()
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        for number in range(4):
            text = f"Dear friend number {number}"
            world.ok("note-sent", f"V-000{number}", "--text", text, "--override", "It is what this test searches for.")
    return world


def ledger(world: World) -> list[dict[str, str]]:
    path = Path(world.environ["THAW_HOME"]) / "erasures.ledger"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_the_answer_is_the_receipt_and_the_same_again(lived: World) -> None:
    """A second time, with another reason, gives the first receipt; the person is called by the day, by every name they had."""
    said = lived.ok("erase", "V-0003", *REASON, "--by", "pia")
    assert f"erased: lead {lived.leads[3]}: 1 contact, 2 texts, " in said
    first = lived.said("erase", str(lived.leads[3]), "--reason", "another one")
    assert first == lived.said("erase", lived.leads[3].hex[:8], *REASON)
    (erased,) = first["erased"]
    assert (erased["already"], erased["contacts"], erased["documents"], erased["hash"] in said) == (True, 1, 2, True)
    receipt = lived.events(lived.leads[3])[-1]
    assert (receipt.actor, receipt.version) == ("operator:pia", erased["version"])
    assert "Dirk" not in json.dumps(first)


def test_every_command_works_with_an_erased_lead(lived: World) -> None:
    """The history is whole, and the name is the day of the erasure; what people would add is refused before it is kept."""
    before = lived.said("status")["leads"]
    lived.ok("erase", "V-0003", *REASON)
    id_, day = str(lived.leads[3]), f"{lived.clock():%Y-%m-%d}"
    shown = lived.ok("lead", id_)
    assert shown.startswith(f"erased on {day}\nlead       {id_}")
    assert f"next       nothing: everything about this person was erased on {day} (nobody)" in shown
    for looked in (("replay", id_), ("replay", id_, "--at", "2"), ("why", id_, "5")):
        assert f"erased on {day}" in lived.ok(*looked)
    assert f"erased on {day}" in lived.ok("why-not", id_, "--on", "2026-01-06")
    for checked in (("verify",), ("rebuild", "--check"), ("rederive", id_), ("rederive", "--all"), ("today", "--rep", "dan")):
        assert "Dirk" not in lived.ok(*checked)
    lived.ok("rebuild")
    assert lived.ok("verify").endswith(": nothing is wrong\n")
    lived.ok("leads", "--at", "2026-01-05")
    assert f"erased on {day}" in lived.ok("lead", id_)
    for told in (("call", id_, "--outcome", "voicemail"), ("reply", id_, "--channel", "email", "--words", "Dirk here")):
        assert f"erased on {day}: nothing more is recorded about this person" in lived.refused(2, *told)
    after = lived.said("status")["leads"]
    assert after == before | {"do_not_contact": 1, "note_sent": before["note_sent"] - 1}


def test_other_leads_of_the_same_person_are_named_and_erased_on_demand(lived: World) -> None:
    """A mail address makes the same person; a telephone line alone may be a colleague's."""
    said = lived.ok("erase", "V-0000", *REASON)
    assert "the same person, by mail address, is not erased: `thaw erase V-0001`\n" in said
    assert "the same telephone number, and perhaps another person: V-0002\n" in said
    again = lived.said("erase", "V-0001", *REASON, "--all-of-them")
    assert [str(lived.leads[1])] == [each["lead_id"] for each in again["erased"]]


def test_all_leads_of_a_person_go_at_once(lived: World) -> None:
    said = lived.said("erase", "V-0001", *REASON, "--all-of-them")
    assert {str(lived.leads[0]), str(lived.leads[1])} == {each["lead_id"] for each in said["erased"]}
    assert ([], [{"lead_id": str(lived.leads[2]), "shares": ["phone"]}]) == (said["same_person"], said["same_line"])
    assert not lived.lead(lived.leads[2]).erased_at


@pytest.mark.parametrize(
    ("reason", "how"),
    [
        ("Mrs Amberfield asked for it", "name"),
        ("mail from ADA@example.com", "mail address"),
        ("rang from 555 000-0000", "telephone number"),
        ("ticket about V-0000", "id in the CRM"),
    ],
)
def test_a_reason_that_names_the_person_is_refused(lived: World, reason: str, how: str) -> None:
    """It is all that stays, and must not bring back what goes."""
    assert f"--reason names the person, by {how}" in lived.refused(2, "erase", "V-0000", "--reason", reason)
    assert ledger(lived) == []


def test_the_ledger_has_the_receipt_and_nothing_of_the_person(lived: World) -> None:
    lived.ok("erase", "V-0000", *REASON)
    intended, erased = ledger(lived)
    receipt = lived.events(lived.leads[0])[-1]
    assert ["intended", "erased"] == [intended["kind"], erased["kind"]]
    assert {str(lived.leads[0])} == {intended["lead_id"], erased["lead_id"]}
    assert str(receipt.message_id) == erased["message_id"]
    assert (Path(lived.environ["THAW_HOME"]) / "erasures.ledger").stat().st_mode & 0o777 == 0o600
    text = json.dumps(ledger(lived))
    assert not [word for word in ("Ada", "Amberfield", "ada@", "5550000", "V-0000", "letter") if word in text]


@pytest.fixture
def backup(lived: World) -> Iterator[str]:
    """Yield the name of a copy of the database, as it was before anybody was erased."""
    url = owner(lived)
    name = f"{urlsplit(url).path.removeprefix('/')}_backup"
    copy_database(lived, urlsplit(url).path.removeprefix("/"), name)
    yield name
    with psycopg.connect(urlsplit(url)._replace(path="/postgres").geturl(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def owner(world: World) -> str:
    """Return the URL of the login that owns the database."""
    return world.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def copy_database(world: World, source: str, target: str) -> None:
    """Make the database *target* a copy of *source*."""
    for engine in world.engines.values():
        engine.dispose()
    url = urlsplit(owner(world))._replace(path="/postgres").geturl()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY(%s)", ([source, target],)
        )
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(target)))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(target), sql.Identifier(source)))


def restore(world: World, backup: str) -> None:
    copy_database(world, backup, urlsplit(world.environ["THAW_DATABASE_URL"]).path.removeprefix("/"))


def test_after_a_restore_nothing_is_served_until_the_erasures_are_reapplied(lived: World, backup: str) -> None:
    """The backup knows Ada; the ledger knows better. The second receipt names the day of the first."""
    first = lived.said("erase", "V-0000", *REASON)["erased"][0]
    lived.ok("erase", "V-0003", *REASON)
    lived.clock.move(MONDAY + timedelta(days=3))
    restore(lived, backup)
    sentence = "2 people whose erasures stand in "
    for command in (
        ("today", "--rep", "dan"),
        ("lead", "V-0000"),
        ("hold", "V-0002", "--reason", "manual"),
        ("worker",),
        ("clock",),
    ):
        said = lived.refused(3, *command)
        assert sentence in said
        assert "`thaw erasures reapply`" in said
        assert len(said.strip().splitlines()) == 1
    assert lived.ok("verify").endswith(": nothing is wrong\n")
    listed = lived.refused(1, "erasures", "list")
    assert f"{lived.leads[0]}  2026-01-06  BACK in this database: run `thaw erasures reapply`\n" in listed
    said = lived.said("erasures", "reapply", "--by", "pia")
    assert {str(lived.leads[0]), str(lived.leads[3])} == {each["lead_id"] for each in said["erased"]}
    again = next(each for each in said["erased"] if each["lead_id"] == str(lived.leads[0]))
    assert (again["reapplied"], again["erased_at"], again["documents"]) == (True, first["erased_at"], 2)
    receipt = lived.events(lived.leads[0])[-1]
    assert (receipt.actor, f"{receipt.recorded_at:%Y-%m-%d}") == ("operator:pia", "2026-01-08")
    assert "erased on 2026-01-06" in lived.ok("lead", str(lived.leads[0]))
    assert lived.ok("verify").endswith(": nothing is wrong\n")
    assert "nothing differs" in lived.ok("rederive", "--all")
    assert lived.said("erasures", "reapply") == {"erased": []}
    assert lived.ok("erasures", "list").count(" erased\n") == 2
    assert lived.refused(1, "suppressions", "check", "--email", "ada@example.com")


def test_an_erasure_whose_lead_the_backup_does_not_know_is_kept_in_mind(lived: World, backup: str) -> None:
    """There is nothing to erase, so that nothing is held up; the ledger keeps the person out of the next import."""
    new = lived.take_in()
    lived.ok("erase", str(new), *REASON)
    restore(lived, backup)
    lived.ok("today", "--rep", "dan")
    assert f"{new}  2026-01-06  not known to this database; an import refuses it\n" in lived.ok("erasures", "list")


def test_a_ledger_that_is_new_learns_what_the_database_knows(lived: World) -> None:
    lived.ok("erase", "V-0000", *REASON)
    (Path(lived.environ["THAW_HOME"]) / "erasures.ledger").unlink()
    assert "and not in the ledger: `thaw erasures reapply` notes it there\n" in lived.ok("erasures", "list")
    assert lived.ok("erasures", "reapply") == "nobody is back who was erased\n"
    (line,) = ledger(lived)
    assert (line["kind"], line["event"]) == ("erased", lived.said("erase", str(lived.leads[0]), *REASON)["erased"][0]["hash"])


DIES = """
import os, signal, sys
from service import ledger
from service.cli import main
append = ledger.Book.append
def dying(self, line):
    if {before}: os.kill(os.getpid(), signal.SIGKILL)
    append(self, line)
    if {after}: os.kill(os.getpid(), signal.SIGKILL)
ledger.Book.append = dying
main()
"""


def killed(world: World, before: str, after: str, *arguments: str) -> None:
    """Run the command line in a process that is killed -9 as a line of the ledger is to be written."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("THAW_")} | world.environ
    program = DIES.format(before=before, after=after)
    done = subprocess.run([sys.executable, "-c", program, *arguments], cwd=ROOT, env=environ, check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_killed_between_the_commit_and_the_ledger_the_next_start_notes_it(lived: World) -> None:
    """Ada is erased, and the ledger has only the intention: whoever comes next adds the receipt, and serves."""
    killed(lived, "line.kind == 'erased'", "False", "erase", "V-0000", *REASON)
    assert ["intended"] == [line["kind"] for line in ledger(lived)]
    assert lived.lead(lived.leads[0]).erased_at
    lived.ok("today", "--rep", "dan")
    assert ["intended", "erased"] == [line["kind"] for line in ledger(lived)]


def test_killed_before_the_commit_nothing_is_served_until_it_is_done(lived: World) -> None:
    """The operator wants Ada erased, and the ledger remembers that: it is no re-application, because it is the first."""
    killed(lived, "False", "line.kind == 'intended'", "erase", "V-0000", *REASON)
    assert not lived.lead(lived.leads[0]).erased_at
    assert "1 person whose erasure stands in " in lived.refused(3, "today", "--rep", "dan")
    (erased,) = lived.said("erasures", "reapply")["erased"]
    assert (erased["lead_id"], erased["reapplied"]) == (str(lived.leads[0]), False)
    lived.ok("today", "--rep", "dan")


def test_killed_once_it_is_accepted_a_worker_does_it(lived: World) -> None:
    """The command is staged and committed; whoever applies it, the ledger gets the receipt."""
    world = lived
    stop = "from actors.committer import Committer; Committer.apply_all = lambda self, rings: os.kill(os.getpid(), 9)\n"
    program = f"import os\nfrom service.cli import main\n{stop}main()"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("THAW_")} | world.environ
    done = subprocess.run(
        [sys.executable, "-c", program, "erase", "V-0000", *REASON], cwd=ROOT, env=environ, check=False, capture_output=True
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert "1 person whose erasure stands in " in world.refused(3, "today", "--rep", "dan")
    world.work()
    assert world.lead(world.leads[0]).erased_at
    world.ok("today", "--rep", "dan")
    assert ["intended", "erased"] == [line["kind"] for line in ledger(world)]


def test_a_line_that_was_cut_off_is_no_line(lived: World) -> None:
    """The power went while it was written, before the commit: nothing came of it, and the next line stands on its own."""
    lived.ok("erase", "V-0000", *REASON)
    path = Path(lived.environ["THAW_HOME"]) / "erasures.ledger"
    with path.open("a") as file:
        file.write('{"kind":"intended","lead_id":"')
    lived.ok("today", "--rep", "dan")
    lived.ok("erase", "V-0003", *REASON)
    assert 4 == len(ledger(lived))
    path.write_text("nonsense\n" + path.read_text())
    assert f"line 1 of {path} is none of a ledger of erasures" in lived.refused(2, "today", "--rep", "dan")


def test_a_ledger_that_cannot_be_written_stops_the_erasure(lived: World, tmp_path: Path) -> None:
    """Better not erased than erased and forgotten."""
    lived.environ["THAW_ERASURE_LEDGER"] = str(tmp_path / "clock" / "erasures.ledger")
    said = lived.refused(2, "erase", "V-0000", *REASON)
    assert "the ledger of erasures" in said
    assert "THAW_ERASURE_LEDGER" in said
    assert not lived.lead(lived.leads[0]).erased_at
    assert not Ledger(Settings(erasure_ledger=lived.environ["THAW_ERASURE_LEDGER"])).path.exists()


def test_two_at_once_give_one_receipt(lived: World) -> None:
    """Two operators, two processes, one person: both get the same answer, and there is one event."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("THAW_")} | lived.environ
    argv = [sys.executable, "-m", "service", "erase", str(lived.leads[3]), *REASON, "--json"]
    running = [subprocess.Popen(argv, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [json.loads(each.communicate()[0].splitlines()[-1])["erased"][0] for each in running]
    assert [0, 0] == [each.returncode for each in running]
    assert answers[0]["hash"] == answers[1]["hash"]
    assert [False, True] == sorted(each["already"] for each in answers)
    assert 1 == [event_type(event.data) for event in lived.events(lived.leads[3])].count("lead_erased")
