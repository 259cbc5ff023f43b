"""What a playbook says decides: each field, said otherwise, gives another decision, and the verifier derives that one too."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from tests.service.bundle.rules import follow
from tests.workflows.life import (
    CALENDAR,
    DECLINE,
    HOMEWORK,
    NOTELESS,
    PLAYBOOK,
    PURSUED,
    QUEUE,
    REAL_REASON,
    VOICEMAIL,
    WORDS,
    Life,
    call_command,
    finish_checklist,
    life_in,
    register,
    sent_command,
    touch_command,
)
from workflows import commands as c
from workflows import homework_commands as h
from workflows import pursuit_commands as p
from workflows.codec import canonical, digest
from workflows.commands import MigratePlaybook
from workflows.cut_bait import card, queue_of
from workflows.events import PlaybookMigrated, RevivalQueued
from workflows.handle import calendar_digest
from workflows.playbook_sections import Ask, Drop, Importance, OnNoResponse
from workflows.playbooks import Attempts, Homework, Playbook, Reason, decode_playbook
from workflows.priority import Weights
from workflows.pursuit_playbook import Pursuit
from workflows.rederive import Library, rederive

NEXT: Playbook = replace(PURSUED, id="next", attempts=Attempts(max=2))


def said(base: Playbook, **sections: Any) -> Playbook:
    """Return *base* with other *sections*."""
    return replace(base, version="7.0.0", **sections)


def follows(life: Life, *playbooks: Playbook) -> None:
    """The verifier makes the same of the whole life."""
    found, tally = follow(life.history, playbooks=[life.playbook, *playbooks], calendars=[CALENDAR])
    assert ([], len(life.history)) == (found, tally.derived)


def declined(playbook: Playbook, *but: str) -> Life:
    """Return a life that said no, rested, and has all that the queue asks for *but* some of it."""
    life = life_in("declined", playbook=playbook)
    steps: dict[str, c.AnyCommand] = {
        "reason": REAL_REASON,
        "need": h.AnticipateNeed(item="roof-2027", need=WORDS, rationale=WORDS),
        "homework": HOMEWORK,
        "history": h.OpenHistory(),
        "strategy": c.RecordStrategy(strategy=WORDS, missed_last_time=WORDS),
        "qualified": c.Qualify(qualified=True, evidence=WORDS),
        "importance": c.AnswerImportance(importance=3),
    }
    for name, command in steps.items():
        if name not in but:
            life.must(command)
    # Homework is to be fresh, and the triage has not sent them to nurture: nobody fires it here.
    return life.wait(days=95)


@pytest.mark.parametrize(("asks", "rule"), [(True, "importance_answered"), (False, None)])
def test_who_does_not_ask_for_importance_queues_without(asks: bool, rule: str | None) -> None:
    """A3-7: ``ask.importance``."""
    life = declined(said(PLAYBOOK, ask=Ask(importance=asks)), "importance")
    assert rule == life.do(c.QueueRevival()).rule
    follows(life)


@pytest.mark.parametrize("answer", [p.DenyConnector(), c.IntroduceConnector(connector=WORDS)])
def test_who_asks_for_a_connector_waits_for_the_answer(answer: c.AnyCommand) -> None:
    """A3-6: ``ask.connector``; that nobody knows them is an answer."""
    assert declined(PLAYBOOK).do(c.QueueRevival()).rule is None
    life = declined(said(PLAYBOOK, ask=Ask(connector=True)))
    assert life.do(c.QueueRevival()).rule == "connector_answered"
    life.must(answer)
    life.must(c.QueueRevival())
    follows(life)


@pytest.mark.parametrize(
    ("left_out", "undo"),
    [
        ("connector_tried", {"connector_denied": False}),
        ("importance_answered", {"importance": None}),
        ("value_offered", {"value_items_used": ()}),
        ("modes_tried", {"modes_waived": ()}),
        ("nurture_in_place", {"modes": ("courier",)}),
    ],
)
def test_the_checklist_asks_what_it_lists(left_out: str, undo: dict[str, Any]) -> None:
    """A3-8: ``drop.checklist``: an item that it leaves out stops nobody, and every other one does."""
    every = Drop().checklist
    for checklist in (every, tuple(item for item in every if item != left_out)):
        life = life_in("no_response", playbook=said(PURSUED, drop=Drop(checklist=checklist)))
        life.wait(days=7).must(touch_command("video"))
        finish_checklist(life)
        life._lead = replace(life.lead, **undo)
        let_go = life.do(c.ConfirmCutBait(choice="nurture", reason=WORDS))
        assert (None if left_out not in checklist else "everything_tried") == let_go.rule


def test_a_shorter_checklist_follows() -> None:
    """A3-8: the verifier asks what the playbook lists."""
    life = life_in("no_response", playbook=said(PURSUED, drop=Drop(checklist=("value_offered",))))
    assert life.do(c.ConfirmCutBait(choice="nurture", reason=WORDS)).rule is None  # A note brought something.
    follows(life)
    strict = life_in("no_response", playbook=PURSUED)
    assert strict.do(c.ConfirmCutBait(choice="nurture", reason=WORDS)).rule == "everything_tried"
    follows(strict)


@pytest.mark.parametrize("base", [PLAYBOOK, PURSUED])
def test_where_a_manager_decides_no_rep_lets_go(base: Playbook) -> None:
    """A3-12: ``drop.decides``: one more try is anybody's."""
    life = life_in("no_response", playbook=said(base, drop=Drop(decides="manager")))
    assert life.do(c.StartNurture(waiver=WORDS)).rule == "manager_lets_go"
    let_go = c.ConfirmCutBait(choice="nurture", reason=WORDS, override=WORDS)
    assert life.do(let_go).rule == "manager_lets_go"
    life.must(c.ConfirmCutBait(choice="one_more_try"))
    life.must(let_go, "manager:ann")
    follows(life)
    free = life_in("no_response", playbook=base)
    assert free.do(let_go).rule is None


@pytest.mark.parametrize(
    ("blocks", "queued", "touched"),
    [
        (("note", "call", "touch"), False, False),
        (("note", "call"), False, True),
        (("touch",), True, False),
        ((), True, True),
    ],
)
def test_homework_holds_up_what_it_is_said_to(blocks: Any, queued: bool, touched: bool) -> None:
    """A2-3, A2-9: ``homework.blocks``: the queue, where notes and calls come from, and the value touches of nurture."""
    homework = Homework(study_first=True, blocks=blocks)
    life = declined(said(PLAYBOOK, homework=homework), "homework", "strategy", "history")
    assert queued == (life.do(c.QueueRevival()).rule is None)
    follows(life)
    life = life_in("declined", playbook=said(PLAYBOOK, homework=homework))
    life.fire("triage")
    touch = c.SendNurtureTouch(mode="email", asset="study", attested=PLAYBOOK.checks.nurture)
    assert (None if touched else "account_studied") == life.do(touch).rule
    assert queued == (life.fire("requeue").recorded[-1].state == "queued")
    follows(life)


@pytest.mark.parametrize(("structural", "points"), [(("no_need",), 0), (("chose_other",), -5)])
def test_reasons_that_no_revival_changes_are_listed(structural: Any, points: int) -> None:
    """A2-6: ``reason.structural`` takes points off."""
    life = declined(said(PLAYBOOK, reason=Reason(structural=structural)))
    (queued,) = life.must(c.QueueRevival())
    assert isinstance(queued, RevivalQueued)
    assert points == queued.score.structural
    follows(life)


@pytest.mark.parametrize(("usual", "points"), [(3, 9), (1, 3)])
def test_what_nobody_answered_counts_as_usual(usual: int, points: int) -> None:
    """A3-7: ``importance.usual``."""
    life = Life(playbook=said(PLAYBOOK, importance=Importance(usual=usual)))
    life.must(register(), "import")
    (queued,) = life.must(c.QueueRevival())
    assert isinstance(queued, RevivalQueued)
    assert points == queued.score.importance
    life.must(c.AnswerImportance(importance=usual))
    follows(life)


@pytest.mark.parametrize(("high_from", "rule"), [(4, None), (5, "attempts_left"), (6, "attempts_left")])
def test_how_important_a_lead_must_be_for_more_attempts(high_from: int, rule: str | None) -> None:
    """A3-7: ``importance.high_from``, for the lead and for those of the queue that it is compared with."""
    attempts = Attempts(min_before_breakup=1, max=1, max_when_important=3)
    playbook = said(PURSUED, importance=Importance(high_from=high_from), attempts=attempts)
    life = life_in("no_response", playbook=playbook).wait(days=7)
    life.must(c.AnswerImportance(importance=4, actions=(WORDS,)))
    assert rule == life.do(touch_command("video")).rule
    life.must(c.ConfirmCutBait(choice="one_more_try"))
    follows(life)
    granted = life.lead.attempts_granted
    (alike,) = queue_of([life.lead], "dan", 1, playbook).alike
    assert (rule is None) == alike.important
    shown = card(life.lead, playbook, playbook.pursuit or Pursuit(), QUEUE, life.lead.modes)
    assert max(3 if rule is None else 1, granted or 0) == shown.most


def test_weights_score() -> None:
    """A1-1: ``weights``."""
    life = Life(playbook=said(PLAYBOOK, weights=Weights(stage=9, value=1)))
    life.must(register(stage_depth=2, value_band=3), "import")
    (queued,) = life.must(c.QueueRevival())
    assert isinstance(queued, RevivalQueued)
    assert (18, 3) == (queued.score.stage, queued.score.value)
    follows(life)


def test_silence_leads_to_another_playbook() -> None:
    """A1-3: ``on_no_response.goto``: whoever does not answer the promised call follows it, by an event and once."""
    exactly = f"{NEXT.id}@{NEXT.version}"
    first = said(PURSUED, on_no_response=OnNoResponse(goto=exactly))
    life = life_in("call_due", playbook=first)
    life.goes_to = NEXT.pin
    outcome = life.do(VOICEMAIL)
    (goes_on,) = outcome.follow_ups
    assert goes_on == MigratePlaybook(playbook=NEXT.id, version=NEXT.version, digest=NEXT.pin.digest)
    life.leaving, life.playbook = first, NEXT
    (migrated,) = life.must(goes_on, "rep:dan")
    assert isinstance(migrated, PlaybookMigrated)
    assert (first.pin, NEXT.pin) == (migrated.previous, life.lead.playbook)
    life.goes_to = None
    life.wait(days=7).must(touch_command("video"))
    assert life.wait(days=7).do(touch_command("study")).rule == "attempts_left"  # Two are the most there.
    follows(life, first)


@pytest.mark.parametrize(("state", "goto"), [("no_response", None), ("call_due", "next@1.0.0"), ("no_response", "next@2.0.0")])
def test_nobody_but_a_manager_moves_a_lead_elsewhere(state: str, goto: str | None) -> None:
    """Invariant 7: not without a word of the playbook, not before silence, and to no other version."""
    first = said(PURSUED, on_no_response=OnNoResponse(goto=goto))
    life = life_in(state, playbook=first)
    life.leaving, life.playbook = first, NEXT
    command = MigratePlaybook(playbook=NEXT.id, version=NEXT.version, digest=NEXT.pin.digest)
    assert life.do(command, "rep:dan").rule == "manager"
    follows(life, first)


def test_a_call_that_no_note_promised_leads_nowhere() -> None:
    """A later attempt that is not answered stays with its playbook."""
    life = life_in("no_response", playbook=said(PURSUED, on_no_response=OnNoResponse(goto="next@1.0.0"))).wait(days=8)
    life.goes_to = NEXT.pin
    life._lead = replace(life.lead, last_mode="email")
    life.must(call_command(life), "planner")
    assert life.do(VOICEMAIL).follow_ups == ()
    assert life.lead.timers["next_attempt"].due_at > life.now - timedelta(days=1)


#: Fields of a playbook without which earlier releases published it; a section alone, or one of its fields.
YOUNGER = (
    "ask", "drop", "importance", "call", "on_no_response", "homework.blocks", "homework.study_first", "homework.cite_sources",
    "homework.min_needs", "reason.structural", "reason.in_their_words", "checks.media", "timers.review_days",
)  # fmt: skip


def older(base: Playbook, *without: str) -> bytes:
    """Return *base* as it was published before the fields in *without* were there."""
    body: dict[str, Any] = json.loads(canonical(base))
    for path in without:
        section, _, field = path.partition(".")
        del (body[section] if field else body)[field or section]
    return canonical(body)


def structural(playbook: Playbook) -> tuple[Life, Any]:
    life = declined(playbook)
    life.must(replace(REAL_REASON, reason="no_need"))
    (queued,) = life.must(c.QueueRevival())
    assert isinstance(queued, RevivalQueued)
    return life, queued.score.structural


def usual(playbook: Playbook) -> tuple[Life, Any]:
    life = Life(playbook=playbook)
    life.must(register(), "import")
    (queued,) = life.must(c.QueueRevival())
    assert isinstance(queued, RevivalQueued)
    return life, queued.score.importance


def asked(playbook: Playbook, state: str, *commands: c.AnyCommand) -> tuple[Life, Any]:
    life = life_in(state, playbook=playbook)
    for command in commands[:-1]:
        life.must(command)
    return life, life.do(commands[-1]).rule


def queued_without(playbook: Playbook, *but: str) -> tuple[Life, Any]:
    life = declined(playbook, *but)
    return life, life.do(c.QueueRevival()).rule


def let_go(playbook: Playbook, *, finished: bool) -> tuple[Life, Any]:
    life = life_in("no_response", playbook=playbook)
    if finished:
        life.wait(days=7).must(touch_command("video"))
        finish_checklist(life)
    return life, life.do(c.ConfirmCutBait(choice="nurture", reason=WORDS)).rule


def more_attempts(playbook: Playbook, importance: int) -> tuple[Life, Any]:
    life = life_in("no_response", playbook=playbook).wait(days=7)
    life.must(c.AnswerImportance(importance=importance, actions=(WORDS,)))
    return life, life.do(touch_command("video")).rule


def touched_unstudied(playbook: Playbook) -> tuple[Life, Any]:
    life = life_in("declined", playbook=playbook)
    life.fire("triage")
    touch = c.SendNurtureTouch(mode="email", asset="study", attested=PLAYBOOK.checks.nurture)
    return life, life.do(touch).rule


FEW = Attempts(min_before_breakup=1, max=1, max_when_important=3)
STUDIOUS = said(PLAYBOOK, homework=Homework(study_first=True))


@pytest.mark.parametrize(
    ("base", "field", "live", "comes"),
    [
        (PLAYBOOK, "ask", lambda book: queued_without(book, "importance"), "importance_answered"),
        (PLAYBOOK, "ask", queued_without, None),
        (PURSUED, "drop", lambda book: let_go(book, finished=False), "everything_tried"),
        (PURSUED, "drop", lambda book: let_go(book, finished=True), None),
        (PLAYBOOK, "importance", usual, 9),
        (said(PURSUED, attempts=FEW), "importance", lambda book: more_attempts(book, 4), None),
        (said(PURSUED, attempts=FEW), "importance", lambda book: more_attempts(book, 3), "attempts_left"),
        (STUDIOUS, "homework.blocks", touched_unstudied, "account_studied"),
        (PLAYBOOK, "homework.study_first", touched_unstudied, None),
        (PLAYBOOK, "homework.cite_sources", lambda book: asked(book, "declined", HOMEWORK), None),
        (PLAYBOOK, "homework.min_needs", lambda book: asked(book, "declined", HOMEWORK), None),
        (PLAYBOOK, "reason.structural", structural, -5),
        (
            PLAYBOOK,
            "reason.in_their_words",
            lambda book: asked(book, "call_due", replace(DECLINE, real_reason="no_need")),
            None,
        ),
        (
            PLAYBOOK,
            "checks.media",
            lambda book: asked(book, "note_due", replace(sent_command(), medium="robot_pen")),
            "hand_written",
        ),
        (PLAYBOOK, "checks.media", lambda book: asked(book, "note_due", sent_command()), None),
        (PLAYBOOK, "timers.review_days", lambda book: asked(book, "declined", HOMEWORK), None),
    ],
)
@pytest.mark.parametrize("all_of_them", [False, True])
def test_what_a_field_came_to_before_it_was_there(
    base: Playbook, field: str, live: Callable[[Playbook], tuple[Life, Any]], comes: Any, all_of_them: bool
) -> None:
    """Of the bytes that were published then the machine makes what the field's default says, and the verifier does."""
    kept = {"homework.study_first"} if base is STUDIOUS else set()
    body = older(base, *(each for each in YOUNGER if each not in kept) if all_of_them else (field,))
    playbook = decode_playbook(body)
    assert playbook == base
    assert playbook.pin.digest == digest(body) != base.pin.digest
    life, came = live(playbook)
    assert came == comes
    found, tally = follow(life.history, playbooks=[body], calendars=[CALENDAR])
    assert ([], len(life.history)) == (found, tally.derived)


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize(("state", "step"), [("note_due", "note"), ("note_sent", "note"), ("call_due", "promised_call")])
def test_a_mapping_puts_a_lead_back_into_the_queue(state: str, step: str, held: bool) -> None:
    """A step that the new version lacks refuses, unless it is mapped: then slots, plan and promise are gone, and it waits."""
    life = life_in(state)
    if held:
        life.must(c.Hold(reason="manual"))
    assert life.migrate(NOTELESS).rule == "step_kept"
    assert life.migrate(NOTELESS, step="later_call", onto="queue").rule == "step_mapped"
    assert life.do(MigratePlaybook(**mapped(step)), "rep:dan").rule == "manager"
    (migrated,) = life.migrate(NOTELESS, step=step, onto="queue").recorded
    assert isinstance(migrated.data, PlaybookMigrated)
    assert ("T54", step, "queue") == (migrated.row, migrated.data.step, migrated.data.onto)
    lead = life.lead
    assert ("queued", NOTELESS.pin, (), None, False) == (lead.state, lead.playbook, lead.slots, lead.call_on, lead.promised)
    if held:
        life.must(c.Release())
    assert "queue_age" in life.lead.timers
    follows(life, PLAYBOOK)
    assert not rederive(life.history, library(PLAYBOOK, NOTELESS)).mismatches


def test_a_promise_is_kept_where_only_notes_are_missing() -> None:
    """Who was written to is called on the day that the note named; who was not yet cannot be."""
    callers = replace(NOTELESS, capacity=replace(PLAYBOOK.capacity, notes=0))
    life = life_in("note_sent")
    due = life.lead.timers["call_after_note"]
    (migrated,) = life.migrate(callers, step="note", onto="promised_call").recorded
    assert ("note_sent", callers.pin, due) == (migrated.state, life.lead.playbook, life.lead.timers["call_after_note"])
    assert life.fire("call_after_note").answer == "applied"
    follows(life, PLAYBOOK)
    unwritten = life_in("note_due")
    assert unwritten.migrate(callers, step="note", onto="promised_call").rule == "step_kept"
    follows(unwritten, PLAYBOOK)


def mapped(step: str) -> dict[str, Any]:
    pin = NOTELESS.pin
    return {"playbook": pin.id, "version": pin.version, "digest": pin.digest, "step": step, "onto": "queue"}


def library(*playbooks: Playbook) -> Library:
    return Library({calendar_digest(CALENDAR): CALENDAR}, {playbook.pin.digest: playbook for playbook in playbooks})
