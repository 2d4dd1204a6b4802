"""Sample data: the settings of a new agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.agents.vocabulary import Version


def settings(channel: str) -> Version:
    """Return the settings of a new voice or chat agent."""
    shared = {
        "agent_name": "Front desk",
        "language": "en-US",
        "data_storage_setting": "everything",
        "opt_in_signed_url": False,
    }
    if channel == "chat":
        return {**shared, "end_chat_after_silence_ms": 3_600_000, "post_chat_analysis_model": "gpt-4.1-mini"}
    return {
        **shared,
        "voice_id": "11labs-Adrian",
        "interruption_sensitivity": 1,
        "responsiveness": 1,
        "max_call_duration_ms": 3_600_000,
        "end_call_after_silence_ms": 600_000,
        "post_call_analysis_model": "gpt-4.1-mini",
    }
