"""Fixtures of the tests against a server of the S3 protocol."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from connected import connect
from memory_storage import memory

from airflow_provider_retell.emulator import Emulator

if TYPE_CHECKING:
    from s3_server import S3Server

__all__ = ["connect", "memory"]

BUCKET = "bucket"


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """A server for all tests, because Airflow keeps the file system of a connection as long as the process runs."""
    from s3_server import S3Server

    with S3Server() as server:
        yield server


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The server, with an empty bucket "bucket" and the connection "aws" that leads to it."""
    extra = {"endpoint_url": s3_server.url, "region_name": "us-east-1"}
    connection = {"conn_type": "aws", "login": "testing", "password": "testing", "extra": json.dumps(extra)}
    monkeypatch.setenv("AIRFLOW_CONN_AWS", json.dumps(connection))
    s3_server.reset(BUCKET)
    return s3_server


@pytest.fixture
def emulator(connect: Callable[..., None]) -> Iterator[Emulator]:
    """An emulator without quotas."""
    with Emulator(quotas=None) as emulator:
        connect(emulator)
        yield emulator
