"""Tests with a complete Airflow. They take minutes, so only ``make system-test`` runs them."""

from __future__ import annotations

import shutil
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


LONGEST_FIRST = (
    "test_playground.py",
    "test_events.py",
    "test_approvals.py",
    "test_browser.py",
    "test_events_restart.py",
    "test_clears.py",
    "test_celery.py",
    "test_waits.py",
    "test_examples.py",
    "test_many_waits.py",
    "test_report_page.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder. Those that take longest start first, so that no processor idles at the end."""

    def order(item: pytest.Item) -> int:
        here = "tests/system/" in item.path.as_posix() and item.path.name in LONGEST_FIRST
        return LONGEST_FIRST.index(item.path.name) if here else len(LONGEST_FIRST)

    items.sort(key=order)
    for item in items:
        if "tests/system/" in item.path.as_posix():
            item.add_marker(pytest.mark.system)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Save a screenshot when a test with a browser fails, and name the file in the report."""
    report = yield
    browser = item.funcargs.get("browser")
    if report.failed and browser is not None and not browser.page.is_closed():
        report.sections.append(("browser", browser.save(item.funcargs["tmp_path"])))
    return report


@pytest.fixture(scope="session", autouse=True)
def stopped_in_order() -> None:
    """Stop the servers if a signal, for example from the time limit of a CI, ends the run."""
    for number in (signal.SIGINT, signal.SIGTERM):  # background jobs of a shell ignore SIGINT
        signal.signal(number, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres | None]:
    """A PostgreSQL server. Older Airflow lines are tested with SQLite."""
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
def template(postgres: Postgres | None, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """An Airflow that never runs. The others start with copies of its configuration and its database."""
    template = Stack(tmp_path_factory.mktemp("template"), [], postgres.database() if postgres else None)
    template.prepare("db-migrate", "db", "migrate")
    return template


@pytest.fixture(scope="session")
def airflow(
    postgres: Postgres | None, template: Stack, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., AbstractContextManager[Stack]]:
    """Return a function that creates a :class:`Stack` and stops it when its ``with`` block ends."""

    @contextmanager
    def make(dags: list[Path], **arguments: Any) -> Iterator[Stack]:
        home = tmp_path_factory.mktemp("airflow")
        configuration = (template.home / "airflow.cfg").read_text()
        (home / "airflow.cfg").write_text(configuration.replace(str(template.home), str(home)))
        database = postgres.database(template.database) if postgres else None
        if not database:
            shutil.copy(template.home / "airflow.db", home)
        stack = Stack(home, dags, database, **arguments)
        try:
            yield stack
        finally:
            stack.end()

    return make
