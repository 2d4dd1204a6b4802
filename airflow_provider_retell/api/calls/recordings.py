"""The files of a call: their links, and the checks of a download.

Source: https://docs.retellai.com/api-references/get-call. The storage behind the links is not Retell's API.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import urlsplit

from airflow_provider_retell.api.calls.files import FILES, FileKind
from airflow_provider_retell.api.calls.models import CallState
from airflow_provider_retell.api.errors import RetellConnectionError, RetellError

HEAD_BYTES = 16
"""How many bytes of a file :func:`check_start` needs."""

# WAV (also large and big-endian), MP3 with and without tags, Ogg, FLAC, WebM.
_AUDIO_STARTS = (b"RIFF", b"RF64", b"RIFX", b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"OggS", b"fLaC")
_WEBM = b"\x1aE\xdf\xa3"
# Storages send these types for files whose type nobody has set.
_UNKNOWN_TYPES = ("", "application/octet-stream", "binary/octet-stream")
_CONTENT_RANGE = re.compile(r"bytes \d+-\d+/(\d+)")
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_RETRYABLE = frozenset({408, 425, 429})


class DownloadError(RetellConnectionError):
    """The host of a recording did not send the complete file. Another attempt may succeed."""


class LinkRejectedError(RetellError):
    """The host of a recording does not know the link any more. A new link may work."""


class BadFileError(RetellError):
    """The link leads to something other than the file."""


class ArchivedCall(CallState):
    """The fields of a call that the archive needs. Parsing only these takes a tenth of the time of a whole call."""

    recording_url: str | None = None
    recording_multi_channel_url: str | None = None
    scrubbed_recording_url: str | None = None
    scrubbed_recording_multi_channel_url: str | None = None
    public_log_url: str | None = None

    loggable: ClassVar[tuple[str, ...]] = ("call_id", "call_status")

    def links(self) -> dict[str, str]:
        """Return the links to the call's files, by the name of the file."""
        links = {name: getattr(self, kind.field) for name, kind in FILES.items()}
        # A malformed call has fields of any type.
        return {name: link for name, link in links.items() if isinstance(link, str) and link.strip()}


def check_link(link: str) -> None:
    """Raise :class:`BadFileError` unless *link* is an https URL, or an http one of this machine."""
    try:
        parts = urlsplit(link)
        host, scheme = parts.hostname, parts.scheme
    except ValueError:
        host, scheme = None, ""
    if not host or scheme not in ("http", "https") or (scheme == "http" and host not in _LOCAL):
        raise BadFileError("the link is not an https URL")


def check_status(status: int) -> None:
    """Raise the error for a response that is not the file: :class:`DownloadError` if another attempt may succeed."""
    if status in (200, 206):
        return
    if 300 <= status < 400:
        raise BadFileError(f"the link redirects to another address (status {status}), which is not followed")
    if status >= 500 or status in _RETRYABLE:
        raise DownloadError(f"the host of the file responds with status {status}")
    raise LinkRejectedError(f"the host of the file rejects the link with status {status}")


def check_headers(headers: Mapping[str, str], kind: FileKind) -> None:
    """Raise :class:`BadFileError` if the headers of a response are not those of the file."""
    media_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    expected = ("audio/", "video/webm") if kind.is_audio else ("text/",)
    if media_type in ("text/html", "application/xhtml+xml") or not (
        media_type.startswith(expected) or media_type in _UNKNOWN_TYPES
    ):
        wanted = "audio" if kind.is_audio else "a log"
        raise BadFileError(f"the link leads to {_shown(media_type)}, not to {wanted}")
    if headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise BadFileError("the file is compressed, although the request does not accept that")
    if "Content-Length" not in headers and "chunked" not in headers.get("Transfer-Encoding", "").lower():
        raise BadFileError("the response has no length, so an incomplete file could not be detected")


def check_start(start: bytes, kind: FileKind) -> None:
    """Raise :class:`BadFileError` if a file that begins with *start* is not of its kind."""
    if kind.is_audio:
        if not (start.startswith((*_AUDIO_STARTS, _WEBM)) or start[4:8] == b"ftyp"):
            raise BadFileError("the file is empty" if not start else "the file has no audio at its start")
    elif start.lstrip()[:9].lower().startswith((b"<!doctype", b"<html")):
        raise BadFileError("the link leads to an HTML page, not to a log")


def size_of(status: int, headers: Mapping[str, str]) -> int | None:
    """Return the size of the whole file in the response to a request for one byte, or None if it is not known."""
    if status == 206:
        found = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", "").strip())
        return int(found[1]) if found else None
    length = headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None


def _shown(media_type: str) -> str:
    # The header comes from another host, and could have any text.
    return media_type if re.fullmatch(r"[a-z]+/[a-z0-9.+-]{1,50}", media_type) else "another type of file"
