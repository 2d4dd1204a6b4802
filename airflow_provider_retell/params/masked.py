"""Masks for private values in template fields.

Airflow stores rendered template fields in its database and shows them under "Rendered Templates". A mask is text or a
dict, so templates that read the field after rendering, such as ``map_index_template``, read the masked text too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from airflow_provider_retell.common.distinct_keys import DuplicateKeyError
from airflow_provider_retell.common.paths import safe_path
from airflow_provider_retell.params.rendered import parse_text

# With a letter, so that a phone number is not taken for an id.
_ID = re.compile(r"(?=.*[A-Za-z])[\w-]{1,100}")


class Masked:
    """A private value behind a mask: text, or a dict with the value's keys, that Airflow may store and show."""

    _value: Any


class _MaskedText(Masked, str):
    """Text in place of a value. Its items, attributes and methods (``x['a'].b()``) are the same text again.

    Airflow evaluates templates that read fields after the task has run, for example ``map_index_template``, and fails
    the task if one of them fails. The text therefore supports the operators of numbers too.
    """

    # Jinja's sandbox reads these before it calls an object.
    unsafe_callable = alters_data = False

    def __getattribute__(self, name: str) -> Any:
        is_real = name.startswith("_") or name in ("encode", "unsafe_callable", "alters_data")
        return super().__getattribute__(name) if is_real else self

    def __getitem__(self, key: Any) -> _MaskedText:
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> _MaskedText:
        return self

    def __iter__(self) -> Iterator[str]:
        return iter((self,))

    def __add__(self, other: Any) -> str:
        return str.__add__(self, other) if isinstance(other, str) else self

    def __radd__(self, other: Any) -> str:
        return str.__add__(other, self) if isinstance(other, str) else self

    def __rmod__(self, other: Any) -> Any:
        return NotImplemented if isinstance(other, str) else self

    def __int__(self) -> int:
        return 0

    def __float__(self) -> float:
        return 0.0

    def __format__(self, spec: str) -> str:
        try:
            return super().__format__(spec)
        except ValueError:  # a format of numbers
            return super().__format__("")


_ARITHMETIC = ("sub", "mul", "truediv", "floordiv", "mod", "pow")
for _name in (
    *(f"__{prefix}{name}__" for name in _ARITHMETIC for prefix in ("", "r") if f"{prefix}{name}" != "rmod"),
    *("__neg__", "__pos__", "__abs__", "__round__"),
):
    setattr(_MaskedText, _name, lambda self, *_args: self)
for _name in ("__lt__", "__le__", "__gt__", "__ge__"):
    setattr(_MaskedText, _name, lambda _self, _other: False)


class _MaskedObject(Masked, dict[str, _MaskedText]):
    """The keys of an object, each with masked text as its value. A missing key gives masked text too."""

    def __missing__(self, key: Any) -> _MaskedText:
        return _masked_text("***", None)

    def __str__(self) -> str:
        return json.dumps(self)


def mask(value: Any, ids: Collection[str] = ()) -> Any:
    """Return *value* behind a mask: the keys of an object, the number of rows of a list, and otherwise ``***``.

    None stays None.

    :param ids: keys of an object whose values are shown if they are ids, or conditions on ids.
    """
    if value is None or isinstance(value, Masked):
        return value
    if hasattr(value, "template_fields"):  # a source, whose text has nothing private
        text = value.serialize() if hasattr(value, "serialize") else None
        return _masked_text(text if isinstance(text, str) else str(value), value)
    if isinstance(value, (list, tuple)):
        return _masked_text(f"{len(value)} rows", value)
    keys = _keys_of(value) if isinstance(value, str) else value
    if not isinstance(keys, Mapping):
        return _masked_text("***", value)
    shown = _MaskedObject(
        {
            str(key): _masked_text(_shown_ids(item) if key in ids else "***", None)
            for key, item in keys.items()
        }
    )
    shown._value = value
    return shown


def _keys_of(text: str) -> Mapping[str, Any] | None:
    """Return the object in *text*, or None."""
    try:
        found: Mapping[str, Any] | None = parse_text(text, Mapping)
    except DuplicateKeyError:  # The operator raises it again.
        return None
    return found


def _shown_ids(value: Any) -> str:
    """Return the ids in the value or the condition of a filter, or ``***`` if it has other values."""
    if isinstance(value, Mapping):
        value = value.get("value")
    found = [
        item.get("agent_id") if isinstance(item, Mapping) else item
        for item in (value if isinstance(value, (list, tuple)) else [value])
    ]
    ids = [item for item in found if isinstance(item, str) and _ID.fullmatch(item)]
    return ", ".join(ids) if len(ids) == len(found) else "***"


def mask_path(value: Any) -> Any:
    """Return a path with secrets behind a mask: the path without them. Other values are returned as they are."""
    shown = safe_path(value) if isinstance(value, str) and not isinstance(value, Masked) else value
    return value if shown == value else _masked_text(shown, value)


def unmask(value: Any) -> Any:
    """Return the value behind a mask; other values are returned as they are."""
    return value._value if isinstance(value, Masked) else value


def _masked_text(shown: str, value: Any) -> _MaskedText:
    text = _MaskedText(shown)
    text._value = value
    return text
