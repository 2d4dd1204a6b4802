"""Errors of a database, without the values that their texts quote."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from airflow_provider_retell._compat import AirflowException
from airflow_provider_retell.api.errors import RetellError

# The first and the last quote, because a value may have quotes itself.
_QUOTED = re.compile("'.*'", re.DOTALL)
_DOUBLE_QUOTED = re.compile('".*"', re.DOTALL)
_KEY = re.compile(r"=\s*\(.*\)", re.DOTALL)
_STATEMENT = re.compile(r"\s*^LINE (\d+):.*", re.DOTALL | re.MULTILINE)
_LONGEST = 500


class DatabaseError(RetellError):
    """A query failed. The message has the database's error without quoted values."""


@contextmanager
def values_hidden() -> Iterator[None]:
    """Raise :class:`DatabaseError` in place of an error of the database."""
    try:
        yield
    except (RetellError, AirflowException):
        raise
    except Exception as error:
        # Not "from error": Airflow would log its text.
        raise DatabaseError(f"The query failed: {masked(error)}") from None


def masked(error: Exception) -> str:
    """Return the type, the SQLSTATE, the position and the text of *error*, with ``***`` in place of quoted values.

    In double quotes are names, except in errors about data: there, some databases quote values so.
    """
    text = str(error)
    line = _STATEMENT.search(text)
    text = _KEY.sub("=(***)", _QUOTED.sub("'***'", _STATEMENT.sub("", text)))
    if {"DataError", "IntegrityError"} & {kind.__name__ for kind in type(error).__mro__}:
        text = _DOUBLE_QUOTED.sub('"***"', text)
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    notes = [f"SQLSTATE {state}"] if isinstance(state, str) else []
    notes += [f"line {line[1]} of the statement"] if line else []
    first = (text.strip().splitlines() or ["no message"])[0][:_LONGEST]
    return f"{type(error).__name__}: {first}" + (f" ({', '.join(notes)})" if notes else "")
