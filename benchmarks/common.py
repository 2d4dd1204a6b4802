"""What the benchmarks share: a server of their own, a context for operators, medians and tables."""

from __future__ import annotations

import contextlib
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
    os.environ.pop(_name, None)  # reading certificates takes longer than many an update
os.environ |= {
    "AIRFLOW_HOME": _home.name,  # goes with the process
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
    "NO_PROXY": "127.0.0.1,localhost",
    "no_proxy": "127.0.0.1,localhost",
}


class Server:
    """``server.py`` in a process of its own, for as long as a with statement lasts.

    :param options: of the emulator; or "any call" for the listing of made-up calls.
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
        """Have the server do something; see ``server.py``."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([command, *arguments]) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.communicate()

    def connect(self, **extra: Any) -> None:
        """Make this server the one that the connection ``retell_default`` names."""
        os.environ["AIRFLOW_CONN_RETELL_DEFAULT"] = json.dumps(
            {"conn_type": "retell", "host": self.url, "password": API_KEY, "extra": json.dumps(extra)}
        )


def quiet() -> None:
    """Stop all logging; operators that run outside of Airflow's task runner have much to say about it."""
    logging.disable(logging.CRITICAL)
    with contextlib.suppress(ImportError):  # Airflow 2.11 has no structlog
        import structlog

        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


class Context(dict[str, Any]):
    """As much of Airflow's context as the operators use."""

    def __init__(self) -> None:
        super().__init__(ti=self, params={})
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        """Keep what the operator pushes."""
        self.pushed[key] = value

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest of a bulk update."""
        manifest: dict[str, Any] = self.pushed["manifest"]
        return manifest


def ratio(numbers: Iterable[float], base: Iterable[float]) -> float:
    """Return the median of the ratios, pair by pair: a machine that changes its speed changes both of a pair."""
    return statistics.median(number / other for number, other in zip(numbers, base, strict=True))


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table, numbers to the right."""
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
    """What was promised, and whether it was kept."""

    def __init__(self) -> None:
        self._broken = 0

    def keep(self, what: str, kept: bool) -> None:
        """Print one promise."""
        self._broken += not kept
        print(f"  {'kept' if kept else 'BROKEN'}: {what}")

    def end(self) -> None:
        """Leave with exit code 1 if any was broken."""
        print()
        sys.exit(1 if self._broken else 0)
