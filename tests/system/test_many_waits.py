"""Five hundred deferred waits in one triggerer, with Airflow's own detection of blocking triggers."""

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

pytestmark = pytest.mark.skipif(not NEWEST, reason="the test uses tables of the newest line")

WAITS = 500
QUOTA = (100, 1.0)  # Retell's quota on a clock that is ten times faster
POLL_INTERVAL = 4.0  # too often for the quota
ROUNDS = 4
BLOCKED = "async thread was blocked"


def test_five_hundred_waits_share_the_quota_and_block_no_trigger(
    airflow: Callable[..., AbstractContextManager[Stack]],
    record_testsuite_property: Callable[[str, Any], None],
) -> None:
    with Emulator(quotas={"get-call": QUOTA}) as emulator:
        calls = [f"call_{number}" for number in range(WAITS)]
        emulator.add_calls(calls, call_status="ongoing")
        retell = connection(emulator.url, emulator.api_key, quota=f"{QUOTA[0]}/{QUOTA[1]:g}")
        with airflow([ROOT / "tests/system/many_dags"], AIRFLOW_CONN_RETELL_DEFAULT=retell) as stack:
            stack.start(
                "api-server", "dag-processor"
            )  # without a scheduler, the tasks keep the state that the triggerer sets
            stack.wait("the API responds", stack.answers)
            stack.run("many_waits", "many_1")
            stack.stop("api-server", "dag-processor")
            defer = [sys.executable, str(ROOT / "tests/system/defer_all.py"), str(POLL_INTERVAL)]
            subprocess.run(defer, env=stack.env, check=True, timeout=300)
            assert Counter(stack.states("many_1")) == {"deferred": WAITS}

            stack.start("triggerer")
            stack.wait("each call has been polled", lambda: set(polls(emulator)) == set(calls))
            # Airflow loads five hundred triggers until here.
            started = len(stack.log("triggerer").read_text(errors="replace"))
            first = polls(emulator)
            stack.wait(
                "all calls have been polled several times",
                lambda: emulator.count("get-call") >= (ROUNDS + 1) * WAITS,
            )
            rounds = polls(emulator) - first
            log = stack.log("triggerer").read_text(errors="replace")[started:]
            for call_id in calls:
                emulator.calls[call_id]["call_status"] = "ended"
            stack.wait("all waits end", lambda: set(stack.states("many_1")) == {"scheduled"})
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
    # The waits use the quota. A busy machine polls less often.
    assert rate > 0.4 * QUOTA[0] / QUOTA[1]
    # If polls blocked, there would be one for each of them. A busy machine stalls only now and then.
    assert len(blocked) < WAITS / 10, blocked


def polls(emulator: Emulator) -> Counter[str | None]:
    return Counter(request.call_id for request in emulator.requests if request.route == "get-call")
