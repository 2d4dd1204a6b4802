"""The request bodies of the endpoints of response engines, as schemas. Only the names of fields are checked."""

from __future__ import annotations

from airflow_provider_retell.emulator.engines.vocabulary import FLOW_FIELDS, LLM_FIELDS
from airflow_provider_retell.emulator.schema import closed

UPDATE_LLM = closed({name: {} for name in LLM_FIELDS})
UPDATE_FLOW = closed({name: {} for name in FLOW_FIELDS})
