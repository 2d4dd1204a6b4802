"""The operator that analyzes a call again, and its base class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.records.nouns import kind_of
from airflow_provider_retell.operators.at_most_once import AtMostOnceOperator
from airflow_provider_retell.operators.call_base import CallOperator
from airflow_provider_retell.operators.record import RecordOperator

if TYPE_CHECKING:
    from airflow_provider_retell._compat import Context


class RerunAnalysisOperator(RecordOperator, AtMostOnceOperator):
    """Base class of the operators that analyze a call or a chat again."""

    def work(self, context: Context) -> dict[str, Any]:
        """Request the analysis."""
        record_id = self.selected_id(context)
        return self.send_once(
            context,
            kind_of(self.noun).rerun_analysis(record_id),
            lambda record: record.slim(),
            f"Check the {self.noun}'s analysis in Retell's dashboard",
            subject={f"{self.noun}_id": record_id},
        )


class RerunCallAnalysisOperator(CallOperator, RerunAnalysisOperator):
    """Analyze a call again, with the latest draft of its agent. Retell charges for it and sends no webhook.

    ::

        from airflow_provider_retell.operators import RerunCallAnalysisOperator

        RerunCallAnalysisOperator(task_id="analyze_again", call_id="{{ params.call_id }}")

    The request is sent at most once, because it costs money. If it is unknown whether Retell processed it, this try and
    all later ones fail. So does a later try with another ``call_id``. The task returns the call's slim form from
    Retell's response. Retell does not document whether the response already has the new analysis, so read the call
    later.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/live_calls.html
    - API: https://docs.retellai.com/api-references/rerun-call-analysis

    :param call_id: the call (templated).
    :param on_clear: what happens when a user clears the task. ``"skip"`` (default): the analysis is not run again.
        ``"resend"``: it is run again, once.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises AirflowFailException: if Retell rejects the request, or it is unknown whether Retell processed it.
    """
