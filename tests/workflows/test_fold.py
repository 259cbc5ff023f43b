"""What was lived is what a replay gives, and the laws of a life hold whatever is asked and whenever."""

import ast
import inspect
from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import settings

from tests.workflows.life import (
    LEAD_ID,
    OPEN_REPLY,
    REAL_REASON,
    VOICEMAIL,
    WORDS,
    Life,
    life_in,
    note_command,
    register,
    touch_command,
)
from tests.workflows.player import Player
from workflows import changes, fold
from workflows import commands as c
from workflows.events import LeadEvent, event_type
from workflows.fold import FoldError
from workflows.lead import Lead

TestLife = Player.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def _replay(life: Life) -> Lead | None:
    lead = None
    for recorded in life.history:
        lead = fold.fold(lead, recorded)
    return lead


def test_a_stream_starts_with_its_registration() -> None:
    """A log that begins in the middle is not folded into half a lead."""
    life = life_in("declined")
    with pytest.raises(FoldError, match="lead_registered"):
        fold.fold(None, life.history[1])


def test_the_fold_knows_events_only() -> None:
    """What folds the past imports neither the table, nor rules, nor playbooks, nor calendars: they may change, it may not."""
    allowed = {
        "workflows",
        "workflows.campaign_events",
        "workflows.changes",
        "workflows.commands",
        "workflows.events",
        "workflows.law_facts",
        "workflows.lead",
    }
    for module in (fold, changes):
        tree = ast.parse(inspect.getsource(module))
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert {name for name in imported if name and name.startswith("workflows")} <= allowed


def test_events_without_a_change_of_their_own_are_known() -> None:
    """Every event but these changes something in the lead; a new one is not forgotten by accident."""
    silent = {
        "lead_registered", "lead_dropped", "note_slot_released", "call_due", "call_promise_expired", "response_window_closed",
        "breakup_sent", "nurture_floor_reached", "lead_won", "meeting_outcome_missed", "hold_review_due", "command_refused",
        "playbook_migrated", "touch_scheduled", "cold_proposed",
    }  # fmt: skip
    missing = {kind.__struct_config__.tag for kind in get_args(LeadEvent) if kind not in changes.CHANGES}
    assert silent == missing


def test_attempts_are_counted_until_somebody_answers() -> None:
    """Each unanswered touch counts once, in its mode; a two-way contact starts anew."""
    life = life_in("no_response")
    life.wait(days=7).must(touch_command())
    lead = life.lead
    assert (2, ("handwritten_note", "call", "email"), "email") == (lead.attempts, lead.modes_tried, lead.last_mode)
    assert ("report", "study") == lead.value_items_used
    life.must(OPEN_REPLY)
    assert (0, (), life.now) == (life.lead.attempts, life.lead.modes_tried, life.lead.last_contact_at)


def test_a_lapsed_conversation_starts_the_count_anew() -> None:
    """Silence after a conversation is not the silence before it (T39)."""
    life = life_in("re_engaged")
    life.fire("lapse")
    assert ("no_response", 0, "lapsed") == (life.lead.state, life.lead.attempts, life.lead.last_outcome)


def test_a_new_pursuit_has_a_new_budget() -> None:
    """Who comes back from nurture can be tried again as often as the first time."""
    life = life_in("no_response")
    life.must(c.StartNurture(waiver=WORDS))
    assert 1 == life.lead.attempts
    life.fire("requeue")
    assert ("queued", 0) == (life.lead.state, life.lead.attempts)


def test_entering_the_queue_pins_the_playbook() -> None:
    """A lead moves to another version only by the event that queues it."""
    life = life_in("registered")
    first = life.playbook
    life.playbook = type(first)(schema=1, id="life", version="2.0.0", title=first.title, source=first.source)
    life.must(c.Qualify(qualified=True))
    assert life.lead.playbook == first.pin
    life.must(c.QueueRevival())
    assert life.lead.playbook == life.playbook.pin
    assert _replay(life) == life.lead


@pytest.mark.parametrize("timer", ["requeue", "revisit"])
def test_coming_back_from_nurture_pins_the_playbook_of_that_day(timer: str) -> None:
    """Whoever fires the timer hands in the newest version, and the lead's next pursuit is under that one (T34)."""
    life = life_in("call_due")
    first = life.playbook
    life.must(c.RecordCall(outcome="not_now", revisit_on=life.today + timedelta(days=60 if timer == "revisit" else 400)))
    life.playbook = type(first)(schema=1, id="life", version="2.0.0", title=first.title, source=first.source)
    assert "applied" == life.fire("nurture_touch").answer
    assert first.pin == life.lead.playbook
    assert "applied" == life.fire(timer).answer
    assert ("T34", life.playbook.pin) == (life.history[-1].row, life.lead.playbook)
    assert _replay(life) == life.lead


def test_minutes_add_up() -> None:
    """Every minute that an event names is invested in the lead."""
    life = Life()
    life.must(register(minutes_invested=90), "import")
    life.must(c.RecordDecline(kind="no", stated_reason="price", minutes=12))
    life.must(c.RecordReason(kind="real", reason="no_need", evidence="call-3", words=WORDS, minutes=5))
    assert 107 == life.lead.minutes_invested
    assert "no_need" == (life.lead.decline and life.lead.decline.real_reason)


def test_a_contact_update_never_undoes_an_opt_out() -> None:
    """Data from the CRM does not bring back a mode that the person refused."""
    life = life_in("queued")
    life.must(c.OptOut(channel="email"))
    life.must(c.UpdateContact(contact=WORDS, modes=("call", "email", "post"), timezone="Asia/Tokyo"))
    assert (("call", "post"), ("email",)) == (life.lead.modes, life.lead.modes_refused)
    life.must(c.OptOut())
    life.must(c.UpdateContact(contact=WORDS, modes=("call", "email")))
    assert () == life.lead.modes
    life.must(c.RegrantConsent(evidence=WORDS, modes=("email",)), "manager:ann")
    life.must(c.UpdateContact(contact=WORDS, modes=("call", "email")))
    granted = life.lead
    assert ("email",) == granted.modes


def test_whoever_wants_no_post_wants_no_note_either() -> None:
    """An objection to post covers hand-written notes, known to reach them or not; one to notes leaves other post."""
    life = life_in("queued")
    life.must(c.UpdateContact(contact=WORDS, modes=("call", "handwritten_note", "post")))
    life.must(c.OptOut(channel="post"))
    assert (("call",), ("handwritten_note", "post")) == (life.lead.modes, life.lead.modes_refused)
    life.must(c.UpdateContact(contact=WORDS, modes=("call", "handwritten_note", "post")))
    assert ("call",) == life.lead.modes
    assert "note_reachable" == life.do(note_command(life), "planner").rule
    life = life_in("queued")
    life.must(c.UpdateContact(contact=WORDS, modes=("call", "handwritten_note", "post")))
    life.must(c.OptOut(channel="handwritten_note"))
    assert (("call", "post"), ("handwritten_note",)) == (life.lead.modes, life.lead.modes_refused)


def test_a_stated_reason_probes_nothing() -> None:
    """What they say first is often not why: only the real reason answers the probe (A2-6)."""
    life = life_in("declined")
    life.must(c.RecordReason(kind="stated", reason="no_budget"))
    assert life.lead.decline
    assert ("no_budget", None) == (life.lead.decline.stated_reason, life.lead.reason_probed_at)
    life.must(REAL_REASON)
    assert life.lead.decline
    assert ("no_budget", "chose_other") == (life.lead.decline.stated_reason, life.lead.decline.real_reason)
    assert life.now == life.lead.reason_probed_at


def test_a_returned_note_makes_the_address_useless() -> None:
    """Nothing more is sent by post to an address from which a note came back, until the contact is updated."""
    life = life_in("note_sent")
    life.must(c.RecordReturn())
    assert {"call", "courier", "email"} == set(life.lead.modes)
    assert ["note_returned", "lead_held"] == [event_type(one.data) for one in life.history[-2:]]
    assert LEAD_ID == life.lead.id


def test_the_plan_of_a_touch_ends_with_it() -> None:
    """A lead that is out of the calling states has no planned day left that a page could show."""
    life = life_in("call_due")
    assert life.lead.call_on
    assert life.lead.promised
    life.must(VOICEMAIL)
    lead = life.lead
    assert (None, None, False, None) == (lead.call_on, lead.note_on, lead.promised, lead.value_item)
