"""UpdateCallOperator against the emulator: what it sends, what it returns, what it refuses, what it shows."""

from __future__ import annotations

import json
import logging
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from airflow.serialization.helpers import serialize_template_field

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import CallNotEndedError, RateLimitError, UpdateMismatchError
from airflow_provider_retell.emulator import Emulator, Fault
from airflow_provider_retell.operators.call import UpdateCallOperator

try:
    from airflow.sdk import DAG
except ImportError:
    from airflow.models.dag import DAG

PRIVATE = "Ada's private note"


class Ti:
    """As much of a task instance as the operator uses."""

    def __init__(self) -> None:
        self.xcom: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcom[key] = value


def run(operator: UpdateCallOperator, native: bool = False, **context: Any) -> dict[str, Any]:
    """Render and execute *operator* in a DAG of its own."""
    dag = DAG("a_dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc))
    dag.render_template_as_native_obj = native
    operator.dag = dag
    context = {"ti": Ti(), "dag": dag, "task": operator, "params": {}, **context}
    operator.render_template_fields(context, dag.get_template_env())
    return operator.execute(context)


@pytest.fixture
def call(retell_emulator: Emulator, retell_connection: str) -> dict[str, Any]:
    """A call that has ended, with metadata of its own."""
    return retell_emulator.add_call(
        call_id="call_1", call_status="ended", metadata={"kept": 1, "tier": "old"}
    )


def update(**arguments: Any) -> UpdateCallOperator:
    return UpdateCallOperator(task_id="update", **{"call_id": "call_1", **arguments})


def test_replace_sends_exactly_one_request(call: dict[str, Any], retell_emulator: Emulator) -> None:
    result = run(update(metadata={"tier": "gold"}))
    assert [request.route for request in retell_emulator.requests] == ["update-call"]
    assert retell_emulator.calls["call_1"]["metadata"] == {"tier": "gold"}
    assert (result["updated"], result["written"]) == (True, ["metadata.tier"])


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    "arguments",
    [{"metadata": {}}, {"metadata": "{{ facts }}"}, {"metadata": {}, "data_storage_setting": "everything"}],
)
def test_an_upstream_that_has_nothing_wipes_nothing(
    call: dict[str, Any], retell_emulator: Emulator, arguments: Any, native: bool
) -> None:
    with pytest.raises(AirflowFailException, match=r"metadata is empty.*replace.*clear_metadata=True"):
        run(update(**arguments), native=native, facts={})
    assert not retell_emulator.requests


@pytest.mark.parametrize("mode", ["merge", "fill"])
def test_nothing_laid_over_changes_nothing(
    call: dict[str, Any], retell_emulator: Emulator, mode: Any
) -> None:
    result = run(update(metadata={}, metadata_mode=mode))
    assert (result["updated"], result["written"]) == (False, [])
    assert retell_emulator.count("update-call") == 0


@pytest.mark.parametrize("mode", ["replace", "merge", "fill"])
def test_metadata_is_cleared_on_purpose_and_the_keys_are_named(
    call: dict[str, Any], retell_emulator: Emulator, mode: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    result = run(update(clear_metadata=True, metadata_mode=mode))
    assert retell_emulator.calls["call_1"]["metadata"] == {}
    assert (result["updated"], result["written"]) == (True, ["metadata.kept", "metadata.tier"])
    assert "wrote metadata.kept, metadata.tier" in caplog.text
    assert run(update(clear_metadata=True, metadata_mode=mode))["updated"] is False
    assert [request.route for request in retell_emulator.requests] == ["get-call", "update-call", "get-call"]


def test_clearing_goes_with_what_else_is_to_be_written(
    call: dict[str, Any], retell_emulator: Emulator
) -> None:
    run(update(clear_metadata=True, data_storage_setting="everything_except_pii"))
    assert retell_emulator.requests[-1].body == {
        "metadata": {},
        "data_storage_setting": "everything_except_pii",
    }


def test_merge_keeps_other_keys_and_names_what_changed(
    call: dict[str, Any], retell_emulator: Emulator
) -> None:
    result = run(update(metadata={"tier": "gold", "kept": 1.0}, metadata_mode="merge"))
    assert retell_emulator.calls["call_1"]["metadata"] == {"kept": 1, "tier": "gold"}
    assert result["written"] == ["metadata.tier"]


def test_merge_sends_nothing_when_nothing_would_change(
    call: dict[str, Any], retell_emulator: Emulator
) -> None:
    result = run(update(metadata={"tier": "old"}, data_storage_setting="everything", metadata_mode="merge"))
    assert retell_emulator.count("update-call") == 0
    assert (result["updated"], result["written"]) == (False, [])


def test_fill_sets_missing_keys_only(call: dict[str, Any], retell_emulator: Emulator) -> None:
    retell_emulator.calls["call_1"]["metadata"]["empty"] = None
    result = run(update(metadata={"tier": "gold", "new": 2, "empty": 3}, metadata_mode="fill"))
    assert retell_emulator.calls["call_1"]["metadata"] == {"kept": 1, "tier": "old", "new": 2, "empty": 3}
    assert result["written"] == ["metadata.empty", "metadata.new"]


def test_merge_sends_back_numbers_that_only_a_double_holds(
    call: dict[str, Any], retell_emulator: Emulator
) -> None:
    retell_emulator.calls["call_1"]["metadata"]["big"] = [2**60]
    run(update(metadata={"new": 1}, metadata_mode="merge"))
    assert retell_emulator.calls["call_1"]["metadata"]["big"] == [2**60]


def test_values_of_a_warehouse_are_encoded(call: dict[str, Any], retell_emulator: Emulator) -> None:
    run(update(metadata={"ltv": Decimal("19.90"), "day": date(2026, 11, 22), "n": None}))
    assert retell_emulator.calls["call_1"]["metadata"] == {"ltv": 19.9, "day": "2026-11-22", "n": None}


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    "template",
    ["{{ facts }}", "{{ facts | tojson }}", {"tier": "{{ facts.tier }}", "note": "{{ facts.note }}"}],
    ids=["dict", "json", "values"],
)
def test_templates_give_the_same_with_and_without_native_rendering(
    call: dict[str, Any], retell_emulator: Emulator, template: Any, native: bool
) -> None:
    facts = {"tier": "gold", "note": PRIVATE}
    run(update(call_id="{{ which }}", metadata=template), native=native, facts=facts, which="call_1")
    assert retell_emulator.calls["call_1"]["metadata"] == facts


def test_a_call_id_of_digits_survives_native_rendering(
    retell_emulator: Emulator, retell_connection: str
) -> None:
    retell_emulator.add_call(call_id="12345", call_status="ended")
    assert (
        run(update(call_id="{{ which }}", metadata={"a": 1}), native=True, which="12345")["call_id"]
        == "12345"
    )


def test_storage_is_tightened_and_attributes_are_sent(
    call: dict[str, Any], retell_emulator: Emulator
) -> None:
    result = run(update(data_storage_setting="{{ how }}"), how="basic_attributes_only")
    assert retell_emulator.calls["call_1"]["data_storage_setting"] == "basic_attributes_only"
    assert (result["data_storage_setting"], result["written"]) == (
        "basic_attributes_only",
        ["data_storage_setting"],
    )


@pytest.mark.parametrize("flag", [True, "true", "{{ flag }}"])
def test_the_former_flag_is_translated(call: dict[str, Any], retell_emulator: Emulator, flag: Any) -> None:
    with pytest.warns(DeprecationWarning, match="basic_attributes_only"):
        operator = update(opt_out_sensitive_data_storage=flag)
    run(operator, flag=True)
    assert retell_emulator.requests[-1].body == {"data_storage_setting": "basic_attributes_only"}


@pytest.mark.parametrize("flag", ["yes", "{{ none }}", ""])
def test_the_former_flag_that_is_neither_true_nor_false_is_refused(
    call: dict[str, Any], retell_emulator: Emulator, flag: Any
) -> None:
    with pytest.warns(DeprecationWarning, match="basic_attributes_only"):
        operator = update(opt_out_sensitive_data_storage=flag, metadata={"a": 1})
    with pytest.raises(AirflowFailException, match="opt_out_sensitive_data_storage must be True or False"):
        run(operator, none=None)
    assert not retell_emulator.requests


def test_the_former_flag_set_to_false_changes_nothing(
    call: dict[str, Any], retell_emulator: Emulator
) -> None:
    with pytest.warns(DeprecationWarning, match="no longer part"):
        operator = update(opt_out_sensitive_data_storage=False, metadata={"a": 1})
    run(operator)
    assert retell_emulator.requests[-1].body == {"metadata": {"a": 1}}


def test_the_former_flag_and_another_setting_are_refused(
    call: dict[str, Any], retell_emulator: Emulator
) -> None:
    with pytest.warns(DeprecationWarning, match="no longer part"):
        operator = update(opt_out_sensitive_data_storage=True, data_storage_setting="everything_except_pii")
    with pytest.raises(AirflowFailException, match="leave the old flag out"):
        run(operator)
    assert not retell_emulator.requests


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"call_id": ""}, "call_id is empty"),
        ({"call_id": "  "}, "call_id is empty"),
        ({"call_id": "a/b"}, "'/' at position 1"),
        ({"call_id": "a?b"}, r"'\?' at position 1"),
        ({"call_id": "../x"}, r"'\.' at position 0"),
        ({"call_id": "+15550100200"}, r"'\+' at position 0"),
        ({"call_id": "{{ none }}"}, "the text 'None'"),
        ({"metadata": PRIVATE}, "not a JSON object"),
        ({"metadata": f'["{PRIVATE}"]'}, "not a JSON object"),
        ({"metadata": "{{ none }}"}, "rendered to nothing"),
        ({"metadata": {"note": PRIVATE, "a": {"b": float("nan")}}}, r"call_1: metadata\.a\.b is NaN"),
        ({"metadata": {"a": PRIVATE * 4000, "b": 1}}, r"a: 72,008, b: 7"),
        ({"metadata": None}, "give metadata"),
        ({"custom_attributes": {"id": [PRIVATE]}}, r"custom_attributes\.id"),
        ({"data_storage_setting": PRIVATE}, "data_storage_setting must be 'everything'"),
    ],
)
def test_bad_input_is_refused_before_anything_is_sent(
    call: dict[str, Any],
    retell_emulator: Emulator,
    caplog: pytest.LogCaptureFixture,
    arguments: dict[str, Any],
    says: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    operator = update(**{"metadata": {"a": 1}, **arguments})
    with pytest.raises(AirflowFailException, match=says) as error:
        run(operator, none=None)
    assert not retell_emulator.requests
    assert PRIVATE not in caplog.text + str(error.value)


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("name", ["metadata", "custom_attributes"])
def test_a_template_without_a_value_is_not_a_field_that_was_not_given(
    call: dict[str, Any], retell_emulator: Emulator, name: str, native: bool
) -> None:
    operator = update(data_storage_setting="basic_attributes_only", **{name: "{{ none }}"})
    with pytest.raises(AirflowFailException, match=f"{name} rendered to nothing"):
        run(operator, native=native, none=None)
    assert not retell_emulator.requests


@pytest.mark.parametrize("mode", ["replace", "merge"])
@pytest.mark.parametrize("status", ["registered", "ongoing"])
def test_a_call_that_has_not_ended_names_the_way_out(
    retell_emulator: Emulator, retell_connection: str, mode: Any, status: str
) -> None:
    retell_emulator.add_call(call_id="call_1", call_status=status)
    with pytest.raises(
        CallNotEndedError, match=rf"call call_1 is {status}.*Wait for its end.*UpdateLiveCallOperator"
    ):
        run(update(metadata={"a": 1}, metadata_mode=mode))


@pytest.mark.parametrize("mode", ["replace", "merge"])
def test_an_unknown_call_says_so_and_burns_no_retries(
    retell_emulator: Emulator, retell_connection: str, mode: Any
) -> None:
    with pytest.raises(AirflowFailException, match="call_1.*422.*the API key belongs to the organization"):
        run(update(metadata={"a": 1}, metadata_mode=mode))


@pytest.mark.parametrize("mode", ["replace", "merge"])
def test_loosening_the_storage_setting_says_so(
    call: dict[str, Any], retell_emulator: Emulator, mode: Any
) -> None:
    retell_emulator.calls["call_1"]["data_storage_setting"] = "everything_except_pii"
    with pytest.raises(AirflowFailException, match="never loosens it"):
        run(update(data_storage_setting="everything", metadata_mode=mode))


def test_an_answer_that_differs_is_an_error(call: dict[str, Any], retell_emulator: Emulator) -> None:
    answer = {**retell_emulator.calls["call_1"], "metadata": {"tier": PRIVATE}}
    retell_emulator.faults.add(Fault.status(200, body=answer), route="update-call")
    with pytest.raises(
        AirflowFailException, match=r"does not hold what was sent in: metadata\.tier"
    ) as error:
        run(update(metadata={"tier": "gold"}))
    assert isinstance(error.value.__cause__, UpdateMismatchError)
    assert PRIVATE not in str(error.value)


def test_a_server_that_merges_is_told_from_one_that_replaces(
    retell_connection: str, monkeypatch: Any
) -> None:
    with Emulator(metadata_semantics="merge") as emulator:
        emulator.add_call(call_id="call_1", call_status="ended", metadata={"kept": 1})
        connection = {"conn_type": "retell", "host": emulator.url, "password": emulator.api_key}
        monkeypatch.setenv("AIRFLOW_CONN_RETELL_DEFAULT", json.dumps(connection))
        with pytest.raises(AirflowFailException, match=r"in: metadata\.kept\. .*metadata_mode='merge'"):
            run(update(metadata={"tier": "gold"}))
        assert run(update(metadata={"tier": "gold"}, metadata_mode="merge"))["updated"] is False


def test_a_server_that_drops_nulls_is_fine(retell_connection: str, monkeypatch: Any) -> None:
    with Emulator(drops_null=True) as emulator:
        emulator.add_call(call_id="call_1", call_status="ended", metadata={"a": 1})
        connection = {"conn_type": "retell", "host": emulator.url, "password": emulator.api_key}
        monkeypatch.setenv("AIRFLOW_CONN_RETELL_DEFAULT", json.dumps(connection))
        assert run(update(metadata={"a": 1, "b": None}))["metadata_keys"] == ["a"]
        assert run(update(metadata={"b": None}, metadata_mode="merge"))["updated"] is False


class TestDroppedAttributes:
    """Retell drops unknown custom attributes silently."""

    @pytest.fixture(params=[True, False], ids=["echoed", "not echoed"])
    def emulator(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
        options = {"custom_attributes": ("known",), "echo_custom_attributes": request.param}
        with Emulator(**options) as emulator:
            emulator.add_call(call_id="call_1", call_status="ended")
            connection = {"conn_type": "retell", "host": emulator.url, "password": emulator.api_key}
            monkeypatch.setenv("AIRFLOW_CONN_RETELL_DEFAULT", json.dumps(connection))
            yield emulator

    def test_confirmed(self, emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
        run(update(custom_attributes={"known": 3}, confirm_custom_attributes=True))
        assert "does not show" not in caplog.text

    @pytest.mark.parametrize("value", ["text", 4.5, True])
    def test_dropped(self, emulator: Emulator, value: Any) -> None:
        attributes = {"known": value, "unknown": value}
        with pytest.raises(AirflowFailException, match=r"in: custom_attributes\.unknown\. .*dashboard"):
            run(update(custom_attributes=attributes, confirm_custom_attributes=True))


def test_unseen_attributes_are_reported(
    call: Any, retell_emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    run(update(custom_attributes={"some": "x"}))
    assert "does not show whether it kept custom_attributes.some" in caplog.text


def test_the_result_is_slim_and_private_by_default(call: Any, retell_emulator: Emulator) -> None:
    result = run(update(metadata={"note": PRIVATE}))
    assert result == {
        "call_id": "call_1",
        "call_status": "ended",
        "call_type": "phone_call",
        "data_storage_setting": "everything",
        "metadata_keys": ["note"],
        "updated": True,
        "written": ["metadata.note"],
        **{
            name: retell_emulator.calls["call_1"][name]
            for name in (
                "agent_id",
                "disconnection_reason",
                "start_timestamp",
                "end_timestamp",
                "duration_ms",
            )
        },
    }


def test_metadata_and_the_whole_call_come_on_request(
    retell_emulator: Emulator, retell_connection: str
) -> None:
    retell_emulator.add_call(call_id="call_1", call_type="web_call", call_status="ended")
    assert retell_emulator.calls["call_1"]["access_token"]
    assert run(update(metadata={"a": 1}, return_value="metadata"))["metadata"] == {"a": 1}
    whole = run(update(metadata={"a": 1}, return_value="call"))
    assert whole["transcript"]
    assert "access_token" not in whole


def test_throttling_beyond_retry_limits_keeps_its_type_for_airflows_retries(
    call: Any, retell_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    retell_emulator.faults.add(Fault.status(429, headers={"Retry-After": "3600"}), route="update-call")
    with pytest.raises(RateLimitError) as error:
        run(update(metadata={"a": 1}))
    assert error.value.retry_after == 3600


def test_the_connection_is_closed_after_the_task(call: Any) -> None:
    operator = update(metadata={"a": 1})
    run(operator)
    assert "_session" not in operator.hook.__dict__


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"metadata_mode": "overwrite"}, "is one of"),
        ({"return_value": "everything"}, "is one of"),
        ({"wait_for_end": "{{ params.wait }}"}, "wait_for_end is True or False"),
        ({"confirm_custom_attributes": "False"}, "confirm_custom_attributes is True or False"),
        ({"clear_metadata": "False"}, "clear_metadata is True or False"),
        ({"clear_metadata": True, "metadata": {"a": 1}}, "not both"),
    ],
)
def test_wrong_choices_fail_when_the_dag_is_read(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        update(**arguments)


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("mapped", [False, True])
def test_rendered_values_are_not_shown(native: bool, mapped: bool) -> None:
    dag = DAG("a_dag", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc))
    dag.render_template_as_native_obj = native
    template = {
        "call_id": "call_1",
        "metadata": "{{ facts }}",
        "custom_attributes": {"id": "{{ facts.note }}"},
    }
    context: dict[str, Any] = {"dag": dag, "params": {}, "facts": {"note": PRIVATE}, "ti": Ti()}
    with dag:
        if mapped:
            source: Any = UpdateCallOperator.partial(task_id="update").expand_kwargs([template])
            operator = source.unmap(template)
            source._do_render_template_fields(
                operator, source.template_fields, context, dag.get_template_env(), set()
            )
        else:
            operator = UpdateCallOperator(task_id="update", **template)
            assert (
                serialize_template_field(operator.metadata, "metadata") == "{{ facts }}"
            )  # the template is code
            operator.render_template_fields(context, dag.get_template_env())
    shown = [serialize_template_field(getattr(operator, name), name) for name in operator.template_fields]
    assert PRIVATE not in str(shown)
    assert "note" in str(shown)
