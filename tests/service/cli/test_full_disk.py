"""Where help cannot be written, or is not there: a sentence, a status, and no traceback."""

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest

import service.cli
from service.__main__ import main
from service.cli.app import drop_unwritten


def test_help_that_cannot_be_written_is_a_sentence() -> None:
    """Of all and of one command; whether Python writes at once or keeps a part back to the end, where it would try again."""
    with Path("/dev/full").open("w") as full:
        begun = [
            subprocess.Popen(
                [sys.executable, "-m", "service", *typed],
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                env=os.environ | {"PYTHONUNBUFFERED": unbuffered, "PYTHONOPTIMIZE": ""},
            )
            for typed, unbuffered in ((("--help",), ""), (("--help",), "1"), (("rep", "set", "--help"), ""))
        ]
    ended = [(process.communicate(timeout=60)[1], process.returncode) for process in begun]
    assert [("thaw: No space left on device\n", 3)] * 3 == ended


def test_an_error_is_said_where_the_standard_output_was_closed_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with ``>&-``: Python then has none, and nothing of it is left to drop."""
    monkeypatch.setattr(sys, "stdout", None)
    drop_unwritten()


@pytest.mark.parametrize(("optimize", "typed", "lines"), [(2, "--help", 1), (2, "today", 0), (1, "--help", 0)])
def test_help_that_python_leaves_out_is_spoken_of(
    monkeypatch: pytest.MonkeyPatch, optimize: int, typed: str, lines: int
) -> None:
    """Commands say what they do in docstrings, which there are none of at the highest level."""
    python = SimpleNamespace(flags=SimpleNamespace(optimize=optimize), argv=["thaw", typed], stderr=StringIO())
    monkeypatch.setattr("service.__main__.sys", python)
    monkeypatch.setattr(service.cli, "main", lambda **_: None)
    main()
    assert lines == python.stderr.getvalue().count("PYTHONOPTIMIZE=2 takes away most of what help says")
