"""Run commands with their output in log files, and leave no process behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from pathlib import Path


class Running:
    """The running commands.

    :param folder: the default working directory.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def run(self, command: list[str], log: Path, seconds: float, cwd: Path | None = None, **env: str) -> bool:
        """Run a command and return whether it succeeded; kill it with all its children after *seconds*."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
        with log.open("a", encoding="utf-8") as output:
            with self._lock:
                if self._stopped:
                    return False
                print("$", *command, file=output, flush=True)
                process = subprocess.Popen(
                    command,
                    cwd=cwd or self._folder,
                    env=clean | env,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,
                )
                self._processes.add(process)
            try:
                return process.wait(seconds) == 0
            except subprocess.TimeoutExpired:
                print(f"\nNot done after {seconds} s.", file=output)
                return False
            finally:
                with self._lock:
                    self._kill(process)
                    self._processes.discard(process)

    def stop(self) -> None:
        """Kill all commands and start no more."""
        with self._lock:
            self._stopped = True
            for process in self._processes:
                self._kill(process)

    @staticmethod
    def _kill(process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # also the children that it left behind
        process.wait()
