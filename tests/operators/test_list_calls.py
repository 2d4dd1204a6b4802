"""ListCallsOperator: its parameters, and the calls that it selects."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from tasks import Ti, json_lines, run_try

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.bulk import FileRows
from airflow_provider_retell.emulator import Clock, Emulator, Lifecycle
from airflow_provider_retell.operators import BulkUpdateCallOperator, ListCallsOperator

START = datetime(2026, 11, 21, 10, tzinfo=timezone.utc)
END = START + timedelta(hours=1)
INTERVAL = {"data_interval_start": START, "data_interval_end": END}


def ms(time: datetime) -> int:
    return int(time.timestamp() * 1000)


def listing(path: Any, **arguments: Any) -> ListCallsOperator:
    return ListCallsOperator(task_id="a_task", path=str(path), **arguments)


def ids(path: Path) -> list[str]:
    return [row["call_id"] for row in json_lines(path)]


def add(emulator: Emulator, call_id: str, end: int, **fields: Any) -> None:
    emulator.add_call(
        call_id=call_id, call_status="ended", start_timestamp=end - 60_000, end_timestamp=end, **fields
    )


def test_the_window_is_the_interval_and_the_overlap_before_it(emulator: Emulator, tmp_path: Path) -> None:
    for name, end in {
        "too_early": ms(START) - 30 * 60_000 - 1,
        "overlap": ms(START) - 30 * 60_000,
        "first": ms(START),
        "last": ms(END) - 1,
        "next": ms(END),
    }.items():
        add(emulator, name, end)
    emulator.add_call(call_id="ongoing", call_status="ongoing", start_timestamp=ms(START))
    result = run_try(listing(tmp_path / "calls.jsonl"), **INTERVAL)
    assert ids(tmp_path / "calls.jsonl") == ["overlap", "first", "last"]
    assert result["window"] == [ms(START) - 30 * 60_000, ms(END) - 1]
    run_try(listing(tmp_path / "exact.jsonl", overlap=timedelta(0)), **INTERVAL)
    assert ids(tmp_path / "exact.jsonl") == ["first", "last"]


@pytest.mark.parametrize("overlap", [90, 90.0, timedelta(seconds=90)])
def test_the_overlap_is_seconds_or_a_timedelta(emulator: Emulator, tmp_path: Path, overlap: Any) -> None:
    result = run_try(listing(tmp_path / "calls.jsonl", overlap=overlap), **INTERVAL)
    assert result["window"] == [ms(START) - 90_000, ms(END) - 1]


def test_a_call_of_two_hours_is_exported_by_start_after_its_end(emulator: Emulator, tmp_path: Path) -> None:
    add(emulator, "two_hours", ms(START) + 60_000)
    emulator.calls["two_hours"]["start_timestamp"] = ms(START) - 2 * 3_600_000
    path = tmp_path / "calls.jsonl"
    run_try(listing(path, by="start_timestamp"), **INTERVAL)
    assert ids(path) == ["two_hours"]


def test_calls_can_be_selected_by_start(emulator: Emulator, tmp_path: Path) -> None:
    add(emulator, "started_before", ms(START) + 59_999)
    add(emulator, "started_within", ms(START) + 60_000)
    emulator.add_call(call_id="ongoing", call_status="ongoing", start_timestamp=ms(START) + 1)
    path = tmp_path / "calls.jsonl"
    run_try(listing(path, by="start_timestamp", overlap=timedelta(0)), **INTERVAL)
    assert ids(path) == ["started_within", "ongoing"]


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("form", ["dict", "text"])
def test_filter_criteria_select_calls_with_and_without_an_interval(
    emulator: Emulator, tmp_path: Path, native: bool, form: str
) -> None:
    for name, agent in (("a", "agent_1"), ("b", "agent_2")):
        add(emulator, name, ms(START), agent_id=agent)
        add(emulator, f"{name}_long_ago", ms(START) - 10**9, agent_id=agent)
    criteria: Any = {"agent": [{"agent_id": "{{ agent }}"}]}
    if form == "text":
        criteria = "{{ {'agent': [{'agent_id': agent}]} | tojson }}"
    path = tmp_path / "calls.jsonl"
    operator = listing(path, filter_criteria=criteria, by=None)
    result = run_try(operator, native=native, agent="agent_1")
    # "Rendered Templates" shows only the keys.
    assert dict(operator.filter_criteria) == {"agent": "agent_1"}
    assert (ids(path), result["window"]) == (["a_long_ago", "a"], None)
    run_try(listing(path, filter_criteria=criteria), native=native, agent="agent_1", **INTERVAL)
    assert ids(path) == ["a"]


def test_calls_without_a_metadata_key_can_be_the_rows_of_a_bulk_update(
    emulator: Emulator, tmp_path: Path
) -> None:
    add(emulator, "new", ms(START), metadata={"customer": "C-1"})
    add(emulator, "done", ms(START), metadata={"customer": "C-2", "tier": "gold"})
    add(emulator, "other", ms(START), metadata={"customer": "C-3", "internal": True})
    path = tmp_path / "todo.jsonl"
    criteria = {"metadata": [{"type": "present", "op": "np", "key": "internal"}]}
    operator = listing(path, without_metadata_key="tier", fields=(), filter_criteria=criteria)
    assert run_try(operator, **INTERVAL)["calls"] == 1
    assert json_lines(path) == [{"call_id": "new"}]

    bulk = BulkUpdateCallOperator(
        task_id="b_task", rows=FileRows(str(path)), data_storage_setting="everything_except_pii"
    )
    ti = Ti()
    bulk.execute({"ti": ti})
    assert (ti.xcom["manifest"]["rows"], ti.xcom["manifest"]["updated"]) == (1, 1)
    assert emulator.calls["new"]["data_storage_setting"] == "everything_except_pii"


def test_a_call_without_an_analysis_is_in_the_next_file_too(connect: Any, tmp_path: Path) -> None:
    clock = Clock(frozen=True, start=END.timestamp() - 40)
    with Emulator(clock=clock, lifecycle=Lifecycle(talk=5, analyze=600)) as emulator:
        connect(emulator)
        emulator.add_call(call_id="late", call_status="registered", progress=True)
        clock.advance(30)
        first = run_try(listing(tmp_path / "10.jsonl"), **INTERVAL)
        assert (first["calls"], first["not_analyzed"]) == (1, 1)
        clock.advance(3600)
        after = {"data_interval_start": END, "data_interval_end": END + timedelta(hours=1)}
        second = run_try(listing(tmp_path / "11.jsonl"), **after)
        assert (second["calls"], second["not_analyzed"]) == (1, 0)
    calls = {row["call_id"]: row for name in ("10", "11") for row in json_lines(tmp_path / f"{name}.jsonl")}
    assert calls["late"]["call_analysis"]["call_summary"]


# -- errors


@pytest.mark.parametrize(
    "interval",
    [{}, {"data_interval_start": None, "data_interval_end": None}, {**INTERVAL, "data_interval_end": START}],
)
def test_a_run_without_an_interval_fails_and_says_how_to_get_one(
    emulator: Emulator, tmp_path: Path, interval: Any
) -> None:
    with pytest.raises(AirflowFailException, match=r"no data interval.*CronDataIntervalTimetable.*by=None"):
        run_try(listing(tmp_path / "calls.jsonl"), **interval)
    assert not emulator.requests
    run_try(listing(tmp_path / "calls.jsonl", by=None), **interval)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"by": "duration_ms"}, "by must be 'end_timestamp', 'start_timestamp' or None, not 'duration_ms'"),
        ({"fields": "call_id"}, "fields must be a list of strings, not text"),
        ({"whole_calls": "False"}, "whole_calls must be True or False"),
        ({"fields": ["metadata", "durationms"]}, "durationms"),
        ({"fields": ["access_token"]}, "access_token"),
        ({"fields": ["transcript"]}, "transcript.*whole_calls=True"),
        ({"overlap": timedelta(-1)}, "overlap must be seconds or a timedelta, 0 or more"),
        ({"overlap": "1h"}, "overlap must be seconds or a timedelta"),
        ({"without_metadata_key": " "}, "without_metadata_key must not be blank"),
        ({"path": "calls.csv"}, "path must end in .jsonl, .ndjson or .parquet, not 'calls.csv'"),
    ],
)
def test_a_wrong_argument_fails_when_the_dag_is_read(arguments: Any, says: str) -> None:
    with pytest.raises((ValueError, TypeError), match=says):
        listing(**{"path": "calls.jsonl", **arguments})


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"filter_criteria": {"end_timestamp": {"type": "number", "op": "gt", "value": 0}}}, "set by=None"),
        ({"filter_criteria": {"nothing": 1}}, "nothing"),
        ({"filter_criteria": "all of them"}, "filter_criteria rendered to text"),
        ({"path": "calls{{ '.csv' }}"}, "path must end in"),
        ({"filter_criteria": {"metadata": {"tier": "gold"}}}, "filter_criteria.metadata must be"),
        (
            {"filter_criteria": {"metadata": {"tier": "gold"}}, "without_metadata_key": "n"},
            "filter_criteria.metadata must be",
        ),
    ],
)
def test_invalid_input_fails_the_task_and_leaves_no_file(
    emulator: Emulator, tmp_path: Path, monkeypatch: Any, arguments: Any, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AirflowFailException, match=says):
        run_try(listing(**{"path": "calls.jsonl", **arguments}), **INTERVAL)
    assert not list(tmp_path.iterdir())
    assert not emulator.requests


@pytest.fixture
def retention(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> Any:
    """Return a function that lists the agents in the warnings about their retention."""
    now = emulator.clock.now()

    def agents(path: Path, days_ago: float, **arguments: Any) -> list[str]:
        end = datetime.fromtimestamp(now, timezone.utc) - timedelta(days=days_ago)
        caplog.clear()
        interval = {"data_interval_start": end - timedelta(hours=1), "data_interval_end": end}
        run_try(listing(path, **arguments), **interval)
        return [record.args[0] for record in caplog.records if "keeps data for" in record.msg]  # type: ignore[index,misc]

    return agents


def test_an_interval_beyond_the_retention_of_an_agent_is_logged(
    emulator: Emulator, tmp_path: Path, retention: Any
) -> None:
    emulator.add_agent(agent_id="agent_short", data_storage_retention_days=5)
    emulator.add_agent(agent_id="agent_long", data_storage_retention_days=365)
    emulator.add_agent(agent_id="agent_unlimited")
    emulator.add_agent(agent_id="agent_chat", channel="chat", data_storage_retention_days=1)
    path = tmp_path / "calls.jsonl"
    assert retention(path, 6) == ["agent_short"]
    assert emulator.count("get-agent") == emulator.count("get-agent", status=200) == 3
    assert retention(path, 4) == []
    selected = {"agent": [{"agent_id": "agent_long"}, {"agent_id": "agent_gone"}]}
    assert retention(path, 6, filter_criteria=selected) == []
    emulator.clear_requests()
    assert retention(path, 0.5) == []
    assert {each.route for each in emulator.requests} == {"list-calls"}


def test_at_most_20_agents_are_read_for_their_retention(
    emulator: Emulator, tmp_path: Path, retention: Any
) -> None:
    for number in range(25):
        emulator.add_agent(agent_id=f"agent_{number}")
    retention(tmp_path / "calls.jsonl", 6)
    assert emulator.count("get-agent") == 20


def test_a_key_without_access_to_agents_can_export_old_intervals(
    emulator: Emulator, tmp_path: Path, connect: Any, retention: Any
) -> None:
    emulator.add_key("key_history", {"history": "read"})
    connect(emulator.url, api_key="key_history")
    assert retention(tmp_path / "calls.jsonl", 6) == []
    assert (tmp_path / "calls.jsonl").exists()
