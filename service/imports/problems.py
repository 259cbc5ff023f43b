"""What can be wrong: with a value, with a row, with the whole file or its mapping."""

from collections.abc import Iterable
from difflib import get_close_matches

import msgspec

#: Longer values are shortened to this many characters in reports.
SHOWN_CHARACTERS = 80


class CannotImportError(Exception):
    """The import cannot be done at all, and nothing was imported; the message is a sentence for a salesperson."""

    def __init__(self, code: str, message: str, suggestion: str = "") -> None:
        super().__init__(f"{message} {suggestion}".strip())
        self.code = code
        self.message = message
        self.suggestion = suggestion


class MappingError(CannotImportError):
    """The mapping cannot be used; the message names the key."""


class FileError(CannotImportError):
    """The file cannot be read as rows and columns."""


class ConflictError(CannotImportError):
    """Another program wrote the same leads at the same moment; nothing was imported, and the import may be repeated."""


class Unreadable(ValueError):  # noqa: N818  # a finding about a value, handled in the next function, not an accident
    """A value is not what its column must hold."""

    def __init__(self, code: str, message: str, suggestion: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.suggestion = suggestion


class RowError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a row was rejected."""

    line: int
    """Line of the file on which the row starts, from 1; the header is a line, too."""
    column: str
    """Name of the column; empty when the row as a whole is wrong."""
    code: str
    value: str
    """What stands there, shortened to `SHOWN_CHARACTERS`, with control characters escaped."""
    message: str
    suggestion: str


def shown(value: str) -> str:
    """Return *value* as a report may show it: one line, short, nothing that a terminal would obey."""
    short = value if len(value) <= SHOWN_CHARACTERS else value[: SHOWN_CHARACTERS - 1] + "…"
    return short if short.isprintable() else "".join(map(_escaped, short))


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    # A byte that was not UTF-8 travels as a lone surrogate (PEP 383).
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else repr(character)[1:-1]


def did_you_mean(value: str, known: Iterable[str]) -> str:
    """Return the known names nearest to *value* as a sentence to append, or nothing."""
    folded = {name.casefold(): name for name in known}
    near = get_close_matches(value.casefold(), folded, n=2, cutoff=0.6)
    return f" Did you mean {' or '.join(folded[name] for name in near)}?" if near else ""
