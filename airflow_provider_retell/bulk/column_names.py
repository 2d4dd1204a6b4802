"""Names of columns, in the parameters of a task and in the header of a source.

The module of the operator imports this one, so it imports nothing that DAG files do not need.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.params import checks

_MAX_LISTED = 20
_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars", ",": "commas"}


def names_by_column(
    parameter: str, columns: Mapping[str, str] | Sequence[str] | None
) -> Mapping[str, str] | None:
    """Return the names that *columns*, a list or a dict, gives to columns. None stays None.

    :param parameter: the parameter's name, for messages.
    :raises ValueError: if two columns get the same name, or a name is a template.
    :raises TypeError: if it is neither a list nor a dict of texts.
    """
    if columns is None:
        return None
    if not isinstance(columns, Mapping):
        names = checks.text_list(parameter, columns, or_dict=True)
        return {name: name for name in names}
    checks.text_list(f"the keys of {parameter}", list(columns))
    names = checks.text_list(f"the values of {parameter}", list(columns.values()))
    if len(set(names)) < len(names):
        raise ValueError(f"{parameter} must give each column a name of its own")
    return columns


def shown_names(names: Iterable[Any]) -> list[str]:
    """Return *names* for a message. The first row of a file without a header may be private data, not names."""
    from airflow_provider_retell.api.encode import safe_name

    return [safe_name(str(name), f"column {number}") for number, name in enumerate(names, start=1)]


def listed_names(names: Iterable[Any]) -> str:
    """Return the first of *names* for a message, as :func:`shown_names`."""
    return ", ".join(shown_names(islice(names, _MAX_LISTED))) or "no columns"


def hint(missing: Sequence[str], names: Iterable[Any]) -> str:
    """Return a sentence about the likely reason why *missing* are not among *names*, or an empty text."""
    for name in map(str, names):
        for delimiter, shown in _DELIMITERS.items():
            if delimiter in name and any(part.strip("\"' ") in missing for part in name.split(delimiter)):
                return f". The columns seem to be separated by {shown}: set the delimiter of FileRows"
        if name.strip() in missing:
            return f". The name {name.strip()} has spaces before or after it"
        if name.strip().casefold() in map(str.casefold, missing):
            return ". Names are case-sensitive"
    return ""


def check_names(names: Iterable[str]) -> None:
    """Raise :class:`RetellInputError` if columns cannot become metadata keys without being named by the task.

    :param names: the columns that would become keys.
    """
    for name in names:
        if name == "metadata":
            raise RetellInputError(
                "the column metadata would become one key of the metadata. Make a column of each key, or name the "
                "columns in metadata_columns"
            )
        if name != name.strip() or not name:
            fault = "begins or ends with a space" if name.strip() else "is empty"
            raise RetellInputError(
                f"the name of a column {fault}. Correct it, or name the columns in metadata_columns"
            )


def check_distinct(names: Sequence[Any]) -> None:
    """Raise :class:`RetellInputError` if two columns have the same name, because a dict would lose one of them.

    Columns without a name do not count, because no task can use them.
    """
    for number, name in enumerate(names):
        if name and name in names[:number]:
            from airflow_provider_retell.api.encode import safe_name

            twice = safe_name(str(name), f"columns {names.index(name) + 1} and {number + 1}")
            raise RetellInputError(f"the rows have two columns of the same name: {twice}")
