"""A piece of the log is looked at as a whole; whatever is wrong with one of its events, the look at each finds it too."""

from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from models.audit import Columns, Row, Stream, WrongEventError, all_right, check
from models.events import Appended, chained, pinned
from tests.benchmarks.log import lives
from tests.workflows.make_golden import _lives
from workflows.codec import GENESIS, chain_hashes
from workflows.events import decode_recorded, event_type


def row(position: int, appended: Appended) -> Row:
    """Return an event as `scan` reads it."""
    recorded = appended.recorded
    return Row(
        position=position,
        version=recorded.version,
        hash=appended.hash,
        body=appended.body,
        type=event_type(recorded.data),
        schema=recorded.schema,
        occurred_at=recorded.occurred_at,
        recorded_at=recorded.recorded_at,
        message_id=str(recorded.message_id),
        actor=recorded.actor,
        correlation_id=str(recorded.correlation_id),
        causation_id=str(recorded.causation_id) if recorded.causation_id else None,
        playbook=pinned(recorded.playbook),
    )


def columns(rows: list[Row]) -> Columns:
    """Return *rows* as a piece."""
    return Columns._make(map(list, zip(*rows, strict=True)))


@pytest.fixture(scope="module")
def history() -> tuple[UUID, list[Row]]:
    """Return one lead of the benchmarks with its events."""
    own = [appended for appended in lives(1) if appended.recorded.stream_id == next(lives(1)).recorded.stream_id]
    return own[0].recorded.stream_id, [row(3 * number, appended) for number, appended in enumerate(own, start=1)]


def looked_at(stream_id: UUID, rows: list[Row]) -> str:
    """Look at *rows* in both ways, and return what is wrong with the first that is: a code, or nothing."""
    events = all_right(stream_id, columns(rows), after=0, version=1, previous=GENESIS)
    code = one_by_one(stream_id, rows)
    assert (events is None) == (code != "")
    return code


def one_by_one(stream_id: UUID, rows: list[Row]) -> str:
    after, previous = 0, GENESIS
    for version, each in enumerate(rows, start=1):
        try:
            check(stream_id, each, after=after, version=version, previous=previous)
        except WrongEventError as error:
            return error.code
        after, previous = each.position, each.hash
    return ""


def test_nothing_is_wrong_with_events_of_any_type() -> None:
    """Both looks take every event that the machine can make."""
    seen = set()
    for life in _lives():
        rows, previous = [], GENESIS
        for number, recorded in enumerate(life.history, start=1):
            appended = chained(recorded, previous)
            rows.append(row(number, appended))
            previous = appended.hash
            seen.add(event_type(recorded.data))
        assert not looked_at(life.lead.id, rows)
    assert len(seen) > 40


OTHERS: dict[str, tuple[str, Any]] = {
    "position": ("order_differs", 2),
    "version": ("version_missing", 1),
    "hash": ("hash_differs", bytes(32)),
    "body": ("hash_differs", b"{}"),
    "type": ("copy_differs", "lead_won"),
    "schema": ("copy_differs", 2),
    "message_id": ("copy_differs", str(UUID(int=1))),
    "actor": ("copy_differs", "rep:eve"),
    "correlation_id": ("copy_differs", str(UUID(int=2))),
    "causation_id": ("copy_differs", None),
    "playbook": ("copy_differs", "life@1.0.1"),
}


@pytest.mark.parametrize("number", [1, 7, -1])
@pytest.mark.parametrize("column", OTHERS)
def test_another_value_in_any_column_is_found(history: tuple[UUID, list[Row]], column: str, number: int) -> None:
    """Wherever in the piece it is."""
    stream_id, rows = history
    code, value = OTHERS[column]
    assert value != getattr(rows[number], column)
    changed = [*rows]
    changed[number] = rows[number]._replace(**{column: value})
    assert code == looked_at(stream_id, changed)


@pytest.mark.parametrize("column", ["occurred_at", "recorded_at"])
def test_another_time_in_a_column_is_found(history: tuple[UUID, list[Row]], column: str) -> None:
    """To the microsecond."""
    stream_id, rows = history
    moment = getattr(rows[2], column) + timedelta(microseconds=1)
    assert "copy_differs" == looked_at(stream_id, [*rows[:2], rows[2]._replace(**{column: moment}), *rows[3:]])


def test_the_events_of_another_stream_are_found(history: tuple[UUID, list[Row]]) -> None:
    """The body says whose it is."""
    assert "copy_differs" == looked_at(UUID(int=3), history[1])


def rehashed(rows: list[Row], bodies: list[bytes]) -> list[Row]:
    """Return *rows* with other *bodies* and the hashes that follow from them."""
    hashes = chain_hashes(GENESIS, bodies)
    return [each._replace(body=body, hash=hash_) for each, body, hash_ in zip(rows, bodies, hashes, strict=True)]


@pytest.mark.parametrize(
    ("code", "old", "new"),
    [
        ("body_unreadable", b'"message_id":"', b'"message_id":"x'),
        ("body_unreadable", b'"causation_id":"', b'"causation_id":"-'),
        ("body_unreadable", b'"schema":1', b'"schema":"1"'),
        ("body_not_canonical", b'"used":{', b'"used":{"weather":"fine",'),
        ("body_not_canonical", b'"schema":1', b'"schema": 1'),
        ("body_not_canonical", b'"frozen":null,', b""),
        ("body_not_canonical", b'"row":', b'\n"row":'),
        ("body_not_canonical", b'"command":{', b'"command":{\n'),
        ("body_not_canonical", b'"playbook":{', b'"playbook":{\n'),
        ("body_not_canonical", b'"playbook":{', b'"playbook":{"digits":5,'),
        ("body_unreadable", b'"stream_id":"', b'"stream_id":"urn:uuid:'),
        ("copy_differs", b'"version":4', b'"version":5'),
        ("copy_differs", b'"schema":1', b'"schema":2'),
    ],
)
def test_a_body_that_was_changed_with_its_hash_is_found(
    history: tuple[UUID, list[Row]], code: str, old: bytes, new: bytes
) -> None:
    """Whatever the hashes say."""
    stream_id, rows = history
    bodies = [each.body for each in rows]
    bodies[3] = bodies[3].replace(old, new, 1)
    assert bodies[3] != rows[3].body
    assert code == looked_at(stream_id, rehashed(rows, bodies))


def test_an_event_that_cannot_be_folded_is_named(history: tuple[UUID, list[Row]]) -> None:
    """Right in itself and at its place, but nothing that a lead's history begins with."""
    stream_id, rows = history
    second = replace(decode_recorded(rows[1].body), version=1)
    stream = Stream(stream_id)
    wrong = stream.take(columns([row(1, chained(second, GENESIS))]))
    assert wrong
    assert ("fold_fails", 1) == (wrong.code, wrong.row.version)
    assert (wrong, None, 0) == (stream.wrong, stream.state, stream.version)


def test_bodies_that_are_canonical_only_together_are_found(history: tuple[UUID, list[Row]]) -> None:
    """A part of one event in the row of the other: one behind the other they read as before."""
    stream_id, rows = history
    bodies = [each.body for each in rows]
    first, comma, rest = bodies[1].partition(b',"data":')
    bodies[1], bodies[2] = first, comma[1:] + rest + b"," + bodies[2]
    assert b",".join(bodies) == b",".join(each.body for each in rows)
    assert "body_unreadable" == looked_at(stream_id, rehashed(rows, bodies))


def test_bodies_that_are_canonical_only_as_lines_are_found(history: tuple[UUID, list[Row]]) -> None:
    """An event that goes on in the row of the next, broken off between its fields and within its command."""
    stream_id, rows = history
    for border in (b',"data":', b',"occurred_at":'):
        bodies = [each.body for each in rows]
        first, comma, rest = bodies[1].partition(border)
        bodies[1], bodies[2] = first, comma + rest + b"\n" + bodies[2]
        assert "body_unreadable" == looked_at(stream_id, rehashed(rows, bodies))


def test_two_events_in_one_body_are_found(history: tuple[UUID, list[Row]]) -> None:
    """One behind the other on lines of their own they read as before."""
    stream_id, rows = history
    bodies = [each.body for each in rows]
    bodies[-3], bodies[-2] = b"\n".join(bodies[-3:-1]), b""
    assert "body_unreadable" == looked_at(stream_id, rehashed(rows, bodies))


def test_pieces_follow_one_another(history: tuple[UUID, list[Row]]) -> None:
    """A piece is right only behind the one before it."""
    stream_id, rows = history
    for _, part in groupby(rows, key=lambda each: each.version // 4):
        piece = list(part)
        before = rows[piece[0].version - 2] if piece[0].version > 1 else None
        place = {"after": before.position if before else 0, "previous": before.hash if before else GENESIS}
        assert all_right(stream_id, columns(piece), version=piece[0].version, **place)  # type: ignore[arg-type]
        assert all_right(stream_id, columns(piece), version=piece[0].version + 1, **place) is None  # type: ignore[arg-type]
        assert all_right(stream_id, columns(piece), version=piece[0].version, after=piece[0].position, previous=GENESIS) is None
