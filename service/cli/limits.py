"""What a team or a rep does otherwise than the playbook: numbers of the day, and narrower hours for calls, with who and why."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

import click
import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from actors.submit import Submission
from models import leads
from models.database import Connection, transaction
from service.cli.answers import hand_in_all
from service.cli.app import App, InputError, json_option, pass_app
from service.cli.layered import (
    Change,
    Settled,
    begin_change,
    check_may_set,
    followed_base,
    number_lines,
    numbers_of,
    publish_made,
    settle,
    under_way,
)
from service.cli.reps import submission_of
from service.cli.typed import TEXT, WHO
from service.find import REP_NAMES, find_rep, is_rep_name
from service.limits import told_limits
from service.wording import count, plain
from workflows.layers import HOURS, Said
from workflows.lead import Rep
from workflows.limits import Limits

_TIME = re.compile("([0-9]{1,2}):([0-5][0-9])")


def _minute(text: str | None, option: str) -> int | UnsetType:
    if text is None:
        return UNSET
    match = _TIME.fullmatch(text)
    if match and (minute := int(match[1]) * 60 + int(match[2])) <= 1440:
        return minute
    raise InputError(f"{option} {plain(text, 20)!r}: a time of the prospect's day as in 09:30, 00:00 to 24:00")


def _weekdays(text: str | None) -> tuple[int, ...] | UnsetType:
    if text is None:
        return UNSET
    parts = [part.strip() for part in text.split(",")]
    if not all(part in {"1", "2", "3", "4", "5", "6", "7"} for part in parts):
        raise InputError(f"--weekdays {plain(text, 40)!r}: numbers 1 (Monday) to 7 (Sunday) with commas between, as in 1,2,3,4")
    return tuple(sorted({int(part) for part in parts}))


def limit_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that name what is done otherwise, and why."""
    for option in reversed((
        click.option("--notes", type=click.IntRange(0, 100), help="Notes a day."),
        click.option("--calls", type=click.IntRange(0, 100), help="Promised calls a day."),
        click.option("--follow-ups", "follow_up_touches", type=click.IntRange(0, 100), help="Later attempts a day."),
        click.option("--catch-up-calls", type=click.IntRange(0, 100), help="More calls a day while some are carried over."),
        click.option("--minutes", type=click.IntRange(0, 1440), help="Minutes of a day that the planner may fill."),
        click.option("--opens", metavar="HH:MM", help="Call nobody earlier, by the prospect's clock; only narrows."),
        click.option("--closes", metavar="HH:MM", help="Call nobody later; only narrows."),
        click.option("--weekdays", metavar="1,2,…", help="Call on these days alone, 1 for Monday; only narrows."),
        click.option("--clear", is_flag=True, help="Forget first what was set here before."),
        click.option("--why", type=TEXT, required=True, metavar="TEXT", help="Why, in your own words; it is kept for good."),
        click.option("--as", "who", type=WHO, required=True, metavar="WHO", help="Who decides: rep:NAME or manager:NAME."),
    )):  # fmt: skip
        command = option(command)
    return command


def _typed(typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a layer that were typed."""
    plainly = {name: typed[name] for name in ("notes", "calls", "follow_up_touches", "catch_up_calls", "minutes")}
    said: dict[str, Any] = {name: value for name, value in plainly.items() if value is not None}
    hours = {
        "opens": _minute(typed["opens"], "--opens"),
        "closes": _minute(typed["closes"], "--closes"),
        "weekdays": _weekdays(typed["weekdays"]),
    }
    return said | {name: value for name, value in hours.items() if value is not UNSET}


def _upon(before: Limits, typed: Mapping[str, Any], said: Mapping[str, Any]) -> Limits:
    """Return a layer with what was *said*; the rest as it was before, or as the layer above has it once it is cleared."""
    return replace(Limits() if typed["clear"] else before, **said)


@click.command()
@click.argument("name")
@click.option("--team", help="The team whose numbers the rep has where the rep's own say nothing; empty for none.")
@limit_options
@pass_app
def limit(app: App, /, name: str, team: str | None, why: str, who: str, **typed: Any) -> None:
    """Set what a rep does otherwise than the playbook and the team: numbers of the day, narrower hours for calls.

    The playbook comes first, then the team, then the rep. Hours for calls follow from law, and each can only narrow them.
    `thaw rep show` says where each number comes from.
    """
    check_may_set(name, who)
    if team is not None and not who.startswith("manager:"):
        raise InputError(f"--as {plain(who, 80)}: in which team a rep is, and so what the team sets, is said by a manager")
    if team and not is_rep_name(team):
        raise InputError(f"{plain(team, 80)!r} is no name for a team: {REP_NAMES}")
    own = _typed(typed)

    def prepare(connection: Connection) -> dict[str, Submission]:
        waiting = begin_change(connection, [rep.name for rep in leads.list_reps(connection)])
        known = find_rep(connection, name)
        _refuse_under_way(waiting, {name}, team)
        change: dict[str, Any] = {"own": _upon(known.layers.own if known.layers else Limits(), typed, own)}
        if team is not None:
            change |= {"team": team or UNSET, "of_team": _limits_of(_members(connection, team)) if team else Limits()}
        said = Said(team=HOURS if team else (), own=own)
        return _handed_in(connection, app.service.now(), [known], change, said, why=why, who=who)

    hand_in_all(app, prepare, look=f"`thaw rep show {plain(name, 80)}`")


def _refuse_under_way(waiting: Sequence[Change], names: Collection[str], team: str | None) -> None:
    """Refuse while a change of one of the reps *names* waits, or one of somebody who is in *team* then."""
    for each in waiting:
        command = each.command
        if command.rep in names or (team and command.layers and command.layers.team == team):
            raise under_way(each)


def _handed_in(
    connection: Connection, now: datetime, reps: Sequence[Rep], change: Mapping[str, Any], said: Said, *, why: str, who: str
) -> dict[str, Submission]:
    """Publish what the days of *reps* come to with *change*, and return what has each follow it: for all of them or nobody."""
    settled = {
        each.name: settle(connection, each, followed_base(connection, each), change=change, said=said, why=why) for each in reps
    }
    submissions = {name: _frozen_again(connection, now, name, follows, who) for name, follows in settled.items() if follows}
    publish_made(connection, settled.values(), now=now, who=who)
    return submissions


def _frozen_again(connection: Connection, now: datetime, name: str, settled: Settled, who: str) -> Submission:
    """Return what freezes the calendar of a rep as it is, with what the days follow from now on."""
    unsaid = dict.fromkeys(("country", "region", "timezone", "cover", "email", "playbook"))
    said = {"name": name, "who": who, "message_id": uuid4(), "absences": (), "replace": False}
    return submission_of(connection, now, {**unsaid, **said}, settled)


def _limits_of(members: Sequence[Rep]) -> Limits:
    """Return what the team of *members* does otherwise; they differ where a worker could not apply a change to one of them."""
    if not _alike(members):
        raise InputError(
            f"the reps {', '.join(plain(rep.name, 80) for rep in members)} are in one team and have different numbers of it: "
            "say all of them again with `thaw team set TEAM --clear`, see `thaw rep show NAME` and `thaw dead list`"
        )
    return _first(members)


def _alike(members: Sequence[Rep]) -> bool:
    return len({rep.layers.of_team for rep in members if rep.layers}) < 2


def _first(members: Sequence[Rep]) -> Limits:
    return members[0].layers.of_team if members and members[0].layers else Limits()


def _members(connection: Connection, team: str) -> list[Rep]:
    return [rep for rep in leads.list_reps(connection) if rep.layers and rep.layers.team == team]


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """A team as ``thaw team list`` and ``thaw team show`` tell of it."""

    name: str
    reps: tuple[str, ...]
    limits: Limits
    """As the first of *reps* has them."""
    alike: bool
    """Whether all of them have the same."""


@click.group()
def team() -> None:
    """Teams of reps, and what each does otherwise than the playbook."""


@team.command("set")
@click.argument("name")
@limit_options
@pass_app
def set_(app: App, /, name: str, why: str, who: str, **typed: Any) -> None:
    """Set what a team does otherwise than the playbook, for each rep in it; a rep's own numbers go before.

    A rep is in a team by `thaw rep limit NAME --team TEAM`.
    """
    if not who.startswith("manager:"):
        raise InputError(f"--as {plain(who, 80)}: what a team does is set by a manager, as in --as manager:ann")
    of_team = _typed(typed)

    def prepare(connection: Connection) -> dict[str, Submission]:
        waiting = begin_change(connection, [rep.name for rep in leads.list_reps(connection)])
        members = _members(connection, name)
        _refuse_under_way(waiting, {each.name for each in members}, name)
        if not members:
            raise InputError(f"nobody is in team {plain(name, 80)!r}: put reps into it with `thaw rep limit REP --team TEAM`")
        change = {"of_team": _upon(Limits() if typed["clear"] else _limits_of(members), typed, of_team)}
        return _handed_in(connection, app.service.now(), members, change, Said(team=of_team), why=why, who=who)

    hand_in_all(app, prepare, look="`thaw team list`")


@team.command("list")
@json_option
@pass_app
def list_(app: App, as_json: bool) -> None:
    """List the teams, with who is in each and what it does otherwise."""
    with transaction(app.service.engine) as connection:
        reps = leads.list_reps(connection)
    shown = _teams(reps)
    if as_json:
        app.print_json({"teams": shown})
        return
    for each in shown:
        click.echo(_line(each))
    if not shown:
        click.echo("no teams; a rep is in one by `thaw rep limit NAME --team TEAM`")


@team.command()
@click.argument("name")
@json_option
@pass_app
def show(app: App, name: str, as_json: bool) -> None:
    """Show a team, and where each number of the days of its reps comes from."""
    with transaction(app.service.engine) as connection:
        reps = leads.list_reps(connection)
        found = next((each for each in _teams(reps) if each.name == name), None)
        if found is None:
            known = ", ".join(plain(each.name, 80) for each in _teams(reps)) or "there is none"
            raise InputError(f"no team is called {plain(name, 80)!r}: {known}")
        of = {each.name: numbers_of(connection, each) for each in reps if each.name in found.reps}
    if as_json:
        app.print_json({"team": found, "numbers": of})
        return
    click.echo(_line(found))
    for rep_name, numbers in of.items():
        click.echo(f"  {plain(rep_name)}: {', '.join(number_lines(numbers, found.name))}")


def _teams(reps: Sequence[Rep]) -> list[Team]:
    teams: dict[str, list[Rep]] = {}
    for each in reps:
        if each.layers and each.layers.team:
            teams.setdefault(each.layers.team, []).append(each)
    return [
        Team(name=name, reps=tuple(each.name for each in of), limits=_first(of), alike=_alike(of))
        for name, of in sorted(teams.items())
    ]


def _line(of: Team) -> str:
    said = told_limits(of.limits) if of.alike else "its reps have different numbers of it: see `thaw rep show NAME`"
    members = ", ".join(map(plain, of.reps))
    return f"{plain(of.name)}: {count(len(of.reps), 'rep')} ({members}); {said or 'all as the playbook has it'}"


COMMANDS = (team, limit)
