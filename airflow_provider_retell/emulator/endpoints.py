"""The endpoints on one call that read, stop, delete or analyze it, and the two that describe the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator import samples
from airflow_provider_retell.emulator.errors import Answer, ApiError, json_answer
from airflow_provider_retell.emulator.placing import shown
from airflow_provider_retell.emulator.vocabulary import LIVE_STATUSES

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.organization import Organization

PURCHASE_LIMIT = 100


def get_call(org: Organization, call_id: str, _: Any) -> Answer:
    """Return the whole call."""
    return json_answer(200, shown(org, org.call(call_id)))


def stop_call(org: Organization, call_id: str, _: Any) -> Answer:
    """End a live call. That stopping one that is over answers 400 is our guess."""
    call = org.call(call_id)
    if call["call_status"] not in LIVE_STATUSES:
        raise ApiError(400, f"Call {call_id} is not ongoing (call_status is {call['call_status']})")
    org.progress.end(call, org.options.clock.now(), "manual_stopped")
    return Answer(204)


def delete_call(org: Organization, call_id: str, _: Any) -> Answer:
    """Remove a call for good, live or not: that live ones may be deleted is our guess."""
    org.call(call_id)
    org.store.remove(call_id)
    org.catch_up()
    return Answer(204)


def rerun_call_analysis(org: Organization, call_id: str, _: Any) -> Answer:
    """Analyze an ended call again, at once, and charge for it.

    That it is synchronous, answers 201 and refuses calls that have not ended with 400 is our guess.
    """
    call = org.call(call_id)
    if call["call_status"] in LIVE_STATUSES:
        raise ApiError(400, f"Call {call_id} has not ended (call_status is {call['call_status']})")
    org.reruns += 1
    runs = org.analysis_runs.get(call_id, 1) + 1
    org.analysis_runs[call_id] = runs
    call["call_analysis"] = samples.analysis(call, runs)
    return json_answer(201, shown(org, call))


def get_concurrency(org: Organization, _: str, __: Any) -> Answer:
    """Return the live calls and their limit. Limits above 20 count as purchased; burst is off."""
    base = min(org.concurrency, 20)
    purchased = org.concurrency - base
    most = max(PURCHASE_LIMIT, purchased)
    return json_answer(
        200,
        {
            "current_concurrency": org.store.live_count(),
            "concurrency_limit": org.concurrency,
            "base_concurrency": base,
            "purchased_concurrency": purchased,
            "concurrency_purchase_limit": most,
            "remaining_purchase_limit": most - purchased,
            "concurrency_burst_enabled": False,
            "concurrency_burst_limit": 0,
            "reserved_inbound_concurrency": 0,
        },
    )
