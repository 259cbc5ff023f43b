"""A campaign of invitations from the first event to its results, as people type it."""

from tests.service.campaigns import ANN, TOPIC, Office
from tests.service.world import World


def test_a_campaign_from_the_event_to_its_results(world: World) -> None:
    """A0-3, A0-10, A0-13, A0-16: a letter each, an answer credited to campaign and event, and numbers that add up."""
    with world.worker():
        office = Office(world)
        prospect, client = office.declined(), office.client()
        office.event()
        office.start()
        sent = world.said("campaign", "send", "spring")
        assert ["sent", "sent"] == [each["outcome"] for each in sent["letters"]], sent
        world.ok("campaign", "rsvp", "spring", prospect, "spring-training", *ANN)
        world.ok("campaign", "rsvp", "spring", client, "spring-training", "--answer", "asks", *ANN)
    world.work()
    assert ("re_engaged", "won") == (world.lead(prospect).state, world.lead(client).state)
    found = world.said("campaign", "results", "spring")
    assert (2, 2, 0, 0) == (found["audience"], found["sent"], found["waiting"], found["excluded"])
    assert {"declined": (1, 0), "client": (0, 1)} == {
        each["audience"]: (each["re_engaged"], each["solidified"]) for each in found["audiences"]
    }
    (event,) = found["events"]
    assert (2, 2, 1, 12) == (event["listed_in"], event["answers"]["answers"], event["seated"], event["seats"])
    assert TOPIC not in str([recorded.data for recorded in world.events(prospect)])
    office.sound()
