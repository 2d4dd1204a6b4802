"""The task decorators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell._lazy import lazy_exports

if TYPE_CHECKING:
    from airflow_provider_retell.decorators.bulk_update import retell_bulk_update
else:
    __getattr__, __dir__ = lazy_exports(__name__, {"decorators.bulk_update": ["retell_bulk_update"]})

__all__ = ["retell_bulk_update"]
