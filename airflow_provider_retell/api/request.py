"""A request to Retell and its response, as values."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlencode

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.multipart import Multipart

T_co = TypeVar("T_co", covariant=True)
S = TypeVar("S")
R = TypeVar("R")

_ID = re.compile(r"[A-Za-z0-9_-]{1,256}")
_ALLOWED = re.compile(r"[A-Za-z0-9_-]")


class Unset:
    """The type of :data:`UNSET`."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()
"""The default of arguments for which None has a meaning of its own."""


@dataclass(frozen=True)
class Request(Generic[T_co]):
    """A request, and the function that parses its response.

    :ivar operation: Retell's name of the endpoint, for example ``"update-call"``. Each operation has its own quota.
    :ivar path: the path below the base URL, already quoted.
    :ivar parse: turns the body of a successful response into the result.
    :ivar body: the JSON to send, a form with files, or None.
    :ivar idempotent: True if sending the request twice has the same effect as sending it once. Such a request is
        retried even if it is unknown whether Retell processed the first attempt.
    :ivar subject: the object of the request, for messages: ``"call call_abc"`` or ``""``.
    :ivar observed: True to return the :class:`Response` itself, whatever its status.
    :ivar known: JSON with private values that an error response may quote although the body does not have them. They
        are masked in messages.
    """

    operation: str
    method: str
    path: str
    parse: Callable[[bytes], T_co] = field(repr=False)
    body: bytes | Multipart | None = field(default=None, repr=False)
    idempotent: bool = True
    subject: str = ""
    observed: bool = False
    known: bytes | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.operation} of {self.subject}" if self.subject else self.operation

    @property
    def reads(self) -> bool:
        """True if the request changes nothing."""
        return self.operation.startswith(("get-", "list-"))

    def with_parser(self, parse: Callable[[bytes], S]) -> Request[S]:
        """Return the same request with another parser."""
        return dataclasses.replace(self, parse=parse)  # type: ignore[arg-type,return-value]

    def masking(self, values: Any) -> Request[T_co]:
        """Return the same request, whose error messages mask the texts and numbers in *values*, which are JSON."""
        return dataclasses.replace(self, known=json.dumps(values).encode())

    def observe(self) -> Request[Response]:
        """Return the same request with its :class:`Response` as the result, also if it is an error.

        Retries are those of any request.
        """
        return dataclasses.replace(self, observed=True)  # type: ignore[return-value]


Flow = Generator[Request[Any], Any, R]
"""A sequence of requests with decisions between them, as a generator. It yields requests, receives their results (or
errors, which are thrown into it), and returns its own result. ``hook.run(flow)`` runs it."""


@dataclass(frozen=True)
class Response:
    """An HTTP response.

    :ivar headers: a case-insensitive mapping.
    :ivar body: the body, decompressed.
    :ivar fault: the reason why the body is incomplete, in the form ``"is larger than 128 MB"``, or ``""``.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    fault: str = ""

    @property
    def is_json(self) -> bool:
        """True if the content type is JSON."""
        return "json" in self.headers.get("Content-Type", "")


def given(**fields: Any) -> dict[str, Any]:
    """Return the *fields* that are not None."""
    return {name: value for name, value in fields.items() if value is not None}


def with_query(path: str, **parameters: str | int | None) -> str:
    """Return *path* with the *parameters* that are not None as its query."""
    query = urlencode(given(**parameters))
    return f"{path}?{query}" if query else path


def request_to(
    method: str,
    path: str,
    parse: Callable[[bytes], S],
    *,
    body: bytes | Multipart | None = None,
    idempotent: bool = True,
    subject: str = "",
    query: Mapping[str, str | int | None] = MappingProxyType({}),
) -> Request[S]:
    """Return a request to *path* with *query*. The last part of the path is the operation."""
    return Request(
        operation=path.rpartition("/")[2],
        method=method,
        path=with_query(path, **query),
        parse=parse,
        body=body,
        idempotent=idempotent,
        subject=subject,
    )


def check_id(value: object, name: str = "call_id") -> str:
    """Return *value* if it has the form of an id; otherwise raise :class:`RetellInputError` without the value."""
    if not isinstance(value, str):
        raise RetellInputError(f"{name} must be text, not {type(value).__name__}")
    if not value.strip():
        raise RetellInputError(
            f"{name} is empty: check its source, for example an XCom that was never pushed"
        )
    if value in ("None", "null", "nan", "undefined"):
        raise RetellInputError(
            f"{name} is the text {value!r}: check its source, for example an XCom that was never pushed"
        )
    if not _ID.fullmatch(value):
        if _ID.fullmatch(value.strip()):
            raise RetellInputError(
                f"{name} has spaces or line breaks around the id: remove them in the source"
            )
        if len(value) > 256:
            reason = f"is {len(value)} characters long, and the limit is 256"
        else:
            place, character = next(
                (place, character)
                for place, character in enumerate(value, start=1)
                if not _ALLOWED.match(character)
            )
            reason = f"has {character!r} as character {place}"
        raise RetellInputError(f"{name} {reason}: an id must consist of letters, digits, '_' and '-'")
    return value


@dataclass(frozen=True)
class ObjectKind:
    """A kind of object, such as calls or knowledge bases.

    :ivar noun: its name in messages, for example ``"knowledge base"``.
    :ivar id_name: the argument that has the id.
    """

    noun: str
    id_name: str

    def request(
        self,
        method: str,
        path: str,
        object_id: object,
        parse: Callable[[bytes], S],
        *,
        body: Callable[[str], bytes | Multipart] | None = None,
        idempotent: bool = True,
        **query: str | int | None,
    ) -> Request[S]:
        """Return a request to *path*, followed by the id and *query*.

        :param path: its last part is the operation.
        :param body: gets the description of the request for error messages, and returns the body.
        :raises RetellInputError: if *object_id* does not have the form of an id.
        """
        object_id = check_id(object_id, self.id_name)
        operation = path.rpartition("/")[2]
        subject = f"{self.noun} {object_id}"
        return Request(
            operation=operation,
            method=method,
            path=with_query(f"{path}/{object_id}", **query),
            parse=parse,
            body=None if body is None else body(f"{operation} of {subject}"),
            idempotent=idempotent,
            subject=subject,
        )
