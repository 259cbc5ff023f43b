"""Pausing work and resuming it: messages wait in the database meanwhile, and none is lost."""

from difflib import get_close_matches

import click

from models import pauses
from models.database import transaction
from service.cli.app import App, InputError, json_option, pass_app
from service.cli.operator import by_option, operator, reason_option, required_reason
from service.operations import paused_names
from service.wording import count, plain
from workflows.actor_names import ACTORS
from workflows.pauses import EVERYTHING, NEVER_PAUSED


@click.command()
@click.argument("actors", nargs=-1, metavar="[ACTOR]...")
@click.option("--all", "every", is_flag=True, help="Everything that may be paused.")
@reason_option
@by_option
@json_option
@pass_app
def pause(app: App, actors: tuple[str, ...], every: bool, reason: str | None, by: str | None, as_json: bool) -> None:
    """Let the messages of some transitions wait, or of all: timers that come due, plans, and what people hand in.

    It returns when what was in hand is done; from then on nothing that is paused is applied. Opt-outs and replies are never
    paused. `thaw status` shows what is, since when and by whom.
    """
    meant = _meant(actors, every)
    why = required_reason(reason, "the price list is wrong")
    with transaction(app.service.engine) as connection:
        new = pauses.pause(connection, meant, reason=why, now=app.service.now(), by=operator(by))
    with transaction(app.service.engine) as connection:
        waiting = pauses.count_waiting(connection, now=app.service.now())
    if as_json:
        app.print_json({"paused": new, "waiting": waiting})
        return
    said = f"paused {paused_names(new)}; what was in hand is done" if new else "that was paused before; nothing was changed"
    click.echo(f"{said}. {count(waiting, 'message waits', 'messages wait')} now")


@click.command()
@click.argument("actors", nargs=-1, metavar="[ACTOR]...")
@click.option("--all", "every", is_flag=True, help="Everything that is paused.")
@reason_option
@by_option
@json_option
@pass_app
def resume(app: App, actors: tuple[str, ...], every: bool, reason: str | None, by: str | None, as_json: bool) -> None:
    """Go on with the messages of some transitions, or of all that are paused. What waited is rung by the clock.

    It is decided then, as after downtime: what is late is recorded as late, and no rep is planned past capacity.
    """
    meant = _meant(actors, every)
    with transaction(app.service.engine) as connection:
        waiting = pauses.count_waiting(connection, now=app.service.now())
        known = [row.actor for row in pauses.read_pauses(connection)]
        strangers = [] if every else [each for each in meant if each not in known]
        if strangers:
            raise InputError(_not_paused(strangers, known))
        ended = pauses.resume(connection, meant, reason=reason, now=app.service.now(), by=operator(by))
    with transaction(app.service.engine) as connection:
        waiting -= pauses.count_waiting(connection, now=app.service.now())
    if as_json:
        app.print_json({"resumed": ended, "rung": waiting})
        return
    rung = f"{count(waiting, 'message')} to be rung by the clock"
    click.echo(f"resumed {paused_names(ended)}: {rung}" if ended else "nothing is paused")


def _meant(actors: tuple[str, ...], every: bool) -> tuple[str, ...]:
    if bool(actors) == every:
        raise InputError("name actors, or say --all" if not actors else "name actors or say --all, not both")
    for actor in actors:
        if actor in NEVER_PAUSED:
            never = ", ".join(sorted(NEVER_PAUSED))
            raise InputError(f"{actor} is never paused: what prospects say is applied at once ({never})")
        if actor not in ACTORS:
            near = get_close_matches(actor, ACTORS, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; there is {', '.join(ACTORS)}"
            raise InputError(f"no actor is called {plain(actor, 60)!r}{hint}")
    return actors or (EVERYTHING,)


def _not_paused(strangers: list[str], known: list[str]) -> str:
    if EVERYTHING in known:
        return f"{strangers[0]} waits with everything else: `thaw resume --all`, and pause again what is to wait"
    return f"{strangers[0]} is not paused{f'; paused is {paused_names(tuple(known))}' if known else '; nothing is'}"


COMMANDS = (pause, resume)
