from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import pytest
import retell

from airflow_provider_retell.emulator import Clock, Emulator, Lifecycle


class TestKeys:
    def test_no_header_and_wrong_key(self, emulator, send, connect):
        reply = send(emulator, "GET", "/get-api-key-info", key=None)
        assert (reply.status, reply.json) == (401, {"error_message": "Authorization header required"})
        with pytest.raises(retell.AuthenticationError) as caught:
            connect(emulator, "wrong").call.retrieve("call_1")
        assert caught.value.response.json() == {"status": "error", "message": "Invalid API Key."}
        basic = {"Authorization": f"Basic {emulator.api_key}"}
        assert send(emulator, "GET", "/get-concurrency", key=None, headers=basic).status == 401

    @pytest.mark.usefixtures("v3_sdk")
    def test_restricted_keys(self, emulator, send, connect):
        emulator.add_key("key_ro", permissions={"history": "read"}, name="Reader")
        emulator.add_key("key_dial", permissions={"call": "edit", "history": "none"})
        emulator.add_call(call_id="call_1")
        reader, dialler = connect(emulator, "key_ro"), connect(emulator, "key_dial")
        assert reader.call.retrieve("call_1")
        assert reader.call.list().items
        for attempt in (
            lambda: reader.call.update("call_1", metadata={}),
            lambda: reader.call.delete("call_1"),
            lambda: reader.call.create_phone_call(from_number="+14155550100", to_number="+14155550101"),
            lambda: dialler.call.retrieve("call_1"),
        ):
            with pytest.raises(retell.PermissionDeniedError) as caught:
                attempt()
            assert caught.value.response.json() == {"status": "error", "message": "Forbidden"}
        assert dialler.call.create_phone_call(from_number="+14155550100", to_number="+14155550101")
        assert send(emulator, "GET", "/get-api-key-info", key="key_ro").json == {
            "org_id": "org_default",
            "org_name": "default",
            "api_key_name": "Reader",
        }

    def test_key_info_can_be_refused(self, emulator, send):
        emulator.add_key("key_blind", api_key_info=False)
        assert send(emulator, "GET", "/get-api-key-info", key="key_blind").status == 403
        assert send(emulator, "GET", "/get-concurrency", key="key_blind").status == 200

    def test_identity_with_the_sdk(self, emulator, client, connect):
        other = emulator.add_organization("Agency", custom_attributes=("attr_x",), concurrency=3)
        if not hasattr(client, "identity"):
            pytest.skip("this SDK cannot ask for its identity")
        assert client.identity.retrieve().org_name == "default"
        assert connect(emulator, other.api_key).identity.retrieve().org_name == "Agency"

    def test_mistakes(self, emulator):
        with pytest.raises(ValueError, match="no such permission"):
            emulator.add_key("key_x", permissions={"history": "write"})
        with pytest.raises(ValueError, match="exists already"):
            emulator.add_key(emulator.api_key)
        with pytest.raises(ValueError, match="already"):
            emulator.add_organization("default")


class TestRoutes:
    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/v2/list-calls"),
            ("GET", "/"),
            ("GET", "/v2/get-call/"),
            ("GET", "/v2/get-call"),
            ("POST", "/v2/get-call/call_1"),
            ("OPTIONS", "/v2/get-call/call_1"),
            ("PATCH", "/v2/update-call/a/b"),
        ],
    )
    def test_unknown_route_is_not_json(self, emulator, method, path, send):
        reply = send(emulator, method, path)
        assert (reply.status, reply.body.decode()) == (404, f"Cannot {method} {path}")
        assert reply.headers["content-type"].startswith("text/html")

    @pytest.mark.parametrize("method", ["HEAD", "TRACE", "PUT", "OPTIONS"])
    def test_odd_methods_do_no_harm(self, emulator, method, send):
        assert send(emulator, method, "/v2/get-call/call_1").status == 404
        assert send(emulator, "GET", "/get-concurrency").status == 200

    def test_odd_call_ids(self, emulator, send):
        emulator.add_call(call_id="a/b ü")
        assert send(emulator, "GET", "/v2/get-call/a%2Fb%20%C3%BC").json["call_id"] == "a/b ü"
        for odd in ("%00", "%FF%FE", "..", "x" * 5000, "%2e%2e%2f", "?x=1"):
            assert send(emulator, "GET", f"/v2/get-call/{odd}").status in (404, 422)

    def test_query_is_ignored(self, emulator, send):
        emulator.add_call(call_id="call_1")
        assert send(emulator, "GET", "/v2/get-call/call_1?x=1").json["call_id"] == "call_1"

    @pytest.mark.parametrize("chunked", [False, True])
    def test_too_large_body(self, emulator, chunked, send):
        emulator.add_call(call_id="call_1")
        address = urlsplit(emulator.url)
        with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
            length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {10**10}"
            connection.sendall(
                f"PATCH /v2/update-call/call_1 HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n".encode()
            )
            piece = b"%x\r\n%b\r\n" % (1 << 20, b"x" * (1 << 20))
            try:
                for _ in range(12 if chunked else 0):
                    connection.sendall(piece)
                assert b" 413 " in connection.recv(100)
            except ConnectionError:
                pass  # Refused so early that the rest of the body met a closed door.
        assert send(emulator, "GET", "/v2/get-call/call_1").status == 200

    def test_not_even_http(self, emulator, send):
        address = urlsplit(emulator.url)
        with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
            connection.sendall(b"\x16\x03\x01 hello\r\n\r\n")
            assert b"400" in connection.recv(100)
        assert send(emulator, "GET", "/get-concurrency").status == 200

    def test_surrogates_survive(self, emulator, send):
        emulator.add_call(call_id="call_1")
        body = b'{"metadata": {"k": "\\ud83d"}}'
        assert b"\\ud83d" in send(emulator, "PATCH", "/v2/update-call/call_1", body).body


class TestRecording:
    def test_what_is_recorded(self, emulator, client, send):
        emulator.add_call(call_id="call_1")
        before = time.monotonic()
        client.call.update("call_1", metadata={"a": 1}, extra_headers={"X-Mine": "yes"})
        send(emulator, "PATCH", "/v2/update-call/call_2", b"not json")
        send(emulator, "GET", "/nowhere", key=None)
        first, second, third = emulator.requests
        assert (first.method, first.path) == ("PATCH", "/v2/update-call/call_1")
        assert (first.route, first.call_id, first.status) == ("update-call", "call_1", 200)
        assert first.body == {"metadata": {"a": 1}}
        assert first.organization == "default"
        assert first.headers["x-mine"] == "yes"
        assert "authorization" not in first.headers
        assert before <= first.at <= second.at <= third.at <= time.monotonic()
        assert (second.status, second.body) == (400, None)
        assert (third.route, third.call_id, third.status, third.organization) == (None, None, 404, None)
        assert emulator.count() == 3
        assert emulator.count("update-call") == 2
        assert emulator.count("update-call", status=200) == 1
        assert emulator.count("update-call", organization="other") == 0
        emulator.clear_requests()
        assert (emulator.requests, emulator.count()) == ([], 0)

    @pytest.mark.parametrize(("keep", "kept"), [(True, 5), (2, 2), (False, 0)])
    def test_how_many_are_kept(self, make, keep, kept, send):
        emulator = make(record_requests=keep)
        for _ in range(5):
            send(emulator, "GET", "/get-concurrency")
        assert len(emulator.requests) == kept
        assert emulator.count("get-concurrency", status=200) == 5


class TestCalls:
    @pytest.mark.parametrize("call_type", ["phone_call", "web_call"])
    @pytest.mark.parametrize("status", ["registered", "ongoing", "ended", "error", "not_connected"])
    def test_every_kind_of_call_fits_the_sdks_types(self, emulator, client, call_type, status, send):
        made = emulator.add_call(call_type=call_type, call_status=status)
        call = client.call.retrieve(made["call_id"])
        known = type(call).model_fields
        assert type(call).__name__.startswith("Phone" if call_type == "phone_call" else "Web")
        raw = send(emulator, "GET", f"/v2/get-call/{made['call_id']}").json
        type(call).model_validate(raw, strict=True)
        if int(retell.__version__.split(".")[0]) >= 6:
            assert raw.keys() <= known.keys()

    def test_defaults_agree_with_what_is_given(self, emulator):
        call = emulator.add_call(start_timestamp=1000, end_timestamp=31_000, call_analysis=None)
        assert call["duration_ms"] == 30_000
        assert call["call_cost"]["total_duration_seconds"] == 30
        assert "call_analysis" not in call
        assert emulator.add_call(disconnection_reason="voicemail_reached")["call_analysis"]["in_voicemail"]

    def test_mistakes(self, emulator):
        emulator.add_call(call_id="call_1")
        with pytest.raises(ValueError, match="already"):
            emulator.add_call(call_id="call_1")
        with pytest.raises(ValueError, match="call_status"):
            emulator.add_call(call_status="done")
        with pytest.raises(ValueError, match="call_type"):
            emulator.add_call(call_type="fax")

    def test_minimal_calls_do_not_share_what_they_were_given(self, emulator):
        emulator.add_calls(["call_1", "call_2"], metadata={"a": 1})
        emulator.calls["call_1"]["metadata"]["a"] = 2
        assert emulator.calls["call_2"]["metadata"] == {"a": 1}
        assert "transcript" not in emulator.calls["call_1"]

    def test_reset_keeps_keys_only(self, emulator, send):
        emulator.add_call(call_id="call_1", call_status="registered", progress=True)
        send(emulator, "GET", "/v2/get-call/call_1")
        emulator.reset()
        emulator.clock.advance(100)
        assert (emulator.calls, emulator.requests, emulator.placed) == ({}, [], [])
        assert send(emulator, "GET", "/get-concurrency").status == 200


class TestClock:
    def test_runs_at_its_speed(self):
        clock = Clock(speed=1000, start=0)
        time.sleep(0.02)
        assert clock.now() >= 20
        clock.freeze()
        stood = clock.now()
        time.sleep(0.005)
        assert clock.now() == stood
        clock.resume()
        time.sleep(0.005)
        assert clock.now() >= stood + 5

    def test_calls_progress_by_themselves(self, make):
        emulator = make(clock=Clock(speed=1000), lifecycle=Lifecycle(answer=5, talk=10, analyze=5))
        emulator.add_call(call_id="call_1", call_status="registered", progress=True)
        deadline = time.monotonic() + 5
        while "call_analysis" not in emulator.calls["call_1"] and time.monotonic() < deadline:
            time.sleep(0.002)
        assert emulator.calls["call_1"]["duration_ms"] == 10_000

    @pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
    def test_only_forward(self, seconds):
        with pytest.raises(ValueError, match="forward"):
            Clock().advance(seconds)

    def test_mistakes(self):
        with pytest.raises(ValueError, match="speed"):
            Clock(speed=0)
        with pytest.raises(ValueError, match="0 or more"):
            Lifecycle(talk=-1)
        with pytest.raises(ValueError, match="disconnection_reason"):
            Emulator(outcomes={"+14155550123": "no_answer"})
        with pytest.raises(ValueError, match="metadata_semantics"):
            Emulator(metadata_semantics="overwrite")
        with pytest.raises(ValueError, match="port"):
            Emulator(port=70_000)
        with pytest.raises(ValueError, match="ended_statuses"):
            Emulator(ended_statuses=("done",))


class TestStartStop:
    def test_nothing_is_left_behind(self, send):
        before = set(threading.enumerate())
        with Emulator() as emulator:
            address = urlsplit(emulator.url)
            assert address.hostname == "127.0.0.1"
            send(emulator, "GET", "/get-concurrency")
            with pytest.raises(RuntimeError, match="already"):
                emulator.start()
        assert set(threading.enumerate()) == before
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((address.hostname, address.port), timeout=1)
        with pytest.raises(RuntimeError, match="not running"):
            _ = emulator.url
        emulator.stop()

    def test_starts_again_with_its_state(self):
        emulator = Emulator()
        for _ in range(2):
            with emulator:
                emulator.add_call()
        assert len(emulator.calls) == 2

    def test_port_taken(self):
        with Emulator() as emulator:
            taken = Emulator(port=urlsplit(emulator.url).port)
            with pytest.raises(OSError, match="in use"):
                taken.start()
            assert threading.active_count() >= 1

    def test_key_is_not_in_repr(self):
        assert "key_secret" not in repr(Emulator(api_key="key_secret"))


def test_import_is_light():
    code = (
        # aiohttp's own dependencies load pydantic where it is installed: not our doing.
        "import sys, aiohttp.web; before = set(sys.modules);"
        "import airflow_provider_retell.emulator, airflow_provider_retell.emulator.cli;"
        "new = set(sys.modules) - before;"
        "print([m for m in ('airflow', 'requests', 'pydantic', 'retell', 'airflow_provider_retell.api',"
        " 'pytest') if m in new])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


class TestControl:
    def test_calls_and_clock(self, emulator, send):
        calls = [{"call_id": "call_1", "call_status": "registered", "progress": True}, {"call_id": "call_2"}]
        assert len(send(emulator, "POST", "/_emulator/calls", calls, key=None).json) == 2
        assert send(emulator, "POST", "/_emulator/clock", {"advance": 10}).json["frozen"] is True
        shown = send(emulator, "GET", "/_emulator/calls", key=None).json
        assert [call["call_status"] for call in shown] == ["ongoing", "ended"]
        assert send(emulator, "POST", "/_emulator/clock", {"frozen": False}).json["frozen"] is False
        assert send(emulator, "GET", "/_emulator/clock").json["speed"] == 1.0

    def test_faults(self, emulator, send):
        body = {"kind": "status", "status": 429, "headers": {"Retry-After": "2"}, "route": "get-concurrency"}
        assert send(emulator, "POST", "/_emulator/faults", {**body, "times": 2}).status == 200
        assert send(emulator, "GET", "/get-concurrency").headers["retry-after"] == "2"
        assert send(emulator, "GET", "/_emulator/faults").json[0]["hits"] == 1
        assert send(emulator, "DELETE", "/_emulator/faults").status == 204
        assert send(emulator, "GET", "/get-concurrency").status == 200

    def test_requests_and_reset(self, emulator, send):
        send(emulator, "GET", "/get-concurrency")
        (seen,) = send(emulator, "GET", "/_emulator/requests").json
        assert (seen["route"], seen["status"]) == ("get-concurrency", 200)
        assert send(emulator, "DELETE", "/_emulator/requests").status == 204
        emulator.add_call()
        assert send(emulator, "POST", "/_emulator/reset").status == 204
        assert (emulator.calls, emulator.count()) == ({}, 0)

    def test_other_organizations(self, emulator, send):
        emulator.add_organization("other").add_call(call_id="call_o")
        (call,) = send(emulator, "GET", "/_emulator/calls?organization=other").json
        assert call["call_id"] == "call_o"
        assert send(emulator, "GET", "/_emulator/calls?organization=nobody").status == 400

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("calls", [1]),
            ("calls", {"call_status": "done"}),
            ("calls", b"{"),
            ("faults", {"kind": "explode"}),
            ("faults", {"kind": "slow"}),
            ("faults", {"kind": "drop", "route": "x"}),
            ("faults", {"kind": "drop", "color": "red"}),
            ("clock", {"advance": -1}),
            ("clock", {"advance": "1"}),
            ("clock", {"rewind": 1}),
        ],
    )
    def test_mistakes_are_told(self, emulator, path, body, send):
        reply = send(emulator, "POST", f"/_emulator/{path}", body)
        assert reply.status == 400
        assert json.loads(reply.body)["message"]

    def test_web_pages_have_no_business_here(self, emulator, send):
        headers = {"Origin": "https://example.com"}
        assert send(emulator, "POST", "/_emulator/reset", headers=headers).status == 403
        assert send(emulator, "GET", "/_emulator/nothing").status == 404
