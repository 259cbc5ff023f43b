"""Why an event stands in the log: who asked, which message carried it, which rule, on which inputs, and what it led to."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from models import events, tracing
from models.database import Connection
from models.tracing import Traced
from service.history import Entry, History, Logged, StreamHistory, moved, said
from service.kept_words import kept_words, referred
from service.law_words import decided_by
from service.operations import Retry, retries_of, retry_line
from service.times import shown_moment
from service.wording import count, plain, words
from workflows.commands import AnyCommand, Command, FireTimer, command_kind
from workflows.events import CommandRefused, Recorded, Scalar, Used, Verdict, decode_recorded, event_type
from workflows.lead import BESIDE_LEADS
from workflows.transitions import ASIDES, ROWS, Row, trigger


class RowShown(msgspec.Struct, frozen=True, kw_only=True):
    """The row of the transition table that an event went by."""

    id: str
    """``T10``; empty for a row that leaves the state as it is."""
    before: str | None
    trigger: str
    after: str
    guards: tuple[str, ...]
    """The rules that were asked, in order; all let it pass."""


class Caused(msgspec.Struct, frozen=True, kw_only=True):
    """A message that the decision staged, with the events it led to so far."""

    message: Traced
    events: tuple[Recorded, ...]


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """What ``thaw why --json`` prints."""

    lead_id: UUID
    """The stream: a lead's, a rep's, a campaign's or a sales event's."""
    event: Recorded
    position: int
    together: tuple[int, ...]
    """Versions of the other events of the same decision."""
    command: AnyCommand | None
    used: Used | None
    """What the decision used that the lead's own history does not hold."""
    row: RowShown | None
    message: Traced | None
    """None when the row is gone from ``messages``."""
    cause: Recorded | None
    """The first event of the message that staged this one; None when a person or a program handed it in."""
    caused: tuple[Caused, ...]
    """Earliest due first."""
    texts: tuple[str | None, ...] | None
    """The words that the event refers to, null for those that are not kept any more; null where this login may read none."""
    retries: tuple[Retry, ...]
    """When the message was dead and tried again, oldest first."""


def why(connection: Connection, history: History | StreamHistory, version: int) -> Why:
    """Return why event *version* of *history* stands there."""
    entry = history.entries[version - 1]
    decision = [each for each in history.entries if each.recorded.message_id == entry.recorded.message_id]
    first = decision[0].recorded
    before = history.entries[version - 2].recorded.state if version > 1 else None
    recorded = entry.recorded
    return Why(
        lead_id=recorded.stream_id,
        event=recorded,
        position=entry.row.position,
        together=tuple(each.row.version for each in decision if each is not entry),
        command=first.command,
        used=first.used,
        row=_row(entry, before, first.command),
        message=tracing.find_message(connection, recorded.message_id),
        cause=_cause(connection, recorded),
        caused=_caused(connection, recorded.message_id),
        texts=kept_words(connection, referred(recorded, first.command)),
        retries=tuple(r for r in retries_of(connection, recorded.stream_id) if r.message_id == recorded.message_id),
    )


def _row(entry: Entry | Logged, before: str | None, command: AnyCommand | None) -> RowShown | None:
    recorded = entry.recorded
    kind = event_type(recorded.data)
    if isinstance(recorded.data, CommandRefused):
        return None
    rows = [row for row in (*ROWS, *ASIDES) if row.event == kind and row.id == (recorded.row or "")]
    row = next((row for row in rows if before in row.sources or not row.sources), None)
    if row is None:
        return None
    return RowShown(id=row.id, before=before, trigger=_trigger(row, command), after=recorded.state, guards=row.guards)


def _trigger(row: Row, command: Command | None) -> str:
    name = trigger(command) if command else ""
    # A decision of two events goes by two rows; the second has a trigger of its own.
    return name if name in row.triggers else row.triggers[0]


def _cause(connection: Connection, recorded: Recorded) -> Recorded | None:
    if recorded.causation_id is None:
        return None
    rows = events.events_of_message(connection, recorded.causation_id)
    return decode_recorded(rows[0].body.encode()) if rows else None


def _caused(connection: Connection, message_id: UUID) -> tuple[Caused, ...]:
    staged = tracing.messages_caused_by(connection, message_id)
    led_to: dict[UUID, list[Recorded]] = {}
    for row in tracing.events_of_messages(connection, [message.id for message in staged]):
        led_to.setdefault(row.message_id, []).append(decode_recorded(row.body.encode()))
    return tuple(Caused(message=message, events=tuple(led_to.get(message.id, ()))) for message in staged)


def why_lines(found: Why, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    """Yield what *found* says as labels and texts; an empty label goes on with the one before it."""
    recorded = found.event
    if found.command:
        yield (
            "asked",
            f"{words(command_kind(found.command))}, by {plain(recorded.actor, 80)}: {said(found.command) or 'nothing more'}",
        )
    yield "because", _because(found, zone)
    yield "message", _message(found, zone)
    if found.message and found.message.error:
        yield "error", f"the last one of it: {plain(found.message.error, 300)}"
    for number, retry in enumerate(found.retries):
        yield "" if number else "retried", retry_line(retry, zone)
    if isinstance(recorded.data, CommandRefused):
        inputs = ", ".join(f"{words(name)} {_input(value)}" for name, value in recorded.data.inputs.items())
        yield "rule", f"{recorded.data.rule} refused: {plain(recorded.data.reason, 300)}"
        yield "inputs", inputs or "none"
    elif found.row:
        row = found.row
        yield "rule", f"{row.id or 'no state change'}: {row.before or 'nothing'} --{row.trigger}--> {row.after}"
        yield "asked of", ", ".join(row.guards) or "no guard stands in this row"
    pin = recorded.playbook
    yield "playbook", f"{pin.id}@{pin.version}, SHA-256 {pin.digest}" if pin else "none"
    yield from _used_lines(found.used, zone)
    yield "says", said(recorded.data) or "nothing more"
    if found.texts is None:
        yield "text", "closed to this login"
    for words_ in found.texts or ():
        yield "text", f"“{plain(words_, 2000)}”" if words_ else "not kept any more"
    if what := moved(recorded.effects, zone):
        yield "moved", what
    if found.together:
        yield "together", f"with event {', '.join(map(str, found.together))}: one decision"
    yield from _caused_lines(found.caused, zone)


def _input(value: Scalar) -> str:
    if value is None:
        return "unknown"
    return ("yes" if value else "no") if isinstance(value, bool) else plain(str(value), 80)


def _because(found: Why, zone: ZoneInfo) -> str:
    if isinstance(found.command, FireTimer):
        due = f", due {shown_moment(found.message.due_at, zone)}" if found.message else ""
        return f"timer {found.command.timer}, armed by event {found.command.armed_version}{due}, fired"
    if found.cause:
        cause = found.cause
        others = {"rep": "of the rep", "campaign": "of a campaign", "sales_event": "of a sales event"}
        if cause.stream_id == found.lead_id:
            whose = "of this stream" if cause.state in BESIDE_LEADS else "of this lead"
        else:
            whose = others.get(cause.state, "of a lead" if found.event.state in BESIDE_LEADS else "of another lead")
        return f"event {cause.version} {whose} ({event_type(cause.data)}, {shown_moment(cause.recorded_at, zone)}) staged it"
    if found.event.causation_id:
        return f"message {found.event.causation_id} staged it, which left no event"
    return f"{plain(found.event.actor, 80)} handed it in"


def _message(found: Why, zone: ZoneInfo) -> str:
    message = found.message
    if message is None:
        return f"{found.event.message_id}, whose row is gone"
    failed = count(message.attempts, "failed attempt") if message.attempts else "no failed attempt"
    before = sum(retry.attempts or 0 for retry in found.retries)
    since = f" since it was last tried again, {count(before, 'failed attempt')} before that" if found.retries else ""
    worker = f"by worker {plain(message.worker, 120)}" if message.worker else "worker not recorded"
    return (
        f"{message.id}, Dramatiq actor {plain(message.actor_name, 80)}: rung {count(message.rings, 'time')}, {failed}{since}; "
        f"{plain(message.outcome or 'not settled', 80)}, {worker}; "
        f"on the database's clock accepted {_clock(message.created_at, zone)} and settled {_clock(message.settled_at, zone)}"
    )


def _clock(moment: datetime | None, zone: ZoneInfo) -> str:
    return shown_moment(moment, zone, seconds=True) if moment else "never"


def _used_lines(used: Used | None, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    if used is None:
        return
    calendar = f"calendar {used.calendar}" if used.calendar else "no calendar"
    yield "used", f"the time {shown_moment(used.now, zone, seconds=True)}, {calendar}"
    yield from _log_lines(used)
    if used.law:
        for number, line in enumerate(decided_by(used.law)):
            yield "" if number else "law", line
    for verdict in used.verdicts:
        yield "", _verdict(verdict)
    if used.followed:
        yield "", f"the capacity of the rep's own playbook, SHA-256 {used.followed}"
    if used.queue:
        waiting = sum(alike.leads for alike in used.queue.alike)
        yield "", f"the queue as of event {used.queue.position} of the log: {count(waiting, 'lead')}"
    if used.into:
        into = used.into
        stood = f"merged into lead {into.merged_into}" if into.merged_into else "erased" if into.erased else "not merged"
        yield "", f"the lead into which it was to be merged: {stood if into.known else 'not known'}"
    if used.holdings:
        held = used.holdings
        texts, whose = count(len(held.documents), "text"), "a contact" if held.contact else "no contact"
        yield "", f"what was held: {whose}, {texts}, personal data in {count(held.messages, 'message')}"
    for slot in used.free:
        yield "", f"free: {words(slot.kind)} slot {slot.ordinal} of {slot.day} ({plain(slot.rep, 80)})"


def _log_lines(used: Used) -> Iterator[tuple[str, str]]:
    """Yield what a plan, an audience's draw and decisions on letters and seats used beside the stream."""
    if isinstance(used.position, int):
        came_to = f", which came to {used.book} (SHA-256)" if used.book else ""
        yield "", f"the first {count(used.position, 'event')} of the log{came_to}"
    if isinstance(used.beside, int):
        yield "", f"{count(used.beside, 'minute')} of the day for people who answered and for breakups"
    if isinstance(used.probes, int):
        yield "", f"{count(used.probes, 'minute')} of the day for asking why"
    for refused, modes in sorted((used.suppressed or {}).items()):
        yield "", f"the suppression list refused lead {refused} contact by {', '.join(map(words, modes))}"
    for event in used.events or ():
        stands = "cancelled" if event.cancelled else "approved" if event.approved else "not approved"
        seats = f"{count(event.seats_left, 'seat')} left"
        yield "", f"sales event {event.id} as of its event {event.version}: {words(event.kind)}, {stands}, {seats}"
    if used.people:
        yield "", f"what was known of {count(len(used.people), 'person', 'people')}; --json has it"
    for rep, facts in sorted((used.reps or {}).items()):
        calendar = f"calendar {facts.calendar}" if facts.calendar else "no calendar"
        yield (
            "",
            f"{plain(rep, 80)}: {calendar}, {facts.follow_up_touches} follow-ups a day",
        )
    for lead_id in used.gone or ():
        yield "", f"lead {lead_id} had opted out or was erased"


def _verdict(verdict: Verdict) -> str:
    level = "" if verdict.level is msgspec.UNSET or verdict.level == "pass" else f" ({verdict.level})"
    inputs = ", ".join(f"{words(name)} {_input(value)}" for name, value in verdict.inputs.items())
    score = f", score {verdict.score}" if isinstance(verdict.score, int) else ""
    passed = "passed" if verdict.passed else "failed"
    shown = f"check {verdict.check}: {passed}{level}, {plain(verdict.source, 80)}{score}{f'; {inputs}' if inputs else ''}"
    return f"{shown}. {plain(verdict.reason)}" if verdict.reason else shown


def _caused_lines(caused: tuple[Caused, ...], zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    for number, each in enumerate(caused):
        message = each.message
        label = "" if number else "caused"
        led_to = ", ".join(f"{event_type(event.data)} (event {event.version})" for event in each.events)
        ended = f"{plain(message.outcome, 80)}{f': {led_to}' if led_to else ''}" if message.outcome else "still to come"
        what = f"{plain(message.actor_name, 80)} for {message.stream_id}"
        yield label, f"{what}, due {shown_moment(message.due_at, zone)}: {ended}"
    if not caused:
        yield "caused", "no further message"
