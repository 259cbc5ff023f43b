"""The page of the methods names every requirement, and each has a test that says so."""

import re
from pathlib import Path

import pytest

from service.cli import main

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "methods.md").read_text()

#: How many requirements each method has; a method is added with its section.
METHODS = {"A0": 16, "A1": 16, "A2": 11, "A3": 12, "A4": 14}


def rows() -> dict[str, list[str]]:
    """Return the cells of each row, by the requirement's id."""
    found = re.findall(r"^\| (A\d-\d+) \|(.*)\|$", PAGE, re.MULTILINE)
    assert len(found) == len({id_ for id_, _ in found})
    return {id_: [cell.strip() for cell in cells.split(" | ")] for id_, cells in found}


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_requirement_has_its_row_and_its_test(method: str) -> None:
    """What we do, a rule, a test that has the id in a docstring, and a command that exists."""
    ids = [f"{method}-{number}" for number in range(1, METHODS[method] + 1)]
    assert ids == [id_ for id_ in rows() if id_.startswith(method)]
    for id_ in ids:
        says, rule, test, command = rows()[id_]
        assert says, id_
        assert rule, id_
        for path in re.findall(r"`(\w+/[\w/]+\.py)`", rule + test):
            assert (ROOT / path).is_file(), f"{id_}: {path}"
        named = [path for name in re.findall(r"`([\w/]+\.py)`", test) for path in (ROOT / "tests").rglob(f"*{Path(name).name}")
                 if path.as_posix().endswith(f"/{name}")]  # fmt: skip
        assert named, f"{id_} names no test"
        docstrings = [text for path in named for text in re.findall(r'"""(.*?)"""', path.read_text(), re.DOTALL)]
        assert any(re.search(rf"\b{id_}\b", text) for text in docstrings), f"{id_} stands in no docstring of {test}"
        for name in re.findall(r"`thaw ([a-z][a-z-]*)", command):
            assert name in main.commands, f"{id_}: thaw {name}"
