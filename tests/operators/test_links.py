"""The links of tasks to Retell's dashboard."""

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest
from pytest_mock import MockerFixture
from tasks import defer, event_of, restored, run_try

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.emulator import Emulator
from airflow_provider_retell.links.retell import RetellAgentLink, RetellCallLink
from airflow_provider_retell.operators import (
    CreatePhoneCallOperator,
    DraftAgentVersionOperator,
    UpdateCallOperator,
)


@pytest.fixture
def stored(mocker: MockerFixture) -> MagicMock:
    """The XComs of Airflow, which logs an error if a value does not exist."""
    return mocker.patch("airflow_provider_retell.links.retell.xcom_value", return_value="id_1")


def phone_call(**arguments: Any) -> CreatePhoneCallOperator:
    return CreatePhoneCallOperator(
        task_id="call", from_number="+14155550100", to_number="{{ number }}", **arguments
    )


@pytest.mark.parametrize(
    ("make", "link", "field"),
    [
        (phone_call, RetellCallLink(), "to_number"),
        (
            lambda: DraftAgentVersionOperator(task_id="draft", agent_id="{{ number }}", agent={"volume": 1}),
            RetellAgentLink(),
            "agent_id",
        ),
    ],
    ids=["call", "agent"],
)
@pytest.mark.usefixtures("emulator")
def test_a_task_without_a_call_or_agent_has_no_link_and_reads_no_xcom(
    stored: MagicMock, make: Any, link: Any, field: str
) -> None:
    task = make()
    with pytest.raises(AirflowFailException, match=field):
        run_try(task, number="")
    assert link.get_link(task, ti_key=None) == ""
    stored.assert_not_called()


def test_a_task_that_has_placed_a_call_links_to_it(emulator: Emulator, stored: MagicMock) -> None:
    task = phone_call()
    run_try(task, number="+14155550123")
    assert RetellCallLink().get_link(task, ti_key=None).endswith("=id_1")


def test_a_task_that_continues_after_a_deferral_keeps_its_link(emulator: Emulator, stored: MagicMock) -> None:
    emulator.add_call(call_id="call_1", call_status="ongoing")
    arguments = {"call_id": "call_1", "metadata": {"tier": "gold"}, "wait_until": "ended", "deferrable": True}
    trigger = defer(UpdateCallOperator(task_id="update", **arguments)).trigger
    emulator.calls["call_1"]["call_status"] = "ended"
    with no_waiting(emulator.clock.advance):
        event = event_of(restored(trigger))
    task = UpdateCallOperator(task_id="update", **arguments)
    assert task.resume({}, event)["updated"]
    assert RetellCallLink().get_link(task, ti_key=None).endswith("=id_1")


def test_the_link_of_a_task_that_did_not_run_here_is_read(stored: MagicMock) -> None:
    assert RetellCallLink().get_link(object(), ti_key="key").endswith("=id_1")
    stored.assert_called_once_with("key", "retell_call_id")
