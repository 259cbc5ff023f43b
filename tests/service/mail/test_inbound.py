"""Mail that comes in by ``thaw inbound``: from the bytes to the log."""

import hashlib
from datetime import date, timedelta

import pytest
from click.testing import CliRunner

from service.cli import main
from service.mailing import imap
from tests.service.mail.mailbox import FakeMailbox, mailbox
from tests.service.mail.office import Office
from tests.workflows.test_hostile_mail import HOSTILE
from tests.workflows.test_inbound import report
from workflows.events import event_type

__all__ = ["mailbox"]


def answer(office: Office, body: str, *, subject: str = "Re: hello", who: str = "ada@example.com", **headers: str) -> bytes:
    """Return an answer to the last mail that the server took, if there is one."""
    if office.server.mails:
        headers = {"In_Reply_To": office.server.mails[-1].message_id} | headers
    id_ = hashlib.sha256(body.encode()).hexdigest()[:8]
    lines = [f"From: {who}", "To: dan@springfield.example", f"Message-ID: <{id_}@example.com>", f"Subject: {subject}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + f"\r\n\r\n{body}\r\n").encode()


def hand_in(office: Office, raw: bytes, *arguments: str, status: int = 0) -> str:
    with office.world.worker():
        result = CliRunner().invoke(main, ["inbound", *arguments], input=raw, env=office.world.environ)
    assert status == result.exit_code, result.output
    return result.output


def sent(office: Office) -> None:
    office.nurture()
    office.deliver()


def test_an_answer_stops_the_sequence(office: Office) -> None:
    """A1-10, A3-5: it is found by our Message-ID, even from another address; its words are kept apart from the log."""
    sent(office)
    assert "re_engaged now" in hand_in(office, answer(office, "Tell me more, please.", who="assistant@elsewhere.example"))
    lead = office.world.lead(office.nurtured)
    assert ("re_engaged", False) == (lead.state, "nurture_touch" in lead.timers)
    assert "Tell me more" not in str(office.world.events(office.nurtured))


@pytest.mark.parametrize(("intent", "day"), [("changed", None), ("later", "2026-09-01")])
def test_a_person_says_what_an_answer_means(office: Office, intent: str, day: str | None) -> None:
    """A3-5: the situation changed, or later on a day, which is the day to come back."""
    sent(office)
    more = ("--revisit-on", day) if day else ()
    hand_in(office, answer(office, "Not just now."), "--intent", intent, *more)
    (reply,) = [each.data for each in office.world.events(office.nurtured) if event_type(each.data) == "reply_received"]
    assert (intent, day) == (reply.intent, str(reply.revisit_on) if reply.revisit_on else None)  # type: ignore[union-attr]


def test_an_answer_that_quotes_our_link_is_an_answer(office: Office) -> None:
    sent(office)
    quoted = "\r\n".join(f"> {line}" for line in office.server.mails[0].plain.splitlines())
    hand_in(office, answer(office, f"Yes!\r\n\r\nOn Monday, Dan wrote:\r\n{quoted}"))
    lead = office.world.lead(office.nurtured)
    assert ("re_engaged", True) == (lead.state, "email" in lead.modes)


def test_the_same_mail_twice_is_one_answer(office: Office) -> None:
    sent(office)
    raw = answer(office, "Yes!")
    hand_in(office, raw)
    version = office.world.lead(office.nurtured).version
    hand_in(office, raw)
    assert version == office.world.lead(office.nurtured).version


def test_an_absence_holds_the_lead_until_its_day(office: Office) -> None:
    sent(office)
    raw = answer(office, "I am out of the office until 20 January 2026.", Auto_Submitted="auto-replied")
    hand_in(office, raw)
    hold = office.world.lead(office.nurtured).hold
    assert hold
    assert ("prospect_out_of_office", date(2026, 1, 21)) == (hold.reason, hold.until)
    assert "reply_received" not in office.types(office.nurtured)
    office.world.at(office.world.clock() + timedelta(days=17))
    assert office.world.lead(office.nurtured).hold is None


def test_an_absence_without_a_day_lasts_two_weeks(office: Office) -> None:
    sent(office)
    hand_in(office, answer(office, "I am out of the office.", Auto_Submitted="auto-replied"))
    hold = office.world.lead(office.nurtured).hold
    assert hold
    assert date(2026, 1, 19) == hold.until


def test_a_program_that_says_that_mail_arrived_changes_nothing(office: Office) -> None:
    sent(office)
    version = office.world.lead(office.nurtured).version
    assert "nothing is recorded" in hand_in(office, answer(office, "Ticket 4711 was opened.", Auto_Submitted="auto-generated"))
    assert version == office.world.lead(office.nurtured).version


@pytest.mark.parametrize(("status", "kept"), [("5.1.1", False), ("4.2.2", True)])
def test_a_mail_that_came_back_counts_against_its_address_or_goes_out_again(office: Office, status: str, kept: bool) -> None:
    sent(office)
    ours = office.server.mails[0].message_id.strip("<>").partition("@")[0]
    raw = report(status).replace(b"5f6d2c11-6a77-4a0e-9d0b-7e1f60b1a001", ours.encode())
    hand_in(office, raw)
    assert kept == ("email" in office.world.lead(office.nurtured).modes)
    office.world.at(office.world.clock() + timedelta(days=1))
    office.deliver()
    assert (2 if kept else 1) == len(office.server.taken)


def sheet(office: Office) -> str:
    return office.world.ok("today", "--rep", "dan")


def test_an_answer_that_only_a_program_read_is_kept_as_unread(office: Office) -> None:
    """Nobody knows what they want until somebody reads it: the sheet has their words, and the line to type."""
    sent(office)
    hand_in(office, answer(office, "We stopped the old contract, call me."))
    (reply,) = [each.data for each in office.world.events(office.nurtured) if event_type(each.data) == "reply_received"]
    assert "unread" == reply.intent  # type: ignore[union-attr]
    shown = sheet(office)
    assert "nobody has read it yet" in shown
    assert "they wrote: “We stopped the old contract, call me.”" in shown
    assert "say what they want: thaw reply V-0000 --channel email --intent WORD" in shown
    with office.world.worker():
        office.world.ok("reply", "V-0000", "--channel", "email", "--intent", "changed")
    assert "nobody has read it yet" not in sheet(office)


@pytest.mark.parametrize(
    "body",
    [
        "unsubscribe",
        "Please unsubscribe me, stop mailing.",
        "Please do not mail me again.",
        "As we meet on Friday, no further contact please.",
    ],
)
def test_an_objection_in_words_ends_mail(office: Office, body: str) -> None:
    """The sheet says what they wrote, and what to type where they meant all contact; the log does not hold their words."""
    sent(office)
    hand_in(office, answer(office, body))
    assert ("email",) == office.world.lead(office.nurtured).modes_refused
    shown = sheet(office)
    assert "no more email since" in shown
    assert f"they wrote: “{body}”" in shown
    assert "read it: only email? If they want no contact at all: thaw opt-out V-0000" in shown
    assert "stop mailing" not in str(office.world.events(office.nurtured))


def test_a_subject_alone_is_an_objection(office: Office) -> None:
    sent(office)
    hand_in(office, answer(office, "", subject="unsubscribe"))
    assert ("email",) == office.world.lead(office.nurtured).modes_refused
    assert "they wrote: “unsubscribe”" in sheet(office)


@pytest.mark.parametrize("body", ["Do not contact me again.", "No thanks. Please delete my data and do not write to me again."])
def test_words_aimed_at_all_contact_end_all_of_it(office: Office, body: str) -> None:
    """A note asks for somebody to be left alone no less than a mail; who wants the data deleted is shown with the line."""
    sent(office)
    assert "do_not_contact now" in hand_in(office, answer(office, body))
    shown = sheet(office)
    assert "no more contact at all since" in shown
    assert f"they wrote: “{body}”" in shown
    assert ("thaw erase V-0000 --reason TEXT --by NAME" in shown) == ("delete" in body)
    with office.world.worker():
        office.world.ok("erase", "V-0000", "--reason", "asked for it by mail", "--by", "pia")
    assert "OBJECTION" not in sheet(office)


def test_an_objection_is_settled_by_consent_that_came_after_it(office: Office) -> None:
    """Nothing is closed any more, and nobody is told to close it again; a new objection is shown again."""
    sent(office)
    hand_in(office, answer(office, "Do not contact me again."))
    assert "OBJECTION" in (shown := sheet(office))
    assert "thaw opt-out" not in shown
    with office.world.worker():
        office.world.ok(
            "consent", "V-0000", "--evidence", "signed a new form", "--mode", "email", "--mode", "call", "--as", "manager:mia"
        )
    assert "OBJECTION" not in sheet(office)
    hand_in(office, answer(office, "Stop calling me."))
    assert "no more call since" in sheet(office)


def test_an_objection_leaves_the_sheet_after_three_working_days(office: Office) -> None:
    sent(office)
    hand_in(office, answer(office, "unsubscribe"))
    office.world.at(office.world.clock() + timedelta(days=3))
    assert "OBJECTION" in sheet(office)
    office.world.at(office.world.clock() + timedelta(days=1))
    assert "OBJECTION" not in sheet(office)


def test_an_objection_that_the_rep_typed_is_no_news(office: Office) -> None:
    with office.world.worker():
        office.world.ok("opt-out", "V-0000", "--channel", "email", "--words", "Stop mailing me, she said on the phone")
    (said,) = [each.data for each in office.world.events(office.nurtured) if event_type(each.data) == "channel_opted_out"]
    assert said.words  # type: ignore[union-attr]
    assert "OBJECTION" not in sheet(office)


def test_an_objection_by_the_mail_that_the_header_offers_ends_mail(office: Office) -> None:
    """`List-Unsubscribe: <mailto:…>`: nothing but the token in the subject says who it is."""
    sent(office)
    token = office.server.mails[0].plain.rpartition("/u/")[2].split()[0]
    hand_in(office, answer(office, "", subject=f"unsubscribe {token}", who="phone@elsewhere.example", In_Reply_To=""))
    assert ("email",) == office.world.lead(office.nurtured).modes_refused
    forged = token[:-1] + ("A" if token[-1] != "A" else "B")
    said = hand_in(office, answer(office, "x", subject=f"unsubscribe {forged}", who="eve@example.com", In_Reply_To=""))
    assert "nothing is recorded" in said


@pytest.mark.parametrize(
    ("raw", "says"), [(b"", "there is no mail"), (b"\n\nhello", "this is no mail"), (b"\xff\xfe\x00", "this is no mail")]
)
def test_what_is_no_mail_is_refused_in_one_sentence(office: Office, raw: bytes, says: str) -> None:
    assert says in hand_in(office, raw, status=2)


@pytest.mark.parametrize("name", ["half a letter in utf-7", "an encoding that nobody knows", "a letter of too high a number",
                                  "parts in parts", "half a letter in the subject", "a zone beyond the day"])  # fmt: skip
def test_a_mail_that_is_made_to_break_us_is_taken_in_as_far_as_it_can_be_read(office: Office, name: str) -> None:
    """By the pipe as by the mailbox: it is an answer, with what cannot be read left out."""
    sent(office)
    ours = f"In-Reply-To: {office.server.mails[-1].message_id}\r\n".encode()
    assert "re_engaged now" in hand_in(office, ours + HOSTILE[name])


def test_a_mail_that_is_too_large_is_refused_unread(office: Office) -> None:
    assert "more than 25000000 bytes" in hand_in(office, b"From: ada@example.com\r\n\r\n" + b"x" * 25_000_000, status=2)


def test_a_mail_of_a_stranger_is_left_alone(office: Office) -> None:
    assert "no lead" in hand_in(office, answer(office, "Hello", who="stranger@example.com"))


def test_a_mail_by_a_known_address_is_found_without_a_thread(office: Office) -> None:
    office.world.ok("suppressions", "check", "V-0000")
    hand_in(office, answer(office, "I thought about it again.", who="Ada <ADA@example.com>"))
    assert "re_engaged" == office.world.lead(office.nurtured).state


def test_a_mailbox_is_read_by_imap_once_and_left_as_it_was(office: Office, mailbox: FakeMailbox) -> None:
    """A real conversation: what was taken in bears our keyword and is not asked for again; nothing is marked as read."""
    sent(office)
    office.world.environ["THAW_IMAP_URL"] = mailbox.url
    mailbox.mails = [answer(office, "Yes!"), answer(office, "Hello", who="stranger@example.com", In_Reply_To=""), b"garbage"]
    said = office.world.ok("inbound", "--imap")
    office.world.work()
    assert ["reply", "reply of somebody who is no lead: nothing is recorded"] == said.splitlines()[:2]
    assert "this is no mail" in said.splitlines()[2]
    assert "re_engaged" == office.world.lead(office.nurtured).state
    assert [{"ThawRead"}] * 3 == mailbox.flags
    assert "" == office.world.ok("inbound", "--imap")


def test_a_mail_that_cannot_be_taken_in_does_not_stop_those_behind_it(office: Office, mailbox: FakeMailbox) -> None:
    """Whoever knows the address may write there; an objection behind such a mail is heard all the same."""
    sent(office)
    office.world.environ["THAW_IMAP_URL"] = mailbox.url
    deep = answer(office, "x", who="(" * 1500 + "eve@example.com")
    far = answer(office, "I am out of the office until 31 December 9999.", Auto_Submitted="auto-replied")
    forged = deep.replace(b"\r\nx\r\n", b"\r\nanother text under the same id\r\n")
    mailbox.mails = [deep, far, forged, answer(office, "Please do not mail me again.")]
    said = office.world.ok("inbound", "--imap").splitlines()
    assert ["reply", "out of office", "opt out"] == [said[0], said[1], said[3]]
    assert "for a person to read: a mail with this Message-ID was taken in before, and said something else" in said[2]
    office.world.work()
    assert ("email",) == office.world.lead(office.nurtured).modes_refused
    assert [{"ThawRead"}] * 4 == mailbox.flags
    assert "said something else" in hand_in(office, forged, status=2)


def test_a_mailbox_on_another_machine_hears_no_password_without_tls(
    office: Office, mailbox: FakeMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "is_this_machine", lambda _: False)
    office.world.environ["THAW_IMAP_URL"] = mailbox.url
    assert "cannot be read" in office.world.refused(2, "inbound", "--imap")
    assert "LOGIN" not in mailbox.said


def test_a_mailbox_that_says_no_is_told_in_one_sentence(office: Office, mailbox: FakeMailbox) -> None:
    office.world.environ["THAW_IMAP_URL"] = mailbox.url.replace("secret", "wrong")
    said = office.world.refused(2, "inbound", "--imap")
    assert "cannot be read" in said
    assert "wrong" not in said
