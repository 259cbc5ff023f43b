"""Why a plan of a day, a calendar, a campaign's letters and a seat are in the log: streams that are no lead's."""

import re
from datetime import timedelta

import pytest

from tests.service.campaigns import Office
from tests.service.world import MONDAY, World
from workflows.campaign import campaign_id
from workflows.events import DayPlanned, event_type
from workflows.rep import rep_id
from workflows.sales_event import sales_event_id


@pytest.fixture
def planned(world: World) -> World:
    """Seven leads in the queue, and the plan of Tuesday, which gives a note to five of them."""
    world.rep()
    for value in (4, 4, 3, 3, 3, 1, 0):
        world.take_in(value_band=value)
    world.at(MONDAY + timedelta(days=1))
    return world


def plan_of_tuesday(world: World) -> tuple[int, DayPlanned]:
    """Return the version and the words of the only plan that chose anybody."""
    plans = [(each.version, each.data) for each in world.events(rep_id("dan")) if isinstance(each.data, DayPlanned)]
    ((version, data),) = [(version, data) for version, data in plans if data.notes]
    return version, data


def test_the_plan_that_a_lead_names_can_be_read(planned: World) -> None:
    """From `event N of the rep` the way leads on to that event: what it rests on, whom it chose, and what came of that."""
    shown = " ".join(planned.ok("why", "V-0000", "3").split())
    (named,) = re.findall(r"event (\d+) of the rep \(day_planned", shown)
    version, data = plan_of_tuesday(planned)
    assert int(named) == version
    recorded = planned.events(rep_id("dan"))[version - 1]
    assert recorded.used
    assert recorded.used.position
    text = planned.ok("why", "rep:dan", named)
    assert "UNSET" not in text
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0].startswith(f"rep dan, event {version} at position ")
    told = " ".join(lines)
    assert f"timer plan_day, armed by event {version - 1}" in told
    assert f"the first {recorded.used.position} events of the log, which came to {recorded.used.book} (SHA-256)" in told
    assert f"calendar {recorded.used.calendar}" in told
    assert f"breakups {recorded.used.probes} minutes of the day for asking why" in told
    assert "says day 2026-01-06, notes " + " ".join(map(str, data.notes)) in told
    for lead_id in data.notes:
        assert f"note_scheduled for {lead_id}, due Tue 2026-01-06 " in told
    assert told.count("applied: note_scheduled (event 3)") == 5
    said = planned.said("why", "rep:dan", named)
    assert (said["event"]["version"], said["used"]["position"]) == (version, recorded.used.position)


def test_a_calendar_is_told_whole(planned: World) -> None:
    """Holidays and absences decide which days are planned: an auditor reads each of them."""
    told = " ".join(planned.ok("why", "rep:dan", "1").split())
    assert "calendar_frozen by rep:dan -> rep" in told
    assert "timezone America/New_York" in told
    assert "2026-07-03 Independence Day" in told
    assert f"SHA-256 {planned.said('why', 'rep:dan', '1')['event']['playbook']['digest']}" in told


def test_a_rep_is_replayed_to_any_moment(planned: World) -> None:
    """All plans are there, one after the other, and up to a time only those of before."""
    whole = planned.said("replay", "rep:dan")
    assert [each["recorded"]["version"] for each in whole["events"]] == list(range(1, whole["version"] + 1))
    assert (whole["whole"], whole["state"]["name"], whole["state"]["planned_on"]) == (True, "dan", "2026-01-06")
    version, data = plan_of_tuesday(planned)
    text = planned.ok("replay", "rep:dan")
    assert f"notes: 5: {data.notes[0]}, " in text
    assert "dan works by calendar " in text
    assert "in America/New_York; the last day that was planned is Tue 2026-01-06; the next plan is made Wed 2026-01-07" in text
    then = planned.said("replay", "rep:dan", "--at", "2026-01-05")
    assert then["version"] == version - 1
    assert {each["recorded"]["recorded_at"][:10] for each in then["events"]} == {"2026-01-05"}
    assert planned.said("replay", "rep:dan", "--at", version)["events"][-1]["recorded"]["data"]["type"] == "day_planned"


def test_a_rep_differs_between_two_moments(planned: World) -> None:
    """As `thaw diff LEAD A B`: the fields that are not the same, and the events between; the other way round, too."""
    version, _ = plan_of_tuesday(planned)
    text = planned.ok("diff", "rep:dan", version - 1, version)
    assert f"rep dan: event {version - 1} -> event {version}\n" in text
    assert re.search(r"planned on +Mon 2026-01-05 -> Tue 2026-01-06\n", text)
    assert re.search(r"timer plan_day +Tue 2026-01-06 .* -> Wed 2026-01-07 ", text)
    assert "1 event between them:" in text
    assert f"{version}  Tue 2026-01-06 " in text
    said = planned.said("diff", "rep:dan", "2026-01-05", "2026-01-06")
    assert (said["before"], said["after"], len(said["between"])) == (version - 1, version, 1)
    back = planned.said("diff", "rep:dan", version, version - 1)["differs"]
    assert [(each["after"], each["before"]) for each in back] == [(each["before"], each["after"]) for each in said["differs"]]
    assert "nothing differs\n0 events between them\n" in planned.ok("diff", "rep:dan", version, version)


def test_what_is_no_moment_of_a_stream_is_said_so(planned: World) -> None:
    assert "rep:dun is not known; did you mean rep:dan?" in planned.refused(2, "why", "rep:dun")
    assert "rep:dun is not known; did you mean rep:dan?" in planned.refused(2, "replay", "rep:dun")
    assert "rep:dun is not known; did you mean rep:dan?" in planned.refused(2, "rederive", "rep:dun")
    assert "campaign:spring is not known; there is none yet" in planned.refused(2, "why", "campaign:spring")
    assert "event 99: there are the events 1 to " in planned.refused(2, "why", "rep:dan", "99")
    assert "--at 99: there are the events 1 to " in planned.refused(2, "replay", "rep:dan", "--at", "99")
    assert "nothing was recorded by then" in planned.refused(2, "replay", "rep:dan", "--at", "2025-12-24")
    assert "--as occurred is for leads" in planned.refused(2, "replay", "rep:dan", "--as", "occurred")
    assert "rep:dun is not known; did you mean rep:dan?" in planned.refused(2, "diff", "rep:dun", "1", "2")
    assert "B 99: there are the events 1 to " in planned.refused(2, "diff", "rep:dan", "1", "99")
    assert "A 2025-12-24: nothing was recorded by then" in planned.refused(2, "diff", "rep:dan", "2025-12-24", "2")
    assert "--as occurred is for leads" in planned.refused(2, "diff", "rep:dan", "1", "2", "--as", "occurred")


def test_the_plans_of_one_rep_are_made_again(planned: World) -> None:
    """Its decisions and no others are derived, each plan on the book of the log that it names."""
    said = planned.said("rederive", "rep:dan")
    events = planned.events(rep_id("dan"))
    plans = sum(isinstance(each.data, DayPlanned) for each in events)
    assert (said["streams"], said["plans"], said["calendars"], said["mismatches"]) == (1, plans, 1, [])
    assert said["events"] == len(events)


def test_a_forged_plan_is_found_on_the_way(planned: World) -> None:
    version, data = plan_of_tuesday(planned)
    planned.sql("ALTER TABLE events DISABLE TRIGGER USER")
    planned.sql(
        "UPDATE events SET body = replace(body, %(old)s, %(new)s) WHERE stream_id = %(id)s AND version = %(version)s",
        old=str(data.notes[0]), new=str(data.notes[1]), id=rep_id("dan"), version=version,
    )  # fmt: skip
    assert f"chain      BROKEN at event {version} " in planned.refused(1, "replay", "rep:dan")
    for json in ((), ("--json",)):
        assert f"chain      BROKEN at event {version} at position " in planned.refused(1, "why", "rep:dan", version - 1, *json)
    assert f"chain      BROKEN at event {version} " in planned.refused(1, "diff", "rep:dan", "1", "2")


def test_campaigns_and_events_say_why(world: World) -> None:
    """Of a campaign: what was known of events and reps; of an event: who asked, and by which message."""
    with world.worker():
        office = Office(world)
        office.declined()
        office.event()
        office.start()
        world.ok("campaign", "send", "spring")
        world.work()
    kinds = [event_type(each.data) for each in world.events(campaign_id("spring"))]
    drawn = " ".join(world.ok("why", "campaign:spring", kinds.index("audience_drawn") + 1).split())
    assert "campaign spring, event 2 at position " in drawn
    assert "what was known of 1 person; --json has it" in drawn
    assert world.said("why", "campaign:spring", "2")["used"]["people"]
    released = " ".join(world.ok("why", "campaign:spring", kinds.index("letters_released") + 1).split())
    assert "dan: calendar " in released
    assert "5 follow-ups a day" in released
    letter = " ".join(world.ok("why", "campaign:spring").split())
    assert "of a lead (" in letter
    seats = " ".join(world.ok("why", "event:spring-training", "2").split())
    assert "because manager:ann handed it in" in seats
    assert re.search(r"Dramatiq actor [a-z_]+: rung ", seats)
    assert "together with event 1: one decision" in seats
    drew = world.ok("diff", "campaign:spring", "1", "2")
    assert re.search(r"drawn +no -> yes\n", drew)
    (person,) = world.said("replay", "campaign:spring")["state"]["letters"]
    assert re.search(rf"letters {person} none -> audience \S+, rep dan, status waiting\n", drew)
    version = kinds.index("letters_released") + 1
    assert re.search(r"status waiting -> .*status released", world.ok("diff", "campaign:spring", version - 1, version))
    assert re.search(r"description +none -> \[document [0-9a-f]{8}\]\n", world.ok("diff", "event:spring-training", "1", "2"))
    mentioned = world.said("diff", "event:spring-training", "2", len(world.events(sales_event_id("spring-training"))))
    (campaigns,) = [each for each in mentioned["differs"] if each["field"] == "campaigns"]
    assert (campaigns["before"], campaigns["after"]) == ("0", f"1: new {campaign_id('spring')}")
