"""The plan of a simulation."""

from __future__ import annotations

from typing import Any

import pytest
from fake_hook import FakeHook

from airflow_provider_retell.api.simulations.response_engine import Engine
from airflow_provider_retell.api.simulations.simulation_plan import read_engine


@pytest.mark.parametrize(
    ("engine", "content", "path"),
    [
        (Engine("retell-llm", "llm_1", 3), {"llm_id": "llm_1"}, "/get-retell-llm/llm_1?version=3"),
        (
            Engine("conversation-flow", "flow_1", 0),
            {"conversation_flow_id": "flow_1"},
            "/get-conversation-flow/flow_1?version=0",
        ),
    ],
)
def test_the_simulated_version_of_the_engine_is_read(engine: Engine, content: Any, path: str) -> None:
    hook = FakeHook({**content, "nodes": []})
    assert hook.run(read_engine(engine)).items() >= {**content, "nodes": []}.items()
    assert hook.requests[0].path == path
