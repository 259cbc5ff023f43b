"""The engine: what the URL says of a session counts, and ours stands where it says nothing."""

import pytest
from sqlalchemy import make_url, text

from models.database import make_engine, transaction

SHOWN = (
    "SELECT current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('work_mem'), "
    "current_setting('TimeZone'), current_setting('application_name')"
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ("1min", "20s", None, "UTC", "thaw test")),
        ({"options": "-c work_mem=7MB"}, ("1min", "20s", "7MB", "UTC", "thaw test")),
        (
            {"options": "-c statement_timeout=5s -c timezone=Asia/Tokyo", "connect_timeout": "3", "application_name": "mine"},
            ("5s", "20s", None, "UTC", "thaw test"),
        ),
    ],
)
def test_options_in_the_address_are_kept_beside_ours(
    database_url: str, query: dict[str, str], expected: tuple[str | None, ...]
) -> None:
    url = make_url(database_url).update_query_dict(query).render_as_string(hide_password=False)
    engine = make_engine(url, application_name="thaw test")
    with transaction(engine) as connection:
        found = tuple(connection.execute(text(SHOWN)).one())
    engine.dispose()
    assert [(mine, its) for mine, its in zip(expected, found, strict=True) if mine is not None and mine != its] == []
