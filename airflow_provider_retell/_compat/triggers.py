"""The asset and the task of a running trigger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.triggers.base import BaseEventTrigger, BaseTrigger


def asset_state_store(trigger: BaseEventTrigger) -> Any:
    """Return the state store of the trigger's asset, or None before Airflow 3.3."""
    return getattr(trigger, "asset_state_store", None)


async def has_moved(trigger: BaseTrigger) -> bool:
    """Return True if a trigger may have been cancelled because it moved to another triggerer.

    Airflow 3.3 calls ``on_kill`` then too. Its task is still deferred, whereas a user who kills a task changes its
    state. Later versions call ``on_kill`` only for users.
    """
    from airflow import __version__

    ti: Any = getattr(trigger, "task_instance", None)
    if ti is None or not __version__.startswith("3.3."):
        return False
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
    from asgiref.sync import sync_to_async

    name = ti.task_id if ti.map_index is None or ti.map_index < 0 else f"{ti.task_id}_{ti.map_index}"
    try:
        states = await sync_to_async(RuntimeTaskInstance.get_task_states)(
            dag_id=ti.dag_id, task_ids=[ti.task_id], run_ids=[ti.run_id]
        )
    except Exception:  # without the state, hanging up would be a guess
        return True
    return str(states.get(ti.run_id, {}).get(name)) == "deferred"
