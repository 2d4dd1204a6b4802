"""The vendor's SDK as a client that runs flows, as far as it can express their requests."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from typing import Any

import retell
from retell import Retell

from airflow_provider_retell.api.attempts import attempt
from airflow_provider_retell.api.errors import RetellConnectionError, RetellError
from airflow_provider_retell.api.quota import Rate, Window
from airflow_provider_retell.api.request import Request, Response
from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.contract.check import SkipError
from airflow_provider_retell.contract.clients import WRONG_KEY
from airflow_provider_retell.hooks.connection import Settings

# Paths, methods and encoding are those of the SDK: only the operation, the ids and the fields go in.
OPERATIONS: dict[str, Callable[..., Any]] = {
    "create-batch-call": lambda sdk, **body: sdk.batch_call.with_raw_response.create_batch_call(**body),
    "create-phone-call": lambda sdk, **body: sdk.call.with_raw_response.create_phone_call(**body),
    "delete-call": lambda sdk, call_id: sdk.call.with_raw_response.delete(call_id),
    "get-api-key-info": lambda sdk: sdk.identity.with_raw_response.retrieve(),
    "get-call": lambda sdk, call_id: sdk.call.with_raw_response.retrieve(call_id),
    "get-concurrency": lambda sdk: sdk.concurrency.with_raw_response.retrieve(),
    "list-calls": lambda sdk, **body: sdk.call.with_raw_response.list(**body),
    "rerun-call-analysis": lambda sdk, call_id: sdk.call.with_raw_response.rerun_analysis(call_id),
    "stop-call": lambda sdk, call_id: sdk.call.with_raw_response.stop(call_id),
    "update-call": lambda sdk, call_id, **body: sdk.call.with_raw_response.update(call_id, **body),
    "update-live-call": lambda sdk, call_id, **body: sdk.call.with_raw_response.update_live(call_id, **body),
}


class SdkClient:
    """Runs flows with ``retell-sdk``.

    A check with a request that the SDK cannot express is skipped.
    """

    def __init__(self, settings: Settings, restricted_key: str) -> None:
        self._settings = settings
        self._keys = {"wrong key": WRONG_KEY, "restricted key": restricted_key}
        self._sdks: dict[str, Retell] = {}
        self._window = Window(Rate(100_000, 1))

    def __enter__(self) -> SdkClient:
        return self

    def __exit__(self, *_error: object) -> None:
        for sdk in self._sdks.values():
            sdk.close()

    def run(self, client: str, flow: Any) -> Any:
        if client == "no key":
            raise SkipError("the SDK always sends a key")
        sdk = self._sdks.get(client)
        if sdk is None:
            key = self._keys.get(client, self._settings.api_key)
            sdk = Retell(api_key=key, base_url=self._settings.base_url, max_retries=0, timeout=10)
            self._sdks[client] = sdk
        step = functools.partial(next, flow)
        while True:
            try:
                request = step()
            except StopIteration as end:
                return end.value
            try:
                step = functools.partial(flow.send, self._send(sdk, request, client == "hasty"))
            except RetellError as error:
                step = functools.partial(flow.throw, error)

    def _send(self, sdk: Retell, request: Request[Any], hasty: bool) -> Any:
        attempts = attempt(request, self._window, RetryLimits(attempts=1 if hasty else 4, timeout=math.inf))
        outcome: Any = None
        while True:
            try:
                wait = attempts.send(outcome)
            except StopIteration as end:
                return end.value
            outcome = _exchange(sdk, request) if wait is None else None


def _exchange(sdk: Retell, request: Request[Any]) -> Response | RetellConnectionError:
    operation = OPERATIONS.get(request.operation)
    if operation is None:
        raise SkipError("the SDK has no such endpoint")
    ids = (
        [request.path.rpartition("/")[2]]
        if request.path.count("/") > 1 + request.path.startswith("/v")
        else []
    )
    body = json.loads(request.body) if request.body is not None else {}
    try:
        answer = operation(sdk, *ids, **body).http_response
    except retell.APIStatusError as error:
        answer = error.response
    except retell.APIConnectionError:
        return RetellConnectionError("no response")
    except TypeError:
        raise SkipError("the SDK has no such field") from None
    return Response(answer.status_code, answer.headers, answer.content)
