"""Campaigns: everybody in the audience has a letter or a reason, and letters leave no faster than calls can be answered."""

from collections import Counter
from datetime import timedelta
from typing import Any, get_args
from unittest.mock import patch
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.workflows.life import CALENDAR
from tests.workflows.promotion import CAMPAIGN, KNOWN, RULES, START, Promotion, approve, client, declined
from workflows import campaign_commands as c
from workflows.audience import Asked, Audience, rows_of
from workflows.campaign_events import EventWithdrawn, PersonFacts
from workflows.codec import canonical
from workflows.command import Mode
from workflows.commands import RecordReply
from workflows.events import event_type
from workflows.invitation_playbook import Pacing
from workflows.law_facts import LawFacts
from workflows.law_table import CURRENT, DIGEST
from workflows.sales_event import sales_event_id

PROSPECT, CLIENT = declined(), client()
ASKED = Asked(START.date() - timedelta(days=540), START.date() - timedelta(days=30), ("declined", "client"))


def _promotion(number: int, **changes: object) -> tuple[Promotion, list[UUID]]:
    promotion = Promotion(replace(RULES, **changes) if changes else RULES)
    leads = [promotion.lead(PROSPECT, each) for each in range(number)]
    promotion.event()
    promotion.begin()
    return promotion, leads


@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.builds(
                PersonFacts,
                company=st.booleans(),
                last_meeting_topic=st.booleans(),
                suppressed=st.sampled_from([(), ("post",), ("email",)]),
            ),
            st.integers(0, 3),
        ),
        max_size=12,
    )
)
def test_everybody_has_a_letter_or_a_reason(people: list[tuple[bool, PersonFacts, int]]) -> None:
    """A0-3, A0-12: audience = letters + excluded with a reason, and of one person's leads one letter at most."""
    promotion = Promotion()
    ids = [promotion.lead(CLIENT if buys else PROSPECT, number) for number, (buys, _, _) in enumerate(people)]
    groups = {
        group: min(id_ for id_, (_, _, other) in zip(ids, people, strict=True) if other == group) for _, _, group in people
    }
    facts = {id_: replace(known, same_as=groups[group]) for id_, (_, known, group) in zip(ids, people, strict=True)}
    audience = Audience(leads=tuple(promotion.leads[id_] for id_ in sorted(ids)), people=facts)
    rows = rows_of(audience, ASKED, RULES, START.date(), CURRENT)
    assert sorted(ids) == [row.lead_id for row in rows]
    assert all((row.status == "excluded") == (row.reason is not None) for row in rows)
    letters = Counter(facts[row.lead_id].same_as for row in rows if row.status == "waiting")
    assert not letters or 1 == max(letters.values())
    buyers = {facts[row.lead_id].same_as for row in rows if row.audience == "client"}
    assert not any(
        row.status == "waiting" and row.audience == "declined" and facts[row.lead_id].same_as in buyers for row in rows
    )


@given(
    st.lists(
        st.tuples(
            st.text('a\u00e9\U0001f600"\\', min_size=1, max_size=80),
            st.builds(
                PersonFacts,
                company=st.booleans(),
                last_meeting_topic=st.booleans(),
                same_as=st.none() | st.just(CAMPAIGN),
                suppressed=st.sampled_from([(), *((mode,) for mode in get_args(Mode))]),
            ),
        ),
        min_size=15,
        max_size=40,
    ),
    st.integers(5_000, 14_000),
)
def test_no_draw_is_longer_than_an_event_may_be(people: list[tuple[str, PersonFacts]], most: int) -> None:
    """A0-3: what the offline verifier would not read is refused with how many people would go, and the refusal is short."""
    promotion = Promotion()
    for number, (rep, facts) in enumerate(people):
        id_ = promotion.lead(PROSPECT, number)
        promotion.leads[id_] = replace(promotion.leads[id_], owner=rep)
        promotion.people[id_] = facts
    promotion.must(CAMPAIGN, c.PlanCampaign(name="spring"))
    with patch("workflows.audience.BODY_BYTES_MAX", most):
        drawn = promotion.do(CAMPAIGN, c.DrawAudience())
    (recorded,) = drawn.recorded
    if drawn.rule is None:
        assert len(canonical(recorded)) <= most
        return
    assert ("audience_size", True) == (drawn.rule, len(canonical(recorded)) < 4_000)
    fitting = recorded.data.inputs["most"]  # type: ignore[union-attr]
    assert isinstance(fitting, int)
    assert fitting < len(people)
    for id_ in sorted(promotion.leads)[fitting:]:
        del promotion.leads[id_]
    with patch("workflows.audience.BODY_BYTES_MAX", most):
        assert "applied" == promotion.do(CAMPAIGN, c.DrawAudience()).answer


def test_letters_leave_on_working_days_no_faster_than_calls_are_answered() -> None:
    """A0-14: 45 letters at ten a day take five working days; a rep with less room for calls takes longer."""
    promotion, _ = _promotion(45)
    days = []
    while "release_letters" in promotion.campaign.timers:
        released = promotion.release()
        days.append((released.recorded[0].data, promotion.now))
        for id_, letter in promotion.campaign.letters.items():
            if letter.status == "released":
                promotion.sent(UUID(id_), sales_event_id("training"))
    assert [10, 10, 10, 10, 5] == [len(data.letters) for data, _ in days]  # type: ignore[union-attr]
    assert all(CALENDAR.is_working(CALENDAR.local_day(at)) for _, at in days)
    assert (10, 2, 1) == (Pacing().per_day(5), Pacing(calls_per_hundred_letters=200).per_day(5), Pacing().per_day(0))
    slow, _ = _promotion(5, pacing=Pacing(calls_per_hundred_letters=200))
    assert 2 == len(slow.release().recorded[0].data.letters)  # type: ignore[union-attr]


def test_letters_that_lie_there_hold_back_the_next() -> None:
    """A0-14: what was released and not sent counts for the next day, so that no day's post is a flood."""
    promotion, _ = _promotion(25)
    assert 10 == len(promotion.release().recorded[0].data.letters)  # type: ignore[union-attr]
    assert 0 == len(promotion.release().recorded[0].data.letters)  # type: ignore[union-attr]
    assert (15, 10) == (promotion.campaign.count("waiting"), promotion.campaign.count("released"))


def test_an_answer_is_credited_and_moves_the_lead() -> None:
    """A0-10, A0-13: a reply with campaign and event goes to the lead; a prospect is re-engaged, a client solidified."""
    promotion = Promotion()
    prospect, buyer = promotion.lead(PROSPECT, 1), promotion.lead(CLIENT, 2)
    training = promotion.event()
    promotion.begin()
    promotion.release()
    promotion.sent(prospect, training)
    promotion.sent(buyer, training, audience="client")
    for lead in (prospect, buyer):
        promotion.must(CAMPAIGN, c.RecordRsvp(lead_id=lead, event_id=training, channel="call"))
    assert ["re_engaged", "solidified"] == [each.effect for each in promotion.campaign.responses]
    replies = [(id_, command) for id_, command in promotion.asked_of_leads if isinstance(command, RecordReply)]
    assert [(prospect, CAMPAIGN, training), (buyer, CAMPAIGN, training)] == [
        (id_, reply.campaign_id, reply.event_id) for id_, reply in replies
    ]
    assert "new_answer" == promotion.do(CAMPAIGN, c.RecordRsvp(lead_id=buyer, event_id=training, channel="call")).rule
    other = promotion.event("other")
    assert "invited" == promotion.do(CAMPAIGN, c.RecordRsvp(lead_id=buyer, event_id=other, channel="call")).rule


def test_a_letter_on_its_way_while_the_approval_is_revoked_is_told_of() -> None:
    """A0-7: whoever gets a letter that crosses the revocation is on the list of those to be told, once."""
    promotion, leads = _promotion(2)
    training = sales_event_id("training")
    promotion.release()
    promotion.sent(leads[0], training)
    promotion.must(training, c.RevokeApproval())
    promotion.sent(leads[1], training)
    assert {(lead, training) for lead in leads} == set(promotion.campaign.to_tell)
    told = [recorded.data.tell for recorded in promotion.log if isinstance(recorded.data, EventWithdrawn)]
    assert [(leads[0],), (leads[1],)] == told


def test_a_refused_letter_is_written_anew_or_ends_with_its_reason() -> None:
    """A0-3, A0-11: who bought meanwhile gets the client's letter; whom nothing may reach is excluded, and never lost."""
    promotion, leads = _promotion(4)
    promotion.release()
    for lead, rule in zip(leads, ("audience", "not_suppressed", "check.event_list", "merged"), strict=True):
        promotion.must(CAMPAIGN, c.RecordLetter(lead_id=lead, outcome="refused", audience="declined", rule=rule))
    letters = [promotion.campaign.letters[str(lead)] for lead in leads]
    assert [("released", "client"), ("excluded", "declined"), ("released", "declined"), ("excluded", "declined")] == [
        (letter.status, letter.audience) for letter in letters
    ]
    assert [1, 0, 1, 0] == [letter.tries for letter in letters]
    promotion.must(CAMPAIGN, c.DrawAudience())
    assert 4 == len(promotion.campaign.letters)
    assert KNOWN == promotion.people[leads[0]]


def test_a_letter_that_the_law_refuses_is_drawn_when_it_may_be_sent() -> None:
    """A0-3: the draw promises no letter without consent, and one that was refused for want of it is not written anew."""
    promotion = Promotion(replace(RULES, mode="email"))
    leads = [promotion.lead(PROSPECT, number) for number in range(4)]

    def knows(lead: UUID, **facts: Any) -> None:
        promotion.leads[lead] = replace(promotion.leads[lead], law=LawFacts(region="CA-ON", **facts))

    knows(leads[0])
    knows(leads[1], consents=("email",))
    knows(leads[2], purchased_on=START.date())
    promotion.event()
    letters = promotion.begin().letters
    waits, may_not = ("waiting", None), ("excluded", "unlawful")
    assert [may_not, waits, waits, waits] == [(letters[str(lead)].status, letters[str(lead)].reason) for lead in leads]
    used = promotion.log[-2].used
    assert ("audience_drawn", DIGEST) == (event_type(promotion.log[-2].data), used and used.law and used.law.table)
    (before_there_was_a_law,) = rows_of(
        Audience(leads=(promotion.leads[leads[0]],), people={leads[0]: KNOWN}), ASKED, promotion.rules, START.date(), None
    )
    assert "waiting" == before_there_was_a_law.status
    knows(leads[0], consents=("email",))
    promotion.must(CAMPAIGN, c.DrawAudience())
    assert "waiting" == promotion.campaign.letters[str(leads[0])].status
    promotion.release()
    knows(leads[1])
    refused = c.RecordLetter(lead_id=leads[1], outcome="refused", audience="declined", rule="consent_expired")
    promotion.must(CAMPAIGN, refused)
    assert ("excluded", "consent_expired") == (
        promotion.campaign.letters[str(leads[1])].status,
        promotion.campaign.letters[str(leads[1])].reason,
    )
    promotion.must(CAMPAIGN, c.DrawAudience())
    assert "unlawful" == promotion.campaign.letters[str(leads[1])].reason


def test_who_was_told_of_a_revocation_is_told_of_the_cancellation_too() -> None:
    """A0-7: an approval that came back made what they were told untrue; each revocation and cancellation is news once."""
    promotion, leads = _promotion(2)
    training = sales_event_id("training")
    promotion.release()
    for lead in leads:
        promotion.sent(lead, training)
    promotion.must(training, c.RevokeApproval())
    promotion.must(CAMPAIGN, c.TellInvitee(lead_id=leads[0], event_id=training))
    promotion.must(training, approve(), c.CancelEvent())
    assert {(lead, training) for lead in leads} == set(promotion.campaign.to_tell)
    assert 2 == len(promotion.campaign.to_tell)
    promotion.must(CAMPAIGN, c.TellInvitee(lead_id=leads[0], event_id=training))
    assert "to_tell" == promotion.do(CAMPAIGN, c.TellInvitee(lead_id=leads[0], event_id=training)).rule
    # The event hears again of the campaign, by a letter that crossed: who knows is not told again.
    assert "superseded" == promotion.do(CAMPAIGN, c.WithdrawEvent(event_id=training)).answer


def test_who_cannot_come_is_not_recorded_as_interested() -> None:
    """A0-10: each answer reaches the lead as a reply that says what was meant."""
    promotion, leads = _promotion(3)
    training = sales_event_id("training")
    promotion.release()
    for lead, answer in zip(leads, ("accepts", "asks", "cannot"), strict=True):
        promotion.sent(lead, training)
        promotion.must(CAMPAIGN, c.RecordRsvp(lead_id=lead, event_id=training, channel="call", answer=answer))  # type: ignore[arg-type]
    replies = {id_: command.intent for id_, command in promotion.asked_of_leads if isinstance(command, RecordReply)}
    assert ["interested", "interested", "cannot"] == [replies[lead] for lead in leads]


def test_a_refusal_counts_for_the_letter_that_was_meant_alone() -> None:
    """A0-3: one that comes late, after the letter was written anew, excluded or sent, opens nothing again."""
    promotion, leads = _promotion(3)
    promotion.release()
    first, second, third = leads

    def refuse(lead: UUID, rule: str, tries: int) -> str:
        heard = c.RecordLetter(lead_id=lead, outcome="refused", audience="declined", rule=rule, tries=tries)
        return promotion.do(CAMPAIGN, heard).answer

    assert ["applied", "superseded", "applied"] == [refuse(first, "check.event_list", tries) for tries in (0, 0, 1)]
    assert 2 == promotion.campaign.letters[str(first)].tries
    assert ["applied", "superseded"] == [refuse(second, rule, 0) for rule in ("not_suppressed", "check.event_list")]
    assert "excluded" == promotion.campaign.letters[str(second)].status
    # A second copy was refused before the campaign heard that the first has left.
    assert "superseded" == refuse(third, "one_invitation", 0)
    promotion.sent(third, sales_event_id("training"))
    assert "sent" == promotion.campaign.letters[str(third)].status


def test_what_an_answer_counts_as_is_read_from_the_playbook() -> None:
    """A0-13: `on_reply` of the audience that the letter was for; two playbooks that differ in it alone differ in the log."""
    promotion, leads = _promotion(1)
    training = sales_event_id("training")
    promotion.release()
    promotion.sent(leads[0], training)
    other = msgspec.convert(msgspec.to_builtins(promotion.rules), type(promotion.rules))
    # No playbook that passes its checks says so; the decision would follow it all the same.
    msgspec.structs.force_setattr(other.audiences[0], "on_reply", "solidified")
    promotion.rules = other
    promotion.must(CAMPAIGN, c.RecordRsvp(lead_id=leads[0], event_id=training, channel="call"))
    assert ["solidified"] == [each.effect for each in promotion.campaign.responses]
