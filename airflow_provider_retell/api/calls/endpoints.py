"""The endpoints of calls and batches. Each function checks its arguments and returns a :class:`Request`.

Retell's pages: https://docs.retellai.com/api-references.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from airflow_provider_retell.api.body import Body, build, build_changes
from airflow_provider_retell.api.calls.bodies import (
    CreateBatchCall,
    CreatePhoneCall,
    ListCalls,
    UpdateCall,
    UpdateLiveCall,
)
from airflow_provider_retell.api.calls.models import BatchCall, Call, CallPage, LiveUpdate
from airflow_provider_retell.api.choices import DataStorageSetting
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.parsing import no_result
from airflow_provider_retell.api.phone_numbers.e164 import IGNORE, IGNORE_IN_TASK, check_e164
from airflow_provider_retell.api.records.changes import Change
from airflow_provider_retell.api.records.models import RecordSummary
from airflow_provider_retell.api.request import UNSET, ObjectKind, Request, Unset, check_id, given, request_to

_CALL = ObjectKind("call", "call_id")


@dataclass(frozen=True)
class CallChange(Change):
    """The fields to change on a call that has ended."""

    kind: ClassVar[str] = "call"
    path: ClassVar[str] = "/v2/update-call/"
    body: ClassVar[type[Body]] = UpdateCall
    record: ClassVar[type[RecordSummary]] = Call


def update_call(
    call_id: str,
    *,
    metadata: Mapping[str, Any] | None = None,
    data_storage_setting: DataStorageSetting | None = None,
    custom_attributes: Mapping[str, str | bool | int | float] | None = None,
) -> Request[Call]:
    """Send one update-call request, for a call that has ended.

    Prefer ``update_call_checked``, which keeps other metadata and verifies the response.

    API: https://docs.retellai.com/api-references/update-call

    :param call_id: the call.
    :param metadata: the new metadata, up to 50 kB of JSON. Retell does not document whether it replaces or merges
        metadata. Expect it to replace.
    :param data_storage_setting: the data that Retell stores; it can only be made stricter, and never undone.
    :param custom_attributes: values by the id of an attribute that is defined in Retell's dashboard. Retell silently
        drops unknown ids.
    :raises RetellInputError: if an argument is invalid, or none is given.
    """
    change = CallChange.encode(
        CallChange.operation(check_id(call_id)),
        metadata=metadata,
        data_storage_setting=data_storage_setting,
        custom_attributes=custom_attributes,
    )
    return change.request(call_id)


def update_live_call(
    call_id: str,
    *,
    additional_context: str | None = None,
    trigger_response: bool | None = None,
    override_dynamic_variables: Mapping[str, str] | Unset | None = UNSET,
    metadata: Mapping[str, Any] | None = None,
    data_storage_setting: DataStorageSetting | None = None,
) -> Request[LiveUpdate]:
    """Change an ongoing call.

    API: https://docs.retellai.com/api-references/update-live-call

    :param call_id: the call.
    :param additional_context: text that Retell adds to the transcript and uses for the agent's next response.
    :param trigger_response: True to make the agent speak now.
    :param override_dynamic_variables: variables that override the agent's; None removes all overrides.
    :param metadata: the call's new metadata, up to 50 kB of JSON.
    :param data_storage_setting: the data that Retell stores; it can only be made stricter.
    :raises RetellInputError: if an argument is invalid, or none is given.
    """
    overrides = given(metadata=metadata, data_storage_setting=data_storage_setting)
    if not isinstance(override_dynamic_variables, Unset):
        overrides["override_dynamic_variables"] = override_dynamic_variables
    # False is Retell's default, so it is the same as not given.
    control = given(additional_context=additional_context, trigger_response=trigger_response or None)
    fields = {
        name: value for name, value in (("call_control", control), ("fields_to_override", overrides)) if value
    }
    return _CALL.request(
        "PATCH",
        "/v2/update-live-call",
        call_id,
        LiveUpdate.read,
        body=lambda name: build_changes(UpdateLiveCall, name, fields),
        # A repeated request would add the context to the transcript again, and make the agent speak again.
        idempotent=not control,
    )


def get_call(call_id: str) -> Request[Call]:
    """Read one call, including transcripts.

    API: https://docs.retellai.com/api-references/get-call
    """
    return _CALL.request("GET", "/v2/get-call", call_id, Call.read)


def list_calls(
    *,
    filter_criteria: Mapping[str, Any] | None = None,
    sort_order: str | None = None,
    limit: int | None = None,
    skip: int | None = None,
    pagination_key: str | None = None,
    include_total: bool | None = None,
) -> Request[CallPage]:
    """Read one page of calls, without transcripts.

    API: https://docs.retellai.com/api-references/list-calls

    :param filter_criteria: conditions, see :mod:`airflow_provider_retell.api.calls.filters`.
    :param sort_order: ``"ascending"`` or ``"descending"`` (Retell's default) by start time.
    :param limit: calls per page, 1 to 1000; Retell's default is 50.
    :param skip: the number of calls to skip; cannot be combined with ``pagination_key``.
    :param pagination_key: the ``pagination_key`` of the previous page.
    :param include_total: True to count all matching calls.
    :raises RetellInputError: if an argument is invalid.
    """
    if skip is not None and pagination_key is not None:
        raise RetellInputError("list-calls: set skip or pagination_key, not both")
    fields = given(
        filter_criteria=filter_criteria,
        sort_order=sort_order,
        limit=limit,
        skip=skip,
        pagination_key=pagination_key,
        include_total=include_total,
    )
    return request_to("POST", "/v3/list-calls", CallPage.read, body=build(ListCalls, "list-calls", fields))


def create_phone_call(
    from_number: str,
    to_number: str,
    *,
    override_agent_id: str | None = None,
    override_agent_version: int | str | None = None,
    agent_override: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    retell_llm_dynamic_variables: Mapping[str, str] | None = None,
    custom_sip_headers: Mapping[str, str] | None = None,
    ignore_e164_validation: bool | None = None,
    honor_internal_dnc: bool | None = None,
    idempotency_key: str | None = None,
) -> Request[Call]:
    """Place a phone call. It costs money, and a person's phone rings.

    API: https://docs.retellai.com/api-references/create-phone-call

    :param from_number: a number of the organization, in E.164 format.
    :param to_number: the number to call, in E.164 format.
    :param override_agent_id: the agent that speaks instead of the number's agent.
    :param override_agent_version: a version number, ``latest``, ``latest_published`` or a tag.
    :param agent_override: settings of the agent for this call only.
    :param metadata: metadata of the call, up to 50 kB of JSON.
    :param retell_llm_dynamic_variables: texts by name, which Retell inserts into the agent's prompts.
    :param custom_sip_headers: SIP headers of the call.
    :param ignore_e164_validation: True to allow numbers in other formats (custom telephony).
    :param honor_internal_dnc: True to make Retell reject numbers on the organization's do-not-call list.
    :param idempotency_key: Retell places at most one call per key within an hour. Without a key, the request is sent
        again only if Retell certainly did not process it.
    :raises RetellInputError: if an argument is invalid; the message has no phone numbers.
    """
    if not ignore_e164_validation:
        check_e164(from_number, "from_number", IGNORE)
        check_e164(to_number, "to_number", IGNORE)
    fields = given(
        from_number=from_number,
        to_number=to_number,
        override_agent_id=override_agent_id,
        override_agent_version=override_agent_version,
        agent_override=agent_override,
        metadata=metadata,
        retell_llm_dynamic_variables=retell_llm_dynamic_variables,
        custom_sip_headers=custom_sip_headers,
        ignore_e164_validation=ignore_e164_validation,
        honor_internal_dnc=honor_internal_dnc,
        idempotency_key=idempotency_key,
    )
    body = build(CreatePhoneCall, "create-phone-call", fields)
    is_idempotent = idempotency_key is not None
    return request_to("POST", "/v2/create-phone-call", Call.read, body=body, idempotent=is_idempotent)


def create_batch_call(
    from_number: str,
    tasks: Sequence[Mapping[str, Any]],
    *,
    name: str | None = None,
    trigger_timestamp: int | None = None,
    reserved_concurrency: int | None = None,
    call_time_window: Mapping[str, Any] | None = None,
) -> Request[BatchCall]:
    """Place many phone calls, as fast as the organization's concurrency allows.

    The request is sent again only if Retell certainly did not process it.

    API: https://docs.retellai.com/api-references/create-batch-call

    :param from_number: a number of the organization, in E.164 format.
    :param tasks: one mapping per call, with ``to_number`` and the other fields of
        :class:`airflow_provider_retell.api.calls.bodies.CallTarget`.
    :param name: the name that the dashboard shows.
    :param trigger_timestamp: the start time in epoch milliseconds; the default is now.
    :param reserved_concurrency: the number of concurrent calls to keep free for others.
    :param call_time_window: the hours in which calls may start, see
        :class:`airflow_provider_retell.api.calls.bodies.CallTimeWindow`.
    :raises RetellInputError: if an argument is invalid; the message has no phone numbers.
    """
    check_e164(from_number, "from_number")
    fields = given(
        from_number=from_number,
        tasks=tasks,
        name=name,
        trigger_timestamp=trigger_timestamp,
        reserved_concurrency=reserved_concurrency,
        call_time_window=call_time_window,
    )
    body = build(CreateBatchCall, "create-batch-call", fields)
    for index, task in enumerate(tasks):
        if not task.get("ignore_e164_validation"):
            check_e164(task["to_number"], f"tasks[{index}].to_number", IGNORE_IN_TASK)
    return request_to("POST", "/create-batch-call", BatchCall.read, body=body, idempotent=False)


def stop_call(call_id: str) -> Request[None]:
    """Hang up an ongoing call.

    API: https://docs.retellai.com/api-references/stop-call
    """
    return _CALL.request("POST", "/v2/stop-call", call_id, no_result)


def delete_call(call_id: str) -> Request[None]:
    """Permanently delete a call and all its data.

    API: https://docs.retellai.com/api-references/delete-call
    """
    return _CALL.request("DELETE", "/v2/delete-call", call_id, no_result)


def rerun_call_analysis(call_id: str) -> Request[Call]:
    """Analyze a call again with the latest draft of its agent. Retell charges for it.

    The request is sent again only if Retell certainly did not process it.

    API: https://docs.retellai.com/api-references/rerun-call-analysis
    """
    return _CALL.request("PUT", "/rerun-call-analysis", call_id, Call.read, idempotent=False)
