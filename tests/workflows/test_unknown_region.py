"""Mail to somebody who nobody knows to live anywhere: as strict as the strictest row, and no lead is stranded by it."""

from datetime import date, timedelta
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from tests.service.bundle.rules import follow
from tests.workflows.life import (
    ALL_MODES,
    CALENDAR,
    DECLINE,
    PLAYBOOK,
    START,
    VOICEMAIL,
    WORDS,
    Life,
    call_command,
    life_in,
    queue_breakup_mail,
    queue_nurture_mail,
    register,
    touch_command,
)
from tests.workflows.promotion import KNOWN, RULES
from tests.workflows.test_law import again
from workflows import commands as c
from workflows import law
from workflows.audience import Asked, Audience, rows_of
from workflows.commands import Mode
from workflows.context import Context
from workflows.events import ConsentExpired, ContactUpdated, NurtureStarted
from workflows.law_facts import ImportedLawFacts, LawFacts, LawUsed
from workflows.law_table import CURRENT, DIGEST, LAW_2026_1, TABLES, digest_of
from workflows.lead import Lead
from workflows.mail_commands import SendMail
from workflows.proposals import next_mode

DAY = date(2026, 6, 30)
ASKED = Asked(START.date() - timedelta(days=9), START.date(), ("declined",))


class Before(Life):
    """A life under the table that asked for nothing where the region was unknown."""

    def context(self, actor: str = "rep:dan") -> Context:
        return replace(super().context(actor), law=LawUsed(table=digest_of(LAW_2026_1)))


def nowhere(life: Life) -> Life:
    """Have nobody know where the lead of *life* lives."""
    life.must(c.RecordLaw(law=LawFacts(region="FL")))
    return life


def lead_with(**known: Any) -> Lead:
    return replace(life_in("queued").lead, law=LawFacts(**known))


def rule(lead: Lead, mode: Mode = "email", day: date = DAY) -> str | None:
    refused = law.refuses(lead, mode, day, CURRENT)
    return refused.rule if refused else None


@pytest.mark.parametrize("known", [{}, {"region": "FL"}, {"region": "US-ON"}, {"consumer": True, "consents": ("fax",)}])
def test_mail_to_an_unknown_region_needs_the_strictest_consent(known: dict[str, Any]) -> None:
    """As in Canada: two years after a purchase, six months after an inquiry, or an express one; calls and post are left."""
    assert "region_unknown" == rule(lead_with(**known))
    bought = lead_with(**known, purchased_on=date(2024, 6, 30))
    assert (None, "region_unknown") == (rule(bought), rule(bought, day=DAY + timedelta(days=1)))
    asked = lead_with(**known, inquired_on=date(2025, 12, 30))
    assert (None, "region_unknown") == (rule(asked), rule(asked, day=DAY + timedelta(days=1)))
    assert (DAY, DAY) == tuple(law.consent_expires_on(law.law_of(each), CURRENT) for each in (bought, asked))
    assert rule(lead_with(**known | {"consents": ("email",)})) is None
    left = set(law.lawful_modes(replace(bought, modes=ALL_MODES), DAY + timedelta(days=1), CURRENT))
    assert {"handwritten_note", "courier"} <= left <= set(ALL_MODES) - {"email"}
    assert law.refuses(lead_with(**known), "email", DAY, LAW_2026_1) is None


def test_of_several_rows_on_consent_each_has_to_allow_it() -> None:
    """A stricter country, once it has a row, is the one that counts where nobody knows which it is."""
    (canada,) = CURRENT.implied
    stricter = replace(CURRENT, implied=(canada, replace(canada, country="DE", purchase_months=1, inquiry_months=12)))
    bought, asked = lead_with(purchased_on=date(2026, 5, 1)), lead_with(inquired_on=date(2026, 5, 1))
    ends = [law.consent_expires_on(law.law_of(each), stricter) for each in (bought, asked)]
    assert [date(2026, 6, 1), date(2026, 11, 1)] == ends
    assert law.refuses(bought, "email", date(2026, 6, 2), stricter)
    assert not law.refuses(replace(bought, law=LawFacts(region="CA", purchased_on=date(2026, 5, 1))), "email", DAY, stricter)


def test_the_refusal_says_what_would_help() -> None:
    """That the region is not known, which command says it, and which ways are left."""
    never, over = (
        law.refuses(lead_with(), "email", DAY, CURRENT),
        law.refuses(lead_with(region="FL", inquired_on=date(2025, 1, 5)), "email", DAY, CURRENT),
    )
    assert never
    assert over
    for part in (
        "Nobody knows where they live, ",
        "no purchase and no inquiry",
        "`thaw law set LEAD --region US-FL`",
        "import",
    ):
        assert part in never.reason
    assert "record their consent with `--consent email --evidence TEXT`; or call or write by post" in never.reason
    assert "(FL is no region)" in over.reason
    assert "expired on Sat 5 Jul 2025" in over.reason
    assert ({"region": None, "consent_expires_on": None}, {"region": "FL", "consent_expires_on": "2025-07-05"}) == (
        never.inputs, over.inputs,
    )  # fmt: skip


def test_every_way_in_which_mail_goes_out_asks() -> None:
    """A touch, one that is planned, what nurture sends by hand and by itself, both breakups, and the moment of sending."""
    silent = nowhere(life_in("no_response")).wait(days=5)
    planned = c.ScheduleTouch(touch_on=CALENDAR.on_or_after(silent.today), mode="email", value_item="study")
    breakups = (c.SendBreakupEmail(monitored_reply_address=True), queue_breakup_mail())
    for command in (touch_command(), planned, *breakups):
        assert "region_unknown" == silent.do(command).rule
    nurtured = nowhere(life_in("nurture")).wait(days=40)
    by_hand = c.SendNurtureTouch(mode="email", asset="study", attested=PLAYBOOK.checks.nurture)
    for touch in (by_hand, queue_nurture_mail(nurtured)):
        assert "region_unknown" == nurtured.do(touch).rule
    queued = life_in("nurture")
    mail = queue_nurture_mail(queued)
    queued.must(mail)
    nowhere(queued)
    assert "region_unknown" == queued.do(SendMail(mail=mail.mail, purpose="nurture", attempt=1)).rule
    for life in (silent, nurtured, queued):
        assert [] == again(life.history)
        assert [] == follow(life.history, playbooks=[PLAYBOOK], calendars=[CALENDAR])[0]


def test_a_letter_by_mail_waits_until_somebody_says_where() -> None:
    """The draw says why, and the next one takes in whose region is known by then."""
    rules, declined = replace(RULES, mode="email"), life_in("declined").lead

    def drawn(lead: Lead, table: Any = CURRENT) -> tuple[str, str | None]:
        (row,) = rows_of(Audience(leads=(lead,), people={lead.id: KNOWN}), ASKED, rules, START.date(), table)
        return row.status, row.reason

    unknown = replace(declined, law=UNSET)
    assert ("excluded", "region_unknown") == drawn(unknown)
    assert ("waiting", None) == drawn(replace(declined, law=LawFacts(region="US")))
    assert ("waiting", None) == drawn(unknown, LAW_2026_1)


def test_nobody_is_stranded() -> None:
    """Calls go on, a breakup is not waited for, nurture goes by post, and whoever can only be mailed still has a timer."""
    life = nowhere(life_in("no_response")).wait(days=8)
    life.must(c.UpdateContact(contact=WORDS, modes=("call", "email", "post")))
    assert "call" == next_mode(life.lead, PLAYBOOK, life.today, CURRENT)
    life.must(call_command(life), "planner")
    life.must(VOICEMAIL)
    life.must(c.UpdateContact(contact=WORDS, modes=("email", "post")))
    assert next_mode(life.lead, PLAYBOOK, life.today, CURRENT) is None
    life.must(c.StartNurture())
    started = life.history[-1].data
    assert isinstance(started, NurtureStarted)
    assert "breakup_impossible" == started.reason
    assert "applied" == life.fire("nurture_touch").answer
    life.must(c.SendNurtureTouch(mode="post", asset="study", attested=PLAYBOOK.checks.nurture))
    life.must(c.UpdateContact(contact=WORDS, modes=("email",)))
    for _ in range(3):
        assert "applied" == life.fire("nurture_touch").answer
        assert {"nurture_touch", "nurture_floor"} <= set(life.lead.timers)
    life.must(c.RecordLaw(law=LawFacts(region="US-NY")))
    life.must(c.SendNurtureTouch(mode="email", asset="tour", attested=PLAYBOOK.checks.nurture))
    assert [] == again(life.history)
    assert [] == follow(life.history, playbooks=[PLAYBOOK], calendars=[CALENDAR])[0]


def test_a_consent_of_somebody_who_lives_nowhere_ends_and_comes_back_with_the_region() -> None:
    """The same timer as in Canada takes mail from the modes; a region that asks for no consent gives it back."""
    life = nowhere(life_in("nurture"))
    life.must(c.RecordLaw(law=LawFacts(inquired_on=START.date())))
    assert CALENDAR.start_of(date(2026, 7, 6)) == life.lead.timers["consent_expires"].due_at
    assert "applied" == life.fire("consent_expires").answer
    assert ConsentExpired(expired_on=date(2026, 7, 5)) == life.history[-1].data
    assert "email" not in life.lead.modes
    life.must(c.UpdateContact(contact=WORDS, modes=ALL_MODES, law=ImportedLawFacts(region="US-NY")))
    assert ("email" in life.lead.modes, "consent_expires" in life.lead.timers) == (True, False)
    assert [] == again(life.history)
    assert [] == follow(life.history, playbooks=[PLAYBOOK], calendars=[CALENDAR])[0]


def test_a_region_that_only_the_mapping_names_gives_way_to_one_that_is_known() -> None:
    """What a person or a row said stays; what the mapping named before is corrected; and an unknown one is filled in."""
    life = Life()
    life.must(register(law=ImportedLawFacts(region="US", region_assumed=True)), "import")
    told: list[tuple[ImportedLawFacts, str]] = [
        (ImportedLawFacts(region="CA", region_assumed=True, assumed_before="US"), "CA"),
        (ImportedLawFacts(region="CA-ON"), "CA-ON"),
        (ImportedLawFacts(region="US", region_assumed=True, assumed_before="CA", consumer=True), "CA-ON"),
        (ImportedLawFacts(region="US", region_assumed=True), "CA-ON"),
    ]
    for said, region in told:
        life.must(c.UpdateContact(contact=WORDS, modes=ALL_MODES, law=said))
        assert region == law.region_of(life.lead)
    assert law.law_of(life.lead).consumer
    nowhere(life).must(c.UpdateContact(contact=WORDS, modes=ALL_MODES, law=ImportedLawFacts(region="US", region_assumed=True)))
    assert "US" == law.region_of(life.lead)
    assert [] == again(life.history)
    assert [] == follow(life.history, playbooks=[PLAYBOOK], calendars=[CALENDAR])[0]
    last = life.history[-3]
    assert isinstance(last.data, ContactUpdated)
    other = replace(last, data=replace(last.data, law=LawFacts(region="US")))
    forged = [other if each is last else each for each in life.history]
    assert "data.law" in str(follow(forged, playbooks=[PLAYBOOK], calendars=[CALENDAR])[0])


def lived(life: Life) -> Life:
    """Return *life* gone through mail to somebody who lives nowhere, some of it by an inquiry of the day."""
    life.must(register(law=UNSET), "import")
    life.must(DECLINE)
    life.must(c.StartNurture())
    life.do(queue_nurture_mail(life))
    life.do(c.RecordLaw(law=LawFacts(inquired_on=life.today)))
    life.wait(days=40).do(c.SendNurtureTouch(mode="email", asset="tour", attested=PLAYBOOK.checks.nurture))
    life.wait(days=200).do(c.SendNurtureTouch(mode="email", asset="video", attested=PLAYBOOK.checks.nurture))
    return life


def test_what_the_table_before_allowed_still_follows_from_it() -> None:
    """By core and verifier alike; under today's digest both say that the mail would have been refused."""
    before, now = lived(Before()), lived(Life())
    mailed = [each for each in before.history if each.data.__struct_config__.tag == "mail_queued"]
    assert [digest_of(LAW_2026_1)] == [each.used.law.table for each in mailed if each.used and each.used.law]
    assert "consent_expires" not in before.lead.timers
    assert "consent_expires" in now.lead.timers
    for life in (before, now):
        assert [] == again(life.history)
        assert [] == follow(life.history, playbooks=[PLAYBOOK], calendars=[CALENDAR])[0]
    assert {digest_of(LAW_2026_1), DIGEST} == set(TABLES)
    (mail,) = mailed
    assert mail.used
    newer = replace(mail, used=replace(mail.used, law=LawUsed(table=DIGEST)))
    forged = [newer if each is mail else each for each in before.history]
    assert [("event", "mail_queued", "command_refused")] == again(forged)
    assert "region_unknown" in str(follow(forged, playbooks=[PLAYBOOK], calendars=[CALENDAR])[0])
