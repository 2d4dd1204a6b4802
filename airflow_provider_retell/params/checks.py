"""Checks of parameters when a DAG file is read.

Each check raises :class:`ValueError`, or :class:`TypeError` if the type is wrong. The message names the parameter. It
shows the value only if the value is a number or looks like a keyword, because other text may be private.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeGuard

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.params.rendered import is_empty

_KEYWORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")


def is_literal(value: object) -> TypeGuard[str]:
    """Return True if *value* is text without a template, so that it can be checked before it is rendered."""
    return isinstance(value, str) and not any(mark in value for mark in ("{{", "{%", "{#"))


def connection_id(name: str, value: object) -> None:
    """Raise ValueError if *value* is text with spaces, such as a query in place of the id of a connection."""
    if is_literal(value) and len(value.split()) > 1:
        # Without the value: a query can contain private data.
        raise ValueError(
            f"{name} must be the id of a connection, without spaces. The query is the next argument"
        )


def one_of(name: str, value: object, choices: Sequence[object]) -> None:
    """Raise unless *value* is one of *choices*."""
    if not any(value is choice or (isinstance(value, str) and value == choice) for choice in choices):
        raise ValueError(f"{name} must be {_alternatives(choices)}, not {_shown(value)}")


def one_of_or_template(name: str, value: object, choices: Sequence[object]) -> None:
    """Raise if *value* is text without a template, and neither empty nor one of *choices*."""
    if is_literal(value) and not is_empty(value):
        one_of(name, value, choices)


def text(**parameters: object) -> None:
    """Raise unless all *parameters* are texts that are neither blank nor templates, or None."""
    for name, value in parameters.items():
        if value is not None and not isinstance(value, str):
            raise TypeError(f"{name} must be text, not {_type(value)}")
        if value is not None and not value.strip():
            raise ValueError(f"{name} must not be blank")
        _no_template(name, value)


def phone_number(name: str, value: object, advice: str = "") -> None:
    """Raise unless *value* is a phone number in E.164 format, a template, or the output of another task.

    :param advice: a sentence for the end of the message.
    """
    from airflow_provider_retell.api.phone_numbers.e164 import check_e164

    if is_literal(value) or value is None or isinstance(value, (int, float)):
        try:
            check_e164(value, name, advice)
        except RetellInputError as error:
            raise ValueError(error.fault) from None


def mapping(**parameters: object) -> None:
    """Raise unless all *parameters* are dicts or None."""
    for name, value in parameters.items():
        if value is not None and not isinstance(value, Mapping):
            raise TypeError(f"{name} must be a dict, not {_type(value)}")


def flag(**flags: object) -> None:
    """Raise unless all *flags* are True, False or None. They are not templated, and any text would count as true."""
    for name, value in flags.items():
        if value is not None and not isinstance(value, bool):
            raise TypeError(f"{name} must be True or False, not {_shown(value)}. It cannot be a template")


def exclusive(**parameters: object) -> None:
    """Raise if more than one of *parameters* is set, that is, neither None nor False."""
    both = [name for name, value in parameters.items() if value is not None and value is not False]
    if len(both) > 1:
        raise ValueError(f"{' and '.join(both)} must not both be set. Leave one of them out")


def together(**parameters: object) -> None:
    """Raise if some of *parameters* are None and others are not."""
    missing = [name for name, value in parameters.items() if value is None]
    if missing and len(missing) < len(parameters):
        raise ValueError(
            f"{' and '.join(parameters)} must be set together. {' and '.join(missing)} is missing"
        )


def whole_number(name: str, value: object, minimum: int | None = None, maximum: int | None = None) -> None:
    """Raise unless *value* is a whole number within the limits. None means no limit."""
    _number(name, value, "a whole number", int, minimum, maximum)


def between(name: str, value: object, minimum: float, maximum: float) -> None:
    """Raise unless *value* is a number from *minimum* to *maximum*."""
    _number(name, value, "a number", (int, float), minimum, maximum)


def in_seconds(name: str, value: object, *, positive: bool = False) -> float:
    """Return a duration, a number of seconds or a timedelta, in seconds.

    :param positive: True to reject 0.
    """
    kind = "seconds or a timedelta"
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = float(value)
    else:
        raise TypeError(f"{name} must be {kind}, not {_shown(value)}")
    limit = "more than 0" if positive else "0 or more"
    if not math.isfinite(seconds) or seconds < 0 or (positive and seconds == 0):
        raise ValueError(f"{name} must be {kind}, {limit}, not {_shown(value)}")
    return seconds


def text_list(
    name: str,
    value: object,
    *,
    choices: Iterable[str] | None = None,
    empty: bool = True,
    or_dict: bool = False,
) -> list[str]:
    """Return a list of strings without templates.

    A single text is an error, because it would be read as a list of characters.

    :param empty: False to reject an empty list.
    :param or_dict: True if the parameter may also be a dict, which the caller checks: the message says so.
    """
    allowed = None if choices is None else list(choices)
    entries = "strings" if allowed is None else _alternatives(allowed)
    kind = f"a list {'or dict ' if or_dict else ''}of {entries}"
    items = _items(name, value, kind)
    for item in items:
        if not isinstance(item, str):
            raise TypeError(f"{name} must be {kind}; it contains {_shown(item)}")
        if allowed is not None and item not in allowed:
            raise ValueError(f"{name} must be {kind}; it contains {_shown(item)}")
        _no_template(name, item)
    if not items and not empty:
        raise ValueError(f"{name} must have at least one entry")
    return items


def scalars(name: str, value: object) -> None:
    """Raise unless *value* is a list of strings that are not blank, whole numbers, True or False, with an entry."""
    kind = "a list of strings, whole numbers, True or False"
    items = _items(name, value, kind)
    for item in items:
        if not isinstance(item, (str, int)):
            raise TypeError(f"{name} must be {kind}; it contains {_shown(item)}")
    text(**{f"{name}[{position}]": item for position, item in enumerate(items) if isinstance(item, str)})
    if not items:
        raise ValueError(f"{name} must have at least one entry")


def analysis_fields(value: object, **wait: str | None) -> tuple[str, ...]:
    """Return the names of the fields of an analysis.

    :param wait: the parameter that selects the state to wait for, and its value. If that state does not include the
        analysis, fields are an error. Default: the task does not wait.
    """
    fields = tuple(dict.fromkeys(text_list("analysis_fields", value)))
    text(**{f"analysis_fields[{number}]": name for number, name in enumerate(fields)})
    for name in ("call_summary", "chat_summary"):
        if name in fields:
            raise ValueError(
                f"analysis_fields must not contain {name}, which repeats the conversation. To store it in a file, use "
                f"Get{name.partition('_')[0].title()}Operator(path=...)"
            )
    for name, until in wait.items():
        if fields and until != "analyzed":
            raise ValueError(
                f"analysis_fields needs {name}='analyzed', because only then the analysis is complete"
            )
    return fields


def _items(name: str, value: object, kind: str) -> list[Any]:
    if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Collection):
        raise TypeError(f"{name} must be {kind}, not {_type(value)}")
    return list(value)


def _no_template(name: str, value: object) -> None:
    """Raise if *value* is a template. Airflow would not render it, and Retell would get the braces."""
    if isinstance(value, str) and not is_literal(value):
        raise ValueError(f"{name} must not be a template, because it is not rendered. Write the text itself")


def _number(
    name: str,
    value: Any,
    kind: str,
    types: type | tuple[type, ...],
    minimum: float | None,
    maximum: float | None,
) -> None:
    if minimum is not None:
        kind += f" of at least {minimum}" if maximum is None else f" from {minimum} to {maximum}"
    if isinstance(value, bool) or not isinstance(value, types):
        raise TypeError(f"{name} must be {kind}, not {_shown(value)}")
    # Written so that a NaN, which compares as False, is an error.
    number: Any = value
    if not ((minimum is None or number >= minimum) and (maximum is None or number <= maximum)):
        raise ValueError(f"{name} must be {kind}, not {_shown(value)}")


def _alternatives(choices: Iterable[object]) -> str:
    *others, last = [repr(choice) for choice in choices]
    return f"{', '.join(others)} or {last}" if others else last


def _shown(value: object) -> str:
    if value is None or isinstance(value, (bool, int, float, timedelta)):
        return str(value)
    if isinstance(value, str):
        return repr(value) if _KEYWORD.fullmatch(value) else "other text"
    return _type(value)


def _type(value: object) -> str:
    return "text" if isinstance(value, str) else type(value).__name__
