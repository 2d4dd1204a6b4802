"""The emulator keeps the contract: all checks hold, and with another option exactly those that speak of it differ."""

from __future__ import annotations

from typing import Any

import pytest
from contract_account import (
    CLIENTS,
    FLAGS,
    VALUES,
    account,
    as_option,
    check_account,
    found_options,
    named,
    seen,
)
from retell.resources.call import CallResource

from airflow_provider_retell.clock import no_waiting
from airflow_provider_retell.contract.resources import CHECKS
from airflow_provider_retell.contract.results import breaks
from airflow_provider_retell.emulator import Clock, Options
from airflow_provider_retell.emulator.undocumented import keywords, undocumented_options

OPTIONS = undocumented_options(Options)

# With these the package would do wrong, so the command fails. With the others it is correct all the same.
WRONG = {
    "chats.updates_ongoing",
    "custom_attributes_semantics",
    "ended_statuses",
    "honors_idempotency_key",
    "list_lag",
    "shows_transfer_end",
}

# Not all statuses of this option concern each check that speaks of it.
ENDED_STATUSES = {
    ("ended", "error"): {"calls.update_of_unconnected_call"},
    ("ended", "not_connected"): {"calls.update_of_failed_call"},
    ("ended", "error", "not_connected", "registered"): {"calls.update_of_registered_call"},
}

# Checks that an option leaves without an answer.
UNDECIDED = {
    "list_lag": {"calls.attributes_merged"},
    "knowledge_bases.listing_delay": {
        "knowledge_bases.names_are_kept",
        "knowledge_bases.deletion_does_not_refresh",
        "knowledge_bases.last_source_is_kept",
    },
}

# More options that an option needs to have an effect within a test.
MORE: dict[str, dict[str, Any]] = {"rerun_seconds": {"clock": Clock(speed=20_000)}}
WITHOUT = {
    "throttle_headers": (),
    "rerun_seconds": ("--use-up-quota", "--place-call", "--import-contacts"),
    # The call of the batch could not be stopped, because it is never listed.
    "lists_registered": ("--use-up-quota", "--place-batch"),
}

# Checks that the SDK cannot express, because it has no such endpoint, header or field.
NOT_IN_THE_SDK = {"account.missing_key", "account.unknown_path", "calls.unknown_field_rejected"}


def test_every_flag_has_a_value_for_these_tests() -> None:
    assert VALUES.keys() == FLAGS.keys()


@pytest.mark.parametrize("client", CLIENTS)
def test_every_assumption_holds(client: str) -> None:
    if client == "sdk" and not hasattr(CallResource, "update_live"):
        pytest.skip("this SDK is older than some endpoints")
    with account() as emulator, no_waiting(emulator.clock.advance):
        before = {name: dict(record) for name, record in {**emulator.calls, **emulator.chats}.items()}
        results = check_account(emulator, client=client)
        assert named(results, "holds") | named(results, "skipped") == results.keys(), seen(results)
        assert named(results, "skipped") == (NOT_IN_THE_SDK if client == "sdk" else set())
        unchanged = before.keys() - {"call_tighten", "call_rerun", "call_delete", "call_live"}
        for name in unchanged:
            record = {**emulator.calls, **emulator.chats}[name]
            for fields in (record, before[name]):
                fields.pop("custom_attributes", None)  # they are not restored
            assert record == before[name]
        assert all(call["call_status"] == "ended" for call in emulator.placed)
    expected = {name: as_option(item.default) for name, item in OPTIONS.items()}
    if client == "sdk":
        del expected["ignores_unknown_fields"]
    assert found_options(results) == expected


@pytest.mark.parametrize(
    ("option", "value"),
    [(name, value) for name, item in OPTIONS.items() for value in item.metadata["others"]],
    ids=lambda item: str(item),
)
def test_exactly_the_checks_that_speak_of_an_option_differ(option: str, value: Any) -> None:
    expected = {check.name for check in CHECKS if option in check.options}
    if option == "ended_statuses":
        expected = ENDED_STATUSES[tuple(sorted(value))]
    without = WITHOUT.get(option, ("--use-up-quota",))
    with (
        account(**keywords(Options, {option: value}), **MORE.get(option, {})) as emulator,
        no_waiting(emulator.clock.advance),
    ):
        results = check_account(emulator, without=without)
        assert named(results, "differs") == expected, seen(
            results, *sorted(named(results, "differs") ^ expected)
        )
        assert named(results, "cannot tell") == UNDECIDED.get(option, set()), seen(results)
    wrong = {name for name, result in results.items() if breaks(result)}
    assert wrong == (expected if option in WRONG and "registered" not in str(value) else set())
    found = found_options(results)
    assert found[option] == as_option(value)
    # An emulator with the options of the report gives the same findings.
    again = {name: tuple(item) if isinstance(item, list) else item for name, item in found.items()}
    with (
        account(**keywords(Options, again), **MORE.get(option, {})) as emulator,
        no_waiting(emulator.clock.advance),
    ):
        repeated = check_account(emulator, only=tuple(expected))
    assert named(repeated, "differs") == expected
    assert found_options(repeated).items() <= found.items()


def test_every_undocumented_option_has_a_check() -> None:
    spoken_of = {option for check in CHECKS for option in check.options}
    assert spoken_of == OPTIONS.keys()


def test_names_are_unique_and_every_check_is_explained() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS) >= 40
    for check in CHECKS:
        for text in (check.assumption, check.otherwise):
            assert text.endswith("."), check.name
        assert check.matters.endswith("."), check.name
        assert check.question.endswith("?") or not check.question, check.name
        assert check.source
        assert check.flow.__doc__
