"""Five hundred deferred waits in one triggerer, with Airflow's own detector of triggers that block."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from stack import NEWEST, parsed

from airflow_provider_retell.emulator import Emulator
from sandbox import ROOT, connection

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from stack import Stack

pytestmark = pytest.mark.skipif(not NEWEST, reason="knows the tables of the newest line")

WAITS = 500
QUOTA = (100, 1.0)  # Retell's, with the clock ten times faster
POLL_INTERVAL = 4.0  # more often than the quota allows for so many
ROUNDS = 4
BLOCKED = "async thread was blocked"


def test_five_hundred_waits_share_the_quota_and_block_nobody(
    airflow: Callable[..., AbstractContextManager[Stack]],
    record_testsuite_property: Callable[[str, Any], None],
) -> None:
    with Emulator(quotas={"get-call": QUOTA}) as emulator:
        calls = [f"call_{number}" for number in range(WAITS)]
        emulator.add_calls(calls, call_status="ongoing")
        retell = connection(emulator.url, emulator.api_key, quota=f"{QUOTA[0]}/{QUOTA[1]:g}")
        with airflow([ROOT / "tests/system/many_dags"], AIRFLOW_CONN_RETELL_DEFAULT=retell) as stack:
            stack.prepare("db-migrate", "db", "migrate")
            stack.start(
                "api-server", "dag-processor"
            )  # no scheduler: the tasks stay where the triggerer puts them
            stack.wait("the API answers", stack.answers, 120)
            stack.run("many_waits", "many_1")
            stack.stop("api-server", "dag-processor")
            defer = [sys.executable, str(ROOT / "tests/system/defer_all.py"), str(POLL_INTERVAL)]
            subprocess.run(defer, env=stack.env, check=True, timeout=120)
            assert Counter(stack.states("many_1")) == {"deferred": WAITS}

            stack.start("triggerer")
            stack.wait("each has been polled", lambda: set(polls(emulator)) == set(calls), 120)
            # Until here Airflow had five hundred triggers to load.
            started = len(stack.log("triggerer").read_text(errors="replace"))
            first = polls(emulator)
            stack.wait("some rounds", lambda: emulator.count("get-call") >= (ROUNDS + 1) * WAITS, 120)
            rounds = polls(emulator) - first
            log = stack.log("triggerer").read_text(errors="replace")[started:]
            for call_id in calls:
                emulator.calls[call_id]["call_status"] = "ended"
            stack.wait("all waits end", lambda: set(stack.states("many_1")) == {"scheduled"}, 120)
            events = [parsed(kwargs) for (kwargs,) in stack.rows("select next_kwargs from task_instance")]

    assert [str(event).count("'done'") for event in events] == [1] * WAITS
    assert emulator.count("get-call", status=429) == 0
    least, median = min(rounds[call_id] for call_id in calls), statistics.median(rounds.values())
    at = [request.at for request in emulator.requests if request.route == "get-call"]
    rate = (len(at) - 1) / (at[-1] - at[0])
    blocked = [line for line in log.splitlines() if BLOCKED in line]
    for name, value in {"rounds": median, "least": least, "rate": rate, "blocked": len(blocked)}.items():
        record_testsuite_property(name, value)
    assert least >= median / 2
    assert rate > 0.8 * QUOTA[0] / QUOTA[1]
    # A trigger that blocks does so at each of its looks; a machine with other things to do may stall now and then.
    assert len(blocked) < ROUNDS, blocked


def polls(emulator: Emulator) -> Counter[str | None]:
    return Counter(request.call_id for request in emulator.requests if request.route == "get-call")
