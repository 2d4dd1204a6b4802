"""Strategies for values that several property tests generate."""

from __future__ import annotations

import datetime
import math
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

MAX_SAFE_INTEGER = 2**53 - 1

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
"""Text that UTF-8 can encode."""

keys = st.one_of(
    st.sampled_from(["a", "b", "tier", "plan", "_x", "a.b"]),
    # The package treats a key with the replacement character as one that it has repaired.
    texts.filter(lambda text: "\ufffd" not in text),
)

safe_integers = st.integers(-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER)
finite_floats = st.floats(allow_nan=False, allow_infinity=False)

scalars = st.one_of(st.none(), st.booleans(), safe_integers, finite_floats, texts)


def nested(leaves: st.SearchStrategy[Any], max_leaves: int = 12) -> st.SearchStrategy[Any]:
    """Return JSON values with *leaves*."""
    return st.recursive(
        leaves,
        lambda items: st.one_of(st.lists(items, max_size=4), st.dictionaries(keys, items, max_size=4)),
        max_leaves=max_leaves,
    )


json_values = nested(scalars)
"""JSON values that :func:`to_json` accepts."""

objects = st.dictionaries(keys, json_values, max_size=5)

_zones = st.sampled_from(
    [
        datetime.timezone.utc,
        datetime.timezone(datetime.timedelta(hours=5, minutes=45)),
        ZoneInfo("Europe/Paris"),
    ]
)
_decimals = st.decimals(allow_nan=False, allow_infinity=False).filter(
    # As many digits as a double keeps.
    lambda value: (
        math.isfinite(float(value))
        and Decimal(repr(float(value))) == value
        and (value != value.to_integral_value() or abs(value) <= MAX_SAFE_INTEGER)
    )
)

warehouse_values = nested(
    st.one_of(
        scalars,
        _decimals,
        st.dates(),
        # In the first and the last year, UTC may be out of range.
        st.datetimes(timezones=_zones).filter(lambda value: 1 < value.year < 9999),
        st.uuids(),
    )
)
"""Values of a warehouse that have a JSON form."""

anything = nested(
    st.one_of(
        scalars,
        st.integers(),
        st.floats(),
        st.decimals(),
        st.binary(max_size=5),
        st.datetimes(),
        st.datetimes(timezones=_zones),
        st.text(max_size=5),
        st.sets(st.integers(), max_size=2),
        st.complex_numbers(),
        st.dictionaries(st.integers(), st.integers(), max_size=2),
    )
)
"""Values with and without a JSON form."""

server_values = nested(
    st.one_of(
        scalars,
        st.integers(),
        st.integers(min_value=10**300, max_value=10**330),
        st.floats(),
        st.text(max_size=5),
    )
)
"""JSON values that only a server sends: huge numbers, infinity, and halves of surrogate pairs."""

server_objects = st.dictionaries(st.one_of(keys, st.text(max_size=5)), server_values, max_size=5)
