"""Objections reach everybody who is the same person, and an erasure leaves nothing of what was held."""

import json
import threading
import time
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from models import contacts, leads, suppressions
from models.contacts import new_contact, save_contacts, save_document
from models.database import ErasedError, transaction
from models.verify import verify
from service.pepper import Pepper
from tests.desk import CALL_ON, NOTE_ON, Desk, registration
from workflows import commands as c
from workflows.events import LeadErased, decode_recorded, event_type
from workflows.suppression import CHECK, MODES, verdict

PEPPER = Pepper(bytes(32))
CHECKS = ("personal_fact", "reminds_who_we_are", "future_call", "not_form_letter")
ADA = {"name": "Ada Amberfield", "email": "ada@example.com", "phone": "+15550104477"}


def person(desk: Desk, external_id: str, **fields: Any) -> UUID:
    """Take in a lead that waits for a note; without *fields* it is Ada."""
    known, id_ = fields or ADA, uuid4()
    contact = new_contact(id_, "crm", external_id, known, PEPPER.keys("crm", external_id, known))
    with transaction(desk.engine) as connection:
        save_contacts(connection, [contact])
    desk.submit(id_, registration(), who="import")
    desk.work()
    return id_


def planned(desk: Desk, lead_id: UUID) -> UUID:
    desk.do(lead_id, c.ScheduleNote(note_on=NOTE_ON, call_on=CALL_ON), who="planner")
    assert desk.lead(lead_id).state == "note_due"
    return lead_id


def text(desk: Desk, lead_id: UUID, body: str) -> c.Reference:
    with transaction(desk.engine) as connection:
        return save_document(connection, uuid4(), lead_id, "text", body)


def erase(desk: Desk, lead_id: UUID) -> str | None:
    return desk.do(lead_id, c.EraseLead(reason=text(desk, lead_id, "asked for it")), who="operator:pia").outcome


def types(desk: Desk, lead_id: UUID) -> list[object]:
    return [row[0] for row in desk.ask("SELECT type FROM events WHERE stream_id = :id ORDER BY version", id=lead_id)]


def whole(desk: Desk) -> bool:
    with transaction(desk.engine) as connection:
        return not verify(connection).findings


def test_no_note_goes_out_to_somebody_who_objected_under_another_lead(desk: Desk) -> None:
    """The same mail address is the same person, at the moment at which the note is posted (T48)."""
    first, second = person(desk, "A-1"), planned(desk, person(desk, "A-2", name="A. Amberfield", email="ADA@example.com"))
    desk.do(first, c.OptOut())
    answer = desk.do(second, c.MarkNoteSent(medium="hand_written", attested=CHECKS))
    assert ("refused", CHECK) == (answer.outcome, answer.rule)
    (body,) = desk.ask("SELECT body FROM events WHERE stream_id = :id AND type = 'command_refused'", id=second)
    recorded = decode_recorded(str(body[0]).encode())
    assert recorded.used
    (verdict,) = (verdict for verdict in recorded.used.verdicts if verdict.check == CHECK)
    assert (False, "suppressions", "opted_out") == (verdict.passed, verdict.source, verdict.inputs["reasons"])
    assert whole(desk)


def test_the_list_is_asked_and_its_answer_recorded_with_every_touch(desk: Desk) -> None:
    """A note that went out says that the list had nothing against it."""
    lead_id = planned(desk, person(desk, "A-1"))
    assert "applied" == desk.do(lead_id, c.MarkNoteSent(medium="hand_written", attested=CHECKS)).outcome
    for type_ in ("lead_registered", "note_scheduled", "note_sent"):
        (body,) = desk.ask("SELECT body FROM events WHERE stream_id = :id AND type = :type", id=lead_id, type=type_)
        recorded = decode_recorded(str(body[0]).encode())
        assert recorded.used
        assert (CHECK, True) in [(verdict.check, verdict.passed) for verdict in recorded.used.verdicts]


def test_an_objection_and_a_touch_in_one_transaction_keep_their_order(desk: Desk) -> None:
    """What is decided behind the objection has seen it, though nothing is committed yet."""
    first, second = person(desk, "A-1"), planned(desk, person(desk, "A-2"))
    rings = desk.submit(first, c.OptOut()) + desk.submit(second, c.MarkNoteSent(medium="hand_written", attested=CHECKS))
    desk.applier.apply(rings)
    assert ["applied", "refused"] == [desk.message(ring.message_id).outcome for ring in rings]
    first, second = person(desk, "B-1", email="b@example.com"), planned(desk, person(desk, "B-2", email="b@example.com"))
    rings = desk.submit(second, c.MarkNoteSent(medium="hand_written", attested=CHECKS)) + desk.submit(first, c.OptOut())
    desk.applier.apply(rings)
    assert ["applied", "applied"] == [desk.message(ring.message_id).outcome for ring in rings]


def test_a_touch_waits_for_an_objection_that_is_being_written(desk: Desk) -> None:
    """Two transactions at once, of two leads: the touch is decided after the objection is committed, and sees it."""
    first, second = person(desk, "A-1"), planned(desk, person(desk, "A-2"))
    desk.submit(second, c.MarkNoteSent(medium="hand_written", attested=CHECKS))
    outcome: list[str | None] = []
    with transaction(desk.engine) as connection:
        suppressions.lock(connection, alone=True)
        suppressions.add(
            connection, suppressions.keys_of(connection, first), channel=None, reason="opted_out", since=desk.now.date()
        )
        rings = desk.due()
        touch = threading.Thread(target=lambda: outcome.extend(_settled(desk, rings)))
        touch.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        end = time.monotonic() + 20
        while not desk.ask(waiting)[0][0] and time.monotonic() < end:
            time.sleep(0.01)
        assert outcome == []
    touch.join()
    assert outcome == ["refused"]


def _settled(desk: Desk, rings: Any) -> list[str | None]:
    desk.applier.apply(rings)
    return [desk.message(ring.message_id).outcome for ring in rings]


def test_somebody_on_the_list_is_registered_as_do_not_contact(desk: Desk) -> None:
    """Whoever said so once need not say it again under another id (T01)."""
    desk.do(person(desk, "A-1"), c.OptOut())
    again = person(desk, "A-9", name="Ada", email="ada@example.com")
    assert ["lead_registered", "opted_out"] == types(desk, again)
    assert whole(desk)


def test_an_objection_to_one_channel_is_one_to_that_channel_alone(desk: Desk) -> None:
    """Post covers notes; a shared line says something of calls on it, and nothing of another person's mail."""
    first = person(desk, "A-1")
    twin = person(desk, "A-2", name="Ada Amberfield", phone="+1 555 010 4477")
    colleague = person(desk, "A-3", name="Bela Brookhollow", phone="+15550104477", email="bela@example.com")
    desk.do(first, c.OptOut(channel="post"))
    assert CHECK == desk.do(twin, c.ScheduleNote(note_on=NOTE_ON, call_on=CALL_ON), who="planner").rule
    assert "applied" == desk.do(colleague, c.ScheduleNote(note_on=NOTE_ON, call_on=CALL_ON), who="planner").outcome
    desk.do(first, c.OptOut())
    refused = desk.do(colleague, c.MarkNoteSent(medium="hand_written", attested=CHECKS))
    assert (CHECK, "call") == (refused.rule, _inputs(desk, colleague)["mode"])


def _inputs(desk: Desk, lead_id: UUID) -> Any:
    rows = desk.ask("SELECT body FROM events WHERE stream_id = :id AND type = 'command_refused' ORDER BY version", id=lead_id)
    data: Any = decode_recorded(str(rows[-1][0]).encode()).data
    return data.inputs


def test_new_consent_takes_off_the_list_what_it_names_and_nothing_more(desk: Desk) -> None:
    """Only consent does, and what was not agreed to stays refused (T47)."""
    first = person(desk, "A-1")
    desk.do(first, c.OptOut())
    evidence = text(desk, first, "letter of 12 January")
    assert "refused" == desk.do(first, c.RegrantConsent(evidence=evidence, modes=("email",)), who="rep:dan").outcome
    desk.do(first, c.RegrantConsent(evidence=evidence, modes=("email",)), who="manager:ann")
    with transaction(desk.engine) as connection:
        found = suppressions.find(connection, suppressions.keys_of(connection, first))
    assert MODES - {"email"} == {listed.entry.channel for listed in found if listed.entry.kind == "email"}
    assert {None} == {listed.entry.channel for listed in found if listed.entry.kind == "phone"}
    assert "email" not in str(verdict(listed.entry for listed in found).inputs["modes"]).split()
    twin = person(desk, "A-2")
    assert ("queued", CHECK) == (
        desk.lead(twin).state,
        desk.do(twin, c.ScheduleNote(note_on=NOTE_ON, call_on=CALL_ON), who="planner").rule,
    )


def test_no_slot_is_planned_for_somebody_on_the_list(desk: Desk) -> None:
    """The plan of the day passes them over instead of proposing what would be refused."""
    first, second = person(desk, "A-1"), person(desk, "A-2")
    other = person(desk, "B-1", name="Bela Brookhollow", email="bela@example.com")
    desk.do(first, c.OptOut())
    desk.clock.moment += timedelta(days=1)
    desk.work()
    assert ("queued", "note_due") == (desk.lead(second).state, desk.lead(other).state)
    assert "command_refused" not in types(desk, second)


def test_an_erasure_removes_what_was_held_and_leaves_the_log_whole(desk: Desk) -> None:
    """Contact, texts and what messages say are gone; the receipt has their commitments, and the fold is the projection."""
    lead_id = planned(desk, person(desk, "A-1"))
    note = text(desk, lead_id, "Dear Ada, your tomatoes")
    desk.do(lead_id, c.MarkNoteSent(medium="hand_written", attested=CHECKS, text=note))
    with transaction(desk.engine) as connection:
        contact = contacts.find_contacts(connection, [lead_id])[lead_id].commitment
    before = desk.ask("SELECT count(*) FROM messages WHERE stream_id = :id", id=lead_id)[0][0]
    assert "applied" == erase(desk, lead_id)
    (body,) = desk.ask("SELECT body FROM events WHERE stream_id = :id AND type = 'lead_erased'", id=lead_id)
    receipt = decode_recorded(str(body[0]).encode()).data
    assert isinstance(receipt, LeadErased)
    assert (contact, (note.commitment,), before) == (receipt.contact, receipt.documents, receipt.messages)
    assert desk.ask("SELECT kind FROM documents WHERE lead_id = :id", id=lead_id) == [("text",)]
    assert desk.ask("SELECT * FROM contacts") == []
    assert desk.ask("SELECT count(*) FROM messages WHERE stream_id = :id AND settled_at IS NULL", id=lead_id) == [(0,)]
    assert desk.ask("SELECT DISTINCT body FROM messages WHERE stream_id = :id AND actor_name <> 'erased'", id=lead_id) == [
        ("{}",)
    ]
    assert desk.ask("SELECT count(*) FROM slots WHERE kind = 'promised_call'") == [(0,)]
    assert ["opted_out", "lead_erased"] == types(desk, lead_id)[-2:]
    assert {"erased"} == {row[0] for row in desk.ask("SELECT reason FROM suppressions")}
    assert whole(desk)


def test_a_dead_message_is_emptied_and_cannot_be_tried_again(desk: Desk) -> None:
    """Errors and tracebacks may quote anything."""
    lead_id = person(desk, "A-1")
    desk.submit(lead_id, c.AnswerImportance(importance=3))
    desk.ask(
        "UPDATE messages SET settled_at = now(), outcome = 'dead', error = 'Ada', traceback = 'Ada', attempts = 9 "
        "WHERE actor_name = 'importance_answered'"
    )
    erase(desk, lead_id)
    found = desk.ask("SELECT outcome, reason, error, traceback, body FROM messages WHERE actor_name = 'importance_answered'")
    assert found == [("superseded", "the lead was erased", None, None, "{}")]


def test_no_log_line_and_no_error_quotes_the_person(desk: Desk) -> None:
    """PostgreSQL tells the rows at fault: neither logs nor the message's own record of its failure say more than the rule."""
    lead_id = person(desk, "A-1")
    desk.ask(
        "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no room for this' "
        "USING DETAIL = (SELECT fields::text FROM contacts WHERE lead_id = NEW.id), HINT = 'Ada', ERRCODE = 'check_violation'; "
        "END $$"
    )
    desk.ask("CREATE TRIGGER tell BEFORE UPDATE ON leads FOR EACH ROW EXECUTE FUNCTION tell()")
    note = text(desk, lead_id, "Dear Ada")
    rings = desk.submit(lead_id, c.RecordStrategy(strategy=note, missed_last_time=note), c.OptOut())
    with capture_logs() as lines:
        desk.committer.apply_all(rings)
    assert ["message_failed"] * 2 == [line["event"] for line in lines]
    failed = [desk.message(ring.message_id) for ring in rings]
    assert all("no room for this" in str(message.error) and "no room for this" in str(message.traceback) for message in failed)
    told = json.dumps(lines, default=str) + "".join(f"{message.error}{message.traceback}" for message in failed)
    assert not [word for word in ("Ada", "ada@", "4477", "Amberfield") if word in told]


def test_what_waits_in_the_same_transaction_is_superseded(desk: Desk) -> None:
    """Before the erasure it is applied; behind it there is nobody left to apply it to, and nothing is recorded twice."""
    lead_id = planned(desk, person(desk, "A-1"))
    reason = text(desk, lead_id, "asked for it")
    before = desk.submit(lead_id, c.AnswerImportance(importance=2))
    erasure = desk.submit(lead_id, c.EraseLead(reason=reason), who="operator")
    after = desk.submit(lead_id, c.MarkNoteSent(medium="hand_written", attested=CHECKS))
    desk.applier.apply(before + erasure + after)
    assert ["applied", "applied", "superseded"] == [desk.message(r.message_id).outcome for r in (*before, *erasure, *after)]
    assert ["importance_answered", "opted_out", "lead_erased"] == types(desk, lead_id)[-3:]
    assert whole(desk)


def test_two_erasures_at_once_are_one(desk: Desk) -> None:
    """In one transaction or in two, there is one receipt."""
    for together in (True, False):
        lead_id = person(desk, f"A-{together}")
        reason = text(desk, lead_id, "asked for it")
        rings = [ring for _ in range(2) for ring in desk.submit(lead_id, c.EraseLead(reason=reason), who="operator")]
        for batch in [rings] if together else [[ring] for ring in rings]:
            desk.applier.apply(batch)
        assert ["applied", "superseded"] == [desk.message(ring.message_id).outcome for ring in rings]
        assert 1 == types(desk, lead_id).count("lead_erased")


def test_a_touch_in_flight_is_before_or_after_the_erasure(desk: Desk) -> None:
    """Whoever has the lead first goes first: the other transaction waits, and then finds an erased lead."""
    lead_id = planned(desk, person(desk, "A-1"))
    (touch,) = desk.submit(lead_id, c.MarkNoteSent(medium="hand_written", attested=CHECKS))
    reason = text(desk, lead_id, "asked for it")
    (erasure,) = desk.submit(lead_id, c.EraseLead(reason=reason), who="operator")
    with transaction(desk.engine) as connection:
        leads.lock_leads(connection, [lead_id])
        workers = [threading.Thread(target=desk.applier.apply, args=([ring],)) for ring in (erasure,)]
        other = threading.Thread(target=type(desk.applier)(desk.engine, desk.clock).apply, args=([touch],))
        for worker in (*workers, other):
            worker.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        end = time.monotonic() + 1.5
        while int(str(desk.ask(waiting)[0][0])) < 2 and time.monotonic() < end:
            time.sleep(0.01)
    for worker in (*workers, other):
        worker.join()
    found = types(desk, lead_id)
    assert found[-1] == "lead_erased"
    assert desk.message(touch.message_id).outcome == ("applied" if "note_sent" in found else "superseded")
    assert whole(desk)


def test_no_text_arrives_behind_an_erasure(desk: Desk) -> None:
    """The database itself keeps nothing more of somebody who was erased: no contact, and no text."""
    lead_id = person(desk, "A-1")
    erase(desk, lead_id)
    with pytest.raises(ErasedError, match=f"everything about lead {lead_id} was erased"):
        text(desk, lead_id, "Ada rang again")
    with pytest.raises(ErasedError), transaction(desk.engine) as connection:
        save_contacts(connection, [new_contact(lead_id, "crm", "A-1", ADA)])


def test_a_text_that_is_being_kept_is_erased_or_refused(desk: Desk) -> None:
    """A text and an erasure at the same moment: whichever comes second waits for the first."""
    lead_id = person(desk, "A-1")
    reason = text(desk, lead_id, "asked for it")
    (erasure,) = desk.submit(lead_id, c.EraseLead(reason=reason), who="operator")
    with transaction(desk.engine) as connection:
        save_document(connection, uuid4(), lead_id, "text", "Ada rang")
        worker = threading.Thread(target=desk.applier.apply, args=([erasure],))
        worker.start()
        end = time.monotonic() + 1.5
        while not desk.ask("SELECT count(*) FROM pg_locks WHERE NOT granted")[0][0] and time.monotonic() < end:
            time.sleep(0.01)
    worker.join()
    assert desk.ask("SELECT body FROM documents") == [("asked for it",)]
    assert event_type(decode_recorded(str(desk.ask("SELECT body FROM events ORDER BY position DESC")[0][0]).encode()).data) == (
        "lead_erased"
    )


def test_words_that_an_erasure_took_are_not_read_in_the_same_batch(desk: Desk) -> None:
    """A note to somebody else that went out with them has no verdict of its words: what was erased is gone at once."""
    gone, other = person(desk, "A-1"), planned(desk, person(desk, "B-1", name="Bea Brook"))
    words = text(desk, gone, "You told me that you sail. I will call on Monday, the 12th.")
    (erasure,) = desk.submit(gone, c.EraseLead(reason=text(desk, gone, "asked for it")), who="operator:pia")
    (note,) = desk.submit(other, c.MarkNoteSent(medium="hand_written", attested=CHECKS, text=words))
    desk.applier.apply([erasure, note])
    assert ["applied", "applied"] == [desk.message(ring.message_id).outcome for ring in (erasure, note)]
    (body,) = desk.ask("SELECT body FROM events WHERE stream_id = :id AND type = 'note_sent'", id=other)
    recorded = decode_recorded(str(body[0]).encode())
    assert recorded.used
    assert {CHECK, *CHECKS} == {verdict.check for verdict in recorded.used.verdicts}
    assert whole(desk)
