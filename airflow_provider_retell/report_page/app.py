"""The ASGI app that serves the files of the report page. The files contain no data."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

_STATIC = Path(__file__).parent / "static"
_TYPES = {
    ".html": b"text/html; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
}
# The path may or may not start with the mount's prefix, depending on the server's version and on proxies. The prefix
# can contain "/report" itself.
_PATH = re.compile(r"/report(?:/([a-z]+\.[a-z]+))?\Z")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-cache"),
]


def is_page(scope: dict[str, Any]) -> bool:
    """Return True if a request is for the page or one of its files."""
    return scope["type"] == "http" and _file_name(scope["path"]) is not None


def _file_name(path: str) -> str | None:
    found = _PATH.search(path)
    return (found[1] or "report.html") if found else None


class ReportPage:
    """An ASGI app for ``GET .../report``: a page that reads a task's result with the reader's own session.

    The page asks Airflow's REST API for the XComs of the task, so Airflow decides who sees them.
    """

    def __init__(self) -> None:
        self._files = {path.name: (_TYPES[path.suffix], path.read_bytes()) for path in _STATIC.iterdir()}

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """Handle one ASGI request."""
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        status, content_type, body = 404, b"text/plain; charset=utf-8", b"Not found\n"
        file = self._files.get(_file_name(scope["path"]) or "")
        if file is not None:
            status, content_type, body = 200, *file
            if scope["method"] not in ("GET", "HEAD"):
                status, content_type, body = 405, b"text/plain; charset=utf-8", b"Only GET is allowed\n"
        headers = [
            (b"content-type", content_type),
            (b"content-length", str(len(body)).encode()),
            *_HEADERS,
            *([(b"allow", b"GET, HEAD")] if status == 405 else []),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
