"""Retell's call object: the values of its fields, and the status that belongs to each disconnection reason."""

from __future__ import annotations

from typing import Any

Call = dict[str, Any]
"""A call as the emulator stores it: Retell's call object and the fields of :data:`UNDECLARED`."""

CALL_TYPES = ("web_call", "phone_call")
DIRECTIONS = ("inbound", "outbound")
SENTIMENTS = ("Negative", "Positive", "Neutral", "Unknown")

STORAGE_SETTINGS = ("everything", "everything_except_pii", "basic_attributes_only")
"""From least to most restrictive; a call can only move to a stricter one."""

CALL_STATUSES = ("registered", "not_connected", "ongoing", "ended", "error")
LIVE_STATUSES = frozenset({"registered", "ongoing"})
TERMINAL_STATUSES = ("ended", "error", "not_connected")

UNDECLARED = ("custom_attributes", "batch_call_id", "tool_calls")
"""Fields that filters can use but Retell's call object does not declare, so that they are not returned by
default. ``tool_calls`` is a list of ``{"name", "type", "success", "latency_ms"}``."""

LINKS = (
    "recording_url",
    "recording_multi_channel_url",
    "scrubbed_recording_url",
    "scrubbed_recording_multi_channel_url",
    "public_log_url",
    "knowledge_base_retrieved_contents_url",
)
"""The fields with links to files."""

TRANSCRIPTS = (
    "transcript",
    "transcript_object",
    "transcript_with_tool_calls",
    "scrubbed_transcript_with_tool_calls",
    "pre_session_transcript_with_tool_calls",
    "post_session_transcript_with_tool_calls",
    "scrubbed_pre_session_transcript_with_tool_calls",
    "scrubbed_post_session_transcript_with_tool_calls",
)
"""The fields that list-calls leaves out."""

DISCONNECTION_REASONS = (
    "user_hangup",
    "agent_hangup",
    "user_requested_dnc",
    "user_requested_callback",
    "call_transfer",
    "voicemail_reached",
    "ivr_reached",
    "inactivity",
    "max_duration_reached",
    "concurrency_limit_reached",
    "no_concurrency_fallback",
    "no_valid_payment",
    "credit_exhausted",
    "budget_reached",
    "scam_detected",
    "dial_busy",
    "dial_failed",
    "dial_no_answer",
    "invalid_destination",
    "telephony_provider_permission_denied",
    "telephony_provider_unavailable",
    "sip_routing_error",
    "marked_as_spam",
    "network_blocked",
    "user_declined",
    "error_llm_websocket_open",
    "error_llm_websocket_lost_connection",
    "error_llm_websocket_runtime",
    "error_llm_websocket_corrupt_payload",
    "error_no_audio_received",
    "error_asr",
    "error_retell",
    "error_unknown",
    "error_user_not_joined",
    "registered_call_timeout",
    "transfer_bridged",
    "transfer_cancelled",
    "manual_stopped",
    "call_take_over",
)

_NOT_CONNECTED = frozenset(
    (
        "dial_busy",
        "dial_failed",
        "dial_no_answer",
        "invalid_destination",
        "telephony_provider_permission_denied",
        "telephony_provider_unavailable",
        "sip_routing_error",
        "marked_as_spam",
        "user_declined",
    )
)
_ERROR = frozenset(
    (
        "concurrency_limit_reached",
        "no_valid_payment",
        "registered_call_timeout",
        "scam_detected",
    )
)


def status_of(reason: str) -> str:
    """Return the terminal status that Retell documents for a disconnection reason."""
    if reason in _NOT_CONNECTED:
        return "not_connected"
    if reason in _ERROR or reason.startswith("error_"):
        return "error"
    return "ended"
