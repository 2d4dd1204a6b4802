"""Shared fixtures. Connections come from the environment, so no test needs Airflow's database."""

from __future__ import annotations

import asyncio
import atexit
import inspect
import logging
import os
import shutil
import socket
import tempfile
from pathlib import Path

# Before anything imports Airflow: without this it writes its configuration into the home directory. The workers of
# pytest-xdist inherit the one of the process that started them, which ends after them.
if "AIRFLOW_HOME" not in os.environ:
    os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow_home_")
    atexit.register(shutil.rmtree, os.environ["AIRFLOW_HOME"], ignore_errors=True)

from typing import TYPE_CHECKING

import hypothesis.configuration
import pytest
from _pytest.logging import LogCaptureHandler, _LiveLoggingNullHandler
from fake_airflow import FakeAirflow, fake_airflow

if TYPE_CHECKING:
    from collections.abc import Iterator

hypothesis.configuration.set_hypothesis_home_dir(Path(".cache/hypothesis").absolute())

pytest_plugins = ["airflow_provider_retell.emulator.pytest_plugin"]

_OF_THE_MACHINE = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NETRC",
)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which tests are not included."""
    others = {
        "system": "tests that run DAGs in a real Airflow (make system-test)",
        "soak": "long runs (make soak)",
    }
    left_out = [text for mark, text in others.items() if f"not {mark}" in config.getoption("markexpr")]
    return f"not included: {', '.join(left_out)}" if left_out else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Do not measure the coverage of the property tests: it doubles their time, and other tests cover the same code."""
    properties = Path(__file__).with_name("properties")
    for item in items:
        if properties in item.path.parents:
            item.add_marker(pytest.mark.no_cover)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine in an event loop of its own, for up to two minutes."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    asyncio.run(asyncio.wait_for(pyfuncitem.obj(**arguments), 120))
    return True


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep the machine's proxies, certificates and .netrc out of the tests."""
    for name in _OF_THE_MACHINE:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "no_netrc"))


@pytest.fixture(autouse=True)
def plain_logging() -> Iterator[None]:
    """Take away the handlers that Airflow adds when it runs a task: they write to a test's output, which ends."""
    before = set(logging.root.handlers)
    yield
    for handler in set(logging.root.handlers) - before:
        if not isinstance(handler, (LogCaptureHandler, _LiveLoggingNullHandler)):
            logging.root.removeHandler(handler)


@pytest.fixture
def whole_log(caplog: pytest.LogCaptureFixture) -> None:
    """Let ``caplog`` have all lines of the package, to see that none has private data. The emulator's may have some."""
    caplog.set_level(logging.WARNING, "airflow_provider_retell.emulator")
    # The last one, because it is also the level of caplog itself.
    caplog.set_level(logging.DEBUG, "airflow_provider_retell")


@pytest.fixture
def deaf_server() -> Iterator[str]:
    """The URL of a server whose queue is full, so that the kernel drops new connections."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, socket.socket() as first:
        first.connect(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def airflow_api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAirflow]:
    """An Airflow's REST API, and the connection ``airflow_api`` that leads to it."""
    with fake_airflow(monkeypatch) as server:
        yield server
