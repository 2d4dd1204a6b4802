"""Temporary PostgreSQL and Redis servers on free ports of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2
import redis
from stack import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

START_SECONDS = 30
MISSING = "{} is not installed: `make system-test` installs it on Debian and Ubuntu, as root"


class Postgres:
    """A running server.

    :ivar address: host and port.
    """

    def __init__(self, port: int) -> None:
        self.address = f"127.0.0.1:{port}"
        self._databases = 0

    def database(self, copy_of: str | None = None) -> str:
        """Create an empty database, or a copy of another.

        :param copy_of: the address of a database without clients.
        :return: its address: user, host, port and name.
        """
        self._databases += 1
        name = f"airflow_{self._databases}"
        template = copy_of.rpartition("/")[2] if copy_of else "template1"
        connection = psycopg2.connect(f"postgresql://airflow@{self.address}/postgres")
        connection.autocommit = True
        connection.cursor().execute(f"create database {name} template {template}")
        connection.close()
        return f"airflow@{self.address}/{name}"


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run PostgreSQL."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    found = shutil.which("postgres", path=str(programs[-1])) if programs else shutil.which("postgres")
    assert found, MISSING.format("PostgreSQL")
    user = "postgres" if os.geteuid() == 0 else None  # PostgreSQL does not run as root
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="retell-postgres-") as home:
        if user:
            shutil.chown(home, user)
        data = f"{home}/data"
        initdb = [str(Path(found).with_name("initdb")), "-D", data, "-U", "airflow", "-A", "trust", "-N"]
        subprocess.run([*initdb, "-E", "UTF8"], check=True, capture_output=True, user=user, cwd=home)
        command = [found, "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", home, "-F", "-N", "200"]
        with _running(command, home, user) as process:
            _wait(
                process, lambda: psycopg2.connect(f"postgresql://airflow@127.0.0.1:{port}/postgres").close()
            )
            yield Postgres(port)


@contextmanager
def redis_server() -> Iterator[str]:
    """Run Redis and yield its URL."""
    found = shutil.which("redis-server")
    assert found, MISSING.format("Redis")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="retell-redis-") as home:
        command = [found, "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
        with _running(command, home) as process:
            _wait(process, lambda: redis.Redis(port=port).ping())
            yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def _running(command: list[str], home: str, user: str | None = None) -> Iterator[subprocess.Popen[bytes]]:
    with (Path(home) / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=home, user=user, start_new_session=True
        )
    try:
        yield process
    finally:
        process.terminate()  # PostgreSQL waits until its clients disconnect; all of them have ended by now
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], ask: Callable[[], object]) -> None:
    limit = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, f"{process.args!r} has ended"
        try:
            ask()
        except (psycopg2.OperationalError, redis.ConnectionError):
            assert time.monotonic() < limit, f"{process.args!r} does not answer"
            time.sleep(0.1)
        else:
            return
