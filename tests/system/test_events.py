"""Events, alerts, retries and the webhook receiver in a complete Airflow."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from stack import NEWEST, VERSION, parsed

from airflow_provider_retell.emulator import Emulator, Fault
from sandbox import ROOT, connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from stack import Stack

pytestmark = pytest.mark.skipif(VERSION < (3, 0), reason="Airflow 2 has no event triggers")
newest = pytest.mark.skipif(not NEWEST, reason="needs Airflow 3.3")

DAGS = [
    ROOT / "tests/system/event_dags",
    ROOT / "example_dags/call_events.py",
    ROOT / "example_dags/phone_alert.py",
]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        emulator.add_call(call_id="call_throttled")
        emulator.calls["call_throttled"]["end_timestamp"] -= 3_600_000
        for index in range(6):
            emulator.add_call(call_id=f"call_{index}", call_status="ongoing", metadata={"kept": 1})
        yield emulator


@pytest.fixture(scope="module")
def stack(airflow: Callable[..., AbstractContextManager[Stack]], emulator: Emulator) -> Iterator[Stack]:
    settings = {
        "AIRFLOW_CONN_RETELL_DEFAULT": connection(emulator.url, emulator.api_key),
        "AIRFLOW__API__WORKERS": "2",
        "AIRFLOW__RETELL__WEBHOOK_ENABLED": "True",
        "AIRFLOW__RETELL__WEBHOOK_ASSET": "retell_webhook_calls",
        "AIRFLOW__RETELL__WEBHOOK_CHAT_ASSET": "retell_webhook_chats",
        "AIRFLOW__RETELL__WEBHOOK_AIRFLOW_CONN_ID": "this_airflow",
        "AIRFLOW_VAR_ALERT_FROM": "+14155550101",
        "AIRFLOW_VAR_ALERT_TO": "+14155550102",
    }
    with airflow(DAGS, **settings) as stack:
        stack.add_plugin()
        stack.start_all()
        stack.connect_itself("this_airflow")
        yield stack


def end(emulator: Emulator, call_id: str) -> None:
    call = emulator.calls[call_id]
    call["end_timestamp"] = int(time.time() * 1000)
    call["call_status"] = "ended"
    call["disconnection_reason"] = "user_hangup"


def enriched(emulator: Emulator, *call_ids: str) -> bool:
    expected = {"kept": 1, "follow_up": False, "processed_by": "call_events"}
    return all(emulator.calls[call_id]["metadata"] == expected for call_id in call_ids)


@newest
def test_no_call_is_missed_or_fires_twice_when_the_triggerer_is_killed(
    stack: Stack, emulator: Emulator
) -> None:
    def stored() -> list[tuple[Any, ...]]:
        return stack.rows("select value from asset_state_store")

    def noted() -> bool:
        return any(parsed(value)["fired"] for (value,) in stored())

    stack.wait("the watcher polls", lambda: emulator.count("list-calls") >= 1)
    end(emulator, "call_0")
    stack.wait("the DAG has enriched the call", lambda: enriched(emulator, "call_0"))
    stack.wait("the call is recorded as fired", noted)

    stack.kill("triggerer")
    seen = emulator.count("list-calls")
    for index in (1, 2, 3):
        end(emulator, f"call_{index}")
    time.sleep(12)  # longer than the poll interval, to be sure that the triggerer has ended
    assert emulator.count("list-calls") == seen
    stack.start("triggerer")

    stack.wait(
        "the calls that ended without a triggerer have events",
        lambda: enriched(emulator, "call_1", "call_2", "call_3"),
    )
    end(emulator, "call_4")
    stack.wait("the next call has an event", lambda: enriched(emulator, "call_4"))
    seen = emulator.count("list-calls")
    stack.wait("two more polls", lambda: emulator.count("list-calls") >= seen + 2)
    assert stack.events() == Counter([f"call_{index}" for index in range(5)])
    stack.wait("all runs end", lambda: "running" not in str(stack.rows("select state from dag_run")))
    assert {state for (state,) in stack.rows("select state from dag_run where dag_id = 'call_events'")} == {
        "success"
    }


@pytest.mark.skipif(VERSION >= (3, 3), reason="Airflow 3.3 and later run the test above instead")
def test_a_call_that_ends_starts_the_dag(stack: Stack, emulator: Emulator) -> None:
    stack.wait("the watcher polls", lambda: emulator.count("list-calls") >= 1)
    end(emulator, "call_0")
    stack.wait("the DAG has enriched the call", lambda: enriched(emulator, "call_0"))
    assert stack.events()["call_0"] == 1


@pytest.mark.parametrize("noun", ["call", "chat"])
def test_a_signed_webhook_starts_a_dag(stack: Stack, emulator: Emulator, noun: str) -> None:
    hooked = f"{noun}_hook"
    record = {f"{noun}_id": hooked, f"{noun}_status": "ended"}
    body = json.dumps({"event": f"{noun}_ended", noun: record}).encode()
    moment = str(int(time.time() * 1000))

    def post(key: str) -> int:
        digest = hmac.new(key.encode(), body + moment.encode(), hashlib.sha256).hexdigest()
        return stack.request(
            "POST", "/retell/webhook", body, **{"X-Retell-Signature": f"v={moment},d={digest}"}
        )[0]

    assert post("key_forged") == 401
    assert stack.request("POST", "/retell/webhook", body)[0] == 401
    assert stack.request("GET", "/retell/webhook")[0] == 401
    assert stack.events()[hooked] == 0
    assert [post(emulator.api_key) for _ in range(10)] == [204] * 10  # alternately to both processes
    assert stack.events()[hooked] == 1
    query = f"select state from dag_run where dag_id = 'webhook_{noun}s'"
    stack.wait("the DAG of the webhook's asset has run", lambda: stack.rows(query) == [("success",)])
    log = stack.log("api-server").read_text(errors="replace")
    assert f"Webhook: {noun}_ended of {noun} {hooked}" in log
    assert emulator.api_key not in log


def test_a_failed_task_calls_once_and_stays_failed(stack: Stack, emulator: Emulator) -> None:
    def alerts() -> list[dict[str, Any]]:
        return [call for call in emulator.placed if call["to_number"] == "+14155550102"]

    def ended(run_id: str) -> bool:
        states = stack.states(run_id)
        return len(states) == 3 and all(state in ("failed", "success") for state in states)

    stack.run("phone_alert", "loud", fail=True)
    stack.wait("the tasks fail", lambda: ended("loud"))
    assert stack.states("loud") == ["failed"] * 3
    stack.wait("the person on duty is called", alerts)
    told = alerts()[0]["retell_llm_dynamic_variables"]
    assert (told["dag_id"], told["task_id"], told["run_id"]) == ("phone_alert", "load", "loud")
    assert told["reason"] == "the nightly load of loud has failed"

    for route in ("list-calls", "create-phone-call"):
        emulator.faults.add(Fault.status(401), route=route, times=0)
    stack.run("phone_alert", "mute", fail=True)
    stack.wait("the tasks fail", lambda: ended("mute"))
    emulator.faults.clear()
    assert stack.states("mute") == ["failed"] * 3
    assert len(alerts()) == 1
    log = stack.logs("mute")
    assert "could not be loaded" in log
    assert "+14155550102" not in log + stack.logs("loud")


@newest
def test_the_triggerer_calls_after_a_missed_deadline(stack: Stack, emulator: Emulator) -> None:
    stack.run("late", "late_1")
    stack.wait(
        "the person on duty is called",
        lambda: any(c["to_number"] == "+14155550103" for c in emulator.placed),
    )
    (told,) = [c["retell_llm_dynamic_variables"] for c in emulator.placed if c["to_number"] == "+14155550103"]
    assert (told["dag_id"], told["run_id"], told["reason"]) == ("late", "late_1", "late is late")


@newest
def test_a_throttled_task_is_retried_after_the_delay_that_retell_asks_for(
    stack: Stack, emulator: Emulator
) -> None:
    emulator.faults.add(
        Fault.status(429, headers={"Retry-After": "1234"}), route="update-call", call_id="call_throttled"
    )
    stack.run("throttled", "throttled_1")
    stack.wait("the task is up for retry", lambda: stack.states("throttled_1") == ["up_for_retry"])
    query = "select retry_delay_override, retry_reason from task_instance where run_id = 'throttled_1'"
    ((delay, reason),) = stack.rows(query)
    assert delay == 1234
    assert reason.startswith("HTTP 429: ")
    assert reason.endswith(". Retell asked to wait 1234 s")
