"""A small process that forks tasks, as Airflow does, for tests that kill them.

A fork of the test's own process could deadlock, because the emulator's threads run in it.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

ROOT = Path(__file__).parents[2]


class Forker:
    """The process, until the end of the ``with`` block.

    :param module: a module with a function ``run``, whose keyword arguments are JSON. It imports all that tasks need.
    """

    def __init__(self, module: str) -> None:
        command = [sys.executable, __file__, module]
        pipe = subprocess.PIPE
        env = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
        self._process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=pipe, stdout=pipe, text=True)

    def start(self, **arguments: Any) -> int:
        """Start a task and return its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        return self._number()

    def status(self) -> int:
        """Wait for the end of the task and return its exit status."""
        return self._number()

    def _number(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def __enter__(self) -> Forker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.__exit__(kind, error, traceback)


def main(module: str) -> None:
    """Fork a task for each line of JSON. Print its process id when it starts, and its status when it has ended."""
    run = importlib.import_module(module).run
    logging.disable()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os.dup2(2, 1)  # the output of the task must not reach the test
            try:
                run(**json.loads(line))
            except BaseException as error:
                print(repr(error), file=sys.stderr)  # noqa: T201
                os._exit(1)
            os._exit(0)
        print(child, flush=True)  # noqa: T201
        print(os.waitpid(child, 0)[1], flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
