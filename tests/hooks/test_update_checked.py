"""``update_call_checked`` of both hooks: which requests it sends, and how it verifies the result."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from counting import CountingMapping

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
from airflow_provider_retell.api.records.update import UpdateResult
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


def test_replace_sends_one_request_and_verifies_its_response(client: Any, emulator: Emulator) -> None:
    result = client.update_call_checked("call_1", metadata={"b": 1, "a": 2}, metadata_mode="replace")
    assert result == UpdateResult(record=result.record, sent=True, written=("metadata.a", "metadata.b"))
    assert emulator.calls["call_1"]["metadata"] == {"b": 1, "a": 2}
    assert routes(emulator) == ["update-call"]


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


def test_merge_is_the_default(client: Any, emulator: Emulator) -> None:
    client.update_call_checked("call_1", metadata={"a": 1})
    assert emulator.calls["call_1"]["metadata"] == {"plan": "pro", "a": 1}


@pytest.mark.parametrize(
    ("options", "sent", "written"),
    [
        ({"remove_metadata_keys": ["plan"]}, {"old": 1}, ("metadata.plan",)),
        (
            {"remove_metadata_keys": ["plan"], "metadata": {"a": 1}},
            {"old": 1, "a": 1},
            ("metadata.a", "metadata.plan"),
        ),
        (
            {"remove_metadata_keys": ("plan", "old"), "metadata_mode": "fill"},
            {},
            ("metadata.old", "metadata.plan"),
        ),
        ({"remove_metadata_keys": ["plan"], "metadata_mode": "replace"}, {"old": 1}, ("metadata.plan",)),
        ({"clear_metadata": True}, {}, ("metadata.old", "metadata.plan")),
    ],
)
def test_metadata_keys_are_removed(
    client: Any, emulator: Emulator, options: Any, sent: Any, written: Any
) -> None:
    emulator.calls["call_1"]["metadata"] = {"plan": "pro", "old": 1}
    result = client.update_call_checked("call_1", **options)
    assert routes(emulator) == ["get-call", "update-call"]
    assert emulator.requests[1].body == {"metadata": sent}
    assert emulator.calls["call_1"]["metadata"] == sent
    assert (result.sent, result.written) == (True, written)


def test_replace_with_keys_to_remove_sends_only_the_new_metadata(client: Any, emulator: Emulator) -> None:
    result = client.update_call_checked(
        "call_1", metadata={"a": 1}, remove_metadata_keys=["plan"], metadata_mode="replace"
    )
    assert routes(emulator) == ["update-call"]
    assert emulator.calls["call_1"]["metadata"] == {"a": 1}
    assert result.written == ("metadata.a",)


def test_removing_a_missing_key_sends_no_update(client: Any, emulator: Emulator) -> None:
    assert not client.update_call_checked("call_1", remove_metadata_keys=["other"]).sent
    assert routes(emulator) == ["get-call"]


@pytest.mark.parametrize(("key", "shown"), [("plan", "plan"), ("+1 415 555 0123", r"\[\.\.\]")])
def test_key_cannot_be_set_and_removed(client: Any, emulator: Emulator, key: str, shown: str) -> None:
    with pytest.raises(RetellInputError, match=f"remove_metadata_keys has keys that metadata sets: {shown}"):
        client.update_call_checked("call_1", metadata={key: 1}, remove_metadata_keys=[key])
    assert emulator.requests == []


def test_storage_setting_that_the_call_already_has_is_not_sent(client: Any, emulator: Emulator) -> None:
    result = client.update_call_checked("call_1", metadata={"a": 1}, data_storage_setting="everything")
    assert emulator.requests[1].body == {"metadata": {"plan": "pro", "a": 1}}
    assert result.written == ("metadata.a",)


def test_custom_attributes_are_always_sent(client: Any, emulator: Emulator) -> None:
    result = client.update_call_checked("call_1", custom_attributes={"attr_tier": "gold"})
    assert emulator.requests[1].body == {"custom_attributes": {"attr_tier": "gold"}}
    assert result.written == result.unverified == ("custom_attributes.attr_tier",)


def test_merged_metadata_that_is_too_large_is_not_sent(client: Any, emulator: Emulator) -> None:
    emulator.calls["call_1"]["metadata"] = {"old": "x" * 30_000}
    with pytest.raises(RetellInputError, match="50 kB"):
        client.update_call_checked("call_1", metadata={"new": "y" * 30_000})
    assert routes(emulator) == ["get-call"]


def test_stricter_storage_setting_is_written_and_verified(client: Any, emulator: Emulator) -> None:
    result = client.update_call_checked("call_1", data_storage_setting="basic_attributes_only", **REPLACE)
    assert result.written == ("data_storage_setting",)
    assert emulator.calls["call_1"]["data_storage_setting"] == "basic_attributes_only"


def test_invalid_input_is_rejected_before_the_first_request(client: Any, emulator: Emulator) -> None:
    for invalid in (
        {},
        {"metadata": {"a": {1, 2}}},
        {"metadata": ["a"]},
        {"metadata": {"a": 1}, "metadata_mode": "overwrite"},
        {"metadata": {}, "metadata_mode": "replace"},
        {"data_storage_setting": "nothing"},
        {"custom_attributes": {"a": None}},
    ):
        with pytest.raises(RetellInputError, match="Nothing was sent"):
            client.update_call_checked("call_1", **invalid)
    with pytest.raises(RetellInputError, match="call_id"):
        client.update_call_checked("a/b", metadata={})
    assert emulator.requests == []


@pytest.mark.parametrize("mode", ["merge", "replace"])
def test_values_are_converted_to_json_once(client: Any, emulator: Emulator, mode: str) -> None:
    metadata = CountingMapping("tier", "gold")
    client.update_call_checked("call_1", metadata=metadata, metadata_mode=mode)
    assert emulator.calls["call_1"]["metadata"]["tier"] == "gold"
    assert metadata.reads == 1


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
    defined = {"attr_tier": "gold", "attr_n": 2, "attr_b": True}
    result = client.update_call_checked(
        "call_1", custom_attributes=defined, confirm_custom_attributes=True, **REPLACE
    )
    assert result.unverified == ()
    with pytest.raises(UpdateMismatchError, match="must be defined in Retell's dashboard") as caught:
        client.update_call_checked(
            "call_1", custom_attributes={"undefined": 1}, confirm_custom_attributes=True, **REPLACE
        )
    assert caught.value.fields == ("custom_attributes.undefined",)


def test_dropped_custom_attributes_are_otherwise_reported_as_unverified(
    client: Any, emulator: Emulator
) -> None:
    result = client.update_call_checked("call_1", custom_attributes={"undefined": 1}, **REPLACE)
    assert result.unverified == ("custom_attributes.undefined",)
