"""`thaw verify` as an auditor runs it: the whole command, with an auditor's login, in one process and in as many as can work.

It compares the log with what was signed, every message with its event, and every stream with its rows. Texts are closed to it.
"""

import psycopg

from migrations.access import AUDITOR
from service.keys import KeyFiles
from service.settings import Settings
from service.verifiers import processors
from tests.benchmarks.figures import Figure
from tests.benchmarks.imports import thaw
from tests.benchmarks.stage import Stage
from tests.logins import logins_on
from workflows.service_stream import SERVICE_ID

# The log is made without workers, and so without the messages that carried its commands. A message has its first event's.
_CARRIERS = """
    INSERT INTO messages (id, stream_id, actor_name, body, asked_by, correlation_id, causation_id, due_at, settled_at, outcome,
                          rule)
    SELECT message_id, stream_id, 'bench',
           coalesce(nullif((body::json -> 'command')::text, 'null'), '{"command":null}'), actor, correlation_id, causation_id,
           recorded_at, recorded_at, CASE type WHEN 'command_refused' THEN 'refused' ELSE 'applied' END,
           substring(body from '"rule":"([^"]*)","type":"command_refused"')
      FROM events WHERE stream_id <> %s ORDER BY position ON CONFLICT DO NOTHING
"""


def measure(stage: Stage, url: str, home: str, count: int) -> list[Figure]:
    """Verify the log of *count* events, signed with the key in *home*."""
    with psycopg.connect(url, autocommit=True, options="-c statement_timeout=0") as connection:
        connection.execute(_CARRIERS, (SERVICE_ID,))
        connection.execute("VACUUM ANALYZE messages")
    logins = logins_on(stage.server_url)
    told = {"THAW_DATABASE_URL": logins.url(url, AUDITOR), "THAW_REDIS_URL": stage.redis_url, "THAW_HOME": home}
    key = str(KeyFiles(Settings(home=home)).known()[-1])
    figures = []
    for processes in dict.fromkeys((1, processors())):
        ran = thaw(["verify", "--key", key, "--processes", str(processes)], told)
        name = "command" if processes == 1 else "commands"
        figures += [
            Figure(f"audit.{name}_per_second", f"events by `thaw verify --processes {processes}`", count / ran.seconds, "/s"),
            Figure(f"audit.{name}_mb", "  memory of the largest process at most", ran.memory_mb, "MB"),
        ]
    return figures
