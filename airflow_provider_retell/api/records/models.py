"""The fields and states that calls and chats have in common.

The classes declare no fields of their own, so that the models of each kind keep the order of Retell's documentation.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from airflow_provider_retell.api.choices import Until
from airflow_provider_retell.api.records.costs import cost_of
from airflow_provider_retell.api.records.nouns import Noun
from airflow_provider_retell.api.response_model import ResponseModel


class RecordState(ResponseModel):
    """A call or a chat, with at least the fields that an update compares."""

    kind: ClassVar[Noun]
    ended_statuses: ClassVar[frozenset[str]]

    if TYPE_CHECKING:
        metadata: dict[str, Any] | None
        data_storage_setting: str | None
        custom_attributes: dict[str, Any] | None

    @property
    def record_id(self) -> str:
        """The id of the call or chat."""
        return str(getattr(self, f"{self.kind}_id"))

    @property
    def status(self) -> str:
        """The status of the call or chat."""
        return str(getattr(self, f"{self.kind}_status"))

    @property
    def has_ended(self) -> bool:
        """True if the call or chat is over, successful or not."""
        return self.status in self.ended_statuses


class RecordSummary(RecordState):
    """A call or a chat, with at least the fields that show its progress.

    :cvar slim_fields: the fields that can be stored anywhere.
    :cvar own_analysis: the fields of Retell's own analysis that a result may contain.
    """

    slim_fields: ClassVar[tuple[str, ...]]
    own_analysis: ClassVar[tuple[str, ...]]

    @property
    def analysis(self) -> Any:
        """Retell's analysis, or None."""
        return getattr(self, f"{self.kind}_analysis")

    @property
    def cost(self) -> Any:
        """The cost as Retell returns it, or None."""
        return getattr(self, f"{self.kind}_cost")

    @property
    def is_analyzed(self) -> bool:
        """True if the call or chat has an analysis."""
        return self.analysis is not None

    def has_reached(self, until: Until) -> bool:
        """Return True if the call or chat has reached the state *until*."""
        return self.is_analyzed if until == "analyzed" else self.has_ended

    def pick_analysis(self, fields: Iterable[str]) -> dict[str, Any]:
        """Return the given fields of the analysis by name. A field that the analysis lacks is None.

        :param fields: fields of Retell's own analysis, such as ``user_sentiment``, and keys of
            ``custom_analysis_data``.
        """
        analysis = self.analysis
        if isinstance(analysis, ResponseModel):
            analysis = analysis.model_dump()
        own = analysis if isinstance(analysis, dict) else {}
        custom = own.get("custom_analysis_data")
        custom = custom if isinstance(custom, dict) else {}
        return {name: (own if name in self.own_analysis else custom).get(name) for name in fields}

    def slim(self, analysis_fields: Iterable[str] = ()) -> dict[str, Any]:
        """Return ids, status, settings, times, cost and the keys of the metadata, but no content.

        The cost has ``cents`` (US cents) and, for calls, ``seconds`` (billed time), as soon as Retell knows them.

        :param analysis_fields: the fields of the analysis to add as ``analysis``. Default: none, and no ``analysis``.
        """
        # A malformed record may lack fields.
        slim = {name: value for name in self.slim_fields if (value := getattr(self, name, None)) is not None}
        if cost := cost_of(self.cost):
            slim[f"{self.kind}_cost"] = cost
        slim["metadata_keys"] = sorted(self.metadata) if isinstance(self.metadata, dict) else []
        if fields := tuple(analysis_fields):
            slim["analysis"] = self.pick_analysis(fields)
        return slim
