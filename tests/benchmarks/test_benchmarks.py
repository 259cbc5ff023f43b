"""Each benchmark runs from end to end, in small. How fast that is, no test says."""

import json

import pytest

from tests.benchmarks import transitions
from tests.benchmarks.__main__ import BENCHMARKS, main
from tests.benchmarks.figures import Figure
from tests.benchmarks.log import lives
from tests.benchmarks.stage import Crew, Stage
from tests.servers import ServersUnderTest


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
