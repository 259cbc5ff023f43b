"""What becomes of a letter between its writing and its envelope; letters by mail; and hours and words that letters may have."""

from pathlib import Path
from typing import Any

import pytest

from actors.apply import Applier
from actors.committer import Committer
from service.cli import letters
from tests.service.campaigns import ABOUT, ANN, Office
from tests.service.world import World
from workflows.law_facts import LawFacts
from workflows.mail_text import header, read_mail

POSTAL = "Harbour Mills Ltd, 1 Mill Lane, Springfield"


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "WAIT_SECONDS", 3.0)


def wording(tmp_path: Path, name: str, says: str) -> Path:
    """Return a file with a wording for who declined that holds *says*."""
    path = tmp_path / name
    known = "{company} was busy with {last_meeting_topic}, and we could not move forward then."
    path.write_text(f"Dear {{name}},\n\n{says}\n\n{known} Come and see for yourself.\n\n{{events}}\n")
    return path


def test_a_letter_is_printed_as_it_was_kept_once_it_is_sent(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A0-4: written while no worker ran, it is not printed; later it is, word for word, whatever would be written now."""
    first, other = (wording(tmp_path, f"{number}.txt", f"This is wording {number}.") for number in (1, 2))
    with world.worker():
        office = Office(world)
        lead = office.declined()
        office.event()
        office.start()
    monkeypatch.setattr(letters, "WAIT_SECONDS", 0.1)
    out = ("--out", tmp_path / "letters")
    said = world.ok("campaign", "send", "spring", "--declined-wording", first, *out)
    assert "0 of 1 letter sent\n1 wait for a worker: do not post them yet. `thaw campaign print` prints them" in said
    assert [] == list((tmp_path / "letters").iterdir())
    again = world.said("campaign", "send", "spring", "--declined-wording", other, *out)
    assert ["accepted"] == [each["outcome"] for each in again["letters"]]
    # The lead's own stream has decided, and the campaign has not heard of it yet.
    _decide_one(world)
    (sent,) = world.said("campaign", "send", "spring", "--declined-wording", other, *out)["letters"]
    assert "sent" == sent["outcome"]
    assert "This is wording 1." in Path(sent["file"]).read_text()
    world.work()
    assert "sent" == office.letters()[lead]["status"]
    Path(sent["file"]).unlink()
    (printed,) = world.said("campaign", "print", "spring", *out)["letters"]
    assert "This is wording 1." in Path(printed["file"]).read_text()
    assert "1 of 1 letter printed" in world.ok("campaign", "print", "spring", "--lead", lead, *out)
    office.sound()


def test_a_refusal_is_not_told_as_accepted(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A0-3: what became of a letter is read from its message, also from a run before this one."""
    bad = tmp_path / "bad.txt"
    bad.write_text("Dear {name},\n\nWe could not move forward with you then. See it first-hand.\n\n{events}\n")
    with world.worker():
        office = Office(world)
        office.declined()
        office.event()
        office.start()
    monkeypatch.setattr(letters, "WAIT_SECONDS", 0.1)
    world.ok("campaign", "send", "spring", "--declined-wording", bad)
    _decide_one(world)
    said = world.refused(1, "campaign", "send", "spring", "--declined-wording", bad)
    assert "refused     declined" in said
    assert "The company is not in it, before the list of events." in said
    office.sound()


def test_a_letter_of_a_lead_that_was_merged_lies_open_no_more(world: World) -> None:
    """Released before, it would be written and refused for good, and its place taken from somebody else."""
    with world.worker():
        office = Office(world)
        lead, other = office.declined(), office.declined()
        office.event()
        office.start()
        assert "released" == office.letters()[lead]["status"]
        world.ok("merge", lead, "--into", other, *ANN)
        world.work()
        said = world.refused(1, "campaign", "send", "spring")
        world.work()
    assert "to go on: nothing: the person is drawn as the lead that goes on" in said
    assert ("excluded", "merged") == (office.letters()[lead]["status"], office.letters()[lead]["reason"])
    assert "sent" == office.letters()[other]["status"]
    assert "merged" not in world.ok("campaign", "send", "spring")
    office.sound()


def _decide_one(world: World) -> None:
    """Decide the letter, and nothing that follows from it."""
    (ring,) = world._due()
    world.committer.apply_all([ring])


def test_a_letter_by_mail_has_what_the_law_asks(world: World, tmp_path: Path) -> None:
    """A0-14: no campaign by mail starts without our postal address; each mail carries it, and the way out of other mail."""
    own = tmp_path / "own.toml"
    own.write_text(
        'schema = 1\nid = "by-mail"\nversion = "1.0.0"\ntitle = "An invitation"\nsource = "our team"\n'
        'extends = ["event-invitation@1.0.0"]\n[invitation]\nmode = "email"\n'
    )
    world.environ |= {"THAW_MAIL_DOMAIN": "mills.example", "THAW_HOME": str(tmp_path / "home")}
    with world.worker():
        office = Office(world)
        world.ok("playbook", "publish", own, "--as", "manager:ann", "--approved-by", "manager:bob")
        lead = office.declined(person={"email": "ada@example.com"})
        unlawful = office.declined(person={"email": "bela@example.com"}, law=LawFacts(region="CA-ON"))
        office.event()
        world.ok("campaign", "plan", "spring", "--playbook", "by-mail", *ANN)
        world.ok("campaign", "draw", "spring", *ANN)
        said = world.refused(1, "campaign", "start", "spring", *ANN)
    assert "refused (check.postal_address): A letter by mail has to carry our postal address" in said
    _post(world)
    with world.worker():
        world.ok("campaign", "start", "spring", *ANN)
        world.work()
        world.refused(1, "campaign", "send", "spring")
        world.environ["THAW_POSTAL_ADDRESS"] = "Somewhere else"
        said = world.refused(1, "campaign", "send", "spring")
        assert "refused     declined V-0000       Ada Amberfield: It does not carry our postal address. Change it." in said
        assert "\n  to go on: the setting THAW_POSTAL_ADDRESS\n" in said
        world.work()
        world.environ["THAW_POSTAL_ADDRESS"] = POSTAL
        (sent,) = world.said("campaign", "send", "spring", "--out", tmp_path / "mails")["letters"]
    assert sent["file"].endswith(".eml")
    mail = read_mail(Path(sent["file"]).read_bytes())
    assert ("ada@example.com", "An invitation") == (mail.recipient, mail.subject)
    assert POSTAL in mail.plain
    assert header(mail.headers, "List-Unsubscribe").startswith("<mailto:dan@mills.example?subject=unsubscribe")
    assert "sent" == office.letters()[lead]["status"]
    assert "unlawful" == office.letters()[unlawful]["reason"]
    office.sound()


def _post(world: World) -> None:
    """Tell the worker where we are."""
    world.applier = Applier(world.service, world.clock, postal_address=POSTAL)
    world.committer = Committer(world.service, world.applier, world.committer._bell)


def test_a_letter_says_the_hour_of_the_place_and_its_zone(world: World, tmp_path: Path) -> None:
    """A0-6: whoever reads it may live in another zone than the event."""
    with world.worker():
        office = Office(world)
        office.declined(timezone="America/Los_Angeles")
        office.event("here", starts="2026-03-09T09:00")
        office.event("there", starts="2026-04-09T09:00", timezone="Europe/Berlin")
        office.start()
        (sent,) = world.said("campaign", "send", "spring", "--out", tmp_path)["letters"]
    text = Path(sent["file"]).read_text()
    assert "Mon 2026-03-09 09:00 (America/New_York, UTC-04:00), at Harbour Mills" in text
    assert "Thu 2026-04-09 09:00 (Europe/Berlin, UTC+02:00), at Harbour Mills" in text
    assert "Thu 2026-04-09 09:00 (Europe/Berlin, UTC+02:00)" in world.ok("event", "show", "there")
    office.sound()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"starts": "2026-03-08T02:30"},
            "does not exist in America/New_York: the clocks are put forward over it; write 2026-03-08T01:30 or 2026-03-08T03",
        ),
        (
            {"starts": "2026-11-01T01:30"},
            "twice on that day in America/New_York: the clocks are put back; write 2026-11-01T01:30-04:00 or 2026-11-01T01:3",
        ),
        ({"starts": "2026-03-09"}, "--starts: '2026-03-09' has no hour, and letters name it; write it like 2026-03-09T14:30"),
        ({"title": "Open \u202eesuoh"}, "'--title': it holds U+202E, a character that is not printed but obeyed; leave it out"),
        ({"host": "\x1b[2JMills"}, "'--host': it holds U+001B, a character that is not printed but obeyed; leave it out"),
        ({"title": "One\nand two"}, "'--title': it has a line break; write it on one line"),
        ({"place": "x" * 10_000}, "'--place': it has 10000 characters; letters have room for 200"),
        ({"description": ABOUT + "\x07"}, "'--description': it holds U+0007, a character that is not printed but obeyed"),
    ],
)
def test_what_no_letter_may_say_is_refused_at_the_door(world: World, options: dict[str, Any], said: str) -> None:
    """A0-8: one sentence, and no event."""
    world.rep()
    given = {"kind": "training", "starts": "2026-03-09T09:00", "seats": 5, "title": "A tour", "host": "Mills"} | options
    typed = [word for field, value in given.items() for word in (f"--{field}", value)]
    printed = " ".join(world.refused(2, "event", "add", "tour", *typed, *ANN).split())
    assert said in printed
    assert [] == world.said("event", "list")["events"]


def test_an_hour_that_is_twice_is_taken_with_its_offset(world: World) -> None:
    """A0-8: which of the two, the offset says."""
    with world.worker():
        office = Office(world)
        office.event("late", starts="2026-11-01T01:30-05:00")
    assert "Sun 2026-11-01 01:30 (America/New_York, UTC-05:00)" in world.ok("event", "show", "late")


def test_a_name_that_would_rewrite_the_letter_is_not_written(world: World) -> None:
    """A0-4: what the CRM says of a person is looked at, too, and the letter waits until it is corrected."""
    with world.worker():
        office = Office(world)
        office.declined(person={"company": "Springfield \u202esemoH"})
        office.event()
        office.start()
        said = world.refused(1, "campaign", "send", "spring")
    assert "the company holds U+202E, which no letter may have; correct it where it comes from" in said
