"""Row sources in DAGs: dependencies, rendering, serialization, XCom and functions with the task's context."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
import tasks

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.bulk import FailedRows, FileRows, SqlRows
from airflow_provider_retell.operators import BulkUpdateCallOperator

try:
    from airflow.sdk import DAG
    from airflow.sdk import task as task_decorator
    from airflow.sdk.definitions.param import DagParam
except ImportError:  # 2.11
    from airflow.decorators import task as task_decorator
    from airflow.models.dag import DAG
    from airflow.models.param import DagParam

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_provider_retell.emulator import Emulator

PRIVATE = "Ada's private note"


@pytest.fixture
def dag() -> Iterator[DAG]:
    with DAG("a_dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc)) as dag:
        yield dag


def upstream(name: str = "one") -> Any:
    @task_decorator(task_id=name)
    def produce() -> Any:
        return name

    return produce()


@pytest.mark.parametrize(
    "make",
    [
        lambda: upstream(),
        lambda: FileRows(upstream()),
        lambda: FileRows("rows.csv", upstream()),
        lambda: SqlRows(upstream(), "select 1"),
        lambda: SqlRows("db", upstream()),
        lambda: SqlRows("db", "select 1", parameters={"day": upstream()}),
        lambda: SqlRows("db", "select 1", parameters=[[upstream()]]),
        lambda: SqlRows("db", "select 1", hook_params={"role": upstream()}),
        lambda: FailedRows(FileRows("rows.csv"), upstream()),
        lambda: FailedRows(upstream(), "report.jsonl"),
        lambda: FailedRows(FailedRows(SqlRows("db", "select 1", [upstream()]), "a.jsonl"), "b.jsonl"),
    ],
)
def test_output_of_another_task_inside_a_source_makes_a_dependency(dag: DAG, make: Any) -> None:
    assert BulkUpdateCallOperator(task_id="bulk", rows=make()).upstream_task_ids == {"one"}


def render(operator: Any, **values: Any) -> dict[str, Any]:
    context = {"ti": tasks.Ti(), "dag": operator.dag, "task": operator, "params": {}, **values}
    operator.render_template_fields(context, operator.dag.get_template_env())
    return context


def test_each_run_in_one_process_reads_its_own_rows(dag: DAG, emulator: Emulator, warehouse: Any) -> None:
    """dag.test() renders a copy of the task each time, and the copies share the source."""
    emulator.add_calls(["monday", "tuesday"])
    warehouse.executemany(
        "insert into facts values (?, ?, ?, 1)", [("monday", "mon", "x"), ("tuesday", "tue", "x")]
    )
    source = SqlRows(
        "warehouse",
        "select id as call_id, tier from facts where day = '{{ day }}' and tier = :tier",
        {"tier": "{{ tier }}"},
    )
    operator = BulkUpdateCallOperator(task_id="bulk", rows=source)
    for day in ("mon", "tue"):
        run = operator.prepare_for_execution()
        run.execute(render(run, day=day, tier="x"))
    assert [emulator.calls[name]["metadata"] for name in ("monday", "tuesday")] == [{"tier": "x"}] * 2
    assert "{{ day }}" in source.sql


def test_nested_sources_are_rendered_into_copies(dag: DAG) -> None:
    inner = FileRows("{{ name }}.jsonl")
    operator = BulkUpdateCallOperator(task_id="bulk", rows=FailedRows(inner, "{{ name }}-report.jsonl"))
    for name in ("a", "b"):
        run = operator.prepare_for_execution()
        render(run, name=name)
        assert str(run.rows) == f"FailedRows({FileRows(f'{name}.jsonl')}, report_path='{name}-report.jsonl')"
    assert inner.path == "{{ name }}.jsonl"


def test_a_dag_param_in_a_source_gives_a_stable_serialized_dag(dag: DAG) -> None:
    def shown() -> str:
        source = SqlRows(
            DagParam(dag, "conn", "db"),
            DagParam(dag, "sql", "select 1"),
            {"day": DagParam(dag, "day", PRIVATE)},
        )
        operator = BulkUpdateCallOperator(
            task_id="bulk", rows=FailedRows(source, DagParam(dag, "report", "x"))
        )
        text = operator.rows.serialize()
        dag.task_dict.pop("bulk")
        dag.task_group.children.pop("bulk")
        dag.task_group.used_group_ids.discard("bulk")
        return str(text)

    first = shown()
    assert first == shown()
    assert " at 0x" not in first
    assert PRIVATE not in first


def test_parameters_and_arguments_of_the_hook_are_not_shown(dag: DAG) -> None:
    source = SqlRows("db", "select 1", [PRIVATE], hook_params={"password": PRIVATE})
    operator = BulkUpdateCallOperator(task_id="bulk", rows=source)
    assert tasks.rendered_fields(operator)["rows"] == "SqlRows(conn_id='db', sql='select 1')"
    render(operator)
    assert tasks.rendered_fields(operator)["rows"] == "SqlRows(conn_id='db', sql='select 1')"


# -- XCom


def through_xcom(value: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    try:
        from airflow.sdk import serde
    except ImportError:
        from airflow.serialization import serde
    monkeypatch.setenv(
        "AIRFLOW__CORE__ALLOWED_DESERIALIZATION_CLASSES", "airflow.* airflow_provider_retell.bulk.*"
    )
    for name in ("_get_patterns", "_match_glob", "_match_regexp", "_get_regexp_patterns"):
        getattr(getattr(serde, name, None), "cache_clear", lambda: None)()
    return serde.deserialize(serde.serialize(value))


def test_a_source_can_be_returned_to_xcom(monkeypatch: pytest.MonkeyPatch) -> None:
    source = FailedRows(
        SqlRows("db", "select ?", ["a"], hook_params={"role": "r"}), "report.jsonl", ["invalid"]
    )
    found = through_xcom(source, monkeypatch)
    assert found.serialize() == {**source.serialize(), "rows": found.rows}
    assert found.rows.serialize() == source.rows.serialize()  # type: ignore[union-attr]
    assert isinstance(through_xcom(FileRows("a.csv"), monkeypatch), FileRows)


def test_a_source_with_a_function_cannot_be_returned_to_xcom() -> None:
    with pytest.raises(RetellInputError, match=r"a source with a function cannot be returned to XCom"):
        FailedRows(lambda: [], "report.jsonl").rows.serialize()  # type: ignore[union-attr]


def test_a_source_out_of_xcom_is_read_and_masked(dag: DAG, emulator: Emulator, warehouse: Any) -> None:
    emulator.add_calls(["a"])
    warehouse.execute("insert into facts values ('a', 'd', '{{ 7*7 }}', 1)")
    operator = BulkUpdateCallOperator(task_id="bulk", rows="[]")
    context = render(operator)
    operator.rows = tasks_mask(
        SqlRows("warehouse", "select id as call_id, tier from facts where day = ?", ["d"])
    )
    operator.execute(context)
    assert emulator.calls["a"]["metadata"] == {"tier": "{{ 7*7 }}"}


def tasks_mask(value: Any) -> Any:
    from airflow_provider_retell.params.masked import mask

    return mask(value)


# -- functions


def test_a_function_in_failed_rows_gets_the_context(emulator: Emulator, run: Any, tmp_path: Path) -> None:
    emulator.add_calls(["a"])
    (tmp_path / "old.jsonl").write_text("")
    run(
        rows=FailedRows(lambda ds: [{"call_id": "a", "day": ds}], str(tmp_path / "old.jsonl")),
        context={"ds": "d"},
    )
    assert emulator.calls["a"]["metadata"] == {"day": "d"}


def test_a_parameter_that_the_context_lacks_is_named(emulator: Emulator, run: Any) -> None:
    def rows(customer: str) -> Any:
        raise AssertionError

    task = run(rows=rows, fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert "the function rows() has the parameter 'customer', which is not in the task's context" in str(
        task.error
    )
    assert not emulator.requests


@pytest.mark.parametrize("connected", [True, False])
def test_a_mapped_task_must_run_after_the_task_whose_output_is_in_its_source(
    dag: DAG, mocker: Any, connected: bool
) -> None:
    """Airflow does not look into objects in partial(), so the task would run too early."""
    made = upstream()
    mocker.patch.object(type(made), "resolve", return_value="resolved")
    mapped = BulkUpdateCallOperator.partial(task_id="bulk", rows=SqlRows("db", "select 1", [made])).expand(
        retell_conn_id=["one", "two"]
    )
    if connected:
        mapped.set_upstream(made.operator)
    task = mapped.unmap({"retell_conn_id": "one"})
    if connected:
        render(task)
        return
    with pytest.raises(AirflowFailException, match="Set the dependency: one >> bulk"):
        render(task)
