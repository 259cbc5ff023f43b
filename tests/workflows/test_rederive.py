"""Every decision that was ever recorded comes out again, and what was changed afterwards does not."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import settings
from msgspec.structs import replace

from tests.workflows.life import (
    ALL_MODES,
    CALENDAR,
    PLAYBOOK,
    ROADS,
    START,
    WORDS,
    Life,
    life_in,
    make_ready,
    note_command,
    ready_to_break_up,
    sent_command,
)
from tests.workflows.player import Player
from tests.workflows.promotion import SOME, Promotion
from workflows import commands as c
from workflows.books import Book, book_digest
from workflows.calendars import Absence, Calendar
from workflows.campaign_commands import CancelEvent, EraseEventTexts, MoveStage
from workflows.campaign_events import EventTextsErased
from workflows.checks import GUARDS_OF_MAIL
from workflows.codec import canonical
from workflows.context import Context
from workflows.events import CommandRefused, Holdings, Recorded, Slot, Verdict
from workflows.handle import Carrier, calendar_digest
from workflows.playbooks import Playbook
from workflows.rederive import Library, Rederived, rederive, rederive_book_decisions
from workflows.rep import handle_rep, rep_id

LIBRARY = Library(calendars={calendar_digest(CALENDAR): CALENDAR}, playbooks={PLAYBOOK.pin.digest: PLAYBOOK})


def _again(history: list[Recorded]) -> Rederived:
    """Derive what was read back from the bytes in the log."""
    return rederive([msgspec.json.decode(canonical(each), type=Recorded) for each in history], LIBRARY)


class Honest(Player):
    """Lives a random life, with commands of all kinds, and has every decision made again at its end."""

    def teardown(self) -> None:
        """Nothing differs, refusals included, and every event belongs to a decision."""
        found = _again(self.history)
        assert () == found.mismatches
        assert len(self.history) == found.events
        super().teardown()


TestHonest = Honest.TestCase
TestHonest.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)


@pytest.mark.parametrize("state", sorted(ROADS))
def test_the_road_into_every_state_is_derived_again(state: str) -> None:
    """The shortest life into each state comes out as it was recorded."""
    life = life_in(state)
    found = _again(life.history)
    assert ((), len(life.history), ()) == (found.mismatches, found.events, found.book_decisions)


def test_halves_of_a_breakup_come_out_as_they_were_decided() -> None:
    """A1-9: those of before, of which nobody was asked what they said, and those for which somebody vouched."""
    life = life_in("no_response")
    life.asked = msgspec.UNSET
    ready_to_break_up(life, bare=True)
    life.asked = None
    assert "check.breakup_parts" == life.do(c.SendBreakupEmail(monitored_reply_address=True)).rule
    life.wait(days=14)
    life.must(c.LeaveBreakupVoicemail(attested=("mentions_mail",)))
    life.must(c.SendBreakupEmail(monitored_reply_address=True, attested=("breakup_parts",)))
    assert () == _again(life.history).mismatches
    halves = [each.used for each in life.history if isinstance(each.command, c.LeaveBreakupVoicemail)]
    assert [msgspec.UNSET, ("mentions_mail", *GUARDS_OF_MAIL)] == [used.asked for used in halves if used]
    assert [(), ("attested by rep:dan",)] == [tuple(v.source for v in used.verdicts) for used in halves if used]


def test_a_receipt_says_once_what_was_erased_and_one_of_before_twice() -> None:
    """Both come out as they were recorded, and one that leaves a text out does not."""
    promotion = Promotion()
    id_ = promotion.event()
    promotion.must(id_, CancelEvent(), EraseEventTexts(reason=WORDS))
    library = Library(calendars={}, playbooks={promotion.playbook.pin.digest: promotion.playbook})
    *before, receipt = promotion.log
    assert isinstance(receipt.data, EventTextsErased)
    assert receipt.used
    assert (msgspec.UNSET, (SOME,)) == (receipt.used.holdings, receipt.data.documents)
    of_before = replace(receipt, used=replace(receipt.used, holdings=Holdings(documents=(SOME,))))
    none = replace(receipt, data=replace(receipt.data, documents=()))
    for last, differs in ((receipt, False), (of_before, False), (none, True)):
        assert differs == bool(rederive([*before, last], library).mismatches)


def test_a_refusal_for_want_of_the_second_slot_is_derived_again() -> None:
    """There was a slot for the note and none for the call: what was there is recorded, or the note would be refused instead."""
    life = life_in("queued")
    command = note_command(life)
    note = Slot(rep="dan", kind="note", day=command.note_on, ordinal=3)
    elsewhere = Slot(rep="eve", kind="promised_call", day=command.call_on, ordinal=1)
    outcome = _with_free(life, command, (note, replace(note, ordinal=4), elsewhere))
    assert "call_slot_free" == outcome.rule
    assert outcome.recorded[0].used
    assert (note,) == outcome.recorded[0].used.free
    assert () == _again(life.history).mismatches


def _with_free(life: Life, command: Any, free: tuple[Slot, ...]) -> Any:
    context = life.context
    life.context = lambda actor="rep:dan": replace(context(actor), free=free)  # type: ignore[method-assign]
    return life.do(command, "planner")


@pytest.mark.parametrize("offers", [True, False])
def test_a_release_and_another_owner_are_derived_again(offers: bool) -> None:
    """With slots on offer and without: what was not taken could not have changed anything."""
    for state in ("note_due", "note_sent", "call_due"):
        life = life_in(state)
        life.must(c.Hold(reason="manual"))
        life.wait(days=3).offers = offers
        life.must(c.Release())
        life.must(c.Reassign(owner="eve"), "manager:ann")
        assert () == _again(life.history).mismatches


def test_verdicts_of_programs_are_taken_and_those_of_people_are_derived() -> None:
    """A failed check that was overridden is overridden again; a word that nobody gave is missed."""
    check = PLAYBOOK.checks.note[0]
    life = life_in("note_due")
    life.verdicts = (Verdict(check=check, passed=False, source="reader-1", inputs={"score": 2}),)
    assert "refused" == life.do(sent_command()).answer
    life.must(replace(sent_command(), override=WORDS))
    assert () == _again(life.history).mismatches
    last = life.history[-1]
    assert isinstance(last.command, c.MarkNoteSent)
    forged = replace(last, command=replace(last.command, override=None))
    assert ("event", "note_sent", "command_refused") == _only(_again([*life.history[:-1], forged]))


def test_a_longer_life_is_derived_again() -> None:
    """A no, the homework, the queue, a note that went out late, and a refusal on the way."""
    life = life_in("declined")
    assert isinstance(life.do(c.QueueRevival()).recorded[0].data, CommandRefused)
    make_ready(life)
    life.wait(days=100).must(c.QueueRevival())
    life.must(note_command(life), "planner")
    life.wait(days=2).must(replace(sent_command(), occurred_at=life.now - timedelta(hours=30)))
    assert () == _again(life.history).mismatches


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"row": "T11"}, "row"),
        ({"state": "queued"}, "state"),
        ({"occurred_at": START}, "occurred_at"),
        ({"recorded_at": START + timedelta(days=400)}, "recorded_at"),
    ],
)
def test_what_was_changed_is_named(changes: dict[str, Any], field: str) -> None:
    """The mismatch names the event and the field."""
    life = life_in("note_due")
    life.wait(hours=2).must(sent_command())
    life.history[-1] = replace(life.history[-1], **changes)
    found = _again(life.history).mismatches
    assert [(4, "note_sent", field)] == [(each.version, each.type, each.field) for each in found]


def test_a_field_deep_inside_is_named() -> None:
    """A promise that was moved by a day, in the event alone, and a timer that was armed another time."""
    life = life_in("note_sent")
    last = life.history[-1]
    moved = replace(last.effects, armed={"call_after_note": START + timedelta(days=1)})
    life.history[-1] = replace(last, data=replace(last.data, call_on=date(2026, 1, 13)), effects=moved)
    found = _again(life.history).mismatches
    assert ["data.call_on", "effects.armed.call_after_note"] == [each.field for each in found]
    assert ('"2026-01-13"', '"2026-01-12"') == (found[0].recorded, found[0].derived)


def test_an_event_too_many_or_too_few_is_named() -> None:
    """A decision of two events that was cut to one, and one that the rules would never have made."""
    life = life_in("note_sent")
    life.must(c.RecordReturn())
    assert ("event", "nothing", "lead_held") == _only(_again(life.history[:-1]))
    refused = life_in("queued")
    refused.must(note_command(refused), "planner")
    free = refused.history[-1].used
    assert free
    refused.history[-1] = replace(refused.history[-1], used=replace(free, free=()))
    assert ("event", "note_scheduled", "command_refused") == _only(_again(refused.history))


def _only(found: Rederived) -> tuple[str, str, str]:
    (mismatch,) = found.mismatches
    return mismatch.field, mismatch.recorded, mismatch.derived


def test_what_a_decision_is_pinned_to_must_be_there() -> None:
    """Without the playbook or the calendar a decision cannot be made again, and that is a finding too."""
    history = life_in("note_sent").history
    for library, field in ((Library({}, LIBRARY.playbooks), "used.calendar"), (Library(LIBRARY.calendars, {}), "playbook")):
        found = rederive(history, library).mismatches
        assert {field} == {each.field for each in found}


def test_another_playbook_under_the_same_digest_is_found() -> None:
    """Whoever edits a published playbook is told that it is not the one that was pinned."""
    edited: Playbook = msgspec.structs.replace(PLAYBOOK, title="Another life")
    found = rederive(life_in("queued").history, Library(LIBRARY.calendars, {PLAYBOOK.pin.digest: edited})).mismatches
    assert {"playbook.digest"} == {each.field for each in found}


def _rep_lives(*commands: c.Command, position: int | None) -> list[Recorded]:
    """Return the events that *commands* leave on a rep's stream, one a day, each plan on an empty book."""
    rep, history = None, list[Recorded]()
    for number, command in enumerate(commands):
        now = START + timedelta(days=number)
        outcome = handle_rep(
            rep, command, now=now, calendar=CALENDAR if rep else None, playbook=PLAYBOOK, book=Book(position=position),
            carrier=Carrier(message_id=derived(number), stream_id=rep_id("dan"), actor="rep:dan",
                            correlation_id=derived(0), causation_id=None, recorded_at=now),
        )  # fmt: skip
        rep = outcome.rep
        history += outcome.recorded
    return history


OTHER: Calendar = msgspec.structs.replace(CALENDAR, absences=(Absence(first=date(2026, 2, 2), last=date(2026, 2, 6)),))
REP_LIFE = (
    c.SetCalendar(rep="dan", calendar=CALENDAR, playbook="life"),
    c.SetCalendar(rep="dan", calendar=OTHER, playbook="life"),
    c.FireTimer(timer="plan_day", armed_version=2),
    c.Release(),
)


def test_a_reps_calendars_are_derived_again() -> None:
    """A calendar says itself what was asked for; a plan that does not say what it rests on is counted, and not derived."""
    library = Library({**LIBRARY.calendars, calendar_digest(OTHER): OTHER}, LIBRARY.playbooks)
    found = rederive(_rep_lives(*REP_LIFE, position=None), library)
    assert (3, 3, 2, 1, ()) == (found.decisions, found.events, found.calendars, found.refused, found.mismatches)
    assert (1, ()) == (found.old_plans, found.book_decisions)


def test_a_plan_is_derived_again_from_the_log_that_it_names() -> None:
    """The book is the fold of the first events of the log; a plan of other events, or of more than there are, is named."""
    library = Library({**LIBRARY.calendars, calendar_digest(OTHER): OTHER}, LIBRARY.playbooks)
    history = _rep_lives(*REP_LIFE, position=2)
    (plan,) = rederive(history, library).book_decisions
    assert [(plan, ())] == list(rederive_book_decisions(history, [plan], library))
    waiting = life_in("queued").history
    ((_, mismatches),) = rederive_book_decisions([*waiting, *history], [plan], library)
    fields = ["data.notes", "data.queued", "data.shortfalls", "used.book", "used.law.offsets. 2026-01-14"]
    assert fields == [each.field for each in mismatches]
    ((_, mismatches),) = rederive_book_decisions(history[:1], [plan], library)
    assert ["used.position"] == [each.field for each in mismatches]


def test_a_plan_of_a_release_that_did_not_charge_answers_or_probes_is_derived_as_it_was_made() -> None:
    """It says nothing of minutes beside the slots; one that was made since says how many, and a wrong number is named."""
    library = Library({**LIBRARY.calendars, calendar_digest(OTHER): OTHER}, LIBRARY.playbooks)
    history = _rep_lives(*REP_LIFE, position=2)
    (plan,) = rederive(history, library).book_decisions
    (first,) = plan.recorded
    assert first.used
    assert 0 == first.used.beside
    wrong = plan._replace(recorded=(replace(first, used=replace(first.used, beside=6)),))
    ((_, (mismatch,)),) = rederive_book_decisions(history, [wrong], library)
    assert ("used.beside", "6", "0") == (mismatch.field, mismatch.recorded, mismatch.derived)
    for release, book in (({"beside", "probes"}, Book(charged=False, probed=None)), ({"probes"}, Book(probed=None))):
        used = replace(first.used, book=book_digest(book), **dict.fromkeys(release, msgspec.UNSET))
        old = plan._replace(recorded=(replace(first, used=used),))
        assert [(old, ())] == list(rederive_book_decisions(history, [old], library))


def derived(number: int) -> UUID:
    return UUID(int=number + 1)


class OldLife(Life):
    """A lead of a release in which a score stayed as the queue had given it."""

    rescores = False

    def context(self, actor: str = "rep:dan") -> Context:
        """What a decision of that release was given."""
        return replace(super().context(actor), rescores=self.rescores)


def test_scores_of_an_earlier_release_stay_as_they_were_and_later_ones_follow() -> None:
    """A log that goes on under this release is derived again whole; from its first new score on none may be left out."""
    life = OldLife()
    ROADS["queued"](life)
    life.must(MoveStage(stage_depth=4))
    life.must(c.UpdateContact(contact=WORDS, modes=ALL_MODES, value_band=2))
    assert not any(each.effects.score for each in life.history)
    assert life.lead.score
    assert 4 * 4 + 3 * 2 + 3 * 3 == life.lead.score.total
    life.must(MoveStage(stage_depth=5))
    assert () == _again(life.history).mismatches
    life.rescores = True
    life.must(c.AnswerImportance(importance=4, actions=(WORDS,)))
    assert 4 * 5 + 3 * 2 + 3 * 4 == life.lead.score.total
    life.must(MoveStage(stage_depth=3))
    assert () == _again(life.history).mismatches
    last = life.history[-1]
    without = replace(last, effects=replace(last.effects, score=msgspec.UNSET))
    (missing,) = _again([*life.history[:-1], without]).mismatches
    assert ("effects.score", "nothing") == (missing.field, missing.recorded)
