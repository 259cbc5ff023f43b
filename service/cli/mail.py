"""Mail that the service sends: made and checked, sent by a worker, and settled by a person when nobody knows its end."""

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import click
import msgspec

from actors.apply import Applier
from actors.mail_checks import MAIL
from actors.submit import Submission
from models import contacts, deliveries, messages, texts, views, wordings
from models.database import Connection, rehearsal, transaction
from service.cli.answers import hand_in, typed_errors
from service.cli.app import App, InputError, json_option, pass_app
from service.cli.draft import Draft, refuse_too_long
from service.cli.forms import common_options
from service.cli.owed import mail_to_owed
from service.cli.typed import SLUG, TEXT_FILE
from service.find import find_lead
from service.mailing.addresses import address_of, sender_of, token_of
from service.mailing.compose import Letter, compose, filled
from service.pepper import Pepper, open_pepper
from service.way_out import way_out
from service.wording import count, key_of
from workflows.commands import Command, decode_command
from workflows.events import CommandRefused
from workflows.mail_commands import MailOutcome, QueueBreakupMail, QueueNurtureMail, ReportMail
from workflows.mail_text import read_mail
from workflows.wordings import Wording

#: What is typed of a mail, beside its text; the same id with something else is refused.
_ENTRY = ("asset", "kind", "subject", "minutes", "monitored", "override", "occurred")


@click.group()
def mail() -> None:
    """Mail that goes out by itself once you have written it, and what came of it."""


class _Made(NamedTuple):
    """A mail that is ready to be kept."""

    raw: bytes
    wording: str | None
    footer: str
    """Digest of what stands below it."""


def _handler(make: Callable[[App, Draft, dict[str, Any]], Command]) -> Callable[..., None]:
    def run(app: App, /, **typed: Any) -> None:
        if not typed["lead"] and not typed.get("owed"):
            raise InputError("name the LEAD, or say --owed for everybody to whom this month's touch is owed")
        if not app.settings.smtp_url and not (typed.get("preview") or typed.get("dry_run")):
            raise InputError("no mail server is named in THAW_SMTP_URL: nothing is sent, and people send by hand as before")
        if typed.get("owed"):
            mail_to_owed(app, typed, lambda connection, entry: _submission(app, connection, entry, make))
            return
        if typed.get("dry_run") or typed.get("rep_name"):
            raise InputError("--dry-run and --rep go with --owed; what one lead would get is shown by --preview")
        typed["message_id"] = typed["message_id"] or uuid4()
        if typed.get("preview"):
            with typed_errors(), transaction(app.service.engine) as connection:
                draft = Draft.start(connection, app.service.now(), typed, "--at")
                click.echo(_make(app, draft, typed).raw.decode(), nl=False)
                lead = draft.found.lead
                key = key_of(lead, contacts.find_contacts(connection, [lead.id]).get(lead.id))
                waits = "asset" not in typed and lead.state == "no_response" and not lead.breakup_voicemail_at
            for line in _refused(app, typed, make, key):
                click.echo(line, err=True)
            if waits:
                click.echo(f"no voicemail is left yet: thaw breakup voicemail {key} --attest-all", err=True)
            return
        hand_in(
            app,
            typed["message_id"],
            lambda connection: _submission(app, connection, typed, make),
            wait=not typed["no_wait"],
            as_json=typed["as_json"],
        )

    return click.make_pass_decorator(App)(run)


def _refused(app: App, typed: dict[str, Any], make: Callable[[App, Draft, dict[str, Any]], Command], key: str) -> Iterator[str]:
    """Yield why the mail that is *typed* would be refused now, and what to type then for *key*; nothing is kept of it."""
    applier = Applier(app.service.engine, app.service.now, postal_address=app.settings.postal_address)
    with typed_errors(), rehearsal(app.service.engine) as connection:
        submission = _submission(app, connection, typed, make)
        applier.rehearse(connection, submission)
        decided = messages.find(connection, submission.id)
        if decided is None or decided.outcome != "refused":
            return
        yield f"as it stands it would be refused ({decided.rule}): {decided.reason}"
        said = views.latest(connection, [submission.stream_id], ["command_refused"]).get(submission.stream_id)
        if said and isinstance(said.data, CommandRefused) and said.data.rule == decided.rule:
            lead = find_lead(connection, typed["lead"]).lead
            way = way_out(said.data.rule, said.data.refused, said.data.inputs, key, lead)
            yield from [f"  to go on: {way}"] if way else []


def _submission(
    app: App, connection: Connection, typed: dict[str, Any], make: Callable[[App, Draft, dict[str, Any]], Command]
) -> Submission:
    draft = Draft.start(connection, app.service.now(), typed, "--at")
    # The same entry again is the same mail, though what it was made of (attempts, mails before it) may be another by now.
    command = _first_said(connection, draft.message_id) or make(app, draft, typed)
    entry = {name: typed.get(name) for name in _ENTRY} | {"text": _own_text(typed)}
    draft.keep("mail", "mail.entry", json.dumps(entry, sort_keys=True))
    return draft.submission(command)


def _first_said(connection: Connection, message_id: UUID) -> Command | None:
    known = messages.find(connection, message_id)
    command = decode_command(known.body) if known else None
    # Of another kind, the id was used for something else; whoever hands the new command in is told so.
    return command if isinstance(command, (QueueBreakupMail, QueueNurtureMail)) else None


def _own_text(typed: dict[str, Any]) -> str | None:
    if typed["text"] is not None and typed["text_file"] is not None:
        raise InputError("--text and --text-file say the same thing twice: use one of them")
    own: str | None = typed["text"] if typed["text"] is not None else typed["text_file"]
    refuse_too_long("--text", own or "")
    return own


def _breakup(app: App, draft: Draft, typed: dict[str, Any]) -> QueueBreakupMail:
    made = _make(app, draft, typed)
    text = draft.keep("--text", MAIL, made.raw.decode())
    monitored = typed["monitored"] if typed["monitored"] is not None else bool(app.settings.imap_url)
    return QueueBreakupMail(
        mail=draft.message_id,
        text=text,
        monitored_reply_address=monitored,
        wording=made.wording,
        footer=made.footer,
        minutes=typed["minutes"],
        override=draft.text("--override", "override", typed["override"]) or msgspec.UNSET,
        occurred_at=draft.occurred_at,
    )


def _nurture(app: App, draft: Draft, typed: dict[str, Any]) -> QueueNurtureMail:
    made = _make(app, draft, typed)
    text = draft.keep("--text", MAIL, made.raw.decode())
    return QueueNurtureMail(
        mail=draft.message_id,
        text=text,
        asset=typed["asset"],
        kind=typed["kind"] or msgspec.UNSET,
        wording=made.wording,
        footer=made.footer,
        minutes=typed["minutes"],
        override=draft.text("--override", "override", typed["override"]) or msgspec.UNSET,
        occurred_at=draft.occurred_at,
    )


def _make(app: App, draft: Draft, typed: dict[str, Any]) -> _Made:
    connection, lead = draft.connection, draft.found.lead
    contact = contacts.find_contacts(connection, [lead.id]).get(lead.id)
    fields = contact.fields if contact else {}
    name = str(fields.get("name") or "")
    if not fields.get("email"):
        raise InputError(f"{draft.found.name}: no mail address is known")
    sender = sender_of(connection, lead.owner, app.settings)
    own = _own_text(typed)
    asset = typed.get("asset")
    used, footer = wordings.latest(connection, "nurture" if asset else "breakup"), wordings.latest(connection, "mail-footer")
    values = {
        "first_name": name.split()[0] if name.split() else "",
        "rep": sender.display_name or lead.owner,
        "attempts": str(lead.attempts),
        "solution": _said(texts.latest(connection, lead.id, "solution")),
        "benefit": _said(texts.latest(connection, lead.id, "benefit")),
        "message": (own or "").strip(),
        "asset": (asset or "").replace("-", " ").replace("_", " "),
    }
    if asset and not values["message"]:
        raise InputError("say what you have for them, with --text or --text-file")
    text = own if own is not None and not asset else filled(used.body, values)
    letter = Letter(
        mail_id=draft.message_id,
        sender=sender,
        recipient=address_of("the address of this lead", str(fields["email"]), name),
        subject=typed["subject"] or filled(used.subject, values),
        text=text,
        sent_at=draft.occurred_at,
        earlier=_earlier(connection, lead.id),
        postal_address=app.settings.postal_address,
        footer=footer.text,
        token=token_of(_pepper(app), lead.id),
        public_url=app.settings.public_url,
    )
    return _Made(compose(letter), _recorded(used, own is not None and not asset), footer.digest)


def _recorded(used: Wording, of_ones_own: bool) -> str | None:
    return None if of_ones_own else f"{used.name}:{used.digest}"


def _said(words: str) -> str:
    return words.strip().rstrip(".")


def _pepper(app: App) -> Pepper:
    return open_pepper(app.settings, app.service.engine)


def _earlier(connection: Connection, lead_id: UUID) -> list[str]:
    """Return the Message-IDs of the mails to a lead that went out, oldest first."""
    sent = deliveries.bodies_sent(connection, lead_id)
    return [read_mail(body.encode()).message_id for body in sent]


def _options(*more: click.Parameter, lead: bool = True) -> list[click.Parameter]:
    return [
        click.Argument(["lead"], required=lead),
        *more,
        click.Option(["--subject"], help="Instead of the usual subject."),
        click.Option(["--text"], help="Your own text."),
        click.Option(["--text-file", "text_file"], type=TEXT_FILE, help="A file that holds it."),
        click.Option(["--minutes"], type=click.IntRange(0, 1440), default=0, help="Minutes that it took, 0 to 1440."),
        click.Option(["--preview"], is_flag=True, help="Print the mail and what would refuse it; do nothing."),
        *common_options(),
    ]


mail.add_command(
    click.Command(
        "breakup",
        callback=_handler(_breakup),
        help="Send the second half of a breakup: it asks to reply, so somebody has to read the answers.",
        params=_options(
            click.Option(
                ["--monitored/--not-monitored"],
                default=None,
                help="Whether somebody reads the address that it comes from; with THAW_IMAP_URL, Thaw does.",
            ),
            click.Option(["--override"], help="Why it goes out although a check failed, in 15 characters or more."),
        ),
    )
)
mail.add_command(
    click.Command(
        "nurture",
        callback=_handler(_nurture),
        help="Send the month's value touch to LEAD, or with --owed one to everybody to whom it is owed; what you have for them "
        "stands in --text, below a greeting by name.",
        params=_options(
            click.Option(["--owed"], is_flag=True, help="Everybody who is owed a touch; who gets none is named."),
            click.Option(["--rep", "rep_name"], help="With --owed: only this rep's leads."),
            click.Option(["--dry-run"], is_flag=True, help="With --owed: say who would get it, and hand in nothing."),
            click.Option(["--asset"], type=SLUG, required=True, help="What it brings, as a short word such as market-report."),
            click.Option(["--kind"], type=SLUG, help="What sort of thing it is, such as newsletter or report."),
            click.Option(["--override"], help="Why it goes out although a check failed, in 15 characters or more."),
            lead=False,
        ),
    )
)


@mail.command("settle", params=[*common_options()])
@click.argument("lead")
@click.option("--sent/--not-sent", required=True, help="Whether it went out, as the server's log or the sent folder says.")
@pass_app
def settle(app: App, /, **typed: Any) -> None:
    """Say whether a mail went out of which nobody knows it (mail_unconfirmed)."""
    typed["message_id"] = typed["message_id"] or uuid4()

    def prepare(connection: Connection) -> Submission:
        draft = Draft.start(connection, app.service.now(), typed, "--at")
        known = draft.found.lead.mail
        before = messages.find(connection, draft.message_id)
        first = decode_command(before.body) if before else None
        if isinstance(first, ReportMail):
            mail_id = first.mail
        elif known and known.status == "unconfirmed":
            mail_id = known.id
        else:
            raise InputError(f"{draft.found.name}: there is no mail of which nobody knows whether it went out")
        outcome: MailOutcome = "sent" if typed["sent"] else "refused"
        reason = None if typed["sent"] else "not_sent"
        return draft.submission(ReportMail(mail=mail_id, outcome=outcome, reason=reason, occurred_at=draft.occurred_at))

    hand_in(app, typed["message_id"], prepare, wait=not typed["no_wait"], as_json=typed["as_json"])


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """The last mail to a lead."""

    id: UUID
    purpose: str
    status: str
    attempts: int
    mail: str | None
    """Byte for byte; None once it is erased."""


@mail.command("show")
@click.argument("lead")
@json_option
@pass_app
def show(app: App, lead: str, as_json: bool) -> None:
    """Print the last mail to LEAD, byte for byte as it went out, and what came of it."""
    with typed_errors(), transaction(app.service.engine) as connection:
        found = find_lead(connection, lead)
        known = found.lead.mail
        if not known:
            raise InputError(f"{found.name}: Thaw had no mail to send to this person")
        body = contacts.find_document(connection, known.text.document_id)
    shown = Shown(id=known.id, purpose=known.purpose, status=known.status, attempts=known.attempt, mail=body)
    if as_json:
        app.print_json(shown)
        return
    click.echo(f"{known.purpose} mail, {known.status} after {count(known.attempt, 'conversation')} with the server", err=True)
    click.echo(body if body is not None else "its text was erased", nl=body is None)


COMMANDS = (mail,)
