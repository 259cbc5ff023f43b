"""Decisions: every question gets an answer, what follows is what the table says, and nobody is forgotten over a refusal."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workflows.life import (
    ALL_MODES,
    CALENDAR,
    CONNECTED,
    DECLINE,
    LEAD_ID,
    NO_REPLY,
    OPEN_REPLY,
    PLAYBOOK,
    REAL_REASON,
    START,
    VOICEMAIL,
    WORDS,
    Life,
    call_command,
    life_in,
    make_ready,
    note_command,
    register,
    sent_command,
    slots,
)
from tests.workflows.strategies import CALENDARS, commands
from workflows import commands as c
from workflows.calendars import Calendar
from workflows.context import Context
from workflows.decide import CLOCK_SKEW, Applied, Refused, Superseded, TooEarly, decide
from workflows.events import ContactUpdated, Holdings, LeadErased, Slot, Verdict, event_type
from workflows.fold import fold
from workflows.handle import calendar_digest
from workflows.lead import RESTING, State
from workflows.suppression import Entry, verdict
from workflows.timers import RETRY_DAYS, TIMERS, fires
from workflows.transitions import STATES, row_for


def names(life: Life, count: int) -> list[tuple[str | None, str]]:
    """Return row and event of the last *count* events."""
    return [(recorded.row, event_type(recorded.data)) for recorded in life.history[-count:]]


@settings(max_examples=150, deadline=None)
@given(
    state=st.sampled_from(STATES),
    command=commands(),
    actor=st.sampled_from(["rep:dan", "manager:ann", "planner", ""]),
    calendar=st.sampled_from([None, *CALENDARS]),
    wait=st.integers(0, 900),
    held=st.booleans(),
    naive=st.booleans(),
)
def test_every_command_in_every_state_gets_an_answer(
    state: State, command: Any, actor: str, calendar: Calendar | None, wait: int, held: bool, naive: bool
) -> None:
    """Nothing raises, whatever is asked, by whom, with which calendar, and with dates near and far."""
    life = life_in(state)
    if held:
        life.do(c.Hold(reason="manual"))
    if naive and command.occurred_at:
        command = msgspec.structs.replace(command, occurred_at=command.occurred_at.replace(tzinfo=None))
    now = life.now + timedelta(days=wait)
    free = slots(now.date(), 20)
    context = Context(now=now, actor=actor, calendar=calendar, playbook=PLAYBOOK, free=free)
    for lead in (None, life.lead):
        answer = decide(lead, command, context)
        assert isinstance(answer, (Applied, Refused, Superseded, TooEarly))
        if isinstance(answer, Applied):
            assert answer.steps
            assert all(step.occurred_at <= now and step.occurred_at.tzinfo is UTC for step in answer.steps)


@settings(max_examples=75, deadline=None)
@given(
    state=st.sampled_from(sorted(set(STATES) - RESTING)), data=st.data(), zone=st.sampled_from(["", "Asia/Tokyo", "No/Zone"])
)
def test_a_firing_timer_acts_or_comes_again(state: State, data: st.DataObject, zone: str) -> None:
    """Whatever a timer finds, afterwards one is armed again that acts on its own, unless the lead rests."""
    life = life_in(state)
    life.do(c.UpdateContact(contact=WORDS, modes=data.draw(st.sampled_from([(), ("call",), ("email",)])), timezone=zone))
    timer = data.draw(st.sampled_from(sorted(name for name in life.lead.timers if fires(name))))
    outcome = life.fire(timer)
    assert outcome.answer in ("applied", "refused")
    if life.lead.state not in RESTING:
        assert any(fires(name) and armed.due_at >= life.now for name, armed in life.lead.timers.items())


@pytest.mark.parametrize("state", STATES)
def test_an_opt_out_is_always_accepted(state: State) -> None:
    """From every state but the one it leads to, on hold or not, dated right or wrong; nothing is left armed or reserved."""
    for held, occurred_at in ((False, None), (True, START + timedelta(days=4000)), (False, datetime(2, 1, 1, tzinfo=UTC))):
        life = life_in(state)
        if held:
            life.do(c.Hold(reason="legal_review"))
        outcome = life.do(c.OptOut(occurred_at=occurred_at), "inbound")
        assert ("refused" if state == "do_not_contact" else "applied") == outcome.answer
        assert ("do_not_contact", {}, (), None, ()) == (
            life.lead.state, life.lead.timers, life.lead.slots, life.lead.hold, life.lead.modes,
        )  # fmt: skip


def test_nothing_but_new_consent_leaves_an_opt_out() -> None:
    """Neither a reply, nor a deal, nor the planner, nor a rep; and consent comes with no timer of the past."""
    for command in (OPEN_REPLY, NO_REPLY, DECLINE, c.MarkWon(), c.QueueRevival(), c.Hold(reason="manual"), CONNECTED):
        life = life_in("do_not_contact")
        assert "no_transition" == life.do(command, "manager:ann").rule
    life = life_in("do_not_contact")
    assert "manager" == life.do(c.RegrantConsent(evidence=WORDS, modes=("email",))).rule
    life.must(c.RegrantConsent(evidence=WORDS, modes=("email",)), "manager:ann")
    assert ("registered", {}, ("email",)) == (life.lead.state, life.lead.timers, life.lead.modes)


def test_a_suppressed_person_is_registered_and_opted_out_at_once() -> None:
    """Who is on the suppression list never becomes a lead, and nothing is staged for them (T01, T48)."""
    life = Life()
    outcome = life.do(register(suppressed=True, then=(DECLINE,)), "import")
    assert ("do_not_contact", ()) == (life.lead.state, outcome.follow_ups)
    assert [("T01", "lead_registered"), ("T48", "opted_out")] == names(life, 2)


def test_somebody_whom_the_list_refuses_is_registered_and_opted_out_at_once() -> None:
    """What counts is the list at the moment of the decision, in all modes; who minds only mail becomes a lead (T01, T48)."""
    life = Life()
    life.verdicts = (verdict([Entry(kind="person", channel=None, reason="opted_out", since=START.date())]),)
    life.must(register(then=(DECLINE,)), "import")
    assert [("T01", "lead_registered"), ("T48", "opted_out")] == names(life, 2)
    assert life.history[0].used
    assert life.verdicts == life.history[0].used.verdicts
    life = Life()
    life.verdicts = (verdict([Entry(kind="person", channel="email", reason="opted_out", since=START.date())]),)
    life.must(register(), "import")
    assert "registered" == life.lead.state


@pytest.mark.parametrize("state", STATES)
def test_an_erasure_ends_everything_from_every_state(state: State) -> None:
    """Whoever is erased is opted out first; no timer, slot, hold or mode is left, and the receipt says what was held."""
    life = life_in(state)
    life.do(c.Hold(reason="manual"))
    life.holdings = Holdings(contact="b" * 64, documents=("c" * 64,), messages=4)
    *out, receipt = life.must(c.EraseLead(reason=WORDS), "operator:pia")
    assert ["opted_out"] * (state != "do_not_contact") == [event_type(one) for one in out]
    assert receipt == LeadErased(
        reason=WORDS, contact="b" * 64, documents=("c" * 64,), messages=4, erased_at=life.now, reapplied=False
    )
    assert ("do_not_contact", {}, (), None, (), life.now) == (
        life.lead.state, life.lead.timers, life.lead.slots, life.lead.hold, life.lead.modes, life.lead.erased_at,
    )  # fmt: skip


def test_nothing_is_recorded_about_somebody_who_was_erased() -> None:
    """Not even new consent: there is nobody any more who could have given it. A second erasure does nothing."""
    life = life_in("queued")
    life.must(c.EraseLead(reason=WORDS), "operator:pia")
    version = life.lead.version
    assert "superseded" == life.wait(days=3).do(c.EraseLead(reason=WORDS), "operator:pia").answer
    assert version == life.lead.version
    for command in (c.RegrantConsent(evidence=WORDS, modes=("email",)), c.UpdateContact(contact=WORDS), OPEN_REPLY, c.OptOut()):
        assert "erased" == life.do(command, "manager:ann").rule
    assert "do_not_contact" == life.lead.state


def test_an_erasure_that_is_applied_again_keeps_its_first_date() -> None:
    """After a restore, the receipt says when the person was erased first."""
    life = life_in("queued")
    first = life.now - timedelta(days=30)
    receipt = life.must(c.EraseLead(reason=WORDS, first_erased_at=first), "operator:pia")[-1]
    assert isinstance(receipt, LeadErased)
    assert (True, first, first) == (receipt.reapplied, receipt.erased_at, life.lead.erased_at)


def test_what_comes_with_a_registration_is_staged_after_it() -> None:
    """An import's declines and deals follow, in their order."""
    life = Life()
    follow_ups = (DECLINE, c.QueueRevival())
    assert follow_ups == life.do(register(then=follow_ups), "import").follow_ups


def test_a_lead_is_registered_once() -> None:
    """A second registration is an answer, not a second lead; without a lead there is nothing to record."""
    life = life_in("registered")
    assert "already_registered" == life.do(register()).rule
    for day in (date(1926, 11, 2), date(2026, 3, 1)):
        assert "already_registered" == life.do(register(last_contact_on=day)).rule
    assert "already_registered" == life.do(register(occurred_at=START + timedelta(days=1))).rule
    unknown = Life().do(DECLINE)
    assert ("unknown_lead", (), None) == (unknown.answer, unknown.recorded, unknown.lead)
    assert "refused" == Life().do(register(occurred_at=START + timedelta(days=1))).answer
    assert "not_in_the_future" == Life().do(register(last_contact_on=date(2026, 3, 1))).rule


@pytest.mark.parametrize("state", STATES)
def test_a_wrong_state_says_what_would_be_possible(state: State) -> None:
    """The refusal names the state in words, and the commands that would move the lead."""
    life = life_in(state)
    command = VOICEMAIL if state != "call_due" else c.RegrantConsent(evidence=WORDS, modes=())
    outcome = life.do(command)
    assert ("refused", "no_transition") == (outcome.answer, outcome.rule)
    assert outcome.reason
    assert state.replace("_", " ") in outcome.reason
    assert "Possible now:" in outcome.reason


def test_a_refusal_is_an_event_that_moves_nothing() -> None:
    """It holds the command, the rule and the inputs, and the state stays."""
    life = life_in("note_due")
    before = life.lead
    outcome = life.do(c.MarkNoteSent(medium="printed", attested=PLAYBOOK.checks.note))
    (recorded,) = outcome.recorded
    assert ("command_refused", None, "note_due") == (event_type(recorded.data), recorded.row, recorded.state)
    data = msgspec.to_builtins(recorded.data)
    assert ("mark_note_sent", "hand_written", {"medium": "printed"}) == (data["refused"], data["rule"], data["inputs"])
    assert msgspec.structs.replace(before, version=before.version + 1) == life.lead


def test_what_has_not_happened_yet_is_not_recorded() -> None:
    """A fact is dated now or earlier, give or take what two clocks differ by; dates that cannot be right are slips."""
    life = life_in("call_due")
    late = msgspec.structs.replace(VOICEMAIL, occurred_at=life.now + CLOCK_SKEW + timedelta(seconds=1))
    assert "not_in_the_future" == life.do(late).rule
    assert "plausible_date" == life.do(c.RecordCall(outcome="not_now", revisit_on=date(2202, 1, 1))).rule
    assert "before_it_was_due" == life.do(msgspec.structs.replace(VOICEMAIL, occurred_at=life.now - timedelta(days=5))).rule


def test_a_call_logged_days_late_is_accepted() -> None:
    """Late logging is normal: the attempt counts from the day it was made."""
    life = life_in("call_due")
    called_at = life.now + timedelta(hours=2)
    life.wait(days=4)
    life.must(msgspec.structs.replace(VOICEMAIL, occurred_at=called_at))
    assert called_at == life.lead.called_at == life.lead.last_touch_at


def test_a_call_on_the_promised_day_is_accepted_though_it_came_due_late() -> None:
    """The service was down on the day of the call; the rep called all the same."""
    life = life_in("note_sent")
    life.wait(days=10)
    life.fire("call_after_note")
    life.must(msgspec.structs.replace(VOICEMAIL, occurred_at=CALENDAR.moment(date(2026, 1, 12), 600)))
    assert "no_response" == life.lead.state


@pytest.mark.parametrize(
    ("state", "rows"),
    [
        ("registered", ["T49", "T38"]), ("declined", ["T49", "T38"]), ("queued", [None, "T50"]), ("note_due", [None, "T50"]),
        ("note_sent", [None, "T50"]), ("call_due", ["T21", "T38"]), ("no_response", [None, "T50"]),
        ("breakup_sent", [None, "T30"]), ("nurture", [None, "T50"]), ("re_engaged", [None, "T38"]),
        ("meeting_booked", [None, "T41"]), ("dropped", ["T45", "T38"]),
    ],
)  # fmt: skip
def test_a_no_is_logged_as_a_reply_and_then_as_a_decline(state: State, rows: list[str | None]) -> None:
    """The words are kept with both, and the lead ends declined, wherever it was."""
    life = life_in(state)
    life.must(msgspec.structs.replace(NO_REPLY, words=WORDS, stated_reason="no_budget"))
    assert list(zip(rows, ["reply_received", "lead_declined"], strict=True)) == names(life, 2)
    assert "declined" == life.lead.state
    assert life.lead.decline
    assert ("no", "no_budget") == (life.lead.decline.kind, life.lead.decline.stated_reason)


def test_a_clients_no_stays_a_reply() -> None:
    """A client who answers an invitation does not become a lead (A0-13)."""
    life = life_in("won")
    life.must(NO_REPLY)
    assert ("won", [(None, "reply_received")]) == (life.lead.state, names(life, 1))


def test_an_automatic_reply_is_no_answer() -> None:
    """It neither re-engages nor declines, in any state."""
    for state in ("note_sent", "queued", "re_engaged", "breakup_sent"):
        for intent in ("interested", "no"):
            life = life_in(state)
            assert "human_reply" == life.do(c.RecordReply(channel="email", intent=intent, automatic=True)).rule


def test_a_note_takes_its_two_slots() -> None:
    """The first free ones of the day of the note and of the day of the call, and none else (T07)."""
    life = life_in("queued")
    (scheduled,) = life.do(note_command(life), "planner").recorded
    reserved = scheduled.effects.reserved
    assert [("note", date(2026, 1, 5)), ("promised_call", date(2026, 1, 12))] == [(slot.kind, slot.day) for slot in reserved]
    assert reserved == life.lead.slots
    assert scheduled.used
    assert reserved == scheduled.used.free


def test_no_promise_without_its_slot() -> None:
    """Neither a note nor a call is planned where there is no room."""
    life = life_in("queued")
    life.offers = False
    assert "note_slot_free" == life.do(note_command(life), "planner").rule


def test_the_first_free_slot_is_the_one_with_the_lowest_number() -> None:
    """The order in which slots are offered does not matter."""
    lead = life_in("queued").lead
    day = date(2026, 1, 6)
    offered = tuple(Slot(rep="dan", kind="note", day=day, ordinal=number) for number in (3, 2, 5))
    call = Slot(rep="dan", kind="promised_call", day=date(2026, 1, 13), ordinal=1)
    context = Context(now=START, actor="planner", calendar=CALENDAR, playbook=PLAYBOOK, free=(*offered, call))
    answer = decide(lead, c.ScheduleNote(note_on=day, call_on=call.day), context)
    assert isinstance(answer, Applied)
    assert (offered[1], call) == answer.steps[0].effects.reserved


def test_slots_are_used_by_the_touch_they_are_for_and_released_by_anything_else() -> None:
    """A sent note uses its slot and keeps the call's; a call uses that; whatever ends the plan gives back the rest."""
    life = life_in("note_due")
    note, call = life.lead.slots
    life.must(sent_command())
    assert ((note,), (), (call,)) == (life.history[-1].effects.used, life.history[-1].effects.released, life.lead.slots)
    life.fire("call_after_note")
    assert (call,) == life.lead.slots
    life.must(VOICEMAIL)
    assert ((call,), ()) == (life.history[-1].effects.used, life.history[-1].effects.released)
    for state, ending in (("note_due", DECLINE), ("note_sent", OPEN_REPLY), ("call_due", c.MarkWon())):
        life = life_in(state)
        held = life.lead.slots
        life.must(ending, "crm")
        assert (set(held), ()) == (set(life.history[-1].effects.released), life.lead.slots)


def test_a_rescheduled_call_takes_a_slot_of_its_kind_on_the_new_day() -> None:
    """The old one is given back; where there is no room the call stays where it is."""
    life = life_in("call_due")
    (old,) = life.lead.slots
    day = life.today + timedelta(days=1)
    life.must(c.RescheduleCall(call_on=day, reason="quiet_hours"), "planner")
    (new,) = life.lead.slots
    assert ((old,), ("promised_call", day)) == (life.history[-1].effects.released, (new.kind, new.day))
    life.offers = False
    assert "call_slot_free" == life.do(c.RescheduleCall(call_on=day + timedelta(days=1), reason="capacity"), "planner").rule


def test_a_note_posted_a_day_late_moves_its_call() -> None:
    """The call comes five working days after the note went out; with that day full, the reason stands in the event."""
    life = life_in("note_due")
    life.wait(days=1).must(sent_command())
    assert (date(2026, 1, 13), [date(2026, 1, 13)]) == (life.lead.call_on, [slot.day for slot in life.lead.slots])
    life = life_in("note_due")
    life.offers = False
    (sent,) = life.wait(days=1).must(sent_command())
    assert (date(2026, 1, 12), "slot_kept") == (life.lead.call_on, getattr(sent, "gap_reason", None))
    assert [date(2026, 1, 12)] == [slot.day for slot in life.lead.slots]


def test_a_note_that_went_out_is_never_refused_for_lack_of_a_slot() -> None:
    """It is a fact: the next slot offered is taken, or the call comes on its day without one."""
    life = life_in("note_due")
    life.must(c.Hold(reason="manual"))
    life.offers = False
    life.must(c.Release())
    assert () == life.lead.slots
    life.must(sent_command())
    assert (date(2026, 1, 12), ()) == (life.lead.call_on, life.lead.slots)


def test_an_override_passes_failed_checks_and_is_seen() -> None:
    """Who overrode and what had failed stands beside the event."""
    life = life_in("note_due")
    life.verdicts = (Verdict(check="not_form_letter", passed=False, source="similarity", inputs={"score": 80}),)
    attested = ("personal_fact", "future_call", "not_form_letter")
    assert "check.reminds_who_we_are" == life.do(c.MarkNoteSent(medium="hand_written", attested=attested)).rule
    life.must(c.MarkNoteSent(medium="hand_written", attested=attested, override=WORDS))
    used = life.history[-1].used
    assert used
    assert {
        "personal_fact": "attested by rep:dan",
        "reminds_who_we_are": "overridden",
        "future_call": "attested by rep:dan",
        "not_form_letter": "overridden",
    } == {verdict.check: verdict.source for verdict in used.verdicts}


def test_a_timer_of_another_arming_does_nothing() -> None:
    """Only the version that armed the timer can fire it, and only once, and not before it is due."""
    life = life_in("note_sent")
    armed = life.lead.timers["call_after_note"]
    count = len(life.history)
    early = life.do(c.FireTimer(timer="call_after_note", armed_version=armed.armed_version), "clock")
    assert ("too_early", armed.due_at) == (early.answer, early.due_at)
    assert "superseded" == life.do(c.FireTimer(timer="call_after_note", armed_version=99), "clock").answer
    assert "superseded" == life.do(c.FireTimer(timer="nonsense", armed_version=1), "clock").answer
    assert count == len(life.history)
    life.fire("call_after_note")
    again = life.do(c.FireTimer(timer="call_after_note", armed_version=armed.armed_version), "clock")
    assert ("superseded", ()) == (again.answer, again.recorded)


def test_a_passive_timer_never_acts() -> None:
    """A date for people does nothing by itself, even when somebody rings it."""
    life = life_in("declined")
    assert "superseded" == life.fire("homework").answer


def test_a_refused_revival_is_asked_again() -> None:
    """Stale homework keeps a lead in nurture; it is asked again a month later, and homework done lets it through (T34)."""
    life = life_in("declined")
    life.fire("triage")
    asked = life.fire("requeue")
    assert ("refused", "homework_fresh", "nurture") == (asked.answer, asked.rule, life.lead.state)
    again = life.lead.timers["requeue"]
    assert again.due_at > life.now + timedelta(days=29)
    assert life.lead.version == again.armed_version
    life.must(c.CompleteHomework(answers=dict.fromkeys(PLAYBOOK.homework.fields, WORDS), sources=(life.today,)))
    assert "applied" == life.fire("requeue").answer
    assert "queued" == life.lead.state


def test_a_call_on_a_day_off_comes_on_the_next_working_day() -> None:
    """The timer that finds the rep away is armed again, before that day is planned, and the reason is in the log (T12)."""
    life = life_in("note_sent")
    life.now = CALENDAR.moment(date(2026, 1, 24), 600)
    refused = life.fire("call_after_note")
    assert ("refused", "owner_present") == (refused.answer, refused.rule)
    assert CALENDAR.moment(date(2026, 1, 26), 0) == life.lead.timers["call_after_note"].due_at
    assert "applied" == life.fire("call_after_note").answer


def test_a_note_is_not_sent_when_its_call_may_not_be_made() -> None:
    """It would promise a call that cannot be kept: the rep is told before the note goes out, not five days later (T10)."""
    life = life_in("note_due")
    life.must(c.OptOut(channel="call"))
    refused = life.do(sent_command())
    assert ("refused", "call_reachable", "note_due") == (refused.answer, refused.rule, life.lead.state)
    assert "The prospect opted out of contact by call: do not send a note that promises a call." == refused.reason
    life.fire("note_slot")
    assert ("queued", ()) == (life.lead.state, life.lead.slots)
    life = life_in("note_due")
    life.must(c.UpdateContact(contact=WORDS, modes=("handwritten_note",)))
    refused = life.do(sent_command())
    assert "No telephone number is known for this prospect: do not send a note that promises a call." == refused.reason


def test_a_promised_call_that_nobody_may_make_ends_as_one_that_nobody_made() -> None:
    """It is asked for each working day; ten working days after its day the promise is void and a new note is needed (T22)."""
    life = life_in("note_sent")
    promised = life.lead.call_on
    assert promised == date(2026, 1, 12)
    life.must(c.OptOut(channel="call"))
    refused = life.fire("call_after_note")
    assert ("refused", "call_reachable") == (refused.answer, refused.rule)
    assert CALENDAR.start_of(date(2026, 1, 13)) == life.lead.timers["call_after_note"].due_at
    ends = life.lead.timers["call_expiry"]
    assert CALENDAR.end_of(CALENDAR.add_working_days(promised, 10)) == ends.due_at
    asked = 1
    while life.lead.timers["call_after_note"].due_at < ends.due_at:
        assert "refused" == life.fire("call_after_note").answer
        assert ends == life.lead.timers["call_expiry"]
        asked += 1
    assert 11 == asked
    assert "applied" == life.fire("call_expiry").answer
    assert ("queued", None, ()) == (life.lead.state, life.lead.call_on, life.lead.slots)


def test_a_promised_call_that_may_be_made_after_all_comes_due() -> None:
    """Once there is a number, the next working day lists the call, with ten working days of its own (T12)."""
    life = life_in("note_sent")
    life.must(c.UpdateContact(contact=WORDS, modes=("email",)))
    assert "call_reachable" == life.fire("call_after_note").rule
    life.must(c.UpdateContact(contact=WORDS, modes=("call",)))
    assert "applied" == life.fire("call_after_note").answer
    assert ("call_due", date(2026, 1, 13)) == (life.lead.state, life.today)
    assert CALENDAR.end_of(date(2026, 1, 27)) == life.lead.timers["call_expiry"].due_at


def test_a_call_that_falls_on_a_day_without_contact_hours_comes_on_the_next_one() -> None:
    """A rep who works on Saturdays may not call then; Monday lists the call, and its three days of grace count from there."""
    life = life_in("note_due")
    life.calendar = msgspec.structs.replace(CALENDAR, weekdays=(1, 2, 3, 4, 5, 6))
    life.must(sent_command())
    assert date(2026, 1, 10) == life.lead.call_on
    assert "contact_hours" == life.fire("call_after_note").rule
    assert CALENDAR.start_of(date(2026, 1, 12)) == life.lead.timers["call_after_note"].due_at
    assert "applied" == life.fire("call_after_note").answer
    assert CALENDAR.end_of(date(2026, 1, 15)) == life.lead.timers["call_late"].due_at
    assert not life.lead.promise_missed


def updated(life: Life, **said: Any) -> ContactUpdated:
    """Have the CRM say something else of the lead, and return what the log says of it."""
    (event,) = life.must(c.UpdateContact(contact=WORDS, modes=ALL_MODES, **said), "import")
    assert isinstance(event, ContactUpdated)
    return event


def test_what_the_crm_says_of_the_sale_reaches_the_lead_and_its_place_in_the_queue() -> None:
    """Stage, value and time invested change the lead; in the queue the score with them, in the same event."""
    life = life_in("queued")
    before = life.lead.score
    assert before
    updated(life, stage_depth=5, value_band=4, minutes_added=420)
    assert (5, 4, 420) == (life.lead.stage_depth, life.lead.value_band, life.lead.minutes_invested)
    assert life.history[-1].effects.score == life.lead.score
    assert life.lead.score
    assert before.total + 4 * 5 + 3 * 4 + 2 * 3 == life.lead.score.total
    updated(life, stage_depth=5)
    assert 1 == len([recorded for recorded in life.history if recorded.effects.score])
    assert updated(life).stage_depth is msgspec.UNSET
    elsewhere = life_in("note_sent")
    updated(elsewhere, stage_depth=5)
    assert elsewhere.history[-1].effects.score is msgspec.UNSET
    assert 5 == elsewhere.lead.stage_depth


def test_a_new_score_keeps_what_brought_the_lead_into_the_queue() -> None:
    """A trigger speaks for the lead as long as it waits, whatever the CRM changes meanwhile."""
    life = life_in("registered")
    life.must(c.QueueRevival(reason="job_change"))
    updated(life, value_band=1)
    assert life.lead.score
    assert (6, 3) == (life.lead.score.trigger, life.lead.score.value)


def test_minutes_that_were_logged_here_stay_beside_those_of_the_crm() -> None:
    """The CRM says 60, then 90: thirty more, whatever was logged in between."""
    life = Life()
    life.must(register(minutes_invested=60), "import")
    life.must(c.RecordDecline(kind="no", stated_reason="price", minutes=7))
    updated(life, minutes_added=30)
    assert 97 == life.lead.minutes_invested
    updated(life, minutes_added=-90)
    assert 7 == life.lead.minutes_invested


def test_the_crm_corrects_its_own_last_contact_and_not_what_happened_here() -> None:
    """A date of the CRM replaces its own earlier one, also by an earlier day or none; a contact that we had ourselves stays."""
    life = Life()
    said: date | None = date(2025, 3, 1)
    life.must(register(last_contact_on=said), "import")
    for day in (date(2024, 1, 1), None, date(2025, 6, 1)):
        updated(life, last_contact_on=day, last_contact_before=said)
        said = day
        assert day == (life.lead.last_contact_at.date() if life.lead.last_contact_at else None)
    life.must(OPEN_REPLY)
    spoke = life.lead.last_contact_at
    for day in (date(2025, 7, 1), None):
        updated(life, last_contact_on=day, last_contact_before=said)
        said = day
        assert spoke == life.lead.last_contact_at
    life.wait(days=30)
    updated(life, last_contact_on=life.today, last_contact_before=said)
    assert life.today == (life.lead.last_contact_at.date() if life.lead.last_contact_at else None)


def test_an_opportunity_that_opens_later_ends_the_reviving() -> None:
    """Wherever the lead waits, nothing begins with an active prospect, and all goes on when it is closed (A4-1)."""
    opened = c.UpdateContact(contact=WORDS, modes=ALL_MODES, open_opportunity=True)
    closed = c.UpdateContact(contact=WORDS, modes=ALL_MODES)
    life = Life()
    life.must(register(), "import")
    life.must(c.RecordDecline(kind="no", stated_reason="price", occurred_at=START - timedelta(days=100)), "import")
    make_ready(life)
    life.must(opened, "crm")
    assert "active_prospect" == life.do(c.QueueRevival()).rule
    life.must(closed, "crm")
    life.must(c.QueueRevival())
    life.must(opened, "crm")
    assert "active_prospect" == life.do(note_command(life), "planner").rule
    assert "active_prospect" == life.do(call_command(life), "planner").rule
    life = life_in("nurture")
    life.must(opened, "crm")
    assert "active_prospect" == life.do(c.QueueRevival(reason="job_change")).rule
    assert "active_prospect" == life.fire("requeue").rule
    assert CALENDAR.start_of(life.today + timedelta(days=RETRY_DAYS)) == life.lead.timers["requeue"].due_at
    life.must(closed, "crm")
    assert ("applied", "queued") == (life.fire("requeue").answer, life.lead.state)


def test_nobody_is_queued_whom_nothing_reaches() -> None:
    """Nurture keeps a lead without a way to reach it, and asks again a month later (T34)."""
    life = life_in("nurture")
    life.must(c.UpdateContact(contact=WORDS, modes=()))
    refused = life.fire("requeue")
    assert ("refused", "mode_left", "nurture") == (refused.answer, refused.rule, life.lead.state)
    assert CALENDAR.start_of(life.today + timedelta(days=RETRY_DAYS)) == life.lead.timers["requeue"].due_at


def test_a_hold_freezes_and_a_release_thaws() -> None:
    """Timers keep what is left of them, slots go back, and on release a call gets a new day and a slot (2.1)."""
    life = life_in("note_sent")
    (slot,) = life.lead.slots
    life.wait(days=2).must(c.Hold(reason="prospect_out_of_office"))
    assert {"hold_until"} == set(life.lead.timers)
    assert ((slot,), ()) == (life.history[-1].effects.released, life.lead.slots)
    assert life.lead.hold
    assert date(2026, 1, 21) == life.lead.hold.until
    life.fire("hold_until")
    # Three working days were left on Wednesday the 7th; from Wednesday the 21st they lead to Monday the 26th.
    released = life.lead
    assert (None, date(2026, 1, 26)) == (released.hold, released.call_on)
    assert [date(2026, 1, 26)] == [slot.day for slot in life.lead.slots]
    assert CALENDAR.start_of(date(2026, 1, 26)) == life.lead.timers["call_after_note"].due_at


def test_a_hold_without_an_end_is_reviewed_again_and_again() -> None:
    """Nobody forgets a lead because it is on hold."""
    life = life_in("nurture")
    life.must(c.Hold(reason="legal_review"))
    for _ in range(3):
        before = life.lead.timers["hold_review"].due_at
        life.fire("hold_review")
        assert life.lead.timers["hold_review"].due_at > before + timedelta(days=80)
    life.must(c.Release())
    assert {"nurture_touch", "nurture_floor", "requeue"} == set(life.lead.timers)


def test_what_people_report_on_hold_is_accepted_and_frozen() -> None:
    """A reply during a hold moves the lead; what it arms starts to run with the release."""
    life = life_in("note_sent")
    life.must(c.Hold(reason="rep_absent", until=date(2026, 2, 2)))
    life.must(OPEN_REPLY)
    assert ("re_engaged", {"hold_until"}) == (life.lead.state, set(life.lead.timers))
    assert life.lead.hold
    assert ["lapse", "next_step"] == [left.timer for left in life.lead.hold.remaining]
    life.fire("hold_until")
    assert {"lapse", "next_step"} == set(life.lead.timers)
    assert date(2026, 2, 16) == CALENDAR.local_day(life.lead.timers["lapse"].due_at)


def test_the_planner_leaves_held_leads_alone() -> None:
    """Proposals are refused; a second hold and a release of nothing are, too."""
    life = life_in("queued")
    life.must(c.Hold(reason="needs_address"))
    assert "not_held" == life.do(note_command(life), "planner").rule
    assert "not_held" == life.do(c.ScheduleCall(call_on=life.today), "planner").rule
    assert "not_held" == life.do(c.Hold(reason="manual")).rule
    life.must(c.Release())
    assert "held" == life.do(c.Release()).rule


def test_a_returned_note_waits_for_an_address() -> None:
    """The promise is void, the slot free, and the lead on hold until somebody finds the address (T14)."""
    life = life_in("note_sent")
    life.wait(days=3).must(c.RecordReturn())
    assert [("T14", "note_returned"), (None, "lead_held")] == names(life, 2)
    assert life.lead.hold
    assert ("queued", "needs_address", ()) == (life.lead.state, life.lead.hold.reason, life.lead.slots)
    assert ["queue_age"] == [left.timer for left in life.lead.hold.remaining]
    life = life_in("note_sent")
    life.must(c.Hold(reason="legal_review"))
    life.must(c.RecordReturn())
    assert life.lead.hold
    assert ("queued", "legal_review") == (life.lead.state, life.lead.hold.reason)


def test_another_owner_keeps_the_dates_and_gets_slots_of_their_own() -> None:
    """Timers stay as they are; the old owner's slots go back, the new owner's are taken where they are offered."""
    life = life_in("note_sent")
    timers = life.lead.timers
    (old,) = life.lead.slots
    life.must(c.Reassign(owner="eve"), "manager:ann")
    (new,) = life.lead.slots
    assert (timers, (old,), ("eve", old.day)) == (life.lead.timers, life.history[-1].effects.released, (new.rep, new.day))
    life.offers = False
    life.must(c.Reassign(owner="dan"), "manager:ann")
    assert ((), "note_sent") == (life.lead.slots, life.lead.state)


def test_the_reason_probe_is_satisfied_by_the_real_reason() -> None:
    """A real reason with the decline needs no probe; one found later ends the probe's date, a stated one does not (A2-6)."""
    life = life_in("registered")
    life.must(c.RecordDecline(kind="no", stated_reason="price", real_reason="no_need"))
    assert {"homework", "triage"} == set(life.lead.timers)
    assert life.lead.reason_probed_at
    life = life_in("declined")
    life.must(c.RecordReason(kind="stated", reason="price"))
    assert "reason_probe" in life.lead.timers
    life.must(REAL_REASON)
    assert "reason_probe" not in life.lead.timers


def test_a_declined_lead_is_queued_only_when_everything_is_done() -> None:
    """Each thing that is missing has its own answer, in the order in which it is to be done (T04)."""
    life = Life()
    life.must(register(), "import")
    life.must(c.RecordDecline(kind="no", stated_reason="price", occurred_at=START - timedelta(days=100)), "import")
    homework = c.CompleteHomework(answers=dict.fromkeys(PLAYBOOK.homework.fields, WORDS), sources=(date(2025, 12, 1),))
    for rule, command in (
        ("reason_probed", c.RecordReason(kind="stated", reason="price")),
        ("reason_probed", REAL_REASON),
        ("homework_fresh", homework),
        ("strategy_recorded", c.RecordStrategy(strategy=WORDS, missed_last_time=WORDS)),
        ("qualified", c.Qualify(qualified=True)),
        ("importance_answered", c.AnswerImportance(importance=2)),
    ):
        assert rule == life.do(c.QueueRevival()).rule
        life.must(command)
    life.must(c.QueueRevival())
    assert life.lead.score
    assert 6 == life.lead.score.importance


def test_a_meeting_can_be_moved() -> None:
    """A new date in the calendar is no new transition; the outcome is asked for after the new one."""
    life = life_in("meeting_booked")
    life.must(c.BookMeeting(meeting_at=life.now + timedelta(days=20)))
    assert ("meeting_booked", [(None, "meeting_booked")]) == (life.lead.state, names(life, 1))
    assert life.lead.timers["meeting_outcome"].due_at > life.now + timedelta(days=20)


def test_the_log_never_runs_backwards() -> None:
    """A clock that was set back records at the time of the event before."""
    life = life_in("declined")
    before = life.lead.recorded_at
    life.now -= timedelta(hours=1)
    life.must(c.Qualify(qualified=True))
    assert before == life.lead.recorded_at


def test_a_decision_can_be_derived_again() -> None:
    """Command, moment, calendar and slots stand beside the first event: deciding again gives the same steps."""
    life = life_in("note_due")
    lead = None
    for recorded in life.history:
        assert recorded.command
        assert recorded.used
        assert calendar_digest(CALENDAR) == recorded.used.calendar
        context = Context(
            now=recorded.used.now,
            actor=recorded.actor,
            calendar=CALENDAR,
            playbook=PLAYBOOK,
            free=recorded.used.free,
            verdicts=recorded.used.verdicts,
        )
        answer = decide(lead, recorded.command, context)
        assert isinstance(answer, Applied)
        (step,) = answer.steps
        assert (recorded.row, recorded.data, recorded.effects) == (step.row, step.data, step.effects)
        lead = fold(lead, recorded)
    assert {LEAD_ID} == {recorded.stream_id for recorded in life.history}


def test_every_pursuit_state_arms_what_moves_it_on() -> None:
    """On entering a state a timer is armed that the table lets fire there: nobody is ever forgotten (A1-11)."""
    for state in set(STATES) - RESTING:
        life = life_in(state)
        armed = {name for name in life.lead.timers if TIMERS[name].fires}
        assert armed
        assert all(row_for(state, f"fire_timer:{name}") for name in armed)
