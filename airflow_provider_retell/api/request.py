"""One request to Retell, and the answer to it, as values."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from airflow_provider_retell.api.errors import RetellInputError

T_co = TypeVar("T_co", covariant=True)
S = TypeVar("S")
R = TypeVar("R")

_ID = re.compile(r"[A-Za-z0-9_-]{1,256}")
_ALLOWED = re.compile(r"[A-Za-z0-9_-]")


@dataclass(frozen=True)
class Request(Generic[T_co]):
    """What to send, and how to read what comes back.

    :ivar operation: Retell's name for it, e.g. ``"update-call"``; also the route that its quota is counted by.
    :ivar method: the HTTP method.
    :ivar path: the path below the base URL, already quoted.
    :ivar parse: turns the body of a success into the result.
    :ivar body: JSON to send, or None.
    :ivar repeatable: True if sending it twice does the same as sending it once, so that it may be retried
        even when nobody knows whether Retell acted on it.
    :ivar subject: what the request is about, for messages: ``"call call_abc"`` or ``""``.
    """

    operation: str
    method: str
    path: str
    parse: Callable[[bytes], T_co] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    repeatable: bool = True
    subject: str = ""

    def __str__(self) -> str:
        return f"{self.operation} of {self.subject}" if self.subject else self.operation

    def read_by(self, parse: Callable[[bytes], S]) -> Request[S]:
        """Return the same request with another way to read what comes back."""
        return Request(
            self.operation, self.method, self.path, parse, self.body, self.repeatable, self.subject
        )


Procedure = Generator[Request[Any], Any, R]
"""Several requests with decisions between them: a generator that yields requests, is sent their results (or thrown
their errors), and returns what comes of it. The hooks' ``run`` drives it."""


@dataclass(frozen=True)
class Response:
    """What came back over the wire. ``headers`` is case-insensitive, as HTTP libraries give it."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def is_json(self) -> bool:
        """True if the server says that the body is JSON."""
        return "json" in self.headers.get("Content-Type", "")


def check_id(value: object, field_name: str = "call_id") -> str:
    """Return *value* if it can be an id of Retell; raise :class:`RetellInputError` (without the value) if not."""
    if not isinstance(value, str):
        raise RetellInputError(f"{field_name} must be text, not {type(value).__name__}")
    if not value.strip():
        raise RetellInputError(f"{field_name} is empty")
    if value in ("None", "null", "nan", "undefined"):
        raise RetellInputError(
            f"{field_name} is the text '{value}': what it was made from had no value (an XCom that was never "
            "pushed, say)"
        )
    if not _ID.fullmatch(value):
        if len(value) > 256:
            reason = f"is {len(value)} characters long, the limit is 256"
        else:
            place, character = next(
                (place, character) for place, character in enumerate(value) if not _ALLOWED.match(character)
            )
            reason = f"has {character!r} at position {place}"
        raise RetellInputError(f"{field_name} {reason}; ids hold letters, digits, '_' and '-' only")
    return value
