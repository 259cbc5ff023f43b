"""Sales events in PostgreSQL: two transactions at once never give the same seat away."""

import threading
from datetime import date, timedelta
from uuid import UUID, uuid4

import msgspec

from actors.apply import Applier
from actors.committer import Committer
from models import campaigns, contacts
from models.database import transaction
from models.messages import Ring
from tests.desk import WORDS, Desk, differing
from workflows.campaign import campaign_id
from workflows.campaign_commands import (
    AnnounceEvent,
    ApproveObservers,
    CancelEvent,
    EraseEventTexts,
    GiveSeatBack,
    PlanCampaign,
    RecordSeatBack,
    TakeSeat,
)
from workflows.command import Reference
from workflows.commands import EraseLead, OptOut, decode_command
from workflows.sales_event import sales_event_id

TRAINING = sales_event_id("training")


def test_seats_are_not_exceeded_by_answers_at_the_same_time(desk: Desk) -> None:
    """A0-9: twelve people ask for three seats through four workers at once; three get one, and nine wait in a line."""
    starts = desk.now + timedelta(weeks=9)
    announced = AnnounceEvent(name="training", kind="training", starts_at=starts, seats=3, title=WORDS, host=WORDS)
    desk.do(TRAINING, announced, who="manager:ann")
    desk.do(TRAINING, ApproveObservers(approver=WORDS, approved_on=date(2026, 1, 2)), who="manager:ann")
    leads = [uuid4() for _ in range(12)]
    rings = desk.submit(TRAINING, *(TakeSeat(lead_id=lead, campaign_id=UUID(int=7)) for lead in leads))
    # Each worker has its own applier and all the rings, as when Redis doubles them.
    workers = [Committer(desk.service, Applier(desk.service, desk.clock), desk.bell) for _ in range(4)]
    threads = [threading.Thread(target=_apply_all, args=(worker, rings, number)) for number, worker in enumerate(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    desk.work()
    with transaction(desk.engine) as connection:
        event = campaigns.find_sales_event(connection, TRAINING)
    assert event
    assert (3, 9) == (len(event.seated), len(event.waiting))
    assert set(leads) == {*event.seated, *event.waiting}


def _apply_all(worker: Committer, rings: list[Ring], number: int) -> None:
    for ring in (*rings[number:], *rings[:number]):
        worker.apply_all([ring])


def test_who_opts_out_leaves_the_seat_to_the_line(desk: Desk) -> None:
    """A0-9: an objection gives the seat back in the same breath; nor does it help to have asked at the same moment."""
    starts = desk.now + timedelta(weeks=9)
    announced = AnnounceEvent(name="training", kind="training", starts_at=starts, seats=1, title=WORDS, host=WORDS)
    desk.do(TRAINING, announced, who="manager:ann")
    desk.do(TRAINING, ApproveObservers(approver=WORDS, approved_on=date(2026, 1, 2)), who="manager:ann")
    first, second, third, fourth = desk.queued(4)
    campaign = campaign_id("spring")
    desk.do(campaign, PlanCampaign(name="spring"), who="manager:ann")
    for lead in (first, second, third):
        desk.do(TRAINING, TakeSeat(lead_id=lead, campaign_id=campaign))
    assert ((first,), (second, third)) == _guests(desk)
    # In one transaction: the first in the line is erased, and then the seat comes free.
    rings = desk.submit(second, EraseLead(reason=WORDS)) + desk.submit(first, OptOut())
    Committer(desk.service, Applier(desk.service, desk.clock), desk.bell).apply_all(rings)
    desk.work()
    assert ((third,), ()) == _guests(desk)
    # In one transaction again: the objection, and the seat that was asked for before.
    rings = desk.submit(fourth, OptOut()) + desk.submit(TRAINING, TakeSeat(lead_id=fourth, campaign_id=campaign))
    Committer(desk.service, Applier(desk.service, desk.clock), desk.bell).apply_all(rings)
    outcome = desk.message(rings[-1].message_id)
    assert ("refused", "wants_contact") == (outcome.outcome, outcome.rule)
    assert [] == differing(desk.engine)


def test_whatever_one_decision_asks_of_a_stream_arrives_there_in_order_and_once(desk: Desk) -> None:
    """Invariant 1: an approval by which several leave the line tells their campaign of each, however often it is delivered."""
    starts = desk.now + timedelta(weeks=9)
    announced = AnnounceEvent(name="training", kind="training", starts_at=starts, seats=1, title=WORDS, host=WORDS)
    approval = ApproveObservers(approver=WORDS, approved_on=date(2026, 1, 2), seats=2)
    desk.do(TRAINING, announced, who="manager:ann")
    desk.do(TRAINING, msgspec.structs.replace(approval, seats=1), who="manager:ann")
    first, *gone, last = desk.queued(5)
    campaign = campaign_id("spring")
    desk.do(campaign, PlanCampaign(name="spring"), who="manager:ann")
    for lead in (first, *gone, last):
        desk.do(TRAINING, TakeSeat(lead_id=lead, campaign_id=campaign))
    rings = [ring for lead in gone for ring in desk.submit(lead, OptOut())] + desk.submit(TRAINING, approval)
    desk.committer.apply_all(rings)
    while due := desk.due():
        desk.committer.apply_all([*due, *rings, *due])
        desk.committer.apply_all([*rings, *due])
    assert ((first, last), ()) == _guests(desk)
    assert [RecordSeatBack(lead_id=lead, event_id=TRAINING) for lead in gone] == [
        decode_command(str(body)) for _, body in _messages(desk, campaign, "seat_lost")
    ]
    assert [] == differing(desk.engine)


def test_who_shares_an_objection_gives_every_seat_back(desk: Desk) -> None:
    """Invariant 1: of commands that wait behind each other on a sales event, each has its turn; also behind a refusal."""
    starts = desk.now + timedelta(weeks=9)
    announced = AnnounceEvent(name="training", kind="training", starts_at=starts, seats=3, title=WORDS, host=WORDS)
    desk.do(TRAINING, announced, who="manager:ann")
    desk.do(TRAINING, ApproveObservers(approver=WORDS, approved_on=date(2026, 1, 2)), who="manager:ann")
    leads = desk.queued(3)
    campaign = campaign_id("spring")
    desk.do(campaign, PlanCampaign(name="spring"), who="manager:ann")
    for lead in leads:
        desk.do(TRAINING, TakeSeat(lead_id=lead, campaign_id=campaign))
    # The first objection finds one seat to give back, the last one three, of which two are given back by then.
    desk.committer.apply_all([ring for lead in leads for ring in desk.submit(lead, OptOut())])
    desk.work()
    assert ((), ()) == _guests(desk)
    asked = [decode_command(str(body)) for _, body in _messages(desk, TRAINING, "seat_given_back")]
    assert {lead: 3 - number for number, lead in enumerate(leads)} == {
        lead: asked.count(GiveSeatBack(lead_id=lead)) for lead in leads
    }


def test_an_erasure_of_texts_keeps_every_reason_for_one(desk: Desk) -> None:
    """Two in one transaction: the second finds nothing but reasons, of both, and removes none of them."""
    starts = desk.now + timedelta(weeks=9)
    title, host, *reasons = (_text(desk, TRAINING, body) for body in ("Spring", "Harbour Mills", "asked for it", "asked again"))
    announced = AnnounceEvent(name="training", kind="training", starts_at=starts, seats=3, title=title, host=host)
    desk.do(TRAINING, announced, who="manager:ann")
    desk.do(TRAINING, CancelEvent(), who="manager:ann")
    rings = desk.submit(TRAINING, *(EraseEventTexts(reason=reason) for reason in reasons), who="manager:ann")
    desk.committer.apply_all(rings)
    assert [("applied", None), ("refused", "texts_left")] == [
        (message.outcome, message.rule) for message in (desk.message(ring.message_id) for ring in rings)
    ]
    assert [("asked again",), ("asked for it",)] == desk.ask("SELECT body FROM documents ORDER BY body")


def _text(desk: Desk, owner_id: UUID, body: str) -> Reference:
    with transaction(desk.engine) as connection:
        return contacts.save_document(connection, uuid4(), owner_id, "text", body)


def _messages(desk: Desk, stream_id: UUID, actor: str) -> list[tuple[object, ...]]:
    """Return outcome and body of the settled messages for an actor on a stream, in the order of their making."""
    question = (
        "SELECT outcome, body FROM messages WHERE stream_id = :id AND actor_name = :actor AND settled_at IS NOT NULL "
        "ORDER BY created_at, settled_at"
    )
    return list(desk.ask(question, id=stream_id, actor=actor))


def _guests(desk: Desk) -> tuple[tuple[UUID, ...], tuple[UUID, ...]]:
    with transaction(desk.engine) as connection:
        event = campaigns.find_sales_event(connection, TRAINING)
    assert event
    return event.seated, event.waiting
