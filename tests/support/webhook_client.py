"""A client of the webhook receiver."""

from __future__ import annotations

import contextlib
import http.client
from typing import Any

from signed_events import KEY, sign


class WebhookClient:
    """Sends requests to the receiver at a port of this machine.

    :param timeout: the limit in seconds for each step of a request.
    :ivar result: the result in the header of the last response.
    """

    def __init__(self, port: int, timeout: float = 20) -> None:
        self.port = port
        self.timeout = timeout
        self.result: str | None = None

    def request(self, method: str, path: str, body: Any = b"", headers: Any = ()) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        try:
            connection.putrequest(method, path)
            given = list(headers.items() if isinstance(headers, dict) else headers)
            if not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in given):
                given.append(("Content-Length", str(len(body))))
            for name, value in given:
                connection.putheader(name, value)
            connection.endheaders()
            with contextlib.suppress(OSError):  # the receiver may respond before it has the whole body
                connection.send(body)
            response = connection.getresponse()
            assert response.read() == b""
            self.result = response.headers.get("X-Retell-Result")
            # Senders without a valid signature learn nothing.
            assert response.status != 401 or self.result is None
            return response.status
        finally:
            connection.close()

    def post(self, body: bytes, key: str = KEY, seconds: float = 0, **headers: str) -> int:
        """Send a signed event, and return the status."""
        return self.request(
            "POST", "/retell/webhook", body, {**headers, "X-Retell-Signature": sign(body, key, seconds)}
        )
