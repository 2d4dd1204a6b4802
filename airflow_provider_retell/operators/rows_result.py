"""The end of a task that processes rows: its manifest, and its result."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import AirflowFailException, AirflowSkipException, add_asset_event
from airflow_provider_retell.bulk.errors import RowsFailedError
from airflow_provider_retell.common.wording import counted
from airflow_provider_retell.hooks.metrics import count_rows

if TYPE_CHECKING:
    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.bulk.outcome import FailureLimits
    from airflow_provider_retell.bulk.row_limits import RowLimits

log = logging.getLogger(__name__)

MANIFEST_KEY = "manifest"
"""The XCom key of the manifest."""


def publish(context: Context, manifest: Mapping[str, Any], outlets: Iterable[Any]) -> None:
    """Push *manifest* to XCom, count its rows in Airflow's metrics, and add it to the events of the *outlets*."""
    context["ti"].xcom_push(key=MANIFEST_KEY, value=manifest)
    counts = {name: value for name, value in manifest.items() if name != "report" and value is not None}
    for outlet in outlets:
        add_asset_event(context, outlet, {**counts, "report": manifest["report"] or ""})
    count_rows(manifest, context["ti"])


def check_result(manifest: Mapping[str, Any], limits: FailureLimits, expected: RowLimits) -> None:
    """Raise the exception that ends the task, if it does not succeed.

    :raises AirflowSkipException: if there are no rows, and the task skips then.
    :raises RowsFailedError: if there are too few rows, or too many of them failed.
    :raises AirflowFailException: if too many rows failed, and a retry would fail again.
    """
    if expected.skips(manifest["rows"]):
        raise AirflowSkipException("The source has no rows")
    try:
        limits.check(manifest)
    except RowsFailedError as error:
        if error.permanent:
            # Not "from error", because Airflow would log the same message twice.
            raise AirflowFailException(str(error)) from None
        raise
    if failed := limits.count(manifest):
        rows = counted(manifest["rows"], "row")
        log.warning("%s of %s failed, within the limits of the task", f"{failed:,}", rows)
