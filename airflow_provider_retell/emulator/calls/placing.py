"""The endpoints that place calls: POST /v2/create-phone-call and POST /create-batch-call."""

from __future__ import annotations

import re
import uuid
from collections import deque
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from airflow_provider_retell.emulator.calls import bodies
from airflow_provider_retell.emulator.calls.batches import Batch
from airflow_provider_retell.emulator.responses import ApiError, Response, json_response
from airflow_provider_retell.emulator.routing import Request, Routes
from airflow_provider_retell.emulator.schema import E164

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.organization.organization import Organization

ROUTES = Routes()

_EDIT = ("call", "edit")

IDEMPOTENCY_SECONDS = 3600.0
"""How long an ``idempotency_key`` is remembered, as documented ("up to one hour")."""


@ROUTES.add("POST", "/v2/create-phone-call", _EDIT, bodies.CREATE_PHONE_CALL, limiter="call")
def create_phone_call(org: Organization, request: Request) -> Response:
    """Place one call.

    A repeated ``idempotency_key`` returns the first call, even at the concurrency limit. That its other fields
    are not compared is our guess.
    """
    body: dict[str, Any] = request.body
    calls = org.call_backend
    now = org.options.clock.now()
    key = body.get("idempotency_key")
    pattern = org.options.idempotency_key_pattern
    if key is not None and pattern is not None and not re.fullmatch(pattern, key):
        raise ApiError(400, f'body/idempotency_key must match pattern "{pattern}"')
    if key is not None and org.options.honors_idempotency_key:
        since, call_id = calls.idempotency.get(key, (float("-inf"), ""))
        if now - since < IDEMPOTENCY_SECONDS:
            return json_response(201, calls.visible(calls.find(call_id)))
    if not body.get("ignore_e164_validation"):
        _check_number(body["from_number"], "body/from_number")
        _check_number(body["to_number"], "body/to_number")
    number = body["to_number"]
    if body.get("honor_internal_dnc") and (number in org.do_not_call or org.contact_backend.blocks(number)):
        raise ApiError(400, "The contact is marked as do not call")
    if calls.store.live_count() >= org.concurrency:
        raise ApiError(429, f"Concurrency limit of {org.concurrency} calls reached")
    calls.speakers.check(body["from_number"], body)
    call = calls.place(body["from_number"], body, now)
    if key is not None:
        calls.idempotency[key] = (now, call["call_id"])
    return json_response(201, calls.visible(call))


@ROUTES.add("POST", "/create-batch-call", _EDIT, bodies.CREATE_BATCH_CALL, limiter="call")
def create_batch_call(org: Organization, request: Request) -> Response:
    """Accept a batch, whose calls are placed from ``trigger_timestamp`` (epoch ms) on, or from now on.

    That ``scheduled_timestamp`` is in milliseconds is our guess: Retell's example looks like seconds, its
    description like milliseconds.
    """
    body: dict[str, Any] = request.body
    _check_number(body["from_number"], "body/from_number")
    for position, task in enumerate(body["tasks"]):
        if not task.get("ignore_e164_validation"):
            _check_number(task["to_number"], f"body/tasks/{position}/to_number")
    reserved = int(body.get("reserved_concurrency", 0))
    if reserved >= org.concurrency:
        raise ApiError(400, f"body/reserved_concurrency must be < {org.concurrency}")
    window = body.get("call_time_window")
    if window is not None:
        _check_window(window)
    trigger = max(org.options.clock.now(), body.get("trigger_timestamp", 0) / 1000)
    batch_id = f"batch_call_{uuid.uuid4().hex[:20]}"
    batch = Batch(batch_id, body["from_number"], deque(body["tasks"]), trigger, reserved, window)
    org.call_backend.batches.schedule(batch)
    accepted = {
        "batch_call_id": batch_id,
        "name": body.get("name", f"Batch {batch_id[-6:]}"),
        "from_number": body["from_number"],
        "scheduled_timestamp": round(trigger * 1000),
        "total_task_count": len(batch.tasks),
    }
    if window is not None:
        accepted["call_time_window"] = window
    org.catch_up()
    return json_response(201, accepted)


def _check_number(number: str, at: str) -> None:
    """Raise a 400 unless *number* is in E.164 format."""
    if not re.fullmatch(E164, number):
        raise ApiError(400, f"{at} must be a phone number in E.164 format")


def _check_window(window: dict[str, Any]) -> None:
    if any(span["end"] <= span["start"] for span in window["windows"]):
        raise ApiError(400, "body/call_time_window/windows must end after they start, on the same day")
    try:
        ZoneInfo(window.get("timezone", "UTC"))
    except (ValueError, OSError, KeyError):
        raise ApiError(400, "body/call_time_window/timezone is not a known time zone") from None
