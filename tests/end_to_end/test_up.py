"""``thaw up`` on a fresh machine: from nothing to a recorded note, through kill -9 of anything, to a clean end."""

import os
import signal

import pytest

from service.demo.run import Plan, calendar_for
from tests.end_to_end.machine import REP, Machine
from tests.servers import ServersUnderTest
from tests.stage import ask, linux, until
from workflows.calendars import Calendar

pytestmark = linux

NOTES_DUE = "SELECT external_id FROM leads JOIN contacts ON lead_id = id WHERE state = 'note_due' ORDER BY 1"
EVENTS = "SELECT type FROM events JOIN contacts ON lead_id = stream_id WHERE external_id = %s ORDER BY version"


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    """Return Dana's calendar."""
    return calendar_for(Plan())


def test_from_nothing_to_a_note_and_its_promised_call(machine: Machine, calendar: Calendar) -> None:
    """Servers, schema, worker and clock come up by themselves; a note is recorded, and after kill -9 and a fresh start the
    call that it promised comes due; then Ctrl-C ends everything.
    """
    window = machine.up()
    database_url = str(machine.servers().database_url)
    machine.take_in(12)
    machine.clock.move(calendar.moment(calendar.local_day(machine.clock()), 780))
    until(lambda: len(ask(database_url, NOTES_DUE)) == 5, "five notes are planned")
    lead = str(ask(database_url, NOTES_DUE)[0][0])
    answer = machine.said("note-sent", lead, "--attest-all", "--text", "How did it turn out? I'll call you.", "--fact", 1)
    assert (answer["outcome"], answer["events"], answer["state"]) == ("applied", ["note_sent"], "note_sent")
    assert ask(database_url, EVENTS, lead)[-1] == ("note_sent",)
    before = machine.processes()
    window.kill()
    # At once: the next start waits for what the last one left, which is on its way out.
    window = machine.up()
    database_url = str(machine.servers().database_url)
    machine.clock.move(calendar.start_of(calendar.add_working_days(calendar.local_day(machine.clock()), 5)))
    until(lambda: ask(database_url, EVENTS, lead)[-1] == ("call_due",), "the promised call is due")
    assert machine.said("verify")["findings"] == []
    until(lambda: not before.keys() & machine.processes().keys(), "kill -9 of thaw up ends all that it started")
    assert window.press_ctrl_c() == 0
    assert machine.processes() == {}
    assert (machine.home / "postgresql" / "log").read_text().rstrip().endswith("database system is shut down")


def test_embedded_servers_that_die_are_started_again(machine: Machine) -> None:
    """Kill -9 of PostgreSQL, and of Valkey, is noticed, said in a sentence, and mended while workers and clock wait."""
    window = machine.up()
    for name, rep in (("database", "ann"), ("redis", "bob")):
        pid = getattr(machine.servers(), f"{name}_pid")
        os.kill(pid, signal.SIGKILL)
        until(lambda: getattr(machine.servers(), f"{name}_pid") != pid, f"another {name} runs")  # noqa: B023
        answer = machine.said("rep", "set", rep, "--country", "US", "--timezone", "America/New_York")
        assert answer["outcome"] in ("applied", "accepted")
        url = str(machine.servers().database_url)
        until(lambda: ask(url, "SELECT name FROM reps WHERE name = %s", rep), f"{rep} is known")  # noqa: B023
    for title in ("PostgreSQL", "Valkey"):
        assert window.said(f"The embedded {title} died (exit code {128 + signal.SIGKILL}); it is started again.")
        assert window.said(f"The embedded {title} runs again")


def test_named_servers_are_used_and_left_alone(
    machine: Machine, servers: ServersUnderTest, database_url: str, namespace: str
) -> None:
    """With both variables set nothing is started but worker and clock, and nothing is kept in THAW_HOME."""
    machine.environ |= {
        "THAW_DATABASE_URL": database_url,
        "THAW_REDIS_URL": servers.redis_url,
        "THAW_NAMESPACE": namespace,
    }
    window = machine.up()
    answer = machine.said("rep", "set", REP, "--country", "US", "--timezone", "America/New_York")
    assert answer["outcome"] == "applied"
    assert ask(database_url, "SELECT name FROM reps") == [(REP,)]
    assert window.press_ctrl_c() == 0
    assert not machine.home.exists()
