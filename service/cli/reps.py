"""The reps: their working calendars, frozen into the log, and what each has on hand."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import click
import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from actors.submit import Submission
from models import leads, messages, views
from models.database import Connection, transaction
from service.calendars import freeze_calendar
from service.cli import layered
from service.cli.answers import hand_in, typed_errors
from service.cli.app import App, InputError, OnDemand, json_option, pass_app
from service.cli.covering import colleagues_call, named_in_vain, span
from service.cli.draft import first_said
from service.cli.forms import common_options
from service.cli.layered import USUAL, Settled, number_lines, numbers_of
from service.find import REP_NAMES, find_rep, is_rep_name, storable
from service.mailing.addresses import save_mailbox
from service.times import TimeError, parse_day, shown_day, shown_moment, zone_of, zone_or_utc
from service.wording import count, plain
from workflows.calendars import Absence, Calendar
from workflows.commands import SetCalendar, decode_command
from workflows.layers import Number
from workflows.lead import Rep
from workflows.rep import rep_id

#: How far a frozen calendar reaches: history and promises of the past year, plans and timers of three years ahead.
_BACK, _AHEAD = 365, 3 * 365 + 1


@click.group(commands=OnDemand({"limits": ("limit",)}))
def rep() -> None:
    """Reps and their working calendars."""


def _set(app: App, /, **typed: Any) -> None:
    typed["message_id"] = typed["message_id"] or uuid4()
    if typed["playbook"] is not None and typed["who"]:
        layered.check_may_set(typed["name"], typed["who"])

    def prepare(connection: Connection) -> Submission:
        now, settled = app.service.now(), _going_on(connection, typed)
        submission = submission_of(connection, now, typed, settled)
        layered.publish_made(connection, [settled], now=now, who=submission.asked_by)
        return submission

    hand_in(app, typed["message_id"], prepare, wait=not typed["no_wait"], as_json=typed["as_json"])
    with transaction(app.service.engine) as connection:
        for warning in named_in_vain(connection, _said_before(connection, typed["message_id"]), typed["cover"]):
            click.echo(warning, err=True)


def _going_on(connection: Connection, typed: dict[str, Any]) -> Settled | None:
    """Return what the rep's days follow as it was said before, or with layers over the newest version of a playbook."""
    name = typed["name"]
    if not is_rep_name(name):
        return None
    if waiting := layered.begin_change(connection, [name], but=typed["message_id"]):
        raise layered.under_way(waiting[0])
    before = _said_before(connection, typed["message_id"])
    if before and typed["playbook"] in (None, before.layers.base if before.layers else before.playbook):
        return Settled(before.playbook, before.digest, before.layers)
    known = leads.find_rep(connection, name)
    if known is None or not known.layers:
        return None
    return layered.settle(connection, known, layered.newest_base(connection, known, typed["playbook"]))


rep.add_command(
    click.Command(
        "set",
        callback=click.make_pass_decorator(App)(_set),
        help=(
            "Make a rep known, or change the working calendar.\n\nIt is frozen for three years ahead: weekends, public "
            "holidays and absences. What is left out stays as it is; absences are added to those that are known."
        ),
        short_help="Make a rep known, or change the working calendar.",
        params=[
            click.Argument(["name"]),
            click.Option(["--country"], help="Whose public holidays: US, CA, GB, DE …; empty for none."),
            click.Option(["--region"], help="Part of the country, such as ON or BY; empty for the whole of it."),
            click.Option(["--timezone"], help="IANA time zone, such as America/New_York."),
            click.Option(
                ["--absence", "absences"], multiple=True, metavar="FIRST:LAST",
                help="Days away, such as 2026-03-09:2026-03-20; may be repeated.",
            ),
            click.Option(
                ["--cover"], metavar="REP",
                help="Who makes the calls that notes promise for the days of --absence, under a playbook with long_gap = "
                "\"colleague\"; say it with an absence that is known to name somebody else, or empty for nobody.",
            ),
            click.Option(["--replace"], is_flag=True, help="Forget the absences known so far."),
            click.Option(["--email"], help="The address that the rep writes from, such as 'Dan Miller <dan@example.com>'."),
            click.Option(["--playbook"], help="The playbook that the rep's days follow. A new rep's default: five-five-five."),
            *(option for option in common_options(who="the rep") if option.name != "occurred"),
        ],
    )
)  # fmt: skip


def submission_of(connection: Connection, now: datetime, typed: dict[str, Any], settled: Settled | None) -> Submission:
    """Return what freezes the calendar of a rep as it was *typed*, and has the days follow what was *settled*."""
    name = typed["name"]
    known = leads.find_rep(connection, name) if storable(name) else None
    # Who is known by a name that nobody would get today keeps it.
    if not known and not is_rep_name(name):
        raise InputError(f"{plain(name, 80)!r} is no name for a rep: {REP_NAMES}")
    present = views.calendar_of(connection, name)
    typed = typed | {field: typed[field] if typed[field] is not None else getattr(present, field, None) for field in
                     ("country", "region", "timezone")}  # fmt: skip
    if not typed["timezone"]:
        raise InputError(f"{name} is new here: name the time zone, such as --timezone America/New_York")
    if settled is None:
        usual = known.playbook.id if known and known.playbook else USUAL
        playbook = layered.to_follow(connection, typed["playbook"] or usual)
        settled = Settled(playbook.id, playbook.pin.digest)
    if typed["email"] is not None:
        save_mailbox(connection, name, typed["email"])
    message_id: UUID = typed["message_id"]
    cover = _cover(connection, name, typed)
    absences = [*present.absences] if present and not typed["replace"] else []
    absences += [replace(_absence(text), cover=cover) for text in typed["absences"]]
    first, last = _horizon(connection, message_id, now, typed["timezone"])
    calendar = freeze_calendar(
        typed["country"] or "",
        typed["region"] or "",
        typed["timezone"],
        first,
        last,
        absences=_once_each(absences),
        day_starts=present.day_starts if present else 480,
        day_ends=present.day_ends if present else 1080,
    )
    command = SetCalendar(
        rep=name,
        calendar=calendar,
        playbook=settled.playbook,
        digest=settled.digest,
        occurred_at=first_said(connection, message_id, now),
        layers=settled.layers,
    )
    return Submission(id=message_id, stream_id=rep_id(name), command=command, asked_by=typed["who"] or f"rep:{name}")


def _horizon(connection: Connection, message_id: UUID, now: datetime, timezone: str) -> tuple[date, date]:
    """Return the days to freeze; those of the first time when the same entry is handed in again."""
    if before := _said_before(connection, message_id):
        return before.calendar.first, before.calendar.last
    today = now.astimezone(zone_or_utc(timezone)).date()
    return today - timedelta(days=_BACK), today + timedelta(days=_AHEAD)


def _said_before(connection: Connection, message_id: UUID) -> SetCalendar | None:
    """Return what was handed in as *message_id*, None when nothing was, or something else."""
    before = messages.find(connection, message_id)
    return command if before and isinstance(command := decode_command(before.body), SetCalendar) else None


def _absence(text: str) -> Absence:
    first, _, last = text.partition(":")
    try:
        return Absence(first=parse_day(first), last=parse_day(last or first))
    except TimeError as error:
        raise InputError(f"--absence {text}: {error}, or two of them as in 2026-03-09:2026-03-20") from error
    except ValueError as error:
        raise InputError(f"--absence {text}: {error}") from error


def _once_each(absences: Iterable[Absence]) -> list[Absence]:
    """Return each absence as it was said last, the first one first; what names nobody leaves who covers it as it was."""
    said: dict[tuple[date, date, str], Absence] = {}
    for absence in absences:
        key = absence.first, absence.last, absence.reason
        known = said.get(key)
        said[key] = replace(absence, cover=known.cover) if known and absence.cover is UNSET else absence
    return [replace(a, cover=a.cover or UNSET) for _, a in sorted(said.items())]


def _cover(connection: Connection, name: str, typed: dict[str, Any]) -> str | UnsetType:
    """Return who was typed to cover the absences; empty for nobody any more, unset when nothing was said of it."""
    typed_name = typed["cover"]
    if typed_name is None:
        return UNSET
    if not typed["absences"]:
        raise InputError(f"--cover {plain(typed_name, 80)}: name the days with --absence FIRST:LAST, as they are known or new")
    if not typed_name:
        return ""
    with typed_errors():
        colleague = find_rep(connection, typed_name).name
    if colleague == name:
        raise InputError(
            f"--cover {plain(name, 80)}: nobody covers for themselves; name a colleague, as `thaw rep list` has them"
        )
    return colleague


class RepShown(msgspec.Struct, frozen=True, kw_only=True):
    """A rep as ``thaw rep list`` and ``thaw rep show`` tell of it."""

    name: str
    timezone: str
    country: str
    region: str
    playbook: str | None
    absences: tuple[Absence, ...]
    """Those that are not over."""
    colleagues: bool
    """Whether the playbook has colleagues make the calls of whoever is away."""
    calendar_ends: date | None
    planned_on: date | None
    next_plan: datetime | None
    leads: dict[str, int]
    """By state."""
    team: str | None = None
    numbers: tuple[Number, ...] = ()
    """What a team or the rep may do otherwise than the playbook, as it is in force, each with the layer that it comes from."""


@rep.command("list")
@json_option
@pass_app
def list_(app: App, as_json: bool) -> None:
    """List the reps."""
    with transaction(app.service.engine) as connection:
        shown = [_shown(connection, known, app.service.now()) for known in leads.list_reps(connection)]
    if as_json:
        app.print_json({"reps": shown})
        return
    for each in shown:
        away = f", away {', '.join(span(a, colleagues=each.colleagues) for a in each.absences)}" if each.absences else ""
        where = f"{each.country} {each.region}".strip() or "no public holidays"
        click.echo(
            f"{plain(each.name)}: {count(sum(each.leads.values()), 'lead')}, {each.playbook}, {each.timezone}, {where}{away}"
        )
    if not shown:
        click.echo("nobody yet; make a rep known with `thaw rep set NAME --timezone …`")


@rep.command()
@click.argument("name")
@json_option
@pass_app
def show(app: App, name: str, as_json: bool) -> None:
    """Show a rep's calendar, plan and leads."""
    now = app.service.now()
    with typed_errors(), transaction(app.service.engine) as connection:
        known = find_rep(connection, name)
        shown = _shown(connection, known, now)
        calendar = views.calendar_of(connection, known.name)
    if as_json:
        app.print_json(shown)
        return
    zone = zone_of(calendar)
    click.echo(f"{plain(shown.name)}\nplaybook   {shown.playbook}")
    for number, line in enumerate(number_lines(shown.numbers, shown.team)):
        click.echo(f"{'' if number else 'numbers':<11}{line}")
    click.echo(f"time zone  {shown.timezone}, where it is {shown_moment(now, zone)}")
    click.echo(f"holidays   {_next_holidays(calendar, now.astimezone(zone).date())}")
    click.echo(f"away       {', '.join(span(a, colleagues=shown.colleagues) for a in shown.absences) or 'never'}")
    click.echo(f"calendar   frozen until {shown_day(shown.calendar_ends) if shown.calendar_ends else 'nowhere'}")
    click.echo(f"planned    {shown_day(shown.planned_on) if shown.planned_on else 'no day yet'}")
    click.echo(f"next plan  {shown_moment(shown.next_plan, zone) if shown.next_plan else 'none'}")
    click.echo(f"leads      {', '.join(f'{state} {number}' for state, number in shown.leads.items()) or 'none'}")


def _shown(connection: Connection, known: Rep, now: datetime) -> RepShown:
    calendar = views.calendar_of(connection, known.name)
    today = now.astimezone(zone_of(calendar)).date()
    plan = known.timers.get("plan_day")
    return RepShown(
        name=known.name,
        timezone=calendar.timezone if calendar else "",
        country=calendar.country if calendar else "",
        region=calendar.region if calendar else "",
        playbook=f"{known.playbook.id}@{known.playbook.version}" if known.playbook else None,
        absences=tuple(a for a in calendar.absences if a.last >= today) if calendar else (),
        colleagues=colleagues_call(connection, known),
        calendar_ends=calendar.last if calendar else None,
        planned_on=known.planned_on,
        next_plan=plan.due_at if plan else None,
        leads=leads.count_by_state(connection, known.name),
        team=known.layers.team or None if known.layers else None,
        numbers=numbers_of(connection, known),
    )


def _next_holidays(calendar: Calendar | None, today: date) -> str:
    if calendar is None or not calendar.country:
        return "none"
    where = f"{calendar.country} {calendar.region}".strip()
    coming = [f"{shown_day(h.day)} {h.name}" for h in calendar.holidays if h.day >= today][:3]
    return f"{where}: {', '.join(coming)}"


COMMANDS = (rep,)
