"""With a checkpoint that was kept, whatever was changed in the streams that went on since is found."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from models.findings import Finding
from models.verify_beside import verify_beside
from models.verify_since import verify_since
from tests.desk import Desk
from workflows.commands import MarkNoteSent, OptOut, RecordCall

CHECKS = ("personal_fact", "reminds_who_we_are", "future_call", "not_form_letter")


@dataclass
class Kept:
    """A desk with a size of its log, two of three leads having gone on behind it."""

    desk: Desk
    size: int

    def found(self, *attacks: str) -> list[Finding]:
        """Return what is found behind *size* after *attacks* of somebody with all rights on the database, taken back again."""
        with self.desk.engine.connect() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            for attack in attacks:
                statement = attack.replace("{size}", str(self.size))
                assert connection.exec_driver_sql(statement).rowcount, statement
            since = verify_since(connection, self.size)
            beside = verify_beside(connection, streams=since.streams)
        # The texts of a desk are made up.
        return [f for f in [*since.findings, *beside] if f.code != "text_missing"]


@pytest.fixture
def kept(desk: Desk) -> Kept:
    """Three leads with notes due; behind the size that is kept one writes its note, one is refused a call, and one rests."""
    writes, _, refused = desk.note_due(3)
    size = int(str(desk.ask("SELECT position FROM log_head")[0][0]))
    desk.do(writes, MarkNoteSent(medium="hand_written", attested=CHECKS))
    desk.do(refused, RecordCall(outcome="voicemail"))
    return Kept(desk, size)


#: The streams that went on.
WENT_ON = "(SELECT stream_id FROM events WHERE position > {size})"


#: What somebody does, and what is found of it.
ATTACKS = (
    ("copy_differs", "UPDATE events SET actor = 'rep:eve' WHERE position > {size}"),
    ("copy_differs", "UPDATE events SET type = 'call_due' WHERE type = 'note_sent'"),
    ("copy_differs", f"UPDATE events SET occurred_at = now() WHERE version = 1 AND stream_id IN {WENT_ON}"),
    ("hash_differs", "UPDATE events SET hash = decode(repeat('00', 32), 'hex') WHERE position > {size}"),
    ("hash_differs", "UPDATE events SET body = body || ' ' WHERE position > {size}"),
    ("position_missing", "DELETE FROM events WHERE position = {size} + 1"),
    ("head_differs", "DELETE FROM events WHERE position = (SELECT max(position) FROM events)"),
    ("projection_differs", f"UPDATE leads SET state = 'won' WHERE id IN {WENT_ON}"),
    ("projection_differs", f"UPDATE leads SET owner = 'eve' WHERE id IN {WENT_ON}"),
    ("projection_differs", f"UPDATE leads SET body = replace(body, 'dan', 'eve') WHERE id IN {WENT_ON}"),
    ("projection_differs", f"DELETE FROM leads WHERE id IN {WENT_ON}"),
    (
        "projection_differs",
        f"INSERT INTO campaigns SELECT id, id::text, version, recorded_at, hash, body FROM leads WHERE id IN {WENT_ON}",
    ),
    ("slot_differs", f"DELETE FROM slots WHERE lead_id IN {WENT_ON}"),
    ("slot_differs", f"UPDATE slots SET ordinal = ordinal + 40 WHERE lead_id IN {WENT_ON}"),
    ("forgotten", f"DELETE FROM messages WHERE settled_at IS NULL AND stream_id IN {WENT_ON}"),
    ("timer_differs", f"UPDATE messages SET due_at = 'infinity' WHERE settled_at IS NULL AND stream_id IN {WENT_ON}"),
    ("message_missing", f"DELETE FROM messages WHERE id IN {WENT_ON.replace('stream_id', 'message_id')}"),
    ("message_differs", "UPDATE messages SET asked_by = 'rep:eve' WHERE actor_name = 'note_sent'"),
    ("outcome_differs", "UPDATE messages SET rule = 'another' WHERE outcome = 'refused'"),
    ("playbook_differs", "UPDATE playbooks SET body = replace(body, '\"notes\":5', '\"notes\":9')"),
)


def test_each_change_in_a_stream_that_went_on_is_found(kept: Kept) -> None:
    """Columns, chain, row, slots, timers and messages of a lead with an event behind the checkpoint."""
    assert [] == kept.found()
    for code, attack in ATTACKS:
        assert code in [f.code for f in kept.found(attack)], attack


def test_only_the_streams_that_went_on_are_looked_at(kept: Kept) -> None:
    """The third lead's row is not compared, which the command says and the guide too; with all of the log behind it, it is."""
    attack = "UPDATE leads SET state = 'won' WHERE id NOT IN (SELECT stream_id FROM events WHERE position > 8)"
    attack = attack.replace("8", str(kept.size))
    assert [] == kept.found(attack)
    kept.size = 0
    assert ["projection_differs"] == [f.code for f in kept.found(attack)]


def test_what_follows_a_wrong_event_is_not_named(kept: Kept) -> None:
    """Of a stream with a wrong event there is no saying what its row should be."""
    found = kept.found(
        "UPDATE events SET actor = 'rep:eve' WHERE type = 'note_sent'",
        "UPDATE leads SET owner = 'eve' WHERE state = 'note_sent'",
    )
    assert ["copy_differs", "message_differs"] == [f.code for f in found]
    assert found[0].sentence.endswith(": its column actor is not what its body says")
    assert kept.size < (found[0].position or 0)


def test_a_lead_that_ended_needs_no_timer(kept: Kept) -> None:
    ((lead,),) = kept.desk.ask("SELECT id FROM leads WHERE state = 'note_sent'")
    kept.desk.do(UUID(str(lead)), OptOut())
    assert [] == kept.found()
