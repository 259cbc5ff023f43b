"""What campaigns take from people: types of events as data, bad input, repeats; and that they are projections of the log."""

from pathlib import Path
from uuid import uuid4

import pytest

from tests.service.campaigns import ANN, Office, ask
from tests.service.world import World
from workflows.campaign import campaign_id


def test_another_type_of_event_is_data(world: World, tmp_path: Path) -> None:
    """A0-15: a playbook of one's own adds a type; no program knows which there are."""
    own = tmp_path / "own.toml"
    own.write_text(
        'schema = 1\nid = "our-invitations"\nversion = "1.0.0"\ntitle = "Ours"\nsource = "our team"\n'
        'extends = ["event-invitation@1.0.0"]\n[invitation.events]\ntypes = ["training", "factory_tour"]\n'
    )
    with world.worker():
        office = Office(world)
        office.declined()
        said = world.refused(1, "event", "add", "tour", "--kind", "factory_tour", *_EVENT, *ANN)
        assert "factory_tour is no type of event; the playbook has training, open_house, media_event, other." in said
        world.ok("playbook", "publish", own, "--as", "manager:ann", "--approved-by", "manager:bob")
        office.event("tour", kind="factory_tour", playbook="our-invitations")
        office.start("spring", "--playbook", "our-invitations", "--kind", "factory_tour")
        world.ok("campaign", "send", "spring")
    assert [1] == [each["listed_in"] for each in world.said("campaign", "results", "spring")["events"]]
    office.sound()


_EVENT = ("--starts", "2026-03-09T09:00", "--seats", 5, "--title", "A tour", "--host", "Harbour Mills")


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        (("campaign", "draw", "sprng", *ANN), 2, "no campaign is called 'sprng'; did you mean spring?"),
        (("event", "show", "nothing"), 2, "no event is called 'nothing'; there is none yet: announce one"),
        (("campaign", "plan", "other", "--from", "2026-01-01", "--to", "2025-01-01", *ANN), 1, "The period ends on Wed"),
        (("campaign", "plan", "spring", *ANN), 1, "A campaign called spring is known already"),
        (("campaign", "plan", "Spring!", *ANN), 2, "is no short word"),
        (("campaign", "plan", "other", "--playbook", "five-five-five", *ANN), 2, "has no section [invitation]"),
        (("event", "add", "tour", "--kind", "training", *_EVENT[2:], "--starts", "2025-03-09T09:00", *ANN), 1, "which is over"),
        (("event", "add", "tour", "--kind", "training", *_EVENT, "--timezone", "Mars", *ANN), 2, "no such time zone"),
        (("campaign", "rsvp", "spring", "V-0000", "tour", *ANN), 2, "no event is called 'tour'"),
        (("campaign", "draw", "spring"), 2, "Missing option '--as'"),
        (("event", "add", "tour", "--kind", "training", *_EVENT[:2], "--seats", 0, *_EVENT[4:], *ANN), 2, "0 is not in"),
    ],
)  # fmt: skip
def test_bad_input_gets_one_sentence(campaigning: World, typed: tuple[object, ...], status: int, said: str) -> None:
    before = ask(campaigning, "SELECT count(*) FROM messages WHERE outcome = 'applied'")
    with campaigning.worker():
        assert said in campaigning.refused(status, *typed)
    assert before == ask(campaigning, "SELECT count(*) FROM messages WHERE outcome = 'applied'")


@pytest.fixture
def campaigning(world: World) -> World:
    """Yield a service with one prospect and one planned campaign."""
    with world.worker():
        office = Office(world)
        office.declined()
        world.ok("campaign", "plan", "spring", *ANN)
    return world


def test_the_same_entry_twice_changes_nothing_more(world: World) -> None:
    entry = ("--id", uuid4(), *ANN)
    with world.worker():
        Office(world)
        first = world.ok("campaign", "plan", "spring", *entry)
        assert first == world.ok("campaign", "plan", "spring", *entry)
        assert "was used before" in world.refused(2, "campaign", "plan", "autumn", *entry)
    assert 1 == len(world.events(campaign_id("spring")))


def test_campaigns_and_events_are_made_again_from_the_log(world: World) -> None:
    """Both are projections: emptied, or changed behind our back, they come back as they were."""
    with world.worker():
        office = Office(world)
        office.declined()
        office.event()
        office.start()
    tables = ("campaigns", "sales_events")
    before = [ask(world, f"SELECT * FROM {table} ORDER BY id") for table in tables]
    world.sql("UPDATE campaigns SET body = replace(body, 'released', 'sent')")
    world.sql("DELETE FROM sales_events")
    said = world.refused(1, "rebuild", "--check")
    assert "in campaigns is not what its events fold to: body" in said
    assert "in sales_events is not what its events fold to: the row is missing" in said
    world.ok("rebuild")
    assert before == [ask(world, f"SELECT * FROM {table} ORDER BY id") for table in tables]
    office.sound()


def test_a_campaign_and_an_event_are_replayed_to_any_moment(world: World) -> None:
    """The log of such a stream folds to its row, and up to any of its events to what it was then."""
    with world.worker():
        office = Office(world)
        office.declined()
        office.event()
        office.start()
        world.ok("campaign", "send", "spring")
        world.work()
    said = world.said("replay", "campaign:spring")
    names = [each["recorded"]["data"]["type"] for each in said["events"]]
    assert ["campaign_planned", "audience_drawn", "campaign_started", "letters_released", "letter_recorded"] == names
    assert (5, True, ["sent"]) == (
        said["version"],
        said["whole"],
        [each["status"] for each in said["state"]["letters"].values()],
    )
    then = world.said("replay", "campaign:spring", "--at", "2")["state"]["letters"]
    assert ["waiting"] == [each["status"] for each in then.values()]
    printed = world.ok("replay", "event:spring-training")
    assert "observers_approved  by manager:ann" in printed
    assert "chain      whole: 4 events" in printed
    assert "campaign:summer is not known" in world.refused(2, "replay", "campaign:summer")
    assert "or the number of an event" in world.refused(2, "replay", "campaign:spring", "--at", "whenever")
    told = world.ok("rederive", "--all")
    assert "nothing differs" in told
    assert " planned, 1 audience drawn\n" in told
    # Forged behind our back.
    world.sql("ALTER TABLE events DISABLE TRIGGER USER")
    world.sql(
        'UPDATE events SET body = replace(body, \'"outcome":"sent"\', \'"outcome":"refused"\') WHERE type = \'letter_recorded\''
    )
    assert "chain      BROKEN at event 5" in world.refused(1, "replay", "campaign:spring")


def test_an_audience_that_no_event_holds_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A0-3: nobody is drawn, the answer says what to plan instead, and the refusal follows from the log again."""
    office = Office(world)
    for _ in range(4):
        office.declined()
    monkeypatch.setattr("workflows.audience.BODY_BYTES_MAX", 5_000)
    with world.worker():
        world.ok("campaign", "plan", "spring", *ANN)
        said = world.refused(1, "campaign", "draw", "spring", *ANN)
    assert "The audience has 4 people, too many for one draw, which holds 2 for certain. Nobody was drawn:" in said
    assert {} == office.letters()
    office.sound()
