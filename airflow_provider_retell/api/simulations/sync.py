"""Bring the test cases of a response engine to the state of a list."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_retell.api.body import build
from airflow_provider_retell.api.deletion import check_deleted_ratio, delete
from airflow_provider_retell.api.encode import JsonValue, same_json, to_json
from airflow_provider_retell.api.errors import RetellInputError, UpdateMismatchError
from airflow_provider_retell.api.request import Flow, given
from airflow_provider_retell.api.simulations import endpoints
from airflow_provider_retell.api.simulations.bodies import CreateTestCaseDefinition
from airflow_provider_retell.api.simulations.listings import list_test_case_definitions
from airflow_provider_retell.api.simulations.models import TestCaseDefinition
from airflow_provider_retell.api.simulations.response_engine import Engine

_EMPTY: Mapping[str, JsonValue] = {"dynamic_variables": {}, "tool_mocks": []}
"""The fields that are empty if a test case leaves them out."""


@dataclass
class TestCaseChanges:
    """The names of the test cases by action. In a dry run, the actions are only planned.

    :ivar changed: the names of the changed fields, by the name of the test case.
    :ivar ids: the id of each test case by its name; those that a dry run would create are missing.
    """

    __test__ = False  # not a test class for pytest

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    changed: dict[str, list[str]] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)


def check_test_cases(
    test_cases: Sequence[Mapping[str, Any]], engine: Engine
) -> dict[str, dict[str, JsonValue]]:
    """Return the fields of each test case by its name.

    :raises RetellInputError: if the list is empty, a field is invalid, or two test cases have the same name.
    """
    if not test_cases:
        raise RetellInputError("test_cases must have at least one test case")
    checked: dict[str, dict[str, JsonValue]] = {}
    for index, case in enumerate(test_cases):
        name = case.get("name")
        label = f"test_cases[{index}]" + (f" {name!r}" if isinstance(name, str) else "")
        if "response_engine" in case:
            raise RetellInputError(f"{label}: response_engine must not be set. It is that of the agent")
        fields = {key: value for key, value in case.items() if value is not None}
        build(CreateTestCaseDefinition, label, {**fields, "response_engine": engine.fields(version=False)})
        if name in checked:
            raise RetellInputError(f"{label}: another test case in test_cases has the same name")
        plain = {key: to_json(value, f"{label}: {key}") for key, value in fields.items()}
        checked[str(name)] = {**_EMPTY, **plain}
    return checked


def sync_test_cases(
    engine: Engine,
    test_cases: Sequence[Mapping[str, Any]],
    *,
    delete_missing: bool = False,
    max_deleted_ratio: float = 0.5,
    dry_run: bool = False,
) -> Flow[TestCaseChanges]:
    """Create and update the test cases of *engine* by name, and send only differences.

    :param test_cases: the test cases: ``name``, ``user_prompt``, ``metrics``, and maybe ``dynamic_variables``,
        ``llm_model`` and ``tool_mocks``.
    :param delete_missing: True to delete the test cases of the engine that are not in the list.
    :param max_deleted_ratio: the largest share of the engine's test cases that may be deleted, 0 to 1.
    :param dry_run: True to change nothing.
    :raises RetellInputError: if a test case is invalid, a name is not unique, or too many would be deleted.
    :raises UpdateMismatchError: if Retell's response does not have the fields that were sent.
    """
    wanted = check_test_cases(test_cases, engine)
    existing: list[TestCaseDefinition] = yield from list_test_case_definitions(engine.fields(version=False))
    _check_unique(existing, wanted)
    missing = [case for case in existing if case.name not in wanted] if delete_missing else []
    check_deleted_ratio(
        len(missing), len(existing), max_deleted_ratio, "test cases of the agent", "test_cases and its files"
    )
    by_name = {case.name: case for case in existing}
    result = TestCaseChanges()
    for name, fields in wanted.items():
        case = by_name.get(name)
        if case is None:
            result.created.append(name)
            if not dry_run:
                case = yield from _create(engine, fields)
        else:
            changes = _differences(fields, case)
            (result.updated if changes else result.unchanged).append(name)
            if changes:
                result.changed[name] = sorted(changes)
                if not dry_run:
                    yield from _update(case, fields, changes)
        if case is not None:
            result.ids[name] = case.test_case_definition_id
    for case in missing:
        result.deleted.append(case.name)
        if not dry_run:
            yield from delete(endpoints.delete_test_case_definition(case.test_case_definition_id))
    return result


def _check_unique(existing: Sequence[TestCaseDefinition], wanted: Mapping[str, object]) -> None:
    counts = Counter(case.name for case in existing)
    for name in wanted:
        if counts[name] > 1:
            ids = [case.test_case_definition_id for case in existing if case.name == name]
            raise RetellInputError(
                f"{len(ids)} test cases of the agent are named {name!r}: {', '.join(ids)}. Delete or rename all except "
                "one"
            )


def _create(engine: Engine, fields: Mapping[str, Any]) -> Flow[TestCaseDefinition]:
    created: TestCaseDefinition = yield endpoints.create_test_case_definition(
        **fields, response_engine=engine.fields(version=False)
    )
    _verify(fields, created)
    return created


def _update(
    case: TestCaseDefinition, fields: Mapping[str, JsonValue], changes: Mapping[str, Any]
) -> Flow[None]:
    case_id = case.test_case_definition_id
    complete: dict[str, Any] = {**given(llm_model=case.llm_model), **fields}
    updated: TestCaseDefinition = yield endpoints.update_test_case_definition(case_id, **changes)
    lost = _differences(complete, updated).keys() - changes.keys()
    if lost:
        # It is not documented whether Retell keeps the fields that an update leaves out.
        updated = yield endpoints.update_test_case_definition(case_id, **complete)
    _verify(complete, updated)


def _differences(fields: Mapping[str, JsonValue], case: TestCaseDefinition) -> dict[str, JsonValue]:
    """Return the *fields* that *case* does not have."""
    return {name: value for name, value in fields.items() if not _same(name, value, getattr(case, name))}


def _same(name: str, wanted: JsonValue, actual: Any) -> bool:
    if actual is None and name in _EMPTY:
        actual = _EMPTY[name]
    if name != "tool_mocks":
        return same_json(wanted, actual)
    # Retell may add fields to a mock.
    return (
        isinstance(wanted, list)
        and len(wanted) == len(actual)
        and all(
            isinstance(mock, dict) and all(same_json(value, other.get(key)) for key, value in mock.items())
            for mock, other in zip(wanted, actual, strict=True)
        )
    )


def _verify(fields: Mapping[str, JsonValue], case: TestCaseDefinition) -> None:
    differing = tuple(sorted(_differences(fields, case)))
    if differing:
        raise UpdateMismatchError(
            f"Test case {case.test_case_definition_id} ({case.name!r}): Retell's response does not have the values "
            f"that were sent for {', '.join(differing)}. Compare the test case in Retell's dashboard with yours",
            fields=differing,
        )
