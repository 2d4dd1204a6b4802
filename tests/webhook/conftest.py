"""The webhook receiver in a real ASGI server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from fake_airflow import ASSET
from signed_events import KEY
from webhook_client import WebhookClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fake_airflow import FakeAirflow

CHAT_ASSET = "retell_chats"


@pytest.fixture
def airflow_api(airflow_api: FakeAirflow, monkeypatch: pytest.MonkeyPatch) -> FakeAirflow:
    """The REST API with an asset for chats, and the connection ``retell_key`` with the key that signs events."""
    airflow_api.assets[9] = CHAT_ASSET
    monkeypatch.setenv("AIRFLOW_CONN_RETELL_KEY", json.dumps({"conn_type": "retell", "password": KEY}))
    return airflow_api


class Receiver(WebhookClient):
    """The receiver below a path, served by uvicorn.

    :param mount: the path. Airflow uses ``/retell``.
    """

    def __init__(self, mount: str = "/retell") -> None:
        import uvicorn
        from starlette.applications import Starlette
        from starlette.routing import Mount

        from airflow_provider_retell.webhook.app import WebhookApp
        from airflow_provider_retell.webhook.events import AirflowEvents

        calls, chats = AirflowEvents(ASSET, "airflow_api"), AirflowEvents(CHAT_ASSET, "airflow_api")
        events = {"call_ended": calls, "call_analyzed": calls, "chat_ended": chats, "chat_analyzed": chats}
        self.app = WebhookApp(events, "retell_key")
        self.socket = socket.create_server(("127.0.0.1", 0))
        super().__init__(self.socket.getsockname()[1])
        app = Starlette(routes=[Mount(mount, self.app)])
        self.server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        deadline = time.monotonic() + 20
        while not self.server.started:
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            asyncio.run(self.serve())

    async def serve(self) -> None:
        loop, serving = asyncio.get_running_loop(), asyncio.current_task()
        assert serving is not None
        self.cancel = lambda: loop.call_soon_threadsafe(serving.cancel)
        try:
            await self.server.serve(sockets=[self.socket])
        finally:
            # Uvicorn's own shutdown takes 0.2 s.
            for server in self.server.servers:
                server.close()
            for connection in list(self.server.server_state.connections):
                connection.shutdown()
            await asyncio.sleep(0)

    def stop(self) -> None:
        self.cancel()
        self.thread.join(20)
        assert not self.thread.is_alive()


@pytest.fixture
def start(airflow_api: FakeAirflow) -> Iterator[Callable[..., Receiver]]:
    """Start receivers that share no state, as in separate processes."""
    pytest.importorskip("uvicorn", reason="comes with Airflow 3")
    running: list[Receiver] = []

    def go(**arguments: Any) -> Receiver:
        running.append(Receiver(**arguments))
        return running[-1]

    yield go
    for receiver in running:
        receiver.stop()


@pytest.fixture
def receiver(start: Callable[..., Receiver]) -> Receiver:
    return start()
