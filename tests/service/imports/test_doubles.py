"""One person under two ids: named by imports and alerts with what to type, and merged by a manager only."""

from pathlib import Path

import pytest

from tests.service.imports.office import MAPPING, Office, row
from tests.service.world import World

BELA = row(2, name="Bela Brookhollow", email="bela@example.com", phone="+1 555 010 0002", street="2 End St")


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    """Return the mapping of the office, in a file."""
    path = tmp_path / "mapping.toml"
    path.write_text(MAPPING)
    return path


@pytest.mark.parametrize(
    ("differs", "shares"),
    [
        ({"phone": "", "street": ""}, "the same mail address"),
        ({"email": "", "street": "", "phone": "(555) 010-4477", "name": "AMBERFIELD Ada"}, "the same name and number"),
        ({"email": "", "phone": ""}, "the same name and address"),
        ({}, "the same mail address, the same name and number, the same name and address"),
        # A household shares its line, and a name alone is a namesake's.
        ({"email": "", "street": "", "name": "Bela Brookhollow"}, ""),
        ({"email": "other@example.com", "street": "9 End St", "phone": "+1 555 010 9999"}, ""),
    ],
)
def test_a_new_row_that_may_be_somebody_known_is_named(office: Office, differs: dict[str, str], shares: str) -> None:
    """Within one file and against what an earlier one brought, the same in a dry run, and it is imported all the same."""
    office.mapping = office.mapping.replace("[dates]", '[phones]\ncalling_code = "1"\n[dates]')
    twin = row(3, **differs)
    says = [(3, f"A-3 may be the person of A-1: {shares}.")] if shares else []
    for rows, dry_run in (((row(1), twin), True), ((row(1),), False), ((row(1), twin), True), ((row(1), twin), False)):
        report = office.report(*rows, dry_run=dry_run)
        assert not report.errors
        expected = says if twin in rows else []
        assert [(each.line, each.message) for each in report.doubles] == expected
        assert report.doubles_in_all == len(expected)
    # What was said of a row once is an alert from then on.
    assert office.report(row(1), twin).doubles == ()


def test_the_alert_ends_with_the_merge_that_it_names(world: World, office: Office, mapping: Path) -> None:
    """The one of whom more is known goes on; both owners hear of it, and nobody else does."""
    for name in ("dan", "eve", "fay"):
        world.rep(name)
    shown = world.ok("import", office.export(row(1), BELA, row(3, rep="eve")), "--mapping", mapping)
    shares = "the same mail address, the same name and number, the same name and address"
    typed = "thaw merge A-3 --into A-1 --as manager:NAME"
    assert f"Double? line 4: A-3 may be the person of A-1: {shares}. If so: {typed} suspected_double\n" in shown
    with world.worker():
        assert [] == world.said("alerts")["alerts"]
        world.work()
        world.ok("importance", "A-3", 3)
        (alert,) = world.said("alerts")["alerts"]
        assert (alert["rule"], alert["key"], alert["owner"]) == ("suspected_double", "A-1", "dan")
        assert alert["says"].startswith("may be the person of Ada Amberfield (A-3): the same mail address, ")
        for rep, number in (("dan", 1), ("eve", 1), ("fay", 0)):
            assert number == len(world.said("alerts", "--rep", rep)["alerts"])
        assert "    $ thaw merge A-1 --into A-3 --as manager:NAME\n" in world.ok("alerts")
        world.ok(*alert["command"].replace("NAME", "mia").split()[1:])
        assert "nothing to be alarmed at\n" == world.ok("alerts")
    report = world.said("import", office.export(row(4)), "--mapping", mapping, "--dry-run")
    assert ["A-4 may be the person of A-3"] == [each["message"].partition(":")[0] for each in report["doubles"]]
