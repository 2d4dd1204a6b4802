"""The operator for many calls."""

from __future__ import annotations

import asyncio
import copy
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow_provider_retell.api.choices import MetadataMode
from airflow_provider_retell.bulk.rows import CallableRows, Rows, as_rows
from airflow_provider_retell.operators.event_loop import LoopOperator
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.masked import unmask
from airflow_provider_retell.params.rendered import as_bool, as_list

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell.bulk.engine import BulkUpdate

__all__ = ["BulkUpdateCallOperator"]

log = logging.getLogger(__name__)

Tolerated = Literal["not_found", "not_ended"]


class BulkUpdateCallOperator(LoopOperator):
    """Bring many calls to the state that rows ask for, and change nothing else.

    Current metadata is read with list-calls, a thousand calls to a request; only calls that differ are updated, at
    the full quota and no faster. Running the task again therefore costs reads alone for what is already written:
    that is how it goes on after a crash. The task fails, after every row was tried, if any row failed.

    Returns a manifest: ``rows`` and how they ended (``updated``, or ``would_update`` in a dry run, ``unchanged``,
    ``not_found``, ``not_ended``, ``invalid``, ``conflict``, ``failed``, which add up to ``rows``), ``requests``,
    ``seconds``, ``waited_seconds``, ``report``, ``schema_version``. A failing task pushes it too. Each of the
    task's ``outlets`` gets the counts as its event's extra.

    :param rows: :class:`SqlRows`, :class:`FileRows`, a list of dicts (an upstream task's output, say), text
        that renders to such a list, or a function without arguments that returns dicts (templated).
    :param call_id_column: the column with the call's id. A second row for the same call is invalid.
    :param metadata_columns: the columns that become metadata: a list, or the metadata key by column; None (default)
        takes every column that has no other meaning.
    :param custom_attribute_columns: the columns that become custom attributes: a list, or the attribute's id by
        column. Calls do not show their attributes reliably, so rows that have any are always sent.
    :param data_storage_setting: what Retell keeps of every call; can only be tightened (templated).
    :param data_storage_setting_column: the column with the row's own setting; empty changes nothing.
    :param metadata_mode: ``"merge"`` (default) lays the row's keys over the call's, ``"fill"`` sets those that the
        call lacks, ``"replace"`` leaves nothing else.
    :param remove_metadata_keys: metadata keys to take away from every call in the rows, even if a row has them.
    :param dry_run: True to change nothing: the manifest and the report say what would be done, the log names the
        first differences by key (templated; "Rendered Templates" shows it as ``dry_run``).
    :param show_values: True to log the values of these differences too.
    :param report_path: where to write one line of JSON per row (row, call_id, outcome, reason, changed keys), on any
        ``ObjectStoragePath``: ``.jsonl`` or ``.ndjson``, or these with ``.gz`` (templated). :class:`FailedRows` reads
        it back.
    :param report_conn_id: the Airflow connection to the report's storage, if its default will not do (templated).
    :param concurrency: updates under way at once, each on a connection of its own; 1 to 256.
    :param quota: requests per seconds on each route, such as ``"100/10"``, in place of the connection's.
    :param max_failed_rows: how many rows may fail before the task does; 0 if neither limit is given.
    :param max_failed_ratio: which share of the rows may fail, 0 to 1. The task fails beyond either limit.
    :param tolerate: outcomes that do not count as failed: ``"not_found"``, ``"not_ended"``.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    """

    template_fields: Sequence[str] = (
        "rows",
        "data_storage_setting",
        "dry_run",
        "report_path",
        "report_conn_id",
        "retell_conn_id",
    )
    template_ext: Sequence[str] = (".sql",)  # of SqlRows
    operator_extra_links = ()

    masked_fields: Sequence[str] = ("rows",)

    def __init__(
        self,
        *,
        rows: Rows | str | Iterable[Mapping[str, Any]] | Callable[[], Iterable[Mapping[str, Any]]] | XComArg,
        call_id_column: str = "call_id",
        metadata_columns: Mapping[str, str] | Sequence[str] | None = None,
        custom_attribute_columns: Mapping[str, str] | Sequence[str] | None = None,
        data_storage_setting: str | None = None,
        data_storage_setting_column: str | None = None,
        metadata_mode: MetadataMode = "merge",
        remove_metadata_keys: Sequence[str] = (),
        dry_run: bool | str | XComArg = False,
        show_values: bool = False,
        report_path: str | None = None,
        report_conn_id: str | None = None,
        concurrency: int = 16,
        quota: str | None = None,
        max_failed_rows: int | None = None,
        max_failed_ratio: float | None = None,
        tolerate: Sequence[Tolerated] = (),
        retell_conn_id: str = "retell_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(retell_conn_id=retell_conn_id, **kwargs)
        if metadata_mode not in get_args(MetadataMode):
            raise ValueError(
                f"metadata_mode is one of {', '.join(get_args(MetadataMode))}, not {metadata_mode!r}"
            )
        if isinstance(tolerate, str) or not set(tolerate) <= set(get_args(Tolerated)):
            raise ValueError(f"tolerate is a list with {' and '.join(get_args(Tolerated))} in it, or neither")
        if data_storage_setting is not None and data_storage_setting_column is not None:
            raise ValueError("give data_storage_setting or data_storage_setting_column, not both")
        checks.flag(show_values=show_values)
        if isinstance(remove_metadata_keys, str):
            raise ValueError("remove_metadata_keys is a list of keys, not text")
        if not 1 <= concurrency <= 256:
            raise ValueError("concurrency is 1 to 256")
        if max_failed_rows is not None and max_failed_rows < 0:
            raise ValueError("max_failed_rows is 0 or more")
        if max_failed_ratio is not None and not 0 <= max_failed_ratio <= 1:
            raise ValueError("max_failed_ratio is 0 to 1")
        if isinstance(rows, Iterator):
            raise ValueError(
                "rows is an iterator, which another try finds empty: give the function that makes it"
            )
        if callable(rows):
            # Airflow calls a templated field that is callable, with arguments that this one does not take.
            rows = CallableRows(rows)
        elif isinstance(rows, Rows):
            # Airflow renders their templates in place, and the tasks of a mapped operator would share them.
            rows = copy.deepcopy(rows)
        self.rows = rows
        self.call_id_column = call_id_column
        self.metadata_columns = metadata_columns
        self.custom_attribute_columns = custom_attribute_columns
        self.data_storage_setting = data_storage_setting
        self.data_storage_setting_column = data_storage_setting_column
        self.metadata_mode = metadata_mode
        self.remove_metadata_keys = remove_metadata_keys
        self.dry_run = dry_run  # type: ignore[method-assign,assignment]
        self.show_values = show_values
        self.report_path = report_path
        self.report_conn_id = report_conn_id
        self._reports = report_path is not None
        self.concurrency = concurrency
        self.quota = quota
        self.max_failed_rows = max_failed_rows
        self.max_failed_ratio = max_failed_ratio
        self.tolerate = tuple(tolerate)

    def work(self, context: Any) -> dict[str, Any]:
        """Run the update; push the manifest whatever comes, then fail if too many rows did."""
        manifest: dict[str, Any] = {}
        try:
            self.run_loop(self._run(manifest))
        except asyncio.CancelledError:
            from airflow_provider_retell.bulk.errors import BulkStoppedError

            raise BulkStoppedError(
                f"Stopped on request after {manifest.get('rows', 0):,} rows. Run the task again: what was written is "
                "not written again"
            ) from None
        finally:
            if manifest:
                context["ti"].xcom_push(key="manifest", value=manifest)
                self._tell_outlets(context, manifest)
        self._judge(manifest)
        return manifest

    async def _run(self, manifest: dict[str, Any]) -> None:
        from airflow_provider_retell.api.errors import RetellInputError
        from airflow_provider_retell.api.quota import Rate
        from airflow_provider_retell.bulk.columns import Columns, renamed, storage_setting
        from airflow_provider_retell.bulk.engine import BulkUpdate
        from airflow_provider_retell.bulk.plan import Plan
        from airflow_provider_retell.bulk.report import Report
        from airflow_provider_retell.hooks.retell import RetellAsyncHook

        plan = Plan(
            columns=Columns(
                call_id=self.call_id_column,
                metadata=renamed(self.metadata_columns),
                custom_attributes=renamed(self.custom_attribute_columns),
                storage=storage_setting(self.data_storage_setting, "data_storage_setting"),
                storage_column=self.data_storage_setting_column,
            ),
            mode=self.metadata_mode,
            remove=frozenset(self.remove_metadata_keys),
            dry_run=as_bool(self.dry_run, "dry_run"),
        )
        both = plan.remove.intersection((plan.columns.metadata or {}).values())
        if both:
            raise RetellInputError(
                f"remove_metadata_keys takes away what metadata_columns sets: {', '.join(sorted(both))}"
            )
        given = unmask(self.rows)
        rows = as_rows(as_list(given, "rows") if given is None or isinstance(given, str) else given)
        # Native rendering makes None of a template without a value, which does not mean that no report is wanted.
        report = Report(str(self.report_path) if self._reports else None, self.report_conn_id)
        report.check(rows.files())
        quota = None if self.quota is None else Rate.parse(self.quota)
        async with RetellAsyncHook(self.retell_conn_id, connections=self.concurrency, quota=quota) as hook:
            bulk = BulkUpdate(hook, rows, plan, report, self.concurrency)
            try:
                await bulk.run()
            finally:
                manifest.update(bulk.manifest())
                self._log_differences(bulk)

    def _log_differences(self, bulk: BulkUpdate) -> None:
        for difference in bulk.differences:
            log.info("Would update %s: %s", difference.call_id, ", ".join(difference.changed))
            if self.show_values:
                for key, before in difference.before.items():
                    log.info("  %s: %r -> %r", key, before, difference.after[key])

    def _tell_outlets(self, context: Any, manifest: Mapping[str, Any]) -> None:
        counts = {name: value for name, value in manifest.items() if name != "report" and value is not None}
        for outlet in self.outlets or ():
            try:
                event = context["outlet_events"][outlet]
            except (KeyError, TypeError):
                continue  # lineage of another kind, which has no events
            event.extra = {**counts, "report": manifest["report"] or ""}

    def _judge(self, manifest: Mapping[str, Any]) -> None:
        from airflow_provider_retell.bulk.outcome import FAILURES

        bad = {name: manifest[name] for name in FAILURES if manifest[name] and name not in self.tolerate}
        count, rows = sum(bad.values()), manifest["rows"]
        most = 0 if self.max_failed_rows is None and self.max_failed_ratio is None else self.max_failed_rows
        within_rows = most is None or count <= most
        within_ratio = self.max_failed_ratio is None or count <= self.max_failed_ratio * rows
        if within_rows and within_ratio:
            if count:
                log.warning("%d of %d rows failed, within the limits of this task", count, rows)
            return
        from airflow_provider_retell.bulk.errors import RowsFailedError

        listed = ", ".join(f"{number:,} {name}" for name, number in bad.items())
        where = manifest["report"] or "no report was asked for: set report_path to see which"
        error = RowsFailedError(f"{count:,} of {rows:,} rows failed ({listed}). Which ones and why: {where}")
        # Another try helps only rows that met a fault, or whose call goes on.
        error.permanent = not ({"failed", "not_ended"} & bad.keys())
        raise error
