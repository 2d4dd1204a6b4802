"""Every Python type is either encoded by one rule or rejected."""

from __future__ import annotations

import collections
import datetime
import enum
import ipaddress
import json
import math
import time
import types
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

import pendulum
import pytest

from airflow_provider_retell.api.encode import check_metadata_size, dump, safe_name, same_json, texts, to_json
from airflow_provider_retell.api.errors import RetellInputError

UTC = datetime.timezone.utc
TWO_EAST = datetime.timezone(datetime.timedelta(hours=2))


class Tier(str, enum.Enum):
    GOLD = "gold"

    def __str__(self) -> str:
        return "not this"


class Level(enum.IntEnum):
    HIGH = 3


class Plain(enum.Enum):
    A = "a"


class Ratio(float, enum.Enum):
    HALF = 0.5
    NAN = math.nan


Point = collections.namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (False, False),
        ("", ""),
        ("żółć 🎉", "żółć 🎉"),
        (0, 0),
        (2**53 - 1, 9007199254740991),
        (-(2**53) + 1, -9007199254740991),
        (0.1, 0.1),
        (1e300, 1e300),
        (Decimal("12.50"), 12.5),
        (Decimal("12"), 12),
        (ipaddress.ip_address("192.0.2.1"), "192.0.2.1"),
        (ipaddress.ip_network("2001:db8::/32"), "2001:db8::/32"),
        (Decimal("12.00"), 12),
        (Decimal("-0"), 0),
        (Decimal("0.1"), 0.1),
        (Decimal("1E+3"), 1000),
        (Decimal("1e16"), 1e16),
        (Decimal("1e22"), 1e22),
        (datetime.date(2026, 11, 22), "2026-11-22"),
        (datetime.datetime(2026, 11, 22, 18, 5, tzinfo=UTC), "2026-11-22T18:05:00+00:00"),
        (datetime.datetime(2026, 11, 22, 1, 5, tzinfo=TWO_EAST), "2026-11-21T23:05:00+00:00"),
        (datetime.datetime(2026, 11, 22, 1, 5, 0, 7, tzinfo=TWO_EAST), "2026-11-21T23:05:00.000007+00:00"),
        (pendulum.datetime(2026, 7, 1, 12, tz="Europe/Warsaw"), "2026-07-01T10:00:00+00:00"),
        (pendulum.date(2026, 7, 1), "2026-07-01"),
        (UUID("12345678-1234-5678-1234-56781234ABCD"), "12345678-1234-5678-1234-56781234abcd"),
        (Tier.GOLD, "gold"),
        (Level.HIGH, 3),
        (Ratio.HALF, 0.5),
        ((1, 2), [1, 2]),
        (Point(1, 2), [1, 2]),
        ([], []),
        ({}, {}),
        (types.MappingProxyType({"a": 1}), {"a": 1}),
        (collections.OrderedDict(a=1), {"a": 1}),
        (collections.ChainMap({"a": 1}, {"b": 2}), {"a": 1, "b": 2}),
        (collections.UserDict({"a": (Decimal("1.5"),)}), {"a": [1.5]}),
        ({Tier.GOLD: 1}, {"gold": 1}),
    ],
)
def test_value_is_encoded_by_its_type(value: Any, expected: Any) -> None:
    result = to_json(value, "x")
    assert result == expected
    # In Python, 1 == 1.0 == True. Their JSON differs.
    assert json.dumps(result, sort_keys=True) == json.dumps(expected, sort_keys=True)
    if isinstance(result, (str, int, float)):
        assert type(result) in (str, int, float, bool)


def test_numpy_scalar_is_encoded_as_the_equal_python_value() -> None:
    np = pytest.importorskip("numpy")
    values = {
        "int": (np.int64(7), 7),
        "unsigned": (np.uint8(7), 7),
        "double": (np.float64(0.1), 0.1),
        "single": (np.float32(0.1), 0.1),
        "half": (np.float16(0.1), 0.1),
        "truth": (np.bool_(True), True),
        "text": (np.str_("abc"), "abc"),
        "scalar array": (np.array(7), 7),
        "text array": (np.array("abc"), "abc"),
    }
    for name, (value, expected) in values.items():
        assert repr(to_json(value, name)) == repr(expected)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def cycle() -> Any:
    value: dict[str, Any] = {}
    value["self"] = [value]
    return value


BAD = {
    "nan": (float("nan"), "NaN or infinite"),
    "inf": (float("inf"), "NaN or infinite"),
    "-inf": (-math.inf, "NaN or infinite"),
    "decimal nan": (Decimal("NaN"), "NaN or infinite"),
    "decimal snan": (Decimal("sNaN"), "NaN or infinite"),
    "decimal inf": (Decimal("-Infinity"), "NaN or infinite"),
    "decimal of 30 digits": (Decimal("0.123456789012345678901234567890"), "more digits"),
    "decimal of a long integer": (Decimal("123456789012345678901234567890"), "more digits"),
    "huge decimal": (Decimal("1e999999"), "more digits"),
    "tiny decimal": (Decimal("1e-999999"), "more digits"),
    "decimal beyond 2**53": (Decimal(2**53 + 1), "2**53"),
    "naive datetime": (datetime.datetime(2026, 11, 22), "without a time zone"),  # noqa: DTZ001
    "naive pendulum": (pendulum.naive(2026, 11, 22), "without a time zone"),
    "end of time": (
        datetime.datetime.max.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=-5))),
        "out of range in UTC",
    ),
    "time": (datetime.time(1), "a time,"),
    "timedelta": (datetime.timedelta(1), "a timedelta,"),
    "bytes": (b"private", "is bytes"),
    "bytearray": (bytearray(b"private"), "is bytes"),
    "set": ({"private"}, "a set,"),
    "object": (object(), "a object,"),
    "enum": (Plain.A, "a Plain,"),
    "complex": (1j, "a complex,"),
    "generator": ((x for x in ()), "a generator,"),
    "big int": (2**53, "2**53"),
    "big negative int": (-(2**53), "2**53"),
    "surrogate": ("private\ud800", "surrogate"),
    "surrogate key": ({"private\ud800": 1}, "surrogate"),
    "number key": ({71234567: 1}, "a key that is a int"),
    "None key": ({None: 1}, "a key that is a NoneType"),
    "tuple key": ({("private",): 1}, "a key that is a tuple"),
    "deep": (nested(103), "nested more than 100"),
    "cycle": (cycle(), "contains itself"),
}


def test_both_halves_of_a_surrogate_pair_are_joined() -> None:
    assert to_json({"\ud83d\ude00": ["a\ud83d\ude00b"]}, "metadata") == {"\U0001f600": ["a\U0001f600b"]}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize(
    "wrap", [lambda value: value, lambda value: {"a": [0, value]}], ids=["bare", "inside"]
)
def test_value_without_a_rule_is_rejected_by_name_without_the_value(name: str, wrap: Any) -> None:
    value, message = BAD[name]
    with pytest.raises(RetellInputError) as caught:
        to_json(wrap(value), "metadata.x")
    assert message in str(caught.value)
    assert "metadata.x" in str(caught.value)
    assert "private" not in str(caught.value)
    # The original exception may quote the value.
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_message_has_the_full_path_of_the_value() -> None:
    with pytest.raises(RetellInputError, match=r"metadata\.a\[1\]\.b is NaN"):
        to_json({"a": [0, {"b": math.nan}]}, "metadata")


@pytest.mark.parametrize(
    "make",
    [
        lambda np: np.float64("nan"),
        lambda np: np.float32("inf"),
        lambda np: np.datetime64("2026-11-22"),
        lambda np: np.datetime64("NaT"),
        lambda np: np.timedelta64(1, "s"),
        lambda np: np.bytes_(b"private"),
        lambda np: np.complex128(1j),
        lambda np: np.longdouble("0.1"),
        lambda np: np.array([1, 2]),
        lambda np: np.array({"a": 1}, dtype=object),
        lambda np: np.uint64(2**63),
    ],
)
def test_numpy_value_without_a_rule_is_rejected(make: Any) -> None:
    np = pytest.importorskip("numpy")
    with pytest.raises(RetellInputError, match=r"metadata\.x"):
        to_json(make(np), "metadata.x")


def test_missing_values_of_pandas_are_rejected_and_its_timestamps_are_datetimes() -> None:
    pd = pytest.importorskip("pandas")
    for missing in (pd.NaT, pd.NA):
        with pytest.raises(RetellInputError):
            to_json(missing, "x")
    assert to_json(pd.Timestamp("2026-11-22", tz="UTC"), "x") == "2026-11-22T00:00:00+00:00"


def test_nat_is_rejected_as_nat() -> None:
    class NaT(datetime.datetime):
        """A datetime that does not equal itself, as in pandas."""

        __hash__ = None

        def __eq__(self, other: object) -> bool:
            return False

        def __ne__(self, other: object) -> bool:
            return True

    with pytest.raises(RetellInputError, match="is NaT"):
        to_json(NaT(2026, 1, 1, tzinfo=UTC), "x")


def test_nesting_of_more_levels_is_rejected() -> None:
    assert to_json(nested(101), "x") == nested(101)
    with pytest.raises(RetellInputError, match="is nested more than 100 levels deep"):
        to_json(nested(102), "x")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (enum.IntEnum("Id", {"A": 2**53}).A, "metadata.x is an integer beyond"),
        (Ratio.NAN, "metadata.x is NaN or infinite"),
        (enum.Enum("Half", {"A": "\ud800"}, type=str).A, "metadata.x is text with half of a surrogate pair"),
    ],
)
def test_member_of_an_enum_that_has_no_json_form_is_rejected_by_name(value: Any, message: str) -> None:
    with pytest.raises(RetellInputError, match=f"^{message}"):
        to_json(value, "metadata.x")


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose time zone is not UTC."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("tokyo")
def test_datetime_is_in_utc_on_every_machine() -> None:
    value = datetime.datetime(2026, 11, 22, 20, 5, tzinfo=TWO_EAST)
    assert to_json(value, "x") == "2026-11-22T18:05:00+00:00"


# -- size ---------------------------------------------------------------------------------------------------------


def sized(size: int, key: str = "a", letter: str = "x") -> dict[str, Any]:
    """Return metadata whose JSON has *size* bytes."""
    space = size - len(dump({key: ""}))
    return {key: letter * (space // len(letter.encode()))}


def test_metadata_of_exactly_50_000_bytes_is_accepted() -> None:
    metadata = sized(50_000)
    assert len(dump(metadata)) == 50_000
    check_metadata_size(metadata)


def test_metadata_of_50_001_bytes_is_rejected_with_the_size_of_each_key() -> None:
    metadata = {**sized(40_000, "big"), **sized(10_002, "small")}
    assert len(dump(metadata)) == 50_001
    with pytest.raises(RetellInputError) as caught:
        check_metadata_size(metadata)
    assert "50,001 bytes" in str(caught.value)
    assert "big: 40,000, small: 10,002" in str(caught.value)
    assert "xxx" not in str(caught.value)


def test_size_of_metadata_is_counted_in_bytes_not_characters() -> None:
    check_metadata_size(sized(50_000, letter="ż"))
    with pytest.raises(RetellInputError, match=r"5\d,\d{3} bytes"):
        check_metadata_size({"a": "ż" * 25_001})


def test_key_that_may_be_private_is_not_named_with_its_size() -> None:
    with pytest.raises(RetellInputError, match=r"Bytes per key: \[..\]: 5\d,\d{3}") as caught:
        check_metadata_size({"+1 415 555 0123": "x" * 50_000})
    assert "415" not in str(caught.value)


def test_message_has_only_the_five_largest_keys() -> None:
    metadata = {f"key_{n}": "x" * (9_000 - n) for n in range(8)}
    with pytest.raises(RetellInputError, match="key_4: .* and 3 more keys") as caught:
        check_metadata_size(metadata)
    assert "key_5" not in str(caught.value)


@pytest.mark.parametrize(("keys", "more"), [(5, ""), (6, " and 1 more key"), (7, " and 2 more keys")])
def test_message_counts_the_keys_that_it_does_not_name(keys: int, more: str) -> None:
    with pytest.raises(RetellInputError) as caught:
        check_metadata_size({f"key_{n}": "x" * 20_000 for n in range(keys)})
    named = ", ".join(f"key_{n}: 20,012" for n in sorted(range(keys), reverse=True)[:5])
    assert str(caught.value).endswith(f"Bytes per key: {named}{more}. Nothing was sent")


# -- comparing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (True, True, True),
        (None, None, True),
        (None, 0, False),
        ("1", 1, False),
        ({"a": 1}, {"a": 1.0, "b": None}, True),
        (2.0**60, 1152921504606847000, True),  # as JavaScript prints 2**60
        (2.0**60, 1152921504606849000, False),
        (1e300, 10**400, False),
        (2**53, 2**53 + 1, False),
        ({"a": 1}, {"a": 1, "b": 0}, False),
        ({"a": {"b": [1, {"c": True}]}}, {"a": {"b": [1, {"c": True}]}}, True),
        ({"a": {"b": [1, {"c": True}]}}, {"a": {"b": [1, {"c": 1}]}}, False),
        ([1, 2], [2, 1], False),
        ([1], [1, None], False),
        ({}, [], False),
        ({}, None, False),
    ],
)
def test_values_are_compared_as_json(left: Any, right: Any, same: bool) -> None:
    assert same_json(left, right) is same
    assert same_json(right, left) is same


def test_texts_yields_every_text_and_number() -> None:
    assert sorted(texts({"a": ["x", {"b": 12.5}], "c": None, "d": True, "e": 7})) == ["12.5", "7", "x"]


@pytest.mark.parametrize("name", ["a", "_x", "tier", "crm.tier-2", "a" * 100])
def test_identifier_is_a_safe_name(name: str) -> None:
    assert safe_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "+14155550123", "4155550123", "Ada Lovelace", "ada@example.org", "a" * 101]
)
def test_name_that_may_be_private_data_is_replaced(name: str) -> None:
    assert safe_name(name) == "[..]"
    assert safe_name(name, "a key") == "a key"
