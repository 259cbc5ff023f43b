"""What people wrote about an event can be erased, as what is known of a lead can."""

from tests.service.campaigns import ABOUT, ANN, Office, ask
from tests.service.world import World
from workflows.campaign_events import EventTextsErased
from workflows.sales_event import sales_event_id


def test_the_words_about_an_event_are_erased_for_good(world: World) -> None:
    """A0-7: host, approver, limits, title and reasons go with their salts; seats, counts and the history stay and verify."""
    with world.worker():
        office = Office(world)
        lead = office.declined()
        office.event(place="1 Mill Lane")
        office.start()
        world.ok("campaign", "send", "spring")
        world.work()
        world.ok("campaign", "rsvp", "spring", lead, "spring-training", *ANN)
        erase = ("event", "erase", "spring-training", "--reason")
        assert "refused (over): It is to come on" in world.refused(1, *erase, "asked for it", *ANN)
        world.ok("event", "exclude", "spring-training", "Rival Homes", *ANN)
        world.ok("event", "cancel", "spring-training", "--reason", "Jane Host is ill", *ANN)
        assert "--reason names the host" in world.refused(2, *erase, "jane host asked for it", *ANN)
        assert "--reason names the host" in world.refused(2, *erase, "RIVAL HOMES asked for it", *ANN)
        world.ok(*erase, "asked for it by letter", *ANN)
        said = world.refused(1, "event", "describe", "spring-training", "--text", ABOUT, *ANN)
        assert "refused (erased): What was written about it was erased" in said
        # That text was kept before it was refused; it goes with the next erasure.
        world.ok(*erase, "asked for it by letter", *ANN)
        # What is left are reasons of erasures: the receipts need theirs, and nobody erases one to keep the next.
        for _ in range(2):
            said = world.refused(1, *erase, "once more", *ANN)
            assert "refused (texts_left): Nothing that was written about it is left." in said
    id_ = sales_event_id("spring-training")
    receipts = [each.data for each in world.events(id_) if isinstance(each.data, EventTextsErased)]
    # Title, host, place, description, approver, limits, company, reason, and that of the refused erasure; then the rest.
    assert [9, 1] == [len(receipt.documents) for receipt in receipts]
    reasons = ask(world, f"SELECT id, body FROM documents WHERE lead_id = '{id_}' AND body <> 'once more' ORDER BY written_at")
    assert [(receipt.reason.document_id, "asked for it by letter") for receipt in receipts] == reasons
    shown = world.said("event", "show", "spring-training")
    assert ("", "", "", "", [str(lead)]) == (
        shown["title"],
        shown["host"],
        shown["approver"],
        shown["description"],
        shown["seated"],
    )
    assert "the words about it were erased on" in world.ok("event", "show", "spring-training")
    assert world.ok("verify").endswith(": nothing is wrong\n")
    office.sound()
