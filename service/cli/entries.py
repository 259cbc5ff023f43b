"""One entry about a campaign or a sales event, and the command of the shell that makes it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import click

from actors.submit import Submission
from models import contacts, leads, views
from models.database import Connection
from service.cli.answers import hand_in
from service.cli.app import App, InputError
from service.cli.draft import first_said
from service.cli.typed import WHO
from service.times import TimeError, parse_moment, zone_of
from service.wiring import Service
from service.wording import plain
from workflows import time_zones
from workflows.codec import derived_id
from workflows.commands import Command, Reference


@dataclass(frozen=True)
class Entry:
    """An entry being made, within the transaction that will accept it."""

    connection: Connection
    now: datetime
    message_id: UUID
    who: str
    occurred_at: datetime

    def keep(self, stream_id: UUID, field: str, text: str | None) -> Reference | None:
        """Keep *text* outside the log and return its reference; None when there is none."""
        return self.kept(stream_id, field, text) if text is not None else None

    def kept(self, stream_id: UUID, field: str, text: str) -> Reference:
        """Keep *text* outside the log and return its reference. The same entry again keeps the same."""
        try:
            return contacts.save_document(
                self.connection,
                derived_id("document", self.message_id, field),
                stream_id,
                field,
                text,
                writer=self.who,
                written_at=self.now,
                message_id=self.message_id,
            )
        except ValueError as error:
            raise InputError(
                f"the id {self.message_id} was used before with another {field}; nothing was changed. Use a new id, or repeat "
                f"the first command word for word."
            ) from error

    def submission(self, stream_id: UUID, command: Command) -> Submission:
        """Return *command* ready to be handed in."""
        return Submission(id=self.message_id, stream_id=stream_id, command=command, asked_by=self.who)


Prepare = Callable[[Entry, dict[str, Any]], Submission]


Noting = Callable[[Service, UUID], AbstractContextManager[Callable[[Submission, datetime], None]]]
"""Yields what is told of the submission before it is committed; it may note what came of it behind the block."""


def entry_command(
    name: str, says: str, parameters: Sequence[click.Parameter], prepare: Prepare, noting: Noting | None = None
) -> click.Command:
    """Return the command of the shell that hands in what *prepare* makes of the typed *parameters*; *noting* notes it, too."""

    def run(app: App, /, **typed: Any) -> None:
        message_id = typed["message_id"] or uuid4()
        with noting(app.service, message_id) if noting else nullcontext(lambda *_: None) as note:

            def prepared(connection: Connection) -> Submission:
                now = app.service.now()
                entry = Entry(connection, now, message_id, typed["who"], first_said(connection, message_id, now))
                submission = prepare(entry, typed)
                note(submission, now)
                return submission

            hand_in(app, message_id, prepared, wait=not typed["no_wait"], as_json=typed["as_json"])

    options = [
        click.Option(["--as", "who"], type=WHO, metavar="WHO", required=True, help="Who did it: manager:NAME or rep:NAME."),
        click.Option(["--id", "message_id"], type=click.UUID, metavar="UUID",
                     help="Id of this entry; the same again changes nothing more."),
        click.Option(["--no-wait"], is_flag=True, help="Hand it in, and do not wait for the answer."),
        click.Option(["--json", "as_json"], is_flag=True, help="Print one JSON object instead of text."),
    ]  # fmt: skip
    return click.Command(
        name,
        callback=click.make_pass_decorator(App)(run),
        params=[*parameters, *options],
        help=says,
        short_help=says.partition("\n")[0],
    )


def zone_from(connection: Connection, typed: str | None) -> ZoneInfo:
    """Return the time zone that was *typed*; without one that of the first rep, by name, and UTC while there is none."""
    if typed:
        zone = time_zones.zone_named(typed)
        if zone is None:
            raise InputError(f"--timezone {plain(typed, 60)!r}: there is no such time zone; one is America/New_York")
        return zone
    reps = leads.list_reps(connection)
    return zone_of(views.calendar_of(connection, reps[0].name)) if reps else ZoneInfo("UTC")


def moment_from(option: str, typed: str, zone: ZoneInfo, now: datetime) -> datetime:
    """Return the moment that was *typed* for *option*."""
    try:
        return parse_moment(typed, zone, now)
    except TimeError as error:
        raise InputError(f"{option}: {error}") from error
