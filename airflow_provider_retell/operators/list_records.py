"""Base class of the operators that export calls or chats."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

from airflow_provider_retell.api.errors import RetellError, RetellInputError
from airflow_provider_retell.api.kinds import kind_of
from airflow_provider_retell.api.records.nouns import Noun
from airflow_provider_retell.clock import clock
from airflow_provider_retell.operators.data_interval import window_of, within
from airflow_provider_retell.operators.event_loop import LoopOperator
from airflow_provider_retell.params import checks
from airflow_provider_retell.params.masked import unmask
from airflow_provider_retell.params.rendered import as_object, as_text

if TYPE_CHECKING:
    from airflow.sdk import XComArg

    from airflow_provider_retell._compat import Context
    from airflow_provider_retell.api.records.fields import RecordFields
    from airflow_provider_retell.hooks.retell import RetellAsyncHook


log = logging.getLogger(__name__)

_DAY = 24 * 60 * 60

By = Literal["end_timestamp", "start_timestamp"]


class ListRecordsOperator(LoopOperator):
    """Base class of the operators that export calls or chats. They describe the parameters.

    :cvar noun: ``"call"`` or ``"chat"``.
    :cvar default_overlap: the default of ``overlap`` in seconds, by the value of ``by``.
    """

    template_fields: Sequence[str] = ("path", "path_conn_id", "filter_criteria", "retell_conn_id")
    template_fields_renderers = {"filter_criteria": "json"}  # noqa: RUF012 - Airflow's form
    # May contain phone numbers and metadata values.
    masked_fields: Sequence[str] = ("filter_criteria",)

    noun: ClassVar[Noun]
    default_overlap: ClassVar[Mapping[str, float]]

    def __init__(
        self,
        *,
        path: str | XComArg,
        path_conn_id: str | None,
        filter_criteria: Mapping[str, Any] | str | XComArg | None,
        by: By | None,
        overlap: float | timedelta | None,
        without_metadata_key: str | None,
        whole: bool,
        fields: Sequence[str] | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        checks.one_of("by", by, (*get_args(By), None))
        checks.flag(**{f"whole_{self.noun}s": whole})
        checks.text(without_metadata_key=without_metadata_key)
        if checks.is_literal(path):
            from airflow_provider_retell.export.formats import check_suffix

            check_suffix(path)
        if fields is not None:
            checks.text_list("fields", fields)
            self.known_fields().check(fields, whole)
        self.check_effect("by", by is not None, overlap=overlap)
        overlap = self.default_overlap.get(by or "", 0.0) if overlap is None else overlap
        self.path = path
        self.path_conn_id = path_conn_id
        self.filter_criteria = filter_criteria
        self.by = by
        self.overlap = checks.in_seconds("overlap", overlap)
        self.without_metadata_key = without_metadata_key
        self.fields = fields
        self._whole = whole

    def known_fields(self) -> RecordFields:
        """Return the fields that a record can have."""
        if self.noun == "call":
            from airflow_provider_retell.api.calls.fields import FIELDS
        else:
            from airflow_provider_retell.api.chats.fields import FIELDS
        return FIELDS

    def work(self, context: Context) -> dict[str, Any]:
        """Write the file and return the manifest."""
        window = None
        if self.by is not None:
            advice = "To export without an interval, set by=None and filter_criteria"
            window = window_of(context, self.overlap, advice)
        try:
            manifest = self.run_loop(self._export(self._criteria(window), window))
        except asyncio.CancelledError:
            raise RetellError(
                f"Stopped on request. Run the task again. It exports all {self.noun}s from the beginning"
            ) from None
        return manifest | {"window": window}

    async def _export(self, criteria: Mapping[str, Any], window: list[int] | None) -> dict[str, Any]:
        from airflow_provider_retell.export.exporter import export
        from airflow_provider_retell.hooks.retell import RetellAsyncHook

        async with RetellAsyncHook(self.retell_conn_id) as hook:
            manifest = await export(
                hook,
                as_text(unmask(self.path), "path"),
                kind_of(self.noun),
                conn_id=self.path_conn_id,
                filter_criteria=criteria or None,
                whole=self._whole,
                fields=self.fields,
                # Retell cannot filter chats by metadata.
                skip_metadata_key=self.without_metadata_key if self.noun == "chat" else None,
            )
            if window is not None:
                await self._warn_of_retention(hook, criteria, window[0])
            return manifest

    async def _warn_of_retention(
        self, hook: RetellAsyncHook, criteria: Mapping[str, Any], start_ms: int
    ) -> None:
        """Log a warning if an agent's retention is shorter than the age of the window."""
        from airflow_provider_retell.api.agents.retention import read_retention

        age_days = (clock().time() - start_ms / 1000) / _DAY
        if age_days <= 1:
            return
        wanted = [agent["agent_id"] for agent in criteria.get("agent") or ()]
        try:
            kept = await hook.run(read_retention(wanted, "voice" if self.noun == "call" else "chat"))
        except RetellError as error:
            log.info("The retention of the agents could not be read: %s", error)
            return
        for agent_id, days in kept.items():
            if days < age_days:
                log.warning(
                    "Agent %s keeps data for %g days, and this export begins %.1f days ago: older %ss of the agent are "
                    "missing. Export sooner, or raise the agent's data_storage_retention_days",
                    agent_id,
                    days,
                    age_days,
                    self.noun,
                )

    def _criteria(self, window: list[int] | None) -> dict[str, Any]:
        criteria = dict(self.rendered("filter_criteria", as_object) or {})
        if window is not None:
            criteria = within(criteria, str(self.by), window, "or set by=None")
        if self.without_metadata_key is None or self.noun == "chat":
            return criteria
        conditions = criteria.get("metadata") or []
        if not isinstance(conditions, (list, tuple)):
            raise RetellInputError(
                "filter_criteria.metadata must be a list of conditions, for example "
                "[{'type': 'string', 'op': 'eq', 'key': 'tier', 'value': 'gold'}]"
            )
        missing = {"type": "present", "op": "np", "key": self.without_metadata_key}
        return {**criteria, "metadata": [*conditions, missing]}
