"""UpdateCallOperator: requests, results, rejected input, and values that must not be shown."""

from __future__ import annotations

import logging
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tasks import rendered_fields, run_try

from airflow_provider_retell._compat import AirflowFailException
from airflow_provider_retell.api.errors import CallNotEndedError
from airflow_provider_retell.emulator import Emulator
from airflow_provider_retell.operators.call import UpdateCallOperator

PRIVATE = "Ada's private note"
BEFORE = {"kept": 1, "tier": "old"}
READ, WRITE = ["get-call"], ["update-call"]


@pytest.fixture(autouse=True)
def call(emulator: Emulator) -> None:
    """A call that has ended, with metadata."""
    emulator.add_call(call_id="call_1", call_status="ended", metadata=dict(BEFORE))


def update(**arguments: Any) -> UpdateCallOperator:
    return UpdateCallOperator(task_id="update", **{"call_id": "call_1", **arguments})


def routes(emulator: Emulator) -> list[str]:
    return [request.route for request in emulator.requests]


# -- metadata


@pytest.mark.parametrize(
    ("arguments", "metadata", "written", "sent"),
    [
        ({"metadata": {"tier": "gold", "kept": 1.0}}, {"kept": 1, "tier": "gold"}, ["tier"], READ + WRITE),
        ({"metadata": {"tier": "old"}, "data_storage_setting": "everything"}, BEFORE, [], READ),
        ({"metadata": {}}, BEFORE, [], READ),
        ({"metadata": {}, "metadata_mode": "fill"}, BEFORE, [], READ),
        (
            {"metadata": {"tier": "gold", "new": 2}, "metadata_mode": "fill"},
            {**BEFORE, "new": 2},
            ["new"],
            READ + WRITE,
        ),
        ({"metadata": {"tier": "gold"}, "metadata_mode": "replace"}, {"tier": "gold"}, ["tier"], WRITE),
        (
            {"metadata": {"ltv": Decimal("19.90"), "day": date(2026, 11, 22)}, "metadata_mode": "replace"},
            {"ltv": 19.9, "day": "2026-11-22"},
            ["day", "ltv"],
            WRITE,
        ),
        (
            {"metadata": {"new": 1}, "remove_metadata_keys": ["tier", "absent"]},
            {"kept": 1, "new": 1},
            ["new", "tier"],
            READ + WRITE,
        ),
        ({"remove_metadata_keys": ("kept",)}, {"tier": "old"}, ["kept"], READ + WRITE),
        ({"remove_metadata_keys": ["absent"]}, BEFORE, [], READ),
        (
            {"remove_metadata_keys": ["kept"], "metadata_mode": "replace"},
            {"tier": "old"},
            ["kept"],
            READ + WRITE,
        ),
        (
            {"metadata": {"a": 1}, "remove_metadata_keys": ["tier"], "metadata_mode": "replace"},
            {"a": 1},
            ["a"],
            WRITE,
        ),
    ],
)
def test_the_parameters_decide_what_is_written(
    emulator: Emulator, arguments: Any, metadata: Any, written: list[str], sent: list[str]
) -> None:
    result = run_try(update(**arguments))
    assert emulator.calls["call_1"]["metadata"] == metadata
    assert routes(emulator) == sent
    assert (result["updated"], result["written"]) == (bool(written), [f"metadata.{key}" for key in written])


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    "arguments",
    [{"metadata": {}}, {"metadata": "{{ facts }}"}, {"metadata": {}, "data_storage_setting": "everything"}],
)
def test_replace_rejects_empty_metadata(emulator: Emulator, arguments: Any, native: bool) -> None:
    with pytest.raises(AirflowFailException, match=r"metadata is empty.*replace.*clear_metadata=True"):
        run_try(update(**arguments, metadata_mode="replace"), native=native, facts={})
    assert not emulator.requests


@pytest.mark.parametrize("mode", ["replace", "merge"])
def test_all_metadata_is_cleared_and_the_result_names_the_keys(
    emulator: Emulator, mode: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    result = run_try(update(clear_metadata=True, metadata_mode=mode))
    assert emulator.calls["call_1"]["metadata"] == {}
    assert (result["updated"], result["written"]) == (True, ["metadata.kept", "metadata.tier"])
    assert "wrote metadata.kept, metadata.tier" in caplog.text
    assert run_try(update(clear_metadata=True, metadata_mode=mode))["updated"] is False
    assert routes(emulator) == ["get-call", "update-call", "get-call"]


def test_metadata_is_cleared_together_with_other_changes(emulator: Emulator) -> None:
    run_try(update(clear_metadata=True, data_storage_setting="everything_except_pii"))
    assert emulator.requests[-1].body == {
        "metadata": {},
        "data_storage_setting": "everything_except_pii",
    }


# -- templates


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize(
    "template",
    ["{{ facts }}", "{{ facts | tojson }}", {"tier": "{{ facts.tier }}", "note": "{{ facts.note }}"}],
    ids=["dict", "json", "values"],
)
def test_templates_give_the_same_with_and_without_native_rendering(
    emulator: Emulator, template: Any, native: bool
) -> None:
    facts = {"tier": "gold", "note": f"{PRIVATE} \U0001f600"}
    operator = update(call_id="{{ which }}", metadata=template, metadata_mode="replace")
    run_try(operator, native=native, facts=facts, which="call_1")
    assert emulator.calls["call_1"]["metadata"] == facts
    assert PRIVATE not in str(rendered_fields(operator))


def test_a_call_id_of_digits_survives_native_rendering(emulator: Emulator) -> None:
    emulator.add_call(call_id="12345", call_status="ended")
    operator = update(call_id="{{ which }}", metadata={"a": 1})
    assert run_try(operator, native=True, which="12345")["call_id"] == "12345"


@pytest.mark.parametrize("native", [False, True])
def test_an_empty_storage_setting_changes_nothing(emulator: Emulator, native: bool) -> None:
    run_try(update(metadata={"a": 1}, data_storage_setting="{{ none }}"), native=native, none=None)
    assert emulator.requests[-1].body == {"metadata": {"kept": 1, "tier": "old", "a": 1}}


def test_the_operator_works_without_rendering() -> None:
    class Context(dict):  # type: ignore[type-arg]
        def xcom_push(self, **_: Any) -> None: ...

    assert update(metadata={"tier": "gold"}).execute({"ti": Context()})["written"] == ["metadata.tier"]


# -- the storage setting


def test_the_storage_setting_is_made_stricter(emulator: Emulator) -> None:
    result = run_try(update(data_storage_setting="{{ how }}"), how="basic_attributes_only")
    assert emulator.calls["call_1"]["data_storage_setting"] == "basic_attributes_only"
    assert result["data_storage_setting"] == "basic_attributes_only"
    assert result["written"] == ["data_storage_setting"]


def opt_out(flag: Any, **arguments: Any) -> UpdateCallOperator:
    with pytest.warns(DeprecationWarning, match="basic_attributes_only"):
        return update(opt_out_sensitive_data_storage=flag, **arguments)


@pytest.mark.parametrize(
    ("flag", "body"),
    [
        *((flag, {"data_storage_setting": "basic_attributes_only"}) for flag in (True, "true", "{{ flag }}")),
        (False, {}),
    ],
)
def test_the_deprecated_flag_sets_the_strictest_setting_or_none(
    emulator: Emulator, flag: Any, body: dict[str, Any]
) -> None:
    run_try(opt_out(flag, metadata={"a": 1}, metadata_mode="replace"), flag=True)
    assert emulator.requests[-1].body == {"metadata": {"a": 1}, **body}


@pytest.mark.parametrize(
    ("flag", "says"),
    [
        ("yes", "must be True or False"),
        ("{{ none }}", "rendered to an empty value"),
        ("", "rendered to an empty value"),
    ],
)
def test_the_deprecated_flag_must_be_true_or_false(emulator: Emulator, flag: Any, says: str) -> None:
    with pytest.raises(AirflowFailException, match=f"opt_out_sensitive_data_storage {says}"):
        run_try(opt_out(flag, metadata={"a": 1}), none=None)
    assert not emulator.requests


def test_the_deprecated_flag_and_another_setting_are_an_error(emulator: Emulator) -> None:
    with pytest.raises(AirflowFailException, match="Remove opt_out_sensitive_data_storage"):
        run_try(opt_out(True, data_storage_setting="everything_except_pii"))
    assert not emulator.requests


# -- errors


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"remove_metadata_keys": ["a"]}, "remove_metadata_keys has keys that metadata sets: a"),
        ({"call_id": ""}, "call_id rendered to an empty value"),
        ({"call_id": "  "}, "call_id rendered to an empty value"),
        ({"call_id": "nan"}, "call_id rendered to an empty value"),
        ({"call_id": "a/b"}, "'/' as character 2"),
        ({"call_id": "a?b"}, r"'\?' as character 2"),
        ({"call_id": "../x"}, r"'\.' as character 1"),
        ({"call_id": "+15550100200"}, r"'\+' as character 1"),
        ({"metadata": PRIVATE}, "not a JSON object"),
        ({"metadata": f'["{PRIVATE}"]'}, "not a JSON object"),
        ({"metadata": {"note": PRIVATE, "a": {"b": float("nan")}}}, r"call_1: metadata\.a\.b is NaN"),
        ({"metadata": {"a": PRIVATE * 4000, "b": 1}}, r"a: 72,008, b: 7"),
        ({"custom_attributes": {"id": [PRIVATE]}}, r"custom_attributes\.id"),
        ({"data_storage_setting": "{{ private }}"}, "data_storage_setting must be 'everything'"),
    ],
)
def test_invalid_input_is_rejected_before_anything_is_sent(
    emulator: Emulator, caplog: pytest.LogCaptureFixture, arguments: dict[str, Any], says: str
) -> None:
    caplog.set_level(logging.DEBUG)
    operator = update(**{"metadata": {"a": 1}, **arguments})
    with pytest.raises(AirflowFailException, match=says) as error:
        run_try(operator, none=None, private=PRIVATE)
    assert not emulator.requests
    assert PRIVATE not in caplog.text + str(error.value)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "set metadata, remove_metadata_keys, clear_metadata, data_storage_setting or custom_attributes"),
        (
            {"metadata": {}, "metadata_mode": "overwrite"},
            "metadata_mode must be 'merge', 'fill' or 'replace'",
        ),
        (
            {"metadata": {}, "wait_until": True},
            "wait_until must be 'ended', 'analyzed', 'transfer_ended' or None, not True",
        ),
        ({"data_storage_setting": "nothing"}, "data_storage_setting must be 'everything'"),
        ({"data_storage_setting": PRIVATE}, "data_storage_setting must be .*, not other text"),
        ({"metadata": {}, "confirm_custom_attributes": "False"}, "confirm_custom_attributes must be True or"),
        ({"clear_metadata": "False"}, "clear_metadata must be True or False"),
        ({"clear_metadata": True, "metadata": {"a": 1}}, "metadata and clear_metadata must not both be set"),
        (
            {"clear_metadata": True, "remove_metadata_keys": ["a"]},
            "remove_metadata_keys and clear_metadata must not both be set",
        ),
        ({"remove_metadata_keys": "tier"}, "remove_metadata_keys must be a list of strings, not text"),
    ],
)
def test_an_invalid_parameter_fails_when_the_dag_is_read(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises((ValueError, TypeError), match=says):
        update(**arguments)


@pytest.mark.parametrize("mode", ["replace", "merge"])
@pytest.mark.parametrize("status", ["registered", "ongoing"])
def test_a_call_that_has_not_ended_is_an_error_that_says_what_to_do(
    emulator: Emulator, mode: Any, status: str
) -> None:
    emulator.edit_call("call_1", call_status=status)
    with pytest.raises(
        CallNotEndedError, match=rf"call call_1 is {status}.*wait_until='ended'.*UpdateLiveCallOperator"
    ):
        run_try(update(metadata={"a": 1}, metadata_mode=mode))


def test_an_unknown_call_uses_no_retries() -> None:
    with pytest.raises(AirflowFailException, match="call_2.*422.*the API key belongs to the organization"):
        run_try(update(call_id="call_2", metadata={"a": 1}))


def test_an_attribute_that_retell_dropped_is_an_error_on_request() -> None:
    with pytest.raises(AirflowFailException, match=r"sent: custom_attributes\.unknown\. .*dashboard"):
        run_try(update(custom_attributes={"unknown": "x"}, confirm_custom_attributes=True))


def test_an_attribute_that_the_response_does_not_show_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    run_try(update(custom_attributes={"some": "x"}))
    assert "does not show whether it stored custom_attributes.some" in caplog.text


# -- the result


def test_the_result_contains_no_values(emulator: Emulator) -> None:
    result = run_try(update(metadata={"note": PRIVATE}, metadata_mode="replace"))
    shown = ("agent_id", "disconnection_reason", "start_timestamp", "end_timestamp", "duration_ms")
    assert set(result.pop("call_cost")) == {"cents", "seconds"}
    assert result == {
        "call_id": "call_1",
        "call_status": "ended",
        "call_type": "phone_call",
        "data_storage_setting": "everything",
        "metadata_keys": ["note"],
        "updated": True,
        "written": ["metadata.note"],
        **{name: emulator.calls["call_1"][name] for name in shown},
    }


def test_the_hook_is_closed_after_the_task() -> None:
    operator = update(metadata={"a": 1})
    run_try(operator)
    assert "_session" not in operator.hook.__dict__


@pytest.mark.parametrize("mode", ["merge", "replace"])
@pytest.mark.parametrize("value", [1, 2])
def test_the_result_has_the_cost_and_the_requested_fields_of_the_analysis(
    emulator: Emulator, mode: Any, value: int
) -> None:
    emulator.add_call(call_id="call_2", metadata={"a": 1})
    operator = UpdateCallOperator(
        task_id="a_task",
        call_id="call_2",
        metadata={"a": value},
        metadata_mode=mode,
        analysis_fields=["score", "call_successful"],
    )
    result = run_try(operator)
    assert result["updated"] is (mode == "replace" or value == 2)
    assert result["analysis"] == {"score": 0.9, "call_successful": True}
    assert result["call_cost"]["seconds"] == 62


def test_analysis_fields_cannot_be_read_at_the_end_of_the_call() -> None:
    with pytest.raises(ValueError, match="analysis_fields needs wait_until='analyzed'"):
        update(metadata={"a": 1}, wait_until="ended", analysis_fields=["score"])
