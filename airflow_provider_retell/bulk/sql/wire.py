"""Values that a cursor returns as the server sends them, not as Python values.

Airflow's cursor for BigQuery, for example, returns a timestamp as seconds since 1970, a number as text, and nested
values as ``{"f": [{"v": ...}]}``. The types of the result's columns say which values these are.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from airflow_provider_retell.api.errors import RetellInputError

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_NUMBERS = ("numeric", "bignumeric", "decimal", "bigdecimal", "number")
Decoder = Callable[[tuple[Any, ...]], tuple[Any, ...]]


def decoder(description: Sequence[Sequence[Any]]) -> Decoder | None:
    """Return a function that converts a row by the types of its columns, or None if the driver converts values itself.

    :param description: the cursor's description. Drivers with names as types may return wire formats.
    """
    types = [column[1] if len(column) > 1 else None for column in description]
    if not any(isinstance(kind, str) for kind in types):
        return None
    kinds = [kind.lower().partition("(")[0] if isinstance(kind, str) else "" for kind in types]
    names = [str(column[0]) for column in description]

    def decode(row: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(map(_decode, row, kinds, names))

    return decode


def _decode(value: Any, kind: str, name: str) -> Any:
    if isinstance(value, (dict, list)):
        if _is_wire(value):
            raise RetellInputError(
                f"the driver returns column {name} in the format of its server. Convert it in the query, for "
                "example with TO_JSON_STRING, or use a driver that converts it"
            )
        return value
    if kind.startswith("timestamp") and isinstance(value, (int, float)) and not isinstance(value, bool):
        # Microseconds, because a float of seconds has no more digits.
        return _EPOCH + datetime.timedelta(microseconds=round(value * 1_000_000))
    if kind in _NUMBERS and isinstance(value, str):
        try:
            return Decimal(value)
        except InvalidOperation:
            return value
    return value


def _is_wire(value: Any) -> bool:
    """Return True for ``{"f": [{"v": ...}]}`` and for a list of ``{"v": ...}``."""
    if isinstance(value, dict):
        fields = value.get("f")
        return value.keys() == {"v"} or (
            value.keys() == {"f"} and isinstance(fields, list) and _is_wire(fields)
        )
    return bool(value) and all(isinstance(item, dict) and item.keys() == {"v"} for item in value)
