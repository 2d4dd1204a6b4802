"""Talk to Retell from tasks (:class:`RetellHook`) and from triggers and bulk work (:class:`RetellAsyncHook`).

Both do the same: :func:`airflow_provider_retell.api.conversation.converse` says when to sleep, when to send and what
to return; a hook only sleeps and sends.
"""

from __future__ import annotations

import asyncio
import functools
import time
from asyncio import Lock
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_retell._compat import BaseHook, aget_connection
from airflow_provider_retell.api.conversation import converse
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.api.pages import CallPages
from airflow_provider_retell.api.quota import Quotas, Rate
from airflow_provider_retell.api.retry import Patience
from airflow_provider_retell.get_provider_info import CONNECTION_FORM
from airflow_provider_retell.hooks import form
from airflow_provider_retell.hooks.check import check_connection
from airflow_provider_retell.hooks.connection import Settings, read_connection
from airflow_provider_retell.hooks.endpoints import Endpoints

if TYPE_CHECKING:
    import aiohttp
    import requests

    from airflow_provider_retell.api.models import Call
    from airflow_provider_retell.api.request import Procedure, Request

__all__ = ["RetellAsyncHook", "RetellHook"]

T = TypeVar("T")
R = TypeVar("R")

_TEST_SECONDS = 10.0
_LOOK_AGAIN = (
    1.0  # seconds after which a request that waits for room learns that the route was paused meanwhile
)


class RetellHook(Endpoints, BaseHook):
    """Retell's API for tasks and for people, blocking.

    ``RetellHook().get_call("call_abc")`` and every other endpoint of
    :class:`airflow_provider_retell.hooks.endpoints.Endpoints`, with retries, waits and quota as the connection says.
    Usable as a context manager, which closes its connections.

    :param retell_conn_id: the Airflow connection, of type ``retell``.
    :param patience: how often and how long one request is tried; 8 times and 120 s of waiting if not given.
    """

    conn_name_attr = "retell_conn_id"
    default_conn_name = "retell_default"
    conn_type = CONNECTION_FORM["connection-type"]
    hook_name = CONNECTION_FORM["hook-name"]

    def __init__(self, retell_conn_id: str = default_conn_name, *, patience: Patience = Patience()) -> None:  # noqa: B008
        super().__init__()
        self.retell_conn_id = retell_conn_id
        self._patience = patience

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the form's extra fields, for Airflow before 3.3."""
        return form.widgets()

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return the form's hidden and renamed fields, for Airflow before 3.3."""
        return form.behavior()

    @functools.cached_property
    def settings(self) -> Settings:
        """What the Airflow connection says; read once."""
        return read_connection(self.get_connection(self.retell_conn_id)).within(self._patience)

    @functools.cached_property
    def _quotas(self) -> Quotas:
        return Quotas(self.settings.quota, self.settings.list_quota)

    @functools.cached_property
    def _session(self) -> requests.Session:
        from airflow_provider_retell.hooks.requests_transport import open_session

        return open_session(self.settings)

    def get_conn(self) -> requests.Session:
        """Return the session, with the API key in its headers; for requests that this hook has no method for."""
        return self._session

    def send(self, request: Request[T]) -> T:
        """Send *request* and return its result.

        :raises RetellError: what :mod:`airflow_provider_retell.api.errors` lists.
        """
        steps = converse(request, self._quotas.window(request.operation), self._patience)
        outcome: Any = None
        try:
            while True:
                try:
                    seconds = steps.send(outcome)
                except StopIteration as end:
                    result: T = end.value
                    return result
                outcome = None
                if seconds is None:
                    outcome = self._exchange(request)
                else:
                    time.sleep(seconds)
        finally:
            steps.close()  # an interrupted request gives its place in the quota back

    def _exchange(self, request: Request[Any]) -> Any:
        from airflow_provider_retell.hooks.requests_transport import exchange

        return exchange(self._session, self.settings, request)

    def run(self, procedure: Procedure[R]) -> R:
        """Send the requests of *procedure* one after the other and return its result."""
        step = functools.partial(next, procedure)
        while True:
            try:
                request = step()
            except StopIteration as end:
                result: R = end.value
                return result
            try:
                step = functools.partial(procedure.send, self.send(request))
            except RetellError as error:
                step = functools.partial(procedure.throw, error)

    def list_calls(
        self,
        *,
        filter_criteria: Mapping[str, Any] | None = None,
        sort_order: str | None = None,
        page_size: int = 1000,
    ) -> Iterator[Call]:
        """Yield every call that matches, page by page, without transcripts.

        :param filter_criteria: conditions, see :mod:`airflow_provider_retell.api.filters`.
        :param sort_order: ``"ascending"`` or ``"descending"`` (Retell's default) by start time.
        :param page_size: calls per request, 1 to 1000.
        :raises RetellResponseError: if a page breaks the chain, rather than losing calls silently.
        """
        pages = CallPages(filter_criteria=filter_criteria, sort_order=sort_order, page_size=page_size)
        for request in pages:
            yield from pages.read(self.send(request))

    def test_connection(self) -> tuple[bool, str]:
        """Make one authenticated request and say in a sentence how it went; takes 10 s at most per request."""
        self._patience = Patience(attempts=1, timeout=_TEST_SECONDS, connect_timeout=_TEST_SECONDS)
        try:
            self.settings = self.settings.within(self._patience)
        except RetellError as error:
            # Airflow's UI tests a copy of the connection under a random name, which would tell nobody anything.
            return False, str(error).replace(f"connection {self.retell_conn_id!r}", "This connection")
        with self:
            return check_connection(self)

    def close(self) -> None:
        """Close the connections; the hook opens new ones if it is used again."""
        session = self.__dict__.pop("_session", None)
        if session is not None:
            session.close()

    def __enter__(self) -> RetellHook:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class RetellAsyncHook(Endpoints, BaseHook):
    """Retell's API for event loops; use it as ``async with RetellAsyncHook(...) as hook``.

    The same endpoints as :class:`RetellHook`, awaited. All requests of one hook share its quota, and its pause when
    Retell is throttling.

    :param retell_conn_id: the Airflow connection, of type ``retell``.
    :param patience: how often and how long one request is tried; 8 times and 120 s of waiting if not given.
    :param connections: how many connections to Retell are open at once at most.
    :param quota: requests per seconds on each general route, in place of the connection's.

    :ivar quotas: how much of the quota this hook has used, and how long it waited for it.
    """

    def __init__(
        self,
        retell_conn_id: str = RetellHook.default_conn_name,
        *,
        patience: Patience = Patience(),  # noqa: B008
        connections: int = 32,
        quota: Rate | None = None,
    ) -> None:
        super().__init__()
        self.retell_conn_id = retell_conn_id
        self._patience = patience
        self._connections = connections
        self._quota = quota
        self._settings: Settings | None = None
        self.quotas = Quotas()
        self._turns: defaultdict[str, Lock] = defaultdict(Lock)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> RetellAsyncHook:
        from airflow_provider_retell.hooks.aiohttp_transport import open_session

        self._settings = await self._read_settings()
        self.quotas = Quotas(self._quota or self._settings.quota, self._settings.list_quota)
        self._turns = defaultdict(Lock)  # by operation, as the windows are
        self._session = open_session(self._settings, self._connections)
        return self

    async def _read_settings(self) -> Settings:
        connection = await aget_connection(type(self), self.retell_conn_id)
        return read_connection(connection).within(self._patience)

    async def __aexit__(self, *_error: object) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def send(self, request: Request[T]) -> T:
        """Send *request* and return its result.

        :raises RetellError: what :mod:`airflow_provider_retell.api.errors` lists.
        """
        from airflow_provider_retell.hooks.aiohttp_transport import exchange

        if self._session is None or self._settings is None:
            raise RuntimeError(
                "RetellAsyncHook is not open: use it as 'async with RetellAsyncHook(...) as hook'"
            )
        steps = converse(request, self.quotas.window(request.operation), self._patience)
        try:
            while True:
                # First come, first served, and one sleeper for all who wait for room in this window.
                async with self._turns[request.operation]:
                    while (seconds := next(steps)) is not None:  # noqa: ASYNC110 - no event tells of room
                        await asyncio.sleep(min(seconds, _LOOK_AGAIN))
                outcome = await exchange(self._session, self._settings, request)
                await asyncio.sleep(steps.send(outcome) or 0)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            steps.close()

    async def run(self, procedure: Procedure[R]) -> R:
        """Send the requests of *procedure* one after the other and return its result."""
        step = functools.partial(next, procedure)
        while True:
            try:
                request = step()
            except StopIteration as end:
                result: R = end.value
                return result
            try:
                step = functools.partial(procedure.send, await self.send(request))
            except RetellError as error:
                step = functools.partial(procedure.throw, error)

    async def list_calls(
        self,
        *,
        filter_criteria: Mapping[str, Any] | None = None,
        sort_order: str | None = None,
        page_size: int = 1000,
    ) -> AsyncIterator[Call]:
        """Yield every call that matches, as :meth:`RetellHook.list_calls` does."""
        pages = CallPages(filter_criteria=filter_criteria, sort_order=sort_order, page_size=page_size)
        for request in pages:
            for call in pages.read(await self.send(request)):
                yield call
