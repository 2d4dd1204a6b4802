"""A file with the state of changed objects, for a run that is killed before it can restore them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def try_out(path: Path) -> None:
    """Raise :class:`OSError` if a file cannot be written. Its content stays, and a new file is removed again."""
    exists = path.exists()
    with path.open("a", encoding="utf-8"):
        pass
    if not exists:
        path.unlink()


class Backup:
    """The state of changed objects in a file that only its owner can read. It exists only while something is changed.

    :param path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def try_out(self) -> None:
        """Raise :class:`OSError` if the file cannot be written."""
        self.save({("", ""): None})
        self.save({})

    def save(self, changes: dict[tuple[str, str], Any]) -> None:
        """Write *changes*; remove the file if *changes* is empty."""
        if not changes:
            self.path.unlink(missing_ok=True)
            return
        lines = [
            {"kind": kind, "id": object_id, "state": state} for (kind, object_id), state in changes.items()
        ]
        new = self.path.with_name(f"{self.path.name}.new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(lines, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)

    def load(self) -> dict[tuple[str, str], Any]:
        """Return the saved changes.

        :raises ValueError: if the file is not a backup.
        """
        try:
            lines = json.loads(self.path.read_text(encoding="utf-8"))
            return {(line["kind"], line["id"]): line["state"] for line in lines}
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"{self.path} is not a backup of a contract run") from None
