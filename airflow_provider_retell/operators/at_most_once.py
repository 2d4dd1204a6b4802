"""At-most-once requests: calls, batches and analyses cost money, and a call reaches a person.

Retries, crashes and clears all run a task again. The functions here distinguish them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar, get_args
from uuid import UUID

from airflow_provider_retell._compat import AirflowFailException, task_state_store
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.clock import clock
from airflow_provider_retell.operators.base import RetellOperator
from airflow_provider_retell.params import checks

if TYPE_CHECKING:
    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.request import Request

T = TypeVar("T")

OnClear = Literal["skip", "resend"]

Find = Callable[["float | None"], "dict[str, Any] | None"]
"""Searches Retell for the object that a request may have created. It gets the time in epoch seconds before which the
request was not sent, or None if it is unknown, and returns the result of :meth:`AtMostOnceOperator.send_once` or None."""


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

    parts = (qualified_dag_id(ti.dag_id), ti.run_id, ti.task_id, ti.map_index, tries_before, *_iteration(ti))
    return "airflow-" + hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:40]


def _iteration(ti: Any) -> tuple[Any, ...]:
    """Return the iteration of a task loop (Airflow 3.4), or an empty tuple outside loops."""
    region = getattr(ti, "region_id", None)
    if region is None or str(region) == str(UUID(int=0)):
        return ()
    return region, getattr(ti, "region_index", None)


class SentRequests:
    """The requests that the tries of a task run have sent, as far as Airflow's state store for tasks knows.

    Before Airflow 3.3 there is no store, and the number of the try is the only sign of an earlier try.

    :ivar results: the results of the requests that were sent, in order.
    :ivar sending_since: the time in epoch seconds at which a request was sent whose outcome is unknown, or None.
    :ivar complete: False if an earlier try may have sent requests that are not recorded.
    """

    def __init__(self, context: Context, task: AtMostOnceOperator) -> None:
        ti = context["ti"]
        tries_before = tries_before_clear(ti, task) if task.on_clear == "resend" else 0
        self._key = request_key(ti, tries_before)
        self._store = task_state_store(context)
        stored = self._store.get(self._key) if self._store else None
        self.results: list[dict[str, Any]] = stored["results"] if stored else []
        self.sending_since: float | None = stored["sending_since"] if stored else None
        first_try = ti.try_number == tries_before + 1
        self.complete = stored is not None or first_try or (self._store is not None and self._store.keeps(ti))
        if first_try and stored is None:
            # If a clear discards the store later, the lack of this record shows it.
            self._save()

    @property
    def recorded(self) -> bool:
        """True if later tries can read the record."""
        return self._store is not None

    def sending(self) -> None:
        """Record that a request is about to be sent."""
        self.sending_since = clock().time()
        self._save()

    def rejected(self) -> None:
        """Record that Retell did not process the request."""
        self.sending_since = None
        self._save()

    def sent(self, result: dict[str, Any]) -> None:
        """Record the result of the request."""
        self.results.append(result)
        self.sending_since = None
        self._save()

    def _save(self) -> None:
        if self._store:
            self._store.set(self._key, {"results": self.results, "sending_since": self.sending_since})


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
        self,
        context: Context,
        request: Request[T],
        result: Callable[[T], dict[str, Any]],
        verify: str,
        *,
        sent: SentRequests | None = None,
        number: int = 0,
        find: Find | None = None,
    ) -> dict[str, Any]:
        """Send *request* unless an earlier try may have sent it, and return its result.

        If Airflow has a state store for tasks (3.3 and later), a later try returns the result of the earlier one.
        Without it, the try number is the only sign of an earlier try, so a later try searches for the result with
        *find*, or fails.

        :param result: converts the response to the task's result.
        :param verify: a sentence that says how a user can find out whether Retell processed the request.
        :param sent: the requests that were sent, if the caller has read them.
        :param number: the number of requests that the task sends before this one. Default: 0.
        :param find: searches Retell for the object that a request of an earlier try, or a request with an unknown
            outcome, has created.
        :raises AirflowFailException: if it is unknown whether Retell processed the request, now or in an earlier try.
        """
        sent = sent or SentRequests(context, self)
        if number < len(sent.results):
            return sent.results[number]
        if sent.sending_since is not None or not sent.complete:
            found = find(sent.sending_since) if find else None
            if found is None:
                raise AirflowFailException(
                    f"An earlier try of this task may have sent {request}, so it is not sent again. {verify}. If it is "
                    "missing there, clear this task with on_clear='resend'"
                )
            sent.sent(found)
            return found
        sent.sending()
        try:
            answer = result(self.hook.send(request))
        except RetellError as error:
            if error.not_processed:
                self._fail_unprocessed(sent, error)
            found = find(sent.sending_since) if find else None
            if found is None:
                raise AirflowFailException(
                    f"{str(error).rstrip('.')}. It is unknown whether Retell processed it, so it is not sent again. "
                    f"{verify}. If it is missing there, clear this task with on_clear='resend'"
                ) from error
            answer = found
        sent.sent(answer)
        return answer

    def _fail_unprocessed(self, sent: SentRequests, error: RetellError) -> NoReturn:
        sent.rejected()
        if sent.recorded:
            raise error  # a retry, or a clear after the cause is fixed, may send it
        raise AirflowFailException(
            f"{str(error).rstrip('.')}. Retell did not process it. Airflow before 3.3 cannot pass this on to a retry: "
            "fix the cause, then clear this task with on_clear='resend'"
        ) from error
