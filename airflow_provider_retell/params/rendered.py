"""Converters of values that come out of templates.

Airflow renders a template to text, or to a Python value if the DAG has ``render_template_as_native_obj=True``. Each
function here accepts both. It takes the value and the parameter's name for messages, and raises
:class:`RetellInputError` if the value is empty or invalid. The message never contains the value.

None, blank text and the texts ``None`` and ``null`` are empty: a template renders to them if its source has no value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from airflow_provider_retell.api.choices import STORAGE_ORDER, DataStorageSetting
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.common.distinct_keys import DuplicateKeyError, parse_json, parse_literal

_EMPTY = ("", "None", "null")
# Text forms of missing values in pandas and JavaScript. They would pass as ids.
_EMPTY_IDS = (*_EMPTY, "nan", "undefined")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def is_empty(value: Any) -> bool:
    """Return True for None, blank text and the text of None."""
    return value is None or (isinstance(value, str) and value.strip() in _EMPTY)


def as_text(value: Any, name: str) -> str:
    """Return text. Native rendering turns text that looks like a number into a number."""
    check_not_empty(value, name)
    return str(value)


def as_object(value: Any, name: str) -> Mapping[str, Any]:
    """Return a JSON object: a dict, JSON text, or the text of a Python dict, as ``"{{ {...} }}"`` renders to."""
    found: Mapping[str, Any] = _parsed(value, name, Mapping, "a dict", "a JSON object")
    return found


def as_list(value: Any, name: str) -> Sequence[Any]:
    """Return a JSON list: a sequence, JSON text, or the text of a Python list."""
    found: Sequence[Any] = _parsed(value, name, Sequence, "a list", "a JSON list")
    return found


def as_bool(value: Any, name: str) -> bool:
    """Return True or False, also for 1, 0 and the texts of all four: Python takes the text ``False`` for true."""
    check_not_empty(value, name)
    found = {"true": True, "1": True, "false": False, "0": False}.get(str(value).strip().lower())
    if found is None:
        raise RetellInputError(f"{name} must be True or False, or a template that renders to one of them")
    return found


def as_whole_number(value: Any, name: str, minimum: int | None = None) -> int:
    """Return a whole number of at least *minimum*."""
    check_not_empty(value, name)
    limit = "" if minimum is None else f" of at least {minimum}"
    try:
        number = int(str(value).strip()) if not isinstance(value, (bool, float)) else None
    except ValueError:
        number = None
    if isinstance(value, float) and value.is_integer():
        number = int(value)
    if number is None or (minimum is not None and number < minimum):
        raise RetellInputError(f"{name} must be a whole number{limit}")
    return number


def as_id(value: Any, name: str) -> str:
    """Return the id of a call or another object. Native rendering turns an id of digits into a number."""
    from airflow_provider_retell.api.request import check_id

    text = str(value) if type(value) is int else value
    if (
        text is None
        or (isinstance(text, float) and text != text)
        or (isinstance(text, str) and text.strip() in _EMPTY_IDS)
    ):
        raise _empty(name)
    return check_id(text, name)


def as_phone_number(value: Any, name: str, *, only_e164: bool = True, advice: str = "") -> str:
    """Return a phone number in E.164 format.

    :param only_e164: False to return any text.
    :param advice: a sentence for the end of the message.
    """
    from airflow_provider_retell.api.phone_numbers.e164 import check_e164

    check_not_empty(value, name)
    if only_e164:
        check_e164(value, name, advice)
    elif not isinstance(value, str):
        raise RetellInputError(f"{name} must be text")
    return str(value)


def as_epoch_milliseconds(value: Any, name: str) -> int:
    """Return a time in epoch milliseconds.

    :param value: epoch milliseconds, a datetime with a time zone, or the text of either (ISO 8601).
    """
    check_not_empty(value, name)
    try:
        if isinstance(value, str):
            value = _parse_time(value.strip())
        if isinstance(value, datetime):
            if value.utcoffset() is None:
                raise RetellInputError(f"{name} must have a time zone")
            return round(value.timestamp() * 1000)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return round(value)
    except RetellInputError:
        raise
    except (ValueError, OverflowError):
        pass
    raise RetellInputError(
        f"{name} must be epoch milliseconds, or a date and time with a time zone"
    ) from None


def as_storage_setting(value: Any, name: str) -> DataStorageSetting | None:
    """Return a data storage setting. An empty value is None, which leaves the call's setting as it is."""
    if is_empty(value):
        return None
    for setting in STORAGE_ORDER:
        if value == setting:
            return setting
    raise RetellInputError(
        f"{name} must be {', '.join(map(repr, STORAGE_ORDER[:-1]))} or {STORAGE_ORDER[-1]!r}"
    )


def parse_text(text: str, kind: type) -> Any:
    """Return the JSON value or Python literal in *text* if it is an instance of *kind*, otherwise None.

    :raises DuplicateKeyError: if an object has the same key twice.
    """
    for parse in (parse_json, parse_literal):
        try:
            parsed = parse(text)
        except DuplicateKeyError:
            raise
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            continue
        if isinstance(parsed, kind) and not isinstance(parsed, (str, bytes)):
            return parsed
    return None


def _parsed(value: Any, name: str, kind: type, python: str, form: str) -> Any:
    check_not_empty(value, name)
    if isinstance(value, str):
        try:
            parsed = parse_text(value, kind)
        except DuplicateKeyError as error:
            raise RetellInputError(f"{name} rendered to text that has {error}. Remove one of them") from None
        if parsed is not None:
            return parsed
        raise RetellInputError(
            f"{name} rendered to text that is not {form} ({len(value)} characters). Use {python}, or end the "
            "template with '| tojson'"
        )
    if isinstance(value, kind) and not isinstance(value, bytes):
        return value
    raise RetellInputError(f"{name} must be {python} or the text of {form}, not {type(value).__name__}")


def _parse_time(text: str) -> float | datetime:
    if _NUMBER.fullmatch(text):
        return float(text)
    return datetime.fromisoformat(re.sub("[Zz]$", "+00:00", text))  # Python 3.10 does not parse the Z


def check_not_empty(value: Any, name: str) -> None:
    """Raise :class:`RetellInputError` if the template of the parameter *name* rendered to an empty value."""
    if is_empty(value):
        raise _empty(name)


def _empty(name: str) -> RetellInputError:
    return RetellInputError(
        f"{name} rendered to an empty value. Check the template's source, for example an XCom that was never pushed"
    )
