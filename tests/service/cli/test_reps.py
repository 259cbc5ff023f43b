"""Reps and their calendars."""

from datetime import timedelta
from uuid import uuid4

import pytest

from service.cli import answers
from tests.service.world import MONDAY, World
from workflows.calendars import Calendar
from workflows.events import CalendarFrozen
from workflows.rep import rep_id

NEW = ("rep", "set", "dan", "--country", "US", "--timezone", "America/New_York")


def calendar(world: World, name: str = "dan") -> Calendar:
    frozen = [event.data for event in world.events(rep_id(name)) if isinstance(event.data, CalendarFrozen)]
    return frozen[-1].calendar


def test_a_rep_becomes_known_with_a_calendar_of_four_years(world: World) -> None:
    with world.worker():
        said = world.ok(*NEW)
    assert said == "applied: calendar_frozen. dan is known, in America/New_York; the next plan is made Mon 2026-01-05 06:00.\n"
    assert (str(calendar(world).first), str(calendar(world).last)) == ("2025-01-05", "2029-01-05")
    world.at(MONDAY + timedelta(days=1))
    assert "dan: 0 leads, five-five-five@1.0.0, America/New_York, US\n" == world.ok("rep", "list")


def test_absences_add_up_until_they_are_replaced(world: World) -> None:
    with world.worker():
        world.ok(*NEW, "--absence", "2026-03-09:2026-03-20", "--absence", "2026-05-04")
        world.ok("rep", "set", "dan", "--absence", "2026-07-06:2026-07-10", "--absence", "2026-05-04")
        spans = [(str(absence.first), str(absence.last)) for absence in calendar(world).absences]
        assert spans == [("2026-03-09", "2026-03-20"), ("2026-05-04", "2026-05-04"), ("2026-07-06", "2026-07-10")]
        assert (calendar(world).country, calendar(world).timezone) == ("US", "America/New_York")
        world.ok("rep", "set", "dan", "--replace", "--absence", "2026-08-03:2026-08-07")
    assert [str(absence.first) for absence in calendar(world).absences] == ["2026-08-03"]
    assert "away       Mon 2026-08-03 to Fri 2026-08-07" in world.ok("rep", "show", "dan")


def test_a_rep_is_shown_with_holidays_plan_and_leads(world: World) -> None:
    world.rep()
    world.register(2)
    shown = world.ok("rep", "show", "dan")
    assert "time zone  America/New_York, where it is Mon 2026-01-05 10:00\n" in shown
    assert "holidays   US: Mon 2026-01-19 Martin Luther King Jr. Day, Mon 2026-02-16 Washington's Birthday, " in shown
    assert "leads      queued 2\n" in shown
    said = world.said("rep", "show", "dan")
    assert (said["leads"], said["planned_on"]) == ({"queued": 2}, "2026-01-05")
    assert [rep["name"] for rep in world.said("rep", "list")["reps"]] == ["dan"]


def test_the_same_again_gives_the_same_answer(world: World) -> None:
    again = (*NEW, "--absence", "2026-03-09:2026-03-20", "--id", uuid4())
    with world.worker():
        first = world.said(*again)
        world.at(MONDAY + timedelta(days=3))
        assert world.said(*again) == first
    assert sum(isinstance(event.data, CalendarFrozen) for event in world.events(rep_id("dan"))) == 1


def test_a_rep_without_public_holidays(world: World) -> None:
    with world.worker():
        world.ok("rep", "set", "zoë 🍅", "--timezone", "Europe/Berlin")
    assert calendar(world, "zoë 🍅").holidays == ()
    assert "zoë 🍅: 0 leads, five-five-five@1.0.0, Europe/Berlin, no public holidays" in world.ok("rep", "list")
    assert "holidays   none" in world.ok("rep", "show", "zoë 🍅")


def test_nobody_yet(world: World) -> None:
    assert world.ok("rep", "list") == "nobody yet; make a rep known with `thaw rep set NAME --timezone …`\n"


BAD_INPUTS: list[tuple[tuple[object, ...], str]] = [
    (("rep", "set", "dan"), "thaw: dan is new here: name the time zone, such as --timezone America/New_York"),
    ((*NEW, "--playbook", "five-five"), "no playbook called 'five-five' is published; did you mean five-five-five?"),
    ((*NEW, "--timezone", "New York"), "There is no time zone 'New York'. Did you mean America/New_York"),
    ((*NEW, "--timezone", "localtime"), "There is no time zone 'localtime'."),
    ((*NEW, "--country", "Atlantis"), "There is no country 'Atlantis'."),
    ((*NEW, "--region", "XX"), "US has no region 'XX'."),
    ((*NEW, "--absence", "2026-03-20:2026-03-09"), "--absence 2026-03-20:2026-03-09: An absence cannot end on 2026-03-09"),
    ((*NEW, "--absence", "next week"), "--absence next week: 'next week' is no day; write it like 2026-03-09, or two"),
    ((*NEW, "--as", "somebody"), "'somebody' is nobody; write rep:NAME or manager:NAME"),
    (("rep", "set", " ", "--timezone", "UTC"), "'' is no name for a rep: 1 to 80 printable characters on one line"),
    (
        ("rep", "set", "dan ", "--timezone", "UTC"),
        "'dan' is no name for a rep: 1 to 80 printable characters on one line, no blank",
    ),
    (("rep", "set", " dan", "--timezone", "UTC"), "'dan' is no name for a rep"),
    (("rep", "set", "d\nan", "--timezone", "UTC"), "'d an' is no name for a rep"),
    (("rep", "set", "dan\u00a0smith", "--timezone", "UTC"), "is no name for a rep"),
    (("rep", "set", "x" * 81, "--timezone", "UTC"), "is no name for a rep"),
    (("rep", "show", "dan"), "no rep is called 'dan'; there is none yet: make one known with `thaw rep set`"),
]


def test_what_does_not_fit_is_said_in_a_sentence(world: World) -> None:
    for arguments, expected in BAD_INPUTS:
        said = " ".join(world.refused(2, *arguments).split())
        assert expected in said, said


def test_the_same_id_for_another_calendar_changes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "WAIT_SECONDS", 0.0)
    id_ = uuid4()
    world.ok(*NEW, "--id", id_)
    assert f"the id {id_} was used before" in world.refused(2, *NEW, "--absence", "2026-03-09", "--id", id_)
