"""At-most-once requests: calls, batches and analyses cost money, and a call reaches a person.

Retries, crashes and clears all run a task again. The functions here distinguish them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from airflow_provider_retell._compat import AirflowFailException, task_state_store
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.operators.base import RetellOperator
from airflow_provider_retell.params import checks

if TYPE_CHECKING:
    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.request import Request

T = TypeVar("T")

OnClear = Literal["skip", "resend"]

_SENDING, _REJECTED = "sending", "rejected"


def check_on_clear(on_clear: object) -> None:
    """Raise :class:`ValueError` unless *on_clear* is valid."""
    checks.one_of("on_clear", on_clear, get_args(OnClear))


def tries_before_clear(ti: Any, task: Any) -> int:
    """Return the number of tries before a user last cleared the task, or 0. A retry does not change it.

    Airflow sets ``max_tries`` to ``retries`` at first, and to ``try_number + retries`` when the task is cleared.
    """
    return max(int(ti.max_tries) - int(task.retries or 0), 0)


def request_key(ti: Any, tries_before: int = 0) -> str:
    """Return a key that all tries of a task instance share, and no other task instance has.

    :param tries_before: the result of :func:`tries_before_clear` if the tries after a clear need a key of their own.
    """
    from airflow_provider_retell.hooks.deployment import qualified_dag_id

    parts = (qualified_dag_id(ti.dag_id), ti.run_id, ti.task_id, ti.map_index, tries_before)
    return "airflow-" + hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:40]


class AtMostOnceOperator(RetellOperator):
    """Base class of the operators whose request is not idempotent and must not be sent twice.

    :param on_clear: what happens when a user clears the task. ``"skip"`` (default): the request is not sent again.
        ``"resend"``: it is sent again, once.
    """

    def __init__(self, *, on_clear: OnClear = "skip", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_on_clear(on_clear)
        self.on_clear = on_clear

    def send_once(
        self, context: Context, request: Request[T], result: Callable[[T], dict[str, Any]], verify: str
    ) -> dict[str, Any]:
        """Send *request* unless an earlier try may have sent it, and return its result.

        If Airflow has a state store for tasks (3.3 and later), a later try returns the result of the earlier one.
        Without it, the try number is the only sign of an earlier try, so a later try fails.

        :param result: converts the response to the task's result.
        :param verify: a sentence that says how a user can find out whether Retell processed the request.
        :raises AirflowFailException: if it is unknown whether Retell processed the request, now or in an earlier try.
        """
        ti, store = context["ti"], task_state_store(context)
        tries_before = tries_before_clear(ti, self) if self.on_clear == "resend" else 0
        key = request_key(ti, tries_before)
        stored = store.get(key) if store else None
        if isinstance(stored, dict):
            return stored
        first_try = ti.try_number == tries_before + 1
        store_is_complete = store is not None and store.survives_success
        if stored == _SENDING or (stored is None and not store_is_complete and not first_try):
            raise AirflowFailException(
                f"An earlier try of this task may have sent {request}, so it is not sent again. {verify}. If it is "
                "missing there, clear this task with on_clear='resend'"
            )
        if store:
            store.set(key, _SENDING)
        try:
            answer = result(self.hook.send(request))
        except RetellError as error:
            reason = str(error).rstrip(".")
            if not error.not_processed:
                raise AirflowFailException(
                    f"{reason}. It is unknown whether Retell processed it, so it is not sent again. {verify}. If it is "
                    "missing there, clear this task with on_clear='resend'"
                ) from error
            if store:
                store.set(key, _REJECTED)
                raise  # a retry, or a clear after the cause is fixed, may send it
            raise AirflowFailException(
                f"{reason}. Retell did not process it. Airflow before 3.3 cannot pass this on to a retry: fix the "
                "cause, then clear this task with on_clear='resend'"
            ) from error
        if store:
            store.set(key, answer)
        return answer
