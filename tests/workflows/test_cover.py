"""A colleague makes the calls of a rep who is away (methods.md 6.3 b): reserved in the colleague's day before the promise."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from tests.service.bundle.rules import follow
from tests.workflows.office import CALENDARS, CHECKS, PLAYBOOK, Office
from tests.workflows.test_office import everything_is_derived_again
from workflows.accountability import Accountability, Diaries, Place
from workflows.calendars import Absence, Calendar
from workflows.commands import (
    Hold,
    MarkNoteSent,
    Reassign,
    RecordCall,
    Release,
    RescheduleCall,
    ScheduleNote,
    SetCalendar,
)
from workflows.cover import who_covers
from workflows.events import (
    CalendarFrozen,
    CallDue,
    CallRescheduled,
    CommandRefused,
    DayPlanned,
    NoteScheduled,
    NoteSent,
    Recorded,
)
from workflows.lead import Lead
from workflows.playbook_sections import ContactHours
from workflows.playbooks import Playbook
from workflows.rep import rep_id

COVERING = replace(PLAYBOOK, version="2.0.0", capacity=replace(PLAYBOOK.capacity, long_gap="colleague"))
LEAVE = Absence(first=date(2026, 1, 19), last=date(2026, 1, 30), cover="dan")
LAST_DAY = date(2026, 1, 16)


def calendars(*of_dan: Absence, leave: Absence = LEAVE) -> dict[str, Calendar]:
    """Eve goes on leave for two weeks, and dan covers; dan may be away as well."""
    return {"dan": replace(CALENDARS["dan"], absences=of_dan), "eve": replace(CALENDARS["eve"], absences=(leave,))}


def write_all(office: Office, until: date) -> None:
    """Live up to and including the day *until*: every note is written on its day, and every call of dan's own made."""
    while office.simulation.now.date() < until:
        tomorrow = (office.simulation.now + timedelta(days=1)).date()
        office.simulation.run_until(datetime.combine(tomorrow, time(15, 30), tzinfo=UTC))
        for lead in sorted(office.simulation.books.leads.values(), key=lambda lead: lead.id):
            if lead.state == "note_due":
                office.hand_in((lead.id, MarkNoteSent(medium="hand_written", attested=CHECKS)), who=f"rep:{lead.owner}")
            elif lead.state == "call_due" and not lead.call_by:
                office.hand_in((lead.id, RecordCall(outcome="voicemail")), who=f"rep:{lead.owner}")


def covered(office: Office) -> list[Lead]:
    return [lead for lead in office.simulation.books.leads.values() if lead.call_by]


def scheduled(office: Office) -> list[Recorded]:
    return [each for each in office.log if isinstance(each.data, NoteScheduled) and each.data.call_by]


def all_is_derived(office: Office) -> None:
    """By the machine, plans included, and by the offline verifier."""
    streams: dict[UUID, list[Recorded]] = defaultdict(list)
    log = office.read_back()
    for recorded in log:
        streams[recorded.stream_id].append(recorded)
    everything_is_derived_again(streams, log, office)
    for history in streams.values():
        if history[0].state != "rep":
            assert [] == verified(history, office)


def verified(history: list[Recorded], office: Office) -> list[str]:
    # The owners in this history and their colleagues have had every calendar of the office from the start.
    said, _ = follow(history, playbooks=office.playbooks, calendars=office.calendars.values(), reps=("dan", "eve"))
    return said


def test_the_call_is_reserved_in_the_colleagues_day_before_the_note_is_written() -> None:
    """Notes of the days before eve's leave promise dan's call five of dan's working days later, in slots of dan's days."""
    office = Office(40, COVERING, calendars())
    write_all(office, LAST_DAY)
    assert scheduled(office)
    for each in scheduled(office):
        assert isinstance(each.data, NoteScheduled)
        assert ("dan", each.data.call_on) == (each.data.call_by, CALENDARS["dan"].add_working_days(each.data.note_on, 5))
        assert {("eve", "note"), ("dan", "promised_call")} == {(slot.rep, slot.kind) for slot in each.effects.reserved}
    taken = Counter((slot.rep, slot.day) for slot in office.simulation.books.slots() if slot.kind == "promised_call")
    assert max(taken.values()) <= COVERING.capacity.calls, "nobody is planned past capacity, the colleague's own notes included"
    all_is_derived(office)


def test_a_colleague_with_no_room_makes_no_promises() -> None:
    """Dan's morning comes first here, and the calls of his own notes take his days: eve writes less, and the plan says why."""
    east = {"dan": replace(CALENDARS["eve"], absences=()), "eve": replace(CALENDARS["dan"], absences=(LEAVE,))}
    office = Office(40, COVERING, east)
    write_all(office, LAST_DAY)
    plans = [each.data for each in office.log if isinstance(each.data, DayPlanned) and each.stream_id == rep_id("eve")]
    said = {fall.detail for plan in plans for fall in plan.shortfalls if fall.code == "no_call_slot"}
    assert any(detail.startswith("dan, who calls on ") for detail in said)


@pytest.mark.parametrize("leads", [40, 60])
def test_plans_of_one_moment_spend_no_slot_of_the_colleague_twice(leads: int) -> None:
    """In one zone all plans are made together: the one that is second sees what the first takes, and nothing is refused."""
    here = {"dan": CALENDARS["dan"], "eve": replace(CALENDARS["dan"], absences=(LEAVE,))}
    office = Office(leads, COVERING, here)
    write_all(office, LAST_DAY)
    assert scheduled(office)
    refused = {each.data.rule for each in office.log if isinstance(each.data, CommandRefused) and each.actor == "planner"}
    assert "call_slot_free" not in refused
    all_is_derived(office)


def test_the_call_stands_on_the_colleagues_list_and_what_comes_of_it_is_the_owners() -> None:
    """Dan's plan has the call, dan's calendar opens it, dan's slot is used up; then the lead is eve's as before."""
    office = Office(40, COVERING, calendars())
    write_all(office, LAST_DAY)
    one = min(covered(office), key=lambda lead: (lead.call_on or date.max, lead.id))
    assert one.call_on is not None
    write_all(office, one.call_on)
    due = office.simulation.lead(one.id)
    assert ("call_due", "eve", "dan") == (due.state, due.owner, due.call_by)
    assert due in office.simulation.books.standing("dan", "call_due")
    assert due not in office.simulation.books.standing("eve", "call_due")
    office.hand_in((one.id, RecordCall(outcome="voicemail")), who="rep:dan")
    after = office.simulation.lead(one.id)
    assert ("no_response", "eve", None) == (after.state, after.owner, after.call_by or None)
    assert ["dan"] == [slot.rep for slot in office.log[-1].effects.used]
    all_is_derived(office)


def test_who_called_and_whose_promise_was_kept() -> None:
    """A4-13: the call counts for dan, who made it, and the promise for eve, who gave it and was away."""
    office = Office(40, COVERING, calendars())
    write_all(office, LAST_DAY)
    one = min(covered(office), key=lambda lead: (lead.call_on or date.max, lead.id))
    assert one.call_on is not None
    write_all(office, one.call_on)
    office.hand_in((one.id, RecordCall(outcome="voicemail", minutes=9)), who="rep:dan")
    diaries = Diaries({rep: [calendar] for rep, calendar in office.calendars.items()})
    counted = Accountability(diaries, {office.playbook.pin.digest: office.playbook})
    counted.take([each for each in office.log if each.stream_id == one.id])
    assert counted.figures[Place("dan", one.call_on)] == {"calls": 1, "minutes": 9}
    assert counted.figures[Place("eve", one.call_on)] == {"promised": 1, "kept": 1}


def test_the_colleagues_own_absence_moves_the_call_and_says_why() -> None:
    """Dan falls ill on the day: the call waits for him, his plan moves what has no room, and the reasons are recorded."""
    office = Office(40, COVERING, calendars())
    write_all(office, LAST_DAY)
    one = min(covered(office), key=lambda lead: (lead.call_on or date.max, lead.id))
    assert one.call_on is not None
    ill = Absence(first=one.call_on, last=one.call_on + timedelta(days=2), reason="sick")
    office.calendars = calendars(ill)
    office.hand_in(
        (rep_id("dan"), SetCalendar(rep="dan", calendar=office.calendars["dan"], playbook=office.playbook.id)),
        who="manager:ann",
    )
    write_all(office, one.call_on + timedelta(days=5))
    history = [each for each in office.log if each.stream_id == one.id]
    refused = [each.data for each in history if isinstance(each.data, CommandRefused)]
    assert refused[0].rule == "owner_present"
    assert refused[0].reason.startswith("dan does not work on ")
    (due,) = [each for each in history if isinstance(each.data, CallDue)]
    assert due.used
    assert office.calendars["dan"].is_working(office.calendars["dan"].local_day(due.occurred_at))
    moved = [each.data for each in office.log if isinstance(each.data, CallRescheduled)]
    assert {"rep_absent", "capacity"} >= {each.reason for each in moved}


@pytest.mark.parametrize(
    ("leave", "of_dan", "detail"),
    [
        (replace(LEAVE, cover=UNSET), (), "No colleague is named who covers."),
        (replace(LEAVE, cover="nobody-known"), (), "No colleague is named who covers."),
        (LEAVE, (Absence(first=date(2026, 1, 19), last=date(2026, 2, 6)),), "dan is away, too."),
    ],
)
def test_without_a_colleague_who_is_there_no_note_is_written(leave: Absence, of_dan: tuple[Absence, ...], detail: str) -> None:
    """Nobody named, nobody known by that name, or away as well: homework instead, as by default."""
    office = Office(40, COVERING, calendars(*of_dan, leave=leave))
    write_all(office, LAST_DAY)
    assert [] == scheduled(office)
    plans = [each.data for each in office.log if isinstance(each.data, DayPlanned) and each.stream_id == rep_id("eve")]
    assert any(fall.code == "long_gap" and fall.detail.endswith(detail) for plan in plans for fall in plan.shortfalls)


def test_a_colleague_whose_calendar_ends_too_early_stops_no_plan_of_the_owner() -> None:
    """Eve's day is planned but for the notes; the plan names dan and what lengthens his calendar."""
    short = {**calendars(), "dan": replace(CALENDARS["dan"], last=date(2026, 1, 19))}
    office = Office(40, COVERING, short)
    write_all(office, LAST_DAY)
    plans = [each for each in office.log if each.stream_id == rep_id("eve") and not isinstance(each.data, CalendarFrozen)]
    assert all(isinstance(each.data, DayPlanned) for each in plans)
    last = plans[-1].data
    assert isinstance(last, DayPlanned)
    (said,) = [fall.detail for fall in last.shortfalls if fall.code == "long_gap"]
    assert said.endswith("dan covers, and has a calendar that ends too early: freeze a longer one with `thaw rep set dan`.")
    assert [] == scheduled(office)
    all_is_derived(office)


def until_wednesday(name: str) -> Playbook:
    """Return a playbook whose reps call nobody on Thursdays and Fridays."""
    return replace(COVERING, id=f"{COVERING.id}.of.{name}", contact_hours=ContactHours(weekdays=(1, 2, 3)))


def test_a_note_promises_no_call_in_hours_when_the_colleague_calls_nobody() -> None:
    """Dan never calls on Thursdays or Fridays: no plan proposes it, the decision refuses it and says whose hours they are."""
    office = Office(40, COVERING, calendars())
    office.follow("dan", until_wednesday("dan"))
    write_all(office, date(2026, 1, 14))
    queued = [lead for lead in office.simulation.books.leads.values() if lead.state == "queued" and lead.owner == "eve"]
    note_on, call_on = date(2026, 1, 15), date(2026, 1, 22)
    office.hand_in((min(queued, key=lambda lead: lead.id).id, ScheduleNote(note_on=note_on, call_on=call_on, call_by="dan")))
    last = office.log[-1].data
    assert isinstance(last, CommandRefused)
    assert ("contact_hours", "dan") == (last.rule, last.inputs["rep"])
    assert last.reason == (
        "On Thu 22 Jan 2026 this prospect may be called, but not in the hours in which dan may call: "
        "09:00 to 20:00 there, on Mon, Tue, Wed."
    )
    write_all(office, LAST_DAY)
    assert {1, 2, 3} >= {each.data.call_on.isoweekday() for each in scheduled(office) if isinstance(each.data, NoteScheduled)}
    assert scheduled(office)
    refused = [each.data for each in office.log[:-1] if isinstance(each.data, CommandRefused) and each.actor == "planner"]
    assert "contact_hours" not in {each.rule for each in refused}
    all_is_derived(office)


def test_the_hours_of_the_owner_forbid_no_call_of_the_colleague() -> None:
    """Eve never calls on Thursdays; the call is dan's, who does."""
    office = Office(40, COVERING, calendars())
    office.follow("eve", until_wednesday("eve"))
    office.simulation.run_until(datetime(2026, 1, 15, 4, tzinfo=UTC))
    one = min(lead.id for lead in office.simulation.books.leads.values() if lead.state == "queued" and lead.owner == "eve")
    note = ScheduleNote(note_on=date(2026, 1, 15), call_on=date(2026, 1, 22), call_by="dan")
    office.hand_in((one, note), who="planner")
    assert isinstance(office.log[-1].data, NoteScheduled)
    all_is_derived(office)


def test_a_plan_asks_the_hours_of_the_lead_and_of_whoever_calls() -> None:
    """Eve, who never calls on Thursdays and Fridays, is away on both days that the last notes promise: dan, who does, calls."""
    office = Office(60, COVERING, calendars())
    office.follow("eve", until_wednesday("eve"))
    write_all(office, LAST_DAY)
    promised = Counter(each.data.call_on for each in scheduled(office) if isinstance(each.data, NoteScheduled))
    assert (2, 2) == (promised[date(2026, 1, 22)], promised[date(2026, 1, 23)])
    hers = shortfalls_of(office, date(2026, 1, 9))
    assert ("hours", "On 2026-01-16 no working hour of the rep is one for calls to anybody else in the queue.") in hers
    assert "no_stock" not in {code for code, _ in hers}
    all_is_derived(office)


def test_a_plan_proposes_nobody_whose_own_playbook_has_no_hour_for_the_call() -> None:
    """The leads are called until Wednesday, and eve's days follow a playbook with all five: nothing is proposed in vain."""
    narrow = replace(COVERING, contact_hours=ContactHours(weekdays=(1, 2, 3)))
    office = Office(40, narrow, calendars())
    office.follow("eve", replace(COVERING, id=f"{COVERING.id}.of.eve"))
    write_all(office, date(2026, 1, 14))
    assert [] == [each for each in office.log if isinstance(each.data, CommandRefused) and each.actor == "planner"]
    assert "hours" in {code for code, _ in shortfalls_of(office, date(2026, 1, 9))}
    assert any(isinstance(each.data, NoteScheduled) and each.used and each.used.followed for each in office.log)
    all_is_derived(office)


def shortfalls_of(office: Office, day: date) -> set[tuple[str, str]]:
    """Return why a plan of eve's *day* has fewer notes."""
    plans = [each.data for each in office.log if isinstance(each.data, DayPlanned) and each.stream_id == rep_id("eve")]
    return {(fall.code, fall.detail) for plan in plans if plan.day == day for fall in plan.shortfalls if fall.kind == "note"}


def test_only_who_covers_may_be_promised() -> None:
    """A proposal that names somebody else, or a day without need, is refused by a rule of its own."""
    office = Office(40, COVERING, calendars())
    simulation = office.simulation
    simulation.run_until(datetime(2026, 1, 6, 20, tzinfo=UTC))
    one = next(lead for lead in simulation.books.leads.values() if lead.state == "queued" and lead.owner == "eve")
    call_on = CALENDARS["dan"].add_working_days(date(2026, 1, 8), 5)
    office.hand_in((one.id, ScheduleNote(note_on=date(2026, 1, 8), call_on=call_on, call_by="dan")), who="planner")
    last = office.log[-1].data
    assert isinstance(last, CommandRefused)
    assert ("colleague_covers", "dan") == (last.rule, last.inputs["call_by"])
    all_is_derived(office)
    assert who_covers(office.calendars["eve"], COVERING.capacity, date(2026, 1, 8)) is None
    assert who_covers(office.calendars["eve"], COVERING.capacity, LAST_DAY) == "dan"
    assert who_covers(office.calendars["eve"], PLAYBOOK.capacity, LAST_DAY) is None


def test_no_call_is_kept_on_a_day_of_a_leave_that_came_after_the_plan() -> None:
    """Eve goes on leave between plan and note, with one call a day left: the second note's call is on the next free day."""
    office = Office(8, COVERING, {"dan": CALENDARS["dan"], "eve": replace(CALENDARS["eve"], absences=())})
    office.simulation.run_until(datetime(2026, 1, 6, 12, tzinfo=UTC))
    due = sorted(lead.id for lead in office.simulation.books.leads.values() if lead.state == "note_due" and lead.owner == "eve")
    away = replace(CALENDARS["eve"], absences=(Absence(first=date(2026, 1, 7), last=date(2026, 1, 30)),))
    office.calendars = {"dan": CALENDARS["dan"], "eve": away, "eve before": office.calendars["eve"]}
    office.follow("eve", replace(COVERING, id="five-five-five.of.eve", capacity=replace(COVERING.capacity, calls=1)))
    for one in due:
        office.hand_in((one, MarkNoteSent(medium="hand_written", attested=CHECKS)), who="rep:eve")
    sent = [(each.data.call_on, each.data.gap_reason) for each in office.log if isinstance(each.data, NoteSent)]
    assert [(date(2026, 2, 6), None), (date(2026, 2, 9), "next_free_slot")] == sent
    assert [[date(2026, 2, 6)], [date(2026, 2, 9)]] == [[s.day for s in office.simulation.lead(one).slots] for one in due]
    all_is_derived(office)


def test_a_note_that_goes_out_a_day_late_promises_a_later_call_of_the_colleague() -> None:
    """Written on Friday and planned for Thursday: the call moves to another day of dan's, in dan's slot."""
    office = Office(40, COVERING, calendars())
    write_all(office, date(2026, 1, 14))
    office.simulation.run_until(datetime(2026, 1, 16, 15, tzinfo=UTC))
    late = [lead for lead in covered(office) if lead.state == "note_due" and lead.note_on == date(2026, 1, 15)]
    assert late
    for lead in late:
        office.hand_in((lead.id, MarkNoteSent(medium="hand_written", attested=CHECKS)), who="rep:eve")
        after = office.simulation.lead(lead.id)
        assert ["dan"] == [slot.rep for slot in after.slots]
        assert after.call_on in {date(2026, 1, 22), date(2026, 1, 23), date(2026, 1, 26)}
    all_is_derived(office)


def test_a_hold_and_another_owner() -> None:
    """A hold of a promised call counts by dan's days; who gets the lead meanwhile calls for themselves."""
    office = Office(40, COVERING, calendars())
    write_all(office, LAST_DAY)
    one, other = sorted(covered(office), key=lambda lead: lead.id)[:2]
    for command in (Hold(reason="manual"), Release()):
        office.hand_in((one.id, command), who="manager:ann")
    kept = office.simulation.lead(one.id)
    assert ("dan", ["dan"]) == (kept.call_by, [slot.rep for slot in kept.slots])
    office.hand_in((other.id, Reassign(owner="dan")), who="manager:ann")
    given = office.simulation.lead(other.id)
    assert ("dan", None) == (given.owner, given.call_by or None)
    assert [slot for slot in other.slots if slot.rep == "dan"] == [slot for slot in given.slots if slot.kind == "promised_call"]
    all_is_derived(office)


@given(st.integers(0, 10_000), st.integers(16, 40), st.integers(12, 40), st.floats(0, 0.3), st.booleans())
@settings(max_examples=12, deadline=None)
def test_whatever_happens_nobody_is_planned_past_capacity_and_all_of_it_follows(
    seed: int, leads: int, days: int, wild: float, both: bool
) -> None:
    """Any office with cover: slots within capacity, every decision and plan made again, by the machine and by the verifier."""
    of_dan = Absence(first=date(2026, 1, 26), last=date(2026, 2, 4), cover="eve")
    office = Office(leads, COVERING, calendars(of_dan) if both else calendars())
    office.live(days, Random(seed), wild=wild)
    most = COVERING.capacity.calls + COVERING.capacity.catch_up_calls
    assert all(slot.ordinal <= most for slot in office.simulation.books.slots() if slot.kind == "promised_call")
    all_is_derived(office)


def test_a_move_of_the_call_takes_the_colleagues_slot() -> None:
    """The prospect asks for another day: it is one of dan's."""
    office = Office(40, COVERING, calendars())
    write_all(office, LAST_DAY)
    one = min(covered(office), key=lambda lead: (lead.call_on or date.max, lead.id))
    assert one.call_on is not None
    write_all(office, one.call_on)
    later = CALENDARS["dan"].add_working_days(one.call_on, 3)
    office.hand_in((one.id, RescheduleCall(call_on=later, reason="prospect_asked")), who="rep:dan")
    assert [("dan", later)] == [(slot.rep, slot.day) for slot in office.simulation.lead(one.id).slots]
    all_is_derived(office)
