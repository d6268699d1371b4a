"""Statements that are built by SQLAlchemy once and then run by the driver itself.

Building and hashing a statement costs more than SQLite needs to run it. So each one is
written with SQLAlchemy's expression language, compiled once per dialect, and from then
on handed to the driver as text. Only numbers and texts go in and out, which need no
conversion.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

from sqlalchemy import literal_column
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ClauseElement

__all__ = ["Query", "Row", "literal", "one", "zero"]

Row = Any
"""A named tuple with the statement's columns."""

_DIALECTS: dict[str, Any] = {
    "sqlite": sqlite.dialect(paramstyle="qmark"),
    # The server's own placeholders: the driver need not translate each statement again.
    "postgresql": postgresql.dialect(paramstyle="numeric_dollar"),  # type: ignore[no-untyped-call]
}


def literal(text: str) -> Any:
    """Put a constant into a statement as it is, so that a partial index matches it."""
    return literal_column("'" + text.replace("'", "''") + "'")


one: Any = literal_column("1")
zero: Any = literal_column("0")


class Query:
    """One statement, ready to run on either database.

    Values are the statement's ``bindparam`` names; those with a value of their own need
    none.
    """

    def __init__(self, statement: ClauseElement) -> None:
        self.statement = statement
        self._texts: dict[str, tuple[str, Callable[[dict[str, Any]], Any]]] = {}
        self._rows: dict[str, Callable[[Any], Row]] = {}

    def text(self, dialect: str) -> tuple[str, Callable[[dict[str, Any]], Any]]:
        """Return the text for *dialect*, and what turns named values into its parameters."""
        if (known := self._texts.get(dialect)) is None:
            known = self._texts[dialect] = self._compiled(dialect)
        return known

    def _compiled(self, dialect: str) -> tuple[str, Callable[[dict[str, Any]], Any]]:
        compiled: Any = self.statement.compile(dialect=_DIALECTS[dialect])
        given = {key: value for key, value in compiled.params.items() if value is not None}
        names = tuple(compiled.positiontup)
        if not given:
            return str(compiled), lambda values: [values[name] for name in names]
        return str(compiled), lambda values: [
            values[name] if name in values else given[name] for name in names
        ]

    def row(self, dialect: str, cursor: Any) -> Callable[[Any], Row]:
        """Return what makes a named tuple of a row of this statement's result."""
        if (make := self._rows.get(dialect)) is None:
            # Once: the driver takes its time to describe the columns.
            names = [column[0] for column in cursor.description]
            row: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
            make = self._rows[dialect] = row._make
        return make
