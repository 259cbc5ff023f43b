"""The link in our mail, over a real connection: a POST takes a person off, and nothing else does anything."""

import http.client
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from string import ascii_letters, digits
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from models.database import DatabaseUnavailableError
from service.mailing.addresses import MailError, lead_of, token_of
from service.mailing.unsubscribe import Server, make_server, unsubscribe
from service.pepper import Pepper, open_pepper
from service.settings import read_settings
from service.wiring import connect
from tests.desk import WORDS
from tests.service.mail.office import Office
from tests.stage import until
from workflows.commands import OptOut, RegrantConsent
from workflows.merge_commands import MergeLead

PEPPER = Pepper(b"x" * 32)
LEAD = UUID("0b7f5d0e-9f2f-4f86-9a56-3f6a3b1c2d4e")
ONE_CLICK = b"List-Unsubscribe=One-Click"


@dataclass
class Site:
    """The server, and whom it took off."""

    server: Server
    port: int
    off: list[UUID] = field(default_factory=list)
    take_off: Callable[[UUID], bool] | None = None

    def take(self, lead_id: UUID) -> bool:
        """Take somebody off."""
        if self.take_off:
            return self.take_off(lead_id)
        self.off.append(lead_id)
        return True

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, str, dict[str, str]]:
        """Return status, page and headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        page = answer.read().decode()
        connection.close()
        return answer.status, page, dict(answer.getheaders())


@pytest.fixture
def site() -> Iterator[Site]:
    server = make_server("127.0.0.1:0", PEPPER, lambda _: False)
    # Closing waits for the threads of connections: one that logged later would do so while the next test takes over the output.
    server.daemon_threads = False
    made = Site(server, server.server_address[1])
    server.take_off = made.take
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


PATH = f"/u/{token_of(PEPPER, LEAD)}"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (ONE_CLICK, "application/x-www-form-urlencoded"),
        (
            b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
    ],
)
def test_a_post_of_a_mail_program_takes_the_person_off(site: Site, body: bytes, kind: str) -> None:
    """RFC 8058, in both of its encodings: no cookie, no redirect, no login."""
    status, page, headers = site.ask("POST", PATH, body, **{"Content-Type": kind})
    assert (200, [LEAD]) == (status, site.off)
    assert "no more mail" in page
    assert {"Set-Cookie", "Location", "WWW-Authenticate"}.isdisjoint(headers)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_get_shows_a_page_and_changes_nothing(site: Site, method: str) -> None:
    """Scanners of mail follow every link."""
    status, page, headers = site.ask(method, PATH)
    assert (200, []) == (status, site.off)
    assert ('<form method="post">' in page) == (method == "GET")
    assert ("no-store", "no-referrer") == (headers["Cache-Control"], headers["Referrer-Policy"])


@pytest.mark.parametrize("body", [b"", b"List-Unsubscribe=Two-Clicks", b"x=1", b"List-Unsubscribe=One-Click" + b" " * 3000])
def test_another_body_takes_nobody_off(site: Site, body: bytes) -> None:
    assert 400 == site.ask("POST", PATH, body)[0]
    assert [] == site.off


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Length: \u00b2".encode("latin-1")],
        [b"Content-Length: -26"],
        [b"Content-Length: +26"],
        [b"Content-Length: 2_6"],
        [b"Content-Length: 26, 26"],
        [b"Content-Length: 26", b"Content-Length: 27"],
        [b"Content-Length: 99999999999999999999999999"],
        [b"Content-Length: " + b"9" * 5000],
        [b"Content-Length: 26", b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: chunked"],
        [],
    ],
)
def test_a_length_that_is_none_is_refused_in_a_sentence(site: Site, headers: list[bytes]) -> None:
    """Never read, never a traceback, and the server goes on."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as line:
        line.sendall(b"\r\n".join([f"POST {PATH} HTTP/1.1".encode(), b"Host: x", *headers, b"", ONE_CLICK]))
        line.shutdown(socket.SHUT_WR)
        said = line.makefile("rb").read()
    assert b" 400 " in said.splitlines()[0]
    assert b"This is not what a mail program sends" in said
    assert [] == site.off
    assert 200 == site.ask("POST", PATH, ONE_CLICK)[0]


def test_whoever_hangs_up_is_told_in_a_line(site: Site) -> None:
    with capture_logs() as logs:
        with socket.create_connection(("127.0.0.1", site.port), timeout=10) as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.sendall(f"POST {PATH} HTTP/1.1\r\nContent-Length: 26\r\n\r\n".encode())
        until(lambda: logs, "the line about who hung up")
    (told,) = logs
    assert ("warning", "unsubscribe_broken_off") == (told["log_level"], told["event"])
    assert "exc_info" not in told
    assert 200 == site.ask("POST", PATH, ONE_CLICK)[0]


def test_a_fault_of_our_own_is_told_at_length(site: Site) -> None:
    """Not as if somebody had hung up: people are to see where it happened."""

    def fail(_: UUID) -> bool:
        raise RuntimeError("ours")

    site.take_off = fail
    with capture_logs() as logs, pytest.raises(http.client.RemoteDisconnected):
        site.ask("POST", PATH, ONE_CLICK)
    (told,) = logs
    assert ("error", "unsubscribe_failed", "ours") == (told["log_level"], told["event"], str(told["exc_info"]))
    assert told["exc_info"].__traceback__
    assert LEAD.hex not in str(told)


def test_a_place_where_nobody_can_listen_is_said_in_a_sentence(site: Site) -> None:
    with pytest.raises(MailError, match="nobody can listen there"):
        make_server(f"127.0.0.1:{site.port}", PEPPER, lambda _: True)


def test_a_forged_link_is_nobodys(site: Site) -> None:
    """Every bit of the token counts, and another installation's tokens are nothing here."""
    token = token_of(PEPPER, LEAD)
    others = [token_of(Pepper(b"y" * 32), LEAD), token[:-2], "A" * 43, f"{token}/../x", "", "?" + token]
    others += [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in (0, 10, 21, 30, 41)]
    # Some last letters spell the same bytes, as base64 leaves bits of it unused.
    others += [token[:-1] + letter for letter in ascii_letters + digits if letter != token[-1]]
    for other in others:
        assert 404 == site.ask("POST", f"/u/{other}", ONE_CLICK)[0]
    assert 404 == site.ask("POST", "/", ONE_CLICK)[0]
    assert [] == site.off


def test_an_answer_is_a_yes_only_once_it_is_recorded(site: Site) -> None:
    def away(_: UUID) -> bool:
        raise DatabaseUnavailableError("away")

    site.take_off = away
    assert 503 == site.ask("POST", PATH, ONE_CLICK)[0]
    assert 501 == site.ask("PUT", PATH, ONE_CLICK)[0]


def test_whoever_opens_many_connections_is_not_given_a_thread_for_each(site: Site) -> None:
    site.server.connections = threading.BoundedSemaphore(3)
    idle = [socket.create_connection(("127.0.0.1", site.port), timeout=10) for _ in range(3)]
    with socket.create_connection(("127.0.0.1", site.port), timeout=10) as refused:
        assert refused.recv(1) == b""
    for connection in idle:
        connection.close()
    until(lambda: _answers(site), "a connection that was closed makes room")


def _answers(site: Site) -> bool:
    with suppress(OSError, http.client.HTTPException):
        return site.ask("GET", PATH)[0] == 200
    return False


def test_a_token_names_one_lead_and_tells_nobody_which() -> None:
    ids = [uuid4() for _ in range(20)]
    assert ids == [lead_of(PEPPER, token_of(PEPPER, id_)) for id_ in ids]
    assert lead_of(PEPPER, "Ä" * 43) is None
    assert lead_of(PEPPER, token_of(PEPPER, LEAD) + "\n") is None


@pytest.mark.parametrize("listen", ["8484", ":80", "localhost", "localhost:x", "localhost:70000", "localhost:\u00b2"])
def test_an_address_to_listen_on_is_looked_at(listen: str) -> None:
    with pytest.raises(MailError, match="it has to be host:port"):
        make_server(listen, PEPPER, lambda _: True)


def test_a_click_on_the_link_of_a_mail_that_arrived_ends_mail_for_good(office: Office) -> None:
    """From the header of the mail to the log and the suppression list; a second click changes nothing more, unless the lead was
    merged into one that agreed to mail anew: the person means that one, too."""
    office.nurture()
    office.deliver()
    token = office.server.mails[0].headers["List-Unsubscribe"].partition("/u/")[2].partition(">")[0]
    service = connect(read_settings(office.world.environ))
    lead_id = lead_of(open_pepper(service.settings, service.engine), token)
    assert office.nurtured == lead_id
    assert unsubscribe(service, lead_id)
    office.world.work()
    version = office.world.lead(lead_id).version
    assert ("email",) == office.world.lead(lead_id).modes_refused
    assert unsubscribe(service, lead_id)
    office.world.work()
    assert version == office.world.lead(lead_id).version
    assert not unsubscribe(service, uuid4())
    assert "nothing goes out by email" in office.world.refused(1, "suppressions", "check", "V-0000")
    merged_into = office.world.take_in()
    office.world.hand_in(lead_id, MergeLead(into=merged_into), who="manager:ann")
    office.world.hand_in(merged_into, OptOut(), who="crm")
    office.world.hand_in(merged_into, RegrantConsent(evidence=WORDS, modes=("email",)), who="manager:ann")
    assert unsubscribe(service, lead_id)
    office.world.work()
    assert [(), ("email",)] == [
        office.world.lead(merged_into).modes, tuple(m for m in office.world.lead(merged_into).modes_refused if m == "email"),
    ]  # fmt: skip
