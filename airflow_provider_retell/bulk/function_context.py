"""Call a user's function with the parts of the task's context that it asks for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from airflow_provider_retell.api.errors import RetellInputError


def call_with_context(function: Callable[..., Any], context: Mapping[str, Any]) -> Any:
    """Return the result of *function*.

    A parameter named ``context`` gets the whole context, as ``**context`` does. Other parameters get the value of their
    name from the context, for example ``ds`` or ``params``, as in functions with ``@task``.

    :raises RetellInputError: if the context lacks a parameter that has no default.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # some functions of extension modules have no signature
        return function()
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for parameter in parameters:
        name = parameter.name
        if parameter.kind is parameter.VAR_KEYWORD:
            named |= {key: context[key] for key in context if key not in named}
        elif parameter.kind is parameter.VAR_POSITIONAL:
            continue
        elif name == "context" or name in context:
            value = context if name == "context" else context[name]
            if parameter.kind is parameter.POSITIONAL_ONLY:
                positional.append(value)
            else:
                named[name] = value
        elif parameter.default is parameter.empty:
            raise RetellInputError(
                f"the function {getattr(function, '__name__', '')}() has the parameter {name!r}, which is not in the "
                "task's context. Give it a default, or bind it with functools.partial"
            )
    return function(*positional, **named)
