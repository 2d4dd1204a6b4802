"""Airflow's REST API in miniature, and the receiver behind a real ASGI server."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import http.client
import http.server
import json
import socket
import threading
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = "key_webhook"
ASSET = "retell_calls"


class FakeAirflow(http.server.ThreadingHTTPServer):
    """As much of the REST API as the receiver uses, as Airflow 3.3 answers it."""

    daemon_threads = True

    def __init__(self) -> None:
        self.assets = {7: "other_retell_calls", 8: ASSET}
        self.events: list[dict[str, Any]] = []
        self.seen: list[tuple[str, str]] = []
        self.tokens = {"token_1"}
        self.answers: list[tuple[str, int]] = []  # (method, status) that come instead, once each
        self.after: Callable[[str], None] = lambda _method: None  # what happens once a request has acted
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def respond(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                url = urlsplit(self.path)
                with outer.lock:
                    outer.seen.append((self.command, url.path))
                    given = next((a for a in outer.answers if a[0] == self.command), None)
                    if given:
                        outer.answers.remove(given)
                    status, value = (given[1], {}) if given else outer.answer(self, url, body)
                if url.path == "/api/v2/assets/events":
                    outer.after(self.command)
                content = json.dumps(value).encode()
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    if status in (301, 302, 307):
                        self.send_header("Location", "/elsewhere")
                    self.send_header("Content-Length", str(len(content)))
                    self.send_header("Content-Type", "application/json")
                    self.end_headers()
                    self.wfile.write(content)

            do_GET = do_POST = respond  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def answer(self, request: Any, url: Any, body: bytes) -> tuple[int, Any]:
        if url.path == "/auth/token":
            if json.loads(body) != {"username": "bot", "password": "password_of_bot"}:
                return 401, {}
            self.tokens = {f"token_{len(self.seen)}"}
            return 201, {"access_token": next(iter(self.tokens))}
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return 401, {}
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/api/v2/assets":
            assets = [
                {"id": i, "name": name} for i, name in self.assets.items() if query["name_pattern"] in name
            ]
            return 200, {"assets": assets, "total_entries": len(assets)}
        if url.path != "/api/v2/assets/events":
            return 404, {}
        if request.command == "POST":
            made = json.loads(body)
            if made["asset_id"] not in self.assets:
                return 404, {}
            return 200, self.add(made["extra"] | {"from_rest_api": True}, made["asset_id"])
        since = datetime.fromisoformat(query["timestamp_gte"])
        found = [
            e for e in self.events if e["asset_id"] == int(query["asset_id"]) and e["at"] >= since.timestamp()
        ]
        offset = int(query["offset"])
        page = found[offset : offset + min(int(query["limit"]), 100)]
        return 200, {"asset_events": page, "total_entries": len(found)}

    def add(self, extra: dict[str, Any], asset_id: int = 8, ago: float = 0) -> dict[str, Any]:
        event = {"id": len(self.events), "asset_id": asset_id, "extra": extra, "at": time.time() - ago}
        event["timestamp"] = datetime.fromtimestamp(event["at"], timezone.utc).isoformat()
        self.events.append(event)
        return event

    def handle_error(self, *_: Any) -> None:
        pass


@pytest.fixture
def airflow_api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAirflow]:
    server = FakeAirflow()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    connection = {"conn_type": "http", "host": server.url, "login": "bot", "password": "password_of_bot"}
    monkeypatch.setenv("AIRFLOW_CONN_AIRFLOW_API", json.dumps(connection))
    monkeypatch.setenv("AIRFLOW_CONN_RETELL_KEY", json.dumps({"conn_type": "retell", "password": KEY}))
    yield server
    server.shutdown()
    server.server_close()


class Receiver:
    """The receiver, mounted at /retell as Airflow mounts it, served by uvicorn on loopback."""

    def __init__(self, mount: str = "/retell", **arguments: Any) -> None:
        import uvicorn
        from starlette.applications import Starlette
        from starlette.routing import Mount

        from airflow_provider_retell.webhook.app import WebhookApp
        from airflow_provider_retell.webhook.events import AirflowEvents

        wanted = frozenset({"call_ended", "call_analyzed"})
        self.app = WebhookApp(AirflowEvents(ASSET, "airflow_api"), "retell_key", wanted, **arguments)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        app = Starlette(routes=[Mount(mount, self.app)])
        self.server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        deadline = time.monotonic() + 20
        while not self.server.started:
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def run(self) -> None:
        asyncio.run(self.server.serve(sockets=[self.socket]))

    def stop(self) -> None:
        self.server.should_exit = self.server.force_exit = True
        self.thread.join(20)
        assert not self.thread.is_alive()

    def request(self, method: str, path: str, body: Any = b"", headers: Any = ()) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.putrequest(method, path)
            given = list(headers.items() if isinstance(headers, dict) else headers)
            if not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in given):
                given.append(("Content-Length", str(len(body))))
            for name, value in given:
                connection.putheader(name, value)
            connection.endheaders()
            with contextlib.suppress(OSError):  # it may answer before it has all
                connection.send(body)
            answer = connection.getresponse()
            assert answer.read() == b""
            return answer.status
        finally:
            connection.close()

    def post(self, body: bytes, key: str = KEY, seconds: float = 0, **headers: str) -> int:
        """Send a signed event."""
        return self.request(
            "POST", "/retell/webhook", body, {**headers, "X-Retell-Signature": sign(body, key, seconds)}
        )


@pytest.fixture
def start(airflow_api: FakeAirflow) -> Iterator[Callable[..., Receiver]]:
    """Start receivers, each with a memory of its own as in processes of their own."""
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


def sign(body: bytes, key: str = KEY, seconds: float = 0) -> str:
    moment = int((time.time() + seconds) * 1000)
    return f"v={moment},d={hmac.new(key.encode(), body + str(moment).encode(), hashlib.sha256).hexdigest()}"


def make_event(call_id: str = "call_1", event: str = "call_ended", **fields: Any) -> bytes:
    call = {"call_id": call_id, "call_status": "ended", "call_type": "phone_call", **fields}
    return json.dumps({"event": event, "call": call}).encode()


@pytest.fixture(name="sign")
def sign_fixture() -> Callable[..., str]:
    return sign


@pytest.fixture(name="make_event")
def make_event_fixture() -> Callable[..., bytes]:
    return make_event
