"""The law of seats, by any sequence of what people and hosts may do."""

from datetime import timedelta
from uuid import UUID, uuid5

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.workflows.life import LEAD_ID
from tests.workflows.promotion import CAMPAIGN, SOME, Promotion, approve, declined
from workflows.campaign import RELEASE, campaign_id
from workflows.campaign_commands import (
    CancelEvent,
    DrawAudience,
    PlanCampaign,
    RecordLetter,
    RecordRsvp,
    RevokeApproval,
    RsvpAnswer,
    StartCampaign,
    TakeSeat,
)
from workflows.campaign_commands import GiveSeatBack as GiveBack
from workflows.campaign_events import SeatGivenBack, SeatTaken, SeatWaitedFor
from workflows.commands import FireTimer
from workflows.invitation_streams import timers_of
from workflows.sales_event import SalesEvent, sales_event_id

TRAINING = sales_event_id("training")
LEADS = [uuid5(LEAD_ID, f"lead {number}") for number in range(6)]
PROSPECT = declined()
ANYBODY = st.sampled_from(LEADS)


def invited(seats: int = 2) -> Promotion:
    """Return a campaign that invited everybody to one event."""
    promotion = Promotion()
    for number in range(len(LEADS)):
        promotion.lead(PROSPECT, number)
    promotion.event(seats=seats)
    promotion.begin()
    promotion.release()
    for lead in LEADS:
        promotion.sent(lead, TRAINING)
    return promotion


def answer(promotion: Promotion, lead: UUID, said: RsvpAnswer) -> str | None:
    """Record an answer, and return the rule that refused it."""
    return promotion.do(CAMPAIGN, RecordRsvp(lead_id=lead, event_id=TRAINING, channel="call", answer=said)).rule


class Seats(RuleBasedStateMachine):
    """A0-9: answers, objections and hosts in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.promotion = invited()
        self.said: dict[UUID, RsvpAnswer] = {}
        """The last answer but for questions that everybody gave, and that was taken."""
        self.granted = 2

    @initialize(leads=st.permutations(LEADS), number=st.integers(0, 6))
    def first_answers(self, leads: list[UUID], number: int) -> None:
        for lead in leads[:number]:
            self.answers(lead, "accepts")

    @rule(lead=ANYBODY, said=st.sampled_from(["accepts", "accepts", "asks", "cannot"]))
    def answers(self, lead: UUID, said: RsvpAnswer) -> None:
        refused = answer(self.promotion, lead, said)
        if refused is None and said != "asks":
            self.said[lead] = said
        holds = lead in (*self.event.seated, *self.event.waiting)
        may_come = self.event.approved and not self.event.cancelled and self.promotion.now < self.event.starts_at
        if said == "accepts" and may_come and lead not in self.promotion.gone:
            assert holds, "who accepts has a seat or waits for one, whatever was before"

    @rule(lead=ANYBODY)
    def opts_out(self, lead: UUID) -> None:
        self.promotion.leaves(lead)

    @rule(lead=ANYBODY)
    def consents_again(self, lead: UUID) -> None:
        self.promotion.gone.discard(lead)

    @rule(lead=ANYBODY)
    def gives_back(self, lead: UUID) -> None:
        self.promotion.do(TRAINING, GiveBack(lead_id=lead))

    @rule(seats=st.integers(1, 5))
    def host_approves(self, seats: int) -> None:
        if self.promotion.do(TRAINING, approve(seats=seats)).answer == "applied":
            self.granted = seats

    @rule()
    def host_revokes(self) -> None:
        self.promotion.do(TRAINING, RevokeApproval())

    @rule(ends=st.sampled_from([""] * 8 + ["cancelled", "over"]))
    def ends(self, ends: str) -> None:
        if ends == "cancelled":
            self.promotion.do(TRAINING, CancelEvent())
        elif ends:
            self.promotion.now = max(self.promotion.now, self.event.starts_at + timedelta(hours=1))

    @property
    def event(self) -> SalesEvent:
        """The event as it stands."""
        return self.promotion.sales_event()

    @invariant()
    def never_more_than_seats(self) -> None:
        assert self.granted == self.event.seats
        assert len(self.event.seated) <= self.event.seats
        everybody = [*self.event.seated, *self.event.waiting]
        assert len(set(everybody)) == len(everybody) == len(self.event.asked_by)

    @invariant()
    def nobody_waits_beside_a_free_seat(self) -> None:
        open_ = self.event.approved and not self.event.cancelled and self.promotion.now < self.event.starts_at
        assert not (open_ and self.event.waiting) or len(self.event.seated) == self.event.seats

    @invariant()
    def who_is_gone_or_said_no_holds_nothing(self) -> None:
        holding = {*self.event.seated, *self.event.waiting}
        if self.promotion.now < self.event.starts_at:
            assert not holding & self.promotion.gone
        assert not holding & {lead for lead, said in self.said.items() if said == "cannot"}

    @invariant()
    def first_come_first_served(self) -> None:
        """Read from the log alone: a seat goes to whoever asked first among those who wait."""
        line: list[UUID] = []
        for recorded in self.promotion.log:
            match recorded.data:
                case SeatWaitedFor(lead_id=lead):
                    line.append(lead)
                case SeatTaken(lead_id=lead, from_waiting=True):
                    assert lead == line.pop(0)
                case SeatTaken():
                    assert not line
                case SeatGivenBack(lead_id=lead) if lead in line:
                    line.remove(lead)
        assert list(self.event.waiting) == line


TestSeats = Seats.TestCase
TestSeats.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


def test_more_seats_go_to_the_line_in_its_order() -> None:
    """A0-9: approved with more seats, those who waited longest get them, and their campaign is credited."""
    promotion = invited(seats=1)
    for lead in LEADS[:4]:
        assert answer(promotion, lead, "accepts") is None
    promotion.must(TRAINING, approve(seats=3))
    assert (tuple(LEADS[:3]), (LEADS[3],)) == (promotion.sales_event().seated, promotion.sales_event().waiting)


def test_a_newcomer_does_not_pass_the_line() -> None:
    """A0-9: while the host takes nobody a seat comes free; approved again, the line has it and not who asks next."""
    promotion = invited(seats=1)
    for lead in LEADS[:2]:
        answer(promotion, lead, "accepts")
    promotion.must(TRAINING, RevokeApproval(), GiveBack(lead_id=LEADS[0]))
    assert ((), (LEADS[1],)) == (promotion.sales_event().seated, promotion.sales_event().waiting)
    promotion.must(TRAINING, approve(seats=1))
    promotion.do(TRAINING, TakeSeat(lead_id=LEADS[2], campaign_id=CAMPAIGN))
    assert ((LEADS[1],), (LEADS[2],)) == (promotion.sales_event().seated, promotion.sales_event().waiting)


@pytest.mark.parametrize("why", ["opted out", "cancelled", "over"])
def test_a_free_seat_goes_to_nobody_who_may_not_come(why: str) -> None:
    """A0-9: not to whoever left without our hearing of it in time, nor at an event that is cancelled or over."""
    promotion = invited(seats=1)
    for lead in LEADS[:3]:
        answer(promotion, lead, "accepts")
    if why == "opted out":
        promotion.gone.add(LEADS[1])
    elif why == "cancelled":
        promotion.must(TRAINING, CancelEvent())
    else:
        promotion.now = promotion.sales_event().starts_at
    promotion.must(TRAINING, GiveBack(lead_id=LEADS[0]))
    assert ((LEADS[2],) if why == "opted out" else ()) == promotion.sales_event().seated


def test_a_question_in_between_does_not_keep_the_seat() -> None:
    """A0-10: accepted, asked, and then cannot: the seat is free again."""
    promotion = invited()
    for said in ("accepts", "asks", "cannot"):
        assert answer(promotion, LEADS[0], said) is None
    assert () == promotion.sales_event().seated
    assert "new_answer" == answer(promotion, LEADS[0], "cannot")


def test_who_gave_the_seat_back_may_accept_again() -> None:
    """A0-10: the campaign hears of a seat given back at the event, or refused there, so the same answer counts anew."""
    promotion = invited()
    assert [None, "new_answer"] == [answer(promotion, LEADS[0], "accepts") for _ in range(2)]
    promotion.must(TRAINING, GiveBack(lead_id=LEADS[0]))
    assert [None, "new_answer"] == [answer(promotion, LEADS[0], "accepts") for _ in range(2)]
    assert (LEADS[0],) == promotion.sales_event().seated
    promotion.must(TRAINING, RevokeApproval())
    assert answer(promotion, LEADS[1], "accepts") is None
    promotion.must(TRAINING, approve())
    assert answer(promotion, LEADS[1], "accepts") is None
    assert (LEADS[0], LEADS[1]) == promotion.sales_event().seated


def in_two_campaigns() -> Promotion:
    """Return an event to which the first lead is invited by two campaigns."""
    promotion = invited()
    autumn = campaign_id("autumn")
    promotion.must(autumn, PlanCampaign(name="autumn"), DrawAudience(), StartCampaign())
    armed = timers_of(promotion.streams[autumn])[RELEASE]
    promotion.must(autumn, FireTimer(timer=RELEASE, armed_version=armed.armed_version))
    sent = RecordLetter(lead_id=LEADS[0], outcome="sent", audience="declined", events=(TRAINING,), wording=SOME)
    promotion.must(autumn, sent)
    return promotion


def says(promotion: Promotion, campaign: str, said: RsvpAnswer) -> str | None:
    """Let the first lead answer a campaign's letter, and return the rule that refused it, if any."""
    reply = RecordRsvp(lead_id=LEADS[0], event_id=TRAINING, channel="call", answer=said)
    return promotion.do(campaign_id(campaign), reply).rule


@pytest.mark.parametrize(("says_no", "other"), [("spring", "autumn"), ("autumn", "spring")])
def test_every_campaign_hears_of_a_seat_that_another_gave_back(says_no: str, other: str) -> None:
    """A0-10: accepted through two campaigns and refused to either, the seat is free, and both take the acceptance anew."""
    promotion = in_two_campaigns()
    assert [None, None] == [says(promotion, name, "accepts") for name in ("spring", "autumn")]
    assert (LEADS[0],) == promotion.sales_event().seated
    assert says(promotion, says_no, "cannot") is None
    assert () == promotion.sales_event().seated
    assert says(promotion, other, "accepts") is None
    assert (LEADS[0],) == promotion.sales_event().seated
    assert says(promotion, other, "cannot") is None
    assert () == promotion.sales_event().seated


@pytest.mark.parametrize(("accepts", "says_no"), [("spring", "autumn"), ("autumn", "spring")])
def test_nobody_who_said_no_to_any_campaign_has_a_seat(accepts: str, says_no: str) -> None:
    """A0-10: it does not matter through which letter they accepted; and a no of somebody without a seat changes nothing."""
    promotion = in_two_campaigns()
    assert says(promotion, accepts, "accepts") is None
    assert (LEADS[0],) == promotion.sales_event().seated
    assert says(promotion, says_no, "cannot") is None
    assert () == promotion.sales_event().seated
    assert says(in_two_campaigns(), says_no, "cannot") is None


def test_nobody_approves_what_was_cancelled_or_has_begun() -> None:
    """A0-7: an approval would seat people at nothing."""
    promotion = invited()
    promotion.now = promotion.sales_event().starts_at
    assert "upcoming" == promotion.do(TRAINING, approve()).rule
    promotion.must(TRAINING, CancelEvent())
    assert "not_cancelled" == promotion.do(TRAINING, approve()).rule
