"""Descriptors that turn endpoint functions into methods of both hooks.

``get_call = Endpoint(endpoints.get_call)`` declares a method with the arguments of ``endpoints.get_call``, which sends
the request. In :class:`RetellHook` it returns the result, in :class:`RetellAsyncHook` it is a coroutine function.
:class:`Steps` does the same for a function that returns a :data:`Flow` of several requests. ``help()`` and
``inspect.signature()`` show the arguments, the result and the docstring.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from types import MethodType
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from airflow_provider_retell.api.request import Flow, Request

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S")

_SELF = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)


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
        functools.update_wrapper(self, build)  # type: ignore[arg-type]
        self._build = build
        self._functions: dict[type, Callable[..., Any]] = {}

    def __set_name__(self, owner: type, name: str) -> None:
        self.__name__ = name

    @overload
    def __get__(self, hook: None, owner: Any) -> _Method[P, T]: ...
    @overload
    def __get__(self, hook: Blocking, owner: Any) -> Callable[P, T]: ...
    @overload
    def __get__(self, hook: Async, owner: Any) -> Callable[P, Awaitable[T]]: ...

    def __get__(self, hook: Any, owner: Any) -> Any:
        # A real function, because help(), inspect and notebooks show the parameters of no other kind of attribute.
        function = self._functions.get(owner)
        if function is None:
            is_async = inspect.iscoroutinefunction(getattr(owner, "send", None))
            function = self._functions[owner] = _function(self.__name__, self._build, self._sender, is_async)
        return function if hook is None else MethodType(function, hook)


def _function(name: str, build: Callable[..., Any], sender: str, is_async: bool) -> Callable[..., Any]:
    """Return the function of a method: *build* with the parameter ``self``, and with the result of its request."""

    def send(hook: Any, /, *args: Any, **kwargs: Any) -> Any:
        return getattr(hook, sender)(build(*args, **kwargs))

    async def send_async(hook: Any, /, *args: Any, **kwargs: Any) -> Any:
        return await getattr(hook, sender)(build(*args, **kwargs))

    function: Any = functools.update_wrapper(send_async if is_async else send, build)
    function.__name__ = function.__qualname__ = name
    signature = inspect.signature(build)
    # The text "Request[Call]" or "Flow[Call]".
    result = signature.return_annotation.partition("[")[2].removesuffix("]")
    function.__annotations__ = {**build.__annotations__, "return": result}
    function.__signature__ = signature.replace(
        parameters=[_SELF, *signature.parameters.values()], return_annotation=result
    )
    return function  # type: ignore[no-any-return]


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
