"""Disks that may be full."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

from airflow_provider_retell.api.errors import RetellError

# A full disk, a quota, and the limit of a process for the size of a file.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class DiskFullError(RetellError):
    """A disk has no space left for a file."""


def full_disk(error: BaseException) -> str | None:
    """Return the operating system's text of *error* if a disk has no space left, otherwise None."""
    is_full = isinstance(error, OSError) and error.errno in _FULL
    return os.strerror(error.errno) if is_full else None  # type: ignore[attr-defined]


@contextmanager
def writing_temporary(file: IO[Any]) -> Iterator[None]:
    """Flush *file*, which is in the folder for temporary files, after the block.

    :raises DiskFullError: if its disk has no space left. The file is closed then.
    """
    try:
        yield
        file.flush()
    except OSError as error:
        if (text := full_disk(error)) is None:
            raise
        # The close writes the rest of the buffer, which fails again.
        with suppress(OSError):
            file.close()
        raise DiskFullError(
            f"A temporary file could not be written to {tempfile.gettempdir()}: {text}. Free space there, or set "
            "TMPDIR to another folder where the task runs"
        ) from None
