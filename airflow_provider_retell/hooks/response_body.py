"""Read the body of a response within a limit.

A broken proxy, or another server behind the host of the Airflow connection, could send a body without an end, or one
that is compressed to a thousandth of its size. Both transports pass on the bytes as they arrive, and stop at the limit.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping

MAX_BYTES = 128 * 1024 * 1024
"""The limit for the body of a successful response, decompressed. A page of 1,000 calls with 50 kB of metadata each, and
as much in other fields, has 100 MB."""

MAX_ERROR_BYTES = 64 * 1024
"""How much of the body of an error response is read. It has only a message."""

MAX_TIMEOUTS = 10
"""A response must be complete within this many times the connection's ``timeout``."""

CHUNK = 64 * 1024
"""How many bytes to read at once."""

ACCEPT_ENCODING = "gzip"
"""The value of the request header. Decompressors of other encodings cannot limit the size of their output."""


def time_limit(timeout: float) -> float:
    """Return the seconds within which a response must be complete.

    :param timeout: the connection's ``timeout``. It starts again with every byte, so a server that sends a byte per
        second could hold a task for days.
    """
    return timeout * MAX_TIMEOUTS


class SlowResponseError(TimeoutError):
    """The response is not complete in time, although bytes keep arriving."""


class DamagedBodyError(Exception):
    """The compressed body is damaged or incomplete."""


class BodyReader:
    """Collects a body from the bytes of a response.

    :ivar fault: the reason why the body cannot be read, or ``""``.
    """

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        self._limit = MAX_BYTES if 200 <= status < 300 else MAX_ERROR_BYTES
        self._body = bytearray()
        encoding = headers.get("Content-Encoding", "").strip().lower()
        self._gzip = zlib.decompressobj(zlib.MAX_WBITS | 16) if encoding in ("gzip", "x-gzip") else None
        self._is_empty = True
        self.fault = ""
        if self._gzip is None and encoding not in ("", "identity"):
            self.fault = "has a Content-Encoding that the request does not accept"

    def feed(self, data: bytes) -> bool:
        """Add bytes as they arrived; return False if the rest of the response must not be read.

        :raises DamagedBodyError: if the bytes cannot be decompressed.
        """
        if self.fault or (self._gzip is not None and self._gzip.eof):
            return False
        self._is_empty = self._is_empty and not data
        # One byte more than the limit shows that the body is too large.
        most = self._limit + 1 - len(self._body)
        try:
            self._body += data[:most] if self._gzip is None else self._gzip.decompress(data, most)
        except zlib.error as error:
            raise DamagedBodyError("the compressed body is damaged") from error
        if len(self._body) > self._limit:
            del self._body[self._limit :]
            self.fault = f"is larger than {self._limit / 1024**2:.3g} MB"
        return not self.fault

    def end(self) -> bytes:
        """Return the body.

        :raises DamagedBodyError: if its end is missing.
        """
        if self._gzip is not None and not (self._gzip.eof or self._is_empty or self.fault):
            raise DamagedBodyError("the compressed body has no end")
        return bytes(self._body)
