"""Two imports at once, a database that fails, files that hold anything: nothing is half done."""

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import imports
from models.database import Connection, DatabaseFullError, DatabaseUnavailableError, make_engine, transaction
from models.playbooks import newest_playbook, publish
from service.imports.mapping_file import parse_mapping
from service.imports.problems import ConflictError, FileError, MappingError
from service.imports.report import Report
from service.imports.run import Result, Wish, run_import
from tests.service.imports.office import NOW, PEPPER, Office, counts, kinds, row
from workflows.commands import (
    RegisterLead,
)
from workflows.layers import merged
from workflows.limits import Layers, Limits


def test_two_imports_of_one_file_at_the_same_moment_create_nothing_twice(office: Office) -> None:
    rows = [row(number) for number in range(300)]
    path = office.export(*rows)
    mapping = parse_mapping(office.mapping)
    reports: list[Report] = []
    threads = [
        threading.Thread(
            target=lambda: reports.append(run_import(office.engine, path, mapping, Wish(), pepper=PEPPER, now=NOW).report),
            name=f"import-{n}",
        )
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(counts(report) for report in reports) == [(0, 0, 300, 0)] * 3 + [(300, 0, 0, 0)]
    assert office.ask("SELECT count(*) FROM messages WHERE actor_name = 'register'") == [(300,)]


def test_a_database_that_goes_away_in_the_middle_leaves_nothing(office: Office) -> None:
    path = office.export(*[row(number) for number in range(1000)])
    other = make_engine(office.engine.url.render_as_string(hide_password=False), application_name="thaw assassin")

    def kill(_: int) -> None:
        with transaction(other) as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'thaw' AND datname = current_database()"
            )

    with pytest.raises(DatabaseUnavailableError):
        run_import(office.engine, path, parse_mapping(office.mapping), Wish(), pepper=PEPPER, now=NOW, advance=kill)
    other.dispose()

    assert office.everything() == [[], []]


def test_a_disk_that_is_full_is_said_to_be_and_leaves_nothing(office: Office) -> None:
    office.ask("CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '53100'; END $$")
    office.ask("CREATE TRIGGER no_room BEFORE INSERT ON contacts EXECUTE FUNCTION no_room()")

    with pytest.raises(DatabaseFullError):
        office.run(row())

    assert office.everything() == [[], []]


def test_a_contact_that_another_program_changes_meanwhile_is_a_conflict(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.run(row())
    compare = imports.compare

    def overtaken(connection: Connection, source: str, **more: object) -> imports.Compared:
        found = compare(connection, source, **more)  # type: ignore[arg-type]  # passed on as they came
        office.ask("UPDATE contacts SET commitment = 'of another program'")
        return found

    monkeypatch.setattr(imports, "compare", overtaken)
    with pytest.raises(ConflictError, match="Run it again"):
        office.run(row(name="Bela"))

    assert kinds(office.commands()) == [RegisterLead]


def test_a_database_that_is_away_is_said_to_be(office: Office) -> None:
    nowhere = make_engine("postgresql://nobody@127.0.0.1:1/nothing")

    with pytest.raises(DatabaseUnavailableError):
        run_import(nowhere, office.export(row()), parse_mapping(office.mapping), Wish(), pepper=PEPPER, now=NOW)


def test_a_playbook_that_nobody_published_is_refused(office: Office) -> None:
    office.mapping = office.mapping.replace("five-five-five", "six-six-six")

    with pytest.raises(MappingError, match=r"No playbook called six-six-six is published. Published: event-invitation, five"):
        office.run(row())


def test_a_playbook_that_was_made_for_one_rep_is_refused(office: Office) -> None:
    with transaction(office.engine) as connection:
        base = newest_playbook(connection, "five-five-five")
        assert base
        layers = Layers(base=base.id, digest=base.pin.digest, own=Limits(notes=2))
        publish(connection, merged(base, layers, playbook_id="five-five-five.of.dan", version="1.0.0"))
    office.mapping = office.mapping.replace("five-five-five", "five-five-five.of.dan")

    with pytest.raises(MappingError, match="was made for the days of one rep"):
        office.run(row())


def test_the_rejected_rows_never_overwrite_the_file(office: Office) -> None:
    path = office.export(row(stage="?"))

    with pytest.raises(FileError, match="which is the file to import"):
        run_import(office.engine, path, parse_mapping(office.mapping), Wish(errors=path), pepper=PEPPER, now=NOW)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.lists(
        st.sampled_from([b"A-1", b"dan", b",", b",,,,", b"\n", b'"', b"\xff", b"\0", b"Old", b"=1", b"2025-01-01", b"-"])
    ).map(b"".join)
)
def test_whatever_the_file_holds_a_dry_run_is_a_report(office: Office, data: bytes) -> None:
    path = office.folder / "wild.csv"
    path.write_bytes(b"id,rep,name,street,city,phone,email,fact,met_on,value,stage,closed_on,why,good,state\n" + data)

    result = run_import(office.engine, path, parse_mapping(office.mapping), Wish(dry_run=True), pepper=PEPPER, now=NOW)

    assert isinstance(result, Result)
    assert sum(counts(result.report)) == result.report.totals.rows
