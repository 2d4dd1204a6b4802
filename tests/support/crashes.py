"""Faults and crashes in the first try of a task that must send its request at most once."""

from __future__ import annotations

import itertools
import os
import select
import signal
from typing import TYPE_CHECKING, Any

import pytest
import urllib3.connection

from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.clock import Clock
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.hooks import requests_transport
from airflow_provider_retell.hooks.retell import RetellHook
from airflow_provider_retell.operators.base import DeferrableOperator

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR = 3600
LATER = {"within the hour": HOUR - 1, "after the hour": HOUR + 1}

# The fault in the first try, and the number of calls that are placed by then.
FAULTS: dict[str, tuple[Fault, int]] = {
    "connection lost before Retell acted": (Fault.drop(), 0),
    "connection lost after Retell acted": (Fault.drop_after(), 1),
    "429 with `Retry-After`": (Fault.status(429, headers={"Retry-After": "0.2"}), 0),
    "429 without `Retry-After`": (Fault.status(429), 0),
    "500": (Fault.status(500), 0),
    "response truncated": (Fault.truncate(), 1),
    "timeout, Retell did not act": (Fault.hang(), 0),
    "timeout, Retell acted later": (Fault.slow(0.7), 1),
}


def timeouts(fault: Fault) -> dict[str, float]:
    """Return the connection's extra fields for a test of *fault*: a short timeout only if the test waits for it."""
    return {"timeout": 0.4} if fault.kind in ("hang", "slow") else {}


def without_retries(operator: Any) -> Any:
    """Let the first fault end the try of *operator*."""
    operator.__dict__["hook"] = RetellHook(retry=RetryLimits(attempts=1))
    return operator


@pytest.fixture
def hasty(emulator: Emulator, connect: Any, fault: str) -> Emulator:
    """An emulator behind a connection whose timeout suits the test's fault."""
    connect(emulator, **timeouts(FAULTS[fault][0]))
    return emulator


def in_child(task: Callable[[], Any], prepare: Callable[[], Any] = lambda: None) -> int:
    """Run *task* in a forked process, as Airflow does, and return the status of the process: 0 if the task succeeds.

    :param prepare: called in the process before the task, to kill the process at some point.
    """
    pid = os.fork()
    if pid == 0:
        try:
            prepare()
            task()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1]


def killed(step: str, task: Callable[[], Any], operation: str | None = None, nth: int = 1) -> None:
    """Run *task* in a forked process, and kill the process at *step*.

    :param step: ``"before"`` an attempt of the request, when Retell has ``"acted"``, ``"after"`` the attempt, when the
        hook has ``"received"`` the response, when the operator starts to ``"wait"``, or ``"waiting"``.
    :param operation: the kind of request that the steps before the wait refer to. Default: any.
    :param nth: its number, from 1.
    """
    assert in_child(task, lambda: arm(step, operation, nth)) == signal.SIGKILL


def killed_at_request(number: int, when: str, task: Callable[[], Any]) -> None:
    """Run *task* in a forked process, and kill the process at its request *number*, from 1.

    :param when: ``"before"`` the request is sent, or ``"after"`` its response was received.
    """
    killed(when, task, nth=number)


def arm(step: str, operation: str | None = None, nth: int = 1) -> None:
    """Let this process kill itself at a step; see :func:`killed`."""
    send, exchange = RetellHook.send, requests_transport.exchange
    number = itertools.count(1)

    def is_meant(request: Any) -> bool:
        return operation in (None, request.operation) and next(number) == nth

    def exchange_or_die(session: Any, settings: Any, request: Any) -> Any:
        meant = is_meant(request)
        if meant and step == "before":
            die()
        if meant and step == "acted":
            urllib3.connection.HTTPConnection.getresponse = _die_when_readable
        outcome = exchange(session, settings, request)
        if meant:
            die()
        return outcome

    def send_and_die(hook: Any, request: Any) -> Any:
        result = send(hook, request)
        if is_meant(request):
            die()
        return result

    if step in ("before", "acted", "after"):
        requests_transport.exchange = exchange_or_die
    elif step == "received":
        RetellHook.send = send_and_die
    elif step == "wait":
        DeferrableOperator.wait_for = die
    elif step == "waiting":
        Clock.sleep = die
    else:
        raise ValueError(step)


def die(*_: Any, **__: Any) -> None:
    """Kill this process."""
    os.kill(os.getpid(), signal.SIGKILL)


def _die_when_readable(connection: Any) -> None:
    select.select([connection.sock], [], [], 20)
    die()
