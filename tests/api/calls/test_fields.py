"""The names of the fields to export are checked."""

from __future__ import annotations

import pytest

from airflow_provider_retell.api.calls.fields import FIELDS, TRANSCRIPTS
from airflow_provider_retell.api.calls.models import Call


@pytest.mark.parametrize("whole_calls", [False, True])
def test_fields_of_listed_calls_are_accepted(whole_calls: bool) -> None:
    FIELDS.check(["call_id", "metadata", "scrubbed_metadata"], whole_calls)


def test_every_field_of_the_model_except_the_access_token_is_accepted() -> None:
    FIELDS.check(Call.model_fields.keys() - {"access_token"}, whole=True)
    with pytest.raises(ValueError, match="no call has access_token"):
        FIELDS.check(["access_token"], whole=True)


def test_unknown_field_is_rejected_by_name() -> None:
    with pytest.raises(ValueError, match="fields: no call has durationms, 5") as caught:
        FIELDS.check(["call_id", "durationms", 5], whole=True)
    assert "Leave fields out" in str(caught.value)


@pytest.mark.parametrize("name", sorted(TRANSCRIPTS))
def test_transcripts_require_whole_calls(name: str) -> None:
    FIELDS.check([name], whole=True)
    with pytest.raises(ValueError, match=f"listed calls have no {name}. Set whole_calls=True"):
        FIELDS.check(["call_id", name], whole=False)
