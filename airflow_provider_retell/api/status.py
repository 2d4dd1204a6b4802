"""Map an error status to an exception whose message says what to do next."""

from __future__ import annotations

import re
from typing import Any

from airflow_provider_retell.api import errors, parsing
from airflow_provider_retell.api.redact import safe_text
from airflow_provider_retell.api.request import Request, Response

_ERRORS: dict[int, type[errors.RetellStatusError]] = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    402: errors.PaymentRequiredError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    422: errors.UnprocessableError,
    429: errors.RateLimitError,
}

# Statuses without an exception class of their own, after which a retry can succeed.
_TRANSIENT = {
    408: "Retell did not receive the request in time: run the task again later",
    409: "Another request is changing the same object: run the task again later",
    425: "Retell was not ready for the request: run the task again later",
}

# To these requests, 409 says that another contact has the number, or that another import is running.
_CONFLICTING = frozenset({"create-contact", "create-contact-import"})

# These come as text if a limit of Retell's own web server rejects the request.
_PLAIN = frozenset({413, 414, 429, 431})

_HOST = "check the host in the Airflow connection, and the proxy"

FOREIGN_STEP = f"This is not an answer of Retell's API: {_HOST}"
"""The next step after a response that is not Retell's."""

_PLACING = frozenset({"create-phone-call", "create-batch-call"})
_NOT_FOUND = re.compile(r"\bnot found\b|\bdoes not exist\b", re.IGNORECASE)
# The API reference documents the status and no text.
_DO_NOT_CALL = re.compile(r"do[\s_-]*not[\s_-]*(call|contact)|\bdnc\b", re.IGNORECASE)

# The statuses with which Retell may reject the change of a call that is not live any more.
_REJECTIONS = (errors.BadRequestError, errors.NotFoundError, errors.UnprocessableError)

_NEXT_STEP: dict[type[errors.RetellStatusError], str] = {
    errors.BadRequestError: "Compare the fields with the API reference of this endpoint",
    errors.DoNotCallError: (
        "The contact is marked as do-not-call in Retell, and nobody was called. Set on_do_not_call='skip' on the task "
        "to skip such contacts"
    ),
    errors.AuthenticationError: "Check the API key in the Airflow connection (Retell dashboard, API Keys)",
    errors.PaymentRequiredError: (
        "The organization's balance is exhausted, or its trial has ended: add credit or a payment method in Retell's "
        "dashboard (Billing)"
    ),
    errors.PermissionDeniedError: (
        "The API key is restricted: give it the missing permission in Retell's dashboard (History for call records, "
        "Call for placing calls and for live calls), or use another key"
    ),
    errors.NotFoundError: "Check the id, and that the API key belongs to the organization that owns it",
    errors.UnprocessableError: (
        "Either the id does not exist in the organization of this API key, or Retell rejects the change"
    ),
    errors.RateLimitError: (
        "The organization's quota is used up: send fewer requests at once, or run the task again later"
    ),
    errors.ServerError: "Retell failed: run the task again later, and see status.retellai.com",
}


def status_error(
    request: Request[Any], response: Response, retry_after: float | None = None
) -> errors.RetellStatusError:
    """Return the error for *response*. Its message includes Retell's own message, with private data masked."""
    status, text = response.status, _message(response)
    if not (response.is_json or text or status in _PLAIN or 300 <= status < 400):
        return _foreign_error(request, status, retry_after)
    kind = _kind(request, status, text)
    detail = safe_text(text, sent=request.body, known=request.known)
    if 300 <= status < 400:
        step = "Redirects are never followed: check the host in the Airflow connection"
    elif kind is errors.NotFoundError and request.operation in _PLACING:
        step = _missing_for_a_call(text)
    elif kind is errors.BadRequestError and request.body is None:
        step = "Check the id, and whether the state of the object allows the request"
    else:
        step = _TRANSIENT.get(status) or _NEXT_STEP.get(kind, "See https://docs.retellai.com for this status")
    if request.operation == "update-live-call" and kind in _REJECTIONS:
        step += ". If the call has ended, use UpdateCallOperator"
    if kind is errors.RateLimitError and retry_after is not None:
        step += f" (Retell asks to wait {retry_after:.0f} s)"
    message = f": {detail.rstrip('.')}" if detail else ""
    fault = f"{request}: Retell answered {status}{message}"
    error = kind(f"{fault}. {step}.", status=status, detail=detail, retry_after=retry_after, fault=fault)
    if _is_transient(request, status):
        error.permanent = False
    return error


def foreign_fault(request: Request[Any], status: int, kind: str = "") -> str:
    """Return the first part of the message about a response that is not JSON, and so hardly Retell's.

    :param kind: the content type, if it is known and safe to show.
    """
    return f"{request}: the server answered {status}{f' ({kind})' if kind else ''} without JSON"


def _foreign_error(request: Request[Any], status: int, retry_after: float | None) -> errors.RetellStatusError:
    """Return the error for a response that is not JSON: it is that of another server, or of a gateway or firewall."""
    kind = errors.RetellStatusError
    if status == 401:
        kind = errors.AuthenticationError
    elif status >= 500:
        kind = errors.ServerError
    again = f". If it fails again, {_HOST}"
    if status >= 500:
        step = "Retell, or a server in front of it, failed: run the task again later, and see status.retellai.com"
        step += again
    elif _is_transient(request, status):
        step = _TRANSIENT[status] + again
    elif status == 404:
        step = f"The server does not know this endpoint: {_HOST}"
    else:
        step = FOREIGN_STEP
    if status == 403:
        step += ". A firewall may also block this machine"
    fault = foreign_fault(request, status)
    error = kind(f"{fault}. {step}.", status=status, retry_after=retry_after, foreign=True, fault=fault)
    # A firewall in front of Retell may block a worker only for a while.
    if status == 403 or _is_transient(request, status):
        error.permanent = False
    return error


def _is_transient(request: Request[Any], status: int) -> bool:
    return status in _TRANSIENT and not (status == 409 and request.operation in _CONFLICTING)


def paused_error(request: Request[Any], seconds: float) -> errors.RateLimitError:
    """Return the error for a request that was not sent, because Retell asked to send nothing for *seconds* more."""
    step = _NEXT_STEP[errors.RateLimitError]
    return errors.RateLimitError(
        f"{request}: not sent, because Retell asked to wait {seconds:.0f} s more. {step}.",
        status=429,
        retry_after=seconds,
    )


def _kind(request: Request[Any], status: int, text: str) -> type[errors.RetellStatusError]:
    kind = _ERRORS.get(status)
    if kind is None:
        return errors.ServerError if status >= 500 else errors.RetellStatusError
    # If the organization has no object with the id, most endpoints are documented to answer 422, and some answer 404.
    if kind is errors.UnprocessableError and (request.body is None or _NOT_FOUND.search(text)):
        return errors.NotFoundError
    if kind is errors.BadRequestError and request.operation in _PLACING and _DO_NOT_CALL.search(text):
        return errors.DoNotCallError
    return kind


def _missing_for_a_call(text: str) -> str:
    """Return the next step after a 404 for a new call, such as "Item agent_1 not found from agent"."""
    if "phone" in text.lower():
        name = "from_number"
    elif "agent" in text.lower():
        name = "override_agent_id"
    else:
        name = "from_number and override_agent_id"
    return f"Check {name}: the organization of this API key does not have it. Nobody was called"


def _message(response: Response) -> str:
    """Return Retell's message: ``message``, or ``error_message`` if the request had no API key."""
    try:
        body = parsing.loads(response.body)
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    text = body.get("message") or body.get("error_message")
    return text if isinstance(text, str) else ""
