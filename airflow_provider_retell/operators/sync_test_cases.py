"""The operator for the test cases of simulations."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.operators.base import RetellOperator
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.rendered import as_bool, as_id
from airflow_provider_retell.params.test_cases import as_test_cases, keep_literal

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context

log = logging.getLogger(__name__)


class SyncTestCasesOperator(RetellOperator):
    """Keep the test cases of an agent in code: create and update them by name.

    ::

        from airflow_provider_retell.operators import SyncTestCasesOperator

        SyncTestCasesOperator(
            task_id="sync_test_cases",
            agent_id="{{ var.value.retell_agent }}",
            test_cases="s3://bucket/test_cases/*.yaml",
        )

    The operator compares each test case with Retell's, and sends only the fields that differ. If nothing
    differs, it only reads. ``dynamic_variables`` and ``tool_mocks`` that a test case leaves out are
    removed, an ``llm_model`` that it leaves out stays.

    The task returns the names of the test cases that were ``created``, ``updated``, ``unchanged`` and ``deleted``, the
    ``agent_id``, and ``test_case_definition_ids``, the ids of the given test cases in their order.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/simulations.html
    - API: https://docs.retellai.com/api-references/create-test-case-definition

    :param agent_id: the agent whose response engine has the test cases (templated).
    :param test_cases: dicts with ``name``, ``user_prompt``, ``metrics``, and maybe ``dynamic_variables``, ``llm_model``
        and ``tool_mocks``; paths of JSON or YAML files with such dicts, on any storage of Airflow's
        ``ObjectStoragePath``, also with ``*`` in the path; or a list of both. Paths and whole lists can be
        templates. Dicts are not rendered, because Retell's dynamic variables have the same braces as templates. Only
        names are logged and shown.
    :param test_cases_conn_id: the Airflow connection of the files' storage (templated). Default: the storage's default
        connection.
    :param delete_missing: True to delete the agent's test cases that are not in ``test_cases``. Default: False.
    :param max_deleted_ratio: the largest share of the agent's test cases that may be deleted, 0 to 1. Beyond it, the
        task fails and sends nothing. Default: 0.5.
    :param dry_run: True to change nothing (templated). The log and the result then show the planned changes.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises AirflowFailException: if the input is invalid or ``max_deleted_ratio`` is exceeded (nothing was sent), or
        Retell rejects a test case.
    """

    template_fields: Sequence[str] = (
        "agent_id",
        "test_cases",
        "test_cases_conn_id",
        "dry_run",
        "retell_conn_id",
    )
    masked_fields: Sequence[str] = ("test_cases",)
    agent_fields: Sequence[str] = masked_fields

    def __init__(
        self,
        *,
        agent_id: str | XComArg,
        test_cases: str | Mapping[str, Any] | Sequence[Mapping[str, Any] | str] | XComArg,
        test_cases_conn_id: str | None = None,
        delete_missing: bool = False,
        max_deleted_ratio: float = 0.5,
        dry_run: bool | str | XComArg = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        checks.flag(delete_missing=delete_missing)
        checks.between("max_deleted_ratio", max_deleted_ratio, 0, 1)
        self.check_effect("delete_missing", delete_missing, max_deleted_ratio=max_deleted_ratio)
        self.agent_id = agent_id
        self.test_cases = keep_literal(test_cases)
        self.test_cases_conn_id = test_cases_conn_id
        self.delete_missing = delete_missing
        self.max_deleted_ratio = max_deleted_ratio
        # Hides BaseOperator.dry_run(), which Airflow 3 does not call and Airflow 2 only in `airflow tasks test -n`.
        self.dry_run = dry_run  # type: ignore[method-assign,assignment]

    def work(self, context: Context) -> dict[str, Any]:
        """Compare the test cases, and send the differences."""
        from airflow_provider_retell.api.simulations.simulation_plan import engine_of, read_agent
        from airflow_provider_retell.api.simulations.sync import sync_test_cases

        dry_run = as_bool(self.dry_run, "dry_run")
        cases = as_test_cases(self.test_cases, "test_cases", self.test_cases_conn_id)
        agent = self.hook.run(read_agent(as_id(self.agent_id, "agent_id")))
        result = self.hook.run(
            sync_test_cases(
                engine_of(agent),
                cases,
                delete_missing=self.delete_missing,
                max_deleted_ratio=self.max_deleted_ratio,
                dry_run=dry_run,
            )
        )
        for action in ("created", "updated", "deleted"):
            for name in getattr(result, action):
                fields = result.changed.get(name)
                log.info(
                    "%s test case %r%s",
                    f"Would have {action}" if dry_run else action.capitalize(),
                    name,
                    f": {', '.join(fields)}" if fields else "",
                )
        log.info("Unchanged test cases: %d", len(result.unchanged))
        return {
            "agent_id": agent.agent_id,
            "created": result.created,
            "updated": result.updated,
            "unchanged": result.unchanged,
            "deleted": result.deleted,
            "test_case_definition_ids": list(result.ids.values()),
        }
