"""Mail by SMTP, in real conversations on loopback: what arrives, what is refused, and where a password goes."""

import ssl
from email.message import EmailMessage

import pytest

from actors.deliverer import Said
from service import mail_server
from service.mail_server import Mailer, MailServerError
from service.mailing.conversation import Smtp
from tests.mailbox import Mailbox, mailbox, trusted_tls

__all__ = ["mailbox", "trusted_tls"]

KNOCK = "s3cret+/@"
ESCAPED = "s3cret%2B%2F%40"


def send(url: str) -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Hello", "thaw@example.com", "audit@example.com"
    message.set_content("one\n.\ntwo\n")
    Mailer(url).send(message, sender="thaw@example.com", to="audit@example.com")


def test_a_message_arrives_as_it_was_sent(mailbox: Mailbox) -> None:
    """Envelope and text, lines of a dot included; without credentials nobody logs in."""
    send(f"smtp://127.0.0.1:{mailbox.port}")
    assert mailbox.envelopes == [("thaw@example.com", "audit@example.com")]
    assert mailbox.mails[0].get_content().replace("\r\n", "\n") == "one\n.\ntwo\n"
    assert mailbox.said[-1].upper() == "QUIT"
    assert mailbox.logins == []


@pytest.mark.parametrize(
    ("verb", "answer", "sentence"),
    [
        ("RCPT", "550 5.1.1 nobody here", r"127\.0\.0\.1: refused the recipient audit@example\.com: 550 5\.1\.1 nobody here"),
        ("RCPT", "451 come again later", r"refused the recipient audit@example\.com: 451 come again later"),
        ("MAIL", "553 not from there", r"refused the sender thaw@example\.com: 553 not from there"),
        ("DATA", "554 no", r"127\.0\.0\.1: answered 554 no"),
        (".", "552 too long", r"127\.0\.0\.1: answered 552 too long"),
        ("EHLO", "421 closing", r"127\.0\.0\.1: answered"),
    ],
)
def test_what_the_server_refuses_is_said_in_its_words(mailbox: Mailbox, verb: str, answer: str, sentence: str) -> None:
    """Whatever the step at which it refuses, the message has not arrived."""
    mailbox.answers[verb] = answer
    if verb == "EHLO":
        mailbox.answers["HELO"] = answer
    with pytest.raises(MailServerError, match=sentence):
        send(f"smtp://127.0.0.1:{mailbox.port}")
    assert mailbox.mails == []


def test_a_server_that_is_away_or_silent_is_given_up(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MailServerError, match=r"127\.0\.0\.1: Connection refused"):
        send("smtp://127.0.0.1:1")
    with pytest.raises(MailServerError, match=r"nowhere\.invalid: "):
        send("smtp://nowhere.invalid")
    monkeypatch.setattr(mail_server, "TIMEOUT_SECONDS", 0.2)
    mailbox.answers["MAIL"] = ""
    with pytest.raises(MailServerError, match=r"127\.0\.0\.1: gave no answer for 0 s"):
        send(f"smtp://127.0.0.1:{mailbox.port}")


def test_a_message_that_was_taken_has_arrived_whatever_is_said_at_the_end(mailbox: Mailbox) -> None:
    """An error at the farewell must not have it sent again."""
    mailbox.answers["QUIT"] = "500 what?"
    send(f"smtp://127.0.0.1:{mailbox.port}")
    assert len(mailbox.mails) == 1


def test_a_password_goes_to_another_machine_with_tls_only(
    mailbox: Mailbox, trusted_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it nothing is said of it, not even in the error; with STARTTLS it is sent behind that."""
    url = f"smtp://ann:{ESCAPED}@127.0.0.1:{mailbox.port}"
    monkeypatch.setattr(mail_server, "is_this_machine", lambda _: False)
    mailbox.offers = ["AUTH PLAIN"]
    with pytest.raises(MailServerError, match="offers no TLS, and neither mail nor password is sent without it") as refused:
        send(url)
    assert KNOCK not in str(refused.value)
    assert (mailbox.logins, mailbox.mails) == ([], [])
    mailbox.offers, mailbox.tls = ["STARTTLS", "AUTH PLAIN"], trusted_tls
    send(url)
    verbs = [line.split()[0].upper() for line in mailbox.said[-7:]]
    assert verbs == ["EHLO", "STARTTLS", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"] or verbs[-1] == "QUIT"
    assert mailbox.logins == [f"ann:{KNOCK}"]
    assert len(mailbox.mails) == 1


def test_a_mail_goes_to_another_machine_with_tls_only(
    mailbox: Mailbox, trusted_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whom it is to and what it says is personal too: a server without TLS, or with one of nobody's, hears of neither."""
    monkeypatch.setattr(mail_server, "is_this_machine", lambda _: False)
    url = f"smtp://127.0.0.1:{mailbox.port}"
    with pytest.raises(MailServerError, match="offers no TLS"):
        send(url)
    post = Smtp(url)
    assert Said("deferred", reason="no_tls") == post.send("dan@example.com", "ada@example.com", b"x", lambda: None)
    mailbox.offers, mailbox.tls = ["STARTTLS"], trusted_tls
    monkeypatch.delenv("SSL_CERT_FILE")
    assert Said("deferred", reason="no_tls") == post.send("dan@example.com", "ada@example.com", b"x", lambda: None)
    assert {"EHLO", "STARTTLS", "QUIT"} >= {line.split()[0].upper() for line in mailbox.said}
    assert mailbox.mails == []


def test_a_password_may_go_to_this_machine_without_tls(mailbox: Mailbox) -> None:
    mailbox.offers = ["AUTH PLAIN"]
    send(f"smtp://ann:{ESCAPED}@127.0.0.1:{mailbox.port}")
    assert mailbox.logins == [f"ann:{KNOCK}"]


def test_tls_from_the_first_byte(mailbox: Mailbox, trusted_tls: ssl.SSLContext) -> None:
    mailbox.tls, mailbox.tls_at_once = trusted_tls, True
    send(f"smtps://127.0.0.1:{mailbox.port}")
    assert len(mailbox.mails) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(
    mailbox: Mailbox, trusted_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLS with whoever happens to answer would be no better than none."""
    mailbox.tls, mailbox.tls_at_once = trusted_tls, True
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(MailServerError, match="certificate verify failed"):
        send(f"smtps://127.0.0.1:{mailbox.port}")
    assert mailbox.mails == []


def test_a_login_that_fails_names_no_password(mailbox: Mailbox) -> None:
    mailbox.offers, mailbox.answers = ["AUTH PLAIN"], {"AUTH": "535 5.7.8 wrong"}
    with pytest.raises(MailServerError, match=r"did not let us log in: 535 5\.7\.8 wrong") as refused:
        send(f"smtp://ann:{ESCAPED}@127.0.0.1:{mailbox.port}")
    assert KNOCK not in str(refused.value)
