"""One entry being made: the lead that it is about, and what the command needs to have looked up, kept or worked out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import click

from actors.submit import Submission
from models import contacts, messages, playbooks, texts, views
from models.database import Connection
from models.merges import survivor
from service.cli.answers import typed_errors
from service.cli.app import InputError
from service.find import Found, find_lead, find_rep
from service.merged import called
from service.times import TimeError, parse_moment, shown_day, shown_moment, zone_of
from service.wording import count, plain
from workflows.checks import OF_BREAKUPS
from workflows.codec import derived_id
from workflows.commands import Command, MarkNoteSent, Reference, SendNurtureTouch, SendTouch, decode_command
from workflows.content import MOST_CHARACTERS, too_long
from workflows.homework_commands import Source
from workflows.lead import Lead, at_work
from workflows.playbooks import Playbook

#: An override is listed to the manager, and "ok" tells nobody anything (methods.md section 4).
OVERRIDE_CHARACTERS = 15

#: The fields that hold words which content checks read.
_READ = frozenset({"text", "strategy"})

_CHECKED: dict[type[Command], str] = {MarkNoteSent: "note", SendTouch: "touch", SendNurtureTouch: "nurture"}


@dataclass(frozen=True)
class Draft:
    """An entry about one lead, within the transaction that will accept it."""

    connection: Connection
    now: datetime
    found: Found
    zone: ZoneInfo
    message_id: UUID
    who: str
    occurred_at: datetime

    @classmethod
    def start(
        cls, connection: Connection, now: datetime, typed: Mapping[str, Any], happened: str, *, merged_too: bool = False
    ) -> "Draft":
        """Look up the lead that was *typed*, and when it happened; one that was merged into another only if *merged_too*."""
        with typed_errors():
            found = find_lead(connection, typed["lead"])
        if found.lead.erased_at:
            raise InputError(f"{found.name}: nothing more is recorded about this person, lead {found.lead.id}")
        zone = zone_of(views.calendar_of(connection, found.lead.owner))
        message_id = typed["message_id"]
        # What was accepted before the merge gets its answer again.
        if found.lead.merged_into and not merged_too and messages.find(connection, message_id) is None:
            raise InputError(merged_away(connection, found))
        occurred = (typed["occurred"] or "now").strip()
        now_said = occurred.lower() in ("now", "today")
        at = first_said(connection, message_id, now) if now_said else _past(happened, occurred, zone, now)
        return cls(connection, now, found, zone, message_id, typed["who"] or f"rep:{at_work(found.lead)}", at)

    def submission(self, command: Command) -> Submission:
        """Return *command* ready to be handed in."""
        return Submission(id=self.message_id, stream_id=self.found.lead.id, command=command, asked_by=self.who)

    def moment(self, option: str, typed: str) -> datetime:
        """Return the moment that was *typed* for *option*."""
        try:
            return parse_moment(typed, self.zone, self.now)
        except TimeError as error:
            raise InputError(f"{option}: {error}") from error

    def text(self, option: str, field: str, typed: str | None, from_file: str | None = None) -> Reference | None:
        """Keep what was *typed* outside the log and return its reference. The same entry again keeps the same."""
        if typed is not None and from_file is not None:
            raise InputError(f"{option} and {option}-file say the same thing twice: use one of them")
        body = typed if typed is not None else from_file
        if body is None:
            return None
        if field == "override" and len(body.strip()) < OVERRIDE_CHARACTERS:
            raise InputError(
                f"{option} {body!r}: say in at least {OVERRIDE_CHARACTERS} characters why it is done in spite of the rules"
            )
        return self.keep(option, field, body)

    def texts(self, option: str, field: str, typed: Sequence[tuple[str, str]]) -> dict[str, Reference]:
        """Keep several texts, by the names they were given."""
        names = [name for name, _ in typed]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise InputError(f"{option} {twice}=…: {twice} is answered twice")
        return {name: self.keep(option, f"{field}.{name}", text) for name, text in typed}

    def sources(self, option: str, field: str, typed: Sequence[tuple[str, str]]) -> tuple[Source, ...]:
        """Keep where each source stands, and return it with the day on which it came out."""
        return tuple(
            Source(published_on=date.fromisoformat(day), where=self.keep(option, f"{field}.{number}", where))
            for number, (day, where) in enumerate(typed, start=1)
        )

    def keep(self, option: str, field: str, body: str) -> Reference:
        """Keep *body*, which came of *option*, outside the log and return its reference."""
        if field in _READ:
            refuse_too_long(option, body)
        if field == "photo":
            self._warn_of_same(option, body)
        document_id = derived_id("document", self.message_id, field)
        try:
            return contacts.save_document(
                self.connection,
                document_id,
                self.found.lead.id,
                field,
                body,
                writer=self.who,
                written_at=self.now,
                message_id=self.message_id,
            )
        except ValueError as error:
            raise InputError(
                f"the id {self.message_id} was used before with another {option}; nothing was changed. "
                f"Use a new id, or repeat the first command word for word."
            ) from error

    def _warn_of_same(self, option: str, photo: str) -> None:
        """Say to whom the same photo was given before: it shows the note to one person."""
        if not texts.are_open(self.connection):
            return
        others = texts.sent_to_others(self.connection, self.found.lead.id, "photo", photo)
        if others:
            name = called(self.connection, others[:1])[others[0]]
            more = f" and {count(len(others) - 1, 'other lead')}" if others[1:] else ""
            click.echo(f"{option}: the same photo is kept with the note to {name}{more}; is it the right one?", err=True)

    def attested(self, command: type[Command], typed: Sequence[str], *, every: bool) -> tuple[str, ...]:
        """Return the content checks that are vouched for, in the order of the playbook."""
        playbook = self._playbook()
        checks = OF_BREAKUPS.get(command) or getattr(playbook.checks, _CHECKED[command])
        unknown = next((check for check in typed if check not in checks), None)
        if unknown:
            raise InputError(
                f"--attest {unknown}: {playbook.id}@{playbook.version} has no such check here; it has {', '.join(checks)}"
            )
        return tuple(check for check in checks if every or check in typed)

    def _playbook(self) -> Playbook:
        pin = self.found.lead.playbook
        playbook = playbooks.playbooks_by_digest(self.connection, [pin.digest]).get(pin.digest) if pin else None
        if playbook is None:
            raise InputError(f"the playbook of {self.found.name} is not in the database; see `thaw verify`")
        return playbook

    def into(self, typed: str) -> UUID:
        """Return the lead into which this one is to be merged."""
        with typed_errors():
            other = find_lead(self.connection, typed)
        if messages.find(self.connection, self.message_id) is not None:
            return other.lead.id
        if other.lead.id == self.found.lead.id:
            raise InputError(f"--into {plain(typed, 80)}: that is the lead itself; name the lead that goes on")
        if other.lead.erased_at:
            raise InputError(f"--into {plain(typed, 80)}: {other.name}; nothing more is recorded about this person")
        if other.lead.merged_into:
            raise InputError(f"--into: {merged_away(self.connection, other)}")
        if ends := _ends_with(self.found.lead):
            click.echo(f"{ends} ends with this lead; to go on with it, merge {other.name} into this one instead", err=True)
        return other.lead.id

    def new_owner(self, typed: str) -> str:
        """Return the rep who is to own the lead, and who must be known."""
        with typed_errors():
            return find_rep(self.connection, typed).name


def refuse_too_long(option: str, text: str) -> None:
    """Refuse a *text* that the content checks would not read to its end."""
    if len(text) > MOST_CHARACTERS:
        raise InputError(f"{option}: {too_long(len(text), MOST_CHARACTERS)}")


def _ends_with(lead: Lead) -> str:
    """Say what is under way with *lead* that nobody would go on with; empty when nothing is."""
    if lead.promised and lead.call_on:
        return f"the call that was promised for {shown_day(lead.call_on)}"
    return {"meeting_booked": "the meeting that is booked", "re_engaged": "the conversation"}.get(lead.state, "")


def merged_away(connection: Connection, found: Found) -> str:
    """Say into which lead the one that was *found* was merged, and that this one is to be named instead."""
    end = survivor(connection, found.lead).id
    target = found.lead.merged_into or end
    if end in (found.lead.id, target):
        return f"{found.name} was merged into {called(connection, [target])[target]}; name that lead instead"
    names = called(connection, [target, end])
    return f"{found.name} was merged into {names[target]}, and that one into {names[end]}; name the last one instead"


def first_said(connection: Connection, message_id: UUID, now: datetime) -> datetime:
    """Return when an entry without a time of its own happened: *now*, or what was said of it when it was first handed in.

    Saying *now*, instead of leaving it to the moment at which a worker applies it, keeps Friday's note on Friday when the
    workers are back on Monday.
    """
    known = messages.find(connection, message_id)
    said = decode_command(known.body).occurred_at if known else None
    return said or now


def _past(option: str, typed: str, zone: ZoneInfo, now: datetime) -> datetime:
    try:
        moment = parse_moment(typed, zone, now)
    except TimeError as error:
        raise InputError(f"{option}: {error}") from error
    if moment > now:
        raise InputError(
            f"{option} {typed}: that is in the future, and it is {shown_moment(now, zone)} for the rep; "
            f"record it once it has happened"
        )
    return moment
