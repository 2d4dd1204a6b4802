"""Files that are written atomically."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import stat
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.memory import MemoryFileSystem
from object_store import ObjectStore

from airflow_provider_retell.common import atomic
from airflow_provider_retell.common.atomic import DiskFullError, atomic_open, atomic_write

OLD, NEW = b"old\n", b"new\n" * 1000


def temporary_files(folder: Path) -> list[Path]:
    return list(folder.glob(".retell-*"))


@pytest.mark.parametrize("before", [None, OLD])
def test_a_local_file_appears_at_the_end_of_the_block(tmp_path: Path, before: bytes | None) -> None:
    path = tmp_path / "a" / "b.jsonl"
    if before:
        path.parent.mkdir()
        path.write_bytes(before)
    with atomic_open(str(path)) as file:
        file.write(NEW)
        file.flush()
        assert (path.read_bytes() if path.exists() else None) == before
        assert [stat.S_IMODE(part.stat().st_mode) for part in temporary_files(path.parent)] == [0o600]
    assert path.read_bytes() == NEW
    assert list(path.parent.iterdir()) == [path]
    mask = os.umask(0)
    os.umask(mask)
    # The mode of any other file, so that others can read it.
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_a_path_can_be_the_url_of_a_local_file(tmp_path: Path) -> None:
    atomic_write(f"file://{tmp_path}/a.json", NEW)
    assert (tmp_path / "a.json").read_bytes() == NEW


@pytest.mark.parametrize("before", [None, OLD])
def test_an_error_leaves_a_local_file_unchanged(tmp_path: Path, before: bytes | None) -> None:
    path = tmp_path / "b.jsonl"
    if before:
        path.write_bytes(before)
    with pytest.raises(KeyboardInterrupt), atomic_open(str(path)) as file:
        file.write(NEW)
        raise KeyboardInterrupt
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == (
        [("b.jsonl", OLD)] if before else []
    )


def test_a_killed_process_leaves_the_file_unchanged_and_a_dot_file(tmp_path: Path) -> None:
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


@pytest.fixture
def spool(tmp_path: Path, mocker: Any) -> Path:
    """The folder for temporary files."""
    mocker.patch("tempfile.gettempdir", return_value=str(tmp_path))
    return tmp_path


def test_another_storage_gets_the_file_when_it_is_complete(memory: MemoryFileSystem, spool: Path) -> None:
    memory.pipe_file("/bucket/b.jsonl", OLD)
    with atomic_open("memory://bucket/b.jsonl") as file:
        file.write(NEW)
        assert memory.cat_file("/bucket/b.jsonl") == OLD
        assert [stat.S_IMODE(path.stat().st_mode) for path in temporary_files(spool)] == [0o600]
    assert memory.cat_file("/bucket/b.jsonl") == NEW
    assert not temporary_files(spool)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_the_error_of_a_full_disk_names_the_file_and_the_folder_of_the_temporary_file(
    memory: MemoryFileSystem, spool: Path, number: int
) -> None:
    with pytest.raises(DiskFullError) as error, atomic_open("memory://bucket/b.jsonl?x=SECRET"):
        raise OSError(number, "a text of the system")
    assert str(error.value) == (
        f"The file could not be written: memory://bucket/b.jsonl?*** ({os.strerror(number)}). Free space in "
        f"{spool}, or set TMPDIR to another folder where the task runs, and run the task again"
    )
    assert not temporary_files(spool)


def test_a_copy_that_fails_is_discarded(memory: MemoryFileSystem, spool: Path, mocker: Any) -> None:
    memory.pipe_file("/bucket/b.jsonl", OLD)

    def fail(source: Any, copy: Any, _size: int) -> None:
        copy.write(source.read(10))
        raise ConnectionError("the network is down")

    patch = mocker.patch.object(shutil, "copyfileobj", fail)
    for name in ("b.jsonl", "new.jsonl"):
        with pytest.raises(ConnectionError), atomic_open(f"memory://bucket/{name}") as file:
            file.write(NEW)
    assert memory.cat_file("/bucket/b.jsonl") == OLD
    assert not memory.exists("/bucket/new.jsonl")
    assert not temporary_files(spool)
    mocker.stop(patch)
    # The storage can be used as before.
    atomic_write("memory://bucket/b.jsonl", NEW)
    assert memory.cat_file("/bucket/b.jsonl") == NEW


def test_an_object_store_gets_the_file_in_small_parts_when_it_is_complete(
    object_store: ObjectStore, spool: Path, mocker: Any
) -> None:
    mocker.patch.object(atomic, "_PART", 100)
    object_store.objects["bucket/b.jsonl"] = OLD
    with atomic_open("s3://bucket/b.jsonl", object_store.conn_id) as file:
        file.write(NEW)
        assert object_store.objects == {"bucket/b.jsonl": OLD}
    assert object_store.objects == {"bucket/b.jsonl": NEW}
    assert object_store.most_read == 100
    assert not temporary_files(spool)


def test_a_large_file_has_no_more_parts_than_s3_allows(
    object_store: ObjectStore, spool: Path, mocker: Any
) -> None:
    mocker.patch.multiple(atomic, _PART=100, _MAX_PARTS=7)
    parts = mocker.patch.object(object_store, "on_part")
    atomic_write("s3://bucket/b.jsonl", NEW, object_store.conn_id)
    assert object_store.objects == {"bucket/b.jsonl": NEW}
    assert parts.call_count == 7


def test_an_upload_that_fails_leaves_the_earlier_object(
    object_store: ObjectStore, spool: Path, mocker: Any
) -> None:
    object_store.objects["bucket/b.jsonl"] = OLD
    mocker.patch.object(object_store, "on_part", side_effect=ConnectionError("the network is down"))
    for name in ("b.jsonl", "new.jsonl"):
        with pytest.raises(ConnectionError):
            atomic_write(f"s3://bucket/{name}", NEW, object_store.conn_id)
    assert object_store.objects == {"bucket/b.jsonl": OLD}
    assert not temporary_files(spool)


def test_no_bucket_is_created(object_store: ObjectStore, spool: Path) -> None:
    with pytest.raises(FileNotFoundError, match="bucket does not exist"):
        atomic_write("s3://bukcet/folder/b.jsonl", NEW, object_store.conn_id)
    assert object_store.buckets == {"bucket"}
    assert not temporary_files(spool)
