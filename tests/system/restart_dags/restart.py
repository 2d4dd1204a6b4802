"""DAGs that start when calls and when chats end. Their watchers read the events of their assets."""

from __future__ import annotations

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset, AssetWatcher

from airflow_provider_retell.triggers import CallEventTrigger, ChatEventTrigger

for name, trigger in (("restart_calls", CallEventTrigger), ("restart_chats", ChatEventTrigger)):
    watcher = trigger(
        poll_interval=5,
        lookback=1,  # shorter than a restart
        airflow_conn_id="this_airflow",
        asset_name=name,
    )
    asset = Asset(name, watchers=[AssetWatcher(name="ended", trigger=watcher)])

    with DAG(name, schedule=[asset]):
        EmptyOperator(task_id="nothing")  # needs no worker
