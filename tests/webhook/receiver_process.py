"""The webhook receiver in a process of its own, as in Airflow's API server.

Its argument is the file descriptor of a listening socket. Settings and connections come from the environment.
"""

from __future__ import annotations

import socket
import sys

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from airflow_provider_retell.plugin import serve
from airflow_provider_retell.report_page.address import PREFIX

if __name__ == "__main__":
    server = uvicorn.Server(
        uvicorn.Config(
            Starlette(routes=[Mount(PREFIX, serve)]), log_config=None, access_log=False, lifespan="off"
        )
    )
    server.run(sockets=[socket.socket(fileno=int(sys.argv[1]))])
