"""Checks of calls and batches of calls."""

from __future__ import annotations

from airflow_provider_retell.contract.calls import (
    attributes,
    batches,
    listing,
    live,
    metadata,
    placing,
    reading,
    recordings,
    removing,
    transfers,
    updating,
)

CHECKS = (
    *reading.CHECKS,
    *listing.CHECKS,
    *recordings.CHECKS,
    *transfers.CHECKS,
    *metadata.CHECKS,
    *updating.CHECKS,
    *attributes.CHECKS,
    *live.CHECKS,
    *removing.CHECKS,
    *placing.CHECKS,
    *batches.CHECKS,
)
