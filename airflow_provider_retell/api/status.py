"""Turn an error status of Retell into the error that a person can act on."""

from __future__ import annotations

import json
from typing import Any

from airflow_provider_retell.api import errors
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

_PASSING = {
    408: "The request took too long on its way: run the task again later",
    409: "Something else changes the same thing right now: run the task again later",
    425: "Retell was not ready for the request: run the task again later",
}

_NEXT_STEP: dict[type[errors.RetellStatusError], str] = {
    errors.BadRequestError: "Compare the fields with the API reference of this endpoint",
    errors.AuthenticationError: "Check the API key in the Airflow connection (Retell dashboard, API Keys)",
    errors.PaymentRequiredError: (
        "The organization's balance is exhausted, or its trial has ended: add credit or a payment method in Retell's "
        "dashboard (Billing)"
    ),
    errors.PermissionDeniedError: (
        "The API key is restricted: give it the permission for this (History for call records, Call for placing "
        "and live calls) in Retell's dashboard, or use another key"
    ),
    errors.NotFoundError: "Check the id, and that the API key belongs to the organization that owns it",
    errors.UnprocessableError: (
        "Either the id does not exist in the organization of this API key, or Retell refuses the change"
    ),
    errors.RateLimitError: "The organization's quota is used up: send less at once, or run the task again later",
    errors.ServerError: "Retell failed: run the task again later, and see status.retellai.com",
}


def status_error(
    request: Request[Any], response: Response, retry_after: float | None = None
) -> errors.RetellStatusError:
    """Return the error for *response*; its message holds Retell's own, with private things masked."""
    status = response.status
    kind = _ERRORS.get(status)
    if kind is None:
        kind = errors.ServerError if status >= 500 else errors.RetellStatusError
    elif kind is errors.UnprocessableError and request.body is None:
        # Most endpoints answer 422, not 404, to an id that the key's organization does not have.
        kind = errors.NotFoundError
    detail = _detail(request, response)
    if 300 <= status < 400:
        step = "Redirects are never followed: check the host in the Airflow connection"
    elif not response.is_json and status == 404:
        step = "The server does not know this endpoint: check the host in the Airflow connection"
    else:
        step = _PASSING.get(status) or _NEXT_STEP.get(kind, "See https://docs.retellai.com for this status")
    if kind is errors.RateLimitError and retry_after is not None:
        step += f" (Retell asks to wait {retry_after:.0f} s)"
    says = f": {detail.rstrip('.')}" if detail else ""
    error = kind(
        f"{request}: Retell answered {status}{says}. {step}.",
        status=status,
        detail=detail,
        retry_after=retry_after,
    )
    if status in _PASSING:
        error.permanent = False
    return error


def paused_error(request: Request[Any], seconds: float) -> errors.RateLimitError:
    """Return the error for a request that is not sent, because Retell asked to send nothing for *seconds* more."""
    step = _NEXT_STEP[errors.RateLimitError]
    return errors.RateLimitError(
        f"{request}: not sent, because Retell asked to wait, {seconds:.0f} s more. {step}.",
        status=429,
        retry_after=seconds,
    )


def _detail(request: Request[Any], response: Response) -> str:
    """Read both error bodies that Retell sends: ``message``, and ``error_message`` where no key was sent."""
    try:
        body = json.loads(response.body)
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    text = body.get("message") or body.get("error_message")
    return safe_text(text, sent=request.body) if isinstance(text, str) else ""
