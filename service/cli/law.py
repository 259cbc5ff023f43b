"""Contact law: what is known of a person, what it comes to today, and the table that is asked."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any, get_args
from uuid import uuid4
from zoneinfo import ZoneInfo

import click
import msgspec
from msgspec import UNSET

from models.database import transaction
from models.views import calendar_of
from service import law_words
from service.cli.answers import hand_in, typed_errors
from service.cli.app import App, InputError, json_option, pass_app
from service.cli.draft import Draft
from service.cli.forms import common_options
from service.cli.typed import DAY
from service.find import find_lead
from service.history import History, read_history
from service.moments import as_recorded
from service.times import shown_day, zone_of
from service.wording import plain
from workflows import law
from workflows.commands import Mode, RecordLaw
from workflows.law_facts import ConsentMode, LawFacts
from workflows.law_table import CURRENT, DIGEST, CallHours, ImpliedConsent, LawTable, Register, Span
from workflows.lead import Lead
from workflows.regions import is_known, meant_by
from workflows.sentences import words


@click.group("law")
def law_group() -> None:
    """Contact law: hours for calls, do-not-call registers, consent. Policy defaults, not legal advice."""


class ModeShown(msgspec.Struct, frozen=True, kw_only=True):
    """One of the lead's modes on the day."""

    mode: Mode
    rule: str | None
    """That refuses it; None when the law does not."""
    reason: str | None


class LawShown(msgspec.Struct, frozen=True, kw_only=True):
    """What ``thaw law show --json`` prints."""

    key: str
    day: date
    facts: LawFacts
    region_said_by: str | None
    """Who named the region, when, and in which event; None where it is unknown."""
    call_hours: Span
    """From when until when, in minutes of the prospect's day, the law allows calls; the playbook may say less."""
    consent_expires_on: date | None
    modes: tuple[ModeShown, ...]
    table: str
    """SHA-256 of the law table."""


class Unknown(msgspec.Struct, frozen=True, kw_only=True):
    """What the table comes to for somebody whose region is unknown."""

    hours: CallHours
    """What all rows allow together."""
    register: Register | None
    """The strictest."""
    implied: tuple[ImpliedConsent, ...]
    """Each has to allow mail."""


class TableShown(msgspec.Struct, frozen=True, kw_only=True):
    """What ``thaw law table --json`` prints."""

    digest: str
    table: LawTable
    unknown: Unknown


@law_group.command("table")
@json_option
@pass_app
def table(app: App, as_json: bool) -> None:
    """Print the law table, with the source of each row."""
    unknown = Unknown(
        hours=law.hours_in(CURRENT, None), register=law.register_for(CURRENT, None), implied=law.consents_for(CURRENT, None)
    )
    if as_json:
        app.print_json(TableShown(digest=DIGEST, table=CURRENT, unknown=unknown))
        return
    click.echo(f"law table {CURRENT.version}, SHA-256 {DIGEST}")
    for line in _lines(unknown):
        click.echo(line)


def _lines(unknown: Unknown) -> Iterator[str]:
    """Yield the rows: ``unknown`` is a region that nobody knows, ``other`` one that is known and has no row."""
    for row in CURRENT.hours:
        yield _line("other" if row.region == "*" else row.region, law_words.week(row), _source(row.source))
    yield _line("unknown", law_words.week(unknown.hours), "what all rows allow together: it may be any of them")
    for register in CURRENT.registers:
        yield _line(register.country, law_words.register(register), _source(register.source))
    if found := unknown.register:
        yield _line("unknown", law_words.register(found), f"as in {found.country}: it may be there")
    for rule in CURRENT.implied:
        yield _line(rule.country, law_words.consent(rule), _source(rule.source))
    for rule in unknown.implied:
        yield _line("unknown", law_words.consent(rule), f"as in {rule.country}: it may be there")
    modes = ", ".join(map(words, CURRENT.express))
    yield _line("all", f"{modes}: express consent", _source(CURRENT.express_source))


def _line(region: str, says: str, why: str) -> str:
    return f"{region:<8} {says} - {why}"


def _source(source: str) -> str:
    return f"source: {law_words.read_at(source)}"


@law_group.command("show")
@click.argument("lead")
@click.option("--on", type=DAY, help="The day to judge. Default: today, by the rep's clock.")
@json_option
@pass_app
def show(app: App, lead: str, on: str | None, as_json: bool) -> None:
    """Show what is known of LEAD, and what the law refuses on a day.

    Of a past day it goes by what had been recorded by the end of it; in any case by the law table of today.
    """
    with typed_errors(), transaction(app.service.engine) as connection:
        found = find_lead(connection, lead)
        zone = zone_of(calendar_of(connection, found.lead.owner))
        history = read_history(connection, found.lead.id)
        today = app.service.now().astimezone(zone).date()
        day = date.fromisoformat(on) if on else today
        if day < today:
            history = as_recorded(history, str(day), zone, app.service.now(), what="--on")
    person = history.entries[-1].after if day < today else found.lead
    facts, region = law.law_of(person), law.region_of(person)
    shown = LawShown(
        key=lead,
        day=day,
        facts=facts,
        region_said_by=_said_by(history, zone) if region else None,
        call_hours=law.window(region, day, CURRENT),
        consent_expires_on=law.consent_expires_on(facts, CURRENT),
        modes=tuple(_mode_shown(person, mode, day) for mode in person.modes),
        table=DIGEST,
    )
    if as_json:
        app.print_json(shown)
        return
    then = ", as recorded by the end of that day" if day < today else ""
    click.echo(f"{plain(found.name, 80)} on {shown_day(day)}{then}, by law table {CURRENT.version}")
    click.echo(f"known: {law_words.known(facts, plain(shown.region_said_by or '', 200))}")
    click.echo(f"calls by their own clock: {law_words.clock(shown.call_hours)}")
    if shown.consent_expires_on:
        click.echo(f"implied consent to mail until {shown.consent_expires_on}")
    for each in shown.modes:
        click.echo(f"{words(each.mode)}: {f'{each.reason} ({each.rule})' if each.rule else 'not refused by law'}")


def _said_by(history: History, zone: ZoneInfo) -> str | None:
    """Return which event of *history* named the region that is known, and who handed it in."""
    named = (each for each in reversed(history.entries) if (said := getattr(each.recorded.data, "law", UNSET)) and said.region)
    entry = next(named, None)
    if entry is None:
        return None
    day = shown_day(entry.recorded.recorded_at.astimezone(zone).date())
    asked = getattr(entry.recorded.command, "law", UNSET)
    assumed = ", as the mapping says of rows that name none" if getattr(asked, "region_assumed", False) else ""
    return f"by {entry.recorded.actor} on {day}, event {entry.recorded.version}{assumed}"


def _mode_shown(person: Lead, mode: Mode, day: date) -> ModeShown:
    refused = law.refuses(person, mode, day, CURRENT)
    if refused:
        return ModeShown(mode=mode, rule=refused.rule, reason=refused.reason)
    closed = law_words.closed(law.region_of(person), day, CURRENT) if mode == "call" else None
    return ModeShown(mode=mode, rule="contact_hours" if closed else None, reason=closed)


def _record(app: App, typed: dict[str, Any], facts: Callable[[], LawFacts]) -> None:
    """Hand in what was *typed* about a lead."""
    typed["message_id"] = typed["message_id"] or uuid4()
    said = facts()

    def prepare(connection: Any) -> Any:
        draft = Draft.start(connection, app.service.now(), typed, "--at")
        evidence = draft.text("--evidence", "evidence", typed.get("evidence"))
        return draft.submission(RecordLaw(occurred_at=draft.occurred_at, law=said, evidence=evidence))

    hand_in(app, typed["message_id"], prepare, wait=not typed["no_wait"], as_json=typed["as_json"])


def _set(app: App, /, **typed: Any) -> None:
    given = {name: typed[name] for name in ("region", "consumer", "purchased_on", "inquired_on") if typed[name] is not None}
    consents: Sequence[ConsentMode] = typed["consents"]
    if consents:
        given["consents"] = list(dict.fromkeys(consents))
    if typed["no_consents"]:
        given["consents"] = []
    if not given:
        raise InputError("say something: --region, --consumer, --purchased-on, --inquired-on or --consent")
    if consents and (typed["no_consents"] or not typed["evidence"]):
        raise InputError("--consent needs --evidence, who agreed, when and how, and goes without --no-consents")

    def facts() -> LawFacts:
        try:
            said = msgspec.convert(given, LawFacts)
        except msgspec.ValidationError as error:
            raise _no_region(typed["region"]) from error
        if said.region and not is_known(said.region):
            raise _no_region(said.region)
        return said

    _record(app, typed, facts)


def _no_region(region: str) -> InputError:
    hint = meant_by(region) or "it by ISO 3166-2, such as US-FL or CA-ON, or a country alone, such as DE"
    return InputError(f"--region {region}: write {hint}")


def _checked(app: App, /, **typed: Any) -> None:
    if typed["listed"] is None:
        raise InputError("what did the register say? Name --clear or --listed")
    _record(app, typed, lambda: LawFacts(dnc_checked_on=date.fromisoformat(typed["on"]), dnc_listed=typed["listed"]))


law_group.add_command(
    click.Command(
        "set",
        callback=click.make_pass_decorator(App)(_set),
        params=[
            click.Argument(["lead"]),
            click.Option(["--region"], help="Where they are, by ISO 3166-2: US-FL, CA-ON; or a country: DE."),
            click.Option(["--consumer/--company", "consumer"], default=None, help="A private person, or a company."),
            click.Option(["--purchased-on"], type=DAY, help="The day of their last purchase from us."),
            click.Option(["--inquired-on"], type=DAY, help="The day of their last inquiry with us."),
            click.Option(
                ["--consent", "consents"],
                type=click.Choice(get_args(ConsentMode)),
                multiple=True,
                help="They agreed expressly to this mode; replaces what was recorded. May be repeated.",
            ),
            click.Option(["--no-consents"], is_flag=True, help="They agreed expressly to nothing (any more)."),
            click.Option(["--evidence"], help="Who agreed, when and how; kept outside the log."),
            *common_options(),
        ],
        help="Record what the law asks about LEAD. What is not named stays as it is.",
        short_help="Record what the law asks about a lead.",
    )
)
law_group.add_command(
    click.Command(
        "dnc-checked",
        callback=click.make_pass_decorator(App)(_checked),
        params=[
            click.Argument(["lead"]),
            click.Option(["--on"], type=DAY, required=True, help="The day of the look-up."),
            click.Option(["--clear", "listed"], flag_value=False, type=bool, default=None, help="The number is not listed."),
            click.Option(["--listed", "listed"], flag_value=True, type=bool, help="It is: nobody calls it any more."),
            *common_options(),
        ],
        help="Record that LEAD's number was looked up in the national do-not-call register, and what it said.",
        short_help="Record a look-up in the do-not-call register.",
    )
)

COMMANDS = (law_group,)
