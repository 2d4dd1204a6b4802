"""Examples of the endpoints of the organization."""

from __future__ import annotations

from airflow_provider_retell.api.organization.models import ApiKeyInfo, Concurrency
from wire import Example

EXAMPLES = [
    Example("get_concurrency", (), {}, "GET /get-concurrency", None, 200, Concurrency),
    Example("get_api_key_info", (), {}, "GET /get-api-key-info", None, 200, ApiKeyInfo),
]
