"""Bulk updates against a model: arbitrary rows, faults, kills and other clients."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import math
import re
import time
from pathlib import Path
from typing import Any

import pytest
import tasks
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from metadata_model import planned

from airflow_provider_retell.api.calls.kind import CALLS
from airflow_provider_retell.api.encode import same_json
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.api.quota import Rate
from airflow_provider_retell.api.retry import RetryLimits
from airflow_provider_retell.bulk.engine import BulkUpdate
from airflow_provider_retell.bulk.given_rows import GivenRows
from airflow_provider_retell.bulk.records.columns import Columns
from airflow_provider_retell.bulk.records.updates import RecordUpdates
from airflow_provider_retell.bulk.report import Report
from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.hooks.retell import RetellAsyncHook

IDS = [f"call_{n}" for n in range(12)]

names = st.sampled_from("abc")
small_values = st.sampled_from(["x", "y", 1, 1.0, True, None, "", [1], {"a": None}, {}])
metadata = st.dictionaries(names, small_values, max_size=3)
statuses = st.sampled_from(["ended"] * 6 + ["error", "not_connected", "ongoing", "missing"])
calls = st.lists(st.tuples(statuses, metadata), min_size=len(IDS), max_size=len(IDS))
rows = st.lists(
    st.builds(
        lambda call_id, values, other: {"call_id": call_id, **values} if other is None else other,
        st.sampled_from([*IDS * 3, "call_other", "no id!", "", None, 7, 1.5]),
        st.dictionaries(
            names, st.sampled_from(["x", "y", 1, 2, None, {}] * 2 + [math.nan]), min_size=1, max_size=3
        ),
        st.sampled_from([None] * 20 + [{}, {"a": 1}, "no row"]),
    ),
    min_size=3,
    max_size=12,
)
faults = st.sampled_from(
    [
        Fault.status(429, headers={"Retry-After": "2"}),
        Fault.status(429, headers={"Retry-After": "5000"}),
        Fault.status(500),
        Fault.status(409),
        Fault.status(401),
        Fault.drop(),
        Fault.drop_after(),
        Fault.truncate(),
        Fault.garbage(),
        Fault.slow(0.02),
    ]
)
troubles = st.lists(
    st.fixed_dictionaries(
        {
            "fault": faults,
            "route": st.sampled_from(["update-call", "update-call", "list-calls", "get-call"]),
            # 0 strikes every request; the hook tries three times.
            "times": st.sampled_from([1, 2, 0]),
            "after": st.integers(0, 3),
        }
    ),
    min_size=1,
    max_size=2,
)


class BulkUpdates(RuleBasedStateMachine):
    """Runs one bulk update again and again, while faults, kills and other clients interfere."""

    def __init__(self, emulator: Emulator, report: Path) -> None:
        super().__init__()
        self.emulator = emulator
        self.report = report
        emulator.reset()

    @initialize(
        rows=rows,
        calls=calls,
        mode=st.sampled_from(["merge", "fill", "replace"]),
        remove=st.frozensets(names, max_size=1),
        max_ids=st.sampled_from([None, 2, 1]),
        drops_null=st.booleans(),
    )
    def start(
        self, rows: Any, calls: Any, mode: Any, remove: frozenset[str], max_ids: int | None, drops_null: bool
    ) -> None:
        self.rows = rows
        self.mode, self.remove = mode, remove
        self.emulator.options.max_ids_per_filter = max_ids
        self.emulator.options.drops_null = drops_null
        for call_id, (status, values) in zip(IDS, calls, strict=True):
            if status != "missing":
                self.emulator.add_call(call_id=call_id, call_status=status, metadata=values, minimal=True)

    # -- other clients

    @rule(call_id=st.sampled_from(IDS), values=metadata)
    def another_client_updates(self, call_id: str, values: Any) -> None:
        if call_id in self.emulator.calls:
            self.emulator.calls[call_id]["metadata"] = values

    @rule(call_id=st.sampled_from(IDS))
    def a_call_ends(self, call_id: str) -> None:
        if call_id in self.emulator.calls:
            self.emulator.calls[call_id]["call_status"] = "ended"

    @rule(call_id=st.sampled_from(IDS))
    def a_call_is_deleted(self, call_id: str) -> None:
        self.emulator.calls.pop(call_id, None)

    # -- runs

    @rule(troubles=troubles)
    def run_with_faults(self, troubles: Any) -> None:
        for trouble in troubles:
            self.emulator.faults.add(**trouble)
        self.check_run()
        self.emulator.faults.clear()

    @rule(troubles=troubles, requests=st.integers(1, 8))
    def run_until_it_is_killed(self, troubles: Any, requests: int) -> None:
        for trouble in troubles:
            self.emulator.faults.add(**trouble)
        # The kill comes while updates are being sent.
        self.emulator.faults.add(Fault.slow(0.02), route="update-call", times=0)
        self.check_run(kill_after=requests)
        self.emulator.faults.clear()

    @rule()
    def run_without_faults(self) -> None:
        self.check_complete_run()

    def teardown(self) -> None:
        self.emulator.faults.clear()
        if hasattr(self, "rows"):
            self.check_complete_run()
            self.check_complete_run()
            assert self.emulator.count("update-call") == 0

    # -- checks

    def check_complete_run(self) -> None:
        expected = self.expected()
        after, report = self.check_run()
        assert [outcome for outcome, _, _ in expected] == [
            report[n + 1]["outcome"] for n in range(len(self.rows))
        ]
        for _, call_id, target in expected:
            if target is not None:
                assert same_json(after[call_id], target)

    def check_run(self, kill_after: int | None = None) -> tuple[dict[str, Any], dict[int, Any]]:
        """Run once; return the metadata of all calls and the report. Check what holds for every run."""
        expected = self.expected()
        before = self.stored()
        self.emulator.clear_requests()
        progress, complete = asyncio.run(self.run_once(kill_after))
        if not complete:
            # The emulator processes slow requests even if the client has left.
            time.sleep(0.06)
            recorder = self.emulator._state.recorder
            while recorder._received.total() != recorder._answered.total():
                time.sleep(0.01)
        after = self.stored()
        lines = [json.loads(line) for line in self.report.read_text().splitlines()]
        report = {line["row"]: line for line in lines}
        assert len(report) == len(lines) == progress.rows == sum(progress.counts.values())
        assert all(0 < row <= len(self.rows) for row in report)
        assert len(report) == len(self.rows) or not complete
        targets = {call_id: target for _, call_id, target in expected if target is not None}
        for row, line in report.items():
            outcome, call_id, target = expected[row - 1]
            assert line["outcome"] in (outcome, "failed")
            assert outcome != "invalid" or line["outcome"] == "invalid"
            if line["outcome"] == "updated":
                assert same_json(after[call_id], target)
        for call_id, values in after.items():
            # No call is left in between, and no update is missing in the report.
            if not same_json(values, before[call_id]):
                assert same_json(values, targets[call_id])
                assert call_id in {line["call_id"] for line in lines}
        return after, report

    async def run_once(self, kill_after: int | None) -> tuple[Any, bool]:
        with Report(str(self.report)) as report, no_waiting():
            limits = RetryLimits(attempts=3, seconds=30)
            async with RetellAsyncHook(retry=limits, quota=Rate(100_000, 1)) as hook:
                resource = RecordUpdates(hook, Columns(), CALLS, self.mode, self.remove)
                update = BulkUpdate(hook, GivenRows(self.rows), resource, report, concurrency=3)
                run = asyncio.ensure_future(update.run())
                # The emulator counts in another thread.
                while not run.done() and (kill_after is None or self.emulator.count() < kill_after):  # noqa: ASYNC110
                    await asyncio.sleep(0.0005)
                run.cancel()
                complete = False
                with contextlib.suppress(asyncio.CancelledError, RetellError):
                    await run
                    complete = True
        return update.progress, complete

    def stored(self) -> dict[str, Any]:
        return {
            call_id: copy.deepcopy(call.get("metadata") or {})
            for call_id, call in self.emulator.calls.items()
        }

    def expected(self) -> list[tuple[str, Any, Any]]:
        """Return the outcome of each row without faults, its call id, and the metadata to expect or None."""
        seen: set[str] = set()
        found: list[tuple[str, Any, Any]] = []
        for row in self.rows:
            call_id = row.get("call_id") if isinstance(row, dict) else None
            call_id = str(call_id) if type(call_id) is int else call_id
            if not isinstance(call_id, str) or not re.fullmatch("[A-Za-z0-9_-]+", call_id):
                found.append(("invalid", None, None))
                continue
            values = {name: value for name, value in row.items() if name != "call_id"}
            odd = any(isinstance(value, bytes) or value != value for value in values.values())
            if odd or call_id in seen:
                found.append(("invalid", call_id, None))
            elif call_id not in self.emulator.calls:
                found.append(("not_found", call_id, None))
            elif self.emulator.calls[call_id]["call_status"] == "ongoing":
                found.append(("not_ended", call_id, None))
            else:
                current = self.emulator.calls[call_id].get("metadata") or {}
                target = planned(current, values or None, self.mode, self.remove)
                outcome = "unchanged" if same_json(current, target) else "updated"
                found.append((outcome, call_id, target))
            seen.add(call_id)
        return found


def test_bulk_updates_end_in_the_planned_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Emulator(quotas=None) as emulator:
        tasks.connect(monkeypatch, emulator)
        run_state_machine_as_test(
            lambda: BulkUpdates(emulator, tmp_path / "report.jsonl"),
            # To shrink an example takes minutes.
            settings=settings(
                max_examples=max(settings().max_examples // 2, 10),
                stateful_step_count=8,
                phases=set(Phase) - {Phase.shrink, Phase.explain},
            ),
        )
