"""Texts in files, for parameters that are long or contain ``{{variables}}`` of Retell."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from airflow_provider_retell.api.errors import RetellInputError
from airflow_provider_retell.common.paths import check_no_secrets, safe_path


class TextFile:
    """The text of a file, which is read when the task runs and is neither rendered nor stored by Airflow.

    ::

        from airflow_provider_retell.operators import DraftAgentVersionOperator, TextFile

        DraftAgentVersionOperator(
            task_id="draft",
            agent_id="agent_abc",
            llm={"general_prompt": TextFile("s3://bucket/prompts/front_desk.md")},
        )

    Use it for prompts: Airflow would render the variables of Retell in a text as its own. ``{{customer_name}}`` would
    be an error, and ``{{params}}`` would be replaced.

    :param path: a local path or any URL of Airflow's ``ObjectStoragePath`` (templated). The text must be UTF-8.
    :param conn_id: the Airflow connection of that storage (templated). Default: the storage's default connection.
    """

    template_fields = ("path", "conn_id")

    def __init__(self, path: str | os.PathLike[str], conn_id: str | None = None) -> None:
        self.path = os.fspath(path)
        self.conn_id = conn_id

    def __repr__(self) -> str:
        return f"TextFile({safe_path(self.path)!r})"

    def serialize(self) -> str:
        """Return the text that Airflow shows under "Rendered Templates"."""
        return repr(self)

    def read(self) -> str:
        """Return the text.

        :raises RetellInputError: if there is no such file, it is not UTF-8, or the path contains a password.
        """
        from airflow_provider_retell._compat.services import storage_path

        check_no_secrets("the path of TextFile", self.path)
        try:
            with storage_path(self.path, self.conn_id).open("rb") as file:
                content: bytes = file.read()
        except (FileNotFoundError, IsADirectoryError):
            raise RetellInputError(f"there is no file {safe_path(self.path)}") from None
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise RetellInputError(f"file {safe_path(self.path)} must be UTF-8 text") from None


def read_files(value: Any) -> Any:
    """Return *value* with the text of each file in place of its :class:`TextFile`, in dicts and lists too."""
    if isinstance(value, TextFile):
        return value.read()
    if isinstance(value, Mapping):
        return {name: read_files(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [read_files(item) for item in value]
    return value
