"""CPU time of ``RetellHook.update_call`` compared with bare ``requests``: same server, headers and body."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from airflow_provider_retell.hooks.retell import RetellHook
from common import NO_QUOTA, Promises, Server, ratio, table

ROUNDS = 9
UPDATES = 300
MAX_RATIO = 1.5


def cpu(update: Callable[[int, int], object], run: int) -> float:
    """Return the CPU seconds of this process per 1,000 updates."""
    started = time.process_time()
    for number in range(UPDATES):
        update(number, run)
    return (time.process_time() - started) / UPDATES * 1000


def main() -> None:
    """Run the benchmark."""
    with Server() as server, RetellHook() as hook:
        server.connect(quota=NO_QUOTA)
        server("calls", UPDATES, False)
        session = hook.get_conn()  # a plain requests.Session with the hook's headers

        def ours(number: int, run: int) -> None:
            hook.update_call(f"call_{number}", metadata={"customer": "C-1001", "tier": "gold", "run": run})

        def bare(number: int, run: int) -> None:
            session.patch(
                f"{server.url}/v2/update-call/call_{number}",
                json={"metadata": {"customer": "C-1001", "tier": "gold", "run": run}},
                timeout=60,
            ).json()

        with_hook, with_requests = [], []
        for run in range(ROUNDS + 1):
            with_hook.append(cpu(ours, run))
            with_requests.append(cpu(bare, run))
        del with_hook[0], with_requests[0]  # the first round connects and imports
        times = ratio(with_hook, with_requests)
    print(f"hook_cpu: CPU seconds per 1,000 updates, medians of {ROUNDS} rounds of {UPDATES}\n")
    table(
        ("with", "CPU s", "ratio"),
        [
            ("requests", statistics.median(with_requests), 1.0),
            ("RetellHook", statistics.median(with_hook), times),
        ],
    )
    print()
    promises = Promises()
    promises.keep(f"at most {MAX_RATIO:g} times the CPU of requests", times <= MAX_RATIO)
    promises.end()


if __name__ == "__main__":
    main()
