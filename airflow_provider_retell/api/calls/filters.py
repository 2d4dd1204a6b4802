"""The filter of list-calls: conditions of the form ``{"type": ..., "op": ..., "value": ...}``.

A call must meet all conditions. Source: https://docs.retellai.com/api-references/list-calls and the types of Retell's
Python SDK.
"""

from __future__ import annotations

from airflow_provider_retell.api.body import Body
from airflow_provider_retell.api.records.conditions import (
    Keyed,
    Number,
    OneOf,
    RecordFilter,
    TextIs,
    TextOrList,
    TruthIs,
)


class ToolCallIs(Body):
    """A tool call during the call."""

    name: str | None = None
    type: str | None = None
    success: TruthIs | None = None
    latency_ms: Number | None = None


class FilterCriteria(RecordFilter):
    """Conditions on a call, which must meet all that are set."""

    batch_call_id: TextIs | None = None
    call_id: TextOrList | None = None
    call_status: OneOf | None = None
    call_successful: TruthIs | None = None
    call_type: OneOf | None = None
    dynamic_variables: list[Keyed] | None = None
    e2e_latency_p50: Number | None = None
    from_number: TextIs | None = None
    in_voicemail: TruthIs | None = None
    metadata: list[Keyed] | None = None
    to_number: TextIs | None = None
    tool_calls: list[ToolCallIs] | None = None
