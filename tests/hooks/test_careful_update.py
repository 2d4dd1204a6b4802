"""``careful_update`` over both hooks: what it sends, when it sends nothing, and how it proves the result."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.api.calls.changes import Change, differences, needed
from airflow_provider_retell.api.calls.models import Call
from airflow_provider_retell.api.calls.update import Updated, careful_update
from airflow_provider_retell.api.errors import (
    BadRequestError,
    CallNotEndedError,
    NotFoundError,
    RetellInputError,
    ServerError,
    StorageConflictError,
    UnprocessableError,
    UpdateMismatchError,
)
from airflow_provider_retell.emulator import Fault

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator


def routes(emulator: Emulator) -> list[str | None]:
    return [request.route for request in emulator.requests]


def call(**fields: Any) -> Call:
    return Call.model_validate({"call_id": "call_1", "call_status": "ended", **fields})


# -- the three modes ----------------------------------------------------------------------------------------------


def test_replace_sends_one_request_and_proves_it(client: Any, emulator: Emulator) -> None:
    updated = client.run(careful_update("call_1", metadata={"b": 1, "a": 2}))
    assert updated == Updated(call=updated.call, sent=True, written=("metadata.a", "metadata.b"))
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
def test_merge_and_fill_read_first_and_send_only_what_changes(
    client: Any, emulator: Emulator, mode: Any, present: Any, wanted: Any, sent: Any, written: Any
) -> None:
    emulator.calls["call_1"]["metadata"] = present
    updated = client.run(careful_update("call_1", metadata=wanted, mode=mode))
    assert updated.sent is (sent is not None)
    assert updated.written == written
    if sent is None:
        assert routes(emulator) == ["get-call"]
    else:
        assert routes(emulator) == ["get-call", "update-call"]
        assert emulator.requests[1].body == {"metadata": sent}


def test_merge_leaves_out_a_setting_that_is_so_already(client: Any, emulator: Emulator) -> None:
    updated = client.run(
        careful_update("call_1", metadata={"a": 1}, data_storage_setting="everything", mode="merge")
    )
    assert emulator.requests[1].body == {"metadata": {"plan": "pro", "a": 1}}
    assert updated.written == ("metadata.a",)


def test_merge_always_sends_custom_attributes(client: Any, emulator: Emulator) -> None:
    updated = client.run(careful_update("call_1", custom_attributes={"attr_tier": "gold"}, mode="merge"))
    assert emulator.requests[1].body == {"custom_attributes": {"attr_tier": "gold"}}
    assert updated.written == updated.unverified == ("custom_attributes.attr_tier",)


def test_a_merge_that_grows_too_large_is_refused(client: Any, emulator: Emulator) -> None:
    emulator.calls["call_1"]["metadata"] = {"old": "x" * 30_000}
    with pytest.raises(RetellInputError, match="50 kB"):
        client.run(careful_update("call_1", metadata={"new": "y" * 30_000}, mode="merge"))
    assert routes(emulator) == ["get-call"]


def test_tightening_the_storage_is_written_and_proved(client: Any, emulator: Emulator) -> None:
    updated = client.run(careful_update("call_1", data_storage_setting="basic_attributes_only"))
    assert updated.written == ("data_storage_setting",)
    assert emulator.calls["call_1"]["data_storage_setting"] == "basic_attributes_only"


def test_bad_input_is_refused_before_the_first_request(client: Any, emulator: Emulator) -> None:
    for bad in (
        {},
        {"metadata": {"a": {1, 2}}},
        {"metadata": ["a"]},
        {"metadata": {"a": 1}, "mode": "overwrite"},
        {"data_storage_setting": "nothing"},
        {"custom_attributes": {"a": None}},
    ):
        with pytest.raises(RetellInputError, match="Nothing was sent"):
            client.run(careful_update("call_1", **{"mode": "merge", **bad}))
    with pytest.raises(RetellInputError, match="call_id"):
        client.run(careful_update("a/b", metadata={}))
    assert emulator.requests == []


# -- refusals explained -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("mode", ["replace", "merge"])
def test_a_call_that_is_not_over_is_told_apart(
    client: Any, emulator: Emulator, status: int, mode: Any
) -> None:
    emulator.options.not_ended_status = status
    with pytest.raises(CallNotEndedError, match="call call_live is ongoing") as caught:
        client.run(careful_update("call_live", metadata={"a": 1}, mode=mode))
    assert not caught.value.permanent
    assert routes(emulator) == (["update-call", "get-call"] if mode == "replace" else ["get-call"])


def test_an_unknown_call_is_told_apart(client: Any, emulator: Emulator) -> None:
    for mode in ("replace", "merge"):
        with pytest.raises(NotFoundError, match="call_9"):
            client.run(careful_update("call_9", metadata={"a": 1}, mode=mode))


def test_loosening_the_storage_is_told_apart(client: Any, emulator: Emulator) -> None:
    emulator.add_call(call_id="tight", data_storage_setting="basic_attributes_only")
    for mode in ("replace", "merge"):
        with pytest.raises(StorageConflictError, match="is basic_attributes_only, .* never loosens it"):
            client.run(careful_update("tight", data_storage_setting="everything_except_pii", mode=mode))


def test_any_other_refusal_stays_as_it_is(client: Any, emulator: Emulator) -> None:
    emulator.faults.add(Fault.status(400, body={"message": "nobody knows"}), route="update-call")
    with pytest.raises(BadRequestError, match="nobody knows"):
        client.run(careful_update("call_1", metadata={"a": 1}, data_storage_setting="basic_attributes_only"))
    emulator.faults.add(Fault.status(422, body={"message": "nobody knows"}), route="update-call")
    emulator.faults.add(Fault.status(403), route="get-call")
    with pytest.raises(UnprocessableError, match="nobody knows"):
        client.run(careful_update("call_1", metadata={"a": 1}))
    emulator.faults.add(Fault.status(422, body={"message": "nobody knows"}), route="update-call")
    with pytest.raises(UnprocessableError, match="nobody knows"):
        client.run(careful_update("call_1", metadata={"a": 1}))


def test_a_server_error_is_not_explained_away(client: Any, emulator: Emulator, sleeps: list[float]) -> None:
    emulator.faults.add(Fault.status(500), route="update-call", times=0)
    with pytest.raises(ServerError):
        client.run(careful_update("call_1", metadata={"a": 1}))
    assert emulator.count("get-call") == 0


# -- proof --------------------------------------------------------------------------------------------------------


def test_a_server_that_merges_is_noticed_when_replacing(client: Any, emulator: Emulator) -> None:
    emulator.options.metadata_semantics = "merge"
    with pytest.raises(UpdateMismatchError, match="Retell merges instead of replacing") as caught:
        client.run(careful_update("call_1", metadata={"a": "pr1vate"}))
    assert caught.value.fields == ("metadata.plan",)
    assert caught.value.permanent
    shown = [line for line in traceback.format_exception(caught.value) if not line.startswith("  File")]
    assert "pr1vate" not in "".join(shown)


def test_a_server_that_drops_nulls_is_fine(client: Any, emulator: Emulator) -> None:
    emulator.options.drops_null = True
    assert client.run(careful_update("call_1", metadata={"a": None})).sent


def test_an_answer_without_the_change_is_an_error(client: Any, serve: Any, reply: Any, connect: Any) -> None:
    connect(serve(reply(200, {"call_id": "call_1", "call_status": "ended", "metadata": {"a": 2}})).url)
    with pytest.raises(UpdateMismatchError, match="does not hold what was sent in: metadata.a") as caught:
        client.run(careful_update("call_1", metadata={"a": 1}))
    assert "Read the call and compare" in str(caught.value)


@pytest.mark.parametrize("echo", [True, False])
def test_dropped_custom_attributes_are_found_when_asked_for(
    client: Any, emulator: Emulator, echo: bool
) -> None:
    emulator.options.echo_custom_attributes = echo
    emulator.organization.custom_attributes |= {"attr_n", "attr_b"}
    good = {"attr_tier": "gold", "attr_n": 2, "attr_b": True}
    updated = client.run(careful_update("call_1", custom_attributes=good, confirm_custom_attributes=True))
    assert updated.unverified == ()
    with pytest.raises(UpdateMismatchError, match="must be defined in Retell's dashboard") as caught:
        client.run(careful_update("call_1", custom_attributes={"nobody": 1}, confirm_custom_attributes=True))
    assert caught.value.fields == ("custom_attributes.nobody",)


def test_dropped_custom_attributes_are_reported_as_unseen_otherwise(client: Any, emulator: Emulator) -> None:
    updated = client.run(careful_update("call_1", custom_attributes={"nobody": 1}))
    assert updated.unverified == ("custom_attributes.nobody",)


@pytest.mark.parametrize(
    ("asked", "answer", "wrong", "unseen"),
    [
        (Change(metadata={"a": 1}), {"metadata": {"a": 1.0}}, (), ()),
        (Change(metadata={"a": 1}), {}, ("metadata.a",), ()),
        (Change(metadata={}), {"metadata": {"b": 1}}, ("metadata.b",), ()),
        (
            Change(metadata={"a": "Ada"}),
            {"metadata": {"a": "[NAME]", "b": 1}, "data_storage_setting": "everything_except_pii"},
            ("metadata.b",),
            ("metadata.a",),
        ),
        (Change(data_storage_setting="everything"), {"data_storage_setting": "everything"}, (), ()),
        (
            Change(data_storage_setting="basic_attributes_only"),
            {"data_storage_setting": "everything"},
            ("data_storage_setting",),
            (),
        ),
        (Change(data_storage_setting="everything"), {}, (), ("data_storage_setting",)),
        (Change(custom_attributes={"a": 1}), {}, (), ("custom_attributes.a",)),
        (Change(custom_attributes={"a": 1}), {"custom_attributes": {"a": 1}}, (), ()),
        (
            Change(custom_attributes={"a": 1}),
            {"custom_attributes": {"a": True}},
            ("custom_attributes.a",),
            (),
        ),
    ],
)
def test_what_differs_and_what_cannot_be_seen(asked: Change, answer: Any, wrong: Any, unseen: Any) -> None:
    assert differences(asked, call(**answer)) == (wrong, unseen)


@pytest.mark.parametrize(
    ("wanted", "mode", "remove", "metadata", "changed"),
    [
        ({"b": 2}, "merge", {"a"}, {"b": 2}, ("a", "b")),
        (None, "merge", {"a"}, {}, ("a",)),
        (None, "merge", {"other"}, None, ()),
        (None, "replace", set(), None, ()),
        ({"b": 2}, "replace", set(), {"b": 2}, ("a", "b")),
        ({"a": 9, "b": 2}, "fill", {"a"}, {"b": 2}, ("a", "b")),
    ],
)
def test_what_is_needed_is_planned_from_what_is_there(
    wanted: Any, mode: Any, remove: Any, metadata: Any, changed: Any
) -> None:
    change, keys = needed(call(metadata={"a": 1}), Change(metadata=wanted), mode, frozenset(remove))
    assert change.metadata == metadata
    assert keys == changed
    assert bool(change) is (metadata is not None)


def test_a_change_shows_no_values() -> None:
    assert "pr1vate" not in repr(Change(metadata={"a": "pr1vate"}, custom_attributes={"b": "pr1vate"}))
    assert not Change()
    assert not Change(custom_attributes={})
    assert Change(metadata={})
