"""The name of this Airflow deployment, for deployments that share a Retell organization."""

from __future__ import annotations


def qualified_dag_id(dag_id: str) -> str:
    """Return *dag_id*, prefixed with ``[retell] deployment`` if that is set.

    Retell has no sandbox, so staging may use the organization of production. Without different names, the two would
    take each other's calls for their own.
    """
    from airflow.configuration import conf

    name = conf.get("retell", "deployment", fallback="")
    return f"{name}/{dag_id}" if name else dag_id
