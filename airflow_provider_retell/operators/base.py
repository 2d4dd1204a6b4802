"""Base classes of the operators."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import AirflowFailException, AirflowNotFoundException, BaseOperator
from airflow_provider_retell._compat.features import default_deferrable
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.clock import clock
from airflow_provider_retell.hooks.reason import missing_connection
from airflow_provider_retell.links.retell import expect_link, expect_no_link
from airflow_provider_retell.operators.same_request import digest
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.templated import TemplatedTask

if TYPE_CHECKING:
    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.waits import Condition, Poll
    from airflow_provider_retell.hooks.retell import RetellHook
    from airflow_provider_retell.triggers.base import PollTrigger


class RetellOperator(TemplatedTask, BaseOperator):
    """Base class of all operators. A permanent error fails the task without further retries.

    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    """

    template_fields: Sequence[str] = ("retell_conn_id",)
    ui_color = "#e8ecff"

    def __init__(self, *, retell_conn_id: str = "retell_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.retell_conn_id = retell_conn_id

    @functools.cached_property
    def hook(self) -> RetellHook:
        """The hook of this task, made when the task runs so that DAG files do not load HTTP libraries."""
        from airflow_provider_retell.hooks.retell import RetellHook

        return RetellHook(self.retell_conn_id)

    def private_digest(self, value: Any, task_key: str) -> str:
        """Return a digest of private JSON, to compare it with that of another try.

        :param task_key: the key that all tries of the task share.
        """
        return digest(value, task_key=task_key, api_key=self.hook.settings.api_key)

    def execute(self, context: Context) -> Any:
        """Run the task.

        :raises AirflowFailException: in place of a permanent :class:`RetellError`, or if the Airflow connection is not
            defined.
        """
        expect_no_link(self)
        with self._running():
            return self.work(context)

    @abstractmethod
    def work(self, context: Context) -> Any:
        """Do the operator's work and return the task's result."""

    @contextmanager
    def _running(self) -> Iterator[None]:
        try:
            yield
        except RetellError as error:
            if error.permanent:
                raise AirflowFailException(str(error)) from error
            raise
        except AirflowNotFoundException as error:
            raise AirflowFailException(missing_connection(error)) from error
        finally:
            if "hook" in self.__dict__:
                self.hook.close()


class DeferrableOperator(RetellOperator):
    """Base class of the operators that can wait for a condition, in the triggerer or in the worker.

    :param deferrable: True to wait in the triggerer, without a worker slot. Default: Airflow's
        ``[operators] default_deferrable``.
    :param poll_interval: seconds between two polls, or a timedelta. Default: 30 seconds.
    :param wait_timeout: seconds after which the wait fails, or a timedelta. Default: 2 hours.
    :param max_poll_failures: the number of consecutive failed polls that the wait tolerates. Rate limiting does not
        count, and permanent errors end the wait at once. Default: 10.
    """

    def __init__(
        self,
        *,
        deferrable: bool | None = None,
        poll_interval: float | timedelta = 30,
        wait_timeout: float | timedelta = 7200,
        max_poll_failures: int = 10,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        checks.flag(deferrable=deferrable)
        checks.whole_number("max_poll_failures", max_poll_failures, 0)
        self.deferrable = default_deferrable() if deferrable is None else deferrable
        self.poll_interval = checks.in_seconds("poll_interval", poll_interval, positive=True)
        self.wait_timeout = checks.in_seconds("wait_timeout", wait_timeout)
        self.max_poll_failures = max_poll_failures
        self._waiting_for: str | None = None
        self._execution_deadline: float | None = None

    def check_wait(self, wait_until: str | None) -> None:
        """Raise :class:`ValueError` if the DAG file configures a wait, and the task does not wait."""
        names = ("deferrable", "poll_interval", "wait_timeout", "max_poll_failures")
        self.check_effect(
            "wait_until", wait_until is not None, **{name: getattr(self, name) for name in names}
        )

    def execute(self, context: Context) -> Any:
        """Run the task, up to the end of the wait or up to its deferral."""
        from airflow_provider_retell.waiting.event import execution_deadline

        self._execution_deadline = execution_deadline(clock().time(), self.execution_timeout)
        return super().execute(context)

    def wait_for(
        self,
        condition: Condition,
        *,
        deadline: float | None = None,
        resumed: bool = False,
        trigger_options: Mapping[str, Any] | None = None,
        state: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the result of the poll in which *condition* holds.

        If the operator is deferrable, the task leaves the worker, and continues in :meth:`after_event`.

        :param deadline: epoch seconds at which the wait ends; ``wait_timeout`` from now if not given.
        :param resumed: True if the wait began before the task was deferred.
        :param trigger_options: other arguments of the trigger.
        :param state: values for :meth:`after_event`, for Airflow's database: ids and numbers, no private data.
        """
        from airflow_provider_retell.waiting.event import end_of_wait, timeout_error
        from airflow_provider_retell.waiting.poll_failures import PollFailures
        from airflow_provider_retell.waiting.wait_log import Progress

        deadline = clock().time() + self.wait_timeout if deadline is None else deadline
        progress = Progress(
            condition,
            deadline=deadline,
            poll_interval=self.poll_interval,
            started=deadline - self.wait_timeout,
        )
        if not resumed:
            progress.start()
        failures = PollFailures(
            self.max_poll_failures,
            polled_before=resumed or "hook" in self.__dict__,
            retell_conn_id=self.retell_conn_id,
        )
        while True:
            pause = self.poll_interval
            try:
                poll = self._poll(condition)
            except Exception as error:
                failures.check(error, condition)
                progress.failed(error)
                pause = max(pause, getattr(error, "retry_after", None) or 0)
            else:
                failures.reset()
                progress.polled(poll)
                if poll.done:
                    return poll.result
            end, at_execution_timeout = end_of_wait(deadline, self._execution_deadline)
            left = end - clock().time()
            if left <= 0:
                raise timeout_error(progress.timeout_message(), at_execution_timeout)
            if self.deferrable:
                self._defer(condition, deadline, trigger_options or {}, state or {})
            clock().sleep(min(pause, left))

    def _poll(self, condition: Condition) -> Poll:
        from airflow_provider_retell.hooks.retell import RetellHook
        from airflow_provider_retell.hooks.shared import POLL_RETRY

        # Not the task's hook: its retries and the pause after a 429 could last beyond the deadline.
        with RetellHook(self.retell_conn_id, retry=POLL_RETRY) as hook:
            return hook.run(condition.poll())

    def _defer(
        self, condition: Condition, deadline: float, options: Mapping[str, Any], state: Mapping[str, Any]
    ) -> None:
        from airflow_provider_retell.waiting.event import end_of_wait, trigger_timeout

        end, _ = end_of_wait(deadline, self._execution_deadline)
        self.defer(
            trigger=self.trigger_class().waiting_for(
                condition,
                retell_conn_id=self.retell_conn_id,
                poll_interval=self.poll_interval,
                deadline=deadline,
                execution_deadline=self._execution_deadline,
                max_poll_failures=self.max_poll_failures,
                started=deadline - self.wait_timeout,
                # `airflow dags test` passes the event to the method, but not the keyword arguments.
                state={"deadline": deadline, **state},
                **options,
            ),
            method_name="resume",
            kwargs={"deadline": deadline, "execution_deadline": self._execution_deadline, **state},
            timeout=trigger_timeout(end - clock().time()),
        )

    @abstractmethod
    def trigger_class(self) -> type[PollTrigger]:
        """Return the trigger that waits for the operator's condition."""

    def resume(
        self,
        context: Context,
        event: Mapping[str, Any] | None = None,
        execution_deadline: float | None = None,
        **state: Any,
    ) -> Any:
        """Continue after a deferred wait.

        :param event: the trigger's event.
        :param execution_deadline: epoch seconds at which ``execution_timeout`` ends the task.
        :param state: the deadline, and the values that the wait was given.
        """
        from airflow_provider_retell.waiting.event import check_event

        expect_link(self)
        self._execution_deadline = execution_deadline
        self._waiting_for = (event or {}).get("call_id")  # for on_kill
        with self._running():
            event = check_event(event)
            return self.after_event(context, event, **(state or event.get("state") or {}))

    @abstractmethod
    def after_event(self, context: Context, event: Mapping[str, Any], **state: Any) -> Any:
        """Do the rest of the work after a deferred wait, and return the task's result.

        :param event: the result of the trigger's last poll.
        :param state: ``deadline``, and the values that :meth:`wait_for` was given.
        """
