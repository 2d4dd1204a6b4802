"""The operator for snapshots of agents."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.api.errors import DriftError, RetellInputError
from airflow_provider_retell.common.paths import check_no_secrets, safe_path
from airflow_provider_retell.operators.base import RetellOperator
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.masked import unmask
from airflow_provider_retell.params.rendered import as_id, as_list, as_text

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.agents.drift import Difference

log = logging.getLogger(__name__)

_SAME_FOLDER = (
    "path must not be compare_with unless fail_on_drift is True: if the task were killed after it has replaced the "
    "snapshot, its retry would find no difference. Use a folder per run, for example with {{ ds }}, and compare with "
    "that of the run before"
)


class SnapshotAgentsOperator(RetellOperator):
    """Write the configuration of agents to a folder of JSON files, and compare it with an earlier snapshot.

    ::

        from airflow_provider_retell.operators import SnapshotAgentsOperator

        SnapshotAgentsOperator(
            task_id="snapshot",
            path="s3://bucket/agents/{{ ds }}",
            compare_with="s3://bucket/agents/{{ macros.ds_add(ds, -1) }}",
        )

    The files contain the published version and the open draft of each agent, with its response engine and its test
    cases, and the phone numbers with the versions that they are bound to. They have no timestamps and are sorted, so
    files of the same configuration are equal. The files are as private as the agents: they contain prompts, phone
    numbers, and the keys in the headers of tools.

    The task logs and returns names only: ``path``, the numbers of ``agents``, ``test_cases`` and ``phone_numbers``,
    ``compared_with``, ``drift`` (None without an earlier snapshot), ``changes`` (a list of ``kind``, ``id``, ``name``,
    ``change`` and ``fields``) and ``schema_version``.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/release_agents.html
    - API: https://docs.retellai.com/api-references/list-agents

    :param path: the folder of the snapshot, a local path or any URL of Airflow's ``ObjectStoragePath`` (templated).
        Files of an earlier snapshot there are replaced, and deleted if they have no successor.
    :param path_conn_id: the Airflow connection of that storage (templated). Default: the storage's default connection.
    :param agent_ids: the agents, a list or a template that renders to one (templated). Default: all agents.
    :param compare_with: the folder of an earlier snapshot, in the same storage (templated). It can be ``path`` only if
        ``fail_on_drift`` is True: otherwise a retry would compare with the snapshot of the first try.
    :param fail_on_drift: True to fail if the configuration differs from the snapshot in ``compare_with``. If ``path``
        is the same folder, a snapshot there is never replaced.
    :param retell_conn_id: the Airflow connection, of type ``retell`` (templated). Default: ``retell_default``.
    :raises AirflowFailException: if a retry cannot help: an unknown agent, a folder without a snapshot in
        ``compare_with`` if ``fail_on_drift`` is True, or a difference from it.
    """

    template_fields: Sequence[str] = ("path", "path_conn_id", "agent_ids", "compare_with", "retell_conn_id")

    def __init__(
        self,
        *,
        path: str | XComArg,
        path_conn_id: str | None = None,
        agent_ids: Sequence[str] | str | XComArg | None = None,
        compare_with: str | XComArg | None = None,
        fail_on_drift: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        checks.flag(fail_on_drift=fail_on_drift)
        if fail_on_drift and compare_with is None:
            raise ValueError("fail_on_drift requires compare_with")
        if compare_with is not None and compare_with == path and not fail_on_drift:
            raise ValueError(_SAME_FOLDER)
        self.path = path
        self.path_conn_id = path_conn_id
        self.agent_ids = agent_ids
        self.compare_with = compare_with
        self.fail_on_drift = fail_on_drift

    def work(self, context: Context) -> dict[str, Any]:
        """Read the agents, compare them, and write the files."""
        from airflow_provider_retell.api.agents.snapshot import PHONE_NUMBERS, read_snapshot
        from airflow_provider_retell.export.agent_snapshot import SCHEMA_VERSION, AgentSnapshot

        path = _as_folder(unmask(self.path), "path")
        conn_id = self.rendered("path_conn_id", as_text)
        baseline = self.rendered("compare_with", _as_folder)
        if path == baseline and not self.fail_on_drift:
            raise RetellInputError(_SAME_FOLDER)
        files = self.hook.run(read_snapshot(self.rendered("agent_ids", _as_ids)))
        snapshot = AgentSnapshot(files)
        changes = None if baseline is None else snapshot.compare(baseline, conn_id)
        shown = safe_path(str(baseline))
        if baseline is not None:
            self._log_changes(shown, changes)
        if self.fail_on_drift and changes is None and path != baseline:
            raise RetellInputError(
                f"there is no snapshot in {shown} to compare with. Write one with a task without fail_on_drift"
            )
        if path != baseline or changes is None:
            snapshot.write(path, conn_id)
        if self.fail_on_drift and changes:
            more = f"; and {len(changes) - 10} more" if len(changes) > 10 else ""
            raise DriftError(
                f"The configuration differs from the snapshot in {shown}: {'; '.join(map(str, changes[:10]))}{more}"
            )
        agents = [value for name, value in files.items() if name.endswith("/agent.json")]
        test_cases = [
            case for name, value in files.items() if name.endswith("/test_cases.json") for case in value
        ]
        return {
            "path": safe_path(path),
            "agents": len(agents),
            "test_cases": len(test_cases),
            "phone_numbers": len(files[PHONE_NUMBERS]),
            "compared_with": None if baseline is None or changes is None else shown,
            "drift": None if changes is None else bool(changes),
            "changes": [change.as_dict() for change in changes or ()],
            "schema_version": SCHEMA_VERSION,
        }

    def _log_changes(self, shown: str, changes: Sequence[Difference] | None) -> None:
        if changes is None:
            log.warning("There is no snapshot in %s to compare with", shown)
            return
        log.info("%d objects differ from the snapshot in %s", len(changes), shown)
        for change in changes:
            log.info("  %s", change)


def _as_folder(value: Any, name: str) -> str:
    path = as_text(value, name).rstrip("/")
    check_no_secrets(name, path)
    return path


def _as_ids(value: Any, name: str) -> list[str]:
    items = as_list(value, name)
    if not items:
        raise RetellInputError(f"{name} must have at least one entry")
    return [as_id(item, f"{name}[{index}]") for index, item in enumerate(items)]
