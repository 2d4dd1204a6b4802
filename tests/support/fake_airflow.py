"""A small fake of Airflow's REST API."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from airflow_provider_retell.clock import clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

ASSET = "retell_calls"


class FakeAirflow(http.server.ThreadingHTTPServer):
    """The parts of the REST API for assets and their events, as of Airflow 3.3.

    :ivar assets: the assets' names by id.
    :ivar events: the stored events.
    :ivar seen: method and path of each request.
    :ivar matches: the number of stored events that each read of events has asked for.
    :ivar tokens: the valid tokens.
    :ivar answers: methods and statuses. The next request with such a method gets that status, once each.
    :ivar after: called with the method after each request for events, before the response is sent.
    :ivar mixed: the number of later pages that come in the wrong order.
    :ivar garbage: True to respond with HTML, as a proxy does.
    """

    daemon_threads = True

    def __init__(self) -> None:
        self.assets = {7: "other_retell_calls", 8: ASSET}
        self.events: list[dict[str, Any]] = []
        self.seen: list[tuple[str, str]] = []
        self.matches: list[int] = []
        self.tokens = {"token_1"}
        self.answers: list[tuple[str, int]] = []
        self.after: Callable[[str], None] = lambda _method: None
        self.mixed = 0
        self.garbage = False
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Otherwise each response takes 40 ms: its body waits for the client to acknowledge the headers.
            disable_nagle_algorithm = True

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
                    self.send_header("Content-Type", "text/html" if outer.garbage else "application/json")
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
            token = f"token_{len(self.seen)}"
            # Other tokens remain valid.
            self.tokens.add(token)
            return 201, {"access_token": token}
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return 401, {}
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/api/v2/assets":
            return self.page(
                "assets",
                [{"id": i, "name": name} for i, name in self.assets.items() if query["name_pattern"] in name],
                query,
            )
        if url.path != "/api/v2/assets/events":
            return 404, {}
        if request.command == "POST":
            made = json.loads(body)
            if made["asset_id"] not in self.assets:
                return 404, {}
            return 200, self.add(made["extra"] | {"from_rest_api": True}, made["asset_id"])
        since = datetime.fromisoformat(query.get("timestamp_gte", "1970-01-01T00:00:00+00:00")).timestamp()
        found = [e for e in self.events if e["asset_id"] == int(query["asset_id"]) and e["at"] >= since]
        self.matches.append(len(found))
        descending = query["order_by"].startswith("-")
        if self.mixed and query["offset"] != "0":
            self.mixed -= 1
            descending = not descending
        return self.page("asset_events", sorted(found, key=lambda e: e["at"], reverse=descending), query)

    def page(self, kind: str, found: list[Any], query: dict[str, str]) -> tuple[int, Any]:
        offset, limit = int(query["offset"]), min(int(query["limit"]), 100)
        return 200, {kind: found[offset : offset + limit], "total_entries": len(found)}

    def add(self, extra: dict[str, Any], asset_id: int = 8, ago: float = 0) -> dict[str, Any]:
        event = {"id": len(self.events), "asset_id": asset_id, "extra": extra, "at": clock().time() - ago}
        event["timestamp"] = (
            datetime.fromtimestamp(event["at"], timezone.utc).isoformat().replace("+00:00", "Z")
        )
        self.events.append(event)
        return event

    def handle_error(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def fake_airflow(patch: pytest.MonkeyPatch) -> Iterator[FakeAirflow]:
    """Serve the API, and define the connection ``airflow_api`` to it."""
    server = FakeAirflow()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    connection = {"conn_type": "http", "host": server.url, "login": "bot", "password": "password_of_bot"}
    patch.setenv("AIRFLOW_CONN_AIRFLOW_API", json.dumps(connection))
    yield server
    server.shutdown()
    server.server_close()
