"""Requests about one object, whose id is the last part of the path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from airflow_provider_retell.api.multipart import Multipart
from airflow_provider_retell.api.request import Request, check_id, with_query

T = TypeVar("T")


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
        parse: Callable[[bytes], T],
        *,
        body: Callable[[str], bytes | Multipart] | None = None,
        idempotent: bool = True,
        **query: str | int | None,
    ) -> Request[T]:
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
