"""The tampering drill in the database: what is altered is found and named, by whom the evidence is that is needed for it.

The attacker has all rights on the database and no key. He may alter whatever he likes, triggers off, and puts hashes, copies,
projections and the head right behind him where he can. Only what he does to checkpoints too, or what an earlier dump is, takes
a note from outside to be found; the last tests say so.
"""

from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from models import checkpoints, events
from models.database import transaction
from models.events import append
from models.rebuild import rebuild
from models.verify import verify
from models.verify_tree import TreeVerified, verify_tree
from service.keys import KeyFiles, opened
from service.notary import Notary
from service.settings import Settings
from tests.benchmarks.log import lives
from tests.desk import Desk
from workflows.codec import GENESIS, chain_hash
from workflows.commands import MarkNoteSent, OptOut, RecordCall
from workflows.events import decode_recorded
from workflows.notes import Checkpoint

CHECKS = ("personal_fact", "reminds_who_we_are", "future_call", "not_form_letter")


#: What the log is restored with.
LOG = ("events", "log_head", "messages", "leads", "reps", "slots", "calendars", "tree_nodes")


class Signed:
    """A desk whose log has three checkpoints and recorded heads, the last checkpoint over all of it."""

    def __init__(self, desk: Desk, home: Path) -> None:
        self.desk = desk
        self.keys = KeyFiles(Settings(home=str(home)))
        self.keys.init("thaw/test")
        self.notary = Notary(desk.engine, desk.clock, self.keys, [])
        self.notes: list[Checkpoint] = []
        self.leads = desk.note_due(3)
        self.checkpoint()
        desk.do(self.leads[0], MarkNoteSent(medium="hand_written", attested=CHECKS))
        self.notary.record_heads("test", wait=True)
        self.checkpoint()
        self.sql("CREATE SCHEMA dump")
        for table in (*LOG, "checkpoints"):
            self.sql(f"CREATE TABLE dump.{table} AS TABLE {table}")
        desk.do(self.leads[1], RecordCall(outcome="voicemail"))
        desk.do(self.leads[2], OptOut())
        self.checkpoint()

    def checkpoint(self) -> None:
        made = self.notary.make(wait=True)
        assert made
        self.notes.append(opened(made.note, self.keys.known()))

    def sql(self, statement: str, **parameters: object) -> None:
        """Do what somebody with all rights on the database can do."""
        self.desk.honest = False
        with self.desk.engine.begin() as connection:
            connection.execute(text("SET session_replication_role = replica"))
            connection.execute(text(statement), parameters)

    def rehash(self) -> None:
        """Put every chain right again, as somebody who knows the code can, and the head and all projections with it."""
        rows = self.desk.ask("SELECT position, stream_id, body FROM events ORDER BY stream_id, version")
        newest: dict[object, bytes] = {}
        for position, stream_id, body in rows:
            newest[stream_id] = chain_hash(newest.get(stream_id, GENESIS), str(body).encode())
            self.sql("UPDATE events SET hash = :hash WHERE position = :position", hash=newest[stream_id], position=position)
        self.sql("UPDATE log_head SET position = (SELECT max(position) FROM events)")
        with transaction(self.desk.engine) as connection:
            rebuild(connection)

    def tree(self, *, outside: Iterable[Checkpoint] = (), since: int | None = None) -> TreeVerified:
        known = self.keys.known()
        with transaction(self.desk.engine) as connection:
            return verify_tree(connection, open_note=lambda raw: opened(raw, known), outside=list(outside), since=since)

    def codes(self, *, outside: Iterable[Checkpoint] = ()) -> list[str]:
        """Return the codes of what is found: `thaw verify` prints these, the first wrong thing first."""
        with transaction(self.desk.engine) as connection:
            found = [*verify(connection).findings, *self.tree(outside=outside).findings]
        return [f.code for f in sorted(found, key=lambda f: (f.position is None, f.position or 0))]

    @property
    def size(self) -> int:
        return self.notes[-1].size


@pytest.fixture
def signed(desk: Desk, tmp_path: Path) -> Signed:
    return Signed(desk, tmp_path)


def test_nothing_is_wrong_with_what_was_signed(signed: Signed) -> None:
    """An untouched log verifies against its checkpoints, against those outside, and behind each of them."""
    found = signed.tree(outside=signed.notes)
    assert (signed.size, 3, signed.size, []) == found
    assert [] == signed.codes(outside=signed.notes)
    for note in signed.notes:
        assert [] == signed.tree(outside=[note], since=note.size).findings


@pytest.mark.parametrize(
    ("code", "statement"),
    [
        ("hash_differs", "UPDATE events SET body = replace(body, 'hand_written', 'typed') WHERE type = 'note_sent'"),
        ("hash_differs", "UPDATE events SET hash = decode(repeat('00', 32), 'hex') WHERE position = 5"),
        ("position_missing", "DELETE FROM events WHERE position = 5"),
        ("checkpoint_unsigned", "UPDATE checkpoints SET note = replace(note, E'\\n' || size || E'\\n', E'\\n4\\n')"),
        ("checkpoint_unsigned", "UPDATE checkpoints SET note = left(note, length(note) - 20)"),
        ("checkpoint_copy_differs", "UPDATE checkpoints SET root = decode(repeat('00', 32), 'hex') WHERE size < 12"),
        ("checkpoint_copy_differs", "UPDATE checkpoints SET size = size - 1"),
        ("checkpoint_unsigned", "INSERT INTO checkpoints VALUES (-5, '', '')"),
        ("checkpoint_copy_differs", "INSERT INTO checkpoints SELECT 0, root, note FROM checkpoints LIMIT 1"),
        ("checkpoint_unsigned", "UPDATE checkpoints SET made_at = 'infinity', note = ''"),
        ("checkpoint_missing", "INSERT INTO checkpoint_deliveries VALUES ('file', 9223372036854775807)"),
        (
            "checkpoint_missing",
            "INSERT INTO checkpoint_deliveries SELECT 'file', size FROM checkpoints; DELETE FROM checkpoints",
        ),
        ("version_missing", "UPDATE events SET version = -version"),
        ("tree_node_differs", "INSERT INTO tree_nodes VALUES (8, 0, '')"),
    ],
)
def test_a_plain_change_is_found(signed: Signed, code: str, statement: str) -> None:
    """A byte in a body, a hash, an event in the middle, an old checkpoint's note or root, a stored node."""
    signed.sql(statement)
    assert code in signed.codes()


#: Done to the nodes of a log of more than two blocks, and what is said of it.
NODES = (
    ("DELETE FROM tree_nodes WHERE (level, number) = (8, 0)", "over the events 1 to 256 is missing"),
    ("UPDATE tree_nodes SET hash = sha256(hash) WHERE level = 9", "over the events 1 to 512 is not what they come to"),
    ("INSERT INTO tree_nodes VALUES (3, 2, sha256(''))", "has a node over the events 17 to 24, which are not there"),
    ("INSERT INTO tree_nodes VALUES (-1, 300, sha256(''))", "has a node over the events 301 to 301, which are not there"),
    ("INSERT INTO tree_nodes VALUES (9, 1, sha256(''))", "has a node over the events 513 to 1024, which are not there"),
)


def test_each_change_of_a_stored_node_is_found(desk: Desk, tmp_path: Path) -> None:
    """One that is gone, is another, or that a tree of this size has not got, also where right ones stand behind it."""
    desk.honest = False
    with transaction(desk.engine) as connection:
        append(connection, list(lives(600)))
    keys = KeyFiles(Settings(home=str(tmp_path)))
    keys.init("thaw/test")
    assert Notary(desk.engine, desk.clock, keys, []).make(wait=True)
    for statement, sentence in (("SELECT", ""), *NODES):
        with desk.engine.connect() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            connection.exec_driver_sql(statement)
            found = verify_tree(connection).findings
        assert (["tree_node_differs"] if sentence else []) == [each.code for each in found]
        assert all(sentence in each.sentence for each in found), found


def test_a_changed_body_is_named_first_and_its_checkpoint_with_it(signed: Signed) -> None:
    """Of an altered event the chain names the event, and the tree the first checkpoint that was signed over it."""
    signed.sql("UPDATE events SET body = replace(body, 'hand_written', 'typed') WHERE type = 'note_sent'")
    assert "hash_differs" == signed.codes()[0]
    found = signed.tree().findings
    first, last = signed.notes[0].size + 1, signed.notes[1].size
    assert ["checkpoint_differs", "heads_differ"] == [f.code for f in found] or ["checkpoint_differs"] == [
        f.code for f in found
    ]
    assert f"the first other one is among {first} to {last}" in found[0].sentence


def test_a_change_with_all_hashes_put_right_is_found(signed: Signed) -> None:
    """Without the key, somebody who makes every hash, projection and copy anew is found by the first checkpoint over it."""
    signed.sql("UPDATE events SET body = replace(body, 'hand_written', 'typed') WHERE type = 'note_sent'")
    signed.rehash()
    assert ["checkpoint_differs", "heads_differ"] == sorted(set(signed.codes()) - {"copy_differs"})


def test_a_lead_that_vanished_is_found(signed: Signed) -> None:
    """A whole history that is cut out, positions closed and everything else put right, contradicts the checkpoints."""
    signed.sql("DELETE FROM events WHERE stream_id = :id", id=signed.leads[2])
    signed.sql("DELETE FROM messages WHERE stream_id = :id", id=signed.leads[2])
    close_the_gaps(signed)
    signed.rehash()
    codes = signed.codes()
    # The recorded heads are now of more events than stand before them.
    assert ["heads_differ", "checkpoint_differs"] == codes[:2]
    assert "position_missing" not in codes
    assert "hash_differs" not in codes


def test_a_tail_that_was_cut_is_found(signed: Signed) -> None:
    """The newest event removed, its projections rebuilt, is found by the checkpoint that is over more."""
    signed.sql("DELETE FROM events WHERE position = :last", last=signed.size)
    signed.rehash()
    assert "checkpoint_ahead" in signed.codes()
    (found,) = [f for f in signed.tree().findings if f.code == "checkpoint_ahead"]
    assert signed.size == found.position


def test_two_events_that_changed_places_are_found(signed: Signed) -> None:
    """The order of two leads' events is in no chain; it is in the tree."""
    one, other = (
        signed.size,
        signed.desk.ask("SELECT max(position) FROM events WHERE stream_id = :id", id=signed.leads[1])[0][0],
    )
    signed.sql("UPDATE events SET position = -1 WHERE position = :one", one=one)
    signed.sql("UPDATE events SET position = :one WHERE position = :other", one=one, other=other)
    signed.sql("UPDATE events SET position = :other WHERE position = -1", other=other)
    with transaction(signed.desk.engine) as connection:
        assert [] == verify(connection).findings
    assert ["checkpoint_differs"] == signed.codes()


def test_many_that_changed_places_are_found(signed: Signed) -> None:
    """All leads' events dealt out anew, each history in its own order: every chain, version and projection is as it was."""
    signed.sql("UPDATE events SET position = -position")
    signed.sql(
        "UPDATE events SET position = dealt.n FROM (SELECT position AS old, row_number() OVER (ORDER BY version, stream_id) "
        "AS n FROM events) AS dealt WHERE position = dealt.old"
    )
    both = "SELECT count(*) FROM events e JOIN dump.events d USING (stream_id, version) WHERE e.position <> d.position"
    assert int(str(signed.desk.ask(both)[0][0])) > 3
    with transaction(signed.desk.engine) as connection:
        assert [] == verify(connection).findings
    assert {"checkpoint_differs", "heads_differ"} >= set(signed.codes()) >= {"checkpoint_differs"}


def test_an_event_put_in_with_valid_hashes_is_found(signed: Signed) -> None:
    """One more event at the end of a lead's history, with room made for it among the positions, is in no signed tree."""
    with transaction(signed.desk.engine) as connection:
        last = events.read_stream(connection, signed.leads[0])[-1]
        recorded = decode_recorded(last.body.encode())
        forged = events.chained(replace(recorded, version=last.version + 1), last.hash)
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("UPDATE events SET position = position + 1000 WHERE position > :p"), {"p": last.position})
        connection.execute(text("UPDATE log_head SET position = :p"), {"p": last.position})
        assert last.position + 1 == events.append(connection, [forged])
        connection.execute(text("UPDATE events SET position = position - 999 WHERE position > 1000"))
    signed.rehash()
    assert "checkpoint_differs" == signed.codes()[0]


def test_a_fork_is_found(signed: Signed) -> None:
    """A log that was cut and went on otherwise, to the same length and beyond, contradicts the checkpoint over the first."""
    fork(signed)
    assert "checkpoint_differs" in signed.codes()


def test_false_heads_are_found(signed: Signed) -> None:
    """Recorded heads that are not those of their moment are named, even where nothing is signed."""
    signed.sql("DELETE FROM checkpoints")
    signed.sql("UPDATE events SET body = replace(body, '\"streams\"\\:4', '\"streams\"\\:3') WHERE type = 'heads_recorded'")
    signed.rehash()
    assert ["heads_differ"] == signed.codes()


def test_a_checkpoint_that_somebody_else_signed_is_found(signed: Signed, tmp_path: Path) -> None:
    """Checkpoints made anew over the altered log need the key; another key's are not believed."""
    signed.sql("DELETE FROM checkpoints")
    strange = KeyFiles(Settings(home=str(tmp_path / "other")))
    strange.init("thaw/test")
    Notary(signed.desk.engine, signed.desk.clock, strange, []).make(wait=True)
    assert ["checkpoint_unsigned"] == signed.codes()


def test_a_rewriting_that_removes_the_checkpoints_over_it_takes_a_note_from_outside(signed: Signed) -> None:
    """Needs the outside copy: altered events whose checkpoints are gone too look whole, and contradict the note elsewhere."""
    signed.sql("UPDATE events SET body = replace(body, 'voicemail', 'no_answer')")
    signed.sql("DELETE FROM checkpoints WHERE size > :kept", kept=signed.notes[1].size)
    signed.rehash()
    assert "checkpoint_differs" not in signed.codes()
    assert "outside_differs" in signed.codes(outside=signed.notes[-1:])


def test_a_rewriting_by_whoever_has_the_key_takes_a_note_from_outside(signed: Signed) -> None:
    """Needs the outside copy: the operator can sign another history, and not the one that an earlier note is over."""
    signed.sql("UPDATE events SET body = replace(body, 'hand_written', 'typed')")
    signed.sql("DELETE FROM events WHERE type = 'heads_recorded'")
    signed.sql("DELETE FROM checkpoints")
    close_the_gaps(signed)
    signed.rehash()
    Notary(signed.desk.engine, signed.desk.clock, signed.keys, []).make(wait=True)
    assert "checkpoint_differs" not in signed.codes()
    assert "outside_differs" in signed.codes(outside=signed.notes[1:2])


def test_an_earlier_dump_takes_a_note_from_outside(signed: Signed) -> None:
    """Needs the outside copy: a database as it was at an earlier checkpoint is whole; the later note shows what is gone."""
    roll_back(signed)
    assert [] == signed.codes()
    found = signed.tree(outside=signed.notes, since=signed.size).findings
    assert ["outside_ahead"] == [f.code for f in found]
    assert f"which is {signed.notes[1].size}" in found[0].sentence


def test_an_earlier_dump_that_lived_on_takes_a_note_from_outside(signed: Signed) -> None:
    """Needs the outside copy: what happened after the rollback is another history than the one that the note is over."""
    roll_back(signed)
    signed.desk.queued(4)
    signed.notary.make(wait=True)
    assert [] == signed.codes()
    assert ["outside_differs"] == signed.codes(outside=signed.notes[-1:])


def test_what_came_before_a_note_is_another_log_than_the_note_is_over(signed: Signed) -> None:
    """Before a note nothing is looked at but the root, and that does not follow; what came behind it is `verify_since`'s."""
    (note,) = signed.notes[1:2]
    signed.sql("DELETE FROM checkpoints")
    assert [] == signed.tree(outside=[note], since=note.size).findings
    signed.sql("UPDATE events SET body = body || ' ' WHERE position = 3")
    assert "outside_differs" in [f.code for f in signed.tree(outside=[note], since=note.size).findings]


def test_without_a_known_key_the_tree_is_still_checked(signed: Signed) -> None:
    """Where no public key is known, what the checkpoints say is compared, and their signatures are not."""
    signed.sql("UPDATE checkpoints SET note = replace(note, 'thaw/test', 'thaw/else')")
    with transaction(signed.desk.engine) as connection:
        assert [] == verify_tree(connection).findings
    assert "checkpoint_unsigned" in signed.codes()


def close_the_gaps(signed: Signed) -> None:
    signed.sql(
        "UPDATE events SET position = dense.n FROM (SELECT position AS old, row_number() OVER (ORDER BY position) AS n "
        "FROM events) dense WHERE position = dense.old AND dense.n <> dense.old"
    )


def restore(signed: Signed, *tables: str) -> None:
    """Bring *tables* back to what they were at the second checkpoint, as a dump from then does."""
    for table in tables:
        signed.sql(f"DELETE FROM {table}")
        signed.sql(f"INSERT INTO {table} SELECT * FROM dump.{table}")


def fork(signed: Signed) -> None:
    restore(signed, *LOG)
    signed.desk.queued(4)


def roll_back(signed: Signed) -> None:
    restore(signed, *LOG, "checkpoints")


def test_the_checkpoints_of_the_drill_are_where_it_says(signed: Signed) -> None:
    """The drill has three checkpoints, each over more than the one before."""
    with transaction(signed.desk.engine) as connection:
        sizes = [row.size for row in checkpoints.read_all(connection)]
    assert sizes == sorted({note.size for note in signed.notes})
    assert all(isinstance(lead, UUID) for lead in signed.leads)
