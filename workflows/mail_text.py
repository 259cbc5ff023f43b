"""What a mail says, read from its bytes: addresses, ids, and the words of its parts. Pure; what is broken reads as empty."""

import re
from email import message_from_bytes, message_from_string, policy
from email.message import EmailMessage
from html import unescape
from typing import NamedTuple

_TAG = re.compile(r"<[^>]*>")
_BLOCK = re.compile(r"(?i)<\s*(?:br|/p|/div|/tr|/h[1-6]|/li)\b[^>]*>")
_UNSEEN = re.compile(r"(?is)<(head|style|script)\b.*?</\1\s*>")


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
    headers: EmailMessage
    message: EmailMessage
    """With its parts."""

    @property
    def words(self) -> str:
        """Its text: the plain part, else what is left of the HTML without its marks."""
        return self.plain if self.plain.strip() else text_of(self.html)


def read_mail(raw: bytes) -> Read:
    """Return what the mail *raw* (RFC 5322) says."""
    message = message_from_bytes(raw, policy=policy.SMTPUTF8)
    headers = _headers(raw)
    return Read(
        sender=_address(headers, "From"),
        recipient=_address(headers, "To"),
        subject=header(headers, "Subject"),
        message_id=header(headers, "Message-ID"),
        plain=_part(message, "plain"),
        html=_part(message, "html"),
        headers=headers,
        message=message,
    )


def _headers(raw: bytes) -> EmailMessage:
    """Return the headers alone: those in UTF-8 (RFC 6532) are read only from text, and bodies only from bytes."""
    text = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0].decode("utf-8", "replace")
    return message_from_string(f"{text}\n\n", policy=policy.SMTPUTF8)


def same_address(one: str, other: str) -> bool:
    """Tell whether two addresses are one mailbox, whatever the case, and however other letters in the domain are written."""
    return bool(one.strip()) and _plain_address(one) == _plain_address(other)


def _plain_address(address: str) -> str:
    local, _, domain = address.strip().casefold().rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return f"{local}@{domain}"


def header(message: EmailMessage, name: str) -> str:
    """Return a header as one line; empty when it is missing or cannot be read."""
    try:
        found = message.get(name)
    except (ValueError, IndexError, AttributeError, TypeError):
        # Hostile headers make the standard parser fail in many ways; none of them tells us anything.
        return ""
    return " ".join(str(found).split()) if found is not None else ""


def _address(message: EmailMessage, name: str) -> str:
    try:
        addresses = getattr(message.get(name), "addresses", ())
        return str(addresses[0].addr_spec) if addresses else ""
    except (ValueError, IndexError, AttributeError, TypeError):
        return ""


def _part(message: EmailMessage, kind: str) -> str:
    try:
        part = message.get_body((kind,))
        content = part.get_content() if part is not None else ""
    except (ValueError, LookupError, AttributeError, TypeError):
        return ""
    return content if isinstance(content, str) else ""


def text_of(html: str) -> str:
    """Return the words of *html*, a line for each block."""
    return unescape(_TAG.sub("", _BLOCK.sub("\n", _UNSEEN.sub("", html)))).strip()
