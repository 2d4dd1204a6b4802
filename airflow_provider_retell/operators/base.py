"""What all operators of this package share."""

from __future__ import annotations

import functools
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import (
    AirflowFailException,
    BaseOperator,
    BaseOperatorLink,
    default_deferrable,
)
from airflow_provider_retell.links.retell import XCOM_KEY, RetellCallLink

if TYPE_CHECKING:
    from airflow_provider_retell.api.calls.models import Call, Until
    from airflow_provider_retell.hooks.retell import RetellHook


def checked_call_id(call_id: Any) -> str:
    """Return a rendered call id, checked."""
    from airflow_provider_retell.api.request import check_id

    # Native rendering makes a number of an id that looks like one.
    return str(check_id(str(call_id) if type(call_id) is int else call_id))


def linked_call_id(context: Any, call_id: Any) -> str:
    """Return a rendered call id, checked, and put the link to the call on the task."""
    checked = checked_call_id(call_id)
    context["ti"].xcom_push(key=XCOM_KEY, value=checked)
    return checked


def check_flags(**flags: object) -> None:
    """Refuse flags that are neither True nor False: they are not templated, and any text would count as true."""
    for name, flag in flags.items():
        if flag is not None and not isinstance(flag, bool):
            raise ValueError(f"{name} is True or False, not {flag!r}; it cannot be a template")


def check_max_poll_failures(value: object) -> None:
    """Refuse a limit that is none."""
    if type(value) is not int or value < 0:
        raise ValueError("max_poll_failures is a whole number, 0 or more")


def in_seconds(value: float | timedelta) -> float:
    """Return a duration as Airflow takes it, a number or a timedelta, in seconds."""
    return value.total_seconds() if isinstance(value, timedelta) else float(value)


def backstop(seconds: float) -> timedelta:
    """Return how long Airflow lets a trigger run: its own deadline says why, this is for a triggerer that is gone."""
    return timedelta(seconds=seconds + 300)


class RetellOperator(BaseOperator):
    """Base of the operators: a hook, the dashboard link, and permanent errors that do not burn retries.

    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    """

    ui_color = "#e8ecff"
    operator_extra_links: Sequence[BaseOperatorLink] = (RetellCallLink(),)

    def __init__(self, *, retell_conn_id: str = "retell_default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.retell_conn_id = retell_conn_id

    @functools.cached_property
    def hook(self) -> RetellHook:
        """The hook of this task; made when the task runs, so that a DAG file does not pay for HTTP libraries."""
        from airflow_provider_retell.hooks.retell import RetellHook

        return RetellHook(self.retell_conn_id)

    def execute(self, context: Any) -> Any:
        """Run the task; a :class:`RetellError` that cannot go away by itself fails it without further retries."""
        with self._running():
            return self.work(context)

    @abstractmethod
    def work(self, context: Any) -> Any:
        """Do what the operator is for."""

    @contextmanager
    def _running(self) -> Iterator[None]:
        from airflow_provider_retell.api.errors import RetellError

        try:
            yield
        except RetellError as error:
            if error.permanent:
                raise AirflowFailException(str(error)) from error
            raise
        finally:
            if "hook" in self.__dict__:
                self.hook.close()


class WaitingOperator(RetellOperator):
    """Base of the operators that may wait for a call before or after what they do.

    :param deferrable: True to wait in the triggerer, without a worker slot; what Airflow is configured to if not
        given.
    :param poll_interval: seconds between two looks at the call, or a timedelta.
    :param wait_timeout: seconds after which waiting ends in an error, or a timedelta.
    :param max_poll_failures: how many looks in a row may fail, in the triggerer or in the worker; one more ends the
        wait in an error. Being throttled is no failure, and what trying again cannot mend ends the wait at once.
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
        check_flags(deferrable=deferrable)
        self.deferrable = default_deferrable() if deferrable is None else deferrable
        self.poll_interval = in_seconds(poll_interval)
        self.wait_timeout = in_seconds(wait_timeout)
        if not self.poll_interval > 0:
            raise ValueError("poll_interval is more than 0")
        if not self.wait_timeout >= 0:
            raise ValueError("wait_timeout is 0 or more")
        check_max_poll_failures(max_poll_failures)
        self.max_poll_failures = max_poll_failures
        self._deadline: float | None = None

    def wait_for(
        self, call_id: str, until: Until, *, stop_on_kill: bool = False, deadline: float | None = None
    ) -> Call:
        """Return the call once it is over (or analyzed); in deferrable mode, leave the worker until then.

        The task then goes on in :meth:`resume`.

        :param deadline: epoch seconds; ``wait_timeout`` from now if not given.
        """
        from airflow_provider_retell.api.errors import WaitTimeoutError
        from airflow_provider_retell.waiting.poll_failures import PollFailures

        deadline = time.time() + self.wait_timeout if deadline is None else deadline
        looked = self._deadline is not None or "hook" in self.__dict__  # by whatever went before the wait
        tolerance = PollFailures(self.max_poll_failures, polled_before=looked)
        while True:
            pause, state = self.poll_interval, "not known"
            try:
                call = self._look_at(call_id)
            except Exception as error:
                tolerance.check(error, f"call {call_id} was to be {until}")
                pause = max(pause, getattr(error, "retry_after", None) or 0)
            else:
                tolerance.reset()
                state = call.call_status
                if call.has_ended if until == "ended" else call.is_analyzed:
                    return call
            left = deadline - time.time()
            if left <= 0:
                raise WaitTimeoutError(f"Timed out: call {call_id} was to be {until}, and is {state}")
            if self.deferrable:
                self._defer(call_id, until, deadline, stop_on_kill)
            time.sleep(min(pause, left))

    def _look_at(self, call_id: str) -> Call:
        from airflow_provider_retell.hooks.retell import RetellHook
        from airflow_provider_retell.hooks.shared import POLL_RETRY

        # A hook of its own: one that is patient, or still pauses since Retell was throttling, may miss the deadline.
        with RetellHook(self.retell_conn_id, retry=POLL_RETRY) as hook:
            return hook.get_call(call_id)

    def _defer(self, call_id: str, until: Until, deadline: float, stop_on_kill: bool) -> None:
        from airflow_provider_retell.triggers.call import CallTrigger

        self.defer(
            trigger=CallTrigger(
                retell_conn_id=self.retell_conn_id,
                call_id=call_id,
                until=until,
                stop_on_kill=stop_on_kill,
                poll_interval=self.poll_interval,
                deadline=deadline,
                max_poll_failures=self.max_poll_failures,
            ),
            method_name="resume",
            kwargs={"deadline": deadline},
            timeout=backstop(deadline - time.time()),
        )

    def resume(
        self, context: Any, event: Mapping[str, Any] | None = None, deadline: float | None = None
    ) -> Any:
        """Go on after the wait, which had until *deadline*."""
        from airflow_provider_retell.waiting.event import check_event

        self._deadline = deadline
        with self._running():
            return self.after_wait(context, checked_call_id(check_event(event).get("call_id")))

    @abstractmethod
    def after_wait(self, context: Any, call_id: str) -> Any:
        """Do what is left when the wait is over."""
