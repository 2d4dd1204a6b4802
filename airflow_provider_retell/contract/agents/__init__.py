"""Checks of agents and their versions."""

from __future__ import annotations

from airflow_provider_retell.contract.agents import drafts, reading

CHECKS = (*reading.CHECKS, *drafts.CHECKS)
