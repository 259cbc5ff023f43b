"""``thaw playbook simulate``: no server is asked, and what cannot be simulated is said."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.calendars import freeze_calendar
from service.cli import main
from service.offices import KeepInTouch
from service.playbooks import shipped_playbooks

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


def figures(playbook: str, *more: object) -> list[dict[str, int]]:
    done = simulate(playbook, "--reps", 2, "--json", *more)
    assert done.exit_code == 0, done.output
    return [week["counts"] for week in json.loads(done.stdout.splitlines()[-1])["weeks"]]


def test_keeping_in_touch_is_told_by_the_month() -> None:
    """A3-2: each of twenty people is owed a touch in each of the two months, and gets it by mail; some answer."""
    weeks = figures("keep-in-touch", "--weeks", 9, "--leads", 10, "--answer-rate", 10)
    assert (len(weeks), "notes" in weeks[0]) == (9, False)
    owed, sent = sum(week["owed"] for week in weeks), sum(week["by mail"] for week in weeks)
    assert 30 < sent == owed <= 40
    assert sum(week["gaps"] for week in weeks) == 0
    assert 0 < sum(week["replies"] for week in weeks) < 10
    assert sum(week["minutes"] for week in weeks) == 4 * sent


def test_where_no_mail_may_go_out_the_touch_goes_by_post() -> None:
    """Nobody knows where these people live, and so nobody is mailed."""
    first, last = date(2026, 1, 5), date(2026, 2, 15)
    calendar = freeze_calendar("US", "", "America/New_York", date(2025, 1, 1), date(2028, 12, 31))
    playbook = shipped_playbooks()["keep-in-touch"][0]
    office = KeepInTouch(playbook, {"dan": calendar}, start=first, leads=3, answer_rate=0.0, seed=1)
    for number in range((last - first).days):
        office.live(first + timedelta(days=number))
    counts = [week.counts for week in office.counted(first, last)]
    assert (sum(each["by mail"] for each in counts), sum(each["by post"] for each in counts)) == (0, 3)


def test_the_reason_comes_before_the_homework() -> None:
    """A2-5, A2-9: two noes a day and rep; all are asked from the next day on, and who answered gets the homework."""
    weeks = figures("real-reason", "--weeks", 4, "--leads", 20)
    sums = {name: sum(week[name] for week in weeks) for name in weeks[0]}
    assert (sums["noes"], weeks[0]["noes"]) == (40, 20)
    first = figures("real-reason", "--weeks", 1, "--leads", 20, "--start", "2026-01-09", "--answer-rate", 100)
    assert (first[0]["noes"], first[0]["asked"]) == (4, 0), "nobody is asked on the Friday of the no"
    assert sums["answered"] == sums["real reasons"] >= sums["homework"] == sums["strategies"] > 20
    assert sums["asked"] > sums["answered"], "who was not reached is asked again"
    nobody = figures("real-reason", "--weeks", 4, "--leads", 20, "--answer-rate", 0)
    assert sum(week["homework"] for week in nobody) == 0 < sum(week["asked"] for week in nobody)


def test_letters_of_campaigns_are_refused_in_a_sentence() -> None:
    done = simulate("event-invitation")
    assert done.exit_code == 2
    assert "is for letters of campaigns, which have no part in the simulation" in done.output
