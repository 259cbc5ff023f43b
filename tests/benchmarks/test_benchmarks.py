"""Each benchmark runs from end to end, in small. How fast that is, no test says."""

import json
from uuid import UUID

import pytest

from models.events import Appended
from tests.benchmarks import transitions
from tests.benchmarks.__main__ import BENCHMARKS, main
from tests.benchmarks.bundle import freeze_calendars
from tests.benchmarks.cast import lead_id
from tests.benchmarks.copies import ORIGINALS
from tests.benchmarks.figures import Figure
from tests.benchmarks.log import lives, make_projections, write_log
from tests.benchmarks.replay import verify_all
from tests.benchmarks.stage import Crew, Stage, engine_of
from tests.servers import ServersUnderTest
from tests.workflows.life import CALENDAR, PLAYBOOK
from workflows.codec import GENESIS, chain_hashes
from workflows.events import decode_recorded
from workflows.handle import calendar_digest
from workflows.rederive import Library, rederive


@pytest.mark.parametrize("name", [name for name in BENCHMARKS if name != "transitions"])
def test_a_benchmark_runs_and_ends_with_a_line_for_machines(
    name: str, servers: ServersUnderTest, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """All figures are there, and the last line is one JSON object."""
    monkeypatch.setenv("THAW_DATABASE_URL", servers.database_url)
    monkeypatch.setenv("THAW_REDIS_URL", servers.redis_url)
    assert 0 == main(["--quick", "--only", name])
    result = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert result["quick"]
    assert all(value > 0 for value in result["figures"].values())
    assert {key.partition(".")[0] for key in result["figures"]} == {name}


@pytest.mark.parametrize("module", ["service.worker:broker", f"{transitions.MODULE}:per_thread"])
def test_every_message_of_the_mix_is_applied_with_one_event(module: str, servers: ServersUnderTest) -> None:
    """By the real workers and by those that are measured beside them; `transitions.transitions` looks at each message."""
    stage = Stage(servers.database_url, servers.redis_url, quick=True)
    assert transitions.transitions(stage, Crew(module=module, threads=8), 50) > 0


def test_an_unknown_benchmark_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is started for a name that is not there."""
    assert 2 == main(["--only", "speed"])
    assert "no benchmark called speed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "aim", "at_most", "missed"),
    [
        (2.0, 3.0, False, True),
        (3.0, 3.0, False, False),
        (2.0, 1.5, True, True),
        (1.5, 1.5, True, False),
        (9.0, None, False, False),
    ],
)
def test_an_aim_is_missed_on_its_wrong_side_only(value: float, aim: float | None, at_most: bool, missed: bool) -> None:
    """Some aims are to be reached, others not to be passed."""
    assert missed == Figure("key", "title", value, "x", aim, at_most).missed


def test_a_life_can_be_lived_whenever_it_begins() -> None:
    """On holidays and over weekends too: the long log is made of lives that begin within five weeks."""
    assert all(list(lives(1, first=number)) for number in range(0, 50_000, 997))


def test_a_life_that_is_written_again_is_as_sound(servers: ServersUnderTest) -> None:
    """Ids, slots and messages are its own, its hashes follow, and each of its decisions is made again."""
    library = Library({calendar_digest(CALENDAR): CALENDAR}, {PLAYBOOK.pin.digest: PLAYBOOK})
    streams: dict[UUID, list[Appended]] = {}
    for appended in lives(75, times=3):
        streams.setdefault(appended.recorded.stream_id, []).append(appended)
    assert {lead_id(number + copy * ORIGINALS) for number in range(5) for copy in range(3)} == streams.keys()
    for events in streams.values():
        assert chain_hashes(GENESIS, [each.body for each in events]) == [each.hash for each in events]
        assert all(decode_recorded(each.body) == each.recorded for each in events)
        assert not rederive([each.recorded for each in events], library).mismatches
    every = [each.recorded for events in streams.values() for each in events]
    slots = [slot for recorded in every for slot in recorded.effects.reserved]
    assert len(set(slots)) == len(slots) > 0
    assert {each.message_id for each in every if each.stream_id == lead_id(0)}.isdisjoint(
        each.message_id for each in every if each.stream_id != lead_id(0)
    )
    stage = Stage(servers.database_url, servers.redis_url, quick=True)
    with stage.database() as url, engine_of(url) as engine:
        freeze_calendars(engine)
        count = write_log(engine, 75, times=3)
        make_projections(engine)
        verify_all(engine, count)
