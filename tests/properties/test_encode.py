"""Converting values to JSON and comparing them."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import Any

import strategies
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_retell.api.encode import dump, same_json, texts, to_json
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.parsing import loads


def as_javascript(value: Any) -> Any:
    """Return *value* as a JavaScript server stores it: every number is a double, and whole ones lose their point."""
    if isinstance(value, dict):
        return {key: as_javascript(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_javascript(item) for item in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        number = float(value)
        return int(number) if number.is_integer() and abs(number) < 1e21 else number
    return value


@given(strategies.warehouse_values)
def test_encoded_value_survives_a_javascript_server(value: Any) -> None:
    encoded = to_json(value, "metadata")
    stored = as_javascript(json.loads(dump(encoded)))
    assert same_json(encoded, stored)
    assert same_json(encoded, loads(json.dumps(stored).encode()))


@given(strategies.warehouse_values)
def test_encoding_twice_changes_nothing(value: Any) -> None:
    encoded = to_json(value, "metadata")
    assert to_json(encoded, "metadata") == encoded
    assert dump(to_json(encoded, "metadata")) == dump(encoded)


@given(strategies.anything)
def test_every_value_is_encoded_or_rejected(value: Any) -> None:
    try:
        encoded = to_json(value, "metadata")
    except RetellInputError as error:
        assert str(error).startswith("metadata")
    else:
        assert json.loads(dump(encoded)) == encoded


@given(strategies.json_values)
def test_plain_json_is_unchanged_after_encoding_and_parsing(value: Any) -> None:
    encoded = to_json(value, "metadata")
    # In Python, 1 == 1.0 == True.
    assert repr(encoded) == repr(json.loads(dump(encoded))) == repr(value)


@given(
    st.decimals(allow_nan=False, allow_infinity=False)
    | st.builds(
        lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(), st.integers(-30, 10)
    )
)
def test_decimal_is_sent_with_all_its_digits_or_has_too_many(value: Decimal) -> None:
    try:
        encoded = to_json(value, "metadata")
    except RetellInputError:
        digits = len(value.normalize().as_tuple().digits)
        assert digits > 15 or not 1e-300 < abs(value) <= 2**53
    else:
        assert Decimal(repr(encoded)) == value


@given(strategies.json_values, strategies.json_values)
def test_comparison_is_symmetric(left: Any, right: Any) -> None:
    assert same_json(left, right) == same_json(right, left)


@given(strategies.json_values)
def test_value_equals_itself_and_its_parsed_json(value: Any) -> None:
    assert same_json(value, value)
    assert same_json(value, loads(dump(value)))


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {"object": {key: _canonical(item) for key, item in value.items() if item is not None}}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return (type(value).__name__, value)
    return ("number", float(value))


# Few different values, so that many pairs are equal.
_alike = strategies.nested(st.sampled_from([None, True, False, 0, 1, 0.0, 1.0, 2**53 - 1, "", "1", "a"]))


@given(_alike, _alike)
def test_comparison_ignores_only_null_keys_and_the_type_of_numbers(left: Any, right: Any) -> None:
    assert same_json(left, right) == (_canonical(left) == _canonical(right))


@given(st.integers(), st.floats())
def test_integer_equals_a_double_if_the_double_has_its_value(integer: int, double: float) -> None:
    try:
        expected = float(integer) == double
    except OverflowError:
        expected = False
    assert same_json(integer, double) == same_json(double, integer) == expected
    assert not math.isnan(double) or not same_json(integer, double)


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, (dict, list)):
        items = value.values() if isinstance(value, dict) else value
        return [leaf for item in items for leaf in _leaves(item)]
    return [value]


@given(strategies.json_values)
def test_texts_are_all_texts_and_numbers_of_a_value(value: Any) -> None:
    private = [leaf for leaf in _leaves(value) if leaf is not None and not isinstance(leaf, bool)]
    assert list(texts(value)) == [str(leaf) for leaf in private]
