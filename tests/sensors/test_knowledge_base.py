"""KnowledgeBaseSensor, in each of Airflow's ways to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sensor_runs import MODES

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.sensors.knowledge_base import KnowledgeBaseSensor

if TYPE_CHECKING:
    from sensor_runs import SensorRun

    from airflow_provider_retell.emulator import Emulator


@pytest.fixture
def busy(emulator: Emulator) -> Emulator:
    """An emulator whose knowledge base is indexed after two requests."""
    emulator.add_knowledge_base(knowledge_base_id="kb_1", knowledge_base_sources=[{"title": "a"}])
    backend = emulator.organization.knowledge_base_backend
    backend.index(emulator.knowledge_bases["kb_1"], [])
    return emulator


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("status", ["in_progress", "refreshing_in_progress"])
def test_sensor_waits_until_nothing_is_in_progress(
    busy: Emulator, sensor_run: SensorRun, mode: str, status: str
) -> None:
    busy.knowledge_bases["kb_1"]["status"] = status
    result = sensor_run.run(KnowledgeBaseSensor, mode, knowledge_base_id="kb_1")
    assert result == {"knowledge_base_id": "kb_1", "knowledge_base_status": "complete", "sources": 1}
    assert sensor_run.waited_in(mode)


@pytest.mark.parametrize("mode", MODES)
def test_status_that_this_package_does_not_know_is_not_the_end(
    emulator: Emulator, sensor_run: SensorRun, mode: str
) -> None:
    emulator.add_knowledge_base(knowledge_base_id="kb_1")
    emulator.knowledge_bases["kb_1"]["status"] = "paused"
    emulator.options.clock.on_advance(lambda: emulator.count() > 2 and finish(emulator))
    result = sensor_run.run(KnowledgeBaseSensor, mode, knowledge_base_id="kb_1")
    assert result["knowledge_base_status"] == "complete"


def finish(emulator: Emulator) -> None:
    emulator.organization.knowledge_base_backend.objects["kb_1"]["status"] = "complete"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"knowledge_base_id": "kb_error"}, "kb_error has the status 'error': Retell could not index it"),
        ({"knowledge_base_id": "kb_none"}, "kb_none.*404.*Check the id"),
        ({"knowledge_base_id": ""}, "knowledge_base_id rendered to an empty value"),
        ({"knowledge_base_id": "a/b"}, "knowledge_base_id has '/'"),
    ],
)
def test_errors_end_the_wait_at_once(
    emulator: Emulator, sensor_run: SensorRun, mode: str, arguments: dict[str, Any], message: str
) -> None:
    emulator.add_knowledge_base(knowledge_base_id="kb_error", status="error")
    with pytest.raises(AirflowFailException, match=message):
        sensor_run.run(KnowledgeBaseSensor, mode, **arguments)
    assert sensor_run.deferred == 0
