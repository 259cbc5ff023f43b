"""A rep's day at a desk: what the plan proposes, what it reserves, and when it is made again."""

from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from models import attempts, messages
from models.database import transaction
from models.messages import Settlement
from models.playbooks import newest_playbook, publish
from models.verify import verify
from service.calendars import freeze_calendar
from tests.desk import CALL_ON, NOTE_ON, WORDS, Desk, registration
from workflows.capacity import Capacity
from workflows.commands import (
    AnswerImportance,
    MarkNoteSent,
    PlanDay,
    Reassign,
    RecordCall,
    RecordReply,
    ScheduleNote,
    ScheduleTouch,
    SendTouch,
    SetCalendar,
    StartNurture,
)
from workflows.proposals import touch_planned
from workflows.rep import rep_id

CHECKS = ("personal_fact", "reminds_who_we_are", "future_call", "not_form_letter")
TOUCH_CHECKS = ("recalls_prior_interest", "no_empty_check_in")
FOLLOW_UPS = "SELECT day FROM slots WHERE kind = 'follow_up' AND lead_id = :id ORDER BY day"


def to(desk: Desk, day: date, hour: int = 10) -> None:
    """Let the time pass until *hour* of *day* in New York, and all that comes due with it."""
    while (moment := datetime(day.year, day.month, day.day, hour + 5, tzinfo=desk.now.tzinfo)) > desk.now:
        desk.clock.moment = min(moment, desk.now + timedelta(hours=12))
        desk.work()


def silent(desk: Desk, number: int) -> list[UUID]:
    """Bring *number* leads to where their promised call went unanswered, on Monday, 12 January."""
    ids = desk.note_due(number)
    for id_ in ids:
        desk.do(id_, MarkNoteSent(medium="hand_written", attested=CHECKS))
    to(desk, date(2026, 1, 12))
    for id_ in ids:
        assert "applied" == desk.do(id_, RecordCall(outcome="voicemail")).outcome
    return ids


def nothing_is_wrong(desk: Desk) -> bool:
    with transaction(desk.engine) as connection:
        return verify(connection).findings == []


def test_the_slot_of_somebody_who_is_let_go_is_the_next_ones_on_the_same_day(desk: Desk) -> None:
    """A3-11: ten wait for five slots; one is let go in the middle of the day, and the sixth is tried on that day."""
    ids = desk.note_due(5)
    for id_ in ids:
        desk.do(id_, MarkNoteSent(medium="hand_written", attested=CHECKS))
    ids += desk.queued(5)
    to(desk, date(2026, 1, 6))
    for id_ in ids[5:]:
        assert "applied" == desk.do(id_, MarkNoteSent(medium="hand_written", attested=CHECKS)).outcome
    for number, day in enumerate((date(2026, 1, 12), date(2026, 1, 13))):
        to(desk, day)
        for id_ in ids[5 * number : 5 * number + 5]:
            assert "applied" == desk.do(id_, RecordCall(outcome="voicemail")).outcome
    today = date(2026, 1, 15)
    to(desk, today)

    def tried() -> set[UUID]:
        return {id_ for id_ in ids if touch_planned(desk.lead(id_), today)}

    before = tried()
    assert len(before) == 5
    gone = min(before)
    assert "applied" == desk.do(gone, StartNurture(waiver=WORDS)).outcome
    after = tried()
    assert (len(after), before - after) == (5, {gone})
    assert nothing_is_wrong(desk)


def test_the_plan_leaves_the_minutes_of_those_who_answered_to_them(desk: Desk) -> None:
    """A3-9: with twenty-two people to answer, eighteen of the day's minutes are left, and two notes fit into them."""
    for lead_id in desk.queued(22):
        assert "applied" == desk.do(lead_id, RecordReply(channel="email")).outcome
    desk.queued(5)
    assert "applied" == desk.do(rep_id("dan"), PlanDay(), who="planner").outcome
    assert [(2,)] == desk.ask("SELECT count(*) FROM slots WHERE kind = 'note'")
    statement = "SELECT body::json FROM events WHERE type = 'day_planned' ORDER BY position DESC"
    planned = desk.ask(statement)[0][0]
    assert isinstance(planned, dict)
    assert 132 == planned["used"]["beside"]
    assert ("note", 3, "budget") in [(short["kind"], short["count"], short["code"]) for short in planned["data"]["shortfalls"]]
    assert nothing_is_wrong(desk)


def test_a_planned_touch_owns_its_slot_until_it_is_made_or_planned_anew(desk: Desk) -> None:
    """A touch in another mode takes a slot as a call does: used when it is made, given back when another day has it."""
    made, missed = silent(desk, 2)
    planned, after = date(2026, 1, 14), date(2026, 1, 15)
    to(desk, planned)
    assert [(planned,)] == desk.ask(FOLLOW_UPS, id=made) == desk.ask(FOLLOW_UPS, id=missed)
    command = SendTouch(mode="email", value_item="market-report", attested=TOUCH_CHECKS)
    assert "applied" == desk.do(made, command).outcome
    to(desk, after)
    assert () == desk.lead(made).slots
    assert [(planned,)] == desk.ask(FOLLOW_UPS, id=made)
    assert [(after,)] == desk.ask(FOLLOW_UPS, id=missed)
    assert touch_planned(desk.lead(missed), after)
    assert nothing_is_wrong(desk)


def test_a_planned_touch_leaves_its_slot_to_nobody_else(desk: Desk) -> None:
    """With five touches planned the day takes no sixth; one who answers gives the slot back."""
    ids = silent(desk, 5)
    planned = date(2026, 1, 14)
    to(desk, planned)
    taken = "SELECT count(*) FROM slots WHERE kind = 'follow_up' AND day = :day"
    assert [(5,)] == desk.ask(taken, day=planned)
    sixth = desk.do(ids[0], ScheduleTouch(touch_on=planned, mode="email", value_item="market-report"), who="planner")
    assert ("refused", "call_slot_free") == (sixth.outcome, sixth.rule)
    desk.do(ids[0], RecordReply(channel="email"))
    assert [(4,)] == desk.ask(taken, day=planned)
    assert nothing_is_wrong(desk)


def notes(desk: Desk) -> int:
    """Count the notes that are planned."""
    return len(desk.ask("SELECT 1 FROM leads WHERE state = 'note_due'"))


PLANS = "SELECT count(*) FROM events WHERE type = 'day_planned'"


def test_stock_that_arrives_in_the_middle_of_a_day_is_planned_the_same_day(desk: Desk) -> None:
    """Twenty leads come in at ten: five are planned, by one more plan, and nobody past capacity."""
    desk.replans = True
    assert [(1,)] == desk.ask(PLANS)
    desk.queued(20)
    assert (5, [(2,)]) == (notes(desk), desk.ask(PLANS))
    assert [("note", NOTE_ON, 5), ("promised_call", CALL_ON, 5)] == desk.ask(
        "SELECT kind, day, count(*) FROM slots GROUP BY kind, day ORDER BY kind"
    )
    assert [] == desk.ask("SELECT 1 FROM messages WHERE outcome = 'refused'")
    assert nothing_is_wrong(desk)


def test_a_day_that_is_full_is_not_planned_again(desk: Desk) -> None:
    """Leads that come in by twos fill the day; from then on they wait, and no plan is made for them."""
    desk.replans = True
    for planned in (2, 4, 5, 5, 5):
        desk.queued(2)
        assert planned == notes(desk)
    desk.rep("eve")
    taken = desk.ask("SELECT id FROM leads WHERE state = 'queued' LIMIT 1")[0][0]
    assert isinstance(taken, UUID)
    desk.do(taken, Reassign(owner="eve"), who="manager:ann")
    assert ("eve", "note_due") == (desk.lead(taken).owner, desk.lead(taken).state)
    assert nothing_is_wrong(desk)


@pytest.mark.parametrize(
    ("day", "hour", "planned"), [(date(2026, 1, 5), 18, date(2026, 1, 6)), (date(2026, 1, 10), 10, date(2026, 1, 12))]
)
def test_leads_that_come_in_when_nobody_works_wait_for_the_next_plan(desk: Desk, day: date, hour: int, planned: date) -> None:
    """After the day's end and at the weekend nothing is staged; the next morning's plan finds them."""
    desk.replans = True
    to(desk, day, hour)
    (lead_id,) = desk.queued()
    assert [] == desk.ask("SELECT 1 FROM messages WHERE asked_by = 'planner'")
    to(desk, planned)
    assert planned == desk.lead(lead_id).note_on


def test_a_plan_waits_for_what_is_on_its_way(desk: Desk) -> None:
    """A message for a lead of the rep, or the registration of one in the same import, comes first; a failing one does not."""
    (lead_id,) = desk.queued()
    (plan,) = desk.submit(rep_id("dan"), PlanDay(), who="planner")
    (waits,) = desk.submit(lead_id, AnswerImportance(importance=4))
    (coming,) = desk.submit(uuid4(), registration(), who="import")
    (other,) = desk.submit(uuid4(), registration(), who="import")
    desk.ask("UPDATE messages SET correlation_id = :plan WHERE id = :id", plan=plan.message_id, id=coming.message_id)
    desk.committer.apply_all([plan])
    desk.committer.apply_all([waits])
    desk.committer.apply_all([plan])
    assert desk.message(plan.message_id).outcome is None
    with transaction(desk.engine) as connection:
        attempts.fail(connection, coming.message_id, error="no", traceback="", max_attempts=10)
    desk.committer.apply_all([plan])
    assert "applied" == desk.message(plan.message_id).outcome
    assert desk.message(other.message_id).outcome is None


def test_stock_that_arrives_while_the_day_is_planned_is_not_overlooked(desk: Desk) -> None:
    """A lead comes in while a plan that cannot see it is at work: it waits for nobody, and asks for another plan."""
    desk.replans = True
    (plan,) = desk.submit(rep_id("dan"), PlanDay(), who="planner")
    first, second = (desk.submit(uuid4(), registration(), who="import")[0] for _ in range(2))
    desk.committer.apply_all([first, second])
    one, other = (ring for ring in desk.due() if ring.actor_name == "revival_queued")
    planned = "SELECT count(*) FROM messages WHERE settled_at IS NULL AND asked_by = 'planner' AND actor_name = 'day_planned'"
    with transaction(desk.engine) as connection:
        messages.lock_open(connection, [plan.message_id])
        desk.committer.apply_all([one])
        assert [(2,)] == desk.ask(planned)
        desk.committer.apply_all([other])
        assert [(2,)] == desk.ask(planned)
        messages.settle(connection, [Settlement(plan.message_id, "superseded", None, "it found nobody")])
    desk.work()
    assert 2 == notes(desk)
    assert nothing_is_wrong(desk)


def test_stock_that_arrives_while_the_first_plan_of_the_day_is_at_work_is_not_overlooked(desk: Desk) -> None:
    """Nobody knows yet that the day is planned, and the plan cannot see the lead: another one is asked for all the same."""
    desk.replans = True
    calendar = freeze_calendar("US", "", "America/New_York", date(2025, 1, 1), date(2028, 12, 31))
    command = SetCalendar(rep="eve", calendar=calendar, playbook="five-five-five")
    desk.committer.apply_all(desk.submit(rep_id("eve"), command))
    (plan,) = [ring for ring in desk.due() if ring.stream_id == rep_id("eve")]
    desk.committer.apply_all(desk.submit(uuid4(), registration("eve"), who="import"))
    (queue,) = [ring for ring in desk.due() if ring.actor_name == "revival_queued"]
    with transaction(desk.engine) as connection:
        messages.lock_open(connection, [plan.message_id])
        desk.committer.apply_all([queue])
    assert [("plan_day",)] == desk.ask(
        "SELECT body::json ->> 'command' FROM messages WHERE settled_at IS NULL AND asked_by = 'planner' AND stream_id = :id",
        id=rep_id("eve"),
    )
    desk.work()
    assert 1 == notes(desk)


@pytest.mark.parametrize(("own", "reps"), [(1, 5), (9, 5), (5, 2)])
def test_the_reps_playbook_says_how_much_a_day_holds(desk: Desk, own: int, reps: int) -> None:
    """Whatever the playbook of the leads says, planner and slots go by that of the rep, promise and all."""
    follow(desk, Capacity(notes=reps, call_after_note_days=3))
    ids = leads_of(desk, Capacity(notes=own, call_after_note_days=9), 10)
    assert "applied" == desk.do(rep_id("dan"), PlanDay(), who="planner").outcome
    assert (reps, []) == (notes(desk), desk.ask("SELECT rule FROM messages WHERE outcome = 'refused'"))
    assert [(date(2026, 1, 8),)] == desk.ask("SELECT DISTINCT day FROM slots WHERE kind = 'promised_call'")
    (planned,) = desk.ask("SELECT id FROM leads WHERE state = 'note_due' LIMIT 1")
    assert "applied" == desk.do(UUID(str(planned[0])), MarkNoteSent(medium="hand_written", attested=CHECKS)).outcome
    assert date(2026, 1, 8) == desk.lead(UUID(str(planned[0]))).call_on
    another = ScheduleNote(note_on=NOTE_ON, call_on=date(2026, 1, 8))
    left = next(id_ for id_ in ids if desk.lead(id_).state == "queued")
    assert "note_slot_free" == desk.do(left, another, who="planner").rule
    assert nothing_is_wrong(desk)


def published(desk: Desk, id_: str, capacity: Capacity) -> str:
    """Publish 5+5+5 under another name and with another *capacity*."""
    with transaction(desk.engine) as connection:
        known = newest_playbook(connection, "five-five-five")
        assert known
        publish(connection, msgspec.structs.replace(known, id=id_, capacity=capacity))
    return id_


def follow(desk: Desk, capacity: Capacity) -> None:
    """Have dan's days follow a playbook with *capacity*."""
    calendar = freeze_calendar("US", "", "America/New_York", date(2025, 1, 1), date(2028, 12, 31))
    command = SetCalendar(rep="dan", calendar=calendar, playbook=published(desk, "of-the-rep", capacity))
    assert "applied" == desk.do(rep_id("dan"), command).outcome


def leads_of(desk: Desk, capacity: Capacity, number: int) -> list[UUID]:
    """Register *number* leads of a playbook with *capacity*."""
    playbook, ids = published(desk, "of-the-leads", capacity), [uuid4() for _ in range(number)]
    for id_ in ids:
        desk.submit(id_, msgspec.structs.replace(registration(), playbook=playbook), who="import")
    desk.work()
    return ids
