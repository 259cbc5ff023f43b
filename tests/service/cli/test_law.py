"""``thaw law``: what is known of a person is typed, shown, and decides; wrong input is one sentence and changes nothing."""

from datetime import date, timedelta

import msgspec
import pytest
from msgspec import UNSET

from service import law_words
from service.calendars import freeze_calendar
from tests.service.cli.test_homework import study
from tests.service.world import MONDAY, World
from workflows import contact_hours, law, law_table, telephone, time_zones
from workflows.commands import SetCalendar
from workflows.events import event_type
from workflows.law_facts import ImportedLawFacts, LawFacts
from workflows.law_table import CURRENT, DIGEST, TABLES, digest_of
from workflows.rep import rep_id
from workflows.time_zones import zone_database


@pytest.fixture
def known(world: World) -> World:
    """One lead in Illinois, whose note is due."""
    world.rep()
    world.register(1)
    world.at(MONDAY + timedelta(days=1))
    return world


def test_a_look_up_is_recorded_and_decides_whether_a_note_may_promise_a_call(known: World) -> None:
    with known.worker():
        known.ok("law", "set", "V-0000", "--region", "US-FL", "--consumer")
        said = known.refused(1, "note-sent", "V-0000", "--attest-all")
        assert "must have been looked up in the do-not-call register within 31 days before the call" in said
        known.ok("law", "dnc-checked", "V-0000", "--on", "2026-01-02", "--listed")
        assert "The number is on the do-not-call register" in known.refused(1, "note-sent", "V-0000", "--attest-all")
        known.ok("law", "dnc-checked", "V-0000", "--on", "2026-01-06", "--clear")
        late = known.refused(1, "law", "dnc-checked", "V-0000", "--on", "2026-01-05", "--listed")
        assert "A newer look-up, of Tue 6 Jan 2026, is recorded already" in late
        known.ok("note-sent", "V-0000", "--attest-all")
    (lead,) = known.leads
    facts = known.lead(lead).law
    assert isinstance(facts, LawFacts)
    assert ("US-FL", True, False) == (facts.region, facts.consumer, facts.dnc_listed)
    known.ok("rederive", "--all")


def test_what_the_law_says_of_a_lead_is_shown(known: World) -> None:
    with known.worker():
        known.ok("law", "set", "V-0000", "--region", "CA-ON", "--inquired-on", "2025-08-01")
    shown = known.said("law", "show", "V-0000", "--on", "2026-02-02")
    assert ("2026-02-01", [540, 1290]) == (shown["consent_expires_on"], shown["call_hours"])
    assert {"handwritten_note": None, "call": None, "email": "consent_expired", "post": None} == {
        each["mode"]: each["rule"] for each in shown["modes"]
    }
    assert "expired on Sun 1 Feb 2026" in known.ok("law", "show", "V-0000", "--on", "2026-02-02")
    with known.worker():
        known.ok("law", "set", "V-0000", "--consent", "email", "--evidence", "her letter of 4 January")
    assert [None] * 4 == [each["rule"] for each in known.said("law", "show", "V-0000", "--on", "2026-02-02")["modes"]]


def test_the_table_names_its_sources_and_what_an_unknown_region_comes_to(world: World) -> None:
    lines = world.ok("law", "table").splitlines()
    assert all(line[:8].strip() and not {"[", "]"} & set(line) for line in lines[1:])
    florida = (
        "US-FL    08:00 to 20:00; Saturday 08:00 to 20:00; Sunday 08:00 to 20:00 - source: Fla. Stat. 501.616(6)(a) (read at "
    )
    assert any(line.startswith(florida) for line in lines)
    unknown = [" ".join(line.split()) for line in lines if line.startswith("unknown")]
    assert [
        "unknown 10:00 to 18:00; Saturday 10:00 to 17:00; Sunday no calls, not on public holidays",
        "unknown consumers: do-not-call look-up within 31 days, but for 18 months after a purchase, 3 after an inquiry",
        "unknown mail: 24 months after a purchase, 6 after an inquiry, or express consent",
    ] == [line.partition(" - ")[0] for line in unknown]
    table = world.said("law", "table")
    assert all(row["source"] for row in table["table"]["hours"])
    assert 64 == len(table["digest"])
    assert ([600, 1080], False) == (table["unknown"]["hours"]["weekday"], table["unknown"]["hours"]["holidays"])
    assert (["CA"], "US") == ([row["country"] for row in table["unknown"]["implied"]], table["unknown"]["register"]["country"])


def test_what_is_known_is_said_in_words_with_who_said_it(known: World) -> None:
    """Nobody has to know what True of consumer means; and a day without an hour for calls is not called lawful."""
    with known.worker():
        said = known.ok("law", "set", "V-0000", "--region", "US-AL", "--consumer", "--purchased-on", "2025-09-01")
        assert (
            "Calls by their own clock, region US-AL: 08:00 to 20:00; Saturday 08:00 to 20:00; Sunday no calls, not on public "
            "holidays."
        ) in said
        known.ok("law", "dnc-checked", "V-0000", "--on", "2026-01-05", "--clear")
    lines = known.ok("law", "show", "V-0000", "--on", "2026-05-25").splitlines()
    assert lines[0] == "Ada Amberfield on Mon 2026-05-25, by law table 2026.2"
    assert lines[1].startswith("known: region US-AL (by rep:dan on Tue 2026-01-06, event 4); a consumer; last purchase on ")
    assert lines[1].endswith("looked up in the do-not-call register on Mon 2026-01-05, not listed")
    assert "calls by their own clock: no calls" in lines
    assert "call: No calls on Mon 2026-05-25, a public holiday, by the rows US-AL. (contact_hours)" in lines
    shown = known.said("law", "show", "V-0000", "--on", "2026-05-25")
    assert ("contact_hours", None) == (shown["modes"][1]["rule"], shown["call_hours"])
    assert "a Sunday, by the rows US-AL" in known.ok("law", "show", "V-0000", "--on", "2026-05-24")
    with known.worker():
        assert "region CA, the country and not US-CA: 09:00 to 21:30" in known.ok("law", "set", "V-0000", "--region", "CA")


def test_a_region_that_only_the_mapping_names_is_shown_as_such(world: World) -> None:
    world.rep()
    world.register(1, law=ImportedLawFacts(region="US", region_assumed=True))
    world.work()
    shown = world.ok("law", "show", "V-0000")
    assert "region US, of which no state is known (by import on Mon 2026-01-05, event 1, " in shown
    assert "event 1, as the mapping says of rows that name none)" in shown


def test_of_a_past_day_what_was_recorded_by_then_is_shown(known: World) -> None:
    known.at(MONDAY + timedelta(days=3))
    with known.worker():
        known.ok("law", "set", "V-0000", "--region", "US-FL", "--consumer")
    then, now = (known.ok("law", "show", "V-0000", "--on", day).splitlines() for day in ("2026-01-07", "2026-01-08"))
    assert then[0] == "Ada Amberfield on Wed 2026-01-07, as recorded by the end of that day, by law table 2026.2"
    assert then[1].startswith("known: region US-IL (by import on Mon 2026-01-05, event 1)")
    assert "a consumer" not in then[1]
    assert "region US-FL" in now[1]
    assert "a consumer" in now[1]
    assert "--on 2025-12-31: nothing was recorded by then" in known.refused(2, "law", "show", "V-0000", "--on", "2025-12-31")


def test_where_nobody_knows_where_they_live_mail_is_refused_with_what_would_help(world: World) -> None:
    """By hand, on the sheet, in `law show`; the month's touch goes by post."""
    world.rep()
    world.take_in(law=UNSET, queued=False, modes=("call", "email", "post"))
    world.take_in(law=UNSET, queued=False, modes=("email",))
    with world.worker():
        for key in ("V-0000", "V-0001"):
            world.ok("decline", key, "--kind", "no", "--stated-reason", "price")
            study(world, key)
            world.ok("nurture", "start", key)
    world.at(MONDAY + timedelta(days=40))
    assert "region unknown" in world.ok("law", "show", "V-0000")
    with world.worker():
        refused = world.refused(1, "nurture", "touch", "V-0000", "--mode", "email", "--asset", "market-report", "--attest-all")
        assert "refused (region_unknown): Nobody knows where they live, so mail needs the consent" in refused
        assert "`thaw law set LEAD --region US-FL`" in refused
    sheet = world.ok("today")
    assert "this month's touch is owed: post" in sheet
    assert "post is not permitted, and mail is not: Nobody knows where they live" in " ".join(sheet.split())
    with world.worker():
        world.ok("law", "set", "V-0000", "--region", "US-NY")
    assert "this month's touch is owed: email" in world.ok("today")
    world.ok("verify")
    world.ok("rederive", "--all")


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (("law", "set", "V-0000", "--region", "Florida"), "--region Florida: write it by ISO 3166-2"),
        (("law", "set", "V-0000", "--region", "FL"), "--region FL: write US-FL"),
        (("law", "set", "V-0000"), "say something: --region"),
        (("law", "set", "V-0000", "--consent", "fax"), "--consent needs --evidence"),
        (("law", "set", "nobody", "--region", "US"), "nobody"),
        (("law", "dnc-checked", "V-0000", "--on", "2026-01-02"), "Name --clear or --listed"),
        (("law", "dnc-checked", "V-0000", "--on", "soon", "--clear"), "soon"),
    ],
)
def test_wrong_input_is_one_sentence_and_changes_nothing(known: World, typed: tuple[str, ...], says: str) -> None:
    before = len(known.events(known.leads[0]))
    assert says in known.refused(2, *typed)
    assert before == len(known.events(known.leads[0]))


def test_a_look_up_of_tomorrow_is_refused(known: World) -> None:
    with known.worker():
        assert "still to come" in known.refused(1, "law", "dnc-checked", "V-0000", "--on", "2026-01-09", "--clear")


def test_why_not_names_rule_region_local_time_and_the_next_opening(world: World) -> None:
    """A rep who works on a public holiday writes no note to Alabama that promises a call on it."""
    calendar = freeze_calendar("", "", "America/New_York", date(2025, 1, 1), date(2028, 12, 31))
    world.hand_in(rep_id("dan"), SetCalendar(rep="dan", calendar=calendar, playbook="five-five-five"))
    world.at(MONDAY + timedelta(days=7))
    world.register(1, law=ImportedLawFacts(region="US-AL"))
    world.at(MONDAY + timedelta(days=7, hours=6))
    (reason, *_) = world.said("why-not", "V-0000", "--on", "2026-01-12")["reasons"]
    assert reason == (
        "it could not be called: contact_hours, in US-AL: Mon 2026-01-19 has no hour for a call; it was 07:00 there as dan's "
        "day began, and the next opens on Tue 2026-01-20 at 09:00 there"
    )
    with world.worker():
        world.ok("law", "set", "V-0000", "--consumer", "--region", "US-FL")
    world.at(MONDAY + timedelta(days=8))
    (reason, *_) = world.said("why-not", "V-0000", "--on", "2026-01-13")["reasons"]
    assert reason.startswith(
        "it could not be called: do_not_call_check, in US-FL: A consumer's number must have been looked up"
    )


def test_why_not_tells_of_a_past_plan_by_the_table_and_the_clocks_of_that_plan(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Law and time zones change; what a plan did is explained by what it went by."""
    calendar = freeze_calendar("", "", "America/New_York", date(2025, 1, 1), date(2028, 12, 31))
    world.hand_in(rep_id("dan"), SetCalendar(rep="dan", calendar=calendar, playbook="five-five-five"))
    world.at(MONDAY + timedelta(days=5))
    world.register(1, law=LawFacts(region="US-AL"))
    world.at(MONDAY + timedelta(days=7, hours=6))
    then = world.said("why-not", "V-0000", "--on", "2026-01-12")["reasons"]
    newer = msgspec.structs.replace(CURRENT, hours=tuple(row for row in CURRENT.hours if row.region == "*"), registers=())
    monkeypatch.setitem(TABLES, digest_of(newer), newer)
    for module in (law_table, contact_hours, law, law_words, telephone):
        for name, value in (("CURRENT", newer), ("DIGEST", digest_of(newer))):
            monkeypatch.setattr(module, name, value, raising=False)
    zone_named = time_zones.zone_named
    monkeypatch.setattr(time_zones, "zone_named", lambda name: zone_named(name.replace("Chicago", "Denver")))
    (reason, *_) = world.said("why-not", "V-0000", "--on", "2026-01-12")["reasons"]
    assert reason.startswith("it could not be called: contact_hours, in US-AL: Mon 2026-01-19")
    assert reason.partition(", and the next")[0] == then[0].partition(", and the next")[0]


def test_why_names_the_table_and_the_rows_that_decided(known: World) -> None:
    """The version, the rows with their sources, the clock that was read and the version of its zone database."""
    lines = [" ".join(line.split()) for line in known.ok("why", "V-0000", "3").splitlines()]
    assert f"law table 2026.2, hours by the rows US; SHA-256 {DIGEST}" in lines
    assert any(line.startswith("hours: row US, 47 CFR 64.1200(c)(1)") for line in lines)
    assert any(line.startswith("do-not-call register: row US, ") for line in lines)
    assert f"their clock in US-IL: UTC-06:00, zone database {zone_database()}" in lines
    with known.worker():
        known.ok("note-sent", "V-0000", "--attest-all")
    assert f"table 2026.2, hours by the rows US; SHA-256 {DIGEST}" in known.ok("explain", "V-0000")


def test_a_consent_that_ends_takes_mail_from_the_lead_by_itself(known: World) -> None:
    """The timer is a row of messages like any other; what it leaves verifies and derives again."""
    with known.worker():
        known.ok("law", "set", "V-0000", "--region", "CA-ON", "--inquired-on", "2025-07-10")
    (lead,) = known.leads
    assert "email" in known.lead(lead).modes
    known.at(MONDAY + timedelta(days=8))
    assert "email" not in known.lead(lead).modes
    assert "consent_expired" in {event_type(each.data) for each in known.events(lead)}
    known.ok("verify")
    known.ok("rederive", "--all")
