"""Tests with a whole Airflow. Not part of a plain run, as they take minutes: ``make system-test``."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from stack import NEWEST, Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from servers import Postgres


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder."""
    for item in items:
        if "tests/system/" in item.path.as_posix():
            item.add_marker(pytest.mark.system)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """When a test with a browser fails, keep what a person would see, and name it in the report."""
    report = yield
    browser = item.funcargs.get("browser")
    if report.failed and browser is not None and not browser.page.is_closed():
        report.sections.append(("browser", browser.save(item.funcargs["tmp_path"])))
    return report


@pytest.fixture(scope="session", autouse=True)
def stopped_in_order() -> None:
    """When the run is ended from outside, as by a CI's time limit, the servers are ended too."""
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background jobs ignore the first
        signal.signal(number, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres | None]:
    """A PostgreSQL server; older Airflows run on SQLite, to show that too."""
    if not NEWEST:
        yield None
        return
    import servers

    with servers.postgres() as server:
        yield server


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis server."""
    import servers

    with servers.redis_server() as url:
        yield url


@pytest.fixture(scope="session")
def airflow(
    postgres: Postgres | None, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., AbstractContextManager[Stack]]:
    """Make an Airflow: call it with the arguments of :class:`Stack`; it is stopped when the with statement ends."""

    @contextmanager
    def make(dags: list[Path], **arguments: Any) -> Iterator[Stack]:
        database = postgres.database() if postgres else None
        stack = Stack(tmp_path_factory.mktemp("airflow"), dags, database, **arguments)
        try:
            yield stack
        finally:
            stack.end()

    return make
