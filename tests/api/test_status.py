"""Errors of Retell as errors that a person can act on, with private things masked."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import pytest

from airflow_provider_retell.api import errors
from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.redact import safe_text
from airflow_provider_retell.api.request import Response
from airflow_provider_retell.api.status import status_error

UPDATE = endpoints.update_call(
    "call_1",
    metadata={
        "name": "Ada Lovelace",
        "short": "Ada",
        "age": 36,
        "score": 0.75,
        "x": ["deep secret", True, None],
    },
)


def answer(status: int, body: Any, kind: str = "application/json") -> Response:
    return Response(
        status, {"Content-Type": kind}, body if isinstance(body, bytes) else json.dumps(body).encode()
    )


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"status": "error", "message": "Invalid API Key."}, "Invalid API Key."),
        ({"error_message": "Authorization header required"}, "Authorization header required"),
        ({"message": None, "error_message": "second"}, "second"),
        ({"message": {"a": 1}}, ""),
        ({}, ""),
        ([], ""),
        ("text", ""),
        (None, ""),
        (b"", ""),
        (b"<html>no</html>", ""),
        (b"\xff", ""),
    ],
)
def test_both_error_bodies_are_read_and_others_survived(body: Any, detail: str) -> None:
    error = status_error(UPDATE, answer(401, body))
    assert error.detail == detail
    assert error.status == 401
    assert str(error).startswith("update-call of call call_1: Retell answered 401")
    assert ".. " not in str(error)


@pytest.mark.parametrize(
    ("status", "kind", "step"),
    [
        (400, errors.BadRequestError, "Compare the fields"),
        (401, errors.AuthenticationError, "Check the API key"),
        (402, errors.PaymentRequiredError, "payment method"),
        (403, errors.PermissionDeniedError, "restricted"),
        (404, errors.NotFoundError, "Check the id"),
        (422, errors.UnprocessableError, "does not exist"),
        (429, errors.RateLimitError, "quota"),
        (500, errors.ServerError, "run the task again later"),
        (503, errors.ServerError, "run the task again later"),
        (408, errors.RetellStatusError, "took too long on its way"),
        (409, errors.RetellStatusError, "changes the same thing"),
        (425, errors.RetellStatusError, "not ready"),
        (418, errors.RetellStatusError, "docs.retellai.com"),
        (302, errors.RetellStatusError, "Redirects are never followed"),
    ],
)
def test_every_status_says_what_to_do(status: int, kind: type, step: str) -> None:
    error = status_error(UPDATE, answer(status, {}))
    assert type(error) is kind
    assert step in str(error)


def test_a_page_of_html_for_404_is_another_server() -> None:
    error = status_error(UPDATE, answer(404, b"Cannot PATCH /v2", "text/html"))
    assert "check the host" in str(error)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("see https://files.example/rec.wav?sig=abc now", "see *** now"),
        ("wss://live.example/x and s3://bucket/key", "*** and ***"),
        ("HTTPS://FILES.EXAMPLE/x", "***"),
        ("key key_abc123 is wrong", "key *** is wrong"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("token eyJhbGciOi.eyJzdWIi.sig!", "token ***"),
        ("call +14155550123 failed", "call *** failed"),
        ("call +1 (415) 555-0123 failed", "call *** failed"),
        ("call 415.555.0123 failed", "call *** failed"),
        ("status 422 on 2026", "status 422 on 2026"),
        ("two\n  lines\tand tabs", "two lines and tabs"),
        ("name Ada Lovelace is bad", "name *** is bad"),
        ("name Ada is bad", "name *** is bad"),
        ("Adam stays", "Adam stays"),
        ("36 and 0.75 and deep secret", "*** and *** and ***"),
        ("'Ada Lovelace'", "'***'"),
        ("Contact Ada, or LOVELACE", "Contact ***, or ***"),
        ("mail ada.l+x@mail.example.org or <a@localhost>.", "mail *** or <***>."),
        ("@ noon", "@ noon"),
    ],
)
def test_private_things_are_masked_in_a_servers_text(text: str, masked: str) -> None:
    assert safe_text(text, sent=UPDATE.body) == masked


def test_a_long_text_is_cut_and_masked_before_it_is_cut() -> None:
    text = safe_text("x" * 290 + " +14155550123 " + "y" * 100)
    assert len(text) == 300
    assert text.endswith("…")
    assert "415" not in text
    assert safe_text("x" * 300) == "x" * 300


def test_a_values_special_characters_are_taken_literally() -> None:
    sent = json.dumps({"a": "(a|b)*", "b": "x.y"}).encode()
    assert safe_text("got (a|b)* not xzy", sent=sent) == "got *** not xzy"


def test_the_tree_drawn_at_the_head_of_the_module_is_the_tree() -> None:
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
    assert drawn.pop("RetellError") == ""
    assert real.pop("RetellError") == "Exception"
    assert drawn == real


@pytest.mark.parametrize(
    ("error", "permanent"),
    [
        (errors.RetellConfigError("x"), True),
        (errors.RetellInputError("x"), True),
        (errors.RetellConnectionError("x"), False),
        (errors.RetellTimeoutError("x"), False),
        (errors.AuthenticationError("x", status=401), True),
        (errors.RateLimitError("x", status=429), False),
        (errors.ServerError("x", status=500), False),
        (errors.RetellResponseError("x"), False),
        (errors.CallNotEndedError("x"), False),
        (errors.StorageConflictError("x"), True),
        (errors.UpdateMismatchError("x", fields=()), True),
    ],
)
def test_an_error_knows_whether_trying_again_could_help(error: errors.RetellError, permanent: bool) -> None:
    assert error.permanent is permanent


def test_an_input_error_is_a_value_error_and_says_that_nothing_was_sent() -> None:
    error = errors.RetellInputError("call_id is empty")
    assert isinstance(error, ValueError)
    assert str(error) == "call_id is empty. Nothing was sent"
    assert error.fault == "call_id is empty"
