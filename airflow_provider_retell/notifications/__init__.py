"""The notifier, re-exported for DAG files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell._lazy import lazy_exports

if TYPE_CHECKING:
    from airflow_provider_retell.notifications.phone_call import PhoneCallNotifier
else:
    __getattr__, __dir__ = lazy_exports(__name__, {"notifications.phone_call": ["PhoneCallNotifier"]})

__all__ = ["PhoneCallNotifier"]
