"""One newsletter for all who are owed a touch by mail, from the shell to the bytes that arrived."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.service.mail.office import Office, study
from tests.service.world import MONDAY
from workflows import commands as c
from workflows.events import event_type

NEWS = "The spring letter is out: three gardens, what they cost, and what their owners would do otherwise."


@pytest.fixture
def owed(office: Office, tmp_path: Path) -> Office:
    """Five leads to whom February's touch is owed, of whom two may get one by mail."""
    world = office.world
    bela = world.take_in(person={"name": "Bela Mail", "email": "bela@example.com"}, queued=False)
    cara = world.take_in(person={"name": "Cara Post"}, modes=("post",), queued=False)
    dora = world.take_in(person={"name": "Dora Unread", "email": "dora@example.com"}, queued=False)
    emil = world.take_in(person={"name": "Emil Objected", "email": "emil@example.com"}, queued=False)
    for lead in (bela, cara, dora, emil):
        world.hand_in(lead, c.RecordDecline(kind="no", stated_reason="price"))
        if lead != dora:
            study(world, lead)
        world.hand_in(lead, c.StartNurture())
    world.hand_in(emil, c.OptOut(channel="email"))
    world.at(MONDAY + timedelta(days=35))
    (tmp_path / "news.txt").write_text(NEWS)
    return office


def send(office: Office, tmp_path: Path, *more: object) -> dict[str, Any]:
    """Hand the newsletter in, and have the workers apply and send it."""
    options = ("--asset", "spring-letter", "--kind", "newsletter", "--text-file", tmp_path / "news.txt")
    said: dict[str, Any] = office.world.said("mail", "nurture", "--owed", *options, *more)
    office.world.work()
    office.deliver()
    return said


def test_all_who_are_owed_get_it_each_by_name_and_the_others_a_reason(owed: Office, tmp_path: Path) -> None:
    """A3-4: each is judged alone, by the rules that hold for one mail; nothing is handed in twice on the same day."""
    events = len(owed.world.events(owed.world.leads[3]))
    dry = send(owed, tmp_path, "--dry-run")
    assert owed.server.mails == []
    told = send(owed, tmp_path)
    assert (dry["mails"], dry["left_out"]) == (told["mails"], told["left_out"])
    assert sorted(each["key"] for each in told["mails"]) == ["V-0000", "V-0001"]
    reasons = {each["key"]: (each["rule"], each["reason"]) for each in told["left_out"]}
    assert reasons["V-0003"][0] == "account_studied"
    assert reasons["V-0002"] == (None, "no mail address is known")
    assert reasons["V-0004"][0] == "email_reachable"
    assert len(owed.world.events(owed.world.leads[3])) == events
    greetings = {mail.headers["To"]: mail.plain.splitlines()[0] for mail in owed.server.mails}
    assert greetings == {"Ada Amberfield <ada@example.com>": "Hello Ada,", "Bela Mail <bela@example.com>": "Hello Bela,"}
    assert all(NEWS in " ".join(mail.plain.split()) for mail in owed.server.mails)
    assert "nurture_touch_sent" in [event_type(each.data) for each in owed.world.events(owed.nurtured)]
    again = send(owed, tmp_path)
    assert again["mails"] == []
    assert len(owed.server.mails) == 2
    assert owed.world.said("rederive", "--all")["mismatches"] == []


def test_a_repeated_run_hands_in_nothing_again_while_the_mails_still_wait(owed: Office, tmp_path: Path) -> None:
    """A3-4: a second run on the same day, before a worker came to it, says so; who may have it by then gets it."""
    options = ("--owed", "--asset", "spring-letter", "--text-file", tmp_path / "news.txt")
    assert "2 mails handed in; 3 leads left out" in owed.world.ok("mail", "nurture", *options)
    said = owed.world.ok("mail", "nurture", *options)
    assert "0 mails handed in; 5 leads left out" in said
    assert "Bela Mail (V-0001) gets none: it was handed in today already; it waits" in said
    study(owed.world, owed.world.leads[3])
    assert "Dora Unread (V-0003) gets spring-letter" in owed.world.ok("mail", "nurture", *options)
    owed.world.work()
    owed.deliver()
    assert len(owed.server.mails) == 3


def test_what_is_about_one_lead_does_not_go_with_all(office: Office, tmp_path: Path) -> None:
    """Options that would be passed over are refused, and so is a mail for nobody; nothing is handed in."""
    (tmp_path / "news.txt").write_text(NEWS)
    text = ("--asset", "spring-letter", "--text-file", tmp_path / "news.txt")
    assert "LEAD is about one lead" in office.world.refused(2, "mail", "nurture", "V-0000", "--owed", *text)
    assert "--preview is about one lead" in office.world.refused(2, "mail", "nurture", "--owed", "--preview", *text)
    assert "name the LEAD, or say --owed" in office.world.refused(2, "mail", "nurture", *text)
    assert "go with --owed" in office.world.refused(2, "mail", "nurture", "V-0000", "--dry-run", *text)
    assert office.due() == []
