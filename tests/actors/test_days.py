"""A rep's day at a desk: what the plan proposes, what it reserves, and when it is made again."""

from datetime import date, datetime, timedelta
from uuid import UUID

from models.database import transaction
from models.verify import verify
from tests.desk import Desk
from workflows.commands import MarkNoteSent, RecordCall, RecordReply, ScheduleTouch, SendTouch
from workflows.rep import touch_planned

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
