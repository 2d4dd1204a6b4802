"""The endpoints of test cases, driven by the vendor's SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import retell
from retell.types import TestCaseDefinitionResponse as DefinitionResponse

if TYPE_CHECKING:
    from retell import Retell

    from airflow_provider_retell.emulator import Emulator
    from tests.emulator.conftest import Send

ENGINE: Any = {"type": "retell-llm", "llm_id": "llm_1"}
MOCK: Any = {"tool_name": "book", "input_match_rule": {"type": "any"}, "output": '{"ok": true}'}


@pytest.fixture(autouse=True)
def agent(emulator: Emulator) -> None:
    emulator.add_agent(agent_id="agent_1", llm={"llm_id": "llm_1"})
    emulator.add_agent(agent_id="agent_2", conversation_flow={"conversation_flow_id": "flow_1"})


def create(client: Retell, **fields: Any) -> DefinitionResponse:
    given = {
        "name": "Books",
        "user_prompt": "Book.",
        "metrics": ["Books."],
        "response_engine": ENGINE,
        **fields,
    }
    return client.tests.create_test_case_definition(**given)


def test_a_created_test_case_has_all_fields_that_the_sdk_requires(client: Retell) -> None:
    case = create(client, tool_mocks=[MOCK], dynamic_variables={"name": "Ann"})
    DefinitionResponse.model_validate(case.model_dump())
    assert (case.name, case.type, case.dynamic_variables) == ("Books", "simulation", {"name": "Ann"})
    assert case.tool_mocks[0].tool_name == "book"
    again = client.tests.get_test_case_definition(case.test_case_definition_id)
    assert again == case


def test_names_need_not_be_unique(client: Retell) -> None:
    assert create(client).test_case_definition_id != create(client).test_case_definition_id


def test_an_update_changes_the_given_fields(emulator: Emulator, client: Retell) -> None:
    case = create(client, tool_mocks=[MOCK])
    emulator.clock.advance(1)
    updated = client.tests.update_test_case_definition(case.test_case_definition_id, user_prompt="Cancel.")
    assert (updated.user_prompt, updated.name, len(updated.tool_mocks)) == ("Cancel.", "Books", 1)
    assert updated.user_modified_timestamp == case.user_modified_timestamp + 1000


def test_a_deleted_test_case_is_unknown(client: Retell) -> None:
    case_id = create(client).test_case_definition_id
    client.tests.delete_test_case_definition(case_id)
    for attempt in (client.tests.get_test_case_definition, client.tests.delete_test_case_definition):
        with pytest.raises(retell.NotFoundError):
            attempt(case_id)


def test_a_list_has_the_test_cases_of_one_engine_in_any_version_newest_first(
    emulator: Emulator, client: Retell
) -> None:
    for number, engine in enumerate((ENGINE, {**ENGINE, "version": 0}, ENGINE)):
        create(client, name=f"case {number}", response_engine=engine)
    create(client, response_engine={"type": "conversation-flow", "conversation_flow_id": "flow_1"})
    first = client.tests.list_test_case_definitions(type="retell-llm", llm_id="llm_1", limit=2)
    assert ([case.name for case in first.items], first.has_more) == (["case 2", "case 1"], True)
    second = client.tests.list_test_case_definitions(
        type="retell-llm", llm_id="llm_1", limit=2, pagination_key=first.pagination_key or ""
    )
    assert ([case.name for case in second.items], second.has_more) == (["case 0"], False)
    flows = client.tests.list_test_case_definitions(type="conversation-flow", conversation_flow_id="flow_1")
    assert len(flows.items) == 1


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?type=custom-llm",
        "?type=retell-llm",
        "?type=conversation-flow&llm_id=llm_1",
        "?type=retell-llm&llm_id=llm_1&limit=x",
    ],
)
def test_a_list_needs_an_engine_and_a_valid_limit(emulator: Emulator, send: Send, query: str) -> None:
    assert send(emulator, "GET", f"/v2/list-test-case-definitions{query}").status == 400


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"metrics": "Books."},
        {"llm": "gpt-4.1"},
        {"response_engine": {"type": "custom-llm", "llm_websocket_url": "wss://x"}},
        {"tool_mocks": [{"tool_name": "book", "output": "{}"}]},
        {"tool_mocks": [{**MOCK, "input_match_rule": {"type": "exact"}}]},
        {"tool_mocks": [{**MOCK, "input_match_rule": {"type": "partial_match"}}]},
        {"dynamic_variables": {"age": 3}},
    ],
)
def test_an_invalid_test_case_is_refused(emulator: Emulator, send: Send, fields: Any) -> None:
    body = {
        "name": "Books",
        "user_prompt": "Book.",
        "metrics": ["Books."],
        "response_engine": ENGINE,
        **fields,
    }
    assert send(emulator, "POST", "/create-test-case-definition", body).status == 400
    assert not emulator.test_cases


def test_a_test_case_of_an_unknown_engine_is_refused(client: Retell) -> None:
    with pytest.raises(retell.NotFoundError, match="Item llm_2 not found"):
        create(client, response_engine={"type": "retell-llm", "llm_id": "llm_2"})


def test_the_script_is_not_part_of_the_api(emulator: Emulator, client: Retell, send: Send) -> None:
    case = emulator.add_test_case(agent_id="agent_1", verdicts=["fail"], tool_calls=[{"tool_name": "book"}])
    path = f"/get-test-case-definition/{case['test_case_definition_id']}"
    assert not {"verdicts", "tool_calls"} & send(emulator, "GET", path).json.keys()


def test_verdicts_must_be_known(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match="verdicts must be a list of pass, fail, error, not 'maybe'"):
        emulator.add_test_case(agent_id="agent_1", verdicts=["maybe"])
    case = emulator.add_test_case(agent_id="agent_1")
    with pytest.raises(ValueError, match="verdicts"):
        emulator.edit_test_case(case["test_case_definition_id"], verdicts=["maybe"])
    with pytest.raises(LookupError):
        emulator.edit_test_case("test_case_x", verdicts=["fail"])
    with pytest.raises(LookupError, match="there is no agent 'agent_x'"):
        emulator.add_test_case(agent_id="agent_x")
    with pytest.raises(ValueError, match="exists already"):
        emulator.add_test_case(agent_id="agent_1", test_case_definition_id=case["test_case_definition_id"])


def test_a_restricted_key_needs_the_permission_for_testing(emulator: Emulator, send: Send) -> None:
    emulator.add_key("key_reader", {"testing": "read"})
    path = "/v2/list-test-case-definitions?type=retell-llm&llm_id=llm_1"
    assert send(emulator, "GET", path, key="key_reader").status == 200
    assert send(emulator, "POST", "/create-test-case-definition", {}, key="key_reader").status == 403
