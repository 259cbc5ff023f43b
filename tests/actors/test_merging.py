"""Merges by the real transaction: both halves, crossing workers, what is passed on, and the list of those who want nothing."""

import time
from threading import Barrier, Thread
from uuid import UUID

import pytest

from actors.apply import Applier
from actors.batch import Batch
from models import contacts, suppressions
from models.attempts import retry_dead
from models.book import leads_at, standings_at
from models.database import transaction
from models.merges import merged_with, survivor
from models.messages import Ring
from models.rebuild import rebuild
from models.verify import verify
from tests.actors.test_personal import PEPPER, person, planned, types
from tests.actors.test_simulation import Both
from tests.desk import Desk, registration
from workflows import commands as c
from workflows.codec import canonical
from workflows.lead import Lead
from workflows.merge_commands import MergeLead
from workflows.suppression import MODES

MANAGER = "manager:ann"


def names(desk: Desk, *ids: UUID) -> list[str]:
    """Return where leads stand."""
    return [desk.lead(id_).state for id_ in ids]


def whole(desk: Desk) -> bool:
    """Whether the log holds, and a rebuild leaves every lead as it stands."""
    before = desk.ask("SELECT id, body FROM leads ORDER BY id")
    with transaction(desk.engine) as connection:
        rebuild(connection)
        assert [] == verify(connection).findings
        assert [each.id for each in leads_at(connection, desk.now)] == [row[0] for row in before]
        assert [(each.id, each.state, each.held, each.merged_into) for each in standings_at(connection, desk.now)] == [
            (each.id, each.state, each.hold.reason if each.hold else None, each.merged_into or None)
            for each in leads_at(connection, desk.now)
        ]
    return before == desk.ask("SELECT id, body FROM leads ORDER BY id")


def test_a_merge_frees_the_slots_and_tells_the_other_lead(desk: Desk) -> None:
    """One transaction ends the duplicate and stages the message; what waited for it is superseded."""
    lead, duplicate = person(desk, "V-1"), planned(desk, person(desk, "V-2"))
    assert desk.ask("SELECT count(*) FROM slots WHERE lead_id = :id", id=duplicate) == [(2,)]
    assert "applied" == desk.do(duplicate, MergeLead(into=lead), who=MANAGER).outcome
    assert "dropped" == desk.lead(duplicate).state
    assert desk.ask("SELECT count(*) FROM slots WHERE lead_id = :id", id=duplicate) == [(0,)]
    assert [] == desk.ask("SELECT 1 FROM messages WHERE stream_id = :id AND settled_at IS NULL", id=duplicate)
    assert ["duplicate_taken_in"] == [each for each in types(desk, lead) if each == "duplicate_taken_in"]
    assert [(duplicate, desk.lead(duplicate).version)] == [(e.lead_id, e.version) for e in desk.lead(lead).duplicates or ()]
    assert whole(desk)


@pytest.mark.parametrize("state", ["queued", "dropped"])
def test_a_lead_on_hold_is_merged_once_it_was_released(desk: Desk, state: str) -> None:
    """Not before: the hold would end, and the other lead be none the wiser."""
    lead, duplicate = desk.queued(2)
    if state == "dropped":
        desk.do(duplicate, c.RecordDecline(kind="no", stated_reason="price"))
        desk.do(duplicate, c.Drop(reason="duplicate"), who=MANAGER)
    desk.do(duplicate, c.Hold(reason="manual"))
    assert "refused" == desk.do(duplicate, MergeLead(into=lead), who=MANAGER).outcome
    assert desk.lead(duplicate).hold
    desk.do(duplicate, c.Release())
    assert "applied" == desk.do(duplicate, MergeLead(into=lead), who=MANAGER).outcome
    assert desk.lead(duplicate).hold is None
    assert whole(desk)


@pytest.mark.parametrize("into", ["itself", "nobody", "a rep", "erased", "merged"])
def test_what_cannot_be_merged_into_is_refused(desk: Desk, into: str) -> None:
    """The refusal stands in the log with what was known, and derives again."""
    lead, other, third = desk.queued(3)
    if into == "erased":
        desk.do(other, c.EraseLead(reason=words(desk, other)), who="operator:pia")
    if into == "merged":
        desk.do(other, MergeLead(into=third), who=MANAGER)
    target = {"itself": lead, "nobody": UUID(int=9), "a rep": desk_rep(desk)}.get(into, other)
    rule = {"itself": "another_lead", "erased": "into_not_erased", "merged": "into_not_merged"}.get(into, "into_known")
    answer = desk.do(lead, MergeLead(into=target), who=MANAGER)
    assert ("refused", rule) == (answer.outcome, answer.rule)
    assert "queued" == desk.lead(lead).state


def desk_rep(desk: Desk) -> UUID:
    """Return the rep's stream."""
    return UUID(str(desk.ask("SELECT id FROM reps")[0][0]))


def words(desk: Desk, lead: UUID) -> c.Reference:
    """Keep words of a lead."""
    with transaction(desk.engine) as connection:
        return contacts.save_document(connection, UUID(int=lead.int ^ 1), lead, "text", "asked for it")


def test_who_objected_as_a_duplicate_is_not_contacted_as_the_other_lead(desk: Desk) -> None:
    """The other lead opts out in the decision that takes the duplicate in, and its identifiers stand on the list."""
    lead = person(desk, "V-1", name="Ada", email="ada@new.example")
    duplicate = person(desk, "V-2", name="Ada", email="ada@old.example")
    desk.do(duplicate, c.OptOut())
    desk.do(duplicate, MergeLead(into=lead), who=MANAGER)
    assert ["do_not_contact", "do_not_contact"] == names(desk, duplicate, lead)
    assert ["duplicate_taken_in", "opted_out"] == types(desk, lead)[-2:]
    listed = {row[0] for row in desk.ask("SELECT key FROM suppressions WHERE key LIKE 'email:%'")}
    assert 2 == len(listed)


@pytest.mark.parametrize("channel", [None, "email"])
def test_whom_only_the_list_keeps_out_is_not_contacted_as_the_other_lead(desk: Desk, channel: c.Mode | None) -> None:
    """The list was filled by hand under an address that only the duplicate has; no lead ever opted out."""
    lead = person(desk, "V-1", name="Ada", email="ada@new.example")
    duplicate = person(desk, "V-2", name="Ada", email="ada@old.example")
    keys = PEPPER.keys("elsewhere", "9", {"email": "ada@old.example"})
    with transaction(desk.engine) as connection:
        suppressions.add(connection, keys, channel=channel, reason="added", since=desk.now.date())
    desk.do(duplicate, MergeLead(into=lead), who=MANAGER)
    assert ("do_not_contact" if channel is None else "queued") == desk.lead(lead).state
    assert channel is None or (channel,) == desk.lead(lead).modes_refused
    assert whole(desk)


@pytest.mark.parametrize("channel", [None, "email", "post"])
def test_a_duplicate_hears_of_objections_that_only_the_list_has_of_the_other_lead(desk: Desk, channel: c.Mode | None) -> None:
    """Entered by hand, also while the duplicate was on its way: the list knows the person by both addresses then."""
    lead = person(desk, "V-1", name="Ada", email="ada@new.example")
    duplicate = person(desk, "V-2", name="Ada", email="ada@old.example")
    desk.committer.apply_all(desk.submit(duplicate, MergeLead(into=lead), who=MANAGER))
    keys = PEPPER.keys("elsewhere", "9", {"email": "ada@new.example"})
    with transaction(desk.engine) as connection:
        suppressions.add(connection, keys, channel=channel, reason="added", since=desk.now.date())
    desk.work()
    modes = {None: set(MODES), "email": {"email"}, "post": {"post", "handwritten_note"}}[channel]
    assert ("do_not_contact" if channel is None else "dropped") == desk.lead(duplicate).state
    assert modes == set(desk.lead(duplicate).modes_refused)
    assert [(channel or "all", 2)] == listed(desk)
    assert "queued" == desk.lead(lead).state
    assert [] == desk.ask("SELECT 1 FROM events WHERE type = 'command_refused'")
    assert whole(desk)


def test_what_the_list_has_of_both_leads_is_said_to_neither(desk: Desk) -> None:
    """One address under two of the CRM's ids: there is nothing new."""
    lead, duplicate = (person(desk, id_, name="Ada", email="ada@new.example") for id_ in ("V-1", "V-2"))
    keys = PEPPER.keys("elsewhere", "9", {"email": "ada@new.example"})
    with transaction(desk.engine) as connection:
        suppressions.add(connection, keys, channel="fax", reason="added", since=desk.now.date())
    desk.do(duplicate, MergeLead(into=lead), who=MANAGER)
    assert "channel_opted_out" not in types(desk, duplicate)


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("dead", [False, True])
def test_a_duplicate_on_its_way_to_whom_is_erased_hears_of_it(desk: Desk, together: bool, dead: bool) -> None:
    """An erasure is an objection, and what was on its way is not lost with all else that waited: also in one transaction."""
    lead = person(desk, "V-1", name="Ada", email="ada@new.example")
    duplicate = person(desk, "V-2", name="Ada", email="ada@old.example")
    desk.committer.apply_all(desk.submit(duplicate, MergeLead(into=lead), who=MANAGER))
    if dead:
        desk.ask(
            "UPDATE messages SET settled_at = now(), outcome = 'dead', error = 'Ada', traceback = 'Ada' "
            "WHERE actor_name = 'duplicate_taken_in'"
        )
    rings = desk.submit(lead, c.EraseLead(reason=words(desk, lead)), c.AnswerImportance(importance=3), who="operator:pia")
    waiting = desk.ask("SELECT id, actor_name, correlation_id FROM messages WHERE actor_name = 'duplicate_taken_in'")
    taking_in = [Ring(UUID(str(id_)), lead, str(actor), UUID(str(correlation_id)), 1) for id_, actor, correlation_id in waiting]
    desk.committer.apply_all([*rings, *(taking_in if together else [])])
    if dead:
        found = desk.ask("SELECT outcome, error, traceback FROM messages WHERE actor_name = 'duplicate_taken_in'")
        assert [("dead", None, None)] == found
        with transaction(desk.engine) as connection:
            retry_dead(connection, [ring.message_id for ring in taking_in])
    desk.work()
    assert ["do_not_contact", "do_not_contact"] == names(desk, lead, duplicate)
    assert [("all", 2)] == listed(desk)
    assert ["lead_erased", "command_refused"] == types(desk, lead)[-2:]
    assert [("superseded", "{}")] == desk.ask(
        "SELECT outcome, body FROM messages WHERE actor_name = 'importance_answered' AND stream_id = :id", id=lead
    )
    assert whole(desk)


def test_objections_of_a_duplicate_wait_for_touches_that_are_being_decided(desk: Desk) -> None:
    """As any objection does: a touch under another lead of the person must not pass it."""
    lead, duplicate = desk.queued(2)
    desk.do(duplicate, c.OptOut())
    desk.committer.apply_all(desk.submit(duplicate, MergeLead(into=lead), who=MANAGER))
    with transaction(desk.engine) as connection:
        suppressions.lock(connection, alone=False)
        worker = Thread(target=desk.work)
        worker.start()
        end = time.monotonic() + 20
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while desk.ask(waiting) == [(0,)] and worker.is_alive() and time.monotonic() < end:
            time.sleep(0.01)
        assert [(1,)] == desk.ask(waiting)
    worker.join()
    assert "do_not_contact" == desk.lead(lead).state


def test_an_objection_of_the_person_reaches_the_duplicates(desk: Desk) -> None:
    """So that the list knows the person by what only a duplicate knew: nobody takes the same person in anew."""
    lead = person(desk, "V-1", name="Ada", email="ada@new.example")
    duplicate = person(desk, "V-2", name="Ada", email="ada@old.example")
    desk.do(duplicate, MergeLead(into=lead), who=MANAGER)
    desk.do(lead, c.OptOut())
    assert ["do_not_contact", "do_not_contact"] == names(desk, duplicate, lead)
    assert [(2,)] == desk.ask("SELECT count(*) FROM suppressions WHERE key LIKE 'email:%'")


def test_an_objection_to_a_channel_is_one_of_the_other_lead(desk: Desk) -> None:
    """On the list under both leads' identifiers."""
    lead = person(desk, "V-1", name="Ada", email="ada@new.example")
    duplicate = person(desk, "V-2", name="Ada", email="ada@old.example")
    desk.do(duplicate, c.OptOut(channel="email"))
    desk.do(duplicate, MergeLead(into=lead), who=MANAGER)
    assert desk.lead(lead).modes_refused == ("email",)
    assert [("email", 2)] == desk.ask("SELECT channel, count(*) FROM suppressions WHERE key LIKE 'email:%' GROUP BY channel")


def listed(desk: Desk) -> list[tuple[object, ...]]:
    """Return how many addresses are on the list, by channel."""
    return list(
        desk.ask("SELECT channel, count(*) FROM suppressions WHERE key LIKE 'email:%' GROUP BY channel ORDER BY channel")
    )


@pytest.mark.parametrize("when", ["before", "while the duplicate is on its way"])
def test_a_duplicate_hears_of_objections_that_stand_where_it_arrives(desk: Desk, when: str) -> None:
    """So that the list knows its address, too, and nobody takes the same person in anew: of each channel, then of all."""
    lead = person(desk, "V-1", name="Ada", email="ada@new.example")
    first = person(desk, "V-2", name="Ada", email="ada@old.example")
    second = person(desk, "V-3", name="Ada", email="ada@older.example")
    for duplicate, objections in ((first, (c.OptOut(channel="call"), c.OptOut(channel="email"))), (second, (c.OptOut(),))):
        if when == "before":
            for each in objections:
                desk.do(lead, each)
        rings = desk.submit(duplicate, MergeLead(into=lead), who=MANAGER)
        desk.committer.apply_all(rings)
        if when != "before":
            assert duplicate not in [each.lead_id for each in desk.lead(lead).duplicates or ()]
            for each in objections:
                desk.committer.apply_all(desk.submit(lead, each))
        desk.work()
        if duplicate == first:
            assert [("call", 2), ("email", 2)] == listed(desk)
    assert ("all", 3) in listed(desk)
    assert ["do_not_contact"] * 3 == names(desk, lead, first, second)
    assert 2 == types(desk, first).count("channel_opted_out")
    assert whole(desk)


def test_earlier_duplicates_hear_what_a_later_one_brings(desk: Desk) -> None:
    """The list knows the person by the addresses of all three."""
    lead = person(desk, "V-1", name="Ada", email="ada@new.example")
    first = person(desk, "V-2", name="Ada", email="ada@old.example")
    second = person(desk, "V-3", name="Ada", email="ada@older.example")
    desk.do(first, MergeLead(into=lead), who=MANAGER)
    desk.do(second, c.OptOut())
    desk.do(second, MergeLead(into=lead), who=MANAGER)
    assert [("all", 3)] == listed(desk)
    assert ["do_not_contact"] * 3 == names(desk, lead, first, second)
    assert [] == desk.ask("SELECT 1 FROM events WHERE type = 'command_refused'")
    assert whole(desk)


def test_what_is_said_to_a_merged_lead_reaches_the_one_that_goes_on(desk: Desk) -> None:
    """A reply that was on its way, and an objection: over two merges, and once each."""
    first, second, third = desk.queued(3)
    desk.do(first, MergeLead(into=second), who=MANAGER)
    desk.do(second, MergeLead(into=third), who=MANAGER)
    answer = desk.do(first, c.RecordReply(channel="email"), who="inbox")
    assert ("refused", "merged") == (answer.outcome, answer.rule)
    assert ["dropped", "dropped", "re_engaged"] == names(desk, first, second, third)
    assert 1 == types(desk, third).count("reply_received")
    desk.do(first, c.OptOut(), who="unsubscribe")
    assert ["do_not_contact"] * 3 == names(desk, first, second, third)
    desk.do(second, c.EraseLead(reason=words(desk, second)), who="operator:pia")
    assert "do_not_contact" == desk.lead(third).state
    assert whole(desk)


def both_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch, *pairs: tuple[UUID, UUID]) -> None:
    """Apply merges in workers of their own, each of which has decided before any has written."""
    barrier, write, troubles = Barrier(len(pairs), timeout=30), Batch.write, []

    def wait_and_write(batch: Batch) -> None:
        barrier.wait()
        write(batch)

    def work(pair: tuple[UUID, UUID]) -> None:
        try:
            rings = desk.submit(pair[0], MergeLead(into=pair[1]), who=MANAGER)
            Applier(desk.service, desk.clock).apply(rings)
        except Exception as error:  # noqa: BLE001  # a thread would swallow it
            troubles.append(error)

    with monkeypatch.context() as patched:
        patched.setattr(Batch, "write", wait_and_write)
        threads = [Thread(target=work, args=(pair,)) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [] == troubles


def test_two_leads_that_are_merged_into_each_other_at_the_same_time_both_live_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither worker saw the other's merge; each lead hears of the other and stands again, and a manager merges once more."""
    first, second = desk.queued(2)
    both_at_once(desk, monkeypatch, (first, second), (second, first))
    assert ["dropped", "dropped"] == names(desk, first, second)
    desk.work()
    assert ["registered", "registered"] == names(desk, first, second)
    assert not desk.lead(first).merged_into
    assert not desk.lead(second).merged_into
    desk.do(first, MergeLead(into=second), who=MANAGER)
    assert ["dropped", "registered"] == names(desk, first, second)
    assert whole(desk)


def test_a_merge_into_a_lead_that_is_just_being_merged_loses_nobody(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A into B while B goes into C: B hears of A and stands again, beside C."""
    first, second, third = desk.queued(3)
    both_at_once(desk, monkeypatch, (first, second), (second, third))
    desk.work()
    assert ["dropped", "registered", "queued"] == names(desk, first, second, third)
    assert (second, False, False) == (
        desk.lead(first).merged_into, bool(desk.lead(second).merged_into), bool(desk.lead(third).merged_into),
    )  # fmt: skip
    assert [second] == [each.lead_id for each in desk.lead(third).duplicates or ()]
    assert whole(desk)


@pytest.mark.parametrize("objects", [0, 1, 2])
def test_who_stands_again_and_who_goes_on_hear_of_each_others_objections(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, objects: int
) -> None:
    """A into B while B goes into C: all three are one person, although two of them live on, and all are found."""
    leads = desk.queued(3)
    both_at_once(desk, monkeypatch, (leads[0], leads[1]), (leads[1], leads[2]))
    desk.work()
    assert (leads[2],) == desk.lead(leads[1]).formerly_into
    desk.do(leads[objects], c.OptOut(channel="email"))
    assert [("email",)] * 3 == [desk.lead(each).modes_refused for each in leads]
    desk.do(leads[1], c.RecordReply(channel="call"), who="inbox")
    assert "queued" == desk.lead(leads[2]).state, "an answer is one to the lead that it was given to"
    with transaction(desk.engine) as connection:
        for each in leads:
            assert {*leads} - {each} == merged_with(connection, [each])
            assert survivor(connection, desk.lead(each)).id == (leads[1] if each == leads[0] else each)
    desk.do(leads[objects], c.OptOut())
    assert ["do_not_contact"] * 3 == names(desk, *leads)
    assert whole(desk)


def test_what_a_duplicate_brings_to_who_stands_again_reaches_who_goes_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wants no contact, and goes into B while B goes into C: the live one, which is C, hears of it."""
    first, second, third = desk.queued(3)
    desk.do(first, c.OptOut())
    both_at_once(desk, monkeypatch, (first, second), (second, third))
    desk.work()
    assert ["do_not_contact"] * 3 == names(desk, first, second, third)
    assert whole(desk)


def test_an_objection_between_crossing_merges_goes_round_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passed on from each to the other before either has heard of the other's merge, and never in circles."""
    first, second = desk.queued(2)
    both_at_once(desk, monkeypatch, (first, second), (second, first))
    desk.submit(first, c.OptOut(), who="unsubscribe")
    desk.submit(first, c.RecordReply(channel="email"), who="inbox")
    desk.work()
    assert ["do_not_contact", "do_not_contact"] == names(desk, first, second)
    assert 12 > len(desk.ask("SELECT 1 FROM events WHERE type = 'command_refused'"))


def test_the_same_merge_twice_is_one(desk: Desk) -> None:
    """A message that is delivered again does nothing; a second merge is refused by a sentence that names the other lead."""
    first, second = desk.queued(2)
    rings = desk.submit(first, MergeLead(into=second), who=MANAGER)
    desk.committer.apply_all(rings)
    desk.committer.apply_all(rings)
    desk.work()
    assert ["lead_registered", "revival_queued", "lead_merged"] == types(desk, first)
    again = desk.do(first, MergeLead(into=second), who=MANAGER)
    assert ("refused", "merged") == (again.outcome, again.rule)
    assert str(second) in str(again.reason)
    assert 1 == types(desk, second).count("duplicate_taken_in")


def test_who_was_merged_with_whom_is_found_from_either_side(desk: Desk) -> None:
    """All leads of one person, whatever the way."""
    first, second, third, other = desk.queued(4)
    desk.do(first, MergeLead(into=second), who=MANAGER)
    desk.do(second, MergeLead(into=third), who=MANAGER)
    with transaction(desk.engine) as connection:
        for each in (first, second, third):
            assert {first, second, third} - {each} == merged_with(connection, [each])
        assert set() == merged_with(connection, [other])
        assert third == survivor(connection, desk.lead(first)).id
        assert other == survivor(connection, desk.lead(other)).id


def test_who_goes_in_circles_is_whoever_was_asked_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the messages of crossing merges are delivered, nobody goes on."""
    first, second = desk.queued(2)
    both_at_once(desk, monkeypatch, (first, second), (second, first))
    with transaction(desk.engine) as connection:
        assert first == survivor(connection, desk.lead(first)).id
        assert {second} == merged_with(connection, [first])


def test_a_merge_is_simulated_byte_for_byte(desk: Desk) -> None:
    """The service in memory tells other leads as the real one does."""
    desk.replans = True
    both = Both(desk)
    ids = [UUID(int=40 + number) for number in range(3)]
    both.hand_in(*((id_, registration()) for id_ in ids), who="import")
    both.hand_in((ids[0], MergeLead(into=ids[1])), (ids[1], MergeLead(into=ids[0])), who=MANAGER)
    both.hand_in((ids[1], MergeLead(into=ids[2])), who=MANAGER)
    both.hand_in((ids[0], c.RecordReply(channel="email")), (ids[0], c.OptOut(channel="call")))
    both.compare()
    lead: Lead = both.simulation.lead(ids[2])
    assert canonical(lead) == canonical(desk.lead(ids[2]))
    assert ("re_engaged", ("call",)) == (lead.state, lead.modes_refused)
