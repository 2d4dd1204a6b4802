"""The hooks: :class:`RetellHook` for tasks, :class:`RetellAsyncHook` for triggers and bulk updates.

Both behave the same, because the functions in :mod:`airflow_provider_retell.api` make all decisions. The hooks only
sleep and send.
"""

from __future__ import annotations

import functools
from asyncio import Lock
from collections import defaultdict
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_provider_retell._compat import BaseHook
from airflow_provider_retell._compat.services import aget_connection
from airflow_provider_retell.api.attempts import attempt
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.api.organization.connection_check import check_connection
from airflow_provider_retell.api.quota import Quotas, Rate
from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.clock import clock
from airflow_provider_retell.get_provider_info import CONNECTION_FORM
from airflow_provider_retell.hooks import form
from airflow_provider_retell.hooks.connection import Settings, read_connection
from airflow_provider_retell.hooks.methods import ResourceMethods
from airflow_provider_retell.hooks.metrics import count_usage
from airflow_provider_retell.hooks.reason import CONNECTION, name_connection
from airflow_provider_retell.hooks.xcom import allow_results

if TYPE_CHECKING:
    import aiohttp
    import requests

    from airflow_provider_retell.api.request import Flow, Request


T = TypeVar("T")
R = TypeVar("R")

_NOT_OPEN = "RetellAsyncHook is not open: use it as 'async with RetellAsyncHook(...) as hook'"
_TEST_SECONDS = 10.0
# While a request waits for a slot, another response may pause the route: check this often.
_CHECK_SECONDS = 1.0

allow_results()


class RetellHook(ResourceMethods, BaseHook):
    """Call Retell's API from a task. All methods block.

    ::

        from airflow_provider_retell.hooks import RetellHook

        with RetellHook() as hook:
            hook.update_call_checked("call_abc", metadata={"tier": "gold"})

    Each endpoint of the API is a method. The Airflow connection sets the timeouts and the quota. As a context manager,
    the hook closes its HTTP connections at the end.

    Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/hook.html

    :param retell_conn_id: the Airflow connection of type ``retell``. Default: ``retell_default``.
    :param retry: the limits for the retries of one request. Default: 8 attempts and 120 seconds of waiting.
    """

    conn_name_attr = "retell_conn_id"
    default_conn_name = "retell_default"
    conn_type = CONNECTION_FORM["connection-type"]
    hook_name = CONNECTION_FORM["hook-name"]

    def __init__(
        self,
        retell_conn_id: str = default_conn_name,
        *,
        retry: RetryLimits = RetryLimits(),  # noqa: B008
    ) -> None:
        super().__init__()
        self.retell_conn_id = retell_conn_id
        self._retry = retry

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the extra fields of the connection form, for Airflow before 3.2."""
        return form.widgets()

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return the hidden and renamed fields of the connection form, for Airflow before 3.2."""
        return form.field_behavior()

    @functools.cached_property
    def settings(self) -> Settings:
        """The settings from the Airflow connection, which is read once."""
        return read_connection(self.get_connection(self.retell_conn_id)).within(self._retry)

    @functools.cached_property
    def quotas(self) -> Quotas:
        """The windows of the quota, which count requests and delays."""
        return Quotas(self.settings.quota, self.settings.list_quota)

    @functools.cached_property
    def _session(self) -> requests.Session:
        from airflow_provider_retell.hooks.requests_transport import open_session

        return open_session(self.settings)

    def get_conn(self) -> requests.Session:
        """Return the session, which sends the API key, for requests without a method in this hook."""
        return self._session

    def send(self, request: Request[T]) -> T:
        """Send *request* and return its result.

        :raises RetellError: one of :mod:`airflow_provider_retell.api.errors`.
        """
        attempts = attempt(request, self.quotas.window(request.operation), self._retry)
        outcome: Any = None
        try:
            while True:
                try:
                    seconds = attempts.send(outcome)
                except StopIteration as end:
                    result: T = end.value
                    return result
                outcome = None
                if seconds is None:
                    outcome = self._exchange(request)
                else:
                    clock().sleep(seconds)
        except RetellError as error:
            name_connection(error, self.retell_conn_id)
            raise
        finally:
            # Free the quota slot of an interrupted request.
            attempts.close()

    def _exchange(self, request: Request[Any]) -> Any:
        from airflow_provider_retell.hooks.requests_transport import exchange

        return exchange(self._session, self.settings, request)

    def run(self, flow: Flow[R]) -> R:
        """Send the requests of *flow* one after the other and return its result."""
        step = functools.partial(next, flow)
        while True:
            try:
                request = step()
            except StopIteration as end:
                result: R = end.value
                return result
            try:
                step = functools.partial(flow.send, self.send(request))
            except RetellError as error:
                step = functools.partial(flow.throw, error)

    def test_connection(self) -> tuple[bool, str]:
        """Send a harmless request; return True if it succeeded, and a message. Each request times out after 10 s."""
        self._retry = RetryLimits(attempts=1, timeout=_TEST_SECONDS, connect_timeout=_TEST_SECONDS)
        try:
            self.settings = self.settings.within(self._retry)
        except RetellError as error:
            # Airflow's UI tests a copy of the connection with a random id, which would confuse users.
            return False, str(error).replace(f"connection {self.retell_conn_id!r}", "This connection")
        with self:
            works, text = self.run(check_connection(self.settings.base_url))
        return works, text.replace(f"{CONNECTION} {self.retell_conn_id!r}", CONNECTION)

    def close(self) -> None:
        """Close the HTTP connections. The hook opens new ones if it is used again."""
        if "quotas" in self.__dict__:
            count_usage(self.quotas.usage, self.retell_conn_id)
        session = self.__dict__.pop("_session", None)
        if session is not None:
            session.close()

    def __enter__(self) -> RetellHook:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class RetellAsyncHook(ResourceMethods, BaseHook):
    """Call Retell's API from an event loop. The methods are those of :class:`RetellHook`, but must be awaited.

    ::

        from airflow_provider_retell.hooks import RetellAsyncHook

        async with RetellAsyncHook() as hook:
            await hook.update_call_checked("call_abc", metadata={"tier": "gold"})

    All requests of one hook share its quota, and pause together when Retell is rate limiting.

    Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/hook.html

    :param retell_conn_id: the Airflow connection of type ``retell``. Default: ``retell_default``.
    :param retry: the limits for the retries of one request. Default: 8 attempts and 120 seconds of waiting.
    :param connections: the maximum number of open HTTP connections. Default: 32.
    :param quota: the quota of each general route. Default: the quota in the Airflow connection.
    :ivar retry: the limits for the retries of one request.
    :ivar quotas: the quota windows, with the number of requests and the delays.
    """

    def __init__(
        self,
        retell_conn_id: str = RetellHook.default_conn_name,
        *,
        retry: RetryLimits = RetryLimits(),  # noqa: B008
        connections: int = 32,
        quota: Rate | None = None,
    ) -> None:
        super().__init__()
        self.retell_conn_id = retell_conn_id
        self.retry = retry
        self._connections = connections
        self._quota = quota
        self._settings: Settings | None = None
        self.quotas = Quotas()
        # One lock per operation, because each operation has its own window.
        self._turns: defaultdict[str, Lock] = defaultdict(Lock)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> RetellAsyncHook:
        from airflow_provider_retell.hooks.aiohttp_transport import exchange, open_session

        self._settings = await self._read_settings()
        self.quotas = Quotas(self._quota or self._settings.quota, self._settings.list_quota)
        self._turns = defaultdict(Lock)
        self._session = open_session(self._settings, self._connections)
        self._exchange = exchange
        return self

    @property
    def settings(self) -> Settings:
        """The settings from the Airflow connection. RuntimeError if the hook is not open."""
        if self._settings is None:
            raise RuntimeError(_NOT_OPEN)
        return self._settings

    async def _read_settings(self) -> Settings:
        connection = await aget_connection(type(self), self.retell_conn_id)
        return read_connection(connection).within(self.retry)

    async def __aexit__(self, *_error: object) -> None:
        count_usage(self.quotas.usage, self.retell_conn_id)
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def send(self, request: Request[T]) -> T:
        """Send *request* and return its result.

        :raises RetellError: one of :mod:`airflow_provider_retell.api.errors`.
        """
        if self._session is None or self._settings is None:
            raise RuntimeError(_NOT_OPEN)
        attempts = attempt(request, self.quotas.window(request.operation), self.retry)
        try:
            while True:
                # First come, first served: only the first of the waiting coroutines sleeps.
                async with self._turns[request.operation]:
                    while (seconds := next(attempts)) is not None:
                        await clock().sleep_async(min(seconds, _CHECK_SECONDS))
                outcome = await self._exchange(self._session, self._settings, request)
                await clock().sleep_async(attempts.send(outcome) or 0)
        except StopIteration as end:
            result: T = end.value
            return result
        except RetellError as error:
            name_connection(error, self.retell_conn_id)
            raise
        finally:
            attempts.close()

    async def run(self, flow: Flow[R]) -> R:
        """Send the requests of *flow* one after the other and return its result."""
        step = functools.partial(next, flow)
        while True:
            try:
                request = step()
            except StopIteration as end:
                result: R = end.value
                return result
            try:
                step = functools.partial(flow.send, await self.send(request))
            except RetellError as error:
                step = functools.partial(flow.throw, error)
