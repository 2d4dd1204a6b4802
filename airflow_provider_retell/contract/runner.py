"""Run checks one after the other, and restore changed objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from airflow_provider_retell.api.errors import RetellConnectionError, RetellStatusError
from airflow_provider_retell.clock import clock
from airflow_provider_retell.contract.check import Check, Client
from airflow_provider_retell.contract.findings import (
    CannotTellError,
    DiffersError,
    Finding,
    NotYetError,
    SkipError,
    differs,
)
from airflow_provider_retell.contract.resources import RESTORE
from airflow_provider_retell.contract.target import Target

_TRIES = 120
"""How often a flow runs that has to wait."""

_ERRORS, _ERROR_SECONDS = 4, 5.0
"""How many errors end a flow that cleans up, and the seconds between them."""


class Run(Protocol):
    """Runs a flow with the hook that a check needs."""

    def __call__(self, client: Client, flow: Any) -> Any:
        """Run *flow* and return its result."""
        ...


@dataclass(frozen=True)
class Result:
    """A check and its finding."""

    check: Check
    finding: Finding


def run_checks(
    checks: Iterable[Check],
    target: Target,
    run: Run,
    on_result: Callable[[Result], object] = lambda _result: None,
) -> list[Result]:
    """Run *checks* and return their results.

    Restore changed objects, delete created ones and stop placed calls at the end, also after an error or an
    interruption. If that fails or is interrupted, ``target.failures`` has the reason.

    :param run: runs a flow with a hook.
    :param on_result: called after each check.
    """
    results: list[Result] = []
    try:
        for check in checks:
            finding = _find(check, target, run)
            restore(target, run)
            results.append(Result(check, finding))
            on_result(results[-1])
    finally:
        try:
            restore(target, run)
        finally:
            if target.changes:
                target.failures.append("metadata could not be restored")
            _clean_up(target, run)
    return results


def _clean_up(target: Target, run: Run) -> None:
    """Run the flows that clean up, the last one first."""
    try:
        while target.at_end:
            make, failure = target.at_end[-1]
            if not _cleaned(run, make):
                target.failures.append(failure)
            target.at_end.pop()
    finally:
        # Interrupted again.
        target.failures += [failure for _, failure in reversed(target.at_end)]
        target.at_end.clear()


def _cleaned(run: Run, make: Callable[[], Any]) -> bool:
    """Run a flow that cleans up, again and again while it has to wait; return True if it succeeds."""
    errors = 0
    for _ in range(_TRIES):
        seconds = _ERROR_SECONDS
        try:
            return run("key", make()) is not False
        except NotYetError as wait:
            seconds = wait.seconds
        except Exception:
            # The last checks use up a quota, for 10 seconds.
            errors += 1
            if errors == _ERRORS:
                return False
        clock().sleep(seconds)
    return False


def restore(target: Target, run: Run) -> None:
    """Restore all changed objects. Those that cannot be restored stay in ``target.changes``."""
    for (kind, object_id), state in tuple(target.changes.items()):
        if _done(run, RESTORE[kind](object_id, state)):
            target.restored(kind, object_id)


def _done(run: Run, flow: Any) -> bool:
    try:
        return run("key", flow) is not False
    except Exception:
        return False


def _run(check: Check, target: Target, run: Run) -> Finding:
    """Run the flow of a check, again and again while it has to wait."""
    tries = 1
    while True:
        try:
            finding: Finding = run(check.client, check.flow(target))
            return finding
        except NotYetError as wait:
            if tries == _TRIES:
                raise
            tries += 1
            clock().sleep(wait.seconds)


def _find(check: Check, target: Target, run: Run) -> Finding:
    """Run one check. No finding has the text of an error, which may contain values."""
    if not target.allows(check.flags):
        return Finding("skipped", f"needs {' '.join(flag.option for flag in check.flags)}")
    try:
        finding = _run(check, target, run)
    except SkipError as reason:
        return Finding("skipped", str(reason))
    except DiffersError as reason:
        return differs(str(reason))
    except CannotTellError as reason:
        return Finding("cannot tell", str(reason))
    except RetellStatusError as error:
        return Finding("cannot tell", f"{type(error).__name__} {error.status}")
    except RetellConnectionError as error:
        return Finding("cannot tell", f"no response ({error.kind})")
    except Exception as error:
        return Finding("cannot tell", f"{type(error).__name__} in the check")
    return finding
