"""The operator that places many phone calls with one request."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import AirflowFailException, AirflowSkipException
from airflow_provider_retell.api.errors import RESEND, RetellError
from airflow_provider_retell.hooks.metrics import count_calls_placed
from airflow_provider_retell.operators.at_most_once import AtMostOnceOperator, SentRequests
from airflow_provider_retell.operators.batch_tasks import BatchTasks
from airflow_provider_retell.operators.same_request import REQUEST_DIGEST_METADATA, check_same
from airflow_provider_retell.operators.task_try import CALL_KEY_METADATA, find_call
from airflow_provider_retell.operators.unreachable import OnUnreachable, check_on_unreachable
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.masked import unmask
from airflow_provider_retell.params.rendered import as_epoch_milliseconds, as_list, as_phone_number, is_empty

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.calls.models import BatchCall
    from airflow_provider_retell.operators.same_request import Subject

log = logging.getLogger(__name__)

PEOPLE = "from_number, tasks or do_not_call"


class CreateBatchCallOperator(AtMostOnceOperator):
    """Place many phone calls with one request.

    ::

        from airflow_provider_retell.operators import CreateBatchCallOperator

        CreateBatchCallOperator(
            task_id="call_all",
            from_number="{{ var.value.retell_number }}",
            tasks="{{ ti.xcom_pull('pick_customers') }}",
        )

    Retell has no idempotency key for batches, so the request is sent at most once. Each call carries the key of the
    task in its metadata (``airflow_call_key``). If it is unknown whether Retell processed the request, in this try or
    an earlier one, the task searches for a call with the key, and then fails without retries: its message says whether
    the batch was sent. It sends nothing until a user sets ``on_clear="resend"`` and clears it. On Airflow 3.3 and
    later, the task's state store has the result, and later tries return it. A later try with other people fails: name
    and times of the batch may differ, and so may the order of the people.

    The task returns ``batch_call_id`` and ``total_task_count``, the parameters of ``BatchCallSensor``, and, if people
    can be skipped, ``skipped``: the indexes of their ``tasks`` by reason. If nobody is left to call, the task is
    skipped.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/placing.html
    - API: https://docs.retellai.com/api-references/create-batch-call

    :param from_number: a number of your organization, in E.164 format (templated).
    :param tasks: a list of dicts with ``to_number`` and, for each call, the fields of create-phone-call: ``metadata``,
        ``retell_llm_dynamic_variables``, ``override_agent_id`` and others (templated). Write the agent's own variables
        as ``{% raw %}{{name}}{% endraw %}``. Neither logged nor shown.
    :param do_not_call: phone numbers that must not be called, in E.164 format: a list, or a template that renders to
        one (templated). Retell does not check a batch against its own do-not-call list. Neither logged nor shown.
    :param on_invalid_number: what happens if a ``to_number`` is empty or not a phone number. ``"fail"`` (default): the
        task fails without retries, and nobody is called. ``"skip"``: only the other people are called.
    :param on_do_not_call: the same for a number in ``do_not_call``.
    :param allow_duplicates: True to call the same number several times. By default that is an error.
    :param name: the name of the batch in the dashboard (templated).
    :param trigger_timestamp: the start: epoch milliseconds, a datetime with a time zone, or the text of either
        (templated). Default: now. An empty value is an error, so that it does not start the calls at once.
    :param reserved_concurrency: the number of concurrent calls to keep free for other use.
    :param call_time_window: the hours in which calls may start, for example ``{"windows": [{"start": 540, "end":
        1020}], "timezone": "Europe/Berlin", "day": ["Monday"]}``: minutes since midnight, which a window cannot cross,
        and English names of days. Set ``timezone``: Retell's default is America/Los_Angeles.
    :param preflight: True to check first that ``from_number`` exists, that every call has an agent, and that no agent
        is missing or suspended: one clear error in place of a batch whose calls all fail. Costs one request, and one
        per page of the organization's agents.
    :param on_clear: what happens when a user clears the task. ``"skip"`` (default): the batch is not sent again.
        ``"resend"``: it is sent again, once.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises AirflowFailException: if the input is invalid (nothing was sent), Retell rejects the batch, or it is unknown
        whether Retell processed it.
    """

    template_fields: Sequence[str] = (
        "from_number",
        "tasks",
        "do_not_call",
        "name",
        "trigger_timestamp",
        "retell_conn_id",
    )
    masked_fields: Sequence[str] = ("from_number", "tasks", "do_not_call")
    text_names: Sequence[str] = ("from_number", "to_number")
    agent_fields: Sequence[str] = ("tasks",)

    def __init__(
        self,
        *,
        from_number: str | XComArg,
        tasks: Sequence[Mapping[str, Any]] | str | XComArg,
        do_not_call: Sequence[str] | str | XComArg | None = None,
        on_invalid_number: OnUnreachable = "fail",
        on_do_not_call: OnUnreachable = "fail",
        allow_duplicates: bool = False,
        name: str | XComArg | None = None,
        trigger_timestamp: float | str | datetime | XComArg | None = None,
        reserved_concurrency: int | None = None,
        call_time_window: Mapping[str, Any] | None = None,
        preflight: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if reserved_concurrency is not None:
            checks.whole_number("reserved_concurrency", reserved_concurrency, 0)
        checks.mapping(call_time_window=call_time_window)
        checks.text(**{"call_time_window.timezone": (call_time_window or {}).get("timezone")})
        checks.flag(allow_duplicates=allow_duplicates, preflight=preflight)
        check_on_unreachable(on_invalid_number=on_invalid_number, on_do_not_call=on_do_not_call)
        skipping = on_do_not_call if on_do_not_call == "skip" else None
        self.check_effect("do_not_call", do_not_call is not None, on_do_not_call=skipping)
        if not self.from_mapped:
            checks.phone_number("from_number", from_number)
        self.from_number = from_number
        self.tasks = tasks
        self.do_not_call = do_not_call
        self.on_invalid_number: OnUnreachable = on_invalid_number
        self.on_do_not_call: OnUnreachable = on_do_not_call
        self.allow_duplicates = allow_duplicates
        self.name = name
        self.trigger_timestamp = trigger_timestamp
        self.reserved_concurrency = reserved_concurrency
        self.call_time_window = call_time_window
        self.preflight = preflight

    def work(self, context: Context) -> dict[str, Any]:
        """Send the batch, once."""
        from airflow_provider_retell.api.calls.endpoints import create_batch_call

        from_number = as_phone_number(unmask(self.from_number), "from_number")
        batch = BatchTasks.select(
            as_list(unmask(self.tasks), "tasks"),
            do_not_call=self.rendered("do_not_call", as_list) or (),
            on_invalid_number=self.on_invalid_number,
            on_do_not_call=self.on_do_not_call,
            allow_duplicates=self.allow_duplicates,
        )
        sent = SentRequests(context, self)
        if not batch.tasks:
            self._check_unsent(sent)
            context["ti"].xcom_push(key="skipped", value=batch.skipped)
            raise AirflowSkipException(f"There is nobody to call: {batch.summary()}. No batch was sent")
        subject = {PEOPLE: self.private_digest([from_number, batch.sorted()], sent.key)}
        request = create_batch_call(
            from_number,
            batch.with_marks({CALL_KEY_METADATA: sent.key, REQUEST_DIGEST_METADATA: subject[PEOPLE]}),
            name=None if is_empty(self.name) else str(self.name),
            trigger_timestamp=self.rendered("trigger_timestamp", as_epoch_milliseconds),
            reserved_concurrency=self.reserved_concurrency,
            call_time_window=self.call_time_window,
        )
        count = len(batch.tasks)
        if self.preflight and sent.may_send:
            self._check(from_number, batch, sent)
        is_earlier = bool(sent.records)

        def accepted(response: BatchCall) -> dict[str, Any]:
            total = count if response.total_task_count is None else int(response.total_task_count)
            result = {"batch_call_id": response.batch_call_id, "total_task_count": total}
            count_calls_placed(total, context["ti"])
            log.info("Batch %s: %s", result["batch_call_id"], batch.summary())
            return result

        result = self.send_once(
            context,
            request,
            accepted,
            "Check whether Retell's dashboard shows the batch (Batch Call)",
            subject=subject,
            sent=sent,
            find=lambda _: self._find(sent.key, count, subject),
        )
        if is_earlier:
            log.info("Batch %s: found the batch of an earlier try", result["batch_call_id"])
        can_skip = "skip" in (self.on_invalid_number, self.on_do_not_call)
        return {**result, "skipped": batch.skipped} if can_skip else result

    def _check_unsent(self, sent: SentRequests) -> None:
        """Raise if an earlier try may have sent a batch, although nobody is left to call now."""
        if sent.may_send:
            return
        if sent.records or sent.sending_since is not None or find_call(self.hook, sent.key) is not None:
            raise AirflowFailException(
                "Nobody is left to call, but an earlier try of this task may have sent a batch. Check whether Retell's "
                "dashboard shows the batch (Batch Call). If that batch does not "
                f"matter, {RESEND}: the task calls nobody and is skipped"
            )

    def _check(self, from_number: str, batch: BatchTasks, sent: SentRequests) -> None:
        from airflow_provider_retell.api.calls.preflight import check_batch

        try:
            self.hook.run(check_batch(from_number, batch.tasks))
        except RetellError as error:
            self._fail_unprocessed(sent, error)

    def _find(self, key: str, count: int, subject: Subject) -> dict[str, Any] | None:
        """Return the result of an earlier request. Calls of a batch that has not started yet are not found.

        :raises AirflowFailException: if Retell has called other people, or does not show the id of the batch.
        """
        call = find_call(self.hook, key)
        if call is None:
            return None
        check_same(
            "sent create-batch-call", {PEOPLE: (call.metadata or {}).get(REQUEST_DIGEST_METADATA)}, subject
        )
        batch_call_id = getattr(call, "batch_call_id", None)  # not part of Retell's documentation of a call
        if batch_call_id is None:
            raise AirflowFailException(
                f"This task has already sent the batch, and {call.call_id} is one of its calls. It is not sent again. "
                "Retell's response does not have the batch's id: see Retell's dashboard (Batch Call). To call "
                f"everybody again, {RESEND}"
            )
        log.info("Batch %s: found the batch of an earlier request", batch_call_id)
        return {"batch_call_id": batch_call_id, "total_task_count": count}
