"""Tries of a task: retries, crashes, clears, reschedules and loops all run a task again.

An operator whose request must not be sent twice needs a key that all these runs share, and must know whether an earlier
run may have sent the request.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat.task_context import loop_iteration, run_after, was_rescheduled

if TYPE_CHECKING:
    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.calls.models import Call
    from airflow_provider_retell.hooks.retell import RetellHook

CALL_KEY_METADATA = "airflow_call_key"
"""The metadata key under which a call carries the key of the task that placed it."""

CLOCK_SKEW = 60.0
"""The clocks of Airflow and Retell may differ by so many seconds."""


def find_call(hook: RetellHook, key: str) -> Call | None:
    """Return the newest call that a task with this key has placed, alone or in a batch, or None."""
    return next(hook.list_calls(filter_criteria=_has_key(key), page_size=1), None)


def find_calls(hook: RetellHook, key: str) -> list[Call]:
    """Return all calls that a task with this key has placed, oldest first."""
    return list(hook.list_calls(filter_criteria=_has_key(key), sort_order="ascending"))


def _has_key(key: str) -> dict[str, Any]:
    return {"metadata": [{"type": "string", "op": "eq", "value": key, "key": CALL_KEY_METADATA}]}


def tries_before_clear(ti: Any, task: Any) -> int:
    """Return the number of tries before a user last cleared the task, or 0. A retry does not change it.

    Airflow sets ``max_tries`` to ``retries`` at first, and to ``try_number + retries`` when the task is cleared.
    """
    return max(int(ti.max_tries) - int(task.retries or 0), 0)


def first_try_at(context: Context, task: Any) -> float | None:
    """Return the earliest time in epoch seconds at which a try of the task has run, or None if it is unknown.

    :param task: the operator, with ``on_clear``.
    """
    if task.on_clear == "resend":
        return None  # a request from before the clear would look the same
    run = context["dag_run"]
    started = run.start_date
    cleared = tries_before_clear(context["ti"], task) or getattr(run, "clear_number", 0)
    if started is None or cleared:
        return run_after(context)  # a clear gives a DAG run that has ended a new start date
    return float(started.timestamp())


def request_key(ti: Any, tries_before: int = 0, iteration: tuple[Any, ...] | None = None) -> str:
    """Return a key that all tries of a task instance share, and no other task instance has.

    :param tries_before: the result of :func:`tries_before_clear` if the tries after a clear need a key of their own.
    :param iteration: the iteration of a task loop, empty outside loops. Default: as the task instance shows it.
    """
    from airflow_provider_retell.hooks.deployment import qualified_dag_id

    if iteration is None:
        iteration = loop_iteration({"ti": ti})[:1]
    parts = (qualified_dag_id(ti.dag_id), ti.run_id, ti.task_id, ti.map_index, tries_before, *iteration)
    return "airflow-" + hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:40]


@dataclass(frozen=True)
class TaskTry:
    """One try of a task that sends a request at most once.

    :ivar key: the key of the request. With ``on_clear="resend"``, the tries after a clear have a key of their own.
    :ivar is_first: False if an earlier try may have sent the request.
    :ivar rescheduled: True if the same try has run before, and may have sent the request.
    """

    key: str
    is_first: bool
    rescheduled: bool

    @classmethod
    def of(cls, context: Context, task: Any) -> TaskTry:
        """Return the try that runs with *context*.

        :param task: the operator, with ``on_clear``.
        """
        ti, resend = context["ti"], task.on_clear == "resend"
        tries_before = tries_before_clear(ti, task) if resend else 0
        is_first = ti.try_number == tries_before + 1
        iteration = loop_iteration(context)
        if iteration and not resend:
            # A clear replaces the later iterations of a loop by new ones, with new regions and try numbers from 1.
            iteration = iteration[:1]
            is_first = is_first and not getattr(context.get("dag_run"), "clear_number", 0)
        return cls(request_key(ti, tries_before, iteration), is_first, was_rescheduled(context))
