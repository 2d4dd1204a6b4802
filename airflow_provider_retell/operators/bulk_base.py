"""Base class of the operators that bring many records to the state of rows."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.operators.rows_base import RowsOperator
from airflow_provider_retell.params.rendered import as_bool

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.bulk.outcome import FailureLimits
    from airflow_provider_retell.bulk.report import Report
    from airflow_provider_retell.bulk.resource import Difference, Resource
    from airflow_provider_retell.bulk.rows import Rows
    from airflow_provider_retell.hooks.retell import RetellAsyncHook

log = logging.getLogger(__name__)


class BulkOperator(RowsOperator):
    """Base class of the operators that compare rows with records and send the differences.

    They create the :class:`~airflow_provider_retell.bulk.resource.Resource` of a run in :meth:`resource`.

    :cvar show_values: True if a dry run logs the values of the first differences too.
    """

    template_fields: Sequence[str] = ("rows", "dry_run", "report_path", "report_conn_id", "retell_conn_id")

    show_values = False

    def __init__(self, *, dry_run: bool | str | XComArg = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Hides BaseOperator.dry_run(), which Airflow 3 does not call and Airflow 2 only in `airflow tasks test -n`.
        self.dry_run = dry_run  # type: ignore[method-assign,assignment]
        self._differences: list[Difference] = []

    @abstractmethod
    def resource(self, hook: RetellAsyncHook, rows: Rows) -> Resource[Any, Any]:
        """Return the kind of record, for one run.

        :param hook: the open hook of the run.
        :param rows: the source of the rows.
        """

    async def process(self, context: Context, limits: FailureLimits, report: Report) -> None:
        """Compare all rows with the records, and send the differences."""
        from airflow_provider_retell.bulk.engine import BulkUpdate

        dry_run = as_bool(self.dry_run, "dry_run")
        rows = self.open_rows(context, report)
        async with self.new_hook() as hook:
            resource = self.resource(hook, rows)
            update = BulkUpdate(
                hook,
                rows,
                resource,
                report,
                self.concurrency,
                limits,
                row_limits=self.row_limits(),
                dry_run=dry_run,
            )
            self._differences = update.differences
            self._progress = update.progress
            await update.run()

    def log_details(self) -> None:
        """Log the first differences that a dry run found."""
        for difference in self._differences:
            log.info("Would %s: %s", difference.action, ", ".join(difference.changed))
            if self.show_values:
                for key, before in difference.before.items():
                    log.info("  %s: %r -> %r", key, before, difference.after[key])
