"""Where what is printed cannot be written: a sentence and a status, and no traceback."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("typed", [("--help",), ("rep", "set", "--help"), ("--version",)])
def test_help_that_cannot_be_written_is_a_sentence(typed: tuple[str, ...]) -> None:
    """Help is printed before any command runs, and so outside of what catches the errors of commands."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "service", *typed], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (3, "thaw: No space left on device\n") == (done.returncode, done.stderr)
