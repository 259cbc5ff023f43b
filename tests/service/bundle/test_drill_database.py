"""The tampering drill in the database: who can write there alters it, puts all hashes right, and somebody exports it.

Whoever exports has no key at hand, so that the newest checkpoint of the database is what the bundle is under.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from models.database import ModelError, transaction
from models.verify import verify as verify_log
from models.verify_tree import verify_tree
from service.keys import KeyFiles
from service.settings import Settings
from tests.service.bundle.conftest import Filled
from tests.service.bundle.forge import verdict
from tests.service.bundle.office import ALL, Office, leads_of

NO_KEY = KeyFiles(Settings(home="/nonexistent"))
ALTERED, INCOMPLETE, UNSIGNED, UNDERIVED = 1, 2, 3, 4

#: A note that the lead of the bundles got.
NOTE = "(SELECT position FROM events WHERE type = 'note_sent' AND stream_id = :lead ORDER BY position LIMIT 1)"


@pytest.mark.parametrize(
    ("statement", "rehashed", "sentence"),
    [
        ("UPDATE events SET body = replace(body, '\"minutes\"\\:8', '\"minutes\"\\:9') WHERE position = {note}", False,
         "its hash does not follow"),
        ("UPDATE events SET hash = decode(repeat('00', 32), 'hex') WHERE position = {note}", False, "its hash does not follow"),
        ("UPDATE events SET body = replace(body, '\"minutes\"\\:8', '\"minutes\"\\:9') WHERE position = {note}", True,
         "is over other events than these"),
        ("UPDATE events SET body = '{{}}' WHERE position = {note}", False, "its body cannot be read"),
        ("DELETE FROM events WHERE position = {note}", True, "is over other events than these"),
        ("DELETE FROM events WHERE stream_id = '{other}'", True, "is over other events than these"),
        ("UPDATE checkpoints SET note = replace(note, E'\\n' || size || E'\\n', E'\\n4\\n') WHERE size = {first}", False,
         "checkpoints.ndjson: the signature"),
        ("UPDATE playbooks SET body = replace(body, '\"stale_after_days\"\\:90', '\"stale_after_days\"\\:91')", False,
         "is not the playbook that its name is the digest of"),
        ("UPDATE documents SET body = body || '!' WHERE lead_id = :lead", False, "is not what the log committed to"),
        ("UPDATE contacts SET fields = fields || '{{\"name\"\\: \"Eve\"}}' WHERE lead_id = :lead", False,
         "is not what the log committed to"),
    ],
)  # fmt: skip
def test_what_is_changed_in_the_database_shows_in_a_bundle(
    office: Office, filled: Filled, tmp_path: Path, statement: str, rehashed: bool, sentence: str
) -> None:
    """Bodies, hashes, events and leads that vanish, checkpoints, playbooks, texts."""
    lead = filled.leads[1]
    note = office.ask(NOTE, lead=lead)[0][0]
    told = statement.format(note=note, other=filled.leads[7], first=filled.sizes[0])
    office.sql(told, **({"lead": lead} if ":lead" in told else {}))
    if rehashed:
        office.close_the_gaps()
        restore_length(office, filled)
        office.rehash()
    status, found = verdict(office.bundle(leads_of(lead), tmp_path / "b.zip", keys=NO_KEY, opened=True), filled.key)
    assert (ALTERED, True) == (status, sentence in found), found


def restore_length(office: Office, filled: Filled) -> None:
    """Let the log be as long as before: a forger adds what he likes at its end."""
    last = office.ask("SELECT max(position) FROM events")[0][0]
    for position in range(last + 1, filled.size + 1):
        office.sql(
            "INSERT INTO events SELECT :position, stream_id, version + 1, type, schema, "
            "replace(body, '\"version\":' || version || '}', '\"version\":' || version + 1 || '}'), occurred_at, recorded_at, "
            "message_id, actor, correlation_id, causation_id, playbook, hash FROM events WHERE position = :last",
            position=position, last=position - 1,
        )  # fmt: skip


def test_one_that_was_put_in_is_found(office: Office, filled: Filled, tmp_path: Path) -> None:
    """A second note in the middle of a history, with the next version and position, all behind it moved and hashed anew."""
    lead = filled.leads[1]
    note = office.ask(NOTE, lead=lead)[0][0]
    version = office.ask("SELECT version FROM events WHERE position = :note", note=note)[0][0]
    later = office.ask("SELECT count(*) FROM events WHERE stream_id = :lead AND version > :version", lead=lead, version=version)
    assert later[0][0] > 2
    office.sql("UPDATE events SET position = -position - 1 WHERE position > :note", note=note)
    office.sql("UPDATE events SET position = -position WHERE position < 0")
    office.sql(
        "UPDATE events SET version = -version - 1 WHERE stream_id = :lead AND version > :version", lead=lead, version=version
    )
    office.sql(
        "UPDATE events SET version = -version, "
        "body = regexp_replace(body, '\"version\"\\:[0-9]+}$', '\"version\"\\:' || -version || '}') "
        "WHERE version < 0"
    )
    office.sql(
        "INSERT INTO events SELECT position + 1, stream_id, version + 1, type, schema, "
        "regexp_replace(body, '\"version\"\\:[0-9]+}$', '\"version\"\\:' || version + 1 || '}'), occurred_at, recorded_at, "
        "message_id, actor, correlation_id, causation_id, playbook, hash FROM events WHERE position = :note", note=note,
    )  # fmt: skip
    office.rehash()
    with transaction(office.engine) as connection:
        # Nothing but what was signed shows it: not the positions, the versions, the chains, nor the rows.
        assert [] == verify_log(connection).findings
        tree = [finding.code for finding in verify_tree(connection).findings]
    assert "checkpoint_differs" in tree
    for selection in (leads_of(lead), ALL):
        status, found = verdict(office.bundle(selection, tmp_path / "b.zip", keys=NO_KEY), filled.key)
        assert (ALTERED, True) == (status, "is over other events than these" in found), found


def test_two_that_changed_places_are_found(office: Office, filled: Filled, tmp_path: Path) -> None:
    """No chain shows it, and the tree does."""
    (first,) = office.ask(
        "SELECT a.position FROM events a JOIN events b ON b.position = a.position + 1 WHERE a.stream_id <> b.stream_id "
        "AND a.position > 60 ORDER BY a.position LIMIT 1"
    )[0]  # fmt: skip
    office.sql("UPDATE events SET position = -1 WHERE position = :first", first=first)
    office.sql("UPDATE events SET position = position - 1 WHERE position = :first + 1", first=first)
    office.sql("UPDATE events SET position = :first + 1 WHERE position = -1", first=first)
    status, found = verdict(office.bundle(ALL, tmp_path / "b.zip", keys=NO_KEY), filled.key)
    assert (ALTERED, True) == (status, "is over other events than these" in found)


def test_a_fork_is_found(office: Office, filled: Filled, tmp_path: Path) -> None:
    """A log that was cut and went on otherwise is not the one that was signed."""
    cut(office, filled.sizes[0])
    while office.ask("SELECT position FROM log_head")[0][0] < filled.size:
        office.take_in(200 + len(office.leads))
    status, found = verdict(office.bundle(ALL, tmp_path / "b.zip", keys=NO_KEY), filled.key)
    assert (ALTERED, True) == (status, "is over other events than these" in found)


def cut(office: Office, size: int) -> None:
    office.sql("DELETE FROM events WHERE position > :size", size=size)
    office.sql("DELETE FROM messages")
    office.sql("DELETE FROM tree_nodes")
    office.rehash()


def test_a_tail_that_was_cut_cannot_be_exported(office: Office, tmp_path: Path) -> None:
    """The checkpoint is over more events than there are."""
    office.sql("DELETE FROM events WHERE position = (SELECT max(position) FROM events)")
    office.rehash()
    with pytest.raises(ModelError, match="the log has no event"):
        office.export(ALL, tmp_path / "b.zip", keys=NO_KEY)


def test_a_log_that_somebody_else_signed_is_not_the_operators(office: Office, filled: Filled, tmp_path: Path) -> None:
    """Checkpoints made anew with another key over the altered log."""
    office.forget_what_was_signed()
    strange = KeyFiles(Settings(home=str(tmp_path / "other")))
    strange.init("example.com/thaw")
    forger = replace(office, keys=strange)
    status, found = verdict(forger.bundle(leads_of(filled.leads[1]), tmp_path / "b.zip"), filled.key)
    assert (UNSIGNED, True) == (status, "is not signed by the key given" in found)


def test_the_operator_who_rewrites_everything_is_found_by_a_kept_checkpoint(
    office: Office, filled: Filled, tmp_path: Path
) -> None:
    """With the key, and the log made anew from a point on, only what was kept elsewhere contradicts him."""
    cut(office, filled.sizes[0])
    office.forget_what_was_signed()
    office.take_in(300)
    bundle = office.bundle(leads_of(filled.leads[1], office.leads[-1]), tmp_path / "b.zip")
    assert (0, "") == verdict(bundle, filled.key)
    assert (0, "") == verdict(office.bundle(ALL, tmp_path / "b.zip"), filled.key, kept=filled.notes[:1])
    while office.ask("SELECT position FROM log_head")[0][0] <= filled.sizes[1]:
        office.take_in(300 + len(office.leads))
    status, found = verdict(office.bundle(ALL, tmp_path / "b.zip"), filled.key, kept=filled.notes[:2])
    assert (ALTERED, True) == (status, "kept elsewhere is over other events" in found)


WRONG_DECISIONS: dict[str, tuple[str, str, str, str]] = {
    "a call six working days after its note": (
        "note_sent", '"call_on":"{call_on}"', '"call_on":"{day_after}"', "data.call_on is {day_after}, and {call_on} follows",
    ),
    "a timer a day later": (
        "note_sent", '"call_after_note":"{call_on}', '"call_after_note":"{day_after}', "effects.armed.call_after_note is",
    ),
    "a state out of the table": ("note_sent", '"state":"note_sent"', '"state":"call_due"', "state is call_due, and note_sent"),
    "another row": ("note_sent", '"row":"T10"', '"row":"T11"', "row is T11, and T10 follows"),
    "a score that is not its sum": ("revival_queued", '"total":', '"total":1', "data.score.total is"),
    "a part of a score": ("revival_queued", '"importance":9', '"importance":8', "data.score.importance is 8, and 9 follows"),
    "minutes that nobody asked for": ("note_sent", '"minutes":8,"override"', '"minutes":1,"override"', "data.minutes is 1, "),
    "a check that nobody made": ("note_sent", '"check":"future_call"', '"check":"future_cal"', "future_cal"),
    "a slot that was not offered": (
        "note_scheduled", '"ordinal":1,"rep":"dan"}}],"used":[]', '"ordinal":9,"rep":"dan"}}],"used":[]', "effects.reserved is",
    ),
    "a note typed by machine": ("note_sent", "hand_written", "robot_pen", "command_refused by hand_written follows"),
    "a moment before the one before it": ("call_due", '"recorded_at":"2026', '"recorded_at":"2025', "recorded_at is 2025"),
    "another playbook": ("note_sent", '"version":"1.0.0"', '"version":"9.0.0"', "playbook.version is 9.0.0, and 1.0.0 follows"),
    "a timer that was not armed": ("call_due", '"armed_version":', '"armed_version":1', "command.armed_version is 1"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG_DECISIONS)
def test_a_wrong_decision_under_the_right_key_is_named(office: Office, filled: Filled, tmp_path: Path, what: str) -> None:
    """The operator signs a log in which the machine decided otherwise than it should: status 4, event and field."""
    kind, old, new, sentence = WRONG_DECISIONS[what]
    lead, position, version, call_on = office.ask(
        "SELECT stream_id, position, version, body::jsonb -> 'data' ->> 'call_on' FROM events WHERE type = :kind "
        "AND actor IN ('rep:dan', 'planner', 'clock', 'import') AND stream_id <> :updated ORDER BY position LIMIT 1",
        kind=kind, updated=filled.leads[1],
    )[0]  # fmt: skip
    days = {"call_on": call_on, "day_after": f"{call_on[:8]}{int(call_on[8:]) + 1:02}" if call_on else ""}
    sql = "UPDATE events SET body = replace(body, :old, :new) WHERE position = :position"
    office.sql(sql, old=old.format(**days), new=new.format(**days), position=position)
    assert office.ask("SELECT 1 FROM events WHERE position = :p AND body LIKE :new", p=position, new=f"%{new.format(**days)}%")
    office.forget_what_was_signed()
    office.rehash()
    status, found = verdict(office.bundle(leads_of(lead), tmp_path / "b.zip"), filled.key)
    assert status == UNDERIVED, found
    assert found.startswith(f"event {position} ({kind}, version {version} of {lead}): "), found
    assert sentence.format(**days) in found
    assert found.endswith("follows from what it was made from")
