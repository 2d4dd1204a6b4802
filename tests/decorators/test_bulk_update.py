"""``@task.retell_bulk_update``: the rows of a function are written by the same task."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import tasks

try:
    from airflow.sdk import DAG, task
except ImportError:  # 2.11
    from airflow.decorators import task
    from airflow.models.dag import DAG

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.decorators import retell_bulk_update
from airflow_provider_retell.emulator import Emulator
from airflow_provider_retell.get_provider_info import get_provider_info

PRIVATE = "zebra-umbrella"


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    with Emulator() as emulator:
        emulator.add_calls(["a", "b"])
        tasks.connect(monkeypatch, emulator)
        yield emulator


def operator_of(decorated: Any, *args: Any, **kwargs: Any) -> Any:
    """Return the operator of the task that a call of *decorated* makes."""
    with DAG("made", schedule=None):
        return decorated(*args, **kwargs).operator


def run(operator: Any, **context: Any) -> tasks.Ti:
    ti = tasks.Ti()
    operator._dag = None
    assert tasks.run_task(operator, ti=ti, **context) is None
    return ti


def test_the_rows_of_a_generator_are_written(emulator: Emulator) -> None:
    @retell_bulk_update
    def enrich() -> Iterator[dict[str, Any]]:
        yield {"call_id": "a", "tier": "gold"}
        yield {"call_id": "b", "tier": "silver"}

    ti = run(operator_of(enrich))
    assert emulator.calls["a"]["metadata"]["tier"] == "gold"
    assert emulator.calls["b"]["metadata"]["tier"] == "silver"
    assert list(ti.xcom) == ["manifest", "failures"]
    assert ti.xcom["manifest"]["updated"] == 2


def test_the_function_gets_its_arguments_and_values_of_the_context(emulator: Emulator) -> None:
    @retell_bulk_update(metadata_columns={"tier": "customer_tier"})
    def enrich(call_id: str, tier: str, run_id: Any = None, params: Any = None) -> list[dict[str, Any]]:
        return [{"call_id": call_id, "tier": f"{tier} in {run_id} {params}", "other": 1}]

    operator = operator_of(enrich, "{{ run_id }}", tier="{{ run_id }}-tier")
    run(operator, run_id="a")
    assert emulator.calls["a"]["metadata"] == {"customer_tier": "a-tier in a {}"}


def test_a_function_with_any_keyword_gets_the_whole_context(emulator: Emulator) -> None:
    @retell_bulk_update()
    def enrich(**context: Any) -> list[dict[str, Any]]:
        return [{"call_id": "a", "run": context["run_id"], "day": context["day"]}]

    run(operator_of(enrich, day="today"), run_id="run_1")
    assert emulator.calls["a"]["metadata"] == {"run": "run_1", "day": "today"}


def test_arguments_are_masked_where_airflow_shows_them(emulator: Emulator) -> None:
    @retell_bulk_update(dry_run=True)
    def enrich(first: str, second: str) -> list[dict[str, Any]]:
        return [{"call_id": "a", "first": first, "second": second}]

    operator = operator_of(enrich, PRIVATE, second=PRIVATE)
    ti = run(operator)
    assert ti.xcom["manifest"]["would_update"] == 1
    shown = tasks.rendered_fields(operator)
    assert PRIVATE not in str(shown)
    assert "rows" not in shown


def test_a_retry_calls_the_function_again(emulator: Emulator) -> None:
    calls = []

    @retell_bulk_update
    def enrich() -> Iterator[dict[str, Any]]:
        calls.append(1)
        yield {"call_id": "a", "n": 1}

    assert run(operator_of(enrich)).xcom["manifest"]["updated"] == 1
    assert run(operator_of(enrich)).xcom["manifest"]["unchanged"] == 1
    assert len(calls) == 2


def test_a_result_that_is_not_rows_fails_the_task(emulator: Emulator) -> None:
    @retell_bulk_update
    def enrich() -> Any:
        return {"call_id": "a"}

    with pytest.raises(AirflowFailException, match="rows must be .* not a dict"):
        run(operator_of(enrich))


def test_rows_cannot_be_given_twice() -> None:
    with pytest.raises(TypeError, match="takes no rows. The function returns or yields them"):
        retell_bulk_update(rows=[])


def test_the_decorator_is_registered_and_the_page_and_the_tab_know_its_name() -> None:
    from airflow_provider_retell.decorators.bulk_update import BulkUpdateDecoratedOperator
    from airflow_provider_retell.plugin import OPERATORS

    [entry] = get_provider_info()["task-decorators"]
    assert BulkUpdateDecoratedOperator.custom_operator_name == f"@task.{entry['name']}"
    assert BulkUpdateDecoratedOperator.custom_operator_name in OPERATORS
    assert hasattr(task, entry["name"])
