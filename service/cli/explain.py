"""``thaw explain``: of one lead on one page, why the last touch happened, what is next and when, and which rule blocks what."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import click
import msgspec

from models import views
from service.cli.answers import typed_errors
from service.cli.app import App, InputError, json_option, pass_app
from service.cli.look import end_of, owners_zone
from service.cli.typed import DAY
from service.find import find_lead
from service.history import History, labelled, read_history, told
from service.merged import merged_lines
from service.next_action import NextAction, next_action, steps_of
from service.times import parse_day, shown_day
from service.why import Why, why_lines
from service.why import why as why_event
from service.why_not import WhyNot, is_touch
from service.why_not import why_not as why_not_touched
from service.wording import plain
from workflows.events import CommandRefused

#: Of why an event stands there, what a salesperson asks for; `thaw why` has the rest.
_ESSENTIAL = ("asked", "because", "rule", "inputs", "playbook", "law", "says")


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """What ``thaw explain --json`` prints, as it was at the end of the day, or is now."""

    on: date
    trouble: str
    """What is wrong with the history behind the last event that is told; empty when the chain holds."""
    last_touch: Why | None
    """None when nobody has turned to the prospect, nor the prospect to us."""
    next: NextAction
    day: WhyNot
    """Of the day: what was done, or why nothing was, and what was refused."""


@click.command()
@click.argument("lead")
@click.option(
    "--on", "day", type=DAY, metavar="DAY", help="As it was at the end of this day, by the rep's clock; today without it."
)
@json_option
@pass_app
def explain(app: App, lead: str, day: str | None, as_json: bool) -> None:
    """Explain a lead on one page: why the last touch happened, what is next and when, and which rule blocked what.

    `thaw why`, `thaw lead` and `thaw why-not` say each part at length.
    """
    now = app.service.now()
    with typed_errors(), views.snapshot(app.service.engine) as connection:
        found = find_lead(connection, lead)
        zone = owners_zone(connection, found.lead)
        today = now.astimezone(zone).date()
        on = parse_day(day) if day else today
        if on > today:
            raise InputError(f"{shown_day(on)} is yet to come: what will hold then is not known. Today is {shown_day(today)}")
        whole = read_history(connection, found.lead.id)
        history = _until(whole, on, zone)
        if not history.entries:
            raise InputError(whole.trouble or f"{found.name} was not known yet on {shown_day(on)}")
        then = history.entries[-1].after
        touches = [number for number, entry in enumerate(history.entries, start=1) if is_touch(entry)]
        answer = Explained(
            on=on,
            trouble=whole.trouble,
            last_touch=why_event(connection, history, touches[-1]) if touches else None,
            next=next_action(then, zone, steps_of(connection, [then])),
            day=why_not_touched(connection, whole, on, zone, now),
        )
        merged = tuple(merged_lines(connection, then))
    if as_json:
        app.print_json(answer)
    else:
        click.echo(f"{found.name} on {shown_day(on)}, times in {zone.key}")
        for label, line in (*merged, *_lines(answer, history, zone)):
            click.echo(labelled(label, line))
    end_of(whole.trouble)


def _until(history: History, on: date, zone: ZoneInfo) -> History:
    ends = datetime.combine(on + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
    return history.until(ends - timedelta(microseconds=1))


def _lines(answer: Explained, history: History, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    if answer.last_touch:
        yield "last touch", told(history.entries[answer.last_touch.event.version - 1], zone)[0].strip()
        yield from (line for line in why_lines(answer.last_touch, zone) if line[0] in _ESSENTIAL)
    else:
        yield "last touch", "none yet"
    yield "next", answer.next.sentence
    for reason in answer.next.why:
        yield "", reason
    for number, event in enumerate(answer.day.touched):
        yield "" if number else "that day", f"event {event.version} was done"
    if not answer.day.touched:
        for number, reason in enumerate(answer.day.reasons):
            yield "" if number else "not touched", reason
    for number, event in enumerate(answer.day.refusals):
        if isinstance(event.data, CommandRefused):
            what = f"event {event.version}, by {event.data.rule}: {plain(event.data.reason, 300)}"
            yield "" if number else "blocked", what


COMMANDS = (explain,)
