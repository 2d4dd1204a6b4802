"""Page after page of a listing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from airflow_provider_retell.api.endpoints import list_calls
from airflow_provider_retell.api.errors import RetellResponseError
from airflow_provider_retell.api.models import C, CallPage, Page
from airflow_provider_retell.api.request import Request


class CallPages:
    """Which page of a listing to ask for next, and when to stop.

    Iterating gives the requests one after the other; each page must be handed to :meth:`read` before the next.
    Stops when Retell says that there is no more. A page that promises more without a key to ask for it, or with a
    key that was used before, raises :class:`RetellResponseError`: stopping there would lose calls silently.
    """

    def __init__(
        self,
        *,
        filter_criteria: Mapping[str, Any] | None = None,
        sort_order: str | None = None,
        page_size: int = 1000,
    ) -> None:
        self._criteria: dict[str, Any] = {
            "filter_criteria": filter_criteria,
            "sort_order": sort_order,
            "limit": page_size,
        }
        self._next: Request[CallPage] | None = list_calls(**self._criteria)
        self._keys: set[str] = set()

    def __iter__(self) -> Iterator[Request[CallPage]]:
        while self._next is not None:
            yield self._next

    def read(self, page: Page[C], *, malformed: bool = False) -> list[C]:
        """Take note of where *page* ends and return its calls.

        :param malformed: True to take also calls that are not as documented: ``page.malformed`` tells which; else
            they raise :class:`RetellResponseError`, rather than being lost.
        """
        if page.malformed and not malformed:
            call_id, wrong = next(iter(page.malformed.items()))
            raise RetellResponseError(
                f"list-calls: of call {call_id}, {wrong}. Leave it out by the filter, or report it to Retell"
            )
        key = page.pagination_key
        if not page.has_more:
            self._next = None
        elif key is None or key in self._keys:
            fault = (
                "without a pagination_key" if key is None else "with a pagination_key that was already used"
            )
            raise RetellResponseError(
                f"list-calls: page {len(self._keys) + 1} says that there are more calls, {fault}; going on would lose "
                "or repeat calls. Run the task again; if it stays so, narrow the filter"
            )
        else:
            self._keys.add(key)
            self._next = list_calls(**self._criteria, pagination_key=key)
        return page.items
