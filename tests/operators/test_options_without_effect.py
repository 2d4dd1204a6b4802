"""Options that have no effect without another parameter are an error when the DAG is read."""

from __future__ import annotations

from typing import Any

import pytest
from tasks import DAG

from airflow_provider_retell import operators
from airflow_provider_retell.operators import (
    ArchiveRecordingsOperator,
    CreatePhoneCallOperator,
    PhoneApprovalOperator,
    SyncTestCasesOperator,
)

FROM, TO = "+14155550100", "+14155550123"
CALL: dict[str, Any] = {"from_number": FROM, "to_number": TO}
UPDATE: dict[str, Any] = {"call_id": "call_1", "metadata": {"tier": "gold"}}
CHAT: dict[str, Any] = {"chat_id": "chat_1", "metadata": {"tier": "gold"}}
CONTACTS: dict[str, Any] = {"rows": [], "columns": ["first_name"]}
BATCH: dict[str, Any] = {"from_number": FROM, "tasks": [{"to_number": TO}]}

WAIT: dict[str, Any] = {"deferrable": True, "poll_interval": 5, "wait_timeout": 60, "max_poll_failures": 0}

CASES: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("CreatePhoneCallOperator", CALL, "wait_until", {**WAIT, "stop_on_kill": True}),
    ("UpdateCallOperator", UPDATE, "wait_until", WAIT),
    ("UpdateChatOperator", CHAT, "wait_until", WAIT),
    ("UpdateCallOperator", UPDATE, "custom_attributes", {"confirm_custom_attributes": True}),
    (
        "UpdateCallOperator",
        {"call_id": "call_1", "remove_metadata_keys": ["tier"]},
        "metadata",
        {"metadata_mode": "fill"},
    ),
    ("GetCallOperator", {"call_id": "call_1"}, "path", {"path_conn_id": "s3"}),
    ("GetChatOperator", {"chat_id": "chat_1"}, "path", {"path_conn_id": "s3"}),
    ("BulkUpdateCallOperator", {"rows": []}, "report_path", {"report_conn_id": "s3"}),
    ("SyncContactsOperator", CONTACTS, "report_path", {"report_conn_id": "s3"}),
    ("SyncContactsOperator", CONTACTS, "do_not_call_column", {"allow_clearing_do_not_call": True}),
    ("ImportContactsOperator", CONTACTS, "do_not_call_column", {"allow_clearing_do_not_call": True}),
    (
        "SyncKnowledgeBaseOperator",
        {"documents": [], "knowledge_base_id": "knowledge_base_1"},
        "report_path",
        {"report_conn_id": "s3"},
    ),
    (
        "RunBatchTestOperator",
        {"agent_id": "agent_1"},
        "report_path",
        {"report_conn_id": "s3", "include_transcripts": True},
    ),
    (
        "SyncTestCasesOperator",
        {"agent_id": "agent_1", "test_cases": []},
        "delete_missing",
        {"max_deleted_ratio": 0.1},
    ),
    ("CreateBatchCallOperator", BATCH, "do_not_call", {"on_do_not_call": "skip"}),
    ("ArchiveRecordingsOperator", {"path": "/{call_id}.wav"}, "rows", {"call_id_column": "id"}),
    ("ListCallsOperator", {"path": "/calls.jsonl", "by": None}, "by", {"overlap": 60}),
    ("ListChatsOperator", {"path": "/chats.jsonl", "by": None}, "by", {"overlap": 60}),
]

NEEDED: dict[str, Any] = {
    "wait_until": "ended",
    "custom_attributes": {"attr": 1},
    "metadata": {"segment": "a"},
    "path": "/record.json",
    "report_path": "/report.jsonl",
    "do_not_call_column": "out",
    "delete_missing": True,
    "do_not_call": [],
    "rows": [],
    "by": "end_timestamp",
}

OPTIONS = [
    pytest.param(name, arguments, needed, option, value, id=f"{name}-{option}")
    for name, arguments, needed, options in CASES
    for option, value in options.items()
]


@pytest.mark.parametrize(("name", "arguments", "needed", "option", "value"), OPTIONS)
def test_an_option_without_effect_is_an_error(
    name: str, arguments: dict[str, Any], needed: str, option: str, value: Any
) -> None:
    operator: Any = getattr(operators, name)
    with pytest.raises(ValueError, match=rf"^{option} must not be set without {needed}, because it has no"):
        operator(task_id="a_task", **arguments, **{option: value})
    operator(task_id="a_task", **{**arguments, needed: NEEDED[needed], option: value})
    # The default_args of a DAG are meant for all its tasks.
    with DAG("a_dag", schedule=None, default_args={option: value}):
        operator(task_id="a_task", **arguments)


def test_options_that_say_what_happens_anyway_are_accepted() -> None:
    task = CreatePhoneCallOperator(task_id="call", **CALL, deferrable=False, stop_on_kill=False)
    assert task.deferrable is False
    SyncTestCasesOperator(task_id="sync", agent_id="agent_1", test_cases=[], delete_missing=False)


def test_deferrable_may_come_from_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "true")
    task = CreatePhoneCallOperator(task_id="call", **CALL)
    assert task.deferrable is True


@pytest.mark.parametrize(
    ("partial", "mapped"),
    [
        ({"deferrable": True}, {"wait_until": [None, "ended"]}),
        ({}, {"deferrable": [True, False]}),
        ({"wait_until": "ended", "deferrable": True}, {"to_number": [TO]}),
    ],
)
def test_a_mapped_option_is_accepted(partial: dict[str, Any], mapped: dict[str, Any]) -> None:
    task = unmapped(partial, mapped)
    assert task.deferrable is True


def test_an_option_without_effect_in_all_mapped_tasks_is_an_error() -> None:
    with pytest.raises(ValueError, match="deferrable must not be set without wait_until"):
        unmapped({"deferrable": True}, {"to_number": [TO]})


def unmapped(partial: dict[str, Any], mapped: dict[str, list[Any]]) -> Any:
    """Return the first of the mapped tasks, as Airflow makes it."""
    numbers = {name: value for name, value in CALL.items() if name not in mapped}
    with DAG("a_dag", schedule=None) as dag:
        CreatePhoneCallOperator.partial(task_id="call", **numbers, **partial).expand(**mapped)
    return dag.get_task("call").unmap({name: values[0] for name, values in mapped.items()})


def test_overlap_is_an_error_with_rows_because_they_have_no_interval() -> None:
    with pytest.raises(ValueError, match="overlap must not be set with rows"):
        ArchiveRecordingsOperator(task_id="archive", path="/{call_id}.wav", rows=[], overlap=60)
    ArchiveRecordingsOperator(task_id="archive", path="/{call_id}.wav", overlap=60)


def test_an_approval_that_fails_skips_nothing() -> None:
    with pytest.raises(
        ValueError, match="ignore_downstream_trigger_rules and fail_on_reject must not both be set"
    ):
        PhoneApprovalOperator(
            task_id="approve",
            from_number=FROM,
            to_numbers=[TO],
            ignore_downstream_trigger_rules=True,
            fail_on_reject=True,
        )


@pytest.mark.parametrize(
    ("name", "option", "value"),
    [
        ("ImportContactsOperator", "tag_columns", ["vip"]),
        ("ImportContactsOperator", "tolerate", ["not_found"]),
        ("SyncContactsOperator", "tolerate", ["not_ended"]),
        ("SyncContactsOperator", "show_values", True),
        ("DeleteContactsOperator", "show_values", True),
    ],
)
def test_an_option_that_only_other_operators_have_is_an_error(name: str, option: str, value: Any) -> None:
    arguments = {} if name == "DeleteContactsOperator" else CONTACTS
    with pytest.raises(Exception, match=option):
        getattr(operators, name)(task_id="a_task", **{"rows": [], **arguments, option: value})


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("UpdateCallOperator", {"call_id": "call_1", "remove_metadata_keys": ["{{ params.key }}"]}),
        ("GetCallOperator", {"call_id": "call_1", "analysis_fields": ["{{ params.field }}"]}),
        ("ListCallsOperator", {"path": "/calls.jsonl", "without_metadata_key": "{{ params.key }}"}),
        (
            "PhoneApprovalOperator",
            {"from_number": FROM, "to_numbers": [TO], "decision_field": "{{ params.field }}"},
        ),
        ("SyncContactsOperator", {**CONTACTS, "do_not_call_column": "{{ params.column }}"}),
        ("CreateBatchCallOperator", {**BATCH, "call_time_window": {"timezone": "{{ params.zone }}"}}),
        ("RunBatchTestOperator", {"agent_id": "agent_1", "allow_unmocked_tools": ["{{ params.tool }}"]}),
    ],
)
def test_a_template_that_airflow_would_not_render_is_an_error(name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must not be a template, because it is not rendered"):
        getattr(operators, name)(task_id="a_task", **arguments)
