"""Copies of the verifier's process follow the streams together, and say what one alone would have said."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from service.bundle import verify
from tests.service.bundle.conftest import Filled
from tests.service.bundle.forge import Forged, checked


@pytest.mark.parametrize("name", ["all", "some", "one", "range"])
def test_several_processes_say_what_one_says(filled: Filled, name: str) -> None:
    """Of a bundle as it is, and of one with another row of the table in a note."""
    forged = Forged(filled.bundles[name])
    number = forged.at(lambda body: body["data"]["type"] == "note_sent")
    forged.change(number, b'"T10"', b'"T11"')
    for bundle in (filled.bundles[name], forged.listed_anew()):
        alone = vars(checked(bundle, filled.key, processes=1, leads=[str(filled.leads[1])]))
        for processes in (2, 3):
            together = vars(checked(bundle, filled.key, processes=processes, leads=[str(filled.leads[1])]))
            alone["findings"].sort()
            together["findings"].sort()
            assert alone == together
    assert verify.ALTERED in alone["counts"]


def test_a_process_that_is_killed_is_no_verdict(
    filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verify, "_follow", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    path = tmp_path / "bundle.zip"
    path.write_bytes(filled.bundles["all"])
    assert verify.UNCHECKED == verify.main([str(path), "--key", filled.key, "--processes", "2"])
    said = capsys.readouterr()
    assert ("", True) == (said.out, "was killed, so not all was checked" in said.err)


def test_what_a_process_cannot_do_is_raised_where_its_answer_is_read(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(verify, "_follow", full)
    with pytest.raises(OSError, match="No space left"):
        checked(filled.bundles["all"], filled.key, processes=2)
