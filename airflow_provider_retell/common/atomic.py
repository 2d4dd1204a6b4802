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

from airflow_provider_retell.common.disk import DiskFullError, full_disk
from airflow_provider_retell.common.paths import safe_path

# Storages on which an object appears when its upload is complete, and not before.
_OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss"})
_LOCAL = frozenset({"file", "local", ""})

# The file systems of S3 and Google Cloud Storage hold a part of an upload in memory: 50 MB by default, and s3fs ten of
# them. S3 allows parts of at least 5 MiB, and 10,000 of them.
_PART = 5 * 1024 * 1024
_MAX_PARTS = 10_000

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

    :raises DiskFullError: if the disk is full.
    """
    from airflow_provider_retell._compat.services import storage_path

    target = storage_path(path, conn_id)
    create_folder(target)
    is_local = target.protocol in _LOCAL
    folder = Path(target.path).parent if is_local else Path(tempfile.gettempdir())
    temporary = folder / f".retell-{uuid.uuid4().hex}"
    try:
        try:
            with open(temporary, "xb", opener=_open_private) as file:
                yield file
        except OSError as error:
            if (text := full_disk(error)) is None:
                raise
            step = "raise its quota" if is_local else "set TMPDIR to another folder where the task runs"
            raise DiskFullError(
                f"The file could not be written: {safe_path(path)} ({text}). Free space in {folder}, or {step}, and "
                "run the task again"
            ) from None
        if is_local:
            temporary.chmod(_default_mode(folder))
            temporary.replace(target.path)
        elif target.protocol in _OBJECT_STORES:
            options = _upload_options(target.protocol, temporary.stat().st_size)
            target.fs.put_file(str(temporary), target.path, **options)
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


def create_folder(path: Any) -> None:
    """Create the folder of *path*, an ``ObjectStoragePath``.

    Object stores have no folders: their file systems would ask for the bucket, for which a task may have no permission,
    and would create a bucket whose name is misspelled.
    """
    if path.protocol not in _OBJECT_STORES:
        path.parent.mkdir(parents=True, exist_ok=True)


def _upload_options(protocol: str, size: int) -> dict[str, int]:
    """Return the options of ``put_file`` that bound its memory."""
    if protocol in ("s3", "s3a"):
        return {"chunksize": max(_PART, -(-size // _MAX_PARTS)), "max_concurrency": 1}
    return {"chunksize": _PART} if protocol in ("gs", "gcs") else {}


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
