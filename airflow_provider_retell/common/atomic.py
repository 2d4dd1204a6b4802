"""Write files atomically, on any storage of Airflow's ``ObjectStoragePath``."""

from __future__ import annotations

import functools
import os
import shutil
import stat
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

# Storages on which an object appears when its upload is complete, and not before.
_OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss"})

# All files of a storage share its transaction, so that the end of one would publish another that is incomplete.
_transaction = threading.Lock()


@contextmanager
def atomic_open(path: str, conn_id: str | None = None) -> Iterator[BinaryIO]:
    """Open a temporary file for writing. It becomes *path* when the block ends, and is deleted if the block raises.

    The temporary file is on the local disk, and only its owner can read it. A local *path* is replaced in one step.
    Object stores publish a complete upload only. For another storage, the file is copied in a transaction, which
    discards the copy if it fails. Threads may write several files at the same time.

    A process that is killed leaves the temporary file behind. Its name starts with ``.retell-``; it is in the folder
    of a local *path*, or otherwise in the system's folder for temporary files.
    """
    from airflow_provider_retell._compat.services import storage_path

    target = storage_path(path, conn_id)
    target.parent.mkdir(parents=True, exist_ok=True)
    is_local = target.protocol in ("file", "local", "")
    folder = Path(target.path).parent if is_local else Path(tempfile.gettempdir())
    temporary = folder / f".retell-{uuid.uuid4().hex}"
    try:
        with open(temporary, "xb", opener=_open_private) as file:
            yield file
        if is_local:
            temporary.chmod(_default_mode(folder))
            temporary.replace(target.path)
        elif target.protocol in _OBJECT_STORES:
            target.fs.put_file(str(temporary), target.path)
        else:
            with (
                _transaction,
                target.fs.transaction,
                temporary.open("rb") as source,
                target.open("wb") as copy,
            ):
                shutil.copyfileobj(source, copy, 1024 * 1024)
    finally:
        temporary.unlink(missing_ok=True)


def atomic_write(path: str, content: bytes, conn_id: str | None = None) -> None:
    """Write *content* to *path* atomically."""
    with atomic_open(path, conn_id) as file:
        file.write(content)


def _open_private(name: Any, flags: int) -> int:
    return os.open(name, flags, 0o600)


@functools.lru_cache(maxsize=64)
def _default_mode(folder: Path) -> int:
    """Return the mode of new files in *folder*. To read the umask, one must change it, for all threads.

    Cached, because creating a file can take longer than writing a small one.
    """
    probe = folder / f".retell-{uuid.uuid4().hex}"
    try:
        with probe.open("xb") as file:
            return stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    finally:
        probe.unlink(missing_ok=True)
