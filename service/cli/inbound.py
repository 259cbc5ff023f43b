"""Mail that comes in: one on standard input, or all that is new in a mailbox; and the server of the link in ours."""

import signal
import sys
import threading
from datetime import date
from typing import cast, get_args

import click

from models.database import Connection, transaction
from service.cli.answers import hand_in
from service.cli.app import App, InputError, json_logs_option, pass_app
from service.cli.typed import DAY
from service.mailing.imap import Mailbox, MailboxError
from service.mailing.inbox import MOST_BYTES, UNREAD, Answered, receive, take
from service.mailing.unsubscribe import make_server, unsubscribe
from service.pepper import open_pepper
from workflows.commands import ReplyIntent


@click.command()
@click.option(
    "--intent",
    type=click.Choice(get_args(ReplyIntent)),
    default=UNREAD.intent,
    show_default=True,
    help="What they want, if you read it.",
)
@click.option("--revisit-on", type=DAY, help="The day to come back on, if they named one.")
@click.option("--imap", is_flag=True, help="Read what is new in the mailbox of THAW_IMAP_URL instead.")
@click.option("--every", type=click.IntRange(5, 86_400), help="With --imap: do it again after so many seconds, for ever.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
@pass_app
def inbound(app: App, intent: str, revisit_on: date | None, imap: bool, every: int | None, as_json: bool) -> None:
    """Take in mail from prospects: answers, automatic ones, mail that came back, and objections.

    Without --imap: one mail, as it came over the line (RFC 5322), on standard input.
    """
    if imap:
        _read_mailbox(app, every)
        return
    if every:
        raise InputError("--every goes with --imap")
    raw = sys.stdin.buffer.read(MOST_BYTES + 1)
    if not raw.strip():
        raise InputError("there is no mail on standard input: thaw inbound < message.eml")
    pepper = open_pepper(app.settings, app.service.engine)
    answered = Answered(cast("ReplyIntent", intent), revisit_on)
    with transaction(app.service.engine) as connection:
        taken = take(connection, pepper, raw, app.service.now(), answered)
    if taken.submission is None:
        if as_json:
            app.print_json({"outcome": "ignored", "sentence": taken.sentence})
        else:
            click.echo(taken.sentence)
        return
    submission = taken.submission
    if taken.merged:
        click.echo(taken.merged, err=True)

    def prepare(connection: Connection) -> object:  # noqa: ARG001  # it is made, and its words are kept
        return submission

    hand_in(app, submission.id, prepare, wait=True, as_json=as_json)  # type: ignore[arg-type]  # a submission


def _read_mailbox(app: App, every: int | None) -> None:
    if not app.settings.imap_url:
        raise InputError("no mailbox is named in THAW_IMAP_URL")
    mailbox, waiting = Mailbox(app.settings.imap_url), threading.Event()
    while True:
        try:
            for sentence in mailbox.read_new(lambda raw: receive(app.service, raw)):
                click.echo(sentence)
        except MailboxError as error:
            if not every:
                raise
            click.echo(f"thaw: {error}", err=True)
        if not every:
            return
        waiting.wait(every)


@click.command("unsubscribe-server")
@json_logs_option
@pass_app
def unsubscribe_server(app: App, as_json: bool) -> None:
    """Serve the links with which people unsubscribe (RFC 8058), on THAW_UNSUBSCRIBE_LISTEN.

    Put a proxy with a certificate before it, and name its address in THAW_PUBLIC_URL.
    """
    if as_json:
        app.log_as_json()
    service = app.service
    pepper = open_pepper(app.settings, service.engine)
    server = make_server(app.settings.unsubscribe_listen, pepper, lambda lead_id: unsubscribe(service, lead_id))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    with server:
        click.echo(f"listening on {app.settings.unsubscribe_listen}", err=True)
        server.serve_forever()


COMMANDS = (inbound, unsubscribe_server)
