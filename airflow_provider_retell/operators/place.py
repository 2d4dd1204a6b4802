"""Place phone calls: one, or a batch. They cost money and ring at somebody's, so nothing here dials twice."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.operators.base import WaitingOperator, check_flags, linked_call_id
from airflow_provider_retell.operators.moment import epoch_milliseconds
from airflow_provider_retell.operators.numbers import batch_target, phone_number
from airflow_provider_retell.operators.once import (
    OnceOperator,
    OnClear,
    check_on_clear,
    generation,
    recall,
    remember,
    task_key,
)
from airflow_provider_retell.operators.sealed import SealedField, as_list, as_object, as_text

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell.api.models import BatchCall, Call
    from airflow_provider_retell.triggers.call import Until

__all__ = ["CreateBatchCallOperator", "CreatePhoneCallOperator"]

log = logging.getLogger(__name__)

MARK = "airflow_call_key"
"""The metadata key under which a placed call carries the key of the task that placed it."""


class CreatePhoneCallOperator(WaitingOperator):
    """Place a phone call, once, whatever crashes; returns its slim form.

    The request carries an idempotency key made of DAG, run, task and map index, not of the try: for an hour Retell
    answers a repeat with the call that it has placed. The call carries the key in its metadata too
    (``airflow_call_key``), and a second try looks for it there before it dials, so that an hour is not the limit;
    an update that replaces the metadata or a deletion of the call takes it away. On Airflow 3.3 and later the call's
    id also stands in the task's state store. ``docs/placing.md`` lists what was tried.

    API: https://docs.retellai.com/api-references/create-phone-call

    :param from_number: a number of your organization, in E.164 form (templated).
    :param to_number: whom to call, in E.164 form (templated). Numbers are not logged or shown.
    :param metadata: stored with the call: a dict, or text that renders to a JSON object (templated).
    :param retell_llm_dynamic_variables: text by name, filled into the agent's prompts (templated).
    :param override_agent_id: the agent that speaks, in place of the number's (templated).
    :param override_agent_version: a version number, ``latest``, ``latest_published`` or a tag (templated).
    :param agent_override: settings of the agent for this call only.
    :param custom_sip_headers: SIP headers of the call.
    :param ignore_e164_validation: True to let other than E.164 numbers through (custom telephony).
    :param honor_internal_dnc: True makes Retell refuse contacts on your do-not-call list.
    :param on_clear: what a deliberate clear of the task does. ``"same"`` (default): the call that was placed is the
        task's call still, nobody is called again. ``"new"``: it dials anew, once.
    :param wait_until: None (default) returns when Retell has taken the call; ``"ended"`` or ``"analyzed"`` waits
        for that, as ``deferrable``, ``poll_interval`` (30 s), ``wait_timeout`` (7200 s) and ``max_poll_failures`` (10)
        say.
    :param stop_on_kill: True to hang up if the task is killed while it waits. Off by default. A deferred wait learns
        of it on Airflow 3.3 and later only.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    """

    template_fields: Sequence[str] = (
        "from_number",
        "to_number",
        "metadata",
        "retell_llm_dynamic_variables",
        "override_agent_id",
        "override_agent_version",
        "retell_conn_id",
    )

    from_number = SealedField()
    to_number = SealedField()
    metadata = SealedField()
    retell_llm_dynamic_variables = SealedField()

    def __init__(
        self,
        *,
        from_number: str | XComArg,
        to_number: str | XComArg,
        metadata: Mapping[str, Any] | str | XComArg | None = None,
        retell_llm_dynamic_variables: Mapping[str, str] | str | XComArg | None = None,
        override_agent_id: str | None = None,
        override_agent_version: int | str | None = None,
        agent_override: Mapping[str, Any] | None = None,
        custom_sip_headers: Mapping[str, str] | None = None,
        ignore_e164_validation: bool | None = None,
        honor_internal_dnc: bool | None = None,
        on_clear: OnClear = "same",
        wait_until: Until | None = None,
        stop_on_kill: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_on_clear(on_clear)
        check_flags(
            ignore_e164_validation=ignore_e164_validation,
            honor_internal_dnc=honor_internal_dnc,
            stop_on_kill=stop_on_kill,
        )
        if wait_until not in (None, "ended", "analyzed"):
            raise ValueError(f"wait_until is 'ended', 'analyzed' or None, not {wait_until!r}")
        self.from_number = from_number
        self.to_number = to_number
        self.metadata = metadata
        self.retell_llm_dynamic_variables = retell_llm_dynamic_variables
        self.override_agent_id = override_agent_id
        self.override_agent_version = override_agent_version
        self._chosen = [
            name
            for name in ("override_agent_id", "override_agent_version")
            if getattr(self, name) is not None
        ]
        self.agent_override = agent_override
        self.custom_sip_headers = custom_sip_headers
        self.ignore_e164_validation = ignore_e164_validation
        self.honor_internal_dnc = honor_internal_dnc
        self.on_clear = on_clear
        self.wait_until = wait_until
        self.stop_on_kill = stop_on_kill
        self._waiting_for: str | None = None

    def work(self, context: Any) -> dict[str, Any]:
        """Place the call unless an earlier try did, and wait if that was asked for."""
        key = task_key(context["ti"], generation(context["ti"], self) if self.on_clear == "new" else 0)
        to_number = self._number("to_number")
        call = self._placed_before(context, key)
        placed = "placed by an earlier try" if call is not None else "placed"
        call = call or self._place(key, to_number)
        remember(context, key, call.call_id)
        call_id = linked_call_id(context, call.call_id)
        self._check_number(call, to_number)
        log.info("Call %s: %s, now %s", call_id, placed, call.call_status)
        if self.wait_until is None:
            return call.slim()
        self._waiting_for = call_id
        return self.wait_for(call_id, self.wait_until, stop_on_kill=self.stop_on_kill).slim()

    def after_wait(self, context: Any, call_id: str) -> dict[str, Any]:
        """Return the call as it is now; to read it is the last look of the wait, and may fail as the others may."""
        until = self.wait_until or "ended"
        return self.wait_for(call_id, until, stop_on_kill=self.stop_on_kill, deadline=self._deadline).slim()

    def on_kill(self) -> None:
        """Hang up, if that was asked for."""
        if not self.stop_on_kill or self._waiting_for is None:
            return
        from airflow_provider_retell.api.errors import RetellError

        try:
            self.hook.stop_call(self._waiting_for)
        except RetellError as error:
            log.warning("Call %s could not be stopped: %s", self._waiting_for, error)

    def _placed_before(self, context: Any, key: str) -> Call | None:
        remembered = recall(context, key)
        if remembered is not None:
            return self._remembered(remembered)
        if context["ti"].try_number == 1:
            return None
        marked = {"metadata": [{"type": "string", "op": "eq", "value": key, "key": MARK}]}
        return next(self.hook.list_calls(filter_criteria=marked, page_size=1), None)

    def _remembered(self, call_id: str) -> Call:
        from airflow_provider_retell.api.errors import NotFoundError

        try:
            return self.hook.get_call(call_id)
        except NotFoundError as error:
            raise AirflowFailException(
                f"Call {call_id}, which this task placed before, was deleted, or the connection leads to another "
                "organization now. Nobody was called. To call anew, clear this task with on_clear='new'"
            ) from error

    def _place(self, key: str, to_number: str) -> Call:
        metadata = as_object(self.metadata, "metadata") or {}
        agent, version = self._choice("override_agent_id"), self._choice("override_agent_version")
        variables: Any = as_object(self.retell_llm_dynamic_variables, "retell_llm_dynamic_variables")
        return self.hook.create_phone_call(
            self._number("from_number"),
            to_number,
            metadata={**metadata, MARK: key},
            retell_llm_dynamic_variables=variables,
            override_agent_id=agent,
            override_agent_version=int(version) if version is not None and version.isdecimal() else version,
            agent_override=self.agent_override,
            custom_sip_headers=self.custom_sip_headers,
            ignore_e164_validation=self.ignore_e164_validation,
            honor_internal_dnc=self.honor_internal_dnc,
            idempotency_key=key,
        )

    def _choice(self, name: str) -> str | None:
        """Return what chooses the agent; empty text stands for the number's own, None of a template does not."""
        value = getattr(self, name)
        return as_text(str(value), name) if name in self._chosen and value != "" else None

    def _number(self, name: str) -> str:
        return phone_number(getattr(self, name), name, only_e164=not self.ignore_e164_validation)

    def _check_number(self, call: Call, to_number: str) -> None:
        """Refuse a call to somebody else: the list that a mapped task's index points into may have changed."""
        if self.ignore_e164_validation or call.to_number in (None, to_number):
            return
        raise AirflowFailException(
            f"Call {call.call_id}, which this task placed before, went to another number than the task now has: what "
            "it is mapped over has changed, perhaps. Nobody was called. To call the new number, clear this task with "
            "on_clear='new'"
        )


class CreateBatchCallOperator(OnceOperator):
    """Place many phone calls with one request; returns the batch's id and size, for ``BatchCallSensor``.

    Retell has no idempotency key for batches, so the request is sent once: a try that ends without an answer fails
    the task for good, and a later try fails without sending if an earlier one may have sent the batch. On Airflow
    3.3 and later the task's state store knows whether one did, and a batch that Retell refused can be tried again;
    before, every later try counts as one that may have, a cleared one too. ``on_clear="new"`` sends the batch again
    when the task is cleared.

    API: https://docs.retellai.com/api-references/create-batch-call

    :param from_number: a number of your organization, in E.164 form (templated).
    :param tasks: a list of dicts with ``to_number`` and, for each call, what create-phone-call takes:
        ``metadata``, ``retell_llm_dynamic_variables``, ``override_agent_id`` … (templated). Not logged or shown.
    :param name: what the dashboard shows (templated).
    :param trigger_timestamp: when to start: epoch milliseconds, or a datetime with a zone, or text of either; now if
        left out (templated). A template that renders to nothing fails the task, rather than call at once.
    :param reserved_concurrency: how many concurrent calls to keep free for others.
    :param call_time_window: when calls may start, such as ``{"windows": [{"start": 540, "end": 1020}], "timezone":
        "Europe/Berlin", "day": ["Monday"]}``: minutes since midnight, which a window cannot cross, and days by their
        English names. Without ``timezone`` Retell takes America/Los_Angeles, so give it.
    :param on_clear: what a deliberate clear of the task does: ``"same"`` (default) never sends the batch again,
        ``"new"`` does, once.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    """

    template_fields: Sequence[str] = ("from_number", "tasks", "name", "trigger_timestamp", "retell_conn_id")
    operator_extra_links = ()

    from_number = SealedField()
    tasks = SealedField()

    def __init__(
        self,
        *,
        from_number: str | XComArg,
        tasks: Sequence[Mapping[str, Any]] | XComArg,
        name: str | None = None,
        trigger_timestamp: float | str | datetime | XComArg | None = None,
        reserved_concurrency: int | None = None,
        call_time_window: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.from_number = from_number
        self.tasks = tasks
        self.name = name
        self.trigger_timestamp = trigger_timestamp
        self._at_once = trigger_timestamp is None
        self.reserved_concurrency = reserved_concurrency
        self.call_time_window = call_time_window

    def work(self, context: Any) -> dict[str, Any]:
        """Send the batch, once."""
        from airflow_provider_retell.api.endpoints import create_batch_call

        tasks = [batch_target(task, index) for index, task in enumerate(as_list(self.tasks, "tasks") or ())]
        timestamp = None
        if not self._at_once:
            timestamp = epoch_milliseconds(self.trigger_timestamp, "trigger_timestamp")
        request = create_batch_call(
            phone_number(self.from_number, "from_number"),
            tasks,
            name=self.name or None,
            trigger_timestamp=timestamp,
            reserved_concurrency=self.reserved_concurrency,
            call_time_window=self.call_time_window,
        )
        result = self.send_once(
            context,
            request,
            lambda answer: _batch(answer, len(tasks)),
            "Look for the batch in Retell's dashboard (Batch Call)",
        )
        log.info("Batch %s: %d calls accepted", result["batch_call_id"], result["total_task_count"])
        return result


def _batch(answer: BatchCall, sent: int) -> dict[str, Any]:
    count = sent if answer.total_task_count is None else int(answer.total_task_count)
    return {"batch_call_id": answer.batch_call_id, "total_task_count": count}
