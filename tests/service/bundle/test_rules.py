"""The second implementation of the rules agrees with the first: on random lives, and on nothing that was changed."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

import msgspec
import pytest
from hypothesis import settings

from tests.service.bundle.rules import follow
from tests.workflows.life import (
    CALENDAR,
    DECLINE,
    HOMEWORK,
    LEAD_ID,
    PLAYBOOK,
    PURSUED,
    ROADS,
    WORDS,
    Life,
    call_command,
    life_in,
    note_command,
    ready_to_break_up,
    register,
    sent_command,
    touch_command,
)
from tests.workflows.player import Player
from tests.workflows.promotion import CAMPAIGN, letter, passed
from workflows import commands as c
from workflows import events as e
from workflows import homework_commands as h
from workflows import mail_commands as m
from workflows.calendars import Absence, Calendar
from workflows.checks import BY_LAW, GUARDS_OF_MAIL, INVITATION_CHECKS
from workflows.events import Level, Verdict
from workflows.handle import Outcome, calendar_digest
from workflows.playbook_sections import Ask, Drop, Importance
from workflows.playbooks import Homework, Playbook, Reason, Timers
from workflows.priority import Weights
from workflows.rederive import Library, rederive

#: The same method at another pace.
FASTER: Playbook = msgspec.structs.replace(
    PLAYBOOK,
    version="2.0.0",
    timers=Timers(
        triage_days=10, queue_age_days=90, call_expiry_working_days=14, response_window_working_days=2, requeue_days=5
    ),
)


@pytest.mark.parametrize("state", sorted(ROADS))
def test_the_road_into_every_state_follows(state: str) -> None:
    """The shortest life into each state comes out as it was recorded, every event of it."""
    history = life_in(state).history
    found, tally = follow(history, playbooks=[PLAYBOOK], calendars=[CALENDAR])
    assert ([], len(history), {}) == (found, tally.derived, tally.left_out)


class Audited(Player):
    """Lives a random life, with commands of all kinds, and has it checked at its end."""

    def give(self, command: c.AnyCommand, actor: str) -> Outcome:
        """Give *command*; a migration is to the playbook that it is decided by, as the service sees to."""
        if isinstance(command, c.MigratePlaybook):
            command = msgspec.structs.replace(command, digest=self.playbook.pin.digest)
        return super().give(command, actor)

    def teardown(self) -> None:
        """Nothing differs, refusals included, and every event is made again."""
        found, tally = follow(self.history, playbooks=[self.playbook], calendars=[CALENDAR])
        assert ([], len(self.history)) == (found, tally.derived)
        super().teardown()


TestAudited = Audited.TestCase
TestAudited.settings = settings(max_examples=35, stateful_step_count=40, deadline=None)


class Pursued(Audited):
    """The same under the rules of the pursuit and of letting go."""

    playbook = PURSUED


TestPursued = Pursued.TestCase
TestPursued.settings = settings(max_examples=35, stateful_step_count=40, deadline=None)


class Otherwise(Audited):
    """And under a playbook that says otherwise what the others leave at its default."""

    playbook: Playbook = msgspec.structs.replace(
        PURSUED,
        version="7.0.0",
        ask=Ask(importance=False, connector=True),
        drop=Drop(checklist=("value_offered", "nurture_in_place")),
        importance=Importance(usual=1, high_from=2),
        homework=Homework(study_first=True, blocks=("touch",)),
        reason=Reason(structural=("price", "chose_other")),
        weights=Weights(stage=1, importance=7, structural=50),
    )


TestOtherwise = Otherwise.TestCase
TestOtherwise.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)


@pytest.mark.parametrize("state", sorted(ROADS))
@pytest.mark.parametrize("days", [0, 9])
def test_a_migration_follows(state: str, days: int) -> None:
    """Timers move by the difference, in both directions and never into the past; then life goes on by the new playbook."""
    life = life_in(state).wait(days=days)
    life.migrate(FASTER)
    life.do(c.AnswerImportance(importance=4))
    life.do(c.Hold(reason="manual"))
    life.migrate(PLAYBOOK)
    life.wait(days=1).do(c.Release())
    found, tally = follow(life.history, playbooks=[PLAYBOOK, FASTER], calendars=[CALENDAR])
    assert ([], len(life.history)) == (found, tally.derived)


@pytest.mark.parametrize("year", [1, 9999])
def test_the_ends_of_the_calendar_follow(year: int) -> None:
    """A command from the first or the last day that a date can name is answered, and its answer follows."""
    life = life_in("breakup_sent")
    at = datetime(year, 1, 1, tzinfo=UTC) if year == 1 else datetime(year, 12, 31, 23, 59, tzinfo=UTC)
    life.do(m.SendMail(occurred_at=at, mail=UUID(int=7), purpose="breakup", attempt=1, not_before=None))
    found, tally = follow(life.history, playbooks=[PLAYBOOK], calendars=[CALENDAR])
    assert ([], len(life.history)) == (found, tally.derived)


#: What the shipped playbook asks for of somebody who said no.
STRICT: Playbook = msgspec.structs.replace(
    PLAYBOOK,
    version="3.0.0",
    timers=Timers(review_days=365, triage_days=400),
    homework=Homework(cite_sources=True, min_needs=1, study_first=True),
    reason=Reason(in_their_words=True),
)


def test_the_way_back_of_somebody_who_said_no_follows() -> None:
    """Refused and allowed alike: reason, history, need, homework, strategy; the review outlives states and holds."""
    life = Life(playbook=STRICT)
    life.must(register(), "import")
    life.do(c.RecordDecline(kind="no", stated_reason="price", real_reason="lost_trust"))
    life.must(c.RecordDecline(kind="no", stated_reason="price"))
    plan = c.RecordStrategy(strategy=WORDS, missed_last_time=WORDS)
    need = h.AnticipateNeed(item="roof-2027", need=WORDS, rationale=WORDS, minutes=3)
    cited = msgspec.structs.replace(HOMEWORK, cited=(h.Source(published_on=HOMEWORK.sources[0], where=WORDS),))
    life.must(h.AskWhy(outcome="not_reached", answers={}))
    life.do(h.AskWhy(outcome="answered", answers={"shoe_size": WORDS}))
    life.wait(days=1).must(h.AskWhy(outcome="answered", answers={"ideal_solution": WORDS}, minutes=9))
    for command in (
        plan,
        h.OpenHistory(),
        plan,
        cited,
        need,
        need,
        HOMEWORK,
        cited,
        h.UncoverOpportunity(what=WORDS, source="x"),
    ):
        life.do(command)
    life.must(c.Hold(reason="manual"))
    life.must(c.StartNurture())
    life.wait(days=3).must(c.Release())
    assert "review" in life.lead.timers
    life.must(h.ReviewDecline(changed=True, finding=WORDS, minutes=4))
    life.do(c.QueueRevival(reason="job_change"))
    assert life.lead.state == "queued"
    life.must(c.OptOut())
    assert {} == life.lead.timers
    life.must(c.RegrantConsent(evidence=WORDS, modes=("call", "email")), "manager:ann")
    life.must(DECLINE)
    life.must(c.StartNurture())
    for again in (c.QueueRevival(reason="job_change"), h.OpenHistory(), plan, c.QueueRevival(reason="job_change")):
        life.do(again)
    assert life.lead.state == "queued"
    life.migrate(FASTER)
    found, tally = follow(life.history, playbooks=[STRICT, FASTER], calendars=[CALENDAR])
    assert ([], len(life.history)) == (found, tally.derived)


SICK: Calendar = msgspec.structs.replace(
    CALENDAR, absences=(Absence(first=date(2026, 1, 13), last=date(2026, 1, 20), reason="ill"),)
)


@pytest.mark.parametrize("timer", ["call_late", "call_expiry"])
def test_an_absence_that_was_entered_late_follows(timer: str) -> None:
    """A promise is not late for days on which its owner turned out to be away; the timer comes again, later."""
    life = life_in("call_due")
    life.calendar = SICK
    assert "refused" == life.fire(timer).answer
    if timer == "call_late":
        life.must(c.RescheduleCall(call_on=date(2026, 1, 27), reason="prospect_asked"))
    assert "applied" == life.fire(timer).answer
    found, tally = follow(life.history, playbooks=[PLAYBOOK], calendars=[CALENDAR, SICK])
    assert ([], len(life.history)) == (found, tally.derived)


def test_a_note_that_comes_back_follows() -> None:
    """While the call is still to come, when it is due, and when it was made."""
    for state in ("note_sent", "call_due", "no_response", "queued", "re_engaged"):
        life = life_in(state)
        life.do(c.RecordReturn())
        assert [] == follow(life.history, playbooks=[PLAYBOOK], calendars=[CALENDAR])[0]
    life = life_in("no_response").wait(days=9)
    life.must(touch_command())
    life.wait(days=9).must(call_command(life), "planner")
    assert "refused" == life.do(c.RecordReturn()).answer
    assert [] == follow(life.history, playbooks=[PLAYBOOK], calendars=[CALENDAR])[0]


def test_which_topic_came_first_follows() -> None:
    """Said in words, it counts as said; what the log says of it is made again."""
    life = life_in("call_due")
    life.must(c.RecordCall(outcome="connected", personal_topic=WORDS, decision="yes"))
    assert [] == follow(life.history, playbooks=[PLAYBOOK], calendars=[CALENDAR])[0]


@pytest.mark.parametrize(
    ("verdicts", "command"),
    [
        ([], {}),
        ([], {"attested": ()}),
        ([], {"attested": PLAYBOOK.checks.note[1:]}),
        ([], {"attested": (), "override": WORDS}),
        ([(PLAYBOOK.checks.note[0], False)], {}),
        ([(PLAYBOOK.checks.note[0], False)], {"override": WORDS}),
        ([(PLAYBOOK.checks.note[0], True), ("merge_marks", True)], {"attested": PLAYBOOK.checks.note[2:]}),
        ([("merge_marks", False)], {}),
        ([("merge_marks", False)], {"override": WORDS}),
        ([("read_whole", False)], {"attested": ()}),
        ([("read_whole", False)], {"override": WORDS}),
    ],
)
def test_what_checks_say_is_settled_alike(verdicts: list[tuple[str, bool]], command: dict[str, Any]) -> None:
    """Attested, computed, overridden, missing: the note goes out, or is refused by the same check."""
    life = life_in("note_due")
    life.verdicts = tuple(
        Verdict(check=check, passed=passed, source="reader-1", inputs={"score": 2}, level="warn", score=3, reason="Well.")
        for check, passed in verdicts
    )
    life.do(msgspec.structs.replace(sent_command(), **command))
    assert [] == follow(life.history, playbooks=[PLAYBOOK], calendars=[CALENDAR])[0]


def sentence_verdict(check: str, level: Level, passed: bool, **changed: Any) -> Verdict:
    """Return what a program says of two sentences."""
    source, inputs = f"content check {check} version 1", {"score": 900, "read": "two sentences"}
    return Verdict(**{"check": check, "passed": passed, "source": source, "inputs": inputs, "level": level, **changed})


def both(history: Sequence[e.Recorded]) -> tuple[list[str], list[str]]:
    """Return what the verifier says of a history, and the fields that come out differently where it is derived again."""
    library = Library({calendar_digest(CALENDAR): CALENDAR}, {PLAYBOOK.pin.digest: PLAYBOOK})
    found, _ = follow(history, playbooks=[PLAYBOOK], calendars=[CALENDAR])
    return found, [each.field for each in rederive(history, library).mismatches]


def with_verdicts(life: Life, *verdicts: Verdict) -> list[e.Recorded]:
    """Return a history whose last decision has *verdicts* in place of those on the same checks."""
    last = life.history[-1]
    assert last.used
    kept = [each for each in last.used.verdicts if each.check not in {each.check for each in verdicts}]
    return [
        *life.history[:-1],
        msgspec.structs.replace(last, used=msgspec.structs.replace(last.used, verdicts=(*verdicts, *kept))),
    ]


def test_a_voicemail_is_asked_what_the_mail_is_that_it_promises() -> None:
    """A1-3, A1-9: by both implementations, those of before as they were decided; after one that was, each has to be."""
    voicemail = c.LeaveBreakupVoicemail(attested=("mentions_mail",))
    life = life_in("no_response")
    life.asked = ("mentions_mail",)
    life.must(voicemail)
    life.asked = None
    assert "attempts_made" == life.do(voicemail).rule
    for item in ("video", "study"):
        life.wait(days=7)
        life.must(touch_command(item))
    assert "offer_known" == life.do(voicemail).rule
    life.must(c.RecordOffer(solution=WORDS, benefit=WORDS))
    assert "cut_bait_confirmed" == life.do(voicemail).rule
    life.must(c.ConfirmCutBait(choice="breakup"))
    life.must(voicemail)
    assert both(life.history) == ([], [])
    last = life.history[-1]
    assert last.used
    assert last.used.asked == ("mentions_mail", "attempts_made", "modes_tried", "offer_known", "cut_bait_confirmed")
    forged = msgspec.structs.replace(last, used=msgspec.structs.replace(last.used, asked=("mentions_mail",)))
    assert "used.asked" in both([*life.history[:-1], forged])[0][0]
    early = life_in("no_response")
    early.asked = ("mentions_mail",)
    early.must(voicemail)
    last = early.history[-1]
    assert last.used
    asked = ("mentions_mail", *GUARDS_OF_MAIL)
    forged = msgspec.structs.replace(last, used=msgspec.structs.replace(last.used, asked=asked))
    assert both([*early.history[:-1], forged])[0], "it would have been refused"


def test_what_was_said_with_an_objection_follows() -> None:
    """The words that their command brought stand in the event, and no others; an objection without words has none."""
    life = life_in("queued")
    for command in (c.OptOut(channel="call"), c.OptOut(channel="email", words=WORDS), c.OptOut(words=WORDS)):
        life.must(command)
    assert both(life.history) == ([], [])
    last = life.history[-1]
    assert last.data == e.OptedOut(words=WORDS)
    forged = both([*life.history[:-1], msgspec.structs.replace(last, data=e.OptedOut())])
    assert all("words" in found[0] for found in forged)


def test_a_photo_follows_with_the_sentences_that_were_read() -> None:
    """A4-7: it stands in the event as in the command, and comes with words."""
    life = life_in("note_due")
    life.verdicts = (sentence_verdict("personal_fact", "pass", True), sentence_verdict("right_name", "warn", True))
    life.must(msgspec.structs.replace(sent_command(), photo=WORDS, text=WORDS))
    assert both(life.history) == ([], [])
    last = life.history[-1]
    assert isinstance(last.data, e.NoteSent)
    gone = msgspec.structs.replace(last, data=msgspec.structs.replace(last.data, photo=msgspec.UNSET))
    assert "data.photo" in both([*life.history[:-1], gone])[0][0]
    alone = life_in("note_due")
    alone.do(msgspec.structs.replace(sent_command(), photo=WORDS))
    assert isinstance(alone.history[-1].data, e.CommandRefused)
    assert alone.history[-1].data.rule == "photo_sentences"
    assert both(alone.history) == ([], [])


@pytest.mark.parametrize(
    "forged",
    [
        sentence_verdict("personal_fact", "pass", True, inputs={"score": 900}),
        sentence_verdict("not_form_letter", "pass", True),
        sentence_verdict("not_form_letter", "warn", True),
        msgspec.structs.replace(sentence_verdict("not_form_letter", "warn", True), level=msgspec.UNSET),
        Verdict(check="not_form_letter", passed=True, source="reader-1", inputs={"score": 900}),
        sentence_verdict("no_merge_marks", "pass", True),
        sentence_verdict("breakup_parts", "warn", True),
        sentence_verdict("reminds_who_we_are", "warn", True),
        sentence_verdict("future_call", "refuse", True),
        sentence_verdict("not_form_letter", "warn", True, source="attested by rep:dan", inputs={"score": 900}),
        sentence_verdict("not_form_letter", "refuse", True, source="attested by rep:dan"),
    ],
    ids=lambda verdict: f"{verdict.check} {verdict.level} {verdict.source}",
)
def test_more_than_two_sentences_tell_is_named_in_a_verdict(forged: Verdict) -> None:
    """A4-9: by the verifier, and where it is derived again; whether or not somebody vouched for the check as well."""
    for attested in (PLAYBOOK.checks.note, tuple(check for check in PLAYBOOK.checks.note if check != forged.check)):
        life = life_in("note_due")
        life.do(msgspec.structs.replace(sent_command(), photo=WORDS, text=WORDS, override=WORDS, attested=attested))
        found, mismatches = both(with_verdicts(life, forged))
        assert found
        assert "used.verdicts" in found[0]
        assert mismatches


@pytest.mark.parametrize("command", [{}, {"attested": ()}, {"attested": (), "override": WORDS}, {"override": WORDS}])
def test_a_remark_on_two_sentences_goes_with_who_vouched(command: dict[str, Any]) -> None:
    """A4-9: attested or overridden it stays beside the word of a person; else the note is refused."""
    life = life_in("note_due")
    life.verdicts = (
        sentence_verdict("personal_fact", "pass", True),
        sentence_verdict("not_form_letter", "warn", False, score=900, reason="It is like another."),
        sentence_verdict("not_repeated", "warn", True),
    )
    life.do(msgspec.structs.replace(sent_command(), photo=WORDS, text=WORDS, **command))
    last = life.history[-1]
    assert last.used
    source = {each.check: each.source for each in last.used.verdicts}["not_form_letter"]
    if command == {"attested": ()}:
        assert isinstance(last.data, e.CommandRefused)
        assert source == "content check not_form_letter version 1"
    else:
        assert isinstance(last.data, e.NoteSent)
        assert source == ("attested by rep:dan" if "attested" not in command else "overridden")
    assert both(life.history) == ([], [])
    alone = {each.check: each for each in last.used.verdicts}["not_form_letter"]
    forged = msgspec.structs.replace(alone, source="content check not_form_letter version 1", passed=not alone.passed)
    assert all(both(with_verdicts(life, forged)))


def test_a_whole_text_was_not_read_in_two_sentences() -> None:
    """A4-9: where no photo is, nothing says that only a part was read."""
    life = life_in("note_due")
    life.must(msgspec.structs.replace(sent_command(), text=WORDS))
    found, mismatches = both(with_verdicts(life, sentence_verdict("personal_fact", "pass", True)))
    assert "used.verdicts.personal_fact.inputs.read" in found[0]
    assert mismatches == ["used.verdicts"]


def test_a_planned_move_that_came_too_early_is_no_refusal() -> None:
    """It waits, or leaves nothing: an event that says so does not follow, in either implementation."""
    life = life_in("note_sent")
    opens = life.lead.timers["call_after_note"].due_at
    moved = c.RescheduleCall(call_on=(opens + timedelta(days=1)).date(), reason="capacity")
    assert life.do(moved, "planner").rule == "no_transition"
    assert both(life.history) == ([], [])
    last = life.history[-1]
    early = msgspec.structs.replace(last, command=msgspec.structs.replace(moved, not_before=opens + timedelta(minutes=1)))
    found, mismatches = both([*life.history[:-1], early])
    assert "data.rule" in found[0]
    assert mismatches == ["event"]


def test_what_the_halves_of_a_breakup_said_is_asked_for_from_then_on() -> None:
    """A1-9: a log of before follows as it was decided, counted as not checked; once somebody was asked, each half has to be."""
    life = life_in("no_response")
    life.asked = msgspec.UNSET
    ready_to_break_up(life, bare=True)
    found, tally = follow(life.history, playbooks=[PLAYBOOK], calendars=[CALENDAR])
    assert ([], 2) == (found, tally.unasked)
    life.asked = None
    assert "check.mentions_mail" == life.do(c.LeaveBreakupVoicemail()).rule
    life.must(c.LeaveBreakupVoicemail(override=WORDS))
    life.must(c.LeaveBreakupVoicemail(attested=("mentions_mail",)))
    assert [] == follow(life.history, playbooks=[PLAYBOOK], calendars=[CALENDAR])[0]
    last = life.history[-1]
    assert last.used
    unasked = msgspec.structs.replace(last.used, asked=msgspec.UNSET, verdicts=())
    forged = msgspec.structs.replace(last, used=unasked)
    found, _ = follow([*life.history[:-1], forged], playbooks=[PLAYBOOK], calendars=[CALENDAR])
    assert "used.asked" in found[0]


def refused_by_the_list(modes: str) -> tuple[Verdict, ...]:
    inputs: dict[str, str | int | bool | None] = {"modes": modes, "reasons": "opted_out", "since": "2026-01-02"}
    return (Verdict(check="not_suppressed", passed=False, source="suppressions", inputs=inputs),)


@pytest.mark.parametrize("modes", ["call", "email", " ".join(sorted(get_args(c.Mode)))])
@pytest.mark.parametrize("state", ["queued", "note_due", "note_sent", "no_response", "nurture"])
def test_the_suppression_list_is_asked_alike(state: str, modes: str) -> None:
    """It refuses touches by the modes that were recorded, keeps people out who are refused in all, and arms timers again."""
    life = life_in(state)
    life.verdicts = refused_by_the_list(modes)
    life.do(note_command(life), "planner")
    life.do(call_command(life), "planner")
    life.do(sent_command())
    life.do(touch_command())
    life.do(c.LeaveBreakupVoicemail(attested=("mentions_mail",)))
    life.do(c.SendBreakupEmail(monitored_reply_address=True, attested=("breakup_parts",)))
    life.do(c.SendNurtureTouch(mode="email", asset="paper", attested=PLAYBOOK.checks.nurture))
    if "call_after_note" in life.lead.timers:
        life.fire("call_after_note")
    assert [] == follow(life.history, playbooks=[PLAYBOOK], calendars=[CALENDAR])[0]
    late = Life()
    late.verdicts = life.verdicts
    late.must(register(), "import")
    found, tally = follow(late.history, playbooks=[PLAYBOOK], calendars=[CALENDAR])
    assert ([], len(late.history)) == (found, tally.derived)


@pytest.mark.parametrize("state", sorted(ROADS))
def test_an_erasure_follows(state: str) -> None:
    """Who is erased is opted out first; then everything is refused, and a second erasure leaves nothing."""
    life = life_in(state)
    life.must(c.EraseLead(reason=WORDS, first_erased_at=life.now - timedelta(days=3)), "ops:ann")
    life.do(c.EraseLead(reason=WORDS), "ops:ann")
    for command in (c.OptOut(), c.UpdateContact(contact=WORDS), c.RegrantConsent(evidence=WORDS, modes=("call",))):
        assert "refused" == life.do(command, "manager:ann").answer
    found, tally = follow(life.history, playbooks=[PLAYBOOK], calendars=[CALENDAR])
    assert ([], len(life.history)) == (found, tally.derived)


@pytest.mark.parametrize("offers", [True, False])
@pytest.mark.parametrize("state", ["note_due", "note_sent", "call_due", "no_response"])
def test_a_release_and_another_owner_follow(state: str, offers: bool) -> None:
    """With slots on offer and without, and a note that went out on another day than planned."""
    life = life_in(state)
    life.must(c.Hold(reason="manual"))
    life.wait(days=3).offers = offers
    life.must(c.Release())
    life.must(c.Reassign(owner="eve"), "manager:ann")
    life.do(sent_command(), "rep:eve")
    life.wait(days=2).do(msgspec.structs.replace(sent_command(), occurred_at=life.now - timedelta(hours=30)), "rep:eve")
    assert [] == follow(life.history, playbooks=[PLAYBOOK], calendars=[CALENDAR])[0]


def test_without_a_calendar_and_past_its_end_only_weekends_are_known() -> None:
    """As the machine does it: Monday to Friday, and UTC."""
    short: Calendar = CALENDAR.cut(CALENDAR.first, life_in("queued").today + timedelta(days=3))
    for calendar in (None, short):
        life = life_in("registered")
        life.calendar = calendar
        for command in (c.QueueRevival(), c.OptOut(channel="email"), c.RecordDecline(kind="hold", stated_reason="budget")):
            life.wait(days=2).do(command)
        life.fire("triage")
        life.fire("nurture_touch")
        found, _ = follow(life.history, playbooks=[PLAYBOOK], calendars=[CALENDAR, short])
        assert [] == found


def test_a_second_registration_follows() -> None:
    """It is refused as that, whatever is wrong with its dates."""
    life = life_in("queued")
    for day in (date(1926, 11, 2), life.today + timedelta(days=30), life.today):
        assert "already_registered" == life.do(register(last_contact_on=day)).rule
    assert "already_registered" == life.do(register(occurred_at=life.now + timedelta(days=1))).rule
    assert ([], []) == both(life.history)


def test_what_is_not_there_to_follow_is_said() -> None:
    """Without its playbook or calendar a decision is a finding; a history of unknown kinds or later schemas is not."""
    history = life_in("note_sent").history
    for playbooks, calendars in (([], [CALENDAR]), ([PLAYBOOK], [])):
        found, tally = follow(history, playbooks=playbooks, calendars=calendars)
        assert ["is not in the bundle"] == [sentence[-20:] for sentence in found]
        assert {"what they were decided by is not in the bundle": len(history)} == tally.left_out
    later = [msgspec.structs.replace(each, schema=2) for each in history]
    found, tally = follow(later, playbooks=[PLAYBOOK], calendars=[CALENDAR])
    assert ([], {"they are of a later schema": len(history)}) == (found, tally.left_out)
    found, tally = follow(history[1:], playbooks=[PLAYBOOK], calendars=[CALENDAR])
    assert "version 1 is missing before event 1000" in found[0]
    assert {"their histories do not begin in the bundle": len(history) - 1} == tally.left_out


@pytest.mark.parametrize("days", [3, 5])
def test_what_a_day_of_the_rep_holds_binds_leads_of_another_playbook(days: int) -> None:
    """The promise is as far behind the note as the rep's playbook says, which the decision names."""
    reps: Playbook = msgspec.structs.replace(
        PLAYBOOK, id="of-the-rep", capacity=msgspec.structs.replace(PLAYBOOK.capacity, call_after_note_days=days)
    )
    life = life_in("queued")
    context = life.context
    life.context = lambda actor="rep:dan": msgspec.structs.replace(context(actor), followed=reps)  # type: ignore[method-assign]
    call_on = CALENDAR.add_working_days(note_command(life).note_on, days)
    life.must(msgspec.structs.replace(note_command(life), call_on=call_on), "planner")
    life.must(sent_command())
    assert (call_on, reps.pin.digest) == (life.lead.call_on, life.history[-1].used and life.history[-1].used.followed)
    found, tally = follow(life.history, playbooks=[PLAYBOOK, reps], calendars=[CALENDAR])
    assert ([], len(life.history)) == (found, tally.derived)
    missing, _ = follow(life.history, playbooks=[PLAYBOOK], calendars=[CALENDAR])
    assert any("is not in the bundle" in sentence for sentence in missing)


@pytest.mark.parametrize("mode", ["handwritten_note", "email"])
def test_the_letter_of_a_campaign_leaves_once(mode: c.Mode) -> None:
    """A second copy is refused alike, and so is a letter by mail without what the law asks of one."""
    life = life_in("declined")
    sent = msgspec.structs.replace(letter(), mode=mode)
    life.verdicts = passed(INVITATION_CHECKS)
    life.do(sent)
    assert ("email" == mode) == (life.lead.invitations is msgspec.UNSET)
    life.verdicts = passed((*INVITATION_CHECKS, *sorted(BY_LAW)))
    life.do(sent)
    assert (CAMPAIGN,) == life.lead.invitations
    assert "one_invitation" == life.do(sent).rule
    assert "applied" == life.do(msgspec.structs.replace(sent, campaign_id=LEAD_ID)).answer
    found, tally = follow(life.history, playbooks=[PLAYBOOK], calendars=[CALENDAR])
    assert ([], len(life.history)) == (found, tally.derived)
