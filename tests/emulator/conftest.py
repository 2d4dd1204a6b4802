"""Emulators to test, the vendor's SDK as their client, and requests that the SDK cannot send."""

from __future__ import annotations

import contextlib
import http.client
import inspect
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from retell import Retell
from retell.resources.call import CallResource

from airflow_provider_retell.emulator import Clock, Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

# A project of its own, which test_whole_dags.py runs.
collect_ignore = ["whole_dags"]


class Reply(NamedTuple):
    """A response, with its headers by lower-case name."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Send = Callable[..., Reply]
Connect = Callable[..., Retell]
Make = Callable[..., Emulator]


def _send(
    emulator: Emulator,
    method: str,
    path: str,
    body: Any = None,
    *,
    key: str | None = "",
    headers: dict[str, str] | None = None,
) -> Reply:
    """Send a request that the SDK cannot send: *body* may be bytes, and no key is sent if *key* is None."""
    address = urlsplit(emulator.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)
    head = dict(headers or {})
    if key is not None:
        head["Authorization"] = f"Bearer {key or emulator.api_key}"
    payload = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    try:
        connection.request(method, path, payload, head)
        response = connection.getresponse()
        return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


@pytest.fixture
def send() -> Send:
    return _send


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Return clients of the vendor's SDK that never retry, and close them."""
    with contextlib.ExitStack() as clients:

        def connect(emulator: Emulator, key: str | None = None) -> Retell:
            client = Retell(api_key=key or emulator.api_key, base_url=emulator.url, max_retries=0, timeout=5)
            return clients.enter_context(client)

        yield connect


@pytest.fixture
def make() -> Iterator[Make]:
    """Start emulators, with a frozen clock and without quotas unless the options differ."""
    started: list[Emulator] = []

    def start(**options: Any) -> Emulator:
        emulator = Emulator(**{"clock": Clock(frozen=True), "quotas": None, **options})
        started.append(emulator.start())
        return emulator

    yield start
    for emulator in started:
        emulator.stop()


@pytest.fixture
def emulator(make: Make) -> Emulator:
    return make(custom_attributes=("attr_tier", "attr_score"))


@pytest.fixture
def v3_sdk() -> None:
    """Skip the test if the SDK is older than /v3/list-calls."""
    if "/v3/list-calls" not in inspect.getsource(CallResource.list):
        pytest.skip("this SDK lists calls by an endpoint that Retell has removed")


@pytest.fixture
def client(emulator: Emulator, connect: Connect) -> Retell:
    return connect(emulator)
