"""Comparison of the request of an earlier try with the present one.

A later try may use the result of an earlier one only if both have the same request. After a clear the parameters may
render to other values, and in a mapped task they do so if the order of the list changes.

A *subject* has the values that a request was sent for, by name. Private ones are in it as digests.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import RESEND
from airflow_provider_retell.common.wording import listed

Subject = Mapping[str, Any]

REQUEST_DIGEST_METADATA = "airflow_request_digest"
"""The metadata key under which a call carries the digest of the request that placed it."""

_DIGEST = "digest:"


def digest(value: Any, *, task_key: str, api_key: str) -> str:
    """Return a digest of private JSON, from which nobody can recover it.

    A phone number has so few possible values that a digest with a known salt could be reversed. The API key is a secret
    that neither the state store nor a call contains.

    :param task_key: the key that all tries of the task share. Equal requests of other tasks have other digests.
    :param api_key: the API key of the connection.
    """

    def mac(text: str, length: int) -> str:
        return hmac.new(api_key.encode(), text.encode(), hashlib.sha256).hexdigest()[:length]

    return f"{_DIGEST}{mac(task_key, 8)}:{mac(f'{task_key}:{canonical(value)}', 40)}"


def canonical(value: Any) -> str:
    """Return a text that is the same for equal JSON."""
    try:
        return json.dumps(value, sort_keys=True, default=str)
    except (TypeError, ValueError):  # no JSON, which the checks of the request reject
        return repr(value)


def check_same(deed: str, earlier: Subject, now: Subject) -> None:
    """Raise :class:`AirflowFailException` if a request of an earlier try had another subject than the present one.

    :param deed: completes "An earlier try of this task has ...".
    """
    names = [name for name in {**earlier, **now} if earlier.get(name) != now.get(name)]
    if not names:
        return
    changes = "; ".join(_change(name, earlier.get(name), now.get(name)) for name in names)
    raise AirflowFailException(
        f"An earlier try of this task has {deed}, with other parameters: {changes}. Its result does not count, and "
        f"no request was sent now. To send one with the present parameters, {RESEND}"
    )


def _change(name: str, earlier: Any, now: Any) -> str:
    digests = [value for value in (earlier, now) if isinstance(value, str) and value.startswith(_DIGEST)]
    if len({value.split(":")[1] for value in digests}) > 1:
        return f"{name} cannot be compared, because the connection has another API key than before"
    if digests:
        return f"{name} changed"
    if isinstance(earlier, list) and isinstance(now, list):
        changes = {
            "no longer has": [item for item in earlier if item not in now],
            "now has": [item for item in now if item not in earlier],
        }
        return f"{name} " + " and ".join(
            f"{word} {listed(items, 10)}" for word, items in changes.items() if items
        )
    return f"{name} was {earlier} and is now {now}"
