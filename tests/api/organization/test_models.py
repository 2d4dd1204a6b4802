"""Concurrency and API key of the organization."""

from __future__ import annotations

import pytest

from airflow_provider_retell.api.organization.models import ApiKeyInfo, Concurrency


@pytest.mark.parametrize(
    ("current", "limit", "reserved", "available"),
    [(3, 20, None, 17), (3, 20, 5, 12), (20, 20, None, 0), (25, 20, None, 0), (18, 20, 5, 0)],
)
def test_available_concurrency_excludes_ongoing_calls_and_reserved_slots(
    current: int, limit: int, reserved: int | None, available: int
) -> None:
    concurrency = Concurrency(
        current_concurrency=current, concurrency_limit=limit, reserved_inbound_concurrency=reserved
    )
    assert concurrency.available == available


def test_printed_responses_have_no_names_and_numbers() -> None:
    assert str(ApiKeyInfo(org_id="private", org_name="private")) == "ApiKeyInfo()"
    assert str(Concurrency(current_concurrency=1, concurrency_limit=2)) == "Concurrency()"
