"""Place phone calls: one, or a batch. They cost money and ring at somebody's, so nothing here dials twice."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.operators.at_most_once import (
    OnClear,
    check_on_clear,
    generation,
    recall,
    remember,
    task_key,
)
from airflow_provider_retell.operators.base import WaitingOperator, check_flags, linked_call_id
from airflow_provider_retell.params.masked import MaskedField, as_object, as_text
from airflow_provider_retell.params.phone_numbers import phone_number

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell.api.calls.models import Call, Until

__all__ = ["CreatePhoneCallOperator"]

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
    :param on_clear: what a deliberate clear of the task does. ``"skip"`` (default): the call that was placed is the
        task's call still, nobody is called again. ``"resend"``: it dials anew, once.
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

    from_number = MaskedField()
    to_number = MaskedField()
    metadata = MaskedField()
    retell_llm_dynamic_variables = MaskedField()

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
        on_clear: OnClear = "skip",
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
        key = task_key(context["ti"], generation(context["ti"], self) if self.on_clear == "resend" else 0)
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
                "organization now. Nobody was called. To call anew, clear this task with on_clear='resend'"
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
            "on_clear='resend'"
        )
