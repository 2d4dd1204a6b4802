"""Observed requests: both hooks return the response itself, also if it is an error."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.api.calls.endpoints import get_call
from airflow_provider_retell.api.errors import RetellConnectionError
from airflow_provider_retell.api.organization.endpoints import get_concurrency
from airflow_provider_retell.api.request import Response
from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.hooks.retell import RetellAsyncHook, RetellHook

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_success_is_returned_with_its_status_and_headers(client: Any, emulator: Emulator) -> None:
    response = client.send(get_call("call_1").observe())
    assert isinstance(response, Response)
    assert response.status == 200
    assert response.headers["ratelimit-limit"] == "100"
    assert b'"call_1"' in response.body


def test_an_error_is_returned_instead_of_raised(client: Any, emulator: Emulator) -> None:
    response = client.send(get_call("call_unknown").observe())
    assert response.status == 422
    assert response.is_json


def test_errors_that_may_pass_are_retried_first(client: Any, emulator: Emulator) -> None:
    emulator.faults.add(Fault.status(503), times=2)
    with no_waiting():
        assert client.send(get_call("call_1").observe()).status == 200
    assert emulator.count() == 3


def test_a_body_that_was_cut_off_is_read_again(client: Any, emulator: Emulator) -> None:
    emulator.faults.add(Fault.status(200, body={"call_id": 1}))
    assert client.send(get_call("call_1").observe()).body == b'{"call_id": 1}'
    emulator.faults.add(Fault.truncate())
    with no_waiting():
        assert client.send(get_call("call_1").observe()).body.endswith(b"}")


def test_the_last_error_is_returned_when_the_retries_are_used_up(
    make_client: Callable[..., Any], emulator: Emulator
) -> None:
    emulator.faults.add(Fault.status(429, headers={"Retry-After": "30"}), times=0)
    client = make_client(retry=RetryLimits(attempts=2, seconds=60))
    with no_waiting():
        response = client.send(get_call("call_1").observe())
    assert (response.status, response.headers["Retry-After"]) == (429, "30")
    assert emulator.count() == 2


def test_a_lost_connection_raises_as_usual(make_client: Callable[..., Any], emulator: Emulator) -> None:
    emulator.faults.add(Fault.drop(), times=0)
    with pytest.raises(RetellConnectionError):
        make_client(retry=RetryLimits(attempts=1)).send(get_call("call_1").observe())


def test_settings_without_a_key_send_no_authorization(client: Any, emulator: Emulator) -> None:
    hook = client.hook
    if isinstance(hook, RetellHook):
        hook.settings = dataclasses.replace(hook.settings, api_key="")
    else:
        assert isinstance(hook, RetellAsyncHook)
        assert hook._settings is not None
        hook._settings = dataclasses.replace(hook._settings, api_key="")
    response = client.send(get_concurrency().observe())
    assert (response.status, response.body) == (401, b'{"error_message":"Authorization header required"}')
