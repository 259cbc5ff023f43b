"""``thaw history``: what happened with an account so far, in words; that it was read is recorded."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import click
import msgspec

from actors.submit import Submission
from models import contacts
from models.database import Connection, transaction
from service.cli.answers import hand_in, typed_errors
from service.cli.app import App
from service.cli.draft import Draft
from service.cli.forms import common_options
from service.cli.look import owners_zone
from service.find import Found, find_lead
from service.history import History, labelled, read_history, said
from service.kept_words import references
from service.merged import merged_lines
from service.times import shown_day
from service.wording import facts_of, field_of, plain, words
from workflows.events import CommandRefused, event_type
from workflows.homework_commands import OpenHistory

#: What the CRM knows of an account, in the order in which it is read.
_FIELDS = ("company", "product", "last_meeting_place", "last_meeting_on", "last_meeting_topic", "prior_interest")


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened."""

    version: int
    day: str
    event: str
    says: str
    texts: tuple[str, ...]
    """The words that belong to it, as far as they are still kept."""


def _history(app: App, /, **typed: Any) -> None:
    typed["message_id"] = typed["message_id"] or uuid4()
    with typed_errors(), transaction(app.service.engine) as connection:
        found = find_lead(connection, typed["lead"])
        history = read_history(connection, found.lead.id)
        told = tuple(_told(connection, history, owners_zone(connection, found.lead)))
        merged = tuple(merged_lines(connection, found.lead))
    if not typed["as_json"]:
        for line in (*_lines(found, told, history), *(labelled(*line) for line in merged)):
            click.echo(line)
    if found.lead.merged_into:
        # It is read like any other; that it was read counts on the lead that goes on.
        if typed["as_json"]:
            app.print_json({"history": told, "trouble": history.trouble, "answer": None})
        return
    hand_in(
        app,
        typed["message_id"],
        lambda connection: _opened(connection, app, typed),
        wait=not typed["no_wait"],
        as_json=typed["as_json"],
        beside={"history": told, "trouble": history.trouble},
    )


def _opened(connection: Connection, app: App, typed: Mapping[str, Any]) -> Submission:
    draft = Draft.start(connection, app.service.now(), typed, "--at")
    return draft.submission(OpenHistory(occurred_at=draft.occurred_at))


def _told(connection: Connection, history: History, zone: ZoneInfo) -> Iterator[Told]:
    kept = {entry.row.version: tuple(references(entry.recorded.data)) for entry in history.entries}
    bodies = contacts.find_documents(connection, [each for found in kept.values() for each in found])
    for entry in history.entries:
        recorded = entry.recorded
        if isinstance(recorded.data, CommandRefused):
            continue
        texts = (bodies.get(document_id) for document_id in kept[entry.row.version])
        yield Told(
            version=entry.row.version,
            day=shown_day(recorded.occurred_at.astimezone(zone).date()),
            event=event_type(recorded.data),
            says=said(recorded.data),
            texts=tuple(text for text in texts if text),
        )


def _lines(found: Found, told: tuple[Told, ...], history: History) -> Iterator[str]:
    yield found.name
    fields = found.contact.fields if found.contact else {}
    for name in _FIELDS:
        if shown := field_of(fields, name, 300):
            yield labelled(words(name), shown)
    if facts := facts_of(fields):
        yield labelled("facts", "; ".join(facts))
    for each in told:
        yield labelled(str(each.version), f"{each.day}  {words(each.event)}: {each.says}".rstrip(": "))
        for text in each.texts:
            yield f"{'':<13}“{plain(text, 300)}”"
    if history.trouble:
        yield f"WRONG      {history.trouble}; run `thaw verify`"


COMMANDS = (
    click.Command(
        "history",
        callback=click.make_pass_decorator(App)(_history),
        params=[click.Argument(["lead"]), *common_options()],
        help=(
            "Read what happened with an account so far.\n\nThat it was read is recorded: of somebody who said no, only then "
            "can be recorded what was missed last time."
        ),
        short_help="Read what happened with an account so far.",
    ),
)
