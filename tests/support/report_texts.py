"""The texts of the report page, made by its own scripts in Node.js."""

from __future__ import annotations

import atexit
import functools
import json
import subprocess
from pathlib import Path
from typing import Any

import airflow_provider_retell.report_page

STATIC = Path(airflow_provider_retell.report_page.__file__).parent / "static"
SCRIPT = """
const [manifest, given, task] = input;
const outcomes = outcomesOf(manifest);
const failures = failuresOf(given);
console.log(JSON.stringify({
  outcomes: Object.fromEntries(outcomes.filter((each) => each.count > 0).map((each) => [each.name, each.count])),
  verdict: verdict(manifest, outcomes, failures, task),
  advice: Object.fromEntries(advice(manifest, outcomes, failures, task)),
  facts: Object.fromEntries(facts(manifest)),
  snippet: snippet(manifest, failures, { task: "sync" }, task),
  reasons: (failures ?? []).map((failure) => commonReason(failure.reason ?? "")),
}));
"""


def run_script(file: str, script: str, value: Any) -> Any:
    """Run *script* after the functions in *file*, with *value* as ``input``, and return the JSON that it prints."""
    node = _node(file, script)
    assert node.stdin is not None
    assert node.stdout is not None
    node.stdin.write(json.dumps(value) + "\n")
    node.stdin.flush()
    return json.loads(node.stdout.readline())


@functools.cache
def _node(file: str, script: str) -> subprocess.Popen[str]:
    """Start a process that runs *script* for each line of its input, until the tests end."""
    functions = (STATIC / file).read_text(encoding="utf-8")
    source = (
        f"import {{ createInterface }} from 'node:readline';\n{functions}\n"
        f"for await (const line of createInterface(process.stdin)) {{ const input = JSON.parse(line); {script} }}"
    )
    command = ["node", "--input-type=module", "-e", source]
    node = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
    atexit.register(node.kill)
    return node


def report_texts(manifest: Any, failures: Any, task: dict[str, Any]) -> dict[str, Any]:
    """Return the texts for the XComs of a task and the task's own fields in Airflow's API."""
    texts: dict[str, Any] = run_script("words.js", SCRIPT, [manifest, failures, task])
    return texts
