"""The server that takes our mail, by SMTP with TLS: for checkpoints a whole message, for mail to prospects an open line."""

import contextlib
import ipaddress
import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

#: How long the server may take for each of its answers.
TIMEOUT_SECONDS = 10.0

#: RFC 8314 for TLS from the first byte, RFC 6409 for who logs in, RFC 5321 for who does not.
PORTS = {"smtps": 465, "login": 587, "relay": 25}


class MailServerError(Exception):
    """The server did not take the message, as far as we know; the message says why, and holds no password."""


class Mailer:
    """Hands messages to the server at *url*: ``smtp[s]://[user:password@]host[:port]``.

    ``smtps`` is TLS from the first byte. With ``smtp`` TLS begins before anything is said of us (STARTTLS), and a server that
    offers none is told nothing more; one on this machine needs none. A certificate must be valid.
    """

    def __init__(self, url: str) -> None:
        """Take the address apart, which `read_settings` has checked; nothing is connected yet."""
        parts = urlsplit(url)
        self.host = parts.hostname or ""
        self._secure = parts.scheme == "smtps"
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._port = parts.port or PORTS["smtps" if self._secure else "login" if self._user else "relay"]

    def send(self, message: EmailMessage, *, sender: str, to: str) -> None:
        """Hand *message* over, and return when the server has taken it.

        Raises
        ------
        MailServerError
            When it did not, or the connection broke before its answer: the message may then arrive all the same.
        """
        try:
            server = self._connect()
        except (OSError, smtplib.SMTPException) as error:
            raise MailServerError(f"{self.host}: {_reason(error)}") from error
        try:
            self._prepare(server)
            server.send_message(message, sender, [to])
        except (OSError, smtplib.SMTPException) as error:
            raise MailServerError(f"{self.host}: {_reason(error)}") from error
        finally:
            # Whatever comes of the farewell, the message was taken or it was not.
            with contextlib.suppress(OSError, smtplib.SMTPException):
                server.quit()
            server.close()

    def open(self) -> smtplib.SMTP:
        """Return a conversation that has begun, with TLS and logged in where that is to be done; the caller ends it.

        Raises
        ------
        OSError, smtplib.SMTPException, MailServerError
            When the server is away, says no, or offers no TLS.
        """
        server = self._connect()
        try:
            self._prepare(server)
        except BaseException:
            server.close()
            raise
        return server

    def _connect(self) -> smtplib.SMTP:
        if self._secure:
            return smtplib.SMTP_SSL(self.host, self._port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context())
        return smtplib.SMTP(self.host, self._port, timeout=TIMEOUT_SECONDS)

    def _prepare(self, server: smtplib.SMTP) -> None:
        """Begin TLS and log in, where that is to be done."""
        server.ehlo_or_helo_if_needed()
        private = self._secure or is_this_machine(self.host)
        if not private:
            if not server.has_extn("starttls"):
                raise MailServerError(
                    f"{self.host} offers no TLS, and neither mail nor password is sent without it: use smtps://"
                )
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        if self._user:
            server.login(self._user, self._password)


def is_this_machine(host: str) -> bool:
    """Tell whether *host* is this machine by its very name."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _reason(error: OSError | smtplib.SMTPException) -> str:
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            ((address, (code, said)),) = refused.items()
            return f"refused the recipient {address}: {_said(code, said)}"
        case smtplib.SMTPSenderRefused():
            return f"refused the sender {error.sender}: {_said(error.smtp_code, error.smtp_error)}"
        case smtplib.SMTPAuthenticationError():
            return f"did not let us log in: {_said(error.smtp_code, error.smtp_error)}"
        case smtplib.SMTPResponseException():
            return f"answered {_said(error.smtp_code, error.smtp_error)}"
        case OSError() | smtplib.SMTPServerDisconnected() if isinstance(error.__context__ or error, TimeoutError):
            return f"gave no answer for {TIMEOUT_SECONDS:.0f} s"
        case OSError():
            return error.strerror or str(error)
    return str(error) or type(error).__name__


def _said(code: int, said: bytes | str) -> str:
    words = said.decode(errors="replace") if isinstance(said, bytes) else said
    return f"{code} {' '.join(words.split())[:200]}"
