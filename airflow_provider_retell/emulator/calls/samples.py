"""Sample data: the fields that Retell fills in when a call is registered, starts, ends and is analyzed."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.calls.privacy import tighten
from airflow_provider_retell.emulator.calls.vocabulary import CALL_STATUSES, CALL_TYPES, Call, status_of

if TYPE_CHECKING:
    from collections.abc import Mapping

TALK_MS = 62_000
"""The default duration of a call, in milliseconds."""

FILES_URL = "https://dxc03zgurdly9.cloudfront.net.invalid"
"""The start of links to files. While the emulator runs, the API shows links to the emulator in their place."""


def new_call_id() -> str:
    """Return a random id in Retell's format."""
    return f"call_{uuid.uuid4().hex}"


def registered(call_type: str, call_id: str) -> Call:
    """Return a call that was just registered."""
    call: Call = {
        "call_type": call_type,
        "call_id": call_id,
        "agent_id": "agent_7ad21f0c9b6e4a1d8c35",
        "agent_version": 3,
        "agent_name": "Front desk",
        "call_status": "registered",
        "metadata": {},
        "retell_llm_dynamic_variables": {},
        "custom_sip_headers": {},
        "data_storage_setting": "everything",
        "opt_in_signed_url": False,
    }
    if call_type == "web_call":
        call["access_token"] = f"token_{uuid.uuid4().hex}"
    else:
        call.update(
            direction="outbound",
            from_number="+14155550100",
            to_number="+14155550123",
            telephony_identifier={"twilio_call_sid": f"CA{uuid.uuid4().hex}"},
        )
    return call


def _spread(typical: float) -> dict[str, Any]:
    values = [typical, typical * 0.75, typical * 1.5]
    return {
        "p50": typical,
        "p90": typical * 1.5,
        "p95": typical * 1.5,
        "p99": typical * 1.5,
        "max": typical * 1.5,
        "min": typical * 0.75,
        "num": 3,
        "values": values,
    }


def _utterance(role: str, start: float, content: str) -> dict[str, Any]:
    words = [
        {"word": word, "start": round(start + 0.3 * n, 2), "end": round(start + 0.3 * n + 0.25, 2)}
        for n, word in enumerate(content.split())
    ]
    return {"role": role, "content": content, "words": words}


def transcript_fields() -> dict[str, Any]:
    """Return the transcript fields of a short call with one tool call, and its ``tool_calls``."""
    spoken = [
        _utterance("agent", 0.6, "Hello, this is the front desk. How can I help?"),
        _utterance("user", 4.1, "I would like to move my appointment. My number is 415 555 0123."),
        _utterance("agent", 9.4, "Done. You are now booked for Tuesday at ten."),
    ]
    tool_call = [
        {
            "role": "tool_call_invocation",
            "tool_call_id": "tool_call_1",
            "name": "book_appointment",
            "arguments": '{"day":"Tuesday","time":"10:00"}',
            "type": "custom",
        },
        {"role": "tool_call_result", "tool_call_id": "tool_call_1", "content": "booked", "successful": True},
    ]
    return {
        "transcript": "".join(f"{turn['role'].capitalize()}: {turn['content']}\n" for turn in spoken),
        "transcript_object": spoken,
        "transcript_with_tool_calls": [*spoken[:2], *tool_call, spoken[2]],
        "tool_calls": [{"name": "book_appointment", "type": "custom", "success": True, "latency_ms": 480}],
    }


def ended_fields(call_id: str, duration_ms: int) -> dict[str, Any]:
    """Return the fields that a connected call gains at its end, without its timestamps and reason."""
    seconds = max(1, round(duration_ms / 1000))
    return {
        **transcript_fields(),
        "duration_ms": duration_ms,
        "recording_url": f"{FILES_URL}/{call_id}/recording.wav",
        "recording_multi_channel_url": f"{FILES_URL}/{call_id}/recording_multichannel.wav",
        "public_log_url": f"{FILES_URL}/{call_id}/public.log",
        "knowledge_base_retrieved_contents_url": f"{FILES_URL}/{call_id}/kb_retrieved_contents.txt",
        "collected_dynamic_variables": {"current_node": "Close"},
        "latency": {
            "e2e": _spread(1100.0),
            "asr": _spread(120.0),
            "llm": _spread(640.0),
            "llm_websocket_network_rtt": _spread(40.0),
            "tts": _spread(210.0),
            "knowledge_base": _spread(90.0),
            "s2s": _spread(900.0),
        },
        "llm_token_usage": {"values": [812.0, 864.0, 917.0], "average": 864.3, "num_requests": 3},
        "call_cost": {
            "product_costs": [
                {"product": "elevenlabs_tts", "unit_price": 0.1167, "cost": round(0.1167 * seconds, 4)},
                {"product": "gpt_4_1", "unit_price": 0.075, "cost": round(0.075 * seconds, 4)},
            ],
            "total_duration_seconds": seconds,
            "total_duration_unit_price": 0.1917,
            "combined_cost": round(0.1917 * seconds, 4),
        },
    }


def analysis(call: Call, run: int = 1) -> dict[str, Any]:
    """Return the ``call_analysis`` of a call that is over.

    The custom fields are empty if the call never connected, as documented.

    :param run: the number of the analysis; the summary mentions it from the second on.
    """
    connected = call["call_status"] == "ended"
    voicemail = call.get("disconnection_reason") == "voicemail_reached"
    summary = (
        "The caller moved an appointment to Tuesday at ten." if connected else "The call did not take place."
    )
    if voicemail:
        summary = "The call reached voicemail."
    return {
        "call_summary": summary if run == 1 else f"{summary} (analysis run {run})",
        "in_voicemail": voicemail,
        "user_sentiment": "Positive" if connected and not voicemail else "Unknown",
        "call_successful": connected and not voicemail,
        "custom_analysis_data": {"intent": "reschedule", "score": 0.9} if connected and not voicemail else {},
    }


def finish(call: Call, at_ms: int, reason: str) -> None:
    """End *call*: set the fields that Retell sets at the end of a call, all except the analysis.

    :param at_ms: the time of the end, in epoch milliseconds.
    :param reason: the ``disconnection_reason``.
    """
    call["call_status"] = status_of(reason)
    call["disconnection_reason"] = reason
    call["end_timestamp"] = at_ms
    started = call.get("start_timestamp")
    if started is not None and call["call_status"] != "not_connected":
        injected = call.get("transcript_with_tool_calls") or []
        fields = ended_fields(call["call_id"], at_ms - started)
        # A test may have given the transcript, for example, when it added the call.
        kept = {name: call[name] for name in fields if name in call and name != "duration_ms"}
        call.update(fields | kept)
        call["transcript_with_tool_calls"] = fields["transcript_with_tool_calls"] + injected
        if "data_storage_setting" in call:
            tighten(call, call["data_storage_setting"])


def check_vocabulary(fields: Mapping[str, Any]) -> None:
    """Raise ValueError for a call type or status in *fields* that Retell does not have."""
    for name, allowed in (("call_type", CALL_TYPES), ("call_status", CALL_STATUSES)):
        if name in fields and fields[name] not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}, not {fields[name]!r}")


def build(
    fields: dict[str, Any],
    *,
    default_start_ms: int,
    minimal: bool = False,
    unconnected_calls_start: bool = False,
) -> Call:
    """Return a call with the given fields and, for all others, the values of a real call of that kind.

    :param fields: the given fields; None leaves a field out.
    :param default_start_ms: the ``start_timestamp`` if it is not given.
    :param minimal: leave out transcripts, recordings, costs, latencies and analysis.
    :param unconnected_calls_start: give calls that never connected a ``start_timestamp``.
    """
    check_vocabulary(fields)
    status = fields.get("call_status", "ended")
    call_id = fields.get("call_id") or new_call_id()
    call = registered(fields.get("call_type", "phone_call"), call_id)
    call["call_status"] = status
    start = fields.get("start_timestamp", default_start_ms)
    if status in ("ongoing", "ended", "error") or (status == "not_connected" and unconnected_calls_start):
        call["start_timestamp"] = start
    if status in ("ended", "error", "not_connected"):
        defaults = {"ended": "user_hangup", "error": "error_asr", "not_connected": "dial_no_answer"}
        call["disconnection_reason"] = defaults[status]
        duration = fields.get("duration_ms")
        end = fields.get("end_timestamp")
        if duration is None:
            duration = end - start if end is not None and start is not None else TALK_MS
        if status != "not_connected":
            call["duration_ms"] = duration
            if not minimal:
                call.update(ended_fields(call_id, duration))
                tighten(call, fields.get("data_storage_setting", "everything"))
        call["end_timestamp"] = (start if start is not None else default_start_ms) + duration
        if not minimal:
            known = {name: fields[name] for name in ("disconnection_reason",) if name in fields}
            call["call_analysis"] = analysis({**call, **known})
    call.update(fields)
    call["call_id"] = call_id
    return {name: value for name, value in call.items() if value is not None}
