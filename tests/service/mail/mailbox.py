"""A small IMAP server on loopback: the commands that a reader of new mail needs, with real literals and flags (RFC 3501)."""

import re
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest


@dataclass
class FakeMailbox:
    """One folder, one user."""

    mails: list[bytes] = field(default_factory=list)
    marked: dict[int, set[str]] = field(default_factory=dict)
    url: str = ""
    said: list[str] = field(default_factory=list)
    """The verbs that clients said, in order."""

    @property
    def flags(self) -> list[set[str]]:
        """The flags of each mail, in order."""
        return [self.marked.get(number, set()) for number in range(1, len(self.mails) + 1)]

    def answer(self, command: str) -> tuple[list[bytes], str]:
        """Return what the server says to *command*, before the tagged line, and that line."""
        match command.split(" ", 1)[0].upper(), command:
            case "CAPABILITY", _:
                return [b"* CAPABILITY IMAP4rev1"], "OK done"
            case "LOGIN", line:
                return [], "OK in" if re.fullmatch(r'LOGIN "?dan"? "?secret"?', line) else "NO not known"
            case "SELECT", _:
                return [f"* {len(self.mails)} EXISTS".encode(), b"* OK [PERMANENTFLAGS (\\Seen \\*)] any"], "OK [READ-WRITE] in"
            case "UID", line:
                return self._by_uid(line.removeprefix("UID ")), "OK done"
            case "LOGOUT", _:
                return [b"* BYE"], "OK bye"
        return [], "BAD unknown"

    def _by_uid(self, line: str) -> list[bytes]:
        if found := re.fullmatch(r"SEARCH UNKEYWORD (\S+)", line):
            new = [str(n) for n in range(1, len(self.mails) + 1) if found[1] not in self.marked.get(n, set())]
            return [f"* SEARCH {' '.join(new)}".encode()]
        if found := re.fullmatch(r"FETCH (\d+) \(BODY\.PEEK\[\]\)", line):
            raw = self.mails[int(found[1]) - 1]
            head = f"* {found[1]} FETCH (UID {found[1]} BODY[] {{{len(raw)}}}\r\n".encode()
            return [head + raw + b")"]
        found = re.fullmatch(r"STORE (\d+) \+FLAGS\.SILENT \((\S+)\)", line)
        assert found, line
        self.marked.setdefault(int(found[1]), set()).add(found[2])
        return []


@pytest.fixture
def mailbox() -> Iterator[FakeMailbox]:
    """Yield an empty mailbox that listens on a port of its own."""
    box = FakeMailbox()

    class Handler(socketserver.StreamRequestHandler):
        """One session."""

        def handle(self) -> None:
            self.wfile.write(b"* OK ready\r\n")
            for line in self.rfile:
                tag, _, command = line.decode().strip().partition(" ")
                box.said.append(command.partition(" ")[0].upper())
                said, last = box.answer(command)
                for each in said:
                    self.wfile.write(each + b"\r\n")
                self.wfile.write(f"{tag} {last}\r\n".encode())
                if command == "LOGOUT":
                    return

    server: Any = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    box.url = f"imap://dan:secret@127.0.0.1:{server.server_address[1]}/INBOX"
    yield box
    server.shutdown()
    server.server_close()
    thread.join()
