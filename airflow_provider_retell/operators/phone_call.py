"""The operator that places a phone call."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell._compat.task_context import task_state_store
from airflow_provider_retell.api.choices import UNTIL, Until
from airflow_provider_retell.api.errors import RESEND, DoNotCallError, RetellInputError
from airflow_provider_retell.api.phone_numbers.e164 import IGNORE
from airflow_provider_retell.links.retell import link_call
from airflow_provider_retell.operators.placing import PlacingOperator
from airflow_provider_retell.operators.task_try import CALL_KEY_METADATA, TaskTry, find_call
from airflow_provider_retell.operators.unreachable import OUTCOME, OnUnreachable, check_on_unreachable, skip
from airflow_provider_retell.params import checks

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.calls.models import Call
    from airflow_provider_retell.operators.at_most_once import OnClear

log = logging.getLogger(__name__)


class CreatePhoneCallOperator(PlacingOperator):
    """Place one phone call, at most once whatever crashes.

    ::

        from airflow_provider_retell.operators import CreatePhoneCallOperator

        CreatePhoneCallOperator(
            task_id="call_customer",
            from_number="{{ var.value.retell_number }}",
            to_number="{{ ti.xcom_pull('pick_customer')['phone'] }}",
            retell_llm_dynamic_variables={"name": "{{ ti.xcom_pull('pick_customer')['name'] }}"},
        )

    The request has an idempotency key that all tries of the task share: for an hour Retell responds to a repeat with
    the call that it has placed. The call also carries the key in its metadata (``airflow_call_key``). A later try
    searches for it before it dials, so the hour is no limit, unless the metadata is replaced or the call is deleted. On
    Airflow 3.3 and later, the task's state store has the call's id too.

    The task returns the call's ids, status, settings, times, cost and metadata keys. ``call_cost`` has ``cents`` (US
    cents) and ``seconds`` (billed time), if Retell knows them. It also pushes
    ``outcome`` to XCom: ``placed``, or the reason of a skip, ``invalid_number`` or ``do_not_call``.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/placing.html
    - API: https://docs.retellai.com/api-references/create-phone-call

    :param from_number: a number of your organization, in E.164 format (templated).
    :param to_number: the number to call, in E.164 format (templated). Numbers are neither logged nor shown.
    :param metadata: stored with the call: a dict, or a template that renders to a JSON object (templated).
    :param retell_llm_dynamic_variables: texts by name that fill the agent's prompts (templated). Write the agent's own
        variables as ``{% raw %}{{name}}{% endraw %}``.
    :param override_agent_id: the agent of the call, in place of the number's agent (templated).
    :param override_agent_version: a version number, ``latest``, ``latest_published`` or a tag (templated).
    :param agent_override: settings of the agent for this call only.
    :param custom_sip_headers: SIP headers of the call, texts by name: a dict, or a template that renders to a JSON
        object (templated).
    :param ignore_e164_validation: True to accept numbers in other formats (custom telephony).
    :param honor_internal_dnc: True to let Retell reject contacts that are marked as do-not-call.
    :param on_invalid_number: what happens if ``to_number`` is empty or not a phone number. ``"fail"`` (default): the
        task fails without retries. ``"skip"``: it is skipped.
    :param on_do_not_call: the same if Retell rejects the contact as do-not-call.
    :param on_clear: what happens when a user clears the task. ``"skip"`` (default): the task keeps the call that it has
        placed, and nobody is called again. ``"resend"``: it places another call, once.
    :param wait_until: None (default) returns as soon as Retell has accepted the call. ``"ended"``, ``"analyzed"`` or
        ``"transfer_ended"`` waits for that state, see ``CallSensor``. ``deferrable``, ``poll_interval`` (default: 30
        seconds), ``wait_timeout`` (default: 2 hours) and ``max_poll_failures`` (default: 10) configure the wait, and
        must not be set without it.
    :param analysis_fields: the fields of the analysis that the result contains, as ``analysis``, see ``CallSensor``.
        Requires ``wait_until="analyzed"``. Default: none.
    :param stop_on_kill: True to hang up if the task is killed while it waits, or reaches ``execution_timeout``. In a
        deferred wait this requires Airflow 3.3 or later.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises AirflowFailException: if a retry cannot help: invalid input (nothing was sent), or Retell rejects the call.
    :raises WaitTimeoutError: if the wait reached ``wait_timeout``. A retry waits for the same call.
    """

    template_fields: Sequence[str] = ("to_number", *PlacingOperator.template_fields)
    masked_fields: Sequence[str] = ("to_number", *PlacingOperator.masked_fields)
    text_names: Sequence[str] = ("to_number", *PlacingOperator.text_names)

    def __init__(
        self,
        *,
        from_number: str | XComArg,
        to_number: str | XComArg,
        metadata: Mapping[str, Any] | str | XComArg | None = None,
        retell_llm_dynamic_variables: Mapping[str, str] | str | XComArg | None = None,
        override_agent_id: str | XComArg | None = None,
        override_agent_version: int | str | XComArg | None = None,
        agent_override: Mapping[str, Any] | None = None,
        custom_sip_headers: Mapping[str, str] | str | XComArg | None = None,
        ignore_e164_validation: bool | None = None,
        honor_internal_dnc: bool | None = None,
        on_invalid_number: OnUnreachable = "fail",
        on_do_not_call: OnUnreachable = "fail",
        on_clear: OnClear = "skip",
        wait_until: Until | None = None,
        analysis_fields: Sequence[str] = (),
        stop_on_kill: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            from_number=from_number,
            metadata=metadata,
            retell_llm_dynamic_variables=retell_llm_dynamic_variables,
            override_agent_id=override_agent_id,
            override_agent_version=override_agent_version,
            agent_override=agent_override,
            custom_sip_headers=custom_sip_headers,
            ignore_e164_validation=ignore_e164_validation,
            honor_internal_dnc=honor_internal_dnc,
            on_clear=on_clear,
            stop_on_kill=stop_on_kill,
            **kwargs,
        )
        check_on_unreachable(on_invalid_number=on_invalid_number, on_do_not_call=on_do_not_call)
        if on_do_not_call == "skip" and not honor_internal_dnc:
            raise ValueError(
                "on_do_not_call='skip' requires honor_internal_dnc=True: Retell does not check otherwise"
            )
        checks.one_of("wait_until", wait_until, (*UNTIL, None))
        self.check_wait(wait_until)
        self.check_effect("wait_until", wait_until is not None, stop_on_kill=stop_on_kill)
        if not self.from_mapped and not ignore_e164_validation:
            checks.phone_number("to_number", to_number, IGNORE)
        self.to_number = to_number
        self.on_invalid_number = on_invalid_number
        self.on_do_not_call = on_do_not_call
        self.wait_until = wait_until
        self.analysis_fields = checks.analysis_fields(analysis_fields, wait_until=wait_until)

    def work(self, context: Context) -> dict[str, Any]:
        """Place the call unless an earlier try has placed it, and wait if ``wait_until`` is set."""
        task_try, store = TaskTry.of(context, self), task_state_store(context)
        earlier = self._find_earlier_call(context, task_try)
        try:
            to_number = self.phone_number(self.to_number, "to_number")
        except RetellInputError as error:
            if earlier is not None:
                self._fail_for_number(earlier)
            skip(context, "invalid_number", self.on_invalid_number, error)
            raise
        try:
            call = earlier or self.place(context, to_number, {CALL_KEY_METADATA: task_try.key}, task_try.key)
        except DoNotCallError as error:
            skip(context, "do_not_call", self.on_do_not_call, error)
            raise
        if store:
            store.set(task_try.key, call.call_id)
        context["ti"].xcom_push(key=OUTCOME, value="placed")
        link_call(self, context, call.call_id)
        self._check_number(call, to_number)
        log.info(
            "Call %s: placed%s, now %s",
            call.call_id,
            " by an earlier try" if earlier else "",
            call.call_status,
        )
        if self.wait_until is None:
            return call.slim()
        return self.wait_for_call(
            call.call_id,
            self.wait_until,
            stop_on_kill=self.stop_on_kill,
            analysis_fields=self.analysis_fields,
        )

    def after_wait(
        self, context: Context, record_id: str, deadline: float | None = None, **_state: Any
    ) -> dict[str, Any]:
        """Read the call and return its slim form. This is the last poll of the wait, and tolerates failures as such."""
        return self.wait_for_call(
            record_id,
            self.wait_until or "ended",
            stop_on_kill=self.stop_on_kill,
            deadline=deadline,
            analysis_fields=self.analysis_fields,
        )

    def _find_earlier_call(self, context: Context, task_try: TaskTry) -> Call | None:
        store = task_state_store(context)
        call_id = store.get(task_try.key) if store else None
        if call_id is not None:
            return self.stored_call(call_id)
        if task_try.is_first and not task_try.rescheduled:
            return None
        return find_call(self.hook, task_try.key)

    def _check_number(self, call: Call, to_number: str) -> None:
        """Raise if an earlier try called another number, which happens if the input of a mapped task changes."""
        if not self.ignore_e164_validation and call.to_number not in (None, to_number):
            self._fail_for_number(call)

    def _fail_for_number(self, call: Call) -> NoReturn:
        raise AirflowFailException(
            f"Call {call.call_id}, which this task placed before, went to another number than the task has now. The "
            "input of the mapped task may have changed. Nobody was called. To call the new number, "
            f"{RESEND}"
        )
