"""Another owner for a lead with something planned: nobody is given a promise that has no slot in their days."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from tests.workflows.office import CALENDARS, PLAYBOOK, Office
from tests.workflows.test_cover import COVERING, LAST_DAY, all_is_derived, calendars, covered, verified, write_all
from workflows import handover
from workflows.accountability import Accountability, Diaries
from workflows.books import Books
from workflows.calendars import Absence, Calendar, Holiday
from workflows.commands import Hold, PlanDay, Reassign
from workflows.events import CallDue, DayPlanned, LeadReassigned, NoteSlotReleased, Recorded
from workflows.handle import calendar_digest
from workflows.lead import Lead
from workflows.planner import Load, OpenCall, plan_day
from workflows.rederive import Library, rederive
from workflows.rep import rep_id

MOST = PLAYBOOK.capacity
HERE = {"dan": CALENDARS["dan"], "eve": replace(CALENDARS["dan"])}
#: The second Tuesday: notes were written on the days before, and their calls fill the days to come.
TUESDAY = date(2026, 1, 13)
#: When the calls of notes of the 13th are due, and days on which notes are written.
DAY_OFF = Holiday(day=date(2026, 1, 20), name="a day off")
LEAVE = Absence(first=date(2026, 1, 13), last=date(2026, 1, 21))


def office_of(eve: Calendar = HERE["eve"], until: date = TUESDAY, leads: int = 40) -> Office:
    office = Office(leads, PLAYBOOK, {**HERE, "eve": eve})
    write_all(office, until)
    return office


def one_of(office: Office, owner: str, state: str, day: date | None = None) -> Lead:
    """Return the lead of *owner* in *state* whose call comes first, or comes on *day*."""
    found = [lead for lead in office.simulation.books.leads.values() if (lead.owner, lead.state) == (owner, state)]
    return min((lead for lead in found if day in (None, lead.call_on)), key=lambda lead: (lead.call_on or date.max, lead.id))


def given_to(office: Office, lead: Lead, owner: str) -> tuple[Lead, LeadReassigned]:
    """Give *lead* to *owner* and return it as it then stands, with the event that says so."""
    office.hand_in((lead.id, Reassign(owner=owner)), who="manager:ann")
    of_lead = [each for each in office.log if each.stream_id == lead.id and isinstance(each.data, LeadReassigned)]
    assert isinstance(of_lead[-1].data, LeadReassigned)
    return office.simulation.lead(lead.id), of_lead[-1].data


def promised(office: Office) -> Counter[tuple[str, date]]:
    return Counter((slot.rep, slot.day) for slot in office.simulation.books.slots() if slot.kind == "promised_call")


def within_capacity(office: Office) -> None:
    taken = Counter((slot.rep, slot.kind, slot.day) for slot in office.simulation.books.slots())
    most = {"note": MOST.notes, "promised_call": MOST.calls + MOST.catch_up_calls, "follow_up": MOST.follow_up_touches}
    assert [] == [each for each, count in taken.items() if count > most[each[1]]]


def test_a_promised_call_moves_to_the_new_owners_next_day_with_a_slot_and_says_why() -> None:
    """6.3: Dan's day is full, so that the call of Eve's lead gets the next of his days that is not, its slot and its hour."""
    office = office_of(until=date(2026, 1, 21))
    day = date(2026, 1, 26)
    lead = one_of(office, "eve", "note_sent", day)
    assert MOST.calls == promised(office)["dan", day]
    full = {on for (rep, on), count in promised(office).items() if rep == "dan" and count == MOST.calls}
    wanted = next(on for n in range(1, 9) if (on := HERE["dan"].add_working_days(day, n)) not in full)
    after, said = given_to(office, lead, "dan")
    assert [("dan", "promised_call", wanted)] == [(slot.rep, slot.kind, slot.day) for slot in after.slots]
    assert (wanted, lead.call_on, "capacity") == (said.call_on, said.previous_call_on, said.reason)
    assert (wanted, lead.promised_on, lead.slips + 1) == (after.call_on, after.promised_on, after.slips)
    assert HERE["dan"].start_of(wanted) == after.timers["call_after_note"].due_at
    assert max(promised(office).values()) <= MOST.calls
    write_all(office, wanted)
    (due,) = [each for each in office.log if each.stream_id == lead.id and isinstance(each.data, CallDue)]
    assert wanted == HERE["dan"].local_day(due.occurred_at), "it opens on its new day, not on the one that was full"
    all_is_derived(office)


def test_a_day_that_is_not_full_takes_the_call_as_it_was_promised() -> None:
    """The event has nothing to say of the call, and its timer stays."""
    office = office_of()
    lead = one_of(office, "eve", "note_sent", date(2026, 1, 15))
    freed = one_of(office, "dan", "note_sent", date(2026, 1, 15))
    office.hand_in((freed.id, Hold(reason="manual")), who="manager:ann")
    after, said = given_to(office, lead, "dan")
    assert [("dan", lead.call_on)] == [(slot.rep, slot.day) for slot in after.slots]
    assert (lead.call_on, lead.slips, lead.timers) == (after.call_on, after.slips, after.timers)
    assert LeadReassigned(owner="dan", previous_owner="eve") == said
    all_is_derived(office)


def test_a_call_that_is_due_and_overdue_gets_a_slot_of_today_or_a_later_day() -> None:
    """Dan has room today for one of the calls that Eve did not make; the other one moves."""
    office = office_of(until=date(2026, 1, 14))
    office.simulation.run_until(datetime(2026, 1, 16, 15, tzinfo=UTC))
    late = [lead for lead in office.simulation.books.leads.values() if (lead.owner, lead.state) == ("eve", "call_due")]
    late = sorted((lead for lead in late if lead.promised and lead.call_on == date(2026, 1, 15)), key=lambda lead: lead.id)
    assert late
    today = date(2026, 1, 16)
    for lead in late:
        room = MOST.calls - promised(office)["dan", today]
        after, said = given_to(office, lead, "dan")
        (slot,) = after.slots
        assert ("dan", "promised_call") == (slot.rep, slot.kind)
        assert (slot.day == today) == (room > 0)
        assert (slot.day if room <= 0 else lead.call_on) == after.call_on
        assert ("capacity" if room <= 0 else None) == (said.reason or None)
        assert lead.timers["call_late"] == after.timers["call_late"], "no promise is younger for our lack of capacity"
    within_capacity(office)
    all_is_derived(office)


def office_of_overdue_calls() -> tuple[Office, Lead]:
    """Return an office on the 16th: dan, with two calls of the 15th for two places, gets one of eve's and a new plan."""
    office = Office(40, replace(PLAYBOOK, capacity=replace(MOST, catch_up_calls=0)), HERE)
    write_all(office, date(2026, 1, 14))
    office.simulation.run_until(datetime(2026, 1, 16, 15, tzinfo=UTC))
    after, _ = given_to(office, one_of(office, "eve", "call_due", THURSDAY), "dan")
    assert [("dan", "promised_call", FRIDAY)] == [(slot.rep, slot.kind, slot.day) for slot in after.slots]
    assert after.call_on == THURSDAY
    office.hand_in((rep_id("dan"), PlanDay()), who="service")
    return office, after


def plan_of(office: Office, rep: str, day: date) -> Recorded:
    """Return the last plan of *rep* for *day*."""
    plans = [each for each in office.log if each.stream_id == rep_id(rep) and isinstance(each.data, DayPlanned)]
    return next(each for each in reversed(plans) if isinstance(each.data, DayPlanned) and each.data.day == day)


def test_the_plan_after_it_counts_an_overdue_call_that_got_a_slot_of_today_once() -> None:
    """Three calls for two: two are made, and the third is moved: the slot of the one that came is not beside it."""
    office, _ = office_of_overdue_calls()
    plan = plan_of(office, "dan", FRIDAY)
    assert isinstance(plan.data, DayPlanned)
    assert plan.used
    assert (1, 1) == (len(plan.data.rescheduled), plan.used.overdue)
    standing = [lead for lead in office.simulation.books.leads.values() if (lead.owner, lead.state) == ("dan", "call_due")]
    assert 2 == sum((lead.call_on or FRIDAY) <= FRIDAY for lead in standing)
    within_capacity(office)
    all_is_derived(office)


def test_a_plan_that_counted_such_a_call_twice_is_derived_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says nothing of such calls, and kept one where two fit."""
    with monkeypatch.context() as patch:
        read = Books.book
        patch.setattr(Books, "book", lambda *given: replace(read(*given), carried=False))
        office, _ = office_of_overdue_calls()
    plan = plan_of(office, "dan", FRIDAY)
    assert isinstance(plan.data, DayPlanned)
    assert plan.used
    assert (2, UNSET) == (len(plan.data.rescheduled), plan.used.overdue)
    all_is_derived(office)


#: Dan follows a playbook by which nobody is called on Thursdays and Fridays.
HALF_A_WEEK = replace(PLAYBOOK, id="half-a-week", contact_hours=replace(PLAYBOOK.contact_hours, weekdays=(1, 2, 3)))
#: The Thursday of the promised call, the day after, a Monday that the United States keep as a holiday, and the day after that.
THURSDAY, FRIDAY, HOLIDAY, FREE = date(2026, 1, 15), date(2026, 1, 16), date(2026, 1, 19), date(2026, 1, 20)


def test_days_on_which_the_new_owner_may_not_call_take_no_call() -> None:
    """By dan's own hours, or by the law where the prospect lives, although he works then and has a slot."""
    office = office_of(until=date(2026, 1, 9))
    office.follow("dan", HALF_A_WEEK)
    after, said = given_to(office, one_of(office, "eve", "note_sent", THURSDAY), "dan")
    assert [("dan", "promised_call", FREE)] == [(slot.rep, slot.kind, slot.day) for slot in after.slots]
    assert (FREE, "quiet_hours") == (said.call_on, said.reason)
    used = next(each.used for each in reversed(office.log) if isinstance(each.data, LeadReassigned))
    assert used
    assert used.law
    assert {str(THURSDAY), str(FREE)} == set(used.law.offsets or ())
    all_is_derived(office)


def test_a_call_that_goes_over_to_a_day_without_calls_is_found() -> None:
    """The log says of a day that the law forbids that dan's slot of it was taken; or says not by which clock."""
    office = office_of(until=date(2026, 1, 9))
    office.follow("dan", HALF_A_WEEK)
    lead = one_of(office, "eve", "note_sent", THURSDAY)
    given_to(office, lead, "dan")
    (at,) = [n for n, each in enumerate(office.log) if each.stream_id == lead.id and isinstance(each.data, LeadReassigned)]
    history = [each for each in office.log[: at + 1] if each.stream_id == lead.id]
    last = history[-1]
    assert last.used
    assert last.used.law
    without = replace(last, used=replace(last.used, law=replace(last.used.law, offsets={str(THURSDAY): -21600})))
    assert any("used.law.offsets" in said for said in verified([*history[:-1], without], office))
    monday = [replace(slot, day=HOLIDAY) for slot in last.effects.reserved]
    moved = replace(
        last,
        used=replace(last.used, free=tuple(monday)),
        effects=replace(last.effects, reserved=tuple(monday)),
        data=replace(last.data, call_on=HOLIDAY),
    )
    assert verified([*history[:-1], moved], office)


def test_another_owner_of_before_hours_were_asked_is_derived_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names no table, although other decisions on the lead do; and its call went to the holiday, where dan had a slot."""
    office = office_of(until=date(2026, 1, 9))
    office.follow("dan", HALF_A_WEEK)
    with monkeypatch.context() as patch:
        patch.setattr(handover, "judged_by", lambda *_: UNSET)
        patch.setattr(handover, "_may_call", lambda *_: True)
        after, said = given_to(office, one_of(office, "eve", "note_sent", THURSDAY), "dan")
    assert ([HOLIDAY], "capacity") == ([slot.day for slot in after.slots], said.reason)
    all_is_derived(office)


def derived_again(history: list[Recorded], office: Office) -> list[str]:
    """Return the fields that come out otherwise by the machine."""
    calendars = {calendar_digest(each): each for each in office.calendars.values()}
    library = Library(calendars, {each.pin.digest: each for each in office.playbooks})
    return [each.field for each in rederive(history, library).mismatches]


def test_another_owner_that_names_no_table_or_days_after_one_that_did_is_found() -> None:
    """To dan, to eve and to dan again: what the first one names, the last one does not leave out."""
    office = office_of(until=date(2026, 1, 9))
    lead = one_of(office, "eve", "note_sent", THURSDAY)
    for owner in ("dan", "eve", "dan"):
        given_to(office, lead, owner)
    history = [each for each in office.log if each.stream_id == lead.id]
    last = history[-1]
    assert last.used
    assert last.used.law
    assert ([], []) == (verified(history, office), derived_again(history, office))
    for field, used in (
        ("used.law", replace(last.used, law=UNSET)),
        ("used.colleague", replace(last.used, law=UNSET, colleague=UNSET)),
    ):
        without = [*history[:-1], replace(last, used=used)]
        assert field in derived_again(without, office)
        assert any(field in said for said in verified(without, office))


def test_the_first_owner_who_gets_a_lead_back_is_named_too() -> None:
    """Nobody took it over from another before; but her days decided on it, and dan's were looked at since."""
    office = office_of(until=date(2026, 1, 9))
    lead = one_of(office, "eve", "note_sent", THURSDAY)
    for owner in ("dan", "eve"):
        given_to(office, lead, owner)
    history = [each for each in office.log if each.stream_id == lead.id]
    last = history[-1]
    assert last.used
    assert last.used.colleague
    assert "eve" == last.used.colleague.rep
    without = [*history[:-1], replace(last, used=replace(last.used, law=UNSET, colleague=UNSET))]
    assert "used.colleague" in derived_again(without, office)
    assert any("used.colleague" in said for said in verified(without, office))


def test_days_on_which_the_new_owner_does_not_work_take_no_call() -> None:
    """Dan has a holiday on the day, or is away: the reason says which."""
    for reason, dan in (
        ("holiday", replace(HERE["dan"], holidays=(Holiday(day=date(2026, 1, 15), name="a day off"),))),
        ("rep_absent", replace(HERE["dan"], absences=(Absence(first=date(2026, 1, 15), last=date(2026, 1, 16)),))),
    ):
        office = Office(40, PLAYBOOK, {"dan": dan, "eve": HERE["eve"]})
        write_all(office, date(2026, 1, 9))
        lead = one_of(office, "eve", "note_sent", date(2026, 1, 15))
        after, said = given_to(office, lead, "dan")
        (slot,) = after.slots
        assert (reason, slot.day) == (said.reason, after.call_on)
        assert dan.is_working(slot.day)
        assert slot.day > date(2026, 1, 15)
        all_is_derived(office)


def test_a_call_without_any_room_says_so_and_the_plan_counts_it() -> None:
    """Dan's playbook has no promised calls: the call has no slot, the event has a reason and no day."""
    office = office_of()
    none = replace(PLAYBOOK, id="none", capacity=replace(MOST, calls=0, notes=0))
    office.follow("dan", none)
    lead = one_of(office, "eve", "note_sent", date(2026, 1, 15))
    after, said = given_to(office, lead, "dan")
    assert ((), "capacity", None) == (after.slots, said.reason, said.call_on or None)
    assert lead.call_on == after.call_on
    all_is_derived(office)


def test_a_note_that_is_not_written_yet_is_planned_anew_where_the_new_owner_has_no_room_for_it() -> None:
    """Nothing is promised: it waits in the new owner's queue, takes none of their slots, and counts as missed by nobody."""
    office = office_of(until=date(2026, 1, 12))
    office.simulation.run_until(datetime(2026, 1, 13, 15, tzinfo=UTC))
    lead = one_of(office, "eve", "note_due")
    before = promised(office)
    after, said = given_to(office, lead, "dan")
    history = [each for each in office.log if each.stream_id == lead.id]
    assert isinstance(history[-1].data, NoteSlotReleased)
    assert LeadReassigned(owner="dan", previous_owner="eve", reason="capacity") == said
    assert ("T11", "queued", "dan", ()) == (history[-1].row, after.state, after.owner, after.slots)
    assert {rep for rep, day in before} == {"dan", "eve"}
    assert before["dan", lead.call_on or date.max] == promised(office)["dan", lead.call_on or date.max]
    counted = Accountability(Diaries({rep: [each] for rep, each in office.calendars.items()}), {})
    counted.take(history)
    assert [] == [figures for figures in counted.figures.values() if "notes_missed" in figures]
    within_capacity(office)
    all_is_derived(office)


def office_of_a_note_that_is_due() -> tuple[Office, Lead]:
    """Return an office on a Thursday, and a lead of eve's whose note promises a call for the next, on which dan has room."""
    office = office_of(until=date(2026, 1, 7))
    office.simulation.run_until(datetime(2026, 1, 8, 15, tzinfo=UTC))
    office.follow("dan", HALF_A_WEEK)
    for lead in sorted(office.simulation.books.leads.values(), key=lambda each: each.id):
        if (lead.owner, lead.state) == ("dan", "note_due"):
            office.hand_in((lead.id, Hold(reason="manual")), who="manager:ann")
    return office, one_of(office, "eve", "note_due", THURSDAY)


def test_a_note_whose_call_the_new_owner_may_not_make_is_planned_anew() -> None:
    """Both days are worked and have room, and no hour of the call's is one for calls: the log says by which clock."""
    office, lead = office_of_a_note_that_is_due()
    after, said = given_to(office, lead, "dan")
    assert ("queued", "dan", (), "quiet_hours") == (after.state, after.owner, after.slots, said.reason)
    history = [each for each in office.log if each.stream_id == lead.id]
    released, last = history[-1], history[-2]
    assert isinstance(released.data, NoteSlotReleased)
    assert last.used
    assert last.used.law
    assert {str(THURSDAY)} == set(last.used.law.offsets or ())
    all_is_derived(office)
    without = replace(last, used=replace(last.used, law=replace(last.used.law, offsets=UNSET)))
    assert any("used.law.offsets" in said for said in verified([*history[:-2], without, released], office))
    moved = tuple(replace(slot, rep="dan", ordinal=2) for slot in lead.slots)
    effects = replace(last.effects, reserved=moved, released=lead.slots)
    kept = replace(last, used=replace(last.used, free=moved), effects=effects)
    assert verified([*history[:-2], kept], office)


def office_on_days_off(**days: Any) -> tuple[Office, Lead]:
    """Return an office on a Tuesday on which dan, with *days* off, has room, and a lead of eve's whose note is due."""
    office = Office(40, PLAYBOOK, {"dan": replace(HERE["dan"], **days), "eve": HERE["eve"]})
    write_all(office, date(2026, 1, 12))
    office.simulation.run_until(datetime(2026, 1, 13, 15, tzinfo=UTC))
    for lead in sorted(office.simulation.books.leads.values(), key=lambda each: each.id):
        if (lead.owner, lead.state) == ("dan", "note_due"):
            office.hand_in((lead.id, Hold(reason="manual")), who="manager:ann")
    return office, one_of(office, "eve", "note_due")


@pytest.mark.parametrize(
    ("reason", "days"),
    [
        ("rep_absent", {"absences": (LEAVE,)}),
        ("holiday", {"holidays": (DAY_OFF,)}),
    ],
)
def test_a_note_that_falls_on_days_off_is_planned_anew_and_the_event_says_why(reason: str, days: dict[str, Any]) -> None:
    """Its own day or, as with the holiday, that of its call; another reason is found, and none is of before."""
    office, lead = office_on_days_off(**days)
    _, said = given_to(office, lead, "dan")
    assert reason == said.reason
    all_is_derived(office)
    of_lead = [each for each in office.log if each.stream_id == lead.id]
    history = of_lead[: next(number for number, each in enumerate(of_lead) if each.data == said) + 2]
    assert isinstance(history[-1].data, NoteSlotReleased)
    other = [*history[:-2], replace(history[-2], data=replace(said, reason="capacity")), history[-1]]
    assert "data.reason" in derived_again(other, office)
    assert any("data.reason" in each for each in verified(other, office))
    of_before = [*history[:-2], replace(history[-2], data=replace(said, reason=UNSET)), history[-1]]
    assert ([], []) == (derived_again(of_before, office), verified(of_before, office))


def test_another_owner_that_gives_no_reason_after_one_that_did_is_found() -> None:
    """The note went back into the queue twice, and the second event says no longer why."""
    office, lead = office_on_days_off(absences=(LEAVE,))
    assert "rep_absent" == given_to(office, lead, "dan")[1].reason
    given_to(office, lead, "eve")
    assert "note_due" == office.simulation.lead(lead.id).state
    _, said = given_to(office, lead, "dan")
    assert "rep_absent" == said.reason
    history = [each for each in office.log if each.stream_id == lead.id]
    without = [*history[:-2], replace(history[-2], data=replace(said, reason=UNSET)), history[-1]]
    assert "data.reason" in derived_again(without, office)
    assert any("data.reason" in each for each in verified(without, office))


def test_a_note_whose_call_the_new_owner_may_make_keeps_its_days() -> None:
    """The clock of the call's day stands there all the same."""
    office, lead = office_of_a_note_that_is_due()
    office.follow("dan", replace(HALF_A_WEEK, id="whole-week", contact_hours=PLAYBOOK.contact_hours))
    after, _ = given_to(office, lead, "dan")
    assert ("note_due", lead.note_on, lead.call_on) == (after.state, after.note_on, after.call_on)
    assert {("note", lead.note_on), ("promised_call", THURSDAY)} == {(slot.kind, slot.day) for slot in after.slots}
    used = next(each.used for each in reversed(office.log) if isinstance(each.data, LeadReassigned))
    assert used
    assert used.law
    all_is_derived(office)


def test_a_note_that_went_over_before_hours_were_asked_is_derived_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names no table, and kept the Thursday."""
    office, lead = office_of_a_note_that_is_due()
    with monkeypatch.context() as patch:
        patch.setattr(handover, "judged_by", lambda *_: UNSET)
        patch.setattr(handover, "_may_call", lambda *_: True)
        after, _ = given_to(office, lead, "dan")
    assert ("note_due", THURSDAY) == (after.state, after.call_on)
    all_is_derived(office)


def test_away_and_back_to_an_owner_on_leave_says_that_the_cover_ended() -> None:
    """Dan was to call for Eve. Given to Dan's and Eve's colleague it is none of his; back with Eve it waits for her return."""
    office = Office(40, COVERING, {**calendars(), "zoe": replace(CALENDARS["dan"])})
    write_all(office, LAST_DAY)
    lead = min((each for each in covered(office) if each.state == "note_sent"), key=lambda each: each.id)
    after, said = given_to(office, lead, "zoe")
    assert ("dan", None, None) == (said.cover_ended, said.reason or None, after.call_by or None)
    assert [("zoe", lead.call_on)] == [(slot.rep, slot.day) for slot in after.slots]
    back, said = given_to(office, after, "eve")
    assert ("rep_absent", lead.call_on) == (said.reason, said.previous_call_on)
    assert [("eve", back.call_on)] == [(slot.rep, slot.day) for slot in back.slots]
    assert date(2026, 2, 2) == back.call_on, "the first day after her leave"
    said = given_to(office, min((e for e in covered(office) if e.state == "note_sent"), key=lambda e: e.id), "dan")[1]
    assert LeadReassigned(owner="dan", previous_owner="eve") == said, "who was to call and gets the lead calls as was promised"
    all_is_derived(office)


def test_a_touch_keeps_its_day_where_the_new_owner_works_and_has_room() -> None:
    """Else it is planned anew by its turn."""
    office = office_of(until=date(2026, 1, 22))
    simulation = office.simulation
    silent = [lead for lead in simulation.books.leads.values() if lead.state == "no_response" and lead.slots]
    for lead in silent:
        after, _ = given_to(office, lead, "dan" if lead.owner == "eve" else "eve")
        assert all(slot.rep == after.owner for slot in after.slots)
    assert silent
    within_capacity(office)
    all_is_derived(office)


def test_an_owner_whose_days_nobody_knows_gets_the_same_days() -> None:
    """Without a calendar there is no day that could be full, or that is not worked."""
    office = office_of()
    lead = one_of(office, "eve", "note_sent", date(2026, 1, 15))
    after, said = given_to(office, lead, "nobody-known")
    assert [("nobody-known", lead.call_on)] == [(slot.rep, slot.day) for slot in after.slots]
    assert LeadReassigned(owner="nobody-known", previous_owner="eve") == said
    all_is_derived(office)


@given(st.integers(0, 10_000), st.integers(10, 24))
@settings(max_examples=6, deadline=None)
def test_leads_that_go_to_and_fro_leave_nobody_past_capacity_and_no_promise_without_a_slot(seed: int, days: int) -> None:
    """Whoever has a lead after any number of hands has a slot for its call, and all of it follows."""
    dice, office = Random(seed), Office(24, COVERING, {**calendars(), "zoe": replace(CALENDARS["dan"])})
    for number in range(1, days + 1):
        write_all(office, date(2026, 1, 5) + timedelta(days=number))
        planned = [lead for lead in office.simulation.books.leads.values() if lead.state in ("note_due", "note_sent")]
        for lead in dice.sample(sorted(planned, key=lambda each: each.id), min(3, len(planned))):
            after, said = given_to(office, lead, dice.choice([rep for rep in office.calendars if rep != lead.owner]))
            if after.state == "note_sent":
                assert [after.owner] == [slot.rep for slot in after.slots] or (said.reason and not said.call_on)
    assert max(promised(office).values()) <= MOST.calls + MOST.catch_up_calls
    within_capacity(office)
    all_is_derived(office)


def test_a_plan_counts_the_calls_of_its_day_that_have_no_slot() -> None:
    """Five calls on a day for two, three of them without a slot: the plan keeps four with the catch-up calls, not the fifth."""
    day = date(2026, 1, 26)
    note_on = date(2026, 1, 19)
    calls = [OpenCall(lead_id=UUID(int=number), promised_on=day, note_on=note_on, reserved=number < 2) for number in range(5)]
    plan = plan_day(day, CALENDARS["dan"], MOST, {day: Load(calls=2)}, calls, (), ())
    assert [UUID(int=number) for number in range(4)] == [call.lead_id for call in plan.open_calls]
    assert [UUID(int=4)] == [move.lead_id for move in plan.reschedules]
    made = plan_day(day, CALENDARS["dan"], MOST, {day: Load(calls=4)}, calls[:3], (), ())
    assert [UUID(int=number) for number in range(2)] == [call.lead_id for call in made.open_calls], "two calls were made today"
