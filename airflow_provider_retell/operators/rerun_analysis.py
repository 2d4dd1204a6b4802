"""Base class of the operators that analyze a call or a chat again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.kinds import kind_of
from airflow_provider_retell.operators.at_most_once import AtMostOnceOperator
from airflow_provider_retell.operators.record import RecordOperator

if TYPE_CHECKING:
    from airflow_provider_retell._compat import Context


class RerunAnalysisOperator(RecordOperator, AtMostOnceOperator):
    """Base class of the operators that analyze a call or a chat again, at most once."""

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
