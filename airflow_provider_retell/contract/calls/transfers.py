"""Checks of calls that an agent has transferred."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.clock import clock
from airflow_provider_retell.contract.calls.common import CALLS
from airflow_provider_retell.contract.check import Checks, page
from airflow_provider_retell.contract.findings import Finding, differs, holds
from airflow_provider_retell.contract.records import SAMPLE
from airflow_provider_retell.contract.target import one

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.contract.target import Target

CHECKS = Checks()

_HOURS = 6
"""Longer than the conversation after a transfer."""


def _transferred(_target: Target) -> Flow[list[dict[str, Any]]]:
    """Return the newest transferred calls whose conversation must be over."""
    before = round((clock().time() - _HOURS * 3600) * 1000)
    criteria = {
        "disconnection_reason": {"type": "enum", "op": "in", "value": ["call_transfer"]},
        "end_timestamp": {"type": "number", "op": "le", "value": before},
    }
    _, found = yield from CALLS.listed(filter_criteria=criteria, limit=SAMPLE)
    one(found, f"the organization has no call that was transferred more than {_HOURS} hours ago")
    return found


@CHECKS.add(
    "calls.transfers_have_an_end",
    assumption="A transferred call has transfer_end_timestamp when the conversation after the transfer is over.",
    matters='`until="transfer_ended"` waits for this field.',
    source=page("get-call"),
    question="Do all transferred calls get transfer_end_timestamp?",
    otherwise="The wait times out.",
    options=("shows_transfer_end",),
)
def transfers_have_an_end(target: Target) -> Flow[Finding]:
    """Look for the field in transferred calls."""
    calls = yield from target.once(_transferred)
    without = sum(call.get("transfer_end_timestamp") is None for call in calls)
    if without == len(calls):
        return differs(f"in none of {len(calls)} calls", shows_transfer_end=False)
    if without:
        return differs(f"in {len(calls) - without} of {len(calls)} calls")
    return holds(f"in {len(calls)} calls", shows_transfer_end=True)


@CHECKS.add(
    "calls.transferred_calls_have_ended",
    assumption="The status of a transferred call is `ended`, and its transfer_end_timestamp is not before its "
    "end_timestamp.",
    matters='`until="transfer_ended"` waits for the end of the call first.',
    source=page("get-call"),
    otherwise="The wait ends before the conversation, or times out.",
)
def transferred_calls_have_ended(target: Target) -> Flow[Finding]:
    """Compare the status and the times of transferred calls."""
    calls = yield from target.once(_transferred)
    if any(call.get("call_status") != "ended" for call in calls):
        return differs("another status")
    pairs = [
        (call["end_timestamp"], call["transfer_end_timestamp"])
        for call in calls
        if call.get("end_timestamp") and call.get("transfer_end_timestamp")
    ]
    if any(transfer_end < end for end, transfer_end in pairs):
        return differs("an end of the transfer before the end of the call")
    return holds(f"ended, with {len(pairs)} ends of transfers")
