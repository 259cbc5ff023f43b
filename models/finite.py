"""Moments and days as Python can hold them: PostgreSQL also has infinity, and years before 1 and behind 9999.

The service writes none of these. Who did is found out by a comparison, which must not fail before it is made.
"""

from sqlalchemy import Date, DateTime, Table

_FIRST = {"timestamptz": "'0001-01-01 00:00:00+00'", "date": "'0001-01-01'"}
_LAST = {"timestamptz": "'9999-12-31 23:59:59.999999+00'", "date": "'9999-12-31'"}


def bounded(column: str, type_: str = "timestamptz") -> str:
    """Return *column* in SQL, with the first or the last that there is in Python for what lies beyond."""
    first, last = _FIRST[type_], _LAST[type_]
    return f"CASE WHEN {column} < {first} THEN {first} WHEN {column} > {last} THEN {last} ELSE {column} END"


def columns_of(table: Table) -> str:
    """Return the columns of *table* in SQL, in their order, moments and days bounded."""
    types = {column.name: column.type for column in table.columns}
    return ", ".join(f"{_read(name, type_)} AS {name}" for name, type_ in types.items())


def _read(name: str, type_: object) -> str:
    return bounded(name) if isinstance(type_, DateTime) else bounded(name, "date") if isinstance(type_, Date) else name
