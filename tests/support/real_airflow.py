"""Homes of a real Airflow, with a migrated SQLite database that all tests of one Airflow version copy."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from sandbox import AIRFLOW_VERSION, ROOT, airflow, connection, environment

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_provider_retell.emulator import Emulator

# To migrate an empty database takes about ten seconds: once per Airflow and Python, and then never again.
_TEMPLATE = ROOT / ".cache" / f"airflow-db-{AIRFLOW_VERSION}-py{'.'.join(map(str, sys.version_info[:2]))}"


def migrated_database() -> Path:
    """Return the template, which the first process that asks creates."""
    _TEMPLATE.mkdir(parents=True, exist_ok=True)
    database = _TEMPLATE / "airflow.db"
    with (_TEMPLATE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not database.exists():
            home = _TEMPLATE / f"home-{os.getpid()}"
            home.mkdir()
            try:
                subprocess.run(
                    airflow("db", "migrate"),
                    env=environment(home),
                    capture_output=True,
                    check=True,
                    timeout=180,
                )
                (home / "airflow.db").rename(database)
            finally:
                shutil.rmtree(home, ignore_errors=True)
    return database


# Airflow imports this file when it starts.
_FASTER = """\
import time

from airflow_provider_retell.clock import no_waiting

# A global keeps the block from its end.
block = no_waiting(lambda seconds: time.sleep(seconds / {speed}))
block.__enter__()
"""


class AirflowHome:
    """An ``AIRFLOW_HOME`` in which commands run.

    :param folder: an empty folder.
    :param dags: the folder with the DAG files.
    :param speed: how many times faster the hooks, waits and triggers sleep. Use the speed of the emulator's clock.
    :param env: more environment variables.
    :ivar code: the exit code of the last command.
    """

    def __init__(self, folder: Path, dags: Path, speed: float = 1, **env: str) -> None:
        self.folder = folder
        self.code: int | None = None
        self._dags = dags
        shutil.copy(migrated_database(), folder / "airflow.db")
        if speed != 1:
            (folder / "config").mkdir()
            (folder / "config/airflow_local_settings.py").write_text(_FASTER.format(speed=speed))
        self.env = environment(folder) | {"AIRFLOW__CORE__DAGS_FOLDER": str(dags)} | env

    def connect(self, emulator: Emulator) -> None:
        """Define the connection ``retell_default``."""
        self.env["AIRFLOW_CONN_RETELL_DEFAULT"] = connection(emulator.url, emulator.api_key)

    def run(self, command: list[str]) -> str:
        """Run *command* to its end and return its output."""
        done = subprocess.run(
            command,
            env=self.env,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=300,
        )
        self.code = done.returncode
        return done.stdout

    def test(self, dag_id: str, date: str = "2026-11-21", **conf: Any) -> str:
        """Run a DAG from its first task to its last with ``airflow dags test``, and return the output.

        If a file has the name of the DAG, Airflow parses only this file, which saves seconds.
        """
        given = ("-c", json.dumps(conf)) if conf else ()
        file = self._dags / f"{dag_id}.py"
        if file.exists():
            alone = self.folder / "dags" / dag_id
            alone.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, alone)
            self.env["AIRFLOW__CORE__DAGS_FOLDER"] = str(alone)
        return self.run(airflow("dags", "test", *given, dag_id, date))

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return rows of Airflow's database."""
        with sqlite3.connect(self.folder / "airflow.db") as database:
            return database.execute(sql, parameters).fetchall()

    def files(self, *, without: str | None = None) -> dict[str, bytes]:
        """Return the content of all files, except those in a folder called *without*."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file() and without not in path.relative_to(self.folder).parts
        }

    def leaks(self, printed: str, *secrets: str, without: str | None = None) -> list[tuple[str, str]]:
        """Return each of *secrets* with the names of the files that contain it, and "the output" for *printed*.

        :param without: the name of a folder that is not searched.
        """
        left = self.files(without=without) | {"the output": printed.encode()}
        assert any(name.endswith(".db") for name in left)
        return [
            (secret, name) for secret in secrets for name, text in left.items() if secret.encode() in text
        ]

    def tables(self) -> dict[str, str]:
        """Return the content of Airflow's database by table."""
        names = [name for (name,) in self.query("select name from sqlite_master where type = 'table'")]
        return {name: str(self.query(f"select * from {name}")) for name in names}
