"""Deals that stand still, and declines that are only put off."""

import shlex
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.desk import WORDS
from tests.service.campaigns import Office
from tests.service.world import MONDAY, World
from workflows.campaign_events import ColdProposed
from workflows.commands import BookMeeting, CompleteHomework, MarkWon, RecordReply, RecordStrategy
from workflows.events import LeadDeclined, RevivalQueued
from workflows.homework_commands import AnticipateNeed, OpenHistory, Source
from workflows.playbooks import Homework

FIELDS = Homework().fields


def _deal(world: World) -> UUID:
    return world.take_in(queued=False, open_opportunity=True)


def test_an_open_deal_that_stands_still_is_proposed_as_cold(world: World) -> None:
    """A0-2: 31 days without a step forward and nothing planned is cold; with a meeting ahead, or a step forward, it is not."""
    with world.worker():
        office = Office(world)
        still, moving, meeting, won = (_deal(world) for _ in range(4))
        world.at(MONDAY + timedelta(days=20))
        world.ok("stage", moving, 4)
        world.hand_in(meeting, RecordReply(channel="email"))
        world.hand_in(won, MarkWon())
        world.at(MONDAY + timedelta(days=30))
        assert [] == world.said("cold")["cold"]
        world.at(MONDAY + timedelta(days=31))
        world.hand_in(meeting, BookMeeting(meeting_at=world.clock() + timedelta(days=7)))
        assert [str(still)] == [each["lead_id"] for each in world.said("cold", "--propose")["cold"]]
        world.ok("cold", "--propose")
    (proposed,) = [each.data for each in world.events(still) if isinstance(each.data, ColdProposed)]
    assert (31, MONDAY) == (proposed.idle_days, proposed.idle_since)
    world.at(MONDAY + timedelta(days=52))
    assert {str(still), str(moving)} == {each["lead_id"] for each in world.said("cold")["cold"]}
    assert "0 open deals cold: no step forward for more than 100 days" in world.ok("cold", "--days", 100)
    assert "no rep is called 'eve'" in world.refused(2, "cold", "--rep", "eve")
    office.sound()


def test_a_hold_comes_back_on_its_day(world: World) -> None:
    """A0-1: a hold is no no: without a day it comes back 60 days later, and the wish to keep in touch is kept as evidence."""
    with world.worker():
        office = Office(world)
        lead = world.take_in(queued=False)
        world.ok("decline", lead, "--kind", "hold", "--stated-reason", "spending_on_hold", "--keep-in-touch")
    (declined,) = [each.data for each in world.events(lead) if isinstance(each.data, LeadDeclined)]
    assert date(2026, 3, 6) == MONDAY.date() + timedelta(days=60) == declined.revisit_on
    assert declined.keep_in_touch_requested
    kept = world.lead(lead).decline
    assert kept
    assert (True, "hold") == (kept.keep_in_touch_requested, kept.kind)
    world.at(MONDAY + timedelta(days=59))
    assert "nurture" == world.lead(lead).state
    world.at(MONDAY + timedelta(days=60, hours=1))
    assert "HOMEWORK   " in world.ok("today", "--rep", "dan")
    here, missing = "to come back on Fri 2026-03-06, and that day is here; ", "missing before the queue: "
    need, homework, strategy = "what they will need, ", "homework of the last 180 days, ", "a strategy"
    with world.worker():
        for command, what in (
            ("history", f"{need}{homework}a look at the account's history, {strategy}"),
            ("need", f"{need}{homework}{strategy}"),
            ("homework", f"{homework}{strategy}"),
            ("strategy", strategy),
        ):
            item = _homework(world)
            assert f"{here}{missing}{what}" == item["why"]
            (typed,) = (line for line in item["commands"] if line.startswith(f"thaw {command} "))
            filled = typed.replace("DAY=ADDRESS", "2026-03-01=https://example.com/report").replace("WORD", "new-roof")
            world.ok(*shlex.split(filled.replace("TEXT", "'Ask their planner which budget the roof would come from.'"))[1:])
        item = _homework(world)
        later = "and the service looks again on Sun 2026-04-05: queue it now, if you like"
        assert f"{here}nothing is missing, {later}" == item["why"]
        world.ok(*shlex.split(item["commands"][0])[1:])
    assert "queued" == world.lead(lead).state
    office.sound()


def _homework(world: World) -> dict[str, Any]:
    (item,) = (item for item in world.said("today")["items"] if item["kind"] == "homework")
    assert isinstance(item, dict)
    return item


def _study(world: World, lead: UUID, published_on: date) -> None:
    """Have the account studied: a need foreseen, every question answered from a source of that day, and a strategy."""
    world.hand_in(lead, AnticipateNeed(item="new-roof", need=WORDS, rationale=WORDS))
    cited = (Source(published_on=published_on, where=WORDS),)
    answers = dict.fromkeys(FIELDS, WORDS)
    world.hand_in(lead, CompleteHomework(answers=answers, sources=(published_on,), cited=cited))
    world.hand_in(lead, OpenHistory())
    world.hand_in(lead, RecordStrategy(strategy=WORDS, missed_last_time=WORDS))


def test_a_hold_whose_homework_is_done_is_queued_on_its_day(world: World) -> None:
    """A0-1: with the homework done, the lead is in the queue on the day that was named, by itself."""
    with world.worker():
        office = Office(world)
        lead = world.take_in(queued=False)
        world.ok("decline", lead, "--kind", "hold", "--stated-reason", "spending_on_hold", "--revisit-on", "2026-03-02")
    _study(world, lead, date(2026, 1, 1))
    world.at(datetime(2026, 3, 1, 22, tzinfo=UTC))
    assert "nurture" == world.lead(lead).state
    world.at(datetime(2026, 3, 2, 13, 30, tzinfo=UTC))
    (queued,) = [each for each in world.events(lead) if isinstance(each.data, RevivalQueued)]
    assert ("revisit", "T34") == (queued.data.reason, queued.row)  # type: ignore[union-attr]
    office.sound()
