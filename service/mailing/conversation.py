"""One conversation with a mail server (RFC 5321), step by step, so that it is known at which step it ended."""

import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress

from actors.deliverer import Said
from service.mail_server import Mailer, MailServerError

#: How long the server may take for the last answer, behind which the mail is its own, in seconds.
TAKEN_SECONDS = 60

_STATUS = re.compile(rb"^([245]\.\d{1,3}\.\d{1,3})(?:\s|$)")
_READY = 354


class Smtp:
    """The server of a ``smtp://`` or ``smtps://`` URL, connected as `service.mail_server` does it."""

    def __init__(self, url: str) -> None:
        """Take the server's URL; nothing is connected yet."""
        self._mailer = Mailer(url)

    def send(self, sender: str, recipient: str, raw: bytes, withheld: Callable[[], str | None]) -> Said:
        """Hand *raw* over for *recipient*, unless *withheld*, asked when the server is ready for it, says why not."""
        try:
            server = self._mailer.open()
        except smtplib.SMTPResponseException as error:
            # It knows us too little to say anything of this mail, whatever the code.
            return Said("deferred", _code(error.smtp_code), _status(error.smtp_error), "not_accepted_by_server")
        except (MailServerError, ssl.SSLError):
            # Nothing was said of the mail: who listens may be another one.
            return Said("deferred", reason="no_tls")
        except (OSError, smtplib.SMTPException):
            return Said("deferred", reason="unreachable")
        try:
            return self._converse(server, sender, recipient, raw, withheld)
        except (OSError, smtplib.SMTPException):
            return Said("deferred", reason="unreachable")
        finally:
            with suppress(OSError, smtplib.SMTPException):
                server.quit()
            server.close()

    def _converse(
        self, server: smtplib.SMTP, sender: str, recipient: str, raw: bytes, withheld: Callable[[], str | None]
    ) -> Said:
        options: list[str] = []
        if not (sender + recipient).isascii() or not raw.isascii():
            if not server.has_extn("smtputf8"):
                return Said("refused", reason="no_smtputf8")
            server.command_encoding = "utf-8"
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        code, answer = server.mail(sender, options)
        if 200 <= code < 300:
            code, answer = server.rcpt(recipient)
        if not 200 <= code < 300:
            return _refused(code, answer)
        if why := withheld():
            server.rset()
            return Said("refused", reason=why)
        code, answer = server.docmd("DATA")
        if code != _READY:
            return _refused(code, answer)
        try:
            if server.sock:
                server.sock.settimeout(TAKEN_SECONDS)
            server.send(_stuffed(raw))
            code, answer = server.getreply()
        except (OSError, smtplib.SMTPException):
            # From here on the server may have it, whatever we saw.
            return Said("unconfirmed")
        return Said("sent", code, _status(answer)) if 200 <= code < 300 else _refused(code, answer)


def _stuffed(raw: bytes) -> bytes:
    """Return *raw* as it goes over the line: CRLF, no line that is a dot alone, and the dot that ends it."""
    lines = re.sub(rb"(?:\r\n|\n|\r)", b"\r\n", raw)
    return re.sub(rb"(?m)^\.", b"..", lines.removesuffix(b"\r\n")) + b"\r\n.\r\n"


def _refused(code: int, answer: bytes) -> Said:
    # What is neither a clear no nor a yes is no reason to give anybody up.
    return Said("refused" if code >= 500 else "deferred", _code(code), _status(answer), "rejected")


def _code(code: int) -> int | None:
    return code if 200 <= code <= 599 else None


def _status(answer: bytes | str) -> str | None:
    found = _STATUS.match(answer if isinstance(answer, bytes) else answer.encode("ascii", "replace"))
    return found[1].decode() if found else None
