"""Reading a text before it goes out: the same checks as when it is recorded, and nothing is written."""

from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo

import click
import msgspec

from actors.measures import preview
from models import playbooks, views
from models.database import Connection, transaction
from service.cli.answers import typed_errors
from service.cli.app import App, InputError, json_option, pass_app
from service.cli.draft import refuse_too_long
from service.cli.photo import two_sentences
from service.cli.typed import TEXT, TEXT_FILE
from service.closest import Closest, closest_of, side_by_side
from service.find import find_lead
from service.times import zone_of
from service.wording import words
from workflows.checks import NOT_OVERRIDDEN
from workflows.content import TextKind, is_remark
from workflows.events import Verdict

KINDS: tuple[TextKind, ...] = ("note", "touch", "breakup_email", "breakup_voicemail", "nurture", "strategy")

#: Kinds of texts that may go out in spite of a check, with a reason.
_OVERRIDABLE = ("note", "touch", "breakup_email", "breakup_voicemail", "nurture")


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What the checks say of a text."""

    kind: TextKind
    fine: bool
    """Nothing of it would be refused."""
    verdicts: tuple[Verdict, ...]
    closest: Closest | None = None
    """The text of the team that it is too much like."""
    to_attest: tuple[str, ...] = ()
    """Of two sentences of a note: the checks that these cannot tell, so that somebody has to vouch for them."""


@click.command()
@click.argument("lead")
@click.option("--kind", type=click.Choice(KINDS), default="note", show_default=True, help="What the text is to be.")
@click.option("--text", "typed", help="The text.")
@click.option("--text-file", type=TEXT_FILE, help="A file that holds it.")
@click.option("--sentence", "sentences", type=TEXT, multiple=True, help="Of a note with a photo, twice: those you will give.")
@click.option("--value-item", default="", help="For a touch or nurture: what is new in it, such as market-report.")
@click.option("--fact", type=click.IntRange(1, 50), help="Which personal fact it uses in other words, counted from 1.")
@json_option
@pass_app
def check(
    app: App,
    lead: str,
    kind: TextKind,
    typed: str | None,
    text_file: str | None,
    sentences: tuple[str, ...],
    value_item: str,
    fact: int | None,
    as_json: bool,
) -> None:
    """Say what the content checks would say of a text for LEAD; nothing is recorded."""
    body = _body(kind, {"--text": typed, "--text-file": text_file}, sentences)
    if kind == "nurture" and not value_item:
        raise InputError("say what is sent with it, with --value-item, such as market-report-may")
    with typed_errors(), transaction(app.service.engine) as connection:
        found = find_lead(connection, lead)
        pin = found.lead.playbook
        playbook = playbooks.playbooks_by_digest(connection, [pin.digest]).get(pin.digest) if pin else None
        if playbook is None:
            raise InputError(f"{found.name} has no playbook whose checks could be made")
        calendar = views.calendar_of(connection, found.lead.owner)
        now = app.service.now()
        verdicts = preview(
            connection,
            found.lead,
            kind,
            body,
            playbook,
            calendar,
            now,
            value_item=value_item,
            fact=fact,
            of_photo=bool(sentences),
        )
        closest = _closest(connection, verdicts, zone_of(calendar))
    fine = all(verdict.passed or is_remark(verdict) for verdict in verdicts)
    told = {verdict.check for verdict in verdicts if not is_remark(verdict)}
    to_attest = tuple(check for check in playbook.checks.note if sentences and check not in told)
    if as_json:
        app.print_json(Checked(kind=kind, fine=fine, verdicts=verdicts, closest=closest, to_attest=to_attest))
    else:
        for verdict in verdicts:
            score = "" if verdict.score in (None, msgspec.UNSET) else f" ({verdict.score})"
            click.echo(f"{verdict.level:<7} {verdict.check}{score}{f': {verdict.reason}' if verdict.reason else ''}")
        for line in side_by_side(body, closest) if closest else ():
            click.echo(line)
        if to_attest:
            click.echo(f"two sentences cannot tell: {', '.join(to_attest)}; vouch for them with --attest, when it is recorded")
        if not fine:
            may_pass = kind in _OVERRIDABLE and NOT_OVERRIDDEN.isdisjoint(v.check for v in verdicts if not v.passed)
            in_spite = ", or --override TEXT with why, when it is recorded" if may_pass else ""
            click.echo(f"to go on: another text{in_spite}")
    if not fine:
        raise SystemExit(1)


def _body(kind: TextKind, texts: Mapping[str, str | None], sentences: tuple[str, ...]) -> str:
    """Return the text that is to be read: the only one of *texts*, or two *sentences* of a note that a photo shows."""
    given = [(option, text) for option, text in texts.items() if text is not None]
    if sentences and kind != "note":
        raise InputError(
            f"--sentence is for a note with a photo; say what the {words(kind)} is, with --text or with --text-file"
        )
    if len(given) + bool(sentences) != 1:
        raise InputError(
            "say what the text is, with --text or with --text-file, or with --sentence twice for a note with a photo"
        )
    option, body = given[0] if given else ("--sentence", two_sentences(sentences, of="a note with a photo"))
    refuse_too_long(option, body)
    return body


def _closest(connection: Connection, verdicts: Iterable[Verdict], zone: ZoneInfo) -> Closest | None:
    alike = (verdict for verdict in verdicts if verdict.level != "pass")
    return next((found for verdict in alike if (found := closest_of(connection, verdict.inputs, zone))), None)


COMMANDS = (check,)
