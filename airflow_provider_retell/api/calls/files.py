"""The files of a call that can be archived. DAG files import this module, so it imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TRANSCRIPT = "transcript"
"""The name of the file with the call's transcripts, which get-call returns and no link leads to."""

TRANSCRIPT_ENDING = "transcript.json"


@dataclass(frozen=True)
class FileKind:
    """A file of a call.

    :ivar field: the field of the call that has the link.
    :ivar ending: the end of the file's name, after the name of the recording without its suffix. None keeps the name
        of the recording.
    """

    field: str
    ending: str | None
    is_audio: bool = True

    def path(self, recording: str) -> str:
        """Return the path of this file next to the recording of the same call."""
        if self.ending is None:
            return recording
        stem, dot, suffix = recording.rpartition(".")
        return f"{stem}.{self.ending}{dot + suffix if self.is_audio else ''}"


FILES: Mapping[str, FileKind] = {
    "recording": FileKind("recording_url", None),
    "recording_multi_channel": FileKind("recording_multi_channel_url", "multi_channel"),
    "scrubbed_recording": FileKind("scrubbed_recording_url", "scrubbed"),
    "scrubbed_recording_multi_channel": FileKind(
        "scrubbed_recording_multi_channel_url", "scrubbed_multi_channel"
    ),
    "public_log": FileKind("public_log_url", "public_log.txt", is_audio=False),
}
"""The files that Retell has links for, by the name in the parameter ``files``."""

FILE_NAMES = (*FILES, TRANSCRIPT)
"""The values of the parameter ``files``."""


def path_of(name: str, recording: str) -> str:
    """Return the path of the file *name* next to the recording of the same call."""
    if name == TRANSCRIPT:
        return f"{recording.rpartition('.')[0]}.{TRANSCRIPT_ENDING}"
    return FILES[name].path(recording)
