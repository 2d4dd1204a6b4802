"""Files that are there whole or not at all, on any storage that Airflow's ``ObjectStoragePath`` reaches."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(path: str, conn_id: str | None = None) -> Iterator[BinaryIO]:
    """Give a file to write to that becomes *path* when the block ends, and leaves nothing if it raises.

    Written to the local disk first. A local path is then replaced in one step; to an object store the file is
    copied, where an object appears when it is complete.
    """
    from airflow_provider_retell._compat import storage_path

    target = storage_path(path, conn_id)
    target.parent.mkdir(parents=True, exist_ok=True)
    is_local = target.protocol in ("file", "local", "")
    folder = str(Path(target.path).parent) if is_local else None
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".retell-", delete=False) as file:
        try:
            yield file.file  # type: ignore[misc, unused-ignore]
            file.flush()
            if is_local:
                # The mode of a file that anybody makes, not the private one of a temporary file.
                mask = os.umask(0)
                os.umask(mask)
                Path(file.name).chmod(0o666 & ~mask)
                Path(file.name).replace(target.path)
            else:
                with Path(file.name).open("rb") as source, target.open("wb") as copy:
                    shutil.copyfileobj(source, copy, 1024 * 1024)
        finally:
            Path(file.name).unlink(missing_ok=True)


def write_whole(path: str, content: bytes, conn_id: str | None = None) -> None:
    """Write *content* to *path*."""
    with whole_file(path, conn_id) as file:
        file.write(content)
