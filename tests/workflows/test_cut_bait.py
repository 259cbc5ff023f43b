"""The cut-bait card and letting go: arithmetic in integers, a checklist, a person who decides, and the door left open."""

from datetime import timedelta
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.workflows.life import CALENDAR, PLAYBOOK, PURSUED, QUEUE, WORDS, Life, finish_checklist, life_in, touch_command
from workflows import commands as c
from workflows import events as e
from workflows import pursuit_commands as p
from workflows.cut_bait import Kind, card, checklist, median, most_attempts, open_modes, owed_of, queue, queue_of, room_of
from workflows.handle import calendar_digest
from workflows.pursuit_facts import Card, Queue
from workflows.pursuit_playbook import Pursuit
from workflows.rederive import Library, rederive

PURSUIT = PURSUED.pursuit or Pursuit()
EMPTY = Queue(position=1, alike=(), next_lead=None)


def silent(attempts: int = 3, **lead: object) -> Life:
    """Return a life that was tried *attempts* times without an answer, and whose card is asked for."""
    life = life_in("no_response", playbook=PURSUED)
    life._lead = replace(life.lead, attempts=attempts, **lead)
    return life


def shown(life: Life, waiting: Queue = QUEUE) -> Card:
    return card(life.lead, PURSUED, PURSUIT, waiting, life.lead.modes)


kinds = st.builds(Kind, st.integers(0, 5), st.integers(0, 4), st.booleans())


@settings(deadline=None)
@given(st.dictionaries(kinds, st.integers(1, 5), max_size=6), st.integers(0, 5), st.integers(0, 4), st.integers(0, 9))
def test_the_arithmetic_is_the_published_one(counts: dict[Kind, int], stage: int, band: int, attempts: int) -> None:
    """A1-8: value times p by stage times 0.6 for each unanswered attempt, over the hours of the remaining steps; the median
    is of all queued leads, counted one by one."""
    life = silent(attempts, stage_depth=stage, value_band=band)
    found = shown(life, queue(counts, None, 7))
    values, chances = (1_000, 2_000, 5_000, 10_000, 25_000), (200, 500, 1000, 2000, 3500, 5000)
    left = max(1, max(0, 6 - attempts) * 6 + 6)
    chance = Fraction(chances[stage], 10_000) * Fraction(6, 10) ** attempts
    assert found.return_per_hour == values[band] * chance * 60 / left // 1
    assert found.chance == chance * 10_000 // 1
    each = sorted(
        int(values[kind.value_band] * Fraction(chances[kind.stage_depth], 10_000) * 60 / minutes)
        for kind, number in counts.items()
        for minutes in [8 + 12 + (8 if kind.important else 5) * 6 + 6]
        for _ in range(number)
    )
    middle = (each[(len(each) - 1) // 2] + each[len(each) // 2]) // 2 if each else None
    assert (found.median, found.queued) == (middle, len(each))
    below = middle is not None and found.return_per_hour < middle
    assert ("below_the_queue" in found.grounds) is (below and attempts >= 3)


def test_each_ground_proposes_by_itself_and_only_from_three_attempts_on() -> None:
    """A1-8, A1-15: below the queue, or the budget spent, or of low importance; with two attempts nothing is proposed."""
    assert shown(silent(3), EMPTY).grounds == ()
    assert shown(silent(6), EMPTY).grounds == ("attempts_spent",)
    assert shown(silent(6, importance=4), EMPTY).grounds == ()
    assert shown(silent(3, importance=2), EMPTY).grounds == ("low_importance",)
    assert shown(silent(2, importance=1)).grounds == ()
    assert shown(silent(3)).grounds == ("below_the_queue",)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4), st.integers(1, 7)), min_size=1, max_size=12),
    st.integers(0, 14),
)
def test_those_that_bring_least_are_proposed_where_more_are_owed_than_the_days_hold(
    kinds: list[tuple[int, int, int]], room: int
) -> None:
    """Methods.md 6.3: as many as are too many, the lowest return first, however few attempts they had; a person decides."""
    lives = [silent(attempts, stage_depth=stage, value_band=band).wait(days=30) for stage, band, attempts in kinds]
    owed = owed_of([life.lead for life in lives], {PURSUED.pin.digest: PURSUED}, lives[0].now)
    waiting = replace(EMPTY, owed=owed, room=room)
    cards = [shown(life, waiting) for life in lives if life.lead.attempts < 6]
    assert sum(each.leads for each in owed) == len(cards)
    proposed = [each.return_per_hour for each in cards if "over_capacity" in each.grounds]
    left = [each.return_per_hour for each in cards if "over_capacity" not in each.grounds]
    over = max(0, len(cards) - room)
    # Who brings the same is proposed together.
    assert proposed == [] if over == 0 else len(proposed) >= over
    assert len([returns for returns in proposed if returns < max(proposed)]) < max(1, over)
    assert not proposed or not left or max(proposed) < min(left)


def test_only_those_whose_next_attempt_is_due_are_owed_one() -> None:
    """Not on hold, not decided about, not spent; and calls that stand take their room."""
    life = life_in("no_response", playbook=PURSUED)
    known = {PURSUED.pin.digest: PURSUED}
    assert () == owed_of([life.lead], known, life.now)
    life.wait(days=30)
    (one,) = owed_of([life.lead], known, life.now)
    assert (1, shown(life).return_per_hour) == (one.leads, one.return_per_hour)
    assert () == owed_of([life.lead], {}, life.now)
    for changed in (
        replace(life.lead, hold=e.LeadHeld), replace(life.lead, cut_bait="breakup"), replace(life.lead, attempts=6),
        replace(life.lead, breakup_voicemail_at=life.now),
    ):  # fmt: skip
        assert () == owed_of([changed], known, life.now)
    promised = life_in("call_due", playbook=PURSUED).lead
    assert (25, 24) == (room_of([promised], PURSUED), room_of([promised, replace(promised, promised=False)], PURSUED))


def test_a_decision_over_capacity_is_made_again_from_what_it_holds() -> None:
    """A1-8, A3-12: what was owed and what there was room for stand with it."""
    life = ready()
    life.wait(days=30)
    owed = owed_of([life.lead], {PURSUED.pin.digest: PURSUED}, life.now)
    life.queue = replace(EMPTY, owed=owed, room=0)
    (decided,) = life.must(c.ConfirmCutBait(choice="nurture", reason=WORDS))
    assert isinstance(decided, e.CutBaitConfirmed)
    assert decided.card
    assert ("over_capacity",) == decided.card.grounds
    library = Library({calendar_digest(CALENDAR): CALENDAR}, {PURSUED.pin.digest: PURSUED})
    assert () == rederive(life.history, library).mismatches


def test_the_card_stands_in_the_decision_with_all_it_was_made_of() -> None:
    """A1-8, A3-12: who, when and why, what was shown, and the queue that it was compared with; a person decides."""
    life = ready()
    expected = shown(life)
    life.must(c.ConfirmCutBait(choice="nurture", reason=WORDS))
    recorded = life.history[-1]
    assert isinstance(recorded.data, e.CutBaitConfirmed)
    assert recorded.data.card == expected
    assert (recorded.actor, recorded.data.reason) == ("rep:dan", WORDS)
    assert recorded.used
    assert recorded.used.queue == QUEUE
    assert expected.next_lead == QUEUE.next_lead
    for machine in ("clock", "planner", "crm"):
        assert ready().do(c.ConfirmCutBait(choice="breakup", reason=WORDS), machine).rule == "person"
    assert ready().do(c.ConfirmCutBait(choice="breakup")).rule == "cut_bait_reason"


def ready() -> Life:
    life = life_in("no_response", playbook=PURSUED)
    for item in ("video", "study"):
        life.wait(days=7).must(touch_command(item))
    finish_checklist(life)
    return life


def test_no_timer_ever_breaks_up() -> None:
    """A1-8: whatever rings, a silent lead stays where it is until somebody decides."""
    life = life_in("no_response", playbook=PURSUED)
    for _ in range(60):
        life.fire("response_window")
    assert life.lead.state == "no_response"


def test_a_playbook_without_the_section_decides_as_before() -> None:
    """What was decided before there were cards comes out as it was: no card, no checklist, no reason asked for."""
    life = life_in("no_response", playbook=PLAYBOOK)
    (decided,) = life.must(c.ConfirmCutBait(choice="breakup"))
    assert decided == e.CutBaitConfirmed(choice="breakup", reason=None)
    life.must(c.AnswerImportance(importance=5))


def test_a_breakup_waits_for_every_permitted_mode() -> None:
    """A1-3: each permitted mode is tried, or waived with a reason, before a breakup; a way of a mode counts for itself."""
    life = life_in("no_response", playbook=PURSUED)
    assert open_modes(life.lead, PURSUED, life.lead.modes) == ("email", "courier")
    for item in ("video", "study"):
        life.wait(days=7).must(touch_command(item))
    life.must(c.RecordOffer(solution=WORDS, benefit=WORDS))
    life.must(c.ConfirmCutBait(choice="one_more_try"))
    refused = life.do(c.SendBreakupEmail(monitored_reply_address=True))
    assert refused.reason is not None
    assert f"says that they were tried {life.lead.attempts} times" in refused.reason
    refused = life.do(c.LeaveBreakupVoicemail(attested=("mentions_mail",)))
    assert (refused.rule, refused.reason) == (
        "modes_tried",
        "A breakup comes after every permitted mode: try or waive courier.",
    )
    assert life.do(p.WaiveMode(mode="email", reason=WORDS)).rule == "mode_open"
    life.must(p.WaiveMode(mode="courier", reason=WORDS))
    assert life.do(c.LeaveBreakupVoicemail(attested=("mentions_mail",))).rule == "cut_bait_confirmed"
    assert life.lead.modes_waived == ("courier",)
    life.must(c.RecordReply(channel="email"))
    assert not life.lead.modes_waived


def test_ways_are_data() -> None:
    """A1-3: the registry of modes is open: the playbook names ways within a mode, and each has to be tried or waived."""
    life = life_in("no_response", playbook=PURSUED)
    life.must(c.UpdateContact(contact=WORDS, modes=("call", "other")))
    assert open_modes(life.lead, PURSUED, life.lead.modes) == ("linkedin", "dinner")
    touch = replace(touch_command("sample"), mode="other", attested=PURSUED.checks.touch)
    assert life.wait(days=7).do(replace(touch, way="carrier_pigeon")).rule == "way_known"
    life.must(replace(touch, way="linkedin"))
    assert open_modes(life.lead, PURSUED, life.lead.modes) == ("dinner",)


def test_letting_go_needs_the_checklist_or_a_reason_for_doing_without() -> None:
    """A3-8: modes tried, value offered, connector tried or none, importance answered, keeping in touch possible."""
    life = silent(1, value_items_used=())
    give_up = c.ConfirmCutBait(choice="nurture", reason=WORDS)
    refused = life.do(give_up)
    assert refused.rule == "everything_tried"
    assert refused.reason is not None
    for missing in ("try or waive email, courier", "something of value", "who knows them", "how important"):
        assert missing in refused.reason
    life.must(replace(give_up, override=WORDS))
    assert life.lead.modes_waived == ("email", "courier")
    done = checklist((lead := ready().lead), PURSUED, lead.modes)
    assert (done.modes_open, done.connector, done.importance, done.value_items) == ((), "none", 3, 3)
    assert done.nurture_modes == ("email",)


def test_importance_asks_for_actions_and_gives_more_attempts() -> None:
    """A3-7: 4 and 5 need a list of actions and raise the budget; 5 is let go by a manager only."""
    life = ready()
    assert life.do(c.AnswerImportance(importance=4)).rule == "actions_listed"
    life.must(c.AnswerImportance(importance=4, actions=(WORDS,)))
    assert most_attempts(life.lead, PURSUED) == 9
    life.must(c.AnswerImportance(importance=5, actions=(WORDS, WORDS)))
    for command in (c.ConfirmCutBait(choice="nurture", reason=WORDS), c.StartNurture(waiver=WORDS)):
        assert life.do(command).rule == "importance_allows"
    life.must(c.ConfirmCutBait(choice="one_more_try"))
    life.must(c.ConfirmCutBait(choice="nurture", reason=WORDS), "manager:ann")
    life.must(c.StartNurture(), "manager:ann")
    assert life.do(c.Drop(reason="out_of_business")).rule == "manager"
    (dropped,) = life.must(c.Drop(reason="out_of_business", words=WORDS), "manager:ann")
    assert isinstance(dropped, e.LeadDropped)
    assert dropped.checklist == checklist(life.lead, PURSUED, life.lead.modes)


def test_one_more_try_is_one_more_with_something_new() -> None:
    """A1-8: at the end of the budget a person may grant one attempt, if there is a mode and a value for it."""
    life = silent(6)
    assert life.wait(days=7).do(touch_command("tour")).rule == "attempts_left"
    life.must(c.ConfirmCutBait(choice="one_more_try"))
    life.must(touch_command("tour"))
    assert life.wait(days=7).do(touch_command("visit")).rule == "attempts_left"
    used = silent(6, value_items_used=PURSUED.value_items)
    assert used.do(c.ConfirmCutBait(choice="one_more_try")).rule == "one_more_is_new"


def test_a_breakup_leaves_the_door_open() -> None:
    """A1-10: silence after it leads to nurture, and a word a year later reopens."""
    life = life_in("breakup_sent", playbook=PURSUED)
    states = [life.fire("breakup_window").recorded[-1].state]
    states.append(life.wait(days=365).do(c.RecordReply(channel="email")).recorded[-1].state)
    assert states == ["nurture", "re_engaged"]


def test_the_queue_is_that_of_the_team_without_those_on_hold() -> None:
    """The median is over all owners, the next lead is the owner's own, and who is on hold waits for nothing."""
    first = life_in("queued", playbook=PURSUED).lead
    team = [
        first,
        replace(first, id=UUID(int=5), stage_depth=3, importance=5),
        replace(first, id=UUID(int=6), owner="eve", stage_depth=3, importance=5),
        replace(first, id=UUID(int=7), hold=e.LeadHeld),
    ]
    found = queue_of(team, "eve", 12, PURSUED)
    assert (found.next_lead, found.position, sum(each.leads for each in found.alike)) == (UUID(int=6), 12, 3)
    assert [(each.stage_depth, each.important, each.leads) for each in found.alike] == [(0, False, 1), (3, True, 2)]
    assert median(found, PURSUED, PURSUIT) == median(queue({Kind(3, 0, True): 1}, None, 1), PURSUED, PURSUIT)
    assert queue_of([], "eve", 1, PURSUED).next_lead is None


@pytest.mark.parametrize("days", [0, 30])
def test_minutes_that_are_probably_lost(days: int) -> None:
    """A3-10: minutes spent times one minus p, rounded down."""
    life = silent(3, minutes_invested=1000 + days)
    found = shown(life)
    assert found.minutes_lost == (1000 + days) * (10_000 - found.chance) // 10_000
    assert timedelta(minutes=found.minutes_spent) > timedelta(minutes=found.minutes_lost)
