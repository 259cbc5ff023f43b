"""Sales events in PostgreSQL: two transactions at once never give the same seat away."""

import threading
from datetime import date, timedelta
from uuid import UUID, uuid4

from actors.apply import Applier
from actors.committer import Committer
from models import campaigns
from models.database import transaction
from models.messages import Ring
from tests.desk import WORDS, Desk, differing
from workflows.campaign import campaign_id
from workflows.campaign_commands import AnnounceEvent, ApproveObservers, PlanCampaign, TakeSeat
from workflows.commands import EraseLead, OptOut
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


def _guests(desk: Desk) -> tuple[tuple[UUID, ...], tuple[UUID, ...]]:
    with transaction(desk.engine) as connection:
        event = campaigns.find_sales_event(connection, TRAINING)
    assert event
    return event.seated, event.waiting
