"""Mail that was made to break its reader: whatever arrives, something is understood, and no more is read than a mail has."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows import mail_text
from workflows.hypertext import text_of
from workflows.inbound import understood
from workflows.mail_text import read_mail

TODAY = date(2026, 2, 10)
OURS = b"5f6d2c11-6a77-4a0e-9d0b-7e1f60b1a001"
HEAD = b"From: eve@example.com\r\nTo: dan@springfield.example\r\nMessage-ID: <1@example.com>\r\n"


def encoded(charset: str, body: bytes) -> bytes:
    return HEAD + f"Content-Type: text/plain; charset={charset}\r\n\r\n".encode() + body


def returned(status: bytes, kind: bytes, mail: bytes) -> bytes:
    return (
        b"From: MAILER-DAEMON@mx.example.com\r\nMessage-ID: <b@mx>\r\nContent-Type: multipart/report; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\n"
        b"Action: failed\r\nStatus: " + status + b"\r\n\r\n--b\r\nContent-Type: " + kind + b"\r\n\r\n" + mail + b"\r\n--b--\r\n"
    )


#: By what is wrong with it.
HOSTILE: dict[str, bytes] = {
    "comments in comments": b"From: " + b"(" * 1500 + b"eve@example.com\r\nMessage-ID: <1@x>\r\n\r\nYes",
    "an id of brackets": b"From: eve@example.com\r\nMessage-ID: " + b"<" * 1000 + b"\r\n\r\nYes",
    "half a letter in utf-7": encoded("utf-7", b"Yes +2AA- indeed"),
    "half a letter, escaped": encoded("unicode_escape", b"\\ud800 Yes"),
    "half a letter, escaped raw": encoded("raw_unicode_escape", b"\\ud800 Yes"),
    "half a letter in the subject": HEAD + b"Subject: =?utf-7?q?+2AA-?=\r\n\r\nYes",
    "half a letter in the sender": b"From: =?utf-7?q?+2AA-?= <eve@example.com>\r\nMessage-ID: <1@x>\r\n\r\nYes",
    "an encoding that nobody knows": encoded("nonsense", b"Yes \xe9"),
    "an encoding of no text": encoded("hex", b"Yes"),
    "an encoding of names": encoded("punycode", b"Yes" * 1000),
    "the end of time": HEAD + b"Auto-Submitted: auto-replied\r\n\r\nI am out of the office until 31 December 9999.",
    "after the end of time": HEAD + b"Auto-Submitted: auto-replied\r\n\r\nI am out of the office until 31 December 10000.",
    "the year nought": HEAD + b"Auto-Submitted: auto-replied\r\n\r\nI am out of the office until 0000-12-31.",
    "a day beyond the calendar": b"Date: Fri, 31 Dec 9999 23:59:59 -2300\r\n" + HEAD + b"\r\nYes",
    "a zone beyond the day": b"Date: Fri, 31 Dec 2025 23:59:59 +99999999\r\n" + HEAD + b"\r\nYes",
    "a letter of too high a number": HEAD + b"Content-Type: text/html\r\n\r\n&#" + b"9" * 5000 + b";Yes",
    "parts in parts": HEAD
    + b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(2000)),
    "mails in mails": HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 5000,
    "a boundary in no encoding": HEAD + b"Content-Type: multipart/mixed; boundary*=punycode''%ff\r\n\r\n--b\r\n\r\nYes",
    "a parameter of too high a number": HEAD + b"Content-Type: text/plain; a*" + b"9" * 5000 + b"*=b\r\n\r\nYes",
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_mail_is_understood_as_far_as_it_can_be_read(raw: bytes) -> None:
    found = understood(raw, TODAY)
    assert found.kind in ("reply", "out_of_office")
    assert found.until is None


@pytest.mark.parametrize("name", [name for name in HOSTILE if "letter" in name or "encoding of" in name or "knows" in name])
def test_what_can_be_read_is_kept_and_is_text(name: str) -> None:
    """The words go to a database, which takes no halves of letters."""
    words = understood(HOSTILE[name], TODAY).words
    assert "Yes" in words
    assert words.encode().decode() == words


@pytest.mark.parametrize("status", [b"5.1.1", b"=?nonsense?q?=e9?= 5.1.1", b"\xe9 5.1.1"])
@pytest.mark.parametrize("kind", [b"message/rfc822", b"text/rfc822-headers", b"message/rfc822-headers"])
def test_a_report_in_an_encoding_that_nobody_knows_still_says_which_mail_came_back(kind: bytes, status: bytes) -> None:
    """RFC 3464: of the mail in it only the id counts, whatever the rest of it is written in."""
    kind += b"; charset=nonsense\r\nContent-Transfer-Encoding: 8bit"
    inside = b"Content-Type: text/plain; charset=nonsense\r\nSubject: \xe9\r\nMessage-ID: <" + OURS + b"@x>\r\n\r\n\xe9\xe9"
    found = understood(returned(status, kind, inside), TODAY)
    assert ("bounce", "5.1.1", (OURS.decode(),)) == (found.kind, found.status, found.mails)


def test_no_more_of_a_mail_is_read_than_a_mail_has() -> None:
    """What takes the standard library's readers seconds or minutes is cut off before they see it."""
    long = 10_000_000
    assert mail_text.MOST_BYTES_READ == len(mail_text._beginning(b"<" * long))
    assert mail_text.MOST_LINES_READ == mail_text._beginning(b"\r" * long).count(b"\r")
    head = mail_text._head(b"From: eve@example.com\r\nTo: " + b"a," * long + b"\r\nSubject: x\r\n\r\n")
    assert head.splitlines()[0] == "From: eve@example.com"
    assert mail_text.MOST_FIELD_CHARACTERS == len(head.splitlines()[1])
    assert mail_text.MOST_FIELDS == mail_text._head(b"X: y\r\n" * long).count("X: y")
    folded = mail_text._head(b"Subject: a\r\n" + b" b\r\n" * 10_000 + b"\r\n")
    assert len(folded) <= mail_text.MOST_FIELD_CHARACTERS + 2
    inner = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; " + b"a=b;" * 9000
    (_, part) = read_mail(inner + b"\r\n\r\nx\r\n--b--\r\n").message.walk()
    assert mail_text.MOST_FIELD_CHARACTERS == len(str(part["Content-Type"]))


def test_a_mail_of_too_many_parts_is_read_by_its_header_alone() -> None:
    for raw in (HOSTILE["parts in parts"], HOSTILE["mails in mails"]):
        assert "eve@example.com" == read_mail(raw).sender
        assert [""] == [str(part.get_payload() or "") for part in read_mail(raw).message.walk()]
    many = HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\nYes\r\n" * (mail_text.MOST_PARTS + 1)
    assert ("eve@example.com", "") == (read_mail(many).sender, read_mail(many).plain)
    dashes = HEAD + b"\r\nYes\r\n" + b"--\r\n" * (mail_text.MOST_PARTS + 1)
    assert "Yes" == read_mail(dashes).plain.split()[0]


def test_of_a_long_thread_the_newest_mails_count() -> None:
    """References grow with each answer, and the last of them is the mail that is answered."""
    older = b" ".join(b"<%d@example.com>" % number for number in range(5000))
    found = understood(HEAD + b"References: " + older + b"\r\n <" + OURS + b"@x>\r\n\r\nYes", TODAY)
    assert (OURS.decode(),) == found.mails


def test_an_address_that_none_can_be_is_no_sender() -> None:
    assert "" == read_mail(b"From: " + b"a" * 400 + b"@example.com\r\nMessage-ID: <1@x>\r\n\r\nYes").sender


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Yes</p><style>p {}</style>&amp; no", "Yes\n& no"),
        ("<STYLE>a</STYLE >b<script>c</script>d<head><style>e</head>f", "bdf"),
        ("a<style>b", "ab"),
        ("<style><head>x</head>y", "y"),
        ("1 < 2<br/>3 > 2", "1 < 2\n3 > 2"),
        ("<" * 50 + "x", "<" * 50 + "x"),
        ("&#x41;&#999999999999;", "A\ufffd"),
    ],
)
def test_of_a_page_only_what_is_seen_is_read(html: str, text: str) -> None:
    assert text == text_of(html)


_PIECES = [
    b"From: ", b"To: ", b"Subject: ", b"Message-ID: ", b"References: ", b"Date: ",
    b"Auto-Submitted: auto-replied\r\n", b"Content-Type: ", b"multipart/report; boundary=b\r\n",
    b"multipart/digest; boundary=b\r\n", b"message/delivery-status\r\n", b"message/rfc822\r\n",
    b"text/rfc822-headers", b"text/html", b"text/plain", b"; charset=", b"; charset*=utf-7''%ff\r\n", b"utf-7",
    b"utf-16", b"idna", b"iso-2022-jp", b"nonsense", b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"--b\r\n", b"--b--\r\n",
    b"Action: failed\r\n", b"Status: 5.1.1\r\n", b"Content-Transfer-Encoding: ", b"base64\r\n",
    b"quoted-printable\r\n", b"x-uuencode\r\n", b"=?utf-7?q?+2AA-?=", b"=?x?b?////?=", b"(", b"<", b">", b"@", b'"',
    b"\\", b",", b";", b":", b"=", b"*0*=", b"+2AA-", b"out of the office until 31 December 9999", b"&#99999;",
    b"<style>", b"</style>", b"a@b.example", b"\x00", b"\xff", b"\xe9", b" ", b"\t", b"unsubscribe ", OURS,
]  # fmt: skip


@given(st.lists(st.one_of(st.sampled_from(_PIECES), st.binary(max_size=6)), max_size=60).map(b"".join))
def test_no_bytes_at_all_break_the_reader(raw: bytes) -> None:
    """Made of the pieces that mails are made of, in any order: the answer is text that a database takes."""
    found = understood(raw, TODAY)
    for text in (found.sender, found.message_id, found.words, found.status or ""):
        assert text.encode().decode() == text
