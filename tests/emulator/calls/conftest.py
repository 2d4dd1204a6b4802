"""Calls to list, and the ids that a list contains."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.conftest import Send

Ids = Callable[..., list[str]]

HOUR = 3_600_000


@pytest.fixture
def ids(send: Send) -> Ids:
    """Return a function that lists the ids of the calls that match a filter."""

    def ask(emulator: Emulator, criteria: dict[str, Any] | None = None, **body: Any) -> list[str]:
        if criteria is not None:
            body["filter_criteria"] = criteria
        reply = send(emulator, "POST", "/v3/list-calls", body)
        assert reply.status == 200, reply.body
        return [item["call_id"] for item in reply.json["items"]]

    return ask


@pytest.fixture
def three(emulator: Emulator) -> Emulator:
    """Return an emulator with three calls that differ in every field that filters use."""
    emulator.add_call(
        call_id="call_a",
        start_timestamp=1 * HOUR,
        duration_ms=1000,
        metadata={"plan": "pro", "seats": 5, "trial": False, "none": None},
        agent_id="agent_x",
        agent_version=2,
        agent_tag="prod",
        to_number="+14155550111",
        retell_llm_dynamic_variables={"name": "Ann"},
    )
    emulator.add_call(
        call_id="call_b",
        start_timestamp=2 * HOUR,
        duration_ms=2000,
        metadata={"plan": "free", "seats": 9, "trial": True},
        call_status="error",
        tool_calls=[],
        collected_dynamic_variables={"name": "Bob"},
    )
    emulator.add_call(
        call_id="web_c",
        start_timestamp=3 * HOUR,
        duration_ms=3000,
        call_type="web_call",
        metadata={},
        data_storage_setting="basic_attributes_only",
        batch_call_id="batch_1",
    )
    return emulator
