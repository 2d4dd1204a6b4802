"""BulkUpdateCallOperator: its parameters, XCom, asset events, and log."""

from __future__ import annotations

import logging
import traceback
from typing import Any

import pytest
import tasks

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.bulk import FailedRows, FileRows
from airflow_provider_retell.bulk.errors import RowsFailedError
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators import BulkUpdateCallOperator

try:
    from airflow.sdk import Asset, AssetAlias
    from airflow.sdk.execution_time.context import OutletEventAccessors
except ImportError:  # 2.11
    from airflow.datasets import Dataset as Asset
    from airflow.datasets import DatasetAlias as AssetAlias
    from airflow.utils.context import OutletEventAccessors


def bulk(**arguments: Any) -> BulkUpdateCallOperator:
    return BulkUpdateCallOperator(task_id="a_task", **{"rows": [], "quota": "100000/1", **arguments})


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            {"metadata_mode": "overwrite"},
            "metadata_mode must be 'merge', 'fill' or 'replace', not 'overwrite'",
        ),
        ({"tolerate": "not_found"}, "tolerate must be a list of 'not_found' or 'not_ended', not text"),
        ({"tolerate": ["failed"]}, "tolerate must be a list .* it contains 'failed'"),
        ({"data_storage_setting": "all"}, "data_storage_setting must be 'everything', "),
        (
            {"data_storage_setting": "everything", "data_storage_setting_column": "x"},
            "data_storage_setting and data_storage_setting_column must not both be set",
        ),
        ({"data_storage_setting_column": ["x"]}, "data_storage_setting_column must be text, not a?list"),
        ({"call_id_column": ""}, "call_id_column must not be blank"),
        (
            {"metadata_columns": {"a": "{{ params.key }}"}},
            "the values of metadata_columns must not be a template",
        ),
        ({"metadata_columns": ["{{ params.key }}"]}, "metadata_columns must not be a template"),
        ({"call_id_column": "{{ params.key }}"}, "call_id_column must not be a template"),
        ({"remove_metadata_keys": ["{{ params.key }}"]}, "remove_metadata_keys must not be a template"),
        ({"json_columns": ["{{ params.key }}"]}, "json_columns must not be a template"),
        ({"remove_metadata_keys": "key"}, "remove_metadata_keys must be a list of strings, not text"),
        (
            {"remove_metadata_keys": ["x"], "metadata_columns": ["x"]},
            "remove_metadata_keys must not contain keys that metadata_columns sets: x",
        ),
        (
            {"remove_metadata_keys": ["x"], "metadata_columns": {"a": "x"}},
            "remove_metadata_keys must not contain keys that metadata_columns sets: x",
        ),
        ({"metadata_columns": "tier"}, "metadata_columns must be a list or dict of strings, not text"),
        ({"metadata_columns": {"a": "same", "b": "same"}}, "metadata_columns must give each column a name"),
        (
            {"custom_attribute_columns": "tier"},
            "custom_attribute_columns must be a list or dict of strings, not text",
        ),
        ({"show_values": "False"}, "show_values must be True or False"),
        ({"concurrency": 0}, "concurrency must be a whole number from 1 to 256, not 0"),
        ({"max_failed_ratio": 1.1}, "max_failed_ratio must be a number from 0 to 1, not 1.1"),
        ({"max_failed_rows": -1}, "max_failed_rows must be a whole number of at least 0, not -1"),
        ({"quota": "10 per second"}, r"quota must have the form '100/10' .*, not '10 per second'"),
        ({"report_path": "report.csv"}, "report_path must end in .jsonl or .ndjson"),
        ({"min_rows": -1}, "min_rows must be a whole number of at least 0, not -1"),
        ({"on_empty": "ignore"}, "on_empty must be 'success', 'skip' or 'fail', not 'ignore'"),
        (
            {"report_path": "s3://KEY:SECRET@bucket/report.jsonl"},
            r"must not contain a user name or password.*s3://\*\*\*@bucket/report.jsonl",
        ),
        ({"rows": iter([])}, "rows must not be an iterator"),
    ],
)
def test_a_wrong_argument_fails_when_the_dag_is_read(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises((ValueError, TypeError), match=says):
        bulk(**arguments)


def test_parameters_are_stored_under_their_own_names() -> None:
    arguments: dict[str, Any] = {
        "metadata_columns": ["tier"],
        "metadata_mode": "fill",
        "remove_metadata_keys": ["old"],
        "dry_run": True,
        "show_values": True,
        "report_path": "{{ ds }}.jsonl",
        "concurrency": 4,
        "quota": "10/1",
        "max_failed_rows": 3,
        "max_failed_ratio": 0.5,
        "tolerate": ["not_found"],
    }
    task = bulk(**arguments)
    assert {name: getattr(task, name) for name in arguments} == arguments


@pytest.mark.parametrize("fails", [False, True])
def test_the_manifest_is_in_xcom_once_even_if_the_task_fails(emulator: Emulator, fails: bool) -> None:
    emulator.add_calls(["a"])
    rows = [{"call_id": "a", "n": 1}, *([{"call_id": "missing"}] if fails else [])]
    ti = tasks.Ti()
    if fails:
        with pytest.raises(AirflowFailException):
            tasks.run_task(bulk(rows=rows), ti=ti)
    else:
        assert tasks.run_task(bulk(rows=rows), ti=ti) is None
    assert list(ti.xcom) == ["manifest", "failures"]
    assert ti.xcom["manifest"]["updated"] == 1
    assert ti.xcom["manifest"]["not_found"] == fails


def test_an_outlet_that_is_not_an_asset_does_not_fail_the_task(emulator: Emulator) -> None:
    emulator.add_calls(["a"])
    task, ti = bulk(rows=[{"call_id": "a", "n": 1}], outlets=[object()]), tasks.Ti()
    tasks.run_task(task, ti=ti, outlet_events=OutletEventAccessors())
    assert ti.xcom["manifest"]["updated"] == 1


def test_every_outlet_gets_the_counts(emulator: Emulator) -> None:
    emulator.add_calls(["a"])
    asset, alias, events = Asset("calls"), AssetAlias("enriched"), OutletEventAccessors()
    task = bulk(rows=[{"call_id": "a", "n": 1}], outlets=[asset, alias])
    tasks.run_task(task, outlet_events=events)
    expected = {"rows": 1, "updated": 1, "report": ""}
    assert expected.items() <= events[asset].extra.items()
    assert {"tries": 1, "rows": 1, "updated": 1}.items() <= events[asset].extra["task_run"].items()
    # An alias without an asset has no event.
    accessor: Any = events[alias]
    (event,) = getattr(accessor, "asset_alias_events", None) or accessor.dataset_alias_events
    fields = (
        event
        if isinstance(event, dict)
        else {name: getattr(event, name) for name in ("extra", "source_alias_name")}
    )
    assert expected.items() <= fields["extra"].items()
    assert fields["source_alias_name"] == "enriched"


# -- the log of failed rows


@pytest.fixture
def log_lines(caplog: pytest.LogCaptureFixture) -> Any:
    """Return the messages about failed rows."""
    caplog.set_level(logging.INFO)
    loggers = ("airflow_provider_retell.bulk.failed_table", "airflow_provider_retell.operators.rows_base")
    return lambda: [record.getMessage() for record in caplog.records if record.name in loggers]


def test_the_log_lists_failed_rows_with_their_reasons(emulator: Emulator, log_lines: Any) -> None:
    emulator.add_calls(["good", "bad"])
    rows = [
        {"call_id": "good"},
        {"call_id": "missing"},
        {"call_id": "no/id"},
        {"call_id": "bad", "n": float("nan")},
    ]
    with pytest.raises(AirflowFailException) as error:
        tasks.run_task(bulk(rows=rows))
    assert log_lines() == [
        "::group::Failed rows: 3",
        "row  call     outcome    reason",
        "  2  missing  not_found  the API key's organization has no such call",
        (
            "  3  -        invalid    call_id has '/' as character 3: an id must consist of letters, digits, '_' and "
            "'-'"
        ),
        (
            "  4  bad      invalid    metadata.n is NaN or infinite, which JSON cannot represent: send null or leave "
            "the key out"
        ),
        "::endgroup::",
    ]
    assert str(error.value).splitlines() == [
        "3 of 4 rows failed: 2 invalid, 1 not_found",
        "Row 2: the API key's organization has no such call",
        "Set report_path to get a report of all rows",
    ]


@pytest.mark.usefixtures("no_sleep")
def test_the_log_has_a_reason_once_for_rows_in_a_row(emulator: Emulator, log_lines: Any) -> None:
    ids = ["a1", "b2", "c3", "d4", "e5"]
    emulator.add_calls(ids)
    emulator.faults.add(Fault.status(400), route="update-call", call_id="c3", times=0)
    for call_id in ("a1", "b2", "d4", "e5"):
        emulator.faults.add(Fault.status(500), route="update-call", call_id=call_id, times=0)
    with pytest.raises(RowsFailedError):
        tasks.run_task(bulk(rows=[{"call_id": call_id, "n": 1} for call_id in ids]))
    reasons = [line[line.index("failed") + 6 :].strip() for line in log_lines()[2:-1]]
    assert reasons[0].startswith("update-call of call a1: ")
    assert reasons[1] == "as above"
    assert reasons[2].startswith("update-call of call c3: ")
    assert reasons[3].startswith("update-call of call d4: ")
    assert reasons[4] == "as above"


def test_the_log_and_xcom_have_the_first_200_failed_rows(
    emulator: Emulator, log_lines: Any, tmp_path: Any
) -> None:
    path, ti = tmp_path / "report.jsonl", tasks.Ti()
    with pytest.raises(AirflowFailException) as error:
        tasks.run_task(
            bulk(rows=[{"call_id": f"call_{n}"} for n in range(250)], report_path=str(path)), ti=ti
        )
    group, _, *lines, _ = log_lines()
    assert group == "::group::Failed rows: 200 of 250"
    assert len(lines) == 200
    assert str(error.value).splitlines() == [
        "250 of 250 rows failed: 250 not_found",
        "Most frequent reason (200 of the first 200 failed rows): the API key's organization has no such call",
        f"Report: {path}",
    ]
    report = tasks.json_lines(path)
    fields = ("row", "call_id", "outcome", "reason", "changed")
    assert ti.xcom["failures"] == [{name: line[name] for name in fields} for line in report[:200]]


def test_the_failures_of_a_task_within_its_limits_are_the_rows_that_count(
    emulator: Emulator, log_lines: Any
) -> None:
    emulator.add_call(call_id="ongoing", call_status="ongoing")
    rows, ti = [{"call_id": "missing"}, {"call_id": "ongoing"}], tasks.Ti()
    tasks.run_task(bulk(rows=rows, tolerate=["not_found"], max_failed_rows=1), ti=ti)
    assert log_lines() == [
        "::group::Failed rows: 1",
        "row  call     outcome    reason",
        "  2  ongoing  not_ended  the call is ongoing",
        "::endgroup::",
        "1 of 2 rows failed, within the limits of the task",
    ]
    assert ti.xcom["manifest"]["failed_rows"] == 1
    assert [failure["row"] for failure in ti.xcom["failures"]] == [2]


def test_the_log_of_a_stopped_run_lists_the_failed_rows(emulator: Emulator, log_lines: Any) -> None:
    emulator.add_calls(["a"])
    emulator.faults.add(Fault.status(401), route="update-call", times=0)
    with pytest.raises(AirflowFailException, match="401"):
        tasks.run_task(bulk(rows=[{"call_id": "a", "n": 1}]))
    group, _, line, _ = log_lines()
    assert group == "::group::Failed rows: 1"
    assert line.startswith("  1  a     failed   ")


@pytest.mark.parametrize("outcome", ["invalid", "failed"])
def test_a_failure_shows_its_message_once(emulator: Emulator, outcome: str) -> None:
    """Airflow logs the chain of exceptions, so a cause with the same message would repeat it."""
    emulator.add_calls(["a"])
    emulator.faults.add(Fault.status(400), route="update-call", times=0)
    rows = [{"call_id": "a", "n": float("nan") if outcome == "invalid" else 1}]
    with pytest.raises((AirflowFailException, RowsFailedError), match="1 of 1 row failed") as error:
        tasks.run_task(bulk(rows=rows))
    assert error.value.__cause__ is None
    assert error.value.__context__ is None or error.value.__suppress_context__


SIGNED = "https://acct.blob.core.windows.net/c/{}?sv=2026&sig=SECRET"


@pytest.mark.parametrize(
    "arguments",
    [
        {"rows": FileRows("{{ signed }}")},
        {"rows": FileRows(SIGNED.format("rows.csv"))},
        {"rows": FileRows(SIGNED.format("*.txt.csv"))},
        {"rows": FailedRows([], report_path=SIGNED.format("old.jsonl"))},
        {"report_path": SIGNED.format("report.jsonl.gz")},
        {"report_path": "{{ signed }}"},
        {"rows": FileRows("{{ password }}")},
        {"report_path": "{{ password }}"},
    ],
)
def test_secrets_in_paths_are_shown_nowhere(
    emulator: Emulator, caplog: pytest.LogCaptureFixture, arguments: Any
) -> None:
    task, ti = bulk(**arguments), tasks.Ti()
    variables = {"signed": SIGNED.format("rows.csv"), "password": "s3://KEY:SECRET@bucket/rows.jsonl"}
    with pytest.raises((AirflowFailException, RetellError)) as caught:
        tasks.run_task(task, ti=ti, **variables)
    shown = "".join(traceback.format_exception(caught.value))
    shown += caplog.text + repr(ti.xcom) + repr(tasks.rendered_fields(task)) + repr(task.rows)
    assert "SECRET" not in shown
    assert "must end in" not in str(caught.value) or "signed" in str(arguments)


def test_the_manifest_and_the_report_work_with_a_query(
    emulator: Emulator, mocker: Any, tmp_path: Any
) -> None:
    from airflow_provider_retell._compat import services

    emulator.add_calls(["a"])
    real = services.storage_path
    asked: list[str] = []

    def local(path: str, conn_id: str | None = None) -> Any:
        asked.append(path)
        return real(str(tmp_path / "report.jsonl"))

    mocker.patch.object(services, "storage_path", local)
    ti, task = tasks.Ti(), bulk(rows=[{"call_id": "a", "n": 1}], report_path=SIGNED.format("report.jsonl"))
    tasks.run_task(task, ti=ti)
    assert asked[0] == SIGNED.format("report.jsonl")
    assert ti.xcom["manifest"]["report"] == "https://acct.blob.core.windows.net/c/report.jsonl?***"
    assert (tmp_path / "report.jsonl").read_text()
