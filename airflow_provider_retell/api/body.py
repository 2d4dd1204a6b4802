"""Request bodies: typed, closed to unknown fields, and checked before anything is sent.

The models of each resource are in its ``bodies`` module.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError, ValidationInfo
from pydantic_core import ErrorDetails

from airflow_provider_retell.api.encode import (
    MAX_METADATA_BYTES,
    JsonValue,
    check_metadata_size,
    dump,
    safe_name,
    to_json,
)
from airflow_provider_retell.api.errors import RetellInputError


class Body(BaseModel):
    """Base class of request bodies: no unknown fields, strict types, no values in error messages."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


def as_dict(value: Any) -> Any:
    """Return a mapping as a dict, and any other value as it is."""
    # Callers may pass any mapping, but pydantic's strict mode accepts only a dict.
    return dict(value) if isinstance(value, Mapping) else value


def _not_empty(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


def _metadata_size(value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
    # The context is the size of the body. Metadata is never larger, so that of a small body need not be encoded again.
    if info.context is None or info.context > MAX_METADATA_BYTES:
        check_metadata_size(value)
    return value


def _milliseconds(value: int) -> int:
    # The years 1973 to 5138. Retell would read seconds as a time in 1970, and start the batch at once.
    if not 10**11 <= value < 10**14:
        unit = "seconds" if value < 10**11 else "microseconds"
        raise ValueError(f"must be in epoch milliseconds; the value looks like {unit}")
    return value


Text = Annotated[str, AfterValidator(_not_empty)]
Metadata = Annotated[dict[str, Any], BeforeValidator(as_dict), AfterValidator(_metadata_size)]
FreeObject = Annotated[dict[str, Any], BeforeValidator(as_dict)]
TextMap = Annotated[dict[str, str], BeforeValidator(as_dict)]
AttributeMap = Annotated[dict[str, str | bool | int | float], BeforeValidator(as_dict)]
EpochMilliseconds = Annotated[int, AfterValidator(_milliseconds)]
AgentVersion = int | Text
"""A version number, ``latest``, ``latest_published`` or a tag."""

B = TypeVar("B", bound=Body)


def build(model: type[B], operation: str, fields: Mapping[str, Any]) -> bytes:
    """Check *fields* against *model* and return them as JSON.

    :param operation: names the request in error messages.
    :raises RetellInputError: if a field is invalid. The message names the field and never has its value.
    """
    return build_encoded(
        model, operation, {name: to_json(value, f"{operation}: {name}") for name, value in fields.items()}
    )


def build_encoded(model: type[B], operation: str, fields: Mapping[str, JsonValue]) -> bytes:
    """Do the same with *fields* that :func:`~airflow_provider_retell.api.encode.to_json` has already converted."""
    plain = dict(fields)
    body = dump(plain)
    try:
        model.model_validate(plain, context=len(body))
    except ValidationError as error:
        # The message has only paths and rules. "from None" drops pydantic's text, which may quote values.
        faults: dict[str, list[str]] = {}
        nulls = set()
        for item in error.errors(include_url=False):
            place = _place(item, plain)
            faults.setdefault(place, []).append(_fault(item))
            if item["type"] in _TYPES and item["input"] is None:
                nulls.add(place)
        listed = (
            f"{place} {' or '.join(what).replace(' or must be', ' or')}{_NOT_NULL if place in nulls else ''}"
            for place, what in faults.items()
        )
        raise RetellInputError(f"{operation}: {'; '.join(listed)}") from None
    return body


def build_changes(model: type[B], operation: str, fields: Mapping[str, Any]) -> bytes:
    """Do the same as :func:`build`, but do not accept a request without fields."""
    if not fields:
        raise RetellInputError(f"{operation}: set at least one field to change")
    return build(model, operation, fields)


def build_patch(operation: str, changes: Mapping[str, Any]) -> bytes:
    """Return *changes* as JSON. Their names are not checked: the caller sends settings that Retell often extends.

    :param operation: names the request in error messages.
    :raises RetellInputError: if *changes* is empty, or a value has no JSON form.
    """
    fields = to_json(changes, f"{operation}: changes")
    if not isinstance(fields, dict) or not fields:
        raise RetellInputError(f"{operation}: changes must be a dict with at least one field")
    return dump(fields)


def _place(item: ErrorDetails, plain: JsonValue) -> str:
    # pydantic adds the branch of a union to the path ("value.str"). Keep only the parts that exist in the input.
    missing = item["loc"][-1] if item["type"] == "missing" else None
    path, here = "", plain
    for part in item["loc"]:
        if isinstance(here, dict) and isinstance(part, str) and (part in here or part == missing):
            # An unknown key may be private data.
            name = safe_name(part)
            path, here = f"{path}.{name}" if path else name, here.get(part)
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            path, here = f"{path}[{part}]", here[part]
    return path or "the body"


# pydantic's texts are for its own users: "Input should be a valid dictionary or instance of CallTarget".
_TYPES = {
    "string_type": "must be text",
    "bool_type": "must be a boolean",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "dict_type": "must be a dict",
    "model_type": "must be a dict",
    "list_type": "must be a list",
}

_NOT_NULL = ", and is null: give it a value, or leave it out"


def _fault(item: ErrorDetails) -> str:
    if fault := _TYPES.get(item["type"]):
        return fault
    if item["type"] == "extra_forbidden":
        return "is not a field that Retell accepts here"
    if item["type"] == "missing":
        return "is missing"
    if item["type"] in ("union_tag_invalid", "union_tag_not_found"):
        # pydantic's text quotes the value.
        return "must have a 'type' that this condition accepts"
    if item["type"] == "value_error":
        cause = item["ctx"]["error"]
        return cause.fault if isinstance(cause, RetellInputError) else str(cause)
    text = re.sub("^(Input|String|List) should be( a valid)?", "must be", item["msg"])
    return re.sub("^(Input|String|List) should have", "must have", text)
