"""How values of rows become values of calls: nulls, time zones, and JSON in text."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.common.distinct_keys import DuplicateKeyError, parse_json
from airflow_provider_retell.params import checks

Nulls = Literal["write", "skip", "remove"]


@dataclass(frozen=True)
class RowOptions:
    """The options for all rows of a task.

    :ivar nulls: the meaning of a null: ``"write"`` it, ``"skip"`` the column, or ``"remove"`` the metadata key. With
        ``"remove"``, columns of custom attributes are skipped, because attributes cannot be deleted.
    :ivar timezone: the name of the zone of timestamps without one. None rejects them.
    :ivar json_columns: the columns with JSON in text.
    """

    nulls: Nulls = "write"
    timezone: str | None = None
    json_columns: frozenset[str] = frozenset()

    @classmethod
    def check(cls, nulls: Nulls, timezone: str | None, json_columns: Sequence[str]) -> RowOptions:
        """Return the options of an operator.

        :raises ValueError: if one of them is invalid.
        """
        checks.one_of("nulls", nulls, get_args(Nulls))
        options = cls(nulls, timezone, frozenset(checks.text_list("json_columns", json_columns)))
        try:
            options._zone()
        except (KeyError, ValueError, TypeError, OSError):  # ZoneInfoNotFoundError is a KeyError
            raise ValueError(
                f"timezone must be the name of a time zone, for example 'Europe/Berlin', not {timezone!r}"
            ) from None
        return options

    def values(self, row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
        """Return the values of the columns in *names*, under the names that they get.

        :raises RetellInputError: if a column of ``json_columns`` has no JSON, or an object with the same key twice.
        """
        values = {name: row[column] for column, name in names.items() if column in row}
        if not self.json_columns and self.timezone is None:
            return values
        for column, name in names.items():
            if column in self.json_columns and isinstance(values.get(name), str):
                values[name] = _parse_json(values[name], column)
        if self.timezone is not None:
            zone = self._zone()
            values = {name: _in_zone(value, zone) for name, value in values.items()}
        return values

    def _zone(self) -> datetime.tzinfo | None:
        return None if self.timezone is None else ZoneInfo(self.timezone)


DEFAULTS = RowOptions()


def without_nulls(values: dict[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    """Return *values* without nulls, and the names of the nulls."""
    nulls = frozenset(name for name, value in values.items() if value is None)
    return {name: value for name, value in values.items() if name not in nulls}, nulls


def _parse_json(text: str, column: str) -> Any:
    if not text.strip():
        return None
    try:
        return parse_json(text)
    except DuplicateKeyError as error:
        raise RetellInputError(f"{column} has {error}") from None
    except (ValueError, RecursionError):
        # "from None": the original error has the text.
        raise RetellInputError(f"{column} has text that is not JSON") from None


def _in_zone(value: Any, zone: datetime.tzinfo | None) -> Any:
    if isinstance(value, datetime.datetime):
        # pandas.NaT is a datetime that does not equal itself.
        return value.replace(tzinfo=zone) if value == value and value.utcoffset() is None else value
    if isinstance(value, Mapping):
        return {key: _in_zone(item, zone) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_in_zone(item, zone) for item in value]
    return value
