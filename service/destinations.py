"""Where checkpoints go, so that whoever can rewrite the database cannot rewrite what was committed to.

A file, a webhook, a mailbox.
"""

import fcntl
import http.client
import os
import re
from contextlib import suppress
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import urlsplit

from service.clocks import wall_clock
from service.disk import sync_folder
from service.mail_server import Mailer, MailServerError
from service.settings import Settings
from workflows.notes import NOTE_BYTES_MAX, NoteError, parse_checkpoint, parse_note, split_notes

#: How long a webhook may take to connect, and again to answer.
TIMEOUT_SECONDS = 10.0


_SIGNATURE = "— ".encode()

#: The end of a whole note, and of none that was cut off before it.
_SIGNATURE_LINE = re.compile(b"^%b[^\n]*\n" % _SIGNATURE, re.MULTILINE)


class DestinationError(Exception):
    """The checkpoint did not arrive; it is sent again later."""


class Destination(Protocol):
    """A place that keeps checkpoints."""

    name: str

    seconds_between: float
    """No more than one checkpoint is sent there in so many seconds; 0 for each."""

    def send(self, note: str) -> None:
        """Put *note* there. It may arrive twice.

        Raises
        ------
        DestinationError
            When it is not known to have arrived.
        """

    def newest(self) -> str | None:
        """Return the newest note there, None where there is none or the place cannot tell."""


class FileDestination:
    """A file to which notes are appended, an empty line behind each. Best on a machine or medium that is not the service's."""

    name = "file"
    seconds_between = 0.0

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, note: str) -> None:
        """Append *note*, and return when it is on the disk. What a note left that was cut off before it is taken away first."""
        is_new = not self._path.exists()
        try:
            with os.fdopen(os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644), "rb+") as file:
                with suppress(OSError):  # not every medium of others knows locks, and mostly there is one notary
                    fcntl.flock(file, fcntl.LOCK_EX)
                _cut_back(file, note)
                file.write(f"{note}\n".encode())
                file.flush()
                os.fsync(file.fileno())
            if is_new:
                sync_folder(self._path.parent)
        except OSError as error:
            raise DestinationError(f"{self._path}: {error.strerror}") from error

    def newest(self) -> str | None:
        """Return the last whole note in the file."""
        try:
            with self._path.open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - NOTE_BYTES_MAX))
                notes = split_notes(file.read().decode(errors="replace"))
        except FileNotFoundError:
            return None
        return next((note for note in reversed(notes) if "\n\n— " in note and note.endswith("\n")), None)


def _cut_back(file: BinaryIO, note: str) -> None:
    """Take the beginning of a note of the same log off the end of *file*, where it is no whole one; leave all else alone.

    A note that was cut off in its second signature, which it has after a rotation of keys, keeps the first.
    """
    size = file.seek(0, os.SEEK_END)
    begin = file.seek(max(0, size - NOTE_BYTES_MAX))
    tail = file.read()
    *_, ended = (0, *(line.end() for line in _SIGNATURE_LINE.finditer(tail)))
    rest = tail[ended:].lstrip()
    origin = f"{note.splitlines()[0]}\n".encode()
    begins = (origin, _SIGNATURE) if ended else (origin,)
    if rest and (ended or not begin) and any(rest.startswith(each) or each.startswith(rest) for each in begins):
        file.truncate(begin + len(tail) - len(rest))


class WebhookDestination:
    """An address to which notes are posted as they are, ``text/plain``; any answer of 200 to 299 means that it arrived.

    Redirections are not followed: the note is to go where the settings say. The note is signed, the request is not.
    """

    name = "webhook"
    seconds_between = 0.0

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)

    def send(self, note: str) -> None:
        """Post *note*."""
        secure = self._url.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        target = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
        connection = kind(self._url.hostname or "", self._url.port, timeout=TIMEOUT_SECONDS)
        try:
            connection.request("POST", target, note.encode(), {"Content-Type": "text/plain; charset=utf-8"})
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            raise DestinationError(f"{self._url.hostname}: {error or type(error).__name__}") from error
        finally:
            connection.close()
        if not 200 <= answer.status <= 299:
            raise DestinationError(f"{self._url.hostname} answered {answer.status}")

    def newest(self) -> None:
        """Return nothing: what arrived is in other hands."""


class MailDestination:
    """A mailbox. The note is attached as it is, because what stands in a mail's text is wrapped and padded on its way."""

    name = "mail"

    def __init__(self, mailer: Mailer, *, sender: str, to: str, minutes_between: int) -> None:
        self._mailer = mailer
        self._sender = sender
        self._to = to
        self.seconds_between = 60.0 * minutes_between

    def send(self, note: str) -> None:
        """Mail *note*, and return when the server has taken it."""
        try:
            self._mailer.send(self._message(note), sender=self._sender, to=self._to)
        except (MailServerError, NoteError) as error:
            raise DestinationError(str(error)) from error

    def newest(self) -> None:
        """Return nothing: what arrived is in other hands."""

    def _message(self, note: str) -> EmailMessage:
        checkpoint = parse_checkpoint(parse_note(note).text)
        message = EmailMessage()
        message["Subject"] = f"Checkpoint of {checkpoint.origin}: {checkpoint.size} events"
        message["From"], message["To"] = self._sender, self._to
        message["Date"] = format_datetime(wall_clock())
        message["Message-ID"] = make_msgid("thaw", self._sender.rpartition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(
            f"The attached note commits to the first {checkpoint.size} events of the log {checkpoint.origin}.\n"
            "Keep this mail where whoever runs the service cannot delete it. To hold the log against it later:\n\n"
            f"  thaw verify --since {_file_name(checkpoint.size)} --key KEY\n"
        )
        name = _file_name(checkpoint.size)
        message.add_attachment(note.encode(), "text", "plain", filename=name, params={"charset": "utf-8"})
        return message


def _file_name(size: int) -> str:
    return f"checkpoint-{size}.note"


def destinations(settings: Settings) -> list[Destination]:
    """Return where the settings say that checkpoints go."""
    found: list[Destination] = []
    if settings.checkpoint_file:
        found.append(FileDestination(Path(settings.checkpoint_file).expanduser()))
    if settings.checkpoint_webhook:
        found.append(WebhookDestination(settings.checkpoint_webhook))
    if settings.checkpoint_mail:
        found.append(
            MailDestination(
                Mailer(settings.smtp_url),
                sender=settings.mail_from,
                to=settings.checkpoint_mail,
                minutes_between=settings.checkpoint_mail_minutes,
            )
        )
    return found
