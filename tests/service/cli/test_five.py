"""5+5+5 on the command line: what a note must be, what a call begins with, and what becomes of a promise."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.calendars import freeze_calendar
from tests.service.sheets import sheet, week
from tests.service.world import MONDAY, World
from workflows.calendars import Absence
from workflows.commands import SetCalendar
from workflows.events import CallConnected, CallPromiseMissed, CallRescheduled, CommandRefused, NoteReturned, NoteSent
from workflows.rep import rep_id

__all__ = ["week"]

BEES = "how are the bees on your roof? When you came to the Oakwood open house you told me about them for half an hour."
NOTE = f"Dear Ada,\n{BEES}\nI'll call you next week.\nBest regards,\nDan"
AGREED = ("--next-step", "visit", "--next-step-on", "2026-02-12")


@pytest.fixture
def due(world: World) -> World:
    """The Tuesday on which dan has a note to write to Ada."""
    world.rep()
    world.register(1)
    world.at(MONDAY + timedelta(days=1))
    return world


def events(world: World, kind: type, number: int = 0) -> list[Any]:
    return [recorded.data for recorded in world.events(world.leads[number]) if isinstance(recorded.data, kind)]


def test_an_active_prospect_gets_no_note(world: World) -> None:
    """A4-1: neither with an open opportunity nor within 90 days of a contact."""
    world.rep()
    world.register(1, queued=False, open_opportunity=True)
    world.register(1, queued=False, last_contact_on=date(2025, 11, 20))
    with world.worker():
        assert "refused (active_prospect)" in world.refused(1, "queue", "V-0000")
        assert "refused (stale)" in world.refused(1, "queue", "V-0001")


def test_a_note_that_reminds_them_of_nothing_is_flagged(due: World) -> None:
    """A4-2: they cannot look us up; the log says that it named neither place nor meeting."""
    said = due.said("check", "V-0000", "--text", NOTE.replace("When you came to the Oakwood open house you", "You"))
    assert [v["level"] for v in said["verdicts"] if v["check"] == "reminds_who_we_are"] == ["warn"]
    said = due.said("check", "V-0000", "--text", NOTE)
    assert [v["level"] for v in said["verdicts"] if v["check"] == "reminds_who_we_are"] == ["pass"]


@pytest.mark.parametrize("medium", ["typed", "printed", "robot_pen"])
def test_only_the_reps_own_hand_writes_notes(due: World, medium: str) -> None:
    """A4-7: whatever is attested; an override changes nothing about that."""
    why = ("--override", "My hand is broken, and they know it.")
    with due.worker():
        said = due.refused(1, "note-sent", "V-0000", "--medium", medium, "--attest-all", *why)
    assert "refused (hand_written)" in said
    assert due.lead(due.leads[0]).state == "note_due"


def test_a_robots_pen_is_a_medium_of_its_own_where_a_playbook_allows_it(world: World, tmp_path: Path) -> None:
    """A4-7: off by default; allowed by one line, it is told apart in the log, and typed notes stay refused."""
    world.rep()
    text = (
        'schema = 1\nid = "five-five-five"\nversion = "1.1.0"\ntitle = "With robots"\nsource = "us"\n'
        'extends = ["five-five-five@1.0.0"]\n[checks]\nmedia = ["hand_written", "robot_pen"]\n'
    )
    (tmp_path / "robots.toml").write_text(text)
    (tmp_path / "typed.toml").write_text(text.replace("robot_pen", "typed").replace("1.1.0", "1.2.0"))
    who = ("--as", "manager:ann", "--approved-by", "manager:bob")
    assert "typed" in world.refused(2, "playbook", "validate", tmp_path / "typed.toml")
    world.ok("playbook", "publish", tmp_path / "robots.toml", *who)
    world.register(1)
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        assert "refused (hand_written)" in world.refused(1, "note-sent", "V-0000", "--medium", "printed", "--attest-all")
        world.ok("note-sent", "V-0000", "--medium", "robot_pen", "--attest-all")
    (sent,) = events(world, NoteSent)
    assert sent.medium == "robot_pen"
    assert world.said("rederive", "--all")["mismatches"] == []


def test_a_note_may_not_promise_another_day(due: World) -> None:
    """A4-10: the call is planned for Tuesday in a week, and "tomorrow" is refused."""
    with due.worker():
        said = due.refused(1, "note-sent", "V-0000", "--text", NOTE.replace("next week", "tomorrow"))
        assert "“tomorrow”, and the call is planned for another day" in said
        due.ok("note-sent", "V-0000", "--text", NOTE.replace("next week", "on Tuesday"))


def test_sheet_check_and_record_name_one_day_when_the_calendar_changed_since_the_plan(due: World) -> None:
    """A4-10: the rep goes on leave between plan and note; the day that the note promises is counted anew, and says so."""
    with due.worker():
        due.ok("rep", "set", "dan", "--absence", "2026-01-07:2026-01-30", "--as", "manager:ann")
        assert "say that you will call on Fri 2026-02-06" in due.ok("today", "--rep", "dan")
        usual = NOTE.replace("next week", "on 13 January")
        assert "the call is planned for another" in due.refused(1, "note-sent", "V-0000", "--text", usual)
        due.ok("note-sent", "V-0000", "--text", NOTE.replace("next week", "on 6 February"))
    assert due.lead(due.leads[0]).call_on == date(2026, 2, 6)


def test_sheet_check_and_record_name_one_day_when_that_day_is_full(world: World) -> None:
    """A4-10: leave between plan and note, and a call a day: the second note promises the next free day, none of the leave.

    Of notes of one day it is the ids that say which is the first.
    """
    world.rep()
    world.register(2)
    world.at(MONDAY + timedelta(days=1))
    second = NOTE.replace("next week", "on 9 February")
    first = second.replace("Ada", "Bela").replace("9 February", "6 February")
    with world.worker():
        world.ok("rep", "limit", "dan", "--calls", "1", "--why", "mornings at school", "--as", "manager:ann")
        world.ok("rep", "set", "dan", "--absence", "2026-01-07:2026-01-30", "--as", "manager:ann")
        world.ok("note-sent", "V-0001", "--text", first)
        assert "say that you will call on Mon 2026-02-09" in world.ok("today", "--rep", "dan")
        said = "It says “6 february”, and the call is planned for another day."
        typed = second.replace("9 February", "6 February")
        assert said in world.refused(1, "check", "V-0000", "--text", typed)
        assert said in world.refused(1, "note-sent", "V-0000", "--text", typed)
        assert said not in world.thaw("check", "V-0000", "--text", second).output
        world.ok("note-sent", "V-0000", "--attest-all")
    lead = world.lead(world.leads[0])
    assert (lead.call_on, [slot.day for slot in lead.slots]) == (date(2026, 2, 9), [date(2026, 2, 9)])
    assert [each.gap_reason for each in events(world, NoteSent, 0)] == ["next_free_slot"]


def test_the_call_sheet_puts_business_last(week: World) -> None:
    """A4-11: name and face, what was written, the personal topic, what they share, and only then business."""
    fields = '{"photo": "people/ada.jpg", "prior_interest": "the corner plot"}'
    week.sql("UPDATE contacts SET fields = fields || %(more)s::jsonb WHERE external_id = 'V-0000'", more=fields)
    (item,) = (item for item in sheet(week).items if item.key == "V-0000")
    heads = [note.partition(":")[0] for note in item.notes]
    assert item.name == "Ada Amberfield"
    assert "picture: people/ada.jpg" in item.notes[0]
    assert heads[1:] == ["note", "facts", "you met", "business last"]
    assert item.notes[-1] == "business last: the corner plot"


def test_the_order_of_the_sheet_is_the_playbooks(week: World, tmp_path: Path) -> None:
    """A4-11: ``call.script``: what is left out is not shown, and business never comes before something personal."""
    head = 'schema = 1\nid = "five-five-five"\ntitle = "Ours"\nsource = "us"\nextends = ["five-five-five@1.0.0"]\n'
    for version, script, heads in (
        ("1.1.0", '["shared_history", "personal_topic", "business"]', ["note", "you met", "facts"]),
        ("1.2.0", '["personal_topic"]', ["note", "facts"]),
    ):
        (tmp_path / "ours.toml").write_text(f'{head}version = "{version}"\n[call]\nscript = {script}\n')
        before = week.lead(week.leads[0]).playbook
        assert before
        week.ok("playbook", "publish", tmp_path / "ours.toml", "--as", "manager:ann", "--approved-by", "manager:bob")
        week.ok("playbook", "migrate", f"{before.id}@{before.version}", f"five-five-five@{version}", "--as", "manager:ann")
        week.work()
        (item,) = (item for item in sheet(week).items if item.key == "V-0000")
        assert heads == [note.partition(":")[0] for note in item.notes[1:]]
    (tmp_path / "ours.toml").write_text(f'{head}version = "1.3.0"\n[call]\nscript = ["business", "personal_topic"]\n')
    assert "REFUSED    call.script" in week.refused(1, "playbook", "validate", tmp_path / "ours.toml")


def test_the_log_says_which_personal_topic_came_first(week: World) -> None:
    """A4-11: a conversation that began with business is refused; the topic is kept outside the log."""
    with week.worker():
        said = week.refused(1, "call", "V-0000", "--outcome", "connected", *AGREED)
        assert "refused (personal_topic_first)" in said
        week.ok("call", "V-0000", "--outcome", "connected", "--topic", "her daughter's wedding", *AGREED)
    (connected,) = events(week, CallConnected)
    assert connected.personal_topic_first
    assert connected.personal_topic
    assert "wedding" not in str(week.events(week.leads[0]))
    assert "her daughter's wedding" in week.ok("history", "V-0000", "--no-wait")


def test_a_day_is_one_page_and_a_call_is_done_with_one_command(week: World) -> None:
    """A4-12: what to do, why, with what to begin, and what to type; whoever copies that line is done."""
    shown = week.ok("today")
    assert len(shown.splitlines()) < 60
    first = sheet(week).items[0]
    with week.worker():
        week.ok(*first.commands[1].split()[1:])
    assert (sheet(week).calls.done, sheet(week).calls.planned) == (1, 5)


@pytest.mark.parametrize("days", [3, 9])
def test_a_note_that_comes_back_voids_its_promise_and_stops_the_call(world: World, days: int) -> None:
    """A4-14: before the call is due and after; the slot is free again, and the lead waits for an address."""
    world.rep()
    world.register(1)
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        world.ok("note-sent", "V-0000", "--attest-all")
        world.at(MONDAY + timedelta(days=days))
        world.ok("note-returned", "V-0000")
        lead = world.lead(world.leads[0])
        assert (lead.state, lead.call_on, lead.slots) == ("queued", None, ())
        assert lead.hold
        assert lead.hold.reason == "needs_address"
        assert "handwritten_note" not in lead.modes
        world.at(MONDAY + timedelta(days=20))
    assert not [item for item in sheet(world).items if item.kind in ("call", "note")]
    assert [each.rule for each in sheet(world).blocked] == ["not_held"]
    assert world.said("rederive", "--all")["mismatches"] == []


def test_a_note_that_comes_back_after_the_call_was_made_closes_the_address(week: World) -> None:
    """A4-14: nothing is void any more, but nobody writes there again, and no note is planned; without one none comes back."""
    with week.worker():
        week.ok("call", "V-0000", "--outcome", "voicemail")
        week.ok("note-returned", "V-0000")
        week.register(1, queued=False)
        week.ok("decline", "V-0005", "--kind", "no", "--stated-reason", "price")
        assert "refused (note_was_sent)" in week.refused(1, "note-returned", "V-0005")
    lead = week.lead(week.leads[0])
    assert (lead.state, lead.hold) == ("no_response", None)
    assert not {"handwritten_note", "post"} & set(lead.modes)
    assert events(week, NoteReturned)


def test_a_promise_has_a_day_of_grace_then_is_late_then_void(week: World) -> None:
    """Three working days late the manager is told and the call begins with an apology; after ten a fresh note comes first."""
    assert "no promised call whose day is over waits to be made" in week.ok("promises")
    week.at(MONDAY + timedelta(days=9))
    (line, *_) = week.said("promises")["promises"]
    assert (line["working_days_late"], line["missed"]) == (1, False)
    assert "promised for Tue 2026-01-13, in its days of grace\n" in week.ok("promises")
    week.at(MONDAY + timedelta(days=15))
    assert events(week, CallPromiseMissed)
    shown = week.ok("promises", "--rep", "dan")
    assert "dan: Ada Amberfield (V-0000), promised for Tue 2026-01-13, 4 working days late; begin with an apology" in shown
    (item,) = (item for item in sheet(week).items if item.key == "V-0000")
    assert item.notes[0] == "open with: “I said I would call on Tue 2026-01-13, and I did not. I am sorry.”"
    for number in range(16, 25):
        week.at(MONDAY + timedelta(days=number))
    lead = week.lead(week.leads[0])
    assert lead.state != "call_due"
    assert (lead.promised, lead.note_sent_at is not None) == (False, True)


def sick(world: World, first: date, last: date) -> None:
    calendar = freeze_calendar(
        "US", "", "America/New_York", date(2025, 1, 1), date(2028, 12, 31), absences=[Absence(first=first, last=last)]
    )
    world.hand_in(rep_id("dan"), SetCalendar(rep="dan", calendar=calendar, playbook="five-five-five"))


def test_nothing_is_overdue_by_sickness(week: World) -> None:
    """Dan falls ill on the day of five promised calls, and says so two days later: nothing is late, nothing is void, and the
    calls stand on the sheet of his first day back."""
    week.at(MONDAY + timedelta(days=10))
    sick(week, date(2026, 1, 13), date(2026, 1, 29))
    week.at(MONDAY + timedelta(days=24))
    lead = week.lead(week.leads[0])
    assert (lead.state, lead.promise_missed) == ("call_due", False)
    refusals = [refused.rule for refused in events(week, CommandRefused)]
    assert "owner_was_present" in refusals
    assert week.said("promises")["promises"] == []
    week.at(MONDAY + timedelta(days=25))
    assert len([item for item in sheet(week).items if item.kind == "call"]) == 5
    assert all("apology" not in item.why for item in sheet(week).items)
    week.at(MONDAY + timedelta(days=31))
    assert week.lead(week.leads[0]).promise_missed
    figures = week.said("accountability", "--from", "2026-01-01", "--by", "day")["lines"]
    assert sum(line["figures"]["notes_missed"] for line in figures if line["first"] > "2026-01-12") == 0
    assert week.said("rederive", "--all")["mismatches"] == []


def test_slots_that_a_changed_calendar_took_are_planned_anew_with_the_reason(week: World) -> None:
    """Leave is entered after the calls of its days were promised: each is put off by name of its reason, or refused by it."""
    with week.worker():
        for number in range(5):
            week.ok("call", f"V-000{number}", "--outcome", "voicemail")
    week.register(12)
    week.at(MONDAY + timedelta(days=9))
    with week.worker():
        for item in sheet(week).items:
            if item.kind == "note":
                week.ok("note-sent", item.key, "--attest-all")
    promised = [lead_id for lead_id in week.leads if week.lead(lead_id).state == "note_sent"]
    assert promised
    assert {week.lead(lead_id).call_on for lead_id in promised} == {date(2026, 1, 22)}
    sick(week, date(2026, 1, 21), date(2026, 1, 23))
    week.at(MONDAY + timedelta(days=21))
    for lead_id in promised:
        refused = [r.data for r in week.events(lead_id) if isinstance(r.data, CommandRefused)]
        assert "dan does not work on Thu 22 Jan 2026" in refused[0].reason
        assert week.lead(lead_id).state == "call_due"
    assert {item.key for item in sheet(week).items if item.kind == "call"}
    assert week.said("rederive", "--all")["mismatches"] == []


def test_a_call_that_does_not_fit_after_the_absence_is_moved_with_the_reason(world: World) -> None:
    """Ten calls of two sick days come back on one that takes seven: the rest is moved, because the rep was absent."""
    world.rep()
    world.register(10)
    with world.worker():
        for number in (1, 2):
            world.at(MONDAY + timedelta(days=number))
            for item in sheet(world).items:
                world.ok("note-sent", item.key, "--attest-all")
    sick(world, date(2026, 1, 13), date(2026, 1, 14))
    for number in range(3, 11):
        world.at(MONDAY + timedelta(days=number))
    moved = [each for number in range(10) for each in events(world, CallRescheduled, number)]
    assert [(each.reason, each.call_on) for each in moved] == [("rep_absent", date(2026, 1, 16))] * 3
    assert len([item for item in sheet(world).items if item.kind == "call"]) == 7
    assert world.said("rederive", "--all")["mismatches"] == []


def test_a_note_with_a_long_way_to_its_call_says_when(world: World, tmp_path: Path) -> None:
    """6.3 c: where a playbook accepts the long gap before leave, the note must name the day."""
    world.rep()
    text = (
        'schema = 1\nid = "five-five-five"\nversion = "1.1.0"\ntitle = "Long gaps"\nsource = "us"\n'
        'extends = ["five-five-five@1.0.0"]\n[capacity]\nlong_gap = "accept"\n'
    )
    (tmp_path / "long.toml").write_text(text)
    world.ok("playbook", "publish", tmp_path / "long.toml", "--as", "manager:ann", "--approved-by", "manager:bob")
    sick(world, date(2026, 1, 8), date(2026, 1, 21))
    world.register(1)
    world.at(MONDAY + timedelta(days=1))
    assert world.lead(world.leads[0]).call_on == date(2026, 1, 27)
    with world.worker():
        said = world.refused(1, "note-sent", "V-0000", "--text", NOTE.replace(" next week", ""))
        assert "The call comes long after it, so it must say on which day." in said
        world.ok("note-sent", "V-0000", "--text", NOTE.replace("next week", "on 27 January"))
    assert world.said("rederive", "--all")["mismatches"] == []


def test_before_leave_no_note_is_promised_that_could_not_be_kept(world: World) -> None:
    """6.3 a: by default no note is written whose call would come more than ten days later; the plan says so."""
    world.rep(absences=(Absence(first=date(2026, 1, 8), last=date(2026, 1, 21)),))
    world.register(3)
    world.at(MONDAY + timedelta(days=1))
    assert not [item for item in sheet(world).items if item.kind == "note"]
    assert any("homework instead" in line for line in sheet(world).shortfalls)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (NOTE + " bees" * 3_000, "check.length"),
        (f"Dear Bela,\n{BEES}\nI'll call you next week.\nDan", "check.right_name"),
        (f"Dear {{{{first_name}}}},\n{BEES}\nI'll call you next week.\nDan", "check.no_merge_marks"),
    ],
)
def test_a_note_that_was_not_meant_is_refused(due: World, tmp_path: Path, text: str, rule: str) -> None:
    """Three thousand words, another lead's name, a leftover of a mail merge: from a file as from the command line."""
    (tmp_path / "note.txt").write_text(text)
    with due.worker():
        assert f"refused ({rule})" in due.refused(1, "note-sent", "V-0000", "--text-file", tmp_path / "note.txt")
    assert due.lead(due.leads[0]).state == "note_due"


def test_a_note_of_ten_thousand_words_is_refused_before_it_is_read(due: World, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text(NOTE + " bees" * 10_000)
    said = due.refused(2, "note-sent", "V-0000", "--text-file", tmp_path / "note.txt")
    assert "characters, and the checks read 20,000 at most: shorten it" in said
    assert due.lead(due.leads[0]).state == "note_due"


@pytest.mark.parametrize(
    "more",
    ["\u202e\u0645\u0631\u062d\u0628\u0627\u202c", "\U0001f41d\U0001f469\u200d\U0001f467 e\u0301", "\u05e9\u05dc\u05d5\u05dd"],
)
def test_any_script_is_kept_as_it_is_and_printed_safely(due: World, more: str) -> None:
    """Right-to-left text, marks that turn the line around, emoji: kept to the letter, and nothing on the page obeys them."""
    text = NOTE.replace("Best regards", f"{more}\nBest regards")
    with due.worker():
        due.ok("note-sent", "V-0000", "--text", text)
    with due.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT body FROM documents WHERE kind = 'text'").scalar_one() == text
    due.at(MONDAY + timedelta(days=8))
    shown = due.ok("today")
    assert "note: Dear Ada," in shown
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
