"""Which Airflow this is, among those that share a Retell organization."""

from __future__ import annotations


def qualified_dag_id(dag_id: str) -> str:
    """Return *dag_id*, with ``[retell] deployment`` before it if that is set.

    Retell has no sandbox, so staging may use the organization that production uses. Without a name of its own it would
    find production's calls, and take them for those that it has placed.
    """
    from airflow.configuration import conf

    name = conf.get("retell", "deployment", fallback="")
    return f"{name}/{dag_id}" if name else dag_id
