"""The consent to mail that a purchase or an inquiry implies: it ends on its day, and comes back with a new one."""

from datetime import date, timedelta

from msgspec import UNSET

from tests.workflows.life import ALL_MODES, CALENDAR, START, WORDS, life_in
from tests.workflows.test_law import again, answered
from workflows import commands as c
from workflows.events import ConsentExpired
from workflows.law_facts import LawFacts


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
