"""A plan says which events of the log it rests on, and comes out of those again: in a batch with others, and beside a second
worker."""

import contextlib
import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from actors import apply
from actors.apply import Applier
from models import frozen, leads, plans, playbooks
from models.database import Connection, transaction
from models.playbooks import InForce
from models.rep_books import read_book
from service.calendars import freeze_calendar
from tests.desk import WORDS, Desk
from workflows.books import Book
from workflows.calendars import Absence
from workflows.commands import (
    MarkNoteSent,
    OptOut,
    PlanDay,
    RecordDecline,
    RecordReply,
    RescheduleCall,
    SetCalendar,
    UpdateContact,
)
from workflows.cover import Colleague
from workflows.events import DayPlanned, Recorded
from workflows.rederive import BookDecision, Mismatch, rederive, rederive_book_decisions
from workflows.rep import rep_id

#: Tuesday's plan: six in the morning in New York.
PLAN_AT = datetime(2026, 1, 6, 11, 0, tzinfo=UTC)
CHECKS = ("personal_fact", "reminds_who_we_are", "future_call", "not_form_letter")
SENT = MarkNoteSent(medium="hand_written", attested=CHECKS)


def the_plan(desk: Desk) -> tuple[Recorded, int, list[Mismatch]]:
    """Return the only plan of the log and its position, and what differs when it is made again."""
    with transaction(desk.engine) as connection:
        library = frozen.read_library(connection)
        ((_, history),) = frozen.histories(connection, rep_id("dan"))
        decisions: list[BookDecision] = [
            p for p in rederive(history, library).book_decisions if p.recorded[0].recorded_at == PLAN_AT
        ]
        found = list(rederive_book_decisions(frozen.log_in_order(connection), decisions, library))
    ((plan, mismatches),) = found
    rows = desk.ask("SELECT position FROM events WHERE message_id = :id", id=plan.recorded[0].message_id)
    return plan.recorded[0], int(str(rows[0][0])), list(mismatches)


def test_a_plan_goes_before_the_leads_of_its_batch(desk: Desk) -> None:
    """It rests on what is in the log, whatever its place in the batch: who opts out beside it still waits in its book.

    The plan would wait for them, had they not failed before.
    """
    leads = desk.queued(7)
    head = desk.ask("SELECT position FROM log_head")[0][0]
    desk.clock.moment = PLAN_AT
    rings = [ring for lead in leads[:3] for ring in desk.submit(lead, OptOut())]
    desk.ask("UPDATE messages SET attempts = 1 WHERE id = ANY(:ids)", ids=[ring.message_id for ring in rings])
    desk.applier.apply([*rings, *(ring for ring in desk.due() if ring.stream_id == rep_id("dan"))])
    plan, position, mismatches = the_plan(desk)
    assert plan.used
    assert (head, int(str(head)) + 1) == (plan.used.position, position)
    assert [] == mismatches


@pytest.mark.parametrize(("declined", "probes", "calls"), [(0, 0, 2), (1, 6, 1), (3, 12, 0)])
def test_a_plan_keeps_minutes_for_asking_why_before_follow_ups(desk: Desk, declined: int, probes: int, calls: int) -> None:
    """A3-9: sixteen people to answer leave 54 minutes, five notes 14: two calls to fresh contacts, or two people to ask why."""
    leads = desk.queued(30)
    for lead in leads[:16]:
        assert "applied" == desk.do(lead, RecordReply(channel="email")).outcome
    for lead in leads[16 : 16 + declined]:
        assert "applied" == desk.do(lead, RecordDecline(kind="no", stated_reason="price")).outcome
    fresh = UpdateContact(contact=WORDS, modes=("call", "handwritten_note"), last_contact_on=date(2025, 12, 20))
    for lead in leads[-5:]:
        assert "applied" == desk.do(lead, fresh, who="import").outcome
    desk.clock.moment = PLAN_AT
    desk.applier.apply([ring for ring in desk.due() if ring.stream_id == rep_id("dan")])
    plan, _, mismatches = the_plan(desk)
    assert plan.used
    assert isinstance(plan.data, DayPlanned)
    assert (96, probes) == (plan.used.beside, plan.used.probes)
    assert (5, calls) == (len(plan.data.notes), len(plan.data.calls))
    assert [] == mismatches


def test_who_covers_is_read_for_plans_and_while_the_absence_lasts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other message looks at the colleagues of an owner, and no absence that is over needs anybody."""
    (lead,) = desk.queued()
    away = [(date(2025, 12, 1), "zoe"), (date(2026, 1, 2), "yan"), (date(2026, 1, 8), "eve"), (date(2027, 1, 8), "fay")]
    absences = tuple(Absence(first=day, last=day, cover=cover) for day, cover in away)
    calendar = freeze_calendar("US", "", "America/New_York", date(2025, 1, 1), date(2028, 12, 31), absences=absences)
    command = SetCalendar(rep="dan", calendar=calendar, playbook="five-five-five")
    assert "applied" == desk.do(rep_id("dan"), command, who="manager:ann").outcome
    asked = set[str]()
    real = playbooks.in_force

    def remembering(connection: Connection, *, playbook_ids: Sequence[str], reps: Sequence[str]) -> InForce:
        asked.update(reps)
        return real(connection, playbook_ids=playbook_ids, reps=reps)

    monkeypatch.setattr(playbooks, "in_force", remembering)
    desk.do(lead, UpdateContact(contact=WORDS))
    assert asked == {"dan"}
    desk.clock.moment = PLAN_AT
    desk.applier.apply([ring for ring in desk.due() if ring.stream_id == rep_id("dan")])
    assert asked == {"dan", "eve", "fay"}


def test_two_workers_that_plan_a_rep_and_the_colleague_who_covers_spend_no_slot_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At one moment: the second plan waits for what the first one takes of the colleague's days, and nothing is refused."""
    with transaction(desk.engine) as connection:
        usual = playbooks.newest_playbook(connection, "five-five-five")
        assert usual
        covering = replace(usual.capacity, long_gap="colleague")
        playbooks.publish(connection, replace(usual, version="9.9.9", capacity=covering))
    desk.rep()
    leave = Absence(first=date(2026, 1, 8), last=date(2026, 1, 21), cover="dan")
    calendar = freeze_calendar("US", "", "America/New_York", date(2025, 1, 1), date(2028, 12, 31), absences=(leave,))
    desk.do(rep_id("eve"), SetCalendar(rep="eve", calendar=calendar, playbook="five-five-five"), who="manager:ann")
    for owner in ("dan", "eve"):
        desk.queued(7, owner=owner)
    desk.clock.moment = PLAN_AT
    together = threading.Barrier(2)

    def read_by_both(*given: Any) -> Book:
        # Whoever is kept out of the other's days does not come; then the other goes on alone.
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(timeout=1)
        return read_book(*given)

    monkeypatch.setattr(apply, "read_book", read_by_both)
    rings = [ring for ring in desk.due() if ring.stream_id in (rep_id("dan"), rep_id("eve"))]
    assert len(rings) == 2
    workers = [threading.Thread(target=Applier(desk.engine, desk.clock).apply, args=([ring],)) for ring in rings]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    desk.work()
    assert [] == desk.ask("SELECT rule FROM messages WHERE outcome = 'refused'")
    taken = desk.ask("SELECT rep, count(*) FROM slots WHERE kind = 'promised_call' GROUP BY rep")
    assert [("dan", 5)] == taken
    assert [(5,)] == desk.ask("SELECT count(*) FROM leads WHERE state = 'note_due'")


def test_a_plan_waits_until_whoever_covers_by_the_calendar_in_force_is_locked_too(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The calendar changes between the look at who covers and the lock: no plan spends days of a colleague that others may."""
    with transaction(desk.engine) as connection:
        usual = playbooks.newest_playbook(connection, "five-five-five")
        assert usual
        covering = replace(usual, version="9.9.9", capacity=replace(usual.capacity, long_gap="colleague"))
        playbooks.publish(connection, covering)
    desk.rep("dan")
    desk.rep("eve")
    leave = Absence(first=date(2026, 1, 8), last=date(2026, 1, 21), cover="eve")
    calendar = freeze_calendar("US", "", "America/New_York", date(2025, 1, 1), date(2028, 12, 31), absences=(leave,))
    desk.clock.moment = PLAN_AT
    desk.work()
    desk.queued(7)
    again = desk.submit(rep_id("dan"), PlanDay(), who="planner")
    meanwhile = desk.submit(rep_id("dan"), SetCalendar(rep="dan", calendar=calendar, playbook=covering.id), who="manager:ann")
    locked, looked_at, real = list[set[str]](), list[tuple[str, str]](), leads.lock_reps

    def locking(connection: Connection, **named: Any) -> Any:
        if not locked:
            locked.append({"eve"})
            Applier(desk.engine, desk.clock).apply(meanwhile)
        found = real(connection, **named)
        locked.append({each.state.name for each in found.values()})
        return found

    def reading(connection: Connection, rep: str, today: date, colleague: Colleague | None = None) -> Book:
        if colleague:
            assert {rep, colleague.name} <= locked[-1]
            looked_at.append((rep, colleague.name))
        return read_book(connection, rep, today, colleague)

    monkeypatch.setattr(leads, "lock_reps", locking)
    monkeypatch.setattr(apply, "read_book", reading)
    desk.applier.apply(again)
    assert [] == looked_at
    desk.work()
    assert ("dan", "eve") in looked_at
    assert [("eve", 5)] == desk.ask("SELECT rep, count(*) FROM slots WHERE kind = 'promised_call' GROUP BY rep")


def test_what_another_worker_commits_meanwhile_is_not_in_a_plan(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at the book and the commit the log may grow: the plan names the position that it saw."""
    leads = desk.queued(7)
    desk.clock.moment = PLAN_AT
    head = int(str(desk.ask("SELECT position FROM log_head")[0][0]))

    def seen_before_others_commit(connection: Any, rep: str, today: date, *colleague: Any) -> Book:
        book = read_book(connection, rep, today, *colleague)
        Applier(desk.engine, desk.clock).apply([ring for lead in leads[:3] for ring in desk.submit(lead, OptOut())])
        return book

    monkeypatch.setattr(apply, "read_book", seen_before_others_commit)
    desk.applier.apply([ring for ring in desk.due() if ring.stream_id == rep_id("dan")])
    plan, position, mismatches = the_plan(desk)
    assert plan.used
    assert (head, head + 4) == (plan.used.position, position)
    assert [] == mismatches


def test_a_book_that_was_not_what_the_log_says_is_found(desk: Desk) -> None:
    """Whoever moves somebody up in the table of leads for the moment of the plan is given away by the plan."""
    desk.queued(7)
    best = desk.ask("SELECT id FROM leads ORDER BY id DESC LIMIT 1")[0][0]
    desk.clock.moment = PLAN_AT
    raised = "UPDATE leads SET body = regexp_replace(body, :old, :new) WHERE id = :id"
    desk.ask(raised, old='"total":[0-9]+', new='"total":99', id=best)
    desk.applier.apply([ring for ring in desk.due() if ring.stream_id == rep_id("dan")])
    _, _, mismatches = the_plan(desk)
    assert {"data.notes", "used.book"} == {each.field for each in mismatches}


@pytest.mark.parametrize("fails", [False, True])
def test_a_planned_move_waits_for_its_call_to_open_unless_that_fails(desk: Desk, fails: bool) -> None:
    """Whatever order they come in after downtime, nothing is refused; a call that fails to open holds up no plan."""
    (lead_id,) = desk.note_due()
    desk.do(lead_id, SENT)
    opens = desk.lead(lead_id).timers["call_after_note"].due_at
    desk.clock.moment = opens + timedelta(hours=1)
    (opening,) = [ring for ring in desk.due() if ring.actor_name == "call_due"]
    later = RescheduleCall(
        call_on=(opens + timedelta(days=1)).date(), reason="capacity", not_before=opens + timedelta(minutes=1)
    )
    rings = desk.submit(lead_id, later, who="planner")
    if fails:
        desk.ask("UPDATE messages SET attempts = 1 WHERE id = :id", id=opening.message_id)
    desk.committer.apply_all(rings)
    assert ("superseded" if fails else None) == desk.message(rings[0].message_id).outcome
    desk.committer.apply_all([opening])
    desk.committer.apply_all(rings)
    assert ("superseded" if fails else "applied") == desk.message(rings[0].message_id).outcome
    assert [] == desk.ask("SELECT 1 FROM messages WHERE outcome = 'refused'")


@pytest.mark.parametrize("moved", [False, True])
def test_a_plan_comes_again_a_little_later_while_a_call_that_it_counts_may_not_open(desk: Desk, moved: bool) -> None:
    """Not at once, and again and again: also where a plan of before moved that call, and the move waits for it."""
    (lead_id,) = desk.note_due()
    desk.do(lead_id, SENT)
    opens = desk.lead(lead_id).timers["call_after_note"].due_at
    desk.clock.moment = opens - timedelta(hours=1)
    desk.work()
    desk.ask("INSERT INTO pauses (actor, since, by, reason, version) VALUES ('call_due', now(), 'ops:t', :id, 1)", id=lead_id)
    desk.clock.moment = opens + timedelta(hours=23)
    if moved:
        day = (opens + timedelta(days=1)).date()
        move = RescheduleCall(call_on=day, reason="capacity", not_before=opens + timedelta(minutes=1))
        desk.committer.apply_all(desk.submit(lead_id, move, who="planner"))
    desk.applier.apply([ring for ring in desk.due() if ring.stream_id == rep_id("dan")])
    ((later,),) = desk.ask(
        "SELECT ring_again_at > clock_timestamp() + interval '5 seconds' FROM messages WHERE stream_id = :id "
        "AND settled_at IS NULL", id=rep_id("dan"),
    )  # fmt: skip
    assert later


def test_who_is_to_call_by_a_planned_note_is_found_by_an_index(desk: Desk) -> None:
    """A night's plans stage thousands of notes, and each plan asks this of its rep and of the colleague who covers."""
    desk.rep()
    with transaction(desk.engine) as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        asked = {"rep": "dan", "now": PLAN_AT, "correlation_id": rep_id("dan"), "registers": "register", "deliveries": []}
        question = text(f"EXPLAIN {plans._in_motion.text}")
        assert "messages_call_by" in "\n".join(connection.execute(question, asked).scalars())
