"""Results of the hooks in XCom."""

from __future__ import annotations

import contextlib
from importlib import import_module

from airflow_provider_retell.api.storable import Storable

# The newest location first. Airflow's DAG class imports the module too.
_SERDE = ("airflow.sdk.serde", "airflow.serialization.serde")


def allow_results() -> None:
    """Let tasks of this process pull results of the hooks, as ``[core] allowed_deserialization_classes`` would.

    The stored values are plain, and no class is created from them.
    """
    for name in _SERDE:
        with contextlib.suppress(ImportError):
            # Airflow before 3.3 has no public function for this, and that of 3.3 is for one class at a time.
            allowed = vars(import_module(name)).get("_extra_allowed")
            if isinstance(allowed, set):
                allowed.update(Storable.qualified_names())
                return
