"""Start and stop."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from airflow_provider_retell.emulator import Emulator

if TYPE_CHECKING:
    from tests.emulator.conftest import Send


def test_stop_leaves_no_thread_and_no_socket_behind(send: Send) -> None:
    before = set(threading.enumerate())
    with Emulator() as emulator:
        address = urlsplit(emulator.url)
        assert address.hostname == "127.0.0.1"
        send(emulator, "GET", "/get-concurrency")
        with pytest.raises(RuntimeError, match="already"):
            emulator.start()
    assert set(threading.enumerate()) == before
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((address.hostname, address.port), timeout=1)
    with pytest.raises(RuntimeError, match="not running"):
        _ = emulator.url
    emulator.stop()


def test_a_stopped_emulator_starts_again_with_its_state() -> None:
    emulator = Emulator()
    for _ in range(2):
        with emulator:
            emulator.add_call()
    assert len(emulator.calls) == 2


def test_start_raises_if_the_port_is_in_use() -> None:
    with Emulator() as emulator:
        before = set(threading.enumerate())
        taken = Emulator(port=urlsplit(emulator.url).port or 0)
        with pytest.raises(OSError, match="in use"):
            taken.start()
        assert set(threading.enumerate()) == before


def test_the_repr_has_the_url_but_not_the_key() -> None:
    emulator = Emulator(api_key="key_secret")
    assert repr(emulator) == "<Emulator not running>"
    with emulator:
        assert repr(emulator) == f"<Emulator {emulator.url}>"
    assert "key_secret" not in repr(emulator.options)
