"""The day's sheet: what stands on it, in which order, what is blocked and why, and what it adds up to."""

import re
import shlex
from datetime import UTC, date, datetime, timedelta

import pytest

from service.find import FindError
from service.sheet.found import Item
from service.times import TimeError
from service.today import Tally
from tests.desk import WORDS
from tests.service.cli.test_homework import study
from tests.service.sheets import kinds, sheet, week
from tests.service.world import MONDAY, World, database_template, quiet_logs, world
from workflows.calendars import Absence
from workflows.commands import CompleteHomework, RecordDecline
from workflows.homework_commands import AnticipateNeed, Source

__all__ = ["database_template", "quiet_logs", "week", "world"]


ORDER = ("reply", "call", "breakup", "next_step", "note", "reason", "follow_up", "homework", "nurture")


def test_the_classes_of_work_come_in_their_fixed_order(week: World) -> None:
    """Replies, promised calls, breakups, overdue steps, notes, reasons, follow-ups, homework, nurture."""
    week.register(9)
    agreed = ("--personal-first", "--next-step", "visit", "--next-step-on", "2026-02-12")
    with week.worker():
        week.ok("call", "V-0000", "--outcome", "voicemail")
        week.ok("nurture", "start", "V-0000", "--waiver", "she is moving house")
        week.ok("call", "V-0002", "--outcome", "no_answer")
        week.ok("breakup", "email", "V-0002", "--monitored", "--attest-all")
        week.ok("call", "V-0001", "--outcome", "connected", *agreed)
        week.at(MONDAY + timedelta(days=36))
        week.ok("decline", "V-0013", "--kind", "no", "--stated-reason", "price")
        week.ok(
            "decline", "V-0012", "--kind", "no", "--stated-reason", "price", "--real-reason", "lost_trust", "--words", "Late."
        )
        week.at(MONDAY + timedelta(days=39))
        week.ok("reply", "V-0011", "--channel", "email", "--intent", "later")
    found = sheet(week, day=None)
    order = list(dict.fromkeys(item.kind for item in found.items))
    assert order == [kind for kind in ORDER if kind in order]
    assert {"reply", "next_step", "note", "reason", "homework", "nurture"} <= set(order)
    assert "breakup" in [each.kind for each in found.blocked], "its voicemail comes too early"


def test_promised_calls_say_who_what_was_written_and_what_is_personal(week: World) -> None:
    found = sheet(week)
    assert [item.kind for item in found.items[:5]] == ["call"] * 5
    (call,) = (item for item in found.items if item.key == "V-0000")
    assert call.name == "Ada Amberfield"
    assert call.why == "promised by the note of Tue 2026-01-06 for Tue 2026-01-13"
    assert call.notes == (
        "Springfield Homes, +15550000000, their time 09:00, until 20:00",
        "note: 0 tomatoes had won at your county fair, and I will call.",
        "facts: your tomatoes had won at the county fair; you kept bees on the roof",
        "you met: the Oakwood open house",
    )


def test_a_promise_that_was_moved_says_so_and_keeps_its_place(week: World) -> None:
    """V-0003 was moved to the day that was promised to V-0005, and comes before it: the oldest promise is kept first."""
    week.register(1)
    week.at(MONDAY + timedelta(days=9))
    with week.worker():
        week.ok("note-sent", "V-0005", "--attest-all")
        week.ok("reschedule", "V-0003", "--to", "2026-01-22", "--reason", "prospect_asked")
        for key in ("V-0000", "V-0001", "V-0002", "V-0004"):
            week.ok("call", key, "--outcome", "voicemail")
    week.at(MONDAY + timedelta(days=17))
    calls = [item for item in sheet(week).items if item.kind == "call"]
    assert [item.key for item in calls] == ["V-0003", "V-0005"]
    assert calls[0].why == "promised by the note of Tue 2026-01-06 for Tue 2026-01-13, moved to Thu 2026-01-22"


def test_a_late_promise_begins_with_an_apology(week: World) -> None:
    week.at(MONDAY + timedelta(days=15))
    late = [item.why for item in sheet(week).items if item.kind == "call"]
    assert late
    assert all(why.endswith("; it is late, begin with an apology") for why in late)


def test_what_is_done_counts_and_what_is_open_adds_up(week: World) -> None:
    assert sheet(week).calls == Tally(done=0, planned=5, capacity=5)
    before = sheet(week).minutes_planned
    with week.worker():
        week.ok("call", "V-0000", "--outcome", "voicemail", "--minutes", 2)
        week.ok("call", "V-0001", "--outcome", "no_answer")
        week.ok("decline", "V-0002", "--kind", "no", "--stated-reason", "price", "--minutes", 30)
        week.ok("call", "V-0003", "--outcome", "voicemail", "--at", "2026-01-13T09:00")
    after = sheet(week)
    assert after.calls == Tally(done=4, planned=5, capacity=5)
    # Two calls took other than the usual 12 minutes.
    assert after.minutes_planned - before == (2 - 12) + (30 - 12)


def test_yesterdays_work_does_not_count_today(week: World) -> None:
    with week.worker():
        week.ok("call", "V-0000", "--outcome", "voicemail")
        week.at(MONDAY + timedelta(days=9))
        week.ok("call", "V-0001", "--outcome", "voicemail", "--at", "2026-01-13T17:00")
    assert sheet(week).calls.done == 0


def test_notes_come_by_score_with_its_parts_and_the_facts(world: World) -> None:
    world.rep()
    world.take_in(stage_depth=1)
    world.take_in(stage_depth=5)
    world.take_in(stage_depth=3, person={"facts": [], "last_meeting_place": None})
    world.at(MONDAY + timedelta(days=1))
    found = sheet(world)
    assert kinds(found.items) == [("note", "V-0001"), ("note", "V-0002"), ("note", "V-0000")]
    assert found.items[0].why == "score 37 = stage 20 + value 6 + time 2 + importance 9"
    assert found.items[1].notes == ("say that you will call on Tue 2026-01-13",)
    assert found.shortfalls == ("2 fewer notes: Nobody else in the queue can be written to.",)
    assert found.notes == Tally(done=0, planned=3, capacity=5)


def test_touches_of_the_plan_stand_there_until_they_are_made(week: World) -> None:
    with week.worker():
        week.ok("call", "V-0000", "--outcome", "voicemail")
        week.ok("call", "V-0001", "--outcome", "voicemail")
        week.at(MONDAY + timedelta(days=10))
        touches = [item for item in sheet(week).items if item.kind == "follow_up"]
        assert {item.key for item in touches} == {"V-0000", "V-0001"}
        assert touches[0].why == "attempt 2: email, bring market-report"
        week.ok(*shlex.split(touches[0].commands[0])[1:])
    found = sheet(week)
    assert [item.key for item in found.items if item.kind == "follow_up"] == [touches[1].key]
    assert found.follow_ups == Tally(done=1, planned=2, capacity=5)


def test_a_breakup_goes_on_where_it_stopped_and_says_what_it_lacks(week: World) -> None:
    def breakup() -> list[str]:
        return [item.commands[0] for item in sheet(week).items if item.kind == "breakup"]

    with week.worker():
        week.ok("call", "V-0000", "--outcome", "voicemail")
        assert breakup() == []
        week.ok("breakup", "confirm", "V-0000", "--choice", "breakup", "--reason", "silent", "--override", "she is known to us")
        assert breakup() == []
        week.ok("breakup", "email", "V-0000", "--monitored", "--attest-all")
        assert breakup() == []
        (stopped,) = (each for each in sheet(week).blocked if each.kind == "breakup")
        assert (stopped.key, stopped.rule) == ("V-0000", "attempts_made")
        assert "refused (attempts_made)" in week.refused(1, "breakup", "voicemail", "V-0000", "--attest-all")


def test_somebody_must_decide_about_those_who_were_tried_often_enough(week: World) -> None:
    week.register(1, owner="nobody", queued=False)
    with week.worker():
        week.ok("opt-out", "V-0000", "--channel", "email")
        week.ok("call", "V-0000", "--outcome", "voicemail")
        week.ok("opt-out", "V-0000", "--channel", "call")
    (decision,) = sheet(week).decisions
    assert decision.why == "1 attempt unanswered (handwritten note, call): try once more, or nurture?"
    assert [line.split("--")[1].strip() for line in decision.commands] == ["choice one_more_try", "waiver TEXT"]
    with week.worker():
        week.ok(*shlex.split(decision.commands[1].replace("TEXT", "unreachable"))[1:])
    assert sheet(week).decisions == ()


def test_replies_come_first_and_then_turn_into_overdue_steps(week: World) -> None:
    with week.worker():
        week.ok("reply", "V-0003", "--channel", "email", "--intent", "changed")
    first = sheet(week).items[0]
    assert (first.kind, first.why) == ("reply", "answered by email Tue 2026-01-13 10:00: changed")
    week.at(datetime(2026, 1, 21, 15, 0, tzinfo=UTC))
    steps = [item for item in sheet(week).items if item.key == "V-0003"]
    assert [(item.kind, item.why) for item in steps] == [("next_step", "a decision or a next step, due Wed 2026-01-21")]


def test_meetings_that_nobody_said_anything_about_are_asked_after(week: World) -> None:
    with week.worker():
        week.ok("meeting", "book", "V-0000", "--at", "2026-01-14T14:30")
    week.at(datetime(2026, 1, 14, 19, 0, tzinfo=UTC))
    assert "V-0000" not in {item.key for item in sheet(week).items}
    week.at(datetime(2026, 1, 14, 20, 0, tzinfo=UTC))
    (met,) = (item for item in sheet(week).items if item.key == "V-0000")
    assert (met.kind, met.why) == ("next_step", "what came of the meeting of Wed 2026-01-14 14:30?")


def test_a_touch_that_is_owed_names_what_to_send(week: World) -> None:
    with week.worker():
        week.ok("decline", "V-0000", "--kind", "no", "--stated-reason", "price")
        week.ok("nurture", "start", "V-0000")
        study(week)
        week.at(MONDAY + timedelta(days=40))
        (owed,) = (item for item in sheet(week).items if item.kind == "nurture")
        assert owed.why == "this month's touch is owed: email, roof-check-2027"
        week.ok(*shlex.split(owed.commands[0])[1:])
    assert "nurture" not in {item.kind for item in sheet(week).items}


def test_homework_and_reasons_are_due_by_their_day_and_no_earlier(week: World) -> None:
    with week.worker():
        week.ok("decline", "V-0000", "--kind", "no", "--stated-reason", "price")
    assert "reason" not in {item.kind for item in sheet(week).items}
    week.at(MONDAY + timedelta(days=9))
    assert [item.why for item in sheet(week).items if item.kind == "reason"] == [
        "ask why they really said no; they said price; reason unverified"
    ]
    assert "homework" not in {item.kind for item in sheet(week).items}
    week.at(MONDAY + timedelta(days=11))
    (homework,) = (item for item in sheet(week).items if item.kind == "homework")
    assert homework.commands[2].count("--answer") == 7
    answers = dict.fromkeys(_fields(homework), WORDS)
    source = Source(published_on=date(2026, 1, 1), where=WORDS)
    week.hand_in(week.leads[0], AnticipateNeed(item="roof-2027", need=WORDS, rationale=WORDS))
    week.hand_in(week.leads[0], CompleteHomework(answers=answers, sources=(source.published_on,), cited=(source,)))
    assert "homework" not in {item.kind for item in sheet(week).items}


def _fields(item: Item) -> list[str]:
    return re.findall(r"--answer (\w+)=TEXT", item.commands[2])


def test_only_as_much_homework_as_fits_is_counted(world: World) -> None:
    world.rep()
    for lead_id in world.register(12, queued=False):
        world.hand_in(lead_id, RecordDecline(kind="no", stated_reason="price", real_reason="lost_trust", words=WORDS))
    world.at(MONDAY + timedelta(days=4))
    found = sheet(world)
    assert len([item for item in found.items if item.kind == "homework"]) == 12
    assert (found.fits["homework"], found.minutes_planned, found.minutes_budget) == (10, 150, 150)


def test_asking_why_comes_before_homework_and_takes_its_minutes(world: World) -> None:
    """A3-9: twelve to ask at six minutes; five homeworks fit into the rest, and one asked is done, not saved."""
    world.rep()
    for lead_id in world.register(12, queued=False):
        world.hand_in(lead_id, RecordDecline(kind="no", stated_reason="price"))
    world.at(MONDAY + timedelta(days=4))
    found = sheet(world)
    assert ({"reason": 12, "homework": 5, "review": 0, "nurture": 0}, 72 + 75) == (found.fits, found.minutes_planned)
    assert "    of the homework, 5 of 12 fit into the day\n" in world.ok("today", "--rep", "dan")
    with world.worker():
        world.ok("reason", "ask", "V-0000", "--outcome", "not_reached")
    after = sheet(world)
    assert (11, 72 + 75) == (after.fits["reason"], after.minutes_planned)


def test_the_next_days_show_what_is_taken_of_them(world: World) -> None:
    world.rep(absences=(Absence(first=date(2026, 1, 15), last=date(2026, 1, 16)),))
    world.register(2)
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        world.ok("note-sent", "V-0000", "--attest-all")
    world.at(MONDAY + timedelta(days=8))
    ahead = [(str(load.day), load.off, load.calls) for load in sheet(world).ahead]
    assert ahead == [
        ("2026-01-14", "", 0),
        ("2026-01-15", "absence: leave", 0),
        ("2026-01-16", "absence: leave", 0),
        ("2026-01-19", "holiday: Martin Luther King Jr. Day", 0),
        ("2026-01-20", "", 0),
        ("2026-01-21", "", 0),
        # V-0001, to whom dan did not write, was planned anew: written on Monday, called five working days later.
        ("2026-01-22", "", 1),
        ("2026-01-23", "", 0),
    ]


def test_a_day_to_come_shows_what_is_promised_for_it(world: World) -> None:
    world.rep()
    world.register(2)
    world.at(MONDAY + timedelta(days=1))
    with world.worker():
        world.ok("note-sent", "V-0000", "--attest-all")
    coming = sheet(world, day=date(2026, 1, 13))
    assert kinds(coming.items) == [("call", "V-0000")]
    assert (coming.planned, coming.blocked) == (False, ())


def test_weekends_holidays_and_leave_are_no_working_days(world: World) -> None:
    world.rep(absences=(Absence(first=date(2026, 3, 9), last=date(2026, 3, 20)),))
    assert sheet(world, day=date(2026, 1, 10)).off == "weekend"
    assert sheet(world, day=date(2026, 1, 19)).off == "holiday: Martin Luther King Jr. Day"
    assert sheet(world, day=date(2026, 3, 12)).off == "absence: leave"


def test_days_that_are_over_or_beyond_the_calendar_are_refused(world: World) -> None:
    world.rep()
    with pytest.raises(TimeError, match="Sun 2026-01-04 is over"):
        sheet(world, day=date(2026, 1, 4))
    for day in (date(2028, 12, 31), date(2199, 1, 1)):
        with pytest.raises(TimeError, match="the calendar of dan ends on 2028-12-31: make it longer with `thaw rep set dan`"):
            sheet(world, day=day)
    with pytest.raises(FindError, match="no rep is called 'ann'"):
        sheet(world, "ann")


def test_nobody_sees_the_work_of_another(week: World) -> None:
    week.rep("ann")
    assert sheet(week, "ann").items == ()
    assert sheet(week, "ann").calls == Tally(done=0, planned=0, capacity=5)
