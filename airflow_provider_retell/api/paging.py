"""Read a listing page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from airflow_provider_retell.api.errors import RetellResponseError
from airflow_provider_retell.api.request import Flow, Request
from airflow_provider_retell.api.response_model import Page, ResponseModel

M = TypeVar("M", bound=ResponseModel)
P = TypeVar("P", bound=Page[Any])


class Pages(Generic[P]):
    """The requests for all pages of a listing.

    Iterate over the requests, and pass the page of each to :meth:`read` before the next. The iteration ends when
    Retell reports that there are no more pages. If a page announces another one but has no key for it, or repeats a
    key, :meth:`read` raises :class:`RetellResponseError`: stopping there would silently lose items.

    :param endpoint: the function that returns the request for one page.
    :param criteria: the arguments of *endpoint*.
    """

    def __init__(self, endpoint: Callable[..., Request[P]], **criteria: Any) -> None:
        self._endpoint = endpoint
        self._criteria = criteria
        self._next: Request[P] | None = endpoint(**criteria)
        self._keys: set[str] = set()

    def __iter__(self) -> Iterator[Request[P]]:
        while self._next is not None:
            yield self._next

    def read(self, page: Page[M], *, malformed: bool = False) -> list[M]:
        """Return the items of *page*, and prepare the request for the next page.

        :param malformed: True to return malformed items too; ``page.malformed`` lists them. By default they raise
            :class:`RetellResponseError`, so that none is lost.
        """
        operation = self._next.operation if self._next else "the listing"
        if page.malformed and not malformed:
            item_id, fault = next(iter(page.malformed.items()))
            raise RetellResponseError(
                f"{operation}: {item_id}: {fault}. Exclude it with a filter, or report it to Retell"
            )
        key = page.pagination_key
        if not page.has_more:
            self._next = None
        elif key is None or not key.strip() or key in self._keys:
            fault = "repeats a pagination_key" if key in self._keys else "has no pagination_key"
            raise RetellResponseError(
                f"{operation}: page {len(self._keys) + 1} says that more pages follow, but {fault}. Continuing would "
                "lose or repeat items. Run the task again; if the error persists, narrow the filter"
            )
        else:
            self._keys.add(key)
            self._next = self._endpoint(**self._criteria, pagination_key=key)
        return page.items


def read_all(endpoint: Callable[..., Request[Page[M]]], **criteria: Any) -> Flow[list[M]]:
    """Return the items of all pages of a listing; see :class:`Pages`."""
    pages, items = Pages(endpoint, **criteria), []
    for request in pages:
        items += pages.read((yield request))
    return items
