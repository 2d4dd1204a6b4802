"""Descriptors that turn endpoint functions into methods of both hooks.

``get_call = Endpoint(endpoints.get_call)`` declares a method with the arguments of ``endpoints.get_call``, which sends
the request. In :class:`RetellHook` it returns the result, in :class:`RetellAsyncHook` it is a coroutine function.
:class:`Steps` does the same for a function that returns a :data:`Flow` of several requests, and :class:`Listing` for
one that returns :class:`Pages`. ``help()`` and ``inspect.signature()`` show the arguments, result and docstring.
"""

from __future__ import annotations

import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from types import MethodType
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, overload

from airflow_provider_retell.api.paging import Pages
from airflow_provider_retell.api.request import Flow, Request
from airflow_provider_retell.api.response_model import Page, ResponseModel

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S")
M = TypeVar("M", bound=ResponseModel)

_SELF = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Blocking(Protocol):
    """A hook that returns results."""

    def send(self, request: Request[S]) -> S:
        """Send *request* and return its result."""

    def run(self, flow: Flow[S]) -> S:
        """Run *flow* and return its result."""


class Async(Protocol):
    """A hook whose results must be awaited."""

    def send(self, request: Request[S]) -> Awaitable[S]:
        """Send *request* and return its result."""

    def run(self, flow: Flow[S]) -> Awaitable[S]:
        """Run *flow* and return its result."""


class _Descriptor(ABC, Generic[P]):
    """A function of the API as a method of both hooks. The subclasses call it and use its result."""

    def __init__(self, build: Callable[P, Any]) -> None:
        functools.update_wrapper(self, build)  # type: ignore[arg-type]
        self._build = build
        self._functions: dict[type, Callable[..., Any]] = {}

    def __set_name__(self, owner: type, name: str) -> None:
        self.__name__ = name

    def _bound(self, hook: Any, owner: Any) -> Any:
        # A real function, because help(), inspect and notebooks show the parameters of no other kind of attribute.
        function = self._functions.get(owner)
        if function is None:
            is_async = inspect.iscoroutinefunction(getattr(owner, "send", None))
            function = self._functions[owner] = self._function(is_async)
        return function if hook is None else MethodType(function, hook)

    def _function(self, is_async: bool) -> Callable[..., Any]:
        """Return the function of the method: the one of the API with ``self``, and with another result."""
        function: Any = functools.update_wrapper(self._caller(is_async), self._build)
        function.__name__ = function.__qualname__ = self.__name__
        signature = inspect.signature(self._build)
        result = self._result(signature.return_annotation, is_async)
        function.__annotations__ = {**self._build.__annotations__, "return": result}
        function.__signature__ = signature.replace(
            parameters=[_SELF, *signature.parameters.values()], return_annotation=result
        )
        return function  # type: ignore[no-any-return]

    @abstractmethod
    def _caller(self, is_async: bool) -> Callable[..., Any]:
        """Return a function that gets the hook and the arguments, and uses the result of the function of the API."""

    @abstractmethod
    def _result(self, annotation: str, is_async: bool) -> str:
        """Return the annotation of the method's result for that of the function of the API."""


class _Method(_Descriptor[P], Generic[P, T]):
    _sender: str

    @overload
    def __get__(self, hook: None, owner: Any) -> _Method[P, T]: ...
    @overload
    def __get__(self, hook: Blocking, owner: Any) -> Callable[P, T]: ...
    @overload
    def __get__(self, hook: Async, owner: Any) -> Callable[P, Awaitable[T]]: ...

    def __get__(self, hook: Any, owner: Any) -> Any:
        return self._bound(hook, owner)

    def _caller(self, is_async: bool) -> Callable[..., Any]:
        build, sender = self._build, self._sender

        def send(hook: Any, /, *args: Any, **kwargs: Any) -> Any:
            return getattr(hook, sender)(build(*args, **kwargs))

        async def send_async(hook: Any, /, *args: Any, **kwargs: Any) -> Any:
            return await getattr(hook, sender)(build(*args, **kwargs))

        return send_async if is_async else send

    def _result(self, annotation: str, is_async: bool) -> str:
        # The text "Request[Call]" or "Flow[Call]".
        return annotation.partition("[")[2].removesuffix("]")


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


class Listing(_Descriptor[P], Generic[P, M]):
    """A function that returns the pages of a listing, as a method that yields their items."""

    def __init__(self, build: Callable[P, Pages[Page[M]]]) -> None:
        super().__init__(build)

    @overload
    def __get__(self, hook: None, owner: Any) -> Listing[P, M]: ...
    @overload
    def __get__(self, hook: Blocking, owner: Any) -> Callable[P, Iterator[M]]: ...
    @overload
    def __get__(self, hook: Async, owner: Any) -> Callable[P, AsyncIterator[M]]: ...

    def __get__(self, hook: Any, owner: Any) -> Any:
        return self._bound(hook, owner)

    def _caller(self, is_async: bool) -> Callable[..., Any]:
        build, items = self._build, _items_async if is_async else _items

        # No generator itself, so that an invalid argument is an error where the method is called.
        def listing(hook: Any, /, *args: Any, **kwargs: Any) -> Any:
            return items(hook, build(*args, **kwargs))

        return listing

    def _result(self, annotation: str, is_async: bool) -> str:
        item = annotation.removeprefix("Pages[Page[").removesuffix("]]")
        return f"{'AsyncIterator' if is_async else 'Iterator'}[{item}]"


def _items(hook: Blocking, pages: Pages[Page[M]]) -> Iterator[M]:
    for request in pages:
        yield from pages.read(hook.send(request))


async def _items_async(hook: Async, pages: Pages[Page[M]]) -> AsyncIterator[M]:
    for request in pages:
        for item in pages.read(await hook.send(request)):
            yield item
