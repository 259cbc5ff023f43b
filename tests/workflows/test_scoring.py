"""The score follows what changes one of its parts, stands with that event, and is what the plan goes by."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.workflows.life import (
    ALL_MODES,
    CALENDAR,
    PLAYBOOK,
    PURSUED,
    REAL_REASON,
    VOICEMAIL,
    WORDS,
    Life,
    call_command,
    life_in,
    make_ready,
    note_command,
    ready_to_break_up,
    register,
    touch_command,
)
from workflows import commands as c
from workflows.books import Book
from workflows.campaign_commands import MoveStage
from workflows.capacity import Capacity, MinuteCosts
from workflows.commands import AnyCommand
from workflows.fold import fold_all
from workflows.lead import Lead
from workflows.playbooks import Playbook
from workflows.priority import Score, Weights
from workflows.proposals import plan_book
from workflows.scoring import SCORED
from workflows.telephone import Telephone

#: A day that holds everybody.
ROOMY: Playbook = replace(
    PLAYBOOK,
    value_items=("report", "video", "study", "tour"),
    capacity=Capacity(
        notes=100, calls=100, follow_up_touches=100, minutes=MinuteCosts(budget=1440, note=1, call=1, follow_up=1)
    ),
)
CONNECTOR = c.IntroduceConnector(connector=WORDS, relation="colleague")
REASON = replace(REAL_REASON, minutes=120)
STRUCTURAL = c.RecordReason(kind="real", reason="no_need", evidence="call-7", words=WORDS)


def points_of(life: Life) -> Score:
    """Return the score that a lead stands with."""
    assert life.lead.score
    return life.lead.score


def formula(lead: Lead, *, unanswered: int, trigger: bool = False) -> int:
    """Return the points of methods.md 6.4, worked out by hand."""
    hours = lead.minutes_invested // 60
    doublings = 3 if hours >= 7 else 2 if hours >= 3 else 1 if hours >= 1 else 0
    structural = lead.decline is not None and lead.decline.real_reason in ("no_need", "not_a_fit", "out_of_scope")
    return (
        4 * lead.stage_depth + 3 * lead.value_band + 2 * doublings + 3 * (lead.importance or 3) + 6 * trigger
        + 4 * lead.has_connector - 3 * unanswered - 5 * structural
    )  # fmt: skip


@pytest.mark.parametrize(
    ("command", "part", "points"),
    [
        (MoveStage(stage_depth=5), "stage", 20),
        (c.AnswerImportance(importance=5, actions=(WORDS,)), "importance", 15),
        (CONNECTOR, "connector", 4),
        (REASON, "time_invested", 2),
        (STRUCTURAL, "structural", -5),
        (c.UpdateContact(contact=WORDS, modes=ALL_MODES, value_band=2), "value", 6),
    ],
)
@pytest.mark.parametrize("state", ["queued", "call_due", "no_response"])
def test_each_part_moves_the_score_with_the_event_that_changes_it(
    state: str, command: AnyCommand, part: str, points: int
) -> None:
    """A1-1: stored with its parts, with that event, for whoever waits, is to be called or is silent."""
    life = life_in("declined")
    make_ready(life)
    life.wait(days=95).must(c.QueueRevival(reason="stale"))
    if state != "queued":
        life.must(note_command(life), "planner")
        life.must(c.MarkNoteSent(medium="hand_written", attested=PLAYBOOK.checks.note))
        assert life.fire("call_after_note").answer == "applied"
    if state == "no_response":
        life.must(VOICEMAIL)
    assert state == life.lead.state
    before = points_of(life)
    life.must(command)
    stored = life.history[-1].effects.score
    assert stored == life.lead.score
    assert points == getattr(stored, part)
    assert points_of(life).total == before.total - getattr(before, part) + points
    assert points_of(life).total == formula(life.lead, unanswered=life.lead.attempts)
    assert life.lead == fold_all(None, life.history)


def test_what_changes_no_part_stores_no_score() -> None:
    """Nor does the same answer given again."""
    life = life_in("queued")
    life.must(c.Qualify(qualified=True))
    life.must(c.AnswerImportance(importance=3))
    life.must(c.Hold(reason="manual"))
    life.must(c.Release())
    life.must(replace(REAL_REASON, minutes=5))
    assert {msgspec.UNSET} == {recorded.effects.score for recorded in life.history}


def test_what_happened_between_note_and_call_counts_once_the_call_is_due() -> None:
    """Nobody goes by the score of a note that is on its way; whoever comes back among those in question has the right one."""
    life = life_in("note_sent")
    life.must(c.AnswerImportance(importance=5, actions=(WORDS,)))
    assert 9 == points_of(life).importance
    assert life.fire("call_after_note").answer == "applied"
    assert 15 == points_of(life).importance


def test_each_attempt_in_vain_costs_points_until_they_answer() -> None:
    """Methods.md 6.4: three off for each since the last two-way contact, those of earlier pursuits included."""
    life = life_in("no_response", playbook=PURSUED)
    assert -3 == points_of(life).unanswered
    ready_to_break_up(life)
    assert -9 == points_of(life).unanswered
    life.must(c.SendBreakup())
    life.fire("breakup_window")
    life.must(c.Qualify(qualified=True))
    life.must(c.QueueRevival(reason="job_change"))
    assert (0, -9, 6) == (life.lead.attempts, points_of(life).unanswered, points_of(life).trigger)
    life.must(MoveStage(stage_depth=1))
    assert (-9, 6) == (points_of(life).unanswered, points_of(life).trigger)
    life.must(replace(call_command(life), value_item="tour"), "planner")
    life.must(VOICEMAIL)
    assert (1, -12) == (life.lead.attempts, points_of(life).unanswered)


def test_an_answer_lets_the_count_begin_anew() -> None:
    """Since they answered, nothing is unanswered."""
    life = life_in("no_response")
    life.wait(days=7).must(touch_command())
    assert -6 == points_of(life).unanswered
    life.must(c.RecordReply(channel="email"))
    assert life.fire("lapse").answer == "applied"
    assert "no_response" == life.lead.state
    assert 0 == points_of(life).unanswered


@pytest.mark.parametrize("state", ["queued", "no_response"])
def test_other_weights_count_from_the_move_to_their_playbook_on(state: str) -> None:
    """A migration works the score out anew, and a part that had no weight before has its own."""
    life = Life(playbook=replace(PLAYBOOK, weights=Weights(trigger=0)))
    life.must(register(stage_depth=2), "import")
    life.must(c.QueueRevival(reason="job_change"))
    if state == "no_response":
        life.must(note_command(life), "planner")
        life.must(c.MarkNoteSent(medium="hand_written", attested=PLAYBOOK.checks.note))
        life.fire("call_after_note")
        life.must(VOICEMAIL)
    assert (8, 0) == (points_of(life).stage, points_of(life).trigger)
    life.migrate(replace(PLAYBOOK, version="2.0.0", weights=Weights(stage=9, unanswered=100)))
    assert (18, 6) == (points_of(life).stage, points_of(life).trigger)
    assert -100 * life.lead.attempts == points_of(life).unanswered


RAISES: list[AnyCommand] = [
    MoveStage(stage_depth=5),
    c.AnswerImportance(importance=5, actions=(WORDS,)),
    CONNECTOR,
    REASON,
    c.UpdateContact(contact=WORDS, modes=ALL_MODES, value_band=4, minutes_added=600),
]
#: A lead's stage, value, minutes, importance, whether it came by a trigger, and how often it was tried in vain.
START = st.tuples(
    st.integers(0, 5), st.integers(0, 4), st.integers(0, 600), st.integers(1, 5), st.booleans(), st.integers(0, 3)
)


def begun(start: tuple[int, int, int, int, bool, int]) -> Life:
    """Return a lead that waits in the queue, or was tried in vain so many times."""
    stage, value, minutes, importance, trigger, tried = start
    life = Life(playbook=ROOMY)
    life.must(
        register(stage_depth=stage, value_band=value, minutes_invested=minutes),
        "import",
    )
    life.must(c.QueueRevival(reason="event" if trigger else "stale"), "planner")
    life.must(c.AnswerImportance(importance=importance))
    if tried:
        life.must(note_command(life), "planner")
        life.must(c.MarkNoteSent(medium="hand_written", attested=PLAYBOOK.checks.note))
        life.fire("call_after_note")
        life.must(VOICEMAIL)
    for item in ("video", "study")[: tried - 1] if tried else ():
        life.wait(days=7).must(touch_command(item))
    return life


def order(leads: list[Lead]) -> list[UUID]:
    """Return the leads in the order in which the plan of a late day takes them, which is that of the formula."""
    now = datetime(2026, 3, 9, 15, tzinfo=UTC)
    book = Book(
        queued=tuple(lead for lead in leads if lead.state == "queued"),
        silent=tuple(lead for lead in leads if lead.state == "no_response"),
    )
    _, proposals = plan_book(book, CALENDAR, ROOMY, Telephone(CALENDAR, ROOMY, None), now, 0)
    planned = [proposal.lead_id for proposal in proposals]
    by_id = {lead.id: lead for lead in leads}
    triggered = {lead.id: bool(lead.score_basis and lead.score_basis.trigger) for lead in leads}
    for kind in (book.queued, book.silent):
        ids = {lead.id for lead in kind}
        points = [formula(by_id[id_], unanswered=by_id[id_].attempts, trigger=triggered[id_]) for id_ in planned if id_ in ids]
        assert points == sorted(points, reverse=True)
    return planned


@settings(deadline=None, max_examples=60)
@given(st.lists(START, min_size=2, max_size=5), st.sets(st.sampled_from(range(len(RAISES))), min_size=1), st.data())
def test_raising_a_part_never_moves_a_lead_behind_one_it_stood_before(
    starts: list[tuple[int, int, int, int, bool, int]], raised: set[int], data: st.DataObject
) -> None:
    """A1-1: through the commands that people give and the plan that is made of what they leave."""
    lives = [begun(start) for start in starts]
    leads = [replace(life.lead, id=UUID(int=number)) for number, life in enumerate(lives, start=1)]
    before = order(leads)
    assert len(leads) == len(before)
    chosen = data.draw(st.integers(0, len(lives) - 1))
    for number in raised:
        lives[chosen].must(RAISES[number])
    assert lives[chosen].lead.state in SCORED
    raised_lead = replace(lives[chosen].lead, id=leads[chosen].id)
    after = order([*leads[:chosen], raised_lead, *leads[chosen + 1 :]])
    stood_before = set(before[before.index(raised_lead.id) :])
    still = set(after[after.index(raised_lead.id) :])
    assert stood_before <= still


def test_follow_ups_are_planned_by_what_went_unanswered_and_by_time_invested() -> None:
    """Methods.md 6.4: of two alike the one tried less often goes first, and of two tried as often the one with more hours."""
    lives = [begun((2, 2, minutes, 3, False, tried)) for minutes, tried in ((0, 3), (0, 2), (0, 1), (600, 3))]
    leads = [replace(life.lead, id=UUID(int=number)) for number, life in enumerate(lives, start=1)]
    assert [UUID(int=number) for number in (3, 4, 2, 1)] == order(leads)
