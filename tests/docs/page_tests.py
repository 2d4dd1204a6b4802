"""The tests on the pages. Each block runs in a forked process, because Airflow's imports take seconds."""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

# Tests are forked, so all imports come first.
import pytest

from airflow_provider_retell import operators as _operators
from airflow_provider_retell.emulator import pytest_plugin as _plugin  # noqa: F401
from airflow_provider_retell.hooks import aiohttp_transport as _aiohttp  # noqa: F401
from airflow_provider_retell.hooks import requests_transport as _requests  # noqa: F401

_operators.UpdateCallOperator  # noqa: B018 - loads Airflow


def run(folder: str) -> None:
    """Run the tests in *folder*, and write the output into the file ``output``."""
    logging.disable(logging.NOTSET)
    os.chdir(folder)
    with Path("output").open("w") as output, contextlib.redirect_stdout(output):
        pytest.main(["-q", "-p", "no:cacheprovider", "test_it.py"])
