"""The imports of the emulator are light."""

from __future__ import annotations

import subprocess
import sys


def test_the_import_loads_no_other_part_of_the_package_and_no_heavy_library() -> None:
    code = (
        # aiohttp's own dependencies load pydantic where it is installed, which does not count here.
        "import sys, aiohttp.web; before = set(sys.modules);"
        "import airflow_provider_retell.emulator, airflow_provider_retell.emulator.cli;"
        "new = set(sys.modules) - before;"
        "print([m for m in ('airflow', 'requests', 'pydantic', 'retell', 'airflow_provider_retell.api',"
        " 'pytest') if m in new])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
