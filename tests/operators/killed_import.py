"""The import of contacts that a test kills."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

# Tasks are forked, so all imports come first.
from crashes import arm, die
from simulations import dag_run
from tasks import StateStore, run_try

from airflow_provider_retell.bulk import engine as _engine  # noqa: F401
from airflow_provider_retell.bulk.contacts import csv_import as _csv_import  # noqa: F401
from airflow_provider_retell.hooks import aiohttp_transport as _transport  # noqa: F401
from airflow_provider_retell.operators import ImportContactsOperator
from airflow_provider_retell.operators import contact_imports as _contact_imports  # noqa: F401


def run(*, connection: str, store: str | None, step: str, nth: int, **arguments: Any) -> None:
    """Import the rows, and be killed.

    :param connection: the Airflow connection.
    :param store: the path of the state store.
    :param step: a step of the request, or the module and the name of a function.
    :param nth: the number of the request.
    """
    os.environ["AIRFLOW_CONN_RETELL_DEFAULT"] = connection
    if ":" in step:
        module, _, name = step.partition(":")
        owner: Any = importlib.import_module(module)
        *outer, last = name.split(".")
        for part in outer:
            owner = getattr(owner, part)
        setattr(owner, last, die)
    else:
        arm(step, "create-contact-import", nth)
    operator = ImportContactsOperator(task_id="a_task", poll_interval=0.02, **arguments)
    run_try(operator, store=None if store is None else StateStore(Path(store)), dag_run=dag_run())
