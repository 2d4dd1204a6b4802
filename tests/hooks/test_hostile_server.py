"""Servers that break the rules of HTTP, or send too much or too slowly."""

from __future__ import annotations

import asyncio
import functools
import gzip
import json
import logging
import threading
import time
import traceback
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from raw_server import RawServer, raw_server

from airflow_provider_retell.api.errors import (
    RetellConnectionError,
    RetellError,
    RetellResponseError,
    RetellStatusError,
    RetellTimeoutError,
    ServerError,
)
from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.hooks import response_body
from airflow_provider_retell.hooks.aiohttp_transport import _Protocol

CALL = json.dumps({"call_id": "call_1", "call_status": "ended", "transcript": "x" * 1000}).encode()
MB = 1024 * 1024


def head(status: str = "200 OK", **headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [
        f"HTTP/1.1 {status}",
        *(
            f"{n}: {v}"
            for n, v in {"Content-Type": "application/json", "Connection": "close", **named}.items()
        ),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


@pytest.fixture
def server(connect: Callable[..., None]) -> Iterator[RawServer]:
    """The server of ``retell_default``, whose timeout is 0.2 s."""
    with raw_server() as server:
        connect(server.url, timeout=0.2)
        yield server


@pytest.fixture
def client(make_client: Callable[..., Any], server: RawServer) -> Any:
    """A client that sends each request once."""
    return make_client(retry=RetryLimits(attempts=1))


@pytest.fixture
def small_limits(mocker: Any) -> None:
    """A limit of 1 MB for the body of a successful response."""
    mocker.patch.object(response_body, "MAX_BYTES", MB)


def peak_memory(action: Callable[[], Any]) -> int:
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@functools.cache
def bomb() -> bytes:
    """Return 100 MB of zeros, compressed to 100 kB."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return b"".join([*(compressor.compress(bytes(MB)) for _ in range(100)), compressor.flush()])


ENDLESS: dict[str, Callable[[RawServer, Any], Any]] = {
    "with a length": lambda server, c: (
        c.sendall(head(Content_Length=str(2**40))),
        server.flood(c, b" " * 65536),
    ),
    "without a length": lambda server, c: (c.sendall(head()), server.flood(c, b" " * 65536)),
    "in chunks": lambda server, c: (
        c.sendall(head(Transfer_Encoding="chunked")),
        server.flood(c, chunk(b" " * 65536)),
    ),
    "in one chunk": lambda server, c: (
        c.sendall(head(Transfer_Encoding="chunked") + b"ffffffffff\r\n"),
        server.flood(c, b" " * 65536),
    ),
    "compressed": lambda server, c: (
        c.sendall(head(Content_Encoding="gzip")),
        c.sendall(bomb()),
    ),
    "after the compressed end": lambda server, c: (
        c.sendall(head(Content_Encoding="gzip") + gzip.compress(bytes(2 * MB), mtime=0)),
        server.flood(c, b" " * 65536),
    ),
}


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize("name", ENDLESS)
def test_body_above_the_limit_is_not_read(client: Any, server: RawServer, name: str) -> None:
    bomb()  # now, because the client does not wait for long
    server.respond = lambda connection: ENDLESS[name](server, connection)

    def get() -> None:
        with pytest.raises(
            RetellResponseError, match="Retell answered 200, but the body is larger than 1 MB"
        ) as caught:
            client.get_call("call_1")
        assert not caught.value.permanent

    client.hook  # noqa: B018 - opens it
    assert peak_memory(get) < 8 * MB
    # The buffers of the sockets hold some of it.
    assert server.sent < 32 * MB
    assert server.requests == 1


@pytest.mark.parametrize("name", ENDLESS)
def test_of_an_error_response_only_the_beginning_is_read(client: Any, server: RawServer, name: str) -> None:
    def respond(connection: Any) -> None:
        real = connection.sendall

        class Connection:
            def sendall(self, data: bytes) -> None:
                real(data.replace(b"200 OK", b"500 Oops", 1))

        ENDLESS[name](server, Connection())

    bomb()
    server.respond = respond

    def get() -> None:
        with pytest.raises(ServerError, match="Retell answered 500"):
            client.get_call("call_1")

    client.hook  # noqa: B018 - opens it
    assert peak_memory(get) < 8 * MB
    assert server.sent < 32 * MB


def test_redirect_with_an_endless_body_and_a_bad_address_is_a_status(client: Any, server: RawServer) -> None:
    def respond(connection: Any) -> None:
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: \xff://[\r\n\r\n")
        server.flood(connection, b" " * 65536)

    server.respond = respond
    with pytest.raises(RetellStatusError, match="Redirects are never followed"):
        client.get_call("call_1")
    assert server.sent < 32 * MB


def test_body_of_the_largest_size_is_read(client: Any, server: RawServer, mocker: Any) -> None:
    mocker.patch.object(response_body, "MAX_BYTES", len(CALL))
    for encoded, headers in ((CALL, {}), (gzip.compress(CALL, mtime=0), {"Content_Encoding": "gzip"})):
        answer = head(Content_Length=str(len(encoded)), **headers) + encoded
        server.respond = lambda connection, answer=answer: connection.sendall(answer)
        assert len(client.get_call("call_1").transcript) == 1000


SLOW: dict[str, Callable[[RawServer, Any], Any]] = {
    "status line": lambda server, c: server.drip(c, b"HTTP/1.1 200 OK" + b" " * 5000),
    "headers": lambda server, c: (c.sendall(head()[:-2]), server.drip(c, b"X-A: " + b"a" * 5000)),
    "interim responses": lambda server, c: server.drip(c, b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body": lambda server, c: (c.sendall(head(Content_Length="100000")), server.drip(c, b" ")),
    "chunk": lambda server, c: (
        c.sendall(head(Transfer_Encoding="chunked") + b"ffff\r\n"),
        server.drip(c, b" "),
    ),
    "size of a chunk": lambda server, c: (c.sendall(head(Transfer_Encoding="chunked")), server.drip(c, b"0")),
    "chunks": lambda server, c: (c.sendall(head(Transfer_Encoding="chunked")), server.drip(c, chunk(b" "))),
    "error body": lambda server, c: (
        c.sendall(head("500 Oops", Content_Length="100000")),
        server.drip(c, b" "),
    ),
    "compressed body": lambda server, c: (
        c.sendall(head(Content_Encoding="gzip", Content_Length="100000")),
        server.drip(c, gzip.compress(b"", mtime=0)[:10] + b"\0\0\0\xff\xff" * 5000),
    ),
}


@pytest.mark.parametrize("name", SLOW)
def test_response_that_arrives_byte_by_byte_ends_with_a_timeout(
    client: Any, server: RawServer, mocker: Any, name: str
) -> None:
    mocker.patch.object(response_body, "MAX_TIMEOUTS", 3)
    server.respond = lambda connection: SLOW[name](server, connection)
    start = time.monotonic()
    with pytest.raises(RetellTimeoutError, match=r"is not complete after 0\.6 s") as caught:
        client.get_call("call_1")
    assert 0.6 <= time.monotonic() - start < 10
    assert caught.value.kind == "timeout"
    assert not caught.value.not_processed


def test_time_limit_of_a_response_does_not_apply_to_the_next_one() -> None:
    async def next_response() -> Any:
        protocol = _Protocol(-1.0, asyncio.get_running_loop())
        # The limit has passed at once. The next response arrives before its request is sent completely.
        protocol.start_timeout()
        protocol.set_response_params()
        protocol.data_received(head("413 Too Large", Content_Length="0"))
        return (await protocol.read())[0]

    assert asyncio.run(next_response()).code == 413


def test_large_body_that_the_server_does_not_read_ends_with_a_timeout(
    client: Any, server: RawServer, connect: Callable[..., None], mocker: Any
) -> None:
    mocker.patch.object(response_body, "MAX_TIMEOUTS", 3)
    connect(server.url, timeout=0.2, connect_timeout=0.5)
    stopped = threading.Event()
    server.respond = lambda _connection: stopped.wait(10)
    tasks = [{"to_number": "+14155550100", "metadata": {"note": "x" * 40_000}}] * 250
    start = time.monotonic()
    with pytest.raises(RetellTimeoutError):
        client.create_batch_call("+14155550123", tasks)
    assert time.monotonic() - start < 5
    stopped.set()


DAMAGED = {
    "cut": gzip.compress(CALL, mtime=0)[:-9],
    "flipped": gzip.compress(CALL, mtime=0)[:20] + b"\0\0\0\0" + gzip.compress(CALL, mtime=0)[24:],
    "not compressed": CALL,
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_compressed_body_counts_as_a_lost_connection(
    make_client: Callable[..., Any], server: RawServer, sleeps: list[float], name: str
) -> None:
    answer = head(Content_Encoding="gzip", Content_Length=str(len(DAMAGED[name]))) + DAMAGED[name]
    server.respond = lambda connection: connection.sendall(answer)
    with pytest.raises(RetellConnectionError, match="Gave up after 3 attempts") as caught:
        make_client(retry=RetryLimits(attempts=3)).get_call("call_1")
    assert caught.value.kind == "dropped"
    assert server.requests == 3


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip", "x" * 1000])
def test_encoding_that_was_not_requested_is_an_error(client: Any, server: RawServer, encoding: str) -> None:
    server.respond = lambda connection: connection.sendall(
        head(Content_Encoding=encoding) + gzip.compress(CALL, mtime=0)
    )
    with pytest.raises(RetellResponseError, match="has a Content-Encoding that the request does not accept"):
        client.get_call("call_1")
    assert server.requests == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\r\n",
        b"no http\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"HTTP/1.1 -1 OK\r\n\r\n",
        b"HTTP/1.1 200 " + b"a" * 100_000 + b"\r\n\r\n",
        head()[:-2] + b"X-Long: " + b"a" * 100_000 + b"\r\n\r\n",
        head()[:-2] + b"X-Many: a\r\n" * 10_000 + b"\r\n",
        head()[:-2] + b"no colon\r\n\r\n",
        head()[:-2] + b"\xff\xfe: \x00\r\n\r\n",
        head(Content_Length="-5") + CALL,
        head(Content_Length="9" * 5000) + CALL,
        head(Content_Length="5, 6") + CALL,
        head(Transfer_Encoding="chunked") + b"xyz\r\n",
        head(Transfer_Encoding="chunked") + b"-5\r\nabc",
        head(Transfer_Encoding="chunked") + b"f" * 5000 + b"\r\nabc",
        head(Transfer_Encoding="gzip, chunked") + chunk(gzip.compress(CALL, mtime=0)) + b"0\r\n\r\n",
        head(Set_Cookie="=;" * 1000 + "\xff") + CALL,
        head() + b"[" * 100_000,
        head() + b"9" * 100_000,
        head() + b'{"call_id": "\x00"}',
        head() + CALL.decode().encode("utf-16"),
        head("204 No Content"),
        head("101 Switching Protocols"),
        head("401 No", WWW_Authenticate="Digest \xff" * 100),
        head("407 No", Proxy_Authenticate="Digest"),
        head("417 No"),
        head("429 No", Retry_After="9" * 5000, RateLimit_Remaining="9" * 5000, RateLimit_Reset="9" * 5000),
    ],
)
def test_broken_response_ends_with_an_error_of_this_package(
    client: Any, server: RawServer, answer: bytes
) -> None:
    server.respond = lambda connection: connection.sendall(answer)
    try:
        call = client.get_call("call_1")
    except RetellError as error:
        message = str(error)
    else:
        assert call.call_id == "call_1"
        return
    assert message.isprintable()
    assert len(message) < 1500


SECRET = "zebra-transcript"
QUOTED = f'{{"call_id": "call_1", "transcript": "{SECRET}"}}'.encode()
LEAKY: dict[str, bytes] = {
    "size of a chunk": head(Transfer_Encoding="chunked") + QUOTED,
    "status line": QUOTED + b"\r\n\r\n",
    "status": b"HTTP/1.1 9z9 " + QUOTED + b"\r\n\r\n",
    "header": head()[:-2] + QUOTED.replace(b":", b"") + b"\r\nContent-Length: 2\r\n\r\n{}",
    "length": head(Content_Length=QUOTED.decode()) + QUOTED,
    "long header": head()[:-2] + b"X-Long: " + QUOTED * 3000 + b"\r\n\r\n",
    "cookie": head(Set_Cookie=f"{SECRET}[]()=1; path=/, {SECRET}@") + b"{}",
}


@pytest.mark.parametrize("name", LEAKY)
def test_neither_messages_nor_logs_quote_a_broken_response(
    make_client: Callable[..., Any],
    server: RawServer,
    caplog: pytest.LogCaptureFixture,
    sleeps: list[float],
    name: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    server.respond = lambda connection: connection.sendall(LEAKY[name])
    with pytest.raises(RetellError) as caught:
        make_client(retry=RetryLimits(attempts=2)).get_call("call_1")
    shown = "".join(traceback.format_exception(caught.type, caught.value, caught.tb))
    assert SECRET not in f"{shown}{caught.value.fault}"
    assert SECRET not in caplog.text


@pytest.mark.parametrize("status", [b"HTTP/1.1 407 ", b""])
def test_message_about_a_proxy_has_its_status_alone(
    client: Any,
    server: RawServer,
    connect: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    status: bytes,
) -> None:
    server.respond = lambda connection: connection.sendall(status + QUOTED + b"\r\n\r\n")
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    connect("https://retell.test")
    with pytest.raises(RetellConnectionError) as caught:
        client.get_call("call_1")
    assert SECRET not in str(caught.value)
    assert ("Tunnel connection failed: 407. " in str(caught.value)) is bool(status)
