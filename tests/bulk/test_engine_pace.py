"""The quota and the number of requests of runs, with the emulator in another process."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from remote_emulator import RemoteEmulator, remote_emulator

pytestmark = pytest.mark.slow

ROWS = 300
PER_SECOND = 100


@contextmanager
def limited_emulator(connect: Any) -> Iterator[RemoteEmulator]:
    with remote_emulator("--quota", f"general={PER_SECOND}/1", "--quota", "list=15/1") as remote:
        connect(remote.url)
        remote.add_calls([f"call_{n}" for n in range(ROWS)])
        remote.add_calls(["of_another"])
        yield remote


def changed_rows() -> list[dict[str, Any]]:
    return [{"call_id": f"call_{n}", "n": n} for n in range(ROWS)]


def all_written(remote: RemoteEmulator) -> bool:
    metadata = remote.metadata()
    return all(metadata[f"call_{n}"] == {"n": n} for n in range(ROWS))


def test_a_run_keeps_to_the_quota(connect: Any, run: Any) -> None:
    with limited_emulator(connect) as remote:
        task = run(rows=changed_rows(), quota=f"{PER_SECOND}/1")
        task.check(rows=ROWS)
        assert task.counts == {"updated": ROWS}
        assert all_written(remote)
        assert {request["status"] for request in remote.requests("update-call")} == {200}
        assert len(remote.requests()) == ROWS + 1


def test_no_row_is_lost_if_another_client_uses_half_of_the_quota(connect: Any, run: Any) -> None:
    with limited_emulator(connect) as remote:
        with other_client(remote):
            task = run(rows=changed_rows(), quota=f"{PER_SECOND}/1")
        task.check(rows=ROWS)
        assert task.counts == {"updated": ROWS}
        assert all_written(remote)
        ours = [r["status"] for r in remote.requests("update-call") if r["ids"]["call_id"] != "of_another"]
        assert set(ours) <= {200, 429}
        assert ours.count(200) == ROWS


@contextmanager
def other_client(remote: RemoteEmulator) -> Iterator[None]:
    """Use half of the quota: 50 requests per second, at even intervals."""
    stop = threading.Event()

    def send() -> None:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        headers = {"Authorization": "Bearer key_emulator", "Content-Type": "application/json"}
        body = json.dumps({"metadata": {"other": True}}).encode()
        while not stop.wait(1 / (PER_SECOND / 2)):
            request = urllib.request.Request(
                f"{remote.url}/v2/update-call/of_another", body, headers, method="PATCH"
            )
            try:
                opener.open(request, timeout=5).close()
            except OSError:  # 429
                continue

    client = threading.Thread(target=send)
    client.start()
    try:
        yield
    finally:
        stop.set()
        client.join()
