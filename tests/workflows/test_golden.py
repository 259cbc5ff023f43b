"""What was once written is read for ever: one stored event per type, never edited."""

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
