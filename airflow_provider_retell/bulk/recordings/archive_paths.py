"""The paths of archived files.

The module of the operator imports this one, so it imports nothing that DAG files do not need.
"""

from __future__ import annotations

import re

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.common.paths import check_no_secrets, file_name, safe_path

PLACEHOLDER = "{call_id}"
SUFFIX = ".wav"

_BRACES = re.compile(r"\{[^{}]*\}")


def check_path(path: str) -> None:
    """Raise :class:`RetellInputError` if recordings cannot have this path."""
    check_no_secrets("path", path)
    if PLACEHOLDER not in path:
        raise RetellInputError(
            f"path must contain {PLACEHOLDER}, for example 's3://bucket/recordings/{PLACEHOLDER}.wav', not "
            f"{safe_path(path)!r}"
        )
    others = {match for match in _BRACES.findall(path) if match != PLACEHOLDER}
    if others:
        raise RetellInputError(
            f"path must contain no other placeholder than {PLACEHOLDER}, not {', '.join(sorted(others))}. Templates "
            "of Airflow have two braces, for example {{ ds }}"
        )
    # A URL with a query is for one file.
    if not file_name(path).endswith(SUFFIX) or safe_path(path) != path:
        raise RetellInputError(f"path must end in {SUFFIX}, not {safe_path(path)!r}")


def recording_path(path: str, call_id: str) -> str:
    """Return the path of the recording of a call."""
    return path.replace(PLACEHOLDER, call_id)
