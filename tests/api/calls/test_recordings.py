"""The checks of a download: its link, status, headers and first bytes."""

from __future__ import annotations

import pytest
from requests.structures import CaseInsensitiveDict

from airflow_provider_retell.api.calls.files import FILES
from airflow_provider_retell.api.calls.recordings import (
    ArchivedCall,
    BadFileError,
    DownloadError,
    LinkRejectedError,
    check_headers,
    check_link,
    check_start,
    check_status,
    size_of,
)

AUDIO, LOG = FILES["recording"], FILES["public_log"]


@pytest.mark.parametrize(
    "link",
    [
        "https://bucket.example/a.wav?Signature=1",
        "http://localhost:8080/a.wav",
        "http://127.0.0.1/a",
        "http://[::1]/a",
    ],
)
def test_link_may_be_https_or_lead_to_this_machine(link: str) -> None:
    check_link(link)


@pytest.mark.parametrize(
    "link",
    [
        "http://bucket.example/a.wav",
        "http://localhost.example/a.wav",
        "ftp://bucket.example/a.wav",
        "file:///etc/passwd",
        "https:///a.wav",
        "//bucket.example/a.wav",
        "a.wav",
        "https://[::1/a.wav",
    ],
)
def test_other_links_are_rejected_and_not_quoted(link: str) -> None:
    with pytest.raises(BadFileError) as caught:
        check_link(link)
    assert str(caught.value) == "the link is not an https URL"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, None),
        (206, None),
        (204, LinkRejectedError),
        (300, BadFileError),
        (302, BadFileError),
        (399, BadFileError),
        (400, LinkRejectedError),
        (403, LinkRejectedError),
        (404, LinkRejectedError),
        (408, DownloadError),
        (425, DownloadError),
        (429, DownloadError),
        (499, LinkRejectedError),
        (500, DownloadError),
        (503, DownloadError),
    ],
)
def test_status_decides_whether_another_attempt_or_link_can_help(
    status: int, error: type[Exception] | None
) -> None:
    if error is None:
        check_status(status)
    else:
        with pytest.raises(error, match=str(status)) as caught:
            check_status(status)
        assert type(caught.value) is error


@pytest.mark.parametrize(
    ("media_type", "is_audio", "is_log"),
    [
        ("audio/wav", True, False),
        (" Audio/X-WAV ; rate=8000", True, False),
        ("video/webm", True, False),
        ("text/plain; charset=utf-8", False, True),
        ("text/html", False, False),
        ("application/xhtml+xml", False, False),
        ("application/json", False, False),
        ("application/octet-stream", True, True),
        ("binary/octet-stream", True, True),
        ("", True, True),
    ],
)
def test_media_type_must_be_that_of_the_file_or_unknown(
    media_type: str, is_audio: bool, is_log: bool
) -> None:
    headers = CaseInsensitiveDict({"content-type": media_type, "content-length": "5"})
    for kind, accepted, noun in ((AUDIO, is_audio, "audio"), (LOG, is_log, "a log")):
        if accepted:
            check_headers(headers, kind)
        else:
            with pytest.raises(BadFileError) as caught:
                check_headers(headers, kind)
            assert (
                str(caught.value)
                == f"the link leads to {media_type.partition(';')[0].strip().lower()}, not to {noun}"
            )


def test_private_text_in_the_media_type_is_not_quoted() -> None:
    with pytest.raises(BadFileError, match="^the link leads to another type of file, not to audio$"):
        check_headers({"Content-Type": "pr1vate text", "Content-Length": "5"}, AUDIO)


@pytest.mark.parametrize(
    ("headers", "fault"),
    [
        ({}, "no length"),
        ({"Transfer-Encoding": "gzip"}, "no length"),
        ({"Transfer-Encoding": "Chunked"}, ""),
        ({"Content-Length": "0"}, ""),
        ({"Content-Length": "5", "Content-Encoding": " Identity"}, ""),
        ({"Content-Length": "5", "Content-Encoding": ""}, ""),
        ({"Content-Length": "5", "Content-Encoding": "gzip"}, "is compressed"),
    ],
)
def test_response_must_have_a_length_and_no_compression(headers: dict[str, str], fault: str) -> None:
    if not fault:
        check_headers(headers, AUDIO)
    else:
        with pytest.raises(BadFileError, match=fault):
            check_headers(headers, AUDIO)


@pytest.mark.parametrize(
    "start",
    [b"RIFF", b"RF64", b"RIFX", b"ID3", b"\xff\xfb", b"OggS", b"fLaC", b"\x1aE\xdf\xa3", b"\0\0\0\x20ftyp"],
)
def test_audio_begins_with_a_known_mark(start: bytes) -> None:
    check_start(start + b"more", AUDIO)


@pytest.mark.parametrize(
    ("start", "fault"),
    [
        (b"", "the file is empty"),
        (b"<!DOCTYPE html>", "the file has no audio at its start"),
        (b"xRIFF", "the file has no audio at its start"),
    ],
)
def test_other_starts_are_not_audio(start: bytes, fault: str) -> None:
    with pytest.raises(BadFileError) as caught:
        check_start(start, AUDIO)
    assert str(caught.value) == fault


def test_log_may_be_any_text_but_an_html_page() -> None:
    for start in (b"", b"agent: hello", b"<call>"):
        check_start(start, LOG)
    for start in (b"<!DOCTYPE html>", b"\n <HTML><body>"):
        with pytest.raises(BadFileError, match="HTML page"):
            check_start(start, LOG)


@pytest.mark.parametrize(
    ("status", "headers", "size"),
    [
        (206, {"Content-Range": "bytes 0-0/1234", "Content-Length": "1"}, 1234),
        (206, {"Content-Range": " bytes 0-0/1234 "}, 1234),
        (206, {"Content-Range": "bytes 0-0/*", "Content-Length": "1"}, None),
        (206, {"Content-Length": "1"}, None),
        (200, {"Content-Length": "1234"}, 1234),
        (200, {"Content-Length": "-1"}, None),
        (200, {}, None),
    ],
)
def test_size_is_that_of_the_whole_file(status: int, headers: dict[str, str], size: int | None) -> None:
    assert size_of(status, headers) == size


def test_links_are_those_of_the_known_files() -> None:
    call = ArchivedCall.model_construct(
        call_id="call_1", recording_url="https://a", recording_multi_channel_url=" ", public_log_url=5
    )
    assert call.links() == {"recording": "https://a"}
