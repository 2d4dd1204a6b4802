"""The engine with records in memory: its plans, updates, reports and stops, without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tasks import eventually

from airflow_provider_retell.api.errors import (
    AuthenticationError,
    BadRequestError,
    RateLimitError,
    RetellConnectionError,
    RetellError,
    RetellInputError,
    ServerError,
)
from airflow_provider_retell.api.request import Flow
from airflow_provider_retell.bulk.engine import BulkUpdate
from airflow_provider_retell.bulk.errors import BulkStoppedError, InvalidRowError, RowsFailedError
from airflow_provider_retell.bulk.given_rows import CallableRows, GivenRows
from airflow_provider_retell.bulk.named_columns import NamedColumns
from airflow_provider_retell.bulk.outcome import Result
from airflow_provider_retell.bulk.report import Report
from airflow_provider_retell.bulk.resource import Applied, Difference, Planned, Resource
from airflow_provider_retell.bulk.rows import Rows
from airflow_provider_retell.emulator import Emulator
from airflow_provider_retell.hooks import RetellAsyncHook

pytestmark = pytest.mark.usefixtures("emulator")


class Step(Planned):
    """A change that succeeds with *answer*, or fails with it."""

    def __init__(self, row: int, key: str, answer: Applied | RetellError, applied: list[int]) -> None:
        self.row = row
        self.changed = ("metadata.n",)
        self._key = key
        self._answer = answer
        self._applied = applied

    @property
    def record_id(self) -> str:
        return f"id_{self._key}"

    def apply(self) -> Flow[Applied]:
        self._applied.append(self.row)
        if isinstance(self._answer, RetellError):
            raise self._answer
        return self._answer
        yield

    def difference(self) -> Difference:
        return Difference(f"update {self.record_id}", self.changed, {}, {})


class Things(Resource[str, Any]):
    """Records in memory. A row has its key, and the change that it asks for or the error that it meets."""

    kind = "thing"
    key_name = "thing key"

    def __init__(
        self, unreadable: Mapping[str, RetellError] | RetellError | None = None, *, guarded: bool = False
    ) -> None:
        self.guarded = guarded  # type: ignore[misc]
        self.unreadable = unreadable if unreadable is not None else {}
        self.chunks: list[list[str]] = []
        self.applied: list[int] = []
        self.named_columns = NamedColumns("key", [])

    def read_row(self, row: Any) -> tuple[str, Any]:
        self.named_columns.key_of({"key": "", **row})
        if "fault" in row:
            raise InvalidRowError(row["fault"], row.get("key"))
        return row["key"], row.get("answer", Applied())

    async def read_states(self, keys: Sequence[str]) -> Mapping[str, Any]:
        self.chunks.append(list(keys))
        if isinstance(self.unreadable, RetellError):
            raise self.unreadable
        return {key: self.unreadable.get(key, "state") for key in keys}

    def plan_row(self, row: int, key: str, state: Any, wanted: Any) -> Planned | Result:
        if wanted == "same":
            return Result(row, f"id_{key}", "unchanged", kind=self.kind)
        return Step(row, key, wanted, self.applied)

    def record_id(self, key: str) -> str | None:
        return f"id_{key}"


class Ran:
    """A finished run."""

    def __init__(self, rows: Any, resource: Things, path: Path, **options: Any) -> None:
        source = rows if isinstance(rows, Rows) else GivenRows(rows)
        self.error: BaseException | None = None

        async def main() -> None:
            async with RetellAsyncHook() as hook:
                self.update = BulkUpdate(hook, source, resource, Report(str(path)), **options)
                try:
                    await self.update.run()
                except Exception as error:
                    self.error = error

        asyncio.run(main())
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        self.lines = {line["row"]: line for line in lines}
        assert len(self.lines) == len(lines) == self.update.progress.rows
        self.outcomes = {row: line["outcome"] for row, line in sorted(self.lines.items())}
        self.complete = self.update.progress.manifest()["complete"]
        assert self.complete or self.error is not None


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "report.jsonl"


def test_every_row_has_the_result_that_belongs_to_it(path: Path) -> None:
    rows = [
        {"key": "a"},
        {"key": "b", "answer": "same"},
        {"fault": "no key"},
        {"key": "c", "fault": "bad"},
        {"key": "c", "fault": "bad"},
        {"key": "a"},
        {"key": "d", "answer": BadRequestError("rejected", status=400)},
        {"key": "e", "answer": Applied(unverified=("metadata.n", "custom_attributes.t"))},
        {"key": "f", "answer": Applied(record_id="id_new", outcome="created")},
        {"key": "g", "answer": Applied(outcome="unchanged")},
    ]
    things = Things()
    ran = Ran(rows, things, path)
    assert ran.error is None
    changed = ["metadata.n"]
    assert [
        (line["thing_id"], line["outcome"], line["reason"], line["changed"])
        for line in map(ran.lines.__getitem__, range(1, 11))
    ] == [
        ("id_a", "updated", "", changed),
        ("id_b", "unchanged", "", []),
        (None, "invalid", "no key", []),
        ("id_c", "invalid", "bad", []),
        ("id_c", "invalid", "an earlier row has the same thing key: row 4", []),
        ("id_a", "invalid", "an earlier row has the same thing key: row 1", []),
        ("id_d", "failed", "rejected", []),
        ("id_e", "updated", "Retell's response does not confirm metadata.n, custom_attributes.t", changed),
        ("id_new", "created", "", changed),
        ("id_g", "unchanged", "", []),
    ]
    assert things.chunks == [["a", "b", "d", "e", "f", "g"]]
    assert sorted(things.applied) == [1, 7, 8, 9, 10]


@pytest.mark.parametrize("guarded", [False, True])
def test_dry_run_sends_nothing_and_keeps_the_first_ten_differences(path: Path, guarded: bool) -> None:
    things = Things(guarded=guarded)
    ran = Ran([{"key": str(n)} for n in range(12)], things, path, dry_run=True)
    assert set(ran.outcomes.values()) == {"would_update"}
    assert ran.update.progress.manifest()["would_update"] == 12
    assert ran.lines[12] == {
        **{"row": 12, "thing_id": "id_11", "outcome": "would_update", "reason": ""},
        "changed": ["metadata.n"],
    }
    assert [difference.action for difference in ran.update.differences] == [
        f"update id_{n}" for n in range(10)
    ]
    assert things.applied == []


def test_rows_are_read_in_chunks_and_numbered_from_one(path: Path) -> None:
    things = Things()
    ran = Ran([{"key": str(n), "answer": "same"} for n in range(2001)], things, path)
    assert [len(chunk) for chunk in things.chunks] == [1000, 1000, 1]
    assert list(ran.outcomes) == list(range(1, 2002))
    assert ran.lines[2001]["thing_id"] == "id_2000"
    assert ran.update.progress.total == 2001


def test_record_that_cannot_be_read_fails_its_row_only(path: Path) -> None:
    things = Things({"a": ServerError("Retell failed", status=500)})
    ran = Ran([{"key": "a"}, {"key": "b"}], things, path)
    assert ran.outcomes == {1: "failed", 2: "updated"}
    assert ran.lines[1]["thing_id"] == "id_a"
    assert ran.lines[1]["reason"] == "the thing could not be read: Retell failed"


def test_chunk_that_cannot_be_read_fails_its_rows_and_the_third_stops_the_run(path: Path) -> None:
    things = Things(ServerError("Retell failed", status=500))
    ran = Ran([{"key": str(n)} for n in range(2000)], things, path)
    assert ran.error is None
    assert set(ran.outcomes.values()) == {"failed"}
    assert ran.lines[2000]["reason"] == "the thing could not be read: Retell failed"
    things = Things(ServerError("Retell failed", status=500))
    ran = Ran([{"key": str(n)} for n in range(5000)], things, path)
    assert isinstance(ran.error, BulkStoppedError)
    assert len(things.chunks) == 3
    assert not ran.complete


@pytest.mark.parametrize("earlier", [[], [{"fault": "no key"}]])
def test_run_stops_without_results_if_retell_never_responds(path: Path, earlier: Any) -> None:
    things = Things(RetellConnectionError("list-things: no connection.", kind="refused"))
    ran = Ran([*earlier, *({"key": str(n)} for n in range(5000))], things, path)
    assert isinstance(ran.error, BulkStoppedError)
    rows = "1 row" if earlier else "no rows"
    assert str(ran.error).startswith(
        f"Stopped after {rows}, because Retell cannot be reached. Last error: list-things: no connection. Run the task"
    )
    assert list(ran.outcomes.values()) == ["invalid"] * len(earlier)
    assert len(things.chunks) == 1


def test_chunk_without_a_connection_fails_its_rows_if_retell_has_responded_before(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = RetellConnectionError("no connection", kind="refused")

    async def read_states(self: Things, keys: Sequence[str]) -> Mapping[str, Any]:
        self.chunks.append(list(keys))
        if len(self.chunks) == 2:
            raise lost
        return dict.fromkeys(keys, "state")

    monkeypatch.setattr(Things, "read_states", read_states)
    ran = Ran([{"key": str(n), "answer": "same"} for n in range(2500)], Things(), path)
    assert ran.error is None
    assert dict(ran.update.progress.counts) == {"unchanged": 1500, "failed": 1000}


@pytest.mark.parametrize("per_record", [True, False])
def test_long_wait_of_a_read_stops_the_run_without_results(path: Path, per_record: bool) -> None:
    error = RateLimitError("later", status=429, retry_after=500)
    ran = Ran([{"key": "a"}, {"key": "b"}], Things({"a": error} if per_record else error), path)
    assert isinstance(ran.error, BulkStoppedError)
    assert ran.error.retry_after == 500
    assert 1 not in ran.outcomes


def test_long_wait_of_an_update_fails_its_row_and_stops_the_run(path: Path) -> None:
    error = RateLimitError("later", status=429, retry_after=500)
    rows = [{"key": "a"}, {"key": "b", "answer": error}, *({"key": str(n)} for n in range(50))]
    ran = Ran(rows, Things(), path, concurrency=1)
    assert isinstance(ran.error, BulkStoppedError)
    assert ran.outcomes == {1: "updated", 2: "failed"}
    assert str(ran.error).startswith("Stopped after 2 rows, because Retell asks to wait 500 s. ")
    assert not ran.complete


@pytest.mark.parametrize("reads", [True, False])
def test_rejected_key_stops_the_run_at_once(path: Path, reads: bool) -> None:
    error = AuthenticationError("wrong key", status=401)
    things = Things(error if reads else None)
    ran = Ran([{"key": "a", "answer": error}, {"key": "b"}], things, path, concurrency=1)
    assert ran.error is error
    assert ran.outcomes == ({} if reads else {1: "failed"})
    assert things.applied == ([] if reads else [1])
    assert not ran.complete


def test_fifty_failed_updates_in_a_row_stop_the_run(path: Path) -> None:
    lost = RetellConnectionError("dropped")
    rows = [{"key": str(n), "answer": Applied() if n == 49 else lost} for n in range(300)]
    ran = Ran(rows, Things(), path, concurrency=1)
    assert isinstance(ran.error, BulkStoppedError)
    assert list(ran.outcomes) == list(range(1, 101))  # 49 failures, a success, and 50 failures
    assert ran.complete is False


@pytest.mark.parametrize(("options", "workers"), [({"concurrency": 3}, 3), ({}, 16)])
def test_updates_are_sent_at_the_same_time(path: Path, mocker: Any, options: Any, workers: int) -> None:
    now, most = 0, 0

    async def run(flow: Any) -> Any:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        with pytest.raises(StopIteration) as stopped:
            next(flow)
        return stopped.value.value

    mocker.patch.object(RetellAsyncHook, "run", side_effect=run)
    ran = Ran([{"key": str(n)} for n in range(30)], Things(), path, **options)
    assert set(ran.outcomes.values()) == {"updated"}
    assert most == workers


def test_results_are_in_the_report_while_the_source_is_slow(path: Path, mocker: Any) -> None:
    mocker.patch("airflow_provider_retell.bulk.watch._TICK_SECONDS", 0.01)
    found = []

    def rows() -> Any:
        yield from ({"key": str(n), "answer": Applied() if n % 10 == 0 else "same"} for n in range(1000))
        found.append(eventually(lambda: len(path.read_text().splitlines()) == 1000))

    ran = Ran(CallableRows(rows), Things(), path)
    assert (ran.error, len(found)) == (None, 1)


class WithEarlier(GivenRows):
    """Rows after a run that has updated a record."""

    def done_records(self) -> Iterator[str]:
        return iter(["a"])


def test_rows_of_records_that_an_earlier_run_has_updated_are_duplicates(path: Path) -> None:
    ran = Ran(WithEarlier([{"key": "a"}, {"key": "b"}]), Things(), path)
    assert ran.outcomes == {1: "invalid", 2: "updated"}
    assert ran.lines[1]["reason"] == "an earlier row has the same thing key"


def test_duplicate_names_the_row_of_an_earlier_chunk(path: Path) -> None:
    rows = [{"key": str(n), "answer": "same"} for n in range(1500)]
    ran = Ran([*rows, rows[70], rows[70], rows[1200]], Things(), path)
    assert {row: line["reason"] for row, line in ran.lines.items() if line["outcome"] == "invalid"} == {
        1501: "an earlier row has the same thing key: row 71",
        1502: "an earlier row has the same thing key: row 71",
        1503: "an earlier row has the same thing key: row 1201",
    }


@pytest.mark.parametrize("guarded", [False, True])
def test_error_of_the_source_is_raised_after_the_rows_before_it(path: Path, guarded: bool) -> None:
    def rows() -> Any:
        yield {"key": "a"}
        raise OSError("the warehouse is gone")

    things = Things(guarded=guarded)
    ran = Ran(CallableRows(rows), things, path)
    assert str(ran.error) == "the warehouse is gone"
    assert not ran.complete
    assert ran.outcomes == ({} if guarded else {1: "updated"})
    assert things.applied == ([] if guarded else [1])


@pytest.mark.parametrize("guarded", [False, True])
def test_column_that_no_row_has_is_an_error(path: Path, guarded: bool) -> None:
    things = Things(guarded=guarded)
    things.named_columns = NamedColumns("key", ["tier", "n"])
    ran = Ran([{"key": "a"}], things, path)
    assert isinstance(ran.error, RowsFailedError)
    assert ran.error.permanent
    says = "Nothing was sent" if guarded else "The other columns of 1 row were processed"
    assert (
        str(ran.error) == f"No row has the column tier, n; the first row has: key. Check the spelling. {says}"
    )
    assert ran.complete is not guarded
    assert things.applied == ([] if guarded else [1])


class Guarded(Things):
    """Records with a guard: a run may change at most two."""

    seen: Sequence[int] = ()

    def check_plan(self, planned: Sequence[Planned]) -> None:
        assert self.applied == []
        self.seen = [change.row for change in planned]
        if len(planned) > 2:
            raise RetellInputError("too many changes")


def test_guard_sees_all_changes_before_the_first_is_sent(path: Path) -> None:
    things = Guarded(guarded=True)
    same = [{"key": str(n), "answer": "same"} for n in range(1500)]
    ran = Ran([{"key": "a"}, *same, {"key": "c"}], things, path)
    assert (things.seen, sorted(things.applied), ran.error) == ([1, 1502], [1, 1502], None)
    assert len(things.chunks) == 2
    things = Guarded(guarded=True)
    ran = Ran([{"key": n} for n in "abc"], things, path)
    assert str(ran.error) == "too many changes. Nothing was sent"
    assert not ran.complete
    assert things.applied == []


def test_source_is_told_to_stop_at_the_end(path: Path, mocker: Any, emulator: Emulator) -> None:
    stop = mocker.spy(GivenRows, "stop")
    Ran([{"key": "a"}], Things(), path)
    assert stop.call_count == 1
    assert not emulator.requests
