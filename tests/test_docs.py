"""What the documents say is what the program does."""

import re
import shlex
from pathlib import Path

import click

from models.tables import metadata
from service.cli import main
from service.cli.accountability import COLUMNS
from service.settings import Settings, variable
from workflows.chart import mermaid

ROOT = Path(__file__).parents[1]


def test_the_chart_in_the_readme_is_the_one_that_is_printed() -> None:
    """``thaw chart`` and the README show the same table."""
    chart = re.search(r"```mermaid\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert chart is not None
    assert mermaid().strip() == chart[1].strip()


def test_every_setting_is_in_the_operations_guide_and_no_other() -> None:
    """The table of settings lists each variable once, with its default."""
    guide = (ROOT / "docs" / "operations.md").read_text()
    rows = re.findall(r"^\| `(THAW_\w+)` \|([^|]*)\|", guide, re.MULTILINE)
    assert [variable(name) for name in Settings.__struct_fields__] == [name for name, _ in rows]
    defaults = {variable(name): getattr(Settings(), name) for name in Settings.__struct_fields__}
    for name, default in rows:
        if name != "THAW_HOME":
            assert str(defaults[name] or "") == default.strip("` ")


def test_every_column_of_every_table_is_in_the_guide_to_erasure() -> None:
    """Nothing can be added to the schema without saying whether it is personal and what becomes of it."""
    guide = (ROOT / "docs" / "erasure.md").read_text()
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|", guide, re.MULTILINE))
    listed = {table: re.findall(r"`(\w+)`", columns) for table, columns in rows.items()}
    assert listed == {table.name: [column.name for column in table.columns] for table in metadata.tables.values()}


def test_every_command_that_the_documents_name_exists() -> None:
    """A ``thaw`` command in a document is one that ``thaw --help`` lists."""
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for name in re.findall(r"`thaw ([a-z][a-z-]*)|^\$ thaw ([a-z][a-z-]*)", document.read_text(), re.MULTILINE):
            assert (name[0] or name[1]) in main.commands, f"{document.name}: thaw {name}"


def test_every_option_that_the_documents_name_is_taken() -> None:
    """Whoever types what a document shows is not told that there is no such option."""
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        text = document.read_text()
        shown = re.findall(r"^\$ thaw (.*(?:\\\n.*)*)", text, re.MULTILINE) + re.findall(r"`thaw ([^`]+)`", text)
        for typed in shown:
            words = shlex.split(typed.replace("\\\n", " ").replace("…", ""), comments=True)
            command: click.Command = main
            while isinstance(command, click.Group) and words and words[0] in command.commands:
                command = command.commands[words.pop(0)]
            known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)} | {"--help"}
            if command.name != "verify-bundle":
                for option in (word.partition("=")[0] for word in words if word.startswith("--")):
                    assert option in known, f"{document.name}: thaw {typed}"


def test_the_columns_that_the_guide_explains_are_those_of_the_command() -> None:
    """The transcript of ``thaw accountability`` has the words that the command prints today."""
    guide = (ROOT / "docs" / "methods.md").read_text()
    printed = re.search(r"^\$ thaw accountability.*?\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)
    assert printed is not None
    head, *_ = printed[1].splitlines()
    legend = [line for line in printed[1].splitlines() if line.startswith("  ")]
    known = {name: f"  {name:<10}  {meaning}" for _, name, meaning in COLUMNS}
    assert legend == [known[name] for name in head.split()[3:]]
