"""Checks of contacts."""

from __future__ import annotations

from airflow_provider_retell.contract.contacts import changing, deleting, importing, reading

CHECKS = (*reading.CHECKS, *changing.CHECKS, *deleting.CHECKS, *importing.CHECKS)
