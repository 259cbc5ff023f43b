"""One codec: canonical JSON bytes (the restricted RFC 8785 profile) and the hash that chains them.

Numbers are integers below 2**53, times are RFC 3339 strings in UTC, and no struct of this package holds a float; within that
profile sorted, compact JSON is the RFC 8785 form (``tests/workflows/test_codec.py`` checks it against the ``rfc8785`` package),
but for keys of characters beyond U+FFFF, which that sorts by UTF-16.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar
from uuid import UUID

import msgspec

T = TypeVar("T")

#: Names derived from other names (timer ids, lead ids) live below this namespace, so that a retry finds the same row.
NAMESPACE = UUID("6f1c1c1e-5d0a-5c67-9a44-7468617721a1")

#: So many bytes has the body of an event at most: no verifier of bundles reads a longer line.
BODY_BYTES_MAX = 12 << 20

#: The chain of a stream starts from 32 zero bytes.
GENESIS = bytes(32)

_encoder = msgspec.json.Encoder(order="sorted")
_in_given_order = msgspec.json.Encoder()

#: With one of these a character beyond U+FFFF begins in UTF-8: only these stand elsewhere by UTF-16 than by their numbers.
_BEYOND_U_FFFF = (b"\xf0", b"\xf1", b"\xf2", b"\xf3", b"\xf4")


def canonical(value: Any) -> bytes:
    """Return the canonical bytes of *value*, a struct or plain data without floats."""
    encoded = _encoder.encode(value)
    if _is_below_u_10000(encoded):
        return encoded
    return _in_given_order.encode(_by_utf_16(msgspec.json.decode(encoded)))


def canonical_lines(values: Sequence[Any]) -> bytes:
    """Return the canonical bytes of each of *values*, each with a newline behind it: canonical bytes themselves hold none."""
    encoded = _encoder.encode_lines(values)
    if _is_below_u_10000(encoded):
        return encoded
    return b"".join(canonical(value) + b"\n" for value in values)


def _is_below_u_10000(encoded: bytes) -> bool:
    # Looking for single bytes one after another is a hundred times as fast as looking for all of them by a pattern.
    return encoded.isascii() or not any(first in encoded for first in _BEYOND_U_FFFF)


def _by_utf_16(data: Any) -> Any:
    """Return *data* with the keys of its objects in the order of RFC 8785, 3.2.3."""
    if isinstance(data, dict):
        return {key: _by_utf_16(data[key]) for key in sorted(data, key=lambda key: key.encode("utf-16-be"))}
    return [_by_utf_16(item) for item in data] if isinstance(data, list) else data


def digest(value: bytes) -> str:
    """Return the SHA-256 of *value* as 64 hexadecimal digits."""
    return hashlib.sha256(value).hexdigest()


def chain_hash(previous: bytes, body: bytes) -> bytes:
    """Return SHA-256 over the previous event's hash (32 bytes, `GENESIS` for the first) and this event's *body*."""
    return hashlib.sha256(previous + body).digest()


def chain_hashes(previous: bytes, bodies: Iterable[bytes]) -> list[bytes]:
    """Return the hashes of events with these *bodies*, one behind the other, as `chain_hash` makes them."""
    sha256 = hashlib.sha256
    return [previous := sha256(previous + body).digest() for body in bodies]


def derived_id(*parts: object) -> UUID:
    """Return the id that the same *parts* always get, a version 5 UUID (RFC 9562)."""
    name = "\x1f".join(str(part) for part in parts)
    # What uuid.uuid5 does, in half its time; every message and timer gets its id here.
    digest_ = hashlib.sha1(NAMESPACE.bytes + name.encode(), usedforsecurity=False).digest()
    return UUID(bytes=digest_[:16], version=5)
