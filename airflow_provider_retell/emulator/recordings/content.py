"""The content of a call's files: recordings that players can play, and logs."""

from __future__ import annotations

import io
import math
import wave
from array import array
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_provider_retell.emulator.calls.vocabulary import Call

RATE = 8000
"""The number of samples per second."""

MAX_SECONDS = 60
"""The length of the longest recording. Longer calls have recordings of this length."""

_SAMPLE_BYTES = 2


def content_of(call: Call, name: str) -> tuple[bytes, str]:
    """Return the bytes and the media type of a file of *call*.

    :param name: the name of the file, such as "recording.wav".
    """
    if name.endswith(".wav"):
        seconds = min(call.get("duration_ms", 0) / 1000, MAX_SECONDS)
        return recording(seconds, channels=2 if "multichannel" in name else 1), "audio/wav"
    text = f"call {call['call_id']} of agent {call['agent_id']}\n" * 20
    return text.encode(), "text/plain; charset=utf-8"


def recording(seconds: float, *, channels: int = 1) -> bytes:
    """Return a WAV file with a tone; the second channel is silent."""
    frames, frame_bytes = round(seconds * RATE), channels * _SAMPLE_BYTES
    repeated = _one_second(channels) * math.ceil(seconds)
    file = io.BytesIO()
    with wave.open(file, "wb") as audio:
        audio.setnchannels(channels)
        audio.setsampwidth(_SAMPLE_BYTES)
        audio.setframerate(RATE)
        audio.writeframes(repeated[: frames * frame_bytes])
    return file.getvalue()


@cache
def _one_second(channels: int) -> bytes:
    tone = (round(8000 * math.sin(2 * math.pi * 440 * number / RATE)) for number in range(RATE))
    samples = array("h")
    for sample in tone:
        samples.extend([sample, *[0] * (channels - 1)])
    return samples.tobytes()
