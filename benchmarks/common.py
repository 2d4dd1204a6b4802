"""Shared parts of the benchmarks: a server process, a context for operators, medians and tables."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
API_KEY = "key_emulator"
NO_QUOTA = "999999/1"

_home = tempfile.TemporaryDirectory(prefix="retell-benchmark-")
for _name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
    os.environ.pop(_name, None)  # reading certificates takes longer than an update
os.environ |= {
    "AIRFLOW_HOME": _home.name,  # removed when the process ends
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
    "NO_PROXY": "127.0.0.1,localhost",
    "no_proxy": "127.0.0.1,localhost",
}


class Server:
    """``server.py`` in its own process, for the duration of a ``with`` block.

    :param options: options of the emulator, "any record" to list generated records, or
        "recordings" to list generated calls with recordings.
    """

    def __init__(self, options: dict[str, Any] | str | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "server.py"), json.dumps(options or {})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url: str = self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def __call__(self, command: str, *arguments: Any) -> Any:
        """Send the server a command; see ``server.py``."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([command, *arguments]) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.communicate()

    def connect(self, **extra: Any) -> None:
        """Point the connection ``retell_default`` to this server."""
        os.environ["AIRFLOW_CONN_RETELL_DEFAULT"] = json.dumps(
            {"conn_type": "retell", "host": self.url, "password": API_KEY, "extra": json.dumps(extra)}
        )


def quiet() -> None:
    """Disable all logging: operators outside of Airflow's task runner log many warnings."""
    logging.disable(logging.CRITICAL)
    with contextlib.suppress(ImportError):  # Airflow 2.11 has no structlog
        import structlog

        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


_RUNS = itertools.count(1)


class Context(dict[str, Any]):
    """The parts of Airflow's context that the operators use. Each is a DAG run of its own."""

    dag_id = task_id = "benchmark"
    try_number = 1
    map_index = -1

    def __init__(self) -> None:
        super().__init__(ti=self, params={})
        # The report of another DAG run is replaced. Tries of the same run would add to it.
        self.run_id = f"benchmark_{next(_RUNS)}"
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        """Keep the value that the operator pushes."""
        self.pushed[key] = value

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest of a bulk update."""
        manifest: dict[str, Any] = self.pushed["manifest"]
        return manifest


def ratio(numbers: Iterable[float], base: Iterable[float]) -> float:
    """Return the median of the pairwise ratios: a change in the machine's speed affects both of a pair."""
    return statistics.median(number / other for number, other in zip(numbers, base, strict=True))


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table with right-aligned numbers."""
    lines = [list(heads), *([_text(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        print("  " + "  ".join(cells).rstrip())


def _text(cell: Any) -> str:
    return f"{cell:,.2f}" if isinstance(cell, float) else f"{cell:,}" if isinstance(cell, int) else str(cell)


class Promises:
    """The promises of a benchmark, kept or broken."""

    def __init__(self) -> None:
        self._broken = 0

    def keep(self, what: str, kept: bool) -> None:
        """Print one promise."""
        self._broken += not kept
        print(f"  {'kept' if kept else 'BROKEN'}: {what}")

    def end(self) -> None:
        """Exit, with code 1 if any promise was broken."""
        print()
        sys.exit(1 if self._broken else 0)
