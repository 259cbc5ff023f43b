"""The consent to mail that a purchase or an inquiry implies: it ends on its day, and comes back with a new one."""

from datetime import date, timedelta
from typing import Any

from msgspec import UNSET

from tests.workflows.life import ALL_MODES, CALENDAR, DECLINE, START, WORDS, life_in
from tests.workflows.test_law import again, answered
from workflows import commands as c
from workflows.events import ConsentExpired
from workflows.law_facts import ImportedLawFacts, LawFacts


def test_a_consent_that_is_over_leaves_calls_and_post() -> None:
    """The day after its last one its timer fires: mail is no mode any more, whatever the CRM says, until there is a new one."""
    life = answered(life_in("nurture"), region="CA-ON", inquired_on=START.date())
    over = date(2026, 7, 6)
    assert CALENDAR.start_of(over) == life.lead.timers["consent_expires"].due_at
    assert "email" in life.lead.modes
    assert "applied" == life.fire("consent_expires").answer
    assert ConsentExpired(expired_on=date(2026, 7, 5)) == life.history[-1].data
    assert ("nurture", False) == (life.lead.state, "email" in life.lead.modes)
    assert set(ALL_MODES) - {"email"} == set(life.lead.modes)
    life.must(c.UpdateContact(contact=WORDS, modes=ALL_MODES))
    assert "email" not in life.lead.modes
    answered(life, region="CA-QC")
    assert ("email" in life.lead.modes, "consent_expires" in life.lead.timers) == (False, False)
    life.must(c.RecordLaw(law=LawFacts(consents=("email",)), evidence=WORDS))
    assert ("email" in life.lead.modes, life.lead.consent_lapsed) == (True, UNSET)
    assert [] == again(life.history)


def test_the_timer_of_a_consent_follows_what_is_learnt() -> None:
    """A later purchase moves it, an express consent or another country ends it, an objection takes all timers."""
    life = answered(life_in("nurture"), region="CA-ON", inquired_on=START.date())
    answered(life, purchased_on=START.date())
    assert CALENDAR.start_of(date(2028, 1, 6)).date() == life.lead.timers["consent_expires"].due_at.date()
    life.must(c.RecordDecline(kind="no", stated_reason="price"))
    assert "consent_expires" in life.lead.timers
    answered(life, region="US-NY")
    assert "consent_expires" not in life.lead.timers
    answered(life, region="CA-ON")
    life.must(c.RecordLaw(law=LawFacts(consents=("email",)), evidence=WORDS))
    assert "consent_expires" not in life.lead.timers
    answered(life, consents=())
    assert "consent_expires" in life.lead.timers
    life.must(c.OptOut())
    assert {} == life.lead.timers
    life = answered(life_in("nurture"), region="CA-ON", inquired_on=START.date() - timedelta(days=400))
    assert "applied" == life.fire("consent_expires").answer
    answered(life, consumer=True)
    assert "consent_expires" not in life.lead.timers


def test_a_consent_of_somebody_who_rested_ends_once_somebody_works_on_them() -> None:
    """What was recorded of a client, and of a lead that nobody has begun with, is minded from the day on which they say no."""
    for state in ("registered", "won"):
        life = answered(life_in(state), region="CA-ON", inquired_on=START.date())
        assert "consent_expires" not in life.lead.timers
        life.must(DECLINE)
        assert CALENDAR.start_of(date(2026, 7, 6)) == life.lead.timers["consent_expires"].due_at
        life.must(c.MarkWon())
        assert "consent_expires" not in life.lead.timers
        assert [] == again(life.history)


def test_a_consent_is_minded_whichever_of_its_facts_comes_last() -> None:
    """The dates from a person and the region from the next import arm the timer; an update without either leaves it alone."""
    life = answered(life_in("nurture"), inquired_on=START.date())
    assert "consent_expires" not in life.lead.timers
    life.must(update(region="CA-ON"))
    armed = life.lead.timers["consent_expires"]
    assert CALENDAR.start_of(date(2026, 7, 6)) == armed.due_at
    life.must(c.UpdateContact(contact=WORDS, modes=ALL_MODES))
    assert armed == life.lead.timers["consent_expires"]
    life.must(c.Hold(reason="manual"))
    life.must(update(region="CA-QC"))
    life.must(c.Release())
    assert "consent_expires" in life.lead.timers
    assert [] == again(life.history)


def test_a_consent_that_is_over_while_no_address_is_known_stays_over() -> None:
    """The address that the CRM brings afterwards is no mode, and a new consent brings no address that nobody knows."""
    life = answered(life_in("nurture"), region="CA-ON", inquired_on=START.date())
    without = tuple(mode for mode in ALL_MODES if mode != "email")
    life.must(c.UpdateContact(contact=WORDS, modes=without))
    assert "applied" == life.fire("consent_expires").answer
    assert (False,) == (life.lead.consent_lapsed,)
    life.must(c.UpdateContact(contact=WORDS, modes=ALL_MODES))
    assert ("email" in life.lead.modes, life.lead.consent_lapsed) == (False, True)
    life.must(c.UpdateContact(contact=WORDS, modes=without))
    answered(life, inquired_on=life.today)
    assert "email" not in life.lead.modes
    life.must(c.UpdateContact(contact=WORDS, modes=ALL_MODES))
    assert "email" in life.lead.modes
    assert [] == again(life.history)


def test_a_move_that_an_import_reports_ends_the_timer_and_gives_mail_back() -> None:
    """Whoever lives in the United States now is asked for no consent, before it was over and afterwards."""
    life = answered(life_in("nurture"), region="CA-ON", inquired_on=START.date())
    life.must(update(region="US-NY"))
    assert "consent_expires" not in life.lead.timers
    life.must(update(region="CA-ON"))
    assert "applied" == life.fire("consent_expires").answer
    life.must(update(consumer=True))
    assert ("email" in life.lead.modes, life.lead.consent_lapsed) == (False, True)
    life.must(update(region="US-NY"))
    assert ("email" in life.lead.modes, life.lead.consent_lapsed) == (True, UNSET)
    assert [] == again(life.history)


def update(**known: Any) -> c.UpdateContact:
    """Return what an import says of somebody who can be reached in all modes."""
    return c.UpdateContact(contact=WORDS, modes=ALL_MODES, law=ImportedLawFacts(**known))
