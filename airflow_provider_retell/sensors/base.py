"""Sensors: wait for a call, for the calls of a batch, or for room to place more.

All are deferrable: with ``deferrable=True`` (or ``[operators] default_deferrable``) the wait costs no worker slot.
``poke_interval`` and ``timeout``, in seconds, are those of every Airflow sensor.
"""

from __future__ import annotations

import functools
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    default_deferrable,
)
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.checks import in_seconds
from airflow_provider_retell.waiting.event import trigger_timeout

if TYPE_CHECKING:
    from airflow_provider_retell.api.waits import Condition
    from airflow_provider_retell.hooks.retell import RetellHook
    from airflow_provider_retell.triggers.base import PollTrigger
    from airflow_provider_retell.waiting.poll_failures import PollFailures


class RetellSensor(BaseSensorOperator):
    """Base of the sensors.

    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    :param deferrable: True to wait in the triggerer; what Airflow is configured to if not given.
    :param max_poll_failures: how many looks in a row may fail, in the triggerer or in the worker; one more ends the
        wait in an error. Being throttled is no failure, and what trying again cannot mend ends the wait at once. With
        ``mode="reschedule"``, each look is a process of its own that knows of no other: there failures are lived
        through until ``timeout``, unless this is 0.
    """

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
        self.retell_conn_id = retell_conn_id
        checks.flag(deferrable=deferrable)
        checks.whole_number("max_poll_failures", max_poll_failures, 0)
        self.deferrable = default_deferrable() if deferrable is None else deferrable
        self.max_poll_failures = max_poll_failures

    @functools.cached_property
    def hook(self) -> RetellHook:
        """The hook of one look."""
        from airflow_provider_retell.hooks.retell import RetellHook
        from airflow_provider_retell.hooks.shared import POLL_RETRY

        return RetellHook(self.retell_conn_id, retry=POLL_RETRY)

    @functools.cached_property
    def _tolerance(self) -> PollFailures:
        from airflow_provider_retell.waiting.poll_failures import PollFailures

        return PollFailures(self.max_poll_failures)

    @abstractmethod
    def condition(self) -> Condition:
        """Return the condition to wait for."""

    @abstractmethod
    def trigger(self, **common: Any) -> PollTrigger:
        """Return the trigger that waits for the same thing."""

    def poke(self, context: Any) -> PokeReturnValue:
        """Ask Retell once, for Airflow's own way of waiting."""
        from airflow_provider_retell.waiting.poll_failures import is_permanent

        with self._judging():
            try:
                poll = self.hook.run(self.condition().poll())
            except Exception as error:
                if is_permanent(error):
                    raise
                self._tolerance.check(error, self.condition())
                return PokeReturnValue(False)
            self._tolerance.reset()
        return PokeReturnValue(poll.done, poll.result if poll.done else None)

    def execute(self, context: Any) -> Any:
        """Wait in the worker, or look once and leave the rest to the triggerer."""
        with self._judging():
            if not self.deferrable:
                return super().execute(context)
            return self._look_or_defer(context, time.time() + in_seconds("timeout", self.timeout))

    def execute_complete(
        self, context: Any, event: Mapping[str, Any] | None = None, deadline: float = 0, failures: int = 0
    ) -> Any:
        """Take the trigger's event and look at Retell once more: for what to return, and whether it is still so."""
        from airflow_provider_retell.waiting.event import check_event

        with self._judging():
            check_event(event)
            self._tolerance.failures, self._tolerance.polled_before = failures, True
            return self._look_or_defer(context, deadline)

    def _look_or_defer(self, context: Any, deadline: float) -> Any:
        from airflow_provider_retell.api.errors import WaitTimeoutError

        found = self.poke(context)
        if not found.is_done:
            trigger = self._trigger(deadline)
            left = deadline - time.time()
            if left <= 0:
                raise WaitTimeoutError(f"Timed out waiting for {self.condition()}")
            self.defer(
                trigger=trigger,
                method_name="execute_complete",
                kwargs={"deadline": deadline, "failures": self._tolerance.failures},
                timeout=trigger_timeout(left),
            )
        return found.xcom_value

    def _trigger(self, deadline: float) -> PollTrigger:
        return self.trigger(
            retell_conn_id=self.retell_conn_id,
            poll_interval=in_seconds("poke_interval", self.poke_interval),
            deadline=deadline,
            max_poll_failures=self.max_poll_failures,
        )

    @contextmanager
    def _judging(self) -> Iterator[None]:
        """Raise what Airflow knows in place of errors, so that waiting ends alike in every mode."""
        from airflow_provider_retell.api.errors import RetellError, WaitTimeoutError

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
        finally:
            # The next look gets another, that knows of no pause since Retell was throttling: it could miss the timeout.
            if hook := self.__dict__.pop("hook", None):
                hook.close()


def as_whole_number(value: Any, name: str) -> int:
    """Return a rendered number."""
    from airflow_provider_retell.api.errors import RetellInputError

    try:
        return int(value)
    except (TypeError, ValueError):
        raise RetellInputError(f"{name} must be a whole number") from None
