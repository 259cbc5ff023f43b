"""What a mail that comes in is: told from its headers and its sender's own words."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.inbound import Incoming, own_words, understood
from workflows.return_date import return_date

TODAY = date(2026, 2, 10)
OURS = "5f6d2c11-6a77-4a0e-9d0b-7e1f60b1a001"
QUOTED = f"""Sounds good, call me on Friday.

On Mon, 9 Feb 2026 at 10:00, Dan Miller <dan@springfield.example> wrote:
> Hello Ada,
> If this is no longer a priority, that is fine.
>
> No more mail from us, please: https://mail.springfield.example/u/{"A" * 43}
"""


def mail(body: str, subject: str = "Re: your file", **headers: str) -> bytes:
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    head = "From: Ada <ada@example.com>\r\nTo: dan@springfield.example\r\nMessage-ID: <1@example.com>"
    return f"{head}\r\nSubject: {subject}\r\n{more}\r\n{body}".encode()


def read(body: str, subject: str = "Re: your file", **headers: str) -> Incoming:
    return understood(mail(body, subject, **headers), TODAY)


def test_an_answer_that_quotes_our_link_is_no_objection() -> None:
    """Only the sender's own words count; and it is known which mail of ours it answers."""
    found = read(QUOTED, In_Reply_To=f"<{OURS}@springfield.example>", References="<x@y> <not-ours@z>")
    assert ("reply", "Sounds good, call me on Friday.") == (found.kind, found.words)
    assert (OURS,) == found.mails


@pytest.mark.parametrize(
    "words",
    ["unsubscribe", "Please unsubscribe me.", "STOP", "Remove me from your list!", "Do not contact me again.",
     "Please don't e-mail me",
     "take me off your mailing list please"],
)  # fmt: skip
def test_an_objection_in_own_words_is_one(words: str) -> None:
    assert "opt_out" == read(f"{words}\n\n{QUOTED.partition('.')[2]}").kind


@pytest.mark.parametrize(
    "words", ["Please stop by on Friday.", "I did not unsubscribe, why do you ask?", "We stopped the project; call me in May."]
)
def test_an_answer_with_such_a_word_in_it_is_an_answer(words: str) -> None:
    assert "reply" == read(words).kind


def test_an_objection_by_mail_names_its_token() -> None:
    token = "A" * 43
    assert ("unsubscribe", token) == (read("", f"unsubscribe {token}").kind, read("", f"unsubscribe {token}").token)
    assert "reply" == read("Why?", f"Re: unsubscribe {token}").kind


@pytest.mark.parametrize(
    "headers",
    [{"Auto_Submitted": "auto-replied"}, {"X_Auto_Response_Suppress": "All"},
     {"Precedence": "auto_reply"}, {"X_Autoreply": "yes"}],
)  # fmt: skip
def test_automatic_answers_are_told_apart(headers: dict[str, str]) -> None:
    """A3-5: an absence with its day, or a program that only says that something arrived."""
    away = read("I am out of the office until 20 February and will answer then.", **headers)
    assert ("out_of_office", date(2026, 2, 21)) == (away.kind, away.until)
    assert "automatic" == read("Your message has been received as ticket 4711.", **headers).kind


def test_a_notice_without_a_header_is_told_by_its_words_and_its_day() -> None:
    assert "out_of_office" == read("I am currently out of the office and back on 2026-02-23.").kind
    assert "reply" == read("I am on vacation until 20 February, could you call after that?").kind
    assert "reply" == read("I am out of the office a lot. Call my mobile.").kind
    assert "reply" == read("Fine by me", Auto_Submitted="no").kind


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("I am back on 23 February 2026.", date(2026, 2, 23)),
        ("back on February 23rd", date(2026, 2, 23)),
        ("out until Feb. 20, 2026", date(2026, 2, 21)),
        ("away 12 February to 20 February", date(2026, 2, 21)),
        ("away through Friday, 20 February, and will be back on 23 February", date(2026, 2, 23)),
        ("zurück am 23.02.2026", date(2026, 2, 23)),
        ("back on 2/23/2026", date(2026, 2, 23)),
        ("back on 3/2/2026", None),
        ("back on 31 February 2026", None),
        ("I left on 3 January 2026", None),
        ("back on 1 May 2031", None),
        ("back soon", None),
    ],
)
def test_the_day_of_return_is_read_or_left_open(text: str, day: date | None) -> None:
    assert day == return_date(text, TODAY)


def test_a_day_without_a_year_is_the_next_one() -> None:
    assert date(2027, 1, 5) == return_date("I return on 5 January", date(2026, 12, 20))
    assert return_date("I returned on 5 January", TODAY) is None


def report(status: str, action: str = "failed", inside: str = "message/rfc822") -> bytes:
    returned = f"Message-ID: <{OURS}@springfield.example>\r\nSubject: x\r\n"
    return (
        "From: MAILER-DAEMON@mx.example.com\r\nTo: dan@springfield.example\r\nMessage-ID: <b@mx>\r\n"
        "Auto-Submitted: auto-replied\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\nMIME-Version: 1.0\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n\r\n"
        f"Final-Recipient: rfc822; ada@example.com\r\nAction: {action}\r\nStatus: {status}\r\n\r\n"
        f"--b\r\nContent-Type: {inside}\r\n\r\n{returned}\r\nHello\r\n--b--\r\n"
    ).encode()


@pytest.mark.parametrize("inside", ["message/rfc822", "text/rfc822-headers"])
@pytest.mark.parametrize(("status", "permanent"), [("5.1.1", True), ("5.2.2", False), ("4.2.2", False), ("5.7.1", True)])
def test_a_mail_that_came_back_says_which_and_for_how_long(status: str, permanent: bool, inside: str) -> None:
    """RFC 3464: for good, or for a passing reason; a full mailbox passes whatever its number."""
    found = understood(report(status, inside=inside), TODAY)
    assert ("bounce", permanent, status, (OURS,)) == (found.kind, found.permanent, found.status, found.mails)


def test_a_mail_that_is_only_late_did_not_come_back() -> None:
    assert "delayed" == understood(report("4.4.1", "delayed"), TODAY).kind


def test_html_alone_is_read_too() -> None:
    found = read("<html><head><style>p {}</style></head><body><p>Yes &amp; soon</p></body></html>", Content_Type="text/html")
    assert ("reply", "Yes & soon") == (found.kind, found.words)


def test_signatures_and_quotations_end_what_was_written() -> None:
    assert "Yes" == own_words("Yes\n\n-- \nAda\nunsubscribe")
    assert "Yes" == own_words("Yes\n\n-----Original Message-----\nunsubscribe")
    assert "Yes" == own_words("Yes\n\nOn Mon, 9 Feb 2026 at 10:00, Dan Miller\n<dan@springfield.example> wrote:\nunsubscribe")
    assert "Yes\nNo" == own_words("Yes\n> what\nNo")


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"From: a@b\n", b"Content-Type: multipart/report; boundary=b\n\n--b\n", b"References: <"]),
)
def test_no_bytes_at_all_make_it_fail(raw: bytes, before: bytes) -> None:
    """Whatever arrives, something is understood, and never an exception."""
    assert understood(before + raw, TODAY).kind
