"""Sensors: wait for a call, for the calls of a batch, or for room to place more.

All are deferrable: with ``deferrable=True`` (or ``[operators] default_deferrable``) the wait costs no worker slot.
``poke_interval`` and ``timeout``, in seconds, are those of every Airflow sensor.
"""

from __future__ import annotations

import functools
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseOperatorLink,
    BaseSensorOperator,
    PokeReturnValue,
    default_deferrable,
)
from airflow_provider_retell.links.retell import RetellCallLink
from airflow_provider_retell.operators.base import (
    backstop,
    check_flags,
    check_max_poll_failures,
    checked_call_id,
    in_seconds,
    linked_call_id,
)

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell.hooks.retell import RetellHook
    from airflow_provider_retell.triggers.call import Until
    from airflow_provider_retell.triggers.poll import PollTrigger
    from airflow_provider_retell.triggers.tolerance import Tolerance

__all__ = ["BatchCallSensor", "CallSensor", "ConcurrencySensor"]


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
        check_flags(deferrable=deferrable)
        check_max_poll_failures(max_poll_failures)
        self.deferrable = default_deferrable() if deferrable is None else deferrable
        self.max_poll_failures = max_poll_failures

    @functools.cached_property
    def hook(self) -> RetellHook:
        """The hook of one look."""
        from airflow_provider_retell.hooks.retell import RetellHook
        from airflow_provider_retell.hooks.shared import POLL_PATIENCE

        return RetellHook(self.retell_conn_id, patience=POLL_PATIENCE)

    @functools.cached_property
    def _tolerance(self) -> Tolerance:
        from airflow_provider_retell.triggers.tolerance import Tolerance

        return Tolerance(self.max_poll_failures)

    @abstractmethod
    def look(self) -> tuple[bool, dict[str, Any]]:
        """Ask Retell once: whether the wait is over, and what the task then returns."""

    @abstractmethod
    def trigger(self, **common: Any) -> PollTrigger:
        """Return the trigger that waits for the same thing."""

    def poke(self, context: Any) -> PokeReturnValue:
        """Ask Retell once, for Airflow's own way of waiting."""
        from airflow_provider_retell.triggers.tolerance import is_permanent

        with self._judging():
            try:
                done, result = self.look()
            except Exception as error:
                if is_permanent(error):
                    raise
                self._tolerance.check(error, self._trigger(0).waits_for())
                return PokeReturnValue(False)
            self._tolerance.reset()
        return PokeReturnValue(done, result if done else None)

    def execute(self, context: Any) -> Any:
        """Wait in the worker, or look once and leave the rest to the triggerer."""
        with self._judging():
            if not self.deferrable:
                return super().execute(context)
            return self._look_or_defer(context, time.time() + in_seconds(self.timeout))

    def execute_complete(
        self, context: Any, event: Mapping[str, Any] | None = None, deadline: float = 0, failures: int = 0
    ) -> Any:
        """Take the trigger's event and look at Retell once more: for what to return, and whether it is still so."""
        from airflow_provider_retell.triggers.event import check_event

        with self._judging():
            check_event(event)
            self._tolerance.failures, self._tolerance.looked = failures, True
            return self._look_or_defer(context, deadline)

    def _look_or_defer(self, context: Any, deadline: float) -> Any:
        from airflow_provider_retell.api.errors import WaitTimeoutError

        found = self.poke(context)
        if not found.is_done:
            trigger = self._trigger(deadline)
            left = deadline - time.time()
            if left <= 0:
                raise WaitTimeoutError(f"Timed out: {trigger.waits_for()}")
            self.defer(
                trigger=trigger,
                method_name="execute_complete",
                kwargs={"deadline": deadline, "failures": self._tolerance.failures},
                timeout=backstop(left),
            )
        return found.xcom_value

    def _trigger(self, deadline: float) -> PollTrigger:
        return self.trigger(
            retell_conn_id=self.retell_conn_id,
            poll_interval=in_seconds(self.poke_interval),
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


class CallSensor(RetellSensor):
    """Wait until a call has ended, or until its analysis is there; returns the call's slim form.

    :param call_id: the call (templated).
    :param until: ``"ended"``: whether anybody answered or not; ``"analyzed"``: ``call_analysis`` is there, some
        seconds to minutes later.
    """

    template_fields: Sequence[str] = ("call_id", "retell_conn_id")
    operator_extra_links: Sequence[BaseOperatorLink] = (RetellCallLink(),)

    def __init__(self, *, call_id: str | XComArg, until: Until = "ended", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if until not in ("ended", "analyzed"):
            raise ValueError(f"until is 'ended' or 'analyzed', not {until!r}")
        self.call_id = call_id
        self.until: Until = until

    def execute(self, context: Any) -> Any:
        """Wait; the link to the call stands on the task from the start."""
        with self._judging():
            linked_call_id(context, self.call_id)
        return super().execute(context)

    def look(self) -> tuple[bool, dict[str, Any]]:
        """Read the call."""
        call = self.hook.get_call(checked_call_id(self.call_id))
        return (call.has_ended if self.until == "ended" else call.is_analyzed), call.slim()

    def trigger(self, **common: Any) -> PollTrigger:
        """Return the trigger that waits for the call."""
        from airflow_provider_retell.triggers.call import CallTrigger

        return CallTrigger(call_id=checked_call_id(self.call_id), until=self.until, **common)


class BatchCallSensor(RetellSensor):
    """Wait until all calls of a batch have ended, whether anybody answered or not.

    A task of the batch that never becomes a call (a number that Retell refuses) is waited for until ``timeout``.

    :param batch_call_id: the batch (templated).
    :param total: how many calls it has: ``total_task_count`` of what CreateBatchCallOperator returned (templated).
    """

    template_fields: Sequence[str] = ("batch_call_id", "total", "retell_conn_id")

    def __init__(self, *, batch_call_id: str | XComArg, total: int | str | XComArg, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.batch_call_id: Any = batch_call_id  # an XComArg is its value by the time it is used
        self.total: Any = total

    def look(self) -> tuple[bool, dict[str, Any]]:
        """Count the calls that have ended."""
        from airflow_provider_retell.api.batch import ended_calls
        from airflow_provider_retell.api.errors import RetellInputError

        total = _whole(self.total, "total")
        if total < 1:
            raise RetellInputError("total must be 1 or more: a batch has at least one call")
        ended = self.hook.run(ended_calls(self.batch_call_id))
        return ended >= total, {"batch_call_id": self.batch_call_id, "ended": ended}

    def trigger(self, **common: Any) -> PollTrigger:
        """Return the trigger that waits for the batch."""
        from airflow_provider_retell.triggers.call import BatchCallTrigger

        return BatchCallTrigger(batch_call_id=self.batch_call_id, total=int(self.total), **common)


class ConcurrencySensor(RetellSensor):
    """Wait until the organization has room for more calls; returns how much room there is.

    Somebody else may take the room before you do: a gate, not a reservation. More calls than the organization may
    have at all fail the task at once.

    :param calls: for how many (templated).
    """

    template_fields: Sequence[str] = ("calls", "retell_conn_id")

    def __init__(self, *, calls: int | str | XComArg = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.calls: Any = calls

    def look(self) -> tuple[bool, dict[str, Any]]:
        """Ask for the room."""
        from airflow_provider_retell.api.room import room_for

        calls = _whole(self.calls, "calls")
        room = self.hook.run(room_for(calls))
        return room >= calls, {"room": room}

    def trigger(self, **common: Any) -> PollTrigger:
        """Return the trigger that waits for room."""
        from airflow_provider_retell.triggers.call import ConcurrencyTrigger

        return ConcurrencyTrigger(calls=int(self.calls), **common)


def _whole(value: Any, name: str) -> int:
    """Return a rendered number."""
    from airflow_provider_retell.api.errors import RetellInputError

    try:
        return int(value)
    except (TypeError, ValueError):
        raise RetellInputError(f"{name} must be a whole number") from None
