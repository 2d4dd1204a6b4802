"""An event trigger for asset watchers that starts DAGs when calls end."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from airflow_provider_retell.api.choices import UNTIL, Until
from airflow_provider_retell.params import checks
from airflow_provider_retell.triggers.record_event import RecordEventTrigger

if TYPE_CHECKING:
    from airflow_provider_retell.api.records.nouns import Noun

CallType = Literal["phone_call", "web_call"]
Direction = Literal["inbound", "outbound"]


class CallEventTrigger(RecordEventTrigger):
    """Fire an asset event when calls end, or when their analyses arrive. Needs Airflow 3.

    ::

        from airflow.sdk import DAG, Asset, AssetWatcher

        from airflow_provider_retell.triggers import CallEventTrigger

        ended = AssetWatcher(name="ended", trigger=CallEventTrigger(event="ended"))

        with DAG("after_calls", schedule=Asset("calls", watchers=[ended])):
            ...

    One event contains all new calls of a poll, up to 500. Its payload has ``event`` (``call_ended`` or
    ``call_analyzed``) and ``calls``, each with ``call_id``, ``call_status``, ``call_type``, ``direction``,
    ``agent_id``, ``disconnection_reason`` and ``end_timestamp``. Airflow may start one DAG run for several events:
    iterate over ``triggering_asset_events``, and read the payload from ``event.extra["payload"]``.

    Guarantees if the triggerer is restarted or killed, or if the DAG is paused for a while:

    - With ``airflow_conn_id`` and ``asset_name``, on every Airflow 3: each call fires exactly once. The watcher reads
      the asset's stored events before it fires, and skips the calls that have one. While the events cannot be read, it
      does not fire. Before Airflow 3.3, the guarantee starts with the watcher's first event.
    - Without them, on Airflow 3.3 and later: the watcher stores its state in the asset's state store and continues from
      there. A call fires twice if the triggerer is killed in the five seconds between its event and the stored state. A
      call is missed if Airflow takes longer than that to store the event, and is killed before it does.
    - Without them, before Airflow 3.3: the watcher looks back by ``lookback``. Calls that ended since then fire again.
      Calls that ended earlier and have not fired are missed.

    All watchers of calls of a connection share one poll.

    - Guide: https://airflow-provider-retell.github.io/airflow-provider-retell/events.html
    - API: https://docs.retellai.com/api-references/list-calls

    :param event: ``"ended"`` (default) fires when a call ends, answered or not; ``"analyzed"`` fires when its
        ``call_analysis`` is available, up to six hours after the call, and until 5,000 later calls were reported.
    :param agent_ids: only calls of these agents. Default: all.
    :param call_type: only ``"phone_call"`` or only ``"web_call"``. Default: both.
    :param direction: only ``"inbound"`` or only ``"outbound"``. Default: both.
    :param poll_interval: seconds between two polls, or a timedelta. Default: 30 seconds.
    :param overlap: seconds, or a timedelta, that each poll reaches back, for calls that appear late in Retell's list.
        Default: 900 seconds.
    :param lookback: seconds, or a timedelta, that the first poll reaches back if there is no stored state. Default: 600
        seconds.
    :param airflow_conn_id: the connection to this Airflow's REST API: the URL as host, and a login with password, or a
        token as the password alone. The user needs permission to read assets. Requires ``asset_name``.
    :param asset_name: the name of the watcher's asset. Requires ``airflow_conn_id``.
    :param retell_conn_id: the Airflow connection of type ``retell``. Default: ``retell_default``.
    :raises ValueError: if an argument is invalid.
    """

    noun: ClassVar[Noun] = "call"
    filters: ClassVar[tuple[str, ...]] = ("call_type", "direction")

    def __init__(
        self,
        *,
        event: Until = "ended",
        agent_ids: Collection[str] | None = None,
        call_type: CallType | None = None,
        direction: Direction | None = None,
        poll_interval: float | timedelta = 30,
        overlap: float | timedelta = 900,
        lookback: float | timedelta = 600,
        airflow_conn_id: str | None = None,
        asset_name: str | None = None,
        retell_conn_id: str = "retell_default",
        **airflow: Any,
    ) -> None:
        super().__init__(
            event=event,
            agent_ids=agent_ids,
            poll_interval=poll_interval,
            overlap=overlap,
            lookback=lookback,
            airflow_conn_id=airflow_conn_id,
            asset_name=asset_name,
            retell_conn_id=retell_conn_id,
            **airflow,
        )
        checks.one_of("event", event, UNTIL)
        checks.one_of("call_type", call_type, (*get_args(CallType), None))
        checks.one_of("direction", direction, (*get_args(Direction), None))
        self.call_type = call_type
        self.direction = direction
