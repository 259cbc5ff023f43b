"""What stands beside the log, changed by somebody with all rights on the database: texts, playbooks, messages."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from models.database import Connection
from models.verify_beside import verify_beside
from tests.service.campaigns import ask
from tests.service.world import MONDAY, World
from workflows.campaign import campaign_id
from workflows.codec import derived_id, digest
from workflows.commands import RegisterLead
from workflows.rep import rep_id
from workflows.sales_event import sales_event_id

NOTE = (
    "Dear Ada, you told me that your tomatoes had won at the county fair, when we met at the Oakwood open house. "
    "I will call you soon. Yours, Dan"
)


@pytest.fixture
def lived(world: World) -> World:
    """Two leads with notes, one of them with its text, a refusal, somebody who was erased, and an operator's reason."""
    world.rep()
    world.register(4)
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        world.ok("note-sent", "V-0000", "--attest-all", "--text", NOTE)
        world.ok("note-sent", "V-0001", "--attest-all")
        world.refused(1, "call", "V-0002", "--outcome", "voicemail")
    world.ok("erase", "V-0003", "--reason", "asked for it by letter", "--by", "pia")
    return world


#: By what somebody does: what is found, and words of the sentence that says so.
ATTACKS = {
    "UPDATE documents SET body = replace(body, 'tomatoes', 'potatoes') WHERE kind = 'text'":
        ("text_differs", "is not the one that was committed to"),
    "UPDATE documents SET salt = sha256('other'::bytea) WHERE kind = 'text'": ("text_differs", "(text) is not the one"),
    "UPDATE documents SET body = 'x', salt = '', commitment = encode(sha256('x'::bytea), 'hex') WHERE kind = 'text'":
        ("text_differs", "(note_sent, version 4 of {V-0000}): it commits to another text than is kept as"),
    "UPDATE documents SET lead_id = '{V-0001}' WHERE kind = 'text'":
        ("text_differs", "(note_sent, version 4 of {V-0000}): the text"),
    "UPDATE documents SET kind = 'operator_reason' WHERE kind = 'text'":
        ("text_shown", "of {V-0000} stands among operators' reasons, which logins see from which texts are closed"),
    "INSERT INTO documents SELECT gen_random_uuid(), '{V-0003}', kind, body, salt, commitment FROM documents LIMIT 1":
        ("erasure_undone", "of {V-0003} is kept, and the log says that all was erased"),
    "INSERT INTO contacts SELECT '{V-0003}', 'crm', 'back', fields, salt, commitment FROM contacts LIMIT 1":
        ("erasure_undone", "the contact of {V-0003} is kept"),
    "DELETE FROM documents WHERE kind = 'text'": ("text_missing", "that it commits to is gone, and nobody was erased there"),
    "UPDATE contacts SET fields = fields || '{{\"name\": \"Eve\"}}' WHERE external_id = 'V-0001'":
        ("text_differs", "the personal data of {V-0001} is not what was committed to"),
    "UPDATE contacts SET fields = CAST('{{\"a\":' || repeat('9', 5000) || '}}' AS jsonb) WHERE external_id = 'V-0001'":
        ("text_differs", "the personal data of {V-0001} is not what was committed to"),
    "UPDATE contacts SET fields = CAST(repeat('[', 3000) || repeat(']', 3000) AS jsonb) WHERE external_id = 'V-0001'":
        ("text_differs", "the personal data of {V-0001} is not what was committed to"),
    "UPDATE playbooks SET body = repeat('[', 100000) WHERE id = 'five-five-five'":
        ("playbook_differs", "the playbook five-five-five@1.0.0 is not the one that was published"),
    "DELETE FROM contacts WHERE external_id = 'V-0001'": ("text_missing", "version 1 of {V-0001}"),
    "UPDATE playbooks SET body = replace(body, '\"notes\":5', '\"notes\":9') WHERE id = 'five-five-five'":
        ("playbook_differs", "the playbook five-five-five@1.0.0 is not the one that was published"),
    "DELETE FROM playbooks WHERE id = 'five-five-five'": ("playbook_differs", "and none is kept under that name"),
    "DELETE FROM messages WHERE stream_id = '{V-0000}' AND actor_name = 'note_sent'":
        ("message_missing", "version 4 of {V-0000}): no message"),
    "UPDATE messages SET asked_by = 'rep:eve' WHERE stream_id = '{V-0000}' AND actor_name = 'note_sent'":
        ("message_differs", "by another actor"),
    "UPDATE messages SET body = replace(body, 'hand_written', 'typed_signed') WHERE stream_id = '{V-0000}'":
        ("message_differs", "asked for something else than the log says"),
    "UPDATE messages SET outcome = 'superseded' WHERE stream_id = '{V-0000}' AND actor_name = 'note_sent'":
        ("outcome_differs", "ended otherwise: superseded"),
    "UPDATE messages SET outcome = NULL, settled_at = NULL WHERE stream_id = '{V-0000}' AND actor_name = 'note_sent'":
        ("outcome_differs", "ended otherwise: not settled"),
    "UPDATE messages SET rule = 'another' WHERE outcome = 'refused'": ("outcome_differs", "(command_refused, version"),
    "UPDATE messages SET outcome = 'applied', settled_at = now() WHERE stream_id = '{V-0000}' AND outcome IS NULL":
        ("event_missing", "for {V-0000} was applied, and the log has no event of it"),
    "UPDATE messages SET body = '{{}}' WHERE stream_id = '{V-0000}' AND actor_name = 'note_sent'":
        ("message_emptied", "for {V-0000} is empty, and nobody was erased there"),
    "UPDATE messages SET body = '' WHERE stream_id = '{V-0000}' AND actor_name = 'note_sent'":
        ("message_emptied", "for {V-0000} holds no command"),
    "UPDATE messages SET body = left(body, 12) WHERE stream_id = '{V-0000}' AND outcome IS NOT NULL":
        ("message_differs", "(note_sent, version 4 of {V-0000}): its message"),
    "UPDATE messages SET body = '' WHERE stream_id = '{V-0003}' AND outcome IS NOT NULL":
        ("message_emptied", "for {V-0003} holds no command"),
    "UPDATE messages SET body = replace(body, 'America/New_York', 'Asia/Tokyo') WHERE actor_name = 'calendar_frozen'":
        ("message_differs", "(calendar_frozen, version 1 of "),
    "UPDATE messages SET body = replace(body, 'five-five-five', 'keep-in-touch') WHERE actor_name = 'calendar_frozen'":
        ("message_differs", "asked for something else than the log says"),
    "UPDATE messages SET body = repeat('{{\"command\":', 100000) || '}}' WHERE actor_name = 'note_sent'":
        ("message_differs", "asked for something else than the log says"),
}  # fmt: skip


def test_each_change_beside_the_log_is_found_and_named(lived: World) -> None:
    """Nothing is wrong with what was lived, an erasure included; each change has a finding of its kind, in words."""
    leads = {f"V-{number:04}": str(id_) for number, id_ in enumerate(lived.leads)}
    with lived.engine.connect() as connection:
        assert [] == verify_beside(connection)
        for attack, (code, words) in ATTACKS.items():
            with tampered(connection, attack.format_map(leads)):
                found = verify_beside(connection)
                assert found == verify_beside(connection, streams=[*lived.leads, rep_id("dan")]) or code == "playbook_differs"
                assert {"playbook_differs"} >= {f.code for f in verify_beside(connection, streams=[])}
            assert any(f.code == code and words.format_map(leads) in f.sentence for f in found), (attack, found)
            assert len(set(found)) == len(found), "said twice"
        assert [] == verify_beside(connection) == verify_beside(connection, streams=lived.leads)


@contextmanager
def tampered(connection: Connection, statement: str) -> Iterator[None]:
    """Do what somebody with all rights on the database can do, and take it back at the end of the block."""
    savepoint = connection.begin_nested()
    connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
    assert connection.exec_driver_sql(statement).rowcount, statement
    yield
    savepoint.rollback()


def test_the_contact_of_the_first_id_is_held_against_its_commitment(lived: World) -> None:
    """Ids are looked at from the first on."""
    with (
        lived.engine.connect() as connection,
        tampered(connection, "INSERT INTO contacts SELECT '00000000-0000-0000-0000-000000000000', 'crm', 'x', '{}', '', 'x'"),
    ):
        (found,) = verify_beside(connection)
        assert "00000000-0000-0000-0000-000000000000 is not what was committed to" in found.sentence


def test_what_was_refused_before_it_began_is_no_tampering(world: World, tmp_path: Path) -> None:
    """A lead, an event and a campaign, refused by each rule that may refuse a first command, and then taken in. A refusal that
    came behind the first event is in the log, and named when it is taken out.
    """
    kept = tmp_path / "kept.note"
    world.ok("keys", "init", "--name", "example.com/thaw")
    with world.worker():
        world.rep()
        kept.write_text(world.ok("checkpoint", "--heads"))
        announced = ("event", "add", "z", "--seats", 1, "--title", "T", "--host", "H", "--place", "P", "--as", "manager:ann")
        of_2026 = ("--starts", "2026-03-09T09:00")
        world.refused(1, *announced, *of_2026, "--kind", "party")
        world.refused(1, *announced, "--starts", "2025-03-09T09:00", "--kind", "other")
        world.refused(1, *announced, *of_2026, "--kind", "other", "--description", "Too short.")
        world.refused(1, "campaign", "plan", "c", "--from", "2026-05-01", "--to", "2025-01-01", "--as", "manager:ann")
        world.refused(1, "campaign", "plan", "c", "--kind", "party", "--as", "manager:ann")
    lead, too_early = derived_id("lead", "crm", "late"), date(1900, 1, 1)
    for slip in (
        {"last_contact_on": date(2027, 1, 1)},
        {"occurred_at": datetime(2027, 1, 1, tzinfo=UTC)},
        {"last_contact_on": too_early},
    ):
        world.take_in(id_=lead, external_id="late", **slip)
    assert [
        ("description_length",), ("event_type",), ("event_type",), ("not_in_the_future",), ("not_in_the_future",),
        ("period",), ("plausible_date",), ("upcoming",),
    ] == ask(world, "SELECT rule FROM messages WHERE outcome = 'refused' ORDER BY rule")  # fmt: skip
    assert world.said("verify")["whole"]
    world.take_in(id_=lead, external_id="late")
    (registered, *_) = world.events(lead)
    assert isinstance(registered.command, RegisterLead)
    world.hand_in(lead, msgspec.structs.replace(registered.command, last_contact_on=too_early))
    with world.worker():
        world.ok(*announced, *of_2026, "--kind", "other")
        world.refused(1, *announced, *of_2026, "--kind", "other")
        world.ok("campaign", "plan", "c", "--as", "manager:ann")
        world.refused(1, "campaign", "plan", "c", "--as", "manager:ann")
    assert world.said("verify")["whole"]
    assert world.said("verify", "--since", kept)["whole"]
    world.ok("rederive", "--all")
    with world.engine.connect() as connection:
        assert [] == verify_beside(connection)
        with tampered(connection, "DELETE FROM events WHERE type = 'command_refused'"):
            found = verify_beside(connection)
    assert ["event_missing"] * 3 == [each.code for each in found]
    assert {lead, sales_event_id("z"), campaign_id("c")} == {each.stream_id for each in found}


def test_a_playbook_forged_with_its_digest_is_found_by_the_log(lived: World) -> None:
    """Body and digest changed together contradict the first event that pins it, and the command names that event."""
    with lived.engine.connect() as connection:
        body = str(connection.exec_driver_sql("SELECT body FROM playbooks WHERE id = 'five-five-five'").scalar_one())
    forged = body.replace('"notes":5', '"notes":9')
    assert forged != body
    lived.sql("ALTER TABLE playbooks DISABLE TRIGGER ALL")
    lived.sql(
        "UPDATE playbooks SET body = %(body)s, digest = %(digest)s WHERE id = 'five-five-five'",
        body=forged, digest=digest(forged.encode()),
    )  # fmt: skip
    shown = lived.refused(1, "verify")
    assert "it names the playbook five-five-five@1.0.0 with the digest " in shown
    assert "and another is kept under that name [playbook_differs]" in shown


def test_the_command_names_what_is_wrong_beside_the_log(lived: World) -> None:
    """`thaw verify` ends with 1 and the sentence; `--json` says that texts were held against their commitments."""
    said = lived.said("verify")
    assert (said["whole"], said["texts_checked"]) == (True, True)
    lived.sql("UPDATE documents SET body = 'Dear Eve' WHERE kind = 'text'")
    shown = lived.refused(1, "verify")
    assert "(text) is not the one that was committed to [text_differs]" in shown
    assert "something is wrong" in shown


def test_no_column_writes_to_the_auditors_terminal(lived: World) -> None:
    """What stands in the database, and may be anything, is printed on one line without what a terminal obeys."""
    evil = "x\x1b[2K\rnothing is wrong\n\u202e\x07"
    lived.sql("ALTER TABLE events DISABLE TRIGGER events_append_only")
    lived.sql("UPDATE events SET type = %(evil)s WHERE type = 'note_sent'", evil=evil)
    lived.sql("UPDATE messages SET actor_name = %(evil)s, outcome = %(evil)s WHERE outcome IS NOT NULL", evil=evil)
    lived.sql("UPDATE leads SET state = %(evil)s WHERE state = 'queued'", evil=evil)
    lived.sql("INSERT INTO checkpoints VALUES (1, '', '')")
    lived.sql("INSERT INTO checkpoint_failures VALUES (%(evil)s, 1, %(evil)s)", evil=evil)
    asked = (("verify",), ("rebuild", "--check"), ("why", "V-0000", "1"), ("why", "V-0000", "2"), ("status",))
    for command in asked:
        shown = lived.thaw(*command).output
        assert "x[2K nothing is wrong" in shown, command
        assert all(line.isprintable() for line in shown.splitlines()), command


def test_what_a_day_and_a_decision_rest_on_is_held_against_the_playbooks(world: World) -> None:
    """Below the layers of a rep, and followed by the owner: each digest is that of a playbook that is kept."""
    world.rep()
    with world.worker():
        world.ok("rep", "limit", "dan", "--notes", 3, "--calls", 3, "--why", "Half days.", "--as", "manager:ann")
    world.register(2)
    world.at(MONDAY + timedelta(days=1))
    none = "0" * 64
    with world.engine.connect() as connection:
        assert [] == verify_beside(connection)
        kept = connection.exec_driver_sql("SELECT digest FROM playbooks WHERE id = 'keep-in-touch'").scalar_one()
        for found, digest_, said in (
            ('"layers":{"base":"five-five-five","digest":"', none, "the playbook five-five-five with the digest 000"),
            ('"layers":{"base":"five-five-five","digest":"', kept, "and that is the digest of keep-in-touch"),
            ('"followed":"', none, "(note_scheduled, version 3 of "),
        ):
            moved = f"overlay(body placing '{digest_}' from strpos(body, '{found}') + {len(found)} for 64)"
            with tampered(connection, f"UPDATE events SET body = {moved} WHERE strpos(body, '{found}') > 0"):
                sentences = [each.sentence for each in verify_beside(connection) if each.code == "playbook_differs"]
            assert [each for each in sentences if said in each and "it rests on the playbook" in each], (found, sentences)


def test_the_first_event_that_names_a_wording_is_named(world: World) -> None:
    """By its place in the log, wherever the table holds it."""
    world.rep()
    world.register(2)
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        world.ok("note-sent", "V-0000", "--attest-all", "--text", NOTE)
        world.ok("note-sent", "V-0001", "--attest-all", "--text", NOTE, "--override", "They wrote the same to me.")
    naming = "type = 'note_sent' AND strpos(body, '\"wording\":{\"phrases\"') > 0"
    with world.engine.connect() as connection:
        first, second = connection.exec_driver_sql(f"SELECT position FROM events WHERE {naming} ORDER BY 1").scalars()
        with tampered(connection, "DELETE FROM wordings WHERE name = 'phrases'"):
            # Written anew, it stands behind the others in the table.
            connection.exec_driver_sql(f"UPDATE events SET actor = actor WHERE position = {first}")
            found = [each.position for each in verify_beside(connection) if each.code == "wording_differs"]
    assert first < second
    assert [first] == found
