"""History again under other rules: as it was under its own, and nothing made up under others."""

from datetime import date, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.workflows.life import WORDS, call_command, life_in, queue_breakup_mail, touch_command
from tests.workflows.office import CALENDARS, CHECKS, MONDAY, PLAYBOOK, Office, with_capacity
from workflows import commands as c
from workflows.calendars import Absence
from workflows.codec import derived_id
from workflows.events import Used
from workflows.law_table import CURRENT
from workflows.mail_commands import ReportMail, SendMail
from workflows.parts import day_of
from workflows.playbooks import Playbook
from workflows.rep import rep_id
from workflows.script_reader import Reader
from workflows.scripts import call_kind, standing_day, step_of
from workflows.suppression import verdict
from workflows.touches import Touch, by_period
from workflows.what_if import WhatIf

BEGINNING = MONDAY - timedelta(days=1)


def run(office: Office, *playbooks: Playbook, since: datetime = BEGINNING) -> tuple[Reader, WhatIf]:
    """Return what the office's log holds, and the run of it under *playbooks*."""
    reader = Reader({office.playbook.pin.digest: office.playbook}, since, CURRENT)
    log = office.read_back()
    for recorded in log:
        reader.take(recorded)
    what_if = WhatIf(reader, playbooks, since)
    what_if.run([recorded for recorded in log if recorded.recorded_at <= since])
    return reader, what_if


def lived(seed: int, leads: int, days: int, wild: float) -> Office:
    """Return an office that has lived for a while."""
    office = Office(leads)
    office.live(days, Random(seed), wild=wild)
    return office


def offices() -> st.SearchStrategy[Office]:
    """Draw offices that have lived for a while, some of them wildly."""
    return st.builds(lived, st.integers(0, 10_000), st.integers(1, 12), st.integers(5, 50), st.sampled_from([0, 0.1, 0.3]))


@given(offices(), st.integers(0, 50))
@example(lived(959818, 10, 47, 0.3), 11)  # a call that was made before the day to which its new owner had moved it
@example(lived(959818, 8, 49, 0.1), 15)  # a touch that somebody with other working days was asked for first
@settings(max_examples=25, deadline=None)
def test_under_its_own_rules_history_runs_as_it_was(office: Office, since: int) -> None:
    """The control: from any day on, every event that moved a lead comes on its day, and no lead stops."""
    reader, control = run(office, since=BEGINNING + timedelta(days=since))
    assert reader.tally.trails == control.tally.trails
    assert reader.tally.touches == control.tally.touches
    assert (reader.tally.gap_days, reader.tally.queued_days) == (control.tally.gap_days, control.tally.queued_days)
    assert {} == control.unknown


@given(offices(), st.sampled_from([1, 3, 5]), st.integers(1, 6))
@example(lived(512, 12, 36, 0.1), 3, 1)  # a lead that was won and lost again after a note that was made up
@example(lived(10, 10, 21, 0.1), 3, 1)  # a call was planned for a lead whose note had come back before the call it promised
@example(lived(991016, 7, 42, 0.3), 1, 2)  # somebody declined, and in the run a call is due at that moment
@settings(max_examples=25, deadline=None)
def test_nothing_is_made_up_under_other_rules(office: Office, notes: int, most: int) -> None:
    """Each lead gets recorded touches in their order, at most a note and one other that are not, and then it stops."""
    other = replace(with_capacity(notes), attempts=replace(PLAYBOOK.attempts, max=most))
    reader, what_if = run(office, other)
    recorded, found = _by_lead(reader.tally.touches), _by_lead(what_if.tally.touches)
    for lead_id, touches in found.items():
        kinds = [touch.kind for touch in touches if touch.known]
        rest = iter(touch.kind for touch in recorded.get(lead_id, []))
        assert all(kind in rest for kind in kinds), "the run has touches that were never made, or in another order"
        made_up = [touch.kind for touch in touches if not touch.known]
        assert len(made_up) <= 1 or (made_up[0] == "note" and len(made_up) == 2)
        assert all(touch.known for touch in touches[: len(kinds)])
    ends = max(recorded.recorded_at for recorded in office.log)
    assert all(unknown.at <= ends for unknown in what_if.unknown.values())
    assert all(what_if.lead(lead_id) is None for lead_id in what_if.unknown)


def _by_lead(touches: list[Touch]) -> dict[UUID, list[Touch]]:
    found: dict[UUID, list[Touch]] = {}
    for touch in touches:
        found.setdefault(touch.lead_id, []).append(touch)
    return found


LEADS = [derived_id("lead", number) for number in range(0, 8, 2)]
DAN = CALENDARS["dan"]
BREAKUP: list[c.Command] = [
    c.RecordOffer(solution=WORDS, benefit=WORDS), c.ConfirmCutBait(choice="breakup"),
    c.LeaveBreakupVoicemail(attested=("mentions_mail",)),
    c.SendBreakupEmail(monitored_reply_address=True, attested=("breakup_parts",)), c.SendBreakup(),
]  # fmt: skip


@pytest.fixture
def quiet() -> Office:
    """An office under the usual playbook."""
    return quiet_office(PLAYBOOK)


def quiet_office(playbook: Playbook) -> Office:
    """Return one with eight leads: dan's four get a note and a call that nobody answers, two a day; eve does nothing."""
    office = Office(8, playbook)
    for day in (date(2026, 1, 6), date(2026, 1, 7)):
        _notes(office, day)
    for day in (date(2026, 1, 13), date(2026, 1, 14)):
        office.simulation.run_until(DAN.moment(day, 780))
        called = [lead.id for lead in office.simulation.books.standing("dan", "call_due")]
        office.hand_in(*((lead, c.RecordCall(outcome="voicemail")) for lead in sorted(called)))
    return office


def _notes(office: Office, day: date) -> None:
    office.simulation.run_until(DAN.moment(day, 780))
    due = sorted(lead.id for lead in office.simulation.books.standing("dan", "note_due"))
    office.hand_in(*((lead, c.MarkNoteSent(medium="hand_written", attested=CHECKS)) for lead in due))


def _pursue(office: Office, lead: UUID, attempts: int) -> None:
    """Make every attempt that is asked for, day by day, until there are so many; nobody answers."""
    day = DAN.local_day(office.simulation.now)
    while office.simulation.lead(lead).attempts < attempts:
        day = DAN.next_working_day(day)
        office.simulation.run_until(DAN.moment(day, 780))
        standing = office.simulation.lead(lead)
        if standing.state == "call_due":
            office.hand_in((lead, c.RecordCall(outcome="no_answer")))
        elif any(slot.day == day for slot in standing.slots):
            item = next(item for item in PLAYBOOK.value_items if item not in standing.value_items_used)
            office.hand_in((lead, c.SendTouch(mode="email", value_item=item, attested=PLAYBOOK.checks.touch)))


def test_more_capacity_brings_recorded_touches_forward_with_what_followed(quiet: Office) -> None:
    """Four notes on the first day instead of two and two: the later two calls come a day earlier, with their outcomes."""
    reader, what_if = run(quiet, with_capacity(4))
    before, after = _by_lead(reader.tally.touches), _by_lead(what_if.tally.touches)
    moved = [lead for lead in LEADS if before[lead][0].day == date(2026, 1, 7)]
    assert 2 == len(moved)
    for lead in moved:
        assert [("note", date(2026, 1, 6)), ("call", date(2026, 1, 13))] == [(t.kind, t.day) for t in after[lead] if t.known]
        # The log ends on the afternoon of the 14th; what followed a call of the 14th is known for a day less.
        assert "log_ends" == what_if.unknown[lead].code
    assert {7: 4} == what_if.tally.gap_days
    assert {date(2026, 1, 5): 4, date(2026, 1, 12): 4} == {week: n.total() for week, n in by_period(
        [touch for touch in what_if.tally.touches if touch.lead_id in LEADS], monthly=False).items()}  # fmt: skip


def test_less_capacity_puts_touches_off(quiet: Office) -> None:
    """One note a day: the second lead of the first day is written to on the second, and the rest wait for lack of days."""
    _, what_if = run(quiet, with_capacity(1))
    notes = [touch.day for touch in what_if.tally.touches if touch.kind == "note" and touch.owner == "dan"]
    assert [date(2026, 1, day) for day in (6, 7, 8, 9, 12, 13, 14)][: len(notes)] == notes
    assert all(touch.known for touch in what_if.tally.touches)


def test_a_touch_that_history_does_not_hold_is_counted_and_ends_there() -> None:
    """A lead that nobody wrote to in history is written to with more capacity, and called; what came of it is unknown."""
    office = Office(30)
    for day in (date(2026, 1, 6), date(2026, 1, 7)):
        _notes(office, day)
    office.simulation.run_until(DAN.moment(date(2026, 1, 20), 780))
    reader, what_if = run(office, with_capacity(6))
    never = {lead for lead, script in reader.scripts.items() if not script.last.asks}
    theirs = [touch for touch in what_if.tally.touches if touch.lead_id in never and touch.owner == "dan"]
    assert set(_by_lead(theirs)) <= never - set(_by_lead(reader.tally.touches))
    assert {("note", False), ("call", False)} == {(touch.kind, touch.known) for touch in theirs}
    stopped = [what_if.unknown[touch.lead_id] for touch in theirs if touch.kind == "call"]
    why = "the run asks for a promised call, and the log holds none at this point"
    assert {("touch", why)} == {(unknown.code, unknown.why) for unknown in stopped}
    assert len(stopped) >= 3


def test_a_breakup_is_brought_forward_over_attempts_that_nobody_answered() -> None:
    """With two attempts at most, the breakup that followed the fourth follows the second; the two between are left out."""
    quiet = quiet_office(_attempts(4, "1.0.0"))
    lead = LEADS[0]
    _pursue(quiet, lead, 4)
    last = DAN.local_day(quiet.simulation.now)
    quiet.simulation.run_until(DAN.moment(DAN.add_working_days(last, 3), 780))
    quiet.hand_in(*((lead, command) for command in BREAKUP))
    quiet.simulation.run_until(DAN.moment(date(2026, 3, 2), 780))
    reader, what_if = run(quiet, _attempts(2))
    assert ["note", "call", "follow_up", "follow_up", "follow_up", "breakup"] == _kinds(reader, lead)
    assert ["note", "call", "follow_up", "breakup"] == _kinds(what_if, lead)
    second, breakup_on = [touch.day for touch in what_if.tally.touches if touch.lead_id == lead][-2:]
    assert DAN.add_working_days(second, 3) == breakup_on


def test_a_breakup_by_mail_comes_as_it_was() -> None:
    """The run sends the mail when it was sent, and hears of it what was heard."""
    history = quiet_office(_attempts(4, "1.0.0"))
    lead = LEADS[0]
    _pursue(history, lead, 3)
    mail, taken = queue_breakup_mail(), Used(now=history.simulation.now, calendar=None, verdicts=(verdict(()),))
    history.hand_in(*((lead, command) for command in (*BREAKUP[:2], mail)))
    send = SendMail(mail=mail.mail, purpose="breakup", attempt=1)
    history.simulation.submit(derived_id("sent"), lead, send, asked_by="rep:dan", used=taken)
    history.simulation.move(history.simulation.now)
    history.hand_in(*((lead, command) for command in (ReportMail(mail=mail.mail, outcome="sent"), BREAKUP[2], BREAKUP[4])))
    reader, control = run(history)
    assert "breakup" == _kinds(reader, lead)[-1]
    assert (reader.tally.trails, {}) == (control.tally.trails, control.unknown)


def test_a_mail_is_named_by_what_it_is_for() -> None:
    """Where the other rules refuse to send it, people read which of the two it was."""
    mail = UUID(int=1)
    assert "breakup mail" == step_of(SendMail(mail=mail, purpose="breakup", attempt=1))
    assert "nurture mail" == step_of(SendMail(mail=mail, purpose="nurture", attempt=1))


def test_a_call_comes_on_its_recorded_day_unless_the_run_moves_it_to_another(quiet: Office) -> None:
    """Asked for as recorded, and standing for a day for which it never stood: as late after that day as it was."""
    reader, _ = run(quiet, PLAYBOOK)
    act = next(stretch.act for stretch in reader.scripts[LEADS[0]].stretches if stretch.act and stretch.act.kind == "call")
    assert act.day == day_of(act, act.asked_on, act.asked_on, DAN)
    assert date(2026, 1, 20) == day_of(act, act.asked_on, date(2026, 1, 20), DAN)


def test_a_follow_up_call_stands_for_the_day_to_which_it_was_moved() -> None:
    """As a promised one does."""
    life = life_in("no_response")
    life.wait(days=7).must(touch_command("study"))
    life.wait(days=7).must(call_command(life))
    asked_for = life.lead.call_on
    assert asked_for
    later = DAN.add_working_days(asked_for, 2)
    life.must(c.RescheduleCall(call_on=later, reason="capacity"), "planner")
    assert ("follow_up", later) == (call_kind(life.lead), standing_day(life.lead, "follow_up", asked_for))


def test_what_answered_a_breakup_does_not_come_where_the_other_rules_refuse_it() -> None:
    """A breakup after three attempts is too early where five are asked for, and so the reply that it brought is unknown."""
    quiet = quiet_office(_attempts(4, "1.0.0"))
    lead = LEADS[0]
    _pursue(quiet, lead, 3)
    for work in ([*BREAKUP], [c.RecordReply(channel="email")]):
        quiet.simulation.run_until(DAN.moment(DAN.next_working_day(DAN.local_day(quiet.simulation.now)), 780))
        quiet.hand_in(*((lead, command) for command in work))
    assert "re_engaged" == quiet.simulation.lead(lead).state
    stricter = replace(PLAYBOOK.attempts, min_before_breakup=5)
    _, what_if = run(quiet, replace(PLAYBOOK, version="1.1.0", attempts=stricter))
    assert ["note", "call", "follow_up", "follow_up"] == _kinds(what_if, lead)
    unknown = what_if.unknown[lead]
    assert ("refused", "the recorded breakup is refused by attempts_made") == (unknown.code, unknown.why)


def test_no_breakup_is_brought_forward_over_a_hold() -> None:
    """After the second attempt of four somebody asked for a pause; with two at most a breakup would have come before it."""
    history = quiet_office(_attempts(4, "1.0.0"))
    lead = LEADS[0]
    _pursue(history, lead, 2)
    for command in (c.Hold(reason="manual"), c.Release()):
        history.simulation.run_until(DAN.moment(DAN.next_working_day(DAN.local_day(history.simulation.now)), 780))
        history.hand_in((lead, command))
    _pursue(history, lead, 4)
    history.hand_in(*((lead, command) for command in BREAKUP))
    _, what_if = run(history, _attempts(2))
    assert "decision" == what_if.unknown[lead].code
    assert ["note", "call", "follow_up"] == _kinds(what_if, lead)


def test_no_breakup_is_brought_forward_where_history_owed_one_and_something_else_was_done() -> None:
    """After one attempt somebody chose nurture; the lead was tried again, and only then came the breakup."""
    once = replace(PLAYBOOK.attempts, max=1, min_before_breakup=1, min_modes_before_breakup=1)
    quiet = quiet_office(replace(PLAYBOOK, attempts=once))
    lead = LEADS[0]
    quiet.simulation.run_until(DAN.moment(date(2026, 1, 16), 780))
    quiet.hand_in((lead, c.StartNurture(waiver=WORDS)), (lead, c.QueueRevival(reason="job_change")))
    _pursue(quiet, lead, 1)
    quiet.hand_in(*((lead, command) for command in BREAKUP))
    reader, control = run(quiet)
    assert "breakup" == _kinds(reader, lead)[-1]
    assert (reader.tally.trails, {}) == (control.tally.trails, control.unknown)


def test_a_breakup_that_was_refused_is_not_made(quiet: Office) -> None:
    """It came after one attempt of three; where one is enough nobody knows what would have come of it."""
    lead = LEADS[0]
    quiet.hand_in(*((lead, command) for command in BREAKUP))
    assert "no_response" == quiet.simulation.lead(lead).state
    sooner = replace(PLAYBOOK.attempts, min_before_breakup=1, min_modes_before_breakup=1)
    reader, what_if = run(quiet, replace(PLAYBOOK, version="1.1.0", attempts=sooner))
    assert ["note", "call"] == _kinds(reader, lead) == _kinds(what_if, lead)


def test_a_decision_that_was_never_made_is_unknown(quiet: Office) -> None:
    """With one attempt, somebody would have had to decide about the breakup after the call; the log holds no such decision."""
    quiet.simulation.run_until(DAN.moment(date(2026, 1, 30), 780))
    _, what_if = run(quiet, _attempts(1))
    assert {"decision"} == {unknown.code for unknown in what_if.unknown.values()}
    assert set(LEADS) == set(what_if.unknown)


def test_a_recorded_touch_that_the_other_rules_refuse_is_unknown(quiet: Office) -> None:
    """A note for which a word is missing that the other playbook asks for is not sent in the run."""
    stricter = replace(PLAYBOOK, version="1.1.0", checks=replace(PLAYBOOK.checks, note=(*CHECKS, "spelling")))
    _, what_if = run(quiet, stricter)
    assert set(LEADS) == set(what_if.unknown)
    unknown = what_if.unknown[LEADS[0]]
    assert ("refused", "the recorded note is refused by check.spelling") == (unknown.code, unknown.why)
    assert [] == [touch for touch in what_if.tally.touches if touch.lead_id in LEADS]


def test_what_came_before_is_taken_as_it_was(quiet: Office) -> None:
    """From the second note day on only what is decided from then on is another."""
    since = DAN.moment(date(2026, 1, 7), 0)
    reader, what_if = run(quiet, with_capacity(4), since=since)
    assert {date(2026, 1, 7)} == {touch.day for touch in what_if.tally.touches if touch.kind == "note" and touch.owner == "dan"}
    assert reader.tally.touches == [touch for touch in what_if.tally.touches if touch.owner == "dan"]
    assert min(milestone.day for trail in what_if.tally.trails.values() for milestone in trail) >= date(2026, 1, 7)


def test_a_touch_comes_on_its_day_where_the_calendar_became_another_since_it_was_asked_for() -> None:
    """Two days off that were entered once the call was due put it off no further, from whatever day on history runs again."""
    office = Office(2)
    lead = LEADS[0]
    _notes(office, date(2026, 1, 6))
    office.simulation.run_until(DAN.moment(date(2026, 1, 14), 780))
    away = replace(DAN, absences=(Absence(first=date(2026, 1, 15), last=date(2026, 1, 16)),))
    calendar = c.SetCalendar(rep="dan", calendar=away, playbook=PLAYBOOK.id)
    office.hand_in((rep_id("dan"), calendar), (lead, c.RecordOffer(solution=WORDS, benefit=WORDS)))
    office.simulation.run_until(DAN.moment(date(2026, 1, 19), 780))
    office.hand_in((lead, c.RecordCall(outcome="voicemail")))
    for day in range(6, 20):
        reader, control = run(office, since=DAN.moment(date(2026, 1, day), 0))
        assert reader.tally.touches == control.tally.touches
        assert ("call", date(2026, 1, 19)) == (control.tally.touches[-1].kind, control.tally.touches[-1].day)


def _attempts(most: int, version: str = "1.1.0") -> Playbook:
    return replace(PLAYBOOK, version=version, attempts=replace(PLAYBOOK.attempts, max=most, min_before_breakup=1))


def _kinds(side: Reader | WhatIf, lead: UUID) -> list[str]:
    return [touch.kind for touch in side.tally.touches if touch.lead_id == lead]
