"""Error statuses become exceptions that say what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_retell.api import errors
from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.request import Request, Response
from airflow_provider_retell.api.status import paused_error, status_error

UPDATE = endpoints.update_call("call_1", metadata={"name": "Ada Lovelace"})
READ = endpoints.get_call("call_1")
PLACE = endpoints.create_phone_call(
    "+14155550100",
    "+14155550123",
    metadata={"consent": "not", "phone-number": "agent"},
    honor_internal_dnc=True,
)


def response(status: int, body: Any, kind: str = "application/json") -> Response:
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
        (b"[" * 100_000, ""),
        (b'{"message": "deep", "a": ' + b"[" * 300 + b"]" * 300 + b"}", ""),
        (b'{"message": "number", "a": ' + b"9" * 5000 + b"}", "number"),
        ({"message": "half \ud83d"}, "half \ufffd"),
    ],
)
def test_message_is_read_from_both_error_bodies_and_missing_from_others(body: Any, detail: str) -> None:
    error = status_error(UPDATE, response(401, body))
    assert error.detail == detail
    assert error.status == 401
    assert str(error).startswith("update-call of call call_1: Retell answered 401")
    assert ".. " not in str(error)


@pytest.mark.parametrize(
    ("detail", "shown"), [("", ""), ("No key...", ": No key"), ("Unknown field X.", ": Unknown field X")]
)
def test_message_has_the_request_the_status_and_the_next_step(detail: str, shown: str) -> None:
    assert str(status_error(UPDATE, response(418, {"message": detail}))) == (
        f"update-call of call call_1: Retell answered 418{shown}. See https://docs.retellai.com for this status."
    )


def test_409_is_permanent_only_for_a_new_contact() -> None:
    new = Request("create-contact", "POST", "/create-contact", json.loads, b"{}")
    assert status_error(new, response(409, {})).permanent
    for request, status in ((new, 408), (new, 425), (UPDATE, 409)):
        assert not status_error(request, response(status, {})).permanent


def test_values_of_the_request_are_masked_in_the_message() -> None:
    error = status_error(UPDATE, response(400, {"message": "'Ada Lovelace' is too long"}))
    assert error.detail == "'***' is too long"
    assert "Ada" not in str(error)


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
        (408, errors.RetellStatusError, "did not receive the request in time"),
        (409, errors.RetellStatusError, "is changing the same object"),
        (425, errors.RetellStatusError, "not ready"),
        (418, errors.RetellStatusError, "docs.retellai.com"),
        (300, errors.RetellStatusError, "Redirects are never followed"),
        (302, errors.RetellStatusError, "Redirects are never followed"),
        (399, errors.RetellStatusError, "Redirects are never followed"),
    ],
)
def test_every_status_has_a_next_step(status: int, kind: type, step: str) -> None:
    error = status_error(UPDATE, response(status, {}))
    assert type(error) is kind
    assert step in str(error)


def test_422_to_a_request_without_a_body_means_an_unknown_id() -> None:
    assert type(status_error(endpoints.get_call("call_1"), response(422, {}))) is errors.NotFoundError


HOST = "heck the host in the Airflow connection, and the proxy"


@pytest.mark.parametrize("request_", [UPDATE, READ, PLACE], ids=["update", "read", "place"])
@pytest.mark.parametrize("status", [400, 402, 403, 404, 405, 407, 418, 422])
@pytest.mark.parametrize("body", [b"<html>private</html>", b"", b"[]"])
def test_an_error_that_is_not_json_comes_from_another_server(
    request_: Request[Any], status: int, body: bytes
) -> None:
    error = status_error(request_, response(status, body, "text/html"))
    # No NotFoundError, so that nobody takes it for a missing object.
    assert type(error) is errors.RetellStatusError
    assert error.foreign
    assert HOST in str(error)
    for claim in ("Retell answered", "permission", "Check the id", "Compare the fields", "docs.", "private"):
        assert claim not in str(error)
    # Firewalls in front of Retell send 403, too, and some of them only for a while.
    assert error.permanent is (status != 403)
    # A proxy that scans responses sends 403 after Retell has acted.
    assert error.not_processed is (status != 403)


def test_an_unknown_endpoint_is_named_as_a_cause() -> None:
    error = status_error(UPDATE, response(404, b"Cannot PATCH /v2", "text/html"))
    assert "does not know this endpoint" in str(error)


def test_a_rejected_login_that_is_not_json_stays_a_wrong_api_key_for_runs_over_rows() -> None:
    error = status_error(UPDATE, response(401, b"<html>", "text/html"))
    assert type(error) is errors.AuthenticationError
    assert (error.foreign, error.permanent) == (True, True)
    assert HOST in str(error)
    assert "API key" not in str(error)


@pytest.mark.parametrize("status", [408, 409, 425, 500, 502, 503, 504])
def test_a_transient_error_that_is_not_json_can_be_that_of_a_gateway(status: int) -> None:
    error = status_error(UPDATE, response(status, b"<html>", "text/html"))
    assert type(error) is type(status_error(UPDATE, response(status, {})))
    assert not error.permanent
    assert "run the task again later" in str(error)
    assert HOST in str(error)
    assert HOST not in str(status_error(UPDATE, response(status, {})))


@pytest.mark.parametrize("status", [413, 414, 429, 431])
def test_texts_that_retells_own_server_may_send_are_retells(status: int) -> None:
    error = status_error(UPDATE, response(status, b"Too many requests", "text/html"))
    assert not error.foreign
    assert str(error).replace(": Too many requests", "") == str(status_error(UPDATE, response(status, {})))


def test_json_with_another_content_type_is_retells() -> None:
    error = status_error(UPDATE, response(403, {"status": "error", "message": "Forbidden"}, "text/plain"))
    assert type(error) is errors.PermissionDeniedError
    assert not error.foreign


def test_a_rejected_request_without_a_body_has_no_fields_to_compare() -> None:
    error = status_error(endpoints.delete_call("call_1"), response(400, {"message": "Ongoing."}))
    assert type(error) is errors.BadRequestError
    assert str(error) == (
        "delete-call of call call_1: Retell answered 400: Ongoing. Check the id, and whether the state of the object "
        "allows the request."
    )


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_rejected_change_of_a_live_call_names_the_operator_for_ended_calls(status: int) -> None:
    request = endpoints.update_live_call("call_1", additional_context="Hi")
    error = status_error(request, response(status, {"message": "Asset not found"}))
    assert "If the call has ended, use UpdateCallOperator" in str(error)


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_the_fault_is_the_message_without_the_next_step(status: int) -> None:
    error = status_error(UPDATE, response(status, {"message": "No."}))
    assert error.fault == f"update-call of call call_1: Retell answered {status}: No"
    error = status_error(UPDATE, response(status, b"<html>", "text/html"))
    assert str(error).startswith(f"{error.fault}. ")
    assert error.fault.startswith("update-call of call call_1: ")
    assert error.fault.count(". ") == 0


def test_requested_wait_is_part_of_the_message() -> None:
    error = status_error(UPDATE, response(429, {}), retry_after=7.4)
    assert str(error) == (
        "update-call of call call_1: Retell answered 429. The organization's quota is used up: send fewer requests at "
        "once, or run the task again later (Retell asks to wait 7 s)."
    )
    assert error.retry_after == 7.4


def test_request_that_a_pause_held_back_says_for_how_long() -> None:
    error = paused_error(UPDATE, 59.6)
    assert str(error).startswith(
        "update-call of call call_1: not sent, because Retell asked to wait 60 s more."
    )
    assert str(error).endswith(
        " The organization's quota is used up: send fewer requests at once, or run the task again later."
    )
    assert (error.status, error.retry_after) == (429, 59.6)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("Item +14155550100 not found from phone-number", "from_number"),
        ("Item agent_1 not found from agent", "override_agent_id"),
        ("Item x not found", "from_number and override_agent_id"),
        ("", "from_number and override_agent_id"),
    ],
)
@pytest.mark.parametrize("status", [404, 422])
def test_a_missing_number_or_agent_of_a_new_call_is_named(text: str, field: str, status: int) -> None:
    if status == 422 and not text:
        return
    error = status_error(PLACE, response(status, {"status": "error", "message": text}))
    assert type(error) is errors.NotFoundError
    assert f"Check {field}: the organization of this API key does not have it" in str(error)
    assert error.permanent
    assert "4155550100" not in str(error)


@pytest.mark.parametrize(
    "text",
    [
        "The contact is marked as do not call",
        "Contact is on do_not_call list",
        "to_number is on the internal DNC list",
        "Do-Not-Contact",
    ],
)
def test_a_refusal_because_of_the_do_not_call_list_has_its_own_error(text: str) -> None:
    error = status_error(PLACE, response(400, {"message": text}))
    assert type(error) is errors.DoNotCallError
    assert error.not_processed
    assert f"{text}. The contact is marked as do-not-call in Retell, and nobody was called" in str(error)
    assert "on_do_not_call='skip'" in str(error)


def test_other_refusals_of_a_call_are_bad_requests() -> None:
    assert type(status_error(PLACE, response(400, {"message": "Invalid."}))) is errors.BadRequestError
    assert type(status_error(UPDATE, response(400, {"message": "do not call"}))) is errors.BadRequestError


@pytest.mark.parametrize("text", ["Asset not found", "Item call_1 NOT FOUND from call", "id does not exist"])
def test_422_to_any_request_is_not_found_if_the_message_says_so(text: str) -> None:
    assert type(status_error(UPDATE, response(422, {"message": text}))) is errors.NotFoundError
    assert type(status_error(UPDATE, response(422, {"message": "Cannot loosen"}))) is (
        errors.UnprocessableError
    )
