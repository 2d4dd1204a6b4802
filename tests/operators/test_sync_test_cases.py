"""SyncTestCasesOperator: differences, files, deletions, and values that must not be shown."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from tasks import rendered_fields, run_try

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import RetellError, RetellInputError, UpdateMismatchError
from airflow_provider_retell.emulator import Clock, Emulator, Fault
from airflow_provider_retell.operators import SyncTestCasesOperator

PRIVATE = "Ask for Ada's private appointment"
MOCK: dict[str, Any] = {"tool_name": "book", "input_match_rule": {"type": "any"}, "output": "{}"}
BOOKS: dict[str, Any] = {
    "name": "Books",
    "user_prompt": f"{PRIVATE}, {{{{name}}}}.",
    "metrics": ["The agent confirms the appointment."],
    "dynamic_variables": {"name": "Ann"},
    "tool_mocks": [MOCK],
}
CANCELS: dict[str, Any] = {"name": "Cancels", "user_prompt": "Cancel.", "metrics": ["Cancels."]}


@pytest.fixture(autouse=True)
def agent(emulator: Emulator) -> None:
    emulator.add_agent(agent_id="agent_1", llm={"llm_id": "llm_1"})
    emulator.add_agent_version("agent_1")


def sync(*test_cases: Any, **arguments: Any) -> SyncTestCasesOperator:
    return SyncTestCasesOperator(
        task_id="sync", **{"agent_id": "agent_1", "test_cases": list(test_cases), **arguments}
    )


def writes(emulator: Emulator) -> list[tuple[str, Any]]:
    return [(request.method, request.body) for request in emulator.requests if request.method != "GET"]


def names(emulator: Emulator) -> list[str]:
    return [case["name"] for case in emulator.test_cases.values()]


# -- differences


def test_test_cases_are_created_for_the_engine_of_the_agent(emulator: Emulator) -> None:
    result = run_try(sync(BOOKS, CANCELS))
    books, cancels = emulator.test_cases.values()
    assert result == {
        "agent_id": "agent_1",
        "created": ["Books", "Cancels"],
        "updated": [],
        "unchanged": [],
        "deleted": [],
        "test_case_definition_ids": [case["test_case_definition_id"] for case in (books, cancels)],
    }
    assert books["response_engine"] == {"type": "retell-llm", "llm_id": "llm_1"}
    assert {name: books[name] for name in BOOKS} == BOOKS


def test_a_second_run_only_reads(emulator: Emulator) -> None:
    first = run_try(sync(BOOKS, CANCELS))
    emulator.clear_requests()
    second = run_try(sync(CANCELS, BOOKS))
    assert writes(emulator) == []
    assert second["unchanged"] == ["Cancels", "Books"]
    assert second["test_case_definition_ids"] == first["test_case_definition_ids"][::-1]


@pytest.mark.parametrize(
    ("change", "sent"),
    [
        ({"user_prompt": "Other."}, {"user_prompt": "Other."}),
        ({"metrics": ["Other."]}, {"metrics": ["Other."]}),
        ({"dynamic_variables": {"name": "Bob"}}, {"dynamic_variables": {"name": "Bob"}}),
        ({"dynamic_variables": None}, {"dynamic_variables": {}}),
        ({"tool_mocks": []}, {"tool_mocks": []}),
        ({"tool_mocks": [{**MOCK, "output": "[]"}]}, {"tool_mocks": [{**MOCK, "output": "[]"}]}),
        ({"tool_mocks": [MOCK, MOCK]}, {"tool_mocks": [MOCK, MOCK]}),
        ({"llm_model": "gpt-5"}, {"llm_model": "gpt-5"}),
        ({"llm_model": "gpt-4.1"}, None),
        ({}, None),
    ],
)
def test_only_the_fields_that_differ_are_sent(emulator: Emulator, change: Any, sent: Any) -> None:
    run_try(sync(BOOKS, CANCELS))
    emulator.clear_requests()
    result = run_try(sync({**BOOKS, **change}, CANCELS))
    assert writes(emulator) == ([("PUT", sent)] if sent else [])
    assert result["updated"] == (["Books"] if sent else [])
    emulator.clear_requests()
    run_try(sync({**BOOKS, **change}, CANCELS))
    assert writes(emulator) == []


def test_fields_that_a_test_case_leaves_out_are_emptied_except_the_model(emulator: Emulator) -> None:
    run_try(sync({**BOOKS, "llm_model": "gpt-5"}))
    short = {name: BOOKS[name] for name in ("name", "user_prompt", "metrics")}
    run_try(sync(short))
    (case,) = emulator.test_cases.values()
    assert (case["dynamic_variables"], case["tool_mocks"], case["llm_model"]) == ({}, [], "gpt-5")


@pytest.mark.parametrize(("semantics", "puts"), [("merge", 1), ("replace", 2)])
def test_fields_that_an_update_loses_are_sent_again(connect: Any, semantics: Any, puts: int) -> None:
    with Emulator(clock=Clock(frozen=True), test_case_update_semantics=semantics) as emulator:
        connect(emulator)
        emulator.add_agent(agent_id="agent_1")
        run_try(sync(BOOKS))
        run_try(sync({**BOOKS, "user_prompt": "Other."}))
        (case,) = emulator.test_cases.values()
        assert (case["user_prompt"], case["tool_mocks"]) == ("Other.", [MOCK])
        assert emulator.count("update-test-case-definition") == puts


def test_test_cases_of_other_agents_are_left_alone(emulator: Emulator) -> None:
    emulator.add_agent(agent_id="agent_2")
    emulator.add_test_case(agent_id="agent_2", name="Books")
    result = run_try(sync(BOOKS, delete_missing=True))
    assert result["created"] == ["Books"]
    assert names(emulator) == ["Books", "Books"]


def test_a_crash_in_the_middle_leaves_no_duplicates(emulator: Emulator) -> None:
    emulator.faults.add(Fault.drop_after(), route="create-test-case-definition", after=1, times=1)
    with pytest.raises(RetellError):
        run_try(sync(BOOKS, CANCELS))
    assert run_try(sync(BOOKS, CANCELS))["unchanged"] == ["Books", "Cancels"]
    assert names(emulator) == ["Books", "Cancels"]


def test_a_response_without_the_values_that_were_sent_is_an_error(emulator: Emulator) -> None:
    run_try(sync(BOOKS))
    (case,) = emulator.test_cases.values()
    answer = {**case, "user_prompt": "Something else."}
    emulator.faults.add(Fault.status(200, body=answer), route="update-test-case-definition")
    with pytest.raises(
        AirflowFailException, match=r"\('Books'\).*does not have the values.*user_prompt"
    ) as error:
        run_try(sync({**BOOKS, "user_prompt": PRIVATE}))
    cause = error.value.__cause__
    assert isinstance(cause, UpdateMismatchError)
    assert cause.fields == ("user_prompt",)
    assert PRIVATE not in str(cause)


# -- deletions


def test_a_deletion_whose_response_is_lost_has_succeeded(emulator: Emulator) -> None:
    run_try(sync(BOOKS, CANCELS))
    emulator.faults.add(Fault.drop_after(), route="delete-test-case-definition", times=1)
    assert run_try(sync(BOOKS, delete_missing=True))["deleted"] == ["Cancels"]
    assert names(emulator) == ["Books"]


@pytest.mark.parametrize(
    "refusal",
    [
        Fault.status(422, body={"message": "Test case is used by a running batch test"}),
        Fault.status(404, body={"error": "no route"}),
    ],
    ids=["422", "404 without a reason"],
)
def test_a_refused_deletion_fails_the_task(emulator: Emulator, refusal: Fault) -> None:
    run_try(sync(BOOKS, CANCELS))
    emulator.faults.add(refusal, route="delete-test-case-definition")
    with pytest.raises(AirflowFailException, match="delete-test-case-definition"):
        run_try(sync(BOOKS, delete_missing=True))
    assert names(emulator) == ["Books", "Cancels"]


@pytest.mark.parametrize("delete_missing", [False, True])
def test_test_cases_that_are_missing_are_deleted_only_on_request(
    emulator: Emulator, delete_missing: bool
) -> None:
    run_try(sync(BOOKS, CANCELS))
    result = run_try(sync(BOOKS, delete_missing=delete_missing))
    assert result["deleted"] == (["Cancels"] if delete_missing else [])
    assert names(emulator) == (["Books"] if delete_missing else ["Books", "Cancels"])


@pytest.mark.parametrize("dry_run", [False, True])
def test_too_many_deletions_stop_the_task_before_anything_is_sent(emulator: Emulator, dry_run: bool) -> None:
    run_try(sync(BOOKS, CANCELS, {**CANCELS, "name": "Moves"}))
    emulator.clear_requests()
    message = r"2 of the 3 test cases of the agent \(67%\) would be deleted.*max_deleted_ratio is 0.5"
    changed = {**BOOKS, "metrics": ["Other."]}
    with pytest.raises(AirflowFailException, match=message):
        run_try(sync(changed, delete_missing=True, dry_run=dry_run))
    assert writes(emulator) == []
    assert run_try(sync(changed))["updated"] == ["Books"]
    result = run_try(sync(BOOKS, delete_missing=True, max_deleted_ratio=0.7))
    assert sorted(result["deleted"]) == ["Cancels", "Moves"]


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("empty", [[], "{{ [] }}", "[]"])
def test_an_empty_list_deletes_nothing(emulator: Emulator, empty: Any, native: bool) -> None:
    run_try(sync(BOOKS))
    with pytest.raises(AirflowFailException, match="test_cases must have at least one test case"):
        run_try(sync(test_cases=empty, delete_missing=True), native=native)
    assert names(emulator) == ["Books"]


@pytest.mark.parametrize("native", [False, True])
def test_a_dry_run_changes_nothing(
    emulator: Emulator, caplog: pytest.LogCaptureFixture, native: bool
) -> None:
    run_try(sync(BOOKS, {**CANCELS, "name": "Pays"}))
    emulator.clear_requests()
    caplog.set_level(logging.INFO)
    changed = sync({**BOOKS, "metrics": ["Other."]}, CANCELS, delete_missing=True, dry_run="{{ 1 == 1 }}")
    result = run_try(changed, native=native)
    assert writes(emulator) == []
    assert (result["created"], result["updated"], result["deleted"]) == (["Cancels"], ["Books"], ["Pays"])
    assert len(result["test_case_definition_ids"]) == 1
    for line in ("Would have created", "Would have updated test case 'Books': metrics", "Would have deleted"):
        assert line in caplog.text


# -- files and templates


def test_files_are_read_from_any_storage(emulator: Emulator, tmp_path: Path) -> None:
    folder = tmp_path / "cases"
    folder.mkdir()
    (folder / "a.json").write_text(json.dumps([BOOKS, CANCELS]))
    yaml = "- name: Pays\n  user_prompt: |\n    Pay {{sum}}.\n  metrics: [Pays.]\n  dynamic_variables: {sum: '3'}\n"
    (folder / "b.yaml").write_text(yaml)
    (folder / "c.yml").write_text("name: Asks\nuser_prompt: Ask.\nmetrics: [Answers.]\n")
    (folder / "notes.txt").write_text("no test case")
    assert run_try(sync(test_cases=str(folder / "a.json")))["created"] == ["Books", "Cancels"]
    assert run_try(sync(test_cases=f"file://{folder}/*.yaml"))["created"] == ["Pays"]
    mixed = run_try(sync(BOOKS, f"{folder}/*.yml", str(folder / "b.yaml")))
    assert (mixed["created"], mixed["unchanged"]) == (["Asks"], ["Books", "Pays"])
    assert emulator.test_cases[mixed["test_case_definition_ids"][2]]["user_prompt"] == "Pay {{sum}}.\n"


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    "value", ["{{ cases }}", "{{ cases | tojson }}", "{{ cases[0] }}", ["{{ folder }}/a.json"]]
)
def test_templates_render_to_test_cases_or_paths(
    emulator: Emulator, tmp_path: Path, value: Any, native: bool
) -> None:
    (tmp_path / "a.json").write_text(json.dumps(CANCELS))
    run_try(sync(test_cases=value), native=native, cases=[CANCELS], folder=str(tmp_path))
    assert names(emulator) == ["Cancels"]


def test_dynamic_variables_in_a_dag_file_are_not_taken_for_templates(emulator: Emulator) -> None:
    for given in (BOOKS, [BOOKS], (BOOKS,)):
        run_try(sync(test_cases=given), name="rendered")
        (case,) = emulator.test_cases.values()
        assert case["user_prompt"] == f"{PRIVATE}, {{{{name}}}}."


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.json", f'{{"name": "{PRIVATE}', "x.json is not JSON .line 1."),
        ("x.yaml", f"name: A\nuser_prompt: [{PRIVATE}\n", "x.yaml is not YAML .line 3."),
        ("x.yaml", PRIVATE, "x.yaml must have a test case, or a list of test cases"),
        ("x.json", "[1]", "must have a test case"),
        ("x.yaml", "", "must have a test case"),
        ("x.txt", PRIVATE, "must end in .json, .yaml or .yml"),
        ("x.json", b"\xff", "x.json cannot be read: UnicodeDecodeError"),
        (
            "x.json",
            f'[{{"name": "A", "metrics": ["{PRIVATE}"], "metrics": []}}]',
            "x.json has the key metrics twice",
        ),
        ("x.yaml", f"name: A\nmetrics: [{PRIVATE}]\n'metrics': []\n", "x.yaml has the key metrics twice"),
        ("x.yaml", f"name: A\ntool_mocks: [{{a: 1, a: {PRIVATE}}}]\n", "x.yaml has the key a twice"),
        ("x.json", None, "x.json cannot be read: FileNotFoundError"),
        ("*.yaml", None, "no file matches"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_without_its_content(
    emulator: Emulator, tmp_path: Path, name: str, content: Any, says: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(AirflowFailException, match=says) as error:
        run_try(sync(test_cases=str(tmp_path / name)))
    assert "private" not in str(error.value)
    assert not emulator.requests


def test_keys_that_an_anchor_of_yaml_overrides_are_not_twice(emulator: Emulator, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(
        "- &base {name: A, user_prompt: Hi., metrics: [M.]}\n"
        "- &other {<<: *base, name: B}\n"
        "- {<<: *other, name: C}\n"
    )
    assert run_try(sync(test_cases=str(tmp_path / "x.yaml")))["created"] == ["A", "B", "C"]


# -- rejected before anything is sent


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ({**BOOKS, "name": None}, r"test_cases\[1\]: name is missing"),
        ({**BOOKS, "name": 3}, r"test_cases\[1\]: name must be"),
        ({**BOOKS, "name": "B", "metrics": []}, r"test_cases\[1\] 'B': metrics must have at least 1 item"),
        ({**BOOKS, "name": "B", "metric": ["x"]}, r"test_cases\[1\] 'B': metric is not a field"),
        ({**BOOKS, "name": "B", "user_prompt": ""}, r"'B': user_prompt must not be empty"),
        ({**BOOKS, "name": "B", "dynamic_variables": {"age": 3}}, r"'B': dynamic_variables.age must be"),
        (
            {**BOOKS, "name": "B", "tool_mocks": [{"tool_name": "x"}]},
            r"tool_mocks\[0\].input_match_rule is missing",
        ),
        ({**BOOKS, "name": "B", "response_engine": {}}, "response_engine must not be set"),
        (
            {**BOOKS, "name": "Cancels"},
            r"test_cases\[1\] 'Cancels': another test case in test_cases has the same name",
        ),
    ],
)
def test_an_invalid_test_case_is_rejected_by_name(emulator: Emulator, case: Any, says: str) -> None:
    with pytest.raises(AirflowFailException, match=says) as error:
        run_try(sync(CANCELS, case))
    assert isinstance(error.value.__cause__, RetellInputError)
    assert PRIVATE not in str(error.value)
    assert writes(emulator) == []


def test_two_test_cases_of_one_name_in_retell_are_an_error(emulator: Emulator) -> None:
    ids = [
        emulator.add_test_case(agent_id="agent_1", name="Books")["test_case_definition_id"] for _ in (1, 2)
    ]
    with pytest.raises(AirflowFailException, match="2 test cases of the agent are named 'Books'") as error:
        run_try(sync(CANCELS, BOOKS))
    assert all(case_id in str(error.value) for case_id in ids)
    assert writes(emulator) == []
    assert run_try(sync(CANCELS))["created"] == ["Cancels"]


def test_an_agent_with_a_custom_llm_has_no_test_cases(emulator: Emulator) -> None:
    engine = {"type": "custom-llm", "llm_websocket_url": "wss://private.example"}
    emulator.add_agent(agent_id="agent_2", response_engine=engine)
    with pytest.raises(
        AirflowFailException, match="agent agent_2 has a response engine of the type 'custom-llm'"
    ):
        run_try(sync(BOOKS, agent_id="agent_2"))


@pytest.mark.parametrize("value", [3, [3], object()])
def test_test_cases_of_another_type_are_rejected(emulator: Emulator, value: Any) -> None:
    with pytest.raises(AirflowFailException, match="test_cases must be test cases as dicts, or paths"):
        run_try(sync(test_cases=value))


def test_an_invalid_parameter_fails_when_the_dag_is_read() -> None:
    with pytest.raises(TypeError, match="delete_missing must be True or False"):
        sync(BOOKS, delete_missing="yes")
    with pytest.raises(ValueError, match="max_deleted_ratio must be a number from 0 to 1"):
        sync(BOOKS, max_deleted_ratio=2)


# -- private values


@pytest.mark.parametrize("value", [[BOOKS], BOOKS, "{{ cases }}", "{{ cases | tojson }}"], ids=str)
def test_prompts_stay_out_of_logs_rendered_fields_and_xcom(
    emulator: Emulator, caplog: pytest.LogCaptureFixture, value: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    operator = sync(test_cases=value)
    assert PRIVATE not in str(rendered_fields(operator))
    result = run_try(operator, cases=[BOOKS])
    shown = f"{result} {rendered_fields(operator)} {caplog.text}"
    for private in (PRIVATE, "confirms the appointment", "Ann"):
        assert private not in shown
    assert "Created test case 'Books'" in caplog.text
