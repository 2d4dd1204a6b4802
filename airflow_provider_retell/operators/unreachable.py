"""People who cannot be called: the task fails, or is skipped."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal, get_args

from airflow_provider_retell._compat import AirflowSkipException
from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.params import checks

if TYPE_CHECKING:
    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.errors import RetellError

OnUnreachable = Literal["fail", "skip"]

Outcome = Literal["placed", "invalid_number", "do_not_call"]

OUTCOME = "outcome"
"""The XCom key of the outcome of a call."""

log = logging.getLogger(__name__)


def check_on_unreachable(**parameters: object) -> None:
    """Raise :class:`ValueError` unless all *parameters* are valid."""
    for name, value in parameters.items():
        checks.one_of(name, value, get_args(OnUnreachable))


def skip(context: Context, outcome: Outcome, on_unreachable: OnUnreachable, error: RetellError) -> None:
    """Push *outcome* to XCom, and skip the task if the DAG asks for it.

    :raises AirflowSkipException: if *on_unreachable* is ``"skip"``. Its message has the reason.
    """
    context["ti"].xcom_push(key=OUTCOME, value=outcome)
    if on_unreachable == "skip":
        # Not the message of the error: it advises to skip the task.
        reason = "the contact is marked as do-not-call in Retell"
        if isinstance(error, RetellInputError):
            reason = error.fault
        raise AirflowSkipException(f"Nobody was called ({outcome}): {reason}") from error
