"""Write a file with one line of JSON per item."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider_retell.common.atomic import atomic_write


def write_json_lines(path: str, items: Iterable[Mapping[str, Any]], conn_id: str | None = None) -> None:
    """Write *items* to *path* atomically, compressed if it ends in ``.gz``.

    :param path: a path on any storage of Airflow's ``ObjectStoragePath``.
    :param conn_id: the Airflow connection of the storage. Default: the storage's default connection.
    """
    content = "".join(json.dumps(item) + "\n" for item in items).encode()
    atomic_write(path, gzip.compress(content) if path.lower().endswith(".gz") else content, conn_id)
