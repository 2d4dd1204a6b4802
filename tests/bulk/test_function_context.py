"""Functions that create rows and take values of the task's context."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.bulk.function_context import call_with_context

CONTEXT = {"ds": "2026-11-21", "params": {"n": 1}}


def test_parameters_get_the_values_of_their_names() -> None:
    def rows(ds: str, /, params: Any, *others: Any, limit: int = 5) -> Any:
        return ds, params, others, limit

    assert call_with_context(rows, CONTEXT) == ("2026-11-21", {"n": 1}, (), 5)
    assert call_with_context(rows, {**CONTEXT, "limit": 7}) == ("2026-11-21", {"n": 1}, (), 7)


def test_whole_context_can_be_one_parameter_or_keywords() -> None:
    def one(context: Any) -> Any:
        return context

    def keywords(ds: str, **context: Any) -> Any:
        return ds, context

    assert call_with_context(one, CONTEXT) is CONTEXT
    assert call_with_context(keywords, CONTEXT) == ("2026-11-21", {"params": {"n": 1}})
    assert call_with_context(lambda: 1, CONTEXT) == 1


def test_parameter_that_the_context_lacks_needs_a_default() -> None:
    def rows(day: str) -> Any:
        return day

    with pytest.raises(
        RetellInputError, match=r"^the function rows\(\) has the parameter 'day', which is not in"
    ):
        call_with_context(rows, CONTEXT)


def test_function_without_a_name_can_lack_a_parameter_too() -> None:
    def rows(day: str, limit: int) -> Any:
        return day, limit

    with pytest.raises(RetellInputError, match=r"^the function \(\) has the parameter 'day'"):
        call_with_context(functools.partial(rows, limit=5), CONTEXT)


def test_function_without_a_signature_is_called_without_arguments() -> None:
    assert call_with_context(dict, CONTEXT) == {}
