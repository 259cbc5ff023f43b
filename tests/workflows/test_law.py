"""Contact law: who may be called when, what a register and a consent are worth, and that a decision says what it rested on."""

from datetime import date, timedelta
from typing import Any, get_args

import msgspec
import pytest
from msgspec import UNSET
from msgspec.structs import replace

from tests.workflows.life import (
    ALL_MODES,
    CALENDAR,
    PLAYBOOK,
    START,
    WORDS,
    Life,
    call_command,
    life_in,
    note_command,
    register,
    sent_command,
)
from workflows import commands as c
from workflows import law, time_zones
from workflows.books import Book
from workflows.contact_hours import permitted
from workflows.events import CallDue, NoteScheduled, Recorded
from workflows.handle import calendar_digest
from workflows.law_facts import ImportedLawFacts, LawFacts, LawUsed
from workflows.law_table import CURRENT, DIGEST, TABLES, digest_of
from workflows.lead import Lead
from workflows.playbook_sections import ContactHours
from workflows.proposals import plan_book
from workflows.rederive import Library, rederive
from workflows.telephone import Telephone

LIBRARY = Library({calendar_digest(CALENDAR): CALENDAR}, {PLAYBOOK.pin.digest: PLAYBOOK})
WEDNESDAY, SUNDAY, MEMORIAL_DAY = date(2026, 3, 11), date(2026, 3, 15), date(2026, 5, 25)
DAY = date(2026, 6, 30)


def lead_with(**known: Any) -> Lead:
    """Return a lead of whom the law's questions are answered with *known*."""
    return replace(life_in("queued").lead, law=LawFacts(**known), modes=(*ALL_MODES, "fax", "text_message"))


def rule(lead: Lead, mode: c.Mode, day: date = DAY) -> str | None:
    refused = law.refuses(lead, mode, day, CURRENT)
    return refused.rule if refused else None


@pytest.mark.parametrize(
    ("region", "day", "span"),
    [
        ("US-CA", WEDNESDAY, (480, 1260)),
        ("US-FL", WEDNESDAY, (480, 1200)),
        ("US-FL", SUNDAY, (480, 1200)),
        ("US-AL", SUNDAY, None),
        ("US-LA", MEMORIAL_DAY, None),
        ("US-FL", MEMORIAL_DAY, (480, 1200)),
        ("US-TX", SUNDAY, (720, 1260)),
        ("CA-ON", WEDNESDAY, (540, 1290)),
        ("CA-ON", SUNDAY, (600, 1080)),
        ("DE", WEDNESDAY, (480, 1260)),
        ("US", WEDNESDAY, (600, 1080)),
        (None, WEDNESDAY, (600, 1080)),
        (None, SUNDAY, None),
        (None, MEMORIAL_DAY, None),
        ("FL", SUNDAY, None),
        ("US-ON", SUNDAY, None),
        ("PR", SUNDAY, None),
        ("US-PR", SUNDAY, (480, 1260)),
    ],
)
def test_the_table_says_when_somebody_may_be_called(region: str | None, day: date, span: tuple[int, int] | None) -> None:
    """A state's row binds beside its country's; where the region or the state is unknown, every row that may be meant does."""
    assert span == law.window(region, day, CURRENT)


def test_every_row_has_its_source_and_none_is_wider_than_the_floor() -> None:
    """No row of a state opens the floor of the United States, and old tables are found by the digest of what they say."""
    (floor,) = (row for row in CURRENT.hours if row.region == "US")
    for row in CURRENT.hours:
        assert row.source
        if row.region.startswith("US"):
            for span, most in ((row.weekday, floor.weekday), (row.saturday, floor.saturday), (row.sunday, floor.sunday)):
                assert span is None or (most and most[0] <= span[0] < span[1] <= most[1])
    assert CURRENT == TABLES[DIGEST]
    assert ["2026.1", "2026.2"] == [table.version for table in TABLES.values()]
    assert list(TABLES) == [digest_of(table) for table in TABLES.values()]


def test_public_holidays_and_the_days_on_which_they_are_kept() -> None:
    """The eleven of the United States in 2026, of which the fourth of July is a Saturday."""
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    assert [
        "2026-01-01", "2026-01-19", "2026-02-16", "2026-05-25", "2026-06-19", "2026-07-03", "2026-07-04", "2026-09-07",
        "2026-10-12", "2026-11-11", "2026-11-26", "2026-12-25",
    ] == [str(day) for day in days if law.is_holiday(day)]  # fmt: skip
    assert law.is_holiday(date(2027, 12, 31))


def test_a_playbook_can_narrow_the_law_and_not_widen_it() -> None:
    """Whatever the playbook says, the law's hours are the outer ones."""
    wide = ContactHours(opens=0, closes=1440, weekdays=(1, 2, 3, 4, 5, 6, 7))
    assert (480, 1200) == permitted(wide, WEDNESDAY, "US-FL", CURRENT)
    assert permitted(wide, SUNDAY, "US-AL", CURRENT) is None
    assert (540, 1200) == permitted(ContactHours(), WEDNESDAY, "US-CA", CURRENT)
    assert permitted(ContactHours(opens=1210, closes=1300), WEDNESDAY, "US-FL", CURRENT) is None


def test_a_consumers_number_must_have_been_looked_up() -> None:
    """31 days old is good, 32 is not; a company needs none, an unknown region does, and what is listed is never called."""
    assert "do_not_call_check" == rule(lead_with(region="US-NY", consumer=True), "call")
    assert "do_not_call_check" == rule(lead_with(consumer=True), "call")
    assert rule(lead_with(region="US-NY", consumer=False), "call") is None
    assert rule(lead_with(region="DE", consumer=True), "call") is None
    assert "do_not_call_check" == rule(lead_with(region="FL", consumer=True), "call")
    for days, expected in ((31, None), (32, "do_not_call_check")):
        checked = DAY - timedelta(days=days)
        lead = lead_with(region="US-NY", consumer=True, dnc_checked_on=checked, dnc_listed=False)
        assert expected == rule(lead, "call")
    assert "do_not_call" == rule(lead_with(region="US-NY", dnc_checked_on=DAY, dnc_listed=True, purchased_on=DAY), "call")


@pytest.mark.parametrize(
    ("fact", "last", "over"),
    [
        ({"purchased_on": date(2024, 12, 30)}, date(2026, 6, 30), date(2026, 7, 1)),
        ({"inquired_on": date(2025, 11, 30)}, date(2026, 2, 28), date(2026, 3, 1)),
    ],
)
def test_a_business_relationship_lasts_as_long_as_the_table_says(fact: dict[str, date], last: date, over: date) -> None:
    """18 months after a purchase and 3 after an inquiry no look-up is needed; a shorter month ends on its last day."""
    lead = lead_with(region="US-NY", consumer=True, **fact)
    assert (None, "do_not_call_check") == (rule(lead, "call", last), rule(lead, "call", over))


def test_implied_consent_to_mail_expires_in_canada() -> None:
    """Two years after a purchase, six months after an inquiry; then calls and post are left. An express one stays."""
    bought = lead_with(region="CA-ON", purchased_on=date(2024, 7, 1))
    assert date(2026, 7, 1) == law.consent_expires_on(law.law_of(bought), CURRENT)
    assert (None, "consent_expired") == (rule(bought, "email", date(2026, 7, 1)), rule(bought, "email", date(2026, 7, 2)))
    assert "email" not in law.lawful_modes(bought, date(2026, 7, 2), CURRENT)
    assert {"call", "handwritten_note", "courier"} <= set(law.lawful_modes(bought, date(2026, 7, 2), CURRENT))
    asked = lead_with(region="CA-ON", inquired_on=date(2026, 1, 31))
    assert (None, "consent_expired") == (rule(asked, "email", date(2026, 7, 31)), rule(asked, "email", date(2026, 8, 1)))
    assert "consent_expired" == rule(lead_with(region="CA-ON"), "email")
    assert rule(lead_with(region="CA-ON", consents=("email",)), "email") is None
    assert rule(lead_with(region="US-NY"), "email") is None


def test_fax_and_text_messages_are_off_without_express_consent() -> None:
    """Everywhere, until a consent is recorded for that mode."""
    for mode in ("fax", "text_message"):
        assert "express_consent" == rule(lead_with(region="DE"), mode)
        assert rule(lead_with(region="DE", consents=(mode,)), mode) is None


def test_do_not_contact_ends_every_mode_notes_and_post_included() -> None:
    """An objection to direct marketing is to all of it: nothing can be planned, sent or called from any state."""
    life = life_in("note_due")
    life.must(c.OptOut())
    assert ("do_not_contact", ()) == (life.lead.state, life.lead.modes)
    assert tuple(sorted(get_args(c.Mode))) == life.lead.modes_refused
    for command in (note_command(life), sent_command(), call_command(life), c.SendNurtureTouch(mode="post", asset="paper")):
        assert ("refused", "no_transition") == (life.do(command).answer, life.history[-1].data.rule)  # type: ignore[union-attr]
    life = life_in("note_due")
    life.must(c.OptOut(channel="post"))
    assert "note_wanted" == life.do(sent_command()).rule


def answered(life: Life, **known: Any) -> Life:
    """Answer the law's questions of *life*'s lead."""
    life.must(c.RecordLaw(law=LawFacts(**known)))
    return life


def test_what_is_recorded_is_the_leads_and_stays_until_it_is_said_anew() -> None:
    """An import says the region, a person the rest; what is unset stays, and bodies without any hold no word of it."""
    life = Life()
    life.must(register(law=ImportedLawFacts(region="US-FL")), "import")
    answered(life, consumer=True)
    life.must(c.UpdateContact(contact=WORDS, modes=ALL_MODES))
    assert LawFacts(region="US-FL", consumer=True) == life.lead.law
    life.must(c.UpdateContact(contact=WORDS, modes=ALL_MODES, law=ImportedLawFacts(region="US-GA")))
    assert LawFacts(region="US-GA", consumer=True) == life.lead.law
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert({"dnc_checked_on": "2025-01-05", "dnc_listed": False, "consents": ["fax"]}, ImportedLawFacts)
    plain = Life()
    plain.must(register(law=UNSET), "import")
    assert b"law" not in msgspec.json.encode(plain.history[0])
    assert plain.lead.law is UNSET


def test_an_older_look_up_does_not_replace_a_newer_one() -> None:
    """A list that is typed in late does not make a number callable again."""
    life = answered(life_in("queued"), dnc_checked_on=START.date(), dnc_listed=True)
    late = life.do(c.RecordLaw(law=LawFacts(dnc_checked_on=START.date() - timedelta(days=3), dnc_listed=False)))
    assert ("refused", "newer_check") == (late.answer, late.rule)
    assert "do_not_call" == life.do(note_command(life), "planner").rule


def test_a_promised_call_waits_for_the_look_up_and_is_asked_for_again() -> None:
    """Refused on its day with what to do, asked again the next working day; once the number was looked up, it is due."""
    life = life_in("note_sent")
    answered(life, region="US-NY", consumer=True)
    refused = life.fire("call_after_note")
    assert ("refused", "do_not_call_check") == (refused.answer, refused.rule)
    assert "thaw law dnc-checked" in str(refused.reason)
    answered(life, dnc_checked_on=life.today, dnc_listed=False)
    assert "applied" == life.fire("call_after_note").answer
    assert isinstance(life.history[-1].data, CallDue)


def test_calls_follow_the_region_on_their_day() -> None:
    """A Monday that is a public holiday is no day for a call in Alabama, and one in Florida."""
    for region, rules in (("US-AL", "contact_hours"), ("US-FL", None)):
        life = answered(life_in("queued"), region=region)
        life.now += timedelta(days=7)
        holiday = c.ScheduleNote(note_on=date(2026, 1, 12), call_on=date(2026, 1, 19))
        assert rules == life.do(holiday, "planner").rule


def planned(lead: Lead, given: LawUsed | None = None) -> tuple[tuple[Any, ...], Any]:
    """Return whom the plan of the first Monday writes to, and what it rested on."""
    hours = Telephone(CALENDAR, PLAYBOOK, given)
    event, _ = plan_book(Book(queued=(lead,)), CALENDAR, PLAYBOOK, hours, CALENDAR.moment(date(2026, 1, 12), 360), 0)
    return event.notes, hours.used()


def test_the_plan_leaves_out_whom_the_law_forbids_to_call_on_the_promised_day() -> None:
    """Alabama's holiday, a number that was never looked up: no note is written that promises what may not be done."""
    lead = life_in("queued").lead
    for known, number in (
        ({"region": "US-FL"}, 1),
        ({"region": "US-AL"}, 0),
        ({"region": "US-FL", "consumer": True}, 0),
        ({"region": "US-FL", "consumer": True, "inquired_on": date(2025, 12, 1)}, 1),
    ):
        notes, used = planned(replace(lead, law=LawFacts(**known), timezone="America/Denver"))
        assert number == len(notes)
        assert LawUsed(table=DIGEST, zones=time_zones.zone_database(), offsets={"America/Denver 2026-01-19": -7 * 3600}) == used


def test_whom_nobody_can_call_in_working_hours_is_reached_otherwise() -> None:
    """In Singapore it is night while the rep works: the call that is due next by the playbook does not hold up the mail."""
    lead = replace(life_in("no_response").lead, law=LawFacts(region="SG"), last_mode="handwritten_note")
    lead = replace(lead, score=life_in("queued").lead.score, modes_tried=("handwritten_note",))
    due = CALENDAR.moment(date(2026, 3, 9), 360)
    for timezone, modes, proposed in (
        ("America/New_York", ("call", "email", "courier"), c.ScheduleCall),
        ("Asia/Singapore", ("call", "email", "courier"), c.ScheduleTouch),
        ("Asia/Singapore", ("call",), None),
    ):
        playbook = replace(PLAYBOOK, first_touch="call")
        book = Book(silent=(replace(lead, timezone=timezone, modes=modes),))
        _, found = plan_book(book, CALENDAR, playbook, Telephone(CALENDAR, playbook, None), due, 0)
        assert [proposed] * bool(proposed) == [type(each.command) for each in found]


def test_a_plan_made_again_takes_the_clock_that_was_recorded() -> None:
    """The offsets in the plan decide, not the time zones of the machine that asks."""
    lead = replace(life_in("queued").lead, law=LawFacts(region="US-FL"), timezone="America/Denver")
    moved = LawUsed(table=DIGEST, offsets={"America/Denver 2026-01-19": 7 * 3600})
    notes, used = planned(lead, moved)
    assert ((), moved) == (notes, used)


def again(history: list[Recorded]) -> list[tuple[str, str, str]]:
    """Derive *history* again and return what came out otherwise."""
    return [(each.field, each.recorded, each.derived) for each in rederive(history, LIBRARY).mismatches]


def noted(**known: Any) -> Life:
    """Return a lead in Denver whose note is planned."""
    life = Life()
    life.must(register(timezone="America/Denver", law=ImportedLawFacts(**known) if known else UNSET), "import")
    life.must(c.QueueRevival())
    life.must(note_command(life), "planner")
    return life


def forged(life: Life, **said: Any) -> list[Recorded]:
    """Return the history with other words in what its last decision rested on."""
    last = life.history[-1]
    assert last.used
    assert last.used.law
    return [*life.history[:-1], replace(last, used=replace(last.used, law=replace(last.used.law, **said)))]


def test_a_decision_is_made_again_by_the_clock_that_it_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A government moves its clocks by half a day: what was decided stands. A recorded offset that was changed is found."""
    life = noted(region="US-CO")
    used = life.history[-1].used
    assert used
    assert LawUsed(table=DIGEST, region="US-CO", zones=time_zones.zone_database(), offset=-7 * 3600) == used.law
    monkeypatch.setattr(time_zones, "zone_named", lambda _: None)
    monkeypatch.setattr(time_zones, "zone_database", lambda: "1970a")
    assert [] == again(life.history)
    assert [("event", "note_scheduled", "command_refused")] == again(forged(life, offset=7 * 3600))
    assert [("used.law.region", '"US-FL"', '"US-CO"')] == again(forged(life, region="US-FL"))
    assert ["used.law.offset"] == [field for field, _, _ in again(forged(life, offset=UNSET))]
    assert ["used.law.zones"] == [field for field, _, _ in again(forged(life, zones=UNSET))]
    assert ["used.law.table"] == [field for field, _, _ in again(forged(life, table="0" * 64))]


def test_a_decision_that_leaves_out_its_table_after_another_named_one_is_found() -> None:
    """Without the word of law in it alone, a later decision would be held against no law at all."""
    life = Life()
    life.must(register(), "import")
    answered(life, region="US-CO")
    life.must(c.QueueRevival())
    life.must(note_command(life), "planner")
    assert [] == again(life.history)
    last = life.history[-1]
    assert last.used
    bare = replace(last, used=replace(last.used, law=UNSET))
    assert ["used.law"] == [field for field, _, _ in again([*life.history[:-1], bare])]


def test_a_decision_of_before_the_table_is_made_again_without_it() -> None:
    """An old log has no word of law in it, and comes out as it was recorded: the hours of the playbook alone decided."""
    life = noted()
    old = [replace(each, used=replace(each.used, law=UNSET)) if each.used else each for each in life.history]
    assert [] == again(old)
    assert isinstance(old[-1].data, NoteScheduled)
