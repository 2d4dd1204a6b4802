"""Checks of calls and batches of calls."""

from __future__ import annotations

from airflow_provider_retell.contract.calls import (
    attributes,
    listing,
    live,
    metadata,
    placing,
    reading,
    removing,
    updating,
)
from airflow_provider_retell.contract.calls.common import restore as restore

CHECKS = (
    *reading.CHECKS,
    *listing.CHECKS,
    *metadata.CHECKS,
    *updating.CHECKS,
    *attributes.CHECKS,
    *live.CHECKS,
    *removing.CHECKS,
    *placing.CHECKS,
)
