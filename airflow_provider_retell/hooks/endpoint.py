"""Descriptors that turn endpoint functions into methods of both hooks.

``get_call = Endpoint(endpoints.get_call)`` declares a method with the arguments of ``endpoints.get_call``, which sends
the request. In :class:`RetellHook` it returns the result, in :class:`RetellAsyncHook` an awaitable. :class:`Steps` does
the same for a function that returns a :data:`Flow` of several requests.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from airflow_provider_retell.api.request import Flow, Request

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S")


class Blocking(Protocol):
    """A hook that returns results."""

    def send(self, request: Request[S]) -> S:
        """Send *request* and return its result."""
        ...

    def run(self, flow: Flow[S]) -> S:
        """Run *flow* and return its result."""
        ...


class Async(Protocol):
    """A hook whose results must be awaited."""

    def send(self, request: Request[S]) -> Awaitable[S]:
        """Send *request* and return its result."""
        ...

    def run(self, flow: Flow[S]) -> Awaitable[S]:
        """Run *flow* and return its result."""
        ...


class _Method(Generic[P, T]):
    _sender: str

    def __init__(self, build: Callable[P, Any]) -> None:
        self._build = build
        # For help() and documentation.
        functools.update_wrapper(self, build)  # type: ignore[arg-type]

    @overload
    def __get__(self, hook: None, owner: Any) -> _Method[P, T]: ...
    @overload
    def __get__(self, hook: Blocking, owner: Any) -> Callable[P, T]: ...
    @overload
    def __get__(self, hook: Async, owner: Any) -> Callable[P, Awaitable[T]]: ...

    def __get__(self, hook: Any, owner: Any) -> Any:
        if hook is None:
            return self

        @functools.wraps(self._build)
        def method(*args: P.args, **kwargs: P.kwargs) -> Any:
            return getattr(hook, self._sender)(self._build(*args, **kwargs))

        return method


class Endpoint(_Method[P, T]):
    """A function that returns one request, as a method that sends it."""

    _sender = "send"

    def __init__(self, build: Callable[P, Request[T]]) -> None:
        super().__init__(build)


class Steps(_Method[P, T]):
    """A function that returns a flow, as a method that runs it."""

    _sender = "run"

    def __init__(self, build: Callable[P, Flow[T]]) -> None:
        super().__init__(build)
