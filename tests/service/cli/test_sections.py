"""``thaw --help``: each command under one heading, by who types it."""

import json
import re
import subprocess
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import service.cli
from service.cli import MODULES, main
from service.cli.sections import SECTIONS


def test_every_command_stands_under_one_heading() -> None:
    """A new command has to say who it is for, and none is listed twice or by a name that is gone."""
    listed = Counter(name for names in SECTIONS.values() for name in names)
    assert listed == Counter(list(main.commands))


@pytest.mark.parametrize("module", MODULES)
def test_every_command_is_in_the_module_that_the_table_says(module: str) -> None:
    """What is imported on demand is found there, and a module has no command that cannot be typed."""
    commands = {command.name: command for command in import_module(f"service.cli.{module}").COMMANDS}
    assert {name: main.commands[name] for name in MODULES[module]}.items() <= commands.items()
    inner = [group.commands for group in main.commands.values() if isinstance(group, click.Group)]
    for name in {*commands} - {*MODULES[module]}:
        assert [group for group in inner if group.get(name) is commands[name]]


def test_no_module_adds_a_command_to_the_group_of_another() -> None:
    """It would be there only for whoever imports both; a group says itself where the commands of other modules are."""
    added = 0
    for file in sorted(Path(service.cli.__file__).parent.glob("*.py")):
        for group in re.findall(r"^@?(\w+)\.(?:command|add_command)\(", file.read_text(), re.MULTILINE):
            if group != "click":
                made_in = getattr(import_module(f"service.cli.{file.stem}"), group).callback.__module__
                assert made_in == f"service.cli.{file.stem}", f"{file.name} adds a command to {group}"
                added += 1
    assert added


def test_a_command_imports_no_other_command() -> None:
    """Whoever types one does not wait for all."""
    said = "import json, sys; from service.cli import main; main.commands['keys']; print(json.dumps(list(sys.modules)))"
    imported = json.loads(subprocess.run([sys.executable, "-c", said], check=True, capture_output=True, text=True).stdout)
    assert "service.cli.keys" in imported
    assert {f"service.cli.{module}" for module in MODULES}.isdisjoint({*imported} - {"service.cli.keys"})
    assert "service.wiring" not in imported


@pytest.mark.parametrize("width", [80, 120])
def test_the_help_is_read_by_headings_on_a_plain_terminal(width: int) -> None:
    """No escape codes, no line too long, every first sentence whole, and headings in their order."""
    result = CliRunner().invoke(main, ["--help"], terminal_width=width, max_content_width=width)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert max(map(len, lines)) <= width
    assert "\x1b" not in result.output
    assert [line.rstrip(":") for line in lines if line.rstrip(":") in SECTIONS] == list(SECTIONS)
    assert not [line for line in lines[1:] if line.endswith("...")]
    names = [
        line.split()[0] for line in lines if line.startswith("  ") and line[2:3].isalpha() and line.split()[0] in main.commands
    ]
    assert names == [name for names in SECTIONS.values() for name in names]


def test_a_command_without_a_heading_is_listed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be typed that the help does not know."""
    monkeypatch.setitem(SECTIONS, "Mail", ("mail",))
    output = CliRunner().invoke(main, ["--help"]).output
    assert "More:\n  inbound" in output
