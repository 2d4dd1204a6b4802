"""The plan of single rows, without a server."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from airflow_provider_retell.api.calls.kind import CALLS
from airflow_provider_retell.api.calls.models import CallState
from airflow_provider_retell.api.chats.kind import CHATS
from airflow_provider_retell.api.errors import BadRequestError, CallNotEndedError, UpdateMismatchError
from airflow_provider_retell.api.records.kind import Kind
from airflow_provider_retell.bulk.outcome import Result
from airflow_provider_retell.bulk.records.columns import Columns
from airflow_provider_retell.bulk.records.updates import PlannedUpdate, RecordUpdates
from airflow_provider_retell.bulk.resource import Applied, Difference


def state(kind: Kind[Any], status: str = "ended", **fields: Any) -> Any:
    return kind.state.model_validate({f"{kind.name}_id": "id_1", f"{kind.name}_status": status, **fields})


def updates(kind: Kind[Any], *options: Any, **more: Any) -> RecordUpdates:
    return RecordUpdates(cast("Any", None), Columns(), kind, *options, **more)


def planned(record: Any, resource: RecordUpdates | None = None, **wanted: Any) -> PlannedUpdate:
    update = (resource or updates(CALLS)).plan_row(7, "id_1", record, CALLS.change(**wanted))
    assert isinstance(update, PlannedUpdate)
    return update


@pytest.mark.parametrize("status", ["registered", "ongoing", "new"])
def test_call_that_has_not_ended_is_not_updated(status: str) -> None:
    result = updates(CALLS).plan_row(7, "id_1", state(CALLS, status), CALLS.change(metadata={"n": 1}))
    assert result == Result(7, "id_1", "not_ended", f"the call is {status}", kind="call")


def test_chat_that_has_not_ended_is_updated() -> None:
    update = updates(CHATS).plan_row(7, "id_1", state(CHATS, "ongoing"), CHATS.change(metadata={"n": 1}))
    assert isinstance(update, PlannedUpdate)
    assert (update.row, update.kind, update.record_id) == (7, CHATS, "id_1")
    assert str(update.request) == "update-chat of chat id_1"


def test_update_has_the_request_and_the_names_of_the_fields() -> None:
    record = state(CALLS, metadata={"kept": 1, "tier": "old"})
    update = planned(
        record, metadata={"tier": "gold", "new": 2}, data_storage_setting="everything_except_pii"
    )
    assert update.changed == ("metadata.new", "metadata.tier", "data_storage_setting")
    assert update.keys == ("new", "tier")
    assert json.loads(update.request.body) == {
        "metadata": {"kept": 1, "tier": "gold", "new": 2},
        "data_storage_setting": "everything_except_pii",
    }
    assert update.difference() == Difference(
        "update call id_1",
        ("metadata.new", "metadata.tier", "data_storage_setting"),
        {"new": None, "tier": "old"},
        {"new": 2, "tier": "gold"},
    )


def test_difference_of_an_update_without_metadata_has_no_values() -> None:
    update = planned(state(CALLS), data_storage_setting="everything_except_pii")
    assert update.difference() == Difference("update call id_1", ("data_storage_setting",), {}, {})


def test_response_is_read_as_a_state_and_compared_with_the_values_sent() -> None:
    update = planned(state(CALLS), metadata={"n": 1}, custom_attributes={"attr": "x"})
    flow = update.apply()
    request = next(flow)
    assert request is update.request
    body = {"call_id": "id_1", "call_status": "ended", "metadata": {"n": 1}, "transcript": "private"}
    record = request.parse(json.dumps(body).encode())
    assert type(record) is CallState
    with pytest.raises(StopIteration) as stopped:
        flow.send(record)
    assert stopped.value.value == Applied(unverified=("custom_attributes.attr",))

    flow = update.apply()
    next(flow)
    with pytest.raises(UpdateMismatchError, match=r"call id_1: .*metadata\.n"):
        flow.send(state(CALLS, metadata={"n": 2}))


def test_rejection_is_explained_by_the_state_of_the_record() -> None:
    flow = planned(state(CALLS), metadata={"n": 1}).apply()
    next(flow)
    request = flow.throw(BadRequestError("rejected", status=400))
    assert str(request) == "get-call of call id_1"
    with pytest.raises(CallNotEndedError, match="call id_1 is ongoing"):
        flow.send(state(CALLS, "ongoing"))
