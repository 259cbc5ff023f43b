"""Where checkpoints go, so that whoever can rewrite the database cannot rewrite what was committed to: a file, a webhook."""

import http.client
import os
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from service.settings import Settings
from workflows.notes import NOTE_BYTES_MAX, split_notes

#: How long a webhook may take to connect, and again to answer.
TIMEOUT_SECONDS = 10.0


class DestinationError(Exception):
    """The checkpoint did not arrive; it is sent again later."""


class Destination(Protocol):
    """A place that keeps checkpoints."""

    name: str

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

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, note: str) -> None:
        """Append *note*, and return when it is on the disk."""
        try:
            with os.fdopen(os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644), "wb") as file:
                file.write(f"{note}\n".encode())
                file.flush()
                os.fsync(file.fileno())
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


class WebhookDestination:
    """An address to which notes are posted as they are, ``text/plain``; any answer of 200 to 299 means that it arrived.

    Redirections are not followed: the note is to go where the settings say. The note is signed, the request is not.
    """

    name = "webhook"

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
        except (OSError, http.client.HTTPException) as error:
            raise DestinationError(f"{self._url.hostname}: {error or type(error).__name__}") from error
        finally:
            connection.close()
        if not 200 <= answer.status <= 299:
            raise DestinationError(f"{self._url.hostname} answered {answer.status}")

    def newest(self) -> None:
        """Return nothing: what arrived is in other hands."""


def destinations(settings: Settings) -> list[Destination]:
    """Return where the settings say that checkpoints go."""
    found: list[Destination] = []
    if settings.checkpoint_file:
        found.append(FileDestination(Path(settings.checkpoint_file).expanduser()))
    if settings.checkpoint_webhook:
        found.append(WebhookDestination(settings.checkpoint_webhook))
    return found
