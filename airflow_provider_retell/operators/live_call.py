"""Operators for an ongoing call: change it or hang up."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.operators.base import RetellOperator, check_flags, linked_call_id
from airflow_provider_retell.params.masked import MaskedField, as_object, as_text

if TYPE_CHECKING:
    from airflow.sdk import XComArg


__all__ = [
    "StopCallOperator",
    "UpdateLiveCallOperator",
]

log = logging.getLogger(__name__)


class UpdateLiveCallOperator(RetellOperator):
    """Change a call that is going on; for calls that have ended there is ``UpdateCallOperator``.

    Values are not logged, and "Rendered Templates" shows their keys only. What the agent is told it is told once
    (``additional_context``, ``trigger_response``): if it is not known whether Retell acted, the task fails for good. If
    a worker is killed in between, Airflow does not know either, and runs the task again if it has ``retries``.

    API: https://docs.retellai.com/api-references/update-live-call

    :param call_id: the call (templated).
    :param metadata: the call's new metadata: a dict, or text that renders to a JSON object (templated). An empty one
        is an error: what it was made from had nothing, perhaps.
    :param clear_metadata: True to remove all metadata instead.
    :param override_dynamic_variables: text by name, laid over the agent's variables; not empty (templated).
    :param clear_dynamic_variables: True to remove every override instead.
    :param data_storage_setting: what Retell keeps of the call; can only be tightened (templated).
    :param additional_context: text for the agent, added to the transcript (templated).
    :param trigger_response: True makes the agent speak now.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    """

    template_fields: Sequence[str] = (
        "call_id",
        "metadata",
        "override_dynamic_variables",
        "data_storage_setting",
        "additional_context",
        "retell_conn_id",
    )

    metadata = MaskedField()
    override_dynamic_variables = MaskedField()
    additional_context = MaskedField()

    def __init__(
        self,
        *,
        call_id: str | XComArg,
        metadata: Mapping[str, Any] | str | XComArg | None = None,
        override_dynamic_variables: Mapping[str, str] | str | XComArg | None = None,
        clear_dynamic_variables: bool = False,
        clear_metadata: bool = False,
        data_storage_setting: str | None = None,
        additional_context: str | None = None,
        trigger_response: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_flags(
            clear_dynamic_variables=clear_dynamic_variables,
            clear_metadata=clear_metadata,
            trigger_response=trigger_response,
        )
        if clear_metadata and metadata is not None:
            raise ValueError("give metadata or clear_metadata, not both")
        if clear_dynamic_variables and override_dynamic_variables is not None:
            raise ValueError("give override_dynamic_variables or clear_dynamic_variables, not both")
        self.call_id = call_id
        self.metadata = metadata
        self.override_dynamic_variables = override_dynamic_variables
        self.clear_dynamic_variables = clear_dynamic_variables
        self.clear_metadata = clear_metadata
        self.data_storage_setting = data_storage_setting
        self.additional_context = additional_context
        self.trigger_response = trigger_response

    def work(self, context: Any) -> dict[str, Any]:
        """Change the call; Retell says yes or no, and not what it kept."""
        from airflow_provider_retell.api.errors import RetellError, RetellInputError, RetellResponseError
        from airflow_provider_retell.api.request import UNSET

        call_id = linked_call_id(context, self.call_id)
        about = f"update-live-call of call {call_id}: "
        variables: Any = as_object(self.override_dynamic_variables, f"{about}override_dynamic_variables")
        metadata = as_object(self.metadata, f"{about}metadata")
        for name, given in (("metadata", metadata), ("dynamic_variables", variables)):
            if given is not None and not given:
                raise RetellInputError(
                    f"{about}{name} is empty. Leave it out to change nothing, or set clear_{name}=True to remove all"
                )
        setting: Any = None if self.data_storage_setting in (None, "", "None") else self.data_storage_setting
        told = as_text(self.additional_context, f"{about}additional_context")
        try:
            answer = self.hook.update_live_call(
                call_id,
                metadata={} if self.clear_metadata else metadata,
                override_dynamic_variables=UNSET
                if variables is None and not self.clear_dynamic_variables
                else variables,
                data_storage_setting=setting,
                additional_context=told,
                trigger_response=self.trigger_response,
            )
        except RetellError as error:
            if error.not_processed or not (told or self.trigger_response):
                raise
            raise AirflowFailException(
                f"{error} Whether the agent was told is unknown, so it is not told again. To tell it after all, clear "
                "this task"
            ) from error
        if not answer.success:
            raise RetellResponseError(
                f"update-live-call of call {call_id}: Retell answered that it had no success"
            )
        return {"call_id": call_id, "updated": True}


class StopCallOperator(RetellOperator):
    """Hang a call up. A call that is over already is left alone.

    :param call_id: the call (templated).
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    """

    template_fields: Sequence[str] = ("call_id", "retell_conn_id")

    def __init__(self, *, call_id: str | XComArg, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.call_id = call_id

    def work(self, context: Any) -> dict[str, Any]:
        """Hang up; returns ``stopped``: False if the call was over."""
        from airflow_provider_retell.api.errors import BadRequestError, NotFoundError

        call_id = linked_call_id(context, self.call_id)
        if self.hook.get_call(call_id).has_ended:
            return {"call_id": call_id, "stopped": False}
        try:
            self.hook.stop_call(call_id)
        except (BadRequestError, NotFoundError):
            # It may have ended between the two requests; how Retell then answers is not documented.
            if not self.hook.get_call(call_id).has_ended:
                raise
            return {"call_id": call_id, "stopped": False}
        return {"call_id": call_id, "stopped": True}
