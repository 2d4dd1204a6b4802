"""Call a person when something failed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import BaseNotifier, init_notifier

if TYPE_CHECKING:
    from airflow_provider_retell.api.change import Procedure

log = logging.getLogger(__name__)


class PhoneCallNotifier(BaseNotifier):
    """Place an on-call phone call: as ``on_failure_callback`` of a task or a DAG, or as a deadline's callback.

    The agent gets ``dag_id``, ``task_id``, ``run_id``, ``map_index`` and ``reason`` as dynamic variables. Errors of
    the call are logged and go no further: the failure that it reports stays the one that people see.

    However many tasks of a run fail at once, one event is one call: what was called about before is found by a mark
    in the calls' metadata, and an idempotency key holds back those that ask at the same moment.

    :param from_number: a number of your organisation, in E.164 form (templated).
    :param to_number: whom to call, in E.164 form (templated).
    :param override_agent_id: the agent that speaks, in place of the number's (templated).
    :param reason: what the agent is to say about it; the kind of the error if not given, never its text, which may
        hold private data (templated).
    :param dynamic_variables: more variables for the agent, text by name (templated).
    :param cooldown: seconds in which the DAG does not call this number again.
    :param max_calls_per_run: how often one DAG run may call at most.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated).
    """

    template_fields: Sequence[str] = (
        "from_number",
        "to_number",
        "override_agent_id",
        "reason",
        "dynamic_variables",
        "retell_conn_id",
    )

    def __init__(
        self,
        *,
        from_number: str,
        to_number: str,
        override_agent_id: str | None = None,
        reason: str | None = None,
        dynamic_variables: Mapping[str, str] | None = None,
        cooldown: float = 900,
        max_calls_per_run: int = 1,
        retell_conn_id: str = "retell_default",
        **kwargs: Any,
    ) -> None:
        init_notifier(self, kwargs)
        if max_calls_per_run < 1:
            raise ValueError("max_calls_per_run is 1 or more")
        self.from_number = from_number
        self.to_number = to_number
        self.override_agent_id = override_agent_id
        self.reason = reason
        self.dynamic_variables = dynamic_variables
        self.cooldown = cooldown
        self.max_calls_per_run = max_calls_per_run
        self.retell_conn_id = retell_conn_id

    def notify(self, context: Any) -> None:
        """Call, from a worker or the DAG processor."""
        from airflow_provider_retell.hooks.retell import RetellHook

        try:
            with RetellHook(self.retell_conn_id, patience=_patience()) as hook:
                _log(hook.run(self._alert(context)))
        except Exception as error:
            _log_failure(error)

    async def async_notify(self, context: Any) -> None:
        """Call, from the triggerer."""
        from airflow_provider_retell.hooks.retell import RetellAsyncHook

        try:
            async with RetellAsyncHook(self.retell_conn_id, patience=_patience(), connections=1) as hook:
                _log(await hook.run(self._alert(context)))
        except Exception as error:
            _log_failure(error)

    def _alert(self, context: Mapping[str, Any]) -> Procedure[str]:
        from airflow_provider_retell.api.alert import Alert, place_alert

        run, ti = context.get("dag_run"), context.get("task_instance") or context.get("ti")
        error = context.get("exception")
        variables = {
            "dag_id": _field(run, "dag_id") or _field(ti, "dag_id"),
            "run_id": _field(run, "run_id") or _field(ti, "run_id"),
            "task_id": _field(ti, "task_id"),
            "map_index": _field(ti, "map_index"),
            "reason": self.reason or (type(error).__name__ if isinstance(error, BaseException) else "failed"),
        }
        return place_alert(
            Alert(
                from_number=self.from_number,
                to_number=self.to_number,
                override_agent_id=self.override_agent_id,
                dag_id=variables["dag_id"],
                run_id=variables["run_id"],
                variables={**variables, **(self.dynamic_variables or {})},
                cooldown=self.cooldown,
                max_calls=self.max_calls_per_run,
            )
        )


def _patience() -> Any:
    from airflow_provider_retell.api.retry import Patience

    # Callbacks hold a worker or the DAG processor up, so they do not wait long.
    return Patience(attempts=3, seconds=15)


def _field(source: Any, name: str) -> str:
    # A deadline's callback gets its DAG run as a dict.
    value = source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
    return "" if value is None else str(value)


def _log(outcome: str) -> None:
    log.info("Phone alert: %s", outcome)


def _log_failure(error: Exception) -> None:
    from airflow_provider_retell.api.errors import RetellError

    # Only our own errors are known to hold nothing private.
    log.error(
        "Phone alert: no call was placed: %s",
        error if isinstance(error, RetellError) else type(error).__name__,
    )
