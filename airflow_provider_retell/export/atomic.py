"""Files that are there whole or not at all, on any storage that Airflow's ``ObjectStoragePath`` reaches."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO


@contextmanager
def atomic_open(path: str, conn_id: str | None = None) -> Iterator[BinaryIO]:
    """Give a file to write to that becomes *path* when the block ends, and leaves nothing if it raises.

    Written to the local disk first. A local path is then replaced in one step; to other storage the file is copied
    within a transaction, which throws away what it has if copying fails. A process that is killed leaves a file whose
    name starts with ``.retell-``, beside a local path or in the directory for temporary files; only its owner can
    read it.
    """
    from airflow_provider_retell._compat import storage_path

    target = storage_path(path, conn_id)
    target.parent.mkdir(parents=True, exist_ok=True)
    is_local = target.protocol in ("file", "local", "")
    folder = Path(target.path).parent if is_local else Path(tempfile.gettempdir())
    written = folder / f".retell-{uuid.uuid4().hex}"
    try:
        with open(written, "xb", opener=_private) as file:
            yield file
        if is_local:
            written.chmod(_usual_mode(folder))
            written.replace(target.path)
        else:
            with target.fs.transaction, written.open("rb") as source, target.open("wb") as copy:
                shutil.copyfileobj(source, copy, 1024 * 1024)
    finally:
        written.unlink(missing_ok=True)


def _private(name: Any, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _usual_mode(folder: Path) -> int:
    """Return the mode of new files: reading the umask would mean to change it, for all threads."""
    probe = folder / f".retell-{uuid.uuid4().hex}"
    try:
        with probe.open("xb") as file:
            return stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    finally:
        probe.unlink(missing_ok=True)


def atomic_write(path: str, content: bytes, conn_id: str | None = None) -> None:
    """Write *content* to *path*."""
    with atomic_open(path, conn_id) as file:
        file.write(content)
