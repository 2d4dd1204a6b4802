"""Checks of parameters when a DAG file is read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_retell.params import checks

PRIVATE = "+1 415 555 0123"


@pytest.mark.parametrize("value", ["merge", "fill", None])
def test_one_of_accepts_each_choice(value: Any) -> None:
    checks.one_of("mode", value, ("merge", "fill", None))


@pytest.mark.parametrize(
    ("value", "shown"),
    [("append", "'append'"), (1, "1"), (True, "True"), ([PRIVATE], "list"), (PRIVATE, "other text")],
)
def test_one_of_names_the_parameter_and_the_choices(value: Any, shown: str) -> None:
    with pytest.raises(ValueError, match="mode must be") as error:
        checks.one_of("mode", value, ("merge", "fill", None))
    assert str(error.value) == f"mode must be 'merge', 'fill' or None, not {shown}"


@pytest.mark.parametrize("value", ["False", "{{ params.flag }}", 1, []])
def test_a_flag_must_be_a_bool(value: Any) -> None:
    with pytest.raises(TypeError, match=r"missing must be True or False, not .*It cannot be a template"):
        checks.flag(other=True, missing=value)


def test_a_flag_may_be_left_out() -> None:
    checks.flag(a=None, b=True, c=False)


def test_exclusive_parameters_must_not_both_be_set() -> None:
    checks.exclusive(metadata=None, clear_metadata=True)
    checks.exclusive(metadata={}, clear_metadata=False)
    with pytest.raises(ValueError, match="metadata and clear_metadata must not both be set"):
        checks.exclusive(metadata={}, clear_metadata=True)


def test_parameters_that_belong_together_are_set_together() -> None:
    checks.together(conn_id=None, name=None)
    checks.together(conn_id="a", name="b")
    with pytest.raises(ValueError, match="conn_id and name must be set together. name is missing"):
        checks.together(conn_id="a", name=None)


def test_numbers_within_the_limits_pass() -> None:
    checks.whole_number("n", 0, 0)
    checks.whole_number("n", 256, 1, 256)
    checks.whole_number("n", -3)
    checks.between("n", 1, 0, 1)


@pytest.mark.parametrize(
    ("check", "says"),
    [
        (lambda: checks.whole_number("n", -1, 0), "n must be a whole number of at least 0, not -1"),
        (lambda: checks.whole_number("n", 300, 1, 256), "n must be a whole number from 1 to 256, not 300"),
        (lambda: checks.between("n", -0.1, 0, 1), "n must be a number from 0 to 1, not -0.1"),
        (lambda: checks.between("n", float("nan"), 0, 1), "n must be a number from 0 to 1, not nan"),
        (lambda: checks.between("n", 1.5, 0, 1), "n must be a number from 0 to 1, not 1.5"),
    ],
)
def test_a_number_outside_the_limits_is_an_error(check: Any, says: str) -> None:
    with pytest.raises(ValueError, match="^n must") as error:
        check()
    assert str(error.value) == says


@pytest.mark.parametrize(
    ("check", "says"),
    [
        (lambda: checks.whole_number("n", 1.0), "n must be a whole number, not 1.0"),
        (lambda: checks.whole_number("n", True), "n must be a whole number, not True"),
        (lambda: checks.whole_number("n", None, 0), "n must be a whole number of at least 0, not None"),
        (lambda: checks.between("n", "1", 0, 1), "n must be a number from 0 to 1, not other text"),
        (lambda: checks.between("n", [1], 0, 1), "n must be a number from 0 to 1, not list"),
    ],
)
def test_a_value_that_is_no_number_is_an_error(check: Any, says: str) -> None:
    with pytest.raises(TypeError) as error:
        check()
    assert str(error.value) == says


@pytest.mark.parametrize(
    ("value", "seconds"), [(30, 30.0), (0.5, 0.5), (0, 0.0), (timedelta(minutes=2), 120.0)]
)
def test_a_duration_is_seconds_or_a_timedelta(value: Any, seconds: float) -> None:
    assert checks.in_seconds("wait", value) == seconds


@pytest.mark.parametrize(
    ("value", "positive", "limit"),
    [
        (-1, False, "0 or more"),
        (timedelta(seconds=-1), False, "0 or more"),
        (float("nan"), False, "0 or more"),
        (float("inf"), False, "0 or more"),
        (0, True, "more than 0"),
        (timedelta(0), True, "more than 0"),
    ],
)
def test_a_duration_must_be_in_range(value: Any, positive: bool, limit: str) -> None:
    with pytest.raises(ValueError, match=f"wait must be seconds or a timedelta, {limit}, not {value}"):
        checks.in_seconds("wait", value, positive=positive)


@pytest.mark.parametrize("value", ["30", None, True])
def test_a_duration_must_be_a_number_or_a_timedelta(value: Any) -> None:
    with pytest.raises(TypeError, match="wait must be seconds or a timedelta, not"):
        checks.in_seconds("wait", value)


@pytest.mark.parametrize("value", [["a", "b"], ("a", "b"), {"a": 1, "b": 2}.keys()])
def test_a_list_of_texts_may_be_any_collection(value: Any) -> None:
    assert checks.text_list("columns", value) == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("tier", "columns must be a list of strings, not text"),
        (None, "columns must be a list of strings, not NoneType"),
        ({"a": "b"}, "columns must be a list of strings, not dict"),
        ([1], "columns must be a list of strings; it contains 1"),
    ],
)
def test_a_single_text_is_no_list_of_texts(value: Any, says: str) -> None:
    with pytest.raises(TypeError) as error:
        checks.text_list("columns", value)
    assert str(error.value) == says


def test_a_list_of_texts_may_be_limited_to_choices() -> None:
    assert checks.text_list("tolerate", ["a"], choices=("a", "b")) == ["a"]
    with pytest.raises(ValueError, match="tolerate must be a list of 'a' or 'b'; it contains 'c'"):
        checks.text_list("tolerate", ["a", "c"], choices=("a", "b"))


def test_a_list_of_texts_may_be_required_to_have_an_entry() -> None:
    assert checks.text_list("agent_ids", []) == []
    with pytest.raises(ValueError, match="agent_ids must have at least one entry"):
        checks.text_list("agent_ids", [], empty=False)
