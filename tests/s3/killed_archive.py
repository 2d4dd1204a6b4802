"""The archive of recordings on S3 that a test kills."""

from __future__ import annotations

# Tasks are forked, so all imports come first.
import s3fs  # noqa: F401
from airflow.providers.amazon.aws.hooks.s3 import S3Hook  # noqa: F401

from tests.operators.killed_archive import run

__all__ = ["run"]
