"""What a stricter ``data_storage_setting`` does to a call that is already stored.

Retell documents that the setting only tightens and what each level keeps; when and how far an ended call is
cleaned afterwards it does not. Here it happens at once. ``everything_except_pii`` is modeled simply:
e-mail addresses and runs of seven or more digits in the transcripts are masked; recordings become scrubbed
recordings; metadata, dynamic variables and phone numbers stay as they are.
"""

from __future__ import annotations

import re
from typing import Any

from airflow_provider_retell.emulator.errors import ApiError
from airflow_provider_retell.emulator.vocabulary import STORAGE_SETTINGS, TRANSCRIPTS, Call

_RECORDINGS = ("recording_url", "recording_multi_channel_url")
_LOGS = ("public_log_url", "knowledge_base_retrieved_contents_url")
_SCRUBBED = {
    "transcript_with_tool_calls": "scrubbed_transcript_with_tool_calls",
    "pre_session_transcript_with_tool_calls": "scrubbed_pre_session_transcript_with_tool_calls",
    "post_session_transcript_with_tool_calls": "scrubbed_post_session_transcript_with_tool_calls",
    "recording_url": "scrubbed_recording_url",
    "recording_multi_channel_url": "scrubbed_recording_multi_channel_url",
}
_PII = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+|\+?\d(?:[\s().-]*\d){6,}")


def check_tightening(call: Call, setting: str) -> None:
    """400 if ``setting`` would keep more than the call's present one."""
    present = call.get("data_storage_setting", "everything")
    if STORAGE_SETTINGS.index(setting) < STORAGE_SETTINGS.index(present):
        raise ApiError(
            400, f"data_storage_setting cannot be changed from {present} to the less restrictive {setting}"
        )


def tighten(call: Call, setting: str) -> None:
    """Store ``setting`` with the call and drop what it no longer allows."""
    call["data_storage_setting"] = setting
    if setting == "basic_attributes_only":
        for name in (*TRANSCRIPTS, *_RECORDINGS, *_LOGS, *_SCRUBBED.values()):
            call.pop(name, None)
    elif setting == "everything_except_pii":
        for raw, clean in _SCRUBBED.items():
            if raw in call:
                call[clean] = scrub(call.pop(raw))
        if "transcript" in call:
            call["transcript"] = scrub(call["transcript"])
        call.pop("transcript_object", None)
        for name in _LOGS:
            call.pop(name, None)


def scrub(value: Any) -> Any:
    """Return a copy of ``value`` with e-mail addresses and phone-like numbers masked.

    Word timings go altogether: they spell the content out.
    """
    if isinstance(value, str):
        return value if value.startswith("https://") else _PII.sub("[redacted]", value)
    if isinstance(value, list):
        return [scrub(item) for item in value]
    if isinstance(value, dict):
        return {name: [] if name == "words" else scrub(item) for name, item in value.items()}
    return value
