"""Send observed requests, and describe responses without their values."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from airflow_provider_retell.api import parsing
from airflow_provider_retell.contract.findings import CannotTellError, DiffersError, Finding, differs, holds

if TYPE_CHECKING:
    from collections.abc import Collection

    from airflow_provider_retell.api.request import Flow, Request, Response

T = TypeVar("T")

NOT_FOUND = (404, 422)
REJECTED = (400, 422)

# Another cause than the one that a check looks for: the key, the payment, the quota, the network, Retell itself.
_OTHER_CAUSES = frozenset({401, 402, 403, 408, 409, 425, 429})

# Other names may be data.
_ERROR_FIELDS = frozenset(
    {"code", "details", "error", "error_code", "error_message", "error_type", "errors", "message", "status"}
)


def see(request: Request[Any], *expected: int) -> Flow[Response]:
    """Send *request* and return its response.

    :param expected: statuses that the check asks for, such as 401 with a wrong key.
    :raises CannotTellError: for another status that has nothing to do with the question.
    """
    response: Response = yield request.observe()
    return check_cause(request, response, *expected)


def check_cause(request: Request[Any], response: Response, *expected: int) -> Response:
    """Return *response*, or raise :class:`CannotTellError`; see :func:`see`."""
    status = response.status
    if status not in expected and (status in _OTHER_CAUSES or status >= 500 or 300 <= status < 400):
        raise CannotTellError(f"{request.operation}: {status}")
    return response


def result(request: Request[T], response: Response) -> T:
    """Return the parsed body of a success.

    :raises CannotTellError: if it is not one, or the body is not as documented. Other checks look for both.
    """
    if not is_success(response):
        raise CannotTellError(f"{request.operation}: {describe(response)}")
    try:
        return request.parse(response.body)
    except ValidationError as fault:
        raise CannotTellError(f"{request.operation}: {parsing.describe(fault)}") from None


def ask(request: Request[T]) -> Flow[T]:
    """Send *request* and return its result, or raise :class:`CannotTellError`."""
    return result(request, (yield from see(request)))


def documented(request: Request[T]) -> Flow[T]:
    """Send *request* and return its result, or raise :class:`DiffersError`."""
    return documented_result(request, (yield from see(request)))


def documented_result(request: Request[T], response: Response) -> T:
    """Return the parsed body of *response*.

    :raises DiffersError: if Retell has rejected the request, or the body is not as documented.
    """
    if not is_success(response):
        raise DiffersError(describe(response))
    try:
        return request.parse(response.body)
    except ValidationError as fault:
        raise DiffersError(parsing.describe(fault)) from None


def unknown(request: Request[Any], expected: int, option: str) -> Flow[Finding]:
    """Send *request*, which has an unknown id.

    :param expected: the status that the check expects, 404 or 422. The package accepts both.
    :param option: the option of the emulator with this status.
    """
    response = yield from see(request)
    return rejection(response, expected, NOT_FOUND if response.is_json else (), option)


def rejection(response: Response, expected: int, others: Collection[int], option: str) -> Finding:
    """Return the finding for the response to a request that Retell should reject.

    :param expected: the status that the check expects.
    :param others: the statuses that the package handles as well.
    :param option: the option of the emulator with this status.
    """
    options = {option: response.status}
    if response.status == expected:
        return holds(describe(response), options=options)
    if response.status in others:
        return differs(describe(response), handled=True, options=options)
    return differs(describe(response))


def succeeds(request: Request[Any]) -> Flow[bool]:
    """Send *request* and return True if it succeeds."""
    response: Response = yield request.observe()
    return is_success(response)


def is_success(response: Response) -> bool:
    """Return True for a status from 200 to 299."""
    return 200 <= response.status < 300


def body_of(response: Response) -> Any:
    """Return the JSON of a body, or None if it is not JSON."""
    try:
        return parsing.loads(response.body)
    except (ValueError, RecursionError):
        return None


def fields_of(response: Response) -> dict[str, Any]:
    """Return the body of a response, or an empty object if it is something else."""
    body = body_of(response)
    return body if isinstance(body, dict) else {}


def describe(response: Response) -> str:
    """Return the status, and the fields of an error: ``422 with message, status``."""
    if is_success(response):
        return str(response.status)
    body = body_of(response)
    if isinstance(body, dict):
        names = sorted(name for name in body if name in _ERROR_FIELDS)
        others = len(body) - len(names)
        fields = [*names, *([f"{others} other fields"] if others else [])]
        return f"{response.status} with {', '.join(fields) or 'an empty object'}"
    if body is not None:
        return f"{response.status} with {kind(body)}"
    return f"{response.status} with a body that is not JSON" if response.body else str(response.status)


def kind(value: Any) -> str:
    """Return the JSON type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "an array" if isinstance(value, list) else "an object"


def with_body(request: Request[T], **fields: Any) -> Request[T]:
    """Return *request* with a body that the package itself would not send."""
    return dataclasses.replace(request, body=json.dumps(fields).encode())
