"""The exceptions: their tree, and whether a retry can help or is safe."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

from airflow_provider_retell.api import errors


def test_the_tree_in_the_module_docstring_is_the_class_tree() -> None:
    drawn: dict[str, str] = {}
    path: list[str] = []
    for line in inspect.getdoc(errors).splitlines():
        found = re.match(r"^    ((?:[│ ]   )*)(?:[├└]── )?(\w+(?:Error))\b", line)
        if found:
            depth = len(found[1]) // 4 + ("──" in line)
            path[depth:] = [found[2]]
            drawn[found[2]] = path[depth - 1] if depth else ""
    real = {
        name: kind.__mro__[1].__name__
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, errors.RetellError)
    }
    assert set(real) == set(errors.__all__)
    assert drawn.pop("RetellError") == ""
    assert real.pop("RetellError") == "Exception"
    assert drawn == real


ERRORS = [
    # error, permanent, not_processed
    (errors.RetellError("x"), False, False),
    (errors.RetellConfigError("x"), True, True),
    (errors.RetellInputError("x"), True, True),
    (errors.RetellConnectionError("x"), False, False),
    (errors.RetellConnectionError("x", kind="dns"), False, True),
    (errors.RetellConnectionError("x", kind="refused"), False, True),
    (errors.RetellConnectionError("x", kind="tls"), False, False),
    (errors.RetellConnectionError("x", kind="dropped"), False, False),
    (errors.RetellTimeoutError("x"), False, False),
    (errors.RetellTimeoutError("x", kind="connect"), False, True),
    (errors.RetellStatusError("x", status=302), True, True),
    (errors.RetellStatusError("x", status=408), True, False),
    (errors.RetellStatusError("x", status=409), True, True),
    (errors.RetellStatusError("x", status=425), True, True),
    (errors.BadRequestError("x", status=400), True, True),
    (errors.DoNotCallError("x", status=400), True, True),
    (errors.AuthenticationError("x", status=401), True, True),
    (errors.PaymentRequiredError("x", status=402), True, True),
    (errors.PermissionDeniedError("x", status=403), True, True),
    (errors.RetellStatusError("x", status=403, foreign=True), True, False),
    (errors.RetellStatusError("x", status=404, foreign=True), True, True),
    (errors.NotFoundError("x", status=404), True, True),
    (errors.NotFoundError("x", status=422), True, True),
    (errors.UnprocessableError("x", status=422), True, True),
    (errors.RateLimitError("x", status=429), False, True),
    (errors.ServerError("x", status=500), False, False),
    (errors.ServerError("x", status=599), False, False),
    (errors.RetellResponseError("x"), False, False),
    (errors.CallNotEndedError("x"), False, False),
    (errors.DocumentsFailedError("x", titles=()), False, False),
    (errors.StorageConflictError("x"), True, False),
    (errors.WaitTimeoutError("x"), False, False),
    (errors.WaitFailedError("x"), True, False),
    (errors.SimulationFailedError("x"), True, False),
    (errors.AgentVersionError("x"), True, False),
    (errors.DriftError("x"), True, False),
    (errors.UpdateMismatchError("x", fields=()), True, False),
]


def case(value: object) -> str | None:
    if not isinstance(value, errors.RetellError):
        return None
    return f"{type(value).__name__} {getattr(value, 'status', getattr(value, 'kind', ''))}".strip()


@pytest.mark.parametrize(("error", "permanent", "not_processed"), ERRORS, ids=case)
def test_error_says_whether_a_retry_can_succeed_and_whether_it_is_safe(
    error: errors.RetellError, permanent: bool, not_processed: bool
) -> None:
    assert error.permanent is permanent
    assert error.not_processed is not_processed


def test_the_table_above_has_every_error() -> None:
    assert {type(error).__name__ for error, _, _ in ERRORS} == set(errors.__all__)


def test_input_error_is_a_value_error_and_says_that_nothing_was_sent() -> None:
    error = errors.RetellInputError("call_id is empty")
    assert isinstance(error, ValueError)
    assert str(error) == "call_id is empty. Nothing was sent"
    assert error.fault == "call_id is empty"


@pytest.mark.parametrize(
    ("kind", "arguments", "name", "value"),
    [
        (errors.SimulationFailedError, {"failed": ("a", "b")}, "failed", ("a", "b")),
        (errors.SimulationFailedError, {}, "failed", ()),
        (errors.UpdateMismatchError, {"fields": ("metadata.tier",)}, "fields", ("metadata.tier",)),
        (errors.DocumentsFailedError, {"titles": ("Prices",)}, "titles", ("Prices",)),
        (errors.RetellConnectionError, {}, "kind", "dropped"),
        (errors.RetellTimeoutError, {}, "kind", "timeout"),
        (errors.RateLimitError, {"status": 429, "retry_after": 3.5}, "retry_after", 3.5),
        (errors.RateLimitError, {"status": 429}, "retry_after", None),
        (errors.BadRequestError, {"status": 400, "detail": "bad field"}, "detail", "bad field"),
        (errors.BadRequestError, {"status": 400}, "detail", ""),
    ],
)
def test_error_has_its_message_and_its_details(
    kind: type[errors.RetellError], arguments: dict[str, Any], name: str, value: object
) -> None:
    error = kind("text", **arguments)
    assert str(error) == "text"
    assert getattr(error, name) == value
