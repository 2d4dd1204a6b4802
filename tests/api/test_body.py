"""The base of the request bodies: checks, and messages that name a field and never its value."""

from __future__ import annotations

import json
import types
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from pydantic import Field

from airflow_provider_retell.api.body import (
    Body,
    EpochMilliseconds,
    FreeObject,
    Metadata,
    Text,
    build,
    build_encoded,
    build_patch,
)
from airflow_provider_retell.api.errors import RetellInputError

if TYPE_CHECKING:
    from pytest_mock import MockerFixture


class Circle(Body):
    type: Literal["circle"]
    radius: int


class Square(Body):
    type: Literal["square"]


class Item(Body):
    name: Text
    note: str | None = None


class Everything(Body):
    title: Text | None = None
    start: EpochMilliseconds | None = None
    metadata: Metadata | None = None
    anything: FreeObject | None = None
    either: int | Text | None = None
    items: list[Item] | None = None
    one: Item | None = None
    shape: Annotated[Circle | Square, Field(discriminator="type")] | None = None
    pair: Annotated[list[int], Field(min_length=2)] | None = None
    code: Annotated[str, Field(min_length=3)] | None = None
    flag: bool | None = None


def rejection(**fields: Any) -> str:
    """Return the message without the name of the request and the last sentence."""
    with pytest.raises(RetellInputError) as caught:
        build(Everything, "make-thing", fields)
    text = str(caught.value)
    assert text.startswith("make-thing: ")
    assert text.endswith(". Nothing was sent")
    text = text.removeprefix("make-thing: ").removesuffix(". Nothing was sent")
    assert "Nothing was sent" not in text
    return text


def test_valid_fields_become_compact_json_in_their_order() -> None:
    fields = {"title": "é", "metadata": {"a": [1, None]}, "flag": True}
    assert (
        build(Everything, "make-thing", fields)
        == '{"title":"é","metadata":{"a":[1,null]},"flag":true}'.encode()
    )


def test_any_mapping_is_an_object() -> None:
    mapping = types.MappingProxyType({"a": 1})
    assert json.loads(build(Everything, "make-thing", {"metadata": mapping})) == {"metadata": {"a": 1}}
    assert Everything.model_validate({"metadata": mapping, "anything": mapping}).metadata == {"a": 1}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"other": 1}, "other is not a field that Retell accepts here"),
        ({"+1 555": 1}, "[..] is not a field that Retell accepts here"),
        ({"one": {}}, "one.name is missing"),
        ({"one": {"name": "a", "more": 1}}, "one.more is not a field that Retell accepts here"),
        ({"items": [{"name": "a"}, {}]}, "items[1].name is missing"),
        ({"items": [{"name": "a"}, {"name": " "}]}, "items[1].name must not be empty"),
        ({"items": [{"name": "a", "note": 1}]}, "items[0].note must be text"),
        ({"title": ""}, "title must not be empty"),
        ({"title": 5}, "title must be text"),
        ({"items": 5}, "items must be a list"),
        ({"items": [5]}, "items[0] must be a dict"),
        (
            {"items": [{"name": None}]},
            "items[0].name must be text, and is null: give it a value, or leave it out",
        ),
        ({"either": 1.5}, "either must be a whole number or text"),
        ({"either": {"a": 1}}, "either must be a whole number or text"),
        ({"either": [1]}, "either must be a whole number or text"),
        ({"shape": {"type": "line"}}, "shape must have a 'type' that this condition accepts"),
        ({"shape": {}}, "shape must have a 'type' that this condition accepts"),
        ({"shape": {"type": "circle"}}, "shape.radius is missing"),
        ({"pair": [1]}, "pair must have at least 2 items after validation, not 1"),
        ({"code": "ab"}, "code must have at least 3 characters"),
        ({"flag": "yes", "title": " "}, "title must not be empty; flag must be a boolean"),
        ({"anything": [1]}, "anything must be a dict"),
    ],
)
def test_invalid_field_is_named_with_its_place_and_rule(fields: dict[str, Any], message: str) -> None:
    assert rejection(**fields) == message


def test_value_without_a_json_form_is_named_with_its_place() -> None:
    assert rejection(metadata={"a": {1}}) == "metadata.a is a set, which has no JSON form: convert it first"


def test_body_that_is_not_an_object_is_named_as_a_whole() -> None:
    class Pair(Body):
        a: int | None = None

        def model_post_init(self, _: Any) -> None:
            raise ValueError("must have a")

    class Outer(Body):
        pair: Pair

    with pytest.raises(RetellInputError, match=r"^make-pair: pair must have a\. Nothing"):
        build_encoded(Outer, "make-pair", {"pair": {}})


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (10**11 - 1, "must be in epoch milliseconds; the value looks like seconds"),
        (10**11, ""),
        (10**14 - 1, ""),
        (10**14, "must be in epoch milliseconds; the value looks like microseconds"),
    ],
)
def test_time_must_be_in_milliseconds(value: int, fault: str) -> None:
    if fault:
        assert rejection(start=value) == f"start {fault}"
    else:
        assert json.loads(build(Everything, "make-thing", {"start": value})) == {"start": value}


def test_metadata_above_the_limit_is_rejected_with_its_size() -> None:
    assert build(Everything, "make-thing", {"metadata": {"a": "x" * 49_992}})
    assert rejection(metadata={"a": "x" * 49_993}).startswith(
        "metadata is 50,001 bytes of JSON; Retell accepts"
    )
    # Other fields do not count.
    assert build(Everything, "make-thing", {"metadata": {"a": "x" * 49_992}, "title": "x" * 100})


def test_metadata_of_a_small_body_is_not_measured_again(mocker: MockerFixture) -> None:
    check = mocker.patch("airflow_provider_retell.api.body.check_metadata_size")
    build(Everything, "make-thing", {"metadata": {"a": "x"}})
    assert check.call_count == 0
    build(Everything, "make-thing", {"metadata": {"a": "x"}, "title": "x" * 50_000})
    assert check.call_count == 1


def test_metadata_is_measured_without_a_context() -> None:
    with pytest.raises(ValueError, match="50,001 bytes"):
        Everything.model_validate({"metadata": {"a": "x" * 49_993}})


def test_patch_has_any_fields() -> None:
    assert build_patch("update-agent", {"voice_speed": 1.5, "new": {"a": [None]}}) == (
        b'{"voice_speed":1.5,"new":{"a":[null]}}'
    )


@pytest.mark.parametrize("changes", [{}, [], ["voice_speed"], "voice_speed", None, 5])
def test_patch_must_be_a_dict_with_a_field(changes: Any) -> None:
    with pytest.raises(
        RetellInputError, match=r"^update-agent: changes must be a dict with at least one field\."
    ):
        build_patch("update-agent", changes)


def test_patch_names_the_place_of_a_value_without_a_json_form() -> None:
    with pytest.raises(RetellInputError, match=r"^update-agent: changes\.voice is a set"):
        build_patch("update-agent", {"voice": {1}})
