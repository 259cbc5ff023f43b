"""Photos of notes: what is taken for one, and how it is kept, as a text like any other, so that it goes where texts go."""

import base64
import binascii
from collections.abc import Callable
from typing import NamedTuple

#: A telephone's photo has two to six million bytes.
MOST_BYTES = 8_000_000

#: What a file of the family of HEIC says that it is.
_HEIC = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"})


class PhotoError(ValueError):
    """What is there is no photo that can be kept; the message says what would be one."""


class Photo(NamedTuple):
    """A photo, and what it is called: JPEG, PNG, HEIC or PDF."""

    kind: str
    content: bytes


class _Kind(NamedTuple):
    name: str
    media: str
    begins: Callable[[bytes], bool]


_KINDS = (
    _Kind("JPEG", "image/jpeg", lambda raw: raw.startswith(b"\xff\xd8\xff")),
    _Kind("PNG", "image/png", lambda raw: raw.startswith(b"\x89PNG\r\n\x1a\n")),
    _Kind("HEIC", "image/heic", lambda raw: raw[4:8] == b"ftyp" and raw[8:12] in _HEIC),
    _Kind("PDF", "application/pdf", lambda raw: raw.startswith(b"%PDF-")),
)


def kept_as(content: bytes) -> str:
    """Return the text as which the photo *content* is kept: a data URL, which a browser shows.

    Raises
    ------
    PhotoError
        When it is empty, too large, or no photo.
    """
    if not content:
        raise PhotoError("it is empty; take the photo again")
    if len(content) > MOST_BYTES:
        raise PhotoError(f"it is too large: {MOST_BYTES // 1_000_000} MB are the most")
    kind = next((kind for kind in _KINDS if kind.begins(content)), None)
    if kind is None:
        raise PhotoError(f"it is none of {', '.join(kind.name for kind in _KINDS)}, by its first bytes; save it as one of them")
    return f"data:{kind.media};base64,{base64.b64encode(content).decode()}"


def photo_in(text: str) -> Photo:
    """Return the photo that was kept as *text*.

    Raises
    ------
    PhotoError
        When none was.
    """
    head, _, content = text.partition(";base64,")
    kind = next((kind for kind in _KINDS if head == f"data:{kind.media}"), None)
    try:
        if kind:
            return Photo(kind.name, base64.b64decode(content, validate=True))
    except binascii.Error:
        pass
    raise PhotoError("what is kept there is no photo")
