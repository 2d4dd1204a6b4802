"""At-most-once requests: calls, batches and analyses cost money, and a call reaches a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar, get_args

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell._compat.task_context import task_state_store
from airflow_provider_retell.api.errors import RESEND, RetellError
from airflow_provider_retell.clock import clock
from airflow_provider_retell.operators.base import RetellOperator
from airflow_provider_retell.operators.same_request import check_same
from airflow_provider_retell.operators.task_try import TaskTry, tries_before_clear
from airflow_provider_retell.params import checks

if TYPE_CHECKING:
    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.request import Request
    from airflow_provider_retell.operators.same_request import Subject

T = TypeVar("T")

OnClear = Literal["skip", "resend"]

Find = Callable[["float | None"], "dict[str, Any] | None"]
"""Searches Retell for the object that a request may have created, and returns the result of
:meth:`AtMostOnceOperator.send_once` or None. It gets the time in epoch seconds before which the request was not sent,
or None if it is unknown."""


def check_on_clear(on_clear: object) -> None:
    """Raise :class:`ValueError` unless *on_clear* is valid."""
    checks.one_of("on_clear", on_clear, get_args(OnClear))


class SentRequests:
    """The requests that the tries of a task run have sent, as far as Airflow's state store for tasks knows.

    Before Airflow 3.3 there is no store, and the number of the try is the only sign of an earlier try.

    :ivar key: the key of the requests.
    :ivar records: the ``subject`` and the ``result`` of each request that was sent, in order.
    :ivar sending_since: the time in epoch seconds at which a request was sent whose outcome is unknown, or None.
    :ivar subject: the subject of this request.
    :ivar complete: False if an earlier try may have sent requests that are not recorded.
    """

    def __init__(self, context: Context, task: AtMostOnceOperator) -> None:
        task_try = TaskTry.of(context, task)
        self.key = task_try.key
        self._store = task_state_store(context)
        stored = self._store.get(self.key) if self._store else None
        self.records: list[dict[str, Any]] = stored["records"] if stored else []
        self.sending_since: float | None = stored["sending_since"] if stored else None
        self.subject: Subject | None = stored.get("subject") if stored else None
        # A reschedule discards no store. Without a record, the run before it has not come to a request.
        is_first = task_try.is_first and not (task_try.rescheduled and self._store is None)
        # A task that was cleared may have run before Airflow had a store.
        may_be_older = task.on_clear == "skip" and tries_before_clear(context["ti"], task) > 0
        keeps = self._store is not None and self._store.keeps(context["ti"]) and not may_be_older
        self.complete = stored is not None or is_first or keeps
        if is_first and stored is None:
            # If a clear discards the store later, the lack of this record shows it.
            self._save()

    @property
    def results(self) -> list[dict[str, Any]]:
        """The results of the requests that were sent, in order."""
        return [record["result"] for record in self.records]

    @property
    def recorded(self) -> bool:
        """True if later tries can read the record."""
        return self._store is not None

    @property
    def may_send(self) -> bool:
        """True if neither this try nor an earlier one can have sent a request."""
        return self.complete and not self.records and self.sending_since is None

    def sending(self, subject: Subject) -> None:
        """Record that a request is about to be sent."""
        self.sending_since, self.subject = clock().time(), dict(subject)
        self._save()

    def rejected(self) -> None:
        """Record that Retell did not process the request."""
        self.sending_since = None
        self._save()

    def sent(self, subject: Subject, result: dict[str, Any]) -> None:
        """Record the result of the request."""
        self.records.append({"subject": dict(subject), "result": result})
        self.sending_since = None
        self._save()

    def _save(self) -> None:
        if self._store:
            sending = {"sending_since": self.sending_since, "subject": self.subject}
            self._store.set(self.key, {"records": self.records, **sending})


class AtMostOnceOperator(RetellOperator):
    """Base class of the operators whose request is not idempotent and must not be sent twice.

    :param on_clear: what happens when a user clears the task. ``"skip"`` (default): the request is not sent again.
        ``"resend"``: it is sent again, once.
    """

    def __init__(self, *, on_clear: OnClear = "skip", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_on_clear(on_clear)
        self.on_clear = on_clear

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], context: Any, jinja_env: Any, seen_oids: set[int]
    ) -> None:
        # Record the first try before anything can fail: Airflow 3.4 discards the store when a user clears the task, so
        # a later try without this record must not send anything.
        if parent is self and task_state_store(context):
            SentRequests(context, self)
        super()._do_render_template_fields(parent, template_fields, context, jinja_env, seen_oids)

    def send_once(
        self,
        context: Context,
        request: Request[T],
        result: Callable[[T], dict[str, Any]],
        verify: str,
        *,
        subject: Subject,
        sent: SentRequests | None = None,
        number: int = 0,
        find: Find | None = None,
    ) -> dict[str, Any]:
        """Send *request* unless an earlier try may have sent it, and return its result.

        If Airflow has a state store for tasks (3.3 and later), a later try returns the stored result. Otherwise it
        searches for the result with *find*, or fails.

        :param result: converts the response to the task's result.
        :param verify: a sentence for the user: how to check whether Retell processed the request.
        :param subject: the values that identify the request, without private data.
        :param sent: the requests that were sent, if the caller has read them.
        :param number: the number of requests that the task sends before this one.
        :param find: searches Retell for the result, if an earlier try or a failed request may have created it.
        :raises AirflowFailException: if it is unknown whether Retell processed the request, or if an earlier try has
            sent one with another subject.
        """
        sent = sent or SentRequests(context, self)
        if number < len(sent.records):
            check_same(f"sent {request.operation}", sent.records[number]["subject"], subject)
            return sent.results[number]
        if sent.sending_since is not None and sent.subject is not None:
            check_same(f"perhaps sent {request.operation}", sent.subject, subject)
        if sent.sending_since is not None or not sent.complete:
            found = find(sent.sending_since) if find else None
            if found is None:
                raise AirflowFailException(
                    f"An earlier try of this task may have sent {request}, so it is not sent again. {verify}. If it is "
                    f"missing there, {RESEND}"
                )
            sent.sent(subject, found)
            return found
        try:
            self.hook.settings  # noqa: B018 - a missing connection must not leave a record of a request
            sent.sending(subject)
            answer = result(self.hook.send(request))
        except RetellError as error:
            if error.not_processed:
                self._fail_unprocessed(sent, error)
            found = find(sent.sending_since) if find else None
            if found is None:
                raise AirflowFailException(
                    f"{error.fault}. It is unknown whether Retell processed it, so it is not sent again. "
                    f"{verify}. If it is missing there, {RESEND}"
                ) from error
            answer = found
        sent.sent(subject, answer)
        return answer

    def _fail_unprocessed(self, sent: SentRequests, error: RetellError) -> NoReturn:
        sent.rejected()
        if sent.recorded:
            raise error  # a retry, or a clear after the cause is fixed, may send it
        raise AirflowFailException(
            f"{str(error).rstrip('.')}. Retell did not process it. Without Airflow's task state store (Airflow 3.3 and "
            f"later), a retry would not know that: fix the cause, {RESEND}"
        ) from error
