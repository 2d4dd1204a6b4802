"""The requests of the contract for the files of calls."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
from raw_server import raw_server

from airflow_provider_retell.contract.files import first_byte
from airflow_provider_retell.contract.findings import CannotTellError

if TYPE_CHECKING:
    from pathlib import Path

WORD = "zebra"


def test_only_the_headers_are_read_and_redirects_are_not_followed() -> None:
    with raw_server() as server:
        head = (
            b"HTTP/1.1 302 Found\r\nLocation: "
            + server.url.encode()
            + b"/other\r\nContent-Length: 1000\r\n\r\n"
        )
        server.respond = lambda connection: connection.sendall(head)
        response = first_byte(f"{server.url}/{WORD}")
        assert (response.status, response.body, server.requests) == (302, b"", 1)


def test_no_password_is_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with socket.create_server(("127.0.0.1", 0)) as server:
        received: list[bytes] = []

        def respond() -> None:
            connection, _ = server.accept()
            with connection:
                received.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-0/9\r\n\r\n")

        thread = threading.Thread(target=respond)
        thread.start()
        response = first_byte(f"http://127.0.0.1:{server.getsockname()[1]}/a")
        thread.join()
    assert (response.status, response.headers["Content-Range"]) == (206, "bytes 0-0/9")
    assert b"authorization" not in received[0].lower()
    assert b"Range: bytes=0-0" in received[0]


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        (f"http://{WORD}.example.com/a", "the link is not an https URL"),
        (f"file:///{WORD}", "the link is not an https URL"),
        (f"http://127.0.0.1:1/{WORD}", "no response from the host of the file"),
    ],
)
def test_a_link_that_leads_nowhere_is_not_shown(link: Any, reason: str) -> None:
    with pytest.raises(CannotTellError, match=reason) as error:
        first_byte(link)
    assert WORD not in str(error.value)
    assert error.value.__cause__ is None
