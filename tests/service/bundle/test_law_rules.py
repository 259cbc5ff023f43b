"""The verifier's own law table and rules agree with the service's, and it finds what was changed of what a decision used."""

from datetime import UTC, date, datetime, timedelta
from itertools import product
from string import ascii_uppercase
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from service.bundle import verify
from tests.service.bundle.rules import follow
from tests.workflows.life import (
    ALL_MODES,
    CALENDAR,
    DECLINE,
    PLAYBOOK,
    PURSUED,
    WORDS,
    Life,
    call_command,
    life_in,
    note_command,
    register,
    sent_command,
    touch_command,
)
from workflows import commands as c
from workflows import law, regions
from workflows import pursuit_commands as p
from workflows.cut_bait import open_modes
from workflows.events import ConsentExpired, NurtureStarted, Recorded
from workflows.handle import calendar_digest
from workflows.law_facts import ImportedLawFacts, LawFacts, LawUsed
from workflows.law_table import CURRENT, TABLES
from workflows.playbook_sections import ContactHours
from workflows.rederive import Library, rederive

CANADA = ImportedLawFacts(region="CA-ON")
REGIONS = (None, *sorted({row.region for row in CURRENT.hours} - {"*"}), "US-NY", "CA-ON", "DE", "DE-BY", "FL", "US-ON", "PR")


@pytest.mark.parametrize("region", REGIONS)
def test_both_tables_say_the_same(region: str | None) -> None:
    """The numbers of registers and consent, and the hours on each day of four years in each region that either names."""
    assert set(TABLES) == set(verify.LAW_TABLES)
    for digest, table in TABLES.items():
        theirs = verify.LAW_TABLES[digest]
        assert [theirs["register"]] == [(r.country, r.check_days, r.purchase_months, r.inquiry_months) for r in table.registers]
        assert [theirs["implied"]] == [(i.country, i.purchase_months, i.inquiry_months) for i in table.implied]
        assert theirs["express"] == table.express
        for number in range(4 * 365):
            day = date(2025, 1, 1) + timedelta(days=number)
            assert law.window(region, day, table) == verify.law_span(verify.LAW_TABLES[digest], region, day), day


def test_both_know_the_same_regions() -> None:
    """Every pair of capitals, alone and as a part of the United States, of Canada and of another country."""
    assert (regions.COUNTRIES, regions.PARTS) == (verify.COUNTRIES, verify.PARTS)
    codes = ["".join(pair) for pair in product(ascii_uppercase, repeat=2)]
    for region in (*codes, *(f"{country}-{part}" for country in ("US", "CA", "DE", "XX") for part in codes)):
        assert regions.is_known(region) == (verify.known_region(region) == region)


def findings(history: list[Recorded]) -> list[str]:
    found, _ = follow(history, playbooks=[PLAYBOOK], calendars=[CALENDAR])
    return [str(each) for each in found]


def lived(timezone: str = "America/Denver", **known: Any) -> Life:
    """Return a life that goes through what the law is asked about, refused or not."""
    life = Life()
    facts = ImportedLawFacts(**known)
    life.must(register(timezone=timezone, law=facts, modes=(*ALL_MODES, "fax")), "import")
    life.must(c.QueueRevival())
    for days in (0, 5, 30):
        life.wait(days=days)
        life.do(note_command(life), "planner")
        life.do(call_command(life), "planner")
        life.do(sent_command())
        if "call_after_note" in life.lead.timers:
            life.fire("call_after_note")
        life.do(c.RecordCall(outcome="voicemail"))
        life.do(touch_command())
        life.do(c.SendTouch(mode="fax", value_item="study", attested=PLAYBOOK.checks.touch))
        life.do(c.LeaveBreakupVoicemail(attested=("mentions_mail",)))
        life.do(c.SendBreakupEmail(monitored_reply_address=True, attested=("breakup_parts",)))
        life.do(c.RecordLaw(law=LawFacts(consents=("fax",)), evidence=None if days else WORDS))
        life.do(c.RecordLaw(law=LawFacts(dnc_checked_on=life.today, dnc_listed=days == 30)))
        life.do(c.UpdateContact(contact=WORDS, modes=(*ALL_MODES, "fax"), law=ImportedLawFacts(consumer=False)))
        life.do(c.RecordLaw(law=LawFacts(inquired_on=life.today)))
        life.do(c.RecordLaw(law=LawFacts(purchased_on=life.today - timedelta(days=1000))))
        if "consent_expires" in life.lead.timers:
            life.fire("consent_expires")
        life.do(c.RecordLaw(law=LawFacts(consents=("fax", "email")), evidence=WORDS))
    return life


@pytest.mark.parametrize("consumer", [UNSET, True])
@pytest.mark.parametrize("region", [UNSET, "US-AL", "US-FL", "CA-ON", "DE", "FL"])
def test_decisions_by_the_law_follow(region: Any, consumer: Any) -> None:
    """Whatever it refuses or lets pass, the second implementation says the same."""
    life = lived(region=region, consumer=consumer)
    assert [] == findings(life.history)
    expires = region in (UNSET, "CA-ON", "FL")
    assert expires is any(isinstance(each.data, ConsentExpired) for each in life.history)
    assert [] == findings(lived("Asia/Tokyo", region=region, consumer=consumer).history)


def test_a_changed_offset_region_or_look_up_is_found() -> None:
    """Each in the body of a note that was planned: by another clock, in another state, or never looked up, it was refused."""
    life = Life()
    known = ImportedLawFacts(region="US-CO", consumer=True)
    life.must(register(timezone="America/Denver", law=known), "import")
    life.must(c.RecordLaw(law=LawFacts(dnc_checked_on=date(2026, 1, 2), dnc_listed=False)))
    life.must(c.QueueRevival())
    life.must(note_command(life), "planner")
    assert [] == findings(life.history)
    last = life.history[-1]
    assert last.used
    assert isinstance(last.used.law, LawUsed)

    def forged(**said: Any) -> list[str]:
        assert last.used
        assert isinstance(last.used.law, LawUsed)
        return findings([*life.history[:-1], replace(last, used=replace(last.used, law=replace(last.used.law, **said)))])

    assert "contact_hours" in forged(offset=7 * 3600)[0]
    assert "used.law.offset" in forged(offset=UNSET)[0]
    assert "used.law.zones" in forged(zones=UNSET)[0]
    assert "used.law.shift_to" in forged(shift_at=datetime(2026, 1, 19, 15, tzinfo=UTC))[0]
    assert "used.law" in findings([*life.history[:-1], replace(last, used=replace(last.used, law=UNSET))])[0]
    assert "used.law.region" in forged(region="US-FL")[0]
    first, looked_up = life.history[0], life.history[1]
    old = LawFacts(dnc_checked_on=date(2025, 1, 2), dnc_listed=False)
    assert isinstance(looked_up.command, c.RecordLaw)
    never = replace(looked_up, command=replace(looked_up.command, law=old), data=replace(looked_up.data, law=old))
    assert "do_not_call_check" in " ".join(findings([first, never, *life.history[2:]]))


def test_a_consent_is_minded_alike_whichever_way_its_facts_come() -> None:
    """From a state of rest, by an import, with an address that comes and goes, and after a move."""
    for state in ("registered", "won", "nurture"):
        life = life_in(state)
        known = {"region": "CA-ON", "inquired_on": life.today} if state != "nurture" else {"inquired_on": life.today}
        life.must(c.RecordLaw(law=LawFacts(**known)))
        life.must(DECLINE if state != "nurture" else c.UpdateContact(contact=WORDS, modes=(), law=CANADA))
        assert "consent_expires" in life.lead.timers
        assert "applied" == life.fire("consent_expires").answer
        life.must(c.UpdateContact(contact=WORDS, modes=ALL_MODES))
        life.must(c.UpdateContact(contact=WORDS, modes=ALL_MODES, law=ImportedLawFacts(region="US-NY")))
        assert "email" in life.lead.modes
        assert [] == findings(life.history)
        life.must(c.UpdateContact(contact=WORDS, modes=ALL_MODES, law=CANADA))
        life.must(c.RecordLaw(law=LawFacts(inquired_on=life.today)))
        life.must(c.UpdateContact(contact=WORDS, modes=ALL_MODES, law=ImportedLawFacts(region="US-NY")))
        assert [] == findings(life.history)


def test_modes_that_the_law_refuses_are_no_way_left() -> None:
    """Without consent to mail there is no breakup to wait for, and a fax that nobody may send is nothing left to try."""
    for playbook in (PLAYBOOK, PURSUED):
        life = life_in("no_response", playbook=playbook)
        life.must(c.UpdateContact(contact=WORDS, modes=("call", "email", "fax"), law=CANADA))
        assert "fax" not in open_modes(life.lead, playbook, law.lawful_modes(life.lead, life.today, CURRENT))
        assert life.do(c.SendBreakupEmail(monitored_reply_address=True, attested=("breakup_parts",))).rule == "consent_expired"
        life.do(p.WaiveMode(mode="fax", reason=WORDS))
        life.do(c.ConfirmCutBait(choice="breakup", reason=WORDS))
        life.must(c.StartNurture())
        started = life.history[-1].data
        assert isinstance(started, NurtureStarted)
        assert started.reason == "breakup_impossible"
        life.must(c.UpdateContact(contact=WORDS, modes=("email",)))
        life.must(c.Drop(reason="no_lawful_channel"), "manager:ann")
        assert [] == follow(life.history, playbooks=[playbook], calendars=[CALENDAR])[0]
        library = Library({calendar_digest(CALENDAR): CALENDAR}, {playbook.pin.digest: playbook})
        assert () == rederive(life.history, library).mismatches


def test_a_lead_whose_decisions_name_no_table_is_counted() -> None:
    """Of a log from before the table nothing is wrong, and the report says how many decisions it could not hold against it."""
    life = Life()
    life.must(register(), "import")
    life.must(c.QueueRevival())
    life.must(note_command(life), "planner")
    old = [replace(each, used=replace(each.used, law=UNSET)) if each.used else each for each in life.history]
    found, tally = follow(old, playbooks=[PLAYBOOK], calendars=[CALENDAR])
    assert ([], 1) == (found, tally.unjudged)
    report = verify.Report()
    verify._say_what_follows(tally, report)
    assert "contact law of 1 decision: they name no law table" in report.unchecked


def test_an_import_says_no_more_than_region_and_consumer() -> None:
    """A contact's update that lifts a listing without a look-up in the command's own words is found."""
    life = Life()
    life.must(register(), "import")
    life.must(c.RecordLaw(law=LawFacts(dnc_checked_on=date(2026, 1, 2), dnc_listed=True)))
    life.must(c.UpdateContact(contact=WORDS, modes=ALL_MODES))
    assert [] == findings(life.history)
    lifted: Any = LawFacts(dnc_checked_on=date(2025, 1, 2), dnc_listed=False, consents=("fax",))
    last = life.history[-1]
    assert isinstance(last.command, c.UpdateContact)
    forged = replace(last, command=replace(last.command, law=lifted), data=replace(last.data, law=lifted))
    assert "data.law" in " ".join(findings([*life.history[:-1], forged]))


def test_a_day_on_which_clocks_change_is_judged_alike() -> None:
    """Only after the clocks in Halifax were put forward is it eight there while the rep works: the shift decides."""
    every_day = (1, 2, 3, 4, 5, 6, 7)
    calendar = replace(CALENDAR, weekdays=every_day, day_starts=0, day_ends=450)
    playbook = replace(PLAYBOOK, first_touch="call", contact_hours=ContactHours(opens=480, weekdays=every_day))
    life = Life(playbook, calendar)
    life.now = datetime(2026, 3, 8, 9, tzinfo=UTC)
    known = register(timezone="America/Halifax", law=ImportedLawFacts(region="DE"))
    life.must(known, "import")
    life.must(c.QueueRevival())
    life.must(c.ScheduleCall(call_on=life.today), "planner")
    last = life.history[-1]
    assert last.used
    assert isinstance(last.used.law, LawUsed)
    assert (-4 * 3600, datetime(2026, 3, 8, 6, tzinfo=UTC), -3 * 3600) == (
        last.used.law.offset, last.used.law.shift_at, last.used.law.shift_to,
    )  # fmt: skip
    assert ([], 3) == (follow(life.history, playbooks=[playbook], calendars=[calendar])[0], len(life.history))
    still = replace(last, used=replace(last.used, law=replace(last.used.law, shift_at=UNSET, shift_to=UNSET)))
    found, _ = follow([*life.history[:-1], still], playbooks=[playbook], calendars=[calendar])
    assert "contact_hours" in found[0]
