"""ArchiveRecordingsOperator against the emulator: the files that it copies, and those that it does not."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import aclosing, nullcontext
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from broken_server import change_items
from object_store import ObjectStore
from tasks import Ti, run_try

from airflow_provider_retell._compat import AirflowFailException, AirflowSkipException
from airflow_provider_retell.bulk import FileRows
from airflow_provider_retell.bulk.errors import RowsFailedError
from airflow_provider_retell.bulk.given_rows import CallableRows
from airflow_provider_retell.bulk.recordings.sources import given
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.emulator.recordings.content import recording
from airflow_provider_retell.operators import ArchiveRecordingsOperator, ListCallsOperator

START = datetime(2026, 11, 21, 10, tzinfo=timezone.utc)
INTERVAL = {"data_interval_start": START, "data_interval_end": START + timedelta(hours=1)}
ONE_SECOND = recording(1)
FILES = (
    "recording",
    "recording_multi_channel",
    "scrubbed_recording",
    "scrubbed_recording_multi_channel",
    "public_log",
    "transcript",
)


def ms(time: datetime) -> int:
    return int(time.timestamp() * 1000)


def archive(folder: Path | str, **arguments: Any) -> ArchiveRecordingsOperator:
    return ArchiveRecordingsOperator(task_id="a_task", path=f"{folder}/{{call_id}}.wav", **arguments)


def add(
    emulator: Emulator, call_id: str, end: datetime = START + timedelta(minutes=5), **fields: Any
) -> None:
    times = {"start_timestamp": ms(end) - 1000, "end_timestamp": ms(end)}
    if fields.get("call_status") != "not_connected":
        times["duration_ms"] = 1000
    emulator.add_call(call_id=call_id, **times, **fields)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def downloads(emulator: Emulator) -> int:
    """Return the number of complete files that were requested."""
    return sum(each.route == "get-call-file" and "range" not in each.headers for each in emulator.requests)


def run(
    task: ArchiveRecordingsOperator, error: type[Exception] | None = None, **options: Any
) -> dict[str, Any]:
    """Run a task for the calls of the interval or for its rows, and return its manifest."""
    ti = options.pop("ti", None) or Ti()
    with nullcontext() if error is None else pytest.raises(error):
        run_try(task, ti=ti, **INTERVAL, **options)
    manifest: dict[str, Any] = ti.xcom["manifest"]
    return manifest


def test_recordings_of_the_data_interval_are_copied(
    emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    add(emulator, "inside")
    add(emulator, "in_the_overlap", START - timedelta(minutes=20))
    add(emulator, "too_early", START - timedelta(minutes=40))
    add(emulator, "too_late", START + timedelta(hours=1))
    manifest = run(archive(tmp_path))
    assert names(tmp_path) == ["in_the_overlap.wav", "inside.wav"]
    assert (tmp_path / "inside.wav").read_bytes() == ONE_SECOND
    assert (manifest["rows"], manifest["archived"], manifest["files"]) == (2, 2, {"recording": 2})
    assert manifest["bytes"] == 2 * len(ONE_SECOND)
    assert manifest["window"] == [ms(START) - 30 * 60_000, ms(START) + 3_600_000 - 1]
    assert (
        "Listing with end_timestamp from 2026-11-21 09:30:00+00:00 to 2026-11-21 10:59:59+00:00: the data interval and "
        "its overlap"
    ) in caplog.messages
    assert manifest["requests"] == 1


@pytest.mark.parametrize(
    "path", ["report.csv", "s3://user:secret@bucket/report.jsonl"], ids=["suffix", "password"]
)
def test_a_report_path_that_cannot_be_is_an_error_without_rows_too(
    emulator: Emulator, tmp_path: Path, path: str
) -> None:
    add(emulator, "call_1")
    with pytest.raises(AirflowFailException, match="report_path must ") as error:
        run_try(archive(tmp_path, report_path="{{ path }}"), ti=Ti(), path=path, **INTERVAL)
    assert "secret" not in str(error.value)
    assert not emulator.requests


def test_rows_may_be_tuples(emulator: Emulator, tmp_path: Path) -> None:
    add(emulator, "call_1")
    run(archive(tmp_path, rows=[("call_1", 7)], column_names=["call_id", "n"]))
    assert names(tmp_path) == ["call_1.wav"]


def test_filter_criteria_select_among_the_calls_of_the_interval(emulator: Emulator, tmp_path: Path) -> None:
    add(emulator, "sales", agent_id="agent_sales")
    add(emulator, "support", agent_id="agent_support")
    run(archive(tmp_path, filter_criteria={"agent": [{"agent_id": "agent_sales"}]}))
    assert names(tmp_path) == ["sales.wav"]


@pytest.mark.parametrize("from_rows", [True, False])
def test_all_files_of_a_call_are_copied_on_request(
    emulator: Emulator, tmp_path: Path, from_rows: bool
) -> None:
    add(emulator, "call_1")
    url = emulator.calls["call_1"]["recording_url"].removesuffix("recording.wav")
    emulator.edit_call(
        "call_1",
        scrubbed_recording_url=f"{url}scrubbed_recording.wav",
        scrubbed_recording_multi_channel_url=f"{url}scrubbed_recording_multichannel.wav",
    )
    rows = [{"call_id": "call_1"}] if from_rows else None
    manifest = run(archive(tmp_path, files=FILES, rows=rows))
    assert names(tmp_path) == [
        "call_1.multi_channel.wav",
        "call_1.public_log.txt",
        "call_1.scrubbed.wav",
        "call_1.scrubbed_multi_channel.wav",
        "call_1.transcript.json",
        "call_1.wav",
    ]
    assert manifest["files"] == dict.fromkeys(FILES, 1)
    assert (tmp_path / "call_1.multi_channel.wav").read_bytes() == recording(1, channels=2)
    assert "agent" in (tmp_path / "call_1.public_log.txt").read_text()
    transcripts = json.loads((tmp_path / "call_1.transcript.json").read_text())
    assert transcripts["call_id"] == "call_1"
    assert transcripts["transcript"] == emulator.calls["call_1"]["transcript"]
    assert emulator.count("get-call") == 1


def test_a_second_run_copies_nothing_and_reads_one_byte_of_each_file(
    emulator: Emulator, tmp_path: Path
) -> None:
    for number in range(5):
        add(emulator, f"call_{number}")
    run(archive(tmp_path, files=["recording", "transcript"]))
    emulator.clear_requests()
    manifest = run(archive(tmp_path, files=["recording", "transcript"]))
    assert (manifest["unchanged"], manifest["files"]) == (5, {"recording": 0, "transcript": 0})
    assert downloads(emulator) == 0
    assert emulator.count("get-call-file", status=206) == 5
    assert emulator.count("get-call") == 0


@pytest.mark.parametrize(
    "options",
    [{"lists_links": "others"}, {"lists_links": "none"}, {"serves_ranges": False}, {"links_expire": True}],
    ids=str,
)
def test_recordings_are_copied_once_whatever_retell_does_not_document(
    emulator: Emulator, tmp_path: Path, options: dict[str, Any]
) -> None:
    for name, value in options.items():
        setattr(emulator.options, name, value)
    add(emulator, "call_1")
    add(emulator, "call_2")
    first, second = run(archive(tmp_path)), run(archive(tmp_path))
    assert names(tmp_path) == ["call_1.wav", "call_2.wav"]
    assert (tmp_path / "call_1.wav").read_bytes() == ONE_SECOND
    assert (first["archived"], second["unchanged"], second["bytes"]) == (2, 2, 0)


@pytest.mark.parametrize("files", [["recording", "transcript"], ["transcript", "recording"]])
def test_a_link_that_only_get_call_shows_is_used_with_one_read(
    emulator: Emulator, tmp_path: Path, files: list[str]
) -> None:
    emulator.options.lists_links = "others"
    add(emulator, "call_1")
    manifest = run(archive(tmp_path, files=files))
    assert manifest["files"] == {"recording": 1, "transcript": 1}
    assert emulator.count("get-call") == 1


def without(emulator: Emulator, number: int, *fields: str) -> None:
    """Add calls that do not have some links."""
    for each in range(number):
        add(emulator, f"without_{each:03}", **dict.fromkeys(fields))


def test_missing_links_are_read_until_twenty_reads_show_that_lists_are_complete(
    emulator: Emulator, tmp_path: Path
) -> None:
    add(emulator, "a_call_with_a_recording", START)
    without(emulator, 60, "recording_url")
    manifest = run(archive(tmp_path, concurrency=1))
    assert (manifest["archived"], manifest["no_recording"]) == (1, 60)
    assert emulator.count("get-call") == 20


def test_links_that_lists_never_show_are_always_read(emulator: Emulator, tmp_path: Path) -> None:
    emulator.options.lists_links = "others"
    without(emulator, 30, "recording_url")
    add(emulator, "late", START + timedelta(minutes=50))
    manifest = run(archive(tmp_path, concurrency=1))
    assert (manifest["archived"], manifest["no_recording"]) == (1, 30)
    assert names(tmp_path) == ["late.wav"]


def test_after_a_read_that_showed_a_link_all_others_are_read(emulator: Emulator, tmp_path: Path) -> None:
    for number in range(60):
        add(emulator, f"call_{number:02}", START + timedelta(minutes=number / 2))

    def incomplete(items: list[Any], _: Any) -> None:
        for item in items[1:]:
            del item["recording_url"]

    change_items(incomplete)(emulator)
    assert run(archive(tmp_path, concurrency=1))["archived"] == 60
    assert emulator.count("get-call") == 59


def test_a_read_for_transcripts_still_finds_a_link_after_twenty_reads(
    emulator: Emulator, tmp_path: Path
) -> None:
    add(emulator, "a_call_with_a_recording", START)
    without(emulator, 20, "recording_url")
    add(emulator, "late", START + timedelta(minutes=50))
    change_items(
        lambda items, _: [item.pop("recording_url", None) for item in items if item["call_id"] == "late"]
    )(emulator)
    manifest = run(archive(tmp_path, files=["recording", "transcript"], concurrency=1))
    assert (manifest["files"], emulator.count("get-call")) == ({"recording": 2, "transcript": 22}, 22)
    assert "late.wav" in names(tmp_path)


def test_a_file_of_another_size_is_replaced(emulator: Emulator, tmp_path: Path) -> None:
    add(emulator, "call_1")
    (tmp_path / "call_1.wav").write_bytes(ONE_SECOND[:100])
    assert run(archive(tmp_path))["archived"] == 1
    assert (tmp_path / "call_1.wav").read_bytes() == ONE_SECOND


def test_rows_with_links_need_no_request_to_the_api(emulator: Emulator, tmp_path: Path) -> None:
    add(emulator, "call_1")
    rows = [{"call_id": "call_1", "recording_url": f"{emulator.url}/call-files/default/call_1/recording.wav"}]
    manifest = run(archive(tmp_path, rows=rows))
    assert (manifest["archived"], manifest["requests"], manifest["window"]) == (1, 0, None)


def test_rows_of_an_export_are_archived_even_if_their_links_have_expired(
    emulator: Emulator, tmp_path: Path
) -> None:
    add(emulator, "call_1", opt_in_signed_url=True)
    export = tmp_path / "calls.jsonl"
    run_try(ListCallsOperator(task_id="list", path=str(export)), **INTERVAL)
    assert "Signature" in export.read_text()
    emulator.clock.advance(24 * 3600)
    folder = tmp_path / "archive"
    manifest = run(archive(folder, rows=FileRows(str(export))))
    assert (manifest["archived"], emulator.count("get-call-file", status=403)) == (1, 1)
    assert emulator.count("get-call") == 1
    assert (folder / "call_1.wav").read_bytes() == ONE_SECOND


def test_calls_without_a_recording_are_counted_by_cause_and_do_not_fail_the_task(
    emulator: Emulator, tmp_path: Path
) -> None:
    add(emulator, "no_answer", call_status="not_connected")
    add(emulator, "strict", data_storage_setting="basic_attributes_only", recording_url=None)
    emulator.edit_call("strict", recording_multi_channel_url=None, public_log_url=None)
    add(emulator, "swept", recording_url=None, recording_multi_channel_url=None, public_log_url=None)
    manifest = run(archive(tmp_path))
    assert (manifest["rows"], manifest["no_recording"], manifest["failed"]) == (3, 3, 0)
    assert manifest["no_recording_causes"] == {"not_connected": 1, "storage_setting": 1, "removed": 1}
    assert names(tmp_path) == []
    # Only the call that should have a recording is read again.
    assert emulator.count("get-call") == 1


def test_a_recording_that_retell_has_removed_after_it_was_archived_is_unchanged(
    emulator: Emulator, tmp_path: Path
) -> None:
    add(emulator, "call_1")
    run(archive(tmp_path))
    emulator.edit_call("call_1", recording_url=None)
    assert run(archive(tmp_path, rows=[{"call_id": "call_1"}]))["unchanged"] == 1
    del emulator.calls["call_1"]
    assert run(archive(tmp_path, rows=[{"call_id": "call_1"}]))["unchanged"] == 1


def test_a_link_that_was_removed_after_it_was_exported_is_no_failure(
    emulator: Emulator, tmp_path: Path
) -> None:
    add(emulator, "call_1")
    link = f"{emulator.url}/call-files/default/call_1/recording.wav"
    emulator.edit_call("call_1", recording_url=None)
    emulator.faults.add(Fault.status(403), route="get-call-file", times=0)
    rows, report = [{"call_id": "call_1", "recording_url": link}], tmp_path / "report.jsonl"
    manifest = run(archive(tmp_path / "archive", rows=rows, report_path=str(report)))
    assert (manifest["no_recording"], emulator.count("get-call")) == (1, 1)
    assert manifest["no_recording_causes"]["removed"] == 1
    assert "the agent's retention has deleted them" in json.loads(report.read_text())["reason"]


def test_a_call_without_transcripts_has_no_file_of_them(emulator: Emulator, tmp_path: Path) -> None:
    add(emulator, "call_1")
    names_of_transcripts = [name for name in emulator.calls["call_1"] if name.startswith("transcript")]
    for name in names_of_transcripts:
        del emulator.calls["call_1"][name]
    manifest = run(archive(tmp_path, files=["transcript"]))
    assert (len(names_of_transcripts) > 1, manifest["no_recording"], names(tmp_path)) == (True, 1, [])


def test_a_listed_call_that_has_not_ended_is_not_archived(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_call(call_id="live", call_status="ongoing")
    link = f"{emulator.url}/call-files/default/live/recording.wav"
    listed = {**emulator.calls["live"], "recording_url": link}
    page = {"items": [listed], "has_more": False}
    emulator.faults.add(Fault.status(200, body=page), route="list-calls")
    report = tmp_path / "report.jsonl"
    manifest = run(archive(tmp_path / "archive", report_path=str(report)), RowsFailedError)
    assert (manifest["not_ended"], downloads(emulator)) == (1, 0)
    assert json.loads(report.read_text())["reason"] == "the call has not ended. Archive it after its end"


def test_a_recording_of_more_than_one_buffer_is_copied_whole(emulator: Emulator, tmp_path: Path) -> None:
    end = START + timedelta(minutes=5)
    times = {"start_timestamp": ms(end) - 60_000, "end_timestamp": ms(end), "duration_ms": 60_000}
    emulator.add_call(call_id="call_1", **times)
    manifest = run(archive(tmp_path, files=["recording_multi_channel"]))
    content = recording(60, channels=2)
    assert (tmp_path / "call_1.multi_channel.wav").read_bytes() == content
    assert manifest["bytes"] == len(content) > 1024 * 1024


def test_a_call_with_some_of_the_files_is_archived_and_the_report_names_the_others(
    emulator: Emulator, tmp_path: Path
) -> None:
    add(emulator, "call_1")
    report = tmp_path / "report.jsonl"
    folder = tmp_path / "archive"
    run(archive(folder, files=["recording", "scrubbed_recording"], report_path=str(report)))
    line = json.loads(report.read_text())
    assert (line["call_id"], line["outcome"], line["changed"]) == ("call_1", "archived", ["recording"])
    assert line["reason"] == "Retell has no scrubbed_recording"


def test_rows_that_name_no_archivable_call_fail_the_task(emulator: Emulator, tmp_path: Path) -> None:
    add(emulator, "call_1")
    emulator.add_call(call_id="live", call_status="ongoing")
    ids: list[Any] = ["call_1", "call_1", "unknown", "live", None, "a/b"]
    task = archive(tmp_path, rows=[*({"call_id": each} for each in ids), {"id": "call_2"}])
    manifest = run(task, RowsFailedError)
    counts = {name: manifest[name] for name in ("archived", "invalid", "not_found", "not_ended")}
    assert counts == {"archived": 1, "invalid": 4, "not_found": 1, "not_ended": 1}
    assert names(tmp_path) == ["call_1.wav"]
    tolerant = archive(
        tmp_path, rows=[{"call_id": "unknown"}, {"call_id": "live"}], tolerate=["not_found", "not_ended"]
    )
    assert run(tolerant)["rows"] == 2


def test_rows_are_read_while_calls_are_archived() -> None:
    read = []

    def rows() -> Any:
        for number in range(2000):
            read.append(number)
            yield {"call_id": f"call_{number}"}

    async def first() -> Any:
        async with aclosing(given(CallableRows(rows), "call_id")) as items:
            return await items.__anext__()

    assert asyncio.run(first()).call_id == "call_0"
    assert len(read) < 1000


def test_a_source_without_the_id_column_fails_before_anything_is_copied(
    emulator: Emulator, tmp_path: Path
) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("id,recording_url\ncall_1,https://example.invalid/a.wav\n")
    with pytest.raises(AirflowFailException, match="no column call_id"):
        run_try(archive(tmp_path / "archive", rows=FileRows(str(rows))))


def test_an_interval_without_calls_can_skip_the_task(emulator: Emulator, tmp_path: Path) -> None:
    assert run(archive(tmp_path, on_empty="skip"), AirflowSkipException)["rows"] == 0


def test_files_are_copied_and_compared_with_the_connection_of_the_storage(
    emulator: Emulator, private_memory: Any
) -> None:
    add(emulator, "call_1")
    options = {
        "path_conn_id": "private_storage",
        "report_path": "memory://bucket/report.jsonl",
        "report_conn_id": "private_storage",
    }
    assert run(archive("memory://bucket/calls", **options))["archived"] == 1
    assert private_memory.cat_file("/bucket/calls/call_1.wav") == ONE_SECOND
    assert run(archive("memory://bucket/calls", **options))["unchanged"] == 1
    assert b"call_1" in private_memory.cat_file("/bucket/report.jsonl")


def test_the_first_request_to_a_storage_is_alone(
    emulator: Emulator, object_store: ObjectStore, mocker: Any
) -> None:
    for number in range(5):
        add(emulator, f"call_{number}")
    requests, second, info = count(1), threading.Event(), object_store.info

    def wait_for_the_second(path: str) -> Any:
        if next(requests) > 1:
            second.set()
        elif second.wait(0.2):
            raise ConnectionError("two clients")
        return info(path)

    mocker.patch.object(object_store, "info", wait_for_the_second)
    assert run(archive("s3://bucket", path_conn_id=object_store.conn_id))["archived"] == 5


def test_an_object_store_has_whole_files_and_no_others(emulator: Emulator, object_store: ObjectStore) -> None:
    for number in range(20):
        add(emulator, f"call_{number}")
    broken = {f"bucket/calls/call_{number}.wav" for number in (3, 7)}

    def fail(path: str) -> None:
        if path in broken:
            raise PermissionError("Forbidden")

    object_store.on_part = fail
    task = archive("s3://bucket/calls", path_conn_id=object_store.conn_id, max_failed_rows=2)
    manifest = run(task)
    assert (manifest["archived"], manifest["failed"]) == (18, 2)
    broken.clear()
    emulator.clear_requests()
    manifest = run(task)
    assert (manifest["archived"], manifest["unchanged"]) == (2, 18)
    assert object_store.objects == {f"bucket/calls/call_{number}.wav": ONE_SECOND for number in range(20)}
    assert downloads(emulator) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"path": "recordings/all.wav"}, "call_id"),
        ({"path": "recordings/{call_id}.mp3"}, "must end in .wav"),
        ({"path": "{agent_id}/{call_id}.wav"}, "no other placeholder"),
        ({"path": "https://user:secret@host/{call_id}.wav"}, "user name or password"),
        ({"files": ["video"]}, "files"),
        ({"files": []}, "files must have"),
        ({"concurrency": 65}, "concurrency"),
        ({"rows": [], "filter_criteria": {"agent": []}}, "filter_criteria"),
        ({"report_path": "report.txt"}, "report_path"),
        ({"overlap": -1}, "overlap"),
    ],
)
def test_an_invalid_parameter_is_named_when_the_dag_is_read(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message) as raised:
        ArchiveRecordingsOperator(task_id="a_task", **{"path": "{call_id}.wav", **arguments})
    assert "secret" not in str(raised.value)


def test_a_run_without_a_data_interval_names_the_alternative(emulator: Emulator, tmp_path: Path) -> None:
    with pytest.raises(AirflowFailException, match="To archive without an interval, set rows"):
        run_try(archive(tmp_path))


def test_a_retry_counts_each_call_once_over_all_tries(emulator: Emulator, tmp_path: Path) -> None:
    add(emulator, "call_1")
    report = str(tmp_path / "report.jsonl")
    run(archive(tmp_path / "archive", report_path=report))
    manifest = run(archive(tmp_path / "archive", report_path=report), ti=Ti(try_number=2))
    assert (manifest["unchanged"], manifest["task_run"]["archived"]) == (1, 1)
    assert (manifest["task_run"]["tries"], manifest["task_run"]["rows"]) == (2, 1)
