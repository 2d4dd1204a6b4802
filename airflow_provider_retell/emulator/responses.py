"""HTTP responses: the value that endpoints return, and the errors in Retell's format."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json

JSON_TYPE = "application/json; charset=utf-8"
TEXT_TYPE = "text/html; charset=utf-8"

_encode = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(slots=True)
class Response:
    """A complete HTTP response: status code, body bytes, content type and additional headers."""

    status: int
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)


class ApiError(Exception):
    """An error in Retell's documented format: a status code and a message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def response(self) -> Response:
        """Return the error as Retell sends it: ``{"status": "error", "message": ...}``."""
        return json_response(self.status, {"status": "error", "message": self.message})


def json_response(status: int, value: Any) -> Response:
    """Return a response with *value* as its JSON body."""
    # Encoding is half of the emulator's work, and pydantic_core is three times as fast as json.
    try:
        body = to_json(value)
    except ValueError:
        # json handles the rest: unpaired surrogates, which it escapes, and deep nesting.
        body = _encode(value).encode("ascii")
    return Response(status, body)


def text_response(status: int, text: str) -> Response:
    """Return plain text labeled as HTML, as web frameworks send their own errors."""
    return Response(status, text.encode("utf-8", "replace"), TEXT_TYPE)
