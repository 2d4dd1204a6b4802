"""A server that sends arbitrary bytes."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any


class RawServer:
    """Reads a request, lets *respond* send anything, and closes the connection.

    :ivar respond: called with the socket of each connection.
    :ivar requests: the number of requests.
    :ivar sent: the number of bytes that :meth:`flood` has sent.
    """

    def __init__(self) -> None:
        self.respond: Callable[[socket.socket], Any] = lambda _connection: None
        self.requests = 0
        self.sent = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._stopped = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(10)
            request = b""
            while b"\r\n\r\n" not in request:
                data = connection.recv(65536)
                if not data:
                    return
                request += data
            self.requests += 1
            self.respond(connection)
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def flood(self, connection: socket.socket, data: bytes, limit: int = 2**31) -> None:
        """Send *data* again and again until the client closes the connection, or *limit* bytes are sent."""
        while self.sent < limit:
            connection.sendall(data)
            self.sent += len(data)

    def drip(self, connection: socket.socket, data: bytes, seconds: float = 0.02) -> None:
        """Send *data* byte by byte, again and again, until the client closes the connection."""
        while not self._stopped.is_set():
            for number in range(len(data)):
                connection.sendall(data[number : number + 1])
                if self._stopped.wait(seconds):
                    return

    def close(self) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@contextlib.contextmanager
def raw_server() -> Iterator[RawServer]:
    """Run a server until the block ends."""
    server = RawServer()
    try:
        yield server
    finally:
        server.close()
