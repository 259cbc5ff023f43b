"""``thaw playbook simulate``: no server is asked, and what cannot be simulated is said."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli import main

NO_SERVERS = {
    "THAW_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
    "THAW_REDIS_URL": "redis://127.0.0.1:1/0",
}


def simulate(*arguments: object) -> Result:
    """Run the command where there is no server."""
    return CliRunner().invoke(main, ["playbook", "simulate", *map(str, arguments)], env=NO_SERVERS)


def test_weeks_are_told_and_added_up() -> None:
    done = simulate("five-five-five", "--weeks", 3, "--reps", 1)
    assert done.exit_code == 0, done.output
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines[1][:6] == ["week", "from", "people", "notes", "calls", "kept"]
    assert [line[3] for line in lines[2:5]] == ["25", "25", "20"]
    assert lines[5][:4] == ["together", "70", "70", "45"]


def test_a_file_of_ones_own_may_extend_what_ships(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    head = 'schema = 1\nid = "five-five-five"\nversion = "1.1.0"\ntitle = "Two a day"\nsource = "us"\n'
    file.write_text(f'{head}extends = ["five-five-five@1.0.0"]\n[capacity]\nnotes = 2\ncalls = 2\n')
    done = simulate(file, "--weeks", 1, "--reps", 2, "--json")
    said = json.loads(done.stdout.splitlines()[-1])
    assert (said["playbook"], said["weeks"][0]["figures"]["notes"]) == ("five-five-five@1.1.0", 20)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nix",), "'nix' is neither a file nor a shipped playbook; there is"),
        (("five-five-five", "--calendar", "ZZ"), "There is no country 'ZZ'."),
        (("five-five-five", "--timezone", "Mars/Olympus"), "There is no time zone 'Mars/Olympus'."),
        (("five-five-five", "--answer-rate", "140"), "140 is not in the range 0<=x<=100"),
        (("five-five-five", "--weeks", "0"), "0 is not in the range 1<=x<=260"),
        (("five-five-five", "--start", "9999-12-31"), "9999-12-31"),
    ],
)
def test_what_cannot_be_simulated_is_said(arguments: tuple[str, ...], sentence: str) -> None:
    done = simulate(*arguments)
    assert done.exit_code == 2, done.output
    assert isinstance(done.exception, SystemExit)
    assert sentence in done.output
