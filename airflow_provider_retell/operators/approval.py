"""The operator that asks people for approval by phone."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow_provider_retell._compat import AirflowFailException, SkipMixin
from airflow_provider_retell._compat.task_context import skip_tasks
from airflow_provider_retell.api.errors import RESEND, DoNotCallError
from airflow_provider_retell.api.phone_numbers.e164 import IGNORE
from airflow_provider_retell.clock import clock
from airflow_provider_retell.links.retell import link_call
from airflow_provider_retell.operators.approval_calls import ApprovalCalls
from airflow_provider_retell.operators.placing import PlacingOperator
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.masked import unmask
from airflow_provider_retell.params.rendered import as_list, as_object

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context

log = logging.getLogger(__name__)

OnNoDecision = Literal["fail", "reject"]
Decision = Literal["approved", "rejected", "no_decision"]

_NOT_A_PERSON = ("voicemail_reached", "ivr_reached")


class PhoneApprovalOperator(PlacingOperator, SkipMixin):
    """Ask people for approval by phone, one after the other, until one decides.

    ::

        from airflow_provider_retell.operators import PhoneApprovalOperator

        PhoneApprovalOperator(
            task_id="approve",
            from_number="{{ var.value.retell_number }}",
            to_numbers=["{{ var.value.first_approver }}", "{{ var.value.second_approver }}"],
            retell_llm_dynamic_variables={"change": "{{ params.change }}"},
            deferrable=True,
        )

    The task places a call, waits for its analysis, and reads one field of it. If the call gives no decision (no answer,
    voicemail, or an analysis without the field), it calls the next number. If the decision is no approval, the task
    succeeds and the tasks downstream are skipped.

    Retries, crashes and clears never call a number twice, and the first decision of all calls counts. An answer counts
    only for the question that was asked: if the variables, the agent or ``from_number`` have changed, a later try
    fails. The answer of a number that is no longer in ``to_numbers`` does not count.

    The task returns ``decision`` (``approved``, ``rejected`` or ``no_decision``), ``call_id`` and ``answered_at``, the
    end of the call that decided.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/approval.html
    - API: https://docs.retellai.com/api-references/create-phone-call

    :param from_number: a number of your organization, in E.164 format (templated).
    :param to_numbers: the numbers to call in this order, in E.164 format: a list, or a template that renders to one
        (templated). A number that occurs twice is called once. Numbers are neither logged nor shown.
    :param decision_field: the field of the analysis that decides: a key of ``custom_analysis_data``, or
        ``call_successful``. Default: ``approved``.
    :param approve_values: the values of the field that approve. Type and case must match exactly; every other value
        rejects, except null and blank text, which are no decision. Default: True and ``"yes"``.
    :param on_no_decision: what happens if no call gives a decision. ``"fail"`` (default): the task fails without
        retries. ``"reject"``: as if the last person had rejected, with the decision ``no_decision``.
    :param ignore_downstream_trigger_rules: True to skip all downstream tasks after a rejection. Default: only the
        direct ones, so that the trigger rules of the others apply. Teardown tasks are never skipped.
    :param fail_on_reject: True to fail after a rejection, without retries, instead of skipping tasks.
    :param metadata: stored with each call: a dict, or a template that renders to a JSON object (templated).
    :param retell_llm_dynamic_variables: texts by name that fill the agent's prompts (templated). Write the agent's own
        variables as ``{% raw %}{{name}}{% endraw %}``.
    :param override_agent_id: the agent of the calls, in place of the number's agent (templated).
    :param override_agent_version: a version number, ``latest``, ``latest_published`` or a tag (templated).
    :param agent_override: settings of the agent for these calls only.
    :param custom_sip_headers: SIP headers of the calls, texts by name: a dict, or a template that renders to a JSON
        object (templated).
    :param ignore_e164_validation: True to accept numbers in other formats (custom telephony).
    :param honor_internal_dnc: True to let Retell reject contacts that are marked as do-not-call. Such a number gives no
        decision.
    :param on_clear: what happens when a user clears the task. ``"skip"`` (default): the decision stays, and only
        numbers that were not called yet can be called. If the question has changed, the task fails. ``"resend"``: all
        are asked again, once.
    :param stop_on_kill: True to hang up if the task is killed while it waits, see ``CreatePhoneCallOperator``.
    :param deferrable: True to wait in the triggerer, without a worker slot. Default: Airflow's
        ``[operators] default_deferrable``.
    :param poll_interval: seconds between two polls, or a timedelta. Default: 30 seconds.
    :param wait_timeout: seconds after which the wait for one call and its analysis fails, or a timedelta. Default: 2
        hours. A retry waits for the same call.
    :param max_poll_failures: the number of consecutive failed polls that the wait tolerates. Default: 10.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises AirflowFailException: if nobody decided, or a retry cannot help: invalid input (nobody was called), an
        earlier try has asked another question, or Retell rejects a call.
    :raises WaitTimeoutError: if the wait reached ``wait_timeout``. Nobody else is called meanwhile.
    """

    template_fields: Sequence[str] = ("to_numbers", *PlacingOperator.template_fields)
    masked_fields: Sequence[str] = ("to_numbers", *PlacingOperator.masked_fields)
    text_names: Sequence[str] = ("to_numbers", *PlacingOperator.text_names)
    # Airflow reads this name before it lets a cleared downstream task run.
    inherits_from_skipmixin = True

    def __init__(
        self,
        *,
        from_number: str | XComArg,
        to_numbers: Sequence[str | XComArg] | str | XComArg,
        decision_field: str = "approved",
        approve_values: Sequence[bool | int | str] = (True, "yes"),
        on_no_decision: OnNoDecision = "fail",
        ignore_downstream_trigger_rules: bool = False,
        fail_on_reject: bool = False,
        metadata: Mapping[str, Any] | str | XComArg | None = None,
        retell_llm_dynamic_variables: Mapping[str, str] | str | XComArg | None = None,
        override_agent_id: str | XComArg | None = None,
        override_agent_version: int | str | XComArg | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            from_number=from_number,
            metadata=metadata,
            retell_llm_dynamic_variables=retell_llm_dynamic_variables,
            override_agent_id=override_agent_id,
            override_agent_version=override_agent_version,
            **kwargs,
        )
        checks.text(decision_field=decision_field)
        checks.analysis_fields([decision_field])
        checks.scalars("approve_values", approve_values)
        checks.one_of("on_no_decision", on_no_decision, get_args(OnNoDecision))
        after_rejection = {
            "ignore_downstream_trigger_rules": ignore_downstream_trigger_rules,
            "fail_on_reject": fail_on_reject,
        }
        checks.flag(**after_rejection)
        checks.exclusive(**after_rejection)
        if not self.from_mapped:
            self._check_literals(to_numbers)
        self.to_numbers = to_numbers
        self.decision_field = decision_field
        self.approve_values = approve_values
        self.on_no_decision = on_no_decision
        self.ignore_downstream_trigger_rules = ignore_downstream_trigger_rules
        self.fail_on_reject = fail_on_reject

    def _check_literals(self, to_numbers: object) -> None:
        if checks.is_literal(to_numbers):
            raise TypeError("to_numbers must be a list of phone numbers, or a template that renders to one")
        if not isinstance(to_numbers, (list, tuple)):
            return
        if not to_numbers:
            raise ValueError("to_numbers must have at least one entry")
        if not self.ignore_e164_validation:
            for position, number in enumerate(to_numbers):
                checks.phone_number(f"to_numbers[{position}]", number, IGNORE)

    def work(self, context: Context) -> dict[str, Any]:
        """Return the decision of an earlier try's call, or call the numbers that were not called yet."""
        return self._ask(context, ApprovalCalls(self, context, self._question()), 0)

    def after_wait(
        self, context: Context, record_id: str, deadline: float | None = None, **state: Any
    ) -> dict[str, Any]:
        """Continue with a call.

        :param state: the state of :class:`ApprovalCalls`.
        """
        calls = ApprovalCalls(self, context, self._question(), state)
        return self._ask(context, calls, calls.ids.index(record_id), deadline)

    def _question(self) -> dict[str, Any]:
        """Return the variables and the agent of the calls."""
        return {
            "from_number": self.phone_number(self.from_number, "from_number"),
            "variables": self.rendered("retell_llm_dynamic_variables", as_object),
            "agent_id": self._agent("override_agent_id"),
            "agent_version": self._agent("override_agent_version"),
            "agent_override": self.agent_override,
        }

    def _numbers(self) -> list[str]:
        """Return all numbers, each once. An invalid one is an error before the first call."""
        numbers = [
            self.phone_number(number, f"to_numbers[{position}]")
            for position, number in enumerate(as_list(unmask(self.to_numbers), "to_numbers"))
        ]
        if not numbers:
            raise AirflowFailException("to_numbers must have at least one entry. Nobody was called")
        return list(dict.fromkeys(numbers))

    def _ask(
        self, context: Context, calls: ApprovalCalls, position: int, deadline: float | None = None
    ) -> dict[str, Any]:
        """Wait for the calls from *position* on, then call the other numbers, until one call gives a decision.

        :param deadline: epoch seconds at which the wait for the first of these calls ends, if it has begun.
        """
        numbers = self._numbers()
        for call_id in calls.since(position):
            if not calls.went_to_one_of(numbers, call_id):
                log.info("Call %s: does not count, because its number is no longer in to_numbers", call_id)
                deadline = None
                continue
            if result := self._decide(context, call_id, calls, deadline):
                return result
            deadline = None
        for number in numbers:
            if calls.went_to(number):
                continue
            try:
                call_id = calls.place(number)
            except DoNotCallError as error:
                log.info("No decision: %s", error)
                continue
            log.info("Call %s: placed, number %d of %d", call_id, numbers.index(number) + 1, len(numbers))
            if result := self._decide(context, call_id, calls):
                return result
        return self._finish(context, "no_decision", calls.ids[-1] if calls.ids else None, None)

    def _decide(
        self, context: Context, call_id: str, calls: ApprovalCalls, deadline: float | None = None
    ) -> dict[str, Any] | None:
        """Wait for a call, and return the task's result if the call decides."""
        link_call(self, context, call_id)
        value, ended = self._value(call_id, calls.state(), deadline)
        if value is None:
            return None
        approved = any(type(value) is type(item) and value == item for item in self.approve_values)
        return self._finish(context, "approved" if approved else "rejected", call_id, ended)

    def _value(
        self, call_id: str, state: Mapping[str, Any], deadline: float | None
    ) -> tuple[Any, float | None]:
        """Return the value that decides and the end of the call, or None for both after logging the reason."""
        resumed = deadline
        deadline = clock().time() + self.wait_timeout if deadline is None else deadline
        call = self.wait_for_call(
            call_id, "ended", stop_on_kill=self.stop_on_kill, deadline=resumed, state=state
        )
        if call["call_status"] != "ended" and not call.get("duration_ms"):
            # It may never get an analysis.
            log.info("Call %s: no decision, because the call never connected", call_id)
            return None, None
        call = self.wait_for_call(
            call_id,
            "analyzed",
            stop_on_kill=self.stop_on_kill,
            deadline=deadline,
            analysis_fields=(self.decision_field, "in_voicemail"),
            state=state,
        )
        analysis = call["analysis"]
        if analysis["in_voicemail"] or call.get("disconnection_reason") in _NOT_A_PERSON:
            log.info("Call %s: no decision, because the call reached no person", call_id)
            return None, None
        value = analysis[self.decision_field]
        if value is None or (isinstance(value, str) and not value.strip()):
            log.warning(
                "Call %s: no decision, because the analysis has no value for %r. If this repeats, check that the "
                "agent's post-call analysis has this field",
                call_id,
                self.decision_field,
            )
            return None, None
        return value, call.get("end_timestamp")

    def _finish(
        self, context: Context, decision: Decision, call_id: str | None, ended: float | None
    ) -> dict[str, Any]:
        """Return the task's result, fail, or skip the tasks downstream."""
        answered = None if ended is None else datetime.fromtimestamp(ended / 1000, timezone.utc)
        result = {
            "decision": decision,
            "call_id": call_id,
            "answered_at": answered and answered.isoformat(timespec="seconds"),
        }
        log.info("Decision: %s%s", decision, f", by call {call_id}" if answered else "")
        if decision == "approved":
            return result
        if decision == "no_decision" and self.on_no_decision == "fail":
            raise AirflowFailException(
                f"No call gave a decision, and no number is left to call. To ask again, {RESEND}"
            )
        if self.fail_on_reject:
            raise AirflowFailException(f"Not approved: {decision}" + (f", call {call_id}" if call_id else ""))
        find = self.get_flat_relatives if self.ignore_downstream_trigger_rules else self.get_direct_relatives
        tasks = [task for task in find(upstream=False) if not task.is_teardown]
        if tasks:
            log.info("Downstream tasks to skip: %d", len(tasks))
            if self.do_xcom_push:
                context["ti"].xcom_push(key="return_value", value=result)
            skip_tasks(context, self, tasks)
        return result
