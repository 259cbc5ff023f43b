"""Why they really said no, and what is found out before anybody contacts them again, from the command line."""

import json
from datetime import date, timedelta
from typing import Any

import pytest

from tests.service.sheets import sheet
from tests.service.world import MONDAY, World
from workflows.events import Recorded
from workflows.homework_events import DeclineReviewed, HistoryOpened, NeedAnticipated, OpportunityUncovered, WhyAsked

FIELDS = (
    "industry_rank_now", "industry_rank_before", "industry_changes", "economy_or_technology", "problems_this_year",
    "how_we_alleviate", "future_need",
)  # fmt: skip
ANSWERS = tuple(part for field in FIELDS for part in ("--answer", f"{field}=third of nine, as the report says"))
SOURCE = ("--source", "2025-11-30=https://example.com/annual-report")
NEED = ("--item", "roof-check-2027", "--need", "A new roof.", "--because", "Theirs is of 1997, and such roofs last 30 years.")
PLAN = "Ask the finance director which budget the planner would come from, and bring the comparison of costs."
MISSED = ("--missed", "Nobody had asked the finance director.")


@pytest.fixture
def declined(world: World) -> World:
    """A lead that said no on Monday for want of a budget, as they say."""
    world.rep()
    world.register(1, queued=False)
    with world.worker():
        world.ok("decline", "V-0000", "--kind", "no", "--stated-reason", "no_budget", "--words", "There is no money.")
    return world


def events(world: World, kind: type) -> list[Any]:
    return [recorded.data for recorded in _history(world) if isinstance(recorded.data, kind)]


def _history(world: World) -> list[Recorded]:
    return world.events(world.leads[0])


def study(world: World, key: str = "V-0000") -> None:
    """Do all that comes before the next contact with somebody who said no."""
    real = ("--reason", "lost_trust", "--evidence", "call of 7 January", "--words", "You were late twice.")
    world.ok("reason", "real", key, *real)
    world.ok("history", key)
    world.ok("need", key, *NEED)
    world.ok("homework", key, *ANSWERS, *SOURCE, "--minutes", 15)
    world.ok("strategy", key, "--strategy", PLAN, *MISSED)
    world.ok("importance", key, 3)


def test_every_no_is_looked_at_again_within_a_year(declined: World) -> None:
    """A2-1: the date stands from the no on whatever becomes of the lead, shows when due, and a review begins the next year."""
    assert declined.lead(declined.leads[0]).timers["review"].due_at.date() == date(2027, 1, 5)
    declined.at(MONDAY + timedelta(days=40))
    assert declined.lead(declined.leads[0]).state == "nurture"
    assert not [item for item in sheet(declined).items if item.kind == "review"]
    declined.at(MONDAY + timedelta(days=366))
    (item,) = (item for item in sheet(declined).items if item.kind == "review")
    assert item.why == "look at their no again: they said no budget on Mon 2026-01-05"
    assert "REVIEW" in declined.ok("today")
    with declined.worker():
        declined.ok("review", "V-0000", "--changed", "--finding", "They have a new director.", "--minutes", 5)
    (reviewed,) = events(declined, DeclineReviewed)
    assert (reviewed.changed, reviewed.minutes) == (True, 5)
    assert not [item for item in sheet(declined).items if item.kind == "review"]
    assert declined.lead(declined.leads[0]).timers["review"].due_at.date() == date(2028, 1, 6)
    assert declined.said("rederive", "--all")["mismatches"] == []


def test_nobody_is_contacted_before_the_history_was_read_and_what_was_missed_is_recorded(declined: World) -> None:
    """A2-3: what was missed cannot be said before the history was opened, and the lead not queued before it was said."""
    with declined.worker():
        said = declined.refused(1, "strategy", "V-0000", "--strategy", PLAN, *MISSED)
        assert "refused (history_opened)" in said
        told = declined.ok("history", "V-0000")
        assert "There is no money." in told
        assert "the Oakwood open house" in told
        said = declined.said("history", "V-0000")
        assert [each["texts"] for each in said["history"] if each["event"] == "lead_declined"] == [["There is no money."]]
        assert said["answer"]["events"] == ["history_opened"]
        opened, _ = events(declined, HistoryOpened)
        assert opened.seen == 3  # registered, declined, refused
        declined.ok("strategy", "V-0000", "--strategy", PLAN, *MISSED)
    assert declined.lead(declined.leads[0]).strategy_at


def test_the_way_into_the_queue_leads_through_the_homework(declined: World) -> None:
    """A2-3, A2-9: reason, homework and strategy are asked for one after the other; then the lead is queued."""
    with declined.worker():
        assert "refused (reason_probed)" in declined.refused(1, "queue", "V-0000", "--reason", "revisit")
        study(declined)
        assert "refused (rested)" in declined.refused(1, "queue", "V-0000")
        declined.at(MONDAY + timedelta(days=29))
        assert declined.lead(declined.leads[0]).state == "declined"
        declined.ok("nurture", "start", "V-0000")
        declined.ok("queue", "V-0000", "--reason", "job_change")
    assert declined.lead(declined.leads[0]).state == "queued"
    assert declined.said("rederive", "--all")["mismatches"] == []


def test_nurture_is_no_way_around_the_homework(declined: World) -> None:
    """A2-9: from nurture too, homework and a strategy come before the queue."""
    with declined.worker():
        declined.ok("nurture", "start", "V-0000")
        assert "refused (homework_fresh)" in declined.refused(1, "queue", "V-0000")
        declined.ok("need", "V-0000", *NEED)
        declined.ok("homework", "V-0000", *ANSWERS, *SOURCE)
        assert "refused (account_studied)" in declined.refused(1, "queue", "V-0000")


def test_nobody_who_said_no_hears_from_us_in_nurture_before_the_homework(declined: World) -> None:
    """A2-3, A2-9: nobody acted, so that the lead rests in nurture; a touch is owed each month, and waits for the homework."""
    touch = ("nurture", "touch", "V-0000", "--mode", "post", "--asset", "market-report", "--attest-all")
    declined.at(MONDAY + timedelta(days=100))
    with declined.worker():
        said = declined.refused(1, *touch)
        assert "refused (account_studied)" in said
        assert "thaw history, then thaw homework, then thaw strategy" in said
        (item,) = (item for item in sheet(declined).items if item.kind == "nurture")
        assert item.why.startswith("this month's touch is owed, and waits for what they will need, homework")
        assert [command.split()[1] for command in item.commands] == ["need", "homework", "history", "strategy"]
        told = declined.said("nurture", "months", "V-0000")["months"]
        assert [month["why"] for month in told] == ["began", "account_not_studied", "not_over"]
        study(declined)
        declined.ok(*touch)
    assert declined.lead(declined.leads[0]).nurture_touched_at
    assert declined.said("rederive", "--all")["mismatches"] == []


def test_the_question_why_is_due_the_next_day_and_a_purpose_of_its_own(declined: World) -> None:
    """A2-5: it stands on Tuesday's sheet; whoever is not reached is asked on the day after; nothing else may be done yet."""
    declined.at(MONDAY + timedelta(days=1))
    (item,) = (item for item in sheet(declined).items if item.kind == "reason")
    assert item.why == "ask why they really said no; they said no budget; reason unverified"
    with declined.worker():
        assert "refused (no_transition)" in declined.refused(
            1, "touch", "V-0000", "--mode", "email", "--value-item", "report", "--attest-all"
        )
        declined.ok("reason", "ask", "V-0000", "--outcome", "not_reached", "--minutes", 2)
        assert not [item for item in sheet(declined).items if item.kind == "reason"]
        declined.at(MONDAY + timedelta(days=2))
        assert [item for item in sheet(declined).items if item.kind == "reason"]
        declined.ok("nurture", "start", "V-0000")
        declined.at(MONDAY + timedelta(days=20))
        declined.ok("reason", "ask", "V-0000", "--outcome", "answered", "--mode", "email", "--words", "It was not the money.")
    first, second = events(declined, WhyAsked)
    assert (first.outcome, second.outcome, second.mode) == ("not_reached", "answered", "email")
    assert declined.lead(declined.leads[0]).state == "nurture"


def test_whoever_answered_why_is_not_asked_again_and_the_answer_is_to_be_recorded(declined: World) -> None:
    """A2-6: until the real reason is recorded, in whatever word, the lead and the sheet say that, and no longer to ask."""
    declined.at(MONDAY + timedelta(days=1))
    with declined.worker():
        declined.ok("reason", "ask", "V-0000", "--outcome", "not_reached")
        assert "next       ask why they really said no by Wed 2026-01-07" in declined.ok("lead", "V-0000")
        declined.at(MONDAY + timedelta(days=2))
        declined.ok("reason", "ask", "V-0000", "--outcome", "answered", "--words", "It was not the money.")
        told = "record why they really said no: they answered Wed 2026-01-07 10:00"
        assert f"next       {told} (rep)\n" in declined.ok("lead", "V-0000")
        (item,) = (item for item in sheet(declined).items if item.kind == "reason")
        assert item.why == f"{told}; they said no budget; reason unverified"
        real = ("--reason", "our_planner_left", "--evidence", "call of 7 January", "--words", "Your planner left.")
        declined.ok("reason", "real", "V-0000", *real)
        assert "record why" not in declined.ok("lead", "V-0000")
        assert not [item for item in sheet(declined).items if item.kind == "reason"]
    assert "no_need, not_a_fit, out_of_scope" in declined.ok("reason", "real", "--help")


def test_who_objected_is_not_asked_why_either(declined: World) -> None:
    """A2-5: the purpose is allowed, and no objection is."""
    with declined.worker():
        declined.ok("opt-out", "V-0000", "--channel", "call")
        assert "refused (" in declined.refused(1, "reason", "ask", "V-0000", "--outcome", "answered")
    assert not events(declined, WhyAsked)


def test_a_generic_reason_is_unverified_until_the_real_one_has_words_and_a_source(declined: World) -> None:
    """A2-6: two fields; the lead, the sheet and the report say "unverified" until a real reason stands with its evidence."""
    declined.at(MONDAY + timedelta(days=1))
    assert "no budget; reason unverified" in declined.ok("lead", "V-0000")
    assert declined.said("lead", "V-0000")["reason_unverified"]
    assert "reason unverified" in declined.ok("today")
    week = ("--from", "2026-01-01", "--by", "month")
    assert [line["figures"]["reasons_unverified"] for line in declined.said("accountability", *week)["lines"]] == [1]
    with declined.worker():
        real = ("reason", "real", "V-0000", "--reason", "lost_trust")
        assert "refused (reason_evidence)" in declined.refused(1, *real, "--words", "You were late twice.")
        assert "refused (reason_evidence)" in declined.refused(1, *real, "--evidence", "call of 6 January")
        declined.ok(*real, "--evidence", "call of 6 January", "--words", "You were late twice.")
    lead = declined.lead(declined.leads[0])
    assert lead.decline
    assert (lead.decline.stated_reason, lead.decline.real_reason) == ("no_budget", "lost_trust")
    assert "they said no budget; really lost trust" in declined.ok("lead", "V-0000")
    assert not declined.said("lead", "V-0000")["reason_unverified"]
    assert all("twice" not in str(recorded) for recorded in _history(declined))


def test_a_real_reason_given_with_the_no_needs_their_words(world: World) -> None:
    """A2-6: otherwise the guess of whoever types it would pass for the truth."""
    world.rep()
    world.register(1, queued=False)
    no = ("decline", "V-0000", "--kind", "no", "--stated-reason", "price", "--real-reason", "lost_trust")
    with world.worker():
        assert "refused (reason_evidence)" in world.refused(1, *no)
        world.ok(*no, "--words", "You were late twice.")
    assert world.lead(world.leads[0]).reason_probed_at


def test_the_questions_stand_on_the_sheet_and_the_answers_are_kept_one_by_one(declined: World) -> None:
    """A2-7: goals, problems, the ideal, what would motivate; each answer is a text of its own, outside the log."""
    declined.at(MONDAY + timedelta(days=1))
    (item,) = (item for item in sheet(declined).items if item.kind == "reason")
    questions = ["goals_this_year", "current_vendor_problems", "ideal_solution", "what_would_motivate"]
    assert f"ask: {', '.join(question.replace('_', ' ') for question in questions)}" in item.notes
    assert all(f"--answer {question}=TEXT" in item.commands[0] for question in questions)
    answers = [part for question in questions for part in ("--answer", f"{question}=about {question[:5]}")]
    with declined.worker():
        said = declined.refused(1, "reason", "ask", "V-0000", "--outcome", "answered", "--answer", "shoe_size=nine")
        assert "refused (questions_known)" in said
        assert f"it asks {', '.join(questions)}." in said
        declined.ok("reason", "ask", "V-0000", "--outcome", "answered", *answers, "--minutes", 12)
    (asked,) = events(declined, WhyAsked)
    assert sorted(asked.answers) == sorted(questions)
    assert len({reference.document_id for reference in asked.answers.values()}) == 4
    assert "about ideal" in declined.ok("history", "V-0000")
    assert "about ideal" not in json.dumps([str(recorded) for recorded in _history(declined)])


@pytest.mark.parametrize("state", ["declined", "nurture", "re_engaged"])
def test_an_opportunity_may_be_uncovered_in_any_conversation(declined: World, state: str) -> None:
    """A2-8: whatever the conversation was about, and wherever the lead stands."""
    with declined.worker():
        if state == "nurture":
            declined.ok("nurture", "start", "V-0000")
        if state == "re_engaged":
            declined.ok("reply", "V-0000", "--channel", "email")
        declined.ok("opportunity", "V-0000", "--what", "They open a second shop.", "--from", "mail of 5 January")
    (uncovered,) = events(declined, OpportunityUncovered)
    assert uncovered.what.document_id != uncovered.source.document_id
    assert declined.lead(declined.leads[0]).state == state
    assert "opening    an opportunity was uncovered" in declined.ok("lead", "V-0000")


@pytest.mark.parametrize("missing", FIELDS)
def test_homework_with_an_unanswered_question_is_refused(declined: World, missing: str) -> None:
    """A2-9: seven questions, and with the strategy and what was missed nine; all have an answer or nothing is done."""
    at = ANSWERS.index(f"{missing}=third of nine, as the report says")
    with declined.worker():
        declined.ok("need", "V-0000", *NEED)
        said = declined.refused(1, "homework", "V-0000", *ANSWERS[: at - 1], *ANSWERS[at + 1 :], *SOURCE)
        assert f"The homework has no answer to: {missing.replace('_', ' ')}." in said
        assert f"\nto go on: --answer {missing}=TEXT\n" in said
        assert "Missing option" in declined.refused(2, "strategy", "V-0000", "--strategy", PLAN)
    assert declined.lead(declined.leads[0]).homework_at is None


@pytest.mark.parametrize(
    ("source", "status", "says"),
    [
        ((), 1, "refused (homework_sources)"),
        (("--source", "2025-01-04=https://example.com/old"), 1, "refused (homework_sources)"),
        (("--source", "2025-11-30"), 2, "has no =; write it like 2026-03-01=https://example.com/report"),
        (("--source", "2025-11-31=https://example.com"), 2, "2025-11-31"),
        (("--source", "2025-11-30="), 2, "it is empty"),
    ],
)
def test_homework_rests_on_a_source_of_the_last_year(declined: World, source: tuple[str, ...], status: int, says: str) -> None:
    """A2-10: with its day and its address, so that anybody can look."""
    with declined.worker():
        declined.ok("need", "V-0000", *NEED)
        said = declined.refused(status, "homework", "V-0000", *ANSWERS, *source)
        assert says in " ".join(said.split())
        declined.ok("homework", "V-0000", *ANSWERS, *SOURCE)
    done = _history(declined)[-1].data
    assert [source.published_on for source in done.cited] == [date(2025, 11, 30)]  # type: ignore[union-attr]
    assert "https://example.com/annual-report" in declined.ok("history", "V-0000", "--no-wait")


def test_a_need_to_come_is_the_first_thing_to_bring(declined: World) -> None:
    """A2-11: without one the homework is not done; with its rationale it is a value item of this lead and of no other."""
    with declined.worker():
        assert "refused (needs_anticipated)" in declined.refused(1, "homework", "V-0000", *ANSWERS, *SOURCE)
        assert "Missing option" in declined.refused(2, "need", "V-0000", "--item", "roof", "--need", "A new roof.")
        declined.ok("need", "V-0000", *NEED)
        assert "refused (new_need)" in declined.refused(1, "need", "V-0000", *NEED)
        declined.ok("homework", "V-0000", *ANSWERS, *SOURCE)
        declined.ok("history", "V-0000")
        declined.ok("strategy", "V-0000", "--strategy", PLAN, *MISSED)
        declined.ok("nurture", "start", "V-0000")
    (need,) = events(declined, NeedAnticipated)
    assert need.item == "roof-check-2027"
    declined.at(MONDAY + timedelta(days=35))
    (item,) = (item for item in sheet(declined).items if item.kind == "nurture")
    assert item.why == "this month's touch is owed: email, roof-check-2027"
    with declined.worker():
        touch = ("nurture", "touch", "V-0000", "--mode", "email", "--asset", "roof-check-2027", "--attest-all")
        declined.ok(*touch)
    assert "roof-check-2027" in declined.lead(declined.leads[0]).value_items_used
    assert declined.said("rederive", "--all")["mismatches"] == []
