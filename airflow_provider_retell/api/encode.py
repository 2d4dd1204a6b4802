"""Convert the values of a warehouse to JSON, by one rule per type.

=========================================  =============================================================
Python value                               JSON
=========================================  =============================================================
``None``, ``bool``, ``str``                the same value
``int``                                    number, up to ±(2**53 - 1); larger ones are rejected
``float``                                  number; NaN and infinity are rejected
``Decimal``                                number with the same digits; rejected if a double cannot hold them
``datetime`` with a zone                   ISO 8601 text in UTC, e.g. ``2026-11-22T18:05:00+00:00``
``datetime`` without a zone                rejected: it is ambiguous
``date``                                   ISO 8601 text, e.g. ``2026-11-22``
``UUID``                                   text, lower case with hyphens
IP address, network                        text, e.g. ``192.0.2.1``
mapping with text keys, ``list``, tuple    object or array, by the same rules
numpy scalar, except dates                 the rule of the equal Python value; ``float32(0.1)`` is 0.1
bytes, sets, everything else               rejected
=========================================  =============================================================

Integers above 2**53 - 1 are rejected because JSON parsers that store numbers as doubles would silently change them:
cast such ids to text. A rejected value raises :class:`RetellInputError` with the key's name, never with the value.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

import pydantic_core

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.parsing import RepairedText

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"

MAX_SAFE_INTEGER = 2**53 - 1
MAX_METADATA_BYTES = 50_000
"""Retell documents "50 kB". That could also mean 51,200 bytes; this is the stricter reading."""

_MAX_DEPTH = 100

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}").fullmatch


def to_json(value: Any, where: str, depth: int = 0) -> JsonValue:
    """Convert *value* to plain JSON values.

    :param where: the dotted name of *value*, for error messages.
    :raises RetellInputError: if a value has no JSON form.
    """
    if value is None or value is True or value is False:
        return value
    kind = type(value)
    if kind is str:
        return _text(value, where)
    if kind is int:
        return _integer(value, where)
    if kind is float:
        return _float(value, where)
    if depth > _MAX_DEPTH:
        raise RetellInputError(f"{where} is nested more than {_MAX_DEPTH} levels deep (or contains itself)")
    if kind is dict or isinstance(value, Mapping):
        return {
            # The name of the item is for an error, so short text and small numbers do without it.
            _key(key, where): item
            if _is_plain(item)
            else to_json(item, f"{where}.{safe_name(key)}", depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [to_json(item, f"{where}[{index}]", depth + 1) for index, item in enumerate(value)]
    return _scalar(value, where)


def _is_plain(value: Any) -> bool:
    """Return True if *value* certainly is its own JSON form."""
    kind = type(value)
    return (kind is str and value.isascii()) or (
        kind is int and -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER
    )


def safe_name(name: str, otherwise: str = "[..]") -> str:
    """Return *name* if it looks like an identifier. If not, return *otherwise*: the name may be private data."""
    return name if _PLAIN(name) else otherwise


def _scalar(value: Any, where: str) -> JsonValue:
    dtype = getattr(value, "dtype", None)
    if dtype is not None and getattr(value, "shape", None) == () and dtype.kind in "biufU":
        # A shorter float shows fewer digits than the double that it equals.
        plain = float(str(value)) if dtype.kind == "f" and dtype.itemsize < 8 else value.item()
        # A longdouble has no equal Python value, so its item() is a longdouble again.
        if type(plain) is not type(value):
            return to_json(plain, where)
    if isinstance(value, datetime.datetime):
        return _datetime(value, where)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return _decimal(value, where)
    # PostgreSQL's INET with psycopg 3. Importing ipaddress only for this would cost time.
    if isinstance(value, UUID) or type(value).__module__ == "ipaddress":
        return str(value)
    # Subclasses, for example members of StrEnum and IntEnum. The exact types were handled above.
    if isinstance(value, str):
        return _text(str.__str__(value), where)
    if isinstance(value, int):
        return _integer(int(value), where)
    if isinstance(value, float):
        return _float(float(value), where)
    if isinstance(value, (bytes, bytearray, memoryview)):
        raise RetellInputError(f"{where} is bytes: decode it to text or encode it as base64")
    raise RetellInputError(f"{where} is a {type(value).__name__}, which has no JSON form: convert it first")


def _text(value: str, where: str) -> str:
    try:
        value.encode()
        return value
    except UnicodeEncodeError:
        pass
    try:
        # Native rendering of "{{ x | tojson }}" returns both halves of an emoji, because Python evaluates the JSON.
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        # "from None", because the original error prints the value.
        raise RetellInputError(
            f"{where} is text with half of a surrogate pair, which UTF-8 cannot encode"
        ) from None


def _integer(value: int, where: str) -> int:
    if abs(value) > MAX_SAFE_INTEGER:
        raise RetellInputError(
            f"{where} is an integer beyond 2**53 - 1, which JSON parsers may round: send it as text"
        )
    return value


def _float(value: float, where: str) -> float:
    if not math.isfinite(value):
        raise RetellInputError(
            f"{where} is NaN or infinite, which JSON cannot represent: send null or leave the key out"
        )
    return value


def _decimal(value: Decimal, where: str) -> int | float:
    if not value.is_finite():
        raise RetellInputError(
            f"{where} is NaN or infinite, which JSON cannot represent: send null or leave the key out"
        )
    # Check the size before int(), which would expand Decimal("1e999999") to a million digits.
    if value.adjusted() < 16 and value == value.to_integral_value():
        return _integer(int(value), where)
    number = float(value)
    if Decimal(repr(number)) != value:
        raise RetellInputError(
            f"{where} is a Decimal with more digits than a JSON number holds: round it or send it as text"
        )
    return number


def _datetime(value: datetime.datetime, where: str) -> str:
    # pandas.NaT is a datetime that does not equal itself.
    if value != value:
        raise RetellInputError(f"{where} is NaT, which JSON cannot represent: send null or leave the key out")
    if value.utcoffset() is None:
        raise RetellInputError(
            f"{where} is a datetime without a time zone: attach the time zone, or set timezone in a bulk update"
        )
    try:
        return value.astimezone(datetime.timezone.utc).isoformat()
    except OverflowError:
        raise RetellInputError(f"{where} is a datetime that is out of range in UTC") from None


def _key(key: Any, where: str) -> str:
    if not isinstance(key, str):
        raise RetellInputError(f"{where} has a key that is a {type(key).__name__}: JSON keys must be text")
    return _text(str.__str__(key), f"a key of {where}")


def dump(value: JsonValue) -> bytes:
    """Return *value* as compact UTF-8 JSON."""
    return pydantic_core.to_json(value)


def check_metadata_size(metadata: Mapping[str, JsonValue]) -> None:
    """Raise :class:`RetellInputError` with the largest keys and their sizes if *metadata* exceeds Retell's limit."""
    size = len(dump(dict(metadata)))
    if size <= MAX_METADATA_BYTES:
        return
    sizes = sorted(((len(dump({key: item})), key) for key, item in metadata.items()), reverse=True)
    largest = ", ".join(f"{safe_name(key)}: {bytes_:,}" for bytes_, key in sizes[:5])
    others = len(sizes) - 5
    more = f" and {others} more {'key' if others == 1 else 'keys'}" if others > 0 else ""
    raise RetellInputError(
        f"is {size:,} bytes of JSON; Retell accepts at most {MAX_METADATA_BYTES:,} (50 kB). "
        f"Bytes per key: {largest}{more}"
    )


def same_json(left: JsonValue, right: JsonValue) -> bool:
    """Return True if two JSON values are equal: 1 equals 1.0, true does not equal 1, and a missing key equals null.

    Retell does not document whether it stores a key whose value is null. Therefore null equals a missing key.
    """
    if isinstance(left, str):
        return left == right
    if isinstance(left, dict) and isinstance(right, dict):
        return all(same_json(left.get(key), right.get(key)) for key in left.keys() | right.keys())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same_json, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, (int, float)) and isinstance(right, (int, float)) and type(left) is not type(right):
        # JSON has only one type of number, and a server may print a large double without an exponent.
        try:
            return float(left) == float(right)
        except OverflowError:
            return False
    return left == right


def texts(value: JsonValue) -> Iterator[str]:
    """Yield every text and number in *value*, as text."""
    if isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


class UnsendableError(Exception):
    """A value from Retell cannot be sent back unchanged. The message says why."""


def sendable(value: Any) -> Any:
    """Return values from Retell in a form that Retell stores unchanged. Retell stores huge integers as doubles.

    :raises UnsendableError: if there is no such form.
    """
    if isinstance(value, dict):
        # pydantic turns a repaired key into plain text, so look for the replacement character.
        if any("\ufffd" in key for key in value):
            raise UnsendableError("a key with half of a surrogate pair, which UTF-8 cannot encode")
        return {key: sendable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [sendable(item) for item in value]
    if isinstance(value, RepairedText):
        raise UnsendableError("text with half of a surrogate pair, which UTF-8 cannot encode")
    if isinstance(value, int) and abs(value) > MAX_SAFE_INTEGER:
        try:
            return float(value)
        except OverflowError:
            raise UnsendableError("a number that is too large for a double") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise UnsendableError("a number that is NaN or infinite")
    return value
