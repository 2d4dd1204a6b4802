"""Parse JSON from Retell, including huge numbers and broken surrogate pairs, which pydantic rejects."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, RootModel, ValidationError

M = TypeVar("M", bound=BaseModel)

# A double has at most 309 digits. Python refuses to parse an integer of more than 4,300.
_MAX_DIGITS = 400

# pydantic's limit. Code that walks through parsed values never gets near Python's limit of recursion.
_MAX_DEPTH = 200


class RepairedText(str):
    """Text that contained half of a surrogate pair (half an emoji), which UTF-8 cannot encode.

    U+FFFD replaces it, so the text differs from the original and must not be sent back.
    """


def read(model: type[M], body: bytes) -> M:
    """Parse *body* as *model*; raise :class:`pydantic.ValidationError` if it does not match."""
    try:
        return model.model_validate_json(body)
    except ValidationError as fault:
        if not is_truncated(fault):
            raise
        try:
            value = loads(body)
        except ValueError:
            raise fault from None
    return model.model_validate(value)


def loads(body: bytes) -> Any:
    """Parse *body* without pydantic: slower, but accepts any text and number.

    :raises ValueError: if *body* is not JSON, or is nested more than 200 levels deep.
    """
    try:
        value = json.loads(body, parse_int=_integer)
    except RecursionError:
        raise _too_deep() from None
    return _repair(value, 0)


def no_result(body: bytes) -> None:
    """Parse the response of an endpoint that returns nothing: an empty body, or any JSON.

    A page of another server is not proof that Retell did anything.
    """
    if body.strip():
        read(RootModel[Any], body)


def is_truncated(fault: ValidationError) -> bool:
    """Return True if the body was not complete JSON."""
    return fault.errors(include_input=False)[0]["type"] == "json_invalid"


def describe(fault: ValidationError) -> str:
    """Say which field is not as documented and why, without values."""
    first = fault.errors(include_input=False)[0]
    place = ".".join(map(str, first["loc"])) or "the body"
    return f"{place} is not as the API documents it ({first['type']})"


def read_loosely(model: type[M], value: Any, identity: Sequence[str]) -> tuple[M, str]:
    """Return *value* as *model*, and its fault or ``""``. If it is malformed, its fields are left unparsed.

    :param identity: the text fields that even a malformed *value* must have.
    :raises pydantic.ValidationError: if one of them is missing.
    """
    try:
        return model.model_validate(value), ""
    except ValidationError as fault:
        if not isinstance(value, dict) or not all(isinstance(value.get(name), str) for name in identity):
            raise
        fields = {name: item for name, item in value.items() if name not in ("access_token", "_fields_set")}
        return model.model_construct(**fields), describe(fault)


def _too_deep() -> ValueError:
    return ValueError(f"JSON is nested more than {_MAX_DEPTH} levels deep")


def _repair(value: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise _too_deep()
    if isinstance(value, dict):
        return {_repair(key, depth): _repair(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_repair(item, depth + 1) for item in value]
    if not isinstance(value, str):
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return RepairedText(value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
    return value


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _MAX_DIGITS else float(digits)
