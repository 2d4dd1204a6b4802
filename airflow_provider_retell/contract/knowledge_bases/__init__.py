"""Checks of knowledge bases."""

from __future__ import annotations

from airflow_provider_retell.contract.knowledge_bases import changing, reading

CHECKS = (*reading.CHECKS, *changing.CHECKS)
