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


def test_what_is_wrong_reaches_the_process_that_asked(filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finding that ends a copy's work is read back whole: its kind, its words, its place."""
    wrong = verify.WrongError(verify.ALTERED, "It is not there.", 7)
    assert str(wrong) == wrong.sentence

    def ends(*_: Any) -> None:
        raise wrong

    monkeypatch.setattr(verify, "_follow", ends)
    report = checked(filled.bundles["all"], filled.key, processes=2)
    assert [(verify.ALTERED, 7, "It is not there.")] == report.ordered()


@pytest.mark.parametrize("processes", [1, 2, 3, 7, 8, 64])
@pytest.mark.parametrize("events", [-1, 0, 99_999, 100_000, 1_000_000, 24_900_000, 25_000_000, 10**12])
def test_there_are_never_more_partitions_than_files_may_be_open(events: int, processes: int) -> None:
    """As many for each process, one at least, and never more than the most, however the numbers divide."""
    number = verify.partitions_for(events, processes)
    assert (0, True) == (number % processes, processes <= number <= verify.PARTITIONS_MAX)
    # Never larger than they should be but where there are as many as may be.
    assert number * verify.PARTITION_EVENTS > events or number + processes > verify.PARTITIONS_MAX
