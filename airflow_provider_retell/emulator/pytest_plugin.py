"""Pytest fixtures for tests of DAGs, and a marker that sets the options of the emulator.

Enable the plugin in ``conftest.py``::

    pytest_plugins = ["airflow_provider_retell.emulator.pytest_plugin"]

Then use the fixtures in tests. The ``retell_emulator`` marker takes the fields of
:class:`~airflow_provider_retell.emulator.Options`::

    @pytest.mark.retell_emulator(clock=Clock(frozen=True), outcomes={"+14155550123": "dial_busy"})
    def test_a_busy_line(retell_emulator, retell_connection): ...

A marker may also be put on a class or a module. Markers on the test itself take precedence over those on its
class, and those over the module's, option by option. Each test gets a clock of its own, made with the
arguments of the marker's clock.

:func:`~airflow_provider_retell.emulator.run_task` runs one operator or sensor::

    from airflow_provider_retell.emulator import run_task

    def test_the_tier_is_written(retell_emulator, retell_connection):
        retell_emulator.add_call(call_id="call_1", call_status="ended")
        run_task(UpdateCallOperator(task_id="enrich", call_id="call_1", metadata={"tier": "gold"}))
        assert retell_emulator.calls["call_1"]["metadata"] == {"tier": "gold"}
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.emulator.clock import Clock
from airflow_provider_retell.emulator.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["retell_connection", "retell_emulator"]

_MARKER = "retell_emulator"


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers", f"{_MARKER}(**options): options of the emulator in the {_MARKER} fixture"
    )


@pytest.fixture
def retell_emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """Run an emulator for one test, without calls.

    It has the documented quotas and the default options, unless a ``retell_emulator`` marker sets others.
    """
    with Emulator(**_options(request.node)) as emulator:
        yield emulator


@pytest.fixture
def retell_connection(retell_emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> str:
    """Define the Airflow connection ``retell_default`` to ``retell_emulator``, and return its id."""
    connection = {
        "conn_type": "retell",
        "host": retell_emulator.url,
        "password": retell_emulator.api_key,
    }
    monkeypatch.setenv("AIRFLOW_CONN_RETELL_DEFAULT", json.dumps(connection))
    return "retell_default"


def _options(test: pytest.Item) -> dict[str, Any]:
    """Return the options in the markers of *test*; those closest to the test win."""
    options: dict[str, Any] = {}
    for marker in test.iter_markers(_MARKER):
        if marker.args:
            raise pytest.UsageError(f"the {_MARKER} marker takes keyword arguments only")
        options = {**marker.kwargs, **options}
    # Markers outlive a test, so nothing in them may carry its changes over to the next one.
    for name, value in options.items():
        if isinstance(value, Clock):
            options[name] = value.fresh()
        elif isinstance(value, dict):
            options[name] = dict(value)
    return options
