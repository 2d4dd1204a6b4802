"""The report: its path, its name, and its content."""

from __future__ import annotations

import errno
import gzip
import io
import json
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tasks
from full_disk import full_file

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.bulk import FailedRows, FileRows
from airflow_provider_retell.bulk.errors import RESUME, BulkStoppedError
from airflow_provider_retell.bulk.outcome import Result
from airflow_provider_retell.bulk.report import Report
from airflow_provider_retell.bulk.task_tries import TryId
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators import BulkUpdateCallOperator


@pytest.mark.parametrize(
    "report", ["{0}/rows.jsonl", "file://{0}/rows.jsonl", "{0}/../{1}/rows.jsonl", "{0}/link.jsonl"]
)
@pytest.mark.parametrize("kind", ["input", "old report", "input of an old report"])
def test_a_report_does_not_overwrite_an_input(
    emulator: Emulator, run: Any, tmp_path: Path, report: str, kind: str
) -> None:
    emulator.add_calls(["a"])
    path = tmp_path / "rows.jsonl"
    path.write_text('{"call_id": "a", "x": 1}\n')
    (tmp_path / "link.jsonl").symlink_to(path)
    source = {
        "input": FileRows(str(path)),
        "old report": FailedRows([{"call_id": "a"}], str(path)),
        "input of an old report": FailedRows(FileRows(str(path)), str(tmp_path / "old.jsonl")),
    }[kind]
    task = run(rows=source, report_path=report.format(tmp_path, tmp_path.name), fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert "report_path must not be a file that the rows are read from" in str(task.error)
    assert path.read_text() == '{"call_id": "a", "x": 1}\n'
    assert not emulator.requests


def test_the_connection_in_a_url_does_not_hide_that_two_paths_are_equal() -> None:
    report = Report("s3://bucket/a.jsonl")
    report.check(["s3://bucket/b.jsonl", "gs://bucket/a.jsonl", "/bucket/a.jsonl"])
    with pytest.raises(ValueError, match="another path"):
        report.check(["s3://conn@bucket/a.jsonl"])


@pytest.mark.parametrize("name", ["report.jsonl", "report.ndjson", "report.jsonl.gz", "REPORT.JSONL.GZ"])
def test_a_report_can_be_read_back(emulator: Emulator, run: Any, tmp_path: Path, name: str) -> None:
    ids = [f"call_{n}" for n in range(600)]
    emulator.add_calls(ids)
    emulator.faults.add(Fault.status(400), route="update-call", call_id="call_7")
    given = [{"call_id": call_id, "x": 1} for call_id in ids]
    path = tmp_path / name
    assert run(rows=given, report_path=str(path), fails=True).counts == {"updated": 599, "failed": 1}
    content = path.read_bytes()
    lines = gzip.decompress(content) if name.lower().endswith(".gz") else content
    assert len(lines.splitlines()) == 600
    assert run(rows=FailedRows(given, str(path)), report_path=None).manifest["rows"] == 1


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("{{ none }}", "report_path rendered to an empty value"),
        ("{{ '' }}", "report_path rendered to an empty value"),
        ("report{{ none or '.json' }}", "report_path must end in .jsonl"),
    ],
)
def test_a_rendered_path_is_checked_before_anything_is_sent(
    emulator: Emulator, run: Any, tmp_path: Path, monkeypatch: Any, native: bool, path: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    task = run(rows=[{"call_id": "a"}], report_path=path, native=native, context={"none": None}, fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert says in str(task.error)
    assert not list(tmp_path.iterdir())
    assert not emulator.requests


@pytest.mark.parametrize("path", ["", "report", "report.json", "s3://bucket/report.csv.gz"])
def test_a_literal_path_is_checked_when_the_dag_is_read(path: str) -> None:
    with pytest.raises(ValueError, match="report_path must end in .jsonl or .ndjson"):
        BulkUpdateCallOperator(task_id="update", rows=[], report_path=path)


def test_a_report_that_cannot_be_written_fails_before_anything_is_sent(
    emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    task = run(
        rows=[{"call_id": "a", "x": 1}], report_path=str(tmp_path / "file" / "report.jsonl"), fails=True
    )
    assert isinstance(task.error, OSError)
    assert not emulator.requests


class FullDisk(io.RawIOBase):
    """A file on a disk that has space for some bytes."""

    def __init__(self, space: int) -> None:
        self.space = space

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if len(data) > self.space:
            raise OSError(errno.ENOSPC, "No space left on device", "a private text of the storage")
        self.space -= len(data)
        return len(data)


@pytest.fixture
def full_disk(mocker: Any) -> Callable[[int], None]:
    """Return a function that limits the space for the report, whatever its path is."""

    def limit(space: int) -> None:
        @contextmanager
        def open_file(*_: Any) -> Iterator[Any]:
            with io.BufferedWriter(FullDisk(space)) as file:
                yield file

        mocker.patch.object(Report, "_open_file", open_file)

    return limit


def test_a_full_disk_stops_the_run_with_the_path_of_the_report_and_the_next_step(
    emulator: Emulator, run: Any, full_disk: Callable[[int], None], caplog: pytest.LogCaptureFixture
) -> None:
    emulator.add_calls([f"call_{n}" for n in range(3000)], metadata={"n": 1})
    rows = [{"call_id": f"call_{n}", "n": 1 if n % 100 else 2} for n in range(3000)]
    full_disk(10_000)
    task = run(rows=rows, fails=True)
    assert isinstance(task.error, BulkStoppedError)
    assert str(task.error) == (
        f"Stopped after {task.manifest['rows']:,} rows, because the report could not be written: {task.path} "
        "(OSError: No space left on device). The report lacks rows that were processed. Check the free space and the "
        f"permissions there. {RESUME}"
    )
    assert not task.error.permanent
    assert emulator.count("list-calls") == 1
    assert "never retrieved" not in caplog.text
    # The rows in flight were completed, and the counts are those of all rows.
    assert task.counts["updated"] == emulator.count("update-call")
    assert set(task.counts) == {"updated", "unchanged"}
    assert task.manifest["task_run"]["rows"] == task.manifest["rows"] >= 500
    assert run(rows=rows, report_path=None).manifest["updated"] == 30 - task.counts["updated"]


def test_a_disk_that_is_full_at_the_end_fails_the_task_after_all_rows(
    emulator: Emulator, run: Any, full_disk: Callable[[int], None]
) -> None:
    emulator.add_calls(["a", "b"])
    full_disk(10)
    task = run(rows=[{"call_id": "a", "x": 1}, {"call_id": "b", "x": 1}], fails=True)
    assert str(task.error) == (
        f"The report could not be written: {task.path} (OSError: No space left on device). The report lacks rows that "
        f"were processed. Check the free space and the permissions there. {RESUME}"
    )
    assert not task.error.permanent
    assert task.counts == {"updated": 2}


def test_an_upload_of_the_report_that_fails_is_an_error_without_the_storages_text(
    emulator: Emulator, run: Any, mocker: Any
) -> None:
    class Upload(io.BytesIO):
        def close(self) -> None:
            raise PermissionError("denied for key SECRET")

    mocker.patch.object(Report, "_open_file", return_value=closing(Upload()))
    mocker.patch("airflow_provider_retell._compat.services.storage_path")
    mocker.patch("airflow_provider_retell.common.atomic.create_folder")
    mocker.patch.object(Report, "_keep_earlier")
    emulator.add_calls(["a"])
    task = run(rows=[{"call_id": "a", "x": 1}], report_path="s3://bucket/report.jsonl", fails=True)
    assert str(task.error).startswith(
        "The report could not be written: s3://bucket/report.jsonl (PermissionError). The report lacks rows"
    )
    assert "SECRET" not in "".join(traceback.format_exception(task.error))


def test_an_error_of_the_report_does_not_replace_that_of_the_run(
    emulator: Emulator, run: Any, full_disk: Callable[[int], None], caplog: pytest.LogCaptureFixture
) -> None:
    emulator.add_calls(["a"])
    emulator.faults.add(Fault.status(429, headers={"Retry-After": "300"}), route="update-call")
    full_disk(10)
    task = run(rows=[{"call_id": "a", "x": 1}], fails=True)
    assert task.error.retry_after == 300
    assert f"The report could not be written: {task.path} (OSError: No space left on device)" in caplog.text


def test_the_counts_are_the_same_without_a_report(emulator: Emulator, run: Any) -> None:
    emulator.add_calls(["a", "b"])
    task = run(
        rows=[{"call_id": "a", "x": 1}, {"call_id": "b"}, {"call_id": "c"}], report_path=None, fails=True
    )
    assert task.counts == {"updated": 1, "unchanged": 1, "not_found": 1}
    assert task.manifest["report"] is None
    assert "Set report_path" in str(task.error)


# -- several tries, and mapped tasks


@pytest.mark.usefixtures("no_sleep")
def test_an_updated_row_stays_updated_if_the_next_try_cannot_read_it(emulator: Emulator, run: Any) -> None:
    emulator.add_calls("ab")
    rows = [{"call_id": call_id, "x": 1} for call_id in "ab"]
    emulator.faults.add(Fault.status(400), route="update-call", call_id="b", times=1)
    run(rows=rows, ti=tasks.Ti(try_number=1), fails=True)
    emulator.faults.add(Fault.status(500), route="list-calls", times=0)
    down = run(rows=rows, ti=tasks.Ti(try_number=2), fails=True)
    assert down.counts == {"failed": 2}
    assert down.manifest["task_run"].items() >= {"rows": 2, "updated": 1, "failed": 1}.items()
    emulator.faults.clear()
    last = run(rows=rows, ti=tasks.Ti(try_number=3))
    assert last.counts == {"updated": 1, "unchanged": 1}
    assert last.manifest["task_run"].items() >= {"tries": 3, "updated": 2, "unchanged": 0}.items()


@pytest.mark.parametrize("name", ["report.jsonl", "report.jsonl.gz"])
@pytest.mark.parametrize("killed", [False, True])
def test_a_retry_keeps_the_lines_of_earlier_tries_and_counts_each_row_once(
    emulator: Emulator, run: Any, tmp_path: Path, name: str, killed: bool
) -> None:
    emulator.add_calls("abcd")
    emulator.faults.add(Fault.status(400), route="update-call", call_id="b", times=1)
    path = tmp_path / name
    given: list[Any] = [{"call_id": call_id, "x": 1} for call_id in "aba"] + [{"call_id": None}]
    first = run(rows=given, report_path=str(path), ti=tasks.Ti(try_number=1), fails=True)
    assert first.manifest["task_run"].items() >= {"tries": 1, "rows": 4, "updated": 1, "failed": 1}.items()
    if killed:
        path.write_bytes(path.read_bytes()[:-1] if name.endswith("gz") else path.read_bytes() + b'{"row": 9')
    # In another order, and with a new row.
    ti = tasks.Ti(try_number=2)
    second = run(rows=[given[1], given[0], {"call_id": "c", "x": 1}], report_path=str(path), ti=ti)
    assert second.counts == {"updated": 2, "unchanged": 1}
    counts = {name: number for name, number in second.manifest["task_run"].items() if number}
    assert counts == {"tries": 2, "rows": 5, "updated": 3, "invalid": 2}
    lines = [dict(line) for line in FileRows(str(path)).read()]
    assert [line["try"] for line in lines] == [1, 1, 1, 1, 2, 2, 2]
    assert {line["task_run"] for line in lines} == {"a_dag/manual__2026-11-22/a_task"}
    third = run(rows=[{"call_id": "d", "x": 1}], report_path=str(path), ti=tasks.Ti(try_number=3))
    assert third.manifest["task_run"].items() >= {"tries": 3, "rows": 6, "updated": 4}.items()
    assert run(rows=FailedRows(given, str(path)), report_path=None, fails=True).counts == {
        "unchanged": 1,
        "invalid": 2,
    }


@pytest.mark.parametrize("name", ["report.jsonl", "report.jsonl.gz"])
def test_another_storage_keeps_the_lines_of_earlier_tries(
    emulator: Emulator, run: Any, memory: Any, name: str
) -> None:
    emulator.add_calls("ab")
    path = f"memory://bucket/{name}"
    run(rows=[{"call_id": "a", "x": 1}], report_path=path, ti=tasks.Ti(1))
    task = run(rows=[{"call_id": "b", "x": 1}], report_path=path, ti=tasks.Ti(2))
    assert [line["call_id"] for line in FileRows(path).read()] == ["a", "b"]
    assert task.manifest["task_run"].items() >= {"tries": 2, "rows": 2, "updated": 2}.items()


def test_a_report_is_written_and_read_with_the_connection_of_its_storage(
    emulator: Emulator, run: Any, private_memory: Any
) -> None:
    emulator.add_calls("ab")
    path, rows = "memory://bucket/reports/a.jsonl", [{"call_id": "a", "x": 1}, {"call_id": "c", "x": 1}]
    options = {"report_path": path, "report_conn_id": "private_storage"}
    run(rows=rows, ti=tasks.Ti(1), fails=True, **options)
    task = run(rows=rows, ti=tasks.Ti(2), fails=True, **options)
    assert task.manifest["task_run"].items() >= {"tries": 2, "rows": 2, "updated": 1, "not_found": 1}.items()
    assert len(private_memory.cat_file("/bucket/reports/a.jsonl").splitlines()) == 4
    failed = FailedRows(rows, path, report_conn_id="private_storage")
    assert run(rows=failed, report_path=None, fails=True).counts == {"not_found": 1}


@pytest.mark.parametrize("name", ["report.jsonl", "report.jsonl.gz"])
def test_a_full_disk_leaves_the_lines_of_earlier_tries(
    emulator: Emulator, run: Any, tmp_path: Path, mocker: Any, name: str
) -> None:
    emulator.add_calls("ab")
    path = tmp_path / name
    run(rows=[{"call_id": "a", "x": 1}], report_path=str(path), ti=tasks.Ti(1))
    before = path.read_bytes()
    mocker.patch.object(tempfile, "TemporaryFile", full_file)
    task = run(rows=[{"call_id": "b", "x": 1}], report_path=str(path), ti=tasks.Ti(2), fails=True)
    assert f"written to {tempfile.gettempdir()}: No space left on device" in str(task.error)
    assert path.read_bytes() == before
    assert not emulator.calls["b"]["metadata"]


def test_another_dag_run_replaces_the_report(emulator: Emulator, run: Any, tmp_path: Path) -> None:
    emulator.add_calls("ab")
    run(rows=[{"call_id": "a", "x": 1}])
    task = run(rows=[{"call_id": "b", "x": 1}])
    assert [line["call_id"] for line in task.report] == ["b"]
    assert task.manifest["task_run"]["rows"] == 1


def test_a_retry_without_a_report_has_no_counts_of_the_task_run(emulator: Emulator, run: Any) -> None:
    task = run(rows=[], report_path=None, ti=tasks.Ti(try_number=2))
    assert task.manifest["task_run"] is None


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_a_file_that_is_no_report_is_not_overwritten(
    emulator: Emulator, run: Any, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    content = b'{"call_id": "a", "x": 1}\n'
    path.write_bytes(gzip.compress(content, mtime=0) if name.endswith("gz") else content)
    before = path.read_bytes()
    task = run(rows=[{"call_id": "a", "x": 1}], report_path=str(path), fails=True)
    assert "report_path is a file that is no report" in str(task.error)
    assert path.read_bytes() == before
    assert emulator.requests == []


def test_a_retry_with_another_report_has_no_counts_of_the_task_run(
    emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    emulator.add_calls("a")
    for number in (1, 2):
        path = str(tmp_path / f"{number}.jsonl")
        task = run(rows=[{"call_id": "a", "x": 1}], report_path=path, ti=tasks.Ti(number))
        assert (task.manifest["task_run"] is None) == (number == 2)


def test_a_mapped_task_does_not_overwrite_the_report_of_another(
    emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    emulator.add_calls("ab")
    template = str(tmp_path / "{{ 'a' if ti.map_index < 9 }}.jsonl")
    run(rows=[{"call_id": "a", "x": 1}], report_path=template, ti=tasks.Ti(map_index=1))
    before = (tmp_path / "a.jsonl").read_text()
    task = run(rows=[{"call_id": "b", "x": 1}], report_path=template, ti=tasks.Ti(map_index=0), fails=True)
    assert isinstance(task.error, AirflowFailException)
    assert "report_path must differ between mapped tasks, but another one has written" in str(task.error)
    assert (tmp_path / "a.jsonl").read_text() == before
    assert not emulator.calls["b"]["metadata"]
    run(rows=[{"call_id": "a", "x": 1}], report_path=template, ti=tasks.Ti(2, map_index=1))


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("folder", ["memory://bucket", "{tmp_path}"])
def test_one_of_two_mapped_tasks_fails_that_write_the_same_report_at_the_same_time(
    memory: Any, tmp_path: Path, folder: str, suffix: str
) -> None:
    path = f"{folder.format(tmp_path=tmp_path)}/report.jsonl{suffix}"
    first, second = (Report(path, task_try=TryId("dag/run/task", index, 1)) for index in "01")
    with pytest.raises(RetellInputError, match="another one has written"), first, second:
        first.write([Result(1, "a", "updated")])
        second.write([Result(1, "b", "updated")])


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("folder", ["memory://bucket", "{tmp_path}"])
def test_the_last_of_two_mapped_tasks_fails_that_share_a_report_and_write_at_their_ends(
    memory: Any, tmp_path: Path, folder: str, suffix: str
) -> None:
    path = f"{folder.format(tmp_path=tmp_path)}/report.jsonl{suffix}"
    first, second = (Report(path, task_try=TryId("dag/run/task", index, 1)) for index in "01")
    with pytest.raises(RetellInputError, match="another one has written"), second:
        with first:
            first.write([Result(number, "a", "updated") for number in range(5)])
        second.write([Result(1, "b", "updated")])


def test_the_iterations_of_a_task_loop_need_paths_of_their_own(
    emulator: Emulator, run: Any, tmp_path: Path
) -> None:
    emulator.add_calls("a")
    given: Any = {"rows": [{"call_id": "a", "x": 1}], "report_path": str(tmp_path / "report.jsonl")}
    first, second = ({"loop": SimpleNamespace(index=index)} for index in (0, 1))
    run(ti=tasks.Ti(), context=first, **given)
    run(ti=tasks.Ti(2), context=first, **given)
    task = run(ti=tasks.Ti(), context=second, fails=True, **given)
    assert "or {{ loop.index }} in a task loop" in str(task.error)


@pytest.mark.parametrize(
    ("path", "fails"),
    [
        ("report.jsonl", True),
        ("{{ name }}.jsonl", True),
        ("{{ ti.map_index }}.jsonl", False),
        ("{% if ti.map_index %}x{% endif %}r.jsonl", False),
        ("{{ ti['map_index'] }}.jsonl", False),
        ("{{ key(ti) }}.jsonl", False),
        ("{{ key(params) }}.jsonl", True),
        ("{{ task.retell_conn_id }}.jsonl", True),
        ("{{ params.day }}.jsonl", True),
        ("{{ ti.run_id }}-{{ name }}.jsonl.gz", True),
    ],
)
def test_a_path_that_all_mapped_tasks_share_is_rejected_before_anything_is_sent(
    emulator: Emulator, run: Any, tmp_path: Path, path: str, fails: bool
) -> None:
    emulator.add_calls("a")
    given = {
        "report_path": str(tmp_path / path),
        "context": {"name": "x", "params": {"day": 1}, "key": lambda value: getattr(value, "map_index", "x")},
        "fails": fails,
    }
    task = run(rows=[{"call_id": "a", "x": 1}], ti=tasks.Ti(map_index=0), **given)
    assert bool(emulator.requests) is not fails
    if fails:
        assert "report_path must differ between mapped tasks" in str(task.error)


@pytest.mark.parametrize("pattern", ["*.jsonl", "r*.jsonl", "", "/"])
def test_a_report_must_not_match_a_pattern_or_lie_in_a_folder_of_rows(
    emulator: Emulator, run: Any, tmp_path: Path, pattern: str
) -> None:
    (tmp_path / "rows.jsonl").mkdir()
    (tmp_path / "rows.jsonl" / "a.jsonl").write_text("")
    path = tmp_path / "rows.jsonl" / "report.jsonl"
    task = run(
        rows=FileRows(f"{tmp_path}/rows.jsonl{'/' * ('*' in pattern)}{pattern}"),
        report_path=str(path),
        fails=True,
    )
    assert "report_path must not be a file that the rows are read from" in str(task.error)
    assert not path.exists()


def test_a_report_creates_its_folders_and_replaces_a_report_of_another_run(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "report.jsonl"
    for row in (1, 2):
        with Report(str(path)) as report:
            report.write([Result(row, "a", "updated")])
        assert [json.loads(line)["row"] for line in path.read_text().splitlines()] == [row]


def test_a_closed_report_counts_rows_and_writes_none(tmp_path: Path) -> None:
    path = tmp_path / "report.jsonl"
    with Report(str(path)) as report:
        pass
    report.write([Result(1, "a", "updated")])
    assert path.read_text() == ""
    assert report.task_run(("updated",))["updated"] == 1
