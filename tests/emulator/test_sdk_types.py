"""The requests and responses of the emulator have the types that the vendor's SDK declares."""

from __future__ import annotations

import importlib
import types
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

import pytest
import retell
from pydantic import BaseModel
from typing_extensions import NotRequired, Required, get_type_hints, is_typeddict

from airflow_provider_retell.emulator.resources import ROUTES

if TYPE_CHECKING:
    from retell import Retell

    from airflow_provider_retell.emulator import Emulator

if int(retell.__version__.split(".")[0]) < 6:
    pytest.skip("this SDK is older than some endpoints", allow_module_level=True)

ROUTE = {route.name: route for route in ROUTES}

PARAMS = {
    "add-knowledge-base-sources": "KnowledgeBaseAddSources",
    "create-agent-version": "AgentCreateVersion",
    "create-batch-call": "BatchCallCreateBatchCall",
    "create-batch-test": "TestCreateBatchTest",
    "create-contact": "ContactCreate",
    "create-contact-import": "ContactCreateImport",
    "create-knowledge-base": "KnowledgeBaseCreate",
    "create-phone-call": "CallCreatePhoneCall",
    "create-test-case-definition": "TestCreateTestCaseDefinition",
    "list-agents": "AgentList",
    "list-calls": "CallList",
    "list-chats": "ChatList",
    "list-contacts": "ContactList",
    "publish-agent-version": "AgentPublish",
    "update-agent": "AgentUpdate",
    "update-call": "CallUpdate",
    "update-chat": "ChatUpdate",
    "update-chat-agent": "ChatAgentUpdate",
    "update-contact": "ContactUpdate",
    "update-conversation-flow": "ConversationFlowUpdate",
    "update-live-call": "CallUpdateLive",
    "update-phone-number": "PhoneNumberUpdate",
    "update-retell-llm": "LlmUpdate",
    "update-test-case-definition": "TestUpdateTestCaseDefinition",
    "upload-contact-import-file": "ContactUploadImportFile",
}
"""The SDK's name for the parameters of each route with a body."""

QUERY = {
    "list-agents": {"limit", "pagination_key", "sort_order"},
    "update-agent": {"version"},
    "update-chat-agent": {"version"},
    "update-conversation-flow": {"version"},
    "update-retell-llm": {"version"},
}
"""The parameters that are not in the body."""

UNCHECKED = {"agent_override", "file", "knowledge_base_files", "llm_model"}
"""Fields whose values the emulator does not check, and files, which the SDK describes in its own way."""


def differences(hint: Any, schema: Mapping[str, Any], at: str) -> Iterator[str]:
    """Yield the differences between a type of the SDK and a schema of the emulator."""
    while get_origin(hint) in (Required, NotRequired):
        (hint,) = get_args(hint)
    if schema == {} or hint is object:
        return
    kinds = schema.get("type", ())
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if get_origin(hint) in (Union, types.UnionType):
        members = set(get_args(hint))
        if (type(None) in members) != ("null" in kinds):
            yield f"{at}: null"
        for member in members - {type(None)}:
            yield from differences(member, {**schema, "type": tuple(kinds - {"null"})}, at)
    elif "null" in kinds:
        yield f"{at}: null"
    elif is_typeddict(hint):
        yield from differences_of_object(hint, schema, at)
    elif get_origin(hint) is Literal:
        if "enum" not in schema or set(get_args(hint)) != set(schema["enum"]):
            yield f"{at}: {sorted(set(get_args(hint)) ^ set(schema.get('enum', ())))}"
    elif get_origin(hint) is dict:
        (_, value) = get_args(hint)
        if "object" not in kinds:
            yield f"{at}: {hint}"
        if value is not object:
            yield from differences(value, schema["additionalProperties"], f"{at}/*")
    elif hasattr(get_origin(hint), "__iter__"):
        if "array" not in kinds:
            yield f"{at}: {hint}"
        else:
            yield from differences(get_args(hint)[0], schema["items"], f"{at}/0")
    else:
        names = {str: {"string"}, bool: {"boolean"}, int: {"integer"}, float: {"number", "integer"}}
        if not names[hint] & kinds:
            yield f"{at}: {hint}"


def differences_of_object(hint: Any, schema: Mapping[str, Any], at: str) -> Iterator[str]:
    hints = get_type_hints(hint, include_extras=True)
    if "anyOf" in schema:
        name = schema["discriminator"]
        (value,) = get_args(get_args(hints[name])[0])
        (schema,) = [item for item in schema["anyOf"] if value in item["properties"][name]["enum"]]
    if schema.get("additionalProperties"):
        return
    wanted = {name for name, item in hints.items() if get_origin(item) is Required}
    # The SDK does not say that a condition on a map needs the key.
    if wanted != set(schema["required"]) - {"key"}:
        yield f"{at}: required {sorted(wanted ^ set(schema['required']))}"
    missing = hints.keys() ^ schema["properties"].keys()
    yield from (f"{at}/{name}: only on one side" for name in sorted(missing - QUERY.get(at, set())))
    for name in hints.keys() & schema["properties"].keys() - UNCHECKED:
        yield from differences(hints[name], schema["properties"][name], f"{at}/{name}")


def test_every_route_with_a_body_is_compared() -> None:
    assert PARAMS.keys() == {name for name, route in ROUTE.items() if route.schema is not None}


@pytest.mark.parametrize("name", PARAMS)
def test_a_body_has_the_fields_and_values_that_the_sdk_declares(name: str) -> None:
    params = getattr(importlib.import_module("retell.types"), f"{PARAMS[name]}Params")
    assert list(differences(params, ROUTE[name].schema or {}, name)) == []


class Client:
    """Sends requests with the SDK, and checks the types of the responses.

    :ivar faults: the differences between responses and the SDK's types.
    """

    def __init__(self, sdk: Retell) -> None:
        self._sdk = sdk
        self.faults: list[str] = []

    def __call__(self, method: str, *arguments: Any, **fields: Any) -> Any:
        """Send a request and return the parsed response.

        :param method: a method of the SDK, such as "call.retrieve".
        """
        resource, _, name = method.partition(".")
        answer = getattr(getattr(self._sdk, resource).with_raw_response, name)(*arguments, **fields)
        parsed = answer.parse()
        if isinstance(parsed, BaseModel):
            try:
                type(parsed).model_validate(answer.http_response.json(), strict=True)
            except ValueError as error:
                self.faults.append(f"{method}: {error}")
            self.faults += [f"{method}: undeclared {name}" for name in undeclared(parsed)]
        return parsed


def undeclared(value: Any) -> Iterator[str]:
    """Yield the names of fields that the types of the SDK do not have."""
    if isinstance(value, BaseModel):
        yield from value.model_extra or ()
        value = [item for name, item in value if name not in (value.model_extra or ())]
    if isinstance(value, list):
        for item in value:
            yield from undeclared(item)


@pytest.fixture
def ask(emulator: Emulator, client: Retell) -> Iterator[Client]:
    asking = Client(client)
    yield asking
    assert asking.faults == []


NUMBERS = {"from_number": "+14155550100", "to_number": "+14155550123"}


def test_calls(emulator: Emulator, ask: Client) -> None:
    emulator.add_call(call_id="call_done", custom_attributes={"attr_tier": "gold"})
    emulator.add_call(call_id="call_web", call_type="web_call")
    emulator.add_call(call_id="call_live", call_status="ongoing")
    emulator.add_call(call_id="call_private", data_storage_setting="everything_except_pii")
    emulator.add_call(call_id="call_moved", disconnection_reason="call_transfer", transfer_end_timestamp=1)
    ask("call.update", "call_done", metadata={"a": 1}, custom_attributes={"attr_tier": 1})
    ask("call.update_live", "call_live", call_control={"additional_context": "The line is bad."})
    ask("call.rerun_analysis", "call_done")
    ask("call.create_phone_call", **NUMBERS)
    ask("batch_call.create_batch_call", from_number="+14155550100", tasks=[{"to_number": "+14155550123"}])
    for call_id in emulator.calls:
        ask("call.retrieve", call_id)
    assert len(ask("call.list", include_total=True).items) == 7
    ask("call.stop", "call_live")
    ask("call.delete", "call_live")
    ask("concurrency.retrieve")
    ask("identity.retrieve")


def test_chats(emulator: Emulator, ask: Client) -> None:
    emulator.add_chat(chat_id="chat_done")
    emulator.add_chat(chat_id="chat_open", chat_status="ongoing")
    ask("chat.update", "chat_done", metadata={"a": 1}, override_dynamic_variables={"name": "Ada"})
    ask("chat.rerun_analysis", "chat_done")
    ask("chat.retrieve", "chat_open")
    assert len(ask("chat.list", include_total=True).items) == 2
    ask("chat.end", "chat_open")
    ask("chat.delete", "chat_open")


def test_contacts(emulator: Emulator, ask: Client) -> None:
    emulator.options.contacts.tags = {"tag_vip": "VIP"}
    tagged = {"contact_tag_ids": ["tag_vip"], "custom_fields": {"plan": "gold", "seats": 2, "old": False}}
    contact = ask("contact.create", phone_number="+14155550123", first_name="Ada", **tagged)
    ask("contact.update", contact.contact_id, do_not_call=True)
    ask("contact.get", contact.contact_id)
    ask("contact.get_by_phone", "+14155550123")
    assert len(ask("contact.list").items) == 1
    ask("contact.delete", contact.contact_id)
    ask("contact.get_import")
    mapping = [{"external_field_name": "phone", "field_name": "phone_number"}]
    file = ask("contact.upload_import_file", file=("a.csv", b"phone\n+14155550124\n", "text/csv"))
    ask("contact.create_import", upload_id=file.upload_id, column_mapping=mapping)
    for seconds in (0, 20, 20):
        emulator.clock.advance(seconds)
        ask("contact.get_import")
    assert ask("contact.get_by_phone", "+14155550124").conversation_count == 0


def test_knowledge_bases(emulator: Emulator, ask: Client) -> None:
    text = {"title": "Hours", "text": "9 to 17"}
    sources: dict[str, Any] = {
        "knowledge_base_texts": [text],
        "knowledge_base_urls": ["https://example.com"],
        "knowledge_base_files": [("a.txt", b"text", "text/plain")],
    }
    created = ask("knowledge_base.create", knowledge_base_name="Handbook", **sources).knowledge_base_id
    ask("knowledge_base.retrieve", created)
    emulator.clock.advance(60)
    ask("knowledge_base.add_sources", created, knowledge_base_texts=[text])
    emulator.clock.advance(60)
    found = ask("knowledge_base.retrieve", created).knowledge_base_sources
    assert len(found) == 4
    assert len(ask("knowledge_base.list")) == 1
    ask("knowledge_base.delete_source", found[0].source_id, knowledge_base_id=created)
    ask("knowledge_base.delete", created)


def test_agents_engines_and_phone_numbers(emulator: Emulator, ask: Client) -> None:
    emulator.add_agent(agent_id="agent_llm", llm={"llm_id": "llm_1"}, tags={"prod": 0, "test": None})
    emulator.add_agent(agent_id="agent_flow", conversation_flow={"conversation_flow_id": "flow_1"})
    emulator.add_agent(agent_id="agent_chat", channel="chat")
    for agent_id in ("agent_llm", "agent_flow"):
        ask("agent.create_version", agent_id, base_version=0)
        ask("agent.update", agent_id, version=1, agent_name="Reception")
        ask("agent.retrieve", agent_id)
        ask("agent.list_versions", agent_id)
    ask("llm.update", "llm_1", version=1, general_prompt="New")
    ask("llm.retrieve", "llm_1")
    ask("llm.list")
    ask("conversation_flow.update", "flow_1", version=1, global_prompt="New")
    ask("conversation_flow.retrieve", "flow_1")
    ask("conversation_flow.list")
    ask("chat_agent.create_version", "agent_chat", base_version=0)
    ask("chat_agent.update", "agent_chat", version=1, agent_name="Reception")
    ask("chat_agent.retrieve", "agent_chat")
    ask("agent.publish", "agent_llm", version=1)
    ask("agent.delete_version", "agent_flow", version=1)
    assert len(ask("agent.list").items) == 3
    bound = [{"agent_id": "agent_llm", "agent_version": "latest_published", "weight": 1}]
    emulator.add_phone_number("+14155550100", outbound_agents=bound)
    ask("phone_number.update", "+14155550100", nickname="Main line")
    ask("phone_number.retrieve", "+14155550100")
    ask("phone_number.list")
    ask("call.create_phone_call", **NUMBERS)


def test_simulations(emulator: Emulator, ask: Client) -> None:
    emulator.add_agent(llm={"llm_id": "llm_1"})
    engine: Any = {"type": "retell-llm", "llm_id": "llm_1"}
    mock = {"tool_name": "book", "input_match_rule": {"type": "any"}, "output": "done"}
    fields = {"metrics": ["The agent books."], "user_prompt": "Book.", "tool_mocks": [mock]}
    created = ask("tests.create_test_case_definition", name="Books", response_engine=engine, **fields)
    case_id = created.test_case_definition_id
    ask("tests.update_test_case_definition", case_id, name="Books a table")
    ask("tests.get_test_case_definition", case_id)
    ask("tests.list_test_case_definitions", type="retell-llm", llm_id="llm_1")
    batch = ask("tests.create_batch_test", response_engine=engine, test_case_definition_ids=[case_id])
    batch_id = batch.test_case_batch_job_id
    for seconds in (0, 10, 100):
        emulator.clock.advance(seconds)
        ask("tests.get_batch_test", batch_id)
        (run,) = ask("tests.list_test_runs", batch_id).items
        ask("tests.get_test_run", run.test_case_job_id)
    assert run.status == "pass"
    ask("tests.list_batch_tests", type="retell-llm", llm_id="llm_1")
    ask("tests.delete_test_case_definition", case_id)
