"""An emulator in another process, so that it and the test do not share Python's global interpreter lock."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any


class RemoteEmulator:
    """The control API of an emulator."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, path: str, body: Any = None, method: str | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_emulator/{path}", data, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            request, timeout=60
        ) as response:
            text = response.read()
        return json.loads(text) if text else None

    def add_calls(self, ids: list[str], **fields: Any) -> None:
        self(
            "calls",
            [{"call_id": call_id, "minimal": True, "call_status": "ended", **fields} for call_id in ids],
        )

    def metadata(self) -> dict[str, Any]:
        return {call["call_id"]: call["metadata"] for call in self("calls")}

    def requests(self, route: str | None = None) -> list[dict[str, Any]]:
        return [request for request in self("requests") if route in (None, request["route"])]


@contextlib.contextmanager
def remote_emulator(*arguments: str) -> Iterator[RemoteEmulator]:
    """Run the emulator's command line."""
    command = [sys.executable, "-m", "airflow_provider_retell.emulator", "--port", "0", "--quiet", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield RemoteEmulator(process.stdout.readline().split(" on ")[1].split()[0])
        finally:
            process.kill()
