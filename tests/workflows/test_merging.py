"""A duplicate is merged into another lead: nothing of it goes on, nobody is wronged by it, and crossing merges lose nobody."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

import pytest
from msgspec.structs import replace

from tests.workflows.life import (
    CALENDAR,
    DECLINE,
    INTO,
    LEAD_ID,
    MAIL_ID,
    MERGE,
    NO_REPLY,
    OPEN_REPLY,
    PLAYBOOK,
    ROADS,
    START,
    WORDS,
    Life,
    life_in,
    queue_nurture_mail,
    register,
    take_in,
)
from workflows import commands as c
from workflows import mail_commands as m
from workflows.events import CommandRefused, OptedOut, Recorded
from workflows.law_facts import ImportedLawFacts, LawFacts
from workflows.law_table import CURRENT
from workflows.lead import Lead, TakenIn
from workflows.merge_commands import MergeLead, TakeInDuplicate
from workflows.merge_events import LeadMerged
from workflows.merging import facts_of, other_lead, told
from workflows.rep import rep_id
from workflows.script_reader import Reader
from workflows.simulation import Simulation
from workflows.suppression import CHECK, Entry, verdict

MANAGER = "manager:ann"


@pytest.mark.parametrize("state", sorted(ROADS))
def test_a_merged_lead_ends_wherever_it_stood(state: str) -> None:
    """It is dropped, with all timers and slots; who wants no contact stays where nobody is contacted."""
    life = life_in(state)
    life.must(MERGE, MANAGER)
    assert life.lead.state == ("do_not_contact" if state == "do_not_contact" else "dropped")
    assert (INTO, {}, (), None) == (life.lead.merged_into, life.lead.timers, life.lead.slots, life.lead.hold)


@pytest.mark.parametrize("state", sorted(set(ROADS) - {"do_not_contact"}))
def test_no_merge_lifts_a_hold(state: str) -> None:
    """Whoever merges a lead that somebody put on hold releases it first; until then both stay as they are."""
    life = life_in(state)
    life.must(c.Hold(reason="manual"))
    before = life.lead
    assert "not_held" == life.do(MERGE, MANAGER).rule
    assert (before.state, before.hold, before.timers) == (life.lead.state, life.lead.hold, life.lead.timers)
    life.must(c.Release())
    life.must(MERGE, MANAGER)


@pytest.mark.parametrize("state", ["queued", "nurture", "dropped", "do_not_contact"])
def test_nothing_else_is_done_with_it(state: str) -> None:
    """Every command of people, planner and CRM is refused by a sentence that names the other lead."""
    life = life_in(state)
    life.must(MERGE, MANAGER)
    for command in (
        c.QueueRevival(), DECLINE, c.MarkWon(), OPEN_REPLY, c.Qualify(qualified=True), c.Hold(reason="manual"),
        c.RegrantConsent(evidence=WORDS, modes=("call",)), c.Reassign(owner="eve"), MERGE,
    ):  # fmt: skip
        outcome = life.do(command, MANAGER)
        assert ("refused", "merged") == (outcome.answer, outcome.rule)
        assert f"merged into lead {INTO}" in str(outcome.reason)
    assert life.lead.state == ("do_not_contact" if state == "do_not_contact" else "dropped")


def test_what_the_person_wants_is_taken_all_the_same() -> None:
    """An objection to one channel, one to all, and an erasure."""
    life = life_in("queued")
    life.must(MERGE, MANAGER)
    life.must(c.OptOut(channel="email"))
    assert life.lead.modes_refused == ("email",)
    life.must(c.OptOut())
    assert (life.lead.state, life.lead.merged_into) == ("do_not_contact", INTO)
    life.must(c.EraseLead(reason=WORDS), "operator")
    assert "erased" == life.do(OPEN_REPLY).rule


def test_mail_on_its_way_is_waited_for() -> None:
    """It would count for no month of the other lead, which would write once more; that it comes back is recorded later, too."""
    life = life_in("nurture")
    life.must(queue_nurture_mail(life))
    life.must(m.SendMail(mail=MAIL_ID, purpose="nurture", attempt=1))
    assert "no_mail_under_way" == life.do(MERGE, MANAGER).rule
    life.must(m.ReportMail(mail=MAIL_ID, outcome="unconfirmed"))
    assert "no_mail_under_way" == life.do(MERGE, MANAGER).rule
    life.must(m.ReportMail(mail=MAIL_ID, outcome="sent"))
    sent_at = life.now
    (merged, *_) = life.must(MERGE, MANAGER)
    assert isinstance(merged, LeadMerged)
    assert merged.facts.nurture_touched_at == sent_at
    life.must(m.RecordBounce(mail=MAIL_ID, permanent=False, status="4.2.2"))


def test_mail_that_waits_is_not_sent_any_more() -> None:
    """It holds no merge up: the permission to send it is asked of the lead as it stands then."""
    life = life_in("nurture")
    life.must(queue_nurture_mail(life))
    life.must(MERGE, MANAGER)
    assert "merged" == life.do(m.SendMail(mail=MAIL_ID, purpose="nurture", attempt=1)).rule


@pytest.mark.parametrize("state", sorted(ROADS))
def test_contact_data_that_changed_is_taken_and_moves_nothing(state: str) -> None:
    """An import has written it by then, and the log commits to what is kept; nobody is contacted by it."""
    life = life_in(state)
    life.must(MERGE, MANAGER)
    life.must(c.UpdateContact(contact=WORDS, modes=("post",), law=ImportedLawFacts(region="CA-ON")), "import")
    assert ({}, ()) == (life.lead.timers, life.lead.slots)
    assert life.lead.modes == (() if state == "do_not_contact" else ("post",))


def test_a_rep_cannot_merge() -> None:
    """A manager decides, as on every lead that is let go."""
    assert "manager" == life_in("queued").do(MERGE).rule


FACTS: list[tuple[dict[str, Any], str, Any]] = [
    ({"open_opportunity": True}, "open_opportunity", True),
    ({"revisit_on": date(2026, 9, 1)}, "revisit_on", date(2026, 9, 1)),
    ({"last_contact_at": START}, "last_contact_at", START),
    ({"last_touch_at": START + timedelta(days=90)}, "last_touch_at", START + timedelta(days=90)),
    ({"called_at": START}, "called_at", START),
    ({"nurture_touched_at": START}, "nurture_touched_at", START),
    ({"value_items_used": ("report", "video")}, "value_items_used", ("report", "video")),
    ({"invitations": (UUID(int=8),)}, "invitations", (UUID(int=8),)),
    ({"modes_refused": ("email",)}, "modes", ("handwritten_note", "call", "courier")),
    ({"modes_refused": ("handwritten_note", "post")}, "modes", ("call", "email", "courier")),
    ({"do_not_call_on": START.date()}, "law", LawFacts(region="US", dnc_checked_on=START.date(), dnc_listed=True)),
]


@pytest.mark.parametrize(("facts", "field", "value"), FACTS, ids=[str(next(iter(facts.items()))) for facts, _, _ in FACTS])
def test_what_was_known_there_binds_here(facts: dict[str, Any], field: str, value: object) -> None:
    """Each fact of the duplicate holds for the lead that took it in, and taking in less later takes nothing back."""
    life = life_in("queued")
    life.must(take_in(3, **facts), MANAGER)
    assert value == getattr(life.lead, field)
    life.must(take_in(4), MANAGER)
    assert value == getattr(life.lead, field)
    assert (TakenIn(lead_id=INTO, version=4),) == life.lead.duplicates


def test_the_day_that_the_prospect_named_there_is_kept_here() -> None:
    """In nurture the lead is queued on it, on the next working day if it has passed; the later of two days counts."""
    life = life_in("nurture")
    assert "revisit" not in life.lead.timers
    life.must(take_in(1, revisit_on=life.today - timedelta(days=40)), MANAGER)
    caught_up = life.lead.timers["revisit"]
    assert life.today < caught_up.due_at.date() <= life.today + timedelta(days=4)
    named = life.today + timedelta(days=50)
    life.must(take_in(2, revisit_on=named), MANAGER)
    armed = life.lead.timers["revisit"]
    assert (named, named) == (life.lead.revisit_on, armed.due_at.date())
    for number, day in enumerate([named, named - timedelta(days=9), None], start=3):
        life.must(take_in(number, revisit_on=day), MANAGER)
        assert (named, armed) == (life.lead.revisit_on, life.lead.timers["revisit"])
    life.wait(days=50)
    life.fire("revisit")
    assert ("queued", None) == (life.lead.state, life.lead.revisit_on)


def test_a_day_that_was_named_there_waits_for_a_release_or_for_nurture() -> None:
    """A lead on hold is not queued by it, nor one that is on its way to a call."""
    held = life_in("nurture")
    held.must(c.Hold(reason="manual"))
    held.must(take_in(revisit_on=held.today + timedelta(days=51)), MANAGER)
    assert "revisit" not in held.lead.timers
    held.must(c.Release())
    assert held.lead.timers["revisit"].due_at.date() == held.today + timedelta(days=51)
    called = life_in("call_due")
    called.must(take_in(revisit_on=called.today + timedelta(days=51)), MANAGER)
    assert "revisit" not in called.lead.timers
    called.must(c.RecordCall(outcome="not_now", keep_in_touch_requested=True))
    assert ("nurture", called.today + timedelta(days=51)) == (called.lead.state, called.lead.timers["revisit"].due_at.date())


def test_of_two_look_ups_the_one_that_found_the_number_holds() -> None:
    """Whichever was later, until a newer one says otherwise."""
    checked = START.date() - timedelta(days=2)
    for day in (checked - timedelta(days=30), checked + timedelta(days=1)):
        life = life_in("queued")
        life.must(c.RecordLaw(law=LawFacts(dnc_checked_on=checked, dnc_listed=False)))
        life.must(take_in(do_not_call_on=day), MANAGER)
        assert life.lead.law == LawFacts(region="US", dnc_checked_on=max(day, checked), dnc_listed=True)
        life.must(c.RecordLaw(law=LawFacts(dnc_checked_on=life.today, dnc_listed=False)))


def test_somebody_who_said_no_there_said_no_here() -> None:
    """The later no counts, and wants an answer to why and a strategy anew; an earlier one changes nothing."""
    other = life_in("declined").lead.decline
    assert other
    life = life_in("declined")
    life.wait(days=1).must(c.RecordReason(kind="real", reason="no_need", evidence="call-1", words=WORDS))
    known = life.lead
    life.must(take_in(decline=replace(other, at=START - timedelta(days=9))), MANAGER)
    assert (known.decline, known.reason_probed_at) == (life.lead.decline, life.lead.reason_probed_at)
    life.must(take_in(4, decline=replace(other, at=life.now)), MANAGER)
    assert life.lead.decline == replace(other, at=life.now)
    assert life.lead.reason_probed_at is None


def test_an_objection_there_is_one_here() -> None:
    """In the same decision, by the row of all objections, and once."""
    life = life_in("call_due")
    events = life.must(take_in(do_not_contact=True, modes_refused=tuple(sorted(get_args(c.Mode)))), MANAGER)
    assert ["DuplicateTakenIn", "OptedOut"] == [type(each).__name__ for each in events]
    assert ("do_not_contact", {}) == (life.lead.state, life.lead.timers)
    assert ["DuplicateTakenIn"] == [type(each).__name__ for each in life.must(take_in(9, do_not_contact=True), MANAGER)]


@pytest.mark.parametrize("state", sorted(ROADS))
def test_a_client_is_a_client_under_either_lead(state: str) -> None:
    """Nobody writes to somebody as to a cold prospect who bought under another lead; an objection counts for more."""
    won = life_in("won").lead
    assert facts_of(won).won
    life = life_in(state)
    life.must(take_in(won=True, modes_refused=("fax",)), MANAGER)
    assert life.lead.state == ("do_not_contact" if state == "do_not_contact" else "won")
    life = life_in(state)
    life.must(take_in(won=True, do_not_contact=True), MANAGER)
    assert "do_not_contact" == life.lead.state


def test_the_same_duplicate_is_taken_in_once() -> None:
    """A repeat is refused, and so is what is older; another merge of the same duplicate is not."""
    life = life_in("queued")
    life.must(take_in(5), MANAGER)
    assert ["not_taken_in"] * 2 == [life.do(take_in(version), MANAGER).rule for version in (5, 4)]
    life.must(take_in(6), MANAGER)
    life.must(take_in(1, duplicate=UUID(int=5)), MANAGER)
    assert [INTO, UUID(int=5)] == [each.lead_id for each in life.lead.duplicates or ()]


def test_no_slip_of_the_pen_loses_a_duplicate() -> None:
    """Its log has let the date in, and it has ended: its objection and all else it knows are taken in all the same."""
    life = life_in("queued")
    far = life.today + timedelta(days=3661)
    life.must(take_in(do_not_contact=True, do_not_call_on=date(1926, 11, 2), revisit_on=far), MANAGER)
    assert ("do_not_contact", True) == (life.lead.state, life.lead.law and life.lead.law.dnc_listed)


@pytest.mark.parametrize("facts", [{"revisit_on": date(9999, 1, 1)}, {"called_at": datetime(1, 1, 1, tzinfo=UTC)}])
def test_facts_that_nobody_can_compute_with_are_refused(facts: dict[str, Any]) -> None:
    """No log of ours has them."""
    assert "plausible_date" == life_in("queued").do(take_in(**facts), MANAGER).rule


@pytest.mark.parametrize("field", ["purchased_on", "inquired_on", "dnc_checked_on"])
def test_what_the_law_asks_about_has_a_day_that_can_be_right(field: str) -> None:
    """A slip of the pen is refused where it is made, and not once the lead is merged."""
    law: dict[str, Any] = {"dnc_listed": True} if field == "dnc_checked_on" else {}
    life = life_in("queued")
    assert "plausible_date" == life.do(c.RecordLaw(law=LawFacts(**law | {field: date(1926, 11, 2)}))).rule
    life.must(c.RecordLaw(law=LawFacts(**law | {field: date(1970, 1, 1)})))


def test_the_facts_of_a_lead_are_those_of_its_fold() -> None:
    """A number counts as listed only where a look-up said so."""
    lead = life_in("no_response").lead
    facts = facts_of(lead)
    assert (lead.last_touch_at, lead.called_at, ("report",), None) == (
        facts.last_touch_at, facts.called_at, facts.value_items_used, facts.do_not_call_on,
    )  # fmt: skip
    clear = replace(lead, law=LawFacts(dnc_checked_on=START.date(), dnc_listed=False))
    listed = replace(lead, law=LawFacts(dnc_checked_on=START.date(), dnc_listed=True))
    assert (None, START.date()) == (facts_of(clear).do_not_call_on, facts_of(listed).do_not_call_on)


@pytest.mark.parametrize(
    ("listed", "told_of", "state"),
    [
        ((None,), tuple(sorted(get_args(c.Mode))), "do_not_contact"),
        (("post", "email"), ("fax", "email", "handwritten_note", "post"), "queued"),
        ((), ("fax",), "queued"),
    ],
)
def test_what_only_the_suppression_list_knows_is_told(
    listed: tuple[c.Mode | None, ...], told_of: tuple[str, ...], state: str
) -> None:
    """No event of the duplicate says so, and the entry stands under an identifier that only the duplicate has."""
    life = life_in("queued")
    life.must(c.OptOut(channel="fax"))
    life.verdicts = (verdict(Entry(kind="email", channel=each, reason="added", since=life.today) for each in listed),)
    merged = life.must(MERGE, MANAGER)[0]
    assert isinstance(merged, LeadMerged)
    assert (set(told_of) | {"fax"}, state == "do_not_contact") == ({*merged.facts.modes_refused}, merged.facts.do_not_contact)
    assert "fax" == merged.facts.modes_refused[0]
    used = life.history[-1].used
    assert used
    assert [CHECK] == [each.check for each in used.verdicts]
    other = life_in("queued")
    other.must(TakeInDuplicate(duplicate=INTO, version=3, facts=merged.facts), MANAGER)
    assert state == other.lead.state
    assert other.lead.state == "do_not_contact" or {*told_of} == {*other.lead.modes_refused}


def office(number: int = 3) -> tuple[Simulation, list[UUID], list[Recorded]]:
    """Return a service in memory with some cold leads, and its log."""
    log: list[Recorded] = []
    simulation = Simulation(START, [PLAYBOOK], log.append)
    simulation.submit(
        UUID(int=1), rep_id("dan"), c.SetCalendar(rep="dan", calendar=CALENDAR, playbook="life"), asked_by=MANAGER
    )
    ids = [UUID(int=100 + each) for each in range(number)]
    for each in ids:
        simulation.submit(UUID(int=200 + each.int), each, register(), asked_by="import")
    simulation.move(START)
    return simulation, ids, log


def merge(simulation: Simulation, *pairs: tuple[UUID, UUID]) -> None:
    """Merge all *pairs* at the same time: each is decided before anybody has heard of the others."""
    for number, (lead, into) in enumerate(pairs):
        simulation.submit(UUID(int=900 + number + 10 * len(simulation.messages)), lead, MergeLead(into=into), asked_by=MANAGER)
    simulation.move(simulation.now)


def standing(simulation: Simulation, ids: Sequence[UUID]) -> list[Lead]:
    """Return those of the leads that go on."""
    return [lead for lead in map(simulation.lead, ids) if not lead.merged_into]


def test_the_other_lead_is_told_by_a_message() -> None:
    """Caused by the merge, asked for by whom asked for that."""
    simulation, (first, second, _), log = office()
    merge(simulation, (second, first))
    taken = log[-1]
    assert (first, MANAGER) == (taken.stream_id, taken.actor)
    assert taken.causation_id == log[-2].message_id
    assert (TakenIn(lead_id=second, version=2),) == simulation.lead(first).duplicates
    assert "registered" == simulation.lead(first).state


def test_the_chain_goes_on_to_its_end() -> None:
    """Who was merged into somebody who is merged later is reached by the way; nothing is merged into a merged lead."""
    simulation, (first, second, third), log = office()
    merge(simulation, (first, second))
    merge(simulation, (second, third))
    merge(simulation, (third, first))
    assert isinstance(log[-1].data, CommandRefused)
    assert "into_not_merged" == log[-1].data.rule
    assert [third] == [lead.id for lead in standing(simulation, (first, second, third))]
    simulation.submit(UUID(int=5000), first, c.OptOut(), asked_by="rep:dan")
    simulation.move(simulation.now)
    assert {"do_not_contact"} == {simulation.lead(each).state for each in (first, second, third)}
    assert [(), (first,), (first, second)] == [
        each.command.through or () for each in log if isinstance(each.data, OptedOut) and isinstance(each.command, c.OptOut)
    ]


@pytest.mark.parametrize("order", [0, 1])
def test_merges_that_cross_lose_nobody(order: int) -> None:
    """A into B and B into A, each decided as if the other were not: whoever hears of the other stands again."""
    lives = [life_in("queued"), life_in("queued")]
    first, second = UUID(int=100), UUID(int=101)
    merged = [life.must(MergeLead(into=into), MANAGER)[0] for life, into in zip(lives, (second, first), strict=True)]
    assert ["dropped", "dropped"] == [life.lead.state for life in lives]
    for life, other in (list(zip(lives, merged[::-1], strict=True)), list(zip(lives, merged[::-1], strict=True))[::-1])[order]:
        assert isinstance(other, LeadMerged)
        life.must(TakeInDuplicate(duplicate=INTO, version=4, facts=other.facts), MANAGER)
    assert [("registered", False)] * 2 == [(life.lead.state, bool(life.lead.merged_into)) for life in lives]
    again = lives[0].must(MergeLead(into=second), MANAGER)[0]
    assert isinstance(again, LeadMerged)
    lives[1].must(TakeInDuplicate(duplicate=INTO, version=6, facts=again.facts), MANAGER)
    assert (TakenIn(lead_id=INTO, version=6),) == lives[1].lead.duplicates


def test_what_leads_tell_each_other_is_nobodys_doing() -> None:
    """A what-if hands in again what people did; the rest follows by itself."""
    simulation, (first, second, _), log = office()
    merge(simulation, (first, second))
    for number, command in enumerate((OPEN_REPLY, c.OptOut(channel="call"), c.OptOut())):
        simulation.submit(UUID(int=7000 + number), first, command, asked_by="rep:dan")
        simulation.move(simulation.now)
    reader = Reader({PLAYBOOK.pin.digest: PLAYBOOK}, START - timedelta(days=1), CURRENT)
    for recorded in log:
        reader.take(recorded)
    given = {id_: [type(each.command) for each in script.last.items] for id_, script in reader.scripts.items()}
    assert [MergeLead, c.RecordReply, c.OptOut, c.OptOut] == given[first]
    assert [] == given[second]
    assert ["re_engaged", "do_not_contact"] == [each.state for each in log if each.stream_id == second][-3::2]


@pytest.mark.parametrize(("state", "after"), [("won", "won"), ("dropped", "dropped"), ("queued", "registered")])
def test_who_stands_again_is_what_they_were(state: str, after: str) -> None:
    """A client is no prospect, and who was let go is not taken up again, because two merges crossed."""
    life = life_in(state)
    life.must(MERGE, MANAGER)
    life.must(take_in(3), MANAGER)
    assert (after, False) == (life.lead.state, bool(life.lead.merged_into))
    life.must(MERGE, MANAGER)
    life.must(take_in(4), MANAGER)
    assert after == life.lead.state


def test_who_wants_no_contact_does_not_stand_again_as_somebody_to_contact() -> None:
    """The lead is no duplicate any more, and stays where it is."""
    life = life_in("do_not_contact")
    life.must(MERGE, MANAGER)
    life.must(take_in(), MANAGER)
    assert ("do_not_contact", False) == (life.lead.state, bool(life.lead.merged_into))


@pytest.mark.parametrize("state", ["queued", "do_not_contact"])
def test_who_stands_again_remembers_where_it_was_merged(state: str) -> None:
    """Each target once, in their order; what the person objects to is told there, too."""
    other, duplicate = UUID(int=6), UUID(int=5)
    life = life_in(state)
    assert not life.lead.formerly_into
    for number, into in enumerate((INTO, other, INTO), start=1):
        life.must(MergeLead(into=into), MANAGER)
        life.must(take_in(number, duplicate=duplicate), MANAGER)
    assert ((INTO, other), False) == (life.lead.formerly_into, bool(life.lead.merged_into))
    outcome = life.do(c.OptOut(), MANAGER)
    assert [(each, c.OptOut(through=(LEAD_ID,))) for each in (INTO, other, duplicate)] == told(
        c.OptOut(), outcome.lead, outcome.recorded, outcome.rule
    )


def test_what_is_said_to_a_merged_lead_is_passed_on_and_never_in_circles() -> None:
    """Objections, erasures and answers; the words of an answer stay where they were said."""
    life = life_in("queued")
    life.must(MERGE, MANAGER)

    def heard(command: c.AnyCommand) -> list[tuple[UUID, Any]]:
        outcome = life.do(command)
        return told(command, outcome.lead, outcome.recorded, outcome.rule)

    said = replace(OPEN_REPLY, words=WORDS)
    assert [(INTO, replace(OPEN_REPLY, through=(LEAD_ID,)))] == heard(said)
    assert [(INTO, replace(NO_REPLY, through=(UUID(int=5), LEAD_ID)))] == heard(replace(NO_REPLY, through=(UUID(int=5),)))
    assert [] == heard(replace(OPEN_REPLY, through=(INTO,)))
    assert [] == heard(replace(OPEN_REPLY, occurred_at=life.now + timedelta(days=1)))
    assert [] == heard(c.QueueRevival())
    assert [(INTO, c.OptOut(channel="call", through=(LEAD_ID,)))] == heard(c.OptOut(channel="call"))
    assert [(INTO, c.OptOut(through=(LEAD_ID,)))] == heard(c.OptOut())
    assert [(INTO, c.OptOut(through=(LEAD_ID,)))] == heard(c.OptOut()), "refused here, and perhaps news there"
    assert [] == heard(c.OptOut(through=(INTO,)))
    assert [(INTO, c.OptOut(through=(LEAD_ID,)))] == heard(c.EraseLead(reason=WORDS))
    assert [] == heard(c.EraseLead(reason=WORDS))
    assert [] == told(c.OptOut(), life_in("queued").lead, (), None)
    life = life_in("queued")
    life.must(take_in(), MANAGER)
    assert [(INTO, c.OptOut(through=(LEAD_ID,)))] == heard(c.OptOut())
    assert [] == heard(c.OptOut(through=(INTO,)))
    assert [] == heard(OPEN_REPLY)


def heard_on_taking_in(life: Life, command: TakeInDuplicate) -> list[tuple[UUID, Any]]:
    """Return what other leads hear when *life* takes in a duplicate."""
    outcome = life.do(command, MANAGER)
    return told(command, outcome.lead, outcome.recorded, outcome.rule)


def test_a_duplicate_hears_of_objections_that_stand_where_it_arrives() -> None:
    """Those that it did not bring, by the channels that cover them; nobody hears of a repeat, and nothing goes without one."""
    life = life_in("queued")
    assert [] == heard_on_taking_in(life, take_in(1))
    for channel in ("email", "post", "fax"):
        life.must(c.OptOut(channel=channel))
    assert [(INTO, c.OptOut(channel=each, through=(LEAD_ID,))) for each in ("email", "post")] == heard_on_taking_in(
        life, take_in(2, modes_refused=("fax",))
    )
    assert [] == heard_on_taking_in(life, take_in(2))
    life.must(c.OptOut())
    assert [(INTO, c.OptOut(through=(LEAD_ID,)))] == heard_on_taking_in(life, take_in(3))
    assert [] == heard_on_taking_in(life, take_in(4, do_not_contact=True))
    life.must(c.EraseLead(reason=WORDS), "operator")
    assert [(INTO, c.OptOut(through=(LEAD_ID,)))] == heard_on_taking_in(life, take_in(5))


def test_earlier_duplicates_hear_what_a_later_one_brings() -> None:
    """Only what is news."""
    earlier = UUID(int=5)
    life = life_in("queued")
    life.must(take_in(1, duplicate=earlier), MANAGER)
    assert [(earlier, c.OptOut(channel="email", through=(LEAD_ID,)))] == heard_on_taking_in(
        life, take_in(1, modes_refused=("email",))
    )
    assert [] == heard_on_taking_in(life, take_in(2, modes_refused=("email",)))
    assert [(earlier, c.OptOut(through=(LEAD_ID,)))] == heard_on_taking_in(life, take_in(3, do_not_contact=True))
    assert [] == heard_on_taking_in(life, take_in(4, do_not_contact=True))


def test_what_a_merge_looks_at() -> None:
    """Whether the other lead is known, merged, or erased."""
    lead = life_in("queued").lead
    assert not other_lead(None).known
    assert (True, None, False) == (other_lead(lead).known, other_lead(lead).merged_into, other_lead(lead).erased)
    gone = other_lead(replace(lead, merged_into=INTO, erased_at=START))
    assert (INTO, True) == (gone.merged_into, gone.erased)
