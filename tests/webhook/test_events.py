"""The asset events that the webhook receiver creates: one for each webhook event, whatever Airflow's REST API does."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from signed_events import make_event, sign
from tasks import eventually

from airflow_provider_retell.api.event_payload import records_in
from airflow_provider_retell.webhook import events

if TYPE_CHECKING:
    from pytest_mock import MockerFixture

PRIVATE = "zebra-umbrella"


@pytest.fixture(autouse=True)
def info_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")


class TestOneAssetEvent:
    """Each webhook event becomes one asset event."""

    def test_repeated_events_are_dropped(self, receiver: Any, airflow_api: Any, caplog: Any) -> None:
        body = make_event()
        headers = {"X-Retell-Signature": sign(body, seconds=-200)}
        assert [receiver.request("POST", "/retell/webhook", body, headers) for _ in range(3)] == [204] * 3
        assert receiver.post(body) == 204
        assert receiver.post(make_event(event="call_analyzed")) == 204
        assert [event["extra"]["event"] for event in airflow_api.events] == ["call_ended", "call_analyzed"]
        assert caplog.text.count("call_ended of call call_1 dropped: Airflow has its event") == 3

    @pytest.mark.parametrize(
        ("bodies", "expected"),
        [
            # Retell sends a set of events for each agent if one hands the call over to the other.
            (
                [make_event(agent_id=agent) for agent in ("agent_1", "agent_2")],
                [(8, "call_ended", "agent_1"), (8, "call_ended", "agent_2")],
            ),
            (
                [make_event("same_id", event=name) for name in ("call_ended", "chat_ended", "chat_analyzed")],
                [(8, "call_ended", None), (9, "chat_ended", None), (9, "chat_analyzed", None)],
            ),
        ],
        ids=["agents", "calls and chats"],
    )
    def test_other_events_of_the_same_id_do_not_mix(
        self, start: Any, airflow_api: Any, bodies: list[bytes], expected: list[Any]
    ) -> None:
        one, other = start(), start()
        for receiver in (one, other, one):
            assert [receiver.post(body) for body in bodies] == [204] * len(bodies)
        seen = []
        for event in airflow_api.events:
            ((_, summary),) = records_in(event["extra"])
            seen.append((event["asset_id"], event["extra"]["event"], summary["agent_id"]))
        assert seen == expected

    @pytest.mark.parametrize(
        ("noun", "asset_id", "agent"),
        [("call", 8, {}), ("call", 8, {"agent_id": "agent_1"}), ("chat", 9, {})],
    )
    def test_event_that_the_trigger_has_fired_is_dropped(
        self, receiver: Any, airflow_api: Any, noun: str, asset_id: int, agent: dict[str, str]
    ) -> None:
        def fired(record_id: str, **fields: Any) -> dict[str, Any]:
            record = {f"{noun}_id": record_id, **fields}
            return {"from_trigger": True, "payload": {"event": f"{noun}_ended", f"{noun}s": [record]}}

        airflow_api.add(fired("id_1", **agent), asset_id=asset_id)
        airflow_api.add(fired("id_2", agent_id=["odd"]), asset_id=asset_id)
        airflow_api.add(fired("id_3"), asset_id=7)  # another asset's
        airflow_api.add({}, asset_id=asset_id)
        results = []
        for record_id, event in (("id_1", "ended"), ("id_1", "analyzed"), ("id_3", "ended")):
            assert receiver.post(make_event(record_id, event=f"{noun}_{event}", **agent)) == 204
            results.append(receiver.result)
        assert results == ["duplicate", "created", "created"]
        assert len(airflow_api.events) == 4 + 2

    def test_concurrent_events_of_one_call_are_one(
        self, receiver: Any, airflow_api: Any, caplog: Any
    ) -> None:
        airflow_api.after = lambda method: time.sleep(0.2)
        with ThreadPoolExecutor(20) as pool:
            bodies = [make_event(f"call_{index % 4}") for index in range(20)]
            assert set(pool.map(receiver.post, bodies)) == {204}
        assert sorted(event["extra"]["calls"][0]["call_id"] for event in airflow_api.events) == [
            f"call_{i}" for i in range(4)
        ]
        assert caplog.text.count("dropped: Airflow has its event") == 16

    def test_events_that_wait_share_a_read_of_the_stored_events(
        self, receiver: Any, airflow_api: Any
    ) -> None:
        airflow_api.after = lambda method: time.sleep(0.2)
        with ThreadPoolExecutor(20) as pool:
            assert set(pool.map(receiver.post, map(make_event, map(str, range(20))))) == {204}
        assert len(airflow_api.events) == 20
        assert airflow_api.seen.count(("GET", "/api/v2/assets/events")) <= 5

    def test_later_reads_ask_only_for_new_events(self, receiver: Any, airflow_api: Any) -> None:
        for index in range(3):
            airflow_api.add({"event": "call_ended", "calls": [{"call_id": f"old_{index}"}]}, ago=600)
        for index in range(3):
            assert receiver.post(make_event(f"call_{index}")) == 204
        assert airflow_api.matches == [3, 1, 2]

    def test_a_failed_read_of_the_stored_events_is_not_shared(self, receiver: Any, airflow_api: Any) -> None:
        assert receiver.post(make_event("call_0")) == 204
        statuses = []
        with ThreadPoolExecutor(3) as pool:

            def send(call_id: str) -> None:
                sending = len(receiver.app._events["call_ended"]._sending)
                statuses.append(pool.submit(receiver.post, make_event(call_id)))
                eventually(lambda: len(receiver.app._events["call_ended"]._sending) > sending)

            def in_first_read(_method: str) -> None:
                airflow_api.after = lambda _method: None
                # Another process creates an event. Two events wait for the next read, which fails.
                airflow_api.add({"event": "call_ended", "calls": [{"call_id": "call_1"}]})
                send("call_2")
                send("call_1")
                airflow_api.answers = [("GET", 503)]

            airflow_api.after = in_first_read
            assert receiver.post(make_event("call_3")) == 204
            assert [status.result() for status in statuses] == [503, 204]
        calls = [event["extra"]["calls"][0]["call_id"] for event in airflow_api.events]
        assert calls == ["call_0", "call_1", "call_3"]

    def test_event_that_another_process_received_is_dropped(self, start: Any, airflow_api: Any) -> None:
        one, other = start(), start()
        for index in range(250):  # more than a page of Airflow's API
            airflow_api.add({"event": "call_ended", "calls": [{"call_id": f"old_{index}"}]})
        for index in range(5):
            assert one.post(make_event(f"call_{index}")) == 204
        for index in range(10):
            assert other.post(make_event(f"call_{index}")) == 204
        assert other.post(make_event("old_249")) == 204
        assert one.post(make_event("call_9")) == 204
        assert len(airflow_api.events) == 250 + 10

    def test_only_the_newest_events_stay_known(
        self, receiver: Any, airflow_api: Any, mocker: MockerFixture
    ) -> None:
        mocker.patch.object(events, "_MAX_KNOWN", 10)
        for index in range(30):
            assert receiver.post(make_event(f"call_{index}")) == 204
        assert len(receiver.app._events["call_ended"]._known) == 10
        assert receiver.app._events["call_ended"]._sending == {}
        requests = len(airflow_api.seen)
        assert receiver.post(make_event("call_29")) == 204
        assert receiver.result == "duplicate"
        assert len(airflow_api.seen) == requests


class TestAirflowFails:
    """Retell gets 503, and the event that it sends again becomes one asset event."""

    @pytest.mark.parametrize(
        ("method", "status"), [("POST", 500), ("GET", 503), ("POST", 422), ("GET", 302), ("POST", 307)]
    )
    def test_error_of_the_rest_api(
        self, receiver: Any, airflow_api: Any, caplog: Any, method: str, status: int
    ) -> None:
        assert receiver.post(make_event("call_0")) == 204
        airflow_api.answers = [(method, status)]
        assert receiver.post(make_event()) == 503
        assert (
            "call_ended of call call_1 has no asset event yet, and Retell will send it again: "
            f"Airflow's REST API answered {status} to" in caplog.text
        )
        assert receiver.post(make_event()) == 204
        assert len(airflow_api.events) == 2

    def test_unreachable_rest_api(self, receiver: Any, airflow_api: Any, caplog: Any) -> None:
        airflow_api.shutdown()
        airflow_api.server_close()
        assert receiver.post(make_event()) == 503
        assert (
            f"Airflow's REST API cannot be reached at {airflow_api.url} (ClientConnectorError)" in caplog.text
        )

    def test_lost_response_after_the_event_was_created(self, receiver: Any, airflow_api: Any) -> None:
        def drop(method: str) -> None:
            if method == "POST":
                airflow_api.after = lambda _method: None
                raise OSError

        airflow_api.after = drop
        assert receiver.post(make_event()) == 503
        assert receiver.post(make_event()) == 204
        assert len(airflow_api.events) == 1

    def test_slow_response(self, receiver: Any, airflow_api: Any, mocker: MockerFixture) -> None:
        mocker.patch.object(events, "_RESPONSE_SECONDS", 0.2)
        proceed = threading.Event()
        airflow_api.after = lambda method: method == "POST" and proceed.wait(20)
        assert receiver.post(make_event()) == 503
        assert receiver.post(make_event()) == 503  # the request is still running
        proceed.set()
        eventually(lambda: not receiver.app._events["call_ended"]._sending)
        assert receiver.post(make_event()) == 204
        assert len(airflow_api.events) == 1

    def test_expired_token_is_renewed(self, receiver: Any, airflow_api: Any) -> None:
        for index in range(3):
            airflow_api.tokens = {"none"}
            assert receiver.post(make_event(f"call_{index}")) == 204
        airflow_api.answers = [("GET", 403)]  # Airflow's status for tokens that another key has signed
        assert receiver.post(make_event("call_3")) == 204
        assert len(airflow_api.events) == 4

    def test_asset_that_gets_a_new_id_is_found(self, receiver: Any, airflow_api: Any) -> None:
        assert receiver.post(make_event("call_0")) == 204
        airflow_api.assets = {9: "retell_calls"}
        assert receiver.post(make_event("call_1")) == 204
        assert [event["asset_id"] for event in airflow_api.events] == [8, 9]

    def test_unknown_asset(self, receiver: Any, airflow_api: Any, caplog: Any) -> None:
        airflow_api.assets = {7: "other_retell_calls"}
        assert receiver.post(make_event()) == 503
        assert "no asset named 'retell_calls'" in caplog.text

    @pytest.mark.usefixtures("whole_log")
    def test_rejected_login(
        self, receiver: Any, airflow_api: Any, monkeypatch: pytest.MonkeyPatch, caplog: Any
    ) -> None:
        connection = {"conn_type": "http", "host": airflow_api.url, "login": "bot", "password": PRIVATE}
        monkeypatch.setenv("AIRFLOW_CONN_AIRFLOW_API", json.dumps(connection))
        assert receiver.post(make_event()) == 503
        assert "Airflow's REST API answered 401 to POST /auth/token" in caplog.text
        assert PRIVATE not in caplog.text


def test_asset_is_found_among_many_with_similar_names(receiver: Any, airflow_api: Any) -> None:
    airflow_api.assets = {index: f"retell_calls_{index}" for index in range(250)} | {999: "retell_calls"}
    assert receiver.post(make_event()) == 204
    assert [event["asset_id"] for event in airflow_api.events] == [999]


def test_malformed_events_of_others_are_ignored(receiver: Any, airflow_api: Any) -> None:
    for extra in ({"payload": "text"}, {"event": "call_ended", "calls": ["x"]}, {"event": 1, "calls": None}):
        airflow_api.add(extra)
    assert receiver.post(make_event()) == 204
    assert len(airflow_api.events) == 4


def test_connection_may_have_a_token_in_place_of_a_login(
    receiver: Any, airflow_api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = {
        "conn_type": "http",
        "host": "127.0.0.1",
        "port": airflow_api.server_address[1],
        "password": "token_1",
    }
    monkeypatch.setenv("AIRFLOW_CONN_AIRFLOW_API", json.dumps(connection))
    assert receiver.post(make_event()) == 204
    assert ("POST", "/auth/token") not in airflow_api.seen
