"""Mapped tasks whose values come out of XCom, and contain text that looks like templates."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

try:
    from airflow.sdk import DAG, task, task_group
except ImportError:  # 2.11
    from airflow.decorators import task, task_group
    from airflow.models.dag import DAG

from airflow_provider_retell.operators import (
    BulkUpdateCallOperator,
    CreateBatchCallOperator,
    CreatePhoneCallOperator,
    UpdateCallOperator,
)
from airflow_provider_retell.sensors import CallSensor

EVIL = "{{ 7*7 }}{{ conn.retell_default.password }}"
"""Text that a customer has typed."""

TEXTS = {"note": EVIL, "discount": "50 {% off", "greeting": "{{first_name}}", "comment": "{# hidden #}"}
NESTED: dict[str, Any] = {**TEXTS, "list": [EVIL, {"deep": [EVIL]}], "dict": {"a": {"b": EVIL}}}
FROM, TO = "+14155550100", "+14155550123"


def rows(*call_ids: str) -> list[dict[str, Any]]:
    """Return the arguments of updates."""
    return [{"call_id": call_id, "metadata": NESTED} for call_id in call_ids]


OUTPUTS: dict[str, Any] = {
    "two rows": rows("call_1", "call_2"),
    "a": rows("call_a"),
    "b": rows("call_b"),
    "group": rows("call_g"),
    "row": rows("call_l")[0],
    "metadata": NESTED,
    "metadata in a list": [NESTED],
    "call z in a list": ["call_z"],
    "call p in a list": ["call_p"],
    "call id": [{"call_id": "call_t"}],
    "sensor": [{"call_id": "call_1"}],
    "call": [{"to_number": TO, "retell_llm_dynamic_variables": TEXTS, "metadata": NESTED}],
    "batch": [{"tasks": [{"to_number": TO, "metadata": NESTED}], "name": EVIL}],
    "bulk": [{"rows": [{"call_id": "call_bulk", **NESTED}]}],
}


def to_arguments(pair: Any) -> dict[str, Any]:
    """Return the arguments of an update."""
    return {"call_id": pair[0], "metadata": {"zipped": pair[1]}}


def to_mapped(row: Any) -> dict[str, Any]:
    """Return the arguments of an update."""
    return {"call_id": "call_map", "metadata": {"mapped": row["metadata"]}}


def update(task_id: str, **arguments: Any) -> Any:
    """Return a partial update."""
    return UpdateCallOperator.partial(task_id=task_id, **arguments)


with DAG(
    "mapped_values",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    params={"day": "Monday"},
    user_defined_macros={"from_number": FROM},
    default_args={"retries": 0},
):

    @task(show_return_value_in_logs=False)
    def output(name: str) -> Any:
        """Return data through XCom. Airflow would render it if it were an argument."""
        return OUTPUTS[name]

    update("kwargs").expand_kwargs(output("two rows"))
    update("kwargs_map").expand_kwargs(output("group").map(to_mapped))
    update("kwargs_concat").expand_kwargs(output("a").concat(output("b")))
    update("kwargs_zip").expand_kwargs(
        output("call z in a list").zip(output("metadata in a list")).map(to_arguments)
    )
    update("kwargs_list").expand_kwargs([output("row")])
    update("expand_output", call_id="call_e").expand(metadata=output("metadata in a list"))
    update("partial_output", metadata=output("metadata")).expand(call_id=output("call p in a list"))
    update("partial_parts", metadata={"parts": output("metadata"), "day": "{{ params.day }}"}).expand(
        call_id=["call_{{ params.day }}"]
    )
    update("partial_template", metadata={"day": "{{ params.day }}"}).expand_kwargs(output("call id"))
    update("literal").expand_kwargs(
        [{"call_id": "call_{{ 'literal' }}", "metadata": {"day": "{{ params.day }}"}}]
    )

    @task_group
    def group(call_id: Any, metadata: Any) -> None:
        """Update a call with arguments of a mapped task group."""
        UpdateCallOperator(task_id="update", call_id=call_id, metadata=metadata)

    group.expand_kwargs(output("group"))

    CreatePhoneCallOperator.partial(task_id="place", from_number="{{ from_number }}").expand_kwargs(
        output("call")
    )
    CreateBatchCallOperator.partial(task_id="batch", from_number="{{ from_number }}").expand_kwargs(
        output("batch")
    )
    BulkUpdateCallOperator.partial(task_id="bulk").expand_kwargs(output("bulk"))
    CallSensor.partial(task_id="wait", poke_interval=0.1).expand_kwargs(output("sensor"))
