"""Snapshots of agents as folders of JSON files, on any storage of Airflow's ``ObjectStoragePath``."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.common.atomic import atomic_write
from airflow_provider_retell.common.paths import safe_path

if TYPE_CHECKING:
    from airflow_provider_retell.api.agents.drift import Difference
    from airflow_provider_retell.api.agents.snapshot import Files

MANIFEST = "snapshot.json"
"""The file that lists the others. It is written last, so a folder without it has no complete snapshot."""

SCHEMA_VERSION = 1

_NAME = re.compile(
    r"agents/[A-Za-z0-9_-]+/(agent|llm|conversation_flow|test_cases)\.json|phone_numbers\.json"
)


class AgentSnapshot:
    """A snapshot that was read from Retell, and its comparison with a stored one.

    :param files: the files by name.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._contents = {name: _encode(value) for name, value in files.items()}
        self._digests = {
            name: hashlib.sha256(content).hexdigest() for name, content in self._contents.items()
        }

    def compare(self, path: str, conn_id: str | None) -> list[Difference] | None:
        """Return the differences from the snapshot in folder *path*, or None if the folder has no snapshot.

        :raises RetellInputError: if the folder does not contain a snapshot of this package.
        """
        from airflow_provider_retell.api.agents.drift import differences

        stored = _read_manifest(path, conn_id)
        if stored is None:
            return None
        changed = {
            name
            for name in stored.keys() | self._digests.keys()
            if stored.get(name) != self._digests.get(name)
        }
        # The agent's name is in this file, also if only its engine has changed.
        changed |= {f"{name.rpartition('/')[0]}/agent.json" for name in changed if "/" in name}
        try:
            old = {name: _read_json(f"{path}/{name}", conn_id) for name in sorted(changed & stored.keys())}
        except FileNotFoundError as error:
            raise RetellInputError(
                f"the snapshot in {safe_path(path)} is incomplete: one of its files is missing"
            ) from error
        return differences(old, {name: self._files[name] for name in changed & self._files.keys()})

    def write(self, path: str, conn_id: str | None) -> None:
        """Write the files to folder *path*, and delete the files there that belong to an earlier snapshot only."""
        stored = _read_manifest(path, conn_id) or {}
        # If the task is killed now, the folder has no snapshot instead of a mixture of two.
        _delete(f"{path}/{MANIFEST}", conn_id)
        for name, content in self._contents.items():
            atomic_write(f"{path}/{name}", content, conn_id)
        manifest = {"schema_version": SCHEMA_VERSION, "files": self._digests}
        atomic_write(f"{path}/{MANIFEST}", _encode(manifest), conn_id)
        for name in stored.keys() - self._digests.keys():
            _delete(f"{path}/{name}", conn_id)


def _encode(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def _read_manifest(path: str, conn_id: str | None) -> dict[str, str] | None:
    """Return the digests of a stored snapshot's files by name, or None if there is no snapshot."""
    try:
        manifest = _read_json(f"{path}/{MANIFEST}", conn_id)
    except FileNotFoundError:
        return None
    files = manifest.get("files") if isinstance(manifest, dict) else None
    if not isinstance(files, dict) or not all(map(_NAME.fullmatch, files)):
        raise RetellInputError(
            f"{safe_path(path)}/{MANIFEST} is not the list of files of a snapshot of agents"
        )
    return files


def _read_json(path: str, conn_id: str | None) -> Any:
    from airflow_provider_retell._compat.services import storage_path

    with storage_path(path, conn_id).open("rb") as file:
        content: bytes = file.read()
    try:
        return json.loads(content)
    except ValueError:
        raise RetellInputError(f"{safe_path(path)} must be JSON") from None


def _delete(path: str, conn_id: str | None) -> None:
    from airflow_provider_retell._compat.services import storage_path

    storage_path(path, conn_id).unlink(missing_ok=True)
