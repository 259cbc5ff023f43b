"""Events that no service can have written, in a bundle that is signed all the same: their types are looked at, too."""

import json
from pathlib import Path
from typing import Any

import pytest

from service.bundle import verify
from tests.service.bundle.conftest import Filled
from tests.service.bundle.forge import Forged, checked
from workflows.codec import canonical

GOLDEN = Path(__file__).parents[2] / "workflows" / "golden"
DELETED = object()


@pytest.mark.parametrize("path", sorted(GOLDEN.rglob("*.json")), ids=lambda path: path.stem)
def test_every_event_that_was_ever_written_has_its_shape(path: Path) -> None:
    verify.check_shape(json.loads(path.read_text()))


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("actor",), 7, "actor is 7"),
        (("actor",), None, "actor is null"),
        (("recorded_at",), DELETED, "recorded_at is missing"),
        (("occurred_at",), "0001-01-01", 'occurred_at is 0001-01-01'),
        (("more",), 1, "more is 1"),
        (("data", "type"), True, "data.type is true"),
        (("data", "type"), "Note Sent", "data.type is Note Sent"),
        (("playbook", "version"), [None], "playbook is "),
        (("used", "position"), True, "used.position is true"),
        (("used", "verdicts", 0, "passed"), "eve", "used.verdicts[0].passed is eve"),
        (("used", "verdicts", 0), 5, "used.verdicts[0].check is missing"),
        (("used", "verdicts", 0, "score"), "x", "used.verdicts[0].score is x"),
    ],
)  # fmt: skip
def test_what_no_service_writes_is_found_though_it_is_signed(
    filled: Filled, tmp_path: Path, path: tuple[Any, ...], value: Any, said: str
) -> None:
    """Who has a key of their own can chain and sign anything: the types of an event are looked at, too."""
    forged = Forged(filled.bundles["all"])
    lines = forged.lines("events.ndjson")
    at = next(
        number for number, line in enumerate(lines) if b'"type":"note_sent"' in line and json.loads(line)["used"]["verdicts"]
    )
    body = json.loads(lines[at])
    inner = body
    for step in path[:-1]:
        inner = inner[step]
    if value is DELETED:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    lines[at] = canonical(body) + b"\n"
    forged.put("events.ndjson", lines)
    forged.rehash()
    key = forged.sign_whole(tmp_path)
    report = checked(forged.listed_anew(), key)
    assert any(
        f"it is not shaped as an event: ValueError {said}" in each.sentence and each.code == verify.UNDERIVED
        for each in report.findings
    ), report.findings
