"""Observed requests: both hooks return the response itself, also if it is an error."""

from __future__ import annotations

import dataclasses
from typing import Any

from airflow_provider_retell.api.calls.endpoints import get_call
from airflow_provider_retell.api.organization.endpoints import get_concurrency
from airflow_provider_retell.api.request import Response
from airflow_provider_retell.emulator import Emulator
from airflow_provider_retell.hooks.retell import RetellAsyncHook, RetellHook


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
