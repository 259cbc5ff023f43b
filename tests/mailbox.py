"""A mail server on loopback that speaks SMTP (RFC 5321) with whoever comes, and does what the test tells it to."""

import base64
import contextlib
import ipaddress
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Mailbox:
    """What came, and how the server is to behave from now on."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    """Taken, in order."""
    raw: list[bytes] = field(default_factory=list)
    """The same, as they came."""
    envelopes: list[tuple[str, str]] = field(default_factory=list)
    """Sender and recipient of each."""
    said: list[str] = field(default_factory=list)
    """Every line that clients said before their data, over all conversations."""
    logins: list[str] = field(default_factory=list)
    """``user:password``."""
    answers: dict[str, str] = field(default_factory=dict)
    """What to answer to a verb instead of what is usual; an empty answer is none at all: the line goes dead."""
    offers: list[str] = field(default_factory=list)
    """Extensions that EHLO names, such as ``STARTTLS``, ``AUTH PLAIN``."""
    tls: ssl.SSLContext | None = None
    tls_at_once: bool = False


class _Conversation(socketserver.StreamRequestHandler):
    """One client's session."""

    def handle(self) -> None:
        box = cast("_Server", self.server).box
        self.sender = self.recipient = ""
        with contextlib.suppress(OSError, EOFError):
            if box.tls_at_once:
                self._secure(box)
            self._say("220 test ESMTP")
            while self._obey(box, self.rfile.readline().decode(errors="replace").rstrip("\r\n")):
                pass

    def finish(self) -> None:
        super().finish()
        self.connection.close()  # which TLS has put in the place of the server's own

    def _obey(self, box: Mailbox, line: str) -> bool:
        verb = line.partition(" ")[0].upper()
        if not verb:
            return False
        box.said.append(line)
        if verb in box.answers:
            if not box.answers[verb]:
                self.rfile.read(1)  # until the client gives up
                return False
            self._say(box.answers[verb])
            return True
        match verb:
            case "EHLO":
                self._say("250-test")
                for extension in box.offers:
                    self._say(f"250-{extension}")
                self._say("250 8BITMIME")
            case "STARTTLS":
                self._say("220 go on")
                self._secure(box)
            case "AUTH":
                box.logins.append(base64.b64decode(line.split()[2]).decode().strip("\0").replace("\0", ":"))
                self._say("235 welcome")
            case "MAIL" | "RCPT":
                address = line.partition("<")[2].partition(">")[0]
                self.sender, self.recipient = (address, "") if verb == "MAIL" else (self.sender, address)
                self._say("250 fine")
            case "DATA":
                self._take(box)
            case _:
                self._say("221 bye" if verb == "QUIT" else "250 fine")
        return verb != "QUIT"

    def _take(self, box: Mailbox) -> None:
        self._say("354 go on, a dot ends it")
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b"."))
        if "." in box.answers:
            self._say(box.answers["."])
            return
        box.raw.append(b"".join(lines))
        box.mails.append(message_from_bytes(box.raw[-1], policy=policy.default))
        box.envelopes.append((self.sender, self.recipient))
        self._say("250 taken")

    def _secure(self, box: Mailbox) -> None:
        assert box.tls is not None
        self.request = box.tls.wrap_socket(self.request, server_side=True)
        self.setup()

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, box: Mailbox) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.box = box


@contextlib.contextmanager
def serving(box: Mailbox) -> Iterator[None]:
    """Serve *box* on a port of its own while the block runs."""
    with _Server(box) as server:
        box.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """Yield a mailbox whose server takes everything, without TLS or logins until the test says otherwise."""
    box = Mailbox()
    with serving(box):
        yield box


@pytest.fixture
def trusted_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Return what a server for 127.0.0.1 begins TLS with, under a certificate that clients of this test believe."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = tmp_path / "certificate.pem", tmp_path / "certificate.key"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    return context
