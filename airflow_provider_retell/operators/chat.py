"""Operators for one chat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_retell.api.choices import (
    CHAT_STORAGE_ORDER,
    CHAT_UNTIL,
    ChatStorageSetting,
    ChatUntil,
    MetadataMode,
)
from airflow_provider_retell.api.records.nouns import Noun
from airflow_provider_retell.operators.delete_record import DeleteRecordOperator
from airflow_provider_retell.operators.record import (
    ReadRecordOperator,
    RecordOperator,
    UpdateRecordOperator,
    WaitingRecordOperator,
)
from airflow_provider_retell.operators.rerun_analysis import RerunAnalysisOperator
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.rendered import as_object

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.triggers.base import PollTrigger


class ChatOperator(RecordOperator):
    """Base class of the operators that act on one existing chat."""

    template_fields: Sequence[str] = ("chat_id", "retell_conn_id")
    noun: ClassVar[Noun] = "chat"

    def __init__(self, *, chat_id: str | XComArg, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.chat_id = chat_id


class UpdateChatOperator(UpdateRecordOperator, ChatOperator, WaitingRecordOperator):
    """Update the metadata, the storage setting, the custom attributes or the dynamic variables of a chat.

    The twin of :class:`~airflow_provider_retell.operators.UpdateCallOperator`: the task reads the chat, sends only the
    differences, and verifies Retell's response. The chat need not have ended.

    ::

        from airflow_provider_retell.operators import UpdateChatOperator

        UpdateChatOperator(
            task_id="update",
            chat_id="{{ params.chat_id }}",
            metadata={"tier": "{{ ti.xcom_pull('score')['tier'] }}"},
        )

    The task returns the chat's ids, status, times, cost and metadata keys, ``updated`` (False if nothing was sent) and
    ``written`` (the names of the fields that were written).

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/chats.html
    - API: https://docs.retellai.com/api-references/update-chat

    :param chat_id: the chat (templated).
    :param metadata: the metadata keys to set, up to 50,000 bytes of JSON: a dict, or a template that renders to a JSON
        object (templated).
    :param data_storage_setting: the data that Retell stores: ``everything`` or ``basic_attributes_only`` (templated).
        It can only be made stricter, and never undone. It is always sent, because Retell's responses do not show it.
    :param custom_attributes: texts, numbers and booleans by the id of an attribute, which must be defined in Retell's
        dashboard (templated).
    :param override_dynamic_variables: texts by name that override the agent's dynamic variables (templated). They are
        always sent, because Retell's responses do not show them.
    :param clear_dynamic_variables: True to remove all overrides.
    :param metadata_mode: ``"merge"`` (default) keeps other keys, ``"fill"`` sets only missing keys, ``"replace"``
        deletes all other keys, without reading the chat unless ``custom_attributes`` are set.
    :param remove_metadata_keys: metadata keys to delete.
    :param clear_metadata: True to delete all metadata.
    :param wait_until: None (default) updates the chat at once. ``"ended"`` or ``"analyzed"`` waits for that state
        first, see ``ChatSensor``. ``deferrable``, ``poll_interval``, ``wait_timeout`` and ``max_poll_failures``
        configure the wait, and must not be set without it.
    :param analysis_fields: the fields of the analysis that the result contains, as ``analysis``, see ``ChatSensor``.
        Requires that ``wait_until`` is ``"analyzed"`` or None. Default: none.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises AirflowFailException: if a retry cannot help: invalid input (nothing was sent), an unknown chat, a storage
        setting that is less strict than the chat's, or a response that differs from the values sent.
    :raises WaitTimeoutError: if the wait reached ``wait_timeout``.
    """

    template_fields: Sequence[str] = (
        "chat_id",
        "metadata",
        "data_storage_setting",
        "custom_attributes",
        "override_dynamic_variables",
        "retell_conn_id",
    )
    template_fields_renderers = {"metadata": "json", "custom_attributes": "json"}  # noqa: RUF012 - Airflow's form
    masked_fields: Sequence[str] = ("metadata", "custom_attributes", "override_dynamic_variables")
    agent_fields: Sequence[str] = ("override_dynamic_variables",)
    storage_settings: ClassVar[Sequence[str]] = CHAT_STORAGE_ORDER

    def __init__(
        self,
        *,
        chat_id: str | XComArg,
        metadata: Mapping[str, Any] | str | XComArg | None = None,
        data_storage_setting: ChatStorageSetting | str | XComArg | None = None,
        custom_attributes: Mapping[str, Any] | str | XComArg | None = None,
        override_dynamic_variables: Mapping[str, str] | str | XComArg | None = None,
        clear_dynamic_variables: bool = False,
        metadata_mode: MetadataMode = "merge",
        remove_metadata_keys: Sequence[str] = (),
        clear_metadata: bool = False,
        wait_until: ChatUntil | None = None,
        analysis_fields: Sequence[str] = (),
        retell_conn_id: str = "retell_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            chat_id=chat_id,
            metadata=metadata,
            data_storage_setting=data_storage_setting,
            custom_attributes=custom_attributes,
            metadata_mode=metadata_mode,
            remove_metadata_keys=remove_metadata_keys,
            clear_metadata=clear_metadata,
            others={
                "override_dynamic_variables": override_dynamic_variables,
                "clear_dynamic_variables": clear_dynamic_variables or None,
            },
            retell_conn_id=retell_conn_id,
            **kwargs,
        )
        checks.one_of("wait_until", wait_until, (*CHAT_UNTIL, None))
        self.check_wait(wait_until)
        checks.flag(clear_dynamic_variables=clear_dynamic_variables)
        checks.exclusive(
            override_dynamic_variables=override_dynamic_variables,
            clear_dynamic_variables=clear_dynamic_variables,
        )
        self.override_dynamic_variables = override_dynamic_variables
        self.clear_dynamic_variables = clear_dynamic_variables
        self.wait_until = wait_until
        wait = {} if wait_until is None else {"wait_until": wait_until}
        self.analysis_fields = checks.analysis_fields(analysis_fields, **wait)

    def settable(self) -> Sequence[str]:
        """Return the names of the parameters. The operator needs at least one of them."""
        return (*super().settable(), "override_dynamic_variables", "clear_dynamic_variables")

    def update_options(self, where: str) -> dict[str, Any]:
        """Return the arguments of ``prepare_update`` for the rendered parameters."""
        options = super().update_options(where)
        variables = self.rendered("override_dynamic_variables", as_object, where)
        if variables is not None or self.clear_dynamic_variables:
            options["override_dynamic_variables"] = variables
        return options

    def work(self, context: Context) -> dict[str, Any]:
        """Update the chat, after the wait if there is one."""
        chat_id = self.selected_id(context)
        if self.wait_until is not None:
            from airflow_provider_retell.api.chats.waits import ChatReached

            self.prepare(chat_id)  # raises before the wait if the input is invalid
            self.wait_for(ChatReached(chat_id, self.wait_until))
        return self.after_wait(context, chat_id)

    def after_wait(
        self, context: Context, record_id: str, deadline: float | None = None, **_state: Any
    ) -> dict[str, Any]:
        """Update the chat and return its slim form."""
        return self.update(record_id, self.analysis_fields)

    def trigger_class(self) -> type[PollTrigger]:
        """Return the trigger that waits for a chat."""
        from airflow_provider_retell.triggers.chat import ChatTrigger

        return ChatTrigger


class GetChatOperator(ReadRecordOperator, ChatOperator):
    """Read one chat, and optionally write it to a file.

    ::

        from airflow_provider_retell.operators import GetChatOperator

        GetChatOperator(task_id="read", chat_id="{{ params.chat_id }}", path="s3://bucket/{{ params.chat_id }}.json")

    The task returns the chat's ids, status, times, cost and metadata keys, and ``path`` if it wrote a file.
    ``chat_cost`` has ``cents`` (US cents), if Retell knows them.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/chats.html
    - API: https://docs.retellai.com/api-references/get-chat

    :param chat_id: the chat (templated).
    :param path: the file for the whole chat as JSON, a local path or any URL of Airflow's ``ObjectStoragePath``
        (templated). The file has the transcript.
    :param path_conn_id: the Airflow connection of that storage (templated). Default: the storage's default connection.
    :param analysis_fields: the fields of the analysis that the result contains, as ``analysis``: ``chat_successful``,
        ``user_sentiment``, and keys of ``custom_analysis_data``. A field that the analysis lacks is None. The values
        are stored in Airflow's database. Default: none.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises AirflowFailException: if there is no such chat, or the input is invalid.
    """

    template_fields: Sequence[str] = ("chat_id", "path", "path_conn_id", "retell_conn_id")

    def __init__(
        self,
        *,
        chat_id: str | XComArg,
        path: str | XComArg | None = None,
        path_conn_id: str | None = None,
        analysis_fields: Sequence[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(
            chat_id=chat_id,
            path=path,
            path_conn_id=path_conn_id,
            analysis_fields=analysis_fields,
            **kwargs,
        )


class DeleteChatOperator(DeleteRecordOperator, ChatOperator):
    """Delete a chat and all its data at Retell. This cannot be undone.

    ::

        from airflow_provider_retell.operators import DeleteChatOperator

        DeleteChatOperator(task_id="delete", chat_id="{{ params.chat_id }}", dry_run="{{ params.dry_run }}")

    The task returns ``chat_id`` and ``deleted``, and in a dry run also ``would_delete``. By default a chat that does
    not exist is no error, so that a retry succeeds.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/chats.html
    - API: https://docs.retellai.com/api-references/delete-chat

    :param chat_id: the chat (templated).
    :param missing_ok: False to fail if the chat does not exist (templated). The task then reads the chat first. A retry
        also fails if an earlier try deleted the chat and crashed.
    :param dry_run: True to read the chat and delete nothing (templated).
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises CallNotEndedError: if Retell refuses to delete the chat because it has not ended.
    :raises AirflowFailException: if Retell refuses to delete the chat for another reason, or the chat does not exist
        and ``missing_ok`` is False.
    """

    template_fields: Sequence[str] = ("chat_id", "missing_ok", "dry_run", "retell_conn_id")

    def __init__(
        self,
        *,
        chat_id: str | XComArg,
        missing_ok: bool | str | XComArg = True,
        dry_run: bool | str | XComArg = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(chat_id=chat_id, missing_ok=missing_ok, dry_run=dry_run, **kwargs)


class RerunChatAnalysisOperator(ChatOperator, RerunAnalysisOperator):
    """Analyze a chat again. Retell charges for it.

    ::

        from airflow_provider_retell.operators import RerunChatAnalysisOperator

        RerunChatAnalysisOperator(task_id="analyze_again", chat_id="{{ params.chat_id }}")

    The request is sent at most once, because it costs money. If it is unknown whether Retell processed it, this try and
    all later ones fail. So does a later try with another ``chat_id``. The task returns the chat's slim form from
    Retell's response.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/chats.html
    - API: https://docs.retellai.com/api-references/rerun-chat-analysis

    :param chat_id: the chat (templated).
    :param on_clear: what happens when a user clears the task. ``"skip"`` (default): the analysis is not run again.
        ``"resend"``: it is run again, once.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises AirflowFailException: if Retell rejects the request, or it is unknown whether Retell processed it.
    """
