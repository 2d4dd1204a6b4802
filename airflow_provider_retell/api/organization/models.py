"""The organization's concurrency and its API key, as Retell returns them."""

from __future__ import annotations

from airflow_provider_retell.api.response_model import ResponseModel

__all__ = ["ApiKeyInfo", "Concurrency"]


class Concurrency(ResponseModel):
    """The organization's number of ongoing calls, and its limits."""

    current_concurrency: int
    concurrency_limit: int
    base_concurrency: int | None = None
    purchased_concurrency: int | None = None
    concurrency_purchase_limit: int | None = None
    remaining_purchase_limit: int | None = None
    concurrency_burst_enabled: bool | None = None
    concurrency_burst_limit: int | None = None
    reserved_inbound_concurrency: int | None = None

    @property
    def outbound_limit(self) -> int:
        """The maximum number of ongoing outbound calls, without burst and without slots reserved for inbound calls."""
        return self.concurrency_limit - (self.reserved_inbound_concurrency or 0)

    @property
    def available(self) -> int:
        """The number of outbound calls that can be placed now."""
        return max(self.outbound_limit - self.current_concurrency, 0)


class ApiKeyInfo(ResponseModel):
    """The organization and the name of an API key."""

    org_id: str
    org_name: str | None = None
    api_key_name: str | None = None
