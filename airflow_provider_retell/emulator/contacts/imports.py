"""The CSV imports of one organization. It has one at a time, which acts on the emulator's clock."""

from __future__ import annotations

import csv
import io
import re
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_retell.emulator.responses import ApiError
from airflow_provider_retell.emulator.schema import E164

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_provider_retell.emulator.contacts.backend import ContactBackend
    from airflow_provider_retell.emulator.contacts.options import ContactOptions
    from airflow_provider_retell.emulator.timeline import Timeline

ContactImport = dict[str, Any]
"""An import as the emulator stores it: Retell's object, and fields that begin with an underscore."""

_MARKS = {"words": {"true": True, "false": False}, "digits": {"1": True, "0": False}}


class RowError(Exception):
    """A row cannot be imported. Retell only counts such rows."""


class ContactImports:
    """The uploaded files and the imports of one organization.

    :param contacts: the contacts of the organization.
    :param timeline: its schedule.
    :ivar jobs: all imports, oldest first.
    """

    def __init__(self, contacts: ContactBackend, timeline: Timeline) -> None:
        self._contacts = contacts
        self._timeline = timeline
        self._files: dict[str, bytes] = {}
        self.jobs: list[ContactImport] = []

    @property
    def _options(self) -> ContactOptions:
        return self._contacts.options.contacts

    def upload(self, content: bytes, upload_id: str | None = None) -> str:
        """Keep a file and return its id."""
        upload_id = upload_id or f"upload_{uuid.uuid4().hex}"
        self._files[upload_id] = content
        return upload_id

    def latest(self) -> dict[str, Any]:
        """Return the current or latest import as the API shows it."""
        now = self._contacts.options.clock.now()
        shown = [job for job in self.jobs if job["_created"] + self._options.import_lag <= now]
        return visible(shown[-1]) if shown else {"status": "idle"}

    def create(
        self, upload_id: str, mapping: Mapping[str, str], tags: Sequence[str], country: str
    ) -> ContactImport:
        """Start the import of a file.

        :param mapping: the contact field of each column.
        :param tags: the labels of tags for all contacts.
        :raises ApiError: if another import has not ended, or the file cannot be used.
        """
        if self.jobs and self.jobs[-1]["status"] != "idle":
            raise ApiError(self._options.import_busy_status, "A contact import is already in progress")
        if upload_id not in self._files:
            raise ApiError(self._options.missing_status, f"Upload {upload_id} not found")
        return self.start(_read(self._files[upload_id], mapping), tags=tags, country=country)

    def start(
        self,
        rows: Sequence[Mapping[str, str]] = (),
        *,
        tags: Sequence[str] = (),
        country: str = "US",
        seconds: float | None = None,
    ) -> ContactImport:
        """Start an import of rows, which have a text by contact field."""
        clock, options = self._contacts.options.clock, self._options
        now = clock.now()
        job: ContactImport = {
            "status": "queued",
            "triggered_by": "manual",
            "succeeded": 0,
            "failed": 0,
            "_created": now,
            "_rows": list(rows),
        }
        if options.import_start != "absent":
            job["start_timestamp"] = round(now * 1000)
        self.jobs.append(job)
        begins = now + options.import_queue_seconds
        ends = job["_ends"] = begins + (options.import_seconds if seconds is None else seconds)
        half = len(rows) // 2
        if options.import_queue_seconds:
            self._timeline.at(begins, partial(self._run, job))
        else:
            self._run(job, now)
        imported = partial(self._import, job, self._add_tags(tags), country)
        self._timeline.at((begins + ends) / 2, partial(imported, job["_rows"][:half]))
        self._timeline.at(ends, partial(imported, job["_rows"][half:]))
        self._timeline.at(ends, lambda _: job.update(status="idle"))
        return job

    def _run(self, job: ContactImport, when: float) -> None:
        job["status"] = "running"
        if self._options.import_start != "kept":
            job["start_timestamp"] = round(when * 1000)

    def _add_tags(self, labels: Sequence[str]) -> list[str]:
        """Return the ids of tags, after adding new ones to the CRM configuration."""
        ids = {label: tag for tag, label in self._options.tags.items()}
        for label in dict.fromkeys(label.strip() for label in labels):
            ids.setdefault(label, f"tag_{uuid.uuid4().hex[:8]}")
        self._options.tags = {tag: label for label, tag in ids.items()}
        return [ids[label.strip()] for label in labels]

    def _import(
        self,
        job: ContactImport,
        tags: Sequence[str],
        country: str,
        rows: Sequence[Mapping[str, str]],
        when: float,
    ) -> None:
        for row in rows:
            try:
                number = _number(row["phone_number"], country)
                fields, custom = self._fields(number, row)
            except RowError:
                job["failed"] += 1
                continue
            job["succeeded"] += 1
            write = partial(self._write, number, fields, custom, tags)
            if self._options.import_read_lag:
                self._timeline.at(job["_ends"] + self._options.import_read_lag, write)
            else:
                write(when)

    def _fields(self, number: str, row: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the fields and the custom fields that a row sets."""
        if number in self._options.import_failures:
            raise RowError
        fields: dict[str, Any] = {}
        custom: dict[str, Any] = {}
        for name, text in row.items():
            if name == "phone_number" or (not text and self._options.import_blanks == "keep"):
                continue
            if name == "do_not_call":
                fields[name] = self._mark(text)
            elif name in ("first_name", "last_name"):
                fields[name] = text or None
            else:
                custom[name] = self._typed(name, text)
        return fields, custom

    def _write(
        self,
        number: str,
        fields: dict[str, Any],
        custom: dict[str, Any],
        tags: Sequence[str],
        _when: float,
    ) -> None:
        contact = self._contacts.by_number(number) or self._contacts.add(phone_number=number)
        custom = {**contact["custom_fields"], **custom}
        self._contacts.edit(
            contact["contact_id"],
            **fields,
            custom_fields={name: value for name, value in custom.items() if value is not None},
            contact_tag_ids=list(dict.fromkeys([*contact["contact_tag_ids"], *tags])),
        )

    def _mark(self, text: str) -> bool:
        marks = _MARKS[self._options.import_marks]
        if text and text not in marks:
            raise RowError
        return marks.get(text, False)

    def _typed(self, name: str, text: str) -> Any:
        known = self._options.custom_fields
        kind = known.get(name) if isinstance(known, dict) else None
        if not text:
            return None
        try:
            if kind == "number":
                return int(text) if text.lstrip("-").isdecimal() else float(text)
            return {"true": True, "false": False}[text] if kind == "boolean" else text
        except (KeyError, ValueError):
            raise RowError from None

    def clear(self) -> None:
        """Forget all files and imports."""
        self._files.clear()
        self.jobs.clear()


def visible(job: ContactImport) -> dict[str, Any]:
    """Return an import as the API shows it."""
    return {name: value for name, value in job.items() if not name.startswith("_")}


def _read(content: bytes, mapping: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the texts of a file by contact field. That Retell checks the header at once is our guess."""
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
        rows = list(reader)
    except (UnicodeDecodeError, csv.Error):
        raise ApiError(400, "The file is not CSV in UTF-8") from None
    if missing := [column for column in mapping if column not in (reader.fieldnames or ())]:
        raise ApiError(400, f"The file has no column {missing[0]}")
    return [{name: (row[column] or "").strip() for column, name in mapping.items()} for row in rows]


def _number(text: str, country: str) -> str:
    digits = re.sub(r"[\s().-]", "", text)
    number = f"+1{digits}" if country == "US" and re.fullmatch(r"[2-9][0-9]{9}", digits) else digits
    if not re.fullmatch(E164, number):
        raise RowError
    return number
