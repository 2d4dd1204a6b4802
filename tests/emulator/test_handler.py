"""Requests that are not well-formed HTTP or too large."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.conftest import Send


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_gets_413(emulator: Emulator, chunked: bool, send: Send) -> None:
    emulator.add_call(call_id="call_1")
    address = urlsplit(emulator.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {10**10}"
        connection.sendall(f"PATCH /v2/update-call/call_1 HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n".encode())
        piece = b"%x\r\n%b\r\n" % (1 << 20, b"x" * (1 << 20))
        try:
            for _ in range(12 if chunked else 0):
                connection.sendall(piece)
            assert b" 413 " in connection.recv(100)
        except ConnectionError:
            # The emulator refused the request and closed the connection before the whole body was sent.
            pass
    assert send(emulator, "GET", "/v2/get-call/call_1").status == 200


def test_bytes_that_are_not_http_get_400(emulator: Emulator, send: Send) -> None:
    address = urlsplit(emulator.url)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert b"400" in connection.recv(100)
    assert send(emulator, "GET", "/get-concurrency").status == 200


@pytest.mark.parametrize("method", ["HEAD", "TRACE", "PUT", "OPTIONS"])
def test_an_unexpected_method_does_not_disturb_the_server(
    emulator: Emulator, method: str, send: Send
) -> None:
    assert send(emulator, method, "/v2/get-call/call_1").status == 404
    assert send(emulator, "GET", "/get-concurrency").status == 200
