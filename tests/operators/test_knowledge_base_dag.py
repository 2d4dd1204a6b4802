"""SyncKnowledgeBaseOperator in a DAG: dependencies, mapped tasks and serialization."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from knowledge_base_runs import KB, contents, task
from tasks import Ti, run_try

from airflow_provider_retell.documents import FileDocuments, SqlDocuments

try:
    from airflow.sdk import DAG
    from airflow.sdk import task as task_decorator
except ImportError:  # 2.11
    from airflow.decorators import task as task_decorator
    from airflow.models.dag import DAG

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_provider_retell.emulator import Emulator


@pytest.fixture
def dag() -> Iterator[DAG]:
    with DAG("a_dag", schedule=None) as dag:
        yield dag


def upstream(name: str) -> Any:
    @task_decorator(task_id=name)
    def produce() -> Any:
        return name

    return produce()


@pytest.mark.parametrize(
    "make",
    [
        lambda: upstream("one"),
        lambda: FileDocuments(upstream("one")),
        lambda: FileDocuments("s3://b/x", upstream("one")),
        lambda: FileDocuments("s3://b/x", conn_id=upstream("one")),
        lambda: SqlDocuments(upstream("one"), "select 1"),
        lambda: SqlDocuments("db", "select 1", parameters=[upstream("one")]),
        lambda: SqlDocuments("db", "select 1", parameters={"day": upstream("one")}),
        lambda: [FileDocuments(upstream("one")), {"title": "a", "text": "b"}],
        lambda: [upstream("one")],
    ],
)
def test_output_of_another_task_inside_documents_makes_a_dependency(dag: DAG, make: Any) -> None:
    assert task(make()).upstream_task_ids == {"one"}


def test_output_of_another_task_is_the_folder(
    dag: DAG, emulator: Emulator, no_sleep: None, tmp_path: Path, mocker: Any
) -> None:
    (tmp_path / "a.md").write_text("1")
    emulator.add_knowledge_base(knowledge_base_id=KB)
    folder = upstream("one")
    mocker.patch.object(type(folder), "resolve", return_value=str(tmp_path))
    operator = task([FileDocuments(folder)])
    context = {"ti": Ti(), "dag": dag, "task": operator, "params": {}}
    operator.render_template_fields(context, dag.get_template_env())
    operator.execute(context)
    assert contents(emulator) == {"a.md": "1"}


def test_mapped_tasks_do_not_share_their_documents(
    emulator: Emulator, no_sleep: None, tmp_path: Path
) -> None:
    documents = FileDocuments(f"{tmp_path}/{{{{ name }}}}")
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.md").write_text(name)
        emulator.add_knowledge_base(knowledge_base_id=f"kb_{name}")
        run_try(task(documents, knowledge_base_id=f"kb_{name}"), name=name)
        assert contents(emulator, f"kb_{name}") == {"a.md": name}


def test_task_can_be_serialized_without_documents(dag: DAG) -> None:
    operator = task([{"title": "a", "text": "Zanzibar"}, FileDocuments("s3://bucket/{{ ds }}")])
    try:
        from airflow.serialization.serialized_objects import DagSerialization as Serialization
    except ImportError:
        from airflow.serialization.serialized_objects import SerializedDAG as Serialization
    stored = json.dumps(Serialization.to_dict(dag))
    assert operator.task_id in stored
    assert "Zanzibar" not in stored
