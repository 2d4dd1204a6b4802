"""A DAG that starts when calls end. Its watcher reads the asset's events."""

from __future__ import annotations

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset, AssetWatcher

from airflow_provider_retell.triggers.call_event import CallEventTrigger

calls = Asset(
    "restart_calls",
    watchers=[
        AssetWatcher(
            name="ended",
            trigger=CallEventTrigger(
                poll_interval=5,
                lookback=1,  # shorter than a restart
                airflow_conn_id="this_airflow",
                asset_name="restart_calls",
            ),
        )
    ],
)

with DAG("restart_calls", schedule=[calls]):
    EmptyOperator(task_id="nothing")  # needs no worker
