"""Read what Retell sends, also what is legal JSON and odd nevertheless."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)

_LONGEST_INTEGER = 400  # digits; a double ends at 309, and Python reads no more than 4,300


class Mended(str):
    """Text that came with half of a surrogate pair (half an emoji, say), which UTF-8 has no form for.

    U+FFFD stands in its place, so it is not what Retell has and must not be sent back.
    """


def read(model: type[M], body: bytes) -> M:
    """Return *body* as *model*; raise :class:`pydantic.ValidationError` if it is not, or no JSON."""
    try:
        return model.model_validate_json(body)
    except ValidationError as fault:
        if not is_broken(fault):
            raise
        try:
            value = loads(body)
        except (ValueError, RecursionError):
            raise fault from None
    return model.model_validate(value)


def loads(body: bytes) -> Any:
    """Return the JSON in *body*, slower than pydantic, but whatever text and numbers it holds."""
    return _mend(json.loads(body, parse_int=_integer))


def is_broken(fault: ValidationError) -> bool:
    """Return whether the body was no complete JSON."""
    return fault.errors(include_input=False)[0]["type"] == "json_invalid"


def describe(fault: ValidationError) -> str:
    """Return which field is not as documented, and in which way; no values."""
    first = fault.errors(include_input=False)[0]
    place = ".".join(map(str, first["loc"])) or "the body"
    return f"{place} is not as its API documents ({first['type']})"


def read_loosely(model: type[M], value: Any) -> tuple[M, str]:
    """Return *value*, a call, as *model*, and what is wrong with it or ``""``; its fields are then as they came.

    :raises pydantic.ValidationError: if it cannot be told which call it is.
    """
    try:
        return model.model_validate(value), ""
    except ValidationError as fault:
        if not isinstance(value, dict) or not all(
            isinstance(value.get(name), str) for name in ("call_id", "call_status")
        ):
            raise
        fields = {name: item for name, item in value.items() if name not in ("access_token", "_fields_set")}
        return model.model_construct(**fields), describe(fault)


def _mend(value: Any) -> Any:
    if isinstance(value, dict):
        return {_mend(key): _mend(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_mend(item) for item in value]
    if not isinstance(value, str):
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return Mended(value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))
    return value


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)
