"""Every endpoint of every resource, through both hooks: the request on the wire, and the result."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import pydoc
import re
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import pytest
import wire

from airflow_provider_retell import api
from airflow_provider_retell.api.calls.models import Call
from airflow_provider_retell.api.errors import BadRequestError, RetellConnectionError, RetellInputError
from airflow_provider_retell.api.knowledge_bases.bodies import KnowledgeBaseFile
from airflow_provider_retell.api.multipart import Content
from airflow_provider_retell.api.records.update import UpdateResult
from airflow_provider_retell.emulator import Fault
from airflow_provider_retell.hooks.endpoint import Endpoint, Steps
from airflow_provider_retell.hooks.retell import RetellAsyncHook, RetellHook

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_provider_retell.emulator import Emulator

FROM, TO = "+14155550100", "+14155550123"
LLM = {"type": "retell-llm", "llm_id": "llm_1"}
CUSTOM = {"type": "custom-llm", "llm_websocket_url": "wss://pr1vate"}
TEST_CASE = {"name": "Books", "metrics": ["Books."], "response_engine": LLM}
IMPORTED = {"external_field_name": "pr1vate", "field_name": "phone_number"}
SMALL_FILE = KnowledgeBaseFile("pr1vate.pdf", Content.of(b"x"))
EMPTY_FILE = KnowledgeBaseFile("pr1vate.pdf", Content.of(b""))
LARGE_FILE = KnowledgeBaseFile("pr1vate.pdf", Content(50_000_001, tuple))
NAMELESS_FILE = KnowledgeBaseFile(" ", Content.of(b"x"))
HOOKS = (RetellHook, RetellAsyncHook)

# Each package in "api" with a module "endpoints" is a resource.
RESOURCES = sorted(path.parent.name for path in Path(api.__file__).parent.glob("*/endpoints.py"))
EXAMPLES = [
    example
    for module in pkgutil.iter_modules(wire.__path__)
    for example in importlib.import_module(f"wire.{module.name}").EXAMPLES
]


def endpoint_functions() -> list[Callable[..., Any]]:
    """Return the public functions in the ``endpoints`` modules of all resources."""
    modules = [importlib.import_module(f"{api.__name__}.{resource}.endpoints") for resource in RESOURCES]
    return [
        function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    ]


def methods(hook: type) -> dict[str, Any]:
    """Return the methods of *hook* that are made from functions, by name."""
    found = {name: inspect.getattr_static(hook, name) for name in dir(hook)}
    return {name: value for name, value in found.items() if isinstance(value, (Endpoint, Steps))}


def test_endpoints_of_several_resources_are_found() -> None:
    assert {"calls", "organization"} <= set(RESOURCES)
    assert {"update_call", "get_concurrency"} <= {function.__name__ for function in endpoint_functions()}


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("function", endpoint_functions(), ids=lambda function: function.__name__)
def test_every_endpoint_function_is_a_method_of_both_hooks(hook: type, function: Callable[..., Any]) -> None:
    (name,) = [name for name, method in methods(hook).items() if method.__wrapped__ is function]
    assert isinstance(inspect.getattr_static(hook, name), Endpoint)


def test_both_hooks_have_the_same_methods() -> None:
    assert methods(RetellHook) == methods(RetellAsyncHook)

    def public(hook: type) -> set[str]:
        own = [kind for kind in hook.__mro__ if kind.__module__.startswith("airflow_provider_retell.")]
        names = {name for kind in own for name in vars(kind) if not name.startswith("_")}
        return {name for name in names if callable(getattr(hook, name))}

    only_blocking = {
        "close",
        "get_conn",
        "get_connection_form_widgets",
        "get_ui_field_behaviour",
        "test_connection",
    }
    assert public(RetellHook) - public(RetellAsyncHook) == only_blocking
    assert public(RetellAsyncHook) <= public(RetellHook)


def test_every_endpoint_has_an_example_in_the_module_of_its_resource() -> None:
    for resource in RESOURCES:
        module = f"{api.__name__}.{resource}.endpoints"
        names = {
            name
            for name, method in methods(RetellHook).items()
            if isinstance(method, Endpoint) and method.__module__ == module
        }
        assert {example.method for example in importlib.import_module(f"wire.{resource}").EXAMPLES} == names


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_endpoint_sends_and_returns_the_same_from_both_hooks(
    client: Any, emulator: Emulator, example: wire.Example
) -> None:
    result = getattr(client, example.method)(*example.args, **example.kwargs)
    (request,) = emulator.requests
    assert f"{request.method} {request.path}" == example.line
    assert request.body == example.body
    assert request.status == example.status
    assert type(result) is (example.result or type(None))
    assert request.headers["content-type"].partition(";")[0] == example.content_type
    assert request.headers["accept"] == "application/json"
    assert request.headers["user-agent"].startswith("airflow-provider-retell/")
    assert "apache-airflow/" in request.headers["user-agent"]
    assert "cookie" not in request.headers


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_error_names_the_endpoint(emulator: Emulator, example: wire.Example) -> None:
    emulator.faults.add(Fault.status(400))
    with RetellHook() as hook, pytest.raises(BadRequestError) as caught:
        getattr(hook, example.method)(*example.args, **example.kwargs)
    (request,) = emulator.requests
    # Phone numbers are private.
    ids = [value for value in request.ids.values() if not value.startswith("+")]
    named = re.match(rf"{request.route}( of .+)?: Retell answered 400", str(caught.value))
    assert named
    assert [value for value in ids if value not in (named[1] or "")] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_request_that_could_act_twice_is_sent_once(
    emulator: Emulator, sleeps: list[float], example: wire.Example
) -> None:
    emulator.faults.add(Fault.drop(), times=1)
    with RetellHook() as hook:
        if example.sent_once:
            with pytest.raises(RetellConnectionError):
                getattr(hook, example.method)(*example.args, **example.kwargs)
        else:
            getattr(hook, example.method)(*example.args, **example.kwargs)
    assert len(emulator.requests) == (1 if example.sent_once else 2)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_blank_id_or_number_is_rejected_by_the_name_of_its_parameter(
    emulator: Emulator, example: wire.Example
) -> None:
    with RetellHook() as hook:
        method = getattr(hook, example.method)
        for place, (name, value) in enumerate(
            zip(inspect.signature(method).parameters, example.args, strict=False)
        ):
            if isinstance(value, str) and name != "knowledge_base_name":
                args = [*example.args[:place], " ", *example.args[place + 1 :]]
                with pytest.raises(
                    RetellInputError, match=rf"^(create-contact-import: )?{name} (is empty|must )"
                ):
                    method(*args, **example.kwargs)
    assert emulator.requests == []


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("name", methods(RetellHook))
def test_the_interpreter_shows_the_parameters_the_result_and_the_text_of_a_method(
    hook: type, name: str
) -> None:
    function = inspect.getattr_static(hook, name).__wrapped__
    signature = inspect.signature(function)
    for method, own in ((getattr(hook, name), ["self"]), (getattr(hook(), name), [])):
        shown = inspect.signature(method)
        assert method.__name__ == name
        assert list(shown.parameters) == [*own, *signature.parameters]
        assert list(shown.parameters.values())[len(own) :] == list(signature.parameters.values())
        assert signature.return_annotation in (
            f"Request[{shown.return_annotation}]",
            f"Flow[{shown.return_annotation}]",
        )
        assert inspect.iscoroutinefunction(method) == (hook is RetellAsyncHook)
        assert inspect.getdoc(method) == inspect.getdoc(function)
        text = pydoc.plain(pydoc.render_doc(method))
        assert [parameter for parameter in signature.parameters if f"{parameter}: " not in text] == []


@pytest.mark.parametrize("hook", HOOKS)
def test_help_of_a_hook_lists_all_methods(hook: type) -> None:
    text = pydoc.plain(pydoc.render_doc(hook))
    assert [name for name in methods(hook) if f"{name}(" not in text] == []
    assert "get_call(self, call_id: 'str') -> 'Call'" in text


def test_the_types_of_a_method_can_be_resolved() -> None:
    assert get_type_hints(RetellHook.get_call) == {"call_id": str, "return": Call}
    assert get_type_hints(RetellHook().update_call_checked)["return"] == UpdateResult[Call]


def test_metadata_is_read_as_it_was_written(client: Any, emulator: Emulator) -> None:
    client.update_call("call_1", metadata={"ż": "🎉", "n": [1, {"x": None}]})
    assert emulator.calls["call_1"]["metadata"] == {"ż": "🎉", "n": [1, {"x": None}]}
    assert client.get_call("call_1").metadata == {"ż": "🎉", "n": [1, {"x": None}]}


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("get_call", ("pr1vate/../x",), {}),
        ("update_call", ("call_1",), {}),
        ("update_call", ("call_1",), {"custom_attributes": {"a": ["pr1vate"]}}),
        ("update_live_call", ("call_1",), {}),
        ("list_calls", (), {"filter_criteria": {"call_id": {"type": "pr1vate"}}}),
        ("create_phone_call", (FROM, TO), {"metadata": {"a": {"pr1vate"}}}),
        ("create_batch_call", (FROM, ["pr1vate"]), {}),
        ("create_test_case_definition", (), {"user_prompt": "pr1vate", **TEST_CASE, "metrics": []}),
        ("create_test_case_definition", (), {"user_prompt": "pr1vate", **TEST_CASE, "name": ""}),
        (
            "create_test_case_definition",
            (),
            {"user_prompt": "pr1vate", **TEST_CASE, "response_engine": CUSTOM},
        ),
        (
            "create_test_case_definition",
            (),
            {
                "user_prompt": "pr1vate",
                **TEST_CASE,
                "tool_mocks": [
                    {"tool_name": "x", "output": {"pr1vate": 1}, "input_match_rule": {"type": "any"}}
                ],
            },
        ),
        ("update_test_case_definition", ("test_case_1",), {}),
        ("update_test_case_definition", ("test_case_1",), {"dynamic_variables": {"a": ["pr1vate"]}}),
        ("list_test_case_definitions", (CUSTOM,), {}),
        ("list_test_case_definitions_page", ({"type": "retell-llm"},), {}),
        ("create_batch_test", ([], LLM), {}),
        ("create_batch_test", (["pr1vate?"], LLM), {}),
        ("create_batch_test", (["test_case_1"], CUSTOM), {}),
        ("create_batch_test", (["test_case_1"], {**LLM, "version": "pr1vate"}), {}),
        ("create_batch_test", (["test_case_1"], {**LLM, "version": True}), {}),
        ("create_batch_test", (["test_case_1"], {**LLM, "agent": "pr1vate"}), {}),
        ("list_batch_tests", ({"type": "pr1vate"},), {}),
        ("create_contact", (), {"phone_number": "pr1vate"}),
        ("create_contact", (), {"phone_number": TO, "first_name": ["pr1vate"]}),
        ("create_contact", (), {"phone_number": TO, "contact_memory": "pr1vate" * 500}),
        ("upload_contact_import_file", (b"",), {}),
        ("create_contact_import", ("upload_1",), {"column_mapping": ["pr1vate"]}),
        ("create_contact_import", ("upload_1",), {"column_mapping": [IMPORTED, IMPORTED]}),
        ("create_contact_import", ("upload_1",), {"column_mapping": [{**IMPORTED, "field_name": "pr1vate"}]}),
        ("update_contact", ("contact_1",), {}),
        ("update_contact", ("contact_1",), {"contact_tag_ids": ["pr1vate", ""]}),
        ("get_agent", ("agent_1",), {"version": -1}),
        ("get_agent", ("agent_1",), {"version": True}),
        ("get_chat_agent", ("agent_1",), {"version": " "}),
        ("update_agent", ("agent_1", {}), {}),
        ("update_agent", ("agent_1", {"voice_speed": {"pr1vate"}}), {}),
        ("publish_agent_version", ("agent_1",), {"version": -1}),
        ("delete_agent_version", ("agent_1",), {"version": "pr1vate"}),
        ("delete_agent_version", ("agent_1",), {"version": None}),
        ("update_retell_llm", ("llm_1", {}), {}),
        ("update_conversation_flow", ("conversation_flow_1", {"nodes": b"pr1vate"}), {}),
        ("update_phone_number", ("+14155550100", {}), {}),
        ("find_contact", ("pr1vate",), {}),
        ("list_contacts_page", (), {"sort_order": "pr1vate"}),
        ("delete_knowledge_base_source", ("kb_1", "pr1vate/../x"), {}),
        ("create_knowledge_base", ("x" * 40,), {}),
        ("create_knowledge_base", (" ",), {}),
        ("create_knowledge_base", ("x",), {"min_chunk_size": 2000}),
        ("create_knowledge_base", ("x",), {"max_chunk_size": "pr1vate"}),
        ("add_knowledge_base_sources", ("kb_1",), {}),
        ("add_knowledge_base_sources", ("kb_1",), {"knowledge_base_texts": [{"title": "pr1vate"}]}),
        (
            "add_knowledge_base_sources",
            ("kb_1",),
            {"knowledge_base_texts": [{"title": "", "text": "pr1vate"}]},
        ),
        ("add_knowledge_base_sources", ("kb_1",), {"knowledge_base_texts": [{"title": "a", "text": " "}]}),
        (
            "add_knowledge_base_sources",
            ("kb_1",),
            {"knowledge_base_texts": [{"title": "a", "text": "pr1vate\ud800"}]},
        ),
        ("add_knowledge_base_sources", ("kb_1",), {"knowledge_base_urls": ["pr1vate"]}),
        ("add_knowledge_base_sources", ("kb_1",), {"knowledge_base_files": ["pr1vate"]}),
        ("add_knowledge_base_sources", ("kb_1",), {"knowledge_base_files": [EMPTY_FILE]}),
        ("add_knowledge_base_sources", ("kb_1",), {"knowledge_base_files": [LARGE_FILE]}),
        ("add_knowledge_base_sources", ("kb_1",), {"knowledge_base_files": [SMALL_FILE] * 26}),
        ("add_knowledge_base_sources", ("kb_1",), {"knowledge_base_files": [NAMELESS_FILE]}),
    ],
)
def test_invalid_input_is_rejected_before_a_request_and_not_quoted(
    client: Any, emulator: Emulator, caplog: pytest.LogCaptureFixture, name: str, args: Any, kwargs: Any
) -> None:
    caplog.set_level("DEBUG")
    _ = client.hook
    with pytest.raises(RetellInputError) as caught:
        getattr(client, name)(*args, **kwargs)
    assert emulator.requests == []
    operation = name.removesuffix("_page").replace("_", "-")
    assert re.match(
        rf"{operation}( of [A-Za-z ]+ …?\w+)?: |(\w+_ids?|\w+_number|response_engine|version)\b",
        str(caught.value),
    )
    assert "pr1vate" not in caplog.text
    printed = [line for line in traceback.format_exception(caught.value) if not line.startswith("  File")]
    assert "pr1vate" not in "".join(printed)


def test_session_of_the_hook_can_send_other_requests(emulator: Emulator) -> None:
    with RetellHook() as hook:
        session: Any = hook.get_conn()
        assert session is hook.get_conn()
        assert session.get(f"{emulator.url}/get-concurrency").status_code == 200
    with hook:
        assert hook.get_conn() is not session
    hook.close()


def test_closed_hook_opens_again_when_it_is_used(emulator: Emulator) -> None:
    hook = RetellHook()
    hook.close()
    assert hook.get_call("call_1").call_id == "call_1"
    hook.close()
    assert hook.get_call("call_1").call_id == "call_1"
    hook.close()
