"""The endpoints of Retell's API that the provider uses, each a function that returns a :class:`Request`.

Arguments are checked here; a function that returns has a request that can be sent. Field meanings:
https://docs.retellai.com/api-references, one page per function.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from airflow_provider_retell.api.bodies import (
    CreateBatchCall,
    CreatePhoneCall,
    ListCalls,
    UpdateCall,
    UpdateLiveCall,
    build,
    check_e164,
)
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.api.filters import DataStorageSetting
from airflow_provider_retell.api.models import ApiKeyInfo, BatchCall, Call, CallPage, Concurrency, LiveUpdate
from airflow_provider_retell.api.request import Request, check_id


class Unset:
    """The type of :data:`UNSET`."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset()
"""Stands for "not given" where None has a meaning of its own."""


def update_call(
    call_id: str,
    *,
    metadata: Mapping[str, Any] | None = None,
    data_storage_setting: DataStorageSetting | None = None,
    custom_attributes: Mapping[str, str | bool | int | float] | None = None,
) -> Request[Call]:
    """Change what is stored about a call that has ended.

    :param call_id: the call.
    :param metadata: the new metadata, up to 50 kB of JSON. Whether Retell replaces or merges is not documented;
        take it as replacing.
    :param data_storage_setting: what Retell keeps of the call; can only be tightened, and cannot be undone.
    :param custom_attributes: values by the id of an attribute that was defined in the dashboard. Retell drops
        unknown ids silently.
    :raises RetellInputError: if something cannot be sent, or there is nothing to send.
    """
    fields = _given(
        metadata=metadata, data_storage_setting=data_storage_setting, custom_attributes=custom_attributes
    )
    call_id = check_id(call_id)
    if not fields:
        raise RetellInputError(
            f"update-call of call {call_id}: give metadata, data_storage_setting or custom_attributes"
        )
    return Request(
        operation="update-call",
        method="PATCH",
        path=f"/v2/update-call/{call_id}",
        body=build(UpdateCall, f"update-call of call {call_id}", fields),
        parse=Call.read,
        subject=f"call {call_id}",
    )


def update_live_call(
    call_id: str,
    *,
    additional_context: str | None = None,
    trigger_response: bool | None = None,
    override_dynamic_variables: Mapping[str, str] | Unset | None = UNSET,
    metadata: Mapping[str, Any] | None = None,
    data_storage_setting: DataStorageSetting | None = None,
) -> Request[LiveUpdate]:
    """Change a call that is going on.

    :param call_id: the call.
    :param additional_context: text that is added to the transcript and given to the agent's next answer.
    :param trigger_response: True makes the agent speak now.
    :param override_dynamic_variables: variables laid over the agent's; None removes every override.
    :param metadata: the call's new metadata, up to 50 kB of JSON.
    :param data_storage_setting: what Retell keeps of the call; can only be tightened.
    :raises RetellInputError: if something cannot be sent, or there is nothing to send.
    """
    call_id = check_id(call_id)
    overrides = _given(metadata=metadata, data_storage_setting=data_storage_setting)
    if not isinstance(override_dynamic_variables, Unset):
        overrides["override_dynamic_variables"] = override_dynamic_variables
    # False is what Retell does anyway, so it is nothing to send.
    control = _given(additional_context=additional_context, trigger_response=trigger_response or None)
    fields = {
        name: value for name, value in (("call_control", control), ("fields_to_override", overrides)) if value
    }
    if not fields:
        raise RetellInputError(f"update-live-call of call {call_id}: give something to change")
    return Request(
        operation="update-live-call",
        method="PATCH",
        path=f"/v2/update-live-call/{call_id}",
        body=build(UpdateLiveCall, f"update-live-call of call {call_id}", fields),
        parse=LiveUpdate.read,
        # Sent twice, added context would stand in the transcript twice, and the agent would speak twice.
        repeatable=not control,
        subject=f"call {call_id}",
    )


def get_call(call_id: str) -> Request[Call]:
    """Read one call, transcripts included."""
    call_id = check_id(call_id)
    return Request(
        operation="get-call",
        method="GET",
        path=f"/v2/get-call/{call_id}",
        parse=Call.read,
        subject=f"call {call_id}",
    )


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

    :param filter_criteria: conditions, see :mod:`airflow_provider_retell.api.filters`.
    :param sort_order: ``"ascending"`` or ``"descending"`` (Retell's default) by start time.
    :param limit: calls on the page, 1 to 1000; Retell's default is 50.
    :param skip: calls to leave out first; not together with ``pagination_key``.
    :param pagination_key: where the page before ended.
    :param include_total: also count all calls that match.
    :raises RetellInputError: if something cannot be sent.
    """
    if skip is not None and pagination_key is not None:
        raise RetellInputError("list-calls: give skip or pagination_key, not both")
    fields = _given(
        filter_criteria=filter_criteria,
        sort_order=sort_order,
        limit=limit,
        skip=skip,
        pagination_key=pagination_key,
        include_total=include_total,
    )
    return Request(
        operation="list-calls",
        method="POST",
        path="/v3/list-calls",
        body=build(ListCalls, "list-calls", fields),
        parse=CallPage.read,
    )


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
    """Place a phone call. It costs money and rings at somebody's.

    :param from_number: a number of the organization, in E.164 form.
    :param to_number: whom to call, in E.164 form.
    :param override_agent_id: the agent that speaks, in place of the number's.
    :param override_agent_version: a version number, ``latest``, ``latest_published`` or a tag.
    :param agent_override: settings of the agent for this call only.
    :param metadata: stored with the call, up to 50 kB of JSON.
    :param retell_llm_dynamic_variables: text by name, filled into the agent's prompts.
    :param custom_sip_headers: SIP headers of the call.
    :param ignore_e164_validation: True to let other than E.164 numbers through (custom telephony).
    :param honor_internal_dnc: True makes Retell refuse contacts on the organization's do-not-call list.
    :param idempotency_key: with the same key, Retell places the call once within an hour however often it is
        asked. Without one, the request is never retried.
    :raises RetellInputError: if something cannot be sent; numbers are not quoted.
    """
    if not ignore_e164_validation:
        check_e164(from_number, "from_number")
        check_e164(to_number, "to_number")
    fields = _given(
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
    return Request(
        operation="create-phone-call",
        method="POST",
        path="/v2/create-phone-call",
        body=build(CreatePhoneCall, "create-phone-call", fields),
        parse=Call.read,
        repeatable=idempotency_key is not None,
    )


def create_batch_call(
    from_number: str,
    tasks: Sequence[Mapping[str, Any]],
    *,
    name: str | None = None,
    trigger_timestamp: int | None = None,
    reserved_concurrency: int | None = None,
    call_time_window: Mapping[str, Any] | None = None,
) -> Request[BatchCall]:
    """Place many phone calls, as fast as the organization's concurrency allows. Never retried.

    :param from_number: a number of the organization, in E.164 form.
    :param tasks: one mapping per call, with ``to_number`` and what else
        :class:`airflow_provider_retell.api.bodies.CallTarget` has.
    :param name: what the dashboard shows.
    :param trigger_timestamp: when to start, epoch milliseconds; now if left out.
    :param reserved_concurrency: how many concurrent calls to keep free for others.
    :param call_time_window: when calls may start, see ``CallTimeWindow`` in
        ``airflow_provider_retell.api.bodies``.
    :raises RetellInputError: if something cannot be sent; numbers are not quoted.
    """
    check_e164(from_number, "from_number")
    fields = _given(
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
            check_e164(task["to_number"], f"tasks[{index}].to_number")
    return Request(
        operation="create-batch-call",
        method="POST",
        path="/create-batch-call",
        body=body,
        parse=BatchCall.read,
        repeatable=False,
    )


def stop_call(call_id: str) -> Request[None]:
    """Hang up a call that is going on."""
    return _without_answer("stop-call", "POST", check_id(call_id))


def delete_call(call_id: str) -> Request[None]:
    """Delete a call and all its data, for good."""
    return _without_answer("delete-call", "DELETE", check_id(call_id))


def rerun_call_analysis(call_id: str) -> Request[Call]:
    """Analyze a call again with the agent's latest draft. Retell charges for it, so it is never retried."""
    call_id = check_id(call_id)
    return Request(
        operation="rerun-call-analysis",
        method="PUT",
        path=f"/rerun-call-analysis/{call_id}",
        parse=Call.read,
        repeatable=False,
        subject=f"call {call_id}",
    )


def get_concurrency() -> Request[Concurrency]:
    """Read how many calls the organization may have at once, and has now."""
    return Request(
        operation="get-concurrency",
        method="GET",
        path="/get-concurrency",
        parse=Concurrency.read,
    )


def get_api_key_info() -> Request[ApiKeyInfo]:
    """Read whose API key this is."""
    return Request(
        operation="get-api-key-info",
        method="GET",
        path="/get-api-key-info",
        parse=ApiKeyInfo.read,
    )


def _without_answer(operation: str, method: str, call_id: str) -> Request[None]:
    return Request(
        operation=operation,
        method=method,
        path=f"/v2/{operation}/{call_id}",
        parse=lambda _body: None,
        subject=f"call {call_id}",
    )


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
