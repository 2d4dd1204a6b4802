"""A private temporary file for the rows of a result."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO, Any

from airflow_provider_retell.common.disk import writing_temporary

Values = tuple[Any, ...]


class DriverValue:
    """In place of a value that cannot be stored. It has no JSON form, as the value itself."""


class Spool:
    """Rows in a temporary file without a name, which the operating system removes when it is closed.

    No other process can open the file, also while it exists, so that reading pickles from it is safe. Memory holds one
    batch of rows. Use it as a context manager.

    :ivar rows: the number of rows in the file.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._file: IO[bytes] = tempfile.TemporaryFile(prefix="retell-rows-")  # noqa: SIM115

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def add(self, batch: Sequence[Values]) -> None:
        """Write rows to the end of the file.

        :raises DiskFullError: if there is no space left.
        """
        content = _dump(batch)
        with writing_temporary(self._file):
            self._file.write(content)
        self.rows += len(batch)

    def read(self) -> Iterator[Values]:
        """Yield all rows."""
        self._file.seek(0)
        left = self.rows
        while left:
            batch = pickle.load(self._file)  # noqa: S301 - no other process can write to the file
            left -= len(batch)
            yield from batch


def _dump(batch: Sequence[Values]) -> bytes:
    try:
        return pickle.dumps(batch, pickle.HIGHEST_PROTOCOL)
    except Exception:
        # Rare: values of drivers' own types. Find them one by one.
        return pickle.dumps([tuple(map(_picklable, row)) for row in batch], pickle.HIGHEST_PROTOCOL)


def _picklable(value: Any) -> Any:
    if isinstance(value, memoryview):
        return bytes(value)
    try:
        pickle.dumps(value)
        return value
    except Exception:
        return DriverValue()
