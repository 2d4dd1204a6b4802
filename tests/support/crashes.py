"""Faults and crashes in the first try of a task that must send its request at most once."""

from __future__ import annotations

import os
import select
import signal
from typing import TYPE_CHECKING, Any

import urllib3.connection

from airflow_provider_retell.clock import Clock
from airflow_provider_retell.emulator import Fault
from airflow_provider_retell.hooks import requests_transport
from airflow_provider_retell.hooks.retell import RetellHook
from airflow_provider_retell.operators.base import WaitingOperator

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


def killed(step: str, task: Callable[[], Any]) -> None:
    """Run *task* in a forked process, as Airflow does, and kill the process at *step*.

    :param step: ``"before"`` the request, when Retell has ``"acted"``, when the response is ``"received"``, when the
        operator starts to ``"wait"``, or ``"waiting"``.
    """
    pid = os.fork()
    if pid == 0:
        try:
            _arm(step)
            task()
        finally:
            os._exit(3)  # the process survived
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), f"the process exited with {os.waitstatus_to_exitcode(status)}"
    assert os.WTERMSIG(status) == signal.SIGKILL


def _arm(step: str) -> None:
    send = RetellHook.send

    def send_and_die(*arguments: Any) -> None:
        send(*arguments)
        _die()

    if step == "before":
        requests_transport.exchange = _die
    elif step == "acted":
        urllib3.connection.HTTPConnection.getresponse = _die_when_readable
    elif step == "received":
        RetellHook.send = send_and_die
    elif step == "wait":
        WaitingOperator.wait_for_call = _die
    elif step == "waiting":
        Clock.sleep = _die
    else:
        raise ValueError(step)


def _die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_when_readable(connection: Any) -> None:
    select.select([connection.sock], [], [], 20)
    _die()
