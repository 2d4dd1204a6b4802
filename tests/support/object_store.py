"""An object store in memory, for tests without the libraries of a cloud."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fsspec import AbstractFileSystem
from memory_storage import attach


class ObjectStore(AbstractFileSystem):  # type: ignore[misc]
    """The file system of S3, as s3fs has it, for a key that may only read and write objects.

    An object appears when its upload is complete. It cannot be renamed. Questions about the bucket are forbidden, and
    ``mkdir`` creates a bucket.

    :ivar conn_id: the Airflow connection that leads to the store.
    :ivar objects: the content of each object, by bucket and key.
    :ivar most_read: the largest number of bytes of a file that were in memory.
    :ivar on_part: called with the path after each part of an upload.
    """

    protocol = "s3"

    def __init__(self, conn_id: str) -> None:
        super().__init__()
        self.conn_id = conn_id
        self.objects: dict[str, bytes] = {}
        self.buckets = {"bucket"}
        self.most_read = 0
        self.on_part: Callable[[str], object] = lambda _path: None
        self._lock = threading.Lock()

    def put_file(
        self, lpath: str, rpath: str, chunksize: int = 50 * 2**20, max_concurrency: int = 10, **_kwargs: Any
    ) -> None:
        """Upload a file in parts."""
        path, parts = self._strip_protocol(rpath), []
        with Path(lpath).open("rb") as file:
            while part := file.read(chunksize * max_concurrency):
                self.most_read = max(self.most_read, len(part))
                parts.append(part)
                self.on_part(path)
        if path.partition("/")[0] not in self.buckets:
            raise FileNotFoundError("The specified bucket does not exist")
        with self._lock:
            self.objects[path] = b"".join(parts)

    def info(self, path: str, **_kwargs: Any) -> dict[str, Any]:
        """Return the size of an object."""
        path = self._strip_protocol(path)
        if "/" not in path:
            raise PermissionError("Forbidden")
        if path not in self.objects:
            raise FileNotFoundError(path)
        return {"name": path, "size": len(self.objects[path]), "type": "file"}

    def mkdir(self, path: str, create_parents: bool = True, **_kwargs: Any) -> None:
        """Create a bucket."""
        self.buckets.add(self._strip_protocol(path).partition("/")[0])

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Create a bucket."""
        self.mkdir(path)


@pytest.fixture
def object_store() -> ObjectStore:
    """An object store with the bucket "bucket"."""
    store = ObjectStore(f"store_{uuid.uuid4().hex}")
    attach(protocol="s3", conn_id=store.conn_id, fs=store)
    return store
