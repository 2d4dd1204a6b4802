"""Live tools: which tools of an engine act outside the conversation, and which mocks keep them from it."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_retell.api.simulations.tools import LiveTool, live_tools, shared_components

ANY = {"type": "any"}


def names(engine: dict[str, Any], **components: Any) -> list[str]:
    return [tool.name for tool in live_tools(engine, components)]


def tool(kind: str, name: str = "x", **fields: Any) -> dict[str, Any]:
    return {"type": kind, "name": name, **fields}


@pytest.mark.parametrize(
    "kind",
    [
        "custom",
        "mcp",
        "code",
        "send_sms",
        "transfer_call",
        "agent_swap",
        "bridge_transfer",
        "cancel_transfer",
        "book_appointment_cal",
        "check_availability_cal",
        "integration_app",
        "a_type_that_retell_adds_later",
    ],
)
def test_a_tool_that_acts_outside_the_conversation_is_live(kind: str) -> None:
    assert names({"general_tools": [tool(kind)]}) == ["x"]
    assert names({"states": [{"name": "s", "tools": [tool(kind)]}]}) == ["x"]
    assert names({"nodes": [{"id": "n", "type": "subagent", "tools": [tool(kind)]}]}) == ["x"]
    assert names({"components": [{"tools": [tool(kind)]}]}) == ["x"]


@pytest.mark.parametrize("kind", ["end_call", "extract_dynamic_variable", "press_digit"])
def test_a_tool_that_acts_within_the_conversation_is_not_live(kind: str) -> None:
    assert names({"general_tools": [tool(kind)], "states": [{"tools": [tool(kind)]}]}) == []


@pytest.mark.parametrize(
    "kind",
    ["conversation", "subagent", "end", "branch", "extract_dynamic_variables", "press_digit", "component"],
)
def test_a_node_that_only_talks_is_not_live(kind: str) -> None:
    assert names({"nodes": [{"id": "n", "type": kind}]}) == []


@pytest.mark.parametrize(
    "kind",
    ["sms", "transfer_call", "agent_swap", "code", "bridge_transfer", "cancel_transfer", "a_later_type"],
)
def test_a_node_that_acts_is_live_and_has_no_documented_name_for_a_mock(kind: str) -> None:
    (found,) = live_tools({"nodes": [{"id": "n_1", "type": kind, "name": "Do it"}]})
    assert str(found) == f"'Do it' ({kind} node)"
    assert not found.is_mocked([{"tool_name": "Do it", "input_match_rule": ANY}])
    assert names({"nodes": [{"id": "n_1", "type": kind}]}) == ["n_1"]


def test_a_function_node_uses_a_tool_of_the_flow() -> None:
    flow = {
        "tools": [tool("custom", "book", tool_id="t_1")],
        "nodes": [{"id": "n", "type": "function", "tool_id": "t_1", "tool_type": "local"}],
    }
    assert names(flow) == ["book"]


def test_a_tool_id_that_the_flow_does_not_have_is_a_shared_tool_that_cannot_be_mocked() -> None:
    for node in (
        {"id": "n", "type": "function", "tool_id": "t_9", "tool_type": "shared"},
        {"id": "n", "type": "subagent", "tool_ids": ["t_9"]},
    ):
        (found,) = live_tools({"nodes": [node]})
        assert (found.name, found.mockable) == ("t_9 of node n", False)


def test_an_mcp_node_is_mocked_by_the_name_of_its_tool() -> None:
    (found,) = live_tools({"nodes": [{"id": "n", "type": "mcp", "mcp_id": "m", "mcp_tool_name": "look_up"}]})
    assert found.is_mocked([{"tool_name": "look_up", "input_match_rule": ANY}])


CRM = {"id": "m_1", "name": "crm", "url": "https://private"}
PAYMENTS = {"id": "m_2", "name": "payments", "url": "https://private"}
LOOK_UP = tool("mcp", "look_up", mcp_id="m_1")


def without_id(server: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in server.items() if name != "id"}


def test_an_mcp_server_without_a_listed_tool_is_live_and_cannot_be_mocked() -> None:
    (found,) = live_tools({"mcps": [without_id(CRM)]})
    assert (str(found), found.mockable) == ("'crm' (MCP server)", False)
    assert names({"mcps": [CRM], "general_tools": [tool("custom", "book", mcp_id="m_1")]}) == ["book", "crm"]


@pytest.mark.parametrize(
    "lists",
    [
        {"general_tools": [LOOK_UP]},
        {"states": [{"name": "s", "tools": [LOOK_UP]}]},
        {"tools": [LOOK_UP]},
        {"nodes": [{"id": "n", "type": "subagent", "tools": [LOOK_UP]}]},
        {"nodes": [{"id": "n", "type": "mcp", "mcp_id": "m_1", "mcp_tool_name": "look_up"}]},
        {"components": [{"tools": [LOOK_UP]}]},
    ],
)
def test_a_listed_tool_stands_for_its_own_mcp_server_only(lists: dict[str, Any]) -> None:
    assert names({"mcps": [CRM], **lists}) == ["look_up"]
    assert names({"mcps": [CRM, PAYMENTS], **lists}) == ["look_up", "payments"]
    assert names(lists, shared={"mcps": [PAYMENTS]}) == ["look_up", "payments"]


@pytest.mark.parametrize(
    ("servers", "listed", "live"),
    [
        # Retell documents the id of the server in a tool, but not in the server.
        ([without_id(CRM)], [LOOK_UP], ["look_up", "crm"]),
        ([without_id(CRM), without_id(PAYMENTS)], [LOOK_UP], ["look_up", "crm", "payments"]),
        ([without_id(CRM), PAYMENTS], [LOOK_UP], ["look_up", "crm", "payments"]),
        ([without_id(CRM)], [tool("mcp", "look_up", mcp_id="crm")], ["look_up"]),
        ([{"mcp_id": "m_1", "name": "crm"}], [LOOK_UP], ["look_up"]),
        ([CRM], [tool("mcp", "look_up")], ["look_up", "crm"]),
        ([CRM], [tool("mcp", "look_up", mcp_id="crm")], ["look_up", "crm"]),
        ([{"url": "https://private"}], [tool("mcp", "look_up")], ["look_up", "unnamed"]),
        ([CRM], [tool("mcp", "look_up", mcp_id="m_9")], ["look_up", "crm"]),
        ([CRM, PAYMENTS], [LOOK_UP, tool("mcp", "pay", mcp_id="m_2")], ["look_up", "pay"]),
    ],
)
def test_a_server_counts_as_listed_only_if_a_tool_has_its_id(
    servers: list[dict[str, Any]], listed: list[dict[str, Any]], live: list[str]
) -> None:
    assert names({"mcps": servers, "general_tools": listed}) == live


def test_components_count_with_their_nodes_and_tools() -> None:
    local = {
        "name": "c",
        "tools": [tool("custom", "pay", tool_id="t")],
        "nodes": [{"id": "a", "type": "sms"}],
    }
    shared = {"id": "b", "type": "component", "component_type": "shared", "component_id": "comp_1"}
    flow = {"components": [local], "nodes": [shared]}
    assert names(
        flow, comp_1={"nodes": [{"id": "s", "type": "subagent", "tools": [tool("custom", "book")]}]}
    ) == [
        "pay",
        "a",
        "book",
    ]
    (unread,) = (found for found in live_tools(flow) if found.name == "comp_1")
    assert (str(unread), unread.mockable) == ("'comp_1' (shared component)", False)
    assert shared_components(flow) == {"comp_1"}
    assert shared_components({"components": [{"nodes": [shared]}]}) == {"comp_1"}


def test_a_tool_that_is_used_twice_is_listed_once() -> None:
    assert names({"general_tools": [tool("custom")], "states": [{"tools": [tool("custom")]}]}) == ["x"]


@pytest.mark.parametrize("engine", [{}, {"general_tools": None, "states": None, "nodes": None, "mcps": None}])
def test_an_engine_without_tools_has_no_live_tools(engine: dict[str, Any]) -> None:
    assert names(engine) == []


@pytest.mark.parametrize(
    ("mocks", "mocked"),
    [
        ([], False),
        ([{"tool_name": "book", "input_match_rule": ANY}], True),
        ([{"tool_name": "Book", "input_match_rule": ANY}], False),
        ([{"tool_name": "pay", "input_match_rule": ANY}], False),
        ([{"tool_name": "book", "input_match_rule": {"type": "partial_match", "args": {"day": 1}}}], False),
        # Retell documents that no field is checked then, but nobody has seen it.
        ([{"tool_name": "book", "input_match_rule": {"type": "partial_match", "args": {}}}], False),
        ([{"tool_name": "book", "input_match_rule": {"type": "a_later_type"}}], False),
        ([{"tool_name": "book"}], False),
        (
            [
                {"tool_name": "book", "input_match_rule": {"type": "partial_match", "args": {"day": 1}}},
                {"tool_name": "book", "input_match_rule": ANY},
            ],
            True,
        ),
    ],
)
def test_only_a_mock_that_answers_every_call_counts(mocks: list[dict[str, Any]], mocked: bool) -> None:
    assert LiveTool("book", "custom").is_mocked(mocks) is mocked
