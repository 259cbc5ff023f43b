"""Handing in what a person asks for, waiting until it is settled, and the answer in a sentence."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Literal, NamedTuple
from uuid import UUID

import click
import msgspec

from actors.bell import BellUnavailableError
from actors.submit import Submission, UnsoundCommandError, stage
from models import contacts, events, messages, views
from models.database import Connection, DatabaseUnavailableError, transaction
from models.events import EventRow
from models.messages import CommandReusedError, MessageState
from models.replay import fold_rows
from service.campaigns import told_of
from service.cli.app import REFUSED, App, InputError
from service.closest import Closest, closest_of, side_by_side, words_of_command
from service.find import FindError
from service.law_words import comes_to
from service.letting_go import steps_before
from service.limits import told_layers
from service.next_action import NextAction, next_action, steps_of
from service.pauses import PauseShown, pause_lines, pause_of, read_pauses
from service.times import TimeError, shown_moment, zone_of
from service.way_out import way_out
from service.wiring import Service
from service.wording import count, key_of, key_of_id, name_of, plain
from workflows.actor_names import actor_name
from workflows.campaign import Campaign
from workflows.events import CommandRefused, Recorded, decode_recorded
from workflows.invitation_streams import Stream
from workflows.law_table import TABLES
from workflows.lead import Lead, Rep
from workflows.sales_event import SalesEvent

#: How long a person waits for the answer, and how often the row is looked at meanwhile.
WAIT_SECONDS = 10.0
POLL_SECONDS = 0.03

Outcome = Literal["applied", "refused", "superseded", "dead", "accepted"]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a command. The same id with the same command gives the same answer."""

    message_id: UUID
    stream_id: UUID
    outcome: Outcome
    """``accepted`` is safely kept, and not settled yet."""
    sentence: str
    events: tuple[str, ...] = ()
    state: str | None = None
    """The lead's, after the last of *events*."""
    next: NextAction | None = None
    rule: str | None = None
    reason: str | None = None
    way_out: str | None = None
    """Of a refusal: the option or the command that answers it."""
    error: str | None = None
    closest: Closest | None = None
    """Of a text that was refused for being like another: that one."""
    text: str | None = None
    """And the one that was refused."""


class _HandedIn(NamedTuple):
    message: MessageState
    redis_trouble: str
    pause: PauseShown | None


@contextmanager
def typed_errors() -> Iterator[None]:
    """Turn what `service.find`, `service.times` and the way in say into the error of a wrong input."""
    try:
        yield
    except (FindError, TimeError, CommandReusedError, UnsoundCommandError) as error:
        raise InputError(str(error)) from error


def hand_in(
    app: App,
    message_id: UUID,
    prepare: Callable[[Connection], Submission],
    *,
    wait: bool,
    as_json: bool,
    beside: Mapping[str, object] = MappingProxyType({}),
) -> None:
    """Submit what *prepare* makes as *message_id*, in one transaction with its documents; print the answer, set the status.

    As JSON the answer stands alone, or as ``answer`` *beside* what else the command has to say.
    """
    service = app.service
    handed_in = _accept(service, lambda connection: [prepare(connection)], f"repeat it with --id {message_id}", wait=wait)
    answer = _answer(service, handed_in[0])
    if as_json:
        app.print_json({**beside, "answer": answer} if beside else answer)
    else:
        _print(answer)
    if answer.outcome in ("refused", "dead"):
        click.get_current_context().exit(REFUSED)


def hand_in_all(app: App, prepare: Callable[[Connection], Mapping[str, Submission]], *, look: str) -> None:
    """Submit all that *prepare* makes in one transaction, or none of it; print each answer by whom it is about, set the status.

    *look* is what shows whether they were accepted where the database went away and nobody knows.
    """
    named: dict[str, Submission] = {}

    def all_of_them(connection: Connection) -> list[Submission]:
        named.update(prepare(connection))
        return [*named.values()]

    handed_in = _accept(app.service, all_of_them, f"look with {look} before you say it again", wait=True)
    answers = [_answer(app.service, each) for each in handed_in]
    for name, answer in zip(named, answers, strict=True):
        click.echo(f"{plain(name, 80)}: ", nl=False)
        _print(answer)
    if any(answer.outcome in ("refused", "dead") for answer in answers):
        click.get_current_context().exit(REFUSED)


def _accept(
    service: Service, prepare: Callable[[Connection], Sequence[Submission]], unknown: str, *, wait: bool
) -> list[_HandedIn]:
    try:
        with typed_errors(), transaction(service.engine) as connection:
            submissions = prepare(connection)
            paused = read_pauses(connection)
            rings = stage(connection, submissions, now=service.now())
    except DatabaseUnavailableError as error:
        # The connection may have broken at the commit itself, and then nobody knows on which side of it.
        raise DatabaseUnavailableError(f"{error}. Whether it was accepted is unknown: {unknown}") from error
    trouble = ""
    try:
        service.bell.ring(rings)
    except BellUnavailableError as error:
        # Accepted all the same: the row is committed, and the clock rings it when Redis is back.
        trouble = str(error)
    until, handed_in = time.monotonic() + (WAIT_SECONDS if wait and not trouble else 0.0), []
    for submission in submissions:
        pause = pause_of(paused, actor_name(submission.command))
        message = await_settled(service, submission.id, 0.0 if pause else until - time.monotonic())
        handed_in.append(_HandedIn(message, trouble, pause))
    return handed_in


def _print(answer: Answer) -> None:
    click.echo(answer.sentence)
    for line in side_by_side(answer.text or "", answer.closest) if answer.closest else ():
        click.echo(line)
    if answer.way_out:
        click.echo(f"to go on: {answer.way_out}")


def await_settled(service: Service, message_id: UUID, seconds: float = WAIT_SECONDS) -> MessageState:
    """Return a message once it is settled, or as it stands after *seconds*."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with transaction(service.engine) as connection:
                message = messages.find(connection, message_id)
        except DatabaseUnavailableError as error:
            raise DatabaseUnavailableError(f"accepted as {message_id}; what became of it is not known yet: {error}") from error
        if message is None:
            raise InputError(f"message {message_id} is gone from the database")
        if message.settled_at is not None or time.monotonic() >= deadline:
            return message
        time.sleep(POLL_SECONDS)


def _answer(service: Service, handed_in: _HandedIn) -> Answer:
    message = handed_in.message
    if message.outcome is None:
        return _unsettled(handed_in)
    if message.outcome == "dead":
        error = plain(message.error or "no error was kept", 300)
        sentence = f"dead after {count(message.attempts, 'attempt')}: {error}\nSee `thaw dead show {message.id}`."
        return Answer(
            message_id=message.id, stream_id=message.stream_id, outcome="dead", sentence=sentence, error=message.error
        )
    with transaction(service.engine) as connection:
        return _settled(connection, message)


def _unsettled(handed_in: _HandedIn) -> Answer:
    message, trouble, pause = handed_in
    if pause:
        why = f"it is applied when that is resumed; paused, in UTC: {next(pause_lines((pause,), zone_of(None)))}"
    elif message.attempts:
        error = plain(message.error or "", 300)
        why = f"it failed {count(message.attempts, 'time')} so far and is tried again by itself: {error}"
    elif trouble:
        why = f"{trouble}; it is applied once Redis is back"
    else:
        why = "no worker has taken it yet; it is applied once one does, and `thaw status` says whether any runs"
    sentence = f"accepted as {message.id}; {why}"
    return Answer(
        message_id=message.id, stream_id=message.stream_id, outcome="accepted", sentence=sentence, error=message.error
    )


def _settled(connection: Connection, message: MessageState) -> Answer:
    """Tell what a settled message did, from the state in which its last event left the stream: it reads alike for ever."""
    caused = [row for row in events.events_of_message(connection, message.id) if row.stream_id == message.stream_id]
    types = tuple(row.type for row in caused)
    last = caused[-1].version if caused else 0
    folded = fold_rows([row for row in events.read_stream(connection, message.stream_id) if row.version <= last])
    told = _told(connection, folded.state if folded else None)
    refused = decode_recorded(caused[-1].body.encode()) if caused and message.outcome == "refused" else None
    closest, text = _closest(connection, refused, folded.state) if refused and folded else (None, None)
    outcome: Outcome = (
        "refused" if message.outcome == "refused" else "applied" if message.outcome == "applied" else "superseded"
    )
    if outcome == "applied":
        lead = folded.state if folded else None
        learnt = _learnt(lead, caused) if isinstance(lead, Lead) and "law_recorded" in types else ""
        sentence = f"applied: {', '.join(types)}. {told.sentence}{learnt}"
    elif outcome == "refused":
        # Only leads have states that people know; of anything else its sentence says how it stands.
        stays = f"{told.name} stays {told.state}." if told.next else told.sentence
        sentence = f"refused ({message.rule}): {plain(message.reason or '', 500)} {stays}".rstrip()
    else:
        sentence = f"superseded: {message.reason}"
    return Answer(
        message_id=message.id,
        stream_id=message.stream_id,
        outcome=outcome,
        sentence=sentence.rstrip(),
        events=types,
        state=told.state,
        next=told.next,
        rule=message.rule,
        reason=message.reason,
        way_out=_way_out(connection, refused, folded.state if folded else None, told.key) if outcome == "refused" else None,
        closest=closest,
        text=text,
    )


def _learnt(lead: Lead, caused: Sequence[EventRow]) -> str:
    """Say what contact law makes of where *lead* lives, by the table that the decision went by."""
    used = decode_recorded(caused[0].body.encode()).used
    return f" {comes_to(lead, TABLES[used.law.table])}" if used and used.law and used.law.table in TABLES else ""


def _way_out(connection: Connection, refused: Recorded | None, state: Stream | None, key: str) -> str | None:
    data = refused.data if refused else None
    if refused is None or not isinstance(data, CommandRefused):
        return None
    inputs = dict(data.inputs)
    if about := inputs.get("lead_id"):
        # A campaign speaks of one of its people by our id, and people type theirs.
        lead_id = UUID(str(about))
        inputs["lead_id"] = key_of_id(lead_id, contacts.find_contacts(connection, [lead_id]).get(lead_id))
    lead = state if isinstance(state, Lead) else None
    first = steps_before(connection, lead, refused, key) if lead and data.rule == "everything_tried" else ()
    return way_out(data.rule, data.refused, inputs, key, lead, first) or None


def _closest(connection: Connection, refused: Recorded, state: Stream) -> tuple[Closest | None, str | None]:
    if not isinstance(refused.data, CommandRefused) or refused.command is None or not isinstance(state, Lead):
        return None, None
    closest = closest_of(connection, refused.data.inputs, zone_of(views.calendar_of(connection, state.owner)))
    return closest, words_of_command(connection, refused.command) if closest else None


class _Told(NamedTuple):
    """A stream in words."""

    name: str = ""
    state: str | None = None
    sentence: str = ""
    next: NextAction | None = None
    key: str = ""
    """What is typed for it."""


def _told(connection: Connection, state: Stream | None) -> _Told:
    if state is None:
        return _Told()
    if isinstance(state, (Campaign, SalesEvent)):
        kind = "campaign" if isinstance(state, Campaign) else "sales_event"
        return _Told(state.name, kind, told_of(state), key=state.name)
    zone = zone_of(views.calendar_of(connection, state.owner if isinstance(state, Lead) else state.name))
    if isinstance(state, Rep):
        plan = state.timers.get("plan_day")
        when = f"; the next plan is made {shown_moment(plan.due_at, zone)}" if plan else ""
        name = plain(state.name)
        does = f" {told_layers(state.layers)}" if state.layers else ""
        return _Told(name, "rep", f"{name} is known, in {zone.key}{when}.{does}", key=name)
    contact = contacts.find_contacts(connection, [state.id]).get(state.id)
    name = name_of(state, contact)
    coming = next_action(state, zone, steps_of(connection, [state]))
    sentence = f"{name} is {state.state} now; next: {coming.sentence}."
    return _Told(name, state.state, sentence, coming, key_of(state, contact))
