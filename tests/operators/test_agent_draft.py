"""DraftAgentVersionOperator: templates, masks, files, and crashes at every request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from crashes import killed_at_request
from tasks import Ti, rendered_fields, run_task, run_try

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import RetellError
from airflow_provider_retell.operators import DraftAgentVersionOperator, TextFile

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_retell.emulator import Emulator

SECRET = "zebra-umbrella"
PROMPT = f"You are a {SECRET}. The caller is {{{{customer_name}}}}.\n"


@pytest.fixture(autouse=True)
def agent(emulator: Emulator) -> None:
    """An agent with the published version 0."""
    emulator.add_agent(agent_id="agent_1", llm={"llm_id": "llm_1", "general_prompt": "Old prompt"})


def draft(**parameters: Any) -> DraftAgentVersionOperator:
    parameters = {"agent_id": "agent_1", "llm": {"general_prompt": "New prompt"}, **parameters}
    return DraftAgentVersionOperator(task_id="draft", retries=3, **parameters)


def test_the_task_returns_the_draft(emulator: Emulator) -> None:
    assert run_try(draft(agent={"voice_speed": 1.2})) == {
        "agent_id": "agent_1",
        "version": 1,
        "changed": ["agent.voice_speed", "llm.general_prompt"],
        "created": True,
    }
    assert emulator.llms["llm_1"][1]["general_prompt"] == "New prompt"


@pytest.mark.parametrize("native", [False, True])
def test_settings_can_be_templates(emulator: Emulator, native: bool) -> None:
    task = draft(
        agent_id="{{ params.agent }}", llm="{{ params.llm | tojson }}", agent={"agent_name": "{{ ds }}"}
    )
    params = {"agent": "agent_1", "llm": {"general_prompt": "New prompt", "model_temperature": 0.5}}
    run_task(task, native=native, params=params, ds="2026-11-22")
    assert emulator.llms["llm_1"][1]["model_temperature"] == 0.5
    assert emulator.agents["agent_1"].versions[1]["agent_name"] == "2026-11-22"


def test_the_text_of_a_file_keeps_the_variables_of_retell(emulator: Emulator, tmp_path: Path) -> None:
    (tmp_path / "prompt.md").write_text(PROMPT, encoding="utf-8")
    run_task(
        draft(llm={"general_prompt": TextFile("{{ params.folder }}/prompt.md")}),
        params={"folder": str(tmp_path)},
    )
    assert emulator.llms["llm_1"][1]["general_prompt"] == PROMPT


def test_all_settings_can_be_in_a_json_file(emulator: Emulator, tmp_path: Path) -> None:
    emulator.add_agent(agent_id="agent_2", conversation_flow={"conversation_flow_id": "flow_1"})
    (tmp_path / "flow.json").write_text(json.dumps({"global_prompt": PROMPT}), encoding="utf-8")
    result = run_try(draft(agent_id="agent_2", llm=None, conversation_flow=TextFile(tmp_path / "flow.json")))
    assert result["changed"] == ["conversation_flow.global_prompt"]
    assert emulator.conversation_flows["flow_1"][1]["global_prompt"] == PROMPT


def test_a_variable_of_retell_in_a_template_is_an_error_that_names_the_way_out(emulator: Emulator) -> None:
    with pytest.raises(
        RetellError, match=r"'customer_name' is undefined. .*is a variable of the agent, write {% raw %}"
    ):
        run_try(draft(llm={"general_prompt": PROMPT}))
    run_try(draft(llm={"general_prompt": f"{{% raw %}}{PROMPT}{{% endraw %}}"}))
    assert emulator.llms["llm_1"][1]["general_prompt"].strip() == PROMPT.strip()


@pytest.mark.parametrize(
    ("content", "fault"),
    [(None, "there is no file"), (b"\xff\xfe", "must be UTF-8"), (b"", "rendered to an empty")],
)
def test_a_file_that_cannot_be_used_fails_before_a_request(
    emulator: Emulator, tmp_path: Path, content: bytes | None, fault: str
) -> None:
    path = tmp_path / "settings.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AirflowFailException, match=fault):
        run_try(draft(llm=TextFile(path)))
    assert emulator.requests == []


def test_neither_values_nor_texts_are_shown_logged_or_returned(
    emulator: Emulator, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    (tmp_path / "prompt.md").write_text(PROMPT, encoding="utf-8")
    task = draft(
        llm={"general_prompt": TextFile(tmp_path / "prompt.md"), "begin_message": SECRET}, agent=None
    )
    ti = Ti()
    result = run_task(task, ti=ti)
    shown = rendered_fields(task)
    assert "general_prompt" in str(shown)
    assert "llm.general_prompt" in caplog.text
    for text in (caplog.text, str(shown), str(result), str(ti.xcom)):
        assert SECRET not in text
    assert emulator.llms["llm_1"][1]["begin_message"] == SECRET


def test_rendered_templates_show_the_path_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "llm.json").write_text('{"general_prompt": "New prompt"}', encoding="utf-8")
    task = draft(llm=TextFile(tmp_path / "llm.json"))
    run_try(task)
    assert rendered_fields(task)["llm"] == f"TextFile('{tmp_path}/llm.json')"


def test_a_foreign_draft_fails_for_good_and_is_named(emulator: Emulator) -> None:
    emulator.add_agent_version("agent_1", agent_name=SECRET)
    with pytest.raises(
        AirflowFailException, match=r"agent\.agent_name.*on_foreign_draft='overwrite'"
    ) as caught:
        run_try(draft())
    assert SECRET not in str(caught.value)
    assert run_try(draft(on_foreign_draft="overwrite"))["version"] == 1
    assert emulator.agents["agent_1"].versions[1]["agent_name"] == "Front desk"


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"llm": None}, "agent, llm or conversation_flow must be set"),
        ({"conversation_flow": {}}, "llm and conversation_flow must not both be set"),
        ({"on_foreign_draft": "keep"}, "on_foreign_draft must be 'fail', 'overwrite' or 'discard'"),
        ({"channel": "sms"}, "channel must be 'voice' or 'chat'"),
    ],
)
def test_invalid_parameters_fail_when_the_dag_is_read(parameters: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        draft(**parameters)


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"agent_id": ""}, "agent_id rendered to an empty value"),
        ({"agent_id": "agent/../x"}, "agent_id has '/'"),
        ({"llm": "{{ none }}"}, "llm rendered to an empty value"),
        ({"llm": "no json"}, "llm rendered to text that is not a JSON object"),
        ({"llm": {}}, "at least one setting"),
        ({"llm": {"version": 3}}, "must not contain version"),
    ],
)
def test_invalid_values_fail_for_good_before_a_request(
    emulator: Emulator, parameters: dict[str, Any], fault: str
) -> None:
    with pytest.raises(AirflowFailException, match=fault):
        run_try(draft(**parameters))
    assert emulator.requests == []


def test_the_task_links_to_the_agent() -> None:
    ti = Ti()
    run_task(draft(), ti=ti)
    assert ti.xcom == {"retell_agent_id": "agent_1"}


CHANGES = {"agent": {"voice_speed": 1.2}, "llm": {"general_prompt": "New prompt"}}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("request_number", range(1, 9))
def test_a_worker_killed_at_any_request_leaves_a_draft_that_the_retry_completes(
    emulator: Emulator, request_number: int, when: str
) -> None:
    killed_at_request(request_number, when, lambda: run_try(draft(**CHANGES)))
    result = run_try(draft(**CHANGES), try_number=2)
    assert result["version"] == 1
    assert result["changed"] == ["agent.voice_speed", "llm.general_prompt"]
    assert list(emulator.agents["agent_1"].versions) == [0, 1]
    assert emulator.llms["llm_1"][1]["general_prompt"] == "New prompt"
    assert emulator.agents["agent_1"].versions[1]["voice_speed"] == 1.2
    assert emulator.llms["llm_1"][0]["general_prompt"] == "Old prompt"
    emulator.clear_requests()
    run_try(draft(**CHANGES), try_number=3)
    assert {request.method for request in emulator.requests} == {"GET"}


def test_the_crash_tests_reach_every_request(emulator: Emulator) -> None:
    run_try(draft(**CHANGES))
    assert emulator.count() == 8
