"""Both hooks run flows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.errors import NotFoundError

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator


def first_call(*call_ids: str) -> Any:
    """Return the id of the first call that exists."""
    for call_id in call_ids:
        try:
            call = yield endpoints.get_call(call_id)
        except NotFoundError:
            if call_id == call_ids[-1]:
                raise
        else:
            return call.call_id
    return None


def test_flow_gets_results_and_can_catch_errors(client: Any, emulator: Emulator) -> None:
    assert client.run(first_call("call_9", "call_1")) == "call_1"
    assert [request.status for request in emulator.requests] == [422, 200]


def test_error_that_the_flow_does_not_catch_is_raised(client: Any, emulator: Emulator) -> None:
    with pytest.raises(NotFoundError):
        client.run(first_call("call_8", "call_9"))


def test_flow_without_requests_returns_its_result(client: Any, emulator: Emulator) -> None:
    assert client.run(first_call()) is None
    assert emulator.requests == []
