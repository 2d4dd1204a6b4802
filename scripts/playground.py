"""The data of `make ui`: an emulated Retell, a warehouse, files, connections and Variables for every example DAG.

All of it is made again at each start, in one folder of the checkout.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator import Emulator, Lifecycle, Simulation
from sandbox import API_KEY, add_sample_calls, connection, sqlite_connection

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_retell.emulator import Organization

FROM, TO, ON_DUTY = "+14155550100", "+14155550187", "+14155550188"
# Grace never answers, and Edsger has an answering machine.
OUTCOMES = {"+14155550102": "dial_no_answer", "+14155550103": "voicemail_reached"}
ANSWERS = {TO: {"approved": True}}
DAYS_AGO = {"call_old": 100, "call_very_old": 1000}

# One run of this example fails on purpose, to show what failed rows look like.
FAILS = "many_workspaces"
CLIENT_CALLS = [
    ("call_acme_1", "retell_acme", "gold"),
    ("call_acme_2", "retell_acme", "silver"),
    ("call_globex_1", "retell_globex", "gold"),
    ("call_globex_2", "retell_globex", "bronze"),
    ("call of monday", "retell_globex", "gold"),  # not the id of a call
    ("call_globex_9", "retell_globex", "silver"),  # deleted at Retell
]

CUSTOMERS = [
    ("+14155550150", "Ada", "gold", False),
    ("+14155550151", "Grace", "silver", True),
    ("+14155550152", "Alan", "silver", None),
]

# Airflow loads these two files. Scheduled examples keep their data intervals, and no scheduled run is ever due.
PLUGIN = '''"""A schedule without runs."""

from airflow.plugins_manager import AirflowPlugin
from airflow.timetables.interval import CronDataIntervalTimetable


class TriggeredTimetable(CronDataIntervalTimetable):
    """The data intervals of a cron expression, for runs that are triggered."""

    def next_dagrun_info(self, **_):
        """Return None: no run is due."""


class PlaygroundPlugin(AirflowPlugin):
    """Registers the timetable."""

    name = "playground"
    timetables = [TriggeredTimetable]
'''
LOCAL_SETTINGS = '''"""The examples of the playground start when they are triggered, or by the events of their asset."""


def dag_policy(dag):
    """Replace the schedule of a DAG that has one."""
    from playground_plugin import TriggeredTimetable

    expression = dag.schedule if isinstance(dag.schedule, str) else getattr(dag.schedule, "summary", None)
    if isinstance(expression, str):
        dag.timetable = TriggeredTimetable(expression, timezone="UTC")
'''


class Playground:
    """Everything that the examples need.

    :param folder: the ``AIRFLOW_HOME``.
    :ivar emulator: the emulated Retell, not running yet.
    :ivar organizations: its organizations, by the connection that leads to each.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = folder / "files"
        self.emulator = Emulator(
            api_key=API_KEY,
            lifecycle=Lifecycle(answer=1, talk=8, analyze=3),
            simulation=Simulation(queue=1, talk=3),
            outcomes=OUTCOMES,
            custom_analysis=ANSWERS,
        )
        self.emulator.options.knowledge_bases.indexing_seconds = 2
        self.organizations: dict[str, Organization] = {"retell_default": self.emulator.organization}

    def prepare(self) -> None:
        """Make the files and the objects at Retell."""
        shutil.rmtree(self.files, ignore_errors=True)
        handbook = self.files / "handbook"
        handbook.mkdir(parents=True)
        (handbook / "opening_hours.md").write_text(
            "# Opening hours\n\nMonday to Friday, 9 to 17.\n", encoding="utf-8"
        )
        (handbook / "returns.md").write_text("# Returns\n\nWithin 30 days.\n", encoding="utf-8")
        (self.files / "prompt.md").write_text(
            "You are the desk. The caller is {{customer_name}}.\n", encoding="utf-8"
        )
        for name, code in (
            ("config/airflow_local_settings", LOCAL_SETTINGS),
            ("plugins/playground_plugin", PLUGIN),
        ):
            path = self.folder / f"{name}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(code, encoding="utf-8")
        with sqlite3.connect(self.files / "warehouse.db") as database:
            database.execute("create table client_calls (call_id text, organization text, tier text)")
            database.executemany("insert into client_calls values (?, ?, ?)", CLIENT_CALLS)
            database.execute(
                "create table customers (phone text, first_name text, plan text, opted_out integer)"
            )
            database.executemany("insert into customers values (?, ?, ?, ?)", CUSTOMERS)
            database.execute("create table erasure_requests (phone text)")
            database.execute("insert into erasure_requests values ('+14155550153')")
        database.close()
        self._add_calls()
        self._add_chats()
        self._add_agents()

    def _add_calls(self) -> None:
        add_sample_calls(self.emulator)
        for call_id, days in DAYS_AGO.items():
            end = int(time.time() - days * 86_400) * 1000
            self.emulator.add_call(
                call_id=call_id, call_status="ended", start_timestamp=end - 60_000, end_timestamp=end
            )
        for name in ("acme", "globex"):
            organization = self.emulator.add_organization(name)
            self.organizations[f"retell_{name}"] = organization
            for number in (1, 2):
                organization.add_call(call_id=f"call_{name}_{number}", call_status="ended", metadata={})

    def _add_chats(self) -> None:
        # The example reads the chats of one hour, so there are chats in the present hour and the one before.
        for number, minutes in enumerate((5, 35, 65, 95), start=1):
            end = int(time.time() - minutes * 60) * 1000
            self.emulator.add_chat(
                chat_id=f"chat_{number}", chat_status="ended", start_timestamp=end - 60_000, end_timestamp=end
            )

    def _add_agents(self) -> None:
        emulator = self.emulator
        emulator.add_contact("+14155550153")
        emulator.add_knowledge_base(knowledge_base_id="kb_handbook", knowledge_base_name="Handbook")
        llm = {"general_prompt": "You are the desk.", "knowledge_base_ids": ["kb_handbook"]}
        emulator.add_agent(agent_id="agent_desk", llm=llm)
        outbound = [{"agent_id": "agent_desk", "agent_version": 0, "weight": 1}]
        emulator.add_phone_number(
            FROM, nickname="Main line", inbound_agents=outbound, outbound_agents=outbound
        )
        for name in ("moves an appointment", "cancels an appointment"):
            emulator.add_test_case(agent_id="agent_desk", name=name, user_prompt=f"The caller {name}.")

    def connections(self) -> dict[str, Any]:
        """Return Airflow's connections by id."""
        found = {
            name: json.loads(connection(self.emulator.url, organization.api_key))
            for name, organization in self.organizations.items()
        }
        return found | {"warehouse": json.loads(sqlite_connection(self.files / "warehouse.db"))}

    def variables(self) -> dict[str, str]:
        """Return Airflow's Variables by key."""
        return {
            "alert_from": FROM,
            "alert_to": ON_DUTY,
            "retell_agent": "agent_desk",
            "retell_agents": '["agent_desk"]',
            "retell_approver": TO,
            "retell_approvers": f'["+14155550102", "{TO}"]',
            "retell_calls": str(self.files / "calls"),
            "retell_chats": str(self.files / "chats"),
            "retell_recordings": str(self.files / "recordings"),
            "retell_from_number": FROM,
            "retell_handbook": str(self.files / "handbook"),
            "retell_knowledge_base": "kb_handbook",
            "retell_prompt": str(self.files / "prompt.md"),
            "retell_reports": str(self.files / "reports"),
            "retell_retention": str(self.files / "retention"),
            "retell_to_number": TO,
        }

    def environment(self) -> dict[str, str]:
        """Return the environment variables that the examples read."""
        return {
            "RETELL_REPORTS": str(self.files / "reports"),
            "RETELL_REDIAL_MINUTES": "0.05",
        }


class Changes:
    """The changes of the emulated calls since the last check."""

    def __init__(self, playground: Playground) -> None:
        self._organizations = playground.organizations.values()
        self._known: dict[str, tuple[str, dict[str, Any]]] = {}
        self.lines()

    def lines(self) -> list[str]:
        """Return a line for each call that was placed, ended, deleted or updated."""
        lines, existing = [], set()
        for organization in self._organizations:
            for call_id, call in list(organization.calls.items()):
                status, metadata = str(call["call_status"]), dict(call.get("metadata") or {})
                old_status, before = self._known.get(call_id, ("", metadata))
                if status != old_status:
                    reason = call.get("disconnection_reason")
                    lines.append(f"  {call_id}  {status}" + (f" ({reason})" if reason else ""))
                changed = {key: value for key, value in metadata.items() if before.get(key, ...) != value}
                if removed := sorted(before.keys() - metadata.keys()):
                    changed["removed"] = removed
                if changed:
                    lines.append(f"  {call_id}  {json.dumps(changed)}")
                self._known[call_id] = status, metadata
                existing.add(call_id)
        for call_id in self._known.keys() - existing:
            del self._known[call_id]
            lines.append(f"  {call_id}  deleted")
        return lines
