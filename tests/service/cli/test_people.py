"""What people do with leads, from the shell to the log: each command once on its way, and the rules in between."""

from datetime import timedelta

import pytest

from tests.service.world import MONDAY, World
from workflows.events import event_type


@pytest.fixture
def busy(world: World) -> World:
    """A Tuesday morning on which dan has five notes to write, V-0000 to V-0004."""
    world.rep()
    world.rep("ann")
    world.register(5)
    world.at(MONDAY + timedelta(days=1))
    return world


#: All that a breakup has to say, after three attempts.
BREAKUP = (
    "I have tried to reach you three times. We agreed that phase two would give you a garden. If it is no longer a priority, "
    "that is fine: just hit reply and tell me how to go on."
)


def days(number: int) -> timedelta:
    return timedelta(days=number)


def test_from_the_note_to_the_breakup_and_back_to_a_won_deal(busy: World) -> None:
    thaw = busy.ok
    with busy.worker():
        thaw("note-sent", "V-0000", "--attest-all", "--minutes", 9)
        busy.at(MONDAY + days(8))
        thaw("call", "V-0000", "--outcome", "voicemail", "--minutes", 4)
        busy.at(MONDAY + days(10))
        thaw("touch", "V-0000", "--mode", "email", "--value-item", "market-report", "--attest-all")
        busy.at(MONDAY + days(15))
        assert busy.lead(busy.leads[0]).state == "call_due"
        thaw("call", "V-0000", "--outcome", "no_answer")
        thaw("offer", "V-0000", "--solution", "phase two", "--benefit", "a garden")
        confirm = ("breakup", "confirm", "V-0000", "--choice", "breakup", "--reason", "nobody answers any more")
        said = busy.refused(1, *confirm)
        assert "(everything_tried): Not everything was done yet: say who knows them, or that nobody does; say how" in said
        thaw("no-connector", "V-0000")
        thaw("importance", "V-0000", "3")
        thaw(*confirm)
        said = busy.refused(1, "breakup", "send", "V-0000")
        assert "refused (breakup_halves): A breakup is a voicemail reinforced by an email" in said
        thaw("breakup", "voicemail", "V-0000", "--attest-all")
        thaw("breakup", "email", "V-0000", "--monitored", "--text", BREAKUP)
        thaw("breakup", "send", "V-0000")
        busy.at(MONDAY + days(40))
        assert busy.lead(busy.leads[0]).state == "nurture"
        thaw("nurture", "touch", "V-0000", "--mode", "email", "--asset", "planning-guide", "--attest-all")
        thaw("reply", "V-0000", "--channel", "email", "--intent", "interested", "--words", "Tell me more")
        thaw("meeting", "book", "V-0000", "--at", "2026-02-20T14:30", "--booked-at", "today")
        busy.at(MONDAY + days(47))
        thaw("meeting", "held", "V-0000", "--next-step", "send_offer", "--next-step-on", "2026-02-25")
        thaw("won", "V-0000")
    assert busy.lead(busy.leads[0]).state == "won"
    assert [event_type(event.data) for event in busy.events(busy.leads[0]) if event.actor == "rep:dan"] == [
        "note_sent", "no_response", "touch_sent", "no_response", "offer_recorded", "command_refused",
        "connector_denied", "importance_answered", "cut_bait_confirmed", "command_refused",
        "breakup_voicemail_left", "breakup_email_sent", "breakup_sent", "nurture_touch_sent", "reply_received",
        "meeting_booked", "re_engaged", "lead_won",
    ]  # fmt: skip


def test_a_no_and_the_homework_after_it(busy: World) -> None:
    thaw = busy.ok
    fields = (
        "industry_rank_now", "industry_rank_before", "industry_changes", "economy_or_technology", "problems_this_year",
        "how_we_alleviate", "future_need",
    )  # fmt: skip
    with busy.worker():
        thaw("decline", "V-0000", "--kind", "hold", "--stated-reason", "no_budget", "--keep-in-touch", "--words", "Next year")
        thaw("reason", "stated", "V-0000", "--reason", "bad_timing")
        said = busy.refused(1, "reason", "real", "V-0000", "--reason", "lost_trust", "--evidence", "call-2026-01-06")
        assert "refused (reason_evidence)" in said
        thaw("reason", "real", "V-0000", "--reason", "lost_trust", "--evidence", "call-2026-01-06", "--words", "You were late")
        answers = [part for field in fields for part in ("--answer", f"{field}=something = known")]
        source = ("--source", "2025-11-30=https://example.com/report")
        said = busy.refused(1, "homework", "V-0000", *answers[2:], *source)
        assert "The homework has no answer to: industry rank now." in said
        thaw("need", "V-0000", "--item", "pond-2027", "--need", "a new pond", "--because", "the old one leaks")
        thaw("homework", "V-0000", *answers, *source, "--minutes", 20)
        thaw("history", "V-0000")
        thaw("strategy", "V-0000", "--strategy", "begin with the garden", "--missed", "who decides")
        thaw("qualify", "V-0000", "--qualified", "--evidence", "they bought before")
        thaw("importance", "V-0000", 5, "--action", "fly to them", "--action", "ask the owner to call")
        thaw("connector", "V-0000", "--who", "her sister-in-law")
        assert "refused (rested)" in busy.refused(1, "queue", "V-0000", "--reason", "revisit")
        thaw("nurture", "start", "V-0000", "--waiver", "she asked for it")
        assert "refused (manager): Only a manager can decide this." in busy.refused(
            1, "drop", "V-0000", "--reason", "out_of_business"
        )
        thaw("drop", "V-0000", "--reason", "out_of_business", "--as", "manager:mia")
    lead = busy.lead(busy.leads[0])
    assert (lead.state, lead.importance, lead.has_connector, lead.qualified) == ("dropped", 5, True, True)


def test_plans_change(busy: World) -> None:
    thaw = busy.ok
    with busy.worker():
        for number in range(4):
            thaw("note-sent", f"V-000{number}", "--attest-all")
        thaw("note-returned", "V-0000")
        assert busy.lead(busy.leads[0]).hold is not None
        thaw("release", "V-0000")
        thaw("reassign", "V-0001", "ann")
        thaw("hold", "V-0002", "--reason", "prospect_out_of_office", "--until", "2026-02-02")
        busy.at(MONDAY + days(8))
        thaw("reschedule", "V-0003", "--to", "2026-01-15", "--reason", "prospect_asked")
        thaw("opt-out", "V-0004", "--channel", "email")
        thaw("opt-out", "V-0001")
        assert busy.lead(busy.leads[1]).state == "do_not_contact"
        thaw("consent", "V-0001", "--evidence", "letter of 12 Jan", "--mode", "email", "--mode", "call", "--as", "manager:mia")
    first, second, third, fourth, fifth = (busy.lead(lead_id) for lead_id in busy.leads)
    assert first.hold is None
    assert (second.owner, second.state, second.modes) == ("ann", "registered", ("email", "call"))
    assert third.hold is not None
    assert fourth.call_on is not None
    assert fourth.call_on.isoformat() == "2026-01-15"
    assert fifth.modes_refused == ("email",)


def test_the_prospect_said_not_now(busy: World) -> None:
    with busy.worker():
        busy.ok("note-sent", "V-0000", "--attest", "personal_fact", "--override", "she knows me from church")
        busy.at(MONDAY + days(8))
        busy.ok("call", "V-0000", "--outcome", "not_now", "--revisit-on", "2026-09-01", "--minutes", 12)
    lead = busy.lead(busy.leads[0])
    assert lead.state == "nurture"
    assert str(lead.revisit_on) == "2026-09-01"
