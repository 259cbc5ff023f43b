"""``thaw today``: a rep's day on one page."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from models import leads, views
from models.database import Connection, transaction
from service.cli.answers import typed_errors
from service.cli.app import App, InputError, json_option, pass_app
from service.cli.typed import DAY
from service.pauses import pause_lines, read_pauses
from service.sheet.found import Blocked, Item
from service.times import parse_day, shown_day, shown_moment, shown_span, zone_of
from service.today import DayLoad, Sheet, Tally, read_sheet
from service.wording import count, plain

#: Of one kind of work that has piled up, so many are printed; ``--json`` has all.
MOST = 15

_HEADS = {
    "objection": "OBJECTION",
    "reply": "REPLY", "call": "CALL", "breakup": "BREAKUP", "next_step": "NEXT STEP", "note": "NOTE", "reason": "REASON",
    "follow_up": "FOLLOW-UP", "homework": "HOMEWORK", "review": "REVIEW", "nurture": "NURTURE", "decision": "DECIDE",
}  # fmt: skip

_LEFT_OVER = {"reason": "people to ask why", "homework": "homework", "review": "reviews", "nurture": "value touches"}


@click.command()
@click.option("--rep", "rep_name", help="Whose day; may be left out when there is one rep only.")
@click.option("--on", "day", type=DAY, metavar="DAY", help="A day to come, instead of today.")
@click.option("--lines", is_flag=True, help="Print every line that can be typed for an item, and not the first alone.")
@json_option
@pass_app
def today(app: App, rep_name: str | None, day: str | None, lines: bool, as_json: bool) -> None:
    """Print a rep's day: what to do and in which order, what is blocked and why, and what the next days hold.

    Behind the `$` of an item stands what to type for it; words in capitals are to be filled in.
    """
    now = app.service.now()
    with typed_errors(), transaction(app.service.engine) as connection:
        name = rep_name or _only_rep(connection)
        sheet = read_sheet(connection, name, parse_day(day) if day else None, now)
        zone = zone_of(views.calendar_of(connection, name))
        paused = read_pauses(connection)
    if as_json:
        app.print_json(sheet)
        return
    seen = f"as it stands {shown_moment(now, zone)}" if day else f"{now.astimezone(zone):%H:%M}"
    click.echo(f"{plain(sheet.rep)}, {shown_day(sheet.day)}, {seen} in {zone.key}")
    for line in pause_lines(paused, zone):
        click.echo(f"! paused: {line}")
    for line in (*_state(sheet, now, zone), *_items(sheet, now, zone, every_line=lines), *_campaigns(sheet)):
        click.echo(line)
    stopped = tuple(each for each in sheet.blocked if not _comes_today(each, sheet, zone))
    for line in (*map(_load, sheet.ahead), *_blocked(stopped), *(() if lines else _first(sheet))):
        click.echo(line)


def _only_rep(connection: Connection) -> str:
    known = leads.list_reps(connection)
    if len(known) == 1:
        return known[0].name
    names = ", ".join(rep.name for rep in known[:10])
    raise InputError(f"whose day? Name the rep with --rep: {names}" if known else "there is no rep yet: `thaw rep set NAME …`")


def _state(sheet: Sheet, now: datetime, zone: ZoneInfo) -> Iterator[str]:
    if sheet.off:
        yield f"no working day: {sheet.off}"
    elif not sheet.planned:
        comes = sheet.next_plan and sheet.next_plan.astimezone(zone)
        yield f"not planned yet{f': {_plan(comes, now)}' if comes and comes.date() == sheet.day else ''}"
    replies = sum(item.kind == "reply" for item in sheet.items)
    yield (
        f"Calls {_tally(sheet.calls)}  Notes {_tally(sheet.notes)}  Follow-ups {_tally(sheet.follow_ups)}  Replies {replies}  "
        f"~{shown_span(sheet.minutes_planned)} of {shown_span(sheet.minutes_budget)}"
    )
    yield from (f"  {plain(line)}" for line in sheet.shortfalls)
    yield from (f"  {plain(line)}" for line in sheet.released)
    yield from (f"! {plain(line, 300)}" for line in sheet.warnings)


def _plan(comes: datetime, now: datetime) -> str:
    if comes > now:
        return f"that happens at {comes:%H:%M}"
    return f"that was due at {comes:%H:%M}, and happens as soon as a clock and a worker run (`thaw up`)"


def _waits(sheet: Sheet, now: datetime, zone: ZoneInfo) -> str:
    queue = f"{count(sheet.queued, 'lead')} in the queue" if sheet.queued else "nobody is in the queue"
    if sheet.next_plan is None:
        return f"{queue}; no plan is to come: `thaw rep show {plain(sheet.rep)}`"
    if sheet.next_plan <= now:
        return (
            f"{queue}; the plan of {shown_moment(sheet.next_plan, zone)} is still to be made: a clock and a worker have to run"
        )
    return f"{queue}; the next plan is made {shown_moment(sheet.next_plan, zone)}"


def _tally(tally: Tally) -> str:
    return f"{tally.done}/{tally.planned}"


def _items(sheet: Sheet, now: datetime, zone: ZoneInfo, *, every_line: bool) -> Iterator[str]:
    """Yield the work by kinds, in the order of the day, each with the line to type; numbers count what is shown."""
    yield ""
    later = sorted((each for each in sheet.blocked if _comes_today(each, sheet, zone)), key=lambda each: str(each.opens))
    everything: tuple[Item, ...] = (*sheet.objections, *sheet.items, *sheet.decisions)
    if not everything and not later:
        yield "nothing to do"
        yield _waits(sheet, now, zone)
    number = 0
    for kind, head in _HEADS.items():
        of_kind = [
            (
                f"{each.name} ({each.key}): {each.why}",
                (*each.notes, *(f"$ {command}" for command in each.commands[: None if every_line else 1])),
            )
            for each in everything
            if each.kind == kind
        ]
        waiting = [(_later(each, zone), ()) for each in later if each.kind == kind]
        for line, notes in (*of_kind, *waiting)[:MOST]:
            number += 1
            yield f"{number:>3} {head:<10} {line}"
            yield from (f"{'':<14} {note}" for note in notes)
        if (more := len(of_kind) + len(waiting) - MOST) > 0:
            yield f"    {head:<10} and {more} more (--json lists them)"
        for left_over, fitting in sheet.fits.items():
            if left_over == kind and len(of_kind) > fitting:
                yield f"    of the {_LEFT_OVER[left_over]}, {fitting} of {len(of_kind)} fit into the day"


def _later(each: Blocked, zone: ZoneInfo) -> str:
    at = f"{each.opens.astimezone(zone):%H:%M}" if each.opens else "later"
    return f"{each.name} ({each.key}): from {at} on: {each.why}"


def _comes_today(each: Blocked, sheet: Sheet, zone: ZoneInfo) -> bool:
    """Tell whether it is work of the day that has only to wait for its hour."""
    return each.kind is not None and each.opens is not None and each.opens.astimezone(zone).date() == sheet.day


def _campaigns(sheet: Sheet) -> Iterator[str]:
    for each in sheet.campaigns:
        if each.letters:
            letters = f"{count(each.letters, 'letter')} of {each.campaign} may leave"
            yield f"    LETTERS    {letters}: thaw campaign send {each.campaign} --rep {plain(sheet.rep)}"
        if each.to_tell:
            people = f"{count(each.to_tell, 'person', 'people')} of {each.campaign} to tell that an event was withdrawn"
            yield f"    TELL       {people}: thaw campaign tell {each.campaign}"


def _blocked(blocked: tuple[Blocked, ...]) -> Iterator[str]:
    if blocked:
        yield f"\n-- blocked ({len(blocked)})"
    for each in blocked[:MOST]:
        yield f"    {each.name} ({each.key}): {each.why} [{each.rule}]"
        yield f"    {'':<4}to unblock: {each.unblock}"
    if len(blocked) > MOST:
        yield f"    and {len(blocked) - MOST} more (--json lists them)"


def _load(load: DayLoad) -> str:
    if load.off:
        return f"-- {shown_day(load.day)}: {load.off}"
    more = f", {count(load.follow_ups, 'follow-up')}" if load.follow_ups else ""
    return f"-- {shown_day(load.day)}: {count(load.calls, 'call')}, {count(load.notes, 'note')}{more}"


def _first(sheet: Sheet) -> Iterator[str]:
    everything: tuple[Item, ...] = (*sheet.items, *sheet.decisions)
    if everything:
        yield f"\nfirst: {_HEADS[everything[0].kind]} {everything[0].name}"
        yield from (f"  {command}" for command in everything[0].commands)


COMMANDS = (today,)
