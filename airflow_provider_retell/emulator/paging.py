"""Pages of sorted objects, with a cursor that names the last object of a page.

Added and deleted objects do not shift later pages, because a cursor is a sort key and not a position.
"""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_retell.emulator.responses import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

T = TypeVar("T")

DEFAULT_PAGE = 50
MAX_PAGE = 1000

OrderKey = tuple[float, str]
"""The sort key of an object: a number, usually a timestamp, and its id."""


def walk(keys: list[OrderKey], asked: Mapping[str, Any]) -> Iterator[OrderKey]:
    """Yield the keys that follow the cursor of a request, by default from the largest key on.

    :param keys: all keys, ascending.
    :param asked: the body or the query of the request, with ``sort_order`` and ``pagination_key``.
    """
    cursor = asked.get("pagination_key")
    if asked.get("sort_order", "descending") in ("descending", "desc"):
        stop = len(keys) if cursor is None else bisect_left(keys, _decode(cursor))
        return (keys[position] for position in range(stop - 1, -1, -1))
    begin = 0 if cursor is None else bisect_right(keys, _decode(cursor))
    return (keys[position] for position in range(begin, len(keys)))


def cut(found: Iterable[OrderKey], asked: Mapping[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """Return the ids of one page, and the fields of the response that lead to the next page.

    :param asked: the body or the query of the request, with ``limit`` and ``skip``.
    """
    skip, limit = int(asked.get("skip", 0)), int(asked.get("limit", DEFAULT_PAGE))
    # Not islice, which refuses a number above sys.maxsize.
    keys = [key for _, key in zip(range(skip + limit + 1), found, strict=False)][skip:]
    ids = [object_id for _, object_id in keys[:limit]]
    if len(keys) <= limit:
        return ids, {"has_more": False}
    return ids, {"has_more": True, "pagination_key": _encode(keys[limit - 1])}


def _encode(key: OrderKey) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _decode(cursor: str) -> OrderKey:
    try:
        number, object_id = json.loads(base64.urlsafe_b64decode(cursor))
        return (float(number), str(object_id))
    except (binascii.Error, ValueError, TypeError):
        raise ApiError(400, "body/pagination_key is not valid") from None


def page(
    objects: Mapping[str, T], query: Mapping[str, str], *, order: Callable[[T], float]
) -> tuple[list[T], dict[str, Any]]:
    """Return the objects of one page, and the other fields of the response.

    The default page has 50 objects, the last in *order* first, which is our guess.

    :param objects: all objects by id.
    :param query: the query of the request: ``limit``, ``pagination_key``, ``sort_order``.
    :param order: returns the number to sort an object by.
    """
    text = query.get("limit", str(DEFAULT_PAGE))
    if not text.isdigit() or not 1 <= int(text) <= MAX_PAGE:
        raise ApiError(400, f"query/limit must be an integer from 1 to {MAX_PAGE}")
    if query.get("sort_order", "descending") not in ("ascending", "descending"):
        raise ApiError(
            400, "query/sort_order must be equal to one of the allowed values: ascending, descending"
        )
    keys = sorted((order(value), object_id) for object_id, value in objects.items())
    ids, rest = cut(walk(keys, query), {"limit": text})
    return [objects[object_id] for object_id in ids], rest
