"""Contact law: what is known of a person, what it comes to today, and the table that is asked."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, get_args
from uuid import uuid4

import click
import msgspec

from models.database import transaction
from models.views import calendar_of
from service.cli.answers import hand_in, typed_errors
from service.cli.app import App, InputError, json_option, pass_app
from service.cli.draft import Draft
from service.cli.forms import common_options
from service.cli.typed import DAY
from service.find import find_lead
from service.times import zone_of
from service.wording import plain
from workflows import law
from workflows.commands import Mode, RecordLaw
from workflows.law_facts import ConsentMode, LawFacts
from workflows.law_table import CURRENT, DIGEST, LawTable, Span
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
    call_hours: Span
    """From when until when, in minutes of the prospect's day, the law allows calls; the playbook may say less."""
    consent_expires_on: date | None
    modes: tuple[ModeShown, ...]
    table: str
    """SHA-256 of the law table."""


class TableShown(msgspec.Struct, frozen=True, kw_only=True):
    """What ``thaw law table --json`` prints."""

    digest: str
    table: LawTable


def _clock(span: Span) -> str:
    return f"{span[0] // 60:02}:{span[0] % 60:02} to {span[1] // 60:02}:{span[1] % 60:02}" if span else "no calls"


@law_group.command("table")
@json_option
@pass_app
def table(app: App, as_json: bool) -> None:
    """Print the law table, with the source of each row."""
    if as_json:
        app.print_json(TableShown(digest=DIGEST, table=CURRENT))
        return
    click.echo(f"law table {CURRENT.version}, SHA-256 {DIGEST}")
    for row in CURRENT.hours:
        holidays = "" if row.holidays else ", not on public holidays"
        spans = f"{_clock(row.weekday)}; Saturday {_clock(row.saturday)}; Sunday {_clock(row.sunday)}{holidays}"
        click.echo(f"{row.region:<6} {spans}  [{row.source}]")
    for each in CURRENT.registers:
        months = f"{each.purchase_months} months after a purchase, {each.inquiry_months} after an inquiry"
        click.echo(
            f"{each.country:<6} consumers: do-not-call look-up within {each.check_days} days, but for {months}  [{each.source}]"
        )
    for rule in CURRENT.implied:
        months = f"{rule.purchase_months} months after a purchase, {rule.inquiry_months} after an inquiry"
        click.echo(f"{rule.country:<6} mail: {months}, or express consent  [{rule.source}]")
    click.echo(f"*      {', '.join(map(words, CURRENT.express))}: express consent  [{CURRENT.express_source}]")


@law_group.command("show")
@click.argument("lead")
@click.option("--on", type=DAY, help="The day to judge. Default: today, by the rep's clock.")
@json_option
@pass_app
def show(app: App, lead: str, on: str | None, as_json: bool) -> None:
    """Show what is known of LEAD, and what the law refuses on a day."""
    with typed_errors(), transaction(app.service.engine) as connection:
        found = find_lead(connection, lead)
        zone = zone_of(calendar_of(connection, found.lead.owner))
    day = date.fromisoformat(on) if on else app.service.now().astimezone(zone).date()
    refusals = [(mode, law.refuses(found.lead, mode, day)) for mode in found.lead.modes]
    shown = LawShown(
        key=lead,
        day=day,
        facts=law.law_of(found.lead),
        call_hours=law.window(law.region_of(found.lead), day, CURRENT),
        consent_expires_on=law.consent_expires_on(law.law_of(found.lead), CURRENT),
        modes=tuple(
            ModeShown(mode=mode, rule=refused.rule if refused else None, reason=refused.reason if refused else None)
            for mode, refused in refusals
        ),
        table=DIGEST,
    )
    if as_json:
        app.print_json(shown)
        return
    known = ", ".join(f"{words(name)} {value}" for name, value in msgspec.to_builtins(shown.facts).items())
    click.echo(f"{plain(found.name, 80)} on {day}: {known or 'nothing is known, so the strictest hours hold'}")
    click.echo(f"calls by their own clock: {_clock(shown.call_hours)}")
    if shown.consent_expires_on:
        click.echo(f"implied consent to mail until {shown.consent_expires_on}")
    for each in shown.modes:
        click.echo(f"{words(each.mode)}: {f'{each.reason} ({each.rule})' if each.rule else 'not refused by law'}")


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
