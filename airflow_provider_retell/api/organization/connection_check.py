"""The check behind the connection form's "Test" button."""

from __future__ import annotations

from airflow_provider_retell.api.errors import (
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    RetellError,
    RetellResponseError,
    RetellStatusError,
)
from airflow_provider_retell.api.organization.endpoints import get_api_key_info, get_concurrency
from airflow_provider_retell.api.organization.models import ApiKeyInfo, Concurrency
from airflow_provider_retell.api.request import Flow


def check_connection(base_url: str) -> Flow[tuple[bool, str]]:
    """Read the name of the API key, or the concurrency if the key may not read its name.

    Return True if the connection works, and a message for the user.
    """
    another_server = f"{base_url} responds but is not Retell's API: check the host and the proxy."
    try:
        try:
            info: ApiKeyInfo = yield get_api_key_info()
        except RetellStatusError as error:
            if error.status not in (403, 404, 422):
                raise
            concurrency: Concurrency = yield get_concurrency()
            return True, (
                f"Connected to Retell with a restricted API key ({concurrency.current_concurrency} of "
                f"{concurrency.concurrency_limit} concurrent calls in use)."
            )
    except PermissionDeniedError:
        return False, (
            "Retell accepts this API key, but the key is restricted: it may read neither its own name nor the "
            "organization's concurrency. Its other permissions may still work (Retell dashboard, API Keys)."
        )
    except AuthenticationError as error:
        if error.foreign:
            return False, another_server
        return False, "Retell does not accept this API key: copy it again from Retell's dashboard (API Keys)."
    except (NotFoundError, RetellResponseError):
        return False, another_server
    except RetellStatusError as error:
        if 300 <= error.status < 400:
            return False, (
                f"{base_url} redirects to another URL and is not Retell's API: check the host and the proxy."
            )
        if error.foreign and error.status < 500:
            return False, another_server
        return False, str(error)
    except RetellError as error:
        return False, str(error)
    name = f" with the API key {info.api_key_name!r}" if info.api_key_name else ""
    return True, f"Connected to the Retell organization {info.org_name or info.org_id!r}{name}."
