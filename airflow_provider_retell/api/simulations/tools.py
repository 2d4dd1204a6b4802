"""The tools of a response engine that act outside the conversation, and the mocks that keep a simulation from them.

Retell: a tool call that no mock matches goes to the real tool
(https://docs.retellai.com/api-references/create-test-case-definition).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

HARMLESS_TOOLS = frozenset({"end_call", "extract_dynamic_variable", "press_digit"})
"""Types of tools that act within the conversation only. All others are live, also types that Retell adds later."""

HARMLESS_NODES = frozenset(
    {"conversation", "subagent", "end", "branch", "extract_dynamic_variables", "press_digit", "component"}
)
"""Types of nodes that do nothing outside the conversation themselves. Their tools are counted apart."""


@dataclass(frozen=True)
class LiveTool:
    """A tool that acts outside the conversation.

    :ivar name: the name that the LLM calls it by; for a node without such a name, the name or id of the node.
    :ivar kind: its type in a few words.
    :ivar mockable: False if Retell does not document a name that a mock could have.
    :ivar mcp_id: the id of the MCP server whose tool it is, or None.
    """

    name: str
    kind: str
    mockable: bool = True
    mcp_id: str | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.name!r} ({self.kind})"

    def is_mocked(self, mocks: Iterable[Mapping[str, Any]]) -> bool:
        """Return True if one of the *mocks* of a test case answers every call of this tool.

        A mock that matches certain arguments lets all other calls through to the real tool.
        """
        return self.mockable and any(
            mock.get("tool_name") == self.name and (mock.get("input_match_rule") or {}).get("type") == "any"
            for mock in mocks
        )


def live_tools(
    engine: Mapping[str, Any], components: Mapping[str, Mapping[str, Any]] | None = None
) -> list[LiveTool]:
    """Return the live tools of a Retell LLM or a conversation flow, each once.

    :param engine: the engine as Retell returns it.
    :param components: the shared components of a conversation flow, by id.
    """
    tools = list(_of_llm(engine))
    parts = [engine, *_objects(engine, "components"), *(components or {}).values()]
    shared_tools = {tool.get("tool_id"): tool for part in parts for tool in _objects(part, "tools")}
    for part in parts:
        tools += _of_tools(_objects(part, "tools"))
        for node in _objects(part, "nodes"):
            tools += _of_node(node, shared_tools, components or {})
    # Retell does not document that the tools of a server must be listed before the agent can call them.
    listed = {tool.mcp_id for tool in tools if tool.mcp_id}
    servers = [server for part in parts for server in _objects(part, "mcps")]
    tools += [
        LiveTool(_name(server), "MCP server", mockable=False)
        for server in servers
        if _server_id(server) not in listed
    ]
    return list(dict.fromkeys(tools))


def shared_components(part: Mapping[str, Any]) -> set[str]:
    """Return the ids of the shared components that the nodes of a flow or a component refer to."""
    parts = [part, *_objects(part, "components")]
    return {
        str(node.get("component_id"))
        for item in parts
        for node in _objects(item, "nodes")
        if node.get("type") == "component" and node.get("component_type") == "shared"
    }


def _of_llm(engine: Mapping[str, Any]) -> Iterator[LiveTool]:
    yield from _of_tools(_objects(engine, "general_tools"))
    for state in _objects(engine, "states"):
        yield from _of_tools(_objects(state, "tools"))


def _of_tools(tools: Iterable[Mapping[str, Any]]) -> Iterator[LiveTool]:
    for tool in tools:
        kind = str(tool.get("type"))
        if kind not in HARMLESS_TOOLS:
            mockable = isinstance(tool.get("name"), str)
            yield LiveTool(_name(tool), kind, mockable, tool.get("mcp_id") if kind == "mcp" else None)


def _of_node(
    node: Mapping[str, Any], tools: Mapping[Any, Mapping[str, Any]], components: Mapping[str, Any]
) -> Iterator[LiveTool]:
    kind = str(node.get("type"))
    yield from _of_tools(_objects(node, "tools"))
    ids = [*(node.get("tool_ids") or ()), *([node["tool_id"]] if "tool_id" in node else ())]
    for tool_id in ids:
        if tool_id in tools:
            yield from _of_tools([tools[tool_id]])
        else:
            yield LiveTool(f"{tool_id} of node {_name(node)}", "shared tool", mockable=False)
    if kind == "component":
        component = str(node.get("component_id"))
        if node.get("component_type") == "shared" and component not in components:
            yield LiveTool(component, "shared component", mockable=False)
    elif kind == "mcp":
        name = node.get("mcp_tool_name")
        yield LiveTool(str(name or _name(node)), "mcp node", isinstance(name, str), node.get("mcp_id"))
    elif kind not in HARMLESS_NODES and not (kind == "function" and ids):
        yield LiveTool(_name(node), f"{kind} node", mockable=False)


def _server_id(server: Mapping[str, Any]) -> object:
    """Return the id of an MCP server. Retell documents it in tools only; in servers, it documents only the name."""
    return next((server[key] for key in ("id", "mcp_id", "name") if server.get(key)), None)


def _objects(part: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return [item for item in part.get(name) or () if isinstance(item, Mapping)]


def _name(item: Mapping[str, Any]) -> str:
    return str(item.get("name") or item.get("id") or item.get("tool_id") or item.get("type") or "unnamed")
