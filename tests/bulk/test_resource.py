"""The seam between the engine and a kind of record: guards, private keys, and creation."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_retell.api.calls import endpoints
from airflow_provider_retell.api.calls.kind import CALLS
from airflow_provider_retell.api.errors import RetellError, RetellInputError
from airflow_provider_retell.api.request import Flow
from airflow_provider_retell.bulk.engine import BulkUpdate
from airflow_provider_retell.bulk.errors import InvalidRowError
from airflow_provider_retell.bulk.given_rows import CallableRows, as_rows
from airflow_provider_retell.bulk.named_columns import NamedColumns
from airflow_provider_retell.bulk.outcome import Result
from airflow_provider_retell.bulk.records.columns import Columns
from airflow_provider_retell.bulk.records.updates import RecordUpdates
from airflow_provider_retell.bulk.report import Report
from airflow_provider_retell.bulk.resource import Applied, Difference, Planned, Resource
from airflow_provider_retell.emulator import Emulator
from airflow_provider_retell.hooks import RetellAsyncHook

PHONE = "+4915112345678"


class GuardedCalls(RecordUpdates):
    """Calls with a guard: a run may change at most 1,500 of them."""

    guarded = True

    def check_plan(self, planned: Sequence[Planned]) -> None:
        if len(planned) > 1500:
            raise RetellInputError(f"{len(planned)} of the calls would change")


class NewCall(Planned):
    """A call that a row creates."""

    def __init__(self, row: int, phone: str) -> None:
        self.row = row
        self.changed = ("to_number",)
        self._phone = phone

    @property
    def record_id(self) -> None:
        return None

    def apply(self) -> Flow[Applied]:
        call = yield endpoints.create_phone_call(from_number="+14155550100", to_number=self._phone)
        return Applied(record_id=call.call_id)

    def difference(self) -> Difference:
        return Difference(f"create the call of row {self.row}", self.changed, {}, {})


class CallsByNumber(Resource[str, None]):
    """Calls by the number that they dial. All are read before the first row."""

    kind = "call"
    key_name = "phone number"

    def __init__(self, hook: RetellAsyncHook) -> None:
        self._hook = hook
        self.named_columns = NamedColumns("phone", [])
        self._ids: dict[str, str] = {}

    async def set_up(self) -> None:
        page = await self._hook.send(endpoints.list_calls())
        self._ids = {call.to_number: call.call_id for call in page.items if call.to_number}

    def read_row(self, row: Any) -> tuple[str, None]:
        phone = self.named_columns.key_of(row)
        if row.get("bad"):
            raise InvalidRowError("the row is bad", phone)
        return phone, None

    async def read_states(self, keys: Sequence[str]) -> Mapping[str, str | RetellError | None]:
        return {key: self._ids.get(key) for key in keys}

    def plan_row(self, row: int, key: str, state: str | None, wanted: None) -> Planned | Result:
        return NewCall(row, key) if state is None else Result(row, state, "unchanged")

    def record_id(self, key: str) -> str | None:
        return self._ids.get(key)


def run_bulk(
    rows: Any, make: Any, path: Path, **options: Any
) -> tuple[BulkUpdate[Any, Any], Exception | None]:
    async def main() -> tuple[BulkUpdate[Any, Any], Exception | None]:
        async with RetellAsyncHook() as hook:
            update = BulkUpdate(hook, as_rows(rows), make(hook), Report(str(path)), **options)
            try:
                await update.run()
            except Exception as error:
                return update, error
            return update, None

    return asyncio.run(main())


def guarded(hook: RetellAsyncHook) -> GuardedCalls:
    return GuardedCalls(hook, Columns(metadata={"n": "n"}), CALLS)


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_guard_rejects_the_whole_run_before_the_first_change(
    emulator: Emulator, tmp_path: Path, dry_run: bool
) -> None:
    emulator.add_calls([f"call_{n}" for n in range(2000)], metadata={"n": 1})
    rows = [{"call_id": f"call_{n}", "n": 2 if n < 1501 else 1} for n in range(2000)]
    update, error = run_bulk(rows, guarded, tmp_path / "report.jsonl", dry_run=dry_run)
    assert str(error) == "1501 of the calls would change. Nothing was sent"
    assert emulator.count("update-call") == 0
    assert dict(update.progress.counts) == {"unchanged": 499}


def test_a_guarded_run_sends_the_changes_that_its_guard_accepts(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_calls([f"call_{n}" for n in range(1100)], metadata={"n": 1})
    rows = [{"call_id": f"call_{n}", "n": 2 if n % 50 == 0 else 1} for n in range(1100)]
    update, error = run_bulk(rows, guarded, tmp_path / "report.jsonl")
    assert error is None
    assert dict(update.progress.counts) == {"unchanged": 1078, "updated": 22}
    last_list = max(n for n, request in enumerate(emulator.requests) if request.route == "list-calls")
    assert all(request.route == "update-call" for request in list(emulator.requests)[last_list + 1 :])
    update, _ = run_bulk(rows, guarded, tmp_path / "report.jsonl", dry_run=True)
    assert dict(update.progress.counts) == {"unchanged": 1100}


def test_a_guarded_run_sends_nothing_if_its_source_fails_or_lacks_a_column(
    emulator: Emulator, tmp_path: Path
) -> None:
    emulator.add_calls(["a", "b"])

    def fail() -> Any:
        yield {"call_id": "a", "n": 2}
        raise OSError("the warehouse is gone")

    _, error = run_bulk(CallableRows(fail), guarded, tmp_path / "report.jsonl")
    assert str(error) == "the warehouse is gone"
    _, error = run_bulk([{"call_id": "a", "m": 2}], guarded, tmp_path / "report.jsonl")
    assert str(error) == (
        "No row has the column n; the first row has: call_id, m. Check the spelling. Nothing was sent"
    )
    assert emulator.count("update-call") == 0


def test_private_keys_are_not_in_the_report_and_new_records_have_their_id(
    emulator: Emulator, tmp_path: Path
) -> None:
    path = tmp_path / "report.jsonl"
    rows = [{"phone": PHONE}, {"phone": PHONE}, {"phone": "+4915100000001", "bad": True}]
    update, error = run_bulk(rows, CallsByNumber, path)
    assert error is None
    (call_id,) = emulator.calls
    lines = sorted(map(json.loads, path.read_text().splitlines()), key=lambda line: line["row"])
    assert [(line["call_id"], line["outcome"], line["reason"]) for line in lines] == [
        (call_id, "updated", ""),
        (None, "invalid", "an earlier row has the same phone number: row 1"),
        (None, "invalid", "the row is bad"),
    ]
    assert PHONE not in path.read_text()
    update, _ = run_bulk(rows[:2], CallsByNumber, path)
    assert dict(update.progress.counts) == {"unchanged": 1, "invalid": 1}
    assert [result.record_id for result in update.progress.first_failures()] == [call_id]
    assert emulator.count("create-phone-call") == 1
