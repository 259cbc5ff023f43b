"""In which mode the silent are tried next, a hand-written note included."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from service.calendars import freeze_calendar
from service.office import Office
from service.playbooks import shipped_playbooks
from tests.workflows.life import CALENDAR, PURSUED, WORDS, life_in, sent_command
from workflows import commands as c
from workflows import events as e
from workflows import pursuit_commands as p
from workflows.books import Book
from workflows.commands import Mode
from workflows.cut_bait import to_try
from workflows.law_facts import LawFacts
from workflows.law_table import CURRENT
from workflows.playbooks import Playbook
from workflows.proposals import next_mode, plan_book
from workflows.pursuit_events import ModeWaived
from workflows.pursuit_playbook import Pursuit
from workflows.telephone import Telephone

WAYLESS: Playbook = replace(PURSUED, pursuit=Pursuit())


@settings(deadline=None, max_examples=60)
@given(
    st.sets(st.sampled_from(["call", "email", "handwritten_note", "courier", "fax", "other"]), min_size=1),
    st.lists(st.integers(0, 5), max_size=6),
    st.sets(st.integers(0, 5), max_size=2),
)
def test_the_next_mode_is_one_not_yet_used(modes: set[Mode], tried: list[int], waived: set[int]) -> None:
    """A1-3: while a permitted mode is untried, that is proposed, a note too; never the last one again while there is another,
    no second note, no note that could promise no call, and nothing that was waived."""
    order: list[Mode] = sorted(modes)
    used = tuple(dict.fromkeys(order[index % len(order)] for index in tried))
    gone = tuple(mode for mode in order if order.index(mode) in waived and mode not in used)
    lead = replace(life_in("no_response").lead, modes=tuple(order), modes_tried=used, last_mode=used[-1] if used else None)
    lead = replace(lead, law=LawFacts(region="US", consents=("fax",)), modes_waived=gone, note_sent_at=None)
    proposed = next_mode(lead, WAYLESS, date(2026, 3, 9), CURRENT)
    untried = modes - set(used) - set(gone) - ({"handwritten_note"} if "call" not in modes else set())
    again = set(used) - {"handwritten_note"}
    assert proposed in (untried or again or (None,))
    assert untried or proposed != lead.last_mode or again == {lead.last_mode} or not again


def test_a_mode_is_open_until_each_of_its_ways_was_tried() -> None:
    """A1-3: what the breakup waits for is what is proposed; a mode with ways is used up when all of them are."""
    lead = replace(life_in("no_response").lead, modes=("call", "other"), modes_tried=("call", "linkedin"), last_mode="other")
    assert next_mode(lead, PURSUED, date(2026, 3, 9), CURRENT) == "other"
    lead = replace(lead, modes_tried=("call", "linkedin", "dinner"))
    assert next_mode(lead, PURSUED, date(2026, 3, 9), CURRENT) == "call"
    assert next_mode(replace(lead, last_mode="call"), PURSUED, date(2026, 3, 9), CURRENT) == "other"


def test_nobody_gets_a_second_note_within_the_rotation() -> None:
    """A4-6: who had a note in the last 180 days gets none after another silence, and the breakup does not wait for one."""
    life = life_in("re_engaged", playbook=PURSUED)
    assert life.fire("lapse").answer == "applied"
    assert life.lead.modes_tried == ()
    lead = replace(life.lead, modes=("call", "handwritten_note"), modes_tried=("call",), last_mode="call")
    assert life.lead.note_sent_at is not None
    for days, proposed in ((179, "call"), (180, "handwritten_note")):
        day = life.lead.note_sent_at.date() + timedelta(days=days)
        assert next_mode(lead, PURSUED, day, CURRENT) == proposed
        assert ("handwritten_note" in to_try(lead, PURSUED, lead.modes, day)) is (proposed != "call")
    life._lead = replace(lead, modes_tried=("call", "email"), attempts=3)
    assert life.do(p.WaiveMode(mode="handwritten_note", reason=WORDS)).rule == "mode_open"
    assert life.do(c.SendBreakup()).rule == "breakup_halves"
    life._lead = replace(life.lead, breakup_voicemail_at=life.now, breakup_email_at=life.now)
    assert life.do(c.SendBreakup()).rule == "offer_known"


@pytest.mark.parametrize("timezone", ["America/New_York", "Asia/Singapore"])
def test_a_note_is_planned_for_the_silent_with_something_new_and_its_call(timezone: str) -> None:
    """A1-3, A1-5: a note comes after calls and mails, unless nobody could make the call that it promises (T24)."""
    life = life_in("no_response", playbook=PURSUED).wait(days=7)
    tried = ("call", "email")
    lead = replace(life.lead, modes=("call", "email", "handwritten_note", "courier"), modes_tried=tried, last_mode="email")
    lead = replace(lead, score=life_in("queued").lead.score, timezone=timezone, note_sent_at=None)
    now = CALENDAR.moment(CALENDAR.on_or_after(life.today), 360)
    _, found = plan_book(Book(silent=(lead,)), CALENDAR, PURSUED, Telephone(CALENDAR, PURSUED, None), now, 0)
    (proposal,) = found
    if timezone == "Asia/Singapore":
        assert isinstance(proposal.command, c.ScheduleTouch)
        assert proposal.command.mode == "courier"
        return
    life._lead = lead
    life.now = now
    assert isinstance(proposal.command, c.ScheduleNote)
    (planned,) = life.must(proposal.command, "planner")
    assert isinstance(planned, e.NoteScheduled)
    assert (planned.value_item, life.history[-1].row) == ("video", "T24")
    life.must(sent_command())
    assert "handwritten_note" in life.lead.modes_tried
    assert life.fire("call_after_note").answer == "applied"
    life.must(c.RecordCall(outcome="voicemail"))
    assert next_mode(life.lead, PURSUED, life.today, CURRENT) == "courier"


def test_the_silent_are_written_to_in_a_simulated_run_and_so_can_be_let_go() -> None:
    """A1-3: under the shipped revival, notes come after calls and mails (T24), and breakups (T27) wait for nobody's waiver."""
    start = date(2026, 1, 5)
    calendar = freeze_calendar("US", "", "America/New_York", date(2025, 1, 1), date(2028, 12, 31))
    playbook = shipped_playbooks()["multi-channel-revival"][0]
    office = Office(playbook, {"dan": calendar}, start=start, leads=10, answer_rate=0.1, seed=1)
    known = [(id_, c.RecordLaw(law=LawFacts(region="US"))) for id_ in office.simulation.books.leads]
    office.hand_in(known, "import")
    for number in range(63):
        office.live(start + timedelta(days=number))
    rows: dict[object, set[str | None]] = {}
    for recorded in office.log:
        rows.setdefault(recorded.stream_id, set()).add(recorded.row)
        assert not isinstance(recorded.data, e.CommandRefused), recorded.data
    parted = [each for each in rows.values() if "T27" in each]
    assert len(parted) >= 3
    assert all("T24" in each for each in parted)
    assert not any(isinstance(recorded.data, ModeWaived) for recorded in office.log)
