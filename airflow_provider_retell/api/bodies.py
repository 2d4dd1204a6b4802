"""Request bodies, typed and closed: an unknown field or a wrong type is refused before anything is sent.

Source of the fields: the pages of https://docs.retellai.com/api-references and the types of Retell's Python SDK.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
)
from pydantic_core import ErrorDetails

from airflow_provider_retell.api.encode import (
    MAX_METADATA_BYTES,
    JsonValue,
    check_metadata_size,
    dump,
    to_json,
)
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.filters import Body, DataStorageSetting, FilterCriteria


def _object(value: Any) -> Any:
    # A dict is all that JSON schema calls an object; any mapping will do for a caller.
    return dict(value) if isinstance(value, Mapping) else value


def _not_empty(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


def _metadata_size(value: dict[str, Any], body: ValidationInfo) -> dict[str, Any]:
    # Metadata is smaller than the body that it stands in, so most need not be encoded to be measured.
    if body.context is None or body.context > MAX_METADATA_BYTES:
        check_metadata_size(value)
    return value


def _milliseconds(value: int) -> int:
    # Years 1973 to 5138. Retell starts at once what is due in the past, as seconds taken for milliseconds are.
    if not 10**11 <= value < 10**14:
        looks = "seconds" if value < 10**11 else "microseconds"
        raise ValueError(f"must be in epoch milliseconds, and looks like {looks}")
    return value


Text = Annotated[str, AfterValidator(_not_empty)]
Metadata = Annotated[dict[str, Any], BeforeValidator(_object), AfterValidator(_metadata_size)]
FreeObject = Annotated[dict[str, Any], BeforeValidator(_object)]
TextMap = Annotated[dict[str, str], BeforeValidator(_object)]
AttributeMap = Annotated[dict[str, str | bool | int | float], BeforeValidator(_object)]
AgentVersion = int | Text
"""A version number, ``latest``, ``latest_published`` or a tag."""


class UpdateCall(Body):
    """Body of update-call."""

    metadata: Metadata | None = None
    data_storage_setting: DataStorageSetting | None = None
    custom_attributes: AttributeMap | None = None


class CallControl(Body):
    """What update-live-call makes the agent do at once."""

    additional_context: Text | None = None
    trigger_response: bool | None = None


class FieldsToOverride(Body):
    """What update-live-call changes on a live call. ``override_dynamic_variables=None`` removes every override."""

    override_dynamic_variables: TextMap | None = None
    metadata: Metadata | None = None
    data_storage_setting: DataStorageSetting | None = None


class UpdateLiveCall(Body):
    """Body of update-live-call."""

    call_control: CallControl | None = None
    fields_to_override: FieldsToOverride | None = None


class ListCalls(Body):
    """Body of list-calls. ``sort_order`` always means by start time."""

    filter_criteria: FilterCriteria | None = None
    sort_order: Literal["ascending", "descending"] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] | None = None
    pagination_key: Text | None = None
    skip: Annotated[int, Field(ge=0)] | None = None
    include_total: bool | None = None


class CallTarget(Body):
    """Whom to call and how: one task of a batch, and the common part of create-phone-call."""

    to_number: Text
    override_agent_id: Text | None = None
    override_agent_version: AgentVersion | None = None
    agent_override: FreeObject | None = None
    metadata: Metadata | None = None
    retell_llm_dynamic_variables: TextMap | None = None
    custom_sip_headers: TextMap | None = None
    ignore_e164_validation: bool | None = None


class CreatePhoneCall(CallTarget):
    """Body of create-phone-call."""

    from_number: Text
    honor_internal_dnc: bool | None = None
    idempotency_key: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = None


class TimeWindow(Body):
    """Minutes since midnight, from ``start`` up to but not including ``end``; it cannot cross midnight."""

    start: Annotated[int, Field(ge=0, le=1440)]
    end: Annotated[int, Field(ge=0, le=1440)]


class CallTimeWindow(Body):
    """When calls of a batch may start. Retell's default zone is America/Los_Angeles."""

    windows: Annotated[list[TimeWindow], Field(min_length=1)]
    timezone: Text | None = None
    day: (
        list[Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]] | None
    ) = None


class CreateBatchCall(Body):
    """Body of create-batch-call. ``trigger_timestamp`` is in epoch milliseconds; without it, now."""

    from_number: Text
    tasks: Annotated[list[CallTarget], Field(min_length=1)]
    name: Text | None = None
    trigger_timestamp: Annotated[int, AfterValidator(_milliseconds)] | None = None
    reserved_concurrency: Annotated[int, Field(ge=0)] | None = None
    call_time_window: CallTimeWindow | None = None


B = TypeVar("B", bound=Body)

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def build(model: type[B], operation: str, fields: Mapping[str, Any]) -> bytes:
    """Check *fields* against *model* and return the JSON to send; raise :class:`RetellInputError` otherwise.

    :param operation: what the fields are for, as the error says it.
    """
    plain = {name: to_json(value, f"{operation}: {name}") for name, value in fields.items()}
    body = dump(plain)
    try:
        model.model_validate(plain, context=len(body))
    except ValidationError as error:
        # Built from places and rules only, and "from None": pydantic's own text may quote the value.
        faults: dict[str, list[str]] = {}
        for item in error.errors(include_input=False, include_url=False):
            faults.setdefault(_place(item, plain), []).append(_fault(item))
        listed = (
            f"{place} {' or '.join(what).replace(' or must be', ' or')}" for place, what in faults.items()
        )
        raise RetellInputError(f"{operation}: {'; '.join(listed)}") from None
    return body


def _place(item: ErrorDetails, plain: JsonValue) -> str:
    # pydantic adds the branch of a union to the place ("value.str"); keep what exists in the input.
    missing = item["loc"][-1] if item["type"] == "missing" else None
    path, here = "", plain
    for part in item["loc"]:
        if isinstance(here, dict) and isinstance(part, str) and (part in here or part == missing):
            path, here = f"{path}.{part}" if path else part, here.get(part)
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            path, here = f"{path}[{part}]", here[part]
    return path or "the body"


def _fault(item: ErrorDetails) -> str:
    if item["type"] == "extra_forbidden":
        return "is not a field that Retell takes here"
    if item["type"] == "missing":
        return "is missing"
    if item["type"] in ("union_tag_invalid", "union_tag_not_found"):  # pydantic's own text quotes the value
        return "must have a 'type' that this condition takes"
    if item["type"] == "value_error":
        cause = item["ctx"]["error"]
        return cause.fault if isinstance(cause, RetellInputError) else str(cause)
    return re.sub("^(Input|String|List) should (be a valid|be|have)", _must, item["msg"])


def _must(match: re.Match[str]) -> str:
    return "must have" if match[2] == "have" else "must be"


def check_e164(number: object, field: str) -> None:
    """Refuse a phone number that is not E.164 (``+``, country code, up to 15 digits), without quoting it."""
    if not isinstance(number, str) or not _E164.fullmatch(number):
        raise RetellInputError(
            f"{field} is not a phone number in E.164 form ('+', country code, 7 to 15 digits in all, nothing else). "
            "Set ignore_e164_validation=True if your telephony takes other numbers"
        )
