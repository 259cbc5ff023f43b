"""What a mail says, read from its bytes: addresses, ids, and the words of its parts. Pure; what is broken reads as empty.

Whoever knows an address may send anything to it, and the standard library's readers take time that grows with the square of
what they read, or fail in many ways. So each gets no more than a mail of a person has, and what it fails at is left out.
"""

import codecs
import re
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser, HeaderParser
from email.policy import SMTPUTF8, Compat32
from typing import NamedTuple

from workflows.hypertext import text_of

#: Bytes and lines of a mail that are read: its words, and the report on one that came back, stand before what is attached.
#: The longest mail of our own has about half of either.
MOST_BYTES_READ = 1_000_000
MOST_LINES_READ = 40_000

#: Bytes and fields of its header that are read.
MOST_HEAD_BYTES = 128_000
MOST_FIELDS = 1_000

#: Characters of one field that are read: of most its beginning; of one that names mails its end, where the newest stand.
MOST_FIELD_CHARACTERS = 2_000
MOST_REFERENCES_CHARACTERS = 8_000

#: A mail that is nested more deeply, or has more parts, is read by its header alone.
MOST_NESTED = 20
MOST_PARTS = 2_000

#: A mail address (RFC 5321, 4.5.3.1) has no more characters.
MOST_ADDRESS_CHARACTERS = 320

#: What the standard library's readers make of what no program of good will writes.
_BROKEN = (ValueError, LookupError, AttributeError, TypeError, ArithmeticError, RecursionError, AssertionError)

#: Encodings that are none of text, or take a time of their own.
_NO_TEXT = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"})

_NEW_LINE = re.compile(r"\r\n|\r|\n")
_HEAD_ENDS = re.compile(rb"\r?\n\r?\n")
_NESTS = re.compile(rb"(?i)\bboundary\b|\bmessage/")
_BEGINS_PART = re.compile(rb"(?m)^--")


class Read(NamedTuple):
    """One mail."""

    sender: str
    """The address in ``From``; empty when there is none."""
    recipient: str
    """The first address in ``To``."""
    subject: str
    message_id: str
    """With its angle brackets."""
    plain: str
    html: str
    headers: Message
    message: Message
    """With its parts."""

    @property
    def words(self) -> str:
        """Its text: the plain part, else what is left of the HTML without its marks."""
        return self.plain if self.plain.strip() else text_of(self.html)


def read_mail(raw: bytes) -> Read:
    """Return what the mail *raw* (RFC 5322) says."""
    message: Message = _message(_beginning(raw))
    headers: Message = HeaderParser(policy=SMTPUTF8).parsestr(_head(raw))
    return Read(
        sender=_address(headers, "From"),
        recipient=_address(headers, "To"),
        subject=header(headers, "Subject"),
        message_id=header(headers, "Message-ID"),
        plain=_part(message, "text/plain"),
        html=_part(message, "text/html"),
        headers=headers,
        message=message,
    )


def _beginning(raw: bytes) -> bytes:
    return b"".join(raw[:MOST_BYTES_READ].splitlines(keepends=True)[:MOST_LINES_READ])


def _head(raw: bytes) -> str:
    """Return the headers alone: those in UTF-8 (RFC 6532) are read only from text, and bodies only from bytes."""
    fields: list[list[str]] = []
    for line in _NEW_LINE.split(_HEAD_ENDS.split(raw[:MOST_HEAD_BYTES], maxsplit=1)[0].decode("utf-8", "replace")):
        if line[:1] in (" ", "\t") and fields:
            fields[-1].append(line)
        elif len(fields) < MOST_FIELDS:
            fields.append([line])
        else:
            break
    # How the body is written is read with the body; this reader would look at it too, and fail.
    kept = ("\n".join(lines) for lines in fields if not lines[0].lower().startswith("content-"))
    return "\n".join(map(_shortened, kept)) + "\n\n"


def _shortened(field: str) -> str:
    name, _, value = field.partition(":")
    if name.lower() in ("references", "in-reply-to"):
        # On one line, so that what is cut off at the front leaves no line that begins in the middle.
        return f"{name}: {' '.join(value[-MOST_REFERENCES_CHARACTERS:].split())}"
    return field[:MOST_FIELD_CHARACTERS].rstrip()


class _Briefly(Compat32):
    """Reads no field of a part further than one of the mail's own."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """Return name and value of a field."""
        name, value = super().header_source_parse(sourcelines)
        return name, value[:MOST_FIELD_CHARACTERS]


def _message(raw: bytes) -> Message:
    nested = len(_NESTS.findall(raw))
    if nested > MOST_NESTED or (nested and len(_BEGINS_PART.findall(raw)) > MOST_PARTS):
        return Message()
    try:
        return BytesParser(policy=_Briefly()).parsebytes(raw)
    except _BROKEN:
        return Message()


def same_address(one: str, other: str) -> bool:
    """Tell whether two addresses are one mailbox, whatever the case, and however other letters in the domain are written."""
    return bool(one.strip()) and _plain_address(one) == _plain_address(other)


def _plain_address(address: str) -> str:
    local, _, domain = address.strip().casefold().rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return f"{local}@{domain}"


def header(message: Message, name: str) -> str:
    """Return a header as one line; empty when it is missing or cannot be read."""
    try:
        found = message.get(name)
        return _sound(" ".join(str(found).split())) if found is not None else ""
    except _BROKEN:
        return ""


def _address(message: Message, name: str) -> str:
    try:
        addresses = getattr(message.get(name), "addresses", ())
        found = str(addresses[0].addr_spec) if addresses else ""
    except _BROKEN:
        return ""
    return _sound(found) if len(found) <= MOST_ADDRESS_CHARACTERS else ""


def parts_of(message: Message) -> Iterator[Message]:
    """Yield the parts of *message*, itself first, those of mails in it included."""
    try:
        yield from message.walk()
    except _BROKEN:
        return


def _own_parts(message: Message) -> Iterator[Message]:
    """Yield what is not a part of a mail within this one."""
    if message.get_content_maintype() == "message":
        return
    yield message
    payload = message.get_payload()
    if isinstance(payload, list):
        for part in payload:
            if isinstance(part, Message):
                yield from _own_parts(part)


def _part(message: Message, kind: str) -> str:
    try:
        for part in _own_parts(message):
            if part.get_content_type() == kind and part.get_content_disposition() != "attachment":
                return content_of(part)
    except _BROKEN:
        pass
    return ""


def content_of(part: Message) -> str:
    """Return the text of *part*; in an encoding that nobody knows, as much of it as is UTF-8."""
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    try:
        name = codecs.lookup(part.get_content_charset("ascii")).name
        return _sound(content.decode("utf-8" if name.replace("-", "_") in _NO_TEXT else name, "replace"))
    except _BROKEN:
        return content.decode("utf-8", "replace")


def _sound(text: str) -> str:
    """Return *text* without halves of letters, which some encodings hold and neither UTF-8 nor a database takes."""
    return text.encode("utf-8", "replace").decode()
