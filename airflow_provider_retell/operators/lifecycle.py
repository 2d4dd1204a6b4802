"""The rest of a call's life: read it, change it while it goes on, stop it, analyze it again, delete it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.operators.base import RetellOperator, check_flags, linked_call_id
from airflow_provider_retell.operators.once import OnceOperator, did_not_act
from airflow_provider_retell.operators.sealed import SealedField, as_bool, as_object, as_text

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell.api.errors import NotFoundError

__all__ = [
    "DeleteCallOperator",
    "GetCallOperator",
    "RerunCallAnalysisOperator",
    "StopCallOperator",
    "UpdateLiveCallOperator",
]

log = logging.getLogger(__name__)


class GetCallOperator(RetellOperator):
    """Read one call; returns its slim form (ids, status, settings, times, names of metadata keys).

    :param call_id: the call (templated).
    :param path: where to write the whole call as JSON, transcript and links included but without its access token,
        on any ``ObjectStoragePath`` (templated). The returned dict then has ``path``.
    :param path_conn_id: the Airflow connection to that storage, if its default will not do (templated).
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    """

    template_fields: Sequence[str] = ("call_id", "path", "path_conn_id", "retell_conn_id")

    def __init__(
        self,
        *,
        call_id: str | XComArg,
        path: str | None = None,
        path_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.call_id = call_id
        self.path = path
        self.path_conn_id = path_conn_id
        self._writes = path is not None

    def work(self, context: Any) -> dict[str, Any]:
        """Read the call."""
        # Native rendering makes None of a template without a value, which does not mean that no file is wanted.
        path = as_text(str(self.path), "path") if self._writes else None
        call = self.hook.get_call(linked_call_id(context, self.call_id))
        if path is None:
            return call.slim()
        from airflow_provider_retell.export.files import write_whole

        write_whole(path, call.model_dump_json(exclude_none=True).encode(), self.path_conn_id)
        return call.slim() | {"path": path}


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

    metadata = SealedField()
    override_dynamic_variables = SealedField()
    additional_context = SealedField()

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
        from airflow_provider_retell.api.endpoints import UNSET
        from airflow_provider_retell.api.errors import RetellError, RetellInputError, RetellResponseError

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
            if did_not_act(error) or not (told or self.trigger_response):
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


class DeleteCallOperator(RetellOperator):
    """Delete a call and all its data at Retell, for good. A call that is gone already counts as done.

    "Gone" is what reading the call says: if Retell refuses to delete a call that is there, the task fails.

    The key of another organization looks like "gone" to Retell, which knows calls by organization: with
    ``missing_ok=False`` a call that is not there fails the task.

    :param call_id: the call (templated).
    :param missing_ok: False to read the call first, and fail if there is none (templated). A retry also fails then, if
        the first try crashed after it had deleted the call.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    """

    template_fields: Sequence[str] = ("call_id", "missing_ok", "retell_conn_id")

    def __init__(
        self, *, call_id: str | XComArg, missing_ok: bool | str | XComArg = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.call_id = call_id
        self.missing_ok = missing_ok

    def work(self, context: Any) -> dict[str, Any]:
        """Delete the call; returns ``deleted``: False if it was gone."""
        from airflow_provider_retell.api.errors import NotFoundError

        call_id = linked_call_id(context, self.call_id)
        missing_ok = as_bool(self.missing_ok, "missing_ok")
        if not missing_ok:
            self.hook.get_call(call_id)
        try:
            self.hook.delete_call(call_id)
        except NotFoundError as refusal:
            self._check_gone(call_id, refusal)
            # With missing_ok=False it was there: an answer got lost, and the request was sent again.
            if not missing_ok:
                return {"call_id": call_id, "deleted": True}
            log.info("Call %s: not there (any more)", call_id)
            return {"call_id": call_id, "deleted": False}
        log.info("Call %s: deleted", call_id)
        return {"call_id": call_id, "deleted": True}

    def _check_gone(self, call_id: str, refusal: NotFoundError) -> None:
        """Read the call: Retell answers 422 to an unknown id, and may answer so to what it refuses to delete."""
        from airflow_provider_retell.api.errors import CallNotEndedError, NotFoundError, UnprocessableError

        try:
            call = self.hook.get_call(call_id)
        except NotFoundError as missing:
            if not missing.detail:
                raise  # Retell gives a reason, always: this is another server's page
            return
        says = f" {refusal.status}: {refusal.detail.rstrip('.')}" if refusal.detail else f" {refusal.status}"
        if not call.has_ended:
            raise CallNotEndedError(
                f"call {call_id} is {call.call_status}, and Retell refused to delete it (it answered{says}). Wait for "
                "its end first (CallSensor, or run this task again later), or hang up with StopCallOperator"
            ) from refusal
        raise UnprocessableError(
            f"call {call_id} is still there: Retell refused to delete it (it answered{says}). Look at the call in "
            "Retell's dashboard, then run this task again",
            status=refusal.status,
            detail=refusal.detail,
        ) from refusal


class RerunCallAnalysisOperator(OnceOperator):
    """Analyze a call again with the agent's latest draft. Retell charges for it and sends no webhook.

    Sent once, as :class:`~airflow_provider_retell.operators.place.CreateBatchCallOperator` does: a try of which it is
    not known whether Retell acted fails the task for good, and so do later tries, since another would pay again.
    Whether Retell answers before or after the analysis is not documented: read the call some time later.

    :param call_id: the call (templated).
    :param on_clear: what a deliberate clear of the task does: ``"same"`` (default) never pays again, ``"new"`` does,
        once.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    """

    template_fields: Sequence[str] = ("call_id", "retell_conn_id")

    def __init__(self, *, call_id: str | XComArg, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.call_id = call_id

    def work(self, context: Any) -> dict[str, Any]:
        """Ask for the analysis; returns the call's slim form as Retell answered it."""
        from airflow_provider_retell.api.endpoints import rerun_call_analysis

        request = rerun_call_analysis(linked_call_id(context, self.call_id))
        return self.send_once(
            context, request, lambda call: call.slim(), "Look at the call's analysis in Retell's dashboard"
        )
