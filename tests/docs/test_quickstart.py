"""The commands and the DAG of the quickstart run in a real Airflow."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest
from pages import ROOT, blocks

from sandbox import environment

PAGE = ROOT / "docs/quickstart.md"

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(
        tuple(map(int, version("apache-airflow").split(".")[:2])) < (3, 3),
        reason="the pages are written for the newest Airflow",
    ),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_quickstart_updates_the_metadata_of_a_call(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    port = str(free_port())
    assert "8787" in text

    home = tmp_path / "airflow"
    (dag_file,) = re.findall(r"^Save this as `(\S+)` in your `AIRFLOW_HOME`:$", text, flags=re.MULTILINE)
    (dag,) = [block.code for block in blocks(PAGE) if block.kind == "python"]
    (home / dag_file).parent.mkdir(parents=True)
    (home / dag_file).write_text(dag)

    shell = [block.code.replace("8787", port) for block in blocks(PAGE) if block.kind == "console"]
    install, first_terminal, *second_terminal = [
        re.sub(r"^\$ ", "", code, flags=re.MULTILINE) for code in shell
    ]
    assert install == "pip install .\n"  # the tests run in an environment where this is done
    env = environment(home)
    del env["AIRFLOW__CORE__DAGS_FOLDER"]  # the default, as the page says
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"

    make_calls, serve = first_terminal.splitlines()
    subprocess.run(["bash", "-c", make_calls], cwd=tmp_path, env=env, check=True)
    with subprocess.Popen(["bash", "-c", f"exec {serve}"], cwd=tmp_path, env=env) as emulator:
        try:
            deadline = time.monotonic() + 60
            while socket.socket().connect_ex(("127.0.0.1", int(port))):
                assert time.monotonic() < deadline
                assert emulator.poll() is None
                time.sleep(0.1)
            commands = "".join(second_terminal)
            # Run everything again, as the page suggests, except the creation of the database.
            again = commands.replace("airflow db migrate\n", "")
            assert again != commands
            outputs = [
                subprocess.run(
                    ["bash", "-ec", script],
                    cwd=tmp_path,
                    env=env,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    check=False,
                    timeout=600,  # three commands of Airflow, twice; each takes ten seconds or more
                )
                for script in (commands, again)
            ]
        finally:
            emulator.terminate()
    for done in outputs:
        assert done.returncode == 0, done.stdout
        (metadata,) = re.findall(r"`(\{'customer'.*?\})`", " ".join(text.split()))
        assert metadata in done.stdout
    (says,) = re.findall(r'log says\s"(.*)"\.', text)
    assert says not in outputs[0].stdout
    assert says in outputs[1].stdout
