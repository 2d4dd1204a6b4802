"""Requests for the files of calls. Their links lead to another host, which does not get the API key."""

from __future__ import annotations

import requests

from airflow_provider_retell.api.calls.recordings import BadFileError, check_link
from airflow_provider_retell.api.request import Response
from airflow_provider_retell.contract.findings import CannotTellError
from airflow_provider_retell.hooks.http import ca_bundle, proxy_for, user_agent

_SECONDS = 10.0


def first_byte(link: str) -> Response:
    """Request the first byte of the file behind *link*, and return the response without its body.

    :raises CannotTellError: if the link is not an https URL, or its host does not respond.
    """
    with requests.Session() as session:
        # Ignore .netrc files, which could add a password.
        session.trust_env = False
        try:
            check_link(link)
            proxy = proxy_for(link)
            response = session.get(
                link,
                headers={"Range": "bytes=0-0", "Accept-Encoding": "identity", "User-Agent": user_agent()},
                proxies={"https": proxy} if proxy else {},
                verify=ca_bundle() or True,
                timeout=_SECONDS,
                allow_redirects=False,
                stream=True,
            )
        except BadFileError as error:
            raise CannotTellError(str(error)) from None
        # Not "from error", whose message has the link.
        except (requests.RequestException, OSError, ValueError) as error:
            raise CannotTellError(f"no response from the host of the file ({type(error).__name__})") from None
        with response:
            return Response(response.status_code, response.headers, b"")
