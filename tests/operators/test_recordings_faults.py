"""ArchiveRecordingsOperator and broken downloads: a failed row with its reason, and never half a file."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from full_disk import open_full
from raw_server import RawServer
from tasks import Ti, json_lines, rendered_fields, run_try

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.bulk.errors import BulkStoppedError, RowsFailedError
from airflow_provider_retell.bulk.recordings import storage
from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.common import atomic
from airflow_provider_retell.common.wording import counted
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.emulator.recordings.content import recording
from airflow_provider_retell.operators import ArchiveRecordingsOperator

AUDIO = recording(1)
PAGE = "<!DOCTYPE html><html><body>Sign in</body></html>"
OLD = b"the recording of an earlier run"


class Run:
    """A run of a task for one call, with its manifest and its report."""

    def __init__(self, folder: Path, **arguments: Any) -> None:
        self.folder = folder / "archive"
        report = folder / "report.jsonl"
        report.unlink(missing_ok=True)
        arguments.setdefault("rows", [{"call_id": "call_1"}])
        self.task = ArchiveRecordingsOperator(
            task_id="a_task", path=f"{self.folder}/{{call_id}}.wav", report_path=str(report), **arguments
        )
        self.ti = Ti()
        self.error: Exception | None = None
        try:
            run_try(self.task, ti=self.ti)
        except (RetellError, AirflowFailException) as error:
            self.error = error
        self.manifest: dict[str, Any] = self.ti.xcom.get("manifest", {})
        self.lines = json_lines(report)

    @property
    def reason(self) -> str:
        """The reason of the only row, which failed."""
        assert isinstance(self.error, RowsFailedError)
        [line] = self.lines
        assert (line["outcome"], line["changed"]) == ("failed", [])
        return str(line["reason"])

    def files(self) -> dict[str, bytes]:
        """Return all files in the archive, also temporary ones."""
        return {path.name: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}


@pytest.fixture
def archive(tmp_path: Path, no_sleep: None) -> Callable[..., Run]:
    return functools.partial(Run, tmp_path)


@pytest.fixture
def call(emulator: Emulator) -> None:
    emulator.add_call(call_id="call_1", duration_ms=1000)


@pytest.fixture
def host() -> Iterator[RawServer]:
    """The host of a recording, which sends anything."""
    server = RawServer()
    yield server
    server.close()


@pytest.mark.usefixtures("call")
@pytest.mark.parametrize("has_old_file", [False, True])
@pytest.mark.parametrize(
    ("fault", "reason", "attempts"),
    [
        (Fault.truncate(), "the connection to the host of the file broke before the file was complete", 3),
        (Fault.drop(), "the request for the file failed with ServerDisconnectedError", 3),
        (Fault.garbage(PAGE), "the link leads to text/html, not to audio", 1),
        (Fault.redirect("http://127.0.0.1:1/"), "the link redirects to another address (status 302)", 1),
        (Fault.status(503), "the host of the file responds with status 503", 3),
        (Fault.status(403), "the host of the file rejects the link with status 403", 1),
        (Fault.status(200, body={}), "the link leads to application/json, not to audio", 1),
        (Fault.status(204), "", 1),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_a_broken_download_is_a_failed_row_without_half_a_file(
    emulator: Emulator, archive: Any, tmp_path: Path, fault: Fault, reason: str, attempts: int,
    has_old_file: bool,
) -> None:  # fmt: skip
    if has_old_file:
        (tmp_path / "archive").mkdir()
        (tmp_path / "archive/call_1.wav").write_bytes(OLD)
    emulator.faults.add(fault, route="get-call-file", times=0)
    run = archive()
    assert run.reason.startswith(f"recording: {reason}")
    assert run.files() == ({"call_1.wav": OLD} if has_old_file else {})
    assert emulator.count("get-call-file") == attempts
    emulator.faults.clear()
    assert archive().manifest["archived"] == 1
    assert run.files() == {"call_1.wav": AUDIO}


@pytest.mark.usefixtures("call")
def test_a_large_file_that_breaks_off_after_its_first_part_leaves_nothing(
    emulator: Emulator, archive: Any, mocker: Any
) -> None:
    mocker.patch("airflow_provider_retell.bulk.recordings.storage.BUFFER", 1000)
    emulator.faults.add(Fault.truncate(), route="get-call-file", times=3)
    run = archive()
    assert "broke before the file was complete" in run.reason
    assert run.files() == {}
    assert archive().files() == {"call_1.wav": AUDIO}


@pytest.mark.usefixtures("call")
@pytest.mark.parametrize("fault", [Fault.truncate(), Fault.drop(), Fault.status(503), Fault.status(429)])
def test_a_fault_that_passes_is_retried(emulator: Emulator, archive: Any, fault: Fault) -> None:
    emulator.faults.add(fault, route="get-call-file", times=2)
    run = archive()
    assert (run.error, run.files()) == (None, {"call_1.wav": AUDIO})


@pytest.mark.usefixtures("call")
def test_a_host_that_hangs_is_given_up_after_the_timeout_of_the_connection(
    emulator: Emulator, archive: Any, connect: Any
) -> None:
    connect(emulator, timeout=0.2)
    emulator.faults.add(Fault.hang(), route="get-call-file", times=0)
    run = archive()
    assert run.reason == "recording: the host of the file sent nothing for 0.2 s"
    assert not run.files()


def test_a_host_that_sends_a_byte_now_and_then_is_given_up(
    archive: Any, connect: Any, emulator: Emulator, host: RawServer, mocker: Any
) -> None:
    mocker.patch("airflow_provider_retell.hooks.downloads._MAX_TIMEOUTS", 3)
    connect(emulator, timeout=0.1)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: 9999999\r\n\r\n"
    host.respond = lambda connection: (connection.sendall(head), host.drip(connection, AUDIO))
    run = archive(rows=[{"call_id": "call_1", "recording_url": host.url}])
    assert run.reason == "recording: the file is not complete after 0.3 s"
    assert not run.files()


@pytest.mark.parametrize(
    ("head", "body", "reason"),
    [
        (b"Content-Type: audio/wav", AUDIO, "the response has no length"),
        (b"Content-Type: audio/wav\r\nContent-Length: 0", b"", "the file is empty"),
        (b"Content-Type: audio/wav\r\nContent-Length: 40", PAGE.encode()[:40], "the file has no audio"),
    ],
)  # fmt: skip
def test_a_response_that_is_not_the_recording_is_a_failed_row(
    archive: Any, host: RawServer, head: bytes, body: bytes, reason: str
) -> None:
    host.respond = lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n" + body)
    run = archive(rows=[{"call_id": "call_1", "recording_url": host.url}])
    assert run.reason.startswith(f"recording: {reason}")
    assert not run.files()


def test_a_recording_in_chunks_without_a_length_is_archived(archive: Any, host: RawServer) -> None:
    size = f"{len(AUDIO):x}\r\n".encode()
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    host.respond = lambda connection: connection.sendall(head + size + AUDIO + b"\r\n0\r\n\r\n")
    run = archive(rows=[{"call_id": "call_1", "recording_url": host.url}])
    assert run.files() == {"call_1.wav": AUDIO}


@pytest.mark.parametrize("content", [b"", b"hi\n", b"agent: hello\n" * 10])
def test_a_log_of_any_length_is_archived(archive: Any, host: RawServer, content: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    host.respond = lambda connection: connection.sendall(head + content)
    run = archive(rows=[{"call_id": "call_1", "public_log_url": host.url}], files=["public_log"])
    assert run.files() == {"call_1.public_log.txt": content}


def test_audio_in_very_small_parts_is_checked_and_archived(archive: Any, host: RawServer) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: {len(AUDIO)}\r\n\r\n".encode()

    def respond(connection: Any) -> None:
        connection.sendall(head + AUDIO[:3])
        for start, end in ((3, 20), (20, 21), (21, len(AUDIO))):
            time.sleep(0.02)
            connection.sendall(AUDIO[start:end])

    host.respond = respond
    run = archive(rows=[{"call_id": "call_1", "recording_url": host.url}])
    assert run.files() == {"call_1.wav": AUDIO}


@pytest.mark.parametrize(
    "link",
    ["http://example.com/a.wav", "file:///etc/passwd"],
)
def test_a_link_that_is_not_https_is_not_requested(archive: Any, link: str) -> None:
    run = archive(rows=[{"call_id": "call_1", "recording_url": link}])
    assert run.reason == "recording: the link is not an https URL"


def test_an_unreachable_host_is_a_failed_row(archive: Any) -> None:
    run = archive(rows=[{"call_id": "call_1", "recording_url": "https://127.0.0.1:1/secret.wav"}])
    assert run.reason == "recording: the host of the file cannot be reached"


def test_the_api_key_is_not_sent_to_the_host_of_a_recording(archive: Any, emulator: Emulator) -> None:
    emulator.add_call(call_id="call_1", duration_ms=1000)
    for _ in range(2):
        archive()
    keys = {each.route: each.organization for each in emulator.requests}
    assert keys == {"get-call": "default", "get-call-file": None}


def test_links_are_in_neither_logs_nor_xcom_nor_report_nor_rendered_fields(
    archive: Any, emulator: Emulator, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("airflow_provider_retell.emulator").disabled = True
    try:
        faults = [
            Fault.truncate(),
            Fault.status(500),
            Fault.garbage(PAGE),
            Fault.redirect(),
            Fault.drop(),
            None,
        ]
        emulator.add_calls((f"call_{n}" for n in range(len(faults))), minimal=False, duration_ms=1000)
        rows = []
        for number, fault in enumerate(faults):
            link = f"{emulator.url}/call-files/default/call_{number}/recording.wav?Signature=zebra-{number}"
            rows.append({"call_id": f"call_{number}", "recording_url": link})
            if fault:
                emulator.faults.add(fault, route="get-call-file", times=0, call_id=f"call_{number}")
        rows += [{"call_id": "x", "recording_url": "https://127.0.0.1:1/call-files/zebra"}]
        rows += [{"call_id": "y", "recording_url": "zebra"}]
        run = archive(rows=rows)
        assert (run.manifest["archived"], run.manifest["failed"]) == (1, 7)
        shown = json.dumps([run.ti.xcom, run.lines, rendered_fields(run.task), str(run.error)])
        for place in (caplog.text, "".join(capfd.readouterr()), shown):
            assert "zebra" not in place
            assert "call-files" not in place
    finally:
        logging.getLogger("airflow_provider_retell.emulator").disabled = False


@pytest.mark.usefixtures("call")
def test_a_storage_that_fails_is_a_failed_row_without_the_words_of_the_storage(
    archive: Any, mocker: Any
) -> None:
    mocker.patch("airflow_provider_retell.common.atomic._default_mode", side_effect=PermissionError("zebra"))
    run = archive()
    assert run.reason == "recording: the storage failed with PermissionError"
    assert not run.files()


@pytest.mark.usefixtures("call")
@pytest.mark.parametrize("buffer", [100, 1024 * 1024])
@pytest.mark.parametrize("file", ["recording", "transcript"])
def test_a_full_disk_is_a_failed_row_that_says_so(archive: Any, mocker: Any, file: str, buffer: int) -> None:
    mocker.patch.object(storage, "BUFFER", buffer)
    mocker.patch.object(atomic, "_open_private", open_full)
    run = archive(files=[file])
    assert run.reason == f"{file}: the storage failed with OSError: No space left on device"


def test_a_failed_file_does_not_keep_the_other_files_of_the_call(archive: Any, emulator: Emulator) -> None:
    emulator.add_call(call_id="call_1", duration_ms=1000)
    url = emulator.calls["call_1"]["recording_url"]
    emulator.edit_call("call_1", recording_url="http://example.com/a.wav", scrubbed_recording_url=url)
    run = archive(files=["recording", "scrubbed_recording", "transcript"])
    [line] = run.lines
    assert (line["outcome"], line["changed"]) == ("failed", ["scrubbed_recording", "transcript"])
    assert line["reason"] == "recording: the link is not an https URL"
    assert sorted(run.files()) == ["call_1.scrubbed.wav", "call_1.transcript.json"]


def test_the_run_stops_after_50_failed_downloads_in_a_row(archive: Any, emulator: Emulator) -> None:
    emulator.add_calls((f"call_{n}" for n in range(200)), minimal=False, duration_ms=1000)
    emulator.faults.add(Fault.status(503), route="get-call-file", times=0)
    rows = [
        {"call_id": f"call_{n}", "recording_url": f"{emulator.url}/call-files/default/call_{n}/recording.wav"}
        for n in range(200)
    ]
    run = archive(rows=rows)
    assert isinstance(run.error, BulkStoppedError)
    assert 50 <= run.manifest["failed"] < 70
    assert run.manifest["complete"] is False
    assert len(run.lines) == run.manifest["rows"]


def test_pages_instead_of_audio_do_not_stop_the_run(archive: Any, emulator: Emulator) -> None:
    emulator.add_calls((f"call_{n}" for n in range(80)), minimal=False, duration_ms=1000)
    emulator.faults.add(Fault.garbage(PAGE), route="get-call-file", times=0)
    run = archive(rows=[{"call_id": f"call_{n}"} for n in range(80)], quota="1000/1")
    assert (run.manifest["failed"], type(run.error)) == (80, RowsFailedError)
    assert run.manifest["complete"] is True


@pytest.mark.usefixtures("call")
def test_a_rejected_api_key_ends_the_run(archive: Any, emulator: Emulator) -> None:
    emulator.revoke_key(emulator.api_key)
    run = archive(rows=[{"call_id": f"call_{n}"} for n in range(100)])
    assert isinstance(run.error, AirflowFailException)
    assert emulator.count("get-call") < 40


@pytest.mark.usefixtures("call")
def test_a_wait_beyond_the_retry_limits_stops_the_run(archive: Any, emulator: Emulator) -> None:
    fault = Fault.status(429, headers={"Retry-After": "3600"})
    emulator.faults.add(fault, route="get-call", times=0)
    run = archive(rows=[{"call_id": f"call_{n}"} for n in range(100)])
    assert isinstance(run.error, BulkStoppedError)
    rows = counted(run.manifest["rows"], "row")
    stopped = f"Stopped after {rows}, because Retell asks to wait 3600 s"
    assert str(run.error).startswith(stopped)
    assert emulator.count("get-call") < 40
    # The call that was throttled is in the report.
    assert run.manifest["rows"] == run.manifest["failed"] == len(run.lines) >= 1


def test_a_call_that_is_throttled_in_every_attempt_fails_alone(archive: Any, emulator: Emulator) -> None:
    emulator.add_calls((f"call_{n}" for n in range(20)), minimal=False, duration_ms=1000)
    fault = Fault.status(429, headers={"Retry-After": "0.01"})
    emulator.faults.add(fault, route="get-call", call_id="call_5", times=0)
    run = archive(rows=[{"call_id": f"call_{n}"} for n in range(20)], quota="1000/1")
    assert isinstance(run.error, RowsFailedError)
    assert (run.manifest["archived"], run.manifest["failed"]) == (19, 1)


def test_a_cancellation_waits_for_the_running_step_of_the_storage(mocker: Any) -> None:
    running, release, done = threading.Event(), threading.Event(), threading.Event()

    def slow(*_: Any) -> None:
        running.set()
        release.wait(20)
        done.set()
        raise OSError("the connection was lost")

    mocker.patch.object(storage, "_size", slow)

    async def cancel() -> None:
        files = storage.Storage(None, 1)
        task = asyncio.create_task(files.size("a.wav"))
        await asyncio.to_thread(running.wait, 20)
        task.cancel()
        asyncio.get_running_loop().call_later(0.05, release.set)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert done.is_set()
        files.close()

    asyncio.run(cancel())


def test_the_error_of_the_source_fails_the_task_after_the_rows_before_it(
    archive: Any, emulator: Emulator
) -> None:
    emulator.add_call(call_id="call_1", duration_ms=1000)

    def rows() -> Iterator[dict[str, str]]:
        yield {"call_id": "call_1"}
        raise RetellError("the database is gone")

    with no_waiting():
        run = archive(rows=rows)
    assert str(run.error) == "the database is gone"
    assert run.manifest["complete"] is False
    assert run.files() == {"call_1.wav": AUDIO}
