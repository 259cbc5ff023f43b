"""Do messages and events say the same? Each event has the message that carried it, and what was applied or refused an event.

That the timers of a stream have their messages is the matter of those who know its state (`models.verify_part`).
"""

from typing import Any

from sqlalchemy import Connection, text

from models.findings import Finding, finding_of
from workflows.actor_names import BEGIN
from workflows.codec import canonical
from workflows.commands import AnyCommand, SetCalendar, decode_command
from workflows.events import CalendarFrozen, Recorded, decode_recorded

#: The rules by which only a stream that is known refuses a command that begins one. By any other, there was none yet that
#: could have had an event of the refusal: its message has it.
_KNOWN_ALREADY = ("already_registered", "already_announced", "already_planned", "no_transition", "not_for_a_rep")

#: So many events are read at a time, each with its message.
PAGE_ROWS = 1_000


def verify_messages(connection: Connection, values: dict[str, Any]) -> list[Finding]:
    """Return what is wrong with messages: *values* are those of `models.verify_beside`."""
    values = values | {"begin": list(BEGIN), "known_already": list(_KNOWN_ALREADY)}
    found, asked = _carried(connection, values)
    for code, (statement, sentence) in _MESSAGES.items():
        rows = connection.execute(text(statement), values).mappings()
        found += [finding_of(code, row, sentence) for row in rows]
    return found + asked


# Every event with the message that carried it. A later release may write the same command in other bytes. Of several events
# of one command only the first repeats it, and the event that froze a calendar has it in its data.
_CARRIED = """
    SELECT * FROM (
        SELECT e.position, e.type, e.version, e.stream_id, e.message_id AS id, coalesce(m.outcome, 'not settled') AS outcome,
               CASE WHEN m.id IS NULL THEN 'message_missing'
                    WHEN (m.stream_id, m.asked_by, m.correlation_id, m.causation_id)
                         IS DISTINCT FROM (e.stream_id, e.actor, e.correlation_id, e.causation_id) THEN 'message_differs'
                    WHEN m.outcome IS DISTINCT FROM CASE e.type WHEN 'command_refused' THEN 'refused' ELSE 'applied' END
                         OR e.type = 'command_refused'
                            AND m.rule IS DISTINCT FROM substring(e.body from '"rule":"([^"]*)","type":"command_refused"')
                         THEN 'outcome_differs' END AS code,
               m.body <> '{}' AND strpos(e.body, '"command":' || m.body || ',"correlation_id"') = 0
                    AND (e.type = 'calendar_frozen' OR strpos(e.body, '"command"\\:null,"correlation_id"') = 0)
                    AS is_in_other_bytes,
               m.body AS asked, e.body
          FROM events e LEFT JOIN messages m ON m.id = e.message_id
         WHERE e.stream_id <> :service AND (CAST(:ids AS uuid[]) IS NULL OR e.stream_id = ANY(:ids))
    ) AS found
     WHERE code IS NOT NULL OR is_in_other_bytes ORDER BY position
"""

_SENTENCES = {
    "message_missing": "no message {id} carried it",
    "message_differs": "its message {id} is for another stream, by another actor, or was caused by something else",
    "outcome_differs": "its message {id} ended otherwise: {outcome}, or by another rule",
}

#: By code: messages for which there is no event, and how to say it. All are found first: with a limit in mind, PostgreSQL would
#: go through the messages by their index.
_MESSAGES = {
    "event_missing": (
        """
        WITH found AS MATERIALIZED (
            SELECT id, stream_id, outcome FROM messages
             WHERE outcome IN ('applied', 'refused') AND (CAST(:ids AS uuid[]) IS NULL OR stream_id = ANY(:ids))
               AND NOT (outcome = 'refused' AND actor_name = ANY(:begin) AND coalesce(rule, '') <> ALL(:known_already))
               AND NOT EXISTS (SELECT 1 FROM events WHERE message_id = messages.id))
        SELECT NULL AS position, stream_id, id, outcome FROM found
         WHERE EXISTS (SELECT 1 FROM events WHERE stream_id = found.stream_id) ORDER BY id LIMIT :most
        """,
        "the message {id} for {stream_id} was {outcome}, and the log has no event of it",
    ),
    "message_emptied": (
        """
        WITH found AS MATERIALIZED (
            SELECT id, stream_id, body = '{}' AS is_empty FROM messages
             WHERE (body = '{}' OR left(body, 1) <> '{' OR right(body, 1) <> '}')
               AND (CAST(:ids AS uuid[]) IS NULL OR stream_id = ANY(:ids)))
        SELECT NULL AS position, stream_id, id,
               CASE WHEN is_empty THEN 'is empty, and nobody was erased there' ELSE 'holds no command' END AS how
          FROM found
         WHERE NOT (is_empty AND EXISTS (SELECT 1 FROM events WHERE stream_id = found.stream_id AND type = 'lead_erased'))
         ORDER BY id LIMIT :most
        """,
        "the message {id} for {stream_id} {how}",
    ),
}

_COMMAND = "its message {id} asked for something else than the log says"


def _carried(connection: Connection, values: dict[str, Any]) -> tuple[list[Finding], list[Finding]]:
    """Hold every event against the message that carried it, and every decision against the command that its message holds."""
    carried, asked = list[Finding](), list[Finding]()
    # Of an older log these may be most events.
    statement = text(_CARRIED).execution_options(stream_results=True, yield_per=PAGE_ROWS)
    with connection.execute(statement, values) as rows:
        for row in rows.mappings():
            if row["code"] and len(carried) < values["most"]:
                carried.append(finding_of(row["code"], row, _SENTENCES[row["code"]]))
            if row["is_in_other_bytes"] and len(asked) < values["most"] and not _same_command(row["asked"], row["body"]):
                asked.append(finding_of("message_differs", row, _COMMAND))
    return carried, asked


def _same_command(asked: str, body: str) -> bool:
    try:
        command, recorded = decode_command(asked), decode_recorded(body.encode())
    except (ValueError, RecursionError):
        return False
    if isinstance(recorded.data, CalendarFrozen):
        return _froze(command, recorded, recorded.data)
    return canonical(command) == canonical(recorded.command)


def _froze(command: AnyCommand, recorded: Recorded, frozen: CalendarFrozen) -> bool:
    """Tell whether what was frozen is what *command* asked for: the event repeats no command, because it would be as long."""
    if not isinstance(command, SetCalendar):
        return False
    version = recorded.playbook.digest if recorded.playbook else ""
    return (command.rep, command.calendar, command.playbook, command.layers, command.digest or version) == (
        frozen.rep,
        frozen.calendar,
        frozen.playbook,
        frozen.layers,
        version,
    )
