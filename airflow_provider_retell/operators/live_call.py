"""Operators for an ongoing call: change it or hang up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.choices import STORAGE_ORDER, DataStorageSetting
from airflow_provider_retell.api.errors import (
    BadRequestError,
    NotFoundError,
    RetellError,
    RetellInputError,
    RetellResponseError,
)
from airflow_provider_retell.operators.call_base import CallOperator
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.rendered import as_object, as_storage_setting, as_text

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context


class UpdateLiveCallOperator(CallOperator):
    """Change an ongoing call, or instruct its agent. For calls that have ended, use :class:`UpdateCallOperator`.

    ::

        from airflow_provider_retell.operators import UpdateLiveCallOperator

        UpdateLiveCallOperator(
            task_id="instruct",
            call_id="{{ params.call_id }}",
            additional_context="The customer's order has been shipped.",
            trigger_response=True,
        )

    Values are neither logged nor shown, only the keys. Instructions (``additional_context``, ``trigger_response``) are
    sent at most once: if it is unknown whether Retell processed them, the task fails without a retry. Only a killed
    worker leads to a retry; set ``retries=0`` to prevent that. The task returns ``call_id`` and ``updated``.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/live_calls.html
    - API: https://docs.retellai.com/api-references/update-live-call

    :param call_id: the call (templated).
    :param metadata: the call's new metadata, in place of all present keys: a dict, or a template that renders to a JSON
        object (templated). An empty object is an error.
    :param clear_metadata: True to delete all metadata.
    :param override_dynamic_variables: texts by name that override the agent's dynamic variables (templated). An empty
        object is an error.
    :param clear_dynamic_variables: True to remove all overrides.
    :param data_storage_setting: the data that Retell stores: ``everything``, ``everything_except_pii`` or
        ``basic_attributes_only`` (templated). It can only be made stricter, and never undone. An empty value leaves it
        as it is.
    :param additional_context: text for the agent, added to the transcript (templated).
    :param trigger_response: True to make the agent speak now.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises AirflowFailException: if the input is invalid, the call is not ongoing, or it is unknown whether Retell
        processed an instruction.
    """

    template_fields: Sequence[str] = (
        "call_id",
        "metadata",
        "override_dynamic_variables",
        "data_storage_setting",
        "additional_context",
        "retell_conn_id",
    )
    masked_fields: Sequence[str] = ("metadata", "override_dynamic_variables", "additional_context")
    agent_fields: Sequence[str] = ("override_dynamic_variables", "additional_context")

    def __init__(
        self,
        *,
        call_id: str | XComArg,
        metadata: Mapping[str, Any] | str | XComArg | None = None,
        clear_metadata: bool = False,
        override_dynamic_variables: Mapping[str, str] | str | XComArg | None = None,
        clear_dynamic_variables: bool = False,
        data_storage_setting: DataStorageSetting | str | XComArg | None = None,
        additional_context: str | XComArg | None = None,
        trigger_response: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(call_id=call_id, **kwargs)
        checks.flag(
            clear_dynamic_variables=clear_dynamic_variables,
            clear_metadata=clear_metadata,
            trigger_response=trigger_response,
        )
        checks.exclusive(metadata=metadata, clear_metadata=clear_metadata)
        checks.exclusive(
            override_dynamic_variables=override_dynamic_variables,
            clear_dynamic_variables=clear_dynamic_variables,
        )
        checks.one_of_or_template("data_storage_setting", data_storage_setting, STORAGE_ORDER)
        values = (metadata, override_dynamic_variables, data_storage_setting, additional_context)
        flags = clear_metadata or clear_dynamic_variables or trigger_response
        if not flags and all(value is None for value in values):
            raise ValueError(
                "set metadata, clear_metadata, override_dynamic_variables, clear_dynamic_variables, "
                "data_storage_setting, additional_context or trigger_response=True"
            )
        self.metadata = metadata
        self.clear_metadata = clear_metadata
        self.override_dynamic_variables = override_dynamic_variables
        self.clear_dynamic_variables = clear_dynamic_variables
        self.data_storage_setting = data_storage_setting
        self.additional_context = additional_context
        self.trigger_response = trigger_response

    def work(self, context: Context) -> dict[str, Any]:
        """Change the call. Retell reports success or failure, and not the values that it stored."""
        from airflow_provider_retell.api.request import UNSET

        call_id = self.selected_id(context)
        where = f"update-live-call of call {call_id}: "
        metadata = self.rendered("metadata", as_object, where)
        variables = self.rendered("override_dynamic_variables", as_object, where)
        for name, clear, value in (
            ("metadata", "clear_metadata", metadata),
            ("override_dynamic_variables", "clear_dynamic_variables", variables),
        ):
            if value is not None and not value:
                raise RetellInputError(
                    f"{where}{name} is empty. Leave it out to change nothing, or set {clear}=True to delete all"
                )
        setting = self.rendered("data_storage_setting", as_storage_setting, where)
        instruction = self.rendered("additional_context", as_text, where)
        try:
            response = self.hook.update_live_call(
                call_id,
                metadata={} if self.clear_metadata else metadata,
                override_dynamic_variables=(
                    UNSET if variables is None and not self.clear_dynamic_variables else variables
                ),
                data_storage_setting=setting,
                additional_context=instruction,
                trigger_response=self.trigger_response,
            )
        except RetellError as error:
            if error.not_processed or not (instruction or self.trigger_response):
                raise
            raise AirflowFailException(
                f"{error.fault}. It is unknown whether the agent received the instruction, so it is not sent again. To "
                "send it again anyway, clear this task"
            ) from error
        if not response.success:
            fault = (
                f"{where}Retell responded that the update did not succeed. Check in Retell's dashboard whether the "
                "call is still ongoing"
            )
            if instruction or self.trigger_response:
                raise AirflowFailException(
                    f"{fault}. The agent may have received the instruction, so it is not sent again. To send it again "
                    "anyway, clear this task"
                )
            raise RetellResponseError(fault)
        return {"call_id": call_id, "updated": True}


class StopCallOperator(CallOperator):
    """Hang up. A call that has already ended is no error.

    ::

        from airflow_provider_retell.operators import StopCallOperator

        StopCallOperator(task_id="hang_up", call_id="{{ params.call_id }}")

    The task returns ``call_id`` and ``stopped``, which is False if the call had already ended.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/live_calls.html
    - API: https://docs.retellai.com/api-references/stop-call

    :param call_id: the call (templated).
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises AirflowFailException: if there is no such call, or Retell refuses to stop it.
    """

    def work(self, context: Context) -> dict[str, Any]:
        """Hang up."""
        call_id = self.selected_id(context)
        if self.hook.get_call(call_id).has_ended:
            return {"call_id": call_id, "stopped": False}
        try:
            self.hook.stop_call(call_id)
        except (BadRequestError, NotFoundError):
            # The call may have ended between the two requests. Retell does not document its response to that.
            if not self.hook.get_call(call_id).has_ended:
                raise
            return {"call_id": call_id, "stopped": False}
        return {"call_id": call_id, "stopped": True}
