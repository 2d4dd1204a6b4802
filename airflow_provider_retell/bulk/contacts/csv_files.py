"""The CSV files of an import: cells, files and the columns that Retell maps."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from airflow_provider_retell.api.contacts.changes import CUSTOM
from airflow_provider_retell.api.encode import JsonValue
from airflow_provider_retell.api.multipart import Content
from airflow_provider_retell.common.disk import writing_temporary

_CHUNK = 65_536

PHONE_NUMBER = "phone_number"


def as_cell(value: JsonValue) -> JsonValue:
    """Return the text of a JSON value in a CSV file. Arrays and objects, which have none, are returned as they are."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, (int, float)) else value


class ContactFile:
    """A CSV file of contacts on the local disk, which is deleted when it is closed.

    :param columns: the flat names of the contact fields, without the phone number.
    :param contacts: the phone number and the fields of each contact. A field that is missing is blank.
    """

    def __init__(
        self, columns: Sequence[str], contacts: Iterable[tuple[str, Mapping[str, JsonValue]]]
    ) -> None:
        self.names = [PHONE_NUMBER, *(name.removeprefix(CUSTOM) for name in columns)]
        self._file: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        with writing_temporary(self._file):
            text = io.TextIOWrapper(self._file, encoding="utf-8", newline="")
            writer = csv.writer(text)
            writer.writerow(self.names)
            for number, fields in contacts:
                writer.writerow([number, *(as_cell(fields.get(name)) for name in columns)])
            text.flush()
            text.detach()
        self._size = self._file.seek(0, os.SEEK_END)

    @property
    def content(self) -> Content:
        """The file, for a request."""
        return Content(self._size, self._read)

    @property
    def mapping(self) -> list[dict[str, str]]:
        """The columns as create-contact-import maps them."""
        return [{"external_field_name": name, "field_name": name} for name in self.names]

    def _read(self) -> Iterator[bytes]:
        descriptor = self._file.fileno()
        for position in range(0, self._size, _CHUNK):
            yield os.pread(descriptor, _CHUNK, position)

    def __enter__(self) -> ContactFile:
        return self

    def __exit__(self, *_: Any) -> None:
        self._file.close()
