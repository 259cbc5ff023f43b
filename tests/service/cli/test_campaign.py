"""A campaign of invitations from the first event to its results, as people type it."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

from tests.service.campaigns import ABOUT, ANN, TOPIC, Office, ask
from tests.service.world import MONDAY, World
from workflows.campaign import campaign_id
from workflows.campaign_events import InvitationSent
from workflows.commands import EraseLead, MarkWon, OptOut, Reference
from workflows.sales_event import sales_event_id


def test_a_campaign_from_the_event_to_its_results(world: World) -> None:
    """A0-3, A0-10, A0-13, A0-16: a letter each, an answer credited to campaign and event, and numbers that add up."""
    with world.worker():
        office = Office(world)
        prospect, client = office.declined(), office.client()
        office.event()
        office.start()
        sent = world.said("campaign", "send", "spring")
        assert ["sent", "sent"] == [each["outcome"] for each in sent["letters"]], sent
        # The campaign may not have heard of it yet; the letter does not leave twice.
        again = world.said("campaign", "send", "spring")["letters"]
        assert {"sent"} >= {each["outcome"] for each in again}
        world.ok("campaign", "rsvp", "spring", prospect, "spring-training", *ANN)
        world.ok("campaign", "rsvp", "spring", client, "spring-training", "--answer", "asks", *ANN)
    world.work()
    assert ("re_engaged", "won") == (world.lead(prospect).state, world.lead(client).state)
    (reply,) = [each.data for each in world.events(prospect) if each.row == "T49"]
    assert (campaign_id("spring"), sales_event_id("spring-training")) == (reply.campaign_id, reply.event_id)  # type: ignore[union-attr]
    found = world.said("campaign", "results", "spring")
    assert (2, 2, 0, 0) == (found["audience"], found["sent"], found["waiting"], found["excluded"])
    assert {"declined": (1, 0), "client": (0, 1)} == {
        each["audience"]: (each["re_engaged"], each["solidified"]) for each in found["audiences"]
    }
    (event,) = found["events"]
    assert (2, 2, 1, 12) == (event["listed_in"], event["answers"]["answers"], event["seated"], event["seats"])
    logged = Counter(type_ for (type_,) in ask(world, "SELECT type FROM events"))
    assert logged["event_invitation_sent"] == found["sent"] == sum(each["sent"] for each in found["wordings"])
    assert logged["event_rsvp_received"] == found["answers"]["answers"] == 2
    assert logged["event_rsvp_received"] == sum(each["answers"]["answers"] for each in found["audiences"])
    assert logged["seat_taken"] == event["seated"]
    assert TOPIC not in str([recorded.data for recorded in world.events(prospect)])
    assert "spring: 2 sent + 0 waiting + 0 excluded = 2 people\n" in world.ok("campaign", "results", "spring")
    office.sound()


def test_nobody_is_silently_lost(world: World) -> None:
    """A0-3: audience = sent + excluded, each exclusion has its reason, and the same draw again adds nobody."""
    with world.worker():
        office = Office(world)
        fine, away = office.declined(), office.declined(modes=("call", "email"))
        stranger = office.declined(person={"last_meeting_topic": ""})
        gone, erased = office.declined(), office.declined()
        fresh, ancient = office.declined(days_ago=3), office.declined(days_ago=700)
        world.hand_in(gone, OptOut())
        world.hand_in(erased, EraseLead(reason=Reference(document_id=uuid4(), commitment="0" * 64)))
        office.event()
        office.start()
        assert ["sent"] == [each["outcome"] for each in world.said("campaign", "send", "spring")["letters"]]
    letters = office.letters()
    assert {fine, away, stranger, gone, erased} == set(letters)
    assert not {fresh, ancient} & set(letters)
    assert {None: 1, "no_address": 1, "needs_last_meeting_topic": 1, "do_not_contact": 1, "erased": 1} == Counter(
        letter["reason"] for letter in letters.values()
    )
    found = world.said("campaign", "results", "spring")
    assert found["audience"] == 5 == found["sent"] + found["excluded"]
    with world.worker():
        world.ok("campaign", "draw", "spring", *ANN)
    (drawn, again) = [
        each.data for each in world.events(campaign_id("spring")) if each.data.__struct_config__.tag == "audience_drawn"
    ]
    assert (5, 0, ()) == (drawn.added, again.added, again.rows)  # type: ignore[union-attr]
    office.sound()


def test_a_letter_needs_what_is_known_of_the_person(world: World, tmp_path: Path) -> None:
    """A0-4: without company or last topic there is homework and no letter; the letter holds both, and the purpose."""
    with world.worker():
        office = Office(world)
        lead, homework = office.declined(), office.declined(person={"company": ""})
        office.event()
        office.start()
        due = "LETTERS    1 letter of spring may leave: thaw campaign send spring --rep dan\n"
        assert due in world.ok("today")
        (sent,) = world.said("campaign", "send", "spring", "--out", tmp_path)["letters"]
        assert "LETTERS" not in world.ok("today")
    assert "needs_company" == office.letters()[homework]["reason"]
    text = Path(sent["file"]).read_text()
    parts = (
        "pleasure to meet you",
        "Springfield Homes",
        TOPIC,
        "could not move forward",
        "still thinking of you",
        "first-hand",
    )
    assert sorted(parts, key=text.index) == list(parts)
    assert text.index("Attached: all upcoming events") < text.index("The spring-training days") < text.index(ABOUT)
    # Learned after the draw that the topic was wrong: nothing is written until it is known again.
    assert sent["lead_id"] == str(lead)
    office.sound()


def test_the_wording_that_leaves_is_checked(world: World, tmp_path: Path) -> None:
    """A0-4, A0-8, A0-11: a wording of one's own is refused when it is for the other audience, or leaves something out."""
    client = tmp_path / "client.txt"
    client.write_text("Dear {name},\n\nWe could not move forward with {company}. See first-hand:\n\n{events}\n")
    declined = tmp_path / "declined.txt"
    declined.write_text("Dear {name},\n\nWe could not move forward with you then. See first-hand:\n\n{events}\n")
    with world.worker():
        office = Office(world)
        prospect, customer = office.declined(), office.client()
        office.event()
        office.start()
        own = ("--declined-wording", declined)
        said = world.refused(2, "campaign", "send", "spring", "--client-wording", client, *own)
        assert "--client-wording: A client is told that it came to nothing." in said
        said = world.refused(1, "campaign", "send", "spring", *own)
        assert "The company is not in it, before the list of events. Change it." in said
        assert "released" == office.letters()[prospect]["status"]
        # The same again is written anew, with a wording that holds.
        world.ok("campaign", "send", "spring")
    assert {"sent"} == {letter["status"] for letter in office.letters().values()}
    assert {prospect, customer} == set(office.letters())
    for wrong, why in (
        ("Dear {nme} {events}", "line 1, {nme}: there is no such field; did you mean {name}?"),
        ("Dear {name},\nDear <<name>> {events}", "line 2, <<name>>: a mark that a mail merge left behind"),
        ("Dear {name}", "{events} is missing: the list of events is part of the letter"),
    ):
        client.write_text(wrong)
        assert why in world.refused(2, "campaign", "send", "spring", "--client-wording", client)
    office.sound()


def test_only_events_that_can_be_attended_are_listed(world: World) -> None:
    """A0-5, A0-6, A0-7: approved, upcoming by 14 days, with a seat; the digest of that very list stands with the letter."""
    with world.worker():
        office = Office(world)
        lead = office.declined()
        office.event("too-soon", starts="2026-01-12T09:00")
        office.event("unapproved", approved=False)
        world.ok("campaign", "plan", "spring", *ANN)
        early = world.refused(1, "campaign", "start", "spring", *ANN)
        assert "refused (drawn)" in early
        assert "stays campaign" not in early
        world.ok("campaign", "draw", "spring", *ANN)
        refused = world.refused(1, "campaign", "start", "spring", *ANN)
        assert "refused (eligible_event): There is no event to invite to" in refused
        office.event("later")
        office.event("house", kind="open_house")
        office.event("gone")
        world.ok("event", "revoke", "gone", *ANN)
        world.ok("campaign", "start", "spring", *ANN)
        world.work()
        world.ok("campaign", "send", "spring")
    (sent,) = [each for each in world.events(lead) if each.data.__struct_config__.tag == "event_invitation_sent"]
    assert isinstance(sent.data, InvitationSent)
    assert {sales_event_id("later"), sales_event_id("house")} == set(sent.data.events)
    assert sent.used
    (verdict,) = [each for each in sent.used.verdicts if each.check == "event_list"]
    assert sent.data.attachment == verdict.inputs["eligible"] == verdict.inputs["attachment"]
    listed = {each["name"]: each["why_not"] for each in world.said("event", "list")["events"]}
    assert {
        "later": None,
        "house": None,
        "too-soon": "too_soon",
        "unapproved": "not_approved",
        "gone": "not_approved",
    } == listed
    office.sound()


def test_an_event_without_a_description_holds_the_letters_up(world: World) -> None:
    """A0-8: nothing is sent while an approved event lacks a description of 20 to 600 characters."""
    with world.worker():
        office = Office(world)
        office.declined()
        office.event()
        office.event("silent", description=None)
        world.ok("campaign", "plan", "spring", *ANN)
        world.ok("campaign", "draw", "spring", *ANN)
        assert "refused (described)" in world.refused(1, "campaign", "start", "spring", *ANN)
        for text in ("Too short.", "x" * 601):
            said = world.refused(1, "event", "describe", "silent", "--text", text, *ANN)
            assert f"The description has {len(text)} characters; 20 to 600 characters are wanted." in said
        world.ok("event", "describe", "silent", "--text", ABOUT, *ANN)
        world.ok("campaign", "start", "spring", *ANN)
        world.work()
        world.ok("campaign", "send", "spring")
    office.sound()


def test_whoever_was_invited_is_told_of_a_revoked_approval(world: World) -> None:
    """A0-7: approval says who, when and within what limits; revoked, it ends the listing, and those invited must be told."""
    with world.worker():
        office = Office(world)
        first = office.declined()
        office.event()
        office.event("other")
        shown = world.said("event", "show", "other")
        assert ("Jane Host", "2026-01-02", "two each") == (shown["approver"], shown["approved_on"], shown["limits"])
        office.start()
        world.ok("campaign", "send", "spring")
        world.work()
        world.ok("event", "revoke", "other", "--reason", "the hall is being rebuilt", *ANN)
        world.work()
        second = office.declined()
        world.ok("campaign", "draw", "spring", *ANN)
        world.at(MONDAY + timedelta(days=1))
        world.ok("campaign", "send", "spring")
        (told,) = world.said("campaign", "tell", "spring")["tell"]
        assert "TELL       1 person of spring to tell" in world.ok("today")
        assert (str(first), "other", "dan") == (told["lead_id"], told["event"], told["rep"])
        assert "refused (attendable)" not in world.ok("campaign", "rsvp", "spring", first, "spring-training", *ANN)
        world.ok("campaign", "told", "spring", first, "other", *ANN)
        assert "refused (to_tell)" in world.refused(1, "campaign", "told", "spring", first, "other", *ANN)
    assert [sales_event_id("spring-training").hex] == [id_.replace("-", "") for id_ in office.letters()[second]["events"]]
    assert "nobody is to be told anything\n" == world.ok("campaign", "tell", "spring")
    office.sound()


def test_a_host_keeps_companies_out_and_seats_are_never_given_twice(world: World) -> None:
    """A0-9: an excluded company does not see the event; who asks for a taken seat waits, and gets the next that is free."""
    with world.worker():
        office = Office(world)
        leads = [office.declined() for _ in range(3)]
        rival = office.declined(person={"company": "Rival Homes, Inc."})
        office.event(seats=2)
        office.event("other")
        world.ok("event", "exclude", "spring-training", "RIVAL HOMES LLC", *ANN)
        office.start()
        world.ok("campaign", "send", "spring")
        world.work()
        letters = office.letters()
        assert [str(sales_event_id("other"))] == letters[rival]["events"]
        assert 2 == len(letters[leads[0]]["events"])
        said = world.refused(1, "campaign", "rsvp", "spring", rival, "spring-training", *ANN)
        assert "refused (invited): The letter to this person does not list this event" in said
        assert f"to go on: thaw reply V-{world.leads.index(rival):04} --channel MODE\n" in said
        for lead in leads:
            world.ok("campaign", "rsvp", "spring", lead, "spring-training", *ANN)
        world.work()
        shown = world.said("event", "show", "spring-training")
        assert (leads[:2], leads[2:]) == _ids(shown)
        world.ok("campaign", "rsvp", "spring", leads[0], "spring-training", "--answer", "cannot", *ANN)
        world.work()
    assert (leads[1:], []) == _ids(world.said("event", "show", "spring-training"))
    office.sound()


def test_a_person_in_both_audiences_gets_the_clients_letter_alone(world: World) -> None:
    """A0-11, A0-12: the client's template if and only if a client, one list for both, and one letter for one person."""
    with world.worker():
        office = Office(world)
        prospect, client = office.declined(), office.client()
        both_as_prospect, both_as_client = office.declined(), office.client()
        once = office.declined()
        world.hand_in(once, MarkWon())
        world.sql(
            "UPDATE contacts SET keys = %(keys)s WHERE lead_id = ANY(%(ids)s)",
            keys=["email:one"],
            ids=[both_as_prospect, both_as_client],
        )
        office.event()
        office.start()
        world.ok("campaign", "send", "spring")
    world.work()
    letters = office.letters()
    assert ("excluded", "same_person") == (letters[both_as_prospect]["status"], letters[both_as_prospect]["reason"])
    sent = {lead: letter["audience"] for lead, letter in letters.items() if letter["status"] == "sent"}
    assert {prospect: "declined", client: "client", both_as_client: "client", once: "client"} == sent
    attachments = {
        each.data.attachment  # type: ignore[union-attr]
        for lead in sent
        for each in world.events(lead)
        if each.data.__struct_config__.tag == "event_invitation_sent"
    }
    assert 1 == len(attachments)
    office.sound()


def test_letters_are_paced_by_working_days(world: World) -> None:
    """A0-14: 45 letters at ten a day leave on five working days, and none on a holiday or a weekend."""
    with world.worker():
        office = Office(world)
        for _ in range(45):
            office.declined()
        office.event()
        world.at(MONDAY + timedelta(days=9))
        office.start()
    left = []
    for _ in range(9):
        with world.worker():
            sent = world.said("campaign", "send", "spring")["letters"]
        left.append(sum(each["outcome"] == "sent" for each in sent))
        world.at(world.clock() + timedelta(days=1))
    # Wednesday to Friday, a weekend, King's day, Tuesday and Wednesday.
    assert [10, 10, 10, 0, 0, 0, 10, 5, 0] == left
    office.sound()


def test_a_folder_that_cannot_be_is_said_before_any_letter_is_sent(world: World, tmp_path: Path) -> None:
    with world.worker():
        office = Office(world)
        lead = office.declined()
        office.event()
        office.start()
        (tmp_path / "file").write_text("")
        said = world.refused(2, "campaign", "send", "spring", "--out", tmp_path / "file" / "letters")
    assert "no letter was sent" in said
    assert office.letters()[lead]["status"] == "released"


def _ids(shown: dict[str, list[str]]) -> tuple[list[object], list[object]]:
    return [UUID(id_) for id_ in shown["seated"]], [UUID(id_) for id_ in shown["waiting"]]
