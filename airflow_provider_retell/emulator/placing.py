"""Placing calls: POST /v2/create-phone-call."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator import samples
from airflow_provider_retell.emulator.errors import Answer, ApiError, json_answer

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.organization import Organization
    from airflow_provider_retell.emulator.vocabulary import Call

IDEMPOTENCY_SECONDS = 3600.0
"""For how long an ``idempotency_key`` is remembered, as documented ("up to one hour")."""

_E164 = re.compile(r"\+[1-9]\d{6,14}")


def place(
    org: Organization, from_number: str, task: dict[str, Any], when: float, batch: str | None = None
) -> Call:
    """Register a call at ``when`` (epoch seconds) and let it progress."""
    call = samples.registered("phone_call", samples.new_call_id())
    call.update(from_number=from_number, to_number=task["to_number"])
    for name in ("metadata", "retell_llm_dynamic_variables", "custom_sip_headers"):
        if name in task:
            call[name] = dict(task[name])
    if "override_agent_id" in task:
        call["agent_id"] = task["override_agent_id"]
    # "latest", "latest_published" and tags mean a version that only Retell knows; the default one stands in.
    if isinstance(task.get("override_agent_version"), int):
        call["agent_version"] = task["override_agent_version"]
    if batch is not None:
        call["batch_call_id"] = batch
    org.store.add(call)
    org.placed.append(call)
    org.progress.follow(call, when)
    return call


def check_number(number: str, at: str) -> None:
    """400 unless ``number`` is in E.164 form."""
    if not _E164.fullmatch(number):
        raise ApiError(400, f"{at} must be a phone number in E.164 format")


def create_phone_call(org: Organization, _: str, body: dict[str, Any]) -> Answer:
    """Place one call.

    A repeated ``idempotency_key`` gives the first call, even at the concurrency limit; that its further
    fields are not compared is our guess.
    """
    now = org.options.clock.now()
    key = body.get("idempotency_key")
    if key is not None:
        since, call_id = org.idempotency.get(key, (float("-inf"), ""))
        if now - since < IDEMPOTENCY_SECONDS:
            return json_answer(201, shown(org, org.call(call_id)))
    if not body.get("ignore_e164_validation"):
        check_number(body["from_number"], "body/from_number")
        check_number(body["to_number"], "body/to_number")
    if body.get("honor_internal_dnc") and body["to_number"] in org.do_not_call:
        raise ApiError(400, "The contact is marked as do not call")
    if org.store.live_count() >= org.concurrency:
        raise ApiError(429, f"Concurrency limit of {org.concurrency} calls reached")
    call = place(org, body["from_number"], body, now)
    if key is not None:
        org.idempotency[key] = (now, call["call_id"])
    return json_answer(201, shown(org, call))


def shown(org: Organization, call: Call) -> Call:
    """Return the call as the API shows it."""
    hidden = org.hidden_fields
    return {name: value for name, value in call.items() if name not in hidden}
