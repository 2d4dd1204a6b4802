"""The endpoints and models of one kind of record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from airflow_provider_retell.api.records.changes import Change
from airflow_provider_retell.api.records.models import RecordState, RecordSummary
from airflow_provider_retell.api.records.nouns import Noun
from airflow_provider_retell.api.request import Request
from airflow_provider_retell.api.response_model import Page

R = TypeVar("R", bound=RecordSummary)


@dataclass(frozen=True)
class Kind(Generic[R]):
    """Calls, or chats.

    :ivar state: the model with the fields that an update compares.
    """

    name: Noun
    record: type[R]
    state: type[RecordState]
    state_page: type[Page[Any]]
    change: type[Change]
    get: Callable[[str], Request[R]]
    listing: Callable[..., Request[Page[R]]]
    delete: Callable[[str], Request[None]]
    rerun_analysis: Callable[[str], Request[R]]
