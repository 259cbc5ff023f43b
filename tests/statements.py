"""Hearing of each statement that an engine's connections send, whether by SQLAlchemy or by the driver alone."""

from collections.abc import Callable
from typing import Any

import psycopg
from sqlalchemy import Engine, event

Listener = Callable[[psycopg.Connection[Any], str], object]


def on_each_statement(engine: Engine, listener: Listener) -> None:
    """Call *listener* with the connection and the SQL before each statement, a COPY too."""

    class Cursor(psycopg.Cursor[Any]):
        def execute(self, query: Any, *arguments: Any, **options: Any) -> Any:
            listener(self.connection, str(query))
            return super().execute(query, *arguments, **options)

        def copy(self, statement: Any, *arguments: Any, **options: Any) -> Any:
            listener(self.connection, str(statement))
            return super().copy(statement, *arguments, **options)

    def install(connection: psycopg.Connection[Any], *_: object) -> None:
        connection.cursor_factory = Cursor

    event.listen(engine, "checkout", install)
