"""The proof in a bundle that a lead has no other events: from the nodes that are kept of the heads, or else from all."""

from pathlib import Path

import pytest

from service.bundle import heads
from service.keys import KeyFiles
from service.settings import Settings
from tests.service.bundle.conftest import Filled
from tests.service.bundle.forge import Forged, checked
from tests.service.bundle.office import Office, leads_of
from workflows.heads import BLOCK_HEADS

NO_KEY = KeyFiles(Settings(home="/nonexistent"))


def proofs_in(bundle: bytes) -> bytes:
    """Return the proofs that are in a bundle."""
    return Forged(bundle).files["leads.ndjson"]


def test_few_leads_of_many_are_proved_without_reading_all_heads(
    office: Office, filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bundle verifies, and is the same where nodes are missing or altered, which takes all heads."""
    for number in range(BLOCK_HEADS):
        office.take_in(300 + number)
    one = leads_of(office.leads[-1])

    def refuse(*_: object) -> None:
        raise AssertionError("all heads were read")

    with monkeypatch.context() as patched:
        patched.setattr(heads, "PackedHeads", refuse)
        quick = office.bundle(one, tmp_path / "b.zip")
        for change in ("UPDATE heads_nodes SET hash = ''", "DELETE FROM heads_nodes"):
            office.sql(change)
            with pytest.raises(AssertionError, match="all heads were read"):
                office.bundle(one, tmp_path / "b.zip", keys=NO_KEY)
    report = checked(quick, filled.key)
    assert (0, []) == (report.status, report.ordered())
    assert 1 == "\n".join(report.checked).count("and no others")
    assert proofs_in(quick) == proofs_in(office.bundle(one, tmp_path / "b.zip", keys=NO_KEY))
