"""The one transaction: exactly once in effect, together or alone, in any order, against the capacity that is there."""

import threading
from datetime import timedelta
from uuid import uuid4

import msgspec
from hypothesis import given
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from actors.apply import REGISTERS, TAKES_SLOTS
from models.database import transaction
from models.messages import Ring
from models.verify import verify
from tests.desk import CALL_ON, NOTE_ON, Desk, differing, registration
from tests.statements import on_each_statement
from tests.workflows.strategies import commands
from workflows.actor_names import actor_name
from workflows.commands import (
    AnswerImportance,
    AnyCommand,
    FireTimer,
    Hold,
    MarkNoteSent,
    OptOut,
    QueueRevival,
    Reassign,
    RecordCall,
    RecordDecline,
    Reference,
    RegisterLead,
    Release,
    ScheduleNote,
)
from workflows.slotting import takes_slots
from workflows.timers import timer_message_id

CHECKS = ("personal_fact", "reminds_who_we_are", "future_call", "not_form_letter")
SENT = MarkNoteSent(medium="hand_written", attested=CHECKS)


def events_of(desk: Desk, message_id: object) -> int:
    return int(str(desk.ask("SELECT count(*) FROM events WHERE message_id = :id", id=message_id)[0][0]))


def nothing_is_wrong(desk: Desk) -> bool:
    with transaction(desk.engine) as connection:
        return verify(connection).findings == []


def test_a_message_delivered_many_times_is_applied_once(desk: Desk) -> None:
    """Copies in one batch, in later batches and after settlement change nothing."""
    (lead_id,) = desk.note_due()
    (ring,) = desk.submit(lead_id, SENT)
    desk.committer.apply_all([ring, ring, ring])
    desk.committer.apply_all([ring])
    desk.committer.apply_all([ring._replace(number=2)])
    assert "applied" == desk.message(ring.message_id).outcome
    assert 1 == events_of(desk, ring.message_id)


def test_two_processes_with_the_same_message_apply_it_once(desk: Desk) -> None:
    """Concurrent copies are serialised by the lead's lock."""
    lead_ids = desk.note_due(5)
    rings = [ring for lead_id in lead_ids for ring in desk.submit(lead_id, SENT)]
    threads = [threading.Thread(target=desk.committer.apply_all, args=(rings,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [1] * 5 == [events_of(desk, ring.message_id) for ring in rings]
    assert nothing_is_wrong(desk)


def test_several_messages_of_one_lead_in_one_batch_follow_each_other(desk: Desk) -> None:
    """Each decision sees what the one before it left."""
    (lead_id,) = desk.note_due()
    rings = [ring for level in (1, 2, 3) for ring in desk.submit(lead_id, AnswerImportance(importance=level))]
    desk.committer.apply_all(rings)
    assert 3 == desk.lead(lead_id).importance
    assert nothing_is_wrong(desk)


def test_a_refusal_is_settled_as_an_answer_with_its_rule(desk: Desk) -> None:
    """An outcome for a call that was never due is refused, recorded once, and never tried again."""
    (lead_id,) = desk.note_due()
    message = desk.do(lead_id, RecordCall(outcome="voicemail"))
    assert ("refused", "no_transition") == (message.outcome, message.rule)
    assert [("command_refused", "note_due")] == desk.ask(
        "SELECT e.type, l.state FROM events e JOIN leads l ON l.id = e.stream_id WHERE e.message_id = :id", id=message.id
    )


def test_an_unknown_lead_fails_alone_and_the_rest_of_its_batch_goes_through(desk: Desk) -> None:
    """One bad message takes nobody with it."""
    (lead_id,) = desk.note_due()
    (bad,) = desk.submit(uuid4(), SENT)
    (good,) = desk.submit(lead_id, SENT)
    desk.committer.apply_all([bad, good])
    assert "applied" == desk.message(good.message_id).outcome
    failed = desk.message(bad.message_id)
    assert (None, 1) == (failed.outcome, failed.attempts)
    assert "not known" in (failed.error or "")
    assert "Traceback" in (failed.traceback or "")


def test_a_message_that_overtakes_its_lead_is_applied_once_the_lead_is_there(desk: Desk) -> None:
    """Reordering costs a retry, not the message."""
    lead_id = uuid4()
    (early,) = desk.submit(lead_id, AnswerImportance(importance=3))
    desk.committer.apply_all([early])
    desk.submit(lead_id, registration(), who="import")
    desk.work()
    desk.committer.apply_all([early._replace(number=2)])
    assert "applied" == desk.message(early.message_id).outcome


def test_a_timer_is_neither_early_nor_fired_twice(desk: Desk) -> None:
    """Invariant 9: rung too early it waits again; due, it fires; a second copy finds it settled."""
    (lead_id,) = desk.note_due()
    desk.do(lead_id, SENT)
    timer = desk.lead(lead_id).timers["call_after_note"]
    message_id = timer_message_id(lead_id, "call_after_note", timer.armed_version)
    ring = Ring(message_id, lead_id, "call_due", message_id, 1)
    desk.clock.moment = timer.due_at - timedelta(microseconds=1)
    desk.committer.apply_all([ring])
    assert desk.message(message_id).outcome is None
    assert "note_sent" == desk.lead(lead_id).state
    desk.clock.moment = timer.due_at
    desk.committer.apply_all([ring])
    desk.committer.apply_all([ring._replace(number=2)])
    assert "call_due" == desk.lead(lead_id).state
    assert 1 == events_of(desk, message_id)


def test_a_timer_of_an_earlier_arming_does_nothing(desk: Desk) -> None:
    """A copy that resurfaces after its timer was cancelled is harmless."""
    (lead_id,) = desk.note_due()
    version = desk.lead(lead_id).timers["note_slot"].armed_version
    desk.do(lead_id, SENT)
    assert "superseded" == desk.message(timer_message_id(lead_id, "note_slot", version)).outcome
    late = desk.do(lead_id, FireTimer(timer="note_slot", armed_version=version), who="clock")
    assert "superseded" == late.outcome
    assert 0 == events_of(desk, late.id)


def test_no_touch_is_planned_past_capacity_however_many_plan_at_once(desk: Desk) -> None:
    """Invariant 6: of twenty proposals for five slots, from four processes, five are applied."""
    lead_ids = desk.queued(20)
    proposal = ScheduleNote(note_on=NOTE_ON, call_on=CALL_ON)
    rings = [ring for lead_id in lead_ids for ring in desk.submit(lead_id, proposal, who="planner")]
    threads = [threading.Thread(target=desk.committer.apply_all, args=(rings[n::4],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcomes = [desk.message(ring.message_id) for ring in rings]
    assert 5 == sum(message.outcome == "applied" for message in outcomes)
    assert {"note_slot_free"} == {message.rule for message in outcomes if message.outcome == "refused"}
    assert [("note", 5), ("promised_call", 5)] == desk.ask("SELECT kind, count(*) FROM slots GROUP BY kind ORDER BY kind")
    assert nothing_is_wrong(desk)


def test_an_opt_out_ends_every_timer_and_gives_the_slots_back(desk: Desk) -> None:
    """Invariant 5: nothing of the lead is pending afterwards, and later commands are refused."""
    (lead_id,) = desk.note_due()
    desk.do(lead_id, OptOut())
    assert [(0,)] == desk.ask("SELECT count(*) FROM messages WHERE stream_id = :id AND settled_at IS NULL", id=lead_id)
    assert [(0,)] == desk.ask("SELECT count(*) FROM slots WHERE lead_id = :id", id=lead_id)
    assert "refused" == desk.do(lead_id, SENT).outcome


def test_a_hold_freezes_the_timers_and_keeps_one_pending_message(desk: Desk) -> None:
    """While held only the hold's own timers are pending; a release arms the others again."""
    (lead_id,) = desk.note_due()
    desk.do(lead_id, SENT)
    due_at = desk.lead(lead_id).timers["call_after_note"].due_at
    desk.do(lead_id, Hold(reason="manual"))
    pending = "SELECT actor_name FROM messages WHERE stream_id = :id AND settled_at IS NULL"
    assert [("hold_review_due",)] == desk.ask(pending, id=lead_id)
    desk.do(lead_id, Release())
    assert [("call_due",)] == desk.ask(pending, id=lead_id)
    assert due_at == desk.lead(lead_id).timers["call_after_note"].due_at


def test_a_note_that_went_out_a_day_late_takes_the_call_slot_of_its_own_day(desk: Desk) -> None:
    """The call comes five working days after the note was sent, with a slot of that day."""
    (lead_id,) = desk.note_due()
    desk.clock.moment += timedelta(days=1)
    desk.do(lead_id, SENT)
    lead = desk.lead(lead_id)
    assert CALL_ON + timedelta(days=1) == lead.call_on
    assert [CALL_ON + timedelta(days=1)] == [slot.day for slot in lead.slots]
    assert nothing_is_wrong(desk)


def test_a_lead_that_changes_hands_takes_slots_of_its_new_owner(desk: Desk) -> None:
    """The old owner's slots are free again, and the new owner has the same days taken."""
    (lead_id,) = desk.note_due()
    desk.rep("eve")
    desk.do(lead_id, Reassign(owner="eve"), who="manager:ann")
    taken = desk.ask("SELECT rep, kind, day FROM slots WHERE lead_id = :id ORDER BY kind", id=lead_id)
    assert [("eve", "note", NOTE_ON), ("eve", "promised_call", CALL_ON)] == taken
    assert nothing_is_wrong(desk)


def test_a_promised_call_finds_a_slot_in_the_days_of_a_new_owner_whose_day_is_full(desk: Desk) -> None:
    """Eve promised five calls for the day already: a sixth moves to the next; a note not yet written is planned anew."""
    promised, unwritten = desk.note_due(2)
    desk.rep("eve")
    for lead_id in desk.queued(5, owner="eve"):
        desk.do(lead_id, ScheduleNote(note_on=NOTE_ON, call_on=CALL_ON), who="planner")
    desk.do(promised, SENT)
    for lead_id in (promised, unwritten):
        desk.do(lead_id, Reassign(owner="eve"), who="manager:ann")
    later = CALL_ON + timedelta(days=1)
    held = desk.ask("SELECT rep, kind, day FROM slots WHERE lead_id = :id AND kind = 'promised_call'", id=promised)
    assert ([("eve", "promised_call", later)], later) == (held, desk.lead(promised).call_on)
    assert ("queued", ()) == (desk.lead(unwritten).state, desk.lead(unwritten).slots)
    assert [(5,)] == desk.ask("SELECT count(*) FROM slots WHERE rep = 'eve' AND day = :day", day=CALL_ON)
    said = desk.ask("SELECT body::jsonb #>> '{data,call_on}' FROM events WHERE type = 'lead_reassigned' ORDER BY position")
    assert [(str(later),), (None,)] == said
    assert nothing_is_wrong(desk)
    assert [] == differing(desk.engine)


def test_a_released_lead_takes_slots_again(desk: Desk) -> None:
    """A hold gives the call's slot back, and a release takes one on the day that the remainder gives."""
    (lead_id,) = desk.note_due()
    desk.do(lead_id, SENT)
    desk.do(lead_id, Hold(reason="manual"))
    assert [(0,)] == desk.ask("SELECT count(*) FROM slots WHERE lead_id = :id AND kind = 'promised_call'", id=lead_id)
    desk.clock.moment += timedelta(days=2)
    desk.do(lead_id, Release())
    assert [(CALL_ON + timedelta(days=2),)] == desk.ask(
        "SELECT day FROM slots WHERE lead_id = :id AND kind = 'promised_call'", id=lead_id
    )
    assert nothing_is_wrong(desk)


def test_what_follows_a_registration_follows_in_order_one_message_after_the_other(desk: Desk) -> None:
    """The second command is staged only when the first is settled, so nothing can overtake it."""
    lead_id = uuid4()
    decline = RecordDecline(kind="no", stated_reason="price")
    command = msgspec.structs.replace(registration(), then=(decline, QueueRevival()))
    (ring,) = desk.submit(lead_id, command, who="import")
    staged = "SELECT actor_name FROM messages WHERE stream_id = :id AND asked_by = 'import' ORDER BY created_at"
    for expected in (["register", "decline"], ["register", "decline", "revival_queued"]):
        desk.committer.apply_all([ring])
        assert [(name,) for name in expected] == desk.ask(staged, id=lead_id)
        ring = next(due for due in desk.due() if due.stream_id == lead_id)
    desk.work()
    types = desk.ask("SELECT type FROM events WHERE stream_id = :id ORDER BY version", id=lead_id)
    assert [("lead_registered",), ("lead_declined",), ("command_refused",)] == types


def test_a_refusal_leaves_a_log_line_with_the_ids_and_no_content(desk: Desk) -> None:
    """Ops see the rule and the message; what people wrote is not in the line."""
    (lead_id,) = desk.note_due()
    with capture_logs() as lines:
        message = desk.do(lead_id, RecordCall(outcome="voicemail"))
    (line,) = [line for line in lines if line["event"] == "command_refused"]
    assert (str(message.id), str(lead_id), "no_transition") == (line["message_id"], line["lead_id"], line["rule"])


def test_a_failure_leaves_a_log_line_with_all_ids(desk: Desk) -> None:
    """The line of a failed message names message, lead, actor and correlation."""
    (ring,) = desk.submit(uuid4(), SENT)
    with capture_logs(processors=[merge_contextvars]) as lines:
        desk.committer.apply_all([ring])
    (line,) = [line for line in lines if line["event"] == "message_failed"]
    assert {"message_id", "lead_id", "actor", "correlation_id", "error"} <= line.keys()


@given(command=commands())
def test_whatever_takes_slots_comes_to_an_actor_that_locks_the_rep(command: AnyCommand) -> None:
    """Which reps are locked is told from the actors' names before the commands are read."""
    assert not takes_slots(command) or actor_name(command) in TAKES_SLOTS
    assert isinstance(command, RegisterLead) == (actor_name(command) == REGISTERS)


def test_a_ring_under_another_actors_name_does_nothing(desk: Desk) -> None:
    """The row says which actor carries it; whatever Redis says, the message waits for the right one."""
    (lead_id,) = desk.note_due()
    (ring,) = desk.submit(lead_id, SENT)
    desk.committer.apply_all([ring._replace(actor_name="decline")])
    assert (None, 0) == (desk.message(ring.message_id).outcome, desk.message(ring.message_id).attempts)
    desk.committer.apply_all([ring])
    assert "applied" == desk.message(ring.message_id).outcome


def test_a_batch_asks_as_much_for_one_message_as_for_many(desk: Desk) -> None:
    """What decisions use is read for all of them together; only what a text is compared with is read for each."""
    asked: list[str] = []
    on_each_statement(desk.service, lambda _, statement: asked.append(statement))
    leads = desk.note_due(5)
    words = Reference(document_id=uuid4(), commitment="0" * 64)
    rings = [ring for id_ in leads for ring in desk.submit(id_, msgspec.structs.replace(SENT, text=words))]
    questions = []
    for batch in (rings[:1], rings[1:]):
        asked.clear()
        desk.applier.apply(batch)
        questions.append(sorted(asked))
    assert {"applied"} == {desk.message(ring.message_id).outcome for ring in rings}
    assert questions[0] == questions[1]
    assert any(question.startswith("COPY events") for question in questions[0])
