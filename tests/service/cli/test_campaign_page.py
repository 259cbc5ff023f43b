"""The page on campaigns is what its commands print. When they print something else, the new page lies in the test's folder."""

import shlex
import time
from pathlib import Path

import pytest

from tests.service.campaigns import Office
from tests.service.world import World

PAGE = Path(__file__).parents[3] / "docs" / "campaigns.md"


def played(world: World, page: str) -> str:
    """Return *page* with what each of its commands prints now."""
    lines: list[str] = []
    within = False
    for line in page.splitlines():
        if line.startswith("```"):
            within = not within
            lines.append(line)
        elif not within:
            lines.append(line)
        elif line.startswith("$ "):
            lines += [line, *_printed(world, shlex.split(line[2:]))]
    return "\n".join(lines) + "\n"


def _printed(world: World, command: list[str]) -> list[str]:
    said = Path(command[1]).read_text() if command[0] == "cat" else world.ok(*command[1:])
    while world._due():
        time.sleep(0.01)
    return [line.rstrip() for line in said.splitlines()]


def test_the_page_on_campaigns_is_what_its_commands_print(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A0-16: event, approval, campaign, release, answers and results, word for word."""
    monkeypatch.chdir(tmp_path)
    page = PAGE.read_text()
    with world.worker():
        office = Office(world)
        office.declined()
        office.declined()
        office.client()
        office.declined(person={"last_meeting_topic": ""})
        found = played(world, page)
    (tmp_path / "campaigns.md").write_text(found)
    assert page.splitlines() == found.splitlines()
    office.sound()
