"""The way out with one click (RFC 8058): a POST takes a person off our mail, and a GET only shows a page with a button.

No cookie, login, redirect or script, and nothing is read of a request but its path and a small body. It stands behind a proxy
that has the certificate.
"""

import re
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import structlog

from actors.submit import Submission, stage
from models import leads
from models.database import ModelError, transaction
from models.merges import survivor
from service.mailing.addresses import MailError, lead_of
from service.pepper import Pepper
from service.wiring import Service
from workflows.codec import derived_id
from workflows.commands import OptOut

#: A mail program posts 26 bytes; with a boundary around them some hundreds.
MOST_BYTES = 2_000

#: Requests that are answered at the same time; who comes above that is asked to come again.
MOST_AT_ONCE = 32

#: Connections that are open at the same time, each with a thread; one above that is closed at once.
MOST_CONNECTIONS = 256

#: How long a request may take to arrive, in seconds.
REQUEST_SECONDS = 10

_PATH = re.compile(r"/u/([A-Za-z0-9_-]{20,200})")
_LENGTH = re.compile(r"[0-9]{1,6}")
_PORT = re.compile(r"[0-9]{1,5}")
_ONE_CLICK = re.compile(rb"List-Unsubscribe(?:=|\"?\r?\n\r?\n)One-Click\b")

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>No more mail</title></head>
<body><h1>{title}</h1>{body}</body></html>
"""
_BUTTON = '<form method="post"><button name="List-Unsubscribe" value="One-Click">No more mail from you, please</button></form>'

log = structlog.get_logger()


def unsubscribe(service: Service, lead_id: UUID) -> bool:
    """Take the person behind a lead off our mail and return whether the lead is known. A second time nothing is recorded."""
    with transaction(service.engine) as connection:
        lead = leads.find_lead(connection, lead_id)
        if lead is None or lead.erased_at:
            return lead is not None
        # Under the lead that the mail was for it may be known, and not any more where the person goes on and agreed anew.
        if all("email" in each.modes_refused for each in (lead, survivor(connection, lead))):
            return True
        id_ = derived_id("one-click", lead_id, lead.version)
        command = Submission(id=id_, stream_id=lead_id, command=OptOut(channel="email"), asked_by="unsubscribe")
        rings = stage(connection, [command], now=service.now())
    service.bell.ring_soon(rings)
    return True


class Server(ThreadingHTTPServer):
    """Answers requests, each connection in a thread; here is what they share."""

    pepper: Pepper
    take_off: Callable[[UUID], bool]
    room: threading.BoundedSemaphore
    connections: threading.BoundedSemaphore

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a connection its thread, or close it when too many are open: thousands of them are no thousand threads."""
        if not self.connections.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and make room for the next."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.connections.release()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002  # the library's names
        """Say in a line that somebody hung up, and at length what went wrong of our own."""
        error = sys.exception()
        if isinstance(error, OSError):
            log.warning("unsubscribe_broken_off", error=repr(error))
        else:
            log.error("unsubscribe_failed", exc_info=error)


class _Handler(BaseHTTPRequestHandler):
    """One request."""

    server: "Server"
    timeout = REQUEST_SECONDS
    server_version = "thaw"
    sys_version = ""

    def do_GET(self) -> None:  # the library's name
        """Show the button; nothing changes."""
        if self._lead() is None:
            self._answer(HTTPStatus.NOT_FOUND, "This link is not one of ours", "")
        else:
            self._answer(HTTPStatus.OK, "Mail from us", _BUTTON)

    do_HEAD = do_GET  # noqa: N815  # the library's name

    def do_POST(self) -> None:  # the library's name
        """Take the person off."""
        lead = self._lead()
        if lead is None:
            self._answer(HTTPStatus.NOT_FOUND, "This link is not one of ours", "")
            return
        length = self._length()
        if length is None or not _ONE_CLICK.search(self.rfile.read(length)):
            self.close_connection = True
            self._answer(HTTPStatus.BAD_REQUEST, "This is not what a mail program sends", "")
            return
        if not self.server.room.acquire(blocking=False):
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, "Too many at once: please try again", "")
            return
        try:
            known = self.server.take_off(lead)
        except ModelError as error:
            # Not accepted, and so not answered as if it were: mail programs and people try again.
            log.error("unsubscribe_failed", error=str(error))
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, "Please try again in a minute", "")
            return
        finally:
            self.server.room.release()
        status = HTTPStatus.OK if known else HTTPStatus.NOT_FOUND
        self._answer(status, "You get no more mail from us" if known else "This link is not one of ours", "")

    def _length(self) -> int | None:
        """Return how long the body is, if that is said once and plainly, and it is short."""
        said = self.headers.get_all("Content-Length", [])
        if len(said) != 1 or "Transfer-Encoding" in self.headers or not _LENGTH.fullmatch(said[0]):
            return None
        return int(said[0]) if int(said[0]) <= MOST_BYTES else None

    def _lead(self) -> UUID | None:
        match = _PATH.fullmatch(self.path)
        return lead_of(self.server.pepper, match[1]) if match else None

    def _answer(self, status: HTTPStatus, title: str, body: str) -> None:
        page = _PAGE.format(title=title, body=body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", "default-src 'none'; form-action 'self'; frame-ancestors 'none'")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
        """Say nothing: a path names a person."""


def make_server(listen: str, pepper: Pepper, take_off: Callable[[UUID], bool]) -> Server:
    """Return a server for *listen* (``host:port``), which hands the leads of valid tokens to *take_off*.

    Raises
    ------
    MailError
        When that is no address to listen on.
    """
    host, _, port = listen.rpartition(":")
    if not host or not _PORT.fullmatch(port) or int(port) > 65_535:
        raise MailError(f"THAW_UNSUBSCRIBE_LISTEN={listen}: it has to be host:port, such as 127.0.0.1:8484")
    try:
        server = Server((host, int(port)), _Handler)
    except OSError as error:
        raise MailError(f"THAW_UNSUBSCRIBE_LISTEN={listen}: nobody can listen there: {error.strerror or error}") from error
    server.daemon_threads = True
    server.pepper, server.take_off, server.room = pepper, take_off, threading.BoundedSemaphore(MOST_AT_ONCE)
    server.connections = threading.BoundedSemaphore(MOST_CONNECTIONS)
    return server
