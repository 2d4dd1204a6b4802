"""Files on a disk without space."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

_FULL = "/dev/full"


def full_file(**_: Any) -> IO[bytes]:
    """Return a file to which nothing can be written, as ``tempfile.TemporaryFile`` returns one."""
    return Path(_FULL).open("w+b")


def open_full(*_: Any) -> int:
    """Return the descriptor of such a file, as an opener."""
    return os.open(_FULL, os.O_WRONLY)
