"""Every endpoint, from both hooks: what goes over the wire and what comes back."""

from __future__ import annotations

import inspect
import json
import traceback
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.api.calls.models import BatchCall, Call, CallPage, LiveUpdate
from airflow_provider_retell.api.errors import RetellInputError, RetellResponseError
from airflow_provider_retell.api.organization.models import ApiKeyInfo, Concurrency
from airflow_provider_retell.hooks.endpoint import Endpoint, Endpoints
from airflow_provider_retell.hooks.retell import RetellAsyncHook, RetellHook

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator

FROM, TO = "+14155550100", "+14155550123"

# method of the hook, arguments, keywords, HTTP method and path, body, status, type of the result
TABLE: list[tuple[str, tuple[Any, ...], dict[str, Any], str, Any, int, type | None]] = [
    (
        "update_call",
        ("call_1",),
        {
            "metadata": {"score": Decimal("0.5"), "none": None},
            "data_storage_setting": "everything_except_pii",
            "custom_attributes": {"attr_tier": "gold"},
        },
        "PATCH /v2/update-call/call_1",
        {
            "metadata": {"score": 0.5, "none": None},
            "data_storage_setting": "everything_except_pii",
            "custom_attributes": {"attr_tier": "gold"},
        },
        200,
        Call,
    ),
    (
        "update_call",
        ("call_1",),
        {"metadata": {}},
        "PATCH /v2/update-call/call_1",
        {"metadata": {}},
        200,
        Call,
    ),
    (
        "update_live_call",
        ("call_live",),
        {"additional_context": "hi", "trigger_response": True, "metadata": {"a": 1}},
        "PATCH /v2/update-live-call/call_live",
        {
            "call_control": {"additional_context": "hi", "trigger_response": True},
            "fields_to_override": {"metadata": {"a": 1}},
        },
        200,
        LiveUpdate,
    ),
    (
        "update_live_call",
        ("call_live",),
        {"override_dynamic_variables": None},
        "PATCH /v2/update-live-call/call_live",
        {"fields_to_override": {"override_dynamic_variables": None}},
        200,
        LiveUpdate,
    ),
    (
        "update_live_call",
        ("call_live",),
        {"override_dynamic_variables": {"name": "Ada"}, "data_storage_setting": "basic_attributes_only"},
        "PATCH /v2/update-live-call/call_live",
        {
            "fields_to_override": {
                "data_storage_setting": "basic_attributes_only",
                "override_dynamic_variables": {"name": "Ada"},
            }
        },
        200,
        LiveUpdate,
    ),
    ("get_call", ("call_1",), {}, "GET /v2/get-call/call_1", None, 200, Call),
    ("list_calls_page", (), {}, "POST /v3/list-calls", {}, 200, CallPage),
    (
        "list_calls_page",
        (),
        {
            "filter_criteria": {"call_status": {"type": "enum", "op": "in", "value": ["ended"]}},
            "sort_order": "ascending",
            "limit": 1,
            "skip": 1,
            "include_total": True,
        },
        "POST /v3/list-calls",
        {
            "filter_criteria": {"call_status": {"type": "enum", "op": "in", "value": ["ended"]}},
            "sort_order": "ascending",
            "limit": 1,
            "skip": 1,
            "include_total": True,
        },
        200,
        CallPage,
    ),
    (
        "create_phone_call",
        (FROM, TO),
        {
            "override_agent_id": "agent_1",
            "override_agent_version": 2,
            "agent_override": {"agent": {"voice_speed": 1.1}},
            "metadata": {"a": 1},
            "retell_llm_dynamic_variables": {"name": "Ada"},
            "custom_sip_headers": {"X-A": "b"},
            "honor_internal_dnc": True,
            "idempotency_key": "k1",
        },
        "POST /v2/create-phone-call",
        {
            "from_number": FROM,
            "to_number": TO,
            "override_agent_id": "agent_1",
            "override_agent_version": 2,
            "agent_override": {"agent": {"voice_speed": 1.1}},
            "metadata": {"a": 1},
            "retell_llm_dynamic_variables": {"name": "Ada"},
            "custom_sip_headers": {"X-A": "b"},
            "honor_internal_dnc": True,
            "idempotency_key": "k1",
        },
        201,
        Call,
    ),
    (
        "create_batch_call",
        (FROM, [{"to_number": TO, "metadata": {"a": 1}}]),
        {
            "name": "Monday",
            "trigger_timestamp": 4_000_000_000_000,
            "reserved_concurrency": 1,
            "call_time_window": {
                "windows": [{"start": 540, "end": 600}],
                "timezone": "Europe/Warsaw",
                "day": ["Monday"],
            },
        },
        "POST /create-batch-call",
        {
            "from_number": FROM,
            "tasks": [{"to_number": TO, "metadata": {"a": 1}}],
            "name": "Monday",
            "trigger_timestamp": 4_000_000_000_000,
            "reserved_concurrency": 1,
            "call_time_window": {
                "windows": [{"start": 540, "end": 600}],
                "timezone": "Europe/Warsaw",
                "day": ["Monday"],
            },
        },
        201,
        BatchCall,
    ),
    ("stop_call", ("call_live",), {}, "POST /v2/stop-call/call_live", None, 204, None),
    ("delete_call", ("call_1",), {}, "DELETE /v2/delete-call/call_1", None, 204, None),
    ("rerun_call_analysis", ("call_1",), {}, "PUT /rerun-call-analysis/call_1", None, 201, Call),
    ("get_concurrency", (), {}, "GET /get-concurrency", None, 200, Concurrency),
    ("get_api_key_info", (), {}, "GET /get-api-key-info", None, 200, ApiKeyInfo),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "line", "body", "status", "kind"), TABLE)
def test_an_endpoint_sends_and_returns_the_same_from_both_hooks(
    client: Any,
    emulator: Emulator,
    name: str,
    args: Any,
    kwargs: Any,
    line: str,
    body: Any,
    status: int,
    kind: Any,
) -> None:
    result = getattr(client, name)(*args, **kwargs)
    (request,) = emulator.requests
    assert f"{request.method} {request.path}" == line
    assert request.body == body
    assert request.status == status
    assert type(result) is (kind or type(None))
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept"] == "application/json"
    assert request.headers["user-agent"].startswith("airflow-provider-retell/")
    assert "apache-airflow/" in request.headers["user-agent"]
    assert "cookie" not in request.headers


def test_the_table_has_every_endpoint() -> None:
    names = {name for name, value in vars(Endpoints).items() if isinstance(value, Endpoint)}
    assert names == {row[0] for row in TABLE}
    for hook in (RetellHook, RetellAsyncHook):
        assert all(isinstance(inspect.getattr_static(hook, name), Endpoint) for name in names)


def test_endpoints_keep_their_name_text_and_parameters() -> None:
    method = RetellHook().update_call
    assert method.__name__ == "update_call"
    assert method.__doc__.startswith("Change what is stored about a call")
    assert list(inspect.signature(method).parameters)[:2] == ["call_id", "metadata"]
    assert RetellHook.update_call.__name__ == "update_call"


def test_what_is_written_is_what_is_read(client: Any, emulator: Emulator) -> None:
    client.update_call("call_1", metadata={"ż": "🎉", "n": [1, {"x": None}]})
    assert emulator.calls["call_1"]["metadata"] == {"ż": "🎉", "n": [1, {"x": None}]}
    assert client.get_call("call_1").metadata == {"ż": "🎉", "n": [1, {"x": None}]}


# -- listing ------------------------------------------------------------------------------------------------------


def test_list_calls_follows_the_pages(client: Any, emulator: Emulator) -> None:
    for n in range(7):
        emulator.add_call(call_id=f"more_{n}", start_timestamp=n)
    calls = client.list_calls(page_size=4, sort_order="ascending")
    assert [call.call_id for call in calls[:7]] == [f"more_{n}" for n in range(7)]
    assert {call.call_id for call in calls[7:]} == {"call_1", "call_2", "call_live"}
    assert len(calls) == 10
    first, *others = [request.body for request in emulator.requests]
    assert first == {"limit": 4, "sort_order": "ascending"}
    assert len(others) == 2
    assert all(body["pagination_key"] for body in others)


def test_list_calls_of_nothing_is_one_request(client: Any, emulator: Emulator) -> None:
    criteria = {"call_id": {"type": "string", "op": "eq", "value": "other"}}
    assert client.list_calls(filter_criteria=criteria) == []
    assert [request.body for request in emulator.requests] == [{"filter_criteria": criteria, "limit": 1000}]


@pytest.mark.parametrize(
    ("keys", "fault", "requests"),
    [
        ([None], "page 1 says that there are more calls, without a pagination_key", 1),
        (["a", None], "page 2 says that there are more calls, without a pagination_key", 2),
        (["a", "a"], "page 2 says that there are more calls, with a pagination_key that was already used", 2),
        (["a", "b", "a"], "page 3", 3),
    ],
)
def test_a_listing_that_breaks_off_or_goes_in_circles_is_an_error(
    client: Any, serve: Any, reply: Any, connect: Any, keys: list[Any], fault: str, requests: int
) -> None:
    left = list(keys)

    def page(_: Any) -> Any:
        key = left.pop(0)
        return reply(200, {"items": [], "has_more": True, **({"pagination_key": key} if key else {})})

    server = serve(page)
    connect(server.url)
    with pytest.raises(RetellResponseError, match=fault):
        client.list_calls()
    assert len(server.seen) == requests


def test_a_last_page_may_have_a_key(client: Any, serve: Any, reply: Any, connect: Any) -> None:
    server = serve(reply(200, {"items": [], "has_more": False, "pagination_key": "a"}))
    connect(server.url)
    assert client.list_calls() == []
    assert len(server.seen) == 1


# -- bad input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("get_call", ("pr1vate/../x",), {}),
        ("get_call", ("",), {}),
        ("get_call", (None,), {}),
        ("delete_call", ("pr1vate?x",), {}),
        ("stop_call", ("..",), {}),
        ("rerun_call_analysis", ("pr1vate\n",), {}),
        ("update_call", ("call_1",), {}),
        ("update_call", ("call_1",), {"metadata": {"a": b"pr1vate"}}),
        ("update_call", ("call_1",), {"metadata": {"a": "pr1vate\ud800"}}),
        ("update_call", ("call_1",), {"metadata": {"a": "pr1vate" * 8000}}),
        ("update_call", ("call_1",), {"custom_attributes": {"a": ["pr1vate"]}}),
        ("update_live_call", ("call_1",), {}),
        ("update_live_call", ("call_1",), {"override_dynamic_variables": {"a": ["pr1vate"]}}),
        ("list_calls", (), {"page_size": 0}),
        ("list_calls", (), {"filter_criteria": {"call_id": {"type": "pr1vate"}}}),
        ("create_phone_call", ("pr1vate", TO), {}),
        ("create_phone_call", (FROM, TO), {"metadata": {"a": {"pr1vate"}}}),
        ("create_batch_call", (FROM, ["pr1vate"]), {}),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent_and_is_not_quoted(
    client: Any, emulator: Emulator, caplog: pytest.LogCaptureFixture, name: str, args: Any, kwargs: Any
) -> None:
    caplog.set_level("DEBUG")
    _ = client.hook
    with pytest.raises(RetellInputError) as caught:
        getattr(client, name)(*args, **kwargs)
    assert emulator.requests == []
    assert "pr1vate" not in caplog.text
    printed = [line for line in traceback.format_exception(caught.value) if not line.startswith("  File")]
    assert "pr1vate" not in "".join(printed)


def test_parsed_answers_hold_no_access_token(client: Any, emulator: Emulator) -> None:
    emulator.add_call(call_id="web", call_type="web_call", access_token="token_private")
    call = client.get_call("web")
    assert call.access_token is None
    assert "token_private" not in json.dumps(call.model_dump(mode="json"))
    assert "token_private" not in repr(list(client.list_calls()))


def test_the_hook_gives_its_session_for_other_requests(emulator: Emulator) -> None:
    with RetellHook() as hook:
        session: Any = hook.get_conn()
        assert session is hook.get_conn()
        assert session.get(f"{emulator.url}/get-concurrency").status_code == 200
    with hook:
        assert hook.get_conn() is not session
    hook.close()


def test_a_closed_hook_opens_again(emulator: Emulator) -> None:
    hook = RetellHook()
    hook.close()
    assert hook.get_call("call_1").call_id == "call_1"
    hook.close()
    assert hook.get_call("call_1").call_id == "call_1"
    hook.close()
