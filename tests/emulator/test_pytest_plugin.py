"""The pytest fixtures and the marker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_retell.emulator import Clock, Emulator, Lifecycle

if TYPE_CHECKING:
    from pathlib import Path

START = 1_700_000_000
BUSY = {"+14155550123": "dial_busy"}


def test_the_connection_leads_to_the_emulator(retell_emulator: Emulator, retell_connection: str) -> None:
    connection = json.loads(os.environ["AIRFLOW_CONN_RETELL_DEFAULT"])
    assert retell_connection == "retell_default"
    assert connection == {
        "conn_type": "retell",
        "host": retell_emulator.url,
        "password": retell_emulator.api_key,
    }
    assert (retell_emulator.calls, retell_emulator.requests) == ({}, [])


@pytest.mark.retell_emulator(api_key="key_marked", lifecycle=Lifecycle(talk=5), quotas=None)
def test_the_marker_sets_options(retell_emulator: Emulator, retell_connection: str) -> None:
    options = retell_emulator.options
    assert (options.api_key, options.lifecycle.talk, options.quotas) == ("key_marked", 5, None)
    assert json.loads(os.environ["AIRFLOW_CONN_RETELL_DEFAULT"])["password"] == "key_marked"


@pytest.mark.retell_emulator(concurrency=1, metadata_semantics="merge")
class TestMarkedClass:
    def test_the_marker_of_the_class_holds_for_its_tests(self, retell_emulator: Emulator) -> None:
        assert retell_emulator.options.concurrency == 1

    @pytest.mark.retell_emulator(concurrency=2)
    def test_the_marker_of_the_test_overrides_single_options(self, retell_emulator: Emulator) -> None:
        options = retell_emulator.options
        assert (options.concurrency, options.metadata_semantics) == (2, "merge")


@pytest.mark.parametrize("turn", [1, 2])
@pytest.mark.retell_emulator(clock=Clock(frozen=True, start=START), outcomes=BUSY)
def test_tests_do_not_share_the_clock_and_outcomes_of_their_marker(
    retell_emulator: Emulator, turn: int
) -> None:
    assert retell_emulator.clock.now() == START
    retell_emulator.clock.advance(60)
    outcomes: Any = retell_emulator.options.outcomes
    assert outcomes == {"+14155550123": "dial_busy"}
    outcomes.clear()


def test_the_marker_is_registered_and_wrong_ones_are_explained(tmp_path: Path) -> None:
    """In a project with the plugin in its conftest.py."""
    (tmp_path / "conftest.py").write_text(
        'pytest_plugins = ["airflow_provider_retell.emulator.pytest_plugin"]\n'
    )
    wrong = {
        "retell_emulator(volume='red')": "unexpected keyword argument 'volume'",
        "retell_emulator(port=70_000)": "port must be between 0 and 65535",
        "retell_emulator('key_test')": "the retell_emulator marker takes keyword arguments only",
    }
    tests = [
        f"@pytest.mark.{marker}\ndef test_{number}(retell_emulator):\n    pass\n"
        for number, marker in enumerate(wrong)
    ]
    tests.append(
        "@pytest.mark.retell_emulator(concurrency=3)\n"
        "def test_it(retell_emulator):\n"
        "    assert retell_emulator.options.concurrency == 3\n"
    )
    (tmp_path / "test_it.py").write_text("\n".join(["import pytest", *tests]))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--strict-markers", "-p", "no:cacheprovider", "test_it.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    out = done.stdout + done.stderr
    assert "1 passed, 3 errors" in out
    for number, message in enumerate(wrong.values()):
        assert message in out.split(f"test_{number} __")[1].split(" ERROR at ")[0]
