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

    :ivar name: ``"call"`` or ``"chat"``.
    :ivar record: the model of a whole record.
    :ivar state: the model with the fields that an update compares.
    :ivar state_page: the model of a page of such records.
    :ivar change: the change that an update makes.
    :ivar get: the endpoint that reads one record.
    :ivar listing: the endpoint that lists records.
    :ivar delete: the endpoint that deletes one record.
    :ivar rerun_analysis: the endpoint that analyzes one record again.
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
