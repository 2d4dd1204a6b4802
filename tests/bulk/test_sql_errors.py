"""Errors of databases: values that their texts quote are hidden."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from airflow_provider_retell.bulk import SqlRows
from airflow_provider_retell.bulk.sql.errors import DatabaseError, masked

PRIVATE = "gold"


class DataError(Exception):
    """As every driver calls it."""


class IntegrityError(Exception):
    """As every driver calls it."""


class ConversionException(DataError):  # noqa: N818
    """DuckDB's."""


class InvalidTextRepresentation(DataError):  # noqa: N818
    """PostgreSQL's."""

    sqlstate = "22P02"


class UniqueViolation(IntegrityError):  # noqa: N818
    """PostgreSQL's, of an older driver."""

    pgcode = "23505"


class UndefinedTable(Exception):  # noqa: N818
    """PostgreSQL's."""

    sqlstate = "42P01"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            ConversionException(
                "Conversion Error: Could not convert string 'gold' to INT32\n\nLINE 1: select 'gold'::int\n   ^"
            ),
            "ConversionException: Conversion Error: Could not convert string '***' to INT32 (line 1 of the statement)",
        ),
        (
            InvalidTextRepresentation('invalid input syntax for type integer: "gold"\nLINE 3: where x'),
            'InvalidTextRepresentation: invalid input syntax for type integer: "***" (SQLSTATE 22P02, line 3 of the statement)',  # noqa: E501
        ),
        (
            UndefinedTable('relation "facts" does not exist'),
            'UndefinedTable: relation "facts" does not exist (SQLSTATE 42P01)',
        ),
        (
            UniqueViolation('duplicate entry "gold"'),
            'UniqueViolation: duplicate entry "***" (SQLSTATE 23505)',
        ),
        (DataError("value 'it's gold\nor gold' is bad"), "DataError: value '***' is bad"),
        (DataError("Key (tier)=(gold) is bad"), "DataError: Key (tier)=(***) is bad"),
        (ValueError(), "ValueError: no message"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_quoted_values_are_hidden_and_the_place_is_kept(error: Exception, text: str) -> None:
    assert masked(error) == text
    assert PRIVATE not in text


def test_query_that_fails_names_no_value(warehouse: Any) -> None:
    warehouse.execute("insert into facts values ('call_1', 'd', 'gold', 1)")
    with pytest.raises(
        DatabaseError, match="^The query failed: OperationalError: no such table: nowhere$"
    ) as error:
        list(SqlRows("warehouse", "select * from nowhere").read())
    assert error.value.__suppress_context__
    assert isinstance(error.value.__context__, sqlite3.OperationalError)
    assert not error.value.permanent
