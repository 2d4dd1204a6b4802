"""Call a person when something failed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import BaseNotifier, init_notifier

if TYPE_CHECKING:
    from airflow_provider_retell.api.request import Flow

__all__ = ["PhoneCallNotifier"]

log = logging.getLogger(__name__)


class PhoneCallNotifier(BaseNotifier):
    """Place an on-call phone call: as ``on_failure_callback`` of a task or a DAG, or as a deadline's callback.

    The agent gets ``dag_id``, ``task_id``, ``run_id``, ``map_index`` and ``reason`` as dynamic variables. Errors of
    the call are logged and go no further: the failure that it reports stays the one that people see.

    However many tasks fail at once, and however often Airflow reports the same failure, the limits hold: calls that
    were placed before are found by marks in their metadata, and an idempotency key holds back those that ask at the
    same moment. A failure within the cool-down, or beyond the run's limit, is not called about later.

    :param from_number: a number of your organization, in E.164 form (templated).
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
            with RetellHook(str(self.retell_conn_id), retry=_retry_limits()) as hook:
                _log(hook.run(self._alert(context)))
        except Exception as error:
            _log_failure(error)

    async def async_notify(self, context: Any) -> None:
        """Call, from the triggerer."""
        from airflow_provider_retell.hooks.retell import RetellAsyncHook

        try:
            async with RetellAsyncHook(
                str(self.retell_conn_id), retry=_retry_limits(), connections=1
            ) as hook:
                _log(await hook.run(self._alert(context)))
        except Exception as error:
            _log_failure(error)

    def _update_context(self, context: Any) -> Any:
        # Airflow's own puts the template fields into the context, over the `reason` that a DAG's callback has there.
        return context

    def render_template_fields(self, context: Any, jinja_env: Any = None) -> None:
        """Render the templates; one that cannot be rendered stays as it is, since somebody is to be called anyway."""
        for name in self.template_fields:
            # Each for itself: Airflow's own stops at the first that fails, and logs values with it.
            try:
                jinja_env = jinja_env or self.get_template_env(dag=context.get("dag"))
                setattr(self, name, self.render_template(getattr(self, name), context, jinja_env))
            except Exception as error:
                log.error("Phone alert: %s could not be rendered: %s", name, type(error).__name__)
                if name == "override_agent_id":
                    log.warning("Phone alert: the number's own agent calls in place of the one not rendered")
                    self.override_agent_id = None  # Retell would refuse the call for it

    def _alert(self, context: Mapping[str, Any]) -> Flow[str]:
        from airflow_provider_retell.api.phone_numbers import phone_number
        from airflow_provider_retell.hooks.deployment import qualified_dag_id
        from airflow_provider_retell.notifications.alert import Alert, place_alert

        # A DAG's callback may have no more than the DAG and the run's id, a deadline's has the run as a mapping.
        run, dag, deadline = (context.get(name) for name in ("dag_run", "dag", "deadline"))
        ti = context.get("task_instance") or context.get("ti")
        of_dag = "reason" in context
        error = None if of_dag else context.get("exception")
        failure = type(error).__name__ if isinstance(error, BaseException) else context.get("reason")
        variables = {
            "dag_id": _field("dag_id", run, ti, dag),
            "run_id": _field("run_id", run, ti, context) or _field("dag_run_id", run),
            "task_id": _field("task_id", ti),
            "map_index": _field("map_index", ti),
            "reason": _text(self.reason) or str(failure or ("deadline missed" if deadline else "failed")),
        }
        event = (
            (_field("id", deadline),)
            if deadline
            else ("dag",)
            if of_dag
            else (variables["task_id"], variables["map_index"], _field("try_number", ti))
        )
        return place_alert(
            Alert(
                from_number=phone_number(self.from_number, "from_number"),
                to_number=phone_number(self.to_number, "to_number"),
                override_agent_id=_text(self.override_agent_id),
                dag_id=qualified_dag_id(variables["dag_id"]),
                run_id=variables["run_id"],
                event=event,
                variables={**variables, **(self.dynamic_variables or {})},
                cooldown=self.cooldown,
                max_calls=self.max_calls_per_run,
            )
        )


def _retry_limits() -> Any:
    from airflow_provider_retell.api.retry import RetryLimits

    # Airflow 3 kills a task's callbacks 20 s after the task's end, a DAG's after 50 s. Listing is tried once and
    # calling twice: if nothing answers, 3 x 4 s and up to 2 s between them.
    return RetryLimits(attempts=2, seconds=2, timeout=4, connect_timeout=2)


def _text(value: Any) -> str | None:
    # A DAG that has render_template_as_native_obj makes a number of text that looks like one.
    return None if value is None else str(value)


def _field(name: str, *sources: Any) -> str:
    for source in sources:
        value = source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
        if value is not None:
            return str(value)
    return ""


def _log(outcome: str) -> None:
    log.info("Phone alert: %s", outcome)


def _log_failure(error: Exception) -> None:
    from airflow_provider_retell.hooks.reason import safe_reason

    log.error("Phone alert: no call was placed: %s", safe_reason(error))
