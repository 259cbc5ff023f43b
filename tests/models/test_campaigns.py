"""Sales events in PostgreSQL: two transactions at once never give the same seat away."""

import threading
from datetime import date, timedelta
from uuid import UUID, uuid4

from actors.apply import Applier
from actors.committer import Committer
from models import campaigns
from models.database import transaction
from models.messages import Ring
from tests.desk import WORDS, Desk
from workflows.campaign_commands import AnnounceEvent, ApproveObservers, TakeSeat
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
