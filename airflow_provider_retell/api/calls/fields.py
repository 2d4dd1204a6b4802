"""The fields that a call can have.

Source: https://docs.retellai.com/api-references/get-call and the pages of the other call endpoints.
"""

from __future__ import annotations

from airflow_provider_retell.api.records.fields import RecordFields

TRANSCRIPTS = frozenset(
    {
        "post_session_transcript_with_tool_calls",
        "pre_session_transcript_with_tool_calls",
        "scrubbed_post_session_transcript_with_tool_calls",
        "scrubbed_pre_session_transcript_with_tool_calls",
        "scrubbed_transcript_with_tool_calls",
        "transcript",
        "transcript_object",
        "transcript_with_tool_calls",
    }
)
"""The fields that get-call returns and list-calls does not."""

_LISTED = frozenset(
    {
        "agent_id",
        "agent_name",
        "agent_tag",
        "agent_version",
        "call_analysis",
        "call_cost",
        "call_id",
        "call_status",
        "call_type",
        "collected_dynamic_variables",
        "custom_attributes",
        "custom_sip_headers",
        "data_storage_setting",
        "direction",
        "disconnection_reason",
        "duration_ms",
        "end_timestamp",
        "from_number",
        "knowledge_base_retrieved_contents_url",
        "latency",
        "llm_token_usage",
        "metadata",
        "opt_in_signed_url",
        "public_log_url",
        "recording_multi_channel_url",
        "recording_url",
        "retell_llm_dynamic_variables",
        "scrubbed_call_analysis",
        "scrubbed_metadata",
        "scrubbed_recording_multi_channel_url",
        "scrubbed_recording_url",
        "start_timestamp",
        "telephony_identifier",
        "to_number",
        "transfer_destination",
        "transfer_end_timestamp",
    }
)
DECLARED = TRANSCRIPTS | _LISTED | {"access_token"}
"""Every field that Retell declares for calls. Some calls may have more."""

FIELDS = RecordFields("call", listed=_LISTED, transcripts=TRANSCRIPTS)
"""The fields of an export. ``access_token`` is never kept."""
