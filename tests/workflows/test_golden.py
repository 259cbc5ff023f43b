"""What was once written is read for ever: one stored event per type, never edited."""

import json
from pathlib import Path

import pytest

from tests.workflows.make_golden import GOLDEN, examples, missing
from workflows.codec import canonical
from workflows.events import SCHEMA, decode_recorded, event_type

FILES = sorted(GOLDEN.glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_stored_event_is_read_and_written_as_it_is(path: Path) -> None:
    """The bytes of the file decode to an event of that name, and the event encodes to those bytes."""
    body = path.read_bytes()
    recorded = decode_recorded(body)
    assert (path.stem, SCHEMA) == (event_type(recorded.data), recorded.schema)
    assert body == canonical(recorded)


def test_no_event_type_lacks_a_stored_example() -> None:
    """A new event gets its golden file in the same change: run ``python -m tests.workflows.make_golden``."""
    assert set() == missing()


def test_the_machine_still_produces_every_event() -> None:
    """The lives that the files came from still hold an event of each type."""
    assert {path.stem for path in FILES} == set(examples())


REASON = {"commitment": "0" * 64, "document_id": "00000000-0000-4000-8000-000000000001"}


@pytest.mark.parametrize(
    ("name", "later"),
    [
        ("leads_imported", {"reason": REASON}),
        ("note_sent", {"photo": REASON}),
        ("opted_out", {"words": REASON}),
        ("channel_opted_out", {"words": REASON}),
        ("messages_retried", {"attempts": 10, "deliveries": 0, "error": "OSError", "rings": 12}),
    ],
)
def test_what_came_later_stands_beside_what_was_there(name: str, later: dict[str, object]) -> None:
    """The stored examples have none of these fields; with them a body is read and written as it is, too."""
    body = json.loads((GOLDEN / f"{name}.json").read_bytes())
    where = body["data"]["messages"][0] if name == "messages_retried" else body["data"]
    assert not where.keys() & later.keys()
    where.update(later)
    recorded = decode_recorded(json.dumps(body).encode())
    assert body == json.loads(canonical(recorded))
