"""Bring many calls to the state that rows ask for: rows -> plan -> apply -> report, streaming.

What a DAG file needs stands here: the sources of rows.
"""

from airflow_provider_retell.bulk.files import FailedRows, FileRows
from airflow_provider_retell.bulk.sql import SqlRows

__all__ = ["FailedRows", "FileRows", "SqlRows"]
