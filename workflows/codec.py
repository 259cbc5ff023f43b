"""One codec: canonical JSON bytes (the restricted RFC 8785 profile) and the hash that chains them.

Keys are ASCII, numbers are integers below 2**53, times are RFC 3339 strings in UTC, and no struct of this package holds a
float; within that profile sorted, compact JSON is the RFC 8785 form (``tests/workflows/test_codec.py`` checks it against the
``rfc8785`` package).
"""

import hashlib
from collections.abc import Iterable
from typing import Any, TypeVar
from uuid import UUID

import msgspec

T = TypeVar("T")

#: Names derived from other names (timer ids, lead ids) live below this namespace, so that a retry finds the same row.
NAMESPACE = UUID("6f1c1c1e-5d0a-5c67-9a44-7468617721a1")

#: The chain of a stream starts from 32 zero bytes.
GENESIS = bytes(32)

_encoder = msgspec.json.Encoder(order="sorted")


def canonical(value: Any) -> bytes:
    """Return the canonical bytes of *value*, a struct or plain data without floats."""
    return _encoder.encode(value)


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
