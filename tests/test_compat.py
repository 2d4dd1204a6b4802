"""Helpers that hide the differences between versions of Airflow."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import airflow
import pytest
from packaging.version import Version

from airflow_provider_retell import _compat
from airflow_provider_retell._compat import features, services, task_context, triggers

RELEASE = Version(airflow.__version__).release


@pytest.mark.parametrize("name", _compat._LOCATIONS)
def test_every_name_is_found_in_the_versions_that_have_it(name: str) -> None:
    newer = {"BaseEventTrigger": (3, 0), "RetryDecision": (3, 3), "RetryPolicy": (3, 3)}
    if newer.get(name, (0,)) > RELEASE:
        with pytest.raises(AttributeError, match=f"has no attribute '{name}'"):
            getattr(_compat, name)
    else:
        assert getattr(_compat, name).__name__ == name


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = _compat.Nothing


def test_connection_is_looked_up_in_the_way_that_is_safe_for_this_airflow() -> None:
    lookups = []

    class Hook:
        @staticmethod
        def get_connection(conn_id: str) -> str:
            lookups.append("get_connection")
            return conn_id

        @staticmethod
        async def aget_connection(conn_id: str) -> str:
            lookups.append("aget_connection")
            return conn_id

    assert asyncio.run(services.aget_connection(Hook, "x")) == "x"
    assert lookups == ["aget_connection" if RELEASE >= (3, 3, 2) else "get_connection"]


def test_plugins_can_add_apps_since_airflow_3() -> None:
    assert features.supports_fastapi_apps() is (RELEASE >= (3,))


class Store:
    """The part of Airflow's state store that is used."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.retentions: list[Any] = []

    def get(self, key: str) -> Any:
        return self.values.get(key)

    def set(self, key: str, value: Any, *, retention: Any) -> None:
        self.values[key] = value
        self.retentions.append(retention)


def test_there_is_no_task_state_store_before_airflow_3_3() -> None:
    assert task_context.task_state_store({}) is None
    assert task_context.task_state_store({"task_state_store": None}) is None


@pytest.mark.skipif(RELEASE < (3, 3), reason="needs Airflow 3.3")
def test_values_in_the_task_state_store_do_not_expire() -> None:
    from airflow.sdk.execution_time.context import NEVER_EXPIRE

    airflows = Store()
    store = task_context.task_state_store({"task_state_store": airflows})
    assert store is not None
    assert store.get("key") is None
    store.set("key", {"a": 1})
    assert store.get("key") == {"a": 1}
    assert airflows.retentions == [NEVER_EXPIRE]


@pytest.mark.parametrize("clear", ["True", "False", None])
def test_task_state_survives_success_unless_airflow_clears_it(
    clear: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if clear is not None:
        monkeypatch.setenv("AIRFLOW__STATE_STORE__CLEAR_ON_SUCCESS", clear)
    assert task_context.TaskStateStore(Store()).keeps(SimpleNamespace()) is (clear != "True")


def test_task_state_does_not_survive_a_clear_in_airflow_3_4() -> None:
    assert task_context.TaskStateStore(Store()).keeps(SimpleNamespace(region_id=None)) is False


def test_asset_state_store_is_the_triggers_or_none() -> None:
    assert triggers.asset_state_store(SimpleNamespace()) is None
    assert triggers.asset_state_store(SimpleNamespace(asset_state_store="store")) == "store"


def test_storage_path_accepts_local_paths_and_urls() -> None:
    assert str(services.storage_path("/tmp/calls")).startswith("file://")
    assert str(services.storage_path("file:///tmp/calls")) == str(services.storage_path("/tmp/calls"))


def test_first_poke_of_a_rescheduled_sensor_is_read_where_airflow_has_it() -> None:
    first = datetime(2026, 11, 29, 12, tzinfo=timezone.utc)
    for ti, expected in (
        (SimpleNamespace(), None),
        (SimpleNamespace(get_first_reschedule_date=lambda context: None), None),
        (SimpleNamespace(get_first_reschedule_date=lambda context: first), first.timestamp()),
    ):
        assert task_context.first_poke({"ti": ti}) == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"run_after": 3, "data_interval_end": 2, "logical_date": 1}, 3),
        ({"run_after": None, "data_interval_end": 2, "logical_date": 1}, 2),
        ({"data_interval_end": 2, "logical_date": 1}, 2),  # Airflow 2
        ({"data_interval_end": None, "logical_date": 1}, 1),
        ({"logical_date": None}, None),
    ],
)
def test_the_earliest_start_of_a_dag_run_is_not_its_start_date(
    fields: dict[str, int | None], expected: int | None
) -> None:
    times = {
        name: None if second is None else datetime.fromtimestamp(second, timezone.utc)
        for name, second in fields.items()
    }
    run = SimpleNamespace(start_date=datetime.fromtimestamp(9, timezone.utc), **times)
    assert task_context.run_after({"dag_run": run}) == expected
