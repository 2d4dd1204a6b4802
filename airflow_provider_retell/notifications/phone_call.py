"""A notifier that places a phone call when a task, a DAG or a deadline fails."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_retell._compat import BaseNotifier, init_notifier
from airflow_provider_retell._compat.task_context import loop_iteration
from airflow_provider_retell.params import checks

if TYPE_CHECKING:
    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.request import Flow
    from airflow_provider_retell.api.retry import RetryLimits


log = logging.getLogger(__name__)


class PhoneCallNotifier(BaseNotifier):
    """Place a phone call about a failure.

    ::

        from airflow.sdk import DAG

        from airflow_provider_retell.notifications import PhoneCallNotifier

        with DAG(
            "nightly_load",
            on_failure_callback=PhoneCallNotifier(
                from_number="+14155550101", to_number="+14155550102", reason="the nightly load failed"
            ),
        ):
            ...

    Use it as the ``on_failure_callback`` of a task or a DAG, or as the callback of a deadline. The agent receives
    ``dag_id``, ``task_id``, ``run_id``, ``map_index`` and ``reason`` as dynamic variables. Errors are logged and not
    raised, so that Airflow shows the original failure.

    The limits hold even if many tasks fail at the same time, or if Airflow reports a failure twice: the notifier finds
    earlier calls by their metadata, and concurrent reporters share an idempotency key. A failure that exceeds a limit
    is logged, and no call follows later.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/phone_alert.html
    - API: https://docs.retellai.com/api-references/create-phone-call

    :param from_number: a number of your organization, in E.164 format (templated).
    :param to_number: the number to call, in E.164 format (templated).
    :param override_agent_id: the agent that speaks (templated). Default: the agent of ``from_number``.
    :param reason: the reason that the agent gives (templated). Default: the type of the exception. The exception's text
        is never used, because it may contain private data.
    :param retell_llm_dynamic_variables: additional variables for the agent, texts by name (templated). Write the
        agent's own variables as ``{% raw %}{{name}}{% endraw %}``.
    :param cooldown: seconds, or a timedelta, after a call during which the DAG does not call the number again.
        Default: 900 seconds.
    :param max_calls_per_run: the maximum number of calls per DAG run. Default: 1.
    :param retell_conn_id: the Airflow connection of type ``retell`` (templated). Default: ``retell_default``.
    :raises ValueError: if ``cooldown`` or ``max_calls_per_run`` is out of range, or a number is neither in E.164 format
        nor a template.
    """

    template_fields: Sequence[str] = (
        "from_number",
        "to_number",
        "override_agent_id",
        "reason",
        "retell_llm_dynamic_variables",
        "retell_conn_id",
    )

    def __init__(
        self,
        *,
        from_number: str,
        to_number: str,
        override_agent_id: str | None = None,
        reason: str | None = None,
        retell_llm_dynamic_variables: Mapping[str, str] | None = None,
        cooldown: float | timedelta = 900,
        max_calls_per_run: int = 1,
        retell_conn_id: str = "retell_default",
        **kwargs: Any,
    ) -> None:
        init_notifier(self, kwargs)
        checks.whole_number("max_calls_per_run", max_calls_per_run, minimum=1)
        checks.phone_number("from_number", from_number)
        checks.phone_number("to_number", to_number)
        self.from_number = from_number
        self.to_number = to_number
        self.override_agent_id = override_agent_id
        self.reason = reason
        self.retell_llm_dynamic_variables = retell_llm_dynamic_variables
        self.cooldown = checks.in_seconds("cooldown", cooldown)
        self.max_calls_per_run = max_calls_per_run
        self.retell_conn_id = retell_conn_id

    def notify(self, context: Context) -> None:
        """Place the call, from a worker or the DAG processor."""
        from airflow_provider_retell.hooks.retell import RetellHook

        try:
            with RetellHook(str(self.retell_conn_id), retry=_retry_limits()) as hook:
                _log(context, hook.run(self._alert(context)))
        except Exception as error:
            _log_failure(context, error)

    async def async_notify(self, context: Context) -> None:
        """Place the call, from the triggerer."""
        from airflow_provider_retell.hooks.retell import RetellAsyncHook

        try:
            async with RetellAsyncHook(
                str(self.retell_conn_id), retry=_retry_limits(), connections=1
            ) as hook:
                _log(context, await hook.run(self._alert(context)))
        except Exception as error:
            _log_failure(context, error)

    def _update_context(self, context: Context) -> Context:
        # Airflow's version would overwrite the `reason` in the context of a DAG's callback with this notifier's.
        return context

    def render_template_fields(self, context: Context, jinja_env: Any = None) -> None:
        """Render the templates. A field that cannot be rendered keeps its text, so that the call is placed anyway."""
        for name in self.template_fields:
            # Airflow's version stops at the first error and logs the fields' values.
            try:
                jinja_env = jinja_env or self.get_template_env(dag=context.get("dag"))
                setattr(self, name, self._rendered(name, context, jinja_env))
            except Exception as error:
                log.error("%s: %s", _about(context), _render_failure(name, error, getattr(self, name)))
                if name == "override_agent_id":
                    log.warning("%s: the agent of from_number speaks instead", _about(context))
                    self.override_agent_id = None  # Retell would reject the unrendered text

    def _rendered(self, name: str, context: Context, jinja_env: Any) -> Any:
        value = getattr(self, name)
        if not name.endswith("_number") or not isinstance(value, str):
            return self.render_template(value, context, jinja_env)
        from airflow_provider_retell.params.templated import render_to_text

        # With render_template_as_native_obj, Airflow makes a number of a phone number.
        dag = context.get("dag")
        return render_to_text(
            value, context, dag.get_template_env(force_sandboxed=True) if dag else jinja_env
        )

    def _alert(self, context: Context) -> Flow[str]:
        from airflow_provider_retell.hooks.deployment import qualified_dag_id
        from airflow_provider_retell.notifications.alert import place_alert
        from airflow_provider_retell.params.rendered import as_phone_number

        given: Mapping[str, Any] = {**context}
        deadline, ti = given.get("deadline"), _task_instance(given)
        of_dag = "reason" in given
        error = None if of_dag else given.get("exception")
        failure = type(error).__name__ if isinstance(error, BaseException) else given.get("reason")
        variables = {
            **_dag_run(given),
            "task_id": _field("task_id", ti),
            "map_index": _field("map_index", ti),
            "reason": _text(self.reason) or str(failure or ("deadline missed" if deadline else "failed")),
        }
        event = (
            (_field("id", deadline),)
            if deadline
            else ("dag",)
            if of_dag
            else (
                variables["task_id"],
                variables["map_index"],
                _field("try_number", ti),
                *map(str, loop_iteration({**given, "ti": ti})),
            )
        )
        return place_alert(
            from_number=as_phone_number(self.from_number, "from_number"),
            to_number=as_phone_number(self.to_number, "to_number"),
            override_agent_id=_text(self.override_agent_id),
            dag_id=qualified_dag_id(variables["dag_id"]),
            run_id=variables["run_id"],
            event=event,
            variables={**variables, **(self.retell_llm_dynamic_variables or {})},
            cooldown=self.cooldown,
            max_calls=self.max_calls_per_run,
        )


def _retry_limits() -> RetryLimits:
    from airflow_provider_retell.api.retry import RetryLimits

    # Airflow 3 kills a task's callbacks 20 s after the end of the task, and a DAG's after 50 s. One attempt to list
    # and two to place the call take at most 3 x 4 s, plus 2 s of back-off.
    return RetryLimits(attempts=2, seconds=2, timeout=4, connect_timeout=2)


def _text(value: Any) -> str | None:
    # With render_template_as_native_obj, Airflow turns text that looks like a number into one.
    return None if value is None else str(value)


def _field(name: str, *sources: Any) -> str:
    for source in sources:
        value = source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
        if value is not None:
            return str(value)
    return ""


def _task_instance(given: Mapping[str, Any]) -> Any:
    return given.get("task_instance") or given.get("ti")


def _dag_run(given: Mapping[str, Any]) -> dict[str, str]:
    # The context of a DAG's callback may have only the DAG and the run id. A deadline's has the run as a mapping.
    run, dag, ti = given.get("dag_run"), given.get("dag"), _task_instance(given)
    return {
        "dag_id": _field("dag_id", run, ti, dag),
        "run_id": _field("run_id", run, ti, given) or _field("dag_run_id", run),
    }


def _about(context: Mapping[str, Any]) -> str:
    # The log of the DAG processor has the callbacks of many DAGs.
    return "Phone alert about DAG {dag_id}, run {run_id}".format(**_dag_run(context))


def _log(context: Mapping[str, Any], outcome: str) -> None:
    log.info("%s: %s", _about(context), outcome)


def _log_failure(context: Mapping[str, Any], error: Exception) -> None:
    from airflow_provider_retell._compat import AirflowNotFoundException
    from airflow_provider_retell.hooks.reason import safe_reason

    # Without the connection, nothing was sent.
    if isinstance(error, AirflowNotFoundException) or getattr(error, "not_processed", False):
        result = "no call was placed"
    else:
        result = "it is unknown whether a call was placed, look for it in Retell's dashboard"
    log.error("%s: %s: %s", _about(context), result, safe_reason(error))


def _render_failure(name: str, error: Exception, template: object) -> str:
    from airflow_provider_retell.params.render_errors import render_error

    is_variable = name == "retell_llm_dynamic_variables"
    text = str(render_error(name, error, template, hint=is_variable))
    return text if text.startswith(name) else f"{name} could not be rendered: {text}"
