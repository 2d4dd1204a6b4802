"""Removal of private content from stored calls by a stricter ``data_storage_setting``.

Retell documents that the setting can only become stricter, and the fields that each level keeps. It does not
document when and how the content of an ended call is removed. The emulator removes it at once.
``everything_except_pii`` is simplified: e-mail addresses and runs of seven or more digits in transcripts are
masked, recordings become scrubbed recordings, and metadata, dynamic variables and phone numbers stay.
"""

from __future__ import annotations

import re
from typing import Any

from airflow_provider_retell.emulator.calls.vocabulary import TRANSCRIPTS, Call

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


def tighten(call: Call, setting: str) -> None:
    """Set the ``data_storage_setting`` of the call and remove the content that it does not allow."""
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
    """Return a copy of *value* with e-mail addresses and phone-like numbers masked.

    The timings of words are removed, because they contain the words.
    """
    if isinstance(value, str):
        return value if value.startswith("https://") else _PII.sub("[redacted]", value)
    if isinstance(value, list):
        return [scrub(item) for item in value]
    if isinstance(value, dict):
        return {name: [] if name == "words" else scrub(item) for name, item in value.items()}
    return value
