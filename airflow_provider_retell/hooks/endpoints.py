"""The endpoints as methods, written once for the blocking and the async hook.

``update_call = Endpoint(endpoints.update_call)`` makes a method that takes the arguments of
``endpoints.update_call`` and returns what its request brings back: at once from :class:`RetellHook`, awaited from
:class:`RetellAsyncHook`.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from airflow_provider_retell.api import endpoints
from airflow_provider_retell.api.request import Request

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S")


class Blocking(Protocol):
    """A hook whose ``send`` returns the result."""

    def send(self, request: Request[S]) -> S:
        """Send *request* and return its result."""
        ...


class Async(Protocol):
    """A hook whose ``send`` must be awaited."""

    def send(self, request: Request[S]) -> Awaitable[S]:
        """Send *request* and return its result."""
        ...


class Endpoint(Generic[P, T]):
    """A function that builds a request, as a method that sends it."""

    def __init__(self, build: Callable[P, Request[T]]) -> None:
        self._build = build
        functools.update_wrapper(self, build)  # type: ignore[arg-type]  # name, signature and text for help()

    @overload
    def __get__(self, hook: None, owner: Any) -> Endpoint[P, T]: ...
    @overload
    def __get__(self, hook: Blocking, owner: Any) -> Callable[P, T]: ...
    @overload
    def __get__(self, hook: Async, owner: Any) -> Callable[P, Awaitable[T]]: ...

    def __get__(self, hook: Any, owner: Any) -> Any:
        if hook is None:
            return self

        @functools.wraps(self._build)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return hook.send(self._build(*args, **kwargs))

        return method


class Endpoints:
    """Every endpoint that the provider uses; ``list_calls``, which takes several requests, is the hooks' own."""

    update_call = Endpoint(endpoints.update_call)
    update_live_call = Endpoint(endpoints.update_live_call)
    get_call = Endpoint(endpoints.get_call)
    list_calls_page = Endpoint(endpoints.list_calls)
    create_phone_call = Endpoint(endpoints.create_phone_call)
    create_batch_call = Endpoint(endpoints.create_batch_call)
    stop_call = Endpoint(endpoints.stop_call)
    delete_call = Endpoint(endpoints.delete_call)
    rerun_call_analysis = Endpoint(endpoints.rerun_call_analysis)
    get_concurrency = Endpoint(endpoints.get_concurrency)
    get_api_key_info = Endpoint(endpoints.get_api_key_info)
