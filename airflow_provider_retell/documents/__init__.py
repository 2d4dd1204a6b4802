"""Documents for knowledge bases. Their sources are re-exported here for DAG files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell._lazy import lazy_exports

if TYPE_CHECKING:
    from airflow_provider_retell.documents.file_documents import FileDocuments
    from airflow_provider_retell.documents.sql_documents import SqlDocuments
else:
    __getattr__, __dir__ = lazy_exports(
        __name__,
        {
            "documents.file_documents": ["FileDocuments"],
            "documents.sql_documents": ["SqlDocuments"],
        },
    )

__all__ = ["FileDocuments", "SqlDocuments"]
