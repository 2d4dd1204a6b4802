"""What can be wrong with a source of rows."""

from __future__ import annotations

from airflow_provider_retell.api.errors import RetellError


class SourceError(RetellError):
    """The rows cannot be read, or not to their end; those before are done."""

    permanent = True
