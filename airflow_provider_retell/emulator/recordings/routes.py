"""The route of the files of calls."""

from __future__ import annotations

from airflow_provider_retell.emulator.recordings import endpoints
from airflow_provider_retell.emulator.recordings.links import PATH
from airflow_provider_retell.emulator.routing import Route

ROUTES = (
    Route(
        "get-call-file",
        "GET",
        f"{PATH}/{{owner}}/{{call_id}}/{{file}}",
        endpoints.get_call_file,
        is_public=True,
    ),
)
