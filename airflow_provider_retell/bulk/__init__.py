"""Bring many calls to the state that rows ask for: rows -> plan -> apply -> report, streaming.

What a DAG file needs stands here: the sources of rows.
"""

from airflow_provider_retell.bulk.rows import FailedRows, FileRows, SqlRows

__all__ = ["FailedRows", "FileRows", "SqlRows"]
