from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from airflow_provider_retell.emulator import cli
from airflow_provider_retell.emulator.cli import main

pytest_plugins = ["airflow_provider_retell.emulator.pytest_plugin"]

COMMAND = [sys.executable, "-m", "airflow_provider_retell.emulator"]
ROOT = str(Path(cli.__file__).parents[2])


def run(*arguments):
    return subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serves_until_told_to_stop(tmp_path, number):
    calls = tmp_path / "calls.jsonl"
    calls.write_text(
        '{"call_id": "call_1", "metadata": {"a": 1}}\n\n{"call_id": "call_2", "minimal": true}\n'
    )
    process = run("--port", "0", "--calls", str(calls), "--api-key", "key_cli", "--quota", "general=7/10")
    try:
        greeting = [process.stdout.readline() for _ in range(4)]
        assert "with 2 calls" in greeting[0]
        assert "key_cli" in greeting[1]
        name, _, value = greeting[3].strip().removeprefix("export ").partition("=")
        assert name == "AIRFLOW_CONN_RETELL_DEFAULT"
        connection = json.loads(value.strip("'"))
        assert (connection["conn_type"], connection["password"]) == ("retell", "key_cli")
        request = urllib.request.Request(
            connection["host"] + "/v2/get-call/call_1", headers={"Authorization": "Bearer key_cli"}
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert json.load(answer)["metadata"] == {"a": 1}
            assert answer.headers["RateLimit-Limit"] == "7"
    finally:
        process.send_signal(number)
        out, errors = process.communicate(timeout=10)
    assert process.returncode == 0
    assert out == ""
    assert "GET /v2/get-call/call_1 200" in errors
    assert "Traceback" not in errors
    assert "key_cli" not in errors


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: a call must be a JSON object"),
        ('{"call_status": "done"}', "line 2: call_status must be one of"),
        ('{"call_id": "call_1"}', "line 2: call 'call_1' exists already"),
    ],
)
def test_bad_line_of_the_calls_file(tmp_path, capsys, line, message):
    calls = tmp_path / "calls.jsonl"
    calls.write_text('{"call_id": "call_1"}\n' + line + "\n")
    assert main(["--port", "0", "--calls", str(calls)]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--quota", "general=many"], "NAME=COUNT/SECONDS"),
        (["--quota", "generel=1/1"], "unknown quota"),
        (["--quota", "general=1/1", "--no-quota"], "exclude each other"),
        (["--delays", "1/2"], "ANSWER/TALK/ANALYZE"),
        (["--outcome", "+14155550123"], "NAME=VALUE"),
        (["--outcome", "+14155550123=gone"], "disconnection_reason"),
        (["--speed", "0"], "speed"),
        (["--calls", "/nonexistent/calls.jsonl"], "cannot read"),
        (["--port", "99999"], "port must be between"),
        (["--host", "host.invalid"], "cannot listen"),
    ],
)
def test_mistakes_are_one_sentence(capsys, arguments, message):
    assert main(["--port", "0", *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""


def test_port_taken(capsys, retell_emulator):
    port = retell_emulator.url.rpartition(":")[2]
    assert main(["--port", port]) == 2
    assert f"cannot listen on 127.0.0.1 port {port}" in capsys.readouterr().err


def test_options_reach_the_emulator():
    arguments = [
        "--custom-attribute=attr_a",
        "--custom-attribute=attr_b",
        "--quota=list=off",
        "--quota=update-call=5/1.5",
        "--throttle-headers=none",
        "--concurrency=3",
        "--speed=60",
        "--frozen",
        "--delays=1/2/3",
        "--outcome=+14155550123=dial_busy",
        "--do-not-call=+14155550199",
        "--metadata-semantics=merge",
        "--drops-null",
        "--echo-custom-attributes",
        "--not-ended-status=422",
        "--max-ids-per-filter=9",
    ]
    emulator = cli.build(cli.parser().parse_args(arguments))
    assert emulator.options.custom_attributes == ("attr_a", "attr_b")
    assert emulator.options.quotas == {"list": None, "update-call": (5, 1.5)}
    assert emulator.options.throttle_headers == "none"
    assert emulator.options.concurrency == 3
    assert (emulator.clock.speed, emulator.clock.frozen) == (60, True)
    assert (emulator.options.lifecycle.answer, emulator.options.lifecycle.talk, emulator.options.lifecycle.analyze) == (1, 2, 3)
    assert emulator.options.outcomes == {"+14155550123": "dial_busy"}
    assert emulator.options.do_not_call == ("+14155550199",)
    assert (emulator.options.metadata_semantics, emulator.options.drops_null) == ("merge", True)
    assert (emulator.options.echo_custom_attributes, emulator.options.not_ended_status) == (True, 422)
    assert emulator.options.max_ids_per_filter == 9
    assert cli.build(cli.parser().parse_args(["--no-quota"])).options.quotas is None


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert "/_emulator/" in capsys.readouterr().out


def test_fixtures(retell_emulator, retell_connection):
    connection = json.loads(os.environ["AIRFLOW_CONN_RETELL_DEFAULT"])
    assert retell_connection == "retell_default"
    assert connection == {
        "conn_type": "retell",
        "host": retell_emulator.url,
        "password": retell_emulator.api_key,
    }
    assert (retell_emulator.calls, retell_emulator.requests) == ({}, [])
