"""Sales events: seats are counted once, whoever asks and in whatever order."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from tests.workflows.life import LEAD_ID
from tests.workflows.promotion import CAMPAIGN, Promotion, approve
from workflows.campaign_commands import CancelEvent, GiveSeatBack, RevokeApproval, TakeSeat
from workflows.event_list import barred, company_key
from workflows.sales_event import sales_event_id

TRAINING = sales_event_id("training")
LEADS = [uuid5(LEAD_ID, f"asks {number}") for number in range(6)]


@given(st.integers(1, 4), st.lists(st.tuples(st.booleans(), st.sampled_from(LEADS)), max_size=30))
def test_no_seat_is_given_twice(seats: int, asked: list[tuple[bool, UUID]]) -> None:
    """A0-9: never more people than seats, nobody twice, and nobody waits while a seat is free."""
    promotion = Promotion()
    promotion.event(seats=seats)
    for takes, lead in asked:
        command = TakeSeat(lead_id=lead, campaign_id=CAMPAIGN) if takes else GiveSeatBack(lead_id=lead)
        promotion.do(TRAINING, command)
        event = promotion.sales_event()
        assert len(event.seated) <= event.seats
        assert len({*event.seated, *event.waiting}) == len(event.seated) + len(event.waiting) == len(event.asked_by)
        assert not event.waiting or len(event.seated) == event.seats


def test_the_first_in_the_line_gets_the_seat_that_is_given_back() -> None:
    """A0-9: in the order in which they asked, and credited to the campaign that they came from."""
    promotion = Promotion()
    promotion.event(seats=1)
    for lead in LEADS[:3]:
        promotion.must(TRAINING, TakeSeat(lead_id=lead, campaign_id=CAMPAIGN))
    promotion.must(TRAINING, GiveSeatBack(lead_id=LEADS[0]))
    assert ((LEADS[1],), (LEADS[2],)) == (promotion.sales_event().seated, promotion.sales_event().waiting)
    assert "one_seat" == promotion.do(TRAINING, TakeSeat(lead_id=LEADS[1], campaign_id=CAMPAIGN)).rule
    assert "has_seat" == promotion.do(TRAINING, GiveSeatBack(lead_id=LEADS[0])).rule


def test_nobody_gets_a_seat_where_the_host_does_not_want_observers() -> None:
    """A0-7: revoked or cancelled, there are no seats; the host may approve again, and not fewer than are taken."""
    promotion = Promotion()
    promotion.event(seats=2)
    for lead in LEADS[:2]:
        promotion.must(TRAINING, TakeSeat(lead_id=lead, campaign_id=CAMPAIGN))
    assert "seats_taken" == promotion.do(TRAINING, approve(seats=1)).rule
    promotion.must(TRAINING, RevokeApproval())
    assert "attendable" == promotion.do(TRAINING, TakeSeat(lead_id=LEADS[2], campaign_id=CAMPAIGN)).rule
    assert "approved" == promotion.do(TRAINING, RevokeApproval()).rule
    assert "not_in_the_future" == promotion.do(TRAINING, approve(approved_on=promotion.now.date().replace(year=2027))).rule
    promotion.must(TRAINING, approve(seats=3), TakeSeat(lead_id=LEADS[2], campaign_id=CAMPAIGN), CancelEvent())
    assert "attendable" == promotion.do(TRAINING, TakeSeat(lead_id=LEADS[3], campaign_id=CAMPAIGN)).rule
    assert "not_cancelled" == promotion.do(TRAINING, CancelEvent()).rule
    assert "not_cancelled" == promotion.do(TRAINING, approve()).rule


def test_companies_are_told_apart_by_their_names_alone() -> None:
    """A0-9: case, punctuation and legal form do not make another company, and another word does."""
    assert barred("Rival Homes, Inc.", ["RIVAL HOMES LLC"])
    assert barred("Müller & Söhne GmbH", ["müller söhne"])
    assert not barred("Rival Homes North", ["Rival Homes"])
    assert not barred("", ["", "..."])
    assert "co" == company_key("Co.")
