"""Phone numbers: their format, and the numbers of the organization."""

from __future__ import annotations

from airflow_provider_retell.api.phone_numbers.e164 import check_e164 as check_e164
