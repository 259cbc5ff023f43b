"""The page of the methods names every requirement; its tests say so themselves, and what it tells people to type parses."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

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


@cache
def functions_of(path: Path) -> dict[str, str]:
    """Return the test functions of a file by name, each with its own docstring."""
    functions = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))
    return {each.name: ast.get_docstring(each) or "" for each in functions if each.name.startswith("test_")}


def named_files(cell: str) -> dict[str, list[Path]]:
    """Return the files of tests that a cell names, by what it calls them; a name alone is that of any file in tests/."""
    named = re.findall(r"`([\w/]+\.py)(?:::\w+)?`", cell)
    everywhere = [path for path in (ROOT / "tests").rglob("*.py") if functions_of(path)]
    return {name: [path for path in everywhere if path.as_posix().endswith(f"/{name}")] for name in named}


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_requirement_has_its_row_and_its_tests(method: str) -> None:
    """What we do, a rule, and tests: each file that is named holds a test function that has the id in its own docstring."""
    ids = [f"{method}-{number}" for number in range(1, METHODS[method] + 1)]
    assert ids == [id_ for id_ in rows() if id_.startswith(method)]
    for id_ in ids:
        says, rule, test, command = rows()[id_]
        assert says, id_
        assert rule, id_
        assert re.search(r"`thaw [a-z]", command), f"{id_} names no command"
        for path in re.findall(r"`(\w+/[\w/]+\.py)(?:[:`])", rule + test):
            assert (ROOT / path).is_file(), f"{id_}: {path}"
        files = named_files(test)
        assert files, f"{id_} names no test"
        for name, paths in files.items():
            assert paths, f"{id_}: there are no tests in {name}"
            docstrings = [text for path in paths for text in functions_of(path).values()]
            assert any(re.search(rf"\b{id_}\b", text) for text in docstrings), f"{id_} is in no docstring of a test in {name}"


def test_every_test_function_that_the_page_names_is_there() -> None:
    """Those that are named alone, and those that are named with their file, which carry the id of their row."""
    known = {name for path in (ROOT / "tests").rglob("*.py") for name in functions_of(path)}
    alone = re.findall(r"`(test_\w+)`", PAGE)
    assert alone
    assert [name for name in alone if name not in known] == []
    for id_, cells in rows().items():
        for file, function in re.findall(r"`([\w/]+\.py)::(\w+)`", cells[2]):
            (path,) = named_files(f"`{file}`")[file]
            assert id_ in functions_of(path)[function], f"{id_}: {file}::{function}"


def typed_lines(text: str) -> Iterator[list[str]]:
    """Yield the words of each command line in *text*; in a row of a table, an option that stands alone is one of the command
    before it."""
    for row in text.splitlines():
        line: list[str] = []
        for span in re.findall(r"`((?:thaw |--)[^`]*)`", row):
            words = span.split()
            line = words[1:] if words[0] == "thaw" else [*line, *words]
            if words[0] == "thaw" or (line != words and row.startswith("|")):
                yield line


def parses(line: list[str]) -> str:
    """Return what is wrong with a command line in which words in capitals stand for what people type; empty when nothing is."""
    command: click.Command = main
    words = list(line)
    while words and isinstance(command, click.Group) and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    if isinstance(command, click.Group) and words:
        return f"there is no command {words[0]}"
    options = {name: param for param in command.params for name in (*param.opts, *param.secondary_opts)}
    arguments = [param for param in command.params if isinstance(param, click.Argument)]
    placed, given = 0, set[click.Parameter]()
    while words:
        word = words.pop(0)
        if not word.startswith("--"):
            placed += 1
            continue
        option = options.get(word)
        if option is None:
            return f"there is no option {word}"
        given.add(option)
        value = words.pop(0) if words and not words[0].startswith("--") and not getattr(option, "is_flag", False) else ""
        if isinstance(option.type, click.Choice) and value and not value.isupper() and value not in option.type.choices:
            return f"{word} does not take {value}"
    if placed > sum(max(1, param.nargs) for param in arguments) and not any(param.nargs < 0 for param in arguments):
        return f"it takes {len(arguments)} arguments"
    # A command may be named alone; whoever types one of the options that it asks for needs them all.
    needed = [param for param in command.params if isinstance(param, click.Option) and param.required]
    if given.intersection(needed) and (missing := [param.opts[0] for param in needed if param not in given]):
        return f"it lacks {missing[0]}"
    shown = CliRunner().invoke(main, [*_path(line), "--help"])
    return "" if shown.exit_code == 0 else shown.output


def _path(line: list[str]) -> list[str]:
    command: click.Command = main
    path = []
    for word in line:
        if not isinstance(command, click.Group) or word not in command.commands:
            break
        command = command.commands[word]
        path.append(word)
    return path


def test_every_command_that_the_page_names_parses() -> None:
    """Each command is there, its options too, a choice takes the value that is shown, and its help can be read."""
    lines = list(typed_lines(PAGE))
    assert len(lines) > 60
    wrong = {" ".join(line): said for line in lines if (said := parses(line))}
    assert wrong == {}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("declin LEAD", "there is no command declin"),
        ("decline LEAD --sort hold", "there is no option --sort"),
        ("decline LEAD --kind holding", "--kind does not take holding"),
        ("alerts LEAD", "it takes 0 arguments"),
        ("decline LEAD --kind hold", "it lacks --stated-reason"),
    ],
)
def test_a_command_that_does_not_parse_is_found(line: str, said: str) -> None:
    """The check above can fail."""
    assert parses(line.split()) == said
