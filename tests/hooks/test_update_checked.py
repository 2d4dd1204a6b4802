"""``update_call_checked`` of both hooks: which requests it sends, and how it verifies the result."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.api.errors import (
    BadRequestError,
    CallNotEndedError,
    NotFoundError,
    PermissionDeniedError,
    RetellInputError,
    ServerError,
    StorageConflictError,
    UnprocessableError,
    UpdateMismatchError,
)
from airflow_provider_retell.emulator import Fault

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator

REPLACE: dict[str, Any] = {"metadata_mode": "replace"}


def routes(emulator: Emulator) -> list[str | None]:
    return [request.route for request in emulator.requests]


def package_log(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Return the lines of the package, without those of Airflow, and forget them."""
    records = [record for record in caplog.records if record.name.startswith("airflow_provider_retell.")]
    caplog.clear()
    return [(record.levelname, record.getMessage()) for record in records]


def test_the_log_names_the_fields_and_shows_no_values(
    client: Any, emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "airflow_provider_retell.emulator")
    caplog.set_level(logging.INFO, "airflow_provider_retell.api")
    client.update_call_checked("call_1", metadata={"tier": "Pr1vate"}, custom_attributes={"known": "Pr1vate"})
    assert package_log(caplog) == [
        ("INFO", "Call call_1: wrote metadata.tier, custom_attributes.known"),
        ("WARNING", "Call call_1: Retell's response does not show whether it stored custom_attributes.known"),
    ]
    client.update_call_checked("call_1", metadata={"tier": "Pr1vate"})
    assert package_log(caplog) == [
        ("INFO", "Call call_1: no update was sent, because the call already has all values")
    ]
    emulator.add_chat(chat_id="chat_9", metadata={"a": 1})
    client.update_chat_checked("chat_9", metadata={"tier": "Pr1vate"})
    assert package_log(caplog) == [("INFO", "Chat chat_9: wrote metadata.tier")]


# -- modes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "present", "wanted", "sent", "written"),
    [
        ("merge", {"a": 1, "b": 2}, {"b": 3, "c": 4}, {"a": 1, "b": 3, "c": 4}, ("metadata.b", "metadata.c")),
        ("merge", {"a": {"x": 1}}, {"a": {"y": 2}}, {"a": {"y": 2}}, ("metadata.a",)),
        ("merge", {"a": 1}, {"a": 1.0}, None, ()),
        ("merge", {"a": 1}, {}, None, ()),
        ("merge", {"a": 1}, {"b": None}, None, ()),
        ("merge", {"a": 1}, {"a": True}, {"a": True}, ("metadata.a",)),
        ("merge", {"big": 2**60, "a": 1}, {"a": 2}, {"big": float(2**60), "a": 2}, ("metadata.a",)),
        (
            "merge",
            {"x": [2**60, {"y": 2**53}]},
            {"a": 2},
            {"x": [2.0**60, {"y": 2.0**53}], "a": 2},
            ("metadata.a",),
        ),
        (
            "fill",
            {"a": 1, "b": None},
            {"a": 9, "b": 2, "c": 3},
            {"a": 1, "b": 2, "c": 3},
            ("metadata.b", "metadata.c"),
        ),
        ("fill", {"a": 1}, {"a": 9}, None, ()),
        ("fill", {"a": False, "b": ""}, {"a": 9, "b": 9}, None, ()),
    ],
)
def test_merge_and_fill_read_the_call_and_send_only_differences(
    client: Any, emulator: Emulator, mode: Any, present: Any, wanted: Any, sent: Any, written: Any
) -> None:
    emulator.calls["call_1"]["metadata"] = present
    result = client.update_call_checked("call_1", metadata=wanted, metadata_mode=mode)
    assert result.sent is (sent is not None)
    assert result.written == written
    if sent is None:
        assert routes(emulator) == ["get-call"]
    else:
        assert routes(emulator) == ["get-call", "update-call"]
        assert emulator.requests[1].body == {"metadata": sent}


def test_merged_metadata_that_is_too_large_is_not_sent(client: Any, emulator: Emulator) -> None:
    emulator.calls["call_1"]["metadata"] = {"old": "x" * 30_000}
    with pytest.raises(RetellInputError, match="50 kB"):
        client.update_call_checked("call_1", metadata={"new": "y" * 30_000})
    assert routes(emulator) == ["get-call"]


# -- rejected updates -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("mode", ["replace", "merge"])
def test_ongoing_call_is_reported_as_not_ended(client: Any, emulate: Any, status: int, mode: Any) -> None:
    emulator = emulate(not_ended_status=status)
    with pytest.raises(
        CallNotEndedError, match="call call_live is ongoing.* with UpdateLiveCallOperator"
    ) as caught:
        client.update_call_checked("call_live", metadata={"a": 1}, metadata_mode=mode)
    assert not caught.value.permanent
    assert routes(emulator) == (["update-call", "get-call"] if mode == "replace" else ["get-call"])


@pytest.mark.parametrize("mode", ["replace", "merge"])
def test_unknown_call_is_reported_as_not_found(client: Any, emulator: Emulator, mode: Any) -> None:
    with pytest.raises(NotFoundError, match="call_9"):
        client.update_call_checked("call_9", metadata={"a": 1}, metadata_mode=mode)


@pytest.mark.parametrize("mode", ["replace", "merge"])
def test_less_restrictive_storage_setting_is_reported_as_a_conflict(
    client: Any, emulator: Emulator, mode: Any
) -> None:
    emulator.add_call(call_id="strict", data_storage_setting="basic_attributes_only")
    with pytest.raises(
        StorageConflictError, match="is basic_attributes_only, .* never makes it less restrictive"
    ):
        client.update_call_checked("strict", data_storage_setting="everything_except_pii", metadata_mode=mode)


def test_rejection_that_the_call_does_not_explain_is_raised_unchanged(
    client: Any, emulator: Emulator
) -> None:
    emulator.faults.add(Fault.status(400, body={"message": "nobody knows"}), route="update-call")
    with pytest.raises(BadRequestError, match="nobody knows"):
        client.update_call_checked(
            "call_1", metadata={"a": 1}, data_storage_setting="basic_attributes_only", **REPLACE
        )
    emulator.faults.add(Fault.status(422, body={"message": "nobody knows"}), route="update-call")
    emulator.faults.add(Fault.status(403), route="get-call")
    with pytest.raises(UnprocessableError, match="nobody knows"):
        client.update_call_checked("call_1", metadata={"a": 1}, **REPLACE)
    emulator.faults.add(Fault.status(422, body={"message": "nobody knows"}), route="update-call")
    with pytest.raises(UnprocessableError, match="nobody knows"):
        client.update_call_checked("call_1", metadata={"a": 1}, **REPLACE)


def test_key_that_may_not_read_calls_is_pointed_to_replace(client: Any, emulator: Emulator) -> None:
    emulator.faults.add(Fault.status(403, body={"message": "no History permission"}), route="get-call")
    with pytest.raises(PermissionDeniedError, match="metadata_mode='replace'") as caught:
        client.update_call_checked("call_1", metadata={"a": 1})
    assert "deletes all metadata keys that you do not send" in str(caught.value)
    assert (caught.value.status, caught.value.detail) == (403, "no History permission")
    assert caught.value.permanent
    assert routes(emulator) == ["get-call"]
    assert client.update_call_checked("call_1", metadata={"a": 1}, **REPLACE).sent


def test_server_error_is_raised_without_reading_the_call(
    client: Any, emulator: Emulator, sleeps: list[float]
) -> None:
    emulator.faults.add(Fault.status(500), route="update-call", times=0)
    with pytest.raises(ServerError):
        client.update_call_checked("call_1", metadata={"a": 1}, **REPLACE)
    assert emulator.count("get-call") == 0


# -- verified responses ---------------------------------------------------------------------------------------------


def test_server_that_merges_although_it_should_replace_is_detected(client: Any, emulate: Any) -> None:
    emulate(metadata_semantics="merge")
    with pytest.raises(UpdateMismatchError, match="Retell merges instead of replacing") as caught:
        client.update_call_checked("call_1", metadata={"a": "pr1vate"}, **REPLACE)
    assert caught.value.fields == ("metadata.plan",)
    assert caught.value.permanent
    printed = [line for line in traceback.format_exception(caught.value) if not line.startswith("  File")]
    assert "pr1vate" not in "".join(printed)


def test_server_that_drops_nulls_is_accepted(client: Any, emulate: Any) -> None:
    emulate(drops_null=True)
    assert client.update_call_checked("call_1", metadata={"a": None}, **REPLACE).sent


def test_response_with_other_values_is_an_error(client: Any, serve: Any, reply: Any, connect: Any) -> None:
    connect(serve(reply(200, {"call_id": "call_1", "call_status": "ended", "metadata": {"a": 2}})).url)
    with pytest.raises(UpdateMismatchError, match="differ from the values sent: metadata.a") as caught:
        client.update_call_checked("call_1", metadata={"a": 1}, **REPLACE)
    assert "Read the call and compare" in str(caught.value)


@pytest.mark.parametrize("echo", [True, False])
def test_dropped_custom_attributes_are_detected_on_request(client: Any, emulate: Any, echo: bool) -> None:
    emulator = emulate(echo_custom_attributes=echo)
    emulator.organization.custom_attributes |= {"attr_n", "attr_b"}
    defined = {"attr_tier": "gold", "attr_n": 4.5, "attr_b": True}
    result = client.update_call_checked(
        "call_1", custom_attributes=defined, confirm_custom_attributes=True, **REPLACE
    )
    assert result.unverified == ()
    with pytest.raises(UpdateMismatchError, match="must be defined in Retell's dashboard") as caught:
        client.update_call_checked(
            "call_1", custom_attributes={"undefined": 1}, confirm_custom_attributes=True, **REPLACE
        )
    assert caught.value.fields == ("custom_attributes.undefined",)
