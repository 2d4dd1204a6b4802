"""The connection's "Test" button: one harmless call, and a sentence that says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_retell.api.errors import (
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
    RetellError,
    RetellResponseError,
    RetellStatusError,
)

if TYPE_CHECKING:
    from airflow_provider_retell.hooks.retell import RetellHook


def check_connection(hook: RetellHook) -> tuple[bool, str]:
    """Ask Retell whose key this is; if the key may not know, ask for the organization's concurrency."""
    try:
        try:
            info = hook.get_api_key_info()
        except (PermissionDeniedError, NotFoundError):
            room = hook.get_concurrency()
            return True, (
                f"Connected to Retell with a restricted API key ({room.current_concurrency} of "
                f"{room.concurrency_limit} concurrent calls in use)."
            )
    except PermissionDeniedError:
        return False, (
            "Retell knows this API key, but the key is restricted and may read neither its own name nor the "
            "organization's concurrency. It may still do what its permissions name (Retell dashboard, API Keys)."
        )
    except AuthenticationError:
        return False, "Retell does not accept this API key: copy it again from Retell's dashboard (API Keys)."
    except (NotFoundError, RetellResponseError):
        return False, f"{hook.settings.base_url} answers, but is not Retell's API: check the host."
    except RetellStatusError as error:
        if 300 <= error.status < 400:
            return (
                False,
                f"{hook.settings.base_url} redirects elsewhere and is not Retell's API: check the host.",
            )
        return False, str(error)
    except RetellError as error:
        return False, str(error)
    name = f" with the API key {info.api_key_name!r}" if info.api_key_name else ""
    return True, f"Connected to the Retell organization {info.org_name or info.org_id!r}{name}."
