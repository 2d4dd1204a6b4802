"""The quota in a parameter of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell.api.errors import RetellConfigError

if TYPE_CHECKING:
    from airflow_provider_retell.api.quota import Rate


def parse_quota(quota: str | None) -> Rate | None:
    """Return the quota that *quota* names; raise :class:`ValueError` if it has another form."""
    if quota is None:
        return None
    from airflow_provider_retell.api.quota import Rate

    try:
        return Rate.parse(str(quota))
    except RetellConfigError:
        raise ValueError(
            f"quota must have the form '100/10' (requests, a slash, seconds), not {quota!r}"
        ) from None
