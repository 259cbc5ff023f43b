"""Pauses: what is paused waits and is not lost, what prospects say is applied all the same, and resuming is no burst."""

import threading
from collections import Counter
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from actors import apply
from actors.clock import Clock
from models import pauses, rings
from models.database import transaction
from models.messages import Ring
from models.rebuild import rebuild
from models.verify import verify
from tests.desk import NOTE_ON, Desk, registration
from workflows.commands import AnswerImportance, MarkNoteSent, OptOut, RecordReply
from workflows.pauses import EVERYTHING

CHECKS = ("personal_fact", "reminds_who_we_are", "future_call", "not_form_letter")
SENT = MarkNoteSent(medium="hand_written", attested=CHECKS)


@pytest.fixture
def clock(desk: Desk) -> Clock:
    """Return a clock that has seen its Redis once and rung what there was."""
    clock = Clock(desk.service, desk.bell, lambda: desk.now)
    clock.tick()
    return clock


def pause(desk: Desk, *actors: str) -> tuple[str, ...]:
    with transaction(desk.service) as connection:
        return pauses.pause(connection, actors or (EVERYTHING,), reason="a drill", now=desk.now, by="ops:ann")


def resume(desk: Desk, *actors: str) -> tuple[str, ...]:
    with transaction(desk.service) as connection:
        return pauses.resume(connection, actors or (EVERYTHING,), reason=None, now=desk.now, by="ops:ann")


def handed_in(desk: Desk, lead_id: UUID) -> Ring:
    (ring,) = desk.submit(lead_id, AnswerImportance(importance=3))
    return ring


def outcome(desk: Desk, ring: Ring) -> str | None:
    return desk.message(ring.message_id).outcome


def is_set_aside(desk: Desk, ring: Ring) -> bool:
    return [(True,)] == desk.ask("SELECT ring_again_at = 'infinity' FROM messages WHERE id = :id", id=ring.message_id)


def findings(desk: Desk) -> list[str]:
    with transaction(desk.engine) as connection:
        return [finding.sentence for finding in verify(connection).findings]


def test_a_ring_that_arrives_while_paused_is_put_aside_without_failing(desk: Desk, clock: Clock) -> None:
    """Nothing is counted against the message, no clock finds it, a lost Redis does not wake it, and then it is applied once."""
    (lead_id,) = desk.queued()
    ring = handed_in(desk, lead_id)
    assert ("importance_answered",) == pause(desk, "importance_answered")
    for number in range(1, 8):
        desk.committer.apply_all([ring._replace(number=number)])
    assert is_set_aside(desk, ring)
    found = desk.message(ring.message_id)
    assert (None, 0, 0) == (found.outcome, found.attempts, found.deliveries)
    with transaction(desk.service) as connection:
        rings.ring_all_again(connection)
        assert [] == rings.claim_overdue(connection, limit=100)
    desk.bell.mark("another Redis")
    clock.tick()
    assert is_set_aside(desk, ring)
    assert ("importance_answered",) == resume(desk, "importance_answered")
    with transaction(desk.service) as connection:
        (again,) = rings.claim_due(connection, now=desk.now, limit=100)
    assert ring.message_id == again.message_id
    desk.committer.apply_all([again])
    assert "applied" == outcome(desk, ring)
    assert [] == findings(desk)


def test_others_go_on_meanwhile_in_the_same_batch(desk: Desk) -> None:
    """Of one transaction's messages the paused ones wait, and the others are applied."""
    (lead_id,) = desk.note_due()
    pause(desk, "importance_answered")
    waits = handed_in(desk, lead_id)
    (goes,) = desk.submit(lead_id, SENT)
    desk.committer.apply_all([waits, goes])
    assert (None, "applied") == (outcome(desk, waits), outcome(desk, goes))


def test_timers_that_come_due_wait_and_then_fire(desk: Desk, clock: Clock) -> None:
    """A timer of a paused actor is not rung when its time comes; resumed, it fires late, once, and says so in the log."""
    (lead_id,) = desk.note_due()
    due_at = desk.lead(lead_id).timers["note_slot"].due_at
    pause(desk, "note_slot_released")
    desk.clock.moment = due_at + timedelta(days=2)
    clock.tick()
    before = desk.ask("SELECT count(*) FROM messages WHERE actor_name = 'note_slot_released' AND ring_again_at = 'infinity'")
    assert [(1,)] == before
    assert "note_due" == desk.lead(lead_id).state
    resume(desk)
    desk.work()
    assert NOTE_ON < (desk.lead(lead_id).note_on or NOTE_ON), "the plan that was due waited, and planned the lead anew"
    fired = desk.ask("SELECT recorded_at FROM events WHERE stream_id = :id AND type = 'note_slot_released'", id=lead_id)
    assert [(desk.now,)] == fired


@pytest.mark.parametrize("says", [OptOut(), OptOut(channel="email"), RecordReply(channel="call")], ids=str)
def test_what_a_prospect_says_is_applied_while_everything_is_paused(desk: Desk, says: OptOut | RecordReply) -> None:
    """Nobody's no waits for us; and what was handed in for that lead before it is then judged by it."""
    (lead_id,) = desk.note_due()
    pause(desk)
    (note,) = desk.submit(lead_id, SENT)
    (said,) = desk.submit(lead_id, says)
    desk.committer.apply_all([note, said])
    assert ("applied", None) == (outcome(desk, said), outcome(desk, note))
    resume(desk)
    desk.work()
    assert outcome(desk, note) in ("applied", "refused")
    if says == OptOut():
        assert "refused" == outcome(desk, note)
    assert [] == findings(desk)


def test_an_opt_out_of_a_lead_that_is_not_registered_yet_waits_for_that_without_failing(desk: Desk) -> None:
    """While registrations are paused nobody can be touched who is not known, and the opt-out is applied right after."""
    lead_id = uuid4()
    pause(desk)
    (register,) = desk.submit(lead_id, registration(), who="import")
    (said,) = desk.submit(lead_id, OptOut())
    for _ in range(20):
        desk.committer.apply_all([register, said])
    found = desk.message(said.message_id)
    assert (None, 0, None) == (found.outcome, found.attempts, found.error)
    resume(desk)
    desk.work()
    assert "do_not_contact" == desk.lead(lead_id).state


def test_a_week_of_pause_is_no_burst(desk: Desk) -> None:
    """Invariant 9: the notes of the days in between are not made up for, late calls come within capacity, and none is lost."""
    ids = desk.queued(40)
    for _ in range(3):
        desk.clock.moment += timedelta(days=1)
        desk.work()
        for lead_id in ids:
            if desk.lead(lead_id).state == "note_due":
                desk.do(lead_id, SENT)
    sent = [lead_id for lead_id in ids if desk.lead(lead_id).state == "note_sent"]
    assert 15 == len(sent)
    pause(desk)
    start = desk.now
    for day in range(1, 9):
        desk.clock.moment = start + timedelta(days=day)
        desk.committer.apply_all(desk.due())
    assert {"note_sent"} == {desk.lead(lead_id).state for lead_id in sent}
    resume(desk)
    desk.work()
    assert {"call_due"} == {desk.lead(lead_id).state for lead_id in sent}
    calls = Counter(desk.lead(lead_id).call_on for lead_id in sent)
    late = sum(number for day, number in calls.items() if day and day < desk.now.date())
    slots = {(kind, day): number for kind, day, number in desk.ask("SELECT kind, day, count(*) FROM slots GROUP BY 1, 2")}
    assert late + int(str(slots.get(("promised_call", desk.now.date()), 0))) <= 5 + 2
    assert max(int(str(number)) for (kind, _), number in slots.items() if kind == "promised_call") <= 5 + 2
    between = [day for kind, day in slots if kind == "note" and start.date() < day < desk.now.date()]  # type: ignore[operator]
    assert [] == between
    assert 1 == len(desk.ask("SELECT 1 FROM events WHERE type = 'day_planned' AND recorded_at > :start", start=start))
    assert [] == findings(desk)


def test_a_plan_waits_for_promised_calls_that_are_paused(desk: Desk) -> None:
    """The plan does not run round in circles meanwhile, and then counts the calls that came due."""
    (lead_id,) = desk.note_due()
    desk.do(lead_id, SENT)
    pause(desk, "call_due")
    desk.clock.moment = desk.lead(lead_id).timers["call_after_note"].due_at + timedelta(hours=1)
    plan = [ring for ring in desk.due() if ring.actor_name == "day_planned"]
    assert plan
    desk.committer.apply_all(plan)
    assert [(False,)] == desk.ask("SELECT ring_again_at IS NULL FROM messages WHERE id = :id", id=plan[0].message_id)
    found = desk.message(plan[0].message_id)
    assert (None, 0) == (found.outcome, found.attempts)
    resume(desk)
    desk.work()
    assert "applied" == desk.message(plan[0].message_id).outcome


def test_old_proposals_of_a_plan_are_refused_when_they_are_resumed(desk: Desk) -> None:
    """Plans go on while proposals are paused; of each lead's proposals only one of today can be applied."""
    ids = desk.queued(3)
    pause(desk, "note_scheduled")
    for day in range(1, 4):
        desk.clock.moment += timedelta(days=1)
        desk.committer.apply_all(desk.due())
        desk.committer.apply_all(desk.due())
        assert day
    assert {"queued"} == {desk.lead(lead_id).state for lead_id in ids}
    resume(desk)
    desk.work()
    taken = desk.ask("SELECT DISTINCT day FROM slots WHERE kind = 'note'")
    assert all(day >= desk.now.date() for (day,) in taken)  # type: ignore[operator]
    assert NOTE_ON < desk.now.date()
    assert [] == findings(desk)


def test_pausing_waits_for_what_is_in_hand(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """When `pause` returns, a transaction that had begun before is done, and none that is paused begins."""
    (lead_id,) = desk.queued()
    ring = handed_in(desk, lead_id)
    begun, go_on, done = threading.Event(), threading.Event(), []
    original = apply._Apply._apply

    def slow(self: apply._Apply, *arguments: object) -> None:
        begun.set()
        assert go_on.wait(60)
        original(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(apply._Apply, "_apply", slow)
    worker = threading.Thread(target=lambda: desk.committer.apply_all([ring]))
    worker.start()
    assert begun.wait(60)
    pausing = threading.Thread(target=lambda: done.append(pause(desk)))
    pausing.start()
    pausing.join(0.2)
    assert [] == done
    go_on.set()
    worker.join()
    pausing.join()
    assert [(EVERYTHING,)] == done
    assert "applied" == outcome(desk, ring)


def test_nothing_is_stranded_by_a_clock_that_saw_the_pause(desk: Desk, clock: Clock) -> None:
    """Setting aside and resuming exclude each other: what is set aside is put back, whoever comes first."""
    (lead_id,) = desk.queued()
    for _ in range(20):
        ring = handed_in(desk, lead_id)
        desk.ask("UPDATE messages SET ring_again_at = NULL WHERE id = :id", id=ring.message_id)
        pause(desk)
        other = threading.Thread(target=clock.tick)
        other.start()
        resume(desk)
        other.join()
        assert not is_set_aside(desk, ring)


def test_what_is_paused_twice_or_resumed_twice_is_recorded_once(desk: Desk) -> None:
    """The log holds acts that changed something; single pauses and the one of everything stand beside each other."""
    assert ("call_due", "note_sent") == pause(desk, "note_sent", "call_due")
    assert () == pause(desk, "note_sent")
    assert (EVERYTHING,) == pause(desk)
    assert ("note_sent",) == resume(desk, "note_sent")
    with transaction(desk.service) as connection:
        assert pauses.is_paused(connection, "note_sent")
        assert not pauses.is_paused(connection, "opted_out")
    assert (EVERYTHING, "call_due") == resume(desk)
    assert () == resume(desk)
    kinds = [row[0] for row in desk.ask("SELECT type FROM events WHERE type LIKE 'work_%' ORDER BY position")]
    assert ["work_paused", "work_paused", "work_resumed", "work_resumed"] == kinds


def test_pauses_are_a_projection_of_the_log(desk: Desk) -> None:
    """A changed row is found, and a rebuild makes it again and puts back what nothing pauses."""
    (lead_id,) = desk.queued()
    pause(desk, "importance_answered")
    ring = handed_in(desk, lead_id)
    desk.committer.apply_all([ring])
    desk.ask("UPDATE pauses SET actor = 'note_sent'")
    assert [
        "the row of importance_answered in pauses is not what the log says",
        "the row of note_sent in pauses is not what the log says",
    ] == findings(desk)
    with transaction(desk.service) as connection:
        rebuild(connection)
    assert [] == findings(desk)
    assert is_set_aside(desk, ring)
    desk.ask("INSERT INTO pauses SELECT 'day_planned', since, by, reason, version FROM pauses")
    resume(desk, "importance_answered")
    with transaction(desk.service) as connection:
        rebuild(connection)
    assert [] == desk.ask("SELECT 1 FROM pauses")
    assert not is_set_aside(desk, ring)


def test_many_paused_messages_do_not_hold_up_the_others(desk: Desk, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those in front are set aside a few at a time, and none of them is looked at twice."""
    monkeypatch.setattr("actors.clock.CLAIM_LIMIT", 3)
    pause(desk, "importance_answered")
    stream = uuid4()
    for _ in range(7):
        handed_in(desk, stream)
    (last,) = desk.submit(stream, RecordReply(channel="call"))
    desk.ask("UPDATE messages SET ring_again_at = NULL, rings = 0 WHERE stream_id = :id", id=stream)
    assert 3 == clock.tick()
    rung = "SELECT count(*) FROM messages WHERE stream_id = :id AND ring_again_at < 'infinity'"
    assert [(1,)] == desk.ask(rung, id=stream)
    assert [3, 1, 0] == [clock.tick() for _ in range(3)]
    assert 1 == desk.message(last.message_id).rings
