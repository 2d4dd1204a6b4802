"""Hook methods that read all pages of a listing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_retell.api.calls import endpoints as calls
from airflow_provider_retell.api.chats import endpoints as chats
from airflow_provider_retell.api.contacts import endpoints as contacts
from airflow_provider_retell.api.paging import Pages

if TYPE_CHECKING:
    from airflow_provider_retell.api.calls.models import Call
    from airflow_provider_retell.api.chats.models import Chat
    from airflow_provider_retell.api.contacts.models import Contact
    from airflow_provider_retell.api.request import Request
    from airflow_provider_retell.api.response_model import Page, ResponseModel
    from airflow_provider_retell.hooks.endpoint import Async, Blocking

M = TypeVar("M", bound="ResponseModel")


class Listings:
    """The listings of calls, chats and contacts, in the blocking hook."""

    def list_calls(
        self: Blocking,
        *,
        filter_criteria: Mapping[str, Any] | None = None,
        sort_order: str | None = None,
        page_size: int = 1000,
    ) -> Iterator[Call]:
        """Yield every matching call, without transcripts. Reads one page at a time.

        API: https://docs.retellai.com/api-references/list-calls

        :param filter_criteria: conditions, see :mod:`airflow_provider_retell.api.calls.filters`.
        :param sort_order: ``"ascending"`` or ``"descending"`` (Retell's default) by start time.
        :param page_size: calls per request, 1 to 1000. Default: 1000.
        :raises RetellResponseError: if Retell's paging would lose or repeat calls.
        """
        return _items(
            self, calls.list_calls, filter_criteria=filter_criteria, sort_order=sort_order, limit=page_size
        )

    def list_chats(
        self: Blocking,
        *,
        filter_criteria: Mapping[str, Any] | None = None,
        sort_order: str | None = None,
        page_size: int = 1000,
    ) -> Iterator[Chat]:
        """Yield every matching chat, without transcripts. Reads one page at a time.

        API: https://docs.retellai.com/api-references/list-chats

        :param filter_criteria: conditions, see :mod:`airflow_provider_retell.api.chats.filters`.
        :param sort_order: ``"ascending"`` or ``"descending"`` (Retell's default) by start time.
        :param page_size: chats per request, 1 to 1000. Default: 1000.
        :raises RetellResponseError: if Retell's paging would lose or repeat chats.
        """
        return _items(
            self, chats.list_chats, filter_criteria=filter_criteria, sort_order=sort_order, limit=page_size
        )

    def list_contacts(
        self: Blocking,
        *,
        filter_criteria: Mapping[str, Any] | None = None,
        search_query: str | None = None,
        sort_order: str | None = None,
        page_size: int | None = None,
    ) -> Iterator[Contact]:
        """Yield every matching contact. Reads one page at a time.

        API: https://docs.retellai.com/api-references/list-contacts

        :param filter_criteria: conditions, see :meth:`list_contacts_page`.
        :param search_query: text in the number, the names, the external id or the custom fields.
        :param sort_order: ``"asc"`` or ``"desc"`` (Retell's default) by the time of creation. With ``"asc"``, contacts
            that are created meanwhile shift no page.
        :param page_size: contacts per request. Retell does not document the largest number. Default: Retell's default.
        :raises RetellResponseError: if Retell's paging would lose or repeat contacts.
        """
        return _items(
            self,
            contacts.list_contacts,
            filter_criteria=filter_criteria,
            search_query=search_query,
            sort_order=sort_order,
            limit=page_size,
        )


class AsyncListings:
    """The listings of calls, chats and contacts, in the async hook."""

    def list_calls(
        self: Async,
        *,
        filter_criteria: Mapping[str, Any] | None = None,
        sort_order: str | None = None,
        page_size: int = 1000,
    ) -> AsyncIterator[Call]:
        """Yield every matching call. The parameters are those of :meth:`RetellHook.list_calls`."""
        return _items_async(
            self, calls.list_calls, filter_criteria=filter_criteria, sort_order=sort_order, limit=page_size
        )

    def list_chats(
        self: Async,
        *,
        filter_criteria: Mapping[str, Any] | None = None,
        sort_order: str | None = None,
        page_size: int = 1000,
    ) -> AsyncIterator[Chat]:
        """Yield every matching chat. The parameters are those of :meth:`RetellHook.list_chats`."""
        return _items_async(
            self, chats.list_chats, filter_criteria=filter_criteria, sort_order=sort_order, limit=page_size
        )

    def list_contacts(
        self: Async,
        *,
        filter_criteria: Mapping[str, Any] | None = None,
        search_query: str | None = None,
        sort_order: str | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[Contact]:
        """Yield every matching contact. The parameters are those of :meth:`RetellHook.list_contacts`."""
        return _items_async(
            self,
            contacts.list_contacts,
            filter_criteria=filter_criteria,
            search_query=search_query,
            sort_order=sort_order,
            limit=page_size,
        )


def _items(hook: Blocking, endpoint: Callable[..., Request[Page[M]]], **criteria: Any) -> Iterator[M]:
    pages = Pages(endpoint, **criteria)
    for request in pages:
        yield from pages.read(hook.send(request))


async def _items_async(
    hook: Async, endpoint: Callable[..., Request[Page[M]]], **criteria: Any
) -> AsyncIterator[M]:
    pages = Pages(endpoint, **criteria)
    for request in pages:
        for item in pages.read(await hook.send(request)):
            yield item
