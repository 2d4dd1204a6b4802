"""The names of the fields to export are checked."""

from __future__ import annotations

import pytest

from airflow_provider_retell.api.calls.fields import TRANSCRIPTS, check_fields
from airflow_provider_retell.api.calls.models import Call


@pytest.mark.parametrize("whole_calls", [False, True])
def test_fields_of_listed_calls_are_accepted(whole_calls: bool) -> None:
    check_fields(["call_id", "metadata", "scrubbed_metadata"], whole_calls)


def test_every_field_of_the_model_except_the_access_token_is_accepted() -> None:
    check_fields(Call.model_fields.keys() - {"access_token"}, whole_calls=True)
    with pytest.raises(ValueError, match="no call has access_token"):
        check_fields(["access_token"], whole_calls=True)


def test_unknown_field_is_rejected_by_name() -> None:
    with pytest.raises(ValueError, match="fields: no call has durationms, 5") as caught:
        check_fields(["call_id", "durationms", 5], whole_calls=True)
    assert "Leave fields out" in str(caught.value)


@pytest.mark.parametrize("name", sorted(TRANSCRIPTS))
def test_transcripts_require_whole_calls(name: str) -> None:
    check_fields([name], whole_calls=True)
    with pytest.raises(ValueError, match=f"listed calls have no {name}. Set whole_calls=True"):
        check_fields(["call_id", name], whole_calls=False)
