"""Values of Arrow arrays as Python values.

Arrow's own conversion gives lists of pairs for maps, widens 32-bit floats, and fails for nanoseconds. It also fails for
all values if one of them has no equal in Python.
"""

from __future__ import annotations

import datetime
import math
import struct
from typing import Any


class Unreadable:
    """A value that Python cannot represent, for example a date after the year 9999.

    :ivar reason: the name of the error.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason


class NanosecondTime(datetime.datetime):
    """A time with nanoseconds.

    :ivar nanosecond: the nanoseconds beyond the microsecond, 0 to 999.
    """

    nanosecond = 0

    @classmethod
    def of(cls, time: datetime.datetime, nanosecond: int) -> NanosecondTime:
        """Return *time* with nanoseconds."""
        made = cls.combine(time.date(), time.timetz())
        made = datetime.datetime.replace(made, fold=time.fold)
        made.nanosecond = nanosecond
        return made

    def astimezone(self, tz: datetime.tzinfo | None = None) -> NanosecondTime:
        """Return the same time in another zone."""
        return self.of(super().astimezone(tz), self.nanosecond)

    def replace(self, *args: Any, **kwargs: Any) -> NanosecondTime:
        """Return the time with other fields."""
        return self.of(super().replace(*args, **kwargs), self.nanosecond)

    def isoformat(self, sep: str = "T", timespec: str = "auto") -> str:
        """Return ISO 8601 text with nine digits after the seconds."""
        text = super().isoformat(sep, "microseconds")
        seconds = len("2026-11-22T18:05:00.123456")
        return f"{text[:seconds]}{self.nanosecond:03}{text[seconds:]}"


def column_values(column: Any) -> list[Any]:
    """Return the values of an Arrow array; :class:`Unreadable` for those that Python cannot represent."""
    if not _needs_care(column.type):
        try:
            values: list[Any] = column.to_pylist()
            return values
        except (ValueError, OverflowError):
            pass
    return [_value_or_fault(scalar) for scalar in column]


def shortest_float(value: float, form: str, digits: range) -> float:
    """Return the number with the fewest digits that a shorter float would show.

    :param form: the float's format in :mod:`struct`.
    :param digits: the numbers of digits to try.
    """
    if math.isfinite(value):
        for count in digits:
            short = float(f"{value:.{count}g}")
            try:
                if struct.pack(form, short) == struct.pack(form, value):
                    return short
            except OverflowError:
                continue
    return value


def _needs_care(kind: Any) -> bool:
    from pyarrow import types  # type: ignore[import-not-found,import-untyped,unused-ignore]

    if types.is_map(kind) or types.is_float32(kind) or types.is_float16(kind):
        return True
    if types.is_timestamp(kind):
        return bool(kind.unit == "ns")
    if types.is_struct(kind):
        return any(_needs_care(kind.field(number).type) for number in range(kind.num_fields))
    inner = getattr(kind, "storage_type", None) or getattr(kind, "value_type", None)
    return inner is not None and _needs_care(inner)


def _value_or_fault(scalar: Any) -> Any:
    try:
        return _value(scalar)
    except (ValueError, OverflowError) as error:
        return Unreadable(type(error).__name__)


def _value(scalar: Any) -> Any:
    from pyarrow import types

    kind = scalar.type
    if not scalar.is_valid or not _needs_care(kind):
        return scalar.as_py()
    if types.is_float32(kind):
        return shortest_float(scalar.as_py(), "f", range(6, 10))
    if types.is_float16(kind):
        return shortest_float(float(scalar.as_py()), "e", range(3, 6))
    if types.is_timestamp(kind):
        return _time(scalar.value, kind.tz)
    if types.is_struct(kind):
        return {kind.field(number).name: _value(scalar[number]) for number in range(kind.num_fields)}
    if types.is_dictionary(kind):
        return _value(scalar.dictionary[scalar.index.as_py()])
    if types.is_map(kind):
        pairs = zip(scalar.values.field(0), scalar.values.field(1), strict=True)
        members = [(_value(key), _value(item)) for key, item in pairs]
        if len(dict(members)) < len(members):
            raise ValueError("a map has the same key twice")
        return dict(members)
    if hasattr(kind, "storage_type"):
        return _value(scalar.value)
    return [_value(item) for item in scalar.values]


def _time(nanoseconds: int, zone: str | None) -> datetime.datetime:
    import pyarrow

    microseconds, rest = divmod(nanoseconds, 1000)
    time: datetime.datetime = pyarrow.scalar(microseconds, pyarrow.timestamp("us", zone)).as_py()
    return NanosecondTime.of(time, rest) if rest else time
