"""A hook without a network, for tests of flows."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow, Request


class FakeHook:
    """Runs flows with prepared responses: JSON values, or exceptions to raise.

    :ivar requests: the requests that were sent.
    """

    def __init__(self, *responses: Any) -> None:
        self.requests: list[Request[Any]] = []
        self._responses = list(responses)

    def run(self, flow: Flow[Any]) -> Any:
        step = functools.partial(next, flow)
        while True:
            try:
                request = step()
            except StopIteration as end:
                assert self._responses == [], "the flow did not send a request for every response"
                return end.value
            self.requests.append(request)
            response = self._responses.pop(0)
            if isinstance(response, Exception):
                step = functools.partial(flow.throw, response)
            else:
                step = functools.partial(flow.send, request.parse(json.dumps(response).encode()))

    @property
    def operations(self) -> list[str]:
        return [request.operation for request in self.requests]
