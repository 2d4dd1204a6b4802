"""Checks of chats."""

from __future__ import annotations

from airflow_provider_retell.contract.chats import listing, reading, updating

CHECKS = (*reading.CHECKS, *listing.CHECKS, *updating.CHECKS)
