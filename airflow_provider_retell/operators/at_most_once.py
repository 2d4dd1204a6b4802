"""What must not happen twice: calls, batches and analyses cost money, and calls ring at somebody's.

A task is run again after a crash, by its retries, and when somebody clears it. These tell which of it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.operators.base import RetellOperator

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Request

T = TypeVar("T")

OnClear = Literal["skip", "resend"]

_SENDING = "sending"


def check_on_clear(on_clear: str) -> None:
    """Refuse a value that is none."""
    if on_clear not in get_args(OnClear):
        raise ValueError(f"on_clear is 'skip' or 'resend', not {on_clear!r}")


def task_key(ti: Any, generation: int) -> str:
    """Return a key that is the same for every try of a task instance, and for no other task instance."""
    from airflow_provider_retell.hooks.deployment import qualified_dag_id

    parts = (qualified_dag_id(ti.dag_id), ti.run_id, ti.task_id, ti.map_index, generation)
    return "airflow-" + hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:40]


def generation(ti: Any, task: Any) -> int:
    """Return a number that a retry keeps and a clear changes: the number of the last try before it.

    Airflow sets ``max_tries`` to ``retries`` at first, and to ``try_number + retries`` when a task is cleared.
    """
    return max(int(ti.max_tries) - int(task.retries or 0), 0)


def remember(context: Any, key: str, value: Any) -> None:
    """Keep *value* across tries, where Airflow (3.3 and later) has a state store for tasks."""
    store = context.get("task_state_store")
    if store is not None:
        from airflow.sdk.execution_time.context import NEVER_EXPIRE

        store.set(key, value, retention=NEVER_EXPIRE)  # goes when its DAG run is deleted


def recall(context: Any, key: str) -> Any:
    """Return what an earlier try remembered, or None."""
    store = context.get("task_state_store")
    return None if store is None else store.get(key)


def _store_is_complete(context: Any) -> bool:
    """Whether there is a state store, and one that is not emptied when a task succeeds."""
    if context.get("task_state_store") is None:
        return False
    from airflow.configuration import conf

    return not conf.getboolean("state_store", "clear_on_success", fallback=False)


class AtMostOnceOperator(RetellOperator):
    """Base of the operators whose request Retell gives no way to repeat safely.

    :param on_clear: what a deliberate clear of the task does: ``"skip"`` (default) never sends the request again,
        ``"resend"`` does, once.
    """

    def __init__(self, *, on_clear: OnClear = "skip", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_on_clear(on_clear)
        self.on_clear = on_clear

    def send_once(
        self, context: Any, request: Request[T], result: Callable[[T], dict[str, Any]], look: str
    ) -> dict[str, Any]:
        """Send *request* and return what *result* makes of the answer; or what it was, if it was sent before.

        :param look: tells the user how to find out by hand whether Retell acted.
        """
        ti = context["ti"]
        counted_from = generation(ti, self) if self.on_clear == "resend" else 0
        key = task_key(ti, counted_from)
        before = recall(context, key)
        if isinstance(before, dict):
            return before
        # Without a store that knows, only the number of the try tells that there was one before.
        unknown = not _store_is_complete(context) and ti.try_number != counted_from + 1
        if before == _SENDING or (unknown and before is None):
            raise AirflowFailException(
                f"An earlier try of this task may have sent {request}, and it is not sent twice. {look}; if it is "
                "not there, clear this task with on_clear='resend'"
            )
        remember(context, key, _SENDING)
        try:
            answer = result(self.hook.send(request))
        except RetellError as error:
            if not error.not_processed:
                raise AirflowFailException(
                    f"{error} Whether Retell acted is unknown, so it is not sent again. {look}; if it is not there, "
                    "clear this task with on_clear='resend'"
                ) from error
            remember(context, key, "refused")
            if context.get("task_state_store") is not None:
                raise  # to be retried, or cleared once what was wrong is mended
            raise AirflowFailException(
                f"{error} Retell did nothing. Before Airflow 3.3 another try cannot know that: once it is mended, "
                "clear this task with on_clear='resend'"
            ) from error
        remember(context, key, answer)
        return answer
