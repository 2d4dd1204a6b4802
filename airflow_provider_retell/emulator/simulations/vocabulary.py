"""The statuses of batch tests and test runs."""

from __future__ import annotations

from typing import Any, Literal

TestCase = dict[str, Any]
"""A test case as the emulator stores it: Retell's test case definition and the fields of :data:`SCRIPT`."""

BatchTest = dict[str, Any]
"""A batch test as the emulator stores it: Retell's batch test, and its test runs as ``runs``."""

TestRun = dict[str, Any]

Verdict = Literal["pass", "fail", "error"]
VERDICTS: tuple[Verdict, ...] = ("pass", "fail", "error")

SCRIPT = ("verdicts", "tool_calls")
"""The fields of a test case that Retell does not have.

``verdicts`` are the results of its runs in order; the last one repeats. ``tool_calls`` are the calls of
the agent in each run, ``{"tool_name": ..., "args": {...}}``.
"""

ENGINE_IDS = {"retell-llm": "llm_id", "conversation-flow": "conversation_flow_id"}
"""The field with the id of a response engine, by its type."""
