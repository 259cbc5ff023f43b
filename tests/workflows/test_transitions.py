"""The table: the specification's 51 rows and three more; deterministic, every state reachable, every row lived through."""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import get_args

import pytest

from tests.workflows.life import (
    CONNECTED,
    DECLINE,
    MERGE,
    NO_REPLY,
    NOTELESS,
    OPEN_REPLY,
    PLAYBOOK,
    VOICEMAIL,
    WORDS,
    Life,
    call_command,
    life_in,
    make_ready,
    note_command,
    ready_to_break_up,
    register,
    sent_command,
    take_in,
    touch_command,
)
from workflows import commands as c
from workflows.actor_names import ACTORS, actor_name
from workflows.events import LeadEvent, event_type
from workflows.guards import GUARDS
from workflows.handle import Outcome
from workflows.lead import RESTING
from workflows.outcomes import BUILDERS
from workflows.timers import TIMERS, fires
from workflows.transitions import ASIDES, ROWS, STATES, Row, possible, row_for, trigger

# Written from the specification by hand, so that a slip in the table shows.
_OPEN = "registered declined queued note_due note_sent call_due no_response breakup_sent nurture"
EXPECTED = [
    ("T01", "", "lead_registered", "registered"),
    ("T02", "registered", "lead_declined", "declined"),
    ("T03", "registered", "revival_queued", "queued"),
    ("T04", "declined", "revival_queued", "queued"),
    ("T05", "declined", "nurture_started", "nurture"),
    ("T06", "declined", "lead_dropped", "dropped"),
    ("T07", "queued", "note_scheduled", "note_due"),
    ("T08", "queued", "call_scheduled", "call_due"),
    ("T09", "queued", "nurture_started", "nurture"),
    ("T10", "note_due", "note_sent", "note_sent"),
    ("T11", "note_due", "note_slot_released", "queued"),
    ("T12", "note_sent", "call_due", "call_due"),
    ("T13", "note_sent", "reply_received", "re_engaged"),
    ("T14", "note_sent call_due", "note_returned", "queued"),
    ("T15", "call_due", "call_connected", "re_engaged"),
    ("T16", "call_due", "meeting_booked", "meeting_booked"),
    ("T17", "call_due", "lead_declined", "declined"),
    ("T18", "call_due", "nurture_started", "nurture"),
    ("T19", "call_due", "no_response", "no_response"),
    ("T20", "call_due", "call_rescheduled", "call_due"),
    ("T21", "call_due", "reply_received", "re_engaged"),
    # The specification has it from call_due alone; a promised call that never may be made ends in the same way.
    ("T22", "call_due note_sent", "call_promise_expired", "queued"),
    ("T23", "no_response", "call_scheduled", "call_due"),
    ("T24", "no_response", "note_scheduled", "note_due"),
    ("T25", "no_response", "touch_sent", "no_response"),
    ("T26", "no_response", "reply_received", "re_engaged"),
    ("T27", "no_response", "breakup_sent", "breakup_sent"),
    ("T28", "no_response", "nurture_started", "nurture"),
    ("T29", "breakup_sent", "reply_received", "re_engaged"),
    ("T30", "breakup_sent", "lead_declined", "declined"),
    ("T31", "breakup_sent", "nurture_started", "nurture"),
    ("T32", "nurture", "nurture_touch_sent", "nurture"),
    ("T33", "nurture", "reply_received", "re_engaged"),
    ("T34", "nurture", "revival_queued", "queued"),
    ("T35", "nurture", "lead_dropped", "dropped"),
    ("T36", "re_engaged", "meeting_booked", "meeting_booked"),
    ("T37", "re_engaged", "lead_won", "won"),
    ("T38", "re_engaged", "lead_declined", "declined"),
    ("T39", "re_engaged", "no_response", "no_response"),
    ("T40", "meeting_booked", "lead_won", "won"),
    ("T41", "meeting_booked", "lead_declined", "declined"),
    ("T42", "meeting_booked", "re_engaged", "re_engaged"),
    ("T43", "meeting_booked", "meeting_outcome_missed", "re_engaged"),
    ("T44", "won", "lead_declined", "declined"),
    ("T45", "dropped", "reply_received", "re_engaged"),
    ("T46", "dropped", "revival_queued", "queued"),
    ("T47", "do_not_contact", "consent_regranted", "registered"),
    ("T48", f"{_OPEN} re_engaged meeting_booked won dropped", "opted_out", "do_not_contact"),
    ("T49", "registered declined queued note_due", "reply_received", "re_engaged"),
    ("T50", "queued note_due note_sent no_response nurture", "lead_declined", "declined"),
    ("T51", f"{_OPEN} dropped", "lead_won", "won"),
    # These three stand beside the specification's.
    ("T52", f"{_OPEN} re_engaged meeting_booked won dropped", "lead_merged", "dropped"),
    ("T53", "dropped", "duplicate_taken_in", "registered"),
    ("T54", "note_due note_sent call_due", "playbook_migrated", "queued"),
]


def _begins_again(step: str) -> Callable[[Life], Outcome]:
    return lambda life: life.migrate(NOTELESS, step=step, onto="queue")


def _from(state: str, act: Callable[[Life], Outcome], before: Callable[[Life], object] = lambda _: None) -> Callable[[], Life]:
    def live() -> Life:
        life = life_in(state)
        before(life)
        outcome = act(life)
        assert outcome.answer == "applied", outcome.reason
        return life

    return live


def _says(command: c.AnyCommand, actor: str = "rep:dan") -> Callable[[Life], Outcome]:
    return lambda life: life.do(command, actor)


def _fires(timer: str) -> Callable[[Life], Outcome]:
    return lambda life: life.fire(timer)


def _rested(life: Life) -> None:
    """Live through a decline that was long ago, so that the rest is over before the triage."""
    life.do(c.OptOut())
    life.do(c.RegrantConsent(evidence=WORDS, modes=("call",)), "manager:ann")
    life.must(c.RecordDecline(kind="no", stated_reason="price", occurred_at=life.now - timedelta(days=200)))
    make_ready(life)


def _reschedule(life: Life) -> Outcome:
    return life.do(c.RescheduleCall(call_on=life.today + timedelta(days=1), reason="capacity"), "planner")


def _book(life: Life) -> Outcome:
    return life.do(c.BookMeeting(meeting_at=life.now + timedelta(days=2)))


def _fresh(life: Life) -> None:
    life.must(OPEN_REPLY)
    life.must(DECLINE)
    life.wait(days=31)
    life.fire("triage")
    life.must(c.CompleteHomework(answers=dict.fromkeys(life.playbook.homework.fields, WORDS), sources=(life.today,)))
    life.must(c.QueueRevival(reason="job_change"))


def _later(life: Life) -> None:
    life.wait(days=7)


MANAGER = "manager:ann"
NOT_NOW = c.RecordCall(outcome="not_now", revisit_on=date(2026, 4, 1))
LIVES: dict[str, tuple[Callable[[], Life], ...]] = {
    "T02": (_from("registered", _says(DECLINE)),),
    "T03": (_from("registered", _says(c.QueueRevival(), "planner")),),
    "T04": (_from("registered", _says(c.QueueRevival()), _rested),),
    "T05": (_from("declined", _fires("triage")), _from("declined", _says(c.StartNurture()))),
    "T06": (_from("declined", _says(c.Drop(reason="never_qualified"), MANAGER)),),
    "T07": (_from("queued", lambda life: life.do(note_command(life), "planner")),),
    "T08": (_from("queued", lambda life: life.do(call_command(life), "planner"), _fresh),),
    "T09": (_from("queued", _fires("queue_age")),),
    "T10": (_from("note_due", _says(sent_command())),),
    "T11": (_from("note_due", _fires("note_slot")),),
    "T12": (_from("note_sent", _fires("call_after_note")),),
    "T13": (_from("note_sent", _says(OPEN_REPLY)),),
    "T14": (_from("note_sent", _says(c.RecordReturn())), _from("call_due", _says(c.RecordReturn()))),
    "T15": (_from("call_due", _says(CONNECTED)),),
    "T16": (_from("call_due", _book),),
    "T17": (_from("call_due", _says(DECLINE)),),
    "T18": (_from("call_due", _says(NOT_NOW)),),
    "T19": (
        _from("call_due", _says(VOICEMAIL)),
        _from("call_due", _says(c.RecordCall(outcome="no_answer"))),
        _from("call_due", _says(c.RecordCall(outcome="gatekeeper"))),
    ),
    "T20": (_from("call_due", _reschedule),),
    "T21": (_from("call_due", _says(OPEN_REPLY)),),
    "T22": (
        _from("call_due", _fires("call_expiry")),
        _from(
            "note_sent", _fires("call_expiry"), lambda life: (life.must(c.OptOut(channel="call")), life.fire("call_after_note"))
        ),
    ),
    "T23": (
        _from(
            "no_response",
            lambda life: life.do(call_command(life), "planner"),
            lambda life: (life.wait(days=7), life.must(touch_command()), life.wait(days=7)),
        ),
    ),
    "T24": (
        _from(
            "no_response",
            lambda life: life.do(
                c.ScheduleNote(note_on=life.today, call_on=life.today + timedelta(days=7), value_item="video"), "planner"
            ),
            _later,
        ),
    ),
    "T25": (_from("no_response", _says(touch_command()), _later),),
    "T26": (_from("no_response", _says(OPEN_REPLY)),),
    "T27": (_from("no_response", _says(c.SendBreakup()), ready_to_break_up),),
    "T28": (_from("no_response", _says(c.StartNurture(waiver=WORDS))),),
    "T29": (_from("breakup_sent", _says(c.RecordReply(channel="email", intent="proceed"))),),
    "T30": (_from("breakup_sent", _says(NO_REPLY)), _from("breakup_sent", _says(DECLINE))),
    "T31": (_from("breakup_sent", _fires("breakup_window")),),
    "T32": (
        _from(
            "nurture",
            _says(c.SendNurtureTouch(mode="email", asset="study", attested=PLAYBOOK.checks.nurture)),
        ),
    ),
    "T33": (_from("nurture", _says(OPEN_REPLY)),),
    "T34": (
        _from("nurture", _fires("requeue")),
        _from("nurture", _says(c.QueueRevival(reason="job_change"))),
        _from(
            "call_due", _fires("revisit"), lambda life: life.must(c.RecordCall(outcome="not_now", revisit_on=date(2026, 4, 1)))
        ),
    ),
    "T35": (_from("nurture", _says(c.Drop(reason="out_of_business"), MANAGER)),),
    "T36": (_from("re_engaged", _book),),
    "T37": (_from("re_engaged", _says(c.MarkWon(), "crm")),),
    "T38": (_from("re_engaged", _says(DECLINE)), _from("re_engaged", _says(NO_REPLY))),
    "T39": (_from("re_engaged", _fires("lapse")),),
    "T40": (_from("meeting_booked", _says(c.MarkWon(), "crm")),),
    "T41": (
        _from("meeting_booked", _says(c.RecordDecline(kind="meeting_cancelled", stated_reason="no_budget"))),
        _from("meeting_booked", _says(NO_REPLY)),
    ),
    "T42": (_from("meeting_booked", _says(c.RecordMeeting(decision="offer-wanted")), lambda life: life.wait(days=3)),),
    "T43": (_from("meeting_booked", _fires("meeting_outcome")),),
    "T44": (_from("won", _says(DECLINE, "crm")),),
    "T45": (_from("dropped", _says(OPEN_REPLY)),),
    "T46": (_from("dropped", _says(c.QueueRevival(reason="second-look"), MANAGER)),),
    "T47": (_from("do_not_contact", _says(c.RegrantConsent(evidence=WORDS, modes=("email",)), MANAGER)),),
    "T48": tuple(_from(state, _says(c.OptOut())) for state in STATES if state != "do_not_contact"),
    "T49": tuple(_from(state, _says(OPEN_REPLY)) for state in ("registered", "declined", "queued", "note_due")),
    "T50": (
        *(_from(state, _says(DECLINE, "crm")) for state in ("queued", "note_due", "note_sent", "no_response", "nurture")),
        *(_from(state, _says(NO_REPLY)) for state in ("queued", "note_due", "note_sent", "no_response", "nurture")),
    ),
    "T51": tuple(_from(state, _says(c.MarkWon(), "crm")) for state in EXPECTED[50][1].split()),
    "T52": tuple(_from(state, _says(MERGE, MANAGER)) for state in STATES if state != "do_not_contact"),
    "T53": tuple(
        _from(state, _says(take_in(), MANAGER), _says(MERGE, MANAGER))
        for state in STATES
        if state not in ("do_not_contact", "dropped")
    ),
    "T54": tuple(
        _from(state, _begins_again(step))
        for state, step in (("note_due", "note"), ("note_sent", "note"), ("call_due", "promised_call"))
    ),
}


def test_the_table_has_the_rows_of_the_specification() -> None:
    """Every row has the number, the sources, the event and the target that the specification gives it, in its order."""
    assert EXPECTED == [(row.id, " ".join(row.sources), row.event, row.target) for row in ROWS]


def test_a_state_and_a_trigger_have_one_row() -> None:
    """The machine is deterministic: no two rows, of either table, answer to the same trigger in the same state."""
    pairs = Counter((state, name) for row in (*ROWS, *ASIDES) for state in row.sources for name in row.triggers)
    assert [] == [pair for pair, count in pairs.items() if count > 1]


def test_a_state_and_an_event_have_one_target() -> None:
    """What a moving event means does not depend on more than the state it happens in."""
    targets: dict[tuple[str, str], set[str | None]] = {}
    for row in ROWS:
        for state in row.sources:
            targets.setdefault((state, row.event), set()).add(row.target)
    assert [] == [pair for pair, found in targets.items() if len(found) > 1]


def test_every_state_can_be_reached() -> None:
    """Following the rows from the first one leads to all 14 states."""
    found = {ROWS[0].target}
    for _ in STATES:
        found |= {row.target for row in ROWS if found & set(row.sources)}
    assert set(STATES) == found
    assert len(STATES) == 14


def test_every_pursuit_state_has_a_way_out_that_needs_nobody() -> None:
    """A state in which somebody owes a move has a timer that acts on its own; a resting state has none but a hold's."""
    for state in STATES:
        own = [timer for timer, spec in TIMERS.items() if not (timer.startswith("hold") or spec.lives_on)]
        alone = [timer for timer in own if row_for(state, f"fire_timer:{timer}")]
        assert bool(alone) is (state not in RESTING), state


@pytest.mark.parametrize("row", ROWS[1:], ids=lambda row: row.id)
def test_every_row_is_lived_through(row: Row) -> None:
    """An example of each row reaches its target by its event, and says by which row."""
    for live in LIVES[row.id]:
        life = live()
        recorded = next(event for event in life.history if event.row == row.id)
        assert (row.event, row.target) == (event_type(recorded.data), recorded.state)
        assert life.lead.version == len(life.history)


def test_a_lead_is_registered() -> None:
    """The first row makes a lead out of nothing."""
    life = Life()
    assert "applied" == life.do(register(), "import").answer
    assert ("T01", "registered") == (life.history[0].row, life.lead.state)


def test_tables_name_only_what_exists() -> None:
    """Guards, timers and events of all rows exist; every guard, event and firing timer is used by some row."""
    rows = (*ROWS, *ASIDES)
    assert {guard for row in rows for guard in row.guards} == set(GUARDS)
    assert {timer for row in rows for timer in (*row.arms, *row.cancels)} <= set(TIMERS)
    assert {row.event for row in rows} - {"lead_registered"} == set(BUILDERS)
    recorded = {member.__struct_config__.tag for member in get_args(LeadEvent)}
    assert recorded - {"command_refused"} == {row.event for row in rows}
    fired = {name.partition(":")[2] for row in rows for name in row.triggers if name.startswith("fire_timer")}
    assert fired == {timer for timer in TIMERS if fires(timer)}
    assert {timer for row in rows for timer in row.arms} == set(TIMERS)


def test_every_trigger_is_carried_by_an_actor() -> None:
    """Each trigger of the tables has an actor, and the six that everybody knows carry what their names say."""
    commands = [DECLINE, sent_command(), VOICEMAIL, c.SendBreakup(), c.StartNurture(), c.OptOut(), c.OptOut(channel="call")]
    commands += [c.FireTimer(timer=timer, armed_version=1) for timer in TIMERS if fires(timer)]
    assert {actor_name(command) for command in commands} <= set(ACTORS)
    assert ["decline", "note_sent", "no_response", "breakup_sent", "nurture"] == [actor_name(one) for one in commands[:5]]
    assert "call_due" == actor_name(c.FireTimer(timer="call_after_note", armed_version=1))
    assert "no_response" == actor_name(c.FireTimer(timer="lapse", armed_version=1))
    assert {"decline", "note_sent", "call_due", "no_response", "breakup_sent", "nurture"} <= set(ACTORS)
    assert "timer_fired" == actor_name(c.FireTimer(timer="nobody-knows", armed_version=1))


def test_triggers_tell_apart_what_the_table_tells_apart() -> None:
    """Outcomes, intents, channels and timers make different triggers of the same command."""
    assert "record_call:unanswered" == trigger(VOICEMAIL)
    assert "record_reply:no" == trigger(NO_REPLY)
    assert "opt_out:channel" == trigger(c.OptOut(channel="email"))
    assert row_for("queued", "record_call:unanswered") is None


def test_what_is_possible_is_what_the_table_allows() -> None:
    """The list for people names commands that move a lead from its state, each once, and no timer."""
    assert ("queue_revival", "start_nurture", "drop", "opt_out", "record_reply", "mark_won") == possible("declined")
    assert ("regrant_consent",) == possible("do_not_contact")
