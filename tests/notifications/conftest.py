"""An emulator, and the connection ``retell_default`` to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator


@pytest.fixture
def emulator(retell_emulator: Emulator, retell_connection: str) -> Emulator:
    return retell_emulator
