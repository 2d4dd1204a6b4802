"""The webhook receiver under load, half of it forged: no event is lost or doubled, and the memory stays flat."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fake_airflow import ASSET
from signed_events import make_event, sign
from soak import SECONDS
from webhook_client import WebhookClient

from airflow_provider_retell.api.event_payload import records_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fake_airflow import FakeAirflow

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(
        not Path("/proc/self/statm").exists(), reason="reads the memory of a process in /proc"
    ),
]

ROOT = Path(__file__).parents[2]
EVENTS = ("call_ended", "call_analyzed", "chat_ended", "chat_analyzed")
RATE = 200
# A busy machine reaches less than RATE. With fewer requests than this, the test would prove nothing.
FLOOR = 50
THREADS = 64
# Retell sends an event again up to three times.
ATTEMPTS = 4
# Of each body, as a transcript has. A receiver that kept a few bodies would soon exceed the limit of its memory.
PADDING = "x" * 50_000


def memory_limit(events: int) -> float:
    """Return the bytes by which the memory may grow while *events* are created.

    The receiver reads the events of the last minute, and knows the ids of the newest 10,000 events. A long run has both
    in its warm-up, and then only the heap may spread. One body in a hundred would be 40 MB in a run of ten minutes.
    """
    return min(12e6, 2e6 + 3e3 * events)


class Load:
    """Requests of every kind, half of them forged.

    :param client: returns a client of the receiver.
    :ivar genuine: the ids and names of the events that the receiver has to create.
    :ivar statuses: the number of responses by kind and status.
    :ivar lost: the ids of the calls and chats whose events were not accepted.
    """

    def __init__(self, client: Callable[[], WebhookClient]) -> None:
        self._client = client
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self.genuine: list[tuple[str, str]] = []
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.lost: list[str] = []
        self.forged: tuple[Callable[[bytes], int], ...] = (
            lambda body: self._send(body, {}),
            lambda body: self._send(body, {"X-Retell-Signature": "v=1,d=1"}),
            lambda body: client().post(body, key="key_of_a_stranger"),
            lambda body: client().post(body, seconds=-400),
            lambda body: client().post(body, seconds=400),
            lambda body: self._send(body, {"X-Retell-Signature": sign(body + b" ")}),
            lambda body: self._send(body, [("X-Retell-Signature", sign(body))] * 2),
            lambda body: self._send(body, {"X-Retell-Signature": sign(body)}, path="/retell/other"),
            lambda body: self._send(body, {"X-Retell-Signature": sign(body)}, method="PUT"),
            lambda body: self._send(body * 4, {"X-Retell-Signature": sign(body)}),
        )

    def _send(self, body: bytes, headers: Any, path: str = "/retell/webhook", method: str = "POST") -> int:
        return self._client().request(method, path, body, headers)

    def send(self, index: int) -> None:
        """Send request number *index*: a forged one, then a signed one."""
        number, is_signed = divmod(index, 2)
        kind = (self._new, self._new, self._repeated, self._ignored, self._invalid)[number % 5]
        name, status = kind() if is_signed else ("forged", self._forge(number))
        with self._lock:
            self.statuses[name, status] += 1

    def _forge(self, number: int) -> int:
        # The event is one that a stranger could know.
        record_id, event = (
            self.genuine[-1] if self.genuine and number % 3 else (f"forged_{number}", "call_ended")
        )
        return self.forged[number % len(self.forged)](make_event(record_id, event, transcript=PADDING))

    def _new(self) -> tuple[str, int]:
        number = next(self._numbers)
        event = random.choice(EVENTS)
        record_id = f"{event[:4]}_{number}"
        body = make_event(record_id, event, transcript=PADDING)
        for _ in range(ATTEMPTS):
            status = self._client().post(body)
            if status == 204:
                break
            with self._lock:
                self.statuses["sent again", status] += 1
        else:
            self.lost.append(record_id)
        self.genuine.append((record_id, event))
        return "new", status

    def _repeated(self) -> tuple[str, int]:
        if not self.genuine:
            return self._ignored()
        record_id, event = random.choice(self.genuine[-1000:])
        return "repeated", self._client().post(make_event(record_id, event, transcript=PADDING))

    def _ignored(self) -> tuple[str, int]:
        name = random.choice(["call_started", "chat_started", "call_event_of_a_later_api"])
        return "ignored", self._client().post(make_event(event=name, transcript=PADDING))

    def _invalid(self) -> tuple[str, int]:
        return "invalid", self._client().post(json.dumps({"event": "call_ended", "call": PADDING}).encode())


@contextlib.contextmanager
def receiver_process() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run the receiver in a process of its own, so that its memory is not that of the test."""
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "AIRFLOW__RETELL__WEBHOOK_ENABLED": "True",
        "AIRFLOW__RETELL__WEBHOOK_ASSET": ASSET,
        "AIRFLOW__RETELL__WEBHOOK_CHAT_ASSET": "retell_chats",
        "AIRFLOW__RETELL__WEBHOOK_AIRFLOW_CONN_ID": "airflow_api",
        "AIRFLOW__RETELL__WEBHOOK_RETELL_CONN_ID": "retell_key",
    }
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        fd = listener.fileno()
        command = [sys.executable, str(Path(__file__).with_name("receiver_process.py")), str(fd)]
        output = subprocess.DEVNULL
        with subprocess.Popen(command, env=env, pass_fds=[fd], stdout=output, stderr=output) as process:
            try:
                port = listener.getsockname()[1]
                # Also waits until the process has started.
                assert WebhookClient(port, timeout=60).request("GET", "/retell/webhook") == 401
                yield process, port
            finally:
                process.kill()


def memory(process: subprocess.Popen[bytes]) -> int:
    """Return the resident memory of a process in bytes."""
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_no_event_is_lost_or_doubled_under_load_and_the_memory_stays_flat(airflow_api: FakeAirflow) -> None:
    pytest.importorskip("uvicorn", reason="comes with Airflow 3")
    with receiver_process() as (process, port):
        load = Load(lambda: WebhookClient(port))
        requests, started, samples = int(RATE * SECONDS), time.monotonic(), []

        def send(index: int) -> None:
            time.sleep(max(started + index / RATE - time.monotonic(), 0))
            if index in (requests // 3, requests * 2 // 3):
                samples.append((memory(process), len(load.genuine)))
            load.send(index)

        with ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(send, range(requests)):
                pass
        rate = requests / (time.monotonic() - started)
        samples.append((memory(process), len(load.genuine)))
        assert process.poll() is None
    grown, events = (last - first for first, last in zip(samples[0], samples[-1], strict=True))
    print(  # noqa: T201
        f"{requests} requests at {rate:.0f}/s of {RATE}/s, {len(load.genuine)} events, "
        f"memory {[round(size / 1e6, 1) for size, _ in samples]} MB: {grown / 1e6:+.1f} MB\n{load.statuses}"
    )
    assert load.lost == []
    created = Counter(
        (record_id, event["extra"]["event"])
        for event in airflow_api.events
        for record_id, _ in records_in(event["extra"])
    )
    assert created == dict.fromkeys(load.genuine, 1)
    answers = {kind: {status for name, status in load.statuses if name == kind} for kind, _ in load.statuses}
    answers.pop("sent again", None)
    assert answers == {"forged": {401}, "new": {204}, "repeated": {204}, "ignored": {204}, "invalid": {400}}
    assert grown < memory_limit(events)
    assert rate >= FLOOR
