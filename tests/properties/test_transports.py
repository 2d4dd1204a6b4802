"""Both hooks against a server that sends arbitrary responses."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
import strategies
import tasks
from hypothesis import example, given
from hypothesis import strategies as st
from raw_server import RawServer, raw_server

from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.hooks.retell import RetellAsyncHook, RetellHook

SECRET = "pr1vate"
CALL = json.dumps({"call_id": "call_1", "call_status": "ended"}).encode()

latin = st.text(st.characters(max_codepoint=255), max_size=12)
status_lines = st.one_of(
    st.integers(100, 599).map(lambda status: f"HTTP/1.1 {status} X"),
    st.sampled_from(
        ["HTTP/1.1 200 OK"] * 4 + ["HTTP/1.0 200", "HTTP/1.1 200", "HTTP/2 200", "", "ICY 200 OK"]
    ),
    latin,
)
values = st.one_of(
    latin,
    st.integers(-1, 10**12).map(str),
    st.sampled_from(
        ["application/json", "gzip", "br", "identity", "chunked", "close", "keep-alive", "9" * 5000]
    ),
)
headers = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "Content-Type",
                "Content-Encoding",
                "Content-Length",
                "Transfer-Encoding",
                "Connection",
                "Location",
                "Set-Cookie",
                "Retry-After",
                "RateLimit-Remaining",
                "RateLimit-Reset",
                "x-should-retry",
                "WWW-Authenticate",
                "Trailer",
            ]
        )
        | latin,
        values,
    ),
    max_size=5,
)
contents = st.one_of(
    st.just(CALL),
    st.binary(max_size=40),
    strategies.server_values.map(lambda value: json.dumps(value).encode()),
    strategies.server_values.map(lambda value: json.dumps({"message": value}).encode()),
    st.sampled_from([b"[" * 5000, b'{"message": "' + SECRET.encode() + b" \\n" + SECRET.encode() + b'"}']),
)
codings = st.sampled_from(
    [
        bytes,
        gzip.compress,
        zlib.compress,
        lambda body: b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body),
        lambda body: b"%x\r\n%s\r\n" % (len(body) + 5, body),
    ]
)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[RawServer]:
    with raw_server() as server:
        tasks.connect(monkeypatch, server.url, api_key="key_x", timeout=0.3)
        yield server


@pytest.fixture(params=["blocking", "async"])
def update(request: pytest.FixtureRequest, server: RawServer) -> Iterator[Any]:
    """A function that sends an update once with a hook that was not used before."""
    limits, metadata = RetryLimits(attempts=1), {"note": f"{SECRET}\n{SECRET}"}
    loop = asyncio.new_event_loop()

    async def send() -> Any:
        async with RetellAsyncHook(retry=limits) as hook:
            return await hook.update_call("call_1", metadata=metadata)

    def send_blocking() -> Any:
        with RetellHook(retry=limits) as hook:
            return hook.update_call("call_1", metadata=metadata)

    yield send_blocking if request.param == "blocking" else lambda: loop.run_until_complete(send())
    loop.close()


@given(status_lines, headers, contents, codings, st.lists(st.integers(0, 300), max_size=2))
@example("HTTP/1.1 302 X", [("Location", "\xff://[")], b"", bytes, [])
@example("HTTP/1.1 200 X", [("Transfer-Encoding", "chunked")], b"-5\r\nabc", bytes, [])
@example("HTTP/1.1 500 X", [], b"[" * 5000, bytes, [])
@example("HTTP/1.1 200 X", [("RateLimit-Remaining", "9" * 5000)], CALL, bytes, [])
@example("HTTP/1.1 200 X", [("Content-Type", "text/\x1b" + SECRET)], b"no", bytes, [])
def test_every_response_ends_with_a_call_or_an_error_of_this_package(
    server: RawServer,
    update: Any,
    status_line: str,
    headers: Any,
    content: bytes,
    coding: Any,
    cuts: list[int],
) -> None:
    lines = [status_line, *(f"{name}: {value}" for name, value in headers)]
    response = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + coding(content)
    cuts = sorted(cuts)

    def respond(connection: Any) -> None:
        for start, end in zip([0, *cuts], [*cuts, len(response)], strict=True):
            connection.sendall(response[start:end])
            time.sleep(0.001)

    server.respond = respond
    start = time.monotonic()
    try:
        call = update()
    except RetellError as error:
        message = str(error)
        assert SECRET not in message
        assert message.isprintable()
        assert len(message) < 2000
    else:
        assert call.call_id == "call_1"
    assert time.monotonic() - start < 10
