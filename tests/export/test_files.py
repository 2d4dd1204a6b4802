"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import shutil
import signal
import stat
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from airflow_provider_retell.export.atomic import atomic_open, atomic_write

try:
    from airflow.sdk.io import attach
except ImportError:
    from airflow.io.store import attach

OLD, NEW = b"old\n", b"new\n" * 1000


@pytest.fixture
def memory() -> MemoryFileSystem:
    """A storage other than the local disk; empty."""
    files = MemoryFileSystem()
    files.store.clear()
    attach(protocol="memory", fs=files)
    return files


@pytest.mark.parametrize("before", [None, OLD])
def test_a_local_file_comes_whole(tmp_path: Path, before: bytes | None) -> None:
    path = tmp_path / "a" / "b.jsonl"
    if before:
        path.parent.mkdir()
        path.write_bytes(before)
    with atomic_open(str(path)) as file:
        file.write(NEW)
        file.flush()
        assert (path.read_bytes() if path.exists() else None) == before
        assert [stat.S_IMODE(part.stat().st_mode) for part in spooled(path.parent)] == [0o600]
    assert path.read_bytes() == NEW
    assert list(path.parent.iterdir()) == [path]
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask  # as any other file, so that others can read it


def test_a_url_of_a_local_file(tmp_path: Path) -> None:
    atomic_write(f"file://{tmp_path}/a.json", NEW)
    assert (tmp_path / "a.json").read_bytes() == NEW


@pytest.mark.parametrize("before", [None, OLD])
def test_an_error_leaves_a_local_file_as_it_was(tmp_path: Path, before: bytes | None) -> None:
    path = tmp_path / "b.jsonl"
    if before:
        path.write_bytes(before)
    with pytest.raises(KeyboardInterrupt), atomic_open(str(path)) as file:
        file.write(NEW)
        raise KeyboardInterrupt
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == (
        [("b.jsonl", OLD)] if before else []
    )


def test_a_process_that_is_killed_leaves_the_file_as_it_was_and_a_dot_file(tmp_path: Path) -> None:
    path = tmp_path / "b.jsonl"
    path.write_bytes(OLD)
    pid = os.fork()
    if pid == 0:
        try:
            with atomic_open(str(path)) as file:
                file.write(NEW)
                file.flush()
                os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(3)
    assert os.WIFSIGNALED(os.waitpid(pid, 0)[1])
    assert path.read_bytes() == OLD
    assert [file.name[:8] for file in tmp_path.iterdir() if file != path] == [".retell-"]


def spooled(folder: Path) -> list[Path]:
    return list(folder.glob(".retell-*"))


@pytest.fixture
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    return tmp_path


def test_another_storage_gets_the_file_when_it_is_complete(memory: MemoryFileSystem, spool: Path) -> None:
    memory.pipe_file("/bucket/b.jsonl", OLD)
    with atomic_open("memory://bucket/b.jsonl") as file:
        file.write(NEW)
        assert memory.cat_file("/bucket/b.jsonl") == OLD
        assert [stat.S_IMODE(path.stat().st_mode) for path in spooled(spool)] == [0o600]
    assert memory.cat_file("/bucket/b.jsonl") == NEW
    assert not spooled(spool)


def test_a_copy_that_breaks_off_is_thrown_away(
    memory: MemoryFileSystem, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe_file("/bucket/b.jsonl", OLD)

    def breaks_off(source: Any, copy: Any, _size: int) -> None:
        copy.write(source.read(10))
        raise ConnectionError("the network is gone")

    monkeypatch.setattr(shutil, "copyfileobj", breaks_off)
    for name in ("b.jsonl", "new.jsonl"):
        with pytest.raises(ConnectionError), atomic_open(f"memory://bucket/{name}") as file:
            file.write(NEW)
    assert memory.cat_file("/bucket/b.jsonl") == OLD
    assert not memory.exists("/bucket/new.jsonl")
    assert not spooled(spool)
    monkeypatch.undo()
    atomic_write("memory://bucket/b.jsonl", NEW)  # the storage is as usable as before
    assert memory.cat_file("/bucket/b.jsonl") == NEW
