"""Examples of every endpoint: a method call, and the request and response on the wire.

Each resource of ``airflow_provider_retell.api`` has a module of the same name here. ``tests/hooks/test_parity.py``
finds these modules, and fails if an endpoint has no example.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Example(NamedTuple):
    """A call of a hook's method against the emulator of ``tests/hooks/conftest.py``.

    :ivar method: the name of the method.
    :ivar line: HTTP method and path of the request.
    :ivar body: the JSON of the request, or None. For a form, the values by field.
    :ivar status: the status of the response.
    :ivar result: the type of the result, or None.
    :ivar content_type: the media type of the request.
    :ivar sent_once: True if the request acts again if it is sent again.
    """

    method: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    line: str
    body: Any
    status: int
    result: type | None
    content_type: str = "application/json"
    sent_once: bool = False

    def __str__(self) -> str:
        return self.method
