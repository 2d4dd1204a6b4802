"""Base class of the sensors."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from airflow_provider_retell._compat import (
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
)
from airflow_provider_retell._compat.features import default_deferrable
from airflow_provider_retell._compat.task_context import first_poke
from airflow_provider_retell.api.errors import RetellError, WaitTimeoutError
from airflow_provider_retell.clock import clock
from airflow_provider_retell.hooks.reason import missing_connection
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.templated import TemplatedTask
from airflow_provider_retell.waiting.event import (
    check_event,
    end_of_wait,
    execution_deadline,
    timeout_error,
    trigger_timeout,
)
from airflow_provider_retell.waiting.poll_failures import PollFailures
from airflow_provider_retell.waiting.wait_log import Progress

if TYPE_CHECKING:
    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.waits import Condition, Poll
    from airflow_provider_retell.triggers.base import PollTrigger


class RetellSensor(TemplatedTask, BaseSensorOperator):
    """Base class of the sensors. ``poke_interval``, ``timeout``, ``mode`` and ``soft_fail`` are Airflow's own.

    :param retell_conn_id: the Airflow connection of type ``retell`` (templated). Default: ``retell_default``.
    :param deferrable: True to wait in the triggerer, without a worker slot. Default: Airflow's
        ``[operators] default_deferrable``. ``mode`` has no effect then.
    :param max_poll_failures: the number of consecutive polls that may fail; one more failure ends the wait. Rate
        limiting does not count. A permanent error ends the wait at once. With ``mode="reschedule"``, each poll is a
        process of its own and cannot count earlier failures: there, failures end the wait only with 0. Default: 10.
    """

    template_fields: Sequence[str] = ("retell_conn_id",)
    ui_color = "#e8ecff"

    def __init__(
        self,
        *,
        retell_conn_id: str = "retell_default",
        deferrable: bool | None = None,
        max_poll_failures: int = 10,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        checks.flag(deferrable=deferrable)
        checks.whole_number("max_poll_failures", max_poll_failures, 0)
        self.retell_conn_id = retell_conn_id
        self.deferrable = default_deferrable() if deferrable is None else deferrable
        self.max_poll_failures = max_poll_failures
        self._execution_deadline: float | None = None

    @abstractmethod
    def condition(self) -> Condition:
        """Return the condition to wait for, made of the rendered parameters.

        :raises RetellInputError: if a parameter is invalid.
        """

    @abstractmethod
    def trigger_class(self) -> type[PollTrigger]:
        """Return the trigger for this condition."""

    def execute(self, context: Context) -> Any:
        """Wait in the worker, or poll once and leave the rest of the wait to the triggerer."""
        with self._airflow_errors():
            started = first_poke(context) if self.reschedule and not self.deferrable else None
            self._progress = self._new_progress(clock().time() if started is None else started)
            self._execution_deadline = execution_deadline(clock().time(), self.execution_timeout)
            if started is None:
                self._progress.start()
            if self.deferrable:
                return self._poll_or_defer()
            try:
                return super().execute(context)
            except AirflowSensorTimeout as error:
                message = f"{error} Waited for {self.condition()}. {self._progress.last_state()}"
                raise AirflowSensorTimeout(message) from error

    def execute_complete(
        self,
        context: Context,
        event: Mapping[str, Any] | None = None,
        deadline: float | None = None,
        failures: int = 0,
        execution_deadline: float | None = None,
    ) -> Any:
        """Continue after the triggerer's wait: poll for the result, because the condition may hold no longer."""
        with self._airflow_errors():
            event = check_event(event)
            if deadline is None:
                deadline = event["state"]["deadline"]
            self._execution_deadline = execution_deadline
            self._failures = PollFailures(
                self._failure_limit, failures, polled_before=True, retell_conn_id=self.retell_conn_id
            )
            self._progress = self._new_progress(deadline - self._timeout_seconds)
            return self._poll_or_defer()

    def poke(self, context: Context) -> PokeReturnValue:
        """Poll Retell once."""
        with self._airflow_errors():
            poll = self._poll()
            if poll is not None and poll.done:
                return PokeReturnValue(True, poll.result)
        waited = clock().time() - self._progress.started
        if not self.reschedule and waited > self._timeout_seconds:
            # Airflow's own check, which follows, knows real time only.
            raise AirflowSensorTimeout(
                f"Sensor has timed out; run duration of {waited} seconds exceeds the specified timeout of "
                f"{self.timeout}."
            )
        return PokeReturnValue(False)

    def _get_next_poke_interval(self, *args: Any, **kwargs: Any) -> float:
        """Sleep until the next poll, because Airflow would sleep in real time, and leave no time to sleep."""
        seconds: float = super()._get_next_poke_interval(*args, **kwargs)
        if self.reschedule:
            return seconds
        clock().sleep(seconds)
        return 0

    def _poll(self) -> Poll | None:
        """Return the result of one poll, or None if it failed and the wait continues."""
        from airflow_provider_retell.hooks.retell import RetellHook
        from airflow_provider_retell.hooks.shared import POLL_RETRY

        condition = self.condition()
        try:
            # Each poll has its own hook. One that still pauses because of rate limiting could miss the timeout.
            with RetellHook(self.retell_conn_id, retry=POLL_RETRY) as hook:
                poll = hook.run(condition.poll())
        except Exception as error:
            self._failures.check(error, condition)
            self._progress.failed(error)
            return None
        self._failures.reset()
        self._progress.polled(poll)
        return poll

    def _poll_or_defer(self) -> Any:
        poll = self._poll()
        if poll is None or not poll.done:
            self._defer()
        return poll.result

    def _defer(self) -> NoReturn:
        deadline = self._progress.deadline
        end, at_execution_timeout = end_of_wait(deadline, self._execution_deadline)
        left = end - clock().time()
        if left <= 0:
            raise timeout_error(self._progress.timeout_message(), at_execution_timeout)
        trigger = self.trigger_class().waiting_for(
            self.condition(),
            retell_conn_id=self.retell_conn_id,
            poll_interval=checks.in_seconds("poke_interval", self.poke_interval),
            deadline=deadline,
            execution_deadline=self._execution_deadline,
            max_poll_failures=self._failure_limit,
            started=self._progress.started,
            exponential_backoff=self.exponential_backoff,
            max_wait=self.max_wait,
            # `airflow dags test` passes the event to the method, but not the keyword arguments.
            state={"deadline": deadline},
        )
        self.defer(
            trigger=trigger,
            method_name="execute_complete",
            kwargs={
                "deadline": deadline,
                "failures": self._failures.count,
                "execution_deadline": self._execution_deadline,
            },
            timeout=trigger_timeout(left),
        )

    @functools.cached_property
    def _failures(self) -> PollFailures:
        return PollFailures(
            self._failure_limit, polled_before=self.silent_fail, retell_conn_id=self.retell_conn_id
        )

    @property
    def _failure_limit(self) -> int | None:
        return None if self.silent_fail else self.max_poll_failures

    @functools.cached_property
    def _progress(self) -> Progress:
        return self._new_progress(clock().time())

    def _new_progress(self, started: float) -> Progress:
        return Progress(
            self.condition(),
            deadline=started + self._timeout_seconds,
            poll_interval=checks.in_seconds("poke_interval", self.poke_interval),
            started=started,
        )

    @property
    def _timeout_seconds(self) -> float:
        return checks.in_seconds("timeout", self.timeout)

    @contextmanager
    def _airflow_errors(self) -> Iterator[None]:
        """Raise Airflow's exceptions in place of this package's, so that a wait ends the same way in every mode."""
        try:
            yield
        except RetellError as error:
            timed_out = isinstance(error, WaitTimeoutError)
            if self.never_fail or (self.soft_fail and (timed_out or error.permanent)):
                raise AirflowSkipException(str(error)) from error
            if timed_out:
                raise AirflowSensorTimeout(str(error)) from error
            if error.permanent:
                raise AirflowFailException(str(error)) from error
            raise
        except AirflowNotFoundException as error:
            if self.never_fail or self.soft_fail:
                raise AirflowSkipException(missing_connection(error)) from error
            raise AirflowFailException(missing_connection(error)) from error
        except Exception as error:
            # Without deferrable, Airflow's own loop does this.
            if self.never_fail and self.deferrable:
                raise AirflowSkipException(str(error)) from error
            raise
