"""Request bodies of the call endpoints.

Source of the fields: the pages of https://docs.retellai.com/api-references and the types of Retell's Python SDK.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from airflow_provider_retell.api.body import (
    AgentVersion,
    AttributeMap,
    Body,
    EpochMilliseconds,
    FreeObject,
    Metadata,
    Text,
    TextMap,
)
from airflow_provider_retell.api.calls.filters import FilterCriteria
from airflow_provider_retell.api.choices import DataStorageSetting
from airflow_provider_retell.api.records.conditions import ListRecords


class UpdateCall(Body):
    """Body of update-call."""

    metadata: Metadata | None = None
    data_storage_setting: DataStorageSetting | None = None
    custom_attributes: AttributeMap | None = None


class CallControl(Body):
    """The part of update-live-call that the agent reacts to at once."""

    additional_context: Text | None = None
    trigger_response: bool | None = None


class FieldsToOverride(Body):
    """The fields that update-live-call changes. ``override_dynamic_variables=None`` removes all overrides."""

    override_dynamic_variables: TextMap | None = None
    metadata: Metadata | None = None
    data_storage_setting: DataStorageSetting | None = None


class UpdateLiveCall(Body):
    """Body of update-live-call."""

    call_control: CallControl | None = None
    fields_to_override: FieldsToOverride | None = None


class ListCalls(ListRecords):
    """Body of list-calls."""

    filter_criteria: FilterCriteria | None = None


class CallTarget(Body):
    """One task of a batch. Its fields are also fields of create-phone-call."""

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
    """A time of day, in minutes since midnight. ``end`` is excluded, and the window cannot cross midnight."""

    start: Annotated[int, Field(ge=0, le=1440)]
    end: Annotated[int, Field(ge=0, le=1440)]


class CallTimeWindow(Body):
    """The hours in which calls of a batch may start. Retell's default time zone is America/Los_Angeles."""

    windows: Annotated[list[TimeWindow], Field(min_length=1)]
    timezone: Text | None = None
    day: (
        list[Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]] | None
    ) = None


class CreateBatchCall(Body):
    """Body of create-batch-call. ``trigger_timestamp`` is in epoch milliseconds; the default is now."""

    from_number: Text
    tasks: Annotated[list[CallTarget], Field(min_length=1)]
    name: Text | None = None
    trigger_timestamp: EpochMilliseconds | None = None
    reserved_concurrency: Annotated[int, Field(ge=0)] | None = None
    call_time_window: CallTimeWindow | None = None
