"""A call that does not match Retell's documentation prevents no update of other calls."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_provider_retell.emulator import Emulator


@pytest.mark.parametrize(
    ("metadata", "outcome", "says"),
    [
        ({"note": "half \ud83d"}, "invalid", "half of a surrogate pair"),
        ({"\ude00": 1}, "invalid", "half of a surrogate pair"),
        ({"big": 10**400}, "invalid", "too large for a double"),
        ({"nan": float("nan")}, "invalid", "is NaN or infinite"),
        ([1], "failed", "metadata is not as the API documents it (dict_type)"),
        ("gold", "failed", "metadata is not as the API documents it (dict_type)"),
    ],
)
def test_only_the_row_of_a_malformed_call_fails(
    emulator: Emulator, run: Any, metadata: Any, outcome: str, says: str
) -> None:
    emulator.add_calls([f"call_{n}" for n in range(5)])
    emulator.calls["call_2"]["metadata"] = metadata
    task = run(rows=[{"call_id": f"call_{n}", "n": n} for n in range(5)], fails=True)
    task.check(rows=5)
    assert task.counts == {"updated": 4, outcome: 1}
    assert task.outcome(3)[0] == outcome
    assert says in task.outcome(3)[1]
    assert emulator.count("list-calls") == 1
    assert emulator.calls["call_2"]["metadata"] == metadata or "nan" in metadata
    assert emulator.calls["call_4"]["metadata"] == {"n": 4}


def test_many_malformed_calls_do_not_stop_the_run(emulator: Emulator, run: Any) -> None:
    emulator.add_calls([f"call_{n}" for n in range(200)])
    for n in range(100):
        emulator.calls[f"call_{n}"]["metadata"] = [n]
    task = run(rows=[{"call_id": f"call_{n}", "n": n} for n in range(200)], fails=True)
    task.check(rows=200)
    assert task.counts == {"failed": 100, "updated": 100}


def test_a_call_can_be_updated_if_the_malformed_key_is_removed(emulator: Emulator, run: Any) -> None:
    emulator.add_call(call_id="call_1", metadata={"note": "half \ud83d", "n": 1})
    rows = [{"call_id": "call_1", "tier": "gold"}]
    assert run(rows=rows, remove_metadata_keys=["note"]).counts == {"updated": 1}
    assert emulator.calls["call_1"]["metadata"] == {"n": 1, "tier": "gold"}
