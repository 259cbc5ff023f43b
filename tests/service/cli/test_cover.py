"""A colleague makes the calls of a rep on leave, on the command line (methods.md 6.3 b)."""

from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from models.database import transaction
from models.rebuild import rebuild
from service.calendars import freeze_calendar
from service.times import shown_moment
from tests.service.cli.test_five import NOTE
from tests.service.world import MONDAY, World
from workflows.commands import SetCalendar
from workflows.rep import rep_id

COVERING = (
    'schema = 1\nid = "five-five-five"\nversion = "1.1.0"\ntitle = "Cover"\nsource = "us"\n'
    'extends = ["five-five-five@1.0.0"]\n[capacity]\nlong_gap = "colleague"\n'
)
LEAVE = ("rep", "set", "dan", "--absence", "2026-01-08:2026-01-21", "--as", "manager:ann")


@pytest.fixture
def covered(world: World, tmp_path: Path) -> World:
    """Tuesday: dan leaves on Thursday for two weeks, eve makes his calls, and there is a note to write to Ada."""
    world.rep()
    world.rep("eve")
    (tmp_path / "cover.toml").write_text(COVERING)
    world.ok("playbook", "publish", tmp_path / "cover.toml", "--as", "manager:ann", "--approved-by", "manager:bob")
    with world.worker():
        world.ok(*LEAVE, "--cover", "eve", "--playbook", "five-five-five")
        world.ok("rep", "set", "eve", "--playbook", "five-five-five")
    world.register(1)
    world.at(MONDAY + timedelta(days=1))
    return world


def called_by(world: World) -> list[tuple[str | None]]:
    """Return who calls each lead instead of its owner, as the column says by which plans find it."""
    with transaction(world.engine) as connection:
        return [(row[0],) for row in connection.execute(text("SELECT call_by FROM leads ORDER BY id"))]


def test_on_a_day_on_which_the_owner_is_back_nobody_is_said_to_be_away(world: World, tmp_path: Path) -> None:
    """Five working days of eve after Friday the 16th, without the holiday, is Monday the 26th: dan is back, and she calls."""
    world.rep()
    world.rep("eve")
    (tmp_path / "cover.toml").write_text(COVERING)
    world.ok("playbook", "publish", tmp_path / "cover.toml", "--as", "manager:ann", "--approved-by", "manager:bob")
    with world.worker():
        for rep in ("dan", "eve"):
            world.ok("rep", "set", rep, "--playbook", "five-five-five")
        world.ok("rep", "set", "dan", "--absence", "2026-01-20:2026-01-23", "--cover", "eve")
    world.at(MONDAY + timedelta(days=10))
    world.register(1)
    world.at(MONDAY + timedelta(days=11))
    said = world.ok("today", "--rep", "dan")
    assert "say that eve, who covers for you until you are back, will call on Mon 2026-01-26" in said
    with world.worker():
        world.ok("note-sent", "V-0000", "--attest-all")
    world.at(MONDAY + timedelta(days=21))
    hers = world.ok("today", "--rep", "eve")
    assert "dan's lead, you call although dan is back: the note names you; promised by the note of Fri 2026-01-16" in hers


def test_a_colleague_whom_the_playbook_never_has_call_is_named_with_a_warning(world: World) -> None:
    """Under `long_gap = "skip"` nothing comes of --cover: said at once, and by `thaw rep show` as long as it is so."""
    world.rep()
    world.rep("eve")
    with world.worker():
        shown = world.thaw(*LEAVE, "--cover", "eve")
        assert shown.exit_code == 0
        assert "--cover eve changes nothing yet: the days of dan follow five-five-five@1.0.0" in shown.stderr
        assert 'which has long_gap = "skip". Under a playbook with long_gap = "colleague" eve makes' in shown.stderr
        assert world.thaw("rep", "set", "dan", "--absence", "2026-03-09").stderr == ""
    assert "(eve is named, but the playbook has no colleague call)" in world.ok("rep", "show", "dan")


def test_the_note_names_the_colleague_and_the_call_is_hers(covered: World, tmp_path: Path) -> None:
    """From the note that must name her to her sheet, her call, and the promise that was kept for its owner."""
    world, promise = covered, "My colleague Eve will call you on 13 January."
    assert world.lead(world.leads[0]).call_on == date(2026, 1, 13)
    assert "say that eve, who makes your calls while you are away, will call on Tue 2026-01-13" in world.ok(
        "today", "--rep", "dan"
    )
    assert "which names eve as who calls" in world.ok("explain", "V-0000")
    with world.worker():
        said = world.refused(1, "note-sent", "V-0000", "--text", NOTE)
        assert "A colleague makes the call, and it does not name them: write “my colleague”" in " ".join(said.split())
        world.ok("note-sent", "V-0000", "--text", NOTE.replace("I'll call you next week.", promise))
    assert "made by eve while dan is away" in world.ok("explain", "V-0000")
    assert [("eve",)] == called_by(world)
    with transaction(world.engine) as connection:
        connection.execute(text("UPDATE leads SET call_by = NULL"))
        rebuild(connection)
    assert [("eve",)] == called_by(world)
    world.at(MONDAY + timedelta(days=8))
    assert "V-0000" not in world.ok("today", "--rep", "dan")
    hers = world.ok("today", "--rep", "eve")
    assert "dan's lead, you call while dan is away: the note names you; promised by the note of Tue 2026-01-06" in hers
    assert "note: Dear Ada," in hers
    told = world.ok("why-not", "V-0000", "--on", "2026-01-13")
    assert "its call is to be made on Tue 2026-01-13, and nobody has logged it" in told
    assert "dan did not work" not in told
    with world.worker():
        world.ok("call", "V-0000", "--outcome", "voicemail")
    assert world.events(world.leads[0])[-1].actor == "rep:eve"
    sheet = world.said("today", "--rep", "eve")
    assert (sheet["calls"]["done"], world.said("today", "--rep", "dan")["calls"]["done"]) == (1, 0)
    said = world.said("accountability", "--from", "2026-01-05", "--by", "day")["lines"]
    lines = {(line["rep"], line["first"]): line["figures"] for line in said}
    assert (lines["eve", "2026-01-13"]["calls"], lines["eve", "2026-01-13"]["promised"]) == (1, 0)
    assert (lines["dan", "2026-01-13"]["kept"], lines["dan", "2026-01-13"]["calls"]) == (1, 0)
    assert world.said("rederive", "--all")["mismatches"] == []
    world.ok("verify")
    world.bundles_hold(tmp_path, "V-0000")


def test_a_note_that_goes_out_late_is_read_beforehand_as_it_is_decided(covered: World) -> None:
    """A4-10: a day late, the call moves to the colleague's next working day; `thaw check` reads the note by her days too."""
    world = covered
    world.at(MONDAY + timedelta(days=2))
    promise = "My colleague Eve will call you on 14 January."
    late, early = (NOTE.replace("I'll call you next week.", said) for said in (promise, promise.replace("14", "13")))
    said = world.refused(1, "check", "V-0000", "--text", early)
    assert "It says “13 january”, and the call is planned for another day." in said
    assert "future_call" in world.ok("check", "V-0000", "--text", late)
    with world.worker():
        assert "13 january" in world.refused(1, "note-sent", "V-0000", "--text", early)
        world.ok("note-sent", "V-0000", "--text", late)
    assert world.lead(world.leads[0]).call_on == date(2026, 1, 14)


def test_without_a_text_the_writer_vouches_for_it(covered: World) -> None:
    """The promise that names the colleague is attested like any other."""
    with covered.worker():
        covered.ok("note-sent", "V-0000", "--attest-all")
    assert covered.lead(covered.leads[0]).call_by == "eve"


def test_why_not_looks_at_the_days_of_the_colleague(covered: World) -> None:
    """The slots of promised calls are hers, on the day on which she calls; and the sixth learns how many could be planned."""
    world = covered
    world.at(MONDAY + timedelta(days=1))
    world.register(6)
    world.at(MONDAY + timedelta(days=2))
    said = world.said("why-not", "V-0006", "--on", "2026-01-07")
    assert said["reasons"][0].startswith(
        "it was number 6 of 6 that waited for a note, by score, "
        "of equals the longest untouched first, and 5 notes could be planned"
    )
    calls = [(each.get("rep"), each["day"], each.get("by_plan")) for each in said["places"] if each["kind"] == "promised_call"]
    assert calls[-5:] == [("eve", "2026-01-14", True)] * 5
    assert all("rep" not in each for each in said["places"] if each["kind"] == "note")
    assert "eve promised call slot 1 of Wed 2026-01-14: " in " ".join(
        world.ok("why-not", "V-0006", "--on", "2026-01-07").split()
    )


def test_why_not_asks_whether_the_colleague_may_call(covered: World) -> None:
    """Her working day is the night where they live, and dan's own first day back would do: it is she who was to call."""
    world = covered
    india = freeze_calendar("US", "", "Asia/Kolkata", date(2025, 1, 1), date(2028, 12, 31))
    world.hand_in(rep_id("eve"), SetCalendar(rep="eve", calendar=india, playbook="five-five-five"), who="manager:ann")
    lead = world.take_in()
    world.at(MONDAY + timedelta(days=2))
    assert world.lead(lead).state == "queued"
    reason = world.said("why-not", "V-0001", "--on", "2026-01-07")["reasons"][0]
    assert reason.startswith("it could not be called: contact_hours, in US-IL: Wed 2026-01-14 has no hour for a call; it was ")
    assert "there as eve's day began" in reason


def test_why_not_knows_the_hours_of_the_colleague(covered: World) -> None:
    """The 14th is a Wednesday, and she calls on Fridays alone: nobody is written to, and the next day is hers as well."""
    world = covered
    with world.worker():
        world.ok("rep", "limit", "eve", "--weekdays", "5", "--why", "mornings at school", "--as", "manager:ann")
    lead = world.take_in()
    world.at(MONDAY + timedelta(days=2))
    assert world.lead(lead).state == "queued"
    reason = world.said("why-not", "V-0001", "--on", "2026-01-07")["reasons"][0]
    assert reason.startswith("it could not be called: contact_hours, in US-IL: Wed 2026-01-14 has no hour for a call; it was ")
    assert "as eve's day began, and the next opens on Fri 2026-01-16 at " in reason


def test_the_hours_of_who_is_away_keep_nobody_from_the_colleagues_calls(covered: World) -> None:
    """Dan calls on Mondays and Tuesdays alone; the call of Wednesday the 14th is eve's, and five notes are planned as ever."""
    world = covered
    with world.worker():
        world.ok("rep", "limit", "dan", "--weekdays", "1,2", "--why", "mornings at school", "--as", "manager:ann")
    world.register(6)
    world.at(MONDAY + timedelta(days=2))
    said = world.said("why-not", "V-0006", "--on", "2026-01-07")
    assert said["reasons"][0].startswith(
        "it was number 6 of 6 that waited for a note, by score, "
        "of equals the longest untouched first, and 5 notes could be planned"
    )


def test_why_not_asks_the_hours_of_whoever_has_the_call_on_the_list(covered: World) -> None:
    """A promised call of eve's that is due on a Tuesday, and she calls on Fridays alone by now."""
    world = covered
    with world.worker():
        world.ok("note-sent", "V-0000", "--attest-all")
        world.ok("rep", "limit", "eve", "--weekdays", "5", "--why", "mornings at school", "--as", "manager:ann")
    world.at(MONDAY + timedelta(days=8))
    assert "no hour for a call" in world.said("why-not", "V-0000", "--on", "2026-01-13")["reasons"][0]


def test_a_dry_run_moves_the_call_by_the_days_of_the_colleague(covered: World, tmp_path: Path) -> None:
    """What it says of the overdue call is what comes of it; by dan's days it would wait until he is back."""
    world = covered
    longer = COVERING.replace("1.1.0", "1.2.0") + "[timers]\ncall_late_working_days = 6\n"
    (tmp_path / "longer.toml").write_text(longer)
    world.ok("playbook", "publish", tmp_path / "longer.toml", "--as", "manager:ann", "--approved-by", "manager:bob")
    with world.worker():
        world.ok("note-sent", "V-0000", "--attest-all")
    world.at(MONDAY + timedelta(days=8))
    assert world.lead(world.leads[0]).state == "call_due"
    move = ("playbook", "migrate", "five-five-five@1.1.0", "five-five-five@1.2.0")
    ((_, told),) = world.said(*move, "--dry-run")["leads"][0]["timers"].values()
    world.ok(*move, "--as", "manager:ann")
    world.work()
    assert told == shown_moment(world.lead(world.leads[0]).timers["call_late"].due_at, ZoneInfo("America/New_York"))


def test_who_covers_is_shown_changed_and_taken_back(covered: World) -> None:
    """The same absence again, with somebody else or nobody; what says nothing of it leaves it."""
    world = covered
    assert "away       Thu 2026-01-08 to Wed 2026-01-21 (eve makes the calls)" in world.ok("rep", "show", "dan")
    with world.worker():
        world.ok(*LEAVE)
        assert "(eve makes the calls)" in world.ok("rep", "show", "dan")
        world.ok(*LEAVE, "--cover", "")
    assert "eve" not in world.ok("rep", "show", "dan")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ((*LEAVE, "--cover", "dan"), "nobody covers for themselves"),
        ((*LEAVE, "--cover", "zoe"), "zoe"),
        (("rep", "set", "dan", "--cover", "eve"), "name the days with --absence FIRST:LAST"),
    ],
)
def test_who_cannot_cover_is_refused(covered: World, typed: tuple[str, ...], said: str) -> None:
    """One sentence, and nothing is applied."""
    assert said in covered.refused(2, *typed)


def test_given_away_and_back_the_call_waits_for_its_owner_and_the_log_says_whose_cover_ended(
    covered: World, tmp_path: Path
) -> None:
    """6.3: zoe calls on the promised day; back with dan, who is on leave, the call is on his first day with a slot."""
    world, boss = covered, ("--as", "manager:ann")
    world.rep("zoe")
    with world.worker():
        world.ok("note-sent", "V-0000", "--attest-all")
        assert "Tue 2026-01-13" in world.ok("reassign", "V-0000", "zoe", *boss)
        assert "the note promised for Tue 2026-01-13, on Thu 2026-01-22" in world.ok("reassign", "V-0000", "dan", *boss)
    assert [("dan", date(2026, 1, 22))] == [(slot.rep, slot.day) for slot in world.lead(world.leads[0]).slots]
    said = " ".join(world.ok("replay", "V-0000").split())
    assert "owner zoe, previous owner dan, cover ended eve" in said
    assert "owner dan, previous owner zoe, call on 2026-01-22, previous call on 2026-01-13, reason rep_absent" in said
    assert world.said("rederive", "--all")["mismatches"] == []
    world.ok("verify")
    world.bundles_hold(tmp_path, "V-0000")
