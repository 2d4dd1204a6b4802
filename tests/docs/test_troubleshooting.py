"""Every message on the troubleshooting page is provoked, and every provoked message is on the page."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import importlib
import json
import logging
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_airflow import ASSET, FakeAirflow
from pages import ROOT, headings
from signed_events import make_event, sign

from airflow_provider_retell.api.errors import RateLimitError
from airflow_provider_retell.emulator import Clock, Emulator, Fault
from airflow_provider_retell.hooks.connection import read_connection
from airflow_provider_retell.hooks.retell import RetellHook
from airflow_provider_retell.notifications.phone_call import PhoneCallNotifier
from airflow_provider_retell.operators.batch_call import CreateBatchCallOperator
from airflow_provider_retell.operators.bulk import BulkUpdateCallOperator
from airflow_provider_retell.operators.call import DeleteCallOperator, UpdateCallOperator
from airflow_provider_retell.operators.list_calls import ListCallsOperator
from airflow_provider_retell.operators.live_call import UpdateLiveCallOperator
from airflow_provider_retell.operators.phone_call import CreatePhoneCallOperator
from airflow_provider_retell.sensors.call import CallSensor
from airflow_provider_retell.sensors.concurrency import ConcurrencySensor

AIRFLOW = tuple(map(int, version("apache-airflow").split(".")[:2]))
HEADINGS = [
    heading[1:-1] for heading in headings(ROOT / "docs/troubleshooting.md") if heading.startswith("`")
]
SCENARIOS: dict[str, Callable[[Any], object]] = {}
FROM, TO = "+14155550101", "+14155550102"


def provokes(start: str) -> Callable[[Any], Any]:
    """Say which heading, by its first words, a function provokes."""

    def note(scenario: Callable[[Any], object]) -> Callable[[Any], object]:
        (heading,) = [heading for heading in HEADINGS if heading.startswith(start)]
        assert heading not in SCENARIOS
        SCENARIOS[heading] = scenario
        return scenario

    return note


class World:
    """An emulated Retell, the connection to it, and what a scenario needs besides."""

    def __init__(
        self,
        emulator: Emulator,
        patch: pytest.MonkeyPatch,
        folder: Path,
        log: pytest.LogCaptureFixture,
        api: FakeAirflow,
    ) -> None:
        self.emulator, self.patch, self.folder, self.log, self.api = emulator, patch, folder, log, api
        self.connect()

    def connect(self, **changed: Any) -> RetellHook:
        """Define ``retell_default``, with what differs from the right one."""
        fields = {
            "conn_type": "retell",
            "host": self.emulator.url,
            "password": self.emulator.api_key,
            **changed,
        }
        self.patch.setenv("AIRFLOW_CONN_RETELL_DEFAULT", json.dumps(fields))
        return RetellHook()

    def run(self, operator: Any, **context: Any) -> Any:
        """Execute an operator as the first try of a task."""
        ti = SimpleNamespace(
            xcom_push=lambda **_: None,
            dag_id="d",
            run_id="r",
            task_id="t",
            map_index=-1,
            try_number=1,
            max_tries=0,
        )
        return operator.execute({"ti": ti, **context})

    def update(self, **arguments: Any) -> Any:
        """Update a call."""
        return self.run(UpdateCallOperator(task_id="t", **{"call_id": "call_1", **arguments}))

    def bulk(self, **arguments: Any) -> Any:
        """Update many."""
        return self.run(BulkUpdateCallOperator(task_id="t", **arguments))

    def airflow(self, password: str) -> str:
        """Return a connection to Airflow's REST API."""
        return json.dumps({"conn_type": "http", "host": self.api.url, "password": password})

    def watch(self, trigger: Any, store: Any, until: str) -> None:
        """Run an event trigger until it has logged something."""
        trigger.asset_state_store = store

        async def run() -> None:
            task = asyncio.ensure_future(anext(aiter(trigger.run())))
            while until not in self.log.text:
                assert not task.done()
                await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        asyncio.run(asyncio.wait_for(run(), 20))

    def fails(self, fault: Fault, **where: Any) -> RetellHook:
        """Let all requests fail; return a hook that does not try again."""
        from airflow_provider_retell.api.retry import RetryLimits

        self.emulator.faults.add(fault, times=0, **where)
        return RetellHook(retry=RetryLimits(attempts=1))


@pytest.fixture
def world(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    airflow_api: FakeAirflow,
) -> Iterator[World]:
    with Emulator(clock=Clock(frozen=True), quotas=None) as emulator:
        emulator.add_call(call_id="call_1", metadata={"kept": 1})
        emulator.add_call(call_id="call_live", call_status="ongoing")
        yield World(emulator, monkeypatch, tmp_path, caplog, airflow_api)


def pattern(heading: str) -> str:
    return ".*".join(map(re.escape, heading.split("…")))


@pytest.mark.parametrize("heading", HEADINGS)
def test_the_message_is_spelt_so(heading: str, world: World, caplog: pytest.LogCaptureFixture) -> None:
    scenario = SCENARIOS[heading]
    said: object
    with caplog.at_level(logging.INFO):
        try:
            said = scenario(world)
        except Exception as error:
            said = error
    assert re.search(pattern(heading), f"{said}\n{caplog.text}", flags=re.DOTALL)


def test_every_heading_has_its_scenario() -> None:
    assert set(SCENARIOS) == set(HEADINGS)
    assert len(HEADINGS) == len(set(HEADINGS)) > 50


# -- the connection


@provokes("The conn_id")
def _(_: World) -> object:
    return RetellHook("nowhere").settings


@provokes("connection … has no API key")
def _(world: World) -> object:
    return world.connect(password="").settings


@provokes("the API key is the mask")
def _(world: World) -> object:
    return world.connect(password="***").settings


@provokes("the API key has characters")
def _(world: World) -> object:
    return world.connect(password="key_ab c").settings


@provokes("the host uses http")
def _(world: World) -> object:
    return world.connect(host="http://retell.example").settings


@provokes("the host must be a plain URL")
def _(world: World) -> object:
    return world.connect(host="https://retell.example/?v=2").settings


@provokes("the extra fields are not")
def _(_: World) -> object:
    # Read as it comes out of a database; most versions of Airflow refuse it elsewhere.
    return read_connection(SimpleNamespace(conn_id="retell_default", extra="timeout=30"))


@provokes("ignoring unknown extra")
def _(world: World) -> object:
    return world.connect(extra={"time_out": 3}).settings


@provokes("the quota must read")
def _(world: World) -> object:
    return world.connect(extra={"quota": "100 per 10"}).settings


@provokes("must be seconds")
def _(world: World) -> object:
    return world.connect(extra={"timeout": "soon"}).settings


# -- the Test button


@provokes("Retell does not accept this")
def _(world: World) -> object:
    return world.connect(password="key_wrong").test_connection()[1]


@provokes("Connected to Retell with a restricted")
def _(world: World) -> object:
    world.emulator.add_key("key_some", {"history": "edit", "call": "edit"}, api_key_info=False)
    return world.connect(password="key_some").test_connection()[1]


@provokes("the key is restricted and may read neither")
def _(world: World) -> object:
    world.emulator.faults.add(Fault.status(403), times=0)
    return RetellHook().test_connection()[1]


@provokes("redirects elsewhere and is not")
def _(world: World) -> object:
    world.emulator.faults.add(Fault.redirect(), times=0)
    return RetellHook().test_connection()[1]


@provokes("answers, but is not Retell's API")
def _(world: World) -> object:
    world.emulator.faults.add(Fault.garbage(), times=0)
    return RetellHook().test_connection()[1]


# -- what Retell answers


@provokes("Retell answered 401")
def _(world: World) -> object:
    return world.connect(password="key_wrong").get_call("call_1")


@provokes("Retell answered 400")
def _(world: World) -> object:
    return world.fails(Fault.status(400)).get_call("call_1")


@provokes("Either the id does not exist in the organization")
def _(world: World) -> object:
    return world.connect().update_call("call_unknown", metadata={"tier": "gold"})


@provokes("Retell answered 402")
def _(world: World) -> object:
    return world.fails(Fault.status(402)).get_call("call_1")


@provokes("Retell answered 403")
def _(world: World) -> object:
    world.emulator.add_key("key_some", {"history": "read"})
    world.connect(password="key_some")
    return world.update(metadata={"a": 1})


@provokes("The server does not know this endpoint")
def _(world: World) -> object:
    return world.fails(Fault.status(404, body="Cannot GET /v2/get-call")).get_call("call_1")


@provokes("Check the id, and that")
def _(_: World) -> object:
    return RetellHook().get_call("call_of_others")


@provokes("The organization's quota is used up")
def _(world: World) -> object:
    return world.fails(Fault.status(429)).get_call("call_1")


@provokes("not sent, because Retell asked")
def _(world: World) -> object:
    hook = world.fails(Fault.status(429, headers={"Retry-After": "300"}))
    with contextlib.suppress(RateLimitError):
        hook.get_call("call_1")
    return hook.get_call("call_1")


@provokes("Retell failed: run the task again")
def _(world: World) -> object:
    return world.fails(Fault.status(503)).get_call("call_1")


@provokes("Redirects are never followed")
def _(world: World) -> object:
    return world.fails(Fault.redirect()).get_call("call_1")


@provokes("is not as its API documents")
def _(world: World) -> object:
    return world.fails(Fault.garbage()).get_call("call_1")


# -- the network


@provokes("no answer within")
def _(world: World) -> object:
    world.connect(extra={"timeout": 0.2})
    return world.fails(Fault.hang()).get_call("call_1")


@provokes("The host name does not resolve")
def _(world: World) -> object:
    world.connect(host="https://nowhere.invalid")
    return world.fails(Fault.drop()).get_call("call_1")


@provokes("Nothing answers there")
def _(world: World) -> object:
    with socket.socket() as taken:  # bound, but it does not listen
        taken.bind(("127.0.0.1", 0))
        world.connect(host=f"http://127.0.0.1:{taken.getsockname()[1]}")
        return world.fails(Fault.drop()).get_call("call_1")


@provokes("The connection broke before")
def _(world: World) -> object:
    return world.fails(Fault.drop()).get_call("call_1")


@provokes("The TLS certificate was not accepted")
def _(world: World) -> object:
    pem = world.folder / "self_signed.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    subprocess.run([*command.split(), "-keyout", pem, "-out", pem], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse() -> None:
            with contextlib.suppress(OSError):
                context.wrap_socket(listening.accept()[0], server_side=True).close()

        server = threading.Thread(target=refuse)
        server.start()
        world.connect(host=f"https://localhost:{listening.getsockname()[1]}")
        try:
            return world.fails(Fault.drop()).get_call("call_1")
        finally:
            server.join()


@provokes("the environment names a … proxy")
def _(world: World) -> object:
    world.patch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1080")
    return world.connect(host="https://retell.example").get_call("call_1")


@provokes("names certificates that do not exist")
def _(world: World) -> object:
    world.patch.setenv("REQUESTS_CA_BUNDLE", str(world.folder / "none.pem"))
    return RetellHook().get_call("call_1")


# -- what was to be sent


@provokes("rendered to nothing")
def _(world: World) -> object:
    return world.update(metadata="None")


@provokes("rendered to text that is not a JSON object")
def _(world: World) -> object:
    return world.update(metadata="gold")


@provokes("must be True or False, or")
def _(world: World) -> object:
    return world.run(DeleteCallOperator(task_id="t", call_id="call_1", missing_ok="None"))


@provokes("is True or False, not")
def _(world: World) -> object:
    return world.update(wait_for_end="{{ params.wait }}")


@provokes("metadata is empty, and")
def _(world: World) -> object:
    return world.update(metadata={})


@provokes("call_id is the text 'None'")
def _(world: World) -> object:
    return world.update(call_id="None", metadata={"a": 1})


@provokes("ids hold letters")
def _(world: World) -> object:
    return world.update(call_id="'call_1'", metadata={"a": 1})


@provokes("is a date and time without a zone")
def _(world: World) -> object:
    return world.update(metadata={"at": datetime.datetime(2026, 1, 1)})  # noqa: DTZ001


@provokes("is NaN or infinite")
def _(world: World) -> object:
    return world.update(metadata={"risk": float("nan")})


class Missing(datetime.datetime):
    """A missing date, as pandas' NaT is one."""

    def __ne__(self, _other: object) -> bool:
        return True


@provokes("is NaT")
def _(world: World) -> object:
    return world.update(metadata={"at": Missing(2026, 1, 1)})


@provokes("is a Decimal with more digits")
def _(world: World) -> object:
    return world.update(metadata={"risk": Decimal("0.12345678901234567890")})


@provokes("which has no JSON form here")
def _(world: World) -> object:
    return world.update(metadata={"id": object()})


@provokes("is an integer beyond")
def _(world: World) -> object:
    return world.update(metadata={"id": 2**60})


@provokes("bytes of JSON, and Retell keeps")
def _(world: World) -> object:
    return world.update(metadata={"notes": "x" * 60_000})


@provokes("is not a field that Retell takes")
def _(_: World) -> object:
    return list(RetellHook().list_calls(filter_criteria={"call_ids": []}))


@provokes("is not a phone number in E.164")
def _(_: World) -> object:
    return RetellHook().create_phone_call(FROM, "415-555-0102")


@provokes("rendered to a number, which")
def _(world: World) -> object:
    operator = CreatePhoneCallOperator(
        task_id="t", from_number=FROM, to_number=4155550102, ignore_e164_validation=True
    )
    return world.run(operator)


@provokes("so it cannot be kept as it is")
def _(world: World) -> object:
    world.emulator.calls["call_1"]["metadata"] = {"note": "half \ud83d"}
    return world.update(metadata={"tier": "gold"}, metadata_mode="merge")


# -- updating


@provokes("Retell updates only calls that have ended")
def _(world: World) -> object:
    return world.update(call_id="call_live", metadata={"a": 1})


@provokes("and Retell never loosens it")
def _(world: World) -> object:
    world.emulator.calls["call_1"]["data_storage_setting"] = "basic_attributes_only"
    return world.update(data_storage_setting="everything", metadata_mode="merge", metadata={"a": 1})


@provokes("Retell accepted the update, but")
def _(world: World) -> object:
    world.emulator.options.metadata_semantics = "merge"
    return world.update(metadata={"a": 1})


@provokes("Retell's answer does not show")
def _(world: World) -> object:
    return world.update(custom_attributes={"attr_tier": "gold"})


def live(**arguments: Any) -> UpdateLiveCallOperator:
    return UpdateLiveCallOperator(task_id="t", call_id="call_live", **arguments)


@provokes("is empty. Leave it out")
def _(world: World) -> object:
    return world.run(live(metadata={}))


@provokes("Whether the agent was told is unknown")
def _(world: World) -> object:
    world.emulator.faults.add(Fault.drop_after(), route="update-live-call")
    return world.run(live(additional_context="Their parcel is on its way."))


@provokes("Retell refused to delete it")
def _(world: World) -> object:
    world.emulator.faults.add(Fault.status(422), route="delete-call")
    return world.run(DeleteCallOperator(task_id="t", call_id="call_live"))


# -- bulk updates


@provokes("rows failed (…). Which ones")
def _(world: World) -> object:
    return world.bulk(rows=[{"call_id": "call_of_others", "tier": "gold"}])


@provokes("because nothing gets through")
def _(world: World) -> object:
    world.emulator.add_calls(f"call_{number}" for number in range(100, 200))
    fault = Fault.status(500, headers={"x-should-retry": "false"})  # as Retell can ask: no second try
    world.emulator.faults.add(fault, times=0, route="update-call")
    return world.bulk(rows=[{"call_id": f"call_{number}", "tier": "gold"} for number in range(100, 200)])


@provokes("because Retell asks to wait")
def _(world: World) -> object:
    fault = Fault.status(429, headers={"Retry-After": "300"})
    world.emulator.faults.add(fault, times=0, route="update-call")
    return world.bulk(rows=[{"call_id": "call_1", "tier": "gold"}])


@provokes("the rows have no column")
def _(world: World) -> object:
    from airflow_provider_retell.bulk import FileRows

    (world.folder / "rows.csv").write_text("CALL_ID,TIER\ncall_1,gold\n")
    return world.bulk(rows=FileRows(str(world.folder / "rows.csv")))


@provokes("the rows have two columns")
def _(world: World) -> object:
    from airflow_provider_retell.bulk import FileRows

    (world.folder / "rows.csv").write_text("call_id,tier,tier\ncall_1,gold,silver\n")
    return world.bulk(rows=FileRows(str(world.folder / "rows.csv")))


@provokes("No row has the column")
def _(world: World) -> object:
    return world.bulk(rows=[{"call_id": "call_1", "tier": "gold"}], metadata_columns=["teir"])


@provokes("dry_run must be")
def _(world: World) -> object:
    return world.bulk(rows=[], dry_run="yes")


@provokes("there is no file")
def _(world: World) -> object:
    from airflow_provider_retell.bulk import FileRows

    return world.bulk(rows=FileRows(str(world.folder / "*.csv")))


@provokes("is damaged, cut off")
def _(world: World) -> object:
    from airflow_provider_retell.bulk import FileRows

    (world.folder / "rows.jsonl.gz").write_text("{}")
    return world.bulk(rows=FileRows(str(world.folder / "rows.jsonl.gz")))


@provokes("the statement returns no rows")
def _(world: World) -> object:
    pytest.importorskip("airflow.providers.sqlite")
    from airflow_provider_retell.bulk import SqlRows

    uri = json.dumps({"conn_type": "sqlite", "host": str(world.folder / "warehouse.db")})
    world.patch.setenv("AIRFLOW_CONN_WAREHOUSE", uri)
    return world.bulk(rows=SqlRows("warehouse", "create table facts (id text)"))


@provokes("the row is a whole call")
def _(world: World) -> object:
    report = world.folder / "report.jsonl"
    row = {"call_id": "call_1", "agent_id": "agent_1", "call_status": "ended"}
    world.bulk(rows=[row], report_path=str(report), max_failed_rows=1)
    return report.read_text()


@provokes("remove_metadata_keys takes away")
def _(world: World) -> object:
    return world.bulk(rows=[], metadata_columns=["tier"], remove_metadata_keys=["tier"])


@provokes("report_path: …")
def _(world: World) -> object:
    return world.bulk(rows=[], report_path=str(world.folder / "report.json"))


@provokes("report_path rendered to nothing")
def _(world: World) -> object:
    return world.bulk(rows=[], report_path="None")


@provokes("report_path is a file")
def _(world: World) -> object:
    from airflow_provider_retell.bulk import FailedRows

    report = str(world.folder / "report.jsonl")
    return world.bulk(rows=FailedRows([{"call_id": "call_1"}], report), report_path=report)


@provokes("the call stands in an earlier row")
def _(world: World) -> object:
    report = world.folder / "report.jsonl"
    row = {"call_id": "call_1", "tier": "gold"}
    world.bulk(rows=[row, row], report_path=str(report), max_failed_rows=1)
    return report.read_text()


def reason(world: World, rows: Any) -> str:
    """Return the report of rows of which one may fail."""
    report = world.folder / "report.jsonl"
    world.bulk(rows=rows, report_path=str(report), max_failed_rows=1)
    return report.read_text()


@provokes("the row has no '")
def _(world: World) -> object:
    return reason(world, [{"id": "call_1", "tier": "gold"}])


@provokes("the line is not JSON")
def _(world: World) -> object:
    from airflow_provider_retell.bulk import FileRows

    (world.folder / "rows.jsonl").write_text('{"call_id": "call_1", "ti')
    return reason(world, FileRows(str(world.folder / "rows.jsonl")))


@provokes("the line has more or fewer columns")
def _(world: World) -> object:
    from airflow_provider_retell.bulk import FileRows

    (world.folder / "rows.csv").write_text("call_id,tier\ncall_1,gold,silver\n")
    return reason(world, FileRows(str(world.folder / "rows.csv")))


@provokes("Stopped on request after")
def _(world: World) -> object:
    def rows() -> Iterator[dict[str, str]]:
        operator.on_kill()
        while True:
            yield {"call_id": "call_1", "tier": "gold"}

    operator = BulkUpdateCallOperator(task_id="t", rows=rows)
    return world.run(operator)


@provokes("rows must be SqlRows")
def _(world: World) -> object:
    return world.bulk(rows=None)


@provokes("rows is an iterator")
def _(world: World) -> object:
    return world.bulk(rows=iter([{"call_id": "call_1"}]))


@provokes("is not one to a SQL database")
def _(world: World) -> object:
    from airflow_provider_retell.bulk import SqlRows

    return world.bulk(rows=SqlRows("retell_default", "select 1"))


# -- waiting


@provokes("Timed out: call … was to be")
def _(world: World) -> object:
    return world.update(
        call_id="call_live",
        metadata={"a": 1},
        wait_for_end=True,
        deferrable=False,
        poll_interval=0.01,
        wait_timeout=0.1,
    )


@provokes("There is never room for")
def _(world: World) -> object:
    return ConcurrencySensor(task_id="t", calls=10_000).execute({})


@provokes("Stopped waiting: …")
def _(world: World) -> object:
    from airflow_provider_retell.triggers.call import CallTrigger

    world.fails(Fault.status(401))
    trigger = CallTrigger(
        call_id="call_live", retell_conn_id="retell_default", poll_interval=0.01, deadline=time.time() + 20
    )

    async def event() -> Any:
        return [event.payload async for event in trigger.run()]

    (payload,) = asyncio.run(event())
    sensor = CallSensor(task_id="t", call_id="call_live")
    return sensor.execute_complete({}, payload)


# -- placing calls


def batch() -> CreateBatchCallOperator:
    return CreateBatchCallOperator(task_id="t", from_number=FROM, tasks=[{"to_number": TO}])


@provokes("An earlier try of this task may have sent")
def _(world: World) -> object:
    ti = SimpleNamespace(dag_id="d", run_id="r", task_id="t", map_index=-1, try_number=2, max_tries=1)
    return batch().execute({"ti": ti})


@provokes("Whether Retell acted is unknown, so")
def _(world: World) -> object:
    world.emulator.faults.add(Fault.drop_after())
    return world.run(batch())


@provokes("Retell did nothing. Before")
def _(world: World) -> object:
    world.emulator.faults.add(Fault.status(400))
    return world.run(batch())


@provokes("which this task placed before, was deleted")
def _(world: World) -> object:
    store: Any = SimpleNamespace(get=lambda _key: "call_gone")
    operator = CreatePhoneCallOperator(task_id="t", from_number=FROM, to_number=TO)
    return world.run(operator, task_state_store=store)


@provokes("trigger_timestamp must be in epoch milliseconds")
def _(world: World) -> object:
    operator = CreateBatchCallOperator(
        task_id="t", from_number=FROM, tasks=[{"to_number": TO}], trigger_timestamp=time.time() + 60
    )
    return world.run(operator)


@provokes("went to another number")
def _(world: World) -> object:
    for number in (TO, "+14155550103"):
        world.run(CreatePhoneCallOperator(task_id="t", from_number=FROM, to_number=number))
    return None


# -- exports


@provokes("this run has no data interval")
def _(world: World) -> object:
    return world.run(ListCallsOperator(task_id="t", path=str(world.folder / "calls.jsonl")))


@provokes("filter_criteria has …")
def _(world: World) -> object:
    ended = {"end_timestamp": {"type": "number", "op": "gt", "value": 0}}
    operator = ListCallsOperator(task_id="t", path=str(world.folder / "c.jsonl"), filter_criteria=ended)
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    end = start + datetime.timedelta(hours=1)
    return world.run(operator, data_interval_start=start, data_interval_end=end)


@provokes("fields: no call has")
def _(_: World) -> object:
    return ListCallsOperator(task_id="t", path="calls.jsonl", fields=["durationms"])


@provokes("out: set whole_calls=True")
def _(_: World) -> object:
    return ListCallsOperator(task_id="t", path="calls.jsonl", fields=["transcript"])


@provokes("must end in .jsonl")
def _(world: World) -> object:
    return world.run(ListCallsOperator(task_id="t", path=str(world.folder / "calls.csv"), by=None))


# -- events, alerts, policies


def imported_without(world: World, module: str, missing: str, **attributes: Any) -> object:
    """Import a module anew in an Airflow that lacks something."""
    world.patch.delitem(sys.modules, module, raising=False)
    world.patch.setitem(sys.modules, missing, SimpleNamespace(**attributes) if attributes else None)
    return importlib.import_module(module)


@provokes("CallEventTrigger needs Airflow 3")
def _(world: World) -> object:
    from airflow.triggers.base import BaseTrigger, TriggerEvent

    from airflow_provider_retell import _compat

    world.patch.delitem(vars(_compat), "BaseEventTrigger", raising=False)
    old = {"BaseTrigger": BaseTrigger, "TriggerEvent": TriggerEvent}
    return imported_without(
        world, "airflow_provider_retell.triggers.call_event", "airflow.triggers.base", **old
    )


@provokes("RetellRetryPolicy needs Airflow 3.3")
def _(world: World) -> object:
    return imported_without(world, "airflow_provider_retell.policies", "airflow.sdk.definitions.retry_policy")


@provokes("Several assets have equal watchers")
def _(world: World) -> object:
    if AIRFLOW < (3, 0):
        pytest.skip("needs asset watchers")
    from airflow_provider_retell.triggers.call_event import CallEventTrigger

    class Store:
        async def aget(self, _key: str) -> None:
            raise ValueError("several assets")

    world.watch(CallEventTrigger(poll_interval=0.01), Store(), until="Several assets")
    return None


@provokes("The events of asset … could not be read")
def _(world: World) -> object:
    if AIRFLOW < (3, 0):
        pytest.skip("needs asset watchers")
    from airflow_provider_retell.triggers.call_event import CallEventTrigger

    world.patch.setenv("AIRFLOW_CONN_THIS_AIRFLOW", world.airflow(password="token_of_yesterday"))
    trigger = CallEventTrigger(poll_interval=0.01, airflow_conn_id="this_airflow", asset_name=ASSET)
    world.watch(trigger, None, until="could not be read")
    return None


@provokes("Airflow knows no asset named")
def _(world: World) -> object:
    from airflow_provider_retell.hooks.airflow_api import AssetEvents

    world.patch.setenv("AIRFLOW_CONN_THIS_AIRFLOW", world.airflow(password="token_1"))
    return asyncio.run(AssetEvents("this_airflow", "retel_calls").add({}))


@provokes("events of asset … are not of this watcher")
def _(world: World) -> object:
    if AIRFLOW < (3, 0):
        pytest.skip("needs asset watchers")
    from airflow_provider_retell.triggers.call_events import fired_calls

    world.patch.setenv("AIRFLOW_CONN_THIS_AIRFLOW", world.airflow(password="token_1"))
    from airflow_provider_retell.hooks.airflow_api import AssetEvents

    world.patch.setattr(fired_calls, "_MOST_SEARCHED", 1)
    asyncio.run(AssetEvents("this_airflow", ASSET).add({}))
    return asyncio.run(fired_calls.FiredCalls("this_airflow", ASSET, "call_ended", "mine").last_since())


@provokes("Airflow has no event of asset")
def _(world: World) -> object:
    if AIRFLOW < (3, 0):
        pytest.skip("needs asset watchers")
    from airflow_provider_retell.triggers.call_events.fired_calls import FiredCalls
    from airflow_provider_retell.triggers.call_events.watch_state import WatchState

    world.patch.setenv("AIRFLOW_CONN_THIS_AIRFLOW", world.airflow(password="token_1"))
    fired_long_ago = WatchState(since=0, pending={"call_1": time.monotonic() - 61})
    asyncio.run(FiredCalls("this_airflow", ASSET, "call_ended", "a_watcher").look(fired_long_ago))
    return None


@provokes("[retell] webhook_enabled is set, but")
def _(world: World) -> object:
    if AIRFLOW < (3, 0):
        pytest.skip("needs Airflow 3")
    from airflow_provider_retell.webhook.plugin import apps

    world.patch.setenv("AIRFLOW__RETELL__WEBHOOK_ENABLED", "True")
    return apps()


@provokes("[retell] webhook_events names some of")
def _(world: World) -> object:
    if AIRFLOW < (3, 0):
        pytest.skip("needs Airflow 3")
    from airflow_provider_retell.webhook.plugin import apps

    world.patch.setenv("AIRFLOW__RETELL__WEBHOOK_ENABLED", "True")
    world.patch.setenv("AIRFLOW__RETELL__WEBHOOK_ASSET", "calls")
    world.patch.setenv("AIRFLOW__RETELL__WEBHOOK_EVENTS", "call_closed")
    return apps()


def post(world: World, body: bytes, signature: str = "") -> None:
    """Have the receiver of webhooks take a request."""
    if AIRFLOW < (3, 0):
        pytest.skip("needs Airflow 3")
    from airflow_provider_retell.webhook.app import WebhookApp
    from airflow_provider_retell.webhook.events import AirflowEvents

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(_message: dict[str, Any]) -> None: ...

    wanted = frozenset({"call_ended", "call_analyzed"})
    app = WebhookApp(AirflowEvents(ASSET, "this_airflow"), "retell_default", wanted)
    headers = [(b"x-retell-signature", (signature or sign(body, world.emulator.api_key)).encode())]
    scope = {"type": "http", "method": "POST", "path": "/retell/webhook", "headers": headers}
    asyncio.run(app(scope, receive, send))


@provokes("Webhook: … requests without")
def _(world: World) -> object:
    return post(world, make_event(), signature="v=1,d=1")


@provokes("Webhook: no API key")
def _(world: World) -> object:
    world.connect(password="")
    return post(world, make_event())


@provokes("no asset event")
def _(world: World) -> object:
    world.patch.setenv("AIRFLOW_CONN_THIS_AIRFLOW", world.airflow(password="token_of_yesterday"))
    return post(world, make_event())


@provokes("Webhook: Retell has signed a body")
def _(world: World) -> object:
    return post(world, b'{"event": "call_ended"}')


@provokes("earlier calls could not be looked for")
def _(world: World) -> object:
    world.emulator.faults.add(Fault.status(403), route="list-calls", times=0)
    return PhoneCallNotifier(from_number=FROM, to_number=TO).notify({})


@provokes("Phone alert: … could not be rendered")
def _(_: World) -> object:
    notifier = PhoneCallNotifier(from_number=FROM, to_number=TO, reason="{{ nothing.at_all }}")
    return notifier.render_template_fields({})


@provokes("Phone alert: no call was placed")
def _(world: World) -> object:
    world.connect(password="key_wrong")
    return PhoneCallNotifier(from_number=FROM, to_number=TO).notify({})
