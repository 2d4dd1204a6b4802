"""Checked updates of chats: the request, and the verification of the response."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fake_hook import FakeHook

from airflow_provider_retell.api.chats.update import update_chat_checked
from airflow_provider_retell.api.errors import (
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    PermissionDeniedError,
    RetellInputError,
    UpdateMismatchError,
)

CHAT = {"chat_id": "chat_1", "chat_status": "ongoing", "metadata": {"a": 1, "b": 2}}


@pytest.mark.parametrize(
    ("values", "body", "stored"),
    [
        ({"metadata": {"b": 3}}, {"metadata": {"a": 1, "b": 3}}, {"metadata": {"a": 1, "b": 3}}),
        (
            {"metadata": {"b": 3, "c": 4}, "metadata_mode": "fill"},
            {"metadata": {"a": 1, "b": 2, "c": 4}},
            {"metadata": {"a": 1, "b": 2, "c": 4}},
        ),
        ({"remove_metadata_keys": ["a"]}, {"metadata": {"b": 2}}, {"metadata": {"b": 2}}),
        ({"clear_metadata": True}, {"metadata": {}}, {"metadata": {}}),
        (
            {"custom_attributes": {"attr": True}},
            {"custom_attributes": {"attr": True}},
            {"custom_attributes": {"attr": True}},
        ),
        (
            {"data_storage_setting": "basic_attributes_only"},
            {"data_storage_setting": "basic_attributes_only"},
            {},
        ),
        ({"override_dynamic_variables": {"x": "y"}}, {"override_dynamic_variables": {"x": "y"}}, {}),
        ({"override_dynamic_variables": None}, {"override_dynamic_variables": None}, {}),
    ],
)
def test_differences_are_sent(values: dict[str, Any], body: dict[str, Any], stored: dict[str, Any]) -> None:
    hook = FakeHook(CHAT, {**CHAT, **stored})
    result = hook.run(update_chat_checked("chat_1", **values))
    assert hook.operations == ["get-chat", "update-chat"]
    assert json.loads(hook.requests[1].body) == body  # type: ignore[arg-type]
    assert result.sent
    assert result.record.metadata == {**CHAT, **stored}["metadata"]
    # Responses show neither the storage setting nor the overrides of a chat.
    assert {name.partition(".")[0] for name in result.unverified} == set(body) - set(stored)


def with_attributes(**attributes: Any) -> dict[str, Any]:
    return {**CHAT, "custom_attributes": attributes}


def test_an_attribute_that_retell_did_not_keep_is_an_error() -> None:
    hook = FakeHook(with_attributes(other="pr1vate"), with_attributes(attr=True))
    with pytest.raises(UpdateMismatchError) as caught:
        hook.run(update_chat_checked("chat_1", custom_attributes={"attr": True}))
    assert caught.value.fields == ("custom_attributes.other",)
    assert "pr1vate" not in str(caught.value)


def test_other_attributes_are_sent_in_a_form_that_retell_stores_unchanged() -> None:
    hook = FakeHook(with_attributes(other=2**60, gone=None), with_attributes(other=2**60, attr=True))
    result = hook.run(update_chat_checked("chat_1", custom_attributes={"attr": True}))
    assert json.loads(hook.requests[1].body) == {  # type: ignore[arg-type]
        "custom_attributes": {"other": float(2**60), "attr": True}
    }
    assert (result.written, result.unverified) == (("custom_attributes.attr",), ())


@pytest.mark.parametrize("mode", ["merge", "replace"])
def test_attributes_are_never_sent_without_reading_the_chat(mode: Any) -> None:
    hook = FakeHook(PermissionDeniedError("no permission to read.", status=403))
    with pytest.raises(
        PermissionDeniedError, match=r"^no permission to read. The update reads the chat first.$"
    ):
        hook.run(
            update_chat_checked("chat_1", metadata={"a": 1}, custom_attributes={"b": 2}, metadata_mode=mode)
        )
    assert hook.operations == ["get-chat"]


@pytest.mark.parametrize("value", [10**400, "half \ud83d"], ids=["large", "surrogate"])
def test_an_attribute_that_cannot_be_sent_back_is_rejected(value: Any) -> None:
    with pytest.raises(
        RetellInputError, match="its custom attributes have .* cannot be preserved: set that attribute too"
    ):
        FakeHook(with_attributes(other=value)).run(
            update_chat_checked("chat_1", custom_attributes={"attr": True})
        )


def test_nothing_is_sent_if_the_chat_has_all_values() -> None:
    hook = FakeHook(CHAT)
    assert not hook.run(update_chat_checked("chat_1", metadata={"a": 1})).sent
    assert hook.operations == ["get-chat"]


def test_replacing_all_metadata_needs_no_read() -> None:
    hook = FakeHook({**CHAT, "metadata": {"c": 3}})
    hook.run(update_chat_checked("chat_1", metadata={"c": 3}, metadata_mode="replace"))
    assert hook.operations == ["update-chat"]


def test_response_without_the_value_is_an_error() -> None:
    with pytest.raises(UpdateMismatchError) as caught:
        FakeHook(CHAT, CHAT).run(update_chat_checked("chat_1", metadata={"b": 3}))
    assert caught.value.fields == ("metadata.b",)
    assert str(caught.value).startswith("chat chat_1: Retell accepted the update")


@pytest.mark.parametrize(
    "reading", [NotFoundError("gone", status=404), AuthenticationError("revoked", status=401), CHAT]
)
def test_rejection_is_explained_by_the_chat_if_it_can_be_read(reading: Any) -> None:
    rejection = BadRequestError("rejected", status=400)
    with pytest.raises((BadRequestError, NotFoundError)) as caught:
        FakeHook(CHAT, rejection, reading).run(update_chat_checked("chat_1", metadata={"b": 3}))
    assert caught.value is (reading if isinstance(reading, NotFoundError) else rejection)


def test_update_without_values_is_rejected() -> None:
    with pytest.raises(
        RetellInputError, match="^update-chat of chat chat_1: set metadata, data_storage_setting"
    ):
        FakeHook().run(update_chat_checked("chat_1"))
