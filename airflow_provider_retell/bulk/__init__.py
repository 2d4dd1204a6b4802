"""Bulk updates: rows are compared with Retell's calls, and only the differences are sent.

Row sources for DAG files are exported here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell._lazy import lazy_exports

if TYPE_CHECKING:
    from airflow_provider_retell.bulk.failed_rows import FailedRows
    from airflow_provider_retell.bulk.file_rows import FileRows
    from airflow_provider_retell.bulk.sql_rows import SqlRows
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "bulk.failed_rows": ["FailedRows"],
            "bulk.file_rows": ["FileRows"],
            "bulk.sql_rows": ["SqlRows"],
        },
    )

__all__ = ["FailedRows", "FileRows", "SqlRows"]
