"""People who are asked for approval by phone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crashes import HOUR

from airflow_provider_retell.operators import PhoneApprovalOperator

if TYPE_CHECKING:
    from airflow_provider_retell.emulator import Emulator

FROM, FIRST, SECOND = "+14155550100", "+14155550123", "+14155550199"

__all__ = ["FIRST", "FROM", "HOUR", "SECOND", "answer", "approval", "asked"]


def approval(**arguments: Any) -> PhoneApprovalOperator:
    """Return an operator that asks two people, and waits in the worker."""
    given = {
        "from_number": FROM,
        "to_numbers": [FIRST, SECOND],
        "deferrable": False,
        "poll_interval": 5,
        "wait_timeout": 300,
        "retries": 1,
    }
    return PhoneApprovalOperator(task_id="a_task", **{**given, **arguments})


def answer(emulator: Emulator, number: str, reply: Any) -> None:
    """Set the reply of a person: a value of ``approved``, a tuple with a disconnection reason, or None to hang up."""
    options = emulator.options
    if isinstance(reply, tuple):
        options.outcomes[number] = reply[0]
    else:
        options.custom_analysis[number] = {} if reply is None else {"approved": reply}


def asked(emulator: Emulator) -> list[str]:
    """Return the numbers that were called."""
    return [call["to_number"] for call in emulator.placed]
