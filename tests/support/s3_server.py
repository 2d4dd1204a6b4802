"""A server of the S3 protocol, for tests. It needs ``moto[server]``."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.core.base_backend import BackendDict
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import make_server

Refusal = tuple[int, str]
"""The status and the code of an error."""

_ERROR = "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{}</Code><Message>refused</Message></Error>"


class S3Server:
    """The server, until the end of the ``with`` block.

    Like S3, and unlike moto alone, it refuses a body that breaks off.

    :ivar requests: the method, the path and the query of each request.
    :ivar refuse: returns an error for the method and the path of a request, or None.
    """

    def __init__(self) -> None:
        self._app: Any = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._respond, threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.requests: list[tuple[str, str, str]] = []
        self.refuse: Callable[[str, str], Refusal | None] = lambda _method, _path: None

    @property
    def url(self) -> str:
        """The URL of the server."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def reset(self, *buckets: str) -> None:
        """Delete all buckets, create *buckets*, and forget the requests."""
        self._backend.reset()
        for bucket in buckets:
            self._backend.create_bucket(bucket, "us-east-1")
        self.requests.clear()
        self.refuse = lambda _method, _path: None

    @property
    def _backend(self) -> Any:
        backends: BackendDict[Any] = s3_backends
        return backends["123456789012"]["aws"]

    @property
    def buckets(self) -> list[str]:
        """The names of all buckets."""
        return sorted(self._backend.buckets)

    def objects(self, bucket: str = "bucket") -> dict[str, bytes]:
        """Return the content of all objects."""
        return {name: key.value for name, key in self._backend.buckets[bucket].keys.items()}

    def uploads(self, bucket: str = "bucket") -> int:
        """Return the number of uploads in parts that have not ended."""
        return len(self._backend.buckets[bucket].multiparts)

    def count(self, method: str) -> int:
        """Return the number of requests with *method*."""
        return sum(name == method for name, _path, _query in self.requests)

    def _respond(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        self.requests.append((method, path, environ["QUERY_STRING"]))
        length = int(environ.get("CONTENT_LENGTH") or 0)
        content = environ["wsgi.input"].read(length) if length else b""
        refusal = (400, "IncompleteBody") if len(content) < length else self.refuse(method, path)
        if refusal is not None:
            status, code = refusal
            start_response(f"{status} {code}", [("Content-Type", "application/xml")])
            return [b"" if method == "HEAD" else _ERROR.format(code).encode()]
        response: Iterable[bytes] = self._app({**environ, "wsgi.input": io.BytesIO(content)}, start_response)
        return response

    def __enter__(self) -> S3Server:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
