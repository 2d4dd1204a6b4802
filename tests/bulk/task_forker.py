"""A small process that forks tasks, as Airflow does, for tests that kill them.

It reads one line of JSON with the operator's arguments per task. It prints the task's process id when the task starts,
and its exit status when the task has ended.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import Any

from airflow_provider_retell.emulator.pytest_plugin import FakeTaskInstance
from airflow_provider_retell.operators import BulkUpdateCallOperator


def run(count: int, **arguments: Any) -> None:
    rows = [{"call_id": f"call_{n}", "n": n} for n in range(count)]
    operator = BulkUpdateCallOperator(task_id="update", rows=lambda: rows, **arguments)
    operator.work({"ti": FakeTaskInstance()})


def main() -> None:
    # Import everything that tasks need before the fork.
    from airflow_provider_retell.bulk import engine as _engine  # noqa: F401
    from airflow_provider_retell.hooks import aiohttp_transport as _transport  # noqa: F401

    logging.disable()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                run(**json.loads(line))
            except BaseException as error:
                print(repr(error), file=sys.stderr)  # noqa: T201
                os._exit(1)
            os._exit(0)
        print(child, flush=True)  # noqa: T201
        print(os.waitpid(child, 0)[1], flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
