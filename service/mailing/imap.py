"""The mailbox in which answers arrive (RFC 3501). Mail stays there, unread as it was; what was taken in bears a keyword."""

import imaplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from models.messages import CommandReusedError
from service.mail_server import is_this_machine
from service.mailing.addresses import MailError
from service.settings import SettingsError

#: The flag of what Thaw has read; people's own marks are left alone.
KEYWORD = "ThawRead"

ANSWER_SECONDS = 30


#: What strangers' mails can make of a parser, beside what we say of them: whatever it is, it is this one mail's fault.
_HOPELESS = (MailError, CommandReusedError, ValueError, LookupError, ArithmeticError, RecursionError)


class MailboxError(SettingsError):
    """The mailbox cannot be read; the message says why."""


class Mailbox:
    """The mailbox of an ``imaps://user:password@host/FOLDER`` URL."""

    def __init__(self, url: str) -> None:
        """Take the URL; nothing is connected yet."""
        self._url = urlsplit(url)

    def read_new(self, take: Callable[[bytes], str]) -> Iterator[str]:
        """Hand what is new to *take*, oldest first, mark it once that returned, and yield what it said.

        Raises
        ------
        MailboxError
            When the server is away or says no. What was not marked comes again, and is the same command then.
        """
        try:
            server = self._connected()
        except (OSError, imaplib.IMAP4.error) as error:
            raise MailboxError(f"the mailbox at {self._url.hostname} cannot be read: {error}") from error
        try:
            for number in self._ask(server, "SEARCH", None, f"UNKEYWORD {KEYWORD}")[0].split():
                raw = self._fetch(server, number.decode())
                if raw is not None:
                    yield self._said(take, raw)
                self._ask(server, "STORE", number.decode(), f"+FLAGS.SILENT ({KEYWORD})")
        except (OSError, imaplib.IMAP4.error) as error:
            raise MailboxError(f"the mailbox at {self._url.hostname} broke off: {error}") from error
        finally:
            with suppress(OSError, imaplib.IMAP4.error):
                server.logout()

    def _said(self, take: Callable[[bytes], str], raw: bytes) -> str:
        try:
            return take(raw)
        except _HOPELESS as error:
            # It will be no better the next time, and the others must not wait for it.
            return f"not taken in, and left in the mailbox for a person to read: {error or type(error).__name__}"

    def _connected(self) -> imaplib.IMAP4:
        context, host = ssl.create_default_context(), self._url.hostname or "localhost"
        if self._url.scheme == "imaps":
            server: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, self._url.port or 993, ssl_context=context, timeout=ANSWER_SECONDS)
        else:
            server = imaplib.IMAP4(host, self._url.port or 143, timeout=ANSWER_SECONDS)
            if not is_this_machine(host):
                _encrypted(server, context)
        try:
            server.login(unquote(self._url.username or ""), unquote(self._url.password or ""))
            self._select(server, unquote(self._url.path.strip("/")) or "INBOX")
        except BaseException:
            server.shutdown()
            raise
        return server

    def _select(self, server: imaplib.IMAP4, folder: str) -> None:
        kind, answer = server.select(f'"{folder}"')
        if kind != "OK":
            raise imaplib.IMAP4.error(f"no folder {folder}: {answer!r}")

    def _fetch(self, server: imaplib.IMAP4, number: str) -> bytes | None:
        found = self._ask(server, "FETCH", number, "(BODY.PEEK[])")
        return next((bytes(part[1]) for part in found if isinstance(part, tuple)), None)

    def _ask(self, server: imaplib.IMAP4, command: str, *arguments: str | None) -> list[Any]:
        kind, answer = server.uid(command, *arguments)  # type: ignore[arg-type]  # None stands for no character set
        if kind != "OK":
            raise imaplib.IMAP4.error(f"{command}: {answer!r}")
        return [part for part in answer if part is not None]


def _encrypted(server: imaplib.IMAP4, context: ssl.SSLContext) -> None:
    """Encrypt the line before the password goes over it, or end it."""
    try:
        server.starttls(context)
    except BaseException:
        server.shutdown()
        raise
