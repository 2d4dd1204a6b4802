"""Files on S3, through s3fs and Airflow's Amazon provider, against a server of the S3 protocol."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tasks
from task_forker import Forker

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.bulk import FileRows
from airflow_provider_retell.bulk.errors import RowsFailedError
from airflow_provider_retell.bulk.rows import Header
from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.common.atomic import atomic_open, atomic_write
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.emulator.recordings.content import recording
from airflow_provider_retell.operators import (
    ArchiveRecordingsOperator,
    BulkUpdateCallOperator,
    GetCallOperator,
    ListCallsOperator,
    ListChatsOperator,
)

if TYPE_CHECKING:
    from s3_server import S3Server

for _library in ("airflow.providers.amazon", "moto", "s3fs"):
    pytest.importorskip(_library, reason=f"{_library} is not installed: see `make s3-test`")

AUDIO = recording(1)
LARGE = os.urandom(1024 * 1024) * 20


def rows_of(emulator: Emulator) -> list[dict[str, str]]:
    files = f"{emulator.url}/call-files/default"
    return [{"call_id": each, "recording_url": f"{files}/{each}/recording.wav"} for each in emulator.calls]


def archive(emulator: Emulator, **arguments: Any) -> dict[str, Any]:
    """Archive all recordings to the bucket, and return the manifest."""
    defaults: dict[str, Any] = {
        "path": "s3://bucket/calls/{call_id}.wav",
        "path_conn_id": "aws",
        "rows": rows_of(emulator),
        "report_path": "s3://bucket/report.jsonl",
        "report_conn_id": "aws",
    }
    task = ArchiveRecordingsOperator(task_id="archive", **defaults | arguments)
    ti = tasks.Ti()
    try:
        tasks.run_try(task, ti=ti)
    finally:
        manifest = ti.xcom["manifest"]
    return dict(manifest)


def recordings(s3: S3Server) -> dict[str, bytes]:
    return {name: content for name, content in s3.objects().items() if name.startswith("calls/")}


def add_calls(emulator: Emulator, number: int) -> None:
    emulator.add_calls((f"call_{each}" for each in range(number)), minimal=False, duration_ms=1000)


def test_recordings_are_archived_once(s3: S3Server, emulator: Emulator) -> None:
    add_calls(emulator, 40)
    first = archive(emulator, files=["recording", "transcript"])
    assert (first["archived"], first["files"]) == (40, {"recording": 40, "transcript": 40})
    files = recordings(s3)
    assert [files[f"calls/{call_id}.wav"] for call_id in emulator.calls] == [AUDIO] * 40
    assert all(
        json.loads(files[f"calls/{each}.transcript.json"])["call_id"] == each for each in emulator.calls
    )
    report = [json.loads(line) for line in s3.objects()["report.jsonl"].splitlines()]
    assert [line["outcome"] for line in report] == ["archived"] * 40
    s3.requests.clear()
    second = archive(emulator, files=["recording", "transcript"])
    assert (second["unchanged"], second["bytes"]) == (40, 0)
    assert [
        path for method, path, _ in s3.requests if method != "HEAD" and path.startswith("/bucket/calls")
    ] == []
    assert recordings(s3) == files


def test_the_client_is_created_once_and_has_the_credentials(
    s3: S3Server, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, mocker: Any
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_NEW", os.environ["AIRFLOW_CONN_AWS"])
    created = mocker.spy(pytest.importorskip("airflow.sdk.io"), "get_fs")
    add_calls(emulator, 20)
    assert archive(emulator, path_conn_id="new")["archived"] == 20
    assert [call.args for call in created.call_args_list if "new" in call.args] == [("s3", "new")]


def test_an_object_of_another_size_is_replaced(s3: S3Server, emulator: Emulator) -> None:
    add_calls(emulator, 2)
    atomic_write("s3://bucket/calls/call_1.wav", AUDIO[:100], "aws")
    assert archive(emulator)["archived"] == 2
    assert recordings(s3) == {"calls/call_0.wav": AUDIO, "calls/call_1.wav": AUDIO}


def test_a_truncated_download_leaves_no_object(s3: S3Server, emulator: Emulator) -> None:
    add_calls(emulator, 3)
    emulator.faults.add(Fault.truncate(), route="get-call-file", times=0)
    with no_waiting(), pytest.raises(RowsFailedError):
        archive(emulator)
    assert recordings(s3) == {}
    assert b"broke before the file was complete" in s3.objects()["report.jsonl"]
    emulator.faults.clear()
    assert archive(emulator)["archived"] == 3


@pytest.mark.parametrize("refused", ["PUT", "HEAD"])
def test_a_refusal_is_a_failed_row_without_an_object(
    s3: S3Server, emulator: Emulator, refused: str, caplog: pytest.LogCaptureFixture
) -> None:
    add_calls(emulator, 3)
    s3.refuse = lambda method, path: (
        (403, "AccessDenied") if method == refused and path.endswith("call_1.wav") else None
    )
    with pytest.raises(RowsFailedError):
        archive(emulator)
    assert recordings(s3) == {"calls/call_0.wav": AUDIO, "calls/call_2.wav": AUDIO}
    assert b"recording: the storage failed with PermissionError" in s3.objects()["report.jsonl"]


def test_a_bucket_that_does_not_exist_is_not_created(s3: S3Server, emulator: Emulator) -> None:
    add_calls(emulator, 1)
    with pytest.raises(RowsFailedError):
        archive(emulator, path="s3://bukcet/{call_id}.wav")
    assert s3.buckets == ["bucket"]


def test_writing_needs_no_permission_for_the_bucket(s3: S3Server) -> None:
    s3.refuse = lambda _method, path: (403, "AccessDenied") if path.strip("/") == "bucket" else None
    atomic_write("s3://bucket/calls/call_1.wav", AUDIO, "aws")
    assert recordings(s3) == {"calls/call_1.wav": AUDIO}


def test_the_connection_can_be_in_the_path(s3: S3Server, emulator: Emulator) -> None:
    add_calls(emulator, 2)
    manifest = archive(
        emulator,
        path="s3://aws@bucket/calls/{call_id}.wav",
        path_conn_id=None,
        report_path="s3://aws@bucket/report.jsonl",
        report_conn_id=None,
    )
    assert (manifest["archived"], len(recordings(s3))) == (2, 2)
    assert b'"archived"' in s3.objects()["report.jsonl"]


def test_a_large_file_is_uploaded_in_parts(s3: S3Server) -> None:
    atomic_write("s3://bucket/a.jsonl", LARGE, "aws")
    assert s3.objects() == {"a.jsonl": LARGE}
    parts = [query for method, _path, query in s3.requests if method == "PUT"]
    assert sorted(query.partition("&")[0] for query in parts) == [
        f"partNumber={each}" for each in (1, 2, 3, 4)
    ]
    assert s3.uploads() == 0


def test_an_upload_in_parts_that_fails_leaves_the_earlier_object_and_no_parts(s3: S3Server) -> None:
    atomic_write("s3://bucket/a.jsonl", b"old", "aws")
    parts = iter(range(100))
    s3.refuse = lambda method, _path: (403, "AccessDenied") if method == "PUT" and next(parts) > 0 else None
    with pytest.raises(PermissionError):
        atomic_write("s3://bucket/a.jsonl", LARGE, "aws")
    assert s3.objects() == {"a.jsonl": b"old"}
    assert s3.uploads() == 0


def test_an_error_before_the_end_leaves_the_earlier_object(s3: S3Server) -> None:
    atomic_write("s3://bucket/a.jsonl", b"old", "aws")
    s3.requests.clear()
    with pytest.raises(KeyboardInterrupt), atomic_open("s3://bucket/a.jsonl", "aws") as file:
        file.write(LARGE)
        raise KeyboardInterrupt
    assert s3.objects() == {"a.jsonl": b"old"}
    assert s3.count("PUT") == s3.count("POST") == 0


@pytest.mark.slow
def test_a_killed_archive_leaves_whole_objects_and_the_next_one_copies_only_the_others(
    s3: S3Server, emulator: Emulator
) -> None:
    add_calls(emulator, 40)
    points = random.Random(7)
    arguments = {
        "path": "s3://bucket/calls/{call_id}.wav",
        "path_conn_id": "aws",
        "rows": rows_of(emulator),
        "concurrency": 4,
    }
    with Forker("tests.s3.killed_archive") as forker:
        for _ in range(8):
            before = len(recordings(s3))
            process = forker.start(**arguments)
            wanted = s3.count("PUT") + points.randint(1, 4)
            tasks.eventually(lambda wanted=wanted: s3.count("PUT") >= wanted)  # type: ignore[misc]
            os.kill(process, signal.SIGKILL)
            assert os.WIFSIGNALED(forker.status())
            assert set(recordings(s3).values()) <= {AUDIO}
            assert len(recordings(s3)) >= before
    done = len(recordings(s3))
    assert 0 < done < 40
    manifest = archive(emulator)
    assert (manifest["archived"], manifest["unchanged"]) == (40 - done, done)
    assert list(recordings(s3).values()) == [AUDIO] * 40


@pytest.mark.parametrize("name", ["calls.jsonl", "calls.parquet"])
def test_exports_can_be_read_as_rows(s3: S3Server, emulator: Emulator, name: str) -> None:
    add_calls(emulator, 30)
    path = f"s3://bucket/exports/{name}"
    task = ListCallsOperator(
        task_id="export", path=path, path_conn_id="aws", by=None, fields=["call_id", "metadata"]
    )
    assert tasks.run_task(task)["calls"] == 30
    for source in (path, f"s3://bucket/*/*{Path(name).suffix}"):
        rows = [row for row in FileRows(source, "aws").read() if not isinstance(row, Header)]
        assert [row["call_id"] for row in rows] == list(emulator.calls)


def test_chats_and_single_calls_are_exported(s3: S3Server, emulator: Emulator) -> None:
    emulator.add_chats((f"chat_{each}" for each in range(3)), metadata={})
    add_calls(emulator, 1)
    chats = ListChatsOperator(task_id="export", path="s3://bucket/chats.jsonl", path_conn_id="aws", by=None)
    assert tasks.run_task(chats)["chats"] == 3
    assert len(s3.objects()["chats.jsonl"].splitlines()) == 3
    tasks.run_task(
        GetCallOperator(task_id="get", call_id="call_0", path="s3://bucket/c.json", path_conn_id="aws")
    )
    assert json.loads(s3.objects()["c.json"])["call_id"] == "call_0"


def test_reports_of_bulk_updates_keep_the_lines_of_earlier_tries(s3: S3Server, emulator: Emulator) -> None:
    add_calls(emulator, 3)
    task = BulkUpdateCallOperator(
        task_id="bulk",
        rows=[{"call_id": f"call_{each}", "tier": "gold"} for each in range(4)],
        report_path="s3://bucket/reports/bulk.jsonl.gz",
        report_conn_id="aws",
    )
    for number in (1, 2):
        with pytest.raises(AirflowFailException, match="1 not_found"):
            tasks.run_try(task, ti=tasks.Ti(try_number=number))
    lines = gzip.decompress(s3.objects()["reports/bulk.jsonl.gz"]).splitlines()
    outcomes = sorted((line["try"], line["row"], line["outcome"]) for line in map(json.loads, lines))
    assert outcomes == [
        *((1, row, "updated") for row in (1, 2, 3)),
        (1, 4, "not_found"),
        *((2, row, "unchanged") for row in (1, 2, 3)),
        (2, 4, "not_found"),
    ]
